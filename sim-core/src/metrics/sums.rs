//! What is summed of processors, devices, synchronisation objects and variables, and of the jobs of a task.

use crate::ids::ThreadId;
use crate::time::{Span, Time};
use crate::timeline::{How, Job, Leave, Still};

/// What one processor did.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ProcessorSums {
    /// Time in programs.
    pub running: Span,
    /// Time switching.
    pub overhead: Span,
    /// Dispatches of another thread than the one it ran last. The very first dispatch counts only if it cost something.
    pub context_switches: u64,
    pub(super) last: ThreadId,
}

impl ProcessorSums {
    /// Of one that has done nothing yet.
    pub(super) const IDLE: ProcessorSums =
        ProcessorSums { running: Span::ZERO, overhead: Span::ZERO, context_switches: 0, last: ThreadId::NONE };

    /// It carries this thread. The very first one is no switch unless that `costs` something.
    #[inline]
    pub(super) fn turns_to(&mut self, thread: ThreadId, costs: bool) {
        if self.last != thread {
            if costs || !self.last.is_none() {
                self.context_switches += 1;
            }
            self.last = thread;
        }
    }
}

/// What one device did.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct DeviceSums {
    /// Requests made.
    pub requests: u64,
    /// Of them, those that a channel took.
    pub started: u64,
    /// Channel time used, summed over channels.
    pub busy: Span,
    /// Of that, the time in which the head moved.
    pub seek: Span,
    /// Time that requests spent in service, summed: longer than `busy` if they shared the channels.
    pub served: Span,
    /// Time requests spent in the queue, summed.
    pub queued: Span,
    /// Requests that were in the queue for some time.
    pub waited: u64,
    /// Those who went without.
    pub gone: Gone,
}

/// How often somebody went without what it had asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Gone {
    /// Since it gave up.
    pub given_up: u64,
    /// Since it was turned away.
    pub rejected: u64,
}

impl Gone {
    /// Had it all that it asked for?
    #[must_use]
    pub fn is_nothing(self) -> bool {
        self == Gone::default()
    }

    pub(super) fn add(&mut self, how: How) {
        match how {
            How::GaveUp => self.given_up += 1,
            How::TurnedAway => self.rejected += 1,
            // It has not gone by itself: what became of it says so.
            How::Dropped => {}
        }
    }
}

/// What happened to one synchronisation object. What it cannot do is zero.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct SyncSums {
    /// Times it was taken.
    pub acquisitions: u64,
    /// Times somebody had to wait for it, or tried it in vain.
    pub contended: u64,
    /// Times somebody gave up waiting for it, or tried it in vain.
    pub given_up: u64,
    /// Times somebody went without: gave up, or was ended or dropped there.
    left: u64,
    /// Time waited for it, summed.
    pub waited: Span,
    /// Time held, summed.
    pub held: Span,
    /// Times it was taken by one of several: by a reader.
    pub shared: u64,
    /// Work of those who spun for it.
    pub spun: Span,
    /// Times somebody was blocked there, be it for no time.
    pub waits: u64,
    /// Messages put into a channel.
    pub sent: u64,
    /// Messages taken out of a channel.
    pub received: u64,
    /// The most messages in a channel at once.
    pub max_level: u64,
    /// Messages in a channel, times how long, in nanoseconds, up to `level_since`.
    level_sum: u128,
    level_since: Time,
    /// Permits added to a semaphore.
    pub added: u64,
    /// Times those who wait at a condition variable were notified.
    pub notifications: u64,
    /// Of these, those when nobody waited.
    pub lost: u64,
    /// Times somebody came to a barrier.
    pub arrivals: u64,
    /// When last a wait ended or something was got, and how often each happened then.
    last: Time,
    ended: u64,
    got: u64,
}

impl SyncSums {
    /// Times it was asked for: those that were granted (so many), those that went without, and those that still waited when the run ended.
    #[must_use]
    pub fn asked(&self, granted: u64, end: Time) -> u64 {
        granted + self.left + if self.last == end { self.ended.saturating_sub(self.got) } else { 0 }
    }

    /// A wait ends, with what was waited for or with the run.
    pub(super) fn wait_ends(&mut self, at: Time) {
        self.ended += u64::from(self.is_last(at));
    }

    /// Somebody goes without.
    pub(super) fn is_left(&mut self, leave: Leave) {
        let tried = leave.asked == leave.at;
        self.left += 1;
        if leave.how == How::GaveUp {
            self.given_up += 1;
            // Who tries does not wait, and finds it taken all the same.
            self.contended += u64::from(tried);
        }
        if !tried {
            self.granted(leave.at);
        }
    }

