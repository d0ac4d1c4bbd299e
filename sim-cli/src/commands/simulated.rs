//! A simulation as commands run it: within a budget of memory, with progress for who watches, and ended by Ctrl-C.

use sim_core::causes::Causes;
use sim_core::engine::{Ending, simulate};
use sim_core::ids::TaskId;
use sim_core::metrics::Metrics;
use sim_core::outcome::{Observed, Outcome};
use sim_core::scenario::Scenario;
use sim_core::time::{Span, Time};
use sim_core::timeline::{Bounded, Fate, Recorder, Timeline, TimelineHash};

use super::Failure;
use crate::condition::{self, Answer, Condition};
use crate::interruption;
use crate::memory::Room;
use crate::progress::Progress;

/// A simulated run: its outcome, and its timeline if it was kept.
pub(super) struct Simulated {
    pub(super) ending: Ending,
    pub(super) outcome: Outcome,
    /// Empty if nobody wanted it, or if there was no room for it.
    pub(super) timeline: Timeline,
    /// If the timeline was wanted, was there room for all of it?
    pub(super) complete: bool,
    /// What it says to the conditions that were asked.
    pub(super) answers: Vec<Answer>,
}

/// What the timeline is for. But for the first, findings are looked for in it, if there is room for it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Keep {
    /// Nothing: only the numbers count.
    Nothing,
    /// Nobody sees it.
    Unseen,
    /// It is shown if there is room for it.
    IfRoom,
    /// Nobody sees it, but without all of it the run is worth nothing.
    Whole,
    /// It is shown. Without all of it the run is worth nothing: where there is no more room it ends, and is refused.
    All,
}

/// Simulates.
pub(super) fn simulated(
    scenario: &Scenario,
    keep: Keep,
    room: Room,
    progress: Option<&mut Progress>,
) -> Result<Simulated, Failure> {
    asked(scenario, keep, room, progress, &[])
}

/// Simulates, and asks the run whether conditions hold.
pub(super) fn asked(
    scenario: &Scenario,
    keep: Keep,
    room: Room,
    progress: Option<&mut Progress>,
    conditions: &[Condition],
) -> Result<Simulated, Failure> {
    room.check(scenario)?;
    let whole = condition::need_timeline(conditions);
    let keep = match keep {
        Keep::Nothing | Keep::Unseen if whole => Keep::Whole,
        Keep::IfRoom if whole => Keep::All,
        keep => keep,
    };
    let numbers = (Metrics::with_jobs(), TimelineHash::default());
    let watch = Watch { scenario, progress, room, instants: 0, tasks: 0, finished: 0 };
    let records = if keep == Keep::Nothing { 0 } else { room.records };
    let bounded = Bounded::new(Timeline::default(), records);
    let needed = matches!(keep, Keep::All | Keep::Whole);
    let mut all = ((numbers, watch), if needed { bounded.or_end() } else { bounded });
    let ending = simulate(scenario, &mut all);
    let (((metrics, hash), watch), kept) = all;
    if watch.tasks > room.tasks {
        return Err(Failure::from(room.refusal(watch.tasks)));
    }
    let kept = kept.into_inner();
    if needed && kept.is_none() {
        return Err(Failure::from(room.no_timeline()));
    }
    let mut outcome = Outcome::simulated(scenario, &ending, &metrics, hash);
    let causes = kept.as_ref().filter(|_| whole).map(Causes::of);
    let observed = Observed::new(scenario, &metrics).with_causes(kept.as_ref().zip(causes.as_ref()));
    let answers = conditions.iter().map(|condition| condition.ask(&observed)).collect();
    drop(metrics);
    if let Some(timeline) = &kept {
        outcome = outcome.with_findings(scenario, timeline);
    }
    let unseen = matches!(keep, Keep::Nothing | Keep::Unseen | Keep::Whole);
    let complete = unseen || kept.is_some();
    Ok(Simulated { ending, outcome, timeline: kept.filter(|_| !unseen).unwrap_or_default(), complete, answers })
}

/// Looks up now and then while a simulation runs.
struct Watch<'a> {
    scenario: &'a Scenario,
    progress: Option<&'a mut Progress>,
    room: Room,
    instants: u64,
    tasks: u64,
    finished: u64,
}

/// So many instants pass between two looks: some ten microseconds, unless much happens in each.
const LOOK: u64 = 256;

impl Recorder for Watch<'_> {
    fn task(&mut self, _: u32, _: u32) {
        self.tasks += 1;
    }
    fn finish(&mut self, _: TaskId, _: Time, _: Fate) {
        self.finished += 1;
    }
    #[inline]
    fn wants_more(&mut self, next: Time) -> bool {
        self.instants += 1;
        !self.instants.is_multiple_of(LOOK) || self.look(next)
    }
}

impl Watch<'_> {
    /// Shows how far the run is. Does anybody want it to go on?
    #[cold]
    fn look(&mut self, next: Time) -> bool {
        if let Some(progress) = &mut self.progress {
            let until = self.scenario.until.map(|until| until - Time::ZERO);
            let now = next - Time::ZERO;
            #[expect(clippy::cast_precision_loss, reason = "for people's eyes")]
            let share = until.map(|until| now.ns() as f64 / until.ns() as f64);
            let (instants, tasks, finished) = (self.instants, self.tasks, self.finished);
            progress.show(share, || state(now, until, instants, (finished, tasks)));
        }
        !interruption::asked() && self.tasks <= self.room.tasks
    }
}

/// How far a run is. Where no end is known, how to end it.
fn state(now: Span, until: Option<Span>, instants: u64, (finished, tasks): (u64, u64)) -> String {
    let of = until.map_or_else(String::new, |until| format!(" of {}", until.readable()));
    // A narrow terminal shows the beginning.
    let way_out = if until.is_none() { "Ctrl-C shows what there is: " } else { "" };
    format!(
        "{way_out}at {}{of} of simulated time, {} events, {finished} of {tasks} tasks finished",
        now.readable(),
        rough(instants)
    )
}

/// A large number as people say it.
#[expect(clippy::cast_precision_loss, reason = "for people's eyes")]
fn rough(number: u64) -> String {
    match number {
        0..10_000 => number.to_string(),
        10_000..1_000_000 => format!("{} thousand", number / 1_000),
        1_000_000..1_000_000_000 => format!("{:.1} million", number as f64 / 1e6),
        _ => format!("{:.1} billion", number as f64 / 1e9),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_state_of_a_run_is_one_line() {
        let span = Span::from_ns;
        assert_eq!(
            state(span(3_200_000_000), Some(span(18_000_000_000)), 3_250_000, (0, 2)),
            "at 3.2 s of 18 s of simulated time, 3.2 million events, 0 of 2 tasks finished"
        );
        assert_eq!(
            state(span(1_000), None, 9_999, (1, 2)),
            "Ctrl-C shows what there is: at 1 µs of simulated time, 9999 events, 1 of 2 tasks finished"
        );
    }
}
