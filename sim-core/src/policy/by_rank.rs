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
    /// The best of those who are ready, the very best last: of so few each is found at once, and comes and goes for less
    /// than in a tree.
    near: Vec<Entry<R>>,
    /// All others who are ready: none is better than any of `near`.
    far: BTreeSet<Entry<R>>,
    running: Vec<Option<Entry<R>>>,
    /// The worst rank of those who run, as it was when they became ready.
    worst: Option<R>,
    /// Counts those who became ready.
    stamp: i64,
}

/// So many are near at most.
const NEAR: usize = 64;

/// Somebody in the queue, or on a slot since it left the queue. The order of the fields is the order of the queue.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Entry<R> {
    pub(super) rank: R,
    /// Place in the rank: when it was queued, counted, or the negative of that for one put at the head.
    place: i64,
    pub(super) who: Who,
}

impl<R: Ord + Copy> ByRank<R> {
    pub(super) fn new(slots: usize) -> ByRank<R> {
        ByRank { near: Vec::new(), far: BTreeSet::new(), running: vec![None; slots], worst: None, stamp: 0 }
    }

    /// Somebody is ready.
    #[inline]
    pub(super) fn insert(&mut self, who: Who, why: Why, rank: R) {
        self.stamp += 1;
        let place = if matches!(why, Why::Preempted(_)) { -self.stamp } else { self.stamp };
        self.sort_in(Entry { rank, place, who });
    }

    #[expect(clippy::inline_always, reason = "nothing happens more often")]
    #[inline(always)]
    fn sort_in(&mut self, entry: Entry<R>) {
        if self.near.len() == NEAR {
            self.make_room();
        }
        if self.far.first().is_some_and(|best| entry > *best) {
            self.far.insert(entry);
            return;
        }
        let better = self.near.iter().rev().take_while(|other| **other < entry).count();
        self.near.insert(self.near.len() - better, entry);
    }

    #[cold]
    fn make_room(&mut self) {
        self.far.extend(self.near.drain(..NEAR / 2));
    }

    /// Whoever is next where all slots are alike.
    #[inline]
    fn best(&self) -> Option<&Entry<R>> {
        self.near.last().or_else(|| self.far.first())
    }

    /// The best that may use the slot gets it.
    #[inline]
    pub(super) fn take(&mut self, slot: Slot, view: &View<'_>) -> Option<Who> {
        let best = if view.free() { self.pop()? } else { self.take_allowed(slot, view)? };
        self.running[slot.0 as usize] = Some(best);
        self.worst = self.worst.max(Some(best.rank));
        Some(best.who)
    }

    #[inline]
    fn pop(&mut self) -> Option<Entry<R>> {
        if self.near.is_empty() && !self.far.is_empty() {
            self.near.extend((0..NEAR / 2).map_while(|_| self.far.pop_first()));
            self.near.reverse();
        }
        self.near.pop()
    }

    fn take_allowed(&mut self, slot: Slot, view: &View<'_>) -> Option<Entry<R>> {
        let best = *self.ready().find(|entry| view.floor.allowed(entry.who, slot))?;
        self.remove(&best);
        Some(best)
    }

    fn remove(&mut self, entry: &Entry<R>) {
        match self.near.iter().rposition(|other| other == entry) {
            Some(place) => _ = self.near.remove(place),
            None => _ = self.far.remove(entry),
        }
    }

    /// The rank of somebody who is ready or runs is another now. Who is ready keeps its place: ahead of those of the new
    /// rank who became ready later, behind those who did earlier.
    pub(super) fn change(&mut self, who: Who, rank: R) {
        if let Some(entry) = self.running.iter_mut().flatten().find(|entry| entry.who == who) {
            entry.rank = rank;
            return self.worst = self.worst_running();
        }
        let found = self.ready().find(|entry| entry.who == who).copied();
        if let Some(entry) = found.filter(|entry| entry.rank != rank) {
            self.remove(&entry);
            self.sort_in(Entry { rank, ..entry });
        }
    }

