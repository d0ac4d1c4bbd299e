//! The jobs of periodic tasks: at which job each instance is, and when the next one is released.
//!
//! A release is an arrival: it comes at its instant in the order of arrivals. A job that ends after the next one's
//! release goes on with that one as if it yielded; otherwise the instance is blocked until the release. Only periodic
//! instances have anything here, each at most one release to come: these are in a tournament tree, as processors are.

use super::world::{State, World};
use crate::distribution::Distribution;
use crate::ids::{IdVec, SpecId, TaskId};
use crate::policy::Why;
use crate::program::jitter_stream;
use crate::rng::Stream;
use crate::scenario::{Periodic, Scenario};
use crate::time::{Span, Time};
use crate::timeline::{Block, Cause, Job, Recorder};

/// The present jobs of all periodic instances.
pub(super) struct Jobs {
    /// Where the instances of each task begin, [`NONE`] if it is not periodic; empty if no task is.
    first: IdVec<SpecId, u32>,
    states: Vec<JobState>,
}

const NONE: u32 = u32::MAX;

/// The present or next job of an instance.
pub(super) struct JobState {
    /// When the jobs of the instance began to come.
    origin: Time,
    /// How many jobs were before it.
    number: u64,
    /// [`Time::NEVER`] before the instance arrives.
    release: Time,
    pub(super) deadline: Time,
    /// The work of the job that its bursts have not taken up yet.
    pub(super) ahead: Span,
    /// Made at the first draw.
    jitter: Option<Box<Stream>>,
}

impl Jobs {
    pub(super) fn new(scenario: &Scenario) -> Jobs {
        let mut jobs = Jobs { first: IdVec::new(), states: Vec::new() };
        if scenario.specs.iter().all(|spec| spec.attributes.periodic.is_none()) {
            return jobs;
        }
        for spec in &scenario.specs {
            let periodic = spec.attributes.periodic.is_some();
            jobs.first.push(if periodic { u32::try_from(jobs.states.len()).unwrap_or(NONE) } else { NONE });
            let count = if periodic { spec.count } else { 0 };
            jobs.states.extend((0..count).map(|_| JobState {
                origin: Time::NEVER,
                number: 0,
                release: Time::NEVER,
                deadline: Time::NEVER,
                ahead: Span::ZERO,
                jitter: None,
            }));
        }
        jobs
    }

    /// How many instances have jobs.
    pub(super) fn count(&self) -> usize {
        self.states.len()
    }

    fn index(&self, spec: SpecId, instance: u32) -> Option<usize> {
        let first = *self.first.get(spec)?;
        (first != NONE).then_some(first as usize + instance as usize)
    }

    #[inline]
    pub(super) fn of(&self, spec: SpecId, instance: u32) -> Option<&JobState> {
        self.index(spec, instance).map(|index| &self.states[index])
    }

    #[inline]
    pub(super) fn of_mut(&mut self, spec: SpecId, instance: u32) -> Option<&mut JobState> {
        self.index(spec, instance).map(|index| &mut self.states[index])
    }
}

impl JobState {
    /// Becomes the job of this number.
    fn become_job(&mut self, number: u64, periodic: &Periodic, stream: impl FnOnce() -> Stream) {
        let jitter = match &periodic.jitter {
            Distribution::Constant(span) => *span,
            Distribution::Random(law) => law.draw(self.jitter.get_or_insert_with(|| Box::new(stream()))),
        };
        let before = if number == 0 { Time::ZERO } else { self.release };
        let periods = periodic.period * number;
        self.number = number;
        self.release = (self.origin + periods + jitter).max(before);
        self.deadline = self.release + periodic.deadline;
        self.ahead = periodic.demand.unwrap_or(Span::ZERO);
    }
}

