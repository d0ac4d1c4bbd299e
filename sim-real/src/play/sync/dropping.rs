//! Those who end where they stand: whatever they wait for, they wait for it no more.

use std::sync::atomic::Ordering::Relaxed;

use sim_core::ids::SyncId;
use sim_core::scenario::SyncOp;
use sim_core::sync::{Rows as _, Turn, forget, leave, move_up};

use super::overdue::JOINS;
use super::{Done, Objects};
use crate::sys;

impl Objects {
    /// The instance, which is at this operation, ends where it stands. Had it not been given what it wanted?
    pub(crate) fn drops(&self, who: usize, op: SyncOp) -> (Done, bool) {
        let mut in_vain = true;
        let done = self.order[0].latch.with(|| {
            self.deal_at(sys::now(), |deal| {
                let row = deal.row(who);
                match row.place.load(Relaxed) {
                    // It was to ask again, and others may ask instead.
                    0 if row.asks_again() || deal.asking(who).is_some() => forget(deal, op, who),
                    0 => in_vain = false,
                    JOINS => row.place.store(0, Relaxed),
                    place => {
                        let sync = SyncId(place - 1);
                        leave(deal, sync, who);
                        deal.takes_back_urgency(sync);
                        move_up(deal, sync);
                    }
                }
                Turn::GoesOn
            })
        });
        (done, in_vain)
    }
}
