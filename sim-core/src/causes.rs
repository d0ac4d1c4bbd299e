//! Causes: where the time of every task went, to the nanosecond, and behind whom.
//!
//! [`Causes::of`] reads a finished [`Timeline`], simulated or measured, and nothing else. The parts of a task add up to
//! its turnaround exactly (to the end of the run if it did not finish), and those of a kind to the running, waiting,
//! blocked and overhead time of [`crate::metrics`]. Definitions:
//!
//! - *Waiting for a processor*: behind whoever was on the processor that the task finally got. If its thread is a
//!   worker that was not on a processor and had nobody else to carry, the worker waited, and so did the task.
//! - *Waiting in the runtime*: behind the task that the thread it finally got was carrying: one that ran (a processor
//!   may have been free meanwhile), or one that blocked the whole thread.
//! - *Waiting for the interpreter lock*: behind the task that held it, on a processor or waiting for one.
//! - *Throttled*: its group, or one that this is in, had used up its quota, on all processors or on the one it finally got.
//! - *Budget*: its server had used up its budget, or a polling one was not asked when it had some.
//! - *Nobody*: the processor it finally got was free, and still it did not run: the scheduler or the runtime did not
//!   look, or was not allowed to.
//! - *Device*: in the queue, behind whom the channel served that finally took the request; or in service, of which the
//!   way of a head and what others had of a shared device are told apart.
//! - *Synchronisation object*: behind the holder that gave way when the wait ended; before that, behind who gave way
//!   to that one, and so on back to the beginning of the wait. Where nobody gave way, behind the longest holder. What
//!   nobody holds is waited for behind whoever ended the wait: who sent or received, notified, or came last.
//! - *Spinning*: running, but for a lock, behind its holder.
//! - *Join* and *after*: behind the task whose end ended the wait.
//! - *Previous*: a job that was released while the job before it had not ended. The life of a periodic task does not know
//!   this: there, the job before it goes on.
//!
//! The attribution is by what a task finally got. With several processors, workers or channels it could often have had
//! another one, and then somebody else would have been in its way; that is a matter of choice, not of fact. Of a wait
//! that did not end with the run, the processor, thread or channel is the one the task had before, else that of its
//! kind, else the first one that is busy.
//!
//! The cost is that of sorting the record, and for each wait that of all who were served during it.

mod blocked;
pub(crate) mod ceilings;
pub mod critical_path;
pub(crate) mod hurdles;
mod index;
pub(crate) mod row;
mod waiting;

use std::cmp::Reverse;
use std::collections::BTreeMap;

use self::index::Index;
use crate::ids::{CpuId, DeviceId, GroupId, IdVec, SyncId, TaskId};
use crate::time::{Span, Time};
use crate::timeline::lanes::State;
use crate::timeline::{self, Interval, Timeline};

/// What a part of a task's life went to.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum What {
    /// It ran.
    Running,
    /// It ran, but only to spin for this lock.
    Spin(SyncId),
    /// It was being switched to, started, migrated.
    Overhead,
    /// A process was being started: its own, or one that it spawned.
    Starting,
    /// Ready: this processor was busy with somebody else.
    Processor(CpuId),
    /// Ready: its thread was busy with another task of the runtime.
    Runtime,
    /// Ready: another task of the process held the interpreter lock.
    Interpreter,
    /// Ready, but its group had used up its quota.
    Throttled(GroupId),
    /// Ready, but its server had nothing left of its budget.
    Budget,
    /// Ready although this processor was free.
    Nobody(CpuId),
    /// Its request was in the queue of the device.
    Queue(DeviceId),
    /// The device was on its way to its request.
    Seek(DeviceId),
    /// Its request was being served.
    Service(DeviceId),
    /// Its request was being served, and others had a share of the device.
    Sharing(DeviceId),
    /// It waited for a synchronisation object.
    Sync(SyncId),
    /// It slept.
    Timer,
    /// It waited for the end of tasks it spawned.
    Join,
    /// It waited for the end of tasks it is declared to start after.
    After,
    /// It waited for the release of its next job.
    Release,
    /// A job waited for the end of the job of the same task before it.
    Previous,
}

