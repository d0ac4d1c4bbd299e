//! Locks and whatever else tasks synchronise with.
//!
//! The rules: what becomes free goes to the most urgent of those who wait, the first among equals, at that instant; unless the
//! world says that the first or the last is next, or that who is next only asks again. Who
//! holds an inheriting lock is as urgent as anybody who waits for it, who in turn may be as urgent as somebody else; a
//! ceiling makes it as urgent as anybody who uses the lock, with a deadline counted from when it got it. Under the original
//! ceiling protocol, who is no more urgent than the ceiling of a lock that another holds waits for that one, be the lock
//! free that it wants. Who is not to be preempted is as urgent as anybody at all. Nothing of that
//! is remembered: it is looked up whenever it matters. One who is ready and becomes more or less urgent keeps its place
//! among equals. Who spins is handed the lock like anybody else, and goes on in the next round of the instant; in this
//! one, if it would have stopped spinning now in any case.

mod ceilings;

use super::World;
use crate::naive::case::{Barging, Object, Op, Order, Policy, Prefer, Protocol, SyncOp};

#[derive(Default)]
pub(super) struct Lock {
    pub(super) holder: Option<usize>,
    pub(super) since: u64,
    pub(super) waiters: Vec<usize>,
}

/// A task that asks for something, be it again.
#[derive(Clone, Copy, Default)]
pub(super) struct Asks {
    pub(super) since: Option<u64>,
    yielded: u64,
    noticed: bool,
}

/// What comes of asking.
#[derive(PartialEq)]
enum Comes {
    GoesOn,
    Waits,
    Yields,
}

fn goes_on(does: bool) -> Comes {
    if does { Comes::GoesOn } else { Comes::Waits }
}

