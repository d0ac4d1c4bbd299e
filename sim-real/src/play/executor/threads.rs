//! A std thread for each task, made before the start; spawned tasks get theirs when they are spawned.

use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use super::{Crew, Executor, live};
use crate::play::gil::Gil;
use crate::play::world::World;
use crate::prepare::start;
use crate::prepare::unmeasurable::Unmeasurable;
use crate::sys;

/// Programs need little: no task calls deep.
const STACK: usize = 128 * 1024;

/// See the module.
pub(super) struct Threads;

impl Executor for Threads {
    fn name(&self) -> &'static str {
        "threads"
    }

    fn describe(&self, executor: &sim_core::scenario::Executor) -> String {
        match executor.gil {
            None => "a std thread per task".into(),
            Some(interval) => format!("a std thread per task, interpreter lock {interval}"),
        }
    }

    fn has_thread_per_task(&self) -> bool {
        true
    }

    fn run(&self, crew: &Crew) -> Result<(), Unmeasurable> {
        let gil = crew.gil();
        let mut starts = Vec::new();
        let mut threads = Vec::new();
        for (index, id) in crew.tasks.iter().enumerate() {
            let (begin, started) = flume::unbounded();
            let (ready, is_ready) = flume::unbounded();
            let (world, gil, id, order) = (Arc::clone(&crew.world), gil.clone(), *id, crew.order + index);
            let thread = spawn(move || {
                let cpus = enter(&world, id, order);
                let _ = ready.send(());
                if let Ok((begin, arrival)) = started.recv() {
                    start::settle(&world, begin, order, &cpus);
                    live(&world, id, arrival, gil.as_deref());
                }
            })?;
            // One after the other: each settles while the others sleep.
            let _ = is_ready.recv();
            starts.push(begin);
            threads.push(thread);
        }
        let spawned = Arc::new(Mutex::new(Vec::new()));
        crew.ready(starter(crew, gil, &spawned));
        if let Some(begin) = crew.world.await_start() {
            let times = start::wake_times(&crew.world, crew.process, &crew.tasks, begin);
            for (thread, at) in starts.iter().zip(times) {
                let _ = thread.send((begin, at));
            }
            crew.world.await_end();
        }
        drop(starts);
        let spawned = std::mem::take(&mut *spawned.lock().unwrap_or_else(PoisonError::into_inner));
        threads
            .into_iter()
            .chain(spawned)
            .try_for_each(|thread| thread.join().map_err(|_| Unmeasurable::failed("a task panicked")))
    }
}

/// Starts a thread for an instance that another spawned.
fn starter(
    crew: &Crew,
    gil: Option<Arc<Gil>>,
    spawned: &Arc<Mutex<Vec<JoinHandle<()>>>>,
) -> impl Fn(usize) + Send + Sync + 'static {
    let (world, order, spawned) = (Arc::downgrade(&crew.world), crew.order, Arc::clone(spawned));
    move |id| {
        let Some(world) = world.upgrade() else { return };
        let (here, gil) = (Arc::clone(&world), gil.clone());
        let thread = spawn(move || {
            let _ = enter(&here, id, order + id);
            live(&here, id, 0, gil.as_deref());
        });
        match thread {
            Ok(thread) => spawned.lock().unwrap_or_else(PoisonError::into_inner).push(thread),
            Err(_) => world.refuse(),
        }
    }
}

/// Makes the calling thread that of an instance. Which processors may it use?
fn enter(world: &World, id: usize, order: usize) -> Vec<u32> {
    sys::set_thread_name(&world.thread_name(id));
    let (spec, _) = world.identity(id);
    let cpus = world.plan.cpus_of(&world.scenario.specs[spec].attributes);
    world.enter(&cpus, &[spec], order);
    cpus
}

/// Starts a thread for tasks.
pub(super) fn spawn(body: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, Unmeasurable> {
    let thread = thread::Builder::new().name("task".into()).stack_size(STACK).spawn(body);
    thread.map_err(|error| Unmeasurable::system("start a thread", &error))
}
