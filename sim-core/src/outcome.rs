//! The outcome of a run: what `--json` prints, for simulated and measured runs alike.
//!
//! The shape is the contract of the scenario format. Times are integers in nanoseconds since the start of the run, and
//! names end in `_ns`.

mod causes;
mod crews;
mod devices;
mod entries;
mod groups;
mod jobs;
mod kinds;
mod leaves;
mod metric;
mod pools;
pub mod reading;
mod samples;
mod servers;
mod statistics;
mod syncs;
mod variables;
mod workers;

use serde::Serialize;

use self::devices::devices;
use self::jobs::{job_outcome, job_summary};
use self::statistics::{of_floats, of_spans};
pub use causes::CauseOutcome;
pub use devices::DeviceOutcome;
pub use entries::{Entries, TimelineEntry};
pub use groups::{GroupOutcome, ThrottleEntry};
pub use jobs::{JobOutcome, JobSummary};
pub use kinds::{KindOutcome, kinds};
pub use leaves::{GoneOutcome, LeaveOutcome, gone};
pub use metric::{Better, Listed, Metric, Observed, Refusal, Unit, listed};
pub use pools::PoolOutcome;
pub use servers::ServerOutcome;
pub use statistics::Statistics;
pub use syncs::{BarrierOutcome, ChannelOutcome, CondvarOutcome, LockOutcome, SemaphoreOutcome};
pub use variables::VariableOutcome;

use crate::analysis::Analysis;
use crate::engine::{End, Ending};
use crate::findings::{self, Finding};
use crate::ids::{CpuId, Id as _, SpecId, TaskId};
use crate::metrics::{Gone, Metrics, TaskSums, jain};
use crate::scenario::Scenario;
use crate::time::{Span, Time};
use crate::timeline::{Fate, Job, Timeline, TimelineHash};

/// The version of the shape.
pub const FORMAT: u32 = 1;

/// JSON has no integers of its own: JavaScript and jq read numbers as floats of 53 bits.
const EXACT_IN_JSON: u64 = 1 << 53;

/// A seed as documents have it: from 2^53 on a text.
#[must_use]
pub fn seed_in_json(seed: u64) -> serde_json::Value {
    if seed < EXACT_IN_JSON { seed.into() } else { seed.to_string().into() }
}

fn seed_that_survives<S: serde::Serializer>(seed: &u64, serializer: S) -> Result<S::Ok, S::Error> {
    seed_in_json(*seed).serialize(serializer)
}

/// One run in numbers.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Outcome {
    /// [`FORMAT`].
    pub format: u32,
    /// `simulated` or `measured`.
    pub source: &'static str,
    /// The scenario's title.
    pub title: String,
    /// The seed; in JSON a text from 2^53 on, where readers that know no integers would round it.
    #[serde(serialize_with = "seed_that_survives")]
    pub seed: u64,
    /// `completed`, `horizon`, `deadlock` or `livelock`.
    pub end: &'static str,
    /// The last finish, or the end of the run if something did not finish.
    pub makespan_ns: u64,
    /// A hash of the whole timeline.
    pub timeline_hash: String,
    /// Why the run ended as it did, if it did not simply complete.
    pub explanation: Option<String>,
    /// Who lost most, to what and behind whom, in a sentence, if asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub words: Option<String>,
    /// What was really used, in a measured run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recorded: Option<serde_json::Value>,
    /// Per instance, in file order.
    pub tasks: Vec<TaskOutcome>,
    /// Per kind of task, in file order.
    pub kinds: Vec<KindOutcome>,
    /// Per processor.
    pub processors: Vec<ProcessorOutcome>,
    /// Per device.
    pub devices: Vec<DeviceOutcome>,
    /// Per pool of threads.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub pools: Vec<PoolOutcome>,
    /// Per lock and rwlock.
    pub locks: Vec<LockOutcome>,
    /// Per semaphore.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub semaphores: Vec<SemaphoreOutcome>,
    /// Per channel.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub channels: Vec<ChannelOutcome>,
    /// Per condition variable.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub condvars: Vec<CondvarOutcome>,
    /// Per barrier.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub barriers: Vec<BarrierOutcome>,
    /// Per variable.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub variables: Vec<VariableOutcome>,
    /// Per group.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<GroupOutcome>,
    /// Per server that is declared.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub servers: Vec<ServerOutcome>,
    /// What its reader should know of.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<Finding>,
    /// What theory says of the periodic tasks, if there are any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub analysis: Option<Analysis>,
    /// Over all tasks.
    pub summary: Summary,
    /// Who gave up or was turned away, and behind whom, if the timeline is asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub leaves: Vec<LeaveOutcome>,
    /// The same kind by kind, if there is a timeline.
    #[serde(skip)]
    pub gone: Vec<GoneOutcome>,
    /// What the processors did, if asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeline: Option<Entries>,
}

