//! What the policy of one processor sees.

use super::HERE;
use crate::policy::{Attributes, Floor, Lent, Slot, Who};
use crate::time::{Span, Time};

/// The floor as the policy of one processor sees it: that processor, and the door to another.
pub(super) struct Local<'a> {
    pub(super) floor: &'a dyn Floor,
    pub(super) here: Slot,
    /// The processor to which the door leads now.
    pub(super) door: Option<Slot>,
}

impl Floor for Local<'_> {
    fn slots(&self) -> usize {
        1
    }

    fn running(&self, slot: Slot) -> Option<Who> {
        if slot == HERE { self.floor.running(self.here) } else { None }
    }

    fn attributes(&self, who: Who) -> &Attributes {
        self.floor.attributes(who)
    }

    fn allowed(&self, who: Who, slot: Slot) -> bool {
        let slot = if slot == HERE { Some(self.here) } else { self.door };
        slot.is_some_and(|slot| self.floor.allowed(who, slot))
    }

    fn stands_still(&self, who: Who) -> bool {
        self.floor.stands_still(who)
    }

    fn has_quotas(&self) -> bool {
        self.floor.has_quotas()
    }

    fn may_live(&self, who: Who, slot: Slot) -> bool {
        let slot = if slot == HERE { Some(self.here) } else { self.door };
        slot.is_some_and(|slot| self.floor.may_live(who, slot))
    }

    fn burst(&self, who: Who) -> Span {
        self.floor.burst(who)
    }

    fn deadline(&self, who: Who) -> Time {
        self.floor.deadline(who)
    }

    fn work_left(&self, who: Who) -> Span {
        self.floor.work_left(who)
    }

    fn place(&self, who: Who) -> u32 {
        self.floor.place(who)
    }

    fn lent(&self, who: Who) -> Option<Lent<'_>> {
        self.floor.lent(who)
    }

    fn ran(&self, who: Who) -> Span {
        self.floor.ran(who)
    }
}
