//! Who went without what, as the outcome tells it.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::ids::TaskId;
use crate::timeline::{Cause, How, Leave, Timeline};

/// A task that went without what it had asked for.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct LeaveOutcome {
    /// Who.
    pub task: String,
    /// What it would have waited for: a device, a lock, …, a pool, `join`.
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
        _ if !leave.callee.is_none() => format!("pool {}", pool(timeline, leave.callee)),
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

/// The pool of which the task is.
fn pool(timeline: &Timeline, task: TaskId) -> &str {
    let process = timeline.cast.specs[timeline.tasks[task].spec as usize].process;
    &timeline.cast.processes[process as usize]
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
        _ if leave.how == How::TurnedAway => has_thread(timeline, leave),
        _ => Some(leave.callee).filter(|task| !task.is_none()).into_iter().collect(),
    };
    found.remove(&leave.task);
    found
}

/// Who has a thread then of the pool that turns the task away.
fn has_thread(timeline: &Timeline, leave: &Leave) -> BTreeSet<TaskId> {
    let process = |task: TaskId| timeline.cast.specs[timeline.tasks[task].spec as usize].process;
    let pool = process(leave.callee);
    let began = timeline.intervals.iter().take_while(|interval| interval.start <= leave.at);
    let is_there = |task: &TaskId| {
        let life = &timeline.tasks[*task];
        process(*task) == pool && life.finish.is_none_or(|finish| finish > leave.at)
    };
    began.map(|interval| interval.task).filter(is_there).collect()
}
