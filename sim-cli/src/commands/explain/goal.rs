//! What is explained: the makespan, or why one task took as long as it did.

use sim_core::causes::critical_path::Goal;
use sim_core::engine::End;
use sim_core::ids::TaskId;
use sim_core::metrics::percentile;
use sim_core::timeline::Timeline;

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
    let goal = Goal::last_finish(timeline);
    let completed = run.ending.end == End::Completed;
    let words = match goal {
        None => "No task finished: no chain of events led to an end.".to_owned(),
        Some(goal) => {
            let (name, at) = (name(timeline, goal.task), goal.to.readable());
            if completed {
                format!("The makespan is {at}, as {name} finishes last.")
            } else {
                let end = timeline.end.readable();
                format!("The run is cut at {end} with tasks unfinished. The last that finished was {name}, at {at}.")
            }
        }
    };
    // What its horizon ends takes as long whatever is faster.
    let metric = if completed {
        "makespan"
    } else if timeline.jobs.is_empty() {
        "turnaround.mean"
    } else {
        "response.mean"
    };
    Chosen { goal, words, metric: metric.to_owned() }
}

/// Of a task its end, of several instances that of the one that ended last; of periodic ones the longest job.
fn longest_or_last(timeline: &Timeline, tasks: &[TaskId], name: &Name<'_>) -> Chosen {
    let jobs = timeline.jobs.iter().filter(|job| tasks.contains(&job.task) && job.finish.is_some());
    let longest = jobs.map(|job| Goal::job(timeline, job)).rev().max_by_key(Goal::length);
    if let Some(goal) = longest {
        let words = format!(
            "The longest job of {}, released at {}, took {}.",
            self::name(timeline, goal.task),
            goal.from.readable(),
            goal.length().readable()
        );
        return Chosen { goal: Some(goal), words, metric: format!("task.{}.response.max", quoted(&name.kind())) };
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
    Ok(Chosen { goal: Some(goal), words, metric: format!("{prefix}{figure}.{of}") })
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
        let kinds = sim_core::kinds::Kinds::of(&timeline.cast);
        let names: Vec<String> = kinds.names.ids().take(20).map(|kind| kinds.short_name(kind)).collect();
        let known = names.iter().any(|name| *name == self.kind() || name.rsplit('/').next() == Some(self.task));
        let hint =
            if known { "instances are counted from 0".to_owned() } else { format!("there is {}", names.join(", ")) };
        Failure(format!("sim: no task `{}` came in this run\nhint: {hint}", self.written))
    }
}