#[derive(Default)]
pub(super) struct Shared {
    readers: Vec<usize>,
    writer: Option<usize>,
    /// Permits, messages.
    level: u64,
    pub(super) waiters: Vec<(usize, SyncOp)>,
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
        for waiter in self.held_back_by(task) {
            most = most.min(self.urgency_without(waiter, known));
        }
        for (number, lock) in self.locks.iter().enumerate().filter(|(_, lock)| lock.holder == Some(task)) {
            match self.case.syncs.protocol {
                Protocol::None => {}
                Protocol::NonPreemptive => most = most.min(self.nobody_is_above()),
                Protocol::Inherit | Protocol::OriginalCeiling => {
                    for waiter in &lock.waiters {
                        most = most.min(self.urgency_without(*waiter, known));
                    }
                }
                Protocol::Ceiling => {
                    for user in self.users(number) {
                        most = most.min(self.own_urgency(user, Some(lock.since)));
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

    /// Of those who wait, the place of who is next.
    fn next_of(&self, waiters: &[usize]) -> Option<usize> {
        match self.case.syncs.order {
            Order::Urgent => (0..waiters.len()).min_by_key(|place| (self.urgency(waiters[*place]).0, *place)),
            Order::Fifo => (!waiters.is_empty()).then_some(0),
            Order::Lifo => waiters.len().checked_sub(1),
        }
    }

    /// Does who asks for this object take whatever it finds?
    fn is_barged(&self, object: usize) -> bool {
        let objects = &self.case.syncs.objects;
        let has_room = !matches!(objects[object], Object::Channel(0) | Object::Barrier(_));
        self.case.syncs.barging != Barging::Never && has_room
    }

    /// Has it waited so long that it is handed what is free?
    fn is_handed(&self, task: usize) -> bool {
        match self.case.syncs.barging {
            Barging::Never => true,
            Barging::Always => false,
            Barging::UpTo(ticks) => self.asks[task].since.is_some_and(|since| self.now - since >= ticks),
        }
    }

    /// It does its operation again as soon as it runs.
    fn asks_again(&mut self, task: usize) {
        self.progress[task].next_op -= 1;
        self.wake(task);
    }

    /// Executes an operation on a lock or another object. Who must wait is put aside.
    pub(super) fn synchronise(&mut self, cpu: usize, thread: usize, task: usize, op: Op) {
        let comes = match op {
            Op::Lock(lock) => self.lock(task, lock),
            Op::Unlock(lock) => goes_on(self.unlock(lock)),
            Op::Sync(SyncOp::Wait(_, lock)) if self.asks[task].noticed => self.lock(task, lock),
            Op::Sync(SyncOp::Wait(..)) if self.is_over(task) => Comes::GoesOn,
            Op::Sync(op) => goes_on(self.use_object(task, op)),
            _ => unreachable!("not an operation of this kind"),
        };
        match comes {
            Comes::GoesOn if self.spins[task] => {}
            Comes::GoesOn => self.limits[task] = None,
            Comes::Waits => self.block(cpu, thread),
            Comes::Yields => {
                self.progress[task].next_op -= 1;
                self.yields(cpu, thread);
            }
        }
    }

    fn lock(&mut self, task: usize, lock: usize) -> Comes {
        if self.may_have(task, lock) {
            self.has(task, lock);
            return Comes::GoesOn;
        }
        if self.is_over(task) {
            self.asks[task] = Asks::default();
            self.ends_program(task);
            return Comes::GoesOn;
        }
        self.asks[task].since.get_or_insert(self.now);
        if self.locks[lock].waiters.is_empty() && self.asks[task].yielded < self.case.syncs.yields {
            self.asks[task].yielded += 1;
            return Comes::Yields;
        }
        self.asks[task].yielded = 0;
        self.locks[lock].waiters.push(task);
        if self.case.syncs.spin > 0 {
            self.spins[task] = true;
            self.progress[task].cpu_left = self.case.syncs.spin;
        }
        goes_on(self.spins[task])
    }

    fn has(&mut self, task: usize, lock: usize) {
        self.limits[task] = None;
        self.asks[task] = Asks::default();
        self.locks[lock].holder = Some(task);
        self.locks[lock].since = self.now;
    }

    pub(super) fn unlock(&mut self, lock: usize) -> bool {
        let before = self.locks[lock].holder.take();
        match self.case.syncs.protocol {
            Protocol::OriginalCeiling => return self.unlock_under_ceilings(),
            Protocol::NonPreemptive if before.is_some_and(|task| !self.is_shielded(task)) => {
                // Those who waited for that ask for its processor now.
                let mut ready = self.ready.clone();
                ready.sort_by_key(|thread| self.threads[*thread].queued);
                self.newcomers = ready;
            }
            _ => {}
        }
        if let Some(place) = self.next_of(&self.locks[lock].waiters) {
            let next = self.locks[lock].waiters.remove(place);
            if !self.is_handed(next) {
                self.asks_again(next);
                return true;
            }
            self.has(next, lock);
            self.goes_on_with_lock(next);
        }
        true
    }

    fn goes_on_with_lock(&mut self, next: usize) {
        if !std::mem::take(&mut self.spins[next]) {
            return self.served(next);
        }
        if std::mem::take(&mut self.progress[next].cpu_left) > 0 {
            self.freed.push(next);
        }
        if self.ready.contains(&self.thread_of[next]) {
            self.expects(self.thread_of[next]);
            self.newcomers.push(self.thread_of[next]);
        }
    }

    fn use_object(&mut self, task: usize, op: SyncOp) -> bool {
        match op {
            SyncOp::Leave(object) => {
                let state = &mut self.objects[object];
                match state.readers.iter().position(|reader| *reader == task) {
                    Some(place) => drop(state.readers.remove(place)),
                    None => state.writer = None,
                }
                self.becomes_free(object, task)
            }
            SyncOp::Release(object, count) => {
                self.objects[object].level += count;
                self.becomes_free(object, task)
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
                    if self.is_over(task) {
                        return true;
                    }
                    self.objects[object].waiters.push((task, op));
                    return false;
                }
                let mut all = std::mem::take(&mut self.objects[object].waiters);
                // Barriers of which the file says nothing have an order of their own.
                match self.case.syncs.order {
                    Order::Urgent | Order::Fifo => {}
                    Order::Lifo => all.reverse(),
                }
                for (other, _) in all {
                    self.served(other);
                }
                true
            }
            SyncOp::Read(object)
            | SyncOp::Write(object)
            | SyncOp::Acquire(object, _)
            | SyncOp::Send(object)
            | SyncOp::Receive(object) => {
                if self.is_barged(object) {
                    return self.takes_what_there_is(task, object, op);
                }
                self.waits_in_turn(task, object, op)
            }
        }
    }

    fn waits_in_turn(&mut self, task: usize, object: usize, op: SyncOp) -> bool {
        self.objects[object].waiters.push((task, op));
        let is_in = self.let_in(object, task);
        if is_in || !self.is_over(task) {
            return is_in;
        }
        self.objects[object].waiters.retain(|(other, _)| *other != task);
        self.goes_without(task, op);
        true
    }

    fn takes_what_there_is(&mut self, task: usize, object: usize, op: SyncOp) -> bool {
        let state = &self.objects[object];
        let nobody = state.writer.is_none() && state.readers.is_empty();
        let writers = state.waiters.iter().any(|(_, other)| matches!(other, SyncOp::Write(_)));
        let reads = self.case.syncs.objects[object] == Object::RwLock(Prefer::Readers) || nobody || !writers;
        let enough = match (op, self.case.syncs.objects[object]) {
            (SyncOp::Read(_), _) => state.writer.is_none() && reads,
            (SyncOp::Write(_), _) => nobody,
            (SyncOp::Acquire(_, count), _) => count <= state.level,
            (SyncOp::Send(_), Object::Channel(capacity)) => state.level < capacity as u64,
            _ => state.level > 0,
        };
        if !enough && self.is_over(task) {
            self.asks[task] = Asks::default();
            self.goes_without(task, op);
            return true;
        }
        if !enough {
            self.asks[task].since.get_or_insert(self.now);
            self.objects[object].waiters.push((task, op));
            return false;
        }
        self.gets(task, op);
        if matches!(op, SyncOp::Send(_) | SyncOp::Receive(_)) {
            // Of those who wait, all wait for the other thing.
            let waiters: Vec<usize> = self.objects[object]
                .waiters
                .iter()
                .filter(|(_, other)| matches!(other, SyncOp::Send(_)) != matches!(op, SyncOp::Send(_)))
                .map(|(task, _)| *task)
                .collect();
            if let Some(place) = self.next_of(&waiters) {
                self.is_turn_of(object, waiters[place]);
            }
        }
        true
    }

    fn gets(&mut self, task: usize, op: SyncOp) {
        self.limits[task] = None;
        self.asks[task] = Asks::default();
        match op {
            SyncOp::Read(object) => self.objects[object].readers.push(task),
            SyncOp::Write(object) => self.objects[object].writer = Some(task),
            SyncOp::Acquire(object, count) => self.objects[object].level -= count,
            SyncOp::Send(object) => self.objects[object].level += 1,
            SyncOp::Receive(object) => self.objects[object].level -= 1,
            _ => unreachable!("nothing that one can have"),
        }
    }

    /// One who waits has what it waits for, or asks for it again.
    fn is_turn_of(&mut self, object: usize, task: usize) {
        let place = self.objects[object].waiters.iter().position(|(other, _)| *other == task).expect("it waits");
        let (task, op) = self.objects[object].waiters.remove(place);
        if self.is_handed(task) {
            self.gets(task, op);
            self.served(task);
        } else {
            self.asks_again(task);
        }
    }

    pub(super) fn becomes_free(&mut self, object: usize, doer: usize) -> bool {
        if !self.is_barged(object) {
            return self.let_in(object, doer);
        }
        // As if all that can be had were had: whose turn is it?
        let (level, readers) = (self.objects[object].level, self.objects[object].readers.len());
        let (mut left, mut turns): (u64, Vec<(usize, SyncOp)>) = (level, Vec::new());
        let before = self.objects[object].waiters.clone();
        while let Some(place) = self.next_in(object) {
            let (task, op) = self.objects[object].waiters.remove(place);
            match op {
                SyncOp::Read(_) => self.objects[object].readers.push(task),
                SyncOp::Write(_) => self.objects[object].writer = Some(task),
                SyncOp::Acquire(_, count) => left -= count,
                _ => unreachable!("of channels nothing becomes free by itself"),
            }
            self.objects[object].level = left;
            turns.push((task, op));
        }
        self.objects[object].waiters = before;
        self.objects[object].level = level;
        self.objects[object].readers.truncate(readers);
        if turns.iter().any(|(_, op)| matches!(op, SyncOp::Write(_))) {
            self.objects[object].writer = None;
        }
        for (task, _) in turns {
            self.is_turn_of(object, task);
        }
        true
    }

    /// Lets in whoever can be. Is the one who does this not waiting itself?
    fn let_in(&mut self, object: usize, doer: usize) -> bool {
        while let Some(place) = self.next_in(object) {
            let (task, op) = self.objects[object].waiters.remove(place);
            self.gets(task, op);
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
            let places: Vec<usize> =
                (0..state.waiters.len()).filter(|place| wanted(&state.waiters[*place].1)).collect();
            let waiters: Vec<usize> = places.iter().map(|place| state.waiters[*place].0).collect();
            self.next_of(&waiters).map(|next| places[next])
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

    /// Who is next of those who wait has the lock, or waits or asks for it. Was there one?
    fn notify(&mut self, object: usize) -> bool {
        let waiters: Vec<usize> = self.objects[object].waiters.iter().map(|(task, _)| *task).collect();
        let Some(place) = self.next_of(&waiters) else { return false };
        let (task, op) = self.objects[object].waiters.remove(place);
        let SyncOp::Wait(_, lock) = op else { unreachable!("nobody else waits there") };
        self.takes_lock_back(task, lock);
        true
    }

    /// Who waits for a notification no more goes on as soon as it has its lock, or asks for it.
    pub(super) fn takes_lock_back(&mut self, task: usize, lock: usize) {
        self.limits[task] = None;
        self.asks[task] = Asks { since: Some(self.now), yielded: 0, noticed: true };
        if self.case.syncs.barging == Barging::Always {
            self.asks_again(task);
        } else if self.may_have(task, lock) {
            self.has(task, lock);
            self.served(task);
        } else {
            self.locks[lock].waiters.push(task);
        }
    }

    /// Who has spun for as long as it may blocks.
    pub(super) fn spin_ends(&mut self, cpu: usize, thread: usize, task: usize) {
        self.spins[task] = false;
        self.block(cpu, thread);
    }
}
