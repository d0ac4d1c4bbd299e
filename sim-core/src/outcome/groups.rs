//! Groups in numbers.

use serde::Serialize;

use crate::ids::{CpuId, GroupId, IdVec};
use crate::metrics::{Metrics, TaskSums};
use crate::time::{Span, Time};
use crate::timeline::{Cast, Timeline};

/// One group in numbers.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct GroupOutcome {
    /// Its name.
    pub name: String,
    /// The group it is in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent: Option<String>,
    /// The processes that are in it, and in none of the groups in it.
    pub processes: Vec<String>,
    /// How much processor time it may use in each period, if there is a limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quota_ns: Option<u64>,
    /// How long such a period is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub period_ns: Option<u64>,
    /// How long its tasks ran, and those of the groups in it.
    pub running_ns: u64,
    /// Which share that is of what all tasks ran; null if none did.
    pub share: Option<f64>,
    /// Which share that is of what its quota grants in as long as the run took, if it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quota_share: Option<f64>,
    /// In how many periods threads of it stood still since its quota was used up, on however many processors.
    pub throttles: u64,
    /// How long they did, summed over the processors on which one could have run.
    pub throttled_ns: u64,
    /// When it stood still, if the timeline was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeline: Option<Vec<ThrottleEntry>>,
}

/// When a group stood still.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[expect(missing_docs, reason = "the names say it")]
pub struct ThrottleEntry {
    /// On which processor; missing if on all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub processor: Option<u32>,
    pub start_ns: u64,
    pub end_ns: u64,
}

pub(super) fn groups(metrics: &Metrics, sums: &[TaskSums]) -> Vec<GroupOutcome> {
    let cast = &metrics.cast;
    let mut running: IdVec<GroupId, Span> = cast.groups.iter().map(|_| Span::ZERO).collect();
    if !cast.groups.is_empty() {
        for task in sums {
            cast.groups_of(cast.specs[task.spec as usize].process).for_each(|group| running[group] += task.running);
        }
    }
    let all: Span = sums.iter().map(|task| task.running).sum();
    let outcome = |(id, sums): (GroupId, &crate::metrics::GroupSums)| {
        let group = &cast.groups[id];
        GroupOutcome {
            name: group.name.clone(),
            parent: group.parent.map(|parent| cast.groups[parent].name.clone()),
            processes: members(cast, id),
            quota_ns: group.quota.map(|quota| quota.amount.ns()),
            period_ns: group.quota.map(|quota| quota.period.ns()),
            running_ns: running[id].ns(),
            share: (!all.is_zero()).then(|| per(running[id], all)),
            quota_share: group.quota.as_ref().and_then(|quota| {
                let granted = (metrics.end - Time::ZERO).seconds() / quota.period.seconds() * quota.amount.seconds();
                (granted > 0.0).then(|| running[id].seconds() / granted)
            }),
            throttles: sums.throttles,
            throttled_ns: sums.throttled.ns(),
            timeline: None,
        }
    };
    metrics.groups.pairs().map(outcome).collect()
}

/// The ratio of whole numbers: rounded once.
#[expect(clippy::cast_precision_loss, reason = "a share has no more digits")]
fn per(part: Span, whole: Span) -> f64 {
    part.ns() as f64 / whole.ns() as f64
}

fn members(cast: &Cast, group: GroupId) -> Vec<String> {
    let of = cast.processes.iter().zip(&cast.members).filter(|(_, member)| **member == Some(group));
    of.map(|(process, _)| process.clone()).collect()
}

/// When the group stood still.
pub(super) fn entries(timeline: &Timeline, group: GroupId) -> Vec<ThrottleEntry> {
    let own = timeline.throttles.iter().filter(|throttle| throttle.group == group);
    let processor = |cpu: CpuId| (!cpu.is_none()).then_some(cpu.0);
    own.map(|of| ThrottleEntry { processor: processor(of.cpu), start_ns: of.start.ns(), end_ns: of.end.ns() }).collect()
}
