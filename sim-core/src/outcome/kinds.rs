//! The tasks of each kind in numbers: percentiles say something of tasks that are alike, and nothing of a mixture.

use serde::Serialize;

use super::Statistics;
use super::statistics::{of_floats, of_spans};
use crate::ids::{IdVec, KindId};
use crate::kinds::{KindName, Kinds};
use crate::metrics::{Metrics, TaskSums};
use crate::time::Span;
use crate::timeline::Job;

/// All instances of a task of the file, in all copies of its process.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct KindOutcome {
    /// `process/task`.
    pub name: String,
    /// The process as the file has it.
    pub process: String,
    /// The task.
    pub task: String,
    /// How many instances there are.
    pub instances: usize,
    /// Of them, those that finished.
    pub finished: usize,
    /// From arrival to finish, of those that finished.
    pub turnaround_ns: Statistics,
    /// From arrival to the first run, of those that ran.
    pub first_response_ns: Statistics,
    /// Of those that arrived.
    pub waiting_ns: Statistics,
    /// Of those that finished and had something to do.
    pub slowdown: Statistics<f64>,
    /// Of a periodic task: how many jobs were released.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jobs: Option<usize>,
    /// Of them, those that ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jobs_finished: Option<usize>,
    /// Of a periodic task: from release to end, of all jobs that ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response_ns: Option<Statistics>,
}

impl KindOutcome {
    /// How long those that wait for it wait: the responses of a periodic task, else the turnarounds.
    #[must_use]
    pub fn latency(&self) -> &Statistics {
        self.response_ns.as_ref().unwrap_or(&self.turnaround_ns)
    }
}

/// The tasks of a run, simulated or measured, in numbers for each kind, in file order.
#[must_use]
pub fn kinds(metrics: &Metrics) -> Vec<KindOutcome> {
    let kinds = Kinds::of(&metrics.cast);
    let mut tasks: IdVec<KindId, Vec<&TaskSums>> = kinds.names.iter().map(|_| Vec::new()).collect();
    metrics.tasks.iter().for_each(|task| tasks[kinds.of_spec(task.spec)].push(task));
    let mut jobs: IdVec<KindId, Vec<&Job>> = kinds.names.iter().map(|_| Vec::new()).collect();
    metrics.jobs.iter().for_each(|job| jobs[kinds.of_spec(metrics.tasks[job.task].spec)].push(job));
    kinds.names.pairs().map(|(kind, name)| kind_outcome(metrics, name, &tasks[kind], &jobs[kind])).collect()
}

fn kind_outcome(metrics: &Metrics, name: &KindName, tasks: &[&TaskSums], jobs: &[&Job]) -> KindOutcome {
    let arrived = || tasks.iter().filter(|task| !task.arrival.is_never());
    let ran = || arrived().filter(|task| !task.first_run.is_never());
    let finished = || arrived().filter(|task| !task.finish.is_never());
    let responses: Vec<Span> = jobs.iter().filter_map(|job| job.response()).collect();
    KindOutcome {
        name: name.full(),
        process: name.process.clone(),
        task: name.task.clone(),
        instances: tasks.len(),
        finished: finished().count(),
        turnaround_ns: of_spans(finished().map(|task| task.finish.since(task.arrival)).collect()),
        first_response_ns: of_spans(ran().map(|task| task.first_run.since(task.arrival)).collect()),
        waiting_ns: of_spans(arrived().map(|task| metrics.waiting(task)).collect()),
        slowdown: of_floats(finished().filter_map(|task| metrics.slowdown(task)).collect()),
        jobs: (!jobs.is_empty()).then_some(jobs.len()),
        jobs_finished: (!jobs.is_empty()).then_some(responses.len()),
        response_ns: (!jobs.is_empty()).then(|| of_spans(responses)),
    }
}
