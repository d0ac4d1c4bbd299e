//! The timeline: what happened, as intervals. The one currency of the project.
//!
//! The simulator and every real executor produce it; metrics, comparison, pictures and exports read it and cannot tell which
//! made it. Producers speak to a [`Recorder`]; keeping the timeline, computing metrics on the way, hashing it, or none of
//! these, is chosen by the caller ([`Timeline`], [`crate::metrics::Metrics`], [`TimelineHash`], `()`, pairs, and [`Bounded`] ones).

mod access;
mod bounded;
mod cast;
pub mod check;
mod depletion;
mod fate;
mod hash;
mod intervals;
mod job;
pub mod lanes;
mod leave;
mod pair;
mod sync;
mod throttle;

use std::collections::BTreeMap;
use std::sync::Arc;

pub use access::{Access, Use};
pub use bounded::Bounded;
pub use cast::{Allowance, Awaited, Cast, DeviceName, GroupName, Runtime, SpecName, SyncName};
pub use depletion::{Depletion, Depletions};
pub use fate::{Fate, Life};
pub use hash::TimelineHash;
pub use intervals::Intervals;
pub use job::Job;
pub use leave::{How, Leave};
pub use sync::{Deed, Hold, Signal, Spin};
pub use throttle::{Standing, Stands, Still, Throttle, Throttles};

use crate::ids::{CpuId, DeviceId, Id as _, IdVec, SyncId, TaskId, ThreadId};
use crate::time::{Span, Time};

/// What a processor did during an [`Interval`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
pub enum What {
    /// Ran the task's program.
    Run,
    /// Overhead on the task's behalf: switched to it, started its thread, migrated it, ran the scheduler.
    Switch,
    /// Overhead on the task's behalf: started a process. One that it spawns; or its own, which its parent does, that is none of
    /// the tasks and whose thread has no id ([`ThreadId::NONE`]).
    Start,
}

impl What {
    /// Its name in the outcome.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            What::Run => "run",
            What::Switch => "switch",
            What::Start => "start",
        }
    }
}

/// How an [`Interval`] ended.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
pub enum Left {
    /// It goes on: the next interval of the task follows at once on the same processor, or the run ended here.
    Continues,
    /// The task was still able to run but was put off (slice ended, somebody more urgent came): involuntary.
    Preempted,
    /// It gave up the processor and stays ready: voluntary.
    Yielded,
    /// It waits for a device, a timer, a lock or another task: voluntary.
    Blocked,
    /// The task is done.
    Finished,
}

impl Left {
    /// May the interval go on without a break, if its task is the next on its processor at that very instant? One that
    /// was put off or has yielded goes on; one that was blocked, be it for no time, begins anew.
    #[must_use]
    pub fn may_go_on(self) -> bool {
        matches!(self, Left::Continues | Left::Preempted | Left::Yielded)
    }
}

/// A processor busy with one task. Intervals are half-open: `start` belongs to it, `end` does not.
///
/// `start == end` happens: the task was on the processor and left it without using time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Interval {
    /// When it began.
    pub start: Time,
    /// When it was over.
    pub end: Time,
    /// For whom.
    pub task: TaskId,
    /// On which thread.
    pub thread: ThreadId,
    /// On which processor.
    pub cpu: CpuId,
    /// Doing what.
    pub what: What,
    /// And then.
    pub left: Left,
}

impl Interval {
    /// Is it a switch after which its task did not run? Then it was put off on the way, or found that another holds the
    /// interpreter lock.
    #[must_use]
    pub fn came_to_nothing(&self) -> bool {
        self.what == What::Switch && self.left == Left::Preempted
    }
}

/// What a blocked task waits for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Cause {
    /// A request to a device: in its queue or being served.
    Device(DeviceId),
    /// A timer: it sleeps.
    Timer,
    /// A synchronisation object: a lock that another holds, a channel that is full, …
    Sync(SyncId),
    /// The end of tasks it spawned.
    Join,
    /// The end of the tasks it is declared to start after.
    After,
    /// A timer: the release of its next job.
    Release,
}

