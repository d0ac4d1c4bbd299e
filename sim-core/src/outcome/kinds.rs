//! The tasks of each kind in numbers: percentiles say something of tasks that are alike, and nothing of a mixture.

use serde::Serialize;

use super::statistics::{of_floats, of_spans};
use super::{Statistics, samples};
use crate::ids::{Id as _, IdVec, KindId, TaskId};
use crate::kinds::{KindName, Kinds};
use crate::metrics::{Metrics, TaskSums};
use crate::time::Span;

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
    pub instances: u64,
    /// Of them, those that finished.
    pub finished: u64,
    /// From arrival to finish, of those that finished.
    pub turnaround_ns: Statistics,
    /// From arrival to the first run, of those that ran.
    pub first_response_ns: Statistics,
    /// Of those that arrived.
    pub waiting_ns: Statistics,
    /// Of those that finished and had something to do.
    pub slowdown: Statistics<f64>,
    /// Where some went without what they had asked for: the share of those that arrived which gave up, once at least.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub given_up_share: Option<f64>,
    /// The same of those that were turned away.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rejected_share: Option<f64>,
    /// How many finished and had all that they asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub served: Option<u64>,
    /// From arrival to finish, of those.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub served_turnaround_ns: Option<Statistics>,
    /// How many finished and went without something.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gone: Option<u64>,
    /// From arrival to finish, of those.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gone_turnaround_ns: Option<Statistics>,
    /// In a pool: how many instances found every worker taken when they came.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waited_for_worker: Option<u64>,
    /// Their share of those that arrived.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waited_share: Option<f64>,
    /// Of a periodic task: how many jobs were released.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jobs: Option<u64>,
    /// Of them, those that ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jobs_finished: Option<u64>,
    /// Of a periodic task: from release to end, of all jobs that ended; missing where single jobs are not kept.
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
    of_sums(metrics, &metrics.tasks.iter().collect::<Vec<_>>())
}

/// The same, of the sums of all tasks.
pub(super) fn of_sums(metrics: &Metrics, sums: &[TaskSums]) -> Vec<KindOutcome> {
    let kinds = Kinds::of(&metrics.cast);
    let mut members: IdVec<KindId, Members<'_>> = kinds.names.iter().map(|_| Members::default()).collect();
    for ((number, task), jobs) in sums.iter().enumerate().zip(metrics.tasks.all_jobs()) {
        let of_kind = &mut members[kinds.of_spec(task.spec)];
        of_kind.tasks.push((TaskId::from_index(number), task));
        of_kind.jobs += jobs.released;
        of_kind.ended += jobs.ended;
    }
    for job in &metrics.jobs {
        members[kinds.of_spec(sums[job.task.index()].spec)].responses.extend(job.response());
    }
    kinds.names.pairs().zip(members).map(|((_, name), members)| kind_outcome(metrics, name, members)).collect()
}

/// What is summed of a kind.
#[derive(Default)]
struct Members<'a> {
    tasks: Vec<(TaskId, &'a TaskSums)>,
    jobs: u64,
    ended: u64,
    responses: Vec<Span>,
}

fn kind_outcome(metrics: &Metrics, name: &KindName, members: Members<'_>) -> KindOutcome {
    let Members { tasks, jobs, ended, responses } = members;
    let all = || tasks.iter().map(|(_, task)| *task);
    let is_gone = |(id, _): &(TaskId, &TaskSums)| !metrics.tasks.gone(*id).is_nothing();
    let some_went = metrics.tasks.somebody_went_without() && tasks.iter().any(is_gone);
    let apart =
        |gone: bool| some_went.then(|| samples::apart(metrics, tasks.iter().copied(), gone).collect::<Vec<_>>());
    let turnaround = |of: &Vec<&TaskSums>| of_spans(samples::turnarounds(of.iter().copied()).collect());
    let [served, gone] = [false, true].map(apart);
    let shares = if some_went { samples::gone_shares(metrics, tasks.iter().copied()) } else { [None; 2] };
    KindOutcome {
        name: name.full(),
        process: name.process.clone(),
        task: name.task.clone(),
        instances: tasks.len() as u64,
        finished: samples::finished(all()).count() as u64,
        turnaround_ns: of_spans(samples::turnarounds(all()).collect()),
        first_response_ns: of_spans(samples::first_responses(all()).collect()),
        waiting_ns: of_spans(samples::waits(metrics, all()).collect()),
        slowdown: of_floats(samples::slowdowns(metrics, all()).collect()),
        given_up_share: shares[0],
        rejected_share: shares[1],
        served: served.as_ref().map(|served| served.len() as u64),
        served_turnaround_ns: served.as_ref().map(turnaround),
        gone: gone.as_ref().map(|gone| gone.len() as u64),
        gone_turnaround_ns: gone.as_ref().map(turnaround),
        waited_for_worker: None,
        waited_share: None,
        jobs: (jobs > 0).then_some(jobs),
        jobs_finished: (jobs > 0).then_some(ended),
        response_ns: (jobs > 0 && metrics.keeps_jobs()).then(|| of_spans(responses)),
    }
}
