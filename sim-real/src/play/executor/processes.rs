//! A child process for each task, forked before the start.
//!
//! Everything the children need is in place before the fork, and all they write goes to shared memory, so a child only
//! ever runs the walker of programs and never touches a lock of the parent's other threads. Forking ourselves rather
//! than starting our own program again keeps the scenario, locks, devices and the log where they are, and works in
//! whatever program the library is part of. A task that spawns another forks once more.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};

use super::{Crew, Executor, live};
use crate::play::burn;
use crate::play::library::Object;
use crate::play::world::{self, Starter, World};
use crate::prepare::start;
use crate::prepare::unmeasurable::Unmeasurable;
use crate::sys::{self, Child};

/// See the module.
pub(super) struct Processes;

impl Executor for Processes {
    fn name(&self) -> &'static str {
        "processes"
    }

    fn describe(&self, _: &sim_core::scenario::Executor) -> String {
        "a forked process per task".into()
    }

    fn has_thread_per_task(&self) -> bool {
        true
    }

    /// Each lives in one process.
    fn borrows(&self, _: &Object) -> bool {
        false
    }

    fn run(&self, crew: &Crew) -> Result<(), Unmeasurable> {
        let world = &crew.world;
        let (mut children, spawned) = (Vec::new(), Arc::new(Mutex::new(Vec::new())));
        let forked = fork_all(crew, &mut children, &spawned);
        // Children that never started have nothing to end.
        let mut patience = 0;
        if forked.is_ok() {
            crew.ready(starter(crew, &spawned));
            if world.await_start().is_some() {
                world.await_end();
            }
            patience = sys::now() + GRACE;
        }
        let spawned = std::mem::take(&mut *spawned.lock().unwrap_or_else(PoisonError::into_inner));
        children.into_iter().chain(spawned).for_each(|child| child.end_by(patience));
        forked
    }
}

/// How long children have to end when the run is over; one that is stopped never would.
const GRACE: u64 = 1_000_000_000;

/// Forks a process for each instance that arrives by itself.
fn fork_all(crew: &Crew, children: &mut Vec<Child>, spawned: &Arc<Mutex<Vec<Child>>>) -> Result<(), Unmeasurable> {
    let world = &crew.world;
    // How long after the start each child wakes; the start itself is read from shared memory.
    let offsets = start::wake_times(world, crew.process, &crew.tasks, 0);
    for (index, (id, offset)) in crew.tasks.iter().zip(offsets).enumerate() {
        let child = sys::fork(|| {
            let cpus = become_child(world, *id, crew.order + index);
            // A child starts tasks of its own process only: the others' executors are out of its reach.
            let starters = world.scenario.processes.iter().map(|_| Box::new(starter(crew, spawned)) as Starter);
            world.set_starters(starters.collect());
            let prepared = &world.instance(*id).prepared;
            prepared.store(1, Ordering::SeqCst);
            sys::futex_wake(prepared, 1);
            if let Some(begin) = world.await_start() {
                start::settle(world, begin, crew.order + index, &cpus);
                live(world, *id, begin + offset, None);
            }
            sys::await_children();
        });
        let child = child.map_err(|error| Unmeasurable::system("fork", &error))?;
        world.has_process(*id, child.id());
        children.push(child);
        // One after the other: each settles while the others sleep.
        world.await_nonzero(&world.instance(*id).prepared);
    }
    Ok(())
}

/// Forks a process for an instance that another spawned.
fn starter(crew: &Crew, spawned: &Arc<Mutex<Vec<Child>>>) -> impl Fn(usize) + Send + Sync + 'static {
    let (world, order, spawned) = (Arc::downgrade(&crew.world), crew.order, Arc::clone(spawned));
    move |id| {
        let Some(world) = world.upgrade() else { return };
        let child = sys::fork(|| {
            become_child(&world, id, order + id);
            live(&world, id, 0, None);
            sys::await_children();
        });
        let Ok(child) = child else { return world.refuse() };
        world.has_process(id, child.id());
        // A child does not wait for its own children one by one.
        if !world::in_child() {
            spawned.lock().unwrap_or_else(PoisonError::into_inner).push(child);
        }
    }
}

fn become_child(world: &World, id: usize, order: usize) -> Vec<u32> {
    burn::forget_parent();
    world::become_child();
    sys::disown_children();
    sys::set_thread_name(&world.thread_name(id));
    let (spec, _) = world.identity(id);
    let cpus = world.plan.cpus_of(&world.scenario.specs[spec].attributes);
    world.enter(&cpus, &[spec], order);
    cpus
}