/// One instance in numbers. Of one that did not finish, times count up to the end of the run.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[expect(missing_docs, reason = "the fields are defined in the module documentation of metrics")]
pub struct TaskOutcome {
    pub name: String,
    pub process: String,
    pub task: String,
    pub instance: u32,
    pub arrival_ns: Option<u64>,
    pub first_run_ns: Option<u64>,
    pub finish_ns: Option<u64>,
    /// `finished`, `rejected`, `aborted` or `ended`; null while it is not over.
    pub fate: Option<&'static str>,
    /// Does only the horizon end it: is it periodic without a number of jobs, or a loop forever?
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub endless: bool,
    pub first_response_ns: Option<u64>,
    pub turnaround_ns: Option<u64>,
    pub waiting_ns: u64,
    pub running_ns: u64,
    pub blocked_ns: u64,
    pub overhead_ns: u64,
    pub slowdown: Option<f64>,
    pub voluntary_switches: u64,
    pub involuntary_switches: u64,
    pub migrations: u64,
    /// How often it gave up what it waited for.
    pub given_up: u64,
    /// How often it was turned away.
    pub rejected: u64,
    /// The jobs of a periodic task, in order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jobs: Option<Vec<JobOutcome>>,
    /// The jobs of a periodic task in numbers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub job_summary: Option<JobSummary>,
    /// Where its time went, if asked for; the longest part first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub causes: Option<Vec<CauseOutcome>>,
}

/// One processor in numbers: running + overhead + idle is the length of the run.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[expect(missing_docs, reason = "the names say it")]
pub struct ProcessorOutcome {
    pub name: String,
    pub running_ns: u64,
    pub overhead_ns: u64,
    pub idle_ns: u64,
    /// Running time over the length of the run: overhead is not useful work.
    pub utilisation: f64,
}

/// The whole run in numbers.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Summary {
    /// Tasks finished per second of the run.
    pub throughput_per_s: f64,
    /// Dispatches of another thread than the one the processor ran last.
    pub context_switches: u64,
    /// Times a task resumed on another processor than its last.
    pub migrations: u64,
    /// Jobs that missed their deadline.
    pub deadline_misses: u64,
    /// How often somebody gave up what it waited for.
    pub given_up: u64,
    /// The share of the tasks that arrived which did, once at least; null without tasks.
    pub given_up_share: Option<f64>,
    /// How often somebody was turned away.
    pub rejected: u64,
    /// The share of the tasks that arrived which were, once at least; null without tasks.
    pub rejected_share: Option<f64>,
    /// Jain's index of the shares of a processor that tasks got while they wanted one: running / (running + waiting +
    /// overhead). Null if nobody wanted one.
    pub fairness_jain: Option<f64>,
    /// The share of the tasks of pools that found every worker taken when they came; missing without pools.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waited_share: Option<f64>,
    /// Of the tasks that finished.
    pub turnaround_ns: Statistics,
    /// Of the tasks that ran.
    pub first_response_ns: Statistics,
    /// Of the tasks that arrived.
    pub waiting_ns: Statistics,
    /// Of the tasks that finished and had something to do.
    pub slowdown: Statistics<f64>,
}

impl Outcome {
    /// The outcome of a simulation. Single jobs and the percentiles of their responses are in it if the metrics have kept
    /// them ([`Metrics::with_jobs`]).
    #[must_use]
    pub fn simulated(scenario: &Scenario, ending: &Ending, metrics: &Metrics, hash: TimelineHash) -> Outcome {
        Outcome {
            end: ending.end.name(),
            explanation: ending.explanation.clone(),
            ..Outcome::new(scenario, "simulated", metrics, hash)
        }
        .with_deadlock(ending)
    }

