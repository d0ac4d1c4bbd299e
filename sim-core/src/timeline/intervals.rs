//! The intervals of a kept timeline, packed: a run has millions of them, and what each costs is the memory it is written to.
//!
//! An [`Interval`] has 32 bytes. Nearly all that happen fit into 16, of which every bit is used:
//!
//! | bits | what |
//! |---|---|
//! | 32 | start, since a base that is renewed every few seconds of simulated time |
//! | 32 | length |
//! | 24 | task |
//! | 24 | thread |
//! | 12 | processor |
//! | 1 + 3 | whether it ran or was switched to, and how it ended |
//!
//! Ids are stored plus one, so that nobody ([`TaskId::NONE`] and the like) is zero. What does not fit (lengths beyond 4.29 s,
//! more than 16 million tasks, starts of processes, the contradictions of a measured record) is kept as it is, aside, and the entry says where. So
//! every interval comes back exactly as it was.
//!
//! Entries lie in chunks that are never moved: a vector that grows copies all that it has, again and again, and the pages
//! that it leaves behind must be got anew from the operating system.

use std::fmt;

use super::{Interval, Left, What};
use crate::ids::{CpuId, TaskId, ThreadId};
use crate::time::Time;

/// Intervals in the order in which they were pushed. They come out by value, one after the other or by their number.
///
/// ```
/// use sim_core::ids::{CpuId, TaskId, ThreadId};
/// use sim_core::time::Time;
/// use sim_core::timeline::{Interval, Intervals, Left, What};
/// let one = Interval {
///     start: Time::ZERO,
///     end: Time::from_ns(1_000),
///     task: TaskId(0),
///     thread: ThreadId(7),
///     cpu: CpuId(1),
///     what: What::Run,
///     left: Left::Finished,
/// };
/// let mut intervals = Intervals::new();
/// intervals.push(one);
/// intervals.edit(|all| all[0].cpu = CpuId(2));
/// assert_eq!(intervals.get(0), Some(Interval { cpu: CpuId(2), ..one }));
/// assert_eq!(intervals.iter().count(), 1);
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Intervals {
    /// Chunks that are full, each of [`CHUNK`] entries.
    full: Vec<Vec<Packed>>,
    /// The chunk that is being filled. That of a short run is short.
    last: Vec<Packed>,
    /// From which entry on starts count since when. Both grow.
    bases: Vec<(usize, u64)>,
    /// The last of them.
    base: u64,
    /// What does not fit into an entry.
    aside: Vec<Interval>,
}

/// So many entries are in a chunk: 64 KiB.
const CHUNK: usize = 4096;
/// So far before the first start that counts from it a base lies: intervals come in the order of their ends, and one that
/// comes later may have begun earlier.
const BEFORE: u64 = 1 << 31;

/// An interval in 16 bytes, or a place in what is kept aside.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Packed {
    /// Start and length, or the place.
    times: u64,
    /// Who, where, what and how it ended, from the upper to the lower bits; or [`ASIDE`].
    who: u64,
}

/// No interval ends like that.
const ASIDE: u64 = 7;
const IDS: u32 = 24;
const CPUS: u32 = 12;

impl Packed {
    /// The interval, if it fits.
    #[inline]
    fn of(interval: &Interval, base: u64) -> Option<Packed> {
        let start = interval.start.ns().wrapping_sub(base);
        let length = interval.end.ns().wrapping_sub(interval.start.ns());
        let [task, thread, cpu] =
            [interval.task.0, interval.thread.0, interval.cpu.0].map(|id| u64::from(id.wrapping_add(1)));
        if (start | length) >> 32 | (task | thread) >> IDS | cpu >> CPUS != 0 || interval.what == What::Start {
            return None;
        }
        let how = (interval.what as u64) << 3 | interval.left as u64;
        Some(Packed { times: start << 32 | length, who: ((task << IDS | thread) << CPUS | cpu) << 4 | how })
    }

    #[inline]
    fn interval(self, base: u64, aside: &[Interval]) -> Interval {
        let left = match self.who & 7 {
            0 => Left::Continues,
            1 => Left::Preempted,
            2 => Left::Yielded,
            3 => Left::Blocked,
            4 => Left::Finished,
            _ => return aside[usize::try_from(self.times).unwrap_or(usize::MAX)],
        };
        let id = |shift: u32, bits: u32| {
            let id = self.who >> shift & ((1 << bits) - 1);
            u32::try_from(id).unwrap_or_default().wrapping_sub(1)
        };
        let start = base.wrapping_add(self.times >> 32);
        Interval {
            start: Time::from_ns(start),
            end: Time::from_ns(start.wrapping_add(self.times & u64::from(u32::MAX))),
            task: TaskId(id(4 + CPUS + IDS, IDS)),
            thread: ThreadId(id(4 + CPUS, IDS)),
            cpu: CpuId(id(4, CPUS)),
            what: if self.who & 8 == 0 { What::Run } else { What::Switch },
            left,
        }
    }
}

