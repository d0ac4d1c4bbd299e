//! The rules of what tasks synchronise with: who waits, who is next, and what becomes theirs.
//!
//! [`perform`] is one state machine for both arms. Where its rows live, and what follows for a task that waits or goes on,
//! is the business of whoever implements [`Rows`]: the engine keeps them in plain memory, a measured run in shared memory
//! behind one latch.
//!
//! What becomes free goes to who is next by the object's [`Order`]. By [`HandOver::Direct`] it is theirs at that instant,
//! and nobody can take it in between. Otherwise it is free: who is next is told so, and asks again as soon as it runs; who
//! asks before that has it. [`HandOver::Fair`] hands it to those who have waited for long enough, [`HandOver::Kept`] and
//! [`HandOver::Reserved`] let nobody else take it meanwhile.

mod asking;
pub mod ceilings;
pub mod kinds;
mod leaving;
mod rules;

pub use asking::Asking;
pub use leaving::{forget, give_up, leave, move_up};
pub use rules::perform;

use crate::ids::SyncId;
use crate::scenario::{HandOver, Order, Rule, SyncKind};
use crate::time::Time;

/// What somebody waits for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Wants {
    /// To have a lock alone.
    Alone,
    /// To have an rwlock together with other readers.
    Together,
    /// So many permits.
    Permits(u32),
    /// Room for a message.
    Room,
    /// A message.
    Message,
    /// A notification, and then this lock.
    Notice(SyncId),
    /// The other parties.
    Others,
    /// To have a lock back that it has handed on: it is next, before all others.
    Back,
}

/// One who asks for something.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Waiter<Who> {
    /// Who.
    pub who: Who,
    /// Since when.
    pub asked: Time,
    /// What for.
    pub wants: Wants,
}

/// What comes of an operation for the task that does it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Turn {
    /// It goes on.
    GoesOn,
    /// It waits.
    Waits,
    /// It lets others go first, and does the operation again.
    Yields,
    /// It would have to wait, and does without.
    GivesUp,
}

/// How somebody goes on who has been asking for something.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Goes {
    /// It has it, before it had to wait.
    AtOnce,
    /// It waited, and has it now.
    On,
    /// It waited, and does its operation again.
    ToAskAgain,
}

/// Where the objects and those who wait are kept, and what follows for tasks from their turns.
pub trait Rows {
    /// A task.
    type Who: Copy + PartialEq;
    /// A place in a queue, good until the queue changes.
    type Place: Copy;

    /// The present instant.
    fn now(&self) -> Time;
    /// What the object is.
    fn kind(&self, sync: SyncId) -> SyncKind;
    /// How it is handed on.
    fn rule(&self, sync: SyncId) -> Rule;

    /// Could somebody have the lock, alone or together with other readers, as far as those go who have it?
    fn is_free(&self, sync: SyncId, shared: bool) -> bool;
    /// Free permits, messages, parties that have come.
    fn level(&self, sync: SyncId) -> u64;
    /// The same, from now on.
    fn set_level(&mut self, sync: SyncId, level: u64);
    /// What is kept for those who have yet to run: room in a channel for senders, permits, the way out of a barrier.
    fn kept(&self, sync: SyncId) -> u64;
    /// The same, from now on.
    fn set_kept(&mut self, sync: SyncId, kept: u64);

    /// Those who wait, in the order in which they queued.
    fn waiters(&self, sync: SyncId) -> impl Iterator<Item = (Self::Place, Waiter<Self::Who>)>;
    /// What the first and the last of them wait for.
    fn first_and_last(&self, sync: SyncId) -> [Option<Wants>; 2];
    /// Are all who wait known to be equally urgent?
    fn are_alike(&self, sync: SyncId) -> bool;
    /// The most urgent who waits, the first among equals, if that is known without looking at all of them.
    fn most_urgent(&self, sync: SyncId) -> Option<(Self::Place, Waiter<Self::Who>)> {
        let _ = sync;
        None
    }
    /// How urgent a task is at present; larger is more.
    fn urgency(&self, who: Self::Who) -> i64;
    /// The locks with original ceilings, in order, and how urgent who uses them is at most.
    fn ceilings(&self) -> &[(SyncId, i64)];
    /// Who has the lock, alone.
    fn holder(&self, lock: SyncId) -> Option<Self::Who>;
    /// Of the locks with original ceilings that others have, the one with the highest ceiling, the first among equals; and who has it.
    fn highest_held(&self, but: Self::Who) -> Option<(SyncId, i64, Self::Who)> {
        let of_others = |(lock, ceiling): &(SyncId, i64)| {
            let holder = self.holder(*lock).filter(|holder| *holder != but)?;
            Some((*lock, *ceiling, holder))
        };
        let held = self.ceilings().iter().filter_map(of_others);
        held.max_by_key(|(lock, ceiling, _)| (*ceiling, std::cmp::Reverse(*lock)))
    }
    /// The locks with original ceilings for which somebody waits.
    fn awaited_ceilings(&self) -> Vec<SyncId> {
        let locks = self.ceilings().iter().map(|(lock, _)| *lock);
        locks.filter(|lock| self.first_and_last(*lock)[0].is_some()).collect()
    }
    /// Locks with original ceilings have been taken or given back: others may block those who wait for such now.
    fn ceilings_moved(&mut self);
    /// It is the last in the queue, or the first if it wants something [`Wants::Back`].
    fn queue(&mut self, sync: SyncId, waiter: Waiter<Self::Who>);
    /// Takes one out of the queue.
    fn take(&mut self, sync: SyncId, place: Self::Place);
    /// Takes all out of the queue, in the order in which they queued.
    fn take_all(&mut self, sync: SyncId) -> Vec<Waiter<Self::Who>>;

