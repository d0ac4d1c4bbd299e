//! One operation on the objects, with the latch held: the rules of [`sim_core::sync`] on rows of shared memory.

use std::sync::atomic::Ordering::{Relaxed, SeqCst};

use sim_core::ids::{Id as _, SyncId};
use sim_core::scenario::{Protocol, Rule, SyncKind};
use sim_core::sync::ceilings::in_the_way;
use sim_core::sync::{Asking, Goes, Rows, Waiter, Wants};
use sim_core::time::Time;

use super::{Object, Objects, Row, overdue};

/// One operation.
pub(super) struct Deal<'a> {
    pub(super) all: &'a Objects,
    /// The present stamp.
    pub(super) at: u64,
    /// Those who were notified.
    pub(super) notified: u32,
    /// Whose urgency is another now.
    pub(super) changed: Vec<usize>,
    /// Whose time was up while they joined others.
    pub(super) joined: Vec<usize>,
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

/// What somebody waits for, in two numbers: of a lock that it wants alone, the second says which.
fn coded(sync: SyncId, wants: Wants) -> (u32, u32) {
    match wants {
        Wants::Alone => (0, sync.0),
        Wants::Together => (1, 0),
        Wants::Permits(permits) => (2, permits),
        Wants::Room => (3, 0),
        Wants::Message => (4, 0),
        Wants::Notice(lock) => (5, lock.0),
        Wants::Others => (6, 0),
        Wants::Back => (7, sync.0),
    }
}

fn decoded(code: u32, amount: u32) -> Wants {
    match code {
        0 => Wants::Alone,
        1 => Wants::Together,
        2 => Wants::Permits(amount),
        3 => Wants::Room,
        4 => Wants::Message,
        5 => Wants::Notice(SyncId(amount)),
        7 => Wants::Back,
        _ => Wants::Others,
    }
}

impl<'a> Deal<'a> {
    pub(super) fn new(all: &'a Objects, at: u64) -> Deal<'a> {
        Deal { all, at, notified: 0, changed: Vec::new(), joined: Vec::new(), chain: (0, 0) }
    }

    /// The first of those who go on, plus one.
    pub(super) fn woken(&self) -> u32 {
        self.chain.0
    }

    fn object(&self, sync: SyncId) -> &'a Object {
        &self.all.objects[sync.index()]
    }

