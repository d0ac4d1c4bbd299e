//! A run while it is read: who had a processor when, and after what.

use sim_core::ids::{CpuId, TaskId};
use sim_core::time::{Span, Time};
use sim_core::timeline::{Block, Cause, Interval, Left, Timeline, What};

/// A task waited for a processor.
pub(super) struct Wait {
    pub(super) task: TaskId,
    /// Where it had run before.
    pub(super) at: CpuId,
    pub(super) since: Time,
    pub(super) until: Time,
    /// The processor that it got.
    pub(super) gets: CpuId,
    /// Did it wake from a sleep?
    pub(super) has_slept: bool,
}

/// A run while it is read.
pub(super) struct Run<'a> {
    pub(super) timeline: &'a Timeline,
    /// How long the tasks sleep, by the number of each in the file, where that is known.
    sleeps: &'static [Span],
    /// When tasks had a processor, in the order of time; what goes on is one.
    pub(super) stays: Vec<Interval>,
}

impl<'a> Run<'a> {
    pub(super) fn new(timeline: &'a Timeline, sleeps: &'static [Span]) -> Run<'a> {
        let mut all: Vec<Interval> = timeline.intervals.iter().filter(|interval| interval.what == What::Run).collect();
        all.sort_by_key(|stay| (stay.start, stay.end));
        let mut stays: Vec<Interval> = Vec::with_capacity(all.len());
        for stay in all {
            let last = stays.iter_mut().rev().find(|last| last.cpu == stay.cpu);
            match last {
                Some(last) if last.left == Left::Continues && last.task == stay.task && last.end == stay.start => {
                    (last.end, last.left) = (stay.end, stay.left);
                }
                _ => stays.push(stay),
            }
        }
        Run { timeline, sleeps, stays }
    }

    /// Each stay with the one before it on its processor.
    pub(super) fn pairs(&self) -> impl Iterator<Item = (&Interval, &Interval)> {
        self.stays.iter().filter_map(|stay| Some((self.before(stay)?, stay)))
    }

    pub(super) fn before(&self, stay: &Interval) -> Option<&Interval> {
        let earlier = self.stays.iter().filter(|other| other.cpu == stay.cpu && other.end <= stay.start);
        earlier.filter(|other| !std::ptr::eq(*other, stay)).max_by_key(|other| other.end)
    }

    /// The sleep from which the task came to this stay, if it came from one.
    pub(super) fn sleep_before(&self, stay: &Interval) -> Option<&Block> {
        let own = |block: &&Block| block.task == stay.task && block.cause == Cause::Timer && block.start < stay.start;
        let block = self.timeline.blocks.iter().filter(own).max_by_key(|block| block.start)?;
        let ran_since =
            |other: &Interval| other.task == stay.task && other.start >= block.start && other.start < stay.start;
        (!self.stays.iter().any(ran_since)).then_some(block)
    }

    /// How tasks waited before each of their stays.
    pub(super) fn waits(&self) -> Vec<Wait> {
        self.stays.iter().filter_map(|stay| self.wait_before(stay)).collect()
    }

    /// How the task waited before this stay, unless it is its first.
    pub(super) fn wait_before(&self, stay: &Interval) -> Option<Wait> {
        let earlier = self.stays.iter().filter(|other| other.task == stay.task && other.start < stay.start);
        let before = earlier.max_by_key(|other| other.start)?;
        let slept = self.sleep_before(stay).map(|block| block.start + self.sleep(stay.task));
        let since = slept.unwrap_or(before.end);
        let has_slept = slept.is_some();
        Some(Wait { task: stay.task, at: before.cpu, since, until: stay.start, gets: stay.cpu, has_slept })
    }

    /// How long the sleeps of a task are.
    pub(super) fn sleep(&self, task: TaskId) -> Span {
        let spec = self.timeline.tasks[task].spec as usize;
        self.sleeps.get(spec).copied().unwrap_or_default()
    }
}
