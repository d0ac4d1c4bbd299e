//! Those who are not preempted: who holds a lock whose `protocol` is `"non-preemptive"` keeps its processor, whatever the policy
//! says, until it gives the lock back or blocks. A slice that ends meanwhile ends then.

use std::collections::BTreeMap;

use crate::ids::{CpuId, TaskId};
use crate::time::Time;

/// Who holds such locks.
#[derive(Default)]
pub(super) struct Shields {
    holders: BTreeMap<TaskId, Shield>,
    /// Is the policy being asked whom somebody displaces? Then it sees that those cannot be.
    pub(super) are_up: bool,
}

#[derive(Default)]
struct Shield {
    /// How many such locks it has.
    locks: u32,
    /// Where, and in the turn that began when, its slice has ended.
    overdue: Option<(CpuId, Time)>,
}

impl Shields {
    /// Does nobody hold such a lock?
    #[inline]
    pub(super) fn are_none(&self) -> bool {
        self.holders.is_empty()
    }

    /// The task has one more.
    pub(super) fn gets(&mut self, task: TaskId) {
        self.holders.entry(task).or_default().locks += 1;
    }

    /// Does it hold such a lock?
    pub(super) fn has(&self, task: TaskId) -> bool {
        self.holders.contains_key(&task)
    }

    /// It has one less. Was it the last? Then where, and in the turn that began when, its slice has ended meanwhile.
    pub(super) fn gives_back(&mut self, task: TaskId) -> Option<Option<(CpuId, Time)>> {
        let shield = self.holders.get_mut(&task)?;
        shield.locks -= 1;
        if shield.locks > 0 {
            return None;
        }
        self.holders.remove(&task).map(|shield| shield.overdue)
    }

    /// Its slice has ended there, in the turn that began then.
    pub(super) fn outlasts(&mut self, task: TaskId, turn: (CpuId, Time)) {
        if let Some(shield) = self.holders.get_mut(&task) {
            shield.overdue = Some(turn);
        }
    }
}