    pub(super) fn row(&self, id: usize) -> &'a Row {
        &self.all.waiters[id]
    }

    fn wants(&self, id: usize) -> Wants {
        decoded(self.row(id).wants.load(Relaxed), self.row(id).amount.load(Relaxed))
    }

    /// Who queues behind that one; behind nobody: who is first.
    fn behind(&self, sync: SyncId, before: Option<usize>) -> Option<usize> {
        let link = before.map_or(&self.object(sync).first, |before| &self.row(before).next);
        unnamed(link.load(Relaxed))
    }

    /// It need not wait any longer, from now on.
    fn resumes(&mut self, id: usize) {
        self.row(id).granted.store(self.at, Relaxed);
        self.row(id).next.store(0, Relaxed);
        match unnamed(self.chain.1) {
            Some(last) => self.row(last).next.store(named(id), Relaxed),
            None => self.chain.0 = named(id),
        }
        self.chain.1 = named(id);
    }

    // Urgency that is lent.

    fn protocol(&self, sync: SyncId) -> Protocol {
        self.all.protocols[sync].0
    }

    fn set_urgency(&mut self, who: usize, urgency: i64) {
        if self.row(who).urgency.swap(urgency, SeqCst) != urgency {
            self.changed.push(who);
        }
    }

    /// It waits for the lock: whoever has it is as urgent, and whoever that one waits for, and so on.
    fn lends(&mut self, who: usize, mut lock: SyncId) {
        let (urgency, mut waiter) = (self.urgency(who), who);
        while let Some(holder) = self.borrower(waiter, lock)
            && self.urgency(holder) < urgency
        {
            self.set_urgency(holder, urgency);
            let Some(next) = self.awaited_lock(holder) else { return };
            (waiter, lock) = (holder, next);
        }
    }

    /// The lock for which it waits.
    fn awaited_lock(&self, who: usize) -> Option<SyncId> {
        let row = self.row(who);
        let waits = row.word.load(Relaxed) == 1 && row.granted.load(Relaxed) == 0;
        let is_lock = waits && matches!(self.wants(who), Wants::Alone | Wants::Back);
        is_lock.then(|| SyncId(row.amount.load(Relaxed)))
    }

    /// Somebody waits for the lock no more: whoever has it is lent less perhaps, and whoever that one waits for, and so on.
    pub(super) fn takes_back_urgency(&mut self, mut lock: SyncId) {
        if self.protocol(lock) == Protocol::OriginalCeiling {
            return self.ceilings_moved();
        }
        while self.protocol(lock) == Protocol::Inherit
            && let Some(holder) = self.holder(lock)
        {
            let before = self.urgency(holder);
            self.borrows_anew(holder);
            let is_another = self.urgency(holder) != before;
            let Some(next) = self.awaited_lock(holder).filter(|_| is_another) else { return };
            lock = next;
        }
    }

    /// Who is lent the urgency of one who waits for the lock, if anybody is.
    fn borrower(&self, waiter: usize, lock: SyncId) -> Option<usize> {
        match self.protocol(lock) {
            Protocol::Inherit => self.holder(lock),
            Protocol::OriginalCeiling => {
                self.holder(lock).or_else(|| in_the_way(self, waiter).map(|(.., holder)| holder))
            }
            Protocol::None | Protocol::Ceiling | Protocol::NonPreemptive => None,
        }
    }

    /// The urgency of the most urgent of those whom it keeps from free locks.
    fn held_back_by(&self, who: usize) -> Option<i64> {
        let free = self.all.ceilings.iter().filter(|(lock, _)| self.holder(*lock).is_none());
        let waiters = free.flat_map(|(lock, _)| self.waiters(*lock).map(|(_, waiter)| waiter.who));
        let its = waiters.filter(|waiter| in_the_way(self, *waiter).is_some_and(|(.., holder)| holder == who));
        its.map(|waiter| self.urgency(waiter)).max()
    }

    /// Computes anew how urgent it is, through all locks that it has.
    fn borrows_anew(&mut self, who: usize) {
        let mut most = self.row(who).own.load(Relaxed);
        for (sync, (protocol, ceiling)) in self.all.protocols.pairs() {
            if *protocol == Protocol::None || self.object(sync).holder.load(Relaxed) != named(who) {
                continue;
            }
            let lent = match protocol {
                Protocol::Inherit | Protocol::OriginalCeiling => {
                    self.waiters(sync).map(|(_, waiter)| self.urgency(waiter.who)).max()
                }
                _ => Some(*ceiling),
            };
            most = most.max(lent.unwrap_or(most));
        }
        most = most.max(self.held_back_by(who).unwrap_or(most));
        self.set_urgency(who, most);
    }
}