/// The sums that a part belongs to, by their names in the outcome.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[expect(missing_docs, reason = "they are defined in the documentation of metrics")]
pub enum Kind {
    Running,
    Waiting,
    Blocked,
    Overhead,
}

/// What the one behind whom a task waits was doing meanwhile.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Doing {
    /// It ran, or was in service.
    Running,
    /// A processor was switching to it.
    Switching,
    /// A processor was busy with the start of its process, or of one that it spawned.
    Starting,
    /// It was ready and waited itself.
    Waiting,
    /// It was blocked itself.
    Blocked(timeline::Cause),
    /// It had not arrived.
    Absent,
}

/// Somebody in the way.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Behind {
    /// Who.
    pub task: TaskId,
    /// Doing what.
    pub doing: Doing,
}

/// A part of a task's life with one cause.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Part {
    /// What it went to.
    pub what: What,
    /// Who was in the way, if it was somebody.
    pub behind: Option<Behind>,
    /// How long, in all.
    pub length: Span,
}

/// A stretch of a task's life that went to one thing. Invariant: `from < to`, outside of this module.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Passage {
    /// What it went to.
    pub what: What,
    /// Who was in the way, if it was somebody.
    pub behind: Option<Behind>,
    /// When it began.
    pub from: Time,
    /// When it was over.
    pub to: Time,
}

/// Where the time of every task went.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Causes {
    /// The parts of each task, the longest first, then in the order of [`What`] and of the file. None has length zero.
    pub tasks: IdVec<TaskId, Vec<Part>>,
    /// The parts of each job of [`Timeline::jobs`], likewise: they add up to the time from its release to its end (or that
    /// of the run).
    pub jobs: Vec<Vec<Part>>,
}

impl What {
    /// The sum of the outcome it is part of.
    #[must_use]
    pub fn kind(self) -> Kind {
        match self {
            What::Running | What::Spin(_) => Kind::Running,
            What::Overhead | What::Starting => Kind::Overhead,
            What::Processor(_)
            | What::Runtime
            | What::Interpreter
            | What::Throttled(_)
            | What::Budget
            | What::Nobody(_)
            | What::Previous => Kind::Waiting,
            What::Queue(_)
            | What::Seek(_)
            | What::Service(_)
            | What::Sharing(_)
            | What::Sync(_)
            | What::Timer
            | What::Join
            | What::After
            | What::Release => Kind::Blocked,
        }
    }
}

impl Kind {
    /// Its name in the outcome.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Kind::Running => "running",
            Kind::Waiting => "waiting",
            Kind::Blocked => "blocked",
            Kind::Overhead => "overhead",
        }
    }
}

impl Causes {
    /// The causes of all that a timeline recorded.
    #[must_use]
    pub fn of(timeline: &Timeline) -> Causes {
        let intervals: Vec<Interval> = timeline.intervals.iter().collect();
        let index = Index::new(timeline, &intervals);
        let mut ledger = Ledger::default();
        let parts = |(task, life): (TaskId, &timeline::Life)| {
            if let Some(arrival) = life.arrival {
                index.life(task, arrival, life.finish.unwrap_or(timeline.end), &mut ledger);
            }
            ledger.close()
        };
        let tasks = timeline.tasks.pairs().map(parts).collect();
        Causes { tasks, jobs: index.jobs(&mut ledger) }
    }

    /// How much of a task's life belongs to a sum of the outcome.
    #[must_use]
    pub fn sum(&self, task: TaskId, kind: Kind) -> Span {
        self.tasks[task].iter().filter(|part| part.what.kind() == kind).map(|part| part.length).sum()
    }
}

