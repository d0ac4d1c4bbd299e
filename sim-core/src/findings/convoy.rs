//! Lock convoys: see [`super`].

use std::collections::BTreeMap;

use super::{CONVOY, Finding, Record};
use crate::ids::{SyncId, TaskId};
use crate::time::{Span, Time};
use crate::timeline::Hold;

pub(super) fn find(record: &Record<'_>) -> Vec<Finding> {
    record.locks().filter_map(|sync| of_lock(record, sync)).collect()
}

fn of_lock(record: &Record<'_>, sync: SyncId) -> Option<Finding> {
    let (mut total, mut held) = (Span::ZERO, Span::ZERO);
    let mut taken: Vec<&Hold> = Vec::new();
    let acquisitions: Vec<&Hold> = record.acquisitions(sync).collect();
    for (start, end) in crowded(record, sync) {
        let first = acquisitions.partition_point(|hold| hold.start < start);
        let meanwhile = &acquisitions[first..first + acquisitions[first..].partition_point(|hold| hold.start < end)];
        if hand_overs(meanwhile) >= CONVOY && comes_back(meanwhile) {
            total += end - start;
            held += meanwhile.iter().map(|hold| hold.end - hold.start).sum::<Span>();
            taken.extend(meanwhile);
        }
    }
    if taken.is_empty() {
        return None;
    }
    let (lock, times) = (&record.timeline.cast.syncs[sync], taken.len());
    let mean = Span::from_ns(held.ns() / times as u64);
    let who = record.names_by_frequency(&taken.iter().map(|hold| hold.task).collect::<Vec<TaskId>>());
    let (long, each) = (total.readable(), mean.readable());
    let text = format!(
        "lock convoy: for {long} at least two tasks were always waiting for {lock}; {who} took it {times} times \
         meanwhile, each for {each} on average"
    );
    Some(Finding::new("lock-convoy", text, total))
}

/// The stretches of time during which at least two tasks are waiting for the lock.
fn crowded(record: &Record<'_>, sync: SyncId) -> Vec<(Time, Time)> {
    let edges = record.blocks[sync].iter().flat_map(|block| [(block.start, 1), (block.end, -1)]);
    let mut changes: BTreeMap<Time, i64> = BTreeMap::new();
    for (at, change) in edges {
        *changes.entry(at).or_insert(0) += change;
    }
    let (mut waiting, mut since, mut found) = (0, None, Vec::new());
    for (at, change) in changes {
        waiting += change;
        match since {
            None if waiting >= 2 => since = Some(at),
            Some(start) if waiting < 2 => {
                found.push((start, at));
                since = None;
            }
            _ => {}
        }
    }
    found
}

/// How often it was handed over: to readers who are let in together, or with several permits, once.
fn hand_overs(holds: &[&Hold]) -> usize {
    holds.chunk_by(|one, other| one.start == other.start).count()
}

/// Do the tasks have it twice each, on average?
fn comes_back(holds: &[&Hold]) -> bool {
    let mut tasks: Vec<TaskId> = holds.iter().map(|hold| hold.task).collect();
    tasks.sort_unstable();
    tasks.dedup();
    holds.len() >= 2 * tasks.len()
}