impl Rows for Deal<'_> {
    type Who = usize;
    /// An instance, and who queues before it.
    type Place = (Option<usize>, usize);

    fn now(&self) -> Time {
        Time::from_ns(self.at)
    }

    fn kind(&self, sync: SyncId) -> SyncKind {
        self.all.kinds[sync].0
    }

    fn rule(&self, sync: SyncId) -> Rule {
        self.all.kinds[sync].1
    }

    fn is_free(&self, sync: SyncId, shared: bool) -> bool {
        let object = self.object(sync);
        object.holder.load(Relaxed) == 0 && (shared || object.readers.load(Relaxed) == 0)
    }

    fn level(&self, sync: SyncId) -> u64 {
        self.object(sync).level.load(Relaxed)
    }

    fn set_level(&mut self, sync: SyncId, level: u64) {
        self.object(sync).level.store(level, Relaxed);
    }

    fn kept(&self, sync: SyncId) -> u64 {
        self.object(sync).kept.load(Relaxed)
    }

    fn set_kept(&mut self, sync: SyncId, kept: u64) {
        self.object(sync).kept.store(kept, Relaxed);
    }

    fn waiters(&self, sync: SyncId) -> impl Iterator<Item = (Self::Place, Waiter<usize>)> {
        let mut before = None;
        std::iter::from_fn(move || {
            let who = self.behind(sync, before)?;
            let place = (before, who);
            before = Some(who);
            let asked = Time::from_ns(self.row(who).asked.load(Relaxed));
            Some((place, Waiter { who, asked, wants: self.wants(who) }))
        })
    }

    fn first_and_last(&self, sync: SyncId) -> [Option<Wants>; 2] {
        let Object { first, last, .. } = self.object(sync);
        [first, last].map(|name| unnamed(name.load(Relaxed)).map(|id| self.wants(id)))
    }

    fn are_alike(&self, _: SyncId) -> bool {
        false
    }

    fn urgency(&self, who: usize) -> i64 {
        self.row(who).urgency.load(Relaxed)
    }

    fn ceilings(&self) -> &[(SyncId, i64)] {
        &self.all.ceilings
    }

    fn holder(&self, lock: SyncId) -> Option<usize> {
        unnamed(self.object(lock).holder.load(Relaxed))
    }

    fn ceilings_moved(&mut self) {
        let holders: Vec<usize> = self.all.ceilings.iter().filter_map(|(lock, _)| self.holder(*lock)).collect();
        // Who is lent more may lend more: as often as there are holders, at most.
        for _ in &holders {
            let before = self.changed.len();
            holders.iter().for_each(|holder| self.borrows_anew(*holder));
            if self.changed.len() == before {
                return;
            }
        }
    }

    fn queue(&mut self, sync: SyncId, waiter: Waiter<usize>) {
        let (object, row) = (self.object(sync), self.row(waiter.who));
        let (code, amount) = coded(sync, waiter.wants);
        row.wants.store(code, Relaxed);
        row.amount.store(amount, Relaxed);
        row.asked.store(waiter.asked.ns(), Relaxed);
        row.next.store(0, Relaxed);
        row.granted.store(0, Relaxed);
        row.again.store(0, Relaxed);
        row.word.store(1, Relaxed);
        overdue::queues(self.all, waiter.who, sync);
        if waiter.wants == Wants::Back {
            let first = object.first.swap(named(waiter.who), Relaxed);
            row.next.store(first, Relaxed);
            if first == 0 {
                object.last.store(named(waiter.who), Relaxed);
            }
            return;
        }
        let link = unnamed(object.last.load(Relaxed)).map_or(&object.first, |last| &self.row(last).next);
        link.store(named(waiter.who), Relaxed);
        object.last.store(named(waiter.who), Relaxed);
    }

    fn take(&mut self, sync: SyncId, (before, id): Self::Place) {
        let (object, next) = (self.object(sync), self.row(id).next.load(Relaxed));
        self.row(id).place.store(0, Relaxed);
        before.map_or(&object.first, |before| &self.row(before).next).store(next, Relaxed);
        if next == 0 {
            object.last.store(before.map_or(0, named), Relaxed);
        }
    }

    fn take_all(&mut self, sync: SyncId) -> Vec<Waiter<usize>> {
        let all: Vec<Waiter<usize>> = self.waiters(sync).map(|(_, waiter)| waiter).collect();
        all.iter().for_each(|waiter| self.row(waiter.who).place.store(0, Relaxed));
        self.object(sync).first.store(0, Relaxed);
        self.object(sync).last.store(0, Relaxed);
        all
    }

    fn asking(&self, who: usize) -> Option<Asking> {
        let row = self.row(who);
        let asking = row.asking.load(Relaxed);
        let asked = Time::from_ns(row.asked.load(Relaxed));
        let [yielded, queued] = [&row.yielded, &row.queued].map(|number| number.load(Relaxed));
        (asking > 0).then_some(Asking { asked, yielded, queued, noticed: asking == 2, kept: asking == 3 })
    }

    fn set_asking(&mut self, who: usize, asking: Option<Asking>) {
        let row = self.row(who);
        if let Some(asking) = asking {
            row.asked.store(asking.asked.ns(), Relaxed);
            row.yielded.store(asking.yielded, Relaxed);
            row.queued.store(asking.queued, Relaxed);
        }
        let code = |asking: Asking| if asking.kept { 3 } else { 1 + u32::from(asking.noticed) };
        row.asking.store(asking.map_or(0, code), Relaxed);
    }

    fn grant(&mut self, sync: SyncId, waiter: Waiter<usize>) {
        match waiter.wants {
            Wants::Together => _ = self.object(sync).readers.fetch_add(1, Relaxed),
            Wants::Alone | Wants::Back => {
                self.object(sync).holder.store(named(waiter.who), Relaxed);
                // What else changes under original ceilings comes first.
                if !matches!(self.protocol(sync), Protocol::None | Protocol::OriginalCeiling) {
                    self.borrows_anew(waiter.who);
                }
            }
            _ => {}
        }
    }

    fn gives_back(&mut self, sync: SyncId, who: usize) -> bool {
        let Object { holder, readers, .. } = self.object(sync);
        if holder.load(Relaxed) == named(who) {
            holder.store(0, Relaxed);
        } else if matches!(self.kind(sync), SyncKind::RwLock { .. }) {
            readers.fetch_sub(1, Relaxed);
        } else {
            return false;
        }
        true
    }

    fn has_given_back(&mut self, sync: SyncId, who: usize) {
        if self.protocol(sync) != Protocol::None {
            self.borrows_anew(who);
        }
    }

    fn returns_permit(&mut self, _: SyncId, _: usize) {}

    fn waits(&mut self, sync: SyncId, who: usize) {
        if self.kind(sync) == SyncKind::Condvar {
            self.row(who).noticed.store(0, Relaxed);
        }
        self.lends(who, sync);
    }

    fn goes(&mut self, sync: SyncId, who: usize, how: Goes) {
        match how {
            Goes::AtOnce => self.row(who).word.store(0, Relaxed),
            Goes::On => self.resumes(who),
            Goes::ToAskAgain => {
                self.row(who).again.store(1, Relaxed);
                self.resumes(who);
            }
        }
        // Messages come and go one after the other, unless both sides meet.
        self.at += u64::from(matches!(self.kind(sync), SyncKind::Channel { capacity: 1.. }));
    }

    fn notified(&mut self, _: SyncId, _: usize, waiters: &[Waiter<usize>]) {
        self.notified = u32::try_from(waiters.len()).unwrap_or(u32::MAX);
        for waiter in waiters {
            self.row(waiter.who).noticed.store(self.at, Relaxed);
            // Who has its notification does not give it up, however long the lock takes.
            self.row(waiter.who).until.store(0, Relaxed);
        }
    }

    fn hands_processor(&mut self, _: usize, _: usize) {}

    fn arrives(&mut self, _: SyncId, _: usize) {}

    fn gave_up(&mut self, sync: SyncId, who: usize) {
        let row = self.row(who);
        row.until.store(0, Relaxed);
        row.left.store(self.at, Relaxed);
        if self.kind(sync) == SyncKind::Condvar {
            return row.noticed.store(self.at, Relaxed);
        }
        self.takes_back_urgency(sync);
        self.resumes(who);
    }

    fn gives_up(&self, who: usize) -> bool {
        let until = self.row(who).until.load(Relaxed);
        until != 0 && until <= self.at
    }
}
