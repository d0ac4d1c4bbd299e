//! The threads of a pool that has not always as many, and has not room for all tasks: the same for the simulator and for a real pool.

use std::collections::VecDeque;

use super::{Limits, WhenFull};
use crate::ids::TaskId;
use crate::time::Span;

/// Which threads there are, and who waits outside.
#[derive(Debug)]
pub struct Crew {
    limits: Limits,
    /// By worker: is there such a thread?
    there: Vec<bool>,
    /// Tasks that found no room, in the order of arrival.
    outside: VecDeque<TaskId>,
}

/// What becomes of a task that comes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    /// It queues.
    Queue,
    /// It gets this worker, which is new.
    New(u32),
    /// It waits outside.
    Outside,
    /// Nobody takes it.
    Nowhere,
    /// Whoever has just called for it runs it.
    Caller,
}

impl Crew {
    /// None of the workers is there.
    #[must_use]
    pub fn new(limits: Limits, workers: usize) -> Crew {
        Crew { limits, there: vec![false; workers], outside: VecDeque::new() }
    }

    fn count(&self) -> u32 {
        self.there.iter().map(|there| u32::from(*there)).sum()
    }

    /// Those of the workers that are there.
    pub fn there(&self) -> impl Iterator<Item = u32> {
        (0..).zip(&self.there).filter(|(_, there)| **there).map(|(worker, _)| worker)
    }

    fn has_room(&self, waiting: usize) -> bool {
        self.limits.queue.is_none_or(|limit| waiting < limit as usize)
    }

    /// A task comes while so many wait in the queue, and so many workers are idle. Has somebody just called for it? One that comes by
    /// itself nobody could run.
    pub fn place(&mut self, task: TaskId, (waiting, idle): (usize, usize), has_caller: bool) -> Place {
        let new = self.there.iter().position(|there| !there);
        let is_small = self.count() < self.limits.core;
        let fits = self.outside.is_empty() && (idle > waiting || self.has_room(waiting));
        match new {
            // In a queue that no thread looks into nobody would ever be served: Java makes one then, too.
            Some(worker) if is_small || !fits || self.count() == 0 => {
                self.there[worker] = true;
                Place::New(u32::try_from(worker).unwrap_or(u32::MAX))
            }
            _ if fits => Place::Queue,
            _ => match self.limits.when_full {
                WhenFull::Reject => Place::Nowhere,
                WhenFull::CallerRuns if has_caller => Place::Caller,
                WhenFull::CallerRuns | WhenFull::Block => {
                    self.outside.push_back(task);
                    Place::Outside
                }
            },
        }
    }

    /// So many wait in the queue, from which a worker takes, or has taken, one: is there room for one from outside?
    pub fn let_in(&mut self, waiting: usize, takes: bool) -> Option<TaskId> {
        let fits = self.has_room(waiting) || (takes && waiting == 0);
        if fits { self.outside.pop_front() } else { None }
    }

    /// How long a worker that is idle stays; `None`: for ever.
    #[must_use]
    pub fn stays(&self) -> Option<Span> {
        self.limits.keep_alive.filter(|_| self.count() > self.limits.core)
    }

    /// The worker has been idle for long enough. Does it go away?
    pub fn leaves(&mut self, worker: u32) -> bool {
        let goes = self.count() > self.limits.core;
        if goes {
            self.there[worker as usize] = false;
        }
        goes
    }
}
