//! A child process for each task, forked before the start.
//!
//! Everything the children need is in place before the fork, and all they write goes to shared memory, so a child only
//! ever runs the walker of programs and never touches a lock of the parent's other threads. Forking ourselves rather
//! than starting our own program again keeps the scenario, locks, devices and the log where they are, and works in
//! whatever program the library is part of. A task that spawns another forks once more.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};

use super::{Crew, Executor, live, settle, wake_times};
use crate::burn;
use crate::sys::{self, Child};
use crate::world::{self, Starter, World};

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

    fn run(&self, crew: &Crew) -> Result<(), String> {
        let world = &crew.world;
        let mut children = Vec::new();
        let spawned = Arc::new(Mutex::new(Vec::new()));
        // How long after the start each child wakes; the start itself is read from shared memory.
        let offsets = wake_times(world, &crew.tasks, 0);
        for (index, (id, offset)) in crew.tasks.iter().zip(offsets).enumerate() {
            let child = sys::fork(|| {
                sys::die_with_parent();
                become_child(world, *id, crew.order + index);
                // A child starts tasks of its own process only: the others' executors are out of its reach.
                let starters = world.scenario.processes.iter().map(|_| Box::new(starter(crew, &spawned)) as Starter);
                world.set_starters(starters.collect());
                let prepared = &world.instance(*id).prepared;
                prepared.store(1, Ordering::SeqCst);
                sys::futex_wake(prepared, 1);
                if let Some(start) = world.await_start() {
                    settle(start, crew.order + index);
                    live(world, *id, start + offset, None);
                }
            });
            children.push(child.map_err(|error| format!("cannot fork: {error}"))?);
            // One after the other: each settles while the others sleep.
            world.await_nonzero(&world.instance(*id).prepared);
        }
        crew.ready(starter(crew, &spawned));
        if world.await_start().is_some() {
            world.await_end();
        }
        let spawned = std::mem::take(&mut *spawned.lock().unwrap_or_else(PoisonError::into_inner));
        match children.into_iter().chain(spawned).filter(|child| !child.wait()).count() {
            0 => Ok(()),
            failed => Err(format!("{failed} child processes were killed or failed")),
        }
    }
}

/// Forks a process for an instance that another spawned.
fn starter(crew: &Crew, spawned: &Arc<Mutex<Vec<Child>>>) -> impl Fn(usize) + Send + Sync + 'static {
    let (world, order, spawned) = (Arc::downgrade(&crew.world), crew.order, Arc::clone(spawned));
    move |id| {
        let Some(world) = world.upgrade() else { return };
        let child = sys::fork(|| {
            become_child(&world, id, order + id);
            live(&world, id, 0, None);
        });
        match child {
            // Children of children are nobody's to wait for.
            Ok(_) if world::in_child() => {}
            Ok(child) => spawned.lock().unwrap_or_else(PoisonError::into_inner).push(child),
            Err(_) => world.refuse(),
        }
    }
}

fn become_child(world: &World, id: usize, order: usize) {
    burn::forget_parent();
    world::become_child();
    sys::disown_children();
    let (spec, _) = world.identity(id);
    let cpus = world.plan.cpus_of(&world.scenario.specs[spec].attributes);
    world.enter(&cpus, &[spec], order);
}
