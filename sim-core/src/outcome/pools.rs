//! Pools of threads, as the outcome tells them.

use serde::Serialize;

use crate::executor::Threads;
use crate::ids::TaskId;
use crate::metrics::{Metrics, TaskSums};
use crate::scenario::Scenario;
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
}

/// All processes and parts of such that are pools, in the order of the file.
pub(super) fn pools(scenario: &Scenario, metrics: &Metrics) -> Vec<PoolOutcome> {
    let is_pool =
        |executor: &crate::scenario::Executor| executor.kind.threads == Threads::Workers && executor.kind.keeps_thread;
    let mut pools: Vec<(u32, PoolOutcome)> = Vec::new();
    for (id, process) in scenario.processes.pairs().filter(|(_, process)| is_pool(&process.executor)) {
        let (name, workers) = (process.name.clone(), process.executor.workers);
        pools.push((id.0, PoolOutcome { name, workers, tasks: 0, rejected: 0, given_up: 0 }));
    }
    if pools.is_empty() {
        return Vec::new();
    }
    let arrived = |(_, task): &(TaskId, TaskSums)| !task.arrival.is_never();
    for (id, task) in metrics.tasks.pairs().filter(arrived) {
        let process = metrics.cast.specs[task.spec as usize].process;
        let Ok(place) = pools.binary_search_by_key(&process, |(id, _)| *id) else { continue };
        let pool = &mut pools[place].1;
        pool.tasks += 1;
        pool.rejected += u64::from(task.ended_as() == Some(Fate::Rejected));
        pool.given_up += u64::from(metrics.tasks.was_abandoned(id));
    }
    pools.into_iter().map(|(_, pool)| pool).collect()
}
