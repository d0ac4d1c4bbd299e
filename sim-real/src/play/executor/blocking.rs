//! Tokio's pool for what blocks, beside an executor: a thread is made only when none is idle, up to so many.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::{Crew, Executor};
use crate::play::task::run_blocking;
use crate::prepare::unmeasurable::Unmeasurable;

/// How long an idle thread stays: `KEEP_ALIVE` in tokio's `runtime/blocking/pool.rs`.
const STAY: Duration = Duration::from_secs(10);

/// See the module.
pub(super) struct Blocking;

impl Executor for Blocking {
    fn name(&self) -> &'static str {
        "pool"
    }

    fn describe(&self, executor: &sim_core::scenario::Executor) -> String {
        let threads = if executor.workers == 1 { "thread" } else { "threads" };
        format!("tokio's blocking pool of {} {threads}", executor.workers)
    }

    fn run(&self, crew: &Crew) -> Result<(), Unmeasurable> {
        let world = &crew.world;
        let workers = crew.executor().workers.max(1) as usize;
        let (seats, entered) = (crew.seats(workers), AtomicUsize::new(0));
        // What tokio does by itself, where the file says nothing.
        let stay = crew
            .executor()
            .limits
            .and_then(|limits| limits.keep_alive)
            .map_or(STAY, |stay| Duration::from_nanos(stay.ns()));
        let runtime = tokio::runtime::Builder::new_current_thread()
            .max_blocking_threads(workers)
            .thread_keep_alive(stay)
            .on_thread_start(move || seats.take(entered.fetch_add(1, Ordering::Relaxed)))
            .build()
            .map_err(|error| Unmeasurable::system("build the tokio runtime", &error))?;
        let (handle, weak) = (runtime.handle().clone(), Arc::downgrade(world));
        crew.ready(move |id| {
            if let Some(world) = weak.upgrade() {
                handle.spawn_blocking(move || run_blocking(&world, id, None));
            }
        });
        if world.await_start().is_some() {
            world.await_end();
        }
        // Waits for its threads.
        drop(runtime);
        Ok(())
    }
}
