//! The jobs of periodic tasks: at which job each instance is. Only periodic instances have anything here.

use crate::distribution::Distribution;
use crate::ids::{IdVec, SpecId, TaskId};
use crate::policy::Periodic;
use crate::rng::Stream;
use crate::scenario::Scenario;
use crate::time::{Span, Time};
use crate::timeline::Job;

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
    deadline: Time,
    /// The work of the job that its bursts have not taken up yet.
    ahead: Span,
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

    /// The number of the instance among those that have jobs.
    pub(super) fn index(&self, spec: SpecId, instance: u32) -> Option<usize> {
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

    /// The first job comes from now on, or (not `first`) the next one, if there is one: when is it released?
    pub(super) fn advance(
        &mut self,
        first: bool,
        now: Time,
        periodic: &Periodic,
        stream: impl FnOnce() -> Stream,
    ) -> Option<Time> {
        let (origin, number) = if first { (now, 0) } else { (self.origin, self.number + 1) };
        if periodic.jobs.is_some_and(|jobs| number >= jobs) {
            return None;
        }
        self.origin = origin;
        self.become_job(number, periodic, stream);
        Some(self.release)
    }

    /// Its jobs come from now on, the present one at once.
    pub(super) fn restart(&mut self, now: Time, periodic: &Periodic) {
        (self.origin, self.release) = (now, now);
        self.deadline = self.release + periodic.deadline;
    }

    /// A burst takes up some of the work of the job.
    #[inline]
    pub(super) fn takes_up(&mut self, work: Span) {
        self.ahead = self.ahead.saturating_sub(work);
    }

    /// The work of the job that its bursts have not taken up yet.
    #[inline]
    pub(super) fn ahead(&self) -> Span {
        self.ahead
    }

    #[inline]
    pub(super) fn deadline(&self) -> Time {
        self.deadline
    }

    /// The job as timelines have it.
    pub(super) fn told(&self, task: TaskId, finish: Option<Time>) -> Job {
        Job { task, release: self.release, deadline: self.deadline, finish }
    }
}
