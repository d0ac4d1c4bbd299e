//! What policies share that run those of the best rank: a queue by rank, and whom a newcomer displaces.
//!
//! A rank is fixed when somebody becomes ready and holds until it leaves its slot, unless it is lent a better one.
//! Whoever was put off for somebody better goes to the head of its rank. Cost: logarithmic in the number of ready
//! threads while no affinity is set (constant for who is the best of them), linear when a rank is lent; linear in the
//! number of slots to find whom to displace, which is not looked for where nobody ready is better than somebody running.

use std::collections::BTreeSet;

use super::{Slot, View, Who, Why};

/// Everybody who is ready, the smallest rank first, and the ranks of those who run.
pub(super) struct ByRank<R> {
    /// The best of those who are ready, if it was the best when it came: who is picked at once is never sorted in.
    first: Option<Entry<R>>,
    /// All others who are ready.
    others: BTreeSet<Entry<R>>,
    running: Vec<Option<Entry<R>>>,
    /// Counts those who became ready.
    stamp: i64,
}

/// Somebody in the queue, or on a slot since it left the queue. The order of the fields is the order of the queue.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Entry<R> {
    pub(super) rank: R,
    /// Place in the rank: the stamp, or its negative for one put at the head.
    place: i64,
    pub(super) who: Who,
    /// The larger, the later it was queued.
    stamp: i64,
}

impl<R: Ord + Copy> ByRank<R> {
    pub(super) fn new(slots: usize) -> ByRank<R> {
        ByRank { first: None, others: BTreeSet::new(), running: vec![None; slots], stamp: 0 }
    }

    /// Somebody is ready.
    pub(super) fn insert(&mut self, who: Who, why: Why, rank: R) {
        self.stamp += 1;
        let place = if matches!(why, Why::Preempted(_)) { -self.stamp } else { self.stamp };
        self.sort_in(Entry { rank, place, who, stamp: self.stamp });
    }

    fn sort_in(&mut self, entry: Entry<R>) {
        let is_first = self.best().is_none_or(|best| entry < *best);
        let other = if is_first { self.first.replace(entry) } else { Some(entry) };
        self.others.extend(other);
    }

    /// Whoever is next where all slots are alike.
    fn best(&self) -> Option<&Entry<R>> {
        self.first.as_ref().or_else(|| self.others.first())
    }

    /// The best that may use the slot gets it.
    pub(super) fn take(&mut self, slot: Slot, view: &View<'_>) -> Option<Who> {
        let best = if view.free() {
            self.first.take().or_else(|| self.others.pop_first())?
        } else {
            let best = *self.ready().find(|entry| view.floor.allowed(entry.who, slot))?;
            self.remove(&best);
            best
        };
        self.running[slot.0 as usize] = Some(best);
        Some(best.who)
    }

    fn remove(&mut self, entry: &Entry<R>) {
        if self.first.take_if(|first| first == entry).is_none() {
            self.others.remove(entry);
        }
    }

    /// The rank of somebody who is ready or runs is another now. Who is ready keeps its place: ahead of those of the new
    /// rank who became ready later, behind those who did earlier.
    pub(super) fn change(&mut self, who: Who, rank: R) {
        if let Some(entry) = self.running.iter_mut().flatten().find(|entry| entry.who == who) {
            entry.rank = rank;
            return;
        }
        let found = self.ready().find(|entry| entry.who == who).copied();
        if let Some(entry) = found.filter(|entry| entry.rank != rank) {
            self.remove(&entry);
            self.sort_in(Entry { rank, ..entry });
        }
    }

    /// The slot is free again.
    pub(super) fn leave(&mut self, slot: Slot) {
        self.running[slot.0 as usize] = None;
    }

    pub(super) fn waiting(&self) -> usize {
        self.others.len() + usize::from(self.first.is_some())
    }

    /// Everybody who is ready, the best first.
    pub(super) fn ready(&self) -> impl Iterator<Item = &Entry<R>> {
        self.first.iter().chain(&self.others)
    }

    /// Is nobody who is ready better than anybody who runs, as both were when they became ready? Then nobody displaces.
    pub(super) fn is_in_order(&self) -> bool {
        let worst = self.running.iter().flatten().map(|entry| entry.rank).max();
        worst.is_none_or(|worst| self.best().is_none_or(|best| best.rank >= worst))
    }

    /// The slot that somebody of this rank takes from somebody strictly worse: from the worst, among equals from the
    /// one queued last. `now` says what the rank of somebody who runs is at present.
    pub(super) fn victim(&self, who: Who, rank: R, view: &View<'_>, now: impl Fn(&Entry<R>) -> R) -> Option<(Slot, R)> {
        let running = (0..).map(Slot).zip(&self.running).filter_map(|(slot, entry)| Some((slot, entry.as_ref()?)));
        let allowed = running.filter(|(slot, _)| view.free() || view.floor.allowed(who, *slot));
        let (slot, rank_there, _) = allowed
            .map(|(slot, entry)| (slot, now(entry), entry.stamp))
            .max_by_key(|(_, rank, stamp)| (*rank, *stamp))?;
        (rank_there > rank).then_some((slot, rank_there))
    }
}