/// Visits the lives of all tasks that arrived, in the order of their ids: whom it follows that the task came (who spawned it,
/// say), and its passages in the order of time, without gap or overlap. Of a shared device the time in service is one passage,
/// since nobody knows which moment was whose.
pub fn lives(timeline: &Timeline, mut visit: impl FnMut(TaskId, Option<TaskId>, &[Passage])) {
    let intervals: Vec<Interval> = timeline.intervals.iter().collect();
    let index = Index::new(timeline, &intervals);
    for (task, life) in timeline.tasks.pairs() {
        let Some(arrival) = life.arrival else { continue };
        let mut ledger = Ledger::in_order();
        index.life(task, arrival, life.finish.unwrap_or(timeline.end), &mut ledger);
        visit(task, index.origin(task, arrival), &ledger.close_in_order());
    }
}

impl Index<'_> {
    /// The parts of every job.
    fn jobs(&self, ledger: &mut Ledger) -> Vec<Vec<Part>> {
        let mut before: IdVec<TaskId, Time> = self.timeline.tasks.iter().map(|_| Time::ZERO).collect();
        let parts = |job: &timeline::Job| {
            let end = job.over().unwrap_or(self.timeline.end);
            let begin = before[job.task].clamp(job.release, end);
            before[job.task] = end;
            ledger.enter(What::Previous, None, job.release, begin);
            self.life(job.task, begin, end, ledger);
            ledger.close()
        };
        self.timeline.jobs.iter().map(parts).collect()
    }

    /// Enters all that happened to a task between two times.
    fn life(&self, task: TaskId, arrival: Time, end: Time, ledger: &mut Ledger) {
        let lane = &self.lanes[task];
        for stretch in &lane[lane.partition_point(|stretch| stretch.end <= arrival)..] {
            let (from, to) = (stretch.start.max(arrival), stretch.end.min(end));
            if stretch.start >= end {
                return;
            }
            if from >= to {
                continue;
            }
            match stretch.state {
                State::Running => self.running(task, from, to, ledger),
                State::Overhead => ledger.enter(What::Overhead, None, from, to),
                State::Starting => ledger.enter(What::Starting, None, from, to),
                State::Ready => self.waiting(task, from, to, ledger),
                State::Blocked(cause) => self.blocked(task, cause, from, to, ledger),
            }
        }
    }
}

/// The parts of one task in the making.
#[derive(Default)]
struct Ledger {
    sums: BTreeMap<(What, Option<Behind>), Span>,
    /// One after the other; kept only for whoever asks what a task waited for when.
    passages: Option<Vec<Passage>>,
}

impl Ledger {
    /// One that keeps passages.
    fn in_order() -> Ledger {
        Ledger { passages: Some(Vec::new()), ..Ledger::default() }
    }

    fn enter(&mut self, what: What, behind: Option<Behind>, from: Time, to: Time) {
        self.pass(what, behind, from, to);
        self.add(what, behind, to.since(from));
    }

    /// Notes when something was, and not how long in all.
    fn pass(&mut self, what: What, behind: Option<Behind>, from: Time, to: Time) {
        if let Some(passages) = &mut self.passages {
            passages.push(Passage { what, behind, from, to });
        }
    }

    fn add(&mut self, what: What, behind: Option<Behind>, length: Span) {
        *self.sums.entry((what, behind)).or_default() += length;
    }

    fn close_in_order(self) -> Vec<Passage> {
        let mut passages = self.passages.unwrap_or_default();
        passages.retain(|passage| passage.from < passage.to);
        passages.sort_by_key(|passage| passage.from);
        passages
    }

    fn close(&mut self) -> Vec<Part> {
        let sums = std::mem::take(&mut self.sums);
        let part = |((what, behind), length)| Part { what, behind, length };
        let mut parts: Vec<Part> = sums.into_iter().map(part).filter(|part| !part.length.is_zero()).collect();
        parts.sort_by_key(|part| Reverse(part.length));
        parts
    }
}
