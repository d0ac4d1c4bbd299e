//! Synchronisation between tasks: locks, rwlocks, semaphores, channels, condition variables, barriers.
//!
//! One rule holds for all: what becomes free is handed over at once, to the most urgent of those who wait, the first
//! among equals, and who gets it becomes ready at that instant. Nobody can take it in between. Those who wait for a
//! barrier all go on together, in the order in which they came.

use std::cmp::Reverse;

use super::objects::{Holder, SyncState, Waiter, Wants};
use super::task::State;
use super::thread::ThreadState;
use super::world::World;
use crate::ids::{SyncId, TaskId};
use crate::scenario::{Prefer, Protocol, SyncKind, SyncOp};
use crate::time::{Span, Time};
use crate::timeline::{Block, Cause, Deed, Hold, Recorder, Signal, Spin};

/// What comes of an operation.
pub(super) enum Then {
    /// The task goes on.
    GoesOn,
    /// It waits on its processor.
    Spins,
    /// It is blocked.
    Waits,
}

impl<R: Recorder> World<'_, R> {
    /// A task on a processor does something to a synchronisation object. If it must wait, it has been made to.
    pub(super) fn synchronise(&mut self, id: TaskId, op: SyncOp) -> Then {
        match op {
            SyncOp::Lock(lock) if self.syncs[lock].holders.is_empty() => {
                self.grant(lock, id, self.scene.now, false);
                Then::GoesOn
            }
            SyncOp::Lock(lock) => self.wait_for_lock(id, lock),
            SyncOp::Read(sync) => self.ask(sync, id, Wants::Together),
            SyncOp::Write(sync) => self.ask(sync, id, Wants::Alone),
            SyncOp::Acquire(sync, permits) => self.ask(sync, id, Wants::Permits(permits)),
            SyncOp::Send(sync) => self.ask(sync, id, Wants::Room),
            SyncOp::Receive(sync) => self.ask(sync, id, Wants::Message),
            SyncOp::Unlock(sync) => {
                self.give_back(id, sync);
                Then::GoesOn
            }
            SyncOp::Release(sync, permits) => {
                self.release_permits(id, sync, permits);
                Then::GoesOn
            }
            SyncOp::Wait { condvar, lock } => {
                // It queues with the urgency that is left to it without the lock.
                self.blocks(id, Cause::Sync(condvar));
                self.give_back(id, lock);
                self.queue(condvar, id, Wants::Notice(lock));
                Then::Waits
            }
            SyncOp::Notify(condvar) => {
                let first = self.take_waiter(condvar, |_| true);
                self.notify(condvar, id, first.as_slice());
                Then::GoesOn
            }
            SyncOp::NotifyAll(condvar) => {
                self.notify_all(condvar, id);
                Then::GoesOn
            }
            SyncOp::Arrive(barrier) => self.arrive_at(barrier, id),
        }
    }

    fn signal(&mut self, sync: SyncId, task: TaskId, deed: Deed) {
        self.recorder.signal(Signal { sync, task, at: self.scene.now, deed });
    }

    fn queue(&mut self, sync: SyncId, task: TaskId, wants: Wants) {
        let urgency = self.urgency_of(&self.standing(task)).0;
        self.syncs[sync].queue(Waiter { task, asked: self.scene.now, wants }, urgency);
    }

    /// The place in the queue of the most urgent who waits for something like that, the first among equals.
    fn most_urgent(&self, sync: SyncId, wants: impl Fn(Wants) -> bool) -> Option<usize> {
        let state = &self.syncs[sync];
        if state.are_alike() {
            return state.waiters.iter().position(|waiter| wants(waiter.wants));
        }
        let mut best: Option<(i64, usize)> = None;
        for (place, waiter) in state.waiters.iter().enumerate().filter(|(_, waiter)| wants(waiter.wants)) {
            let urgency = self.urgency_of(&self.standing(waiter.task)).0;
            if best.is_none_or(|(most, _)| urgency > most) {
                best = Some((urgency, place));
            }
        }
        best.map(|(_, place)| place)
    }

    fn take_waiter(&mut self, sync: SyncId, wants: impl Fn(Wants) -> bool) -> Option<Waiter> {
        let place = self.most_urgent(sync, wants)?;
        self.syncs[sync].waiters.remove(place)
    }

    /// What the task waited for is its: it wakes, or stops spinning. One that has just asked only goes on.
    fn resume(&mut self, sync: SyncId, id: TaskId) {
        match self.scene.tasks[id].state {
            State::Blocked(_) => self.wake(id),
            State::Spinning(_) => self.stop_spinning(sync, id),
            _ => {}
        }
    }

    // Locks: what one has, others wait for.

    /// The task has the lock (or a permit) from now on.
    fn grant(&mut self, sync: SyncId, task: TaskId, asked: Time, shared: bool) {
        self.syncs[sync].holders.push(Holder { task, asked, since: self.scene.now, shared, further: false });
        if self.scene.scenario.syncs[sync].protocol != Protocol::None {
            self.begins_to_borrow(task, sync);
        }
    }

    fn wait_for_lock(&mut self, id: TaskId, lock: SyncId) -> Then {
        self.queue(lock, id, Wants::Alone);
        let spin = self.scene.scenario.syncs[lock].spin;
        if spin.is_zero() {
            self.blocks(id, Cause::Sync(lock));
        } else {
            let task = &mut self.scene.tasks[id];
            (task.state, task.work, task.since) = (State::Spinning(lock), spin, self.scene.now);
        }
        self.lend(id, lock);
        if spin.is_zero() { Then::Waits } else { Then::Spins }
    }

    /// Gives back what the task holds; it is handed over at once.
    fn give_back(&mut self, id: TaskId, sync: SyncId) {
        let Some(place) = self.syncs[sync].holders.iter().rposition(|holder| holder.task == id) else { return };
        let held = self.syncs[sync].holders.remove(place);
        self.tell_hold(sync, held);
        if let SyncKind::RwLock { .. } = self.scene.scenario.syncs[sync].kind {
            self.admit(sync, TaskId::NONE);
            return;
        }
        let next = self.take_waiter(sync, |_| true);
        if let Some(next) = next {
            self.grant(sync, next.task, next.asked, false);
        }
        if self.scene.scenario.syncs[sync].protocol != Protocol::None {
            self.ends_to_borrow(id, sync);
        }
        if let Some(next) = next {
            self.resume(sync, next.task);
        }
    }

    /// Somebody held it up to now.
    pub(super) fn tell_hold(&mut self, sync: SyncId, held: Holder) {
        let Holder { task, asked, since, shared, further } = held;
        self.recorder.hold(Hold { sync, task, asked, start: since, end: self.scene.now, shared, further });
    }

    /// The task stops spinning for a lock: it has it.
    fn stop_spinning(&mut self, lock: SyncId, id: TaskId) {
        let thread = self.scene.threads.get(self.scene.tasks[id].thread);
        let cpu = thread.filter(|thread| thread.state == ThreadState::Running).map(|thread| thread.last_cpu);
        if let Some(cpu) = cpu {
            self.settle(cpu);
        }
        self.tell_spin(lock, id, true);
        let task = &mut self.scene.tasks[id];
        (task.state, task.work) = (State::Able, Span::ZERO);
        // What is ahead of it is no longer to spin, but what it does with the lock.
        self.take_burst(id);
        self.standing_changed(id);
        if let Some(cpu) = cpu {
            self.continue_burst(cpu);
        }
    }

    /// The task on the processor has spun for long enough: it blocks.
    pub(super) fn spins_no_more(&mut self, id: TaskId, lock: SyncId) {
        self.tell_spin(lock, id, false);
        self.blocks(id, Cause::Sync(lock));
    }

    /// Reports how the task has spun up to now.
    pub(super) fn tell_spin(&mut self, lock: SyncId, id: TaskId, got: bool) {
        let task = &self.scene.tasks[id];
        let work = self.scene.scenario.syncs[lock].spin.saturating_sub(task.work);
        self.recorder.spin(Spin { sync: lock, task: id, start: task.since, end: self.scene.now, work, got });
    }

    // Rwlocks, semaphores, channels: several may be let in at once.

    /// Queues for something, and is let in at once if it is its turn.
    fn ask(&mut self, sync: SyncId, id: TaskId, wants: Wants) -> Then {
        self.queue(sync, id, wants);
        self.admit(sync, id);
        // Who has just asked is last.
        if self.syncs[sync].waiters.back().is_none_or(|waiter| waiter.task != id) {
            return Then::GoesOn;
        }
        self.blocks(id, Cause::Sync(sync));
        Then::Waits
    }

    /// Lets in whoever can be, one after the other. `newcomer` has just asked and is not blocked.
    fn admit(&mut self, sync: SyncId, newcomer: TaskId) {
        loop {
            let admitted = match self.scene.scenario.syncs[sync].kind {
                SyncKind::RwLock { prefer } => self.admit_to_rwlock(sync, prefer),
                SyncKind::Semaphore { .. } => self.admit_to_permits(sync),
                SyncKind::Channel { capacity } => self.pass_message(sync, u64::from(capacity)),
                SyncKind::Mutex | SyncKind::Condvar | SyncKind::Barrier { .. } => None,
            };
            match admitted {
                None => return,
                Some(task) if task == newcomer => {}
                Some(task) => self.resume(sync, task),
            }
        }
    }

    fn admit_to_rwlock(&mut self, sync: SyncId, prefer: Prefer) -> Option<TaskId> {
        let first = match prefer {
            Prefer::Fifo => None,
            Prefer::Readers => self.most_urgent(sync, |wants| wants == Wants::Together),
            Prefer::Writers => self.most_urgent(sync, |wants| wants == Wants::Alone),
        };
        let place = first.or_else(|| self.most_urgent(sync, |_| true))?;
        let state = &mut self.syncs[sync];
        let shared = state.waiters[place].wants == Wants::Together;
        // Readers are among themselves.
        let free = state.holders.first().is_none_or(|holder| shared && holder.shared);
        let waiter = if free { state.waiters.remove(place)? } else { return None };
        self.grant(sync, waiter.task, waiter.asked, shared);
        Some(waiter.task)
    }

    fn admit_to_permits(&mut self, sync: SyncId) -> Option<TaskId> {
        let place = self.most_urgent(sync, |_| true)?;
        let state = &mut self.syncs[sync];
        let Waiter { task, asked, wants: Wants::Permits(permits) } = state.waiters[place] else { return None };
        state.level = state.level.checked_sub(u64::from(permits))?;
        state.waiters.remove(place);
        let keeps = self.returners.contains(&(self.scene.tasks[task].spec, sync));
        for number in 0..permits {
            // What is given back is what was taken last: the first of these is held longest.
            let held = Holder { task, asked, since: self.scene.now, shared: true, further: number > 0 };
            if keeps {
                self.syncs[sync].holders.push(held);
            } else {
                self.tell_hold(sync, held);
            }
        }
        Some(task)
    }

    fn release_permits(&mut self, id: TaskId, sync: SyncId, permits: u32) {
        for _ in 0..permits {
            let holders = &mut self.syncs[sync].holders;
            match holders.iter().rposition(|holder| holder.task == id) {
                Some(place) => {
                    let held = holders.remove(place);
                    self.tell_hold(sync, held);
                }
                None => self.signal(sync, id, Deed::Added),
            }
            self.syncs[sync].level += 1;
        }
        self.admit(sync, TaskId::NONE);
    }

    /// One who waits at a channel can go on: a sender for whom there is room, a receiver for whom there is a message. In
    /// a channel that holds none, both meet.
    fn pass_message(&mut self, sync: SyncId, capacity: u64) -> Option<TaskId> {
        let SyncState { level, waiters, .. } = &self.syncs[sync];
        let level = *level;
        // Who waits, waits for the same: only one who has just asked may be what the others wait for.
        let receivers =
            [waiters.front(), waiters.back()].into_iter().flatten().any(|waiter| waiter.wants == Wants::Message);
        // A message on its way to a receiver takes no room.
        let room = level < capacity || (level == 0 && receivers);
        if level > 0 && receivers {
            let task = self.take_waiter(sync, |wants| wants == Wants::Message)?.task;
            self.syncs[sync].level -= 1;
            self.signal(sync, task, Deed::Received);
            return Some(task);
        }
        let task = if room { self.take_waiter(sync, |wants| wants == Wants::Room)?.task } else { return None };
        self.syncs[sync].level += 1;
        self.signal(sync, task, Deed::Sent);
        Some(task)
    }

    // Condition variables and barriers.

    fn notify_all(&mut self, condvar: SyncId, by: TaskId) {
        let mut all: Vec<Waiter> = std::mem::take(&mut self.syncs[condvar].waiters).into();
        all.sort_by_key(|waiter| Reverse(self.urgency_of(&self.standing(waiter.task)).0));
        self.notify(condvar, by, &all);
    }

    /// These, who no longer wait for a notification, get one, in this order. Each goes on as soon as it has its lock.
    fn notify(&mut self, condvar: SyncId, by: TaskId, notified: &[Waiter]) {
        self.signal(condvar, by, Deed::Notified(u32::try_from(notified.len()).unwrap_or(u32::MAX)));
        if notified.is_empty() {
            let state = &mut self.syncs[condvar];
            (state.level, state.lost) = (state.level + 1, self.scene.now);
        }
        for waiter in notified {
            let Wants::Notice(lock) = waiter.wants else { continue };
            if self.syncs[lock].holders.is_empty() {
                self.grant(lock, waiter.task, self.scene.now, false);
                self.wake(waiter.task);
            } else {
                self.waits_on(waiter.task, lock);
            }
        }
    }

    /// A blocked task waits for a lock now.
    fn waits_on(&mut self, id: TaskId, lock: SyncId) {
        let task = &self.scene.tasks[id];
        if let State::Blocked(cause) = task.state {
            self.recorder.block(Block { start: task.since, end: self.scene.now, task: id, cause });
        }
        self.queue(lock, id, Wants::Alone);
        self.blocks(id, Cause::Sync(lock));
        self.lend(id, lock);
    }

    fn arrive_at(&mut self, barrier: SyncId, id: TaskId) -> Then {
        let SyncKind::Barrier { parties } = self.scene.scenario.syncs[barrier].kind else { return Then::GoesOn };
        self.signal(barrier, id, Deed::Arrived);
        if self.syncs[barrier].waiters.len() + 1 < parties as usize {
            self.queue(barrier, id, Wants::Others);
            self.blocks(id, Cause::Sync(barrier));
            return Then::Waits;
        }
        for waiter in std::mem::take(&mut self.syncs[barrier].waiters) {
            self.wake(waiter.task);
        }
        Then::GoesOn
    }
}
