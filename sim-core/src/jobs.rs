//! The jobs of one periodic instance: which is the present one, when it is released, and by when it should end.
//!
//! The simulator and the dispatcher of real runs release jobs by these rules, with the same draws.

use crate::distribution::Distribution;
use crate::ids::TaskId;
use crate::policy::Periodic;
use crate::rng::Stream;
use crate::time::{Span, Time};
use crate::timeline::Job;

/// The present or next job of an instance.
#[derive(Debug)]
pub struct JobState {
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

impl Default for JobState {
    fn default() -> JobState {
        JobState::new()
    }
}

impl JobState {
    /// Of an instance that has not arrived.
    #[must_use]
    pub fn new() -> JobState {
        JobState {
            origin: Time::NEVER,
            number: 0,
            release: Time::NEVER,
            deadline: Time::NEVER,
            ahead: Span::ZERO,
            jitter: None,
        }
    }

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
    pub fn advance(
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

    /// The same, if a release at which the job before still ran is dropped; and how many are.
    pub fn skip(&mut self, now: Time, periodic: &Periodic, stream: impl Fn() -> Stream) -> (Option<Time>, u32) {
        let mut skips = 0;
        loop {
            let release = self.advance(false, now, periodic, &stream);
            if release.is_none_or(|release| release >= now) {
                return (release, skips);
            }
            skips += 1;
        }
    }

    /// Its jobs come from now on, the present one at once.
    pub fn restart(&mut self, now: Time, periodic: &Periodic) {
        (self.origin, self.release) = (now, now);
        self.deadline = self.release + periodic.deadline;
    }

    /// A burst takes up some of the work of the job.
    #[inline]
    pub fn takes_up(&mut self, work: Span) {
        self.ahead = self.ahead.saturating_sub(work);
    }

    /// The work of the job that its bursts have not taken up yet.
    #[must_use]
    #[inline]
    pub fn ahead(&self) -> Span {
        self.ahead
    }

    /// When the present job is released.
    #[must_use]
    pub fn release(&self) -> Time {
        self.release
    }

    /// By when the present job should end.
    #[must_use]
    #[inline]
    pub fn deadline(&self) -> Time {
        self.deadline
    }

    /// The job as timelines have it.
    #[must_use]
    pub fn told(&self, task: TaskId, finish: Option<Time>) -> Job {
        Job { task, release: self.release, deadline: self.deadline, finish, aborted: false, skips: 0 }
    }
}
