//! Synchronisation objects: who has each, and who waits for it.

use std::collections::{BTreeSet, VecDeque};

use super::ranks::{MANY, Ranks, Urgency};
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
    /// How urgent each is who waits, where many do and that decides something.
    ranks: Option<Box<Ranks>>,
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
        SyncState { holders, waiters, alike: None, ranks: None, level, kept: 0, lost: Time::NEVER, ceiling }
    }

    /// Somebody of this urgency waits from now on.
    pub(super) fn queue(&mut self, waiter: Waiter<TaskId>, urgency: Urgency) {
        let alike = self.waiters.is_empty() || self.alike == Some(urgency.0);
        self.alike = alike.then_some(urgency.0);
        if let Some(ranks) = &mut self.ranks {
            ranks.add(urgency, waiter.wants == Wants::Back);
        }
        match waiter.wants {
            Wants::Back => self.waiters.push_front(waiter),
            _ => self.waiters.push_back(waiter),
        }
    }

    /// One of those who wait does not any more.
    pub(super) fn take(&mut self, place: usize) {
        self.waiters.remove(place);
        if let Some(ranks) = &mut self.ranks {
            ranks.remove(place);
        }
    }

    /// Nobody waits any more: all who did.
    pub(super) fn take_all(&mut self) -> Vec<Waiter<TaskId>> {
        self.ranks = None;
        std::mem::take(&mut self.waiters).into()
    }

    /// Do so many wait that it is to be known how urgent each is, and is not?
    pub(super) fn needs_ranks(&self) -> bool {
        self.waiters.len() >= MANY && self.ranks.is_none()
    }

    /// So urgent are those who wait.
    #[cold]
    pub(super) fn has_ranks(&mut self, ranks: Ranks) {
        self.ranks = Some(Box::new(ranks));
    }

    pub(super) fn ranks(&self) -> Option<&Ranks> {
        self.ranks.as_deref()
    }

    /// Is the first of those who wait the most urgent, since all are alike?
    pub(super) fn are_alike(&self) -> bool {
        self.alike.is_some()
    }

    /// One of those who wait has become more or less urgent.
    pub(super) fn differ(&mut self) {
        (self.alike, self.ranks) = (None, None);
    }
}

/// Which tasks have permits of which semaphores until they give them back. Others use them up: nobody waits for them to return one.
pub(super) fn returners(scenario: &Scenario) -> BTreeSet<(SpecId, SyncId)> {
    let lent: BTreeSet<SyncId> = scenario.syncs.ids().filter(|sync| scenario.is_lent(*sync)).collect();
    let of = |(id, spec): (SpecId, &Spec)| {
        let kept = |op: &Op| match op {
            Op::Sync(SyncOp::Release(sync, _)) => Some(*sync),
            Op::Sync(SyncOp::Acquire(sync, _)) => lent.get(sync).copied(),
            _ => None,
        };
        spec.program.ops.iter().filter_map(kept).map(|sync| (id, sync)).collect::<Vec<_>>()
    };
    scenario.specs.pairs().flat_map(of).collect()
}
