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
    /// Time on processors.
    ran: Span,
    /// Time in which it waited with its thread for devices, timers and the like.
    blocked: Span,
}

impl Work {
    fn time(&self) -> Span {
        self.ran + self.blocked
    }

    /// What the threads did: who is blocked with a task keeps others out as well.
    fn words(&self) -> String {
        let (all, ran) = (self.time().readable(), self.ran.readable());
        match (self.ran.is_zero(), self.blocked.is_zero()) {
            (_, true) => format!("were busy {ran} (computing)"),
            (true, _) => format!("were busy {all} (blocked, not computing)"),
            _ => format!("were busy {all} (and computed {ran} of it)"),
        }
    }
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
    let since = |task: TaskId, start: Time, end: Time| left.get(&task).map(|(_, at)| end.since(start.max(*at)));
    for interval in timeline.intervals.iter().filter(|interval| interval.what == What::Run) {
        if let Some(ran) = since(interval.task, interval.start, interval.end) {
            by_pool.entry(process(interval.task)).or_default().ran += ran;
        }
    }
    for block in &timeline.blocks {
        if let Some(blocked) = since(block.task, block.start, block.end) {
            by_pool.entry(process(block.task)).or_default().blocked += blocked;
        }
    }
    for (callee, (caller, _)) in &left {
        if let Some(work) = by_pool.get_mut(&process(*callee)).filter(|work| !work.time().is_zero()) {
            work.callers.insert(*caller);
            work.calls += 1;
        }
    }
    let finding = |(pool, work): (u32, Work)| {
        let (who, name) = (record.names(work.callers.iter().copied()), &timeline.cast.processes[pool as usize]);
        let times = if work.calls == 1 { "once".into() } else { format!("{} times", work.calls) };
        let (did, callers) = (work.words(), if work.callers.len() == 1 { "caller" } else { "callers" });
        let text =
            format!("in vain: threads of {name} {did} with work whose {callers}, {who}, had given up on it ({times})");
        Finding::new("in-vain", text, work.time())
    };
    by_pool.into_iter().filter(|(_, work)| work.calls > 0).map(finding).collect()
}
