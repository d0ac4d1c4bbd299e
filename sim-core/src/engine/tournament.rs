//! A tournament tree of deadlines, one per processor (or device, or periodic instance): the earliest in one step, a change in log2(processors) steps.
//!
//! Keys are plain 64-bit times; ties fall to the lower position. That makes it faster than any heap of (time,
//! sequence) pairs, and there are no cancelled entries: a processor has exactly one deadline.

use crate::time::Time;

#[derive(Debug)]
pub(super) struct Tournament {
    /// A complete binary tree: the root is at 1, the leaves start at `leaves`. A node holds the earlier of its
    /// children.
    nodes: Vec<u64>,
    leaves: usize,
}

impl Tournament {
    /// `slots` deadlines, all never.
    pub(super) fn new(slots: usize) -> Tournament {
        let leaves = slots.next_power_of_two();
        Tournament { nodes: vec![u64::MAX; 2 * leaves], leaves }
    }

    /// The earliest deadline.
    #[inline]
    pub(super) fn earliest(&self) -> Time {
        Time::from_ns(self.nodes[1])
    }

    /// Sets the deadline of a slot.
    #[inline]
    pub(super) fn set(&mut self, slot: usize, deadline: Time) {
        let mut node = self.leaves + slot;
        let mut winner = deadline.ns();
        self.nodes[node] = winner;
        while node > 1 {
            winner = winner.min(self.nodes[node ^ 1]);
            node /= 2;
            if self.nodes[node] == winner {
                return;
            }
            self.nodes[node] = winner;
        }
    }

    /// Sets the deadline of a slot, which is not seen before [`Tournament::play`].
    #[inline]
    pub(super) fn put(&mut self, slot: usize, deadline: Time) {
        self.nodes[self.leaves + slot] = deadline.ns();
    }

    /// Those slots, in order, have been put deadlines.
    #[inline]
    pub(super) fn play(&mut self, slots: &[u32]) {
        if slots.len() * 4 > self.leaves {
            for node in (1..self.leaves).rev() {
                self.nodes[node] = self.nodes[2 * node].min(self.nodes[2 * node + 1]);
            }
        } else {
            for slot in slots.iter().map(|slot| *slot as usize) {
                self.set(slot, Time::from_ns(self.nodes[self.leaves + slot]));
            }
        }
    }

    /// The first slot whose deadline is not after `now`.
    #[inline]
    pub(super) fn first_due(&self, now: Time) -> Option<usize> {
        if self.nodes[1] > now.ns() || self.earliest().is_never() {
            return None;
        }
        let mut node = 1;
        while node < self.leaves {
            node = 2 * node + usize::from(self.nodes[2 * node] > now.ns());
        }
        Some(node - self.leaves)
    }

    /// Appends all slots whose deadline is not after `now` to `due`, in order. They keep it until they are set anew.
    #[inline]
    pub(super) fn list_due(&self, now: Time, due: &mut Vec<u32>) {
        if self.nodes[1] <= now.ns() {
            match self.leaves {
                1 => due.push(0),
                _ => self.list_below(1, now.ns(), due),
            }
        }
    }

    /// Goes down to the leaves below a node that is due. Of a few leaves each is looked at.
    fn list_below(&self, mut node: usize, now: u64, due: &mut Vec<u32>) {
        let mut below = self.leaves >> node.ilog2();
        while below > FEW {
            (node, below) = (2 * node, below / 2);
            match (self.nodes[node] <= now, self.nodes[node + 1] <= now) {
                (true, true) => {
                    self.list_below(node, now, due);
                    node += 1;
                }
                (true, false) => {}
                (false, _) => node += 1,
            }
        }
        let first = node * below;
        for (slot, at) in (first - self.leaves..).zip(&self.nodes[first..first + below]) {
            if *at <= now {
                #[expect(clippy::cast_possible_truncation, reason = "processors are numbered with 32 bits")]
                due.push(slot as u32);
            }
        }
    }
}

/// So many leaves are looked at as fast as half of them are found.
const FEW: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_earliest_and_all_that_are_due_in_order() {
        for slots in [1, 2, 3, 5, 8, 13] {
            let mut tree = Tournament::new(slots);
            assert!(tree.earliest().is_never());
            for slot in 0..slots {
                tree.set(slot, Time::from_ns(10 + (slot as u64 * 7) % 3));
            }
            tree.set(slots - 1, Time::from_ns(10));
            let mut expected: Vec<u32> = (0..slots as u32).filter(|slot| (slot * 7) % 3 == 0).collect();
            if !expected.contains(&(slots as u32 - 1)) {
                expected.push(slots as u32 - 1);
            }
            let mut due = Vec::new();
            assert_eq!(tree.earliest(), Time::from_ns(10));
            tree.list_due(Time::from_ns(9), &mut due);
            assert!(due.is_empty());
            tree.list_due(Time::from_ns(10), &mut due);
            assert_eq!(due, expected, "{slots} slots");
            due.iter().for_each(|slot| tree.set(*slot as usize, Time::NEVER));
            assert!(tree.earliest() > Time::from_ns(10));
        }
    }
}
