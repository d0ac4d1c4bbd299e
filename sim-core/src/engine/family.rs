//! Who was spawned by whom.

use std::collections::BTreeMap;

use crate::ids::{Id as _, SpecId, TaskId};

/// Who was spawned by whom, and who waits for the end of those it spawned.
#[derive(Default)]
pub(super) struct Family {
    /// How many instances arrive by themselves; all others were spawned, and come after them.
    unspawned: usize,
    /// By whom each of the others was spawned.
    parents: Vec<TaskId>,
    /// Spawned and unfinished instances, by parent and task.
    children: BTreeMap<(TaskId, SpecId), u32>,
    /// Whose ends those wait for that are blocked in a join.
    joins: BTreeMap<TaskId, SpecId>,
}

impl Family {
    /// So many instances arrive by themselves.
    pub(super) fn begins_after(&mut self, unspawned: usize) {
        self.unspawned = unspawned;
    }

    /// Who spawned the instance; [`TaskId::NONE`] if nobody did.
    #[inline]
    pub(super) fn parent_of(&self, id: TaskId) -> TaskId {
        let spawned = id.index().checked_sub(self.unspawned);
        spawned.and_then(|index| self.parents.get(index)).copied().unwrap_or(TaskId::NONE)
    }

    /// Has the instance spawned some of this task that have not finished?
    pub(super) fn has_children(&self, parent: TaskId, spec: SpecId) -> bool {
        self.children.contains_key(&(parent, spec))
    }

    /// The instance waits for the end of those it spawned.
    pub(super) fn awaits_children(&mut self, parent: TaskId, spec: SpecId) {
        self.joins.insert(parent, spec);
    }

    /// Whose end does the instance wait for, or did so last?
    pub(super) fn joined_by(&self, parent: TaskId) -> SpecId {
        self.joins.get(&parent).copied().unwrap_or(SpecId::NONE)
    }

    pub(super) fn is_born(&mut self, parent: TaskId, spec: SpecId) {
        self.parents.push(parent);
        *self.children.entry((parent, spec)).or_insert(0) += 1;
    }

    /// Nobody waits any more for the end of this one, which the instance spawned.
    pub(super) fn disowns(&mut self, parent: TaskId, spec: SpecId, child: TaskId) {
        self.loses_child(parent, spec);
        if let Some(known) = child.index().checked_sub(self.unspawned).and_then(|index| self.parents.get_mut(index)) {
            *known = TaskId::NONE;
        }
    }

    /// One of those that the instance spawned has finished. Was it the last of this task?
    pub(super) fn loses_child(&mut self, parent: TaskId, spec: SpecId) -> bool {
        let Some(left) = self.children.get_mut(&(parent, spec)) else { return false };
        *left -= 1;
        let last = *left == 0;
        if last {
            self.children.remove(&(parent, spec));
        }
        last
    }
}