impl Intervals {
    /// None.
    #[must_use]
    pub const fn new() -> Intervals {
        Intervals { full: Vec::new(), last: Vec::new(), bases: Vec::new(), base: 0, aside: Vec::new() }
    }

    /// Appends one.
    #[inline]
    pub fn push(&mut self, interval: Interval) {
        let packed = match Packed::of(&interval, self.base) {
            Some(packed) => packed,
            None => self.misfit(&interval),
        };
        if self.last.len() == CHUNK {
            self.begin_chunk();
        }
        self.last.push(packed);
    }

    /// What does not fit may do so after a new base.
    #[cold]
    #[inline(never)]
    fn misfit(&mut self, interval: &Interval) -> Packed {
        let start = interval.start.ns();
        if start.checked_sub(self.base).is_some_and(|since| since >> 32 != 0) {
            self.base = start - BEFORE;
            self.bases.push((self.len(), self.base));
        }
        Packed::of(interval, self.base).unwrap_or_else(|| {
            self.aside.push(*interval);
            Packed { times: self.aside.len() as u64 - 1, who: ASIDE }
        })
    }

    #[cold]
    #[inline(never)]
    fn begin_chunk(&mut self) {
        self.full.push(std::mem::replace(&mut self.last, Vec::with_capacity(CHUNK)));
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.full.len() * CHUNK + self.last.len()
    }

    /// Are there none?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.last.is_empty()
    }

    /// The one of this number.
    #[must_use]
    pub fn get(&self, number: usize) -> Option<Interval> {
        let packed = match self.full.get(number / CHUNK) {
            Some(chunk) => chunk.get(number % CHUNK),
            None => self.last.get(number - self.full.len() * CHUNK),
        }?;
        let before = self.bases.partition_point(|(from, _)| *from <= number).checked_sub(1);
        Some(packed.interval(before.map_or(0, |before| self.bases[before].1), &self.aside))
    }

    /// All, in order.
    #[must_use]
    pub fn iter(&self) -> Iter<'_> {
        let renewed = self.bases.first().map_or(usize::MAX, |(from, _)| *from);
        Iter { intervals: self, chunk: [].iter(), number: 0, base: 0, bases: 0, renewed }
    }

    /// Changes them as a plain vector, into which they are unpacked for that.
    pub fn edit<T>(&mut self, change: impl FnOnce(&mut Vec<Interval>) -> T) -> T {
        let mut plain: Vec<Interval> = self.iter().collect();
        let result = change(&mut plain);
        *self = plain.into();
        result
    }
}

/// All intervals of [`Intervals`], in order.
#[derive(Clone)]
pub struct Iter<'a> {
    intervals: &'a Intervals,
    /// What is left of the present chunk.
    chunk: std::slice::Iter<'a, Packed>,
    /// That of the next entry.
    number: usize,
    base: u64,
    /// So many bases have come, and the next is that of this entry.
    bases: usize,
    renewed: usize,
}

impl Iter<'_> {
    #[cold]
    #[inline(never)]
    fn renew(&mut self) {
        self.base = self.intervals.bases[self.bases].1;
        self.bases += 1;
        self.renewed = self.intervals.bases.get(self.bases).map_or(usize::MAX, |(from, _)| *from);
    }

    #[cold]
    #[inline(never)]
    fn next_chunk(&mut self) -> Option<Packed> {
        let intervals = self.intervals;
        let last = Some(&intervals.last).filter(|_| self.number < intervals.len());
        self.chunk = intervals.full.get(self.number / CHUNK).or(last)?.iter();
        self.chunk.next().copied()
    }
}

impl Iterator for Iter<'_> {
    type Item = Interval;

    #[inline]
    fn next(&mut self) -> Option<Interval> {
        let packed = match self.chunk.next() {
            Some(packed) => *packed,
            None => self.next_chunk()?,
        };
        if self.number == self.renewed {
            self.renew();
        }
        self.number += 1;
        Some(packed.interval(self.base, &self.intervals.aside))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.intervals.len() - self.number;
        (left, Some(left))
    }
}

