//! Pools of threads, as the outcome tells them.

use std::collections::BTreeSet;

use serde::Serialize;

use super::workers::{has_come, in_order, played};
use crate::executor::Threads;
use crate::ids::{Id as _, ProcessId, TaskId};
use crate::metrics::{Metrics, TaskSums};
use crate::scenario::{Process, Scenario};
use crate::time::Time;
use crate::timeline::Fate;

/// One pool.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct PoolOutcome {
    /// Its process, or the pool beside the executor of one.
    pub name: String,
    /// The most threads that it has.
    pub workers: u32,
    /// Tasks that came to it.
    pub tasks: u64,
    /// Those of them that it turned away.
    pub rejected: u64,
    /// Those of them for which nobody waited any more in the end.
    pub given_up: u64,
    /// Those of them that whoever had called for them ran, since it was full.
    pub caller_runs: u64,
    /// Threads made; where it has always as many, all of them.
    pub threads_made: u64,
    /// The most threads that there were at once.
    pub most_threads: u64,
    /// Has it not always as many threads, or not room for all?
    #[serde(skip)]
    pub is_limited: bool,
}

/// All processes and parts of such that are pools, in the order of the file.
pub(super) fn pools(scenario: &Scenario, metrics: &Metrics, sums: &[TaskSums]) -> Vec<PoolOutcome> {
    let is_pool =
        |executor: &crate::scenario::Executor| executor.kind.threads == Threads::Workers && executor.kind.keeps_thread;
    let mut pools: Vec<(ProcessId, PoolOutcome, Vec<&TaskSums>)> = Vec::new();
    for (id, process) in scenario.processes.pairs().filter(|(_, process)| is_pool(&process.executor)) {
        pools.push((id, empty(process), Vec::new()));
    }
    if pools.is_empty() {
        return Vec::new();
    }
    let tasks = sums.iter().enumerate().map(|(number, task)| (TaskId::from_index(number), task));
    for (id, task) in tasks.filter(|(_, task)| !task.arrival.is_never()) {
        let process = metrics.cast.specs[task.spec as usize].process;
        let Ok(place) = pools.binary_search_by_key(&process, |(id, ..)| id.0) else { continue };
        let (_, pool, taken) = &mut pools[place];
        let is_guest = metrics.tasks.was_guest(id);
        pool.tasks += 1;
        pool.rejected += u64::from(task.ended_as() == Some(Fate::Rejected));
        pool.given_up += u64::from(metrics.tasks.was_abandoned(id));
        pool.caller_runs += u64::from(is_guest);
        taken.extend(Some(task).filter(|task| has_come(task) && !is_guest));
    }
    let counted = |(id, pool, taken): (ProcessId, PoolOutcome, Vec<&TaskSums>)| {
        let process = &scenario.processes[id];
        let [threads_made, most_threads] = threads(process, &in_order(scenario, &taken));
        PoolOutcome { threads_made, most_threads, ..pool }
    };
    pools.into_iter().map(counted).collect()
}

/// A pool to which nobody has come.
fn empty(process: &Process) -> PoolOutcome {
    PoolOutcome {
        name: process.name.clone(),
        workers: process.executor.workers,
        tasks: 0,
        rejected: 0,
        given_up: 0,
        caller_runs: 0,
        threads_made: 0,
        most_threads: 0,
        is_limited: process.executor.limits.is_some(),
    }
}

/// How many threads were made, and the most at once, with those that the pool took in the order in which they could begin.
fn threads(process: &Process, taken: &[(Time, &TaskSums)]) -> [u64; 2] {
    let executor = &process.executor;
    if let Some(limits) = executor.limits {
        let played = played(limits, executor.workers, taken);
        return [played.made, played.most];
    }
    if process.part.is_none() {
        return [u64::from(executor.workers); 2];
    }
    // A pool beside an executor has the threads that have been needed.
    let most = at_once(taken).min(u64::from(executor.workers));
    [most; 2]
}

/// How many there were at most at once.
fn at_once(taken: &[(Time, &TaskSums)]) -> u64 {
    let mut ends: BTreeSet<(Time, usize)> = BTreeSet::new();
    let mut most = 0;
    for (number, (begin, task)) in taken.iter().enumerate() {
        while ends.first().is_some_and(|(end, _)| end <= begin) {
            ends.pop_first();
        }
        ends.insert((task.finish, number));
        most = most.max(ends.len());
    }
    most as u64
}