    /// The outcome of a measured run, which ended like that; `recorded` says what was really used.
    #[must_use]
    pub fn measured(scenario: &Scenario, timeline: &Timeline, ending: &Ending, recorded: serde_json::Value) -> Outcome {
        let mut both = (Metrics::with_jobs(), TimelineHash::default());
        timeline.replay(&mut both);
        let (metrics, hash) = both;
        Outcome {
            end: ending.end.name(),
            explanation: ending.explanation.clone(),
            recorded: Some(recorded),
            ..Outcome::new(scenario, "measured", &metrics, hash)
        }
        .with_deadlock(ending)
    }

    fn new(scenario: &Scenario, source: &'static str, metrics: &Metrics, hash: TimelineHash) -> Outcome {
        let sums: Vec<TaskSums> = metrics.tasks.iter().collect();
        let mut kinds = kinds::of_sums(metrics, &sums);
        let waited_share = workers::count(scenario, metrics, &sums, &mut kinds);
        Outcome {
            format: FORMAT,
            source,
            title: scenario.title.clone(),
            seed: scenario.seed,
            end: End::Completed.name(),
            makespan_ns: metrics.makespan().ns(),
            timeline_hash: hash.hex(),
            explanation: None,
            words: None,
            recorded: None,
            tasks: tasks(scenario, metrics, &sums),
            kinds,
            processors: processors(metrics),
            devices: devices(scenario, metrics),
            pools: pools::pools(scenario, metrics, &sums),
            locks: syncs::locks(metrics),
            semaphores: syncs::semaphores(metrics),
            channels: syncs::channels(metrics),
            condvars: syncs::condvars(metrics),
            barriers: syncs::barriers(metrics),
            variables: variables::variables(metrics),
            groups: groups::groups(scenario, metrics, &sums),
            servers: servers::servers(scenario, metrics),
            findings: findings::of_metrics(metrics),
            analysis: Analysis::of(scenario),
            summary: Summary { waited_share, ..summary(metrics, &sums) },
            leaves: Vec::new(),
            gone: Vec::new(),
            timeline: None,
        }
    }

    /// Adds the deadlock of those who were stuck while others lived on.
    fn with_deadlock(mut self, ending: &Ending) -> Outcome {
        self.findings.splice(..0, findings::of_ending(ending));
        self
    }

    /// Adds what is found in the whole record.
    #[must_use]
    pub fn with_findings(mut self, scenario: &Scenario, timeline: &Timeline) -> Outcome {
        // What the sums tell of starvation, the record tells too.
        self.findings.retain(|finding| finding.kind != "starvation");
        self.findings.extend(findings::of_timeline(scenario, timeline));
        self.gone = gone(timeline);
        self
    }

    /// Adds what the processors did.
    #[must_use]
    pub fn with_timeline(mut self, timeline: &Timeline) -> Outcome {
        self.timeline = Some(Entries::of(timeline));
        self.leaves = leaves::leaves(timeline);
        for (id, group) in timeline.cast.groups.ids().zip(&mut self.groups) {
            group.timeline = Some(groups::entries(timeline, id));
        }
        self
    }
}

/// The instances in file order; spawned ones stand behind the others of their task.
fn tasks(scenario: &Scenario, metrics: &Metrics, sums: &[TaskSums]) -> Vec<TaskOutcome> {
    let mut order: Vec<(TaskId, &TaskSums)> =
        sums.iter().enumerate().map(|(id, task)| (TaskId::from_index(id), task)).collect();
    order.sort_by_key(|(_, task)| (task.spec, task.instance));
    let mut jobs: Vec<&Job> = metrics.jobs.iter().collect();
    // Stable: those of a task stay in order.
    jobs.sort_by_key(|job| job.task);
    let outcome = |(id, task): (TaskId, &TaskSums)| {
        let outcome = task_outcome(metrics, id, task);
        let spec = scenario.specs.get(SpecId(task.spec));
        if spec.is_none_or(|spec| spec.attributes.periodic.is_none()) {
            return outcome;
        }
        let own = &jobs[jobs.partition_point(|job| job.task < id)..jobs.partition_point(|job| job.task <= id)];
        let told = || own.iter().map(|job| job_outcome(job, metrics.end)).collect();
        TaskOutcome {
            jobs: metrics.keeps_jobs().then(told),
            job_summary: Some(job_summary(&metrics.tasks.jobs(id))),
            ..outcome
        }
    };
    order.into_iter().map(outcome).collect()
}

