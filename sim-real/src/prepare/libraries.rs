//! Can the objects of libraries that a scenario names be measured as it uses them?

use sim_core::executor::Threads;
use sim_core::ids::SyncId;
use sim_core::scenario::{Arrival, Caller, Op, Scenario, Spec, SyncKind, SyncObject, SyncOp, Way};
use sim_core::sync::kinds::Kind;

use crate::play::executor;
use crate::play::library::Object;
use crate::prepare::unmeasurable::Unmeasurable;

/// They are measured as they are: by whom, is for the library to say, and how, for nobody else.
pub(crate) fn check(scenario: &Scenario) -> Result<(), Unmeasurable> {
    for (id, object) in scenario.syncs.pairs() {
        waits(scenario, id)?;
        let Some(library) = object.library.filter(|_| !is_of_python(scenario, id)) else { continue };
        let Some(real) = Object::of(object) else { return Err(Unmeasurable::not_from_library(object, library.name)) };
        if !goes_by_its_rule(object, library) {
            return Err(Unmeasurable::rule_of_library(object, library.name));
        }
        if real.has_one_receiver && has_several_receivers(scenario, id) {
            return Err(Unmeasurable::several_receivers(object, real.name));
        }
        for spec in scenario.specs.iter().filter(|spec| uses(spec, id)) {
            let process = &scenario.processes[spec.process];
            let kind = process.executor.kind;
            if kind.threads == Threads::ProcessPerTask {
                return Err(Unmeasurable::library_between_processes(object, real.name));
            }
            if !executor::of(process).is_some_and(|executor| executor.borrows(&real)) {
                return Err(Unmeasurable::library_under_executor(object, real.name, kind.name));
            }
        }
    }
    Ok(())
}

/// Is it used in CPython? Then it is one of CPython's own, in any case.
pub(crate) fn is_of_python(scenario: &Scenario, sync: SyncId) -> bool {
    let mut users = scenario.specs.iter().filter(|spec| uses(spec, sync));
    users.any(|spec| scenario.processes[spec.process].runtime.cpython().is_some())
}

/// The operations on synchronisation objects in the program of a task.
fn operations(spec: &Spec) -> impl Iterator<Item = SyncOp> {
    spec.program.ops.iter().filter_map(|op| if let Op::Sync(op) = op { Some(*op) } else { None })
}

fn uses(spec: &Spec, sync: SyncId) -> bool {
    operations(spec).any(|op| op.object() == sync || matches!(op, SyncOp::Wait { lock, .. } if lock == sync))
}

/// A condition variable waits with a lock of the same library.
fn waits(scenario: &Scenario, condvar: SyncId) -> Result<(), Unmeasurable> {
    for op in scenario.specs.iter().flat_map(operations) {
        let SyncOp::Wait { condvar: at, lock } = op else { continue };
        let [waits, with] = [condvar, lock].map(|sync| &scenario.syncs[sync]);
        if at == condvar && waits.library != with.library {
            return Err(Unmeasurable::waits_with_another_library(waits, with));
        }
    }
    Ok(())
}

/// Is it handed on as its library does it?
fn goes_by_its_rule(object: &SyncObject, library: &Kind) -> bool {
    let prefers = if let SyncKind::RwLock { prefer } = object.kind { prefer == library.prefer } else { true };
    prefers && object.spin.is_zero() && Some(object.rule) == library.rule(object.kind)
}

/// May more than one instance receive?
fn has_several_receivers(scenario: &Scenario, channel: SyncId) -> bool {
    let receives = |spec: &&Spec| operations(spec).any(|op| op == SyncOp::Receive(channel));
    scenario.specs.iter().filter(receives).map(|spec| instances(scenario, spec)).sum::<u32>() > 1
}

/// How many instances of the task there can be at once, if that is one; else more. Of a branch there is one in each task that has it,
/// unless it is one of `each`.
fn instances(scenario: &Scenario, spec: &Spec) -> u32 {
    match spec.caller {
        Some(Caller { spec, way: Way::All { .. } | Way::Any { .. }, .. }) => instances(scenario, &scenario.specs[spec]),
        _ if spec.arrival == Arrival::Spawned => 2,
        _ => spec.count,
    }
}