    /// Somebody who is ready is the next of those of its rank.
    #[cold]
    pub(super) fn is_next(&mut self, who: Who) {
        let found = self.ready().find(|entry| entry.who == who).copied();
        if let Some(entry) = found {
            self.remove(&entry);
            self.sort_in(Entry { place: -self.stamp, ..entry });
        }
    }

    /// Somebody is ready no more.
    pub(super) fn withdraw(&mut self, who: Who) {
        let found = self.ready().find(|entry| entry.who == who).copied();
        if let Some(entry) = found {
            self.remove(&entry);
        }
    }

    /// The slot is free again.
    #[inline]
    pub(super) fn leave(&mut self, slot: Slot) {
        let left = self.running[slot.0 as usize].take().map(|entry| entry.rank);
        if left == self.worst {
            self.worst = self.worst_running();
        }
    }

    fn worst_running(&self) -> Option<R> {
        self.running.iter().flatten().map(|entry| entry.rank).max()
    }

    pub(super) fn waiting(&self) -> usize {
        self.near.len() + self.far.len()
    }

    /// Everybody who is ready, the best first.
    pub(super) fn ready(&self) -> impl Iterator<Item = &Entry<R>> {
        self.near.iter().rev().chain(&self.far)
    }

    /// The rank with which somebody became ready, if it is the best of all.
    pub(super) fn rank_of_best(&self, who: Who) -> Option<R> {
        self.best().filter(|best| best.who == who).map(|best| best.rank)
    }

    /// Is nobody who is ready better than anybody who runs, as both were when they became ready? Then nobody displaces.
    #[inline]
    pub(super) fn is_in_order(&self) -> bool {
        self.worst.is_none_or(|worst| self.best().is_none_or(|best| best.rank >= worst))
    }

    /// The slot that somebody of this rank takes from somebody strictly worse: from the worst, among equals from the
    /// one queued last. `now` says what the rank of somebody who runs is at present.
    pub(super) fn victim(&self, who: Who, rank: R, view: &View<'_>, now: impl Fn(&Entry<R>) -> R) -> Option<(Slot, R)> {
        let running = (0..).map(Slot).zip(&self.running).filter_map(|(slot, entry)| Some((slot, entry.as_ref()?)));
        let allowed = running.filter(|(slot, _)| view.free() || view.floor.allowed(who, *slot));
        let (slot, rank_there, _) = allowed
            .map(|(slot, entry)| (slot, now(entry), entry.place.unsigned_abs()))
            .max_by_key(|(_, rank, stamp)| (*rank, *stamp))?;
        (rank_there > rank).then_some((slot, rank_there))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::StreamName;

    #[test]
    fn near_and_far_are_one_queue_however_many_are_ready() {
        let mut chance = StreamName::new(5).word("by rank").stream();
        let (mut queue, mut plain) = (ByRank::new(1), BTreeSet::new());
        let mut longest = 0;
        for number in 0..12_000 {
            // It grows to some hundreds and shrinks again, and again.
            let more = if number / 600 % 2 == 0 { 6 } else { 2 };
            let rank = chance.below(40);
            if chance.below(8) < more {
                let (why, sign) = if chance.below(4) == 0 { (Why::Preempted(Slot(0)), -1) } else { (Why::Woken, 1) };
                queue.insert(Who(number), why, rank);
                plain.insert(Entry { rank, place: sign * queue.stamp, who: Who(number) });
            } else if chance.below(3) > 0 {
                assert!(queue.pop() == plain.pop_first(), "at {number} another is the best");
            } else {
                let one = usize::try_from(chance.below(plain.len() as u64 + 1)).unwrap();
                if let Some(entry) = plain.iter().nth(one).copied() {
                    queue.change(entry.who, rank);
                    plain.remove(&entry);
                    plain.insert(Entry { rank, ..entry });
                }
            }
            longest = longest.max(plain.len());
            assert!(queue.ready().eq(&plain) && queue.waiting() == plain.len(), "at {number} the order is another");
        }
        assert!(longest > 3 * NEAR, "{longest} are not many");
    }
}
