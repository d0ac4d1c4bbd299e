//! Groups first: a processor goes to the group that has had least for its weight, and in it to whom its own policy says.
//!
//! Rule: threads of no group, or of a group that has others in it, stand beside those groups, each with the weight of its
//! `nice` (100 for 0). Of all that stand beside each other, and have somebody who is ready, the one comes next that has had the least service for its
//! weight; what those of it that run may still have of their slices counts as had, so that a group does not take all
//! processors at once. Ties: whoever was served longest ago. Who was not there, or stood still because its quota was used up, gets nothing for that when it comes back. In a
//! group its own threads are ordered by a policy of the same kind, which knows of no others. A newcomer takes the
//! processor from somebody of another group that is ahead of its own by more than a millisecond (for the weight of 100).
//!
//! Source: hierarchical fair queueing (Bennett & Zhang 1997), with the start tags of Goyal, Guo & Vin 1996. Cost: that of
//! the policies, and linear in the number of groups and of slots.

use std::sync::Arc;

use super::book::{PerWho, Turns};
use super::nice::{UNIT, weight};
use super::on_linux::{Counterpart, Realised};
use super::{Attributes, Exit, Policy, Settings, Setup, Slice, Slot, Traits, Turn, View, Who, Why};
use crate::ids::{GroupId, Id as _, IdVec};
use crate::rng::StreamName;
use crate::scenario::Group;
use crate::time::{Span, Time};

/// A policy for each group, and how they share.
#[derive(Debug)]
pub(crate) struct Grouped {
    /// From which each group gets its own.
    pub(crate) policy: Arc<dyn Settings>,
    /// By group, the one it is in and its weight.
    groups: Vec<(Option<GroupId>, u32)>,
}

impl Grouped {
    /// The same policy, for groups.
    pub(crate) fn new(policy: Arc<dyn Settings>, groups: &IdVec<GroupId, Group>) -> Grouped {
        Grouped { policy, groups: groups.iter().map(|group| (group.parent, group.weight)).collect() }
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
        self.policy.on_linux().but(Realised::Approximated, "shares by groups first, which are not made for real")
    }

    fn build(&self, setup: &Setup) -> Box<dyn Policy> {
        let node = |number: usize, parent: Option<usize>, weight: u64| Node {
            parent,
            weight,
            bag: self.policy.build(&Setup { seed: seed_of(setup.seed, number), ..*setup }),
            of_bag: Share::default(),
            of_node: Share::default(),
            weight_of_bag: 0,
            children: Vec::new(),
            least: 0,
            member: None,
        };
        let mut nodes = vec![node(0, None, 1)];
        for (index, (parent, weight)) in self.groups.iter().enumerate() {
            let parent = parent.map_or(0, |parent| parent.index() + 1);
            nodes.push(node(index + 1, Some(parent), u64::from(*weight) * u64::from(UNIT)));
        }
        for number in 1..nodes.len() {
            let parent = nodes[number].parent.unwrap_or(0);
            nodes[parent].children.push(number);
        }
        let turns = Turns::new(setup.slots);
        Box::new(Tree { nodes, turns, ends: vec![Time::ZERO; setup.slots], threads: PerWho::default(), stamp: 0 })
    }
}

/// The policies of different groups draw from different streams; that of those in no group as if there were no groups.
fn seed_of(seed: u64, number: usize) -> u64 {
    match number {
        0 => seed,
        _ => StreamName::new(seed).word("scheduler").word("group").number(number as u64).stream().next_u64(),
    }
}

/// Service for its weight: 2^32 to a nanosecond for a thread beside groups whose `nice` is 0.
type Virtual = i128;

/// The weight of a thread beside groups is so many times that of its `nice`, that of a group [`UNIT`] times its own.
const BESIDE: u64 = 100;

fn virtual_time(service: Span, weight: u64) -> Virtual {
    (i128::from(service.ns()) << 32) * i128::from(BESIDE) * i128::from(UNIT) / i128::from(weight.max(1))
}

/// By how much virtual time a newcomer must be behind to take the processor from another group.
const GRANULARITY: Virtual = 1_000_000 << 32;

struct Tree {
    /// All that are in no group, then the groups.
    nodes: Vec<Node>,
    turns: Turns,
    /// When the slice on each slot ends at the latest.
    ends: Vec<Time>,
    threads: PerWho<Thread>,
    stamp: u64,
}

/// A group, or all together.
struct Node {
    parent: Option<usize>,
    weight: u64,
    /// Its own threads.
    bag: Box<dyn Policy>,
    /// What those have had, as one among the groups in it.
    of_bag: Share,
    /// What it has had, as one among those beside it.
    of_node: Share,
    /// That of its own threads that are ready or run.
    weight_of_bag: u64,
    children: Vec<usize>,
    /// The least that one of those in it has had. It never goes back.
    least: Virtual,
    /// One of its own threads.
    member: Option<Who>,
}

