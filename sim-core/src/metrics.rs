//! Metrics: numbers computed from a timeline and nothing else.
//!
//! [`Metrics`] is a [`Recorder`]: it adds up while a simulation runs, or while a kept or measured timeline is
//! replayed, so both kinds are measured by the same code. Definitions, per task:
//!
//! - *turnaround* = finish − arrival; *first response* = first run − arrival;
//! - *running*: on a processor, in its program; *overhead*: on a processor, being switched to;
//! - *blocked*: waiting for a device, a timer, a lock or another task;
//! - *waiting*: the rest of its life, ready but not running, be it in the kernel's or its runtime's queue.
//!
//! So running + waiting + blocked + overhead = turnaround, exactly. *Slowdown* = turnaround ÷ the part of it in which the
//! task did not wait for what others have: a processor, a place at a device, a lock; 1 if it had all to itself. For a task that has not finished they count up to
//! the end of the run. Idle time counts: utilisation is over the whole run. `docs/metrics.md` says more of each.

use std::sync::Arc;

use crate::ids::{CpuId, DeviceId, IdVec, SyncId, TaskId, ThreadId};
use crate::time::{Span, Time};
use crate::timeline::{
    Block, Cast, Cause, Deed, Hold, Interval, Job, Left, Recorder, Request, Signal, Spin, Timeline, What,
};

/// Sums over a run.
#[derive(Clone, Debug, Default)]
pub struct Metrics {
    /// The names behind the ids.
    pub cast: Arc<Cast>,
    /// Per instance.
    pub tasks: IdVec<TaskId, TaskSums>,
    /// Per processor.
    pub processors: IdVec<CpuId, ProcessorSums>,
    /// Per device.
    pub devices: IdVec<DeviceId, DeviceSums>,
    /// Per synchronisation object.
    pub syncs: IdVec<SyncId, SyncSums>,
    /// The jobs of periodic tasks, those of a task in order.
    pub jobs: Vec<Job>,
    /// The end of the run.
    pub end: Time,
}

/// What one instance did.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TaskSums {
    /// Index into [`Cast::specs`].
    pub spec: u32,
    /// Which instance.
    pub instance: u32,
    /// [`Time::NEVER`] if the run ended before.
    pub arrival: Time,
    /// When it first used a processor for any time; [`Time::NEVER`] if it did not.
    pub first_run: Time,
    /// [`Time::NEVER`] if it did not finish.
    pub finish: Time,
    /// Time on a processor in its program.
    pub running: Span,
    /// Time waiting for something other than a processor.
    pub blocked: Span,
    /// Time waiting for what others have, apart from processors: in queues of devices and sharing them, blocked at
    /// synchronisation objects, or spinning there.
    pub contended: Span,
    /// The part of `blocked` in which it could not begin: before the tasks that it comes after, or between its jobs.
    pub unreleased: Span,
    /// Time on a processor being switched to, started, migrated.
    pub overhead: Span,
    last_cpu: CpuId,
    /// Times it left a processor by blocking or yielding.
    pub voluntary_switches: u64,
    /// Times it was taken off a processor while it was still ready.
    pub involuntary_switches: u64,
    /// Times it resumed on another processor than its last.
    pub migrations: u64,
}

/// What one processor did.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ProcessorSums {
    /// Time in programs.
    pub running: Span,
    /// Time switching.
    pub overhead: Span,
    /// Dispatches of another thread than the one it ran last. The very first dispatch counts only if it cost something.
    pub context_switches: u64,
    last: ThreadId,
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
}

/// What happened to one synchronisation object. What it cannot do is zero.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct SyncSums {
    /// Times it was taken.
    pub acquisitions: u64,
    /// Times somebody had to wait for it.
    pub contended: u64,
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
    /// Times it was asked for: those that were granted (so many), and those that still waited when the run ended.
    #[must_use]
    pub fn asked(&self, granted: u64, end: Time) -> u64 {
        granted + if self.last == end { self.ended.saturating_sub(self.got) } else { 0 }
    }

    /// A wait ends, with what was waited for or with the run.
    fn wait_ends(&mut self, at: Time) {
        self.ended += u64::from(self.is_last(at));
    }

    /// Somebody who waited gets it then. Of one instant this may be told before the end of the wait or after it.
    fn granted(&mut self, at: Time) {
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
    fn level_changes(&mut self, at: Time) {
        if at > self.level_since {
            self.max_level = self.max_level.max(self.level());
        }
        (self.level_sum, self.level_since) = (self.level_up_to(at), at);
    }
}

