//! Groups first: a processor goes to the group that has had least for its weight, and in it to whom its own policy says.
//!
//! Rule: threads of no group, or of a group that has others in it, stand beside those groups, each with the weight of its
//! `nice` (100 for 0). Of all that stand beside each other, and have somebody who is ready, the one comes next that has had the least service for its
//! weight; what those of it that run may still have of their slices counts as had, so that a group does not take all
//! processors at once. Ties: whoever was served longest ago. Who was not there, or stood still because its quota was used up, gets nothing for that when it comes back. In a
//! group its own threads are ordered by a policy of the same kind, which knows of no others. A newcomer takes the
//! processor from somebody of another group that is ahead of its own by more than a millisecond (for the weight of 100).
//!
//! Where each processor has a queue of its own, the weight of a group is divided among those in which it has threads that are ready
//! or run, by what these weigh there: a group with one thread here and three elsewhere has a quarter of its weight here.
//!
//! Source: hierarchical fair queueing (Bennett & Zhang 1997), with the start tags of Goyal, Guo & Vin 1996. Cost: that of
//! the policies, logarithmic in the number of groups, and linear in that of slots; with quotas linear in the number of groups, too.

mod division;
mod shares;

use std::sync::Arc;

pub(super) use self::division::Division;
pub(super) use self::shares::{Shares, Weights};
use super::on_linux::Counterpart;
use super::{Attributes, Exit, Policy, Settings, Setup, Slot, Traits, Turn, View, Who, Why};
use crate::ids::{GroupId, Id as _, IdVec};
use crate::rng::StreamName;
use crate::scenario::Group;
use crate::time::{Span, Time};

/// A policy for each group, and how they share.
#[derive(Debug)]
pub(crate) struct Grouped {
    /// From which each group gets its own.
    pub(crate) policy: Arc<dyn Settings>,
    groups: Weights,
}

/// The same policy, for groups: on each processor, if these have queues of their own.
pub(crate) fn grouped(policy: &Arc<dyn Settings>, groups: &IdVec<GroupId, Group>) -> Arc<dyn Settings> {
    let groups = groups.iter().map(|group| (group.parent.map(GroupId::index), group.weight)).collect();
    policy.grouped(&groups).unwrap_or_else(|| Grouped::of(policy, &groups))
}

impl Grouped {
    /// The same policy, for groups.
    pub(super) fn of(policy: &Arc<dyn Settings>, groups: &Weights) -> Arc<dyn Settings> {
        Arc::new(Grouped { policy: Arc::clone(policy), groups: Arc::clone(groups) })
    }

    fn tree(&self, setup: &Setup, division: Option<(usize, Arc<Division>)>) -> Tree {
        let bag = |number| self.policy.build(&Setup { seed: seed_of(setup.seed, number), ..*setup });
        Tree {
            bags: (0..=self.groups.len()).map(bag).collect(),
            waiting: 0,
            shares: Shares::new(&self.groups, (Slot(0), setup.slots), division),
        }
    }
}

impl Settings for Grouped {
    fn quanta(&self) -> Vec<(String, Span)> {
        self.policy.quanta()
    }

    fn label(&self) -> String {
        self.policy.label()
    }

    fn step(&self) -> Option<Span> {
        self.policy.step()
    }

    fn ticks(&self, machine: Option<Span>) -> Option<Span> {
        self.policy.ticks(machine)
    }

    fn on_linux(&self) -> Counterpart {
        // Groups are made for real, too.
        self.policy.on_linux()
    }

    fn build(&self, setup: &Setup) -> Box<dyn Policy> {
        Box::new(self.tree(setup, None))
    }

    fn build_apart(&self, setups: &[Setup]) -> Vec<Box<dyn Policy>> {
        let division = Arc::new(Division::new(&self.groups, setups.len()));
        let tree = |(queue, setup): (usize, &Setup)| -> Box<dyn Policy> {
            Box::new(self.tree(setup, Some((queue, Arc::clone(&division)))))
        };
        setups.iter().enumerate().map(tree).collect()
    }
}

/// The policies of different groups draw from different streams; that of those in no group as if there were no groups.
fn seed_of(seed: u64, number: usize) -> u64 {
    match number {
        0 => seed,
        _ => StreamName::new(seed).word("scheduler").word("group").number(number as u64).stream().next_u64(),
    }
}

/// A policy for each group, and what they have had.
struct Tree {
    /// Of all that are in no group, then of the groups.
    bags: Vec<Box<dyn Policy>>,
    /// How many wait in all of them.
    waiting: usize,
    shares: Shares,
}

impl Policy for Tree {
    fn ready(&mut self, who: Who, why: Why, view: &View<'_>) {
        self.waiting += 1;
        let group = self.shares.ready(who, why, view);
        self.bags[group].ready(who, why, view);
    }

    fn pick(&mut self, slot: Slot, view: &View<'_>) -> Option<Turn> {
        let Tree { bags, shares, .. } = self;
        let turn = shares.pick(slot, view, &mut |group| bags[group].pick(slot, view));
        self.waiting -= usize::from(turn.is_some());
        turn
    }

    fn withdraw(&mut self, who: Who, view: &View<'_>) -> bool {
        let group = self.shares.moves_away(who, view);
        let waited = self.bags[group].waiting();
        let known = self.bags[group].withdraw(who, view);
        self.waiting -= waited - self.bags[group].waiting();
        known
    }

    fn waiting(&self) -> usize {
        self.waiting
    }

    fn left(&mut self, who: Who, slot: Slot, ran: Span, exit: Exit, view: &View<'_>) {
        let group = self.shares.left(who, slot, ran);
        if exit != Exit::Ready {
            self.shares.goes(who, view);
        }
        self.bags[group].left(who, slot, ran, exit, view);
    }

    fn is_next(&mut self, who: Who, slot: Slot, view: &View<'_>) {
        let group = self.shares.group_of(who);
        self.bags[group].is_next(who, slot, view);
    }

    fn displaces(&mut self, who: Who, view: &View<'_>) -> Option<Slot> {
        let group = self.shares.group_of(who);
        self.bags[group].displaces(who, view).or_else(|| self.shares.displaces(who, view))
    }

    fn traits(&self) -> Traits {
        self.bags[0].traits()
    }

    fn urgency(&self, attributes: &Attributes, deadline: Time) -> i64 {
        self.bags[0].urgency(attributes, deadline)
    }

    fn level(&self, attributes: &Attributes) -> Option<(&'static str, String)> {
        self.bags[0].level(attributes)
    }

    fn changed(&mut self, who: Who, view: &View<'_>) {
        let group = self.shares.group_of(who);
        self.bags[group].changed(who, view);
    }
}
