//! A run that is interrupted is the run that a horizon cuts there.

use sim_core::engine::{End, simulate};
use sim_core::scenario::Scenario;
use sim_core::time::Time;
use sim_core::timeline::{Recorder, Timeline};

use super::{Run, Verdict, ensure};

/// Wants so many instants and no more.
struct Patience(u32);

impl Recorder for Patience {
    fn wants_more(&mut self, _: Time) -> bool {
        self.0 = self.0.saturating_sub(1);
        self.0 > 0
    }
}

/// Interrupts the run at one of its instants; which, depends on its length.
pub(super) fn law(scenario: &Scenario, run: &Run) -> Verdict {
    let instants = u32::try_from(run.timeline.intervals.len()).unwrap_or(u32::MAX) / 2 + 1;
    let mut both = (Timeline::default(), Patience(instants));
    let ending = simulate(scenario, &mut both);
    if ending.end != End::Interrupted {
        return ensure(ending == run.ending, || format!("uninterrupted, the end is {ending:?}"));
    }
    let cut = Run::of(&Scenario { until: Some(ending.at), ..scenario.clone() });
    ensure(cut.timeline == both.0, || format!("interrupted at {}, the record is another", ending.at))?;
    let alike = cut.ending.end == End::Horizon && cut.ending.at == ending.at && cut.ending.stuck == ending.stuck;
    ensure(alike, || format!("{ending:?}, but with a horizon {:?}", cut.ending))
}
