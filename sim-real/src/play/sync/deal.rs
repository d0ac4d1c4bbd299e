//! What each operation does to the objects: the rules of the simulator, on rows of shared memory.
//!
//! Called with the latch held. Queues are in the order of asking; the most urgent goes on first, the first among equals.

use std::sync::atomic::Ordering::{Relaxed, SeqCst};

use sim_core::ids::{Id as _, SyncId};
use sim_core::scenario::{Prefer, Protocol, SyncKind, SyncOp};

use super::{Object, Objects, Waiter};

/// What somebody waits for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Wants {
    /// To have a lock alone.
    Alone,
    /// To have an rwlock together with other readers.
    Together,
    /// So many permits.
    Permits,
    /// Room for a message.
    Room,
    /// A message.
    Message,
    /// A notification, and then a lock.
    Notice,
    /// The other parties.
    Others,
}

/// One operation.
pub(super) struct Deal<'a> {
    all: &'a Objects,
    /// The present stamp.
    pub(super) at: u64,
    /// Those who were notified.
    pub(super) notified: u32,
    /// Whose urgency is another now.
    pub(super) changed: Vec<usize>,
    /// Those who go on: the first and the last, plus one.
    chain: (u32, u32),
}

/// What stands for an instance where zero is nobody.
fn named(id: usize) -> u32 {
    u32::try_from(id + 1).unwrap_or(u32::MAX)
}

fn unnamed(name: u32) -> Option<usize> {
    (name as usize).checked_sub(1)
}

impl<'a> Deal<'a> {
    pub(super) fn new(all: &'a Objects, at: u64) -> Deal<'a> {
        Deal { all, at, notified: 0, changed: Vec::new(), chain: (0, 0) }
    }

    /// The first of those who go on, plus one.
    pub(super) fn woken(&self) -> u32 {
        self.chain.0
    }

    fn object(&self, sync: SyncId) -> &'a Object {
        &self.all.objects[sync.index()]
    }

