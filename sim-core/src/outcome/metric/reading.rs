//! Reading the figures off the sums of a run, without making the whole outcome.

use std::cell::OnceCell;

use serde::Serialize;
use serde_json::Value;

use super::super::statistics::{Statistics, of_floats, of_spans};
use super::super::{devices, groups, jobs, processors, samples, syncs, task_outcome, variables, workers};
use super::{Metric, Of, TaskName, Whose};
use crate::causes::Causes;
use crate::ids::{Id as _, SpecId, TaskId};
use crate::kinds::Kinds;
use crate::metrics::{Metrics, TaskSums, jain};
use crate::scenario::{Scenario, SyncKind};
use crate::time::{Span, Time};
use crate::timeline::Timeline;

/// What is known of a run. Its tasks are looked through once, however many metrics are asked of it.
#[derive(Debug)]
pub struct Observed<'a> {
    scenario: &'a Scenario,
    metrics: &'a Metrics,
    causes: Option<(&'a Timeline, &'a Causes)>,
    since: Span,
    tasks: OnceCell<Vec<(TaskId, TaskSums)>>,
}

impl<'a> Observed<'a> {
    /// A run of this scenario, with its sums, which have kept jobs.
    #[must_use]
    pub fn new(scenario: &'a Scenario, metrics: &'a Metrics) -> Observed<'a> {
        Observed { scenario, metrics, causes: None, since: Span::ZERO, tasks: OnceCell::new() }
    }

    /// The same with all that happened and where the time went, if that is known: some metrics need it.
    #[must_use]
    pub fn with_causes(self, causes: Option<(&'a Timeline, &'a Causes)>) -> Observed<'a> {
        Observed { causes, ..self }
    }

    /// The same, whose sums begin at this time: instants count from the beginning of the run all the same.
    #[must_use]
    pub fn since(self, since: Span) -> Observed<'a> {
        Observed { since, ..self }
    }

    /// All tasks of the run.
    fn tasks(&self) -> &[(TaskId, TaskSums)] {
        self.tasks.get_or_init(|| self.metrics.tasks.pairs().collect())
    }
}

impl Metric {
    /// The figure: a whole number of nanoseconds or a count where the outcome has one; null where it has none.
    #[must_use]
    pub fn of(&self, run: &Observed<'_>) -> Value {
        match &self.whose {
            Whose::Run if self.key.is_spread => self.of_spread(run, run.tasks()),
            Whose::Run => of_run(self.key.name, run),
            Whose::Task(name) => match name.instance {
                Some(instance) => self.of_instance(run, name, instance),
                None => self.of_kind(run, &of_kind(run, name)),
            },
            Whose::Only(name) => match of_kind(run, name).as_slice() {
                [(_, task)] => self.of_instance(run, name, task.instance),
                _ => Value::Null,
            },
            Whose::Processor(name) => named(processors(run.metrics), name, self.key.name),
            Whose::Device(name) => named(devices(run.scenario, run.metrics), name, self.key.name),
            Whose::Variable(name) => named(variables::variables(run.metrics), name, self.key.name),
            Whose::Group(name) => {
                let sums: Vec<TaskSums> = sums(run.tasks()).copied().collect();
                named(groups::groups(run.scenario, run.metrics, &sums), name, self.key.name)
            }
            Whose::Sync(word, name) => of_sync(word, name, self.key.name, run.metrics),
            Whose::Causes(task) => self.of_causes(run, task.as_ref()),
        }
    }

    /// The samples of which a pooled figure is made: nanoseconds, or ratios.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a statistic")]
    pub fn samples(&self, run: &Observed<'_>) -> Vec<f64> {
        let of_kind = match &self.whose {
            Whose::Task(name) => Some(of_kind(run, name)),
            _ => None,
        };
        let tasks = of_kind.as_deref().unwrap_or(run.tasks());
        match self.key.name {
            "slowdown" => samples::slowdowns(run.metrics, sums(tasks)).collect(),
            name => spans(name, run, tasks).into_iter().map(|span| span.ns() as f64).collect(),
        }
    }

    fn of_spread(&self, run: &Observed<'_>, tasks: &[(TaskId, TaskSums)]) -> Value {
        if self.pooled {
            let sorted = crate::statistics::sorted(self.samples(run).into_iter());
            let share = self.pooled().unwrap_or_default();
            return crate::statistics::nearest_rank(&sorted, share).map_or(Value::Null, exact);
        }
        match self.key.name {
            "slowdown" => self.pick(&of_floats(samples::slowdowns(run.metrics, sums(tasks)).collect())),
            name => self.pick(&of_spans(spans(name, run, tasks))),
        }
    }

    fn pick<T: Copy + Into<Value>>(&self, of: &Statistics<T>) -> Value {
        match self.of {
            Of::Itself | Of::Mean => of.mean.into(),
            Of::Max => of.max.into(),
            Of::Quantile(5_000) => of.p50.into(),
            Of::Quantile(9_500) => of.p95.into(),
            Of::Quantile(_) => of.p99.into(),
        }
    }

