//! Synchronisation between tasks: locks, rwlocks, semaphores, channels, condition variables, barriers.
//!
//! The rules are those of [`crate::sync`], which measured runs go by as well. Here is what follows from them: who blocks or
//! spins, who becomes ready, what is told to the recorder.

use super::objects::{Holder, SyncState};
use super::task::State;
use super::thread::ThreadState;
use super::world::World;
use crate::ids::{SyncId, TaskId};
use crate::program::{Step, program_stream};
use crate::scenario::{Protocol, Rule, SyncKind, SyncOp};
use crate::sync::{Asking, Goes, Rows, Turn, Waiter, Wants, perform};
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
    /// It lets others go first.
    Yields,
}

impl<R: Recorder> World<'_, R> {
    /// A task on a processor does something to a synchronisation object. If it must wait, it has been made to.
    pub(super) fn synchronise(&mut self, id: TaskId, op: SyncOp) -> Then {
        match perform(self, id, op) {
            Turn::GoesOn => {
                if self.gives_up {
                    self.completes(id);
                }
                Then::GoesOn
            }
            Turn::GivesUp => {
                self.goes_without(id, Cause::Sync(op.object()));
                Then::GoesOn
            }
            Turn::Waits if matches!(self.scene.tasks[id].state, State::Spinning(_)) => Then::Spins,
            Turn::Waits => Then::Waits,
            Turn::Yields => {
                self.scene.tasks[id].cursor.step_back();
                Then::Yields
            }
        }
    }

    /// May those who become ready now take the processor before whoever did this goes on? The kernel lets them at the end of
    /// the call that wakes them, and real objects make such calls: who unlocks may not come to lock again.
    pub(super) fn lets_others_in(&self, op: SyncOp) -> bool {
        self.scene.scenario.syncs[op.object()].library.is_some() && self.ready.newcomer().is_some()
    }

    /// The task is told to ask again for what it waits for. If it does so before it has the interpreter lock, it does when its
    /// thread has a processor.
    fn asks_outside(&mut self, sync: SyncId, id: TaskId) {
        let process = self.scene.scenario.specs[self.scene.tasks[id].spec].process;
        let is_blocked = matches!(self.scene.tasks[id].state, State::Blocked(_));
        if is_blocked && self.rule(sync).outside && self.scene.interpreters.is_contested(process) {
            self.outside.insert(id);
        }
    }

    /// The thread of the task has a processor, and may have to ask for something before it asks for the interpreter lock. Has it
    /// what it wants? Else it waits for that again.
    pub(super) fn has_outside(&mut self, id: TaskId) -> bool {
        if !self.outside.remove(&id) {
            return true;
        }
        let scenario = self.scene.scenario;
        let task = &mut self.scene.tasks[id];
        let (spec, instance) = (task.spec, task.instance);
        let step = task.cursor.step(&scenario.specs[spec].program, || program_stream(scenario, spec, instance));
        let Step::Sync(op) = step else { return true };
        match perform(self, id, op) {
            Turn::GoesOn if self.gives_up => self.completes(id),
            Turn::GoesOn => {}
            Turn::GivesUp => self.goes_without(id, Cause::Sync(op.object())),
            Turn::Waits | Turn::Yields => return false,
        }
        self.take_burst(id);
        self.wants_lock(self.scene.tasks[id].thread);
        true
    }

    fn signal(&mut self, sync: SyncId, task: TaskId, deed: Deed) {
        self.recorder.signal(Signal { sync, task, at: self.scene.now, deed });
    }

    /// The task has so many permits, those that its program gives back; what is given back is what was taken last: the
    /// first of these is held longest.
    fn has_permits(&mut self, sync: SyncId, task: TaskId, asked: Time, permits: u32) {
        let keeps = self.returners.contains(&(self.scene.tasks[task].spec, sync));
        for number in 0..permits {
            let held = Holder { task, asked, since: self.scene.now, shared: true, further: number > 0 };
            if keeps {
                self.syncs[sync].holders.push(held);
            } else {
                self.tell_hold(sync, held);
            }
        }
    }

    /// Somebody held it up to now.
    pub(super) fn tell_hold(&mut self, sync: SyncId, held: Holder) {
        let Holder { task, asked, since, shared, further } = held;
        self.recorder.hold(Hold { sync, task, asked, start: since, end: self.scene.now, shared, further });
    }

    /// Takes what the task had last of the object out of what it has; `false` if it has nothing.
    fn holds_no_more(&mut self, sync: SyncId, id: TaskId) -> bool {
        let holders = &mut self.syncs[sync].holders;
        let Some(place) = holders.iter().rposition(|holder| holder.task == id) else { return false };
        let held = holders.remove(place);
        if holders.is_empty() && !self.scene.loans.ceilings.is_empty() {
            self.scene.loans.is_held(sync, false);
        }
        self.tell_hold(sync, held);
        true
    }

    /// The task stops spinning for a lock: it has it, or asks for it again.
    pub(super) fn stop_spinning(&mut self, lock: SyncId, id: TaskId, got: bool) {
        let thread = self.scene.threads.get(self.scene.tasks[id].thread);
        let cpu = thread.filter(|thread| thread.state == ThreadState::Running).map(|thread| thread.last_cpu);
        if let Some(cpu) = cpu {
            self.settle(cpu);
        }
        self.tell_spin(lock, id, got);
        let task = &mut self.scene.tasks[id];
        (task.state, task.work) = (State::Able, Span::ZERO);
        // What is ahead of it is no longer to spin, but what it does then.
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
}

