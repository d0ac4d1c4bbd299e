//! Outcomes read back from the documents that [`Outcome`] is written to: what two of them can be compared by.
//!
//! A document with its timeline becomes a [`Timeline`] again, as far as it has it: what the processors did, when tasks came
//! and went, jobs, and when groups stood still. For what tasks were blocked is not in it.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;

use super::{FORMAT, Outcome};
use crate::ids::{CpuId, GroupId, Id as _, IdVec, TaskId, ThreadId};
use crate::time::Time;
use crate::timeline::{Cast, Fate, GroupName, Interval, Job, Left, Life, SpecName, Throttle, Timeline, What};

/// What is read of an outcome. Keys that are not here are ignored; times are nanoseconds.
#[derive(Clone, Debug, Deserialize)]
#[expect(missing_docs, reason = "the keys of the document, which Outcome describes")]
pub struct Reading {
    pub format: u32,
    pub source: String,
    #[serde(default)]
    pub title: String,
    /// A number, or a text from 2^53 on.
    #[serde(default)]
    pub seed: serde_json::Value,
    pub end: String,
    pub makespan_ns: u64,
    pub timeline_hash: String,
    #[serde(default)]
    pub explanation: Option<String>,
    #[serde(default)]
    pub recorded: Option<serde_json::Value>,
    pub tasks: Vec<TaskReading>,
    #[serde(default)]
    pub kinds: Vec<KindReading>,
    #[serde(default)]
    pub processors: Vec<ProcessorReading>,
    pub summary: SummaryReading,
    #[serde(default)]
    pub groups: Vec<GroupReading>,
    #[serde(default)]
    pub timeline: Option<Vec<EntryReading>>,
}

/// An instance.
#[derive(Clone, Debug, Deserialize)]
#[expect(missing_docs, reason = "the keys of the document, which TaskOutcome describes")]
pub struct TaskReading {
    pub name: String,
    pub process: String,
    pub task: String,
    pub instance: u32,
    pub arrival_ns: Option<u64>,
    pub first_run_ns: Option<u64>,
    pub finish_ns: Option<u64>,
    #[serde(default)]
    pub fate: Option<String>,
    pub turnaround_ns: Option<u64>,
    pub waiting_ns: u64,
    pub running_ns: u64,
    pub blocked_ns: u64,
    pub overhead_ns: u64,
    #[serde(default)]
    pub jobs: Option<Vec<JobReading>>,
    #[serde(default)]
    pub job_summary: Option<JobSummaryReading>,
    #[serde(default)]
    pub causes: Option<Vec<CauseReading>>,
}

/// A job.
#[derive(Clone, Copy, Debug, Deserialize)]
#[expect(missing_docs, reason = "the keys of the document, which JobOutcome describes")]
pub struct JobReading {
    pub release_ns: u64,
    pub finish_ns: Option<u64>,
    pub deadline_ns: u64,
    #[serde(default)]
    pub aborted: bool,
    #[serde(default)]
    pub skips: u32,
}

/// The jobs of a task.
#[derive(Clone, Copy, Debug, Deserialize)]
#[expect(missing_docs, reason = "the keys of the document, which JobSummary describes")]
pub struct JobSummaryReading {
    pub mean_response_ns: Option<f64>,
    #[serde(default)]
    pub aborted: u64,
    #[serde(default)]
    pub skipped: u64,
}

/// A part of the time of a task.
#[derive(Clone, Debug, Deserialize)]
#[expect(missing_docs, reason = "the keys of the document, which CauseOutcome describes")]
pub struct CauseReading {
    pub kind: String,
    #[serde(default)]
    pub what: Option<String>,
    #[serde(default)]
    pub device: Option<String>,
    #[serde(default)]
    pub object: Option<String>,
    pub ns: u64,
}

/// A kind of task.
#[derive(Clone, Debug, Deserialize)]
#[expect(missing_docs, reason = "the keys of the document, which KindOutcome describes")]
pub struct KindReading {
    pub name: String,
    pub instances: u64,
    pub finished: u64,
    #[serde(default)]
    pub served: Option<u64>,
    pub turnaround_ns: SpreadReading,
    #[serde(default)]
    pub response_ns: Option<SpreadReading>,
}

/// A processor.
#[derive(Clone, Debug, Deserialize)]
#[expect(missing_docs, reason = "the keys of the document, which ProcessorOutcome describes")]
pub struct ProcessorReading {
    pub name: String,
}

/// Mean, percentiles and maximum.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[expect(missing_docs, reason = "the keys of the document, which Statistics describes")]
pub struct SpreadReading {
    pub mean: Option<f64>,
    pub p50: Option<f64>,
    pub p95: Option<f64>,
    pub p99: Option<f64>,
    pub max: Option<f64>,
}

