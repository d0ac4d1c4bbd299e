//! Leaving out the beginning of a run.

use std::sync::Arc;

use crate::ids::TaskId;
use crate::statistics::mser5;
use crate::time::{Span, Time};
use crate::timeline::{
    Block, Cast, Depletion, Fate, Hold, Interval, Job, Leave, Recorder, Request, Signal, Spin, Still, Throttle,
};

/// When runs have come to rest: for each of them what they say of their tasks (or jobs) in order of arrival, as pairs of an
/// arrival and a latency. Their latencies are averaged over the runs, task by task, and MSER-5 looks for the cut; the time is
/// when the first task behind it arrived in the mean. `None` if it cannot be said.
#[must_use]
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a mean of times"
)]
pub fn settles_at(runs: &[Vec<(Time, Span)>]) -> Option<Span> {
    let length = runs.iter().map(Vec::len).min()?;
    let mean = |of: &dyn Fn(&(Time, Span)) -> u64, index: usize| {
        let sum: u128 = runs.iter().map(|run| u128::from(of(&run[index]))).sum();
        sum as f64 / runs.len() as f64
    };
    let latencies: Vec<f64> = (0..length).map(|index| mean(&|(_, latency)| latency.ns(), index)).collect();
    let cut = mser5(&latencies)?;
    Some(if cut == 0 { Span::ZERO } else { Span::from_ns(mean(&|(arrival, _)| arrival.ns(), cut) as u64) })
}

/// A recorder that is told only what happened from a time on, which is zero to it.
///
/// Tasks that arrived before are there and have never arrived, so they are in no distribution; what they do later takes up
/// processors and devices like anything else. Intervals and waits that began before begin at that time. Requests, holds,
/// signals and jobs that began before are left out whole: they belong to the beginning.
#[derive(Clone, Debug)]
pub struct AfterWarmUp<R> {
    since: Span,
    inner: R,
}

impl<R: Recorder> AfterWarmUp<R> {
    /// Tells `inner` what happens from `since` on.
    pub fn new(since: Span, inner: R) -> AfterWarmUp<R> {
        AfterWarmUp { since, inner }
    }

    /// What was told.
    pub fn into_inner(self) -> R {
        self.inner
    }

    /// The same instant as `inner` counts; `None` before it counts.
    #[inline]
    fn at(&self, at: Time) -> Option<Time> {
        at.ns().checked_sub(self.since.ns()).map(Time::from_ns)
    }

    /// A stretch that has something left of it.
    #[inline]
    fn clipped(&self, start: Time, end: Time) -> Option<(Time, Time)> {
        let end = self.at(end)?;
        let begun = self.at(start);
        // What ended at the very beginning is no part of it, unless it began there too.
        (begun.is_some() || end > Time::ZERO).then(|| (begun.unwrap_or(Time::ZERO), end))
    }
}

impl<R: Recorder> Recorder for AfterWarmUp<R> {
    fn begin(&mut self, cast: &Arc<Cast>) {
        self.inner.begin(cast);
    }
    fn expect(&mut self, tasks: usize) {
        self.inner.expect(tasks);
    }
    #[inline]
    fn wants_more(&mut self, next: Time) -> bool {
        self.inner.wants_more(next)
    }
    fn task(&mut self, spec: u32, instance: u32) {
        self.inner.task(spec, instance);
    }
    fn arrival(&mut self, task: TaskId, at: Time) {
        if let Some(at) = self.at(at) {
            self.inner.arrival(task, at);
        }
    }
    #[inline]
    fn soon(&self, task: TaskId) {
        self.inner.soon(task);
    }
    #[inline]
    fn interval(&mut self, interval: Interval) {
        if let Some((start, end)) = self.clipped(interval.start, interval.end) {
            self.inner.interval(Interval { start, end, ..interval });
        }
    }
    #[inline]
    fn block(&mut self, block: Block) {
        if let Some((start, end)) = self.clipped(block.start, block.end) {
            self.inner.block(Block { start, end, ..block });
        }
    }
    #[inline]
    fn request(&mut self, request: Request) {
        if let Some(asked) = self.at(request.asked) {
            let start = request.start.and_then(|start| self.at(start));
            let end = self.at(request.end).unwrap_or(asked);
            self.inner.request(Request { asked, start, end, ..request });
        }
    }
    fn hold(&mut self, hold: Hold) {
        if let (Some(asked), Some(start), Some(end)) = (self.at(hold.asked), self.at(hold.start), self.at(hold.end)) {
            self.inner.hold(Hold { asked, start, end, ..hold });
        }
    }
    fn signal(&mut self, signal: Signal) {
        // The level of a channel is what was sent less what was received from the very first on.
        let at = self.at(signal.at).unwrap_or(Time::ZERO);
        self.inner.signal(Signal { at, ..signal });
    }
    fn spin(&mut self, spin: Spin) {
        if let (Some(start), Some(end)) = (self.at(spin.start), self.at(spin.end)) {
            self.inner.spin(Spin { start, end, ..spin });
        }
    }
    fn leave(&mut self, leave: Leave) {
        if let (Some(asked), Some(at)) = (self.at(leave.asked), self.at(leave.at)) {
            let since = self.at(leave.since).unwrap_or(asked);
            self.inner.leave(Leave { asked, since, at, ..leave });
        }
    }
    fn guest(&mut self, task: TaskId) {
        self.inner.guest(task);
    }
    fn job(&mut self, job: Job) {
        if let (Some(release), Some(deadline)) = (self.at(job.release), self.at(job.deadline)) {
            let finish = job.finish.and_then(|finish| self.at(finish));
            self.inner.job(Job { release, deadline, finish, ..job });
        }
    }
    fn throttle(&mut self, throttle: Throttle) {
        if let Some((start, end)) = self.clipped(throttle.start, throttle.end) {
            self.inner.throttle(Throttle { start, end, ..throttle });
        }
    }
    fn still(&mut self, still: Still) {
        if let Some((start, end)) = self.clipped(still.start, still.end) {
            self.inner.still(Still { start, end, ..still });
        }
    }
    fn depletion(&mut self, depletion: Depletion) {
        if let Some((start, end)) = self.clipped(depletion.start, depletion.end) {
            self.inner.depletion(Depletion { start, end, ..depletion });
        }
    }
    fn finish(&mut self, task: TaskId, at: Time, fate: Fate) {
        // A task that never arrived may still finish: what it finishes is the run.
        self.inner.finish(task, self.at(at).unwrap_or(Time::ZERO), fate);
    }
    fn end(&mut self, at: Time) {
        self.inner.end(self.at(at).unwrap_or(Time::ZERO));
    }
}
