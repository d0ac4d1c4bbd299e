//! What tasks synchronise with, usable by threads, async tasks and child processes at once.
//!
//! All state lies in shared memory behind one [`Latched`]: so whatever is done to any object is done in one instant, as
//! in the simulator, and has a stamp that no other operation has. The rules are those of [`sim_core::sync`], by which the
//! simulator goes too. Who waits is a row of a table; how a waiter is woken (a futex, or the waker of an async task) is the
//! caller's business.

mod deal;
mod dropping;
mod overdue;
#[cfg(test)]
mod tests;

use std::sync::atomic::{AtomicI64, AtomicU32, AtomicU64, Ordering};

use sim_core::ids::{IdVec, SpecId, SyncId, VariableId};
use sim_core::scenario::{Change, Condition, Protocol, Rule, Scenario, SyncKind, SyncObject, SyncOp};
use sim_core::sync::{Turn, perform};

use crate::play::shared::{Table, row};
use crate::sys;
use deal::Deal;

/// A mutex between processes, held for some instructions at a time. The word is the thread that has it, or 0; and
/// [`WANTED`] beside it if others may be waiting.
///
/// It is given back even if what is done under it panics, and taken over from a process that was killed inside: what it
/// protects may be half done then, but whoever sees to the end of the run is not locked out.
#[derive(Default)]
pub(crate) struct Latched {
    word: AtomicU32,
}

row!(Latched { word: AtomicU32 });

/// Somebody may be waiting for a [`Latched`]. The kernel's thread ids are smaller.
const WANTED: u32 = 1 << 31;

/// Who has waited so long looks whether the holder still lives.
const PATIENCE: u64 = 50_000_000;

impl Latched {
    /// Runs `body` alone.
    pub(crate) fn with<R>(&self, body: impl FnOnce() -> R) -> R {
        let _held = self.take();
        body()
    }

    fn take(&self) -> Held<'_> {
        let me = sys::thread_id();
        let mut mine = me;
        while self.word.compare_exchange(0, mine, Ordering::Acquire, Ordering::Relaxed).is_err() {
            // Others may be waiting as well: who leaves has to look.
            mine = me | WANTED;
            let holder = self.word.fetch_or(WANTED, Ordering::Relaxed) | WANTED;
            if holder == WANTED {
                // It has just become free: nobody has it, and the mark is as good as ours.
                let taken = self.word.compare_exchange(WANTED, mine, Ordering::Acquire, Ordering::Relaxed);
                if taken.is_ok() {
                    break;
                }
                continue;
            }
            let patience = sys::now() + PATIENCE;
            sys::futex_wait(&self.word, holder, patience);
            let is_stuck = sys::now() >= patience && self.word.load(Ordering::Relaxed) == holder;
            if is_stuck
                && sys::is_gone(holder & !WANTED)
                && self.word.compare_exchange(holder, mine, Ordering::Acquire, Ordering::Relaxed).is_ok()
            {
                break;
            }
        }
        Held { word: &self.word }
    }
}

/// That a [`Latched`] is held; given back when this is dropped.
struct Held<'a> {
    word: &'a AtomicU32,
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        if self.word.swap(0, Ordering::Release) & WANTED != 0 {
            sys::futex_wake(self.word, 1);
        }
    }
}

/// An instance of a task as one who waits.
#[derive(Default)]
pub(crate) struct Row {
    /// 1 while it waits.
    pub(crate) word: AtomicU32,
    /// The next in the queue, or of those who go on, plus one.
    next: AtomicU32,
    /// What it waits for.
    wants: AtomicU32,
    /// How many permits; or which lock, be it after a notification.
    amount: AtomicU32,
    /// Since when.
    asked: AtomicU64,
    /// 1 if it asks again as long as others come first, 2 if it was notified before that, 3 if room is kept for it; else 0.
    asking: AtomicU32,
    /// How often it has let others go first.
    yielded: AtomicU32,
    /// How often it has queued.
    queued: AtomicU32,
    /// 1 if it has to ask again, now that it need not wait any more.
    again: AtomicU32,
    /// Its own urgency.
    own: AtomicI64,
    /// That, or what it is lent; larger goes on first.
    urgency: AtomicI64,
    /// The thread that can be lent urgency, if it has one of its own; else 0.
    pub(crate) thread: AtomicU32,
    /// When it was notified; 0 is not yet.
    pub(crate) noticed: AtomicU64,
    /// When what it last waited for was granted; 0 is not yet.
    pub(crate) granted: AtomicU64,
    /// The object at which it queues, plus one; [`overdue::JOINS`] if it joins others; 0 is nowhere.
    place: AtomicU32,
    /// 1 if it is an async task, which leaves its place only when its loop has noticed that its time is up.
    polled: AtomicU32,
    /// When it began what it may give up.
    began: AtomicU64,
    /// When it gives that up; 0 is never.
    until: AtomicU64,
    /// When it gave it up; 0 is not yet.
    left: AtomicU64,
}

