//! Convoys at interpreter locks: see [`super`].

use std::collections::BTreeMap;

use super::{CONVOY, Finding, Record};
use crate::ids::{ProcessId, TaskId};
use crate::scenario::Scenario;
use crate::time::{Span, Time};
use crate::timeline::lanes::{Busy, State, Stretch};
use crate::timeline::{Runtime, Timeline};

pub(super) fn find(scenario: &Scenario, record: &Record<'_>) -> Vec<Finding> {
    let locks = record.timeline.interpreters();
    locks.iter().filter_map(|(process, holders)| of_lock(scenario, record, *process, holders)).collect()
}

/// The lock of a process, and who had it when.
fn of_lock(scenario: &Scenario, record: &Record<'_>, process: u32, holders: &[Stretch<Busy>]) -> Option<Finding> {
    let timeline = record.timeline;
    let interval = scenario.processes.get(ProcessId(process))?.executor.gil?;
    let lanes = timeline.lanes_of(|task| waits_itself(timeline, process, task));
    let (mut who, mut total) = (Vec::new(), Span::ZERO);
    let mut behind: BTreeMap<TaskId, Span> = BTreeMap::new();
    for (task, lane) in lanes.pairs() {
        for (came, got) in returns(lane, interval) {
            let hogs = || hogs(holders, task, (came, got), interval);
            if hogs().next().is_none() {
                continue;
            }
            who.push(task);
            total += got - came;
            hogs().for_each(|(hog, time)| *behind.entry(hog).or_insert(Span::ZERO) += time);
        }
    }
    if who.len() < CONVOY {
        return None;
    }
    let worst = *behind.iter().max_by_key(|(_, time)| **time)?.0;
    let kind = |task: TaskId| timeline.tasks[task].spec;
    let hogs = record.names(behind.keys().copied().filter(|hog| kind(*hog) == kind(worst)));
    let (times, mean) = (who.len(), Span::from_ns(total.ns() / who.len() as u64).readable());
    let text = format!(
        "convoy at the interpreter lock: {} came back {times} times with less to compute than a switch interval ({}), and waited \
         {mean} on average behind who had the lock for longer, mostly {hogs}",
        record.names_by_frequency(&who),
        interval.readable(),
    );
    Some(Finding::new("interpreter-convoy", text, total))
}

/// Is it a task with a thread that waits for the lock of this process as long as it has it?
fn waits_itself(timeline: &Timeline, lock: u32, task: TaskId) -> bool {
    let process = timeline.cast.specs[timeline.tasks[task].spec as usize].process;
    let keeps = matches!(timeline.cast.runtime(process), Runtime::Interpreter | Runtime::KeepingLocked);
    keeps && timeline.cast.whole(process) == lock
}

/// From when to when a task was ready each time that it came back from waiting and then computed for less than an interval.
fn returns(lane: &[Stretch], interval: Span) -> Vec<(Time, Time)> {
    let is_blocked = |stretch: &Stretch| matches!(stretch.state, State::Blocked(_));
    let mut found = Vec::new();
    for (number, blocked) in lane.iter().enumerate().filter(|(_, stretch)| is_blocked(stretch)) {
        let after = &lane[number + 1..];
        let burst = &after[..after.iter().position(is_blocked).unwrap_or(after.len())];
        let runs = || burst.iter().filter(|stretch| stretch.state == State::Running);
        let Some(first) = runs().next() else { continue };
        let computes: Span = runs().map(|run| run.end - run.start).sum();
        if computes < interval {
            found.push((blocked.end, first.start));
        }
    }
    found
}

/// Who else had the lock for an interval or longer in one go, of which at least half an interval fell into the wait of the task; and
/// how much did. (Of those who wait together only the first waits for a whole interval before the holder is asked.)
fn hogs(
    holders: &[Stretch<Busy>],
    task: TaskId,
    (came, got): (Time, Time),
    interval: Span,
) -> impl Iterator<Item = (TaskId, Span)> {
    let first = holders.partition_point(|held| held.end <= came);
    let meanwhile = holders[first..].iter().take_while(move |held| held.start < got);
    meanwhile.filter_map(move |held| {
        let Busy::Run(holder) = held.state else { return None };
        let time = held.end.min(got).since(held.start.max(came));
        let is_long = held.end.since(held.start) >= interval && 2 * time.ns() >= interval.ns();
        (holder != task && is_long).then_some((holder, time))
    })
}