/// A task waiting for something other than a processor.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Block {
    /// When it began.
    pub start: Time,
    /// When it was over.
    pub end: Time,
    /// Who waits.
    pub task: TaskId,
    /// For what.
    pub cause: Cause,
    /// Has it waited for that before, been told to ask again, and come too late? Then it is still one request. Not known of real runs.
    pub again: bool,
}

/// One request to a device.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Request {
    /// Which device.
    pub device: DeviceId,
    /// Whose request.
    pub task: TaskId,
    /// When it was made.
    pub asked: Time,
    /// When a channel took it; `None` if the run ended before.
    pub start: Option<Time>,
    /// When it was served, or the end of the run.
    pub end: Time,
    /// Of that time, how long the head was on its way to it.
    pub seek: Span,
    /// What it received of a channel's time, without the seek: the rest of the time unless it shared the device.
    pub service: Span,
}

/// Whoever listens while a timeline is made.
///
/// Calls come in the order in which things are known: an interval or a block is reported when it is over. Intervals of
/// one processor come in order of time, and an interval that merely continues the one before is never reported apart.
pub trait Recorder {
    /// The names, once, before anything else.
    fn begin(&mut self, cast: &Arc<Cast>) {
        let _ = cast;
    }
    /// About so many instances will come.
    fn expect(&mut self, tasks: usize) {
        let _ = tasks;
    }
    /// Asked before each instant, with its time: is more wanted? A recorder that says no cuts the run there, as a horizon
    /// would (what ends then has ended, nothing starts), and the run ends as [`crate::engine::End::Interrupted`]. So whoever
    /// has a clock or a signal to obey can end a run from outside, and the engine knows neither. Recorders that do not
    /// answer cost nothing.
    #[inline]
    fn wants_more(&mut self, next: Time) -> bool {
        let _ = next;
        true
    }
    /// A new instance exists and has this id. Instances come in the order of their ids.
    fn task(&mut self, spec: u32, instance: u32) {
        let _ = (spec, instance);
    }
    /// The instance arrived.
    fn arrival(&mut self, task: TaskId, at: Time) {
        let _ = (task, at);
    }
    /// Of this instance something will be told soon: there are so many that its sums are in no cache. Nothing is recorded.
    #[inline]
    fn soon(&self, task: TaskId) {
        let _ = task;
    }
    /// A processor was busy.
    fn interval(&mut self, interval: Interval) {
        let _ = interval;
    }
    /// A task was blocked.
    fn block(&mut self, block: Block) {
        let _ = block;
    }
    /// A device served a request, or had it in its queue when the run ended.
    fn request(&mut self, request: Request) {
        let _ = request;
    }
    /// A lock was held.
    fn hold(&mut self, hold: Hold) {
        let _ = hold;
    }
    /// Something was done to a synchronisation object. These come in the order in which they were done.
    fn signal(&mut self, signal: Signal) {
        let _ = signal;
    }
    /// A task changed a variable, or looked at some. These come in the order in which they were done.
    fn access(&mut self, access: Access) {
        let _ = access;
    }
    /// A task spun for a lock.
    fn spin(&mut self, spin: Spin) {
        let _ = spin;
    }
    /// A task went on without what it had asked for. Its block and its request, if it had any, are told beside that.
    fn leave(&mut self, leave: Leave) {
        let _ = leave;
    }
    /// Whoever has called for the task runs it itself, since its pool was full.
    fn guest(&mut self, task: TaskId) {
        let _ = task;
    }
    /// A job of a periodic task ended, or had been released when the run ended. Those of a task come in order.
    fn job(&mut self, job: Job) {
        let _ = job;
    }
    /// A group stood still, since it had used up its quota.
    fn throttle(&mut self, throttle: Throttle) {
        let _ = throttle;
    }
    /// Threads of a group stood still, which is told beside that the group did.
    fn still(&mut self, still: Still) {
        let _ = still;
    }
    /// A task was ready, and its server had nothing left.
    fn depletion(&mut self, depletion: Depletion) {
        let _ = depletion;
    }
    /// The instance is over, in this way.
    fn finish(&mut self, task: TaskId, at: Time, fate: Fate) {
        let _ = (task, at, fate);
    }
    /// The run is over.
    fn end(&mut self, at: Time) {
        let _ = at;
    }
}