/// The whole run.
#[derive(Clone, Copy, Debug, Deserialize)]
#[expect(missing_docs, reason = "the keys of the document, which Summary describes")]
pub struct SummaryReading {
    pub throughput_per_s: Option<f64>,
    pub context_switches: u64,
    pub migrations: u64,
    pub deadline_misses: u64,
    #[serde(default)]
    pub given_up: u64,
    #[serde(default)]
    pub rejected: u64,
    pub fairness_jain: Option<f64>,
    #[serde(default)]
    pub waited_share: Option<f64>,
    pub turnaround_ns: SpreadReading,
    pub first_response_ns: SpreadReading,
    pub waiting_ns: SpreadReading,
}

/// A group.
#[derive(Clone, Debug, Deserialize)]
#[expect(missing_docs, reason = "the keys of the document, which GroupOutcome describes")]
pub struct GroupReading {
    pub name: String,
    #[serde(default)]
    pub parent: Option<String>,
    #[serde(default)]
    pub processes: Vec<String>,
    #[serde(default)]
    pub share: Option<f64>,
    #[serde(default)]
    pub throttled_ns: u64,
    #[serde(default)]
    pub timeline: Option<Vec<ThrottleReading>>,
}

/// When a group stood still.
#[derive(Clone, Copy, Debug, Deserialize)]
#[expect(missing_docs, reason = "the keys of the document, which ThrottleEntry describes")]
pub struct ThrottleReading {
    #[serde(default)]
    pub processor: Option<u32>,
    pub start_ns: u64,
    pub end_ns: u64,
}

/// A stretch of a processor with one task.
#[derive(Clone, Debug, Deserialize)]
#[expect(missing_docs, reason = "the keys of the document, which TimelineEntry describes")]
pub struct EntryReading {
    pub processor: u32,
    pub task: String,
    pub thread: String,
    pub what: String,
    pub start_ns: u64,
    pub end_ns: u64,
}

impl KindReading {
    /// How long those that wait for it wait: the responses of a periodic task, else the turnarounds.
    #[must_use]
    pub fn latency(&self) -> &SpreadReading {
        self.response_ns.as_ref().unwrap_or(&self.turnaround_ns)
    }
}

impl TaskReading {
    /// The same of one task; of jobs it is their mean. `None` if there is none yet.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a statistic")]
    pub fn latency_ns(&self) -> Option<f64> {
        match &self.job_summary {
            Some(jobs) => jobs.mean_response_ns,
            None => self.turnaround_ns.map(|ns| ns as f64),
        }
    }

    /// When it was over, if it was, and in which way. When others ended it is not told: as much later than it arrived as it spent
    /// time.
    fn end(&self) -> (Option<Time>, Fate) {
        let fate = self.fate.as_deref().and_then(Fate::named).unwrap_or_default();
        let spent = self.waiting_ns + self.running_ns + self.blocked_ns + self.overhead_ns;
        let cut_short = self.arrival_ns.filter(|_| !fate.is_own_end()).map(|arrival| arrival + spent);
        (self.finish_ns.or(cut_short).map(Time::from_ns), fate)
    }
}

impl Reading {
    /// The reading of an outcome that was never written.
    ///
    /// # Errors
    /// Never, as long as this module reads what [`Outcome`] writes.
    pub fn of(outcome: &Outcome) -> Result<Reading, String> {
        let document = serde_json::to_value(outcome).map_err(|error| error.to_string())?;
        serde_json::from_value(document).map_err(|error| error.to_string())
    }

    /// Is it of the format that this version reads?
    ///
    /// # Errors
    /// A sentence.
    pub fn check(&self) -> Result<(), String> {
        if self.format == FORMAT {
            return Ok(());
        }
        Err(format!("it is an outcome of format {}, and this version reads format {FORMAT}", self.format))
    }

    /// What the processors did, with the lives of the tasks and their jobs; `None` if the document has no timeline.
    ///
    /// # Errors
    /// A sentence, if the document contradicts itself: an entry of a task or a processor that it does not have, or that ends
    /// before it begins.
    pub fn timeline(&self) -> Result<Option<Timeline>, String> {
        let Some(entries) = &self.timeline else { return Ok(None) };
        let (cast, tasks) = self.cast();
        let ids: BTreeMap<&str, TaskId> =
            self.tasks.iter().zip(tasks.ids()).map(|(task, id)| (task.name.as_str(), id)).collect();
        let mut threads: BTreeMap<&str, ThreadId> = BTreeMap::new();
        let mut timeline = Timeline { end: self.end_of_run(), ..Timeline::default() };
        for (number, entry) in entries.iter().enumerate() {
            let complain = |what: String| format!("its timeline is damaged: entry {} {what}", number + 1);
            let task = *ids
                .get(entry.task.as_str())
                .ok_or_else(|| complain(format!("is of `{}`, which it does not have", entry.task)))?;
            if entry.processor as usize >= self.processors.len() {
                return Err(complain(format!(
                    "is of processor {}, and it has {}",
                    entry.processor,
                    self.processors.len()
                )));
            }
            if entry.end_ns < entry.start_ns {
                return Err(complain(format!("ends at {} ns, before it begins", entry.end_ns)));
            }
            let what = match entry.what.as_str() {
                "run" => What::Run,
                "switch" => What::Switch,
                "start" => What::Start,
                other => return Err(complain(format!("does `{other}`, which is none of `run`, `switch` and `start`"))),
            };
            let next = ThreadId(u32::try_from(threads.len()).unwrap_or(u32::MAX));
            let thread = match entry.thread.as_str() {
                "" => ThreadId::NONE,
                name => *threads.entry(name).or_insert(next),
            };
            let [start, end] = [entry.start_ns, entry.end_ns].map(Time::from_ns);
            // How it was left is not in the document; who ends there has ended.
            let left = if tasks[task].finish == Some(end) { Left::Finished } else { Left::Preempted };
            timeline.intervals.push(Interval { start, end, task, thread, cpu: CpuId(entry.processor), what, left });
        }
        timeline.jobs = self.jobs(&tasks);
        timeline.throttles = self.throttles()?;
        Ok(Some(Timeline { cast: Arc::new(cast), tasks, ..timeline }))
    }