    fn of_kind(&self, run: &Observed<'_>, tasks: &[(TaskId, TaskSums)]) -> Value {
        let jobs = || tasks.iter().map(|(task, _)| run.metrics.tasks.jobs(*task));
        match self.key.name {
            "instances" => tasks.len().into(),
            "finished" => samples::finished(sums(tasks)).count().into(),
            "waited_for_worker" => of_pool(run, tasks).map(|(waited, _)| waited).into(),
            "waited_share" => of_pool(run, tasks).and_then(|(waited, all)| super::super::share(waited, all)).into(),
            "given_up" => tasks.iter().map(|(id, _)| run.metrics.tasks.gone(*id).given_up).sum::<u64>().into(),
            "rejected" => tasks.iter().map(|(id, _)| run.metrics.tasks.gone(*id).rejected).sum::<u64>().into(),
            "given_up_share" => gone_shares(run, tasks)[0].into(),
            "rejected_share" => gone_shares(run, tasks)[1].into(),
            "served" => apart(run, tasks, false).count().into(),
            "gone" => apart(run, tasks, true).count().into(),
            "jobs" => jobs().map(|jobs| jobs.released).sum::<u64>().into(),
            "jobs_finished" => jobs().map(|jobs| jobs.ended).sum::<u64>().into(),
            _ => self.of_spread(run, tasks),
        }
    }

    fn of_instance(&self, run: &Observed<'_>, name: &TaskName, instance: u32) -> Value {
        let found = of_kind(run, name).into_iter().find(|(_, task)| task.instance == instance);
        let Some((id, task)) = found else { return Value::Null };
        let own = field(&task_outcome(run.metrics, id, &task), self.key.name);
        match (self.key.name, own) {
            ("arrival" | "first_run" | "finish", Some(at)) => {
                at.as_u64().map_or(Value::Null, |at| (at + run.since.ns()).into())
            }
            (_, Some(figure)) => figure,
            (name, None) => {
                let periodic =
                    run.scenario.specs.get(SpecId(task.spec)).is_some_and(|spec| spec.attributes.periodic.is_some());
                let summary = periodic.then(|| jobs::job_summary(&run.metrics.tasks.jobs(id)));
                summary.and_then(|summary| field(&summary, name)).unwrap_or(Value::Null)
            }
        }
    }

    /// How much of the time of tasks went to this.
    fn of_causes(&self, run: &Observed<'_>, whose: Option<&TaskName>) -> Value {
        let Some((timeline, causes)) = run.causes else { return Value::Null };
        let name = self.key.name;
        let is_it = |what: crate::causes::What| what.kind().name() == name || what.name(timeline) == Some(name);
        let is_meant = |spec: u32| {
            let spec = &timeline.cast.specs[spec as usize];
            whose.is_none_or(|whose| whose.is(&timeline.cast.processes[spec.process as usize], &spec.task))
        };
        let tasks = timeline.tasks.pairs().filter(|(_, life)| {
            let instance = whose.and_then(|whose| whose.instance);
            is_meant(life.spec) && instance.is_none_or(|instance| instance == life.instance)
        });
        let parts = tasks.flat_map(|(task, _)| &causes.tasks[task]).filter(|part| is_it(part.what));
        parts.map(|part| part.length.ns()).sum::<u64>().into()
    }
}

/// A figure as JSON: whole ones as whole numbers.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is whole, and far below 2^53")]
fn exact(figure: f64) -> Value {
    let is_whole = figure.fract() == 0.0 && (0.0..9e15).contains(&figure);
    if is_whole { Value::from(figure as u64) } else { Value::from(figure) }
}

/// The tasks of a kind, in all copies of its process.
fn of_kind(run: &Observed<'_>, name: &TaskName) -> Vec<(TaskId, TaskSums)> {
    let cast = &run.metrics.cast;
    let is_meant: Vec<bool> =
        cast.specs.iter().map(|spec| name.is(&cast.processes[spec.process as usize], &spec.task)).collect();
    run.tasks().iter().copied().filter(|(_, task)| is_meant[task.spec as usize]).collect()
}

fn sums(tasks: &[(TaskId, TaskSums)]) -> impl Iterator<Item = &TaskSums> + Clone {
    tasks.iter().map(|(_, task)| task)
}

/// The shares of these tasks that gave up, and that were turned away.
fn gone_shares(run: &Observed<'_>, tasks: &[(TaskId, TaskSums)]) -> [Option<f64>; 2] {
    samples::gone_shares(run.metrics, tasks.iter().map(|(id, task)| (*id, task)))
}

/// Those of these tasks that finished with all that they had asked for, or (`gone`) without some of it.
fn apart<'t>(run: &Observed<'t>, tasks: &'t [(TaskId, TaskSums)], gone: bool) -> impl Iterator<Item = &'t TaskSums> {
    samples::apart(run.metrics, tasks.iter().map(|(id, task)| (*id, task)), gone)
}

