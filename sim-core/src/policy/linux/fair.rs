//! The ordinary threads of a processor: in one queue, or where there are groups in one for each, by what the groups have had.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::policy::fair_queue::{FairQueue, Lag, Request};
use crate::policy::grouped::{Division, Shares, Weights};
use crate::policy::tick::Tick;
use crate::policy::{Slot, Turn, View, Who, Why};
use crate::time::{Span, Time};

#[derive(Debug)]
pub(super) struct Fair {
    slot: Slot,
    /// That of threads in no group, then those of the groups.
    queues: Vec<FairQueue>,
    /// In which of them somebody waits, and how many do in all.
    waited_in: BTreeSet<usize>,
    waiting: usize,
    /// What the groups have had, if there are any.
    shares: Option<Box<Shares>>,
}

impl Fair {
    /// Of a processor; what each group has elsewhere is in `division`.
    pub(super) fn new(slot: Slot, tick: Tick, groups: &Weights, division: &Arc<Division>) -> Fair {
        let shares = || Box::new(Shares::new(groups, (slot, 1), Some((slot.0 as usize, Arc::clone(division)))));
        Fair {
            slot,
            queues: (0..=groups.len()).map(|_| FairQueue::new(slot, 1, tick)).collect(),
            waited_in: BTreeSet::new(),
            waiting: 0,
            shares: (!groups.is_empty()).then(shares),
        }
    }

    /// The queue of somebody.
    fn own(&mut self, who: Who) -> &mut FairQueue {
        let group = self.shares.as_mut().map_or(0, |shares| shares.group_of(who));
        &mut self.queues[group]
    }

    /// Something happens in a queue: how many wait there may be another number then.
    fn in_queue<T>(&mut self, group: usize, happens: impl FnOnce(&mut FairQueue) -> T) -> T {
        let queue = &mut self.queues[group];
        let before = queue.waiting();
        let outcome = happens(queue);
        self.counts(group, before);
        outcome
    }

    fn counts(&mut self, group: usize, before: usize) {
        let now = self.queues[group].waiting();
        self.waiting = self.waiting + now - before;
        match (before, now) {
            _ if self.shares.is_none() => {}
            (0, 1..) => _ = self.waited_in.insert(group),
            (1.., 0) => _ = self.waited_in.remove(&group),
            _ => {}
        }
    }

    pub(super) fn waiting(&self) -> usize {
        self.waiting
    }

    pub(super) fn is_delayed(&mut self, who: Who) -> bool {
        self.own(who).is_delayed(who)
    }

    pub(super) fn comes(&mut self, who: Who, request: Request, from: Option<Lag>, why: Why, view: &View<'_>) {
        let group = self.shares.as_mut().map_or(0, |shares| shares.ready(who, why, view));
        self.in_queue(group, |queue| queue.comes(who, request, from, matches!(why, Why::Spawned(_)), view));
    }

    pub(super) fn returns(&mut self, who: Who, why: Why) {
        let group = self.shares.as_mut().map_or(0, |shares| shares.returns(who, why));
        self.in_queue(group, |queue| queue.returns(who, matches!(why, Why::Yielded(_))));
    }

    pub(super) fn steps_back(&mut self, who: Who, ran: Span, now: Time) {
        let slot = self.slot;
        let group = self.shares.as_mut().map_or(0, |shares| shares.left(who, slot, ran));
        self.in_queue(group, |queue| queue.steps_back(who, slot, ran, now));
    }

    pub(super) fn leaves(&mut self, who: Who, ran: Span, is_done: bool, view: &View<'_>) {
        let slot = self.slot;
        let group = self.shares.as_mut().map_or(0, |shares| {
            let group = shares.left(who, slot, ran);
            shares.goes(who, view);
            group
        });
        self.in_queue(group, |queue| queue.leaves(who, slot, ran, is_done));
    }

    pub(super) fn pick(&mut self, view: &View<'_>) -> Option<Turn> {
        let slot = self.slot;
        let Fair { queues, shares: Some(shares), .. } = self else {
            return self.in_queue(0, |queue| queue.pick(slot, view));
        };
        let mut asked = Vec::new();
        let turn = shares.pick(slot, view, &mut |group| {
            asked.push((group, queues[group].waiting()));
            queues[group].pick(slot, view)
        });
        asked.into_iter().for_each(|(group, before)| self.counts(group, before));
        turn
    }

    pub(super) fn displaces(&mut self, who: Who, view: &View<'_>) -> Option<Slot> {
        let group = self.shares.as_mut().map_or(0, |shares| shares.group_of(who));
        let own = self.in_queue(group, |queue| queue.displaces(who, view));
        own.or_else(|| self.shares.as_mut().and_then(|shares| shares.displaces(who, view)))
    }

    /// One who waits does not want to run any more.
    pub(super) fn withdraws(&mut self, who: Who, view: &View<'_>) {
        let group = self.shares.as_mut().map_or(0, |shares| shares.moves_away(who, view));
        self.in_queue(group, |queue| queue.withdraws(who, view));
    }

    pub(super) fn give_away(&mut self, who: Who, view: &View<'_>) -> Lag {
        let group = self.shares.as_mut().map_or(0, |shares| shares.moves_away(who, view));
        self.in_queue(group, |queue| queue.give_away(who))
    }

    pub(super) fn forget_sleeper(&mut self, who: Who) -> Option<Lag> {
        self.own(who).forget_sleeper(who)
    }

    pub(super) fn coldest(&mut self, now: Time, may: impl Fn(Who) -> bool) -> Option<Who> {
        let Fair { queues, waited_in, shares, .. } = self;
        match shares {
            None => queues[0].coldest(now, may),
            Some(_) => waited_in.iter().find_map(|group| queues[*group].coldest(now, &may)),
        }
    }
}