impl Metrics {
    /// The metrics of a kept timeline.
    #[must_use]
    pub fn of(timeline: &Timeline) -> Metrics {
        let mut metrics = Metrics::default();
        timeline.replay(&mut metrics);
        metrics
    }

    /// Time from arrival to finish, or to the end of the run; zero for an instance that never arrived.
    #[must_use]
    pub fn life(&self, task: &TaskSums) -> Span {
        if task.arrival.is_never() { Span::ZERO } else { task.finish.min(self.end).since(task.arrival) }
    }

    /// Time ready but not running.
    #[must_use]
    pub fn waiting(&self, task: &TaskSums) -> Span {
        self.life(task).saturating_sub(task.running + task.blocked + task.overhead)
    }

    /// How many times as long a task took as if it had had all to itself, counted from when it could begin: without the
    /// time before the tasks that it comes after had ended, and without that between its jobs. `None` if it has not
    /// finished, or had nothing to do.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a statistic")]
    pub fn slowdown(&self, task: &TaskSums) -> Option<f64> {
        let took = self.life(task).saturating_sub(task.unreleased);
        let alone = took.saturating_sub(self.waiting(task) + task.overhead + task.contended);
        (!task.finish.is_never() && !alone.is_zero()).then(|| took.ns() as f64 / alone.ns() as f64)
    }

    /// The last finish; the end of the run if something did not finish.
    #[must_use]
    pub fn makespan(&self) -> Time {
        let last = self.tasks.iter().map(|task| task.finish).max().unwrap_or(Time::ZERO);
        last.min(self.end)
    }
}

impl Recorder for Metrics {
    fn begin(&mut self, cast: &Arc<Cast>) {
        self.cast = Arc::clone(cast);
        let idle =
            ProcessorSums { running: Span::ZERO, overhead: Span::ZERO, context_switches: 0, last: ThreadId::NONE };
        self.processors = cast.processors.iter().map(|_| idle).collect();
        self.devices = cast.devices.iter().map(|_| DeviceSums::default()).collect();
        self.syncs = cast.syncs.iter().map(|_| SyncSums::default()).collect();
        self.tasks = IdVec::new();
        self.jobs.clear();
    }

    fn expect(&mut self, tasks: usize) {
        self.tasks.reserve(tasks);
    }

    fn task(&mut self, spec: u32, instance: u32) {
        self.tasks.push(TaskSums {
            spec,
            instance,
            arrival: Time::NEVER,
            first_run: Time::NEVER,
            finish: Time::NEVER,
            running: Span::ZERO,
            blocked: Span::ZERO,
            contended: Span::ZERO,
            unreleased: Span::ZERO,
            overhead: Span::ZERO,
            last_cpu: CpuId::NONE,
            voluntary_switches: 0,
            involuntary_switches: 0,
            migrations: 0,
        });
    }

    fn arrival(&mut self, task: TaskId, at: Time) {
        self.tasks[task].arrival = at;
    }

    #[inline]
    fn interval(&mut self, interval: Interval) {
        let task = &mut self.tasks[interval.task];
        let processor = &mut self.processors[interval.cpu];
        let length = interval.end - interval.start;
        if processor.last != interval.thread {
            let counts = interval.what == What::Switch || !processor.last.is_none();
            processor.context_switches += u64::from(counts);
            processor.last = interval.thread;
        }
        match interval.what {
            What::Switch => {
                task.overhead += length;
                processor.overhead += length;
            }
            What::Run => {
                task.running += length;
                processor.running += length;
                // A task that only issued a request in passing has not run yet.
                if !length.is_zero() {
                    task.first_run = task.first_run.min(interval.start);
                }
                if task.last_cpu != interval.cpu {
                    task.migrations += u64::from(!task.last_cpu.is_none());
                    task.last_cpu = interval.cpu;
                }
                match interval.left {
                    Left::Blocked | Left::Yielded => task.voluntary_switches += 1,
                    Left::Preempted => task.involuntary_switches += 1,
                    Left::Continues | Left::Finished => {}
                }
            }
        }
    }

    fn block(&mut self, block: Block) {
        let length = block.end - block.start;
        let task = &mut self.tasks[block.task];
        task.blocked += length;
        if matches!(block.cause, Cause::After | Cause::Release) {
            task.unreleased += length;
        }
        // Counted here and not when the lock is got: who waits for it in a deadlock never gets it. Who begins to wait when
        // the run ends, or is let in at the instant at which it asked, found it taken like anybody else.
        if let Cause::Sync(sync) = block.cause {
            task.contended += length;
            let sync = &mut self.syncs[sync];
            sync.waits += 1;
            sync.contended += 1;
            sync.waited += length;
            sync.wait_ends(block.end);
        }
    }