/// The samples of a distribution of lengths of time.
fn spans(name: &str, run: &Observed<'_>, tasks: &[(TaskId, TaskSums)]) -> Vec<Span> {
    match name {
        "turnaround" => samples::turnarounds(sums(tasks)).collect(),
        "first_response" => samples::first_responses(sums(tasks)).collect(),
        "waiting" => samples::waits(run.metrics, sums(tasks)).collect(),
        "served_turnaround" => samples::turnarounds(apart(run, tasks, false)).collect(),
        "gone_turnaround" => samples::turnarounds(apart(run, tasks, true)).collect(),
        _ => {
            // Those of the jobs, which are kept in no order of tasks.
            let mut meant = vec![false; run.metrics.tasks.len()];
            tasks.iter().for_each(|(task, _)| meant[task.index()] = true);
            let own = run.metrics.jobs.iter().filter(|job| meant[job.task.index()]);
            own.filter_map(crate::timeline::Job::response).collect()
        }
    }
}

fn of_run(name: &str, run: &Observed<'_>) -> Value {
    let (metrics, tasks) = (run.metrics, || sums(run.tasks()));
    match name {
        "makespan" => (metrics.makespan().ns() + run.since.ns()).into(),
        "throughput_per_s" => super::super::throughput(metrics, finishes(run)).into(),
        "context_switches" => metrics.processors.iter().map(|of| of.context_switches).sum::<u64>().into(),
        "migrations" => tasks().map(|task| task.migrations).sum::<u64>().into(),
        "waited_share" => {
            let tasks = run.tasks().iter().map(|(id, task)| (*id, task));
            workers::share(&workers::counts(run.scenario, metrics, tasks)).into()
        }
        "given_up" => run.tasks().iter().map(|(id, _)| metrics.tasks.gone(*id).given_up).sum::<u64>().into(),
        "rejected" => run.tasks().iter().map(|(id, _)| metrics.tasks.rejections(*id)).sum::<u64>().into(),
        "given_up_share" => gone_shares(run, run.tasks())[0].into(),
        "rejected_share" => gone_shares(run, run.tasks())[1].into(),
        "utilisation" => {
            let all = processors(metrics);
            #[expect(clippy::cast_precision_loss, reason = "a statistic")]
            let count = all.len() as f64;
            (all.iter().map(|of| of.utilisation).sum::<f64>() / count).into()
        }
        "finished" => samples::finished(tasks()).count().into(),
        "unfinished" => {
            let has_end = |task: &&TaskSums| !metrics.cast.endless.contains(&task.spec);
            let came = |task: &&TaskSums| run.since.is_zero() || !task.arrival.is_never();
            tasks().filter(has_end).filter(came).filter(|task| task.finish.is_never()).count().into()
        }
        "deadline_misses" => metrics.tasks.all_jobs().map(|jobs| jobs.missed).sum::<u64>().into(),
        _ => jain(super::super::shares(metrics, tasks())).into(),
    }
}

/// How many tasks finished in the time that counts, whenever they arrived.
fn finishes(run: &Observed<'_>) -> usize {
    let in_time = |task: &&TaskSums| !task.finish.is_never() && (run.since.is_zero() || task.finish > Time::ZERO);
    sums(run.tasks()).filter(in_time).count()
}

/// How many of these tasks of one kind found every worker taken, and of how many; `None` if they are in no pool.
fn of_pool(run: &Observed<'_>, tasks: &[(TaskId, TaskSums)]) -> Option<(u64, u64)> {
    let kind = Kinds::of(&run.metrics.cast).of_spec(tasks.first()?.1.spec);
    // Who waits is a matter of all tasks of the pool.
    let all = run.tasks().iter().map(|(id, task)| (*id, task));
    workers::counts(run.scenario, run.metrics, all).get(&kind).copied()
}

fn of_sync(word: &str, name: &str, key: &str, metrics: &Metrics) -> Value {
    let is_it = |kind: SyncKind| super::is_called(kind, word);
    if !metrics.cast.syncs.iter().any(|sync| sync.name == name && is_it(sync.kind)) {
        return Value::Null;
    }
    match word {
        "lock" | "rwlock" => named(syncs::locks(metrics), name, key),
        "semaphore" => named(syncs::semaphores(metrics), name, key),
        "channel" => named(syncs::channels(metrics), name, key),
        "condvar" => named(syncs::condvars(metrics), name, key),
        _ => named(syncs::barriers(metrics), name, key),
    }
}

/// The field of the one of this name.
fn named<T: Serialize>(all: Vec<T>, name: &str, key: &str) -> Value {
    let is_it = |one: &Value| one.get("name").and_then(Value::as_str) == Some(name);
    let mut all = all.into_iter().filter_map(|one| serde_json::to_value(one).ok());
    all.find(is_it).and_then(|one| of_value(&one, key)).unwrap_or(Value::Null)
}

fn field<T: Serialize>(of: &T, key: &str) -> Option<Value> {
    of_value(&serde_json::to_value(of).ok()?, key)
}

/// What a table has under a key, which may be a time.
fn of_value(table: &Value, key: &str) -> Option<Value> {
    table.get(key).or_else(|| table.get(format!("{key}_ns"))).cloned()
}
