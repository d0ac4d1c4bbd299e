//! What ready tasks waited for, moment by moment.

use std::collections::BTreeMap;

use super::index::Index;
use super::{Ledger, Passage};
use crate::ids::TaskId;
use crate::time::Time;
use crate::timeline::lanes::Stretch;
use crate::timeline::{Interval, Timeline};

/// The hurdles of those who are asked about.
pub(crate) struct Hurdles<'a> {
    index: Index<'a>,
    /// By the task and the beginning of the stretch in which it was ready.
    known: BTreeMap<(TaskId, Time), Vec<Passage>>,
}

impl<'a> Hurdles<'a> {
    /// Of a timeline, with its intervals unpacked.
    pub(crate) fn of(timeline: &'a Timeline, intervals: &'a [Interval]) -> Hurdles<'a> {
        Hurdles { index: Index::new(timeline, intervals), known: BTreeMap::new() }
    }

    /// In which stretch of its life a task is at a moment.
    pub(crate) fn stretch(&self, task: TaskId, at: Time) -> Option<Stretch> {
        let lane = &self.index.lanes[task];
        let last = lane.partition_point(|stretch| stretch.start <= at).checked_sub(1)?;
        Some(lane[last]).filter(|stretch| at < stretch.end)
    }

    /// What a task waits for at a moment of a stretch in which it is ready.
    pub(crate) fn at(&mut self, task: TaskId, ready: Stretch, at: Time) -> Option<Passage> {
        let index = &self.index;
        let hurdles = self.known.entry((task, ready.start)).or_insert_with(|| {
            let mut ledger = Ledger::in_order();
            index.waiting(task, ready.start, ready.end, &mut ledger);
            ledger.passages.unwrap_or_default()
        });
        let next = hurdles.partition_point(|hurdle| hurdle.to <= at);
        hurdles.get(next).copied().filter(|hurdle| hurdle.from <= at)
    }
}