    /// What is remembered of a task that has asked, and will ask again.
    fn asking(&self, who: Self::Who) -> Option<Asking>;
    /// The same, from now on.
    fn set_asking(&mut self, who: Self::Who, asking: Option<Asking>);

    /// What it asked for is its.
    fn grant(&mut self, sync: SyncId, waiter: Waiter<Self::Who>);
    /// The task has a lock no longer; `false` if it had none.
    fn gives_back(&mut self, sync: SyncId, who: Self::Who) -> bool;
    /// The lock, which it had, may be another's now: the urgency that is lent follows.
    fn has_given_back(&mut self, sync: SyncId, who: Self::Who);
    /// The task returns a permit, be it that it had one or not.
    fn returns_permit(&mut self, sync: SyncId, who: Self::Who);
    /// It waits from now on, perhaps for something else than before; if for a lock, it lends its urgency.
    fn waits(&mut self, sync: SyncId, who: Self::Who);
    /// It goes on.
    fn goes(&mut self, sync: SyncId, who: Self::Who, how: Goes);
    /// These are notified by that one.
    fn notified(&mut self, condvar: SyncId, by: Self::Who, waiters: &[Waiter<Self::Who>]);
    /// Of those who are ready this one is next, if it may have the processor of that one, which waits.
    fn hands_processor(&mut self, from: Self::Who, to: Self::Who);
    /// It has come to a barrier.
    fn arrives(&mut self, barrier: SyncId, who: Self::Who);
    /// It had come to a barrier, and has given up before all had.
    fn departs(&mut self, barrier: SyncId, who: Self::Who) {
        let _ = (barrier, who);
    }
    /// It has left the queue of the object, and goes on without what it waited for; at a condition variable, with its lock.
    fn gave_up(&mut self, sync: SyncId, who: Self::Who) {
        let _ = (sync, who);
    }
    /// Does it do without, rather than wait?
    fn gives_up(&self, who: Self::Who) -> bool {
        let _ = who;
        false
    }
}

impl Rule {
    /// Does what becomes free always belong to who is next?
    fn is_direct(&self) -> bool {
        self.hand_over == HandOver::Direct
    }

    /// Does nobody ever do an operation again?
    #[must_use]
    pub fn is_done_once(&self) -> bool {
        self.is_direct() && self.yields == 0
    }

    /// Is what has become free handed to somebody who has waited since then?
    fn hands_over(&self, asked: Time, now: Time) -> bool {
        match self.hand_over {
            HandOver::Direct => true,
            HandOver::Barging | HandOver::Kept | HandOver::Reserved => false,
            HandOver::Fair(after) => now.since(asked) >= after,
        }
    }
}

/// Who is next of those who want something like that, and its place.
fn next<T: Rows>(rows: &T, sync: SyncId, wanted: impl Fn(Wants) -> bool) -> Option<(T::Place, Waiter<T::Who>)> {
    let mut waiters = rows.waiters(sync).filter(|(_, waiter)| wanted(waiter.wants));
    let first = waiters.next()?;
    match rows.rule(sync).order {
        _ if first.1.wants == Wants::Back => Some(first),
        Order::Urgent if !rows.are_alike(sync) => {
            if let Some(best) = rows.most_urgent(sync).filter(|(_, waiter)| wanted(waiter.wants)) {
                return Some(best);
            }
            let mut best = first;
            let mut most = rows.urgency(best.1.who);
            for other in waiters {
                let urgency = rows.urgency(other.1.who);
                if urgency > most {
                    (most, best) = (urgency, other);
                }
            }
            Some(best)
        }
        Order::Urgent | Order::Fifo => Some(first),
        Order::Lifo => waiters.last().or(Some(first)),
    }
}

/// Takes who is next out of the queue.
fn take_next<T: Rows>(rows: &mut T, sync: SyncId, wanted: impl Fn(Wants) -> bool) -> Option<Waiter<T::Who>> {
    let (place, waiter) = next(rows, sync, wanted)?;
    rows.take(sync, place);
    Some(waiter)
}

/// All of those, who have just been taken out of the queue, in the order in which they are next.
fn in_order<T: Rows>(rows: &T, sync: SyncId, waiters: &mut [Waiter<T::Who>]) {
    match rows.rule(sync).order {
        Order::Urgent => waiters.sort_by_key(|waiter| std::cmp::Reverse(rows.urgency(waiter.who))),
        Order::Fifo => {}
        Order::Lifo => waiters.reverse(),
    }
}