impl<R: Recorder> Rows for World<'_, R> {
    type Who = TaskId;
    type Place = usize;

    fn now(&self) -> Time {
        self.scene.now
    }

    fn kind(&self, sync: SyncId) -> SyncKind {
        self.scene.scenario.syncs[sync].kind
    }

    fn rule(&self, sync: SyncId) -> Rule {
        self.scene.scenario.syncs[sync].rule
    }

    fn is_free(&self, sync: SyncId, shared: bool) -> bool {
        // Readers are among themselves.
        self.syncs[sync].holders.first().is_none_or(|holder| shared && holder.shared)
    }

    fn level(&self, sync: SyncId) -> u64 {
        self.syncs[sync].level
    }

    fn set_level(&mut self, sync: SyncId, level: u64) {
        self.syncs[sync].level = level;
    }

    fn kept(&self, sync: SyncId) -> u64 {
        self.syncs[sync].kept
    }

    fn set_kept(&mut self, sync: SyncId, kept: u64) {
        self.syncs[sync].kept = kept;
    }

    fn waiters(&self, sync: SyncId) -> impl Iterator<Item = (usize, Waiter<TaskId>)> {
        self.syncs[sync].waiters.iter().copied().enumerate()
    }

    fn first_and_last(&self, sync: SyncId) -> [Option<Wants>; 2] {
        let SyncState { waiters, .. } = &self.syncs[sync];
        [waiters.front(), waiters.back()].map(|waiter| waiter.map(|waiter| waiter.wants))
    }

    fn are_alike(&self, sync: SyncId) -> bool {
        self.syncs[sync].are_alike()
    }

    fn most_urgent(&self, sync: SyncId) -> Option<(usize, Waiter<TaskId>)> {
        let state = &self.syncs[sync];
        let place = state.ranks()?.next()?;
        Some((place, *state.waiters.get(place)?))
    }

    fn urgency(&self, who: TaskId) -> i64 {
        self.urgency_of(&self.standing(who)).0
    }

    fn ceilings(&self) -> &[(SyncId, i64)] {
        &self.scene.loans.ceilings
    }

    fn holder(&self, lock: SyncId) -> Option<TaskId> {
        self.syncs[lock].holders.first().map(|holder| holder.task)
    }

    fn ceilings_moved(&mut self) {
        self.ceilings_have_moved();
    }

    fn highest_held(&self, but: TaskId) -> Option<(SyncId, i64, TaskId)> {
        self.scene.loans.held().find_map(|(lock, ceiling)| {
            let holder = self.holder(lock).filter(|holder| *holder != but)?;
            Some((lock, ceiling, holder))
        })
    }

    fn awaited_ceilings(&self) -> Vec<SyncId> {
        self.scene.loans.awaited().collect()
    }

    fn queue(&mut self, sync: SyncId, waiter: Waiter<TaskId>) {
        let urgency = self.urgency_of(&self.standing(waiter.who));
        self.syncs[sync].queue(waiter, urgency);
        if self.syncs[sync].needs_ranks() {
            self.ranks_waiters(sync);
        }
        if !self.scene.loans.ceilings.is_empty() {
            self.scene.loans.is_awaited(sync, true);
        }
    }

    fn take(&mut self, sync: SyncId, place: usize) {
        self.syncs[sync].take(place);
        if !self.scene.loans.ceilings.is_empty() {
            self.scene.loans.is_awaited(sync, !self.syncs[sync].waiters.is_empty());
        }
    }

    fn take_all(&mut self, sync: SyncId) -> Vec<Waiter<TaskId>> {
        self.syncs[sync].take_all()
    }

    fn asking(&self, who: TaskId) -> Option<Asking> {
        self.asking.get(&who).copied()
    }

    fn set_asking(&mut self, who: TaskId, asking: Option<Asking>) {
        match asking {
            Some(asking) => self.asking.insert(who, asking),
            None => self.asking.remove(&who),
        };
    }

    fn grant(&mut self, sync: SyncId, waiter: Waiter<TaskId>) {
        let Waiter { who: task, asked, wants } = waiter;
        match wants {
            Wants::Permits(permits) => self.has_permits(sync, task, asked, permits),
            Wants::Room => self.signal(sync, task, Deed::Sent),
            Wants::Message => self.signal(sync, task, Deed::Received),
            _ => {
                let shared = wants == Wants::Together;
                self.syncs[sync].holders.push(Holder { task, asked, since: self.scene.now, shared, further: false });
                if self.scene.scenario.syncs[sync].protocol != Protocol::None {
                    self.scene.loans.is_held(sync, true);
                    self.begins_to_borrow(task, sync);
                }
            }
        }
    }

    fn gives_back(&mut self, sync: SyncId, who: TaskId) -> bool {
        self.holds_no_more(sync, who)
    }

    fn has_given_back(&mut self, sync: SyncId, who: TaskId) {
        if self.scene.scenario.syncs[sync].protocol != Protocol::None {
            self.ends_to_borrow(who, sync);
        }
    }

    fn returns_permit(&mut self, sync: SyncId, who: TaskId) {
        if !self.holds_no_more(sync, who) {
            self.signal(sync, who, Deed::Added);
        }
    }

    fn waits(&mut self, sync: SyncId, who: TaskId) {
        let task = &self.scene.tasks[who];
        let (state, since, again) = (task.state, task.since, task.again);
        let has_queued = self.asking(who).is_some_and(|asking| asking.queued > 1);
        let spin = self.scene.scenario.syncs[sync].spin;
        match state {
            // It was notified, and is blocked for another reason now.
            State::Blocked(cause) => {
                self.recorder.block(Block { start: since, end: self.scene.now, task: who, cause, again });
                self.blocks(who, Cause::Sync(sync));
            }
            // Who was told to ask again has spun already.
            _ if spin.is_zero() || has_queued => {
                self.blocks(who, Cause::Sync(sync));
                self.scene.tasks[who].again = has_queued;
            }
            _ => {
                let task = &mut self.scene.tasks[who];
                (task.state, task.work, task.since) = (State::Spinning(sync), spin, self.scene.now);
            }
        }
        self.lend(who, sync);
    }

    fn goes(&mut self, sync: SyncId, who: TaskId, how: Goes) {
        if how == Goes::ToAskAgain {
            self.scene.tasks[who].cursor.step_back();
            self.asks_outside(sync, who);
        } else if self.gives_up && how == Goes::On {
            self.completes(who);
        }
        match self.scene.tasks[who].state {
            State::Blocked(_) => self.wake(who),
            State::Spinning(_) => self.stop_spinning(sync, who, how == Goes::On),
            _ => {}
        }
    }

    fn notified(&mut self, condvar: SyncId, by: TaskId, waiters: &[Waiter<TaskId>]) {
        self.signal(condvar, by, Deed::Notified(u32::try_from(waiters.len()).unwrap_or(u32::MAX)));
        if self.gives_up {
            // Who has its notification does not give it up, however long the lock takes.
            waiters.iter().for_each(|waiter| self.completes(waiter.who));
        }
        if waiters.is_empty() {
            self.syncs[condvar].lost = self.scene.now;
        }
    }

    fn hands_processor(&mut self, from: TaskId, to: TaskId) {
        let [giver, heir] = [from, to].map(|task| self.scene.tasks[task].thread);
        match self.scene.threads.get(heir).map(|thread| thread.state) {
            None => self.hands_worker(giver, to),
            Some(ThreadState::Ready) => {
                let cpu = self.scene.threads[giver].last_cpu;
                self.ready.is_next(heir, cpu, &self.scene);
            }
            Some(_) => self.comes_next_at_interpreter(heir),
        }
    }

    fn arrives(&mut self, barrier: SyncId, who: TaskId) {
        self.signal(barrier, who, Deed::Arrived);
    }

    fn departs(&mut self, barrier: SyncId, who: TaskId) {
        self.signal(barrier, who, Deed::Departed);
    }

    fn gave_up(&mut self, sync: SyncId, who: TaskId) {
        self.has_left_queue(who, sync);
    }

    fn gives_up(&self, who: TaskId) -> bool {
        self.is_over(who)
    }
}