/// Everything that happened in one run, simulated or measured.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Timeline {
    /// The names behind the ids.
    pub cast: Arc<Cast>,
    /// The instances and when they came and went.
    pub tasks: IdVec<TaskId, Life>,
    /// What the processors did, in the order in which it was over.
    pub intervals: Intervals,
    /// When tasks were blocked, in the order in which it was over.
    pub blocks: Vec<Block>,
    /// Requests to devices, in the order in which they were over.
    pub requests: Vec<Request>,
    /// Acquisitions of locks, in the order in which they were over.
    pub holds: Vec<Hold>,
    /// What else was done to synchronisation objects, in order.
    pub signals: Vec<Signal>,
    /// What was done with variables, in order.
    pub accesses: Vec<Access>,
    /// When tasks spun for a lock, in the order in which it was over.
    pub spins: Vec<Spin>,
    /// When tasks gave up or were turned away, in order.
    pub leaves: Vec<Leave>,
    /// Tasks that whoever had called for them ran, since their pools were full.
    pub guests: Vec<TaskId>,
    /// Jobs of periodic tasks, in the order in which they ended; last those that had not when the run ended.
    pub jobs: Vec<Job>,
    /// When groups had used up their quotas, in the order in which that was over.
    pub throttles: Vec<Throttle>,
    /// When threads of groups stood still for that, in the order in which it was over.
    pub stills: Vec<Still>,
    /// When tasks waited for the budgets of their servers, in the order in which that was over.
    pub depletions: Vec<Depletion>,
    /// The end of the run.
    pub end: Time,
}

impl Recorder for Timeline {
    fn begin(&mut self, cast: &Arc<Cast>) {
        self.cast = Arc::clone(cast);
    }
    fn task(&mut self, spec: u32, instance: u32) {
        self.tasks.push(Life { spec, instance, arrival: None, finish: None, fate: Fate::Finished });
    }
    fn arrival(&mut self, task: TaskId, at: Time) {
        self.tasks[task].arrival = Some(at);
    }
    #[inline]
    fn interval(&mut self, interval: Interval) {
        self.intervals.push(interval);
    }
    fn block(&mut self, block: Block) {
        self.blocks.push(block);
    }
    fn request(&mut self, request: Request) {
        self.requests.push(request);
    }
    fn hold(&mut self, hold: Hold) {
        self.holds.push(hold);
    }
    fn signal(&mut self, signal: Signal) {
        self.signals.push(signal);
    }
    fn access(&mut self, access: Access) {
        self.accesses.push(access);
    }
    fn spin(&mut self, spin: Spin) {
        self.spins.push(spin);
    }
    fn leave(&mut self, leave: Leave) {
        self.leaves.push(leave);
    }
    fn guest(&mut self, task: TaskId) {
        self.guests.push(task);
    }
    fn job(&mut self, job: Job) {
        self.jobs.push(job);
    }
    fn throttle(&mut self, throttle: Throttle) {
        self.throttles.push(throttle);
    }
    fn still(&mut self, still: Still) {
        self.stills.push(still);
    }
    fn depletion(&mut self, depletion: Depletion) {
        self.depletions.push(depletion);
    }
    fn finish(&mut self, task: TaskId, at: Time, fate: Fate) {
        let life = &mut self.tasks[task];
        (life.finish, life.fate) = (Some(at), fate);
    }
    fn end(&mut self, at: Time) {
        self.end = at;
    }
}

