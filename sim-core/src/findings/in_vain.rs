//! Work for which nobody waits any more: see [`super`].

use std::collections::{BTreeMap, BTreeSet};

use super::{Finding, Record};
use crate::ids::TaskId;
use crate::time::{Span, Time};
use crate::timeline::{How, What};

/// What was done in vain for the callers of one process.
#[derive(Default)]
struct Work {
    callers: BTreeSet<TaskId>,
    calls: usize,
    time: Span,
}

pub(super) fn find(record: &Record<'_>) -> Vec<Finding> {
    let timeline = record.timeline;
    let abandoned = timeline.leaves.iter().filter(|leave| !leave.callee.is_none() && leave.how != How::TurnedAway);
    let left: BTreeMap<TaskId, (TaskId, Time)> =
        abandoned.map(|leave| (leave.callee, (leave.task, leave.at))).collect();
    if left.is_empty() {
        return Vec::new();
    }
    let mut by_pool: BTreeMap<u32, Work> = BTreeMap::new();
    let process = |task: TaskId| timeline.cast.specs[timeline.tasks[task].spec as usize].process;
    for interval in timeline.intervals.iter().filter(|interval| interval.what == What::Run) {
        if let Some((_, at)) = left.get(&interval.task) {
            by_pool.entry(process(interval.task)).or_default().time += interval.end.since(interval.start.max(*at));
        }
    }
    for (callee, (caller, _)) in &left {
        if let Some(work) = by_pool.get_mut(&process(*callee)).filter(|work| !work.time.is_zero()) {
            work.callers.insert(*caller);
            work.calls += 1;
        }
    }
    let finding = |(pool, work): (u32, Work)| {
        let (who, name) = (record.names(work.callers.iter().copied()), &timeline.cast.processes[pool as usize]);
        let (times, long) = (if work.calls == 1 { "once".into() } else { format!("{} times", work.calls) }, work.time);
        let text = format!(
            "in vain: {name} computed {} for {who}, which had given up waiting for it ({times})",
            long.readable()
        );
        Finding::new("in-vain", text, long)
    };
    by_pool.into_iter().filter(|(_, work)| work.calls > 0).map(finding).collect()
}