/// What somebody has had among those beside it.
#[derive(Clone, Copy, Default)]
struct Share {
    had: Virtual,
    /// How many of it are ready or run, and how many of those are ready.
    present: usize,
    waiting: usize,
    /// Did it stand still when it was looked at?
    is_away: bool,
    /// When it was served last, or came.
    stamp: u64,
}

#[derive(Clone, Copy, Default)]
struct Thread {
    node: usize,
    /// Beside groups.
    weight: u64,
    /// It has just arrived or woken.
    is_fresh: bool,
}

/// One of those that stand beside each other in a node: its own threads, or a group in it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Part {
    Bag,
    Child(usize),
}

impl Tree {
    fn share(&mut self, node: usize, part: Part) -> &mut Share {
        match part {
            Part::Bag => &mut self.nodes[node].of_bag,
            Part::Child(child) => &mut self.nodes[child].of_node,
        }
    }

    fn weight_of(&self, node: usize, part: Part) -> u64 {
        match part {
            Part::Bag => self.nodes[node].weight_of_bag,
            Part::Child(child) => self.nodes[child].weight,
        }
    }

    /// The way from a node to the top: at each node the part that is meant.
    fn way(&self, node: usize) -> Vec<(usize, Part)> {
        let ups = std::iter::successors(Some((node, Part::Bag)), |(node, _)| {
            let parent = self.nodes[*node].parent?;
            Some((parent, Part::Child(*node)))
        });
        ups.collect()
    }

    fn parts(&self, node: usize) -> impl Iterator<Item = Part> + use<> {
        let children = self.nodes[node].children.clone();
        std::iter::once(Part::Bag).chain(children.into_iter().map(Part::Child))
    }

    /// Somebody has run for so long.
    fn serve(&mut self, who: Who, ran: Span) {
        let node = self.threads.of(who).node;
        for (node, part) in self.way(node) {
            let weight = self.weight_of(node, part);
            self.share(node, part).had += virtual_time(ran, weight);
        }
    }

    /// Brings what all have had up to now.
    fn account(&mut self, view: &View<'_>) {
        let mut served = Vec::new();
        self.turns.account(view, |who, ran| served.push((who, ran)));
        served.into_iter().for_each(|(who, ran)| self.serve(who, ran));
    }

    /// Brings the least that parts of a node have had up to now.
    fn find_least(&mut self, node: usize) {
        let parts = self.parts(node);
        let had = parts.filter_map(|part| {
            let share = self.share(node, part);
            (share.present > 0 && !share.is_away).then_some(share.had)
        });
        if let Some(least) = had.min() {
            self.nodes[node].least = self.nodes[node].least.max(least);
        }
    }

    /// Do all of a part that are ready stand still?
    fn stands_still(&self, node: usize, part: Part, view: &View<'_>) -> bool {
        match part {
            Part::Bag => {
                let Node { of_bag, member, .. } = &self.nodes[node];
                of_bag.waiting == 0 || member.is_some_and(|who| view.floor.stands_still(who))
            }
            Part::Child(child) => self.parts(child).all(|part| self.stands_still(child, part, view)),
        }
    }

    /// What those of a part that run may still have of their slices.
    fn ahead(&mut self, node: usize, part: Part, now: Time, but: Option<Slot>) -> Span {
        let running: Vec<(Slot, Who)> = self.turns.running().filter(|(slot, _)| Some(*slot) != but).collect();
        let mut ahead = Span::ZERO;
        for (slot, who) in running {
            let of = self.threads.of(who).node;
            if self.way(of).contains(&(node, part)) {
                ahead += self.ends[slot.0 as usize].since(now);
            }
        }
        ahead
    }

    fn key(&mut self, node: usize, part: Part, now: Time, but: Option<Slot>) -> Virtual {
        let ahead = self.ahead(node, part, now, but);
        self.share(node, part).had + virtual_time(ahead, self.weight_of(node, part))
    }

    /// Somebody of that node for the slot.
    fn pick_in(&mut self, node: usize, slot: Slot, view: &View<'_>) -> Option<Turn> {
        self.find_least(node);
        let mut parts: Vec<(Virtual, u64, Part)> = Vec::new();
        for part in self.parts(node) {
            if self.share(node, part).waiting == 0 {
                continue;
            }
            if self.stands_still(node, part, view) {
                self.share(node, part).is_away = true;
                continue;
            }
            let least = self.nodes[node].least;
            let share = self.share(node, part);
            if std::mem::take(&mut share.is_away) {
                share.had = share.had.max(least);
            }
            let stamp = share.stamp;
            parts.push((self.key(node, part, view.now, None), stamp, part));
        }
        parts.sort_by_key(|(key, stamp, _)| (*key, *stamp));
        parts.into_iter().find_map(|(.., part)| match part {
            Part::Bag => self.nodes[node].bag.pick(slot, view),
            Part::Child(child) => self.pick_in(child, slot, view),
        })
    }

