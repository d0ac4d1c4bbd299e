//! What groups have had, and who of them comes next: see [`super`]. It knows nothing of the queues in which their threads wait.

use std::collections::BTreeSet;
use std::ops::Bound;
use std::sync::Arc;

use super::Division;
use crate::ids::Id as _;
use crate::policy::book::{PerWho, Quotients, Turns};
use crate::policy::nice::{UNIT, weight};
use crate::policy::{Slice, Slot, Turn, View, Who, Why};
use crate::time::{Span, Time};

/// The groups of a scenario: of each the place of the one it is in, and its weight.
pub(in crate::policy) type Weights = Arc<[(Option<usize>, u32)]>;

/// Service for its weight: [`NANOSECOND`] to a nanosecond for a thread beside groups whose `nice` is 0.
type Virtual = i128;

/// A multiple of all numbers up to 36: where the threads of a group come and go, so that their weight is another each time, there
/// is nothing to round if they are few. As large as leaves room for all times and weights.
const NANOSECOND: Virtual = 144_403_552_893_600;

/// The weight of a thread beside groups is so many times that of its `nice`, that of a group [`UNIT`] times its own.
const BESIDE: u64 = 100;

/// What is to be divided by a weight.
fn dividend(service: Span) -> Virtual {
    i128::from(service.ns()) * NANOSECOND * i128::from(BESIDE) * i128::from(UNIT)
}

/// By how much virtual time a newcomer must be behind to take the processor from another group.
const GRANULARITY: Virtual = 1_000_000 * NANOSECOND;

/// What all groups have had on some slots.
#[derive(Debug)]
pub(in crate::policy) struct Shares {
    /// All that are in no group, then the groups.
    nodes: Vec<Node>,
    /// The first of the slots.
    first: u32,
    turns: Turns,
    /// When the slice on each slot ends at the latest.
    ends: Vec<Time>,
    threads: PerWho<Thread>,
    /// Who left which slot last, if all its time there went into the switch to it.
    unserved: Option<(Who, Slot)>,
    /// By slot: whose turn was over before it ran, so that it comes first there. Otherwise nobody might ever run.
    owed: Vec<Option<usize>>,
    stamp: u64,
    /// Where the slots are not all: what there is elsewhere of each group.
    division: Option<(usize, Arc<Division>)>,
}

/// A group, or all together.
#[derive(Debug)]
struct Node {
    parent: Option<usize>,
    weight: u64,
    /// What its own threads have had, as one among the groups in it.
    of_bag: Share,
    /// What it has had, as one among those beside it.
    of_node: Share,
    /// The weight of its own threads that are ready or run.
    weight_of_bag: u64,
    /// Its parts that are there and do not stand still, by what they have had.
    present: BTreeSet<(Virtual, Part)>,
    /// Its parts of which somebody is ready, by what they have had, then by when they were served last.
    queue: BTreeSet<(Virtual, u64, Part)>,
    /// The least that one of those in it has had. It never goes back.
    least: Virtual,
    /// One of its own threads.
    member: Option<Who>,
}

/// What somebody has had among those beside it.
#[derive(Clone, Copy, Default, Debug)]
struct Share {
    had: Quotients,
    /// How many of it are ready or run, and how many of those are ready.
    present: usize,
    waiting: usize,
    /// Did it stand still when it was looked at?
    is_away: bool,
    /// When it was served last, or came.
    stamp: u64,
}

impl Share {
    /// What it has had, if it is there and does not stand still.
    fn place(&self) -> Option<Virtual> {
        (self.present > 0 && !self.is_away).then_some(self.had.whole())
    }

    /// What it has had, and when it was served last, if somebody of it is ready.
    fn turn(&self) -> Option<(Virtual, u64)> {
        (self.waiting > 0).then_some((self.had.whole(), self.stamp))
    }
}

#[derive(Clone, Copy, Default, Debug)]
struct Thread {
    node: usize,
    /// Beside groups.
    weight: u64,
    /// It has just arrived or woken.
    is_fresh: bool,
    /// Is it ready, and does not run?
    waits: bool,
}

/// One of those that stand beside each other in a node: its own threads, or a group in it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Part {
    Bag,
    Child(usize),
}