row!(Row {
    word: AtomicU32,
    next: AtomicU32,
    wants: AtomicU32,
    amount: AtomicU32,
    asked: AtomicU64,
    asking: AtomicU32,
    yielded: AtomicU32,
    queued: AtomicU32,
    again: AtomicU32,
    own: AtomicI64,
    urgency: AtomicI64,
    thread: AtomicU32,
    noticed: AtomicU64,
    granted: AtomicU64,
    place: AtomicU32,
    polled: AtomicU32,
    began: AtomicU64,
    until: AtomicU64,
    left: AtomicU64,
});

impl Row {
    /// How urgent it is, unless it is lent more.
    pub(crate) fn set_urgency(&self, urgency: i64) {
        self.own.store(urgency, Ordering::Relaxed);
        self.urgency.store(urgency, Ordering::SeqCst);
    }

    /// How urgent it is, with what it is lent.
    pub(crate) fn urgency(&self) -> i64 {
        self.urgency.load(Ordering::SeqCst)
    }

    /// Must it ask again, now that it need not wait any more? Says so once.
    pub(crate) fn asks_again(&self) -> bool {
        self.again.swap(0, Ordering::Relaxed) == 1
    }

    /// The lock that it has again after a notification.
    pub(crate) fn lock(&self) -> SyncId {
        SyncId(self.amount.load(Ordering::Relaxed))
    }
}

/// A synchronisation object.
struct Object {
    /// Who has it alone, plus one.
    holder: AtomicU32,
    /// How many readers have it.
    readers: AtomicU32,
    /// Free permits, messages, or who has come to a barrier.
    level: AtomicU64,
    /// Room that is kept for senders who have yet to run.
    kept: AtomicU64,
    /// Who waits, in the order of asking: the first, plus one.
    first: AtomicU32,
    /// The last, plus one.
    last: AtomicU32,
}

row!(Object {
    holder: AtomicU32,
    readers: AtomicU32,
    level: AtomicU64,
    kept: AtomicU64,
    first: AtomicU32,
    last: AtomicU32
});

/// One operation after the other.
struct Order {
    latch: Latched,
    /// The last stamp.
    stamp: AtomicU64,
    /// When the next of those who wait gives up, or earlier.
    next: AtomicU64,
    /// Grows when somebody gives up earlier than anybody before.
    bell: AtomicU32,
    /// More than any instance has that ever waited and may give up.
    waited: AtomicU32,
}

row!(Order { latch: Latched, stamp: AtomicU64, next: AtomicU64, bell: AtomicU32, waited: AtomicU32 });

/// All synchronisation objects of a run, and all who may wait for them.
pub(crate) struct Objects {
    /// What they are, and how they are handed on.
    kinds: IdVec<SyncId, (SyncKind, Rule)>,
    /// How holders are lent urgency, and how much by the lock itself.
    protocols: IdVec<SyncId, (Protocol, i64)>,
    /// The locks with original ceilings, and these.
    ceilings: Vec<(SyncId, i64)>,
    order: Table<Order>,
    objects: Table<Object>,
    waiters: Table<Row>,
    /// What the variables are.
    variables: Table<AtomicI64>,
}

/// What came of an operation.
#[derive(Clone, Debug)]
pub(crate) struct Done {
    /// When it was done: later than all operations before.
    pub(crate) at: u64,
    /// Must the instance wait until its word is zero, or let others go first and do it again?
    pub(crate) turn: Turn,
    /// How many were notified.
    pub(crate) notified: u32,
    /// Whose urgency is another now.
    pub(crate) changed: Vec<usize>,
    /// Whose time was up while they joined others.
    pub(crate) joined: Vec<usize>,
    /// The first of those who go on, plus one.
    woken: u32,
}

impl Done {
    /// Must the instance wait until its word is zero?
    pub(crate) fn waits(&self) -> bool {
        self.turn == Turn::Waits
    }
}

