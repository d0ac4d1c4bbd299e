//! Who may have a lock under the original ceiling protocol, and who is not to be preempted.

use super::super::World;
use crate::naive::case::{Op, Policy, Protocol, SyncOp};

impl World<'_> {
    pub(super) fn users(&self, lock: usize) -> Vec<usize> {
        let uses = |op: &Op| match op {
            Op::Lock(other) | Op::Sync(SyncOp::Wait(_, other)) => *other == lock,
            _ => false,
        };
        (0..self.progress.len()).filter(|user| self.program(*user).iter().any(uses)).collect()
    }

    pub(super) fn nobody_is_above(&self) -> (i64, usize) {
        if matches!(self.case.policy, Policy::Edf { .. }) {
            return (0, 0);
        }
        (0..self.progress.len()).map(|task| self.own_urgency(task, None)).min().expect("there are tasks")
    }

    /// Of the locks that others have, who has the one with the highest ceiling, and how high that is.
    fn in_the_way_of(&self, task: usize) -> Option<(i64, usize)> {
        let ceiling = |lock: usize| self.users(lock).into_iter().map(|user| self.own_urgency(user, None).0).min();
        let held = (0..self.locks.len()).filter_map(|lock| Some((lock, self.locks[lock].holder?)));
        let others = held.filter(|(_, holder)| *holder != task);
        let ceilings = others.map(|(lock, holder)| (ceiling(lock).expect("it is used"), lock, holder));
        ceilings.min().map(|(ceiling, _, holder)| (ceiling, holder))
    }

    /// Those who wait for locks that nobody has, because of one that this task has.
    pub(super) fn held_back_by(&self, task: usize) -> Vec<usize> {
        if self.case.syncs.protocol != Protocol::OriginalCeiling {
            return Vec::new();
        }
        let free = self.locks.iter().filter(|lock| lock.holder.is_none());
        let waiters = free.flat_map(|lock| lock.waiters.iter().copied());
        waiters.filter(|waiter| self.in_the_way_of(*waiter).is_some_and(|(_, holder)| holder == task)).collect()
    }

    pub(super) fn may_have(&self, task: usize, lock: usize) -> bool {
        let free = self.locks[lock].holder.is_none();
        let above = || self.in_the_way_of(task).is_none_or(|(ceiling, _)| self.urgency(task).0 < ceiling);
        free && (self.case.syncs.protocol != Protocol::OriginalCeiling || above())
    }

    /// Does nobody take the processor from it?
    pub(in super::super) fn is_shielded(&self, task: usize) -> bool {
        let holds = self.locks.iter().any(|lock| lock.holder == Some(task));
        holds && self.case.syncs.protocol == Protocol::NonPreemptive
    }

    /// Whoever may have what it waits for has it, the most urgent first.
    pub(super) fn unlock_under_ceilings(&mut self) -> bool {
        let mut heirs = Vec::new();
        loop {
            let waits =
                (0..self.locks.len()).flat_map(|lock| self.locks[lock].waiters.iter().map(move |who| (*who, lock)));
            let admitted = waits.filter(|(who, lock)| self.may_have(*who, *lock));
            let next = admitted.min_by_key(|(who, lock)| (self.urgency(*who).0, self.asks[*who].since, *lock));
            let Some((next, lock)) = next else { break };
            self.locks[lock].waiters.retain(|who| *who != next);
            self.has(next, lock);
            heirs.push(next);
        }
        heirs.into_iter().for_each(|heir| self.goes_on_with_lock(heir));
        true
    }
}
