//! Groups in numbers.

use serde::Serialize;

use crate::ids::{CpuId, GroupId, IdVec};
use crate::metrics::{Metrics, TaskSums};
use crate::scenario::{Scenario, lineage};
use crate::time::{Span, Time};
use crate::timeline::{Allowance, Cast, Timeline};

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
    /// Its weight, if the policy goes by weights and there are several groups.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weight: Option<u32>,
    /// The share of all processor time that its weight gives it while all want more, if only groups stand beside it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub due_share: Option<f64>,
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
    /// Which share that is of what its quota granted until the run ended, if it has one.
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

pub(super) fn groups(scenario: &Scenario, metrics: &Metrics, sums: &[TaskSums]) -> Vec<GroupOutcome> {
    let cast = &metrics.cast;
    let by_weight = scenario.scheduler.kind.goes_by("weight") && cast.groups.len() > 1;
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
            weight: by_weight.then(|| scenario.groups[id].weight),
            due_share: if by_weight { due_share(scenario, cast, id) } else { None },
            quota_ns: group.quota.map(|quota| quota.amount.ns()),
            period_ns: group.quota.map(|quota| quota.period.ns()),
            running_ns: running[id].ns(),
            share: (!all.is_zero()).then(|| per(running[id], all)),
            quota_share: group.quota.and_then(|quota| {
                let granted = granted(&quota, metrics.end, cast.processors.len());
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

/// The share that weights give a group while everybody wants more. Where threads stand beside it, it is another one with each that
/// comes and goes.
fn due_share(scenario: &Scenario, cast: &Cast, id: GroupId) -> Option<f64> {
    let groups = &scenario.groups;
    let in_use = |id: GroupId| cast.members.iter().any(|member| lineage(groups, *member).any(|of| of == id));
    let level = |id: GroupId| {
        let parent = groups[id].parent;
        let beside = groups.ids().filter(|other| groups[*other].parent == parent && in_use(*other));
        let all: f64 = beside.map(|other| f64::from(groups[other].weight)).sum();
        (!cast.members.contains(&parent) && in_use(id)).then(|| f64::from(groups[id].weight) / all)
    };
    lineage(groups, Some(id)).map(level).product()
}

/// The seconds that a quota granted until the run ended. Of the last period that is no more than there was time for.
fn granted(quota: &Allowance, end: Time, processors: usize) -> f64 {
    let (period, all) = (quota.period.ns(), (end - Time::ZERO).ns());
    // Until the first whole period there is one quota.
    let first = match quota.phase.ns() % period {
        0 => period,
        phase => phase,
    };
    let (whole, rest) = match all.checked_sub(first) {
        Some(later) => (1 + later / period, later % period),
        None => (0, all),
    };
    #[expect(clippy::cast_precision_loss, reason = "a share")]
    let (whole, rest) = (whole as f64, Span::from_ns(rest).seconds() * processors as f64);
    whole * quota.amount.seconds() + rest.min(quota.amount.seconds())
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
