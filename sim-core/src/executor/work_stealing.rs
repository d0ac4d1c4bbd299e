//! Async tasks on several workers with a queue each; a worker that runs out of work steals from the others.
//!
//! Rule: a task that arrives from outside goes to a common queue; one that is spawned, yields or wakes goes to the tail
//! of the queue of the worker it was spawned by or ran on last. A worker takes the head of its own queue, else the head
//! of the common one, else it steals the older half of the queue of the next worker that has any (Blumofe & Leiserson
//! 1999 steal one from a random victim; halves and a fixed order keep this one deterministic without drawing). Cost:
//! constant per operation, linear in the number of workers when a thief looks for a victim.

use std::collections::VecDeque;

use super::{Kind, Threads};
use crate::policy::{Policy, Slice, Slot, Turn, View, Who, Why};

/// The entry on the shelf.
pub(super) static KIND: Kind = Kind {
    name: "work-stealing",
    summary: "async tasks on a fixed number of threads, a queue for each; idle workers steal",
    threads: Threads::Workers,
    keeps_thread: false,
    takes_workers: true,
    takes_gil: false,
    queue: |executor| {
        Box::new(Queues {
            common: VecDeque::new(),
            own: (0..executor.workers).map(|_| VecDeque::new()).collect(),
            last: Vec::new(),
            waiting: 0,
        })
    },
};

struct Queues {
    common: VecDeque<Who>,
    own: Vec<VecDeque<Who>>,
    /// The worker each task ran on last; `u32::MAX` for one that has not run.
    last: Vec<u32>,
    waiting: usize,
}

impl Queues {
    fn steal(&mut self, thief: usize) -> Option<Who> {
        let workers = self.own.len();
        let victim = (1..workers).map(|step| (thief + step) % workers).find(|victim| !self.own[*victim].is_empty())?;
        let half = self.own[victim].len().div_ceil(2);
        let mut stolen: VecDeque<Who> = self.own[victim].drain(..half).collect();
        let first = stolen.pop_front();
        self.own[thief].append(&mut stolen);
        first
    }
}

impl Policy for Queues {
    fn ready(&mut self, who: Who, why: Why, _: &View<'_>) {
        self.waiting += 1;
        let worker = match why {
            Why::Arrived => u32::MAX,
            Why::Spawned(slot) | Why::Yielded(slot) | Why::Expired(slot) | Why::Preempted(slot) => slot.0,
            Why::Woken => self.last.get(who.0 as usize).copied().unwrap_or(u32::MAX),
        };
        self.own.get_mut(worker as usize).unwrap_or(&mut self.common).push_back(who);
    }

    fn pick(&mut self, slot: Slot, _: &View<'_>) -> Option<Turn> {
        let worker = slot.0 as usize;
        let who = self.own[worker].pop_front().or_else(|| self.common.pop_front()).or_else(|| self.steal(worker))?;
        self.waiting -= 1;
        if self.last.len() <= who.0 as usize {
            self.last.resize(who.0 as usize + 1, u32::MAX);
        }
        self.last[who.0 as usize] = slot.0;
        Some(Turn { who, slice: Slice::Endless })
    }

    fn waiting(&self) -> usize {
        self.waiting
    }
}
