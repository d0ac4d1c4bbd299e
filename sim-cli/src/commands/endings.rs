//! How real runs ended, in words: a deadlock is a finding by itself, however well all else agrees.

use sim_core::engine;
use sim_real::{End, Measurement};

use super::{Failure, Simulated};

/// What is to be said of those real runs that ended in a deadlock, if any did.
pub(super) fn stuck(runs: &[Measurement]) -> Option<String> {
    let mut stuck = runs.iter().filter(|run| run.recorded.end == End::Deadlock);
    let count = stuck.clone().count();
    let why = stuck.next()?.explanation.as_deref().unwrap_or("nothing could happen any more");
    Some(match runs.len() {
        1 => format!("the real run ended in a deadlock: {why}"),
        all => format!("{count} of {all} real runs ended in a deadlock: {why}"),
    })
}

/// The same of a simulation and real runs side by side.
pub(super) fn stuck_in_either(simulated: &Simulated, runs: &[Measurement]) -> Option<String> {
    let ending = &simulated.ending;
    let end = match ending.end {
        engine::End::Deadlock | engine::End::Livelock => {
            Some(format!("the simulation ended in a {}", ending.end.name()))
        }
        _ => None,
    };
    match (end, stuck(runs)) {
        (Some(simulated), Some(real)) => Some(format!("{simulated}; {real}")),
        (Some(simulated), None) => {
            let why = ending.explanation.as_deref().unwrap_or_default();
            Some(format!("{simulated}, no real run did: {why}"))
        }
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
