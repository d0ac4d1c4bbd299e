//! Can CPython do what a scenario asks of it? What it has nothing like is refused by name.

use std::collections::BTreeMap;
use std::sync::Arc;

use sim_core::device::Device;
use sim_core::executor::Threads;
use sim_core::ids::{DeviceId, IdVec, ProcessId, SyncId};
use sim_core::scenario::{Arrival, Op, Process, Scenario, Spec, SyncKind, SyncObject, SyncOp};

use crate::play::device;
use crate::play::python::interpreter::Interpreter;
use crate::prepare::unmeasurable::Unmeasurable;

/// Checks all processes that run in CPython: all that is in the way.
pub(crate) fn obstacles(scenario: &Scenario) -> Vec<Unmeasurable> {
    let mut found: Vec<Unmeasurable> = Vec::new();
    let in_python = |process: ProcessId| scenario.processes[process].runtime.cpython().is_some();
    for (id, process) in scenario.processes.pairs().filter(|(id, _)| in_python(*id)) {
        for spec in scenario.specs.iter().filter(|spec| spec.process == id) {
            found.extend(stays_at_home(scenario, id, process, spec).err());
            found.extend(notifies_with_its_lock(scenario, spec).err());
        }
    }
    found.extend(scenario.syncs.pairs().filter_map(|(sync, object)| shared(scenario, sync, object, &in_python).err()));
    found.extend(waits_with_one_lock(scenario).err());
    let devices =
        scenario.devices.pairs().filter_map(|(id, described)| device(scenario, id, described, &in_python).err());
    found.extend(devices);
    found
}

/// What tasks in Python share is something that Python has, and is in one interpreter.
fn shared(
    scenario: &Scenario,
    sync: SyncId,
    object: &SyncObject,
    in_python: &impl Fn(ProcessId) -> bool,
) -> Result<(), Unmeasurable> {
    let users: Vec<&Spec> = scenario.specs.iter().filter(|spec| uses(spec, sync)).collect();
    let Some(user) = users.iter().find(|spec| in_python(spec.process)) else { return Ok(()) };
    let whole = |spec: &Spec| scenario.processes[spec.process].whole(spec.process);
    if let Some((process, pool)) = loop_and_pool(scenario, &users) {
        return Err(Unmeasurable::of_loop_and_pool(object, process, pool));
    }
    if let Some(other) = users.iter().find(|spec| whole(spec) != whole(user)) {
        let [one, other] = [user, other].map(|spec| scenario.processes[spec.process].name.as_str());
        return Err(Unmeasurable::shared_with_python(object, one, other));
    }
    if object.rule.hoare {
        let what = format!("the condvar `{}` goes by Hoare's rule, and those of Python by Mesa's", object.name);
        return Err(Unmeasurable::not_in_python(&what));
    }
    if matches!(object.kind, SyncKind::RwLock { .. } | SyncKind::Channel { capacity: 0 }) {
        return Err(Unmeasurable::unknown_to_python(object));
    }
    Ok(())
}

/// The event loop whose tasks use something that is used on one of its pools, too, if there is one.
fn loop_and_pool<'s>(scenario: &'s Scenario, users: &[&Spec]) -> Option<(&'s str, &'s str)> {
    users.iter().find_map(|user| {
        let part = scenario.processes[user.process].part.as_ref()?;
        let whole = &scenario.processes[part.whole];
        let meet = is_loop(whole) && users.iter().any(|other| other.process == part.whole);
        meet.then_some((whole.name.as_str(), part.pool.as_str()))
    })
}

/// Older interpreters have no barriers for event loops.
pub(crate) fn have_barriers(
    scenario: &Scenario,
    interpreters: &IdVec<ProcessId, Option<Arc<Interpreter>>>,
) -> Result<(), Unmeasurable> {
    let barriers = || scenario.syncs.pairs().filter(|(_, object)| matches!(object.kind, SyncKind::Barrier { .. }));
    for (id, interpreter) in interpreters.pairs() {
        let Some(old) = interpreter.as_ref().filter(|interpreter| !interpreter.has_async_barriers()) else { continue };
        let uses_it = |sync| scenario.specs.iter().any(|spec| spec.process == id && uses(spec, sync));
        if is_loop(&scenario.processes[id])
            && let Some((_, barrier)) = barriers().find(|(sync, _)| uses_it(*sync))
        {
            return Err(Unmeasurable::no_barrier(&old.name(), barrier));
        }
    }
    Ok(())
}

fn is_loop(process: &Process) -> bool {
    !process.executor.kind.keeps_thread && process.executor.kind.threads == Threads::Main
}

