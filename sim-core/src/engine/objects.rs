//! Synchronisation objects: who has each, and who waits for it.

use std::collections::{BTreeSet, VecDeque};

use crate::ids::{SpecId, SyncId, TaskId};
use crate::scenario::{Op, Scenario, Spec, SyncKind, SyncOp};
use crate::sync::{Waiter, Wants};
use crate::time::Time;

/// What a synchronisation object remembers.
pub(super) struct SyncState {
    /// Who has it: one for each permit, for a semaphore.
    pub(super) holders: Vec<Holder>,
    /// Who waits, in the order of asking.
    pub(super) waiters: VecDeque<Waiter<TaskId>>,
    /// How urgent all are who wait, if they are alike: then the first is the most urgent, and nobody has to look.
    alike: Option<i64>,
    /// Free permits of a semaphore, messages in a channel, parties that have come to a barrier, notifications of a condition
    /// variable that were lost.
    pub(super) level: u64,
    /// Room in a channel that is kept for senders who have yet to run.
    pub(super) kept: u64,
    /// When the last notification was lost.
    pub(super) lost: Time,
    /// The most urgent task that uses it, if it is a lock with a ceiling; of all tasks, if nobody preempts who holds it.
    pub(super) ceiling: SpecId,
}

#[derive(Clone, Copy)]
pub(super) struct Holder {
    pub(super) task: TaskId,
    pub(super) asked: Time,
    pub(super) since: Time,
    pub(super) shared: bool,
    /// Is it a further permit of a request for several?
    pub(super) further: bool,
}

impl SyncState {
    pub(super) fn new(kind: SyncKind) -> SyncState {
        let level = if let SyncKind::Semaphore { permits } = kind { u64::from(permits) } else { 0 };
        let ceiling = SpecId::NONE;
        let (holders, waiters) = (Vec::new(), VecDeque::new());
        SyncState { holders, waiters, alike: None, level, kept: 0, lost: Time::NEVER, ceiling }
    }

    /// Somebody of this urgency waits from now on.
    pub(super) fn queue(&mut self, waiter: Waiter<TaskId>, urgency: i64) {
        let alike = self.waiters.is_empty() || self.alike == Some(urgency);
        self.alike = alike.then_some(urgency);
        match waiter.wants {
            Wants::Back => self.waiters.push_front(waiter),
            _ => self.waiters.push_back(waiter),
        }
    }

    /// Is the first of those who wait the most urgent, since all are alike?
    pub(super) fn are_alike(&self) -> bool {
        self.alike.is_some()
    }

    /// One of those who wait has become more urgent.
    pub(super) fn differ(&mut self) {
        self.alike = None;
    }
}

/// Which tasks give permits of which semaphores back. Others use them up: nobody waits for them to return one.
pub(super) fn returners(scenario: &Scenario) -> BTreeSet<(SpecId, SyncId)> {
    let of = |(id, spec): (SpecId, &Spec)| {
        let returned = |op: &Op| if let Op::Sync(SyncOp::Release(sync, _)) = op { Some(*sync) } else { None };
        spec.program.ops.iter().filter_map(returned).map(|sync| (id, sync)).collect::<Vec<_>>()
    };
    scenario.specs.pairs().flat_map(of).collect()
}
