//! The ordinary threads of a processor: in one queue, or where there are groups in one for each, by what the groups have had.

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
            shares: (!groups.is_empty()).then(shares),
        }
    }

    /// The queue of somebody.
    fn own(&mut self, who: Who) -> &mut FairQueue {
        let group = self.shares.as_mut().map_or(0, |shares| shares.group_of(who));
        &mut self.queues[group]
    }

    pub(super) fn waiting(&self) -> usize {
        self.queues.iter().map(FairQueue::waiting).sum()
    }

    pub(super) fn is_delayed(&mut self, who: Who) -> bool {
        self.own(who).is_delayed(who)
    }

    pub(super) fn comes(&mut self, who: Who, request: Request, from: Option<Lag>, why: Why, view: &View<'_>) {
        let group = self.shares.as_mut().map_or(0, |shares| shares.ready(who, why, view));
        self.queues[group].comes(who, request, from, matches!(why, Why::Spawned(_)), view);
    }

    pub(super) fn returns(&mut self, who: Who, why: Why) {
        let group = self.shares.as_mut().map_or(0, |shares| shares.returns(who, why));
        self.queues[group].returns(who, matches!(why, Why::Yielded(_)));
    }

    pub(super) fn steps_back(&mut self, who: Who, ran: Span, now: Time) {
        let group = self.shares.as_mut().map_or(0, |shares| shares.left(who, self.slot, ran));
        self.queues[group].steps_back(who, self.slot, ran, now);
    }

    pub(super) fn leaves(&mut self, who: Who, ran: Span, is_done: bool, view: &View<'_>) {
        let group = self.shares.as_mut().map_or(0, |shares| {
            let group = shares.left(who, self.slot, ran);
            shares.goes(who, view);
            group
        });
        self.queues[group].leaves(who, self.slot, ran, is_done);
    }

    pub(super) fn pick(&mut self, view: &View<'_>) -> Option<Turn> {
        let Fair { slot, queues, shares } = self;
        match shares {
            None => queues[0].pick(*slot, view),
            Some(shares) => shares.pick(*slot, view, &mut |group| queues[group].pick(*slot, view)),
        }
    }

    pub(super) fn displaces(&mut self, who: Who, view: &View<'_>) -> Option<Slot> {
        let own = self.own(who).displaces(who, view);
        own.or_else(|| self.shares.as_mut().and_then(|shares| shares.displaces(who, view)))
    }

    /// One who waits does not want to run any more.
    pub(super) fn withdraws(&mut self, who: Who, view: &View<'_>) {
        let group = self.shares.as_mut().map_or(0, |shares| shares.moves_away(who, view));
        self.queues[group].withdraws(who, view);
    }

    pub(super) fn give_away(&mut self, who: Who, view: &View<'_>) -> Lag {
        let group = self.shares.as_mut().map_or(0, |shares| shares.moves_away(who, view));
        self.queues[group].give_away(who)
    }

    pub(super) fn forget_sleeper(&mut self, who: Who) -> Option<Lag> {
        self.own(who).forget_sleeper(who)
    }

    pub(super) fn coldest(&mut self, now: Time, may: impl Fn(Who) -> bool) -> Option<Who> {
        self.queues.iter_mut().find_map(|queue| queue.coldest(now, &may))
    }
}
