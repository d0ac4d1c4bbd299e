//! The original priority ceiling protocol: who may have a free lock, and who is in its way.
//!
//! A lock of the kind is granted only to who is more urgent than the ceilings of all locks of the kind that others hold.
//! Otherwise it waits, be the lock free, for whoever holds the one with the highest of these ceilings. Whether somebody who
//! waits may have its lock is asked whenever such a lock is given back: the most urgent first.

use std::cmp::Reverse;

use super::{Goes, Rows, Waiter};
use crate::ids::SyncId;

/// Is it a lock with an original ceiling?
#[inline]
pub(crate) fn governs<T: Rows>(rows: &T, lock: SyncId) -> bool {
    let ceilings = rows.ceilings();
    !ceilings.is_empty() && ceilings.binary_search_by_key(&lock, |(known, _)| *known).is_ok()
}

/// Of the locks that others hold, the one with the highest ceiling, the first among equals; and who holds it.
pub fn in_the_way<T: Rows>(rows: &T, who: T::Who) -> Option<(SyncId, i64, T::Who)> {
    rows.highest_held(who)
}

/// May the task have a lock with an original ceiling, if nobody has it?
#[cold]
pub(super) fn may_have<T: Rows>(rows: &T, who: T::Who) -> bool {
    in_the_way(rows, who).is_none_or(|(_, ceiling, _)| rows.urgency(who) > ceiling)
}

/// Such a lock has been given back: whoever may have what it waits for has it.
#[cold]
pub(super) fn given_back<T: Rows>(rows: &mut T, lock: SyncId, who: T::Who) {
    let mut heirs = Vec::new();
    while let Some((lock, place, heir)) = admissible(rows) {
        rows.take(lock, place);
        rows.grant(lock, heir);
        heirs.push((lock, heir.who));
    }
    rows.has_given_back(lock, who);
    rows.ceilings_moved();
    heirs.into_iter().for_each(|(lock, heir)| rows.goes(lock, heir, Goes::On));
}

/// The most urgent who waits for such a lock and may have it; among equals who asked first.
fn admissible<T: Rows>(rows: &T) -> Option<(SyncId, T::Place, Waiter<T::Who>)> {
    let free = rows.awaited_ceilings().into_iter().filter(|lock| rows.is_free(*lock, false));
    let all = free.flat_map(|lock| rows.waiters(lock).map(move |(place, waiter)| (lock, place, waiter)));
    let admitted = all.filter(|(.., waiter)| may_have(rows, waiter.who));
    admitted.min_by_key(|(lock, _, waiter)| (Reverse(rows.urgency(waiter.who)), waiter.asked, *lock))
}
