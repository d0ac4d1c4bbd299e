//! Locks and whatever else tasks synchronise with.
//!
//! The rules: what becomes free goes to the most urgent of those who wait, the first among equals, at that instant. Who
//! holds an inheriting lock is as urgent as anybody who waits for it, who in turn may be as urgent as somebody else; a
//! ceiling makes it as urgent as anybody who uses the lock, with a deadline counted from when it got it. Nothing of that
//! is remembered: it is looked up whenever it matters. One who is ready and becomes more or less urgent keeps its place
//! among equals. Who spins is handed the lock like anybody else, and goes on in the next round of the instant; in this
//! one, if it would have stopped spinning now in any case.

use super::World;
use crate::naive::case::{Object, Op, Policy, Prefer, Protocol, SyncOp};

#[derive(Default)]
pub(super) struct Lock {
    holder: Option<usize>,
    since: u64,
    waiters: Vec<usize>,
}

#[derive(Default)]
pub(super) struct Shared {
    readers: Vec<usize>,
    writer: Option<usize>,
    /// Permits, messages.
    level: u64,
    waiters: Vec<(usize, SyncOp)>,
}

impl Shared {
    pub(super) fn new(object: &Object) -> Shared {
        Shared { level: if let Object::Semaphore(permits) = object { *permits } else { 0 }, ..Shared::default() }
    }
}

