//! Tokio's runtime on several threads, each with a queue; who has nothing to do steals.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::thread;

use super::event_loop::{end_of, rehearse};
use super::{Crew, Executor};
use crate::play::library::Object;
use crate::play::task::run_async;
use crate::prepare::start;
use crate::prepare::unmeasurable::Unmeasurable;
use crate::sys;

/// See the module.
pub(super) struct WorkStealing;

impl Executor for WorkStealing {
    fn name(&self) -> &'static str {
        "work-stealing"
    }

    fn rounds_timers(&self) -> bool {
        true
    }

    fn borrows(&self, object: &Object) -> bool {
        object.is_for_tasks()
    }

    fn describe(&self, executor: &sim_core::scenario::Executor) -> String {
        let workers = if executor.workers == 1 { "worker" } else { "workers" };
        format!("tokio multi_thread with {} {workers}", executor.workers)
    }

    fn run(&self, crew: &Crew) -> Result<(), Unmeasurable> {
        let world = &crew.world;
        let workers = crew.executor().workers.max(1) as usize;
        can_start(workers)?;
        let entered = AtomicUsize::new(0);
        let (ready, is_ready) = flume::unbounded();
        let seats = crew.seats(workers);
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        if let Some(polls) = crew.executor().event_interval {
            builder.event_interval(polls);
        }
        // Without being told, tokio adjusts this to how long polls take.
        if let Some(polls) = crew.executor().global_interval {
            builder.global_queue_interval(polls);
        }
        start::await_phase(world);
        let runtime = builder
            .worker_threads(workers)
            .enable_time()
            .on_thread_start(move || {
                seats.take(entered.fetch_add(1, Ordering::Relaxed));
                let _ = ready.send(());
            })
            .build()
            .map_err(|error| Unmeasurable::system("build the tokio runtime", &error))?;
        (0..workers).for_each(|_| _ = is_ready.recv());
        let (handle, weak) = (runtime.handle().clone(), Arc::downgrade(world));
        crew.ready(move |id| {
            if let Some(world) = weak.upgrade() {
                handle.spawn(run_async(world, id));
            }
        });
        let Some(start) = world.await_start() else { return Ok(()) };
        rehearse(world, &runtime, start);
        sys::sleep_until(start::turn(world, crew.process, start));
        runtime.block_on(async {
            crew.first().for_each(|id| drop(tokio::spawn(run_async(Arc::clone(world), id))));
            end_of(world).await;
        });
        Ok(())
    }
}

/// Fails if so many threads cannot be had: tokio panics then. Tried with twice as many, because those that have just
/// ended may still count when tokio starts its own.
fn can_start(threads: usize) -> Result<(), Unmeasurable> {
    let gate = RwLock::new(());
    thread::scope(|scope| {
        let closed = gate.write().unwrap_or_else(PoisonError::into_inner);
        let pass = || drop(gate.read());
        let started = (0..2 * threads).try_for_each(|_| thread::Builder::new().spawn_scoped(scope, pass).map(drop));
        drop(closed);
        started.map_err(|error| Unmeasurable::system("start a thread", &error))
    })
}
