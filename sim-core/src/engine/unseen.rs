//! A recorder that is told nothing of tasks nobody has asked for, but for what they take of others.

use std::sync::Arc;

use super::starters::Starting;
use crate::ids::{TaskId, ThreadId};
use crate::time::Time;
use crate::timeline::{
    Access, Block, Cast, Depletion, Fate, Hold, Interval, Job, Leave, Left, Recorder, Request, Signal, Spin, Still,
    Throttle, What,
};

/// Passes on what it is told but for some tasks and their threads, as if the others were numbered without these. Those start the
/// processes of others: their time on processors is passed on as that of whom they start.
pub(super) struct Unseen<'a> {
    inner: &'a mut dyn Recorder,
    tasks: Hidden,
    threads: Hidden,
    starting: Starting,
    /// How many instances there are so far.
    instances: u32,
}

/// Numbers of which nobody is told.
#[derive(Clone, Copy)]
pub(super) struct Hidden {
    /// The first of them.
    pub(super) from: u32,
    /// How many there are.
    pub(super) count: u32,
}

impl Hidden {
    /// The number that is told instead of this one; nobody stays nobody.
    fn told(self, id: u32) -> Option<u32> {
        if id < self.from || id == u32::MAX {
            Some(id)
        } else {
            id.checked_sub(self.count).filter(|told| *told >= self.from)
        }
    }
}

impl<'a> Unseen<'a> {
    pub(super) fn new(inner: &'a mut dyn Recorder, tasks: Hidden, threads: Hidden, starting: Starting) -> Unseen<'a> {
        Unseen { inner, tasks, threads, starting, instances: 0 }
    }

    fn told(&self, id: TaskId) -> Option<TaskId> {
        self.tasks.told(id.0).map(TaskId)
    }
}

/// Passes records on whose task is told.
macro_rules! pass {
    ($($name:ident: $record:ident),*) => {
        $(fn $name(&mut self, record: $record) {
            if let Some(task) = self.told(record.task) {
                self.inner.$name($record { task, ..record });
            }
        })*
    };
}

impl Recorder for Unseen<'_> {
    pass!(block: Block, request: Request, hold: Hold, signal: Signal, access: Access, spin: Spin, job: Job);

    fn guest(&mut self, task: TaskId) {
        self.told(task).into_iter().for_each(|task| self.inner.guest(task));
    }

    fn leave(&mut self, leave: Leave) {
        if let Some(task) = self.told(leave.task) {
            let callee = self.told(leave.callee).unwrap_or(TaskId::NONE);
            self.inner.leave(Leave { task, callee, ..leave });
        }
    }

    fn begin(&mut self, cast: &Arc<Cast>) {
        self.inner.begin(cast);
    }

    fn expect(&mut self, tasks: usize) {
        self.inner.expect(tasks.saturating_sub(self.tasks.count as usize));
    }

    fn wants_more(&mut self, next: Time) -> bool {
        self.inner.wants_more(next)
    }

    fn soon(&self, task: TaskId) {
        if let Some(task) = self.told(task) {
            self.inner.soon(task);
        }
    }

    fn task(&mut self, spec: u32, instance: u32) {
        if self.tasks.told(self.instances).is_some() {
            self.inner.task(spec, instance);
        }
        self.instances += 1;
    }

    fn arrival(&mut self, task: TaskId, at: Time) {
        if let Some(task) = self.told(task) {
            self.inner.arrival(task, at);
        }
    }

    fn interval(&mut self, interval: Interval) {
        let thread = self.threads.told(interval.thread.0).map(ThreadId);
        if let (Some(task), Some(thread)) = (self.told(interval.task), thread) {
            self.inner.interval(Interval { task, thread, ..interval });
        } else if let Some(task) = self.starting.by(interval.task).and_then(|child| self.told(child)) {
            // They have no work of their own.
            if interval.what != What::Run {
                let left = if interval.left == Left::Continues { Left::Yielded } else { interval.left };
                self.inner.interval(Interval { task, thread: ThreadId::NONE, what: What::Start, left, ..interval });
            }
        }
    }

    fn throttle(&mut self, throttle: Throttle) {
        self.inner.throttle(throttle);
    }

    fn still(&mut self, still: Still) {
        self.inner.still(still);
    }

    fn depletion(&mut self, depletion: Depletion) {
        if let Some(task) = self.told(depletion.task) {
            self.inner.depletion(Depletion { task, ..depletion });
        }
    }

    fn finish(&mut self, task: TaskId, at: Time, fate: Fate) {
        if let Some(task) = self.told(task) {
            self.inner.finish(task, at, fate);
        }
    }

    fn end(&mut self, at: Time) {
        self.inner.end(at);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_others_are_numbered_without_them() {
        let hidden = Hidden { from: 3, count: 2 };
        let told: Vec<Option<u32>> = (0..7).map(|id| hidden.told(id)).collect();
        assert_eq!(told, [Some(0), Some(1), Some(2), None, None, Some(3), Some(4)]);
        assert_eq!(hidden.told(TaskId::NONE.0), Some(TaskId::NONE.0), "who abandons nobody does so there, too");
    }
}