fn task_outcome(metrics: &Metrics, id: TaskId, task: &TaskSums) -> TaskOutcome {
    let Gone { given_up, rejected } = metrics.tasks.gone(id);
    let spec = &metrics.cast.specs[task.spec as usize];
    let process = &metrics.cast.processes[spec.process as usize];
    let happened = |at: Time| (!at.is_never()).then(|| at.ns());
    let after_arrival = |at: Time| (!at.is_never()).then(|| at.since(task.arrival).ns());
    TaskOutcome {
        name: format!("{process}/{}#{}", spec.task, task.instance),
        process: process.clone(),
        task: spec.task.clone(),
        instance: task.instance,
        arrival_ns: happened(task.arrival),
        first_run_ns: happened(task.first_run),
        finish_ns: if task.has_finished() { happened(task.finish) } else { None },
        fate: task.ended_as().map(Fate::name),
        endless: metrics.cast.endless.contains(&task.spec),
        first_response_ns: after_arrival(task.first_run),
        turnaround_ns: if task.has_finished() { after_arrival(task.finish) } else { None },
        waiting_ns: metrics.waiting(task).ns(),
        running_ns: task.running.ns(),
        blocked_ns: task.blocked.ns(),
        overhead_ns: task.overhead.ns(),
        slowdown: metrics.slowdown(task),
        voluntary_switches: task.voluntary_switches,
        involuntary_switches: task.involuntary_switches,
        migrations: task.migrations,
        given_up,
        rejected,
        jobs: None,
        job_summary: None,
        causes: None,
    }
}

fn processors(metrics: &Metrics) -> Vec<ProcessorOutcome> {
    let length = metrics.end - Time::ZERO;
    let outcome = |(id, sums): (CpuId, &crate::metrics::ProcessorSums)| ProcessorOutcome {
        name: metrics.cast.processors[id].clone(),
        running_ns: sums.running.ns(),
        overhead_ns: sums.overhead.ns(),
        idle_ns: length.saturating_sub(sums.running + sums.overhead).ns(),
        utilisation: ratio(sums.running, length).unwrap_or(0.0),
    };
    metrics.processors.pairs().map(outcome).collect()
}

fn summary(metrics: &Metrics, sums: &[TaskSums]) -> Summary {
    let all = || sums.iter();
    let Gone { given_up, rejected } = metrics.tasks.all_gone();
    let tasks = sums.iter().enumerate().map(|(number, task)| (TaskId::from_index(number), task));
    let [given_up_share, rejected_share] = samples::gone_shares(metrics, tasks);
    Summary {
        throughput_per_s: throughput(metrics, samples::finished(all()).count()),
        context_switches: metrics.processors.iter().map(|processor| processor.context_switches).sum(),
        migrations: sums.iter().map(|task| task.migrations).sum(),
        given_up,
        given_up_share,
        rejected,
        rejected_share,
        deadline_misses: metrics.tasks.all_jobs().map(|jobs| jobs.missed).sum(),
        fairness_jain: jain(shares(metrics, all())),
        waited_share: None,
        turnaround_ns: of_spans(samples::turnarounds(all()).collect()),
        first_response_ns: of_spans(samples::first_responses(all()).collect()),
        waiting_ns: of_spans(samples::waits(metrics, all()).collect()),
        slowdown: of_floats(samples::slowdowns(metrics, all()).collect()),
    }
}

/// So many tasks finished, per second.
#[expect(clippy::cast_precision_loss, reason = "a statistic")]
fn throughput(metrics: &Metrics, finished: usize) -> f64 {
    let seconds = (metrics.end - Time::ZERO).seconds();
    if seconds > 0.0 { finished as f64 / seconds } else { 0.0 }
}

/// The share of a processor that each task got while it wanted one.
fn shares<'a>(
    metrics: &Metrics,
    tasks: impl Iterator<Item = &'a TaskSums> + Clone,
) -> impl Iterator<Item = f64> + Clone {
    tasks.filter(|task| !task.arrival.is_never()).filter_map(|task| {
        let wanted = task.running + metrics.waiting(task) + task.overhead;
        ratio(task.running, wanted)
    })
}

/// `part / whole`; `None` if the whole is zero.
#[expect(clippy::cast_precision_loss, reason = "a statistic")]
fn ratio(part: Span, whole: Span) -> Option<f64> {
    (!whole.is_zero()).then(|| part.ns() as f64 / whole.ns() as f64)
}

#[expect(clippy::cast_precision_loss, reason = "a statistic")]
fn mean(sum: Span, count: u64) -> Option<f64> {
    (count > 0).then(|| sum.ns() as f64 / count as f64)
}

#[expect(clippy::cast_precision_loss, reason = "a statistic")]
fn share(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}