impl Shares {
    /// Of groups on so many slots, from this one on. `division`: the number of their queue, if there are several.
    pub(in crate::policy) fn new(
        groups: &Weights,
        (first, slots): (Slot, usize),
        division: Option<(usize, Arc<Division>)>,
    ) -> Shares {
        let node = |parent: Option<usize>, weight: u64| Node {
            parent,
            weight,
            of_bag: Share::default(),
            of_node: Share::default(),
            weight_of_bag: 0,
            present: BTreeSet::new(),
            queue: BTreeSet::new(),
            least: 0,
            member: None,
        };
        let mut nodes = vec![node(None, 1)];
        for (parent, weight) in groups.iter() {
            nodes.push(node(Some(parent.map_or(0, |parent| parent + 1)), u64::from(*weight) * u64::from(UNIT)));
        }
        let (turns, ends) = (Turns::new(slots), vec![Time::ZERO; slots]);
        let (threads, owed) = (PerWho::default(), vec![None; slots]);
        Shares { nodes, first: first.0, turns, ends, threads, unserved: None, owed, stamp: 0, division }
    }

    /// The number of the group that somebody is in; 0 is none.
    pub(in crate::policy) fn group_of(&mut self, who: Who) -> usize {
        self.threads.of(who).node
    }

    fn share(&self, node: usize, part: Part) -> Share {
        match part {
            Part::Bag => self.nodes[node].of_bag,
            Part::Child(child) => self.nodes[child].of_node,
        }
    }

    /// Something about a part of a node is other than before: it stands elsewhere among those beside it.
    fn change(&mut self, node: usize, part: Part, change: impl FnOnce(&mut Share)) {
        let before = self.share(node, part);
        let mut now = before;
        change(&mut now);
        match part {
            Part::Bag => self.nodes[node].of_bag = now,
            Part::Child(child) => self.nodes[child].of_node = now,
        }
        let Node { present, queue, .. } = &mut self.nodes[node];
        if before.place() != now.place() {
            before.place().inspect(|had| _ = present.remove(&(*had, part)));
            now.place().inspect(|had| _ = present.insert((*had, part)));
        }
        if before.turn() != now.turn() {
            before.turn().inspect(|(had, stamp)| _ = queue.remove(&(*had, *stamp, part)));
            now.turn().inspect(|(had, stamp)| _ = queue.insert((*had, *stamp, part)));
        }
    }

