//! Those whose time is up for what they wait for.
//!
//! Whose time was up before an operation of somebody else has gone by then: so it does not matter when anybody notices, and what
//! was granted at that very time is had. A thread of ours looks when the time comes, so that they learn of it, and holders of
//! locks are no longer lent what they were. Async tasks keep their places until their loop has noticed.

use std::sync::atomic::Ordering::{Relaxed, SeqCst};

use sim_core::ids::SyncId;
use sim_core::sync::{Turn, give_up};

use super::deal::Deal;
use super::{Done, Objects, Row};
use crate::sys;

/// The place of those who join others.
pub(super) const JOINS: u32 = u32::MAX;

/// It queues there.
pub(super) fn queues(all: &Objects, who: usize, sync: SyncId) {
    all.waiters[who].place.store(sync.0 + 1, Relaxed);
    waits(all, who);
}

/// It waits, and may give up.
fn waits(all: &Objects, who: usize) {
    let (row, order) = (&all.waiters[who], &all.order[0]);
    if let Some(until) = row.is_due() {
        order.next.fetch_min(until, Relaxed);
        order.waited.fetch_max(u32::try_from(who + 1).unwrap_or(u32::MAX), Relaxed);
    }
}

/// All those give up, in order, whose time was up before the present stamp.
pub(super) fn go(deal: &mut Deal<'_>) {
    let (all, now) = (deal.all, deal.at);
    let rows = || all.waiters.iter().take(all.order[0].waited.load(Relaxed) as usize).enumerate();
    let due = rows().filter_map(|(who, row)| Some((row.is_due()?, row.began.load(Relaxed), who)));
    let mut due: Vec<(u64, u64, usize)> = due.filter(|(until, ..)| *until < now).collect();
    due.sort_unstable();
    deal.at = all.order[0].stamp.load(Relaxed);
    for (until, _, who) in due {
        deal.at = until.max(deal.at);
        let row = deal.row(who);
        match row.place.load(Relaxed) {
            // What another left behind is its.
            0 => {}
            JOINS => {
                row.place.store(0, Relaxed);
                row.left.store(until, SeqCst);
                deal.joined.push(who);
            }
            place => _ = give_up(deal, SyncId(place - 1), who),
        }
    }
    deal.at = now.max(deal.at + 1);
    let next = rows().filter_map(|(_, row)| row.is_due()).min();
    all.order[0].next.store(next.unwrap_or(u64::MAX), Relaxed);
}

impl Row {
    /// It begins something now that it gives up then, if it has not got it: 0 is never.
    pub(crate) fn attempts(&self, began: u64, until: u64, polled: bool) {
        self.began.store(began, Relaxed);
        self.until.store(until, Relaxed);
        self.left.store(0, Relaxed);
        self.polled.store(u32::from(polled), Relaxed);
    }

    /// It is at that no more.
    pub(crate) fn attempts_no_more(&self) {
        self.attempts(0, 0, false);
    }

    /// While it waits: does it leave its place only when its loop has noticed that its time is up?
    pub(crate) fn is_polled(&self, polled: bool) {
        self.polled.store(u32::from(polled), Relaxed);
    }

    /// When it gave up what it waited for, and when it had begun that.
    pub(crate) fn left(&self) -> Option<(u64, u64)> {
        let at = self.left.load(SeqCst);
        (at != 0).then(|| (at, self.began.load(Relaxed)))
    }

    /// When it began what it may give up, if it is at that.
    pub(crate) fn began(&self) -> Option<u64> {
        Some(self.began.load(Relaxed)).filter(|began| *began != 0)
    }

    /// Does it give up by itself what it waits for, at some time?
    pub(crate) fn may_leave(&self) -> bool {
        self.until.load(Relaxed) != 0
    }

    /// When it gives up what it waits for, if it has not got it by then; the largest number is never.
    pub(crate) fn until(&self) -> u64 {
        match self.until.load(Relaxed) {
            0 => u64::MAX,
            until => until,
        }
    }

    /// When it gives up by itself, whatever its loop does.
    fn is_due(&self) -> Option<u64> {
        let until = self.until.load(Relaxed);
        (until != 0 && self.place.load(Relaxed) != 0 && self.polled.load(Relaxed) == 0).then_some(until)
    }
}

impl Objects {
    /// Who gives up next may do so earlier now than was known: whoever watches looks again.
    pub(super) fn may_be_earlier(&self, than: u64) {
        let order = &self.order[0];
        if order.next.load(Relaxed) < than {
            order.bell.fetch_add(1, SeqCst);
            sys::futex_wake(&order.bell, 1);
        }
    }

    /// The instance joins others, and may give that up.
    pub(crate) fn joins(&self, who: usize) {
        let next = self.order[0].next.load(Relaxed);
        self.order[0].latch.with(|| {
            self.waiters[who].place.store(JOINS, Relaxed);
            waits(self, who);
        });
        self.may_be_earlier(next);
    }

    /// It joins them no more.
    pub(crate) fn joins_no_more(&self, who: usize) {
        self.order[0].latch.with(|| self.waiters[who].place.store(0, Relaxed));
    }

    /// The loop of the instance has noticed that its time is up: it gives up what it waits for, unless that is its.
    pub(crate) fn gives_up(&self, who: usize) -> Done {
        self.order[0].latch.with(|| {
            self.deal_at(sys::now(), |deal| {
                match deal.row(who).place.load(Relaxed) {
                    0 => {}
                    JOINS => deal.row(who).left.store(deal.at, SeqCst),
                    place => _ = give_up(deal, SyncId(place - 1), who),
                }
                Turn::GoesOn
            })
        })
    }

    /// All those give up whose time is up.
    pub(crate) fn lets_go(&self) -> Done {
        self.order[0].latch.with(|| self.deal_at(sys::now(), |_| Turn::GoesOn))
    }

    /// Waits until somebody's time is up; at most until then. Is it?
    pub(crate) fn watch(&self, at_most: u64) -> bool {
        let order = &self.order[0];
        let heard = order.bell.load(SeqCst);
        let next = order.next.load(SeqCst);
        if next < sys::now() {
            return true;
        }
        sys::futex_wait(&order.bell, heard, next.saturating_add(1).min(at_most));
        false
    }

    /// Lets whoever watches look whether the run is over.
    pub(crate) fn wake_watch(&self) {
        self.order[0].bell.fetch_add(1, SeqCst);
        sys::futex_wake(&self.order[0].bell, i32::MAX);
    }
}