    fn waiter(&self, id: usize) -> &'a Waiter {
        &self.all.waiters[id]
    }

    /// Must the instance wait?
    pub(super) fn perform(&mut self, who: usize, op: SyncOp) -> bool {
        match op {
            SyncOp::Lock(lock) if self.object(lock).holder.load(Relaxed) == 0 => {
                self.has_lock(lock, who);
                false
            }
            SyncOp::Lock(lock) => {
                self.waits_for_lock(lock, who);
                true
            }
            SyncOp::Unlock(sync) => {
                self.give_back(who, sync);
                false
            }
            SyncOp::Read(sync) => self.ask(sync, who, Wants::Together, 0),
            SyncOp::Write(sync) => self.ask(sync, who, Wants::Alone, sync.0),
            SyncOp::Acquire(sync, permits) => self.ask(sync, who, Wants::Permits, permits),
            SyncOp::Send(sync) => self.ask(sync, who, Wants::Room, 0),
            SyncOp::Receive(sync) => self.ask(sync, who, Wants::Message, 0),
            SyncOp::Release(sync, permits) => {
                self.object(sync).level.fetch_add(u64::from(permits), Relaxed);
                self.admit(sync, None);
                false
            }
            SyncOp::Wait { condvar, lock } => {
                self.waiter(who).noticed.store(0, Relaxed);
                self.queue(condvar, who, Wants::Notice, lock.0);
                self.give_back(who, lock);
                true
            }
            SyncOp::Notify(condvar) => {
                let first = self.take(condvar, |_| true);
                self.notify(first);
                false
            }
            SyncOp::NotifyAll(condvar) => {
                let mut waiting = self.empty(condvar);
                waiting.sort_by_key(|id| std::cmp::Reverse(self.waiter(*id).urgency.load(Relaxed)));
                self.notify(waiting);
                false
            }
            SyncOp::Arrive(barrier) => self.arrive(barrier, who),
        }
    }

    // Queues.

    fn queue(&self, sync: SyncId, who: usize, wants: Wants, amount: u32) {
        let (object, me) = (self.object(sync), self.waiter(who));
        me.wants.store(wants as u32, Relaxed);
        me.amount.store(amount, Relaxed);
        me.next.store(0, Relaxed);
        me.granted.store(0, Relaxed);
        me.word.store(1, Relaxed);
        let link = unnamed(object.last.load(Relaxed)).map_or(&object.first, |last| &self.waiter(last).next);
        link.store(named(who), Relaxed);
        object.last.store(named(who), Relaxed);
    }

    /// The most urgent who waits for something like that, the first among equals, and who is queued before it.
    fn most_urgent(&self, sync: SyncId, wants: impl Fn(Wants) -> bool) -> Option<(Option<usize>, usize)> {
        let mut best: Option<(i64, Option<usize>, usize)> = None;
        let (mut before, mut here) = (None, unnamed(self.object(sync).first.load(Relaxed)));
        while let Some(id) = here {
            let urgency = self.waiter(id).urgency.load(Relaxed);
            if wants(self.wants(id)) && best.is_none_or(|(most, ..)| urgency > most) {
                best = Some((urgency, before, id));
            }
            (before, here) = (here, unnamed(self.waiter(id).next.load(Relaxed)));
        }
        best.map(|(_, before, id)| (before, id))
    }

    fn wants(&self, id: usize) -> Wants {
        const ALL: [Wants; 7] =
            [Wants::Alone, Wants::Together, Wants::Permits, Wants::Room, Wants::Message, Wants::Notice, Wants::Others];
        ALL[self.waiter(id).wants.load(Relaxed) as usize % ALL.len()]
    }

    fn remove(&self, sync: SyncId, (before, id): (Option<usize>, usize)) {
        let (object, next) = (self.object(sync), self.waiter(id).next.load(Relaxed));
        before.map_or(&object.first, |before| &self.waiter(before).next).store(next, Relaxed);
        if next == 0 {
            object.last.store(before.map_or(0, named), Relaxed);
        }
    }

    fn take(&self, sync: SyncId, wants: impl Fn(Wants) -> bool) -> Option<usize> {
        let found = self.most_urgent(sync, wants)?;
        self.remove(sync, found);
        Some(found.1)
    }

    /// Takes all out of the queue, in the order of asking.
    fn empty(&self, sync: SyncId) -> Vec<usize> {
        let object = self.object(sync);
        let first = unnamed(object.first.swap(0, Relaxed));
        object.last.store(0, Relaxed);
        std::iter::successors(first, |id| unnamed(self.waiter(*id).next.load(Relaxed))).collect()
    }

    /// What the instance waited for is its, from now on.
    fn resume(&mut self, id: usize) {
        self.waiter(id).granted.store(self.at, Relaxed);
        self.waiter(id).next.store(0, Relaxed);
        match unnamed(self.chain.1) {
            Some(last) => self.waiter(last).next.store(named(id), Relaxed),
            None => self.chain.0 = named(id),
        }
        self.chain.1 = named(id);
    }

    // Locks.

    fn give_back(&mut self, who: usize, sync: SyncId) {
        let object = self.object(sync);
        if let SyncKind::RwLock { .. } = self.all.kinds[sync] {
            if object.holder.load(Relaxed) == named(who) {
                object.holder.store(0, Relaxed);
            } else {
                object.readers.fetch_sub(1, Relaxed);
            }
            return self.admit(sync, None);
        }
        object.holder.store(0, Relaxed);
        if let Some(next) = self.take(sync, |_| true) {
            self.has_lock(sync, next);
            self.resume(next);
        }
        if self.protocol(sync) != Protocol::None {
            self.borrows_anew(who);
        }
    }

    fn has_lock(&mut self, lock: SyncId, who: usize) {
        self.object(lock).holder.store(named(who), Relaxed);
        if self.protocol(lock) != Protocol::None {
            self.borrows_anew(who);
        }
    }

    fn waits_for_lock(&mut self, lock: SyncId, who: usize) {
        self.queue(lock, who, Wants::Alone, lock.0);
        self.lends(who, lock);
    }

    // Urgency that is lent.

    fn protocol(&self, sync: SyncId) -> Protocol {
        self.all.protocols[sync].0
    }

    fn set_urgency(&mut self, who: usize, urgency: i64) {
        if self.waiter(who).urgency.swap(urgency, SeqCst) != urgency {
            self.changed.push(who);
        }
    }

    /// It waits for the lock: whoever has it is as urgent, and whoever that one waits for, and so on.
    fn lends(&mut self, who: usize, mut lock: SyncId) {
        let urgency = self.waiter(who).urgency.load(Relaxed);
        while self.protocol(lock) == Protocol::Inherit
            && let Some(holder) = unnamed(self.object(lock).holder.load(Relaxed))
            && self.waiter(holder).urgency.load(Relaxed) < urgency
        {
            self.set_urgency(holder, urgency);
            let waiter = self.waiter(holder);
            let waits = waiter.word.load(Relaxed) == 1 && waiter.granted.load(Relaxed) == 0;
            if !waits || self.wants(holder) != Wants::Alone {
                return;
            }
            lock = SyncId(waiter.amount.load(Relaxed));
        }
    }

    /// Computes anew how urgent it is, through all locks that it has.
    fn borrows_anew(&mut self, who: usize) {
        let mut most = self.waiter(who).own.load(Relaxed);
        for (sync, (protocol, ceiling)) in self.all.protocols.pairs() {
            if *protocol == Protocol::None || self.object(sync).holder.load(Relaxed) != named(who) {
                continue;
            }
            let lent = match protocol {
                Protocol::Inherit => self.most_urgent(sync, |_| true).map(|(_, id)| self.waiter(id).urgency()),
                _ => Some(*ceiling),
            };
            most = most.max(lent.unwrap_or(most));
        }
        self.set_urgency(who, most);
    }

    // Rwlocks, semaphores, channels: several may be let in at once.

    /// Queues for something, and is let in at once if it is its turn.
    fn ask(&mut self, sync: SyncId, who: usize, wants: Wants, amount: u32) -> bool {
        self.queue(sync, who, wants, amount);
        self.admit(sync, Some(who));
        self.waiter(who).word.load(Relaxed) != 0
    }

    /// Lets in whoever can be, one after the other. `newcomer` has just asked and is not asleep.
    fn admit(&mut self, sync: SyncId, newcomer: Option<usize>) {
        let kind = self.all.kinds[sync];
        loop {
            let admitted = match kind {
                SyncKind::RwLock { prefer } => self.admit_to_rwlock(sync, prefer),
                SyncKind::Semaphore { .. } => self.admit_to_permits(sync),
                SyncKind::Channel { capacity } => self.pass_message(sync, u64::from(capacity)),
                SyncKind::Mutex | SyncKind::Condvar | SyncKind::Barrier { .. } => None,
            };
            let Some(id) = admitted else { return };
            if newcomer == Some(id) {
                self.waiter(id).word.store(0, Relaxed);
            } else {
                self.resume(id);
            }
            // Messages come and go one after the other, unless both sides meet.
            self.at += u64::from(matches!(kind, SyncKind::Channel { capacity: 1.. }));
        }
    }

    fn admit_to_rwlock(&self, sync: SyncId, prefer: Prefer) -> Option<usize> {
        let first = match prefer {
            Prefer::Fifo => None,
            Prefer::Readers => self.most_urgent(sync, |wants| wants == Wants::Together),
            Prefer::Writers => self.most_urgent(sync, |wants| wants == Wants::Alone),
        };
        let found = first.or_else(|| self.most_urgent(sync, |_| true))?;
        let object = self.object(sync);
        if object.holder.load(Relaxed) != 0 {
            return None;
        }
        if self.wants(found.1) == Wants::Together {
            object.readers.fetch_add(1, Relaxed);
        } else if object.readers.load(Relaxed) == 0 {
            object.holder.store(named(found.1), Relaxed);
        } else {
            return None;
        }
        self.remove(sync, found);
        Some(found.1)
    }

    fn admit_to_permits(&self, sync: SyncId) -> Option<usize> {
        let found = self.most_urgent(sync, |_| true)?;
        let (level, permits) = (&self.object(sync).level, self.waiter(found.1).amount.load(Relaxed));
        level.store(level.load(Relaxed).checked_sub(u64::from(permits))?, Relaxed);
        self.remove(sync, found);
        Some(found.1)
    }

    fn pass_message(&self, sync: SyncId, capacity: u64) -> Option<usize> {
        let level = &self.object(sync).level;
        let held = level.load(Relaxed);
        let receiver = self.most_urgent(sync, |wants| wants == Wants::Message);
        // A message on its way to a receiver takes no room.
        let room = held < capacity || (held == 0 && receiver.is_some());
        if let Some(receiver) = receiver.filter(|_| held > 0) {
            self.remove(sync, receiver);
            level.store(held - 1, Relaxed);
            return Some(receiver.1);
        }
        let sender = if room { self.take(sync, |wants| wants == Wants::Room)? } else { return None };
        level.store(held + 1, Relaxed);
        Some(sender)
    }

    // Condition variables and barriers.

    /// They are notified, in this order; each goes on as soon as it has its lock.
    fn notify(&mut self, waiting: impl IntoIterator<Item = usize>) {
        for id in waiting {
            self.notified += 1;
            self.waiter(id).noticed.store(self.at, Relaxed);
            let lock = SyncId(self.waiter(id).amount.load(Relaxed));
            if self.object(lock).holder.load(Relaxed) == 0 {
                self.has_lock(lock, id);
                self.resume(id);
            } else {
                self.waits_for_lock(lock, id);
            }
        }
    }

    fn arrive(&mut self, barrier: SyncId, who: usize) -> bool {
        let SyncKind::Barrier { parties } = self.all.kinds[barrier] else { return false };
        let come = self.object(barrier).level.fetch_add(1, Relaxed) + 1;
        if come < u64::from(parties) {
            self.queue(barrier, who, Wants::Others, 0);
            return true;
        }
        self.object(barrier).level.store(0, Relaxed);
        for id in self.empty(barrier) {
            self.resume(id);
        }
        false
    }
}