    fn weight_of(&self, node: usize, part: Part) -> u64 {
        match part {
            Part::Bag => self.nodes[node].weight_of_bag,
            Part::Child(child) => match &self.division {
                Some((queue, division)) => division.part(child, *queue),
                None => self.nodes[child].weight,
            },
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

    /// Somebody has run for so long.
    fn serve(&mut self, who: Who, ran: Span) {
        let node = self.threads.of(who).node;
        for (node, part) in self.way(node) {
            let weight = self.weight_of(node, part);
            self.change(node, part, |share| share.had = share.had.plus(dividend(ran), weight));
        }
    }

    /// Brings what all have had up to now.
    fn account(&mut self, view: &View<'_>) {
        let mut served = Vec::new();
        self.turns.account(view, |who, ran| served.push((who, ran)));
        served.into_iter().for_each(|(who, ran)| self.serve(who, ran));
    }

    /// Brings the least that parts of a node have had up to now.
    fn find_least(&mut self, node: usize) -> Virtual {
        let Node { present, least, .. } = &mut self.nodes[node];
        if let Some((had, _)) = present.first() {
            *least = (*least).max(*had);
        }
        *least
    }

    /// Do all of a part that are ready stand still?
    fn stands_still(&self, node: usize, part: Part, view: &View<'_>) -> bool {
        match part {
            Part::Bag => self.nodes[node].member.is_some_and(|who| view.floor.stands_still(who)),
            Part::Child(child) => {
                self.nodes[child].queue.iter().all(|(.., part)| self.stands_still(child, *part, view))
            }
        }
    }

    /// Notes of which parts of a node all who are ready stand still. Which do not any more have nothing for that time.
    fn find_away(&mut self, node: usize, view: &View<'_>) {
        let least = self.find_least(node);
        let parts: Vec<Part> = self.nodes[node].queue.iter().map(|(.., part)| *part).collect();
        for part in parts {
            let (is_away, was_away) = (self.stands_still(node, part, view), self.share(node, part).is_away);
            if is_away != was_away {
                self.change(node, part, |share| {
                    share.is_away = is_away;
                    share.had = if is_away { share.had } else { share.had.at_least(least) };
                });
            }
        }
    }

    /// The slots on which somebody runs, of which group, and how long its slice may still last.
    fn running(&mut self, now: Time, but: Option<Slot>) -> Vec<(usize, Span)> {
        let Shares { turns, threads, ends, .. } = self;
        let running = turns.running().filter(|(slot, _)| Some(*slot) != but);
        running.map(|(slot, who)| (threads.of(who).node, ends[slot.0 as usize].since(now))).collect()
    }

    /// What those of a part that run may still have of their slices.
    fn ahead(&mut self, node: usize, part: Part, now: Time, but: Option<Slot>) -> Span {
        let running = self.running(now, but);
        let its = running.into_iter().filter(|(of, _)| self.way(*of).contains(&(node, part)));
        its.fold(Span::ZERO, |sum, (_, left)| sum + left)
    }

    fn key(&mut self, node: usize, part: Part, now: Time, but: Option<Slot>) -> Virtual {
        let ahead = self.ahead(node, part, now, but);
        self.with_ahead(node, part, ahead)
    }

    /// What a part has had, with what is ahead of it.
    fn with_ahead(&self, node: usize, part: Part, ahead: Span) -> Virtual {
        self.share(node, part).had.plus(dividend(ahead), self.weight_of(node, part)).whole()
    }

    /// The parts of a node of whom somebody is ready while others run, who comes first last.
    fn that_run(&mut self, node: usize, now: Time) -> Vec<(Virtual, u64, Part)> {
        let mut ahead: Vec<(Part, Span)> = Vec::new();
        for (of, left) in self.running(now, None) {
            let Some((_, part)) = self.way(of).into_iter().find(|(around, _)| *around == node) else { continue };
            match ahead.iter_mut().find(|(other, _)| *other == part) {
                Some((_, sum)) => *sum += left,
                None => ahead.push((part, left)),
            }
        }
        let key =
            |(part, ahead): (Part, Span)| (self.with_ahead(node, part, ahead), self.share(node, part).stamp, part);
        let mut keys: Vec<_> = ahead.into_iter().map(key).collect();
        keys.sort_unstable_by(|one, other| other.cmp(one));
        keys
    }

    /// Somebody of that node: `ask` is asked for one of the own threads of a group, of who comes first before all others.
    fn pick_in(&mut self, node: usize, view: &View<'_>, ask: &mut dyn FnMut(usize) -> Option<Turn>) -> Option<Turn> {
        self.find_least(node);
        if view.floor.has_quotas() {
            self.find_away(node, view);
        }
        let that_run = self.that_run(node, view.now);
        let runs = |part: Part| that_run.iter().any(|(.., other)| *other == part);
        let mut those = that_run.clone();
        let mut after = Bound::Unbounded;
        loop {
            let mut others = self.nodes[node].queue.range((after, Bound::Unbounded)).copied();
            let other = others.find(|(.., part)| !runs(*part));
            let next = match (those.last().copied(), other) {
                (Some(one), Some(other)) => one.min(other),
                (one, other) => one.or(other)?,
            };
            if those.last() == Some(&next) {
                those.pop();
            } else {
                after = Bound::Excluded(next);
            }
            let Share { waiting, is_away, .. } = self.share(node, next.2);
            let turn = match next.2 {
                _ if waiting == 0 || is_away => None,
                Part::Bag => ask(node),
                Part::Child(child) => self.pick_in(child, view, ask),
            };
            if turn.is_some() {
                return turn;
            }
        }
    }

    /// Where the ways of two threads meet: the node, and the part of each.
    fn meet(&self, one: usize, other: usize) -> Option<(usize, Part, Part)> {
        let others = self.way(other);
        self.way(one).into_iter().find_map(|(node, part)| {
            let (_, opposite) = others.iter().find(|(other, _)| *other == node)?;
            Some((node, part, *opposite))
        })
    }

    /// Somebody is ready. In which group?
    pub(in crate::policy) fn ready(&mut self, who: Who, why: Why, view: &View<'_>) -> usize {
        let attributes = view.floor.attributes(who);
        let node = attributes.groups.as_ref().and_then(|of| of.first()).map_or(0, |share| share.group.index() + 1);
        if matches!(why, Why::Arrived | Why::Spawned(_) | Why::Woken) {
            self.account(view);
            let own = u64::from(weight(attributes.nice)) * BESIDE;
            *self.threads.of(who) = Thread { node, weight: own, is_fresh: true, waits: true };
            self.weighs(node, |load| load + own);
            self.nodes[node].member = Some(who);
            self.waits(node, true);
            node
        } else {
            self.returns(who, why)
        }
    }

    /// Somebody who has run is ready again. In which group?
    pub(in crate::policy) fn returns(&mut self, who: Who, why: Why) -> usize {
        let thread = self.threads.of(who);
        (thread.is_fresh, thread.waits) = (false, true);
        let node = thread.node;
        self.waits(node, false);
        if let Why::Expired(slot) = why
            && self.unserved == Some((who, slot))
        {
            self.owed[(slot.0 - self.first) as usize] = Some(node);
        }
        node
    }

    fn waits(&mut self, node: usize, comes: bool) {
        self.stamp += 1;
        let stamp = self.stamp;
        for (node, part) in self.way(node) {
            let least = self.find_least(node);
            self.change(node, part, |share| {
                if comes && share.present == 0 {
                    (share.had, share.is_away) = (share.had.at_least(least), false);
                }
                share.present += usize::from(comes);
                if share.waiting == 0 {
                    share.stamp = stamp;
                }
                share.waiting += 1;
            });
        }
    }

    fn weighs(&mut self, node: usize, change: impl Fn(u64) -> u64) {
        self.nodes[node].weight_of_bag = change(self.nodes[node].weight_of_bag);
        if let Some((queue, division)) = &self.division {
            division.change(node, *queue, change);
        }
    }

    /// Somebody gets the slot: `ask` is asked for one of the own threads of a group.
    pub(in crate::policy) fn pick(
        &mut self,
        slot: Slot,
        view: &View<'_>,
        ask: &mut dyn FnMut(usize) -> Option<Turn>,
    ) -> Option<Turn> {
        self.account(view);
        let owed = self.owed[(slot.0 - self.first) as usize].take().and_then(&mut *ask);
        let turn = if let Some(turn) = owed { turn } else { self.pick_in(0, view, ask)? };
        let slot = Slot(slot.0 - self.first);
        self.turns.begin(slot, turn.who);
        let ends = if turn.slice == Slice::Endless { view.now } else { turn.slice.end(view.now) };
        self.ends[slot.0 as usize] = ends;
        self.stamp += 1;
        let stamp = self.stamp;
        self.no_longer_waits(turn.who, |share| share.stamp = stamp);
        Some(turn)
    }

    fn no_longer_waits(&mut self, who: Who, mut more: impl FnMut(&mut Share)) {
        let thread = self.threads.of(who);
        thread.waits = false;
        let node = thread.node;
        for (node, part) in self.way(node) {
            self.change(node, part, |share| {
                share.waiting -= 1;
                more(share);
            });
        }
    }

    /// Whoever has run on the slot for so long leaves it. In which group is it?
    pub(in crate::policy) fn left(&mut self, who: Who, slot: Slot, ran: Span) -> usize {
        let unaccounted = self.turns.end(Slot(slot.0 - self.first), ran);
        self.unserved = ran.is_zero().then_some((who, slot));
        self.serve(who, unaccounted);
        self.threads.of(who).node
    }

    /// Somebody who is ready, or has just left the slot to be so, goes elsewhere. In which group is it?
    pub(in crate::policy) fn moves_away(&mut self, who: Who, view: &View<'_>) -> usize {
        if self.threads.of(who).waits {
            self.no_longer_waits(who, |_| {});
        }
        self.goes(who, view);
        self.threads.of(who).node
    }

    /// Somebody who has left the slot does not want another: those beside it weigh less from now on, not before.
    pub(in crate::policy) fn goes(&mut self, who: Who, view: &View<'_>) {
        self.account(view);
        let Thread { node, weight, .. } = *self.threads.of(who);
        for (node, part) in self.way(node) {
            self.find_least(node);
            self.change(node, part, |share| share.present -= 1);
        }
        self.weighs(node, |load| load - weight);
    }

    /// The slot that a newcomer takes from somebody of another group, if that is far enough ahead of its own.
    pub(in crate::policy) fn displaces(&mut self, who: Who, view: &View<'_>) -> Option<Slot> {
        let Thread { node: own, is_fresh, .. } = *self.threads.of(who);
        if !is_fresh {
            return None;
        }
        self.account(view);
        let running: Vec<(Slot, Who)> = self.turns.running().collect();
        let mut worst: Option<(Virtual, Slot)> = None;
        for (slot, other) in running {
            let of = self.threads.of(other).node;
            let Some((node, part, opposite)) = self.meet(own, of) else { continue };
            let there = Slot(slot.0 + self.first);
            if part == opposite || !(view.free() || view.floor.allowed(who, there)) {
                continue;
            }
            let behind = self.key(node, opposite, view.now, Some(slot)) - self.key(node, part, view.now, None);
            if behind > GRANULARITY && worst.is_none_or(|(most, _)| most < behind) {
                worst = Some((behind, there));
            }
        }
        worst.map(|(_, slot)| slot)
    }
}
