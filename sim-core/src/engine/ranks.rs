//! Who of many that wait for an object is the most urgent, without looking at all of them.

use std::cmp::Reverse;
use std::collections::{BTreeSet, VecDeque};

/// How urgent one who waits is; among equals the one ahead in the file.
pub(super) type Urgency = (i64, Reverse<u32>);

/// From so many on that wait it pays.
pub(super) const MANY: usize = 32;

/// Those who wait in a queue, by how urgent they are.
pub(super) struct Ranks {
    /// In the order of the queue: numbers that grow, and how urgent each is.
    queue: VecDeque<(i64, Urgency)>,
    /// Among equals by number.
    in_order: BTreeSet<(Reverse<i64>, i64)>,
    in_file: BTreeSet<(Reverse<Urgency>, i64)>,
}

impl Ranks {
    /// Of those who wait, in the order of the queue.
    pub(super) fn of(waiters: impl Iterator<Item = Urgency>) -> Ranks {
        let mut ranks = Ranks { queue: VecDeque::new(), in_order: BTreeSet::new(), in_file: BTreeSet::new() };
        waiters.for_each(|urgency| ranks.add(urgency, false));
        ranks
    }

    /// One more waits, behind all others or before them.
    pub(super) fn add(&mut self, urgency: Urgency, first: bool) {
        let number = if first {
            self.queue.front().map_or(0, |(number, _)| number - 1)
        } else {
            self.queue.back().map_or(0, |(number, _)| number + 1)
        };
        if first {
            self.queue.push_front((number, urgency));
        } else {
            self.queue.push_back((number, urgency));
        }
        self.in_order.insert((Reverse(urgency.0), number));
        self.in_file.insert((Reverse(urgency), number));
    }

    /// The one at that place of the queue is gone.
    pub(super) fn remove(&mut self, place: usize) {
        if let Some((number, urgency)) = self.queue.remove(place) {
            self.in_order.remove(&(Reverse(urgency.0), number));
            self.in_file.remove(&(Reverse(urgency), number));
        }
    }

    /// The place of the most urgent; among equals of who came first.
    pub(super) fn next(&self) -> Option<usize> {
        self.place(self.in_order.first()?.1)
    }

    /// The place of the most urgent; among equals of who is ahead in the file.
    pub(super) fn most_urgent(&self) -> Option<usize> {
        self.place(self.in_file.first()?.1)
    }

    fn place(&self, number: i64) -> Option<usize> {
        self.queue.binary_search_by_key(&number, |(number, _)| *number).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::StreamName;

    #[test]
    fn the_most_urgent_is_found_as_by_looking_at_all() {
        let mut chance = StreamName::new(2).word("ranks").stream();
        let mut plain: Vec<Urgency> = Vec::new();
        let mut ranks = Ranks::of(std::iter::empty());
        for _ in 0..5_000 {
            let number = chance.next_u64();
            let urgency = ((number % 7).cast_signed(), Reverse(u32::try_from(number >> 40).unwrap_or(0)));
            match number >> 8 & 3 {
                0 if !plain.is_empty() => {
                    let place = usize::try_from(number >> 20).unwrap_or(0) % plain.len();
                    plain.remove(place);
                    ranks.remove(place);
                }
                1 => {
                    plain.insert(0, urgency);
                    ranks.add(urgency, true);
                }
                _ => {
                    plain.push(urgency);
                    ranks.add(urgency, false);
                }
            }
            let first = |key: &dyn Fn(&Urgency) -> Urgency| {
                let best = plain.iter().map(key).max()?;
                plain.iter().map(key).position(|other| other == best)
            };
            assert_eq!(ranks.next(), first(&|urgency| (urgency.0, Reverse(0))));
            assert_eq!(ranks.most_urgent(), first(&|urgency| *urgency));
        }
    }
}
