//! Who is let into a pool: a list of workers and two queues, counted anew each time.
//!
//! The rules: a task that comes finds fewer workers than the core, or none, and gets a new one, which has the lowest number that is
//! free; else it goes to the idle worker with the lowest number; else it queues, if there is room; else it gets a new worker; else it is
//! rejected, or waits outside. A worker that ends a task takes the next of the queue, or of those outside, and others come in. One that finds
//! nothing while there are more than the core leaves when it has been idle for long enough, if there still are. It does so
//! after all that comes at that instant.

use std::collections::VecDeque;

use super::World;
use crate::naive::case::{Executor, Room};

/// The workers of a process, and who waits for them.
#[derive(Default)]
pub(super) struct Pool {
    workers: Vec<Option<Worker>>,
    queue: VecDeque<usize>,
    outside: VecDeque<usize>,
}

#[derive(Clone, Copy, PartialEq)]
enum Worker {
    Busy {
        task: usize,
    },
    /// When it leaves, if it does, and the number of when it began to be idle.
    Idle {
        leaves: Option<u64>,
        began: u64,
    },
}

impl Pool {
    fn size(&self) -> usize {
        self.workers.iter().flatten().count()
    }

    /// A worker more, with the lowest number that nobody has.
    fn grows(&mut self, task: usize) {
        let place = self.workers.iter().position(Option::is_none).unwrap_or(self.workers.len());
        self.workers.resize(self.workers.len().max(place + 1), None);
        self.workers[place] = Some(Worker::Busy { task });
    }

    /// The place of an idle worker: that with the lowest number.
    fn idle(&self) -> Option<usize> {
        self.workers.iter().position(|worker| matches!(worker, Some(Worker::Idle { .. })))
    }

    /// Of the workers whose time is up, the one that has been idle longest.
    fn overdue(&self, now: u64) -> Option<usize> {
        let since = |worker: &Option<Worker>| match worker {
            Some(Worker::Idle { leaves: Some(leaves), began }) if *leaves <= now => Some(*began),
            _ => None,
        };
        let overdue = (0..self.workers.len()).filter_map(|place| Some((since(&self.workers[place])?, place)));
        overdue.min().map(|(_, place)| place)
    }
}

impl World<'_> {
    /// For how many workers and tasks there is room; `None`: each task has a thread, or they share one.
    fn room(&self, process: usize) -> Option<Room> {
        match self.case.processes[process].executor {
            Executor::Threads | Executor::Async => None,
            Executor::Sequential => Some(Room::of(1)),
            Executor::Pool(room) => Some(room),
        }
    }

    /// A task has come to its process.
    pub(super) fn comes_to_process(&mut self, task: usize) {
        let process = self.process(task);
        let Some(room) = self.room(process) else { return self.wake(task) };
        let pool = &mut self.pools[process];
        let size = pool.size();
        if size < room.core || size == 0 {
            pool.grows(task);
        } else if let Some(idle) = pool.idle() {
            pool.workers[idle] = Some(Worker::Busy { task });
        } else if room.queue.is_none_or(|queue| pool.queue.len() < queue) {
            return pool.queue.push_back(task);
        } else if size < room.maximum {
            pool.grows(task);
        } else if room.rejects {
            self.history.finishes[task] = Some(self.now);
            return;
        } else {
            return pool.outside.push_back(task);
        }
        self.wake(task);
    }

    /// A task has ended: its worker looks for another.
    pub(super) fn leaves_process(&mut self, task: usize) {
        let process = self.process(task);
        let Some(room) = self.room(process) else { return };
        let (began, now) = (self.stamp(), self.now);
        let pool = &mut self.pools[process];
        let worker = pool.workers.iter().position(|worker| *worker == Some(Worker::Busy { task }));
        let worker = worker.expect("whoever ends had a worker");
        let next = pool.queue.pop_front().or_else(|| pool.outside.pop_front());
        while room.queue.is_none_or(|queue| pool.queue.len() < queue)
            && let Some(task) = pool.outside.pop_front()
        {
            pool.queue.push_back(task);
        }
        if let Some(task) = next {
            pool.workers[worker] = Some(Worker::Busy { task });
            return self.wake(task);
        }
        let leaves = room.keep_alive.filter(|_| pool.size() > room.core).map(|keep| now + keep);
        pool.workers[worker] = Some(Worker::Idle { leaves, began });
    }

    /// Workers that have been idle for long enough.
    pub(super) fn workers_leave(&mut self) {
        for process in 0..self.pools.len() {
            let Some(room) = self.room(process) else { continue };
            let pool = &mut self.pools[process];
            while let Some(place) = pool.overdue(self.now) {
                let stays = Worker::Idle { leaves: None, began: 0 };
                pool.workers[place] = (pool.size() <= room.core).then_some(stays);
            }
        }
    }
}
