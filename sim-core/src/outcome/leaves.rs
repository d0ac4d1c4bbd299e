//! Who went without what, as the outcome tells it.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::ids::TaskId;
use crate::timeline::{Cause, Leave, Timeline};

/// A task that went without what it had asked for.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct LeaveOutcome {
    /// Who.
    pub task: String,
    /// What it would have waited for: a device, a lock, …, `join`.
    pub what: String,
    /// `given up`, `rejected`, or `dropped`: who waited was ended.
    pub how: &'static str,
    /// When it asked.
    pub asked_ns: u64,
    /// When it went.
    pub at_ns: u64,
    /// Who had it then, or did what it waited for.
    pub behind: Vec<String>,
}

/// All of them, in the order in which they went.
pub(super) fn leaves(timeline: &Timeline) -> Vec<LeaveOutcome> {
    timeline.leaves.iter().map(|leave| outcome(timeline, leave)).collect()
}

fn outcome(timeline: &Timeline, leave: &Leave) -> LeaveOutcome {
    let what = match leave.cause {
        Cause::Device(device) => format!("device {}", timeline.cast.devices[device].name),
        Cause::Sync(sync) => timeline.cast.syncs[sync].to_string(),
        _ => "join".to_owned(),
    };
    let behind = behind(timeline, leave);
    LeaveOutcome {
        task: timeline.task_name(leave.task),
        what,
        how: leave.how.name(),
        asked_ns: leave.asked.ns(),
        at_ns: leave.at.ns(),
        behind: behind.into_iter().map(|task| timeline.task_name(task)).collect(),
    }
}

fn behind(timeline: &Timeline, leave: &Leave) -> BTreeSet<TaskId> {
    let mut found: BTreeSet<TaskId> = match leave.cause {
        Cause::Device(device) => {
            let there = timeline.requests.iter().filter(|request| request.device == device && leave.at < request.end);
            there.filter(|request| request.start.is_some_and(|start| start <= leave.at)).map(|r| r.task).collect()
        }
        Cause::Sync(sync) => {
            let held = timeline.holds.iter().filter(|hold| hold.sync == sync);
            held.filter(|hold| hold.start <= leave.at && leave.at < hold.end).map(|hold| hold.task).collect()
        }
        _ => Some(leave.abandoned).filter(|task| !task.is_none()).into_iter().collect(),
    };
    found.remove(&leave.task);
    found
}
