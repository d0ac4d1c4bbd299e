//! Who waited for a worker: the question of queues, asked of pools.

use std::collections::{BTreeMap, BTreeSet};

use super::KindOutcome;
use super::crews::{self, Played, Taken};
use crate::executor::{Executor, Limits, Threads};
use crate::ids::{Id as _, KindId, ProcessId, SpecId, TaskId};
use crate::kinds::Kinds;
use crate::metrics::{Metrics, TaskSums};
use crate::scenario::Scenario;
use crate::time::Time;
use crate::timeline::Fate;

/// Enters, for the kinds of tasks in pools, the instances that came when every worker had a task. Gives their share of all
/// tasks of pools; `None` without any.
pub(super) fn count(
    scenario: &Scenario,
    metrics: &Metrics,
    sums: &[TaskSums],
    outcomes: &mut [KindOutcome],
) -> Option<f64> {
    let numbered = sums.iter().enumerate().map(|(number, task)| (TaskId::from_index(number), task));
    let counts = counts(scenario, metrics, numbered);
    for (kind, (waited, all)) in &counts {
        if let Some(outcome) = outcomes.get_mut(kind.index()) {
            outcome.waited_for_worker = Some(*waited);
            outcome.waited_share = super::share(*waited, *all);
        }
    }
    share(&counts)
}

/// The share of all those that waited.
pub(super) fn share(counts: &BTreeMap<KindId, (u64, u64)>) -> Option<f64> {
    let (waited, all) = counts.values().fold((0, 0), |(waited, all), of_kind| (waited + of_kind.0, all + of_kind.1));
    super::share(waited, all)
}

/// For each kind of tasks in pools how many came when every worker had a task, and how many came.
///
/// A worker of a pool keeps its task until that ends, and none is idle while a task waits for one. So who finds as many tasks
/// before it as there are workers waits for one, whoever is taken first. Of periodic tasks nothing is said: it is the task
/// that has the worker, all the time, and not its jobs. A pool that makes threads only when its queue is full is played again by its
/// rules: there a task waits while threads could be had. Who was turned away did not wait, nor who ran on the thread of its caller.
pub(super) fn counts<'s>(
    scenario: &Scenario,
    metrics: &Metrics,
    sums: impl Iterator<Item = (TaskId, &'s TaskSums)>,
) -> BTreeMap<KindId, (u64, u64)> {
    let kinds = Kinds::of(&metrics.cast);
    let mut pools: BTreeMap<ProcessId, Vec<&TaskSums>> = BTreeMap::new();
    let mut counts: BTreeMap<KindId, (u64, u64)> = BTreeMap::new();
    for (id, task) in sums {
        let Some(spec) = scenario.specs.get(SpecId(task.spec)) else { continue };
        let executor = &scenario.processes[spec.process].executor;
        let keeps = executor.kind.keeps_thread && !executor.helps;
        if !keeps || !matches!(executor.kind.threads, Threads::Main | Threads::Workers) || !has_come(task) {
            continue;
        }
        if metrics.tasks.was_guest(id) {
            counts.entry(kinds.of_spec(task.spec)).or_default().1 += 1;
        } else {
            pools.entry(spec.process).or_default().push(task);
        }
    }
    for (process, tasks) in pools {
        for (spec, waited) in arrivals(scenario, &tasks, &scenario.processes[process].executor) {
            if scenario.specs[SpecId(spec)].attributes.periodic.is_none() {
                let (of_kind, all) = counts.entry(kinds.of_spec(spec)).or_default();
                (*of_kind, *all) = (*of_kind + u64::from(waited), *all + 1);
            }
        }
    }
    counts
}

/// Has the task come, and was it taken?
pub(super) fn has_come(task: &TaskSums) -> bool {
    !task.arrival.is_never() && task.ended_as() != Some(Fate::Rejected)
}

/// Tasks of a pool in the order in which they could begin.
pub(super) fn in_order<'s>(scenario: &Scenario, tasks: &[&'s TaskSums]) -> Vec<(Time, &'s TaskSums)> {
    // Who comes after other tasks needs no worker before those have ended.
    let is_periodic = |task: &TaskSums| scenario.specs[SpecId(task.spec)].attributes.periodic.is_some();
    let begin = |task: &TaskSums| if is_periodic(task) { task.arrival } else { task.arrival + task.unreleased };
    let mut order: Vec<(Time, &TaskSums)> = tasks.iter().map(|task| (begin(task), *task)).collect();
    order.sort_by_key(|(begin, task)| (*begin, task.spec, task.instance));
    order
}

/// A pool that has not always as many threads, or not room for all, with those that it took.
pub(super) fn played(limits: Limits, workers: u32, order: &[(Time, &TaskSums)]) -> Played {
    let taken = |(begin, task): &(Time, &TaskSums)| Taken { begin: *begin, finish: task.finish };
    crews::play(limits, workers, &order.iter().map(taken).collect::<Vec<_>>())
}

/// Of each task of a pool, in the order in which they could begin: of which spec it is, and whether it waited for a worker.
fn arrivals(scenario: &Scenario, tasks: &[&TaskSums], executor: &Executor) -> Vec<(u32, bool)> {
    let order = in_order(scenario, tasks);
    if let Some(limits) = executor.limits {
        let waited = played(limits, executor.workers, &order).waited;
        return order.iter().map(|(_, task)| task.spec).zip(waited).collect();
    }
    // When those end that are there, each with a number of its own, since several may end at once.
    let mut there: BTreeSet<(Time, usize)> = BTreeSet::new();
    let (workers, mut told) = (executor.workers as usize, Vec::with_capacity(order.len()));
    for (number, (begin, task)) in order.into_iter().enumerate() {
        while there.first().is_some_and(|(end, _)| *end <= begin) {
            there.pop_first();
        }
        told.push((task.spec, there.len() >= workers));
        there.insert((task.finish, number));
    }
    told
}