impl ExactSizeIterator for Iter<'_> {}

impl fmt::Debug for Iter<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.clone()).finish()
    }
}

impl fmt::Debug for Intervals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.iter().fmt(f)
    }
}

impl<'a> IntoIterator for &'a Intervals {
    type Item = Interval;
    type IntoIter = Iter<'a>;
    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}

impl FromIterator<Interval> for Intervals {
    fn from_iter<I: IntoIterator<Item = Interval>>(iter: I) -> Intervals {
        let mut intervals = Intervals::new();
        iter.into_iter().for_each(|interval| intervals.push(interval));
        intervals
    }
}

impl From<Vec<Interval>> for Intervals {
    fn from(plain: Vec<Interval>) -> Intervals {
        plain.into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn interval(start: u64, end: u64, ids: [u32; 3]) -> Interval {
        let [start, end] = [start, end].map(Time::from_ns);
        let [task, thread, cpu] = ids;
        let (task, thread, cpu) = (TaskId(task), ThreadId(thread), CpuId(cpu));
        Interval { start, end, task, thread, cpu, what: What::Run, left: Left::Preempted }
    }

    /// They come back as they were, one after the other and by their numbers.
    #[track_caller]
    fn come_back(all: &[Interval]) -> Intervals {
        let packed: Intervals = all.iter().copied().collect();
        assert_eq!(packed.len(), all.len());
        assert_eq!(packed.is_empty(), all.is_empty());
        let different = packed.iter().zip(all).enumerate().find(|(_, (one, other))| one != *other);
        assert_eq!(different, None);
        assert_eq!(packed.iter().len(), all.len());
        for (number, one) in all.iter().enumerate() {
            assert_eq!(packed.get(number), Some(*one), "{number}");
        }
        assert_eq!(packed.get(all.len()), None);
        assert_eq!(packed.get(all.len() + CHUNK), None);
        packed
    }

    #[test]
    fn an_entry_has_16_bytes() {
        assert_eq!(size_of::<Packed>(), 16);
    }

    #[test]
    fn all_values_come_back() {
        let times = [0, 1, (1 << 31) - 1, 1 << 31, (1 << 32) - 1, 1 << 32, 1 << 33, 1 << 63, u64::MAX];
        let ids = [0, 1, 4094, 4095, (1 << 24) - 2, (1 << 24) - 1, u32::MAX - 1, u32::MAX];
        let mut all = Vec::new();
        for start in times {
            for end in times {
                for (index, id) in ids.into_iter().enumerate() {
                    all.push(interval(start, end, [id, ids[(index + 3) % ids.len()], ids[(index + 5) % ids.len()]]));
                    all.push(interval(start, end, [0, id, 0]));
                }
            }
        }
        for (index, one) in all.iter_mut().enumerate() {
            let left = [Left::Continues, Left::Preempted, Left::Yielded, Left::Blocked, Left::Finished];
            one.left = left[index % left.len()];
            one.what = if index % 2 == 0 { What::Run } else { What::Switch };
        }
        come_back(&all);
        all.sort_by_key(|one| (one.end, one.start));
        come_back(&all);
        all.reverse();
        come_back(&all);
    }

    #[test]
    fn a_long_run_takes_16_bytes_an_interval() {
        for (length, count) in [(0, 0), (7, 1), (7, CHUNK), (7, CHUNK + 1), (999_999, 3 * CHUNK), (1 << 30, 2 * CHUNK)]
        {
            let at = |number: usize| number as u64 * length;
            let all: Vec<Interval> =
                (0..count).map(|number| interval(at(number), at(number + 1), [number as u32, 5, 63])).collect();
            let packed = come_back(&all);
            assert_eq!(packed.full.len(), count.saturating_sub(1) / CHUNK);
            assert!(packed.aside.is_empty() && packed.bases.len() * 2 <= count);
        }
    }

    #[test]
    fn what_is_edited_is_packed_anew() {
        let mut packed = come_back(&[interval(0, 5, [0, 0, 0]), interval(5, 9, [1, 1, 0])]);
        let same = packed.clone();
        assert_eq!(packed.edit(Vec::pop), same.get(1));
        assert_ne!(packed, same);
        packed.push(interval(5, 9, [1, 1, 0]));
        assert_eq!(packed, same);
        assert_eq!(format!("{packed:?}"), format!("{:?}", packed.iter().collect::<Vec<_>>()));
    }
}