impl<R: Recorder> World<'_, R> {
    /// An instance arrives. Is its first job, if it has jobs, released only later?
    pub(super) fn awaits_first_release(&mut self, id: TaskId) -> bool {
        let Some(release) = self.set_job(id, true) else { return false };
        if release > self.scene.now {
            self.schedule_release(id, release);
        }
        release > self.scene.now
    }

    /// An instance that had to wait for others can start: its jobs come from now on.
    pub(super) fn restart_jobs(&mut self, id: TaskId) {
        let task = &self.scene.tasks[id];
        let scenario = self.scene.scenario;
        let Some(periodic) = &scenario.specs[task.spec].attributes.periodic else { return };
        if let Some(job) = self.scene.jobs.of_mut(task.spec, task.instance) {
            (job.origin, job.release) = (self.scene.now, self.scene.now);
            job.deadline = job.release + periodic.deadline;
        }
    }

    /// The program of an instance is over. If it has another job: when is, or was, that one released?
    pub(super) fn end_of_job(&mut self, id: TaskId) -> Option<Time> {
        self.tell_job(id, Some(self.scene.now));
        let release = self.next_job(id)?;
        self.scene.tasks[id].cursor.restart();
        Some(release)
    }

    /// Was the job released before now? What is released now arrives in its turn.
    pub(super) fn is_pending(&self, release: Time) -> bool {
        release < self.scene.now
    }

    /// From now on the instance waits for the release of its next job.
    pub(super) fn await_release(&mut self, id: TaskId, release: Time) {
        let task = &mut self.scene.tasks[id];
        (task.state, task.since) = (State::Blocked(Cause::Release), self.scene.now);
        self.schedule_release(id, release);
    }

    fn schedule_release(&mut self, id: TaskId, at: Time) {
        let task = &self.scene.tasks[id];
        if let Some(number) = self.scene.jobs.index(task.spec, task.instance) {
            self.agenda.release(number, (task.spec, id), at);
        }
    }

    /// The job for which the instance waits is released.
    pub(super) fn release(&mut self, id: TaskId) {
        let task = &self.scene.tasks[id];
        match task.state {
            State::Blocked(cause) => {
                self.recorder.block(Block { start: task.since, end: self.scene.now, task: id, cause });
                self.task_ready(id, Why::Woken);
            }
            _ => self.arrive(id, Why::Arrived),
        }
    }

    /// Goes on to the next job, if there is one: when is it released?
    fn next_job(&mut self, id: TaskId) -> Option<Time> {
        self.set_job(id, false)
    }

    fn set_job(&mut self, id: TaskId, first: bool) -> Option<Time> {
        let (spec, instance) = (self.scene.tasks[id].spec, self.scene.tasks[id].instance);
        let scenario = self.scene.scenario;
        let periodic = scenario.specs[spec].attributes.periodic.as_ref()?;
        let job = self.scene.jobs.of_mut(spec, instance)?;
        let (origin, number) = if first { (self.scene.now, 0) } else { (job.origin, job.number + 1) };
        if periodic.jobs.is_some_and(|jobs| number >= jobs) {
            return None;
        }
        job.origin = origin;
        job.become_job(number, periodic, || jitter_stream(scenario, spec, instance).stream());
        Some(job.release)
    }

    fn tell_job(&mut self, id: TaskId, finish: Option<Time>) {
        let task = &self.scene.tasks[id];
        if let Some(job) = self.scene.jobs.of(task.spec, task.instance) {
            self.recorder.job(Job { task: id, release: job.release, deadline: job.deadline, finish });
        }
    }

    /// The run is over: reports the jobs that have been released and have not ended.
    pub(super) fn tell_open_jobs(&mut self) {
        for id in self.scene.tasks.ids() {
            let task = &self.scene.tasks[id];
            let (spec, instance) = (task.spec, task.instance);
            if self.scene.jobs.of(spec, instance).is_none() || matches!(task.state, State::Absent | State::Finished) {
                continue;
            }
            if task.state != State::Blocked(Cause::Release) {
                self.tell_job(id, None);
                while self.next_job(id).is_some_and(|release| release < self.scene.now) {
                    self.tell_job(id, None);
                }
            }
        }
    }
}
