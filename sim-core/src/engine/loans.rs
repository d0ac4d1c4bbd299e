//! What is lent: the urgency that holders of locks have from others, and the locks through which they may have it.

use std::collections::BTreeMap;

use crate::ids::{SpecId, SyncId, TaskId};
use crate::time::Time;

/// How urgent somebody is: as this task, with this deadline.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Standing {
    pub(super) spec: SpecId,
    pub(super) deadline: Time,
    pub(super) place: u32,
}

/// Only those have anything here who hold locks whose holders are lent urgency.
#[derive(Default)]
pub(super) struct Loans {
    /// The urgency that tasks are lent, where it is more than their own.
    lent: BTreeMap<TaskId, Standing>,
    /// The locks through which each task may be lent urgency, in the order in which it got them; never none.
    locks: BTreeMap<TaskId, Vec<SyncId>>,
    /// The locks with original ceilings, and these.
    pub(super) ceilings: Vec<(SyncId, i64)>,
}

impl Loans {
    /// Is nobody lent any urgency?
    pub(super) fn is_empty(&self) -> bool {
        self.lent.is_empty()
    }

    /// What the task is lent.
    pub(super) fn to(&self, task: TaskId) -> Option<&Standing> {
        self.lent.get(&task)
    }

    /// The task is lent this from now on, or nothing.
    pub(super) fn lend(&mut self, task: TaskId, standing: Option<Standing>) {
        match standing {
            Some(standing) => self.lent.insert(task, standing),
            None => self.lent.remove(&task),
        };
    }

    /// The locks through which the task may be lent urgency.
    pub(super) fn locks(&self, task: TaskId) -> &[SyncId] {
        self.locks.get(&task).map_or(&[], Vec::as_slice)
    }

    /// The task has such a lock.
    pub(super) fn gets(&mut self, task: TaskId, lock: SyncId) {
        self.locks.entry(task).or_default().push(lock);
    }

    /// The task gives such a lock back, the one that it got last if it has it several times.
    pub(super) fn gives_back(&mut self, task: TaskId, lock: SyncId) {
        let Some(locks) = self.locks.get_mut(&task) else { return };
        if let Some(place) = locks.iter().rposition(|held| *held == lock) {
            locks.remove(place);
        }
        if locks.is_empty() {
            self.locks.remove(&task);
        }
    }
}
