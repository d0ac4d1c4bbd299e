//! Spins that can never end: who spins for ever is in the way of who would give the lock back.

use super::{Finding, Record};
use crate::scenario::Scenario;
use crate::timeline::{Hold, Spin, What};

/// Who spun at the end of the run for a lock whose holder had no processor since it began to.
pub(super) fn find(scenario: &Scenario, record: &Record<'_>) -> Vec<Finding> {
    let timeline = record.timeline;
    let is_open = |spin: &&Spin| {
        let object = scenario.syncs.get(spin.sync);
        !spin.got && spin.end == timeline.end && object.is_some_and(crate::scenario::SyncObject::spins_forever)
    };
    let finding = |spin: &Spin| {
        let holds = |hold: &&&Hold| hold.start <= spin.start && hold.end == timeline.end && hold.task != spin.task;
        let holder = record.holds[spin.sync].iter().find(holds)?.task;
        let runs = timeline.intervals.iter().any(|interval| {
            interval.task == holder
                && interval.what == What::Run
                && interval.start < interval.end
                && interval.end > spin.start
        });
        if runs {
            return None;
        }
        let [who, holder] = [spin.task, holder].map(|task| timeline.short_name(task));
        let text = format!(
            "endless spin: {who} spins since {} for lock `{}` and never blocks; {holder}, which has it, got no processor from then on",
            spin.start.readable(),
            timeline.cast.syncs[spin.sync].name
        );
        Some(Finding::new("endless-spin", text, spin.end - spin.start))
    };
    timeline.spins.iter().filter(is_open).filter_map(finding).collect()
}