    /// Where the ways of two threads meet: the node, and the part of each.
    fn meet(&self, one: usize, other: usize) -> Option<(usize, Part, Part)> {
        let others = self.way(other);
        self.way(one).into_iter().find_map(|(node, part)| {
            let (_, opposite) = others.iter().find(|(other, _)| *other == node)?;
            Some((node, part, *opposite))
        })
    }
}

impl Policy for Tree {
    fn ready(&mut self, who: Who, why: Why, view: &View<'_>) {
        let attributes = view.floor.attributes(who);
        let node = attributes.groups.as_ref().and_then(|of| of.first()).map_or(0, |share| share.group.index() + 1);
        let comes = matches!(why, Why::Arrived | Why::Spawned(_) | Why::Woken);
        self.stamp += 1;
        let stamp = self.stamp;
        let own = u64::from(weight(attributes.nice)) * BESIDE;
        if comes {
            self.account(view);
            *self.threads.of(who) = Thread { node, weight: own, is_fresh: true };
            self.nodes[node].weight_of_bag += own;
            self.nodes[node].member = Some(who);
        } else {
            self.threads.of(who).is_fresh = false;
        }
        for (node, part) in self.way(node) {
            if comes && self.share(node, part).present == 0 {
                self.find_least(node);
                let least = self.nodes[node].least;
                let share = self.share(node, part);
                (share.had, share.is_away) = (share.had.max(least), false);
            }
            let share = self.share(node, part);
            share.present += usize::from(comes);
            if share.waiting == 0 {
                share.stamp = stamp;
            }
            share.waiting += 1;
        }
        self.nodes[node].bag.ready(who, why, view);
    }

    fn pick(&mut self, slot: Slot, view: &View<'_>) -> Option<Turn> {
        self.account(view);
        let turn = self.pick_in(0, slot, view)?;
        self.turns.begin(slot, turn.who);
        let ends = if turn.slice == Slice::Endless { view.now } else { turn.slice.end(view.now) };
        self.ends[slot.0 as usize] = ends;
        self.stamp += 1;
        let (node, stamp) = (self.threads.of(turn.who).node, self.stamp);
        for (node, part) in self.way(node) {
            let share = self.share(node, part);
            share.waiting -= 1;
            share.stamp = stamp;
        }
        Some(turn)
    }

    fn waiting(&self) -> usize {
        self.nodes.iter().map(|node| node.bag.waiting()).sum()
    }

    fn left(&mut self, who: Who, slot: Slot, ran: Span, exit: Exit, view: &View<'_>) {
        let unaccounted = self.turns.end(slot, ran);
        self.serve(who, unaccounted);
        let Thread { node, weight, .. } = *self.threads.of(who);
        if exit != Exit::Ready {
            for (node, part) in self.way(node) {
                self.find_least(node);
                self.share(node, part).present -= 1;
            }
            self.nodes[node].weight_of_bag -= weight;
        }
        self.nodes[node].bag.left(who, slot, ran, exit, view);
    }

    fn displaces(&mut self, who: Who, view: &View<'_>) -> Option<Slot> {
        let Thread { node: own, is_fresh, .. } = *self.threads.of(who);
        if let Some(slot) = self.nodes[own].bag.displaces(who, view) {
            return Some(slot);
        }
        if !is_fresh {
            return None;
        }
        self.account(view);
        let running: Vec<(Slot, Who)> = self.turns.running().collect();
        let mut worst: Option<(Virtual, Slot)> = None;
        for (slot, other) in running {
            let of = self.threads.of(other).node;
            let Some((node, part, opposite)) = self.meet(own, of) else { continue };
            if part == opposite || !(view.free() || view.floor.allowed(who, slot)) {
                continue;
            }
            let behind = self.key(node, opposite, view.now, Some(slot)) - self.key(node, part, view.now, None);
            if behind > GRANULARITY && worst.is_none_or(|(most, _)| most < behind) {
                worst = Some((behind, slot));
            }
        }
        worst.map(|(_, slot)| slot)
    }

    fn traits(&self) -> Traits {
        self.nodes[0].bag.traits()
    }

    fn urgency(&self, attributes: &Attributes, deadline: Time) -> i64 {
        self.nodes[0].bag.urgency(attributes, deadline)
    }

    fn level(&self, attributes: &Attributes) -> Option<(&'static str, String)> {
        self.nodes[0].bag.level(attributes)
    }

    fn changed(&mut self, who: Who, view: &View<'_>) {
        let node = self.threads.of(who).node;
        self.nodes[node].bag.changed(who, view);
    }
}