impl Timeline {
    /// Tells the whole timeline to a recorder again, so that metrics of a kept or measured timeline are computed by
    /// the very code that computes them during a simulation.
    pub fn replay<R: Recorder>(&self, recorder: &mut R) {
        recorder.begin(&self.cast);
        for life in &self.tasks {
            recorder.task(life.spec, life.instance);
        }
        for (task, life) in self.tasks.pairs() {
            if let Some(at) = life.arrival {
                recorder.arrival(task, at);
            }
        }
        self.intervals.iter().for_each(|interval| recorder.interval(interval));
        self.blocks.iter().for_each(|block| recorder.block(*block));
        self.requests.iter().for_each(|request| recorder.request(*request));
        self.holds.iter().for_each(|hold| recorder.hold(*hold));
        self.signals.iter().for_each(|signal| recorder.signal(*signal));
        self.accesses.iter().for_each(|access| recorder.access(*access));
        self.spins.iter().for_each(|spin| recorder.spin(*spin));
        self.leaves.iter().for_each(|leave| recorder.leave(*leave));
        self.guests.iter().for_each(|task| recorder.guest(*task));
        self.jobs.iter().for_each(|job| recorder.job(*job));
        self.throttles.iter().for_each(|throttle| recorder.throttle(*throttle));
        self.stills.iter().for_each(|still| recorder.still(*still));
        self.depletions.iter().for_each(|depletion| recorder.depletion(*depletion));
        for (task, life) in self.tasks.pairs() {
            if let Some(at) = life.finish {
                recorder.finish(task, at, life.fate);
            }
        }
        recorder.end(self.end);
    }

    /// What each processor did, by start, then by end; last, by processor, what those did of which there is no name.
    #[must_use]
    pub fn by_processor(&self) -> Vec<Vec<Interval>> {
        let unknown = self.cast.processors.len();
        let place = |interval: &Interval| interval.cpu.index().min(unknown);
        let mut counts = vec![0; unknown + 1];
        self.intervals.iter().for_each(|interval| counts[place(&interval)] += 1);
        let mut rows: Vec<Vec<Interval>> = counts.into_iter().map(Vec::with_capacity).collect();
        self.intervals.iter().for_each(|interval| rows[place(&interval)].push(interval));
        // Nearly always they are in order already, and this is quick.
        rows.iter_mut().for_each(|row| row.sort_by_key(|interval| (interval.cpu, interval.start, interval.end)));
        rows
    }

    /// The full name of an instance: `process/task#instance`.
    #[must_use]
    pub fn task_name(&self, task: TaskId) -> String {
        let life = &self.tasks[task];
        let spec = &self.cast.specs[life.spec as usize];
        format!("{}/{}#{}", self.cast.processes[spec.process as usize], spec.task, life.instance)
    }

    /// The name of an instance for people: without the process if there is only one and its pools, without the instance if the
    /// task has only one.
    #[must_use]
    pub fn short_name(&self, task: TaskId) -> String {
        let life = &self.tasks[task];
        let spec = &self.cast.specs[life.spec as usize];
        let alone = life.instance == 0
            && self.tasks.get(TaskId(task.0 + 1)).is_none_or(|next| next.spec != life.spec || next.instance == 0)
            && !self.tasks.iter().any(|other| other.spec == life.spec && other.instance > 0);
        let task = if alone { spec.task.clone() } else { format!("{}#{}", spec.task, life.instance) };
        if self.cast.is_one_process() { task } else { format!("{}/{task}", self.cast.processes[spec.process as usize]) }
    }

    /// The names of the threads: `process/number`, numbered within a process by their ids.
    #[must_use]
    pub fn thread_names(&self) -> BTreeMap<ThreadId, String> {
        let mut owners: BTreeMap<ThreadId, u32> = BTreeMap::new();
        for interval in self.intervals.iter().filter(|interval| !interval.thread.is_none()) {
            owners.insert(interval.thread, self.cast.specs[self.tasks[interval.task].spec as usize].process);
        }
        let mut numbers = vec![0; self.cast.processes.len()];
        let mut name = |process: u32| {
            let number = &mut numbers[process as usize];
            *number += 1;
            format!("{}/{}", self.cast.processes[process as usize], *number - 1)
        };
        owners.into_iter().map(|(thread, process)| (thread, name(process))).collect()
    }

    /// The last finish; the end of the run if something did not finish.
    #[must_use]
    pub fn makespan(&self) -> Span {
        let last =
            self.tasks.iter().map(|life| life.finish).try_fold(Time::ZERO, |last, finish| Some(last.max(finish?)));
        last.unwrap_or(self.end) - Time::ZERO
    }
}
