//! Who went without what, as the outcome tells it.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::ids::{DeviceId, Id as _, KindId, SyncId, TaskId};
use crate::kinds::Kinds;
use crate::time::{Span, Time};
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

/// The tasks of a kind that went without the same, in the same way.
#[derive(Clone, PartialEq, Debug)]
pub struct GoneOutcome {
    /// The kind.
    pub task: String,
    /// As [`LeaveOutcome::what`].
    pub what: String,
    /// Were they turned away? Else they gave up.
    pub rejected: bool,
    /// How often.
    pub times: u64,
    /// How long after they had asked, on average.
    pub mean_after_ns: f64,
    /// The kinds of those who had it then, who did most often first, and how often.
    pub behind: Vec<(String, u64)>,
}

/// All of them, in the order in which they went.
pub(super) fn leaves(timeline: &Timeline) -> Vec<LeaveOutcome> {
    let mut told = vec![None; timeline.leaves.len()];
    walk(timeline, |place, behind| {
        let leave = &timeline.leaves[place];
        told[place] = Some(LeaveOutcome {
            task: timeline.task_name(leave.task),
            what: what(timeline, leave),
            how: leave.how.name(),
            asked_ns: leave.asked.ns(),
            at_ns: leave.at.ns(),
            behind: behind.map(|task| timeline.task_name(task)).collect(),
        });
    });
    told.into_iter().flatten().collect()
}

/// Those that gave up or were turned away, kind by kind, what happened most often first.
#[must_use]
pub fn gone(timeline: &Timeline) -> Vec<GoneOutcome> {
    #[derive(Default)]
    struct Sum {
        times: u64,
        after: Span,
        behind: BTreeMap<KindId, u64>,
    }
    if timeline.leaves.is_empty() {
        return Vec::new();
    }
    let kinds = Kinds::of(&timeline.cast);
    let kind = |task: TaskId| kinds.of_spec(timeline.tasks[task].spec);
    let mut sums: BTreeMap<(KindId, String, bool), Sum> = BTreeMap::new();
    walk(timeline, |place, behind| {
        let leave = &timeline.leaves[place];
        if leave.how != How::Dropped {
            let key = (kind(leave.task), what(timeline, leave), leave.how == How::TurnedAway);
            let sum = sums.entry(key).or_default();
            sum.times += 1;
            sum.after += leave.at.since(leave.asked);
            let distinct: BTreeSet<KindId> = behind.map(kind).collect();
            distinct.into_iter().for_each(|kind| *sum.behind.entry(kind).or_default() += 1);
        }
    });
    let outcome = |((task, what, rejected), sum): (_, Sum)| {
        let mut behind: Vec<(String, u64)> =
            sum.behind.into_iter().map(|(kind, times)| (kinds.short_name(kind), times)).collect();
        behind.sort_by_key(|(_, times)| Reverse(*times));
        let mean_after_ns = super::mean(sum.after, sum.times).unwrap_or_default();
        GoneOutcome { task: kinds.short_name(task), what, rejected, times: sum.times, mean_after_ns, behind }
    };
    let mut gone: Vec<GoneOutcome> = sums.into_iter().map(outcome).collect();
    gone.sort_by_key(|gone| Reverse(gone.times));
    gone
}

fn what(timeline: &Timeline, leave: &Leave) -> String {
    match leave.cause {
        Cause::Device(device) => format!("device {}", timeline.cast.devices[device].name),
        Cause::Sync(sync) => timeline.cast.syncs[sync].to_string(),
        _ if !leave.callee.is_none() => {
            format!("pool {}", timeline.cast.processes[process(timeline, leave.callee) as usize])
        }
        _ => "join".to_owned(),
    }
}

fn process(timeline: &Timeline, task: TaskId) -> u32 {
    timeline.cast.specs[timeline.tasks[task].spec as usize].process
}

/// What somebody can have that others want.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Thing {
    Device(DeviceId),
    Sync(SyncId),
    Pool(u32),
}

/// Visits all that went without, by when they went, each with those who had it then, or did what it waited for.
fn walk(timeline: &Timeline, mut visit: impl FnMut(usize, &mut dyn Iterator<Item = TaskId>)) {
    let mut edges = edges(timeline).into_iter().peekable();
    let mut there: BTreeMap<Thing, BTreeMap<TaskId, u32>> = BTreeMap::new();
    let mut order: Vec<usize> = (0..timeline.leaves.len()).collect();
    order.sort_by_key(|place| timeline.leaves[*place].at);
    for place in order {
        let leave = &timeline.leaves[place];
        while let Some((_, comes, thing, task)) = edges.next_if(|(at, ..)| *at <= leave.at) {
            let those = there.entry(thing).or_default();
            let count = those.entry(task).or_default();
            *count = if comes { *count + 1 } else { count.saturating_sub(1) };
            if *count == 0 {
                those.remove(&task);
            }
        }
        let thing = match leave.cause {
            Cause::Device(device) => Some(Thing::Device(device)),
            Cause::Sync(sync) => Some(Thing::Sync(sync)),
            _ if leave.how == How::TurnedAway => Some(Thing::Pool(process(timeline, leave.callee))),
            _ => None,
        };
        let having = thing.and_then(|thing| there.get(&thing)).into_iter().flat_map(BTreeMap::keys).copied();
        let doing = Some(leave.callee).filter(|callee| thing.is_none() && !callee.is_none());
        visit(place, &mut having.chain(doing).filter(|task| *task != leave.task));
    }
}

/// When somebody got (`true`) what others went without, or had it no more: in order.
fn edges(timeline: &Timeline) -> Vec<(Time, bool, Thing, TaskId)> {
    let wanted: BTreeSet<Thing> = timeline
        .leaves
        .iter()
        .filter_map(|leave| match leave.cause {
            Cause::Device(device) => Some(Thing::Device(device)),
            Cause::Sync(sync) => Some(Thing::Sync(sync)),
            _ if leave.callee.is_none() => None,
            _ => Some(Thing::Pool(process(timeline, leave.callee))),
        })
        .collect();
    let mut edges = Vec::new();
    let mut has = |thing: Thing, task: TaskId, start: Time, end: Time| {
        if start < end && wanted.contains(&thing) {
            edges.extend([(start, true, thing, task), (end, false, thing, task)]);
        }
    };
    for request in &timeline.requests {
        if let Some(start) = request.start {
            has(Thing::Device(request.device), request.task, start, request.end);
        }
    }
    timeline.holds.iter().for_each(|hold| has(Thing::Sync(hold.sync), hold.task, hold.start, hold.end));
    let mut begun = vec![false; timeline.tasks.len()];
    for interval in &timeline.intervals {
        if !std::mem::replace(&mut begun[interval.task.index()], true) {
            let end = timeline.tasks[interval.task].finish.unwrap_or(Time::NEVER);
            has(Thing::Pool(process(timeline, interval.task)), interval.task, interval.start, end);
        }
    }
    edges.sort_unstable();
    edges
}