    /// The end of the run, as far as it is known: the last that is recorded.
    fn end_of_run(&self) -> Time {
        let entries = self.timeline.iter().flatten().map(|entry| entry.end_ns);
        Time::from_ns(entries.chain([self.makespan_ns]).max().unwrap_or(0))
    }

    fn cast(&self) -> (Cast, IdVec<TaskId, Life>) {
        let mut cast = Cast {
            processors: self.processors.iter().map(|processor| processor.name.clone()).collect(),
            ..Cast::default()
        };
        let mut processes: BTreeMap<&str, u32> = BTreeMap::new();
        let mut specs: BTreeMap<(u32, &str), u32> = BTreeMap::new();
        let mut tasks = IdVec::default();
        for task in &self.tasks {
            let process = *processes.entry(&task.process).or_insert_with(|| {
                cast.processes.push(task.process.clone());
                number(cast.processes.len())
            });
            let spec = *specs.entry((process, &task.task)).or_insert_with(|| {
                cast.specs.push(SpecName { process, task: task.task.clone() });
                number(cast.specs.len())
            });
            let arrival = task.arrival_ns.map(Time::from_ns);
            let (finish, fate) = task.end();
            tasks.push(Life { spec, instance: task.instance, arrival, finish, fate });
        }
        let place = |name: &str| self.groups.iter().position(|group| group.name == name).map(GroupId::from_index);
        let parent = |group: &GroupReading| group.parent.as_deref().and_then(place);
        // What follows the parents must come to an end, whatever the document says.
        let parents: IdVec<GroupId, Option<GroupId>> = self.groups.iter().map(parent).collect();
        let ends = |id| std::iter::successors(Some(id), |id| parents[*id]).nth(parents.len()).is_none();
        let group = |(id, group): (GroupId, &GroupReading)| GroupName {
            name: group.name.clone(),
            parent: parents[id].filter(|_| ends(id)),
            quota: None,
        };
        cast.groups = parents.ids().zip(&self.groups).map(group).collect();
        let member = |process: &String| self.groups.iter().position(|group| group.processes.contains(process));
        cast.members = cast.processes.iter().map(|process| member(process).map(GroupId::from_index)).collect();
        (cast, tasks)
    }

    /// When groups stood still, as far as the document says.
    fn throttles(&self) -> Result<Vec<Throttle>, String> {
        let mut throttles = Vec::new();
        for (place, group) in self.groups.iter().enumerate() {
            for entry in group.timeline.iter().flatten() {
                let is_known = entry.processor.is_none_or(|cpu| (cpu as usize) < self.processors.len());
                if !is_known || entry.end_ns < entry.start_ns {
                    return Err(format!("its group `{}` stands still where or when it cannot", group.name));
                }
                let [start, end] = [entry.start_ns, entry.end_ns].map(Time::from_ns);
                let cpu = entry.processor.map_or(CpuId::NONE, CpuId);
                throttles.push(Throttle { group: GroupId::from_index(place), cpu, start, end });
            }
        }
        throttles.sort_by_key(|throttle| (throttle.end, throttle.start));
        Ok(throttles)
    }

    fn jobs(&self, tasks: &IdVec<TaskId, Life>) -> Vec<Job> {
        let of_task = |(task, id): (&TaskReading, TaskId)| -> Vec<Job> {
            let job = |job: &JobReading| Job {
                task: id,
                release: Time::from_ns(job.release_ns),
                deadline: Time::from_ns(job.deadline_ns),
                finish: job.finish_ns.map(Time::from_ns),
                aborted: job.aborted,
                skips: job.skips,
            };
            task.jobs.iter().flatten().map(job).collect()
        };
        let mut jobs: Vec<Job> = self.tasks.iter().zip(tasks.ids()).flat_map(of_task).collect();
        jobs.sort_by_key(|job| job.over().unwrap_or(Time::NEVER));
        jobs
    }
}

/// The number of the last of so many.
fn number(count: usize) -> u32 {
    u32::try_from(count - 1).unwrap_or(u32::MAX)
}
