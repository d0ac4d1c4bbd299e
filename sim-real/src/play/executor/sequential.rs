//! One thread that runs one task after the other, in the order in which they may start.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use super::{Crew, Executor};
use crate::play::task::run_blocking;
use crate::prepare::start;
use crate::prepare::unmeasurable::Unmeasurable;
use crate::sys;

/// See the module.
pub(super) struct Sequential;

impl Executor for Sequential {
    fn name(&self) -> &'static str {
        "sequential"
    }

    fn describe(&self, _: &sim_core::scenario::Executor) -> String {
        "one std thread".into()
    }

    fn run(&self, crew: &Crew) -> Result<(), Unmeasurable> {
        let world = &crew.world;
        crew.seats(1).take(0);
        let queue = Arc::new(Queue { tasks: Mutex::new(crew.first().collect()), arrived: Condvar::new() });
        let ours = Arc::clone(&queue);
        crew.ready(move |id| ours.push(id));
        let Some(start) = world.await_start() else { return Ok(()) };
        sys::sleep_until(start::turn(world, crew.process, start));
        while let Some(id) = queue.pop(|| world.is_over()) {
            run_blocking(world, id, None);
        }
        Ok(())
    }
}

struct Queue {
    tasks: Mutex<VecDeque<usize>>,
    arrived: Condvar,
}

impl Queue {
    fn push(&self, id: usize) {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner).push_back(id);
        self.arrived.notify_one();
    }

    /// The next task; waits for one to arrive. `None` when the run is over.
    fn pop(&self, is_over: impl Fn() -> bool) -> Option<usize> {
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        while !is_over() {
            if let Some(id) = tasks.pop_front() {
                return Some(id);
            }
            let patience = Duration::from_millis(20);
            tasks = self.arrived.wait_timeout(tasks, patience).unwrap_or_else(PoisonError::into_inner).0;
        }
        None
    }
}
