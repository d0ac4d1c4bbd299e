//! What Rust does not have: refused, or told at the head of the program.

use sim_core::ids::ProcessId;
use sim_core::scenario::{Process, SyncKind};

use super::guards::escapes;
use super::{Rust, is_async};
use crate::program::Refusal;
use crate::program::plan::{Flavour, Plan, Shared};

/// `sync_channel` makes room for all messages at once.
const MESSAGES: u32 = 1_000_000;

/// All that is refused.
pub(super) fn all(plan: &Plan<'_>) -> Vec<Refusal> {
    let mut refused = Vec::new();
    for (id, process) in plan.scenario.processes.pairs() {
        refused.extend(of_process(plan, id, process));
        for shared in plan.shared_in(id) {
            refused.extend(object(plan, shared, id));
        }
    }
    for (id, spec) in plan.scenario.specs.pairs() {
        if let Some(lock) = escapes(&plan.bodies[id], &spec.program.ops, &[]) {
            let what = plan.called(Shared::Sync(lock));
            refused.push(Refusal::new(
                format!("the task `{}` takes {what} in a `choose` and holds it behind that", spec.name),
                "take it before the `choose`, or give it back inside",
            ));
        }
    }
    refused
}

fn of_process(plan: &Plan<'_>, id: ProcessId, process: &Process) -> Vec<Refusal> {
    let mut refused = Vec::new();
    let flavour = plan.flavours[id];
    let name = &process.name;
    let what = |what: &str| format!("{what}, with the executor `{}` of process {name}", process.executor.kind.name);
    if flavour == Flavour::ProcessPool {
        let what = format!("the pool of processes of process {name}, which is one of Python");
        return vec![Refusal::new(
            what,
            format!("--set process.{name}.executor.of=threads, or choose the executor `processes`"),
        )];
    }
    let pools: Vec<&str> = plan.beside(id).map(|(_, pool)| pool).collect();
    if pools.len() > 1 {
        let what = what(&format!("the pools {}, where tokio has one for all that blocks", pools.join(", ")));
        refused.push(Refusal::new(what, "let one of them do all"));
    }
    let instead = "choose `threads` or `async`";
    let staged = matches!(flavour, Flavour::Pool | Flavour::Processes);
    if staged && !plan.stages_say_all(id) {
        refused.push(Refusal::new(what("`after` some of the tasks, while others start without them"), instead));
    }
    if (staged || flavour == Flavour::Sequential) && plan.spawns(id) {
        refused.push(Refusal::new(what("`spawn`"), instead));
    }
    refused
}

fn object(plan: &Plan<'_>, shared: Shared, process: ProcessId) -> Option<Refusal> {
    let what = plan.called(shared);
    let flavour = plan.flavours[process];
    if flavour == Flavour::Processes {
        let what = format!("{what}: Rust's standard library has nothing that processes share");
        return Some(Refusal::new(what, "choose `threads`, or export it to python"));
    }
    let Shared::Sync(sync) = shared else { return None };
    let name = &plan.scenario.syncs[sync].name;
    let refusal = match plan.scenario.syncs[sync].kind {
        SyncKind::Channel { capacity: 0 } if is_async(flavour) => Refusal::new(
            format!("{what} has no room: a channel of tokio holds one message at least"),
            format!("--set channel.{name}.capacity=1, or choose `threads`"),
        ),
        SyncKind::Channel { capacity } if capacity > MESSAGES => Refusal::new(
            format!("{what} has room for {capacity} messages, which `sync_channel` would make at once"),
            format!("--set channel.{name}.capacity={MESSAGES}"),
        ),
        SyncKind::Condvar if plan.locks_of(sync).len() > 1 => Refusal::new(
            format!("{what} goes with several locks, and one of Rust with one"),
            "let all who wait for it hold the same lock",
        ),
        _ => return None,
    };
    Some(refusal)
}

/// What is told at the head of a program of what only Rust is like.
pub(super) fn notes(rust: &Rust<'_>) -> Vec<String> {
    let plan = rust.plan;
    let mut notes = Vec::new();
    let processes = || plan.scenario.processes.pairs();
    let in_threads = |id: ProcessId| matches!(plan.flavours[id], Flavour::Threads | Flavour::Pool);
    let locked: Vec<&str> = processes()
        .filter(|(id, process)| in_threads(*id) && process.executor.gil.is_some())
        .map(|(_, process)| process.name.as_str())
        .collect();
    if !locked.is_empty() {
        notes.push(format!(
            "the interpreter lock (GIL) of {}: threads of Rust compute at the same time",
            locked.join(", ")
        ));
    }
    if processes().any(|(_, process)| process.start_method().is_some()) {
        notes.push("how Python starts processes (`start`): this program starts itself again".to_owned());
    }
    if plan.draws() {
        notes.push(
            "the very numbers that are drawn: the laws are the same, and the seed gives the same numbers again"
                .to_owned(),
        );
    }
    notes
}
