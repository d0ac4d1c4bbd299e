//! The causes of a run as the outcome has them.

use serde::Serialize;

use super::Outcome;
use crate::causes::{Causes, Doing, Part, What};
use crate::ids::{IdVec, TaskId};
use crate::timeline::{Cause, Timeline};

/// A part of a task's turnaround and what it went to; the parts of a task add up to its turnaround.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct CauseOutcome {
    /// `running`, `waiting`, `blocked` or `overhead`: the sum it is part of.
    pub kind: &'static str,
    /// More exactly: of waiting `processor`, `runtime`, `interpreter`, `throttled`, `budget`, `nobody` or (of jobs) `previous-job`; of blocked `device-queue`,
    /// `device-seek`, `device-service`, `device-sharing`, `timer`, `join`, `after`, `release`, or the kind of a
    /// synchronisation object, such as `lock`; of running `spin`; of overhead `process-start`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub what: Option<&'static str>,
    /// Which processor was busy, or free if it waited for `nobody`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub processor: Option<String>,
    /// Which device.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
    /// Which group had used up its quota.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// Which synchronisation object.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub object: Option<String>,
    /// The task in its way; missing if nobody was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub behind: Option<String>,
    /// What that one was doing, unless it ran or was served: `switching`, `starting`, `waiting`, `blocked` or `absent`.
    #[serde(rename = "while", skip_serializing_if = "Option::is_none")]
    pub doing: Option<&'static str>,
    /// If that one was blocked: for which device or object, or `timer`, `join`, `after`, `release`.
    #[serde(rename = "for", skip_serializing_if = "Option::is_none")]
    pub doing_for: Option<String>,
    /// How long, in all.
    pub ns: u64,
}

impl What {
    /// Its name in the outcome, if there is more to say than its kind.
    #[must_use]
    pub fn name(self, timeline: &Timeline) -> Option<&'static str> {
        Some(match self {
            What::Running | What::Overhead => return None,
            What::Starting => "process-start",
            What::Spin(_) => "spin",
            What::Processor(_) => "processor",
            What::Runtime => "runtime",
            What::Interpreter => "interpreter",
            What::Throttled(_) => "throttled",
            What::Budget => "budget",
            What::Nobody(_) => "nobody",
            What::Queue(_) => "device-queue",
            What::Seek(_) => "device-seek",
            What::Service(_) => "device-service",
            What::Sharing(_) => "device-sharing",
            What::Sync(sync) => timeline.cast.syncs[sync].kind.word(),
            What::Timer => "timer",
            What::Join => "join",
            What::After => "after",
            What::Release => "release",
            What::Previous => "previous-job",
        })
    }
}

impl What {
    /// The name of what it waited for: of a processor, device, object or group.
    #[must_use]
    pub fn subject(self, timeline: &Timeline) -> Option<&str> {
        let cast = &timeline.cast;
        match self {
            What::Processor(cpu) | What::Nobody(cpu) => cast.processors.get(cpu).map(String::as_str),
            What::Queue(id) | What::Seek(id) | What::Service(id) | What::Sharing(id) => Some(&cast.devices[id].name),
            What::Throttled(id) => Some(&cast.groups[id].name),
            What::Sync(sync) | What::Spin(sync) => Some(&cast.syncs[sync].name),
            _ => None,
        }
    }
}

impl Doing {
    /// Its name in the outcome, if there is more to say than that it ran or was served.
    #[must_use]
    pub fn name(self) -> Option<&'static str> {
        match self {
            Doing::Running => None,
            Doing::Switching => Some("switching"),
            Doing::Starting => Some("starting"),
            Doing::Waiting => Some("waiting"),
            Doing::Absent => Some("absent"),
            Doing::Blocked(_) => Some("blocked"),
        }
    }
}

impl Outcome {
    /// Adds where the time of every task and of every job went.
    #[must_use]
    pub fn with_causes(mut self, timeline: &Timeline, causes: &Causes) -> Outcome {
        let mut order: Vec<TaskId> = timeline.tasks.ids().collect();
        order.sort_by_key(|task| (timeline.tasks[*task].spec, timeline.tasks[*task].instance));
        let told = |parts: &[Part]| Some(parts.iter().map(|part| cause_outcome(timeline, part)).collect());
        let mut jobs: IdVec<TaskId, Vec<&[Part]>> = timeline.tasks.iter().map(|_| Vec::new()).collect();
        timeline.jobs.iter().zip(&causes.jobs).for_each(|(job, parts)| jobs[job.task].push(parts));
        for (outcome, task) in self.tasks.iter_mut().zip(order) {
            outcome.causes = told(&causes.tasks[task]);
            for (job, parts) in outcome.jobs.iter_mut().flatten().zip(&jobs[task]) {
                job.causes = told(parts);
            }
        }
        self
    }
}

fn cause_outcome(timeline: &Timeline, part: &Part) -> CauseOutcome {
    let cast = &timeline.cast;
    let (mut processor, mut device, mut object, mut group) = (None, None, None, None);
    let subject = part.what.subject(timeline).map(str::to_owned);
    match part.what {
        What::Processor(_) | What::Nobody(_) => processor = subject,
        What::Queue(_) | What::Seek(_) | What::Service(_) | What::Sharing(_) => device = subject,
        What::Throttled(_) => group = subject,
        What::Sync(_) | What::Spin(_) => object = subject,
        _ => {}
    }
    let behind = part.behind.map(|behind| behind.doing);
    let doing = behind.and_then(Doing::name);
    let doing_for = match behind {
        Some(Doing::Blocked(cause)) => {
            let name = match cause {
                Cause::Device(id) => &cast.devices[id].name,
                Cause::Sync(sync) => &cast.syncs[sync].name,
                Cause::Timer => "timer",
                Cause::Join => "join",
                Cause::After => "after",
                Cause::Release => "release",
            };
            Some(name.to_owned())
        }
        _ => None,
    };
    CauseOutcome {
        kind: part.what.kind().name(),
        what: part.what.name(timeline),
        processor,
        device,
        group,
        object,
        behind: part.behind.map(|behind| timeline.task_name(behind.task)),
        doing,
        doing_for,
        ns: part.length.ns(),
    }
}
