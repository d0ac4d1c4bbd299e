//! What executors with a queue per worker have in common: in which order a thief looks for a victim, and queues that
//! overflow.

use std::collections::VecDeque;

use super::Setup;
use crate::document::Table;
use crate::policy::Who;
use crate::rng::Stream;

/// How many tasks the queue of a worker holds, in tokio as in Go.
pub(super) const CAPACITY: usize = 256;

/// Reads `victims`: do thieves begin at a worker drawn at random?
pub(super) fn read_victims(table: &mut Table<'_>) -> bool {
    table.one_of("victims", &["ring", "random"]) == Some(1)
}

/// In which order thieves look for a victim.
#[derive(Debug)]
pub(super) struct Victims {
    workers: usize,
    chance: Option<Box<Stream>>,
}

impl Victims {
    /// From the next worker on, in a ring; or from one drawn at `random` on.
    pub(super) fn new(random: bool, setup: &Setup) -> Victims {
        let chance = random.then(|| Box::new(setup.chance.word("victims").stream()));
        Victims { workers: setup.workers, chance }
    }

    /// The first of the others that has something.
    pub(super) fn of(&mut self, thief: usize, has: impl Fn(usize) -> bool) -> Option<usize> {
        let workers = self.workers;
        let first = match &mut self.chance {
            None => thief + 1,
            Some(chance) => usize::try_from(chance.below(workers as u64)).unwrap_or(0),
        };
        (first..first + workers).map(|worker| worker % workers).find(|worker| *worker != thief && has(*worker))
    }
}

/// The queue of a worker: first in, first out. When it is full, half of it goes to the common queue.
#[derive(Debug, Default)]
pub(super) struct Local {
    tasks: VecDeque<Who>,
}

impl Local {
    pub(super) fn len(&self) -> usize {
        self.tasks.len()
    }

    pub(super) fn push(&mut self, who: Who, common: &mut VecDeque<Who>) {
        if self.tasks.len() < CAPACITY {
            self.tasks.push_back(who);
        } else {
            common.extend(self.tasks.drain(..CAPACITY / 2));
            common.push_back(who);
        }
    }

    pub(super) fn pop(&mut self) -> Option<Who> {
        self.tasks.pop_front()
    }

    /// Takes the one that came last out, if it is this one.
    pub(super) fn take_last(&mut self, who: Who) -> Option<Who> {
        self.tasks.pop_back_if(|last| *last == who)
    }

    /// Takes a share of what waits in the common queue: at most half of what there is room for, and at least one. The
    /// first is for at once.
    pub(super) fn take_batch(&mut self, common: &mut VecDeque<Who>, workers: usize) -> Option<Who> {
        let first = common.pop_front()?;
        let room = (CAPACITY - self.tasks.len()).min(CAPACITY / 2);
        let batch = ((common.len() + 1) / workers + 1).min(room).min(common.len() + 1);
        self.tasks.extend(common.drain(..batch.saturating_sub(1)));
        Some(first)
    }

    /// Moves the older half to a thief, or (`one`) a single task. The last that is moved is for at once.
    pub(super) fn give_to(&mut self, thief: &mut Local, one: bool) -> Option<Who> {
        let share = if one { 1 } else { self.tasks.len().div_ceil(2) };
        thief.tasks.extend(self.tasks.drain(..share.min(self.tasks.len())));
        thief.tasks.pop_back()
    }
}