    /// Somebody who waited gets it then. Of one instant this may be told before the end of the wait or after it.
    pub(super) fn granted(&mut self, at: Time) {
        self.got += u64::from(self.is_last(at));
    }

    fn is_last(&mut self, at: Time) -> bool {
        if at > self.last {
            (self.last, self.ended, self.got) = (at, 0, 0);
        }
        at == self.last
    }

    /// Messages in a channel, times how long, in nanoseconds, up to then.
    #[must_use]
    pub fn level_up_to(&self, at: Time) -> u128 {
        self.level_sum + u128::from(self.level()) * u128::from(at.since(self.level_since).ns())
    }

    fn level(&self) -> u64 {
        self.sent.saturating_sub(self.received)
    }

    /// What lasted no time is not seen: a message may pass through a full channel.
    pub(super) fn level_changes(&mut self, at: Time) {
        if at > self.level_since {
            self.max_level = self.max_level.max(self.level());
        }
        (self.level_sum, self.level_since) = (self.level_up_to(at), at);
    }
}

/// What happened to one variable.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct VariableSums {
    /// What it is.
    pub value: i64,
    /// Times it was set or added to.
    pub changes: u64,
    /// The least and the most that it was for some time, before the present value.
    bounds: Option<(i64, i64)>,
    /// What it was, times how long, in nanoseconds, up to `since`.
    sum: i128,
    since: Time,
}

impl VariableSums {
    pub(super) fn new(value: i64) -> VariableSums {
        VariableSums { value, changes: 0, bounds: None, sum: 0, since: Time::ZERO }
    }

    /// It is this from then on.
    pub(super) fn changes(&mut self, value: i64, at: Time) {
        self.ends(at);
        (self.value, self.changes) = (value, self.changes + 1);
    }

    /// What lasted no time is not seen.
    pub(super) fn ends(&mut self, at: Time) {
        if at > self.since {
            self.bounds = Some((self.least(), self.most()));
        }
        self.sum += i128::from(self.value) * i128::from(at.since(self.since).ns());
        self.since = at;
    }

    /// The least that it was for some time; that it is, if it never was anything for some time.
    #[must_use]
    pub fn least(&self) -> i64 {
        self.bounds.map_or(self.value, |(least, _)| self.value.min(least))
    }

    /// The most.
    #[must_use]
    pub fn most(&self) -> i64 {
        self.bounds.map_or(self.value, |(_, most)| self.value.max(most))
    }

    /// What it was, averaged over the time until then.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a statistic")]
    pub fn mean(&self, end: Time) -> f64 {
        if end == Time::ZERO { self.value as f64 } else { self.sum as f64 / end.ns() as f64 }
    }
}

/// The jobs of one task. Those that have not ended are in it only when the run has.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct JobSums {
    /// Jobs released.
    pub released: u64,
    /// Of them, those that ended.
    pub ended: u64,
    /// Of them, those that missed their deadline.
    pub missed: u64,
    /// Of these, those that were ended then.
    pub aborted: u64,
    /// Releases that were dropped since the job before still ran: there are no jobs of them.
    pub skipped: u64,
    /// From release to end, summed over those that ended.
    pub responses: Span,
    /// The shortest of them.
    pub best_response: Option<Span>,
    /// The longest.
    pub worst_response: Option<Span>,
    /// By how much they were late, summed; of those that have not ended, so far.
    pub tardiness: Span,
    /// The most.
    pub max_tardiness: Span,
}

impl JobSums {
    /// Adds a job; one that has not ended by what it is when the run ends.
    pub(super) fn add(&mut self, job: &Job, end_of_run: Time) {
        self.released += 1;
        self.missed += u64::from(job.missed(end_of_run));
        self.aborted += u64::from(job.aborted);
        self.skipped += u64::from(job.skips);
        let tardiness = job.tardiness(end_of_run);
        self.tardiness += tardiness;
        self.max_tardiness = self.max_tardiness.max(tardiness);
        if let Some(response) = job.response() {
            self.ended += 1;
            self.responses += response;
            self.best_response = Some(self.best_response.map_or(response, |best| best.min(response)));
            self.worst_response = Some(self.worst_response.map_or(response, |worst| worst.max(response)));
        }
    }
}

/// Sums of one group.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct GroupSums {
    /// Periods in which threads of it stood still, on however many processors.
    pub throttles: u64,
    /// For how long, summed over the processors.
    pub throttled: Span,
    /// The last of these periods.
    last: Option<u64>,
}

impl GroupSums {
    pub(super) fn add(&mut self, still: &Still) {
        self.throttles += u64::from(self.last != Some(still.period));
        self.last = Some(still.period);
        self.throttled += (still.end - still.start) * u64::from(still.processors);
    }
}
