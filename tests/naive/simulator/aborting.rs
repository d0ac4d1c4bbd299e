//! Jobs that end at their deadlines.
//!
//! The rules: after the bursts of an instant, and before what arrives at it, all jobs end whose deadline it is; those whose service or
//! sleep ends at this very instant only after that, if they have not ended by themselves. Whoever is on a processor leaves it,
//! whoever is ready or waits in a queue is there no more, and what it holds is unlocked, what it got last first.

use super::World;
use super::sync::Asks;
use crate::naive::case::Op;

impl World<'_> {
    fn is_late(&self, task: usize) -> bool {
        let aborts = self.task(task).periodic.is_some_and(|periodic| periodic.aborts);
        let is_at_job = self.release[task].is_none() && self.history.finishes[task].is_none();
        aborts && is_at_job && self.deadline(task).is_some_and(|at| u64::try_from(at).is_ok_and(|at| at <= self.now))
    }

    /// Step 3, with the deadlines of the instant.
    pub(super) fn what_comes(&mut self) -> bool {
        let mut something = self.aborts(false);
        something |= self.arrivals();
        something |= self.completions();
        self.workers_leave();
        let late = self.aborts(true);
        something | late | (late && self.arrivals())
    }

    pub(super) fn somebody_will_be_aborted(&self) -> bool {
        (0..self.release.len()).any(|task| {
            let aborts = self.task(task).periodic.is_some_and(|periodic| periodic.aborts);
            aborts && self.release[task].is_none() && self.history.finishes[task].is_none()
        })
    }

    /// Ends all jobs that are late; or, if not `all`, those that get nothing now. Is there one?
    fn aborts(&mut self, all: bool) -> bool {
        let mut any = false;
        for task in 0..self.release.len() {
            let gets = self.pending.iter().any(|pending| pending.task == task && pending.due <= self.now);
            while self.is_late(task) && (all || !gets) {
                self.abort(task);
                any = true;
            }
        }
        any
    }

    fn abort(&mut self, task: usize) {
        let thread = self.thread_of[task];
        self.leaves_devices(task);
        for lock in 0..self.locks.len() {
            self.locks[lock].waiters.retain(|other| *other != task);
        }
        let asked = std::mem::take(&mut self.asks[task]).since.is_some();
        self.asks[task] = Asks::default();
        self.limits[task] = None;
        self.spins[task] = false;
        self.progress[task].cpu_left = 0;
        let mut held: Vec<usize> =
            (0..self.locks.len()).filter(|lock| self.locks[*lock].holder == Some(task)).collect();
        held.sort_by_key(|lock| (self.locks[*lock].since, *lock));
        let cpu = self.processors.iter().position(|processor| processor.thread == Some(thread));
        let is_ready = self.ready.contains(&thread);
        if asked && is_ready {
            self.somebody_else_asks(task);
        }
        for lock in held.into_iter().rev() {
            self.unlock(lock);
        }
        let waits = self.releases[task].get(self.job[task] + 1).is_some_and(|release| *release < self.now);
        self.newcomers.retain(|other| *other != thread);
        match cpu {
            Some(cpu) if waits => {
                self.next_job(task);
                return self.yields(cpu, thread);
            }
            Some(cpu) => self.block(cpu, thread),
            None if is_ready => {
                self.ready.retain(|other| *other != thread);
                self.expired.retain(|(_, other)| *other != thread);
                self.threads[thread].blocked = true;
                self.leaves(thread);
            }
            None => {}
        }
        self.finished(task);
    }

    /// The task, which was to ask for a lock again, will not: if that is free, who is next is told so.
    fn somebody_else_asks(&mut self, task: usize) {
        if let Some(Op::Lock(lock)) = self.program(task).get(self.progress[task].next_op).copied()
            && self.locks[lock].holder.is_none()
        {
            self.unlock(lock);
        }
    }
}
