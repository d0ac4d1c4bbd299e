//! Operations that are given up.
//!
//! The rules: the time of an operation is up last of all in its instant, also after devices have chosen; of several, the one that
//! began first gives up, and everything that comes of it comes before the next. Who is ready to ask again asks once more.

use super::World;
use super::sync::Asks;
use crate::naive::case::{Object, Op, SyncOp};

/// Until when a task waits, and when that began, counted through all.
#[derive(Clone, Copy)]
pub(super) struct Limit {
    until: u64,
    began: u64,
}

impl World<'_> {
    pub(super) fn begins(&mut self, task: usize, ticks: u64) {
        self.limits[task] = Some(Limit { until: self.now + ticks, began: self.stamp() });
    }

    /// Does the task do without, rather than wait?
    pub(super) fn is_over(&self, task: usize) -> bool {
        self.limits[task].is_some_and(|limit| limit.until <= self.now)
    }

    pub(super) fn ends_program(&mut self, task: usize) {
        self.progress[task].next_op = self.program(task).len();
        self.turns[task].clear();
    }

    /// The task goes on without what it wanted to do to an object.
    pub(super) fn goes_without(&mut self, task: usize, op: SyncOp) {
        if Op::Sync(op).is_needed() {
            self.ends_program(task);
        }
    }

    pub(super) fn somebody_will_give_up(&self) -> bool {
        (0..self.limits.len()).any(|task| self.limits[task].is_some() && self.waits(task))
    }

    fn waits(&self, task: usize) -> bool {
        self.locks.iter().any(|lock| lock.waiters.contains(&task))
            || self.objects.iter().any(|object| object.waiters.iter().any(|(other, _)| *other == task))
            || self.devices.iter().any(|device| device.asks(task))
            || self.pending.iter().any(|pending| pending.task == task)
    }

    /// Of those whose time is up, the one that began first gives up. Does one?
    pub(super) fn first_gives_up(&mut self) -> bool {
        let over = (0..self.limits.len()).filter(|task| self.is_over(*task) && self.waits(*task));
        let Some(task) = over.min_by_key(|task| self.limits[*task].map(|limit| limit.began)) else { return false };
        self.limits[task] = None;
        self.leaves_devices(task);
        if let Some(lock) = self.locks.iter().position(|lock| lock.waiters.contains(&task)) {
            self.locks[lock].waiters.retain(|other| *other != task);
            self.asks[task] = Asks::default();
            self.ends_program(task);
            if self.spins[task] {
                self.stops_spinning(task);
            } else {
                self.served(task);
            }
            return true;
        }
        let here = |waiters: &Vec<(usize, SyncOp)>| waiters.iter().position(|(other, _)| *other == task);
        let found = (0..self.objects.len()).find_map(|at| Some((at, here(&self.objects[at].waiters)?)));
        if let Some((object, place)) = found {
            let (_, op) = self.objects[object].waiters.remove(place);
            if let SyncOp::Wait(_, lock) = op {
                self.takes_lock_back(task, lock);
                return true;
            }
            self.asks[task] = Asks::default();
            self.goes_without(task, op);
            self.served(task);
            if matches!(self.case.syncs.objects[object], Object::RwLock(_) | Object::Semaphore(_)) {
                self.becomes_free(object, usize::MAX);
            }
            return true;
        }
        self.served(task);
        true
    }

    /// It goes on where it is, with nothing ahead of it that it knows.
    fn stops_spinning(&mut self, task: usize) {
        self.spins[task] = false;
        self.progress[task].cpu_left = 0;
        if self.ready.contains(&self.thread_of[task]) {
            self.expects(self.thread_of[task]);
            self.newcomers.push(self.thread_of[task]);
        }
    }
}
