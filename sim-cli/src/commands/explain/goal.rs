//! What is explained: the makespan, or why one task took as long as it did.

use sim_core::causes::critical_path::Goal;
use sim_core::engine::End;
use sim_core::ids::TaskId;
use sim_core::kinds::Kinds;
use sim_core::metrics::percentile;
use sim_core::timeline::{Job, Timeline};

use super::super::Failure;
use super::super::simulated::Simulated;
use crate::args::ExplainArgs;
use crate::rows;

/// What is explained.
pub(super) struct Chosen {
    /// `None` if nothing came to an end.
    pub(super) goal: Option<Goal>,
    /// The same in a sentence.
    pub(super) words: String,
    /// What speed-ups are judged by, if nothing else is asked for.
    pub(super) metric: String,
}

/// The name of a task as it was asked for.
struct Name<'n> {
    written: &'n str,
    process: Option<&'n str>,
    task: &'n str,
    instance: Option<u32>,
}

impl Chosen {
    pub(super) fn of(args: &ExplainArgs, run: &Simulated) -> Result<Chosen, Failure> {
        let timeline = &run.timeline;
        let among = match args.task.as_deref().map(Name::parse) {
            Some(name) => Some((name.found(timeline)?, name)),
            None => None,
        };
        let of = args.of.as_deref().filter(|of| *of != "makespan");
        match (among, of) {
            (None, None) => Ok(makespan(run)),
            (Some((tasks, name)), None) => Ok(longest_or_last(timeline, &tasks, &name)),
            (among, Some(of)) => {
                let tasks = among.as_ref().map_or_else(|| timeline.tasks.ids().collect(), |(tasks, _)| tasks.clone());
                let prefix = among.map_or_else(String::new, |(_, name)| format!("task.{}.", quoted(&name.kind())));
                ranked(timeline, &tasks, of, &prefix)
            }
        }
    }
}

fn makespan(run: &Simulated) -> Chosen {
    let timeline = &run.timeline;
    let cut = run.ending.end != End::Completed;
    // What its horizon ends takes as long whatever is faster.
    if let Some(goal) = longest_job(timeline, &|_| true).filter(|_| cut) {
        let (told, metric) = job(timeline, goal);
        return Chosen { goal: Some(goal), words: format!("{} {told}", cut_off(run)), metric };
    }
    let goal = Goal::last_finish(timeline);
    let words = match goal {
        None => format!("{} No task finished: no chain of events leads to an end.", cut_off(run)),
        Some(goal) if cut => {
            format!(
                "{} The last that finished was {}, at {}.",
                cut_off(run),
                name(timeline, goal.task),
                goal.to.readable()
            )
        }
        Some(goal) => {
            format!("The makespan is {}, as {} finishes last.", goal.to.readable(), name(timeline, goal.task))
        }
    };
    let waits = matches!(run.ending.end, End::Horizon | End::Interrupted);
    let metric = if waits { "turnaround.mean" } else { "makespan" };
    Chosen { goal, words, metric: metric.to_owned() }
}

/// That the run did not come to its end.
fn cut_off(run: &Simulated) -> String {
    let at = run.ending.at.readable();
    match run.ending.end {
        End::Deadlock | End::Livelock => format!("The run ends in a {} at {at}.", run.ending.end.name()),
        _ => format!("The run is cut at {at}, whatever is faster."),
    }
}

/// The longest job that was over, of the tasks that are meant; if none was, the longest.
fn longest_job(timeline: &Timeline, meant: &dyn Fn(TaskId) -> bool) -> Option<Goal> {
    let of = |job: &Job| (job.over().is_some(), Goal::job(timeline, job));
    let jobs = timeline.jobs.iter().filter(|job| meant(job.task)).map(of);
    jobs.rev().max_by_key(|(over, goal)| (*over, goal.length())).map(|(_, goal)| goal)
}

/// How long the longest job took, and the figure that is better if it takes less.
fn job(timeline: &Timeline, goal: Goal) -> (String, String) {
    let (name, from, length) = (name(timeline, goal.task), goal.from.readable(), goal.length().readable());
    let record = timeline.jobs.iter().find(|job| (job.task, job.release) == (goal.task, goal.from));
    let how = match record {
        Some(job) if job.aborted => format!("was ended at its deadline, after {length}"),
        Some(Job { finish: None, .. }) => format!("has not finished after {length}"),
        _ => format!("took {length}"),
    };
    let finished = record.is_some_and(|job| job.finish.is_some());
    let missed = || format!("task.{}.missed", quoted(&timeline.task_name(goal.task)));
    let metric = if finished { response(timeline, goal.task, "max") } else { missed() };
    (format!("The longest job is that of {name}, released at {from}: it {how}."), metric)
}

/// The figure of the jobs of a kind of tasks.
fn response(timeline: &Timeline, task: TaskId, of: &str) -> String {
    let kinds = Kinds::of(&timeline.cast);
    let kind = &kinds.names[kinds.of_spec(timeline.tasks[task].spec)];
    format!("task.{}.response.{of}", quoted(&kind.full()))
}

/// Of a task its end, of several instances that of the one that ended last; of periodic ones the longest job.
fn longest_or_last(timeline: &Timeline, tasks: &[TaskId], name: &Name<'_>) -> Chosen {
    if let Some(goal) = longest_job(timeline, &|task| tasks.contains(&task)) {
        let (words, metric) = job(timeline, goal);
        return Chosen { goal: Some(goal), words, metric };
    }
    let lives = tasks.iter().filter_map(|task| Goal::life_of(timeline, *task));
    let goal = lives.rev().max_by_key(|goal| (timeline.tasks[goal.task].finish.is_some(), goal.to));
    let (words, metric) = match goal {
        None => (format!("{} never arrived.", name.written), "makespan".to_owned()),
        Some(goal) => {
            let full = timeline.task_name(goal.task);
            (took(timeline, goal), format!("task.{}.turnaround", quoted(&full)))
        }
    };
    Chosen { goal, words, metric }
}

