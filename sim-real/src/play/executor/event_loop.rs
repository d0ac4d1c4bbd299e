//! Tokio's runtime on one thread.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;

use super::{Crew, Executor};
use crate::play::burn;
use crate::play::library::Object;
use crate::play::task::run_async;
use crate::play::world::World;
use crate::prepare::start;
use crate::prepare::unmeasurable::Unmeasurable;
use crate::sys;

/// See the module.
pub(super) struct EventLoop;

impl Executor for EventLoop {
    fn name(&self) -> &'static str {
        "async"
    }

    fn rounds_timers(&self) -> bool {
        true
    }

    fn borrows(&self, object: &Object) -> bool {
        object.is_for_tasks()
    }

    fn describe(&self, _: &sim_core::scenario::Executor) -> String {
        "tokio current_thread".into()
    }

    fn run(&self, crew: &Crew) -> Result<(), Unmeasurable> {
        let world = &crew.world;
        let seats = crew.seats(1);
        seats.take(0);
        start::await_phase(world);
        let mut builder = tokio::runtime::Builder::new_current_thread();
        if let Some(polls) = crew.executor().event_interval {
            builder.event_interval(polls);
        }
        let runtime = builder.enable_time().build();
        let runtime = runtime.map_err(|error| Unmeasurable::system("build the tokio runtime", &error))?;
        let (handle, weak) = (runtime.handle().clone(), Arc::downgrade(world));
        crew.ready(move |id| {
            if let Some(world) = weak.upgrade() {
                handle.spawn(run_async(world, id));
            }
        });
        let Some(begin) = world.await_start() else { return Ok(()) };
        rehearse(world, &runtime, begin);
        seats.stay(0);
        sys::sleep_until(start::turn(world, crew.process, begin));
        runtime.block_on(async {
            crew.first().for_each(|id| drop(tokio::spawn(run_async(Arc::clone(world), id))));
            end_of(world).await;
        });
        Ok(())
    }
}

/// Lets a runtime carry some tasks right before the start: what is done for the first time, or for the first time in a while,
/// takes up to a millisecond, since the pages that it needs have to come first.
pub(super) fn rehearse(world: &World, runtime: &tokio::runtime::Runtime, begin: u64) {
    const TASKS: usize = 4;
    /// It takes a fraction of that, unless everything has to come first.
    const AHEAD: u64 = 2_000_000;
    if world.plan.naive_start {
        return;
    }
    sys::sleep_until(begin.saturating_sub(AHEAD));
    runtime.block_on(async {
        let rehearsal = || async {
            burn::settle();
            // As much as a task that is carried keeps.
            std::hint::black_box([0_u8; 2048]);
            tokio::task::yield_now().await;
        };
        let tasks: Vec<_> = (0..TASKS).map(|_| tokio::spawn(rehearsal())).collect();
        for task in tasks {
            let _ = task.await;
        }
    });
}

/// Ends with the run.
pub(super) async fn end_of(world: &World) {
    poll_fn(|context| {
        world.wake_at_end(context.waker().clone());
        if world.is_over() { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}
