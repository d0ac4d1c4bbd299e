//! Quotas of groups.
//!
//! Readings of the rules: a period's quota is there from the beginning of its instant on. Of those that run at an instant, all have
//! the next tick, or, where their group has not so many left, none: what is left is lost. Those put off are queued by processor
//! number. Whoever may run again counts as a newcomer; who never stood still, because there is more at the very instant at which all
//! is used up, does not.

use super::super::case::{Group, Policy};
use super::World;

/// What a group has.
pub(super) struct Account {
    group: Group,
    left: u64,
}

impl Account {
    pub(super) fn new(group: &Group) -> Account {
        Account { group: *group, left: group.quota.unwrap_or(u64::MAX) }
    }
}

impl World<'_> {
    /// Periods that begin now.
    pub(super) fn refill(&mut self) {
        let stood: Vec<usize> =
            std::mem::take(&mut self.stood).into_iter().filter(|thread| self.ready.contains(thread)).collect();
        for Account { group: Group { quota, period, burst, phase, .. }, left } in &mut self.accounts {
            let begins = self.now > 0 && self.now >= *phase && (self.now - *phase).is_multiple_of(*period);
            if let (true, Some(quota)) = (begins, quota) {
                *left = (*left + *quota).min(*quota + *burst);
            }
        }
        self.budgets_come_back();
        let mut again: Vec<usize> = stood.into_iter().filter(|thread| self.has_quota(*thread)).collect();
        again.sort_by_key(|thread| self.threads[*thread].queued);
        self.newcomers.extend(again);
    }

    pub(super) fn groups_of(&self, thread: usize) -> Vec<usize> {
        let first = (0..self.thread_of.len()).find(|task| self.thread_of[*task] == thread);
        first.map_or(Vec::new(), |task| self.case.groups_of(self.process(task)))
    }

    /// Have all groups of the thread something left, and its server?
    pub(super) fn has_quota(&self, thread: usize) -> bool {
        self.server_has_budget(thread) && self.groups_have_quota(thread)
    }

    fn groups_have_quota(&self, thread: usize) -> bool {
        self.accounts.is_empty() || self.groups_of(thread).iter().all(|group| self.accounts[*group].left > 0)
    }

    pub(super) fn uses_quota(&mut self, task: usize) {
        if !self.accounts.is_empty() {
            for group in self.groups_of(self.thread_of[task]) {
                self.accounts[group].left = self.accounts[group].left.saturating_sub(1);
            }
        }
    }

    /// Those who run and cannot have the next tick are put off.
    pub(super) fn throttle(&mut self) -> bool {
        if self.accounts.is_empty() && self.budgets.is_empty() {
            return false;
        }
        for group in 0..self.accounts.len() {
            let runs = |cpu: &usize| {
                let processor = &self.processors[*cpu];
                processor.switching == 0
                    && processor.thread.is_some_and(|thread| self.groups_of(thread).contains(&group))
            };
            let running = (0..self.processors.len()).filter(runs).count();
            if self.accounts[group].left < u64::try_from(running).expect("few") {
                self.accounts[group].left = 0;
            }
        }
        let mut something = false;
        for cpu in 0..self.processors.len() {
            let Some(thread) = self.processors[cpu].thread.filter(|thread| !self.has_quota(*thread)) else { continue };
            self.processors[cpu].thread = None;
            if matches!(self.case.policy, Policy::Mlfq { .. }) {
                self.ready.push(thread);
            } else {
                self.queue_tail(thread);
            }
            if self.put_off_to_head() {
                self.ready.rotate_right(1);
            }
            something = true;
        }
        self.stood = self.ready.iter().copied().filter(|thread| !self.has_quota(*thread)).collect();
        something
    }

    /// Are those who are put off ahead of their equals, whether or not the policy ever does that itself?
    fn put_off_to_head(&self) -> bool {
        match self.case.policy {
            Policy::Priority { preempted_to_head, .. } => preempted_to_head,
            Policy::Mlfq { .. }
            | Policy::Edf { .. }
            | Policy::RateMonotonic { .. }
            | Policy::DeadlineMonotonic { .. }
            | Policy::Llf { .. } => true,
            _ => false,
        }
    }
}