fn took(timeline: &Timeline, goal: Goal) -> String {
    let (name, from, length) = (name(timeline, goal.task), goal.from.readable(), goal.length().readable());
    if timeline.tasks[goal.task].finish.is_some() {
        format!("{name} took {length} from its arrival at {from}.")
    } else {
        format!("{name} has not finished {length} after its arrival at {from}.")
    }
}

/// The task, or the job, whose time is a percentile.
fn ranked(timeline: &Timeline, tasks: &[TaskId], of: &str, prefix: &str) -> Result<Chosen, Failure> {
    let jobs = timeline.jobs.iter().filter(|job| tasks.contains(&job.task) && job.finish.is_some());
    let mut goals: Vec<Goal> = jobs.map(|job| Goal::job(timeline, job)).collect();
    let (figure, those) = if goals.is_empty() { ("turnaround", "tasks") } else { ("response", "jobs") };
    if goals.is_empty() {
        let finished = tasks.iter().filter(|task| timeline.tasks[**task].finish.is_some());
        goals = finished.filter_map(|task| Goal::life_of(timeline, *task)).collect();
    }
    goals.sort_by_key(Goal::length);
    let kinds = Kinds::of(&timeline.cast);
    let several = |goals: &[Goal]| {
        let kind = |goal: &Goal| kinds.of_spec(timeline.tasks[goal.task].spec);
        goals.iter().any(|goal| kind(goal) != kind(&goals[0]))
    };
    if figure == "response" && several(&goals) {
        return Err(Failure(format!(
            "sim: {of} of the jobs of several tasks says nothing of any of them\nhint: name one with --task"
        )));
    }
    let share = of.trim_start_matches('p').parse().ok();
    let goal = share.map_or_else(|| goals.last().copied(), |share| percentile(&goals, share));
    let count = goals.len();
    let Some(goal) = goal else {
        let needed = share.map_or(1, |share: usize| 100_usize.div_ceil(100 - share.min(99)));
        return Err(Failure(format!(
            "sim: {count} {those} finished, and {of} of them is none\nhint: it takes {needed}; --of max is the longest"
        )));
    };
    let (name, length) = (name(timeline, goal.task), goal.length().readable());
    let which = if of == "max" { format!("The longest {figure}") } else { format!("The {of} of {figure}") };
    let words = format!("{which} of {count} {those} is that of {name}, {length} from {}.", goal.from.readable());
    let metric =
        if figure == "response" { response(timeline, goal.task, of) } else { format!("{prefix}{figure}.{of}") };
    Ok(Chosen { goal: Some(goal), words, metric })
}

fn name(timeline: &Timeline, task: TaskId) -> String {
    rows::names(timeline)[task].clone()
}

/// A name in a path.
fn quoted(name: &str) -> String {
    if name.contains('.') { format!("\"{name}\"") } else { name.to_owned() }
}

impl Name<'_> {
    fn parse(written: &str) -> Name<'_> {
        let (process, rest) = written.rsplit_once('/').map_or((None, written), |(process, rest)| (Some(process), rest));
        let numbered = rest.split_once('#').and_then(|(task, number)| Some((task, number.parse().ok()?)));
        let (task, instance) = numbered.map_or((rest, None), |(task, number)| (task, Some(number)));
        Name { written, process, task, instance }
    }

    /// Without the instance.
    fn kind(&self) -> String {
        self.process.map_or_else(|| self.task.to_owned(), |process| format!("{process}/{}", self.task))
    }

    /// All tasks that it can mean.
    fn found(&self, timeline: &Timeline) -> Result<Vec<TaskId>, Failure> {
        let base = |process: &str| process.split_once('#').map_or(process, |(base, _)| base).to_owned();
        let process = |task: TaskId| {
            let spec = &timeline.cast.specs[timeline.tasks[task].spec as usize];
            timeline.cast.processes[spec.process as usize].clone()
        };
        let is_it = |task: &TaskId| {
            let life = &timeline.tasks[*task];
            let own = process(*task);
            timeline.cast.specs[life.spec as usize].task == self.task
                && self.process.is_none_or(|process| process == own || process == base(&own))
                && self.instance.is_none_or(|instance| instance == life.instance)
        };
        let found: Vec<TaskId> = timeline.tasks.ids().filter(is_it).collect();
        let mut processes: Vec<String> = found.iter().map(|task| base(&process(*task))).collect();
        processes.dedup();
        match processes.as_slice() {
            [] => Err(self.unknown(timeline)),
            [_] => Ok(found),
            several => {
                let full: Vec<String> = several.iter().map(|process| format!("`{process}/{}`", self.task)).collect();
                Err(Failure(format!(
                    "sim: several processes have a task `{}`\nhint: write {}",
                    self.task,
                    full.join(" or ")
                )))
            }
        }
    }

    fn unknown(&self, timeline: &Timeline) -> Failure {
        let kinds = Kinds::of(&timeline.cast);
        let names: Vec<String> = kinds.names.ids().take(20).map(|kind| kinds.short_name(kind)).collect();
        let known = names.iter().any(|name| *name == self.kind() || name.rsplit('/').next() == Some(self.task));
        let hint =
            if known { "instances are counted from 0".to_owned() } else { format!("there is {}", names.join(", ")) };
        Failure(format!("sim: no task `{}` came in this run\nhint: {hint}", self.written))
    }
}