    fn request(&mut self, request: Request) {
        let device = &mut self.devices[request.device];
        let start = request.start.unwrap_or(request.end);
        device.requests += 1;
        device.started += u64::from(request.start.is_some());
        device.queued += start - request.asked;
        device.waited += u64::from(start > request.asked);
        device.served += request.end - start;
        device.busy += request.service + request.seek;
        device.seek += request.seek;
        let alone = request.service + request.seek;
        self.tasks[request.task].contended += (request.end - request.asked).saturating_sub(alone);
    }

    fn hold(&mut self, hold: Hold) {
        if hold.further {
            return;
        }
        let lock = &mut self.syncs[hold.sync];
        lock.acquisitions += 1;
        lock.held += hold.end - hold.start;
        lock.shared += u64::from(hold.shared);
        if hold.asked < hold.start {
            lock.granted(hold.start);
        }
    }

    fn signal(&mut self, signal: Signal) {
        let sync = &mut self.syncs[signal.sync];
        match signal.deed {
            Deed::Sent => {
                sync.level_changes(signal.at);
                sync.granted(signal.at);
                sync.sent += 1;
            }
            Deed::Received => {
                sync.level_changes(signal.at);
                sync.granted(signal.at);
                sync.received += 1;
            }
            Deed::Added => sync.added += 1,
            Deed::Notified(count) => {
                sync.notifications += 1;
                sync.lost += u64::from(count == 0);
            }
            Deed::Arrived => sync.arrivals += 1,
        }
    }

    /// Who spins waits; who blocks afterwards is counted then.
    fn spin(&mut self, spin: Spin) {
        self.tasks[spin.task].contended += spin.work;
        let lock = &mut self.syncs[spin.sync];
        let length = spin.end - spin.start;
        lock.contended += u64::from(spin.got);
        lock.waited += length;
        lock.spun += spin.work;
        if !spin.got {
            lock.wait_ends(spin.end);
        }
    }

    fn job(&mut self, job: Job) {
        self.jobs.push(job);
    }

    fn finish(&mut self, task: TaskId, at: Time) {
        self.tasks[task].finish = at;
    }

    fn end(&mut self, at: Time) {
        self.syncs.iter_mut().for_each(|sync| sync.level_changes(at));
        self.end = at;
    }
}

/// The value that `p` percent of the sorted values do not exceed (nearest rank); `None` if there are too few values to
/// say: a percentile needs at least one value beyond it, so p95 needs 20 values and p99 needs 100.
#[must_use]
pub fn percentile<T: Copy>(sorted: &[T], p: usize) -> Option<T> {
    let n = sorted.len();
    if n * (100 - p) < 100 {
        return None;
    }
    sorted.get((n * p).div_ceil(100).max(1) - 1).copied()
}

/// Jain's index of fairness (Jain, Chiu & Hawe 1984): 1 if all shares are equal, 1/n if one has everything. `None`
/// without shares, or if all are zero.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "a statistic")]
pub fn jain(shares: impl Iterator<Item = f64> + Clone) -> Option<f64> {
    let n = shares.clone().count() as f64;
    let (sum, squares) = shares.fold((0.0, 0.0), |(sum, squares), x| (sum + x, squares + x * x));
    (squares > 0.0).then(|| sum * sum / (n * squares))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_refuse_to_speak_of_too_few() {
        let values: Vec<u64> = (1..=100).collect();
        assert_eq!(percentile(&values, 50), Some(50));
        assert_eq!(percentile(&values, 95), Some(95));
        assert_eq!(percentile(&values, 99), Some(99));
        assert_eq!(percentile(&values[..99], 99), None);
        assert_eq!(percentile(&values[..20], 95), Some(19));
        assert_eq!(percentile(&values[..19], 95), None);
        assert_eq!(percentile(&values[..2], 50), Some(1));
        assert_eq!(percentile(&values[..1], 50), None);
        assert_eq!(percentile::<u64>(&[], 50), None);
    }

    #[test]
    fn jain_is_one_for_equal_and_one_nth_for_one_takes_all() {
        assert_eq!(jain([2.0, 2.0, 2.0].into_iter()), Some(1.0));
        assert_eq!(jain([4.0, 0.0, 0.0, 0.0].into_iter()), Some(0.25));
        assert_eq!(jain([].into_iter()), None);
        assert_eq!(jain([0.0].into_iter()), None);
    }
}