impl World<'_> {
    /// How urgent a task is, smaller is more: as it is, or as somebody that lends it urgency.
    pub(super) fn urgency(&self, task: usize) -> (i64, usize) {
        self.urgency_without(task, &mut Vec::new())
    }

    fn urgency_without(&self, task: usize, known: &mut Vec<usize>) -> (i64, usize) {
        let mut most = self.own_urgency(task, None);
        if known.contains(&task) {
            return most;
        }
        known.push(task);
        for (number, lock) in self.locks.iter().enumerate().filter(|(_, lock)| lock.holder == Some(task)) {
            match self.case.syncs.protocol {
                Protocol::None => {}
                Protocol::Inherit => {
                    for waiter in &lock.waiters {
                        most = most.min(self.urgency_without(*waiter, known));
                    }
                }
                Protocol::Ceiling => {
                    for user in 0..self.progress.len() {
                        let uses = |op: &Op| match op {
                            Op::Lock(other) | Op::Sync(SyncOp::Wait(_, other)) => *other == number,
                            _ => false,
                        };
                        if self.program(user).iter().any(uses) {
                            most = most.min(self.own_urgency(user, Some(lock.since)));
                        }
                    }
                }
            }
        }
        known.pop();
        most
    }

    /// Or, if its job were released then.
    fn own_urgency(&self, task: usize, released: Option<u64>) -> (i64, usize) {
        let by = |ticks: u64| i64::try_from(ticks).expect("short");
        let job = self.releases[task][self.job[task]];
        match (self.case.policy, self.task(task).periodic) {
            (Policy::Edf { .. }, Some(periodic)) => (by(released.unwrap_or(job) + periodic.deadline), 0),
            (Policy::RateMonotonic { .. }, Some(periodic)) => (by(periodic.period), task),
            (Policy::DeadlineMonotonic { .. }, Some(periodic)) => (by(periodic.deadline), task),
            (Policy::Edf { .. } | Policy::RateMonotonic { .. } | Policy::DeadlineMonotonic { .. }, None) => {
                (i64::MAX, 0)
            }
            _ => (self.rank_of_task(task), 0),
        }
    }

    /// Of those who wait, the place of the most urgent, the first among equals.
    fn most_urgent(&self, waiters: &[usize]) -> Option<usize> {
        (0..waiters.len()).min_by_key(|place| (self.urgency(waiters[*place]).0, *place))
    }

    /// Executes an operation on a lock or another object. Who must wait is put aside.
    pub(super) fn synchronise(&mut self, cpu: usize, thread: usize, task: usize, op: Op) {
        let goes_on = match op {
            Op::Lock(lock) => self.lock(task, lock),
            Op::Unlock(lock) => self.unlock(lock),
            Op::Sync(op) => self.use_object(task, op),
            _ => unreachable!("not an operation of this kind"),
        };
        if !goes_on {
            self.block(cpu, thread);
        }
    }

    fn lock(&mut self, task: usize, lock: usize) -> bool {
        if self.locks[lock].holder.is_none() {
            self.has(task, lock);
            return true;
        }
        self.locks[lock].waiters.push(task);
        if self.case.syncs.spin > 0 {
            self.spins[task] = true;
            self.progress[task].cpu_left = self.case.syncs.spin;
        }
        self.spins[task]
    }

    fn has(&mut self, task: usize, lock: usize) {
        self.locks[lock].holder = Some(task);
        self.locks[lock].since = self.now;
    }

    fn unlock(&mut self, lock: usize) -> bool {
        self.locks[lock].holder = None;
        if let Some(place) = self.most_urgent(&self.locks[lock].waiters) {
            let next = self.locks[lock].waiters.remove(place);
            self.has(next, lock);
            if std::mem::take(&mut self.spins[next]) {
                if self.ready.contains(&self.thread_of[next]) {
                    self.newcomers.push(self.thread_of[next]);
                }
                if std::mem::take(&mut self.progress[next].cpu_left) > 0 {
                    self.freed.push(next);
                }
            } else {
                self.served(next);
            }
        }
        true
    }

    fn use_object(&mut self, task: usize, op: SyncOp) -> bool {
        match op {
            SyncOp::Leave(object) => {
                let state = &mut self.objects[object];
                match state.readers.iter().position(|reader| *reader == task) {
                    Some(place) => drop(state.readers.remove(place)),
                    None => state.writer = None,
                }
                self.let_in(object, task)
            }
            SyncOp::Release(object, count) => {
                self.objects[object].level += count;
                self.let_in(object, task)
            }
            SyncOp::Wait(object, lock) => {
                self.objects[object].waiters.push((task, op));
                self.unlock(lock);
                false
            }
            SyncOp::Notify(object) => {
                self.notify(object);
                true
            }
            SyncOp::NotifyAll(object) => {
                while self.notify(object) {}
                true
            }
            SyncOp::Arrive(object) => {
                let Object::Barrier(parties) = self.case.syncs.objects[object] else { unreachable!("a barrier") };
                if self.objects[object].waiters.len() + 1 < parties {
                    self.objects[object].waiters.push((task, op));
                    return false;
                }
                for (other, _) in std::mem::take(&mut self.objects[object].waiters) {
                    self.served(other);
                }
                true
            }
            SyncOp::Read(object)
            | SyncOp::Write(object)
            | SyncOp::Acquire(object, _)
            | SyncOp::Send(object)
            | SyncOp::Receive(object) => {
                self.objects[object].waiters.push((task, op));
                self.let_in(object, task)
            }
        }
    }

    /// Lets in whoever can be. Is the one who does this not waiting itself?
    fn let_in(&mut self, object: usize, doer: usize) -> bool {
        while let Some(place) = self.next_in(object) {
            let (task, op) = self.objects[object].waiters.remove(place);
            let state = &mut self.objects[object];
            match op {
                SyncOp::Read(_) => state.readers.push(task),
                SyncOp::Write(_) => state.writer = Some(task),
                SyncOp::Acquire(_, count) => state.level -= count,
                SyncOp::Send(_) => state.level += 1,
                _ => state.level -= 1,
            }
            if task != doer {
                self.served(task);
            }
        }
        self.objects[object].waiters.iter().all(|(task, _)| *task != doer)
    }

    /// The place of whoever can be let in next.
    fn next_in(&self, object: usize) -> Option<usize> {
        let state = &self.objects[object];
        let (free, alone) = (state.writer.is_none(), state.readers.is_empty());
        let wants = |wanted: fn(&SyncOp) -> bool| {
            let places = (0..state.waiters.len()).filter(|place| wanted(&state.waiters[*place].1));
            places.min_by_key(|place| (self.urgency(state.waiters[*place].0).0, *place))
        };
        match self.case.syncs.objects[object] {
            Object::RwLock(prefer) => {
                let (reader, writer) =
                    (wants(|op| matches!(op, SyncOp::Read(_))), wants(|op| matches!(op, SyncOp::Write(_))));
                let next = match prefer {
                    Prefer::Fifo => wants(|_| true),
                    Prefer::Readers => reader.or(writer),
                    Prefer::Writers => writer.or(reader),
                }?;
                (free && (alone || matches!(state.waiters[next].1, SyncOp::Read(_)))).then_some(next)
            }
            Object::Semaphore(_) => {
                let next = wants(|_| true)?;
                matches!(state.waiters[next].1, SyncOp::Acquire(_, count) if count <= state.level).then_some(next)
            }
            Object::Channel(capacity) => {
                let (sender, receiver) =
                    (wants(|op| matches!(op, SyncOp::Send(_))), wants(|op| matches!(op, SyncOp::Receive(_))));
                let full = state.level >= capacity as u64;
                match (sender, receiver) {
                    (_, Some(receiver)) if state.level > 0 => Some(receiver),
                    (Some(sender), Some(_)) => Some(sender),
                    (Some(sender), None) if !full => Some(sender),
                    _ => None,
                }
            }
            Object::Condvar | Object::Barrier(_) => None,
        }
    }

    /// The most urgent of those who wait has the lock, or waits for it. Was there one?
    fn notify(&mut self, object: usize) -> bool {
        let waiters: Vec<usize> = self.objects[object].waiters.iter().map(|(task, _)| *task).collect();
        let Some(place) = self.most_urgent(&waiters) else { return false };
        let (task, op) = self.objects[object].waiters.remove(place);
        let SyncOp::Wait(_, lock) = op else { unreachable!("nobody else waits there") };
        if self.locks[lock].holder.is_none() {
            self.has(task, lock);
            self.served(task);
        } else {
            self.locks[lock].waiters.push(task);
        }
        true
    }

    /// Who has spun for as long as it may blocks.
    pub(super) fn spin_ends(&mut self, cpu: usize, thread: usize, task: usize) {
        self.spins[task] = false;
        self.block(cpu, thread);
    }
}
