//! Tasks that run in the places of those who called for them, since their pools were full (`when-full = "caller-runs"`).

use std::collections::BTreeMap;

use crate::ids::TaskId;

/// Who runs in whose place. A guest may have a guest itself.
#[derive(Default)]
pub(super) struct Guests {
    hosts: BTreeMap<TaskId, TaskId>,
}

impl Guests {
    /// Does everybody run in a place of its own?
    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.hosts.is_empty()
    }

    /// `guest` is in the place of `host` from now on.
    pub(super) fn comes(&mut self, guest: TaskId, host: TaskId) {
        self.hosts.insert(guest, host);
    }

    /// In whose place the task is, if it is a guest.
    pub(super) fn host(&self, guest: TaskId) -> Option<TaskId> {
        self.hosts.get(&guest).copied()
    }

    /// Who is in the place of the task.
    pub(super) fn of(&self, host: TaskId) -> Option<TaskId> {
        self.hosts.iter().find(|(_, of)| **of == host).map(|(guest, _)| *guest)
    }

    /// The task is no guest any more: whose was it, if it was one?
    pub(super) fn leaves(&mut self, guest: TaskId) -> Option<TaskId> {
        self.hosts.remove(&guest)
    }
}
