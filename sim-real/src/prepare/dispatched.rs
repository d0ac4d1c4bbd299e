//! Can a thread of ours dispatch, and how near is what comes of it to what was asked for?

use sim_core::executor::Threads;
use sim_core::policy::Theory;
use sim_core::policy::on_linux::Realised;
use sim_core::scenario::Scenario;

use crate::play::dispatch::FINEST;
use crate::prepare::groups;
use crate::prepare::machine::Plan;

/// What is in the way of a dispatcher, if anything is.
pub(crate) fn obstacle(scenario: &Scenario) -> Option<String> {
    for process in &scenario.processes {
        let executor = &process.executor;
        if process.runtime.cpython().is_some() {
            return Some(format!(
                "the process `{}` runs in Python, whose threads nobody else dispatches",
                process.name
            ));
        }
        if !matches!(executor.kind.threads, Threads::PerTask | Threads::ProcessPerTask) {
            let what = format!("a dispatcher needs a thread for each task, and `{}` has none", executor.kind.name);
            return Some(what);
        }
        if executor.gil.is_some() {
            return Some("an interpreter with a lock hands its turns over by itself".into());
        }
    }
    if let Some((object, library)) = scenario.syncs.iter().find_map(|object| Some((object, object.library?))) {
        return Some(format!(
            "`{}`, a {} of {}, wakes its waiters by itself",
            object.name,
            object.kind.word(),
            library.name
        ));
    }
    if groups::are_needed(scenario) {
        return Some("it has groups, which Linux limits and weighs among ordinary threads only".into());
    }
    let served = scenario.specs.iter().find(|spec| spec.attributes.server.is_some());
    served.map(|spec| format!("the task `{}` has a server, which is simulated only", spec.name))
}

/// How near a run by a dispatcher was to what was asked for, and why, in a sentence.
pub(crate) fn judge(scenario: &Scenario, plan: &Plan, had_short_slices: bool) -> (Realised, String) {
    let asked = scenario.scheduler.kind.name;
    let mut differs = Vec::new();
    if plan.class.is_none() {
        differs.push("without real-time rights other programs run in between");
    }
    if plan.spare.is_empty() {
        differs.push("the dispatcher shares the measured processors");
    }
    let short = format!("slices of less than {FINEST} are mostly switching");
    if had_short_slices {
        differs.push(&short);
    }
    let by_deadline = scenario.scheduler.kind.theory == Theory::Deadlines;
    if plan.lends && by_deadline && scenario.specs.iter().any(|spec| spec.attributes.periodic.is_some()) {
        differs.push("deadlines are not lent to holders of locks");
    }
    let done = format!("a dispatcher lets threads run as `{asked}` itself decides");
    match differs[..] {
        [] => (Realised::Exact, done),
        _ => (Realised::Approximated, format!("{done}; but {}", differs.join(", and "))),
    }
}
