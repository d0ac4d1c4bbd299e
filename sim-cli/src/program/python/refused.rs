//! What Python does not have: refused, or told at the head of the program.

use std::collections::BTreeSet;

use sim_core::ids::ProcessId;
use sim_core::scenario::{Op, Spec, SyncKind, SyncOp};

use super::Python;
use super::start::SWITCH_INTERVAL;
use crate::program::Refusal;
use crate::program::plan::{Flavour, Plan, Shared, listed, no_counterpart};

/// All that is refused.
pub(super) fn all(plan: &Plan<'_>) -> Vec<Refusal> {
    let mut refused: Vec<Refusal> = plan.all_shared().into_iter().filter_map(|shared| object(plan, shared)).collect();
    for (id, process) in plan.processes() {
        if plan.flavours[id] == Flavour::Stealing {
            refused.push(no_counterpart(plan.scenario, process));
        }
        let what = |what: &str| {
            format!("{what}, with the executor `{}` of process {}", process.executor.kind.name, process.name)
        };
        let staged =
            !matches!(plan.flavours[id], Flavour::Threads | Flavour::Async | Flavour::Stealing | Flavour::Sequential);
        if staged && !plan.stages_say_all(id) {
            let instead = "choose `threads`, `async` or `sequential`";
            refused.push(Refusal::new(what("`after` some of the tasks, while others start without them"), instead));
        }
        let until = plan.scenario.until.is_some();
        if let Some(instead) = no_spawn(plan.flavours[id], until).filter(|_| plan.spawns(id)) {
            let of_processes = if process.executor.of_processes { " and workers that are processes" } else { "" };
            refused.push(Refusal::new(what("`spawn`") + of_processes, instead));
        }
        if until && plan.flavours[id] == Flavour::ProcessPool {
            refused.push(Refusal::new(what("`until`"), "take it out, or choose threads as workers: of = \"threads\""));
        }
    }
    refused.extend(several(plan));
    refused
}

/// What to choose instead of an executor whose tasks start no others in a program of Python, if it is one.
fn no_spawn(flavour: Flavour, until: bool) -> Option<String> {
    let processes = if until { "" } else { ", or `processes`" };
    match flavour {
        Flavour::ProcessPool => {
            Some(format!("let its workers be threads: of = \"threads\"; or choose `threads`, `async`{processes}"))
        }
        Flavour::Sequential | Flavour::Processes if until || flavour == Flavour::Sequential => {
            let others = if until { "or `pool`" } else { "`pool` or `processes`" };
            Some(format!("choose `threads`, `async`, {others}"))
        }
        _ => None,
    }
}

/// What does not go together with several processes: a program has one function that spawns.
fn several(plan: &Plan<'_>) -> Vec<Refusal> {
    let mut refused = Vec::new();
    let processes = || plan.processes();
    let spawning: BTreeSet<(Flavour, u32)> = processes()
        .filter(|(id, _)| plan.spawns(*id))
        .map(|(id, process)| (plan.flavours[id], process.executor.workers))
        .collect();
    if spawning.len() > 1 {
        let instead = "let them have the same executor, with as many workers";
        refused.push(Refusal::new("`spawn` in processes with different executors", instead));
    }
    let own = processes().any(|(id, _)| plan.flavours[id] == Flavour::Processes);
    let is_after_in_own = |spec: &Spec| plan.flavours[spec.process] == Flavour::Processes && !spec.after.is_empty();
    if own && plan.scenario.until.is_some() && plan.processes().count() > 1 {
        let what = "`until` with a process for each task beside other processes";
        refused.push(Refusal::new(what, "choose the executor `threads`, or make it a file of its own"));
    }
    if own && plan.processes().count() > 1 && plan.scenario.specs.iter().any(is_after_in_own) {
        let what = "`after` with a process for each task beside other processes";
        refused.push(Refusal::new(what, "choose the executor `threads`, or make it a file of its own"));
    }
    refused
}

fn object(plan: &Plan<'_>, shared: Shared) -> Option<Refusal> {
    let Shared::Sync(sync) = shared else { return None };
    let what = plan.called(shared);
    let name = &plan.scenario.syncs[sync].name;
    let ops = || plan.scenario.specs.iter().flat_map(|spec| &spec.program.ops);
    match plan.scenario.syncs[sync].kind {
        SyncKind::RwLock { .. } => Some(Refusal::new(
            format!("{what}: Python's standard library has no lock that readers share"),
            "make it a [[lock]], and `with` out of `read` and `write`",
        )),
        SyncKind::Channel { capacity: 0 } => Some(Refusal::new(
            format!("{what} has no room: a queue of Python holds one message at least"),
            format!("--set channel.{name}.capacity=1"),
        )),
        SyncKind::Semaphore { .. } => {
            let several = ops().any(|op| matches!(op, Op::Sync(SyncOp::Acquire(other, 2..)) if *other == sync));
            let instead = "acquire one at a time, or let one permit stand for several";
            several.then(|| {
                Refusal::new(format!("{what}: several permits at once, which Python's semaphores do not give"), instead)
            })
        }
        SyncKind::Condvar => {
            let instead = "let all who wait for it hold the same lock";
            (plan.locks_of(sync).len() > 1)
                .then(|| Refusal::new(format!("{what} goes with several locks, and one of Python with one"), instead))
        }
        SyncKind::Mutex | SyncKind::Barrier { .. } | SyncKind::Channel { .. } => None,
    }
}

/// What is told at the head of a program of what only Python is like.
pub(super) fn notes(python: &Python<'_>) -> Vec<String> {
    let plan = python.plan;
    let mut notes = Vec::new();
    let in_threads = |id: ProcessId| matches!(plan.flavours[id], Flavour::Threads | Flavour::Pool);
    let parallel =
        |(id, process): (ProcessId, &sim_core::scenario::Process)| in_threads(id) && process.executor.gil.is_none();
    let computes = python.any_op(|op| matches!(op, Op::Cpu(_)));
    if computes && plan.scenario.machine.processors.len() > 1 && plan.scenario.processes.pairs().any(parallel) {
        notes.push(
            "threads that compute at the same time: those of CPython take turns (the GIL), unless it is a free-threaded one"
                .to_owned(),
        );
    }
    for (id, process) in plan.scenario.processes.pairs().filter(|(id, _)| in_threads(*id)) {
        let circle: Vec<String> =
            plan.circle(id).into_iter().map(|lock| format!("`{}`", plan.scenario.syncs[lock].name)).collect();
        if !circle.is_empty() {
            notes.push(format!(
                "the deadlock of {}, as surely: under the GIL, who computes for less than {} mostly has all before others run",
                listed(&circle),
                process.executor.gil.unwrap_or(SWITCH_INTERVAL).readable()
            ));
        }
    }
    if plan.scenario.processes.pairs().any(|(id, _)| plan.flavours[id] == Flavour::Processes && plan.spawns(id)) {
        notes.push("the numbers of spawned tasks: each process counts its own".to_owned());
    }
    if plan.draws() {
        notes.push(
            "the very numbers that are drawn: the laws are the same, and the seed gives the same numbers again"
                .to_owned(),
        );
    }
    notes
}