/// It starts tasks of its own process only, comes after such, and is not periodic.
fn stays_at_home(scenario: &Scenario, id: ProcessId, process: &Process, spec: &Spec) -> Result<(), Unmeasurable> {
    if spec.attributes.periodic.is_some() {
        return Err(Unmeasurable::not_in_python(&format!("the task `{}` is periodic", spec.name)));
    }
    let is_elsewhere = |other: &Spec| other.process != id;
    if let Some(before) = spec.after.iter().map(|before| &scenario.specs[*before]).find(|before| is_elsewhere(before)) {
        let what = format!("`{}` comes after `{}`, a task of another process", spec.name, before.name);
        return Err(Unmeasurable::not_in_python(&what));
    }
    if spec.program.ops.contains(&Op::End) {
        return Err(Unmeasurable::not_in_python(&format!("`{}` ends itself with \"end\"", spec.name)));
    }
    let unknown = spec.program.ops.iter().find_map(|op| match op {
        Op::Test { .. } | Op::Set(..) | Op::Add(..) => Some("uses variables"),
        Op::Attempt(_) => Some("may give up what it waits for (`within`, `patience`, `else`)"),
        Op::Turn { .. } => Some("does something `every` so often"),
        _ => None,
    });
    if let Some(does) = unknown {
        return Err(Unmeasurable::not_in_python(&format!("the task `{}` {does}", spec.name)));
    }
    for op in &spec.program.ops {
        let Op::Spawn(spawned) = op else { continue };
        let other = &scenario.specs[*spawned];
        if other.caller.is_some() {
            continue;
        }
        if is_elsewhere(other) {
            let what = format!("`{}` spawns `{}`, a task of another process", spec.name, other.name);
            return Err(Unmeasurable::not_in_python(&what));
        }
        if process.executor.of_processes {
            let what = format!("`{}`, which is in a pool of processes, spawns `{}`", spec.name, other.name);
            return Err(Unmeasurable::not_in_python(&what));
        }
    }
    let is_fork = process.executor.kind.threads == Threads::ProcessPerTask;
    if is_fork && spec.arrival == Arrival::Spawned && !spec.after.is_empty() {
        return Err(Unmeasurable::not_in_python(&format!("`{}` is spawned, and comes after others", spec.name)));
    }
    Ok(())
}

/// A condition of Python is notified by who holds its lock.
fn notifies_with_its_lock(scenario: &Scenario, spec: &Spec) -> Result<(), Unmeasurable> {
    let locks = locks_of_condvars(scenario);
    let mut held: Vec<SyncId> = Vec::new();
    for op in &spec.program.ops {
        match op {
            Op::Sync(SyncOp::Lock(lock)) => held.push(*lock),
            Op::Sync(SyncOp::Unlock(lock)) => held.retain(|other| other != lock),
            Op::Sync(SyncOp::Notify(condvar) | SyncOp::NotifyAll(condvar))
                if locks.get(condvar).is_none_or(|lock| !held.contains(lock)) =>
            {
                return Err(Unmeasurable::notifies_without_lock(&spec.name, &scenario.syncs[*condvar]));
            }
            _ => {}
        }
    }
    Ok(())
}

/// The lock with which tasks wait at each condition variable.
pub(crate) fn locks_of_condvars(scenario: &Scenario) -> BTreeMap<SyncId, SyncId> {
    waits(scenario).map(|(_, condvar, lock)| (condvar, lock)).collect()
}

fn waits(scenario: &Scenario) -> impl Iterator<Item = (&Spec, SyncId, SyncId)> {
    scenario.specs.iter().flat_map(|spec| {
        spec.program.ops.iter().filter_map(move |op| match op {
            Op::Sync(SyncOp::Wait { condvar, lock }) => Some((spec, *condvar, *lock)),
            _ => None,
        })
    })
}

/// A condition of Python has one lock.
fn waits_with_one_lock(scenario: &Scenario) -> Result<(), Unmeasurable> {
    let mut locks: BTreeMap<SyncId, SyncId> = BTreeMap::new();
    for (spec, condvar, lock) in waits(scenario) {
        let known = *locks.entry(condvar).or_insert(lock);
        if known != lock && scenario.processes[spec.process].runtime.cpython().is_some() {
            let [one, other] = [known, lock].map(|lock| scenario.syncs[lock].name.as_str());
            return Err(Unmeasurable::waits_with_two_locks(&scenario.syncs[condvar].name, one, other));
        }
    }
    Ok(())
}

/// A device is a queue in front of timers, in one interpreter.
fn device(
    scenario: &Scenario,
    id: DeviceId,
    described: &Device,
    in_python: &impl Fn(ProcessId) -> bool,
) -> Result<(), Unmeasurable> {
    let asks = |spec: &&Spec| spec.program.ops.iter().any(|op| matches!(op, Op::Io { device, .. } if *device == id));
    let whole = |spec: &Spec| scenario.processes[spec.process].whole(spec.process);
    let users: Vec<ProcessId> = scenario.specs.iter().filter(asks).map(whole).collect();
    let Some(user) = users.iter().find(|user| in_python(**user)) else { return Ok(()) };
    if described.may_go_without() {
        let what = format!("the device `{}` does not keep all who ask it (`queue`, `patience`)", described.name);
        return Err(Unmeasurable::not_in_python(&what));
    }
    if device::needs_server(scenario, id) {
        let what = format!("the device `{}` does not serve who comes first", described.name);
        return Err(Unmeasurable::not_in_python(&what));
    }
    if let Some(other) = users.iter().find(|other| *other != user && described.channels.is_some()) {
        let [one, other] = [user, other].map(|process| scenario.processes[*process].name.as_str());
        let what = format!("the device `{}` is shared by `{one}`, which runs in Python, and `{other}`", described.name);
        return Err(Unmeasurable::not_in_python(&what));
    }
    Ok(())
}

/// Does the task use the object?
pub(crate) fn uses(spec: &Spec, sync: SyncId) -> bool {
    spec.program.ops.iter().any(|op| match op {
        Op::Sync(op) => op.object() == sync || matches!(op, SyncOp::Wait { lock, .. } if *lock == sync),
        _ => false,
    })
}
