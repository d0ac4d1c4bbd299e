//! How real runs ended, in words: a deadlock is a finding by itself, however well all else agrees.

use sim_core::engine::{self, Ending};
use sim_real::Measurement;

use super::{Failure, Simulated};

/// What is to be said of those real runs that ended in a deadlock, be it of some tasks alone, if any did.
pub(super) fn stuck(runs: &[Measurement]) -> Option<String> {
    let endings: Vec<Ending> = runs.iter().map(Measurement::ending).collect();
    let stuck: Vec<(&str, &str)> = endings.iter().filter_map(deadlock).collect();
    // A deadlock of all says more than one of some.
    let (what, why) = stuck.iter().find(|(what, _)| *what == ALL).or(stuck.first())?;
    Some(match runs.len() {
        1 => format!("the real run {what}: {why}"),
        all => format!("{} of {all} real runs {what}: {why}", stuck.len()),
    })
}

/// That nothing could happen any more.
const ALL: &str = "ended in a deadlock";

/// In what deadlock a run ended, if it did, and why.
fn deadlock(ending: &Ending) -> Option<(&'static str, &str)> {
    match (&ending.stuck, ending.end) {
        (_, engine::End::Deadlock) => Some((ALL, ending.explanation.as_deref().unwrap_or_default())),
        (_, engine::End::Livelock) => Some(("ended in a livelock", ending.explanation.as_deref().unwrap_or_default())),
        (Some(stuck), _) => Some(("ended with some tasks in a deadlock", &stuck.explanation)),
        (None, _) => None,
    }
}

/// The same of a simulation and real runs side by side.
pub(super) fn stuck_in_either(simulated: &Simulated, runs: &[Measurement]) -> Option<String> {
    match (deadlock(&simulated.ending), stuck(runs)) {
        (Some((what, _)), Some(real)) => Some(format!("the simulation {what}; {real}")),
        (Some((what, why)), None) => Some(format!("the simulation {what}, no real run did: {why}")),
        (None, Some(real)) => Some(format!("{real}; the simulation did not")),
        (None, None) => None,
    }
}

/// Fails if a run tells nothing of the scenario, so that no error may be computed from it.
pub(super) fn comparable(run: &Measurement) -> Result<(), Failure> {
    if run.recorded.placed {
        return Ok(());
    }
    let why = run.recorded.warnings.first().map_or("its threads were not on their processors", String::as_str);
    Err(Failure(format!(
        "sim: not compared: {why}\nhint: compare where sched_setaffinity is allowed; `sim run` needs no rights"
    )))
}
