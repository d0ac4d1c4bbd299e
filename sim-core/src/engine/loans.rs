//! What is lent: the urgency that holders of locks have from others, and the locks through which they may have it.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

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
    /// The locks with original ceilings, in order, and these.
    pub(super) ceilings: Vec<(SyncId, i64)>,
    /// Those of them that somebody has, by ceiling.
    held: BTreeSet<(i64, Reverse<SyncId>)>,
    /// Those of them for which somebody waits.
    awaited: BTreeSet<SyncId>,
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

    /// Somebody has the lock, or nobody any more.
    pub(super) fn is_held(&mut self, lock: SyncId, held: bool) {
        let Ok(place) = self.ceilings.binary_search_by_key(&lock, |(known, _)| *known) else { return };
        let key = (self.ceilings[place].1, Reverse(lock));
        if held {
            self.held.insert(key)
        } else {
            self.held.remove(&key)
        };
    }

    /// Somebody waits for the lock, or nobody any more.
    #[cold]
    pub(super) fn is_awaited(&mut self, lock: SyncId, awaited: bool) {
        if self.ceilings.binary_search_by_key(&lock, |(known, _)| *known).is_ok() {
            if awaited {
                self.awaited.insert(lock)
            } else {
                self.awaited.remove(&lock)
            };
        }
    }

    /// The locks with original ceilings that somebody has, the highest ceiling first, and these.
    pub(super) fn held(&self) -> impl Iterator<Item = (SyncId, i64)> {
        self.held.iter().rev().map(|(ceiling, Reverse(lock))| (*lock, *ceiling))
    }

    /// The locks with original ceilings for which somebody waits, in order.
    pub(super) fn awaited(&self) -> impl Iterator<Item = SyncId> {
        self.awaited.iter().copied()
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
