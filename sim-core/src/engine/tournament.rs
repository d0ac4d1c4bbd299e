//! A tournament tree of deadlines, one per processor (or device, or periodic instance): the earliest in one step, a change
//! in log4(processors) steps.
//!
//! Keys are plain 64-bit times; ties fall to the lower position. That makes it faster than any heap of (time,
//! sequence) pairs, and there are no cancelled entries: a processor has exactly one deadline.

use crate::time::Time;

#[derive(Debug)]
pub(super) struct Tournament {
    /// Groups of four keys: those of the slots, from `leaves` on, and before them those of the earliest of each other group,
    /// so that the four of group `g` are those of the groups from `4 g + 1` on.
    groups: Vec<[u64; 4]>,
    leaves: usize,
    earliest: u64,
}

impl Tournament {
    /// `slots` deadlines, all never.
    pub(super) fn new(slots: usize) -> Tournament {
        let needed = slots.div_ceil(4).max(1);
        let mut leaves = 0;
        while 3 * leaves + 1 < needed {
            leaves = 4 * leaves + 1;
        }
        Tournament { groups: vec![[u64::MAX; 4]; leaves + needed], leaves, earliest: u64::MAX }
    }

    /// The earliest deadline.
    #[inline]
    pub(super) fn earliest(&self) -> Time {
        Time::from_ns(self.earliest)
    }

    /// Sets the deadline of a slot.
    #[inline]
    pub(super) fn set(&mut self, slot: usize, deadline: Time) {
        self.put(slot, deadline);
        self.play_from(self.leaves + slot / 4);
    }

    /// Sets the deadline of a slot, which is not seen before [`Tournament::play`].
    #[inline]
    pub(super) fn put(&mut self, slot: usize, deadline: Time) {
        self.groups[self.leaves + slot / 4][slot % 4] = deadline.ns();
    }

    /// Those slots, in order, have been put deadlines.
    #[inline]
    pub(super) fn play(&mut self, slots: &[u32]) {
        if slots.len() * 2 > self.groups.len() {
            for group in (1..self.groups.len()).rev() {
                self.groups[(group - 1) / 4][(group - 1) % 4] = least(&self.groups[group]);
            }
            self.earliest = least(&self.groups[0]);
        } else {
            for slot in slots {
                self.play_from(self.leaves + *slot as usize / 4);
            }
        }
    }

    /// A key of the group has changed: tells those above, as far as they do not know.
    #[inline]
    fn play_from(&mut self, mut group: usize) {
        loop {
            let winner = least(&self.groups[group]);
            if group == 0 {
                self.earliest = winner;
                return;
            }
            let place = (group - 1) % 4;
            group = (group - 1) / 4;
            if self.groups[group][place] == winner {
                return;
            }
            self.groups[group][place] = winner;
        }
    }

    /// The first slot whose deadline is not after `now`.
    #[inline]
    pub(super) fn first_due(&self, now: Time) -> Option<usize> {
        if self.earliest().is_never() {
            return None;
        }
        let mut group = 0;
        loop {
            let place = self.groups[group].iter().position(|at| *at <= now.ns())?;
            if group >= self.leaves {
                return Some(4 * (group - self.leaves) + place);
            }
            group = 4 * group + 1 + place;
        }
    }

    /// Appends all slots whose deadline is not after `now` to `due`, in order. They keep it until they are set anew.
    #[expect(clippy::inline_always, reason = "every instant asks, and mostly nothing is due")]
    #[inline(always)]
    pub(super) fn list_due(&self, now: Time, due: &mut Vec<u32>) {
        if self.earliest <= now.ns() {
            if self.leaves == 0 {
                self.list_group(0, now.ns(), due);
            } else {
                self.list_below(0, now.ns(), due);
            }
        }
    }

    /// Goes down to the slots below a group in which something is due.
    fn list_below(&self, group: usize, now: u64, due: &mut Vec<u32>) {
        for (below, at) in (4 * group + 1..).zip(&self.groups[group]) {
            if *at <= now {
                if below < self.leaves {
                    self.list_below(below, now, due);
                } else {
                    self.list_group(below, now, due);
                }
            }
        }
    }

    /// Those of a group of slots that are due.
    #[expect(clippy::inline_always, reason = "machines of few processors have one group")]
    #[inline(always)]
    fn list_group(&self, group: usize, now: u64, due: &mut Vec<u32>) {
        #[expect(clippy::cast_possible_truncation, reason = "processors are numbered with 32 bits")]
        let first = 4 * (group - self.leaves) as u32;
        for (slot, at) in (first..).zip(&self.groups[group]) {
            if *at <= now {
                due.push(slot);
            }
        }
    }
}

/// The earliest of four.
#[inline]
fn least(four: &[u64; 4]) -> u64 {
    four[0].min(four[1]).min(four[2].min(four[3]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_earliest_and_all_that_are_due_in_order() {
        for slots in [1, 2, 3, 4, 5, 8, 13, 16, 17, 64, 70] {
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