impl Objects {
    /// The objects as they are at first, for up to `capacity` instances. `urgency` is that of tasks if it can be lent.
    pub(crate) fn new(
        scenario: &Scenario,
        capacity: usize,
        urgency: Option<&IdVec<SpecId, i64>>,
    ) -> std::io::Result<Objects> {
        let kinds: IdVec<_, _> = scenario.syncs.iter().map(|object| (object.kind, object.rule)).collect();
        let objects = Table::<Object>::zeros(kinds.len())?;
        for (object, (kind, _)) in objects.iter().zip(&kinds) {
            if let SyncKind::Semaphore { permits } = kind {
                object.level.store(u64::from(*permits), Ordering::Relaxed);
            }
        }
        let protocol = |(id, object): (SyncId, &SyncObject)| match urgency {
            None => (Protocol::None, i64::MIN),
            Some(urgency) => (object.protocol, ceiling(scenario, id, urgency)),
        };
        let protocols: IdVec<SyncId, (Protocol, i64)> = scenario.syncs.pairs().map(protocol).collect();
        let original = |(id, (protocol, ceiling)): (SyncId, &(Protocol, i64))| {
            (*protocol == Protocol::OriginalCeiling).then_some((id, *ceiling))
        };
        let ceilings = protocols.pairs().filter_map(original).collect();
        let variables = Table::<AtomicI64>::zeros(scenario.variables.len())?;
        for (now, variable) in variables.iter().zip(&scenario.variables) {
            now.store(variable.value, Ordering::Relaxed);
        }
        let (order, waiters) = (Table::<Order>::zeros(1)?, Table::zeros(capacity)?);
        order[0].next.store(u64::MAX, Ordering::Relaxed);
        Ok(Objects { kinds, protocols, ceilings, order, objects, waiters, variables })
    }

    /// Changes a variable: when, and what it is now.
    pub(crate) fn change(&self, variable: VariableId, change: Change) -> (u64, i64) {
        let now = &self.variables[variable.0 as usize];
        self.stamped(|| {
            let value = change.of(now.load(Ordering::Relaxed));
            now.store(value, Ordering::Relaxed);
            value
        })
    }

    /// Does that hold? And when it did, or did not.
    pub(crate) fn look(&self, condition: &Condition) -> (u64, bool) {
        self.stamped(|| condition.holds(|variable| self.value(variable)))
    }

    /// What a variable is.
    pub(crate) fn value(&self, variable: VariableId) -> i64 {
        self.variables[variable.0 as usize].load(Ordering::Relaxed)
    }

    /// Does something between two operations of others, with a stamp of its own.
    fn stamped<R>(&self, body: impl FnOnce() -> R) -> (u64, R) {
        self.order[0].latch.with(|| {
            let stamp = &self.order[0].stamp;
            let at = sys::now().max(stamp.load(Ordering::Relaxed) + 1);
            stamp.store(at, Ordering::Relaxed);
            (at, body())
        })
    }

    /// An instance as one who waits.
    #[inline]
    pub(crate) fn waiter(&self, id: usize) -> &Row {
        &self.waiters[id]
    }

    /// Instance `who` does something to an object. Whoever goes on because of it must be woken: see [`Objects::woken`].
    pub(crate) fn perform(&self, who: usize, op: SyncOp) -> Done {
        let next = self.order[0].next.load(Ordering::Relaxed);
        let done = self.order[0].latch.with(|| self.perform_at(who, op, sys::now()));
        self.may_be_earlier(next);
        done
    }

    /// The same with the latch held, at this time, or a little later: each operation has a stamp of its own.
    fn perform_at(&self, who: usize, op: SyncOp, now: u64) -> Done {
        self.deal_at(now, |deal| perform(deal, who, op))
    }

    /// Does something to objects with the latch held, at this time or a little later, after those have gone whose time was up.
    fn deal_at(&self, now: u64, does: impl FnOnce(&mut Deal<'_>) -> Turn) -> Done {
        let stamp = &self.order[0].stamp;
        let mut deal = Deal::new(self, now.max(stamp.load(Ordering::Relaxed) + 1));
        if self.order[0].next.load(Ordering::Relaxed) < deal.at {
            overdue::go(&mut deal);
        }
        let at = deal.at;
        let turn = does(&mut deal);
        stamp.store(deal.at, Ordering::Relaxed);
        let woken = deal.woken();
        Done { at, turn, notified: deal.notified, woken, changed: deal.changed, joined: deal.joined }
    }

    /// Those who go on, in this order; each stays as it is until its word is set to zero, after it has been told.
    pub(crate) fn woken(&self, done: &Done) -> impl Iterator<Item = usize> {
        let mut next = done.woken;
        std::iter::from_fn(move || {
            let id = (next as usize).checked_sub(1)?;
            next = self.waiters[id].next.load(Ordering::Relaxed);
            Some(id)
        })
    }
}

/// The urgency of the most urgent task that uses a lock; of all tasks, if nobody preempts who holds it.
fn ceiling(scenario: &Scenario, sync: SyncId, urgency: &IdVec<SpecId, i64>) -> i64 {
    let all = scenario.syncs[sync].protocol == Protocol::NonPreemptive;
    let users = scenario.specs.pairs().filter(|(_, spec)| all || spec.program.locks(sync));
    users.map(|(id, _)| urgency[id]).max().unwrap_or(i64::MIN)
}
