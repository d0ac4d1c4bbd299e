//! The urgency that a task which holds a lock is lent: by everyone who waits for it (`protocol = "inherit"`), by those whom it
//! keeps from free locks too (`"original-ceiling"`), by the most urgent task that ever uses the lock (`"ceiling"`), or by
//! the most urgent one that there is (`"non-preemptive"`).
//!
//! Who starts processes is lent some likewise, by the most urgent of those that wait to be started.
//!
//! Urgency is what the policy says it is: a priority, a period, a deadline. Only tasks that are lent some have anything
//! here. A task that has not been lent any, or less than it has itself, is as urgent as it is.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use super::loans::Standing;
use super::ranks::Ranks;
use super::task::State;
use super::thread::ThreadState;
use super::world::World;
use crate::ids::{SpecId, SyncId, TaskId, ThreadId};
use crate::scenario::Protocol;
use crate::sync::Rows as _;
use crate::sync::ceilings::in_the_way;
use crate::time::Time;
use crate::timeline::{Cause, Recorder};

impl<R: Recorder> World<'_, R> {
    /// How the policy values it; among equals the one ahead in the file.
    pub(super) fn urgency_of(&self, standing: &Standing) -> (i64, Reverse<u32>) {
        let attributes = &self.scene.scenario.specs[standing.spec].attributes;
        (self.ready.policy().urgency(attributes, standing.deadline), Reverse(standing.place))
    }

    fn own_standing(&self, id: TaskId) -> Standing {
        let task = &self.scene.tasks[id];
        Standing { spec: task.spec, deadline: self.scene.deadline_of(task), place: id.0 }
    }

    /// How urgent a task is, with what it has been lent.
    pub(super) fn standing(&self, id: TaskId) -> Standing {
        let own = self.own_standing(id);
        let lent = self.scene.loans.to(id).filter(|lent| self.urgency_of(lent) > self.urgency_of(&own));
        lent.copied().unwrap_or(own)
    }

    /// Finds the most urgent task that uses each lock with a ceiling.
    pub(super) fn find_ceilings(&mut self) {
        let scenario = self.scene.scenario;
        let asks = |protocol: Protocol| !matches!(protocol, Protocol::None | Protocol::Inherit);
        if !scenario.syncs.iter().any(|object| asks(object.protocol)) {
            return;
        }
        let (mut of_all, mut of_users) = (None, BTreeMap::new());
        for (id, spec) in scenario.specs.pairs() {
            let user = self.ceiling(id, Time::ZERO);
            let is_more =
                |most: Option<&Standing>| most.is_none_or(|most| self.urgency_of(most) <= self.urgency_of(&user));
            if is_more(of_all.as_ref()) {
                of_all = Some(user);
            }
            for lock in spec.program.locked() {
                if is_more(of_users.get(&lock)) {
                    of_users.insert(lock, user);
                }
            }
        }
        for (sync, object) in scenario.syncs.pairs().filter(|(_, object)| asks(object.protocol)) {
            let all = object.protocol == Protocol::NonPreemptive;
            let most = if all { of_all } else { of_users.get(&sync).copied() };
            self.syncs[sync].ceiling = most.map_or(SpecId::NONE, |user| user.spec);
            if object.protocol == Protocol::OriginalCeiling {
                let ceiling = most.map_or(i64::MIN, |user| self.urgency_of(&user).0);
                self.scene.loans.ceilings.push((sync, ceiling));
            }
            debug_assert!(object.kind.is_lock());
        }
    }

    /// The urgency of any instance of a task whose job is released at this time.
    fn ceiling(&self, spec: SpecId, released: Time) -> Standing {
        let periodic = self.scene.scenario.specs[spec].attributes.periodic.as_ref();
        let deadline = periodic.map_or(Time::NEVER, |periodic| released + periodic.deadline);
        Standing { spec, deadline, place: self.specs[spec].first.0 }
    }

    /// The task waits for the lock: whoever holds it is as urgent, and whoever that one waits for, and so on.
    pub(super) fn lend(&mut self, id: TaskId, lock: SyncId) {
        let (lender, mut waiter, mut lock) = (self.standing(id), id, lock);
        while let Some(holder) = self.borrower(waiter, lock) {
            if self.urgency_of(&lender) <= self.urgency_of(&self.standing(holder)) {
                return;
            }
            self.is_lent(holder, Some(lender));
            self.urgency_changed(holder);
            match self.scene.tasks[holder].state {
                State::Blocked(Cause::Sync(next)) | State::Spinning(next) => (waiter, lock) = (holder, next),
                _ => return,
            }
        }
    }

    /// Who is lent the urgency of a task that waits for the lock, if anybody is.
    fn borrower(&self, waiter: TaskId, lock: SyncId) -> Option<TaskId> {
        match self.scene.scenario.syncs[lock].protocol {
            Protocol::Inherit => self.holder(lock),
            Protocol::OriginalCeiling => {
                self.holder(lock).or_else(|| in_the_way(self, waiter).map(|(.., holder)| holder))
            }
            Protocol::None | Protocol::Ceiling | Protocol::NonPreemptive => None,
        }
    }

    /// Who holds locks with original ceilings is lent the urgency of those who wait because of that now, directly or
    /// through others.
    pub(super) fn ceilings_have_moved(&mut self) {
        let holders = self.scene.loans.held().filter_map(|(lock, _)| self.holder(lock));
        let holders: BTreeSet<TaskId> = holders.collect();
        // Who is lent more may lend more: as often as there are holders, at most.
        for _ in 0..holders.len() {
            let before: Vec<Standing> = holders.iter().map(|holder| self.standing(*holder)).collect();
            holders.iter().for_each(|holder| self.borrow_anew(*holder));
            if holders.iter().map(|holder| self.standing(*holder)).eq(before) {
                return;
            }
        }
    }

    /// Somebody waits for the lock no more: whoever holds it is lent less perhaps, and whoever that one waits for, and so on.
    pub(super) fn takes_back_urgency(&mut self, mut lock: SyncId) {
        if self.scene.scenario.syncs[lock].protocol == Protocol::OriginalCeiling {
            return self.ceilings_have_moved();
        }
        while self.scene.scenario.syncs[lock].protocol == Protocol::Inherit
            && let Some(holder) = self.syncs[lock].holders.first().map(|holder| holder.task)
        {
            let before = self.urgency_of(&self.standing(holder));
            self.borrow_anew(holder);
            if self.urgency_of(&self.standing(holder)) == before {
                return;
            }
            match self.scene.tasks[holder].state {
                State::Blocked(Cause::Sync(next)) | State::Spinning(next) => lock = next,
                _ => return,
            }
        }
    }

    /// The task has a lock whose holder is lent urgency.
    pub(super) fn begins_to_borrow(&mut self, id: TaskId, lock: SyncId) {
        self.scene.loans.gets(id, lock);
        match self.scene.scenario.syncs[lock].protocol {
            // What else changes at the instant comes first.
            Protocol::OriginalCeiling => {}
            Protocol::NonPreemptive => {
                self.scene.shields.gets(id);
                self.borrow_anew(id);
            }
            _ => self.borrow_anew(id),
        }
    }

    /// The task has such a lock no more.
    pub(super) fn ends_to_borrow(&mut self, id: TaskId, lock: SyncId) {
        if self.scene.loans.locks(id).is_empty() {
            return;
        }
        self.scene.loans.gives_back(id, lock);
        self.borrow_anew(id);
        if self.scene.scenario.syncs[lock].protocol == Protocol::NonPreemptive {
            self.may_be_preempted(id);
        }
    }

    /// Computes anew what the task is lent through the locks that it holds.
    pub(super) fn borrow_anew(&mut self, id: TaskId) {
        let most = self.lenders(id).into_iter().max_by_key(|lender| self.urgency_of(lender));
        self.borrow_from(id, most);
    }

    /// The task is lent the urgency of the most urgent of those who wait for it, if that is more than its own.
    pub(super) fn borrow_from(&mut self, id: TaskId, most: Option<Standing>) {
        let before = self.standing(id);
        let more = most.filter(|most| self.urgency_of(most) > self.urgency_of(&self.own_standing(id)));
        self.is_lent(id, more);
        let after = self.standing(id);
        if self.urgency_of(&before) != self.urgency_of(&after) {
            self.urgency_changed(id);
            if self.urgency_of(&after) < self.urgency_of(&before) {
                self.everybody_may_displace();
            }
        }
    }

    /// The task is lent that: where it waits, it may be another's turn.
    fn is_lent(&mut self, id: TaskId, standing: Option<Standing>) {
        if self.scene.loans.to(id) == standing.as_ref() {
            return;
        }
        self.scene.loans.lend(id, standing);
        // Who has just been given what it waited for waits no more.
        if let State::Blocked(Cause::Sync(sync)) | State::Spinning(sync) = self.scene.tasks[id].state
            && self.holder(sync) != Some(id)
        {
            self.syncs[sync].differ();
        }
    }

    /// Many wait for an object: how urgent each is is noted, where it decides who is next, or what is lent.
    #[cold]
    pub(super) fn ranks_waiters(&mut self, sync: SyncId) {
        let state = &self.syncs[sync];
        if state.are_alike() && self.scene.scenario.syncs[sync].protocol != Protocol::Inherit {
            return;
        }
        let ranks = Ranks::of(state.waiters.iter().map(|waiter| self.urgency_of(&self.standing(waiter.who))));
        self.syncs[sync].has_ranks(ranks);
    }

    fn lenders(&self, id: TaskId) -> Vec<Standing> {
        let mut lenders = Vec::new();
        for lock in self.scene.loans.locks(id) {
            let state = &self.syncs[*lock];
            match self.scene.scenario.syncs[*lock].protocol {
                Protocol::None => {}
                Protocol::Inherit | Protocol::OriginalCeiling => {
                    let first = state.ranks().and_then(Ranks::most_urgent);
                    let those = first.map_or(0..state.waiters.len(), |place| place..place + 1);
                    lenders.extend(state.waiters.range(those).map(|waiter| self.standing(waiter.who)));
                }
                // No job has an earlier deadline.
                Protocol::NonPreemptive => {
                    lenders.push(Standing { deadline: Time::ZERO, ..self.ceiling(state.ceiling, Time::ZERO) });
                }
                Protocol::Ceiling => {
                    if let (Some(holder), false) = (state.holders.first(), state.ceiling.is_none()) {
                        lenders.push(self.ceiling(state.ceiling, holder.since));
                    }
                }
            }
        }
        lenders.extend(self.held_back_by(id));
        // Whoever waits for what its host holds waits for it, too.
        lenders.extend(self.guests.host(id).and_then(|host| self.scene.loans.to(host)).copied());
        lenders
    }

    /// Those whom it keeps from free locks.
    fn held_back_by(&self, id: TaskId) -> Vec<Standing> {
        let free = self.scene.loans.awaited().filter(|lock| self.holder(*lock).is_none());
        let waiters = free.flat_map(|lock| &self.syncs[lock].waiters);
        let its = waiters.filter(|waiter| in_the_way(self, waiter.who).is_some_and(|(.., holder)| holder == id));
        its.map(|waiter| self.standing(waiter.who)).collect()
    }

    /// The task is more or less urgent than before: something has happened to it where urgency decides who runs.
    fn urgency_changed(&mut self, id: TaskId) {
        if self.ready.traits().by_urgency {
            self.standing_changed(id);
        }
        if let Some(guest) = self.guests.of(id) {
            self.borrow_anew(guest);
        }
    }

    /// Tells the policy, if it knows the thread: who is ready and more urgent, or has less ahead of it, may displace
    /// somebody now.
    pub(super) fn standing_changed(&mut self, id: TaskId) {
        let thread = self.scene.tasks[id].thread;
        if thread.is_none() {
            return;
        }
        let state = self.scene.threads[thread].state;
        if matches!(state, ThreadState::Ready | ThreadState::Running) {
            self.ready.changed(thread, &self.scene);
        }
        if state == ThreadState::Ready {
            self.ready.is_fresh_again(thread);
        }
    }

    /// A worker on a processor carries another task than before: it is lent what that one is lent.
    pub(super) fn carries_another(&mut self, thread: ThreadId, before: TaskId) {
        let task = self.scene.threads[thread].task;
        if [task, before].into_iter().any(|task| self.scene.loans.to(task).is_some()) {
            self.ready.changed(thread, &self.scene);
            self.everybody_may_displace();
        }
    }

    /// Somebody who runs is less urgent than before: all who are ready are asked for, in the order in which they became
    /// it. Where urgency decides nothing, nothing has changed.
    pub(super) fn everybody_may_displace(&mut self) {
        let traits = self.ready.traits();
        if traits.preemptive && traits.by_urgency {
            self.ready.all_are_fresh(&self.scene.threads);
        }
    }
}
