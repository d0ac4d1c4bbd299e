//! Metrics: numbers computed from a timeline and nothing else.
//!
//! [`Metrics`] is a [`Recorder`]: it adds up while a simulation runs, or while a kept or measured timeline is
//! replayed, so both kinds are measured by the same code. Definitions, per task:
//!
//! - *turnaround* = finish − arrival; *first response* = first run − arrival;
//! - *running*: on a processor, in its program; *overhead*: on a processor, being switched to or started;
//! - *blocked*: waiting for a device, a timer, a lock or another task;
//! - *waiting*: the rest of its life, ready but not running, be it in the kernel's or its runtime's queue.
//!
//! So running + waiting + blocked + overhead = turnaround, exactly. *Slowdown* = turnaround ÷ the part of it in which the
//! task did not wait for what others have: a processor, a place at a device, a lock; 1 if it had all to itself. For a task that has not finished they count up to
//! the end of the run. Idle time counts: utilisation is over the whole run. `docs/metrics.md` says more of each.

mod sums;
mod tasks;

use std::collections::BTreeMap;
use std::sync::Arc;

pub use sums::{DeviceSums, Gone, GroupSums, JobSums, ProcessorSums, SyncSums, VariableSums};
pub use tasks::{TaskSums, Tasks};

use crate::ids::{CpuId, DeviceId, GroupId, IdVec, SyncId, TaskId, VariableId};
use crate::time::{Span, Time};
use crate::timeline::{
    Access, Block, Cast, Cause, Deed, Depletion, Fate, Hold, Interval, Job, Leave, Recorder, Request, Signal, Spin,
    Still, Timeline, Use, What,
};

/// Sums over a run.
#[derive(Clone, Debug, Default)]
pub struct Metrics {
    /// The names behind the ids.
    pub cast: Arc<Cast>,
    /// Per instance.
    pub tasks: Tasks,
    /// Per processor.
    pub processors: IdVec<CpuId, ProcessorSums>,
    /// Per device.
    pub devices: IdVec<DeviceId, DeviceSums>,
    /// Per synchronisation object.
    pub syncs: IdVec<SyncId, SyncSums>,
    /// Per variable.
    pub variables: IdVec<VariableId, VariableSums>,
    /// Per group.
    pub groups: IdVec<GroupId, GroupSums>,
    /// How often and for how long tasks waited for the budgets of their servers.
    pub depleted: BTreeMap<TaskId, (u64, Span)>,
    /// The jobs of periodic tasks, those of a task in order, if asked for with [`Metrics::with_jobs`].
    pub jobs: Vec<Job>,
    /// The end of the run.
    pub end: Time,
    /// Jobs that had not ended when the run did.
    open: Vec<Job>,
    keeps_jobs: bool,
}

impl Metrics {
    /// Metrics that keep the single jobs of periodic tasks too: what an outcome lists, and what percentiles are made of.
    #[must_use]
    pub fn with_jobs() -> Metrics {
        Metrics { keeps_jobs: true, ..Metrics::default() }
    }

    /// Are single jobs kept?
    #[must_use]
    pub fn keeps_jobs(&self) -> bool {
        self.keeps_jobs
    }

    /// The metrics of a kept timeline, which has the single jobs itself.
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
        (task.has_finished() && !alone.is_zero()).then(|| took.ns() as f64 / alone.ns() as f64)
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
        self.processors = cast.processors.iter().map(|_| ProcessorSums::IDLE).collect();
        self.devices = cast.devices.iter().map(|_| DeviceSums::default()).collect();
        self.syncs = cast.syncs.iter().map(|_| SyncSums::default()).collect();
        self.variables = cast.variables.iter().map(|variable| VariableSums::new(variable.value)).collect();
        self.groups = cast.groups.iter().map(|_| GroupSums::default()).collect();
        self.tasks = Tasks::default();
        self.depleted.clear();
        self.jobs.clear();
        self.open.clear();
    }

    fn expect(&mut self, tasks: usize) {
        self.tasks.expect(tasks);
    }

    fn task(&mut self, spec: u32, instance: u32) {
        self.tasks.push(spec, instance);
    }

    fn arrival(&mut self, task: TaskId, at: Time) {
        self.tasks.arrives(task, at);
    }

    #[inline]
    fn soon(&self, task: TaskId) {
        self.tasks.touch(task);
    }

    #[expect(clippy::inline_always, reason = "called, it is told in memory what the engine has in registers")]
    #[inline(always)]
    fn interval(&mut self, interval: Interval) {
        let processor = &mut self.processors[interval.cpu];
        let ns = interval.end.ns().wrapping_sub(interval.start.ns());
        if interval.what != What::Run {
            processor.turns_to(interval.thread, true);
            processor.overhead += Span::from_ns(ns);
            self.tasks.pauses(interval.task).overhead += Span::from_ns(ns);
        } else {
            processor.turns_to(interval.thread, false);
            processor.running = Span::from_ns(processor.running.ns().wrapping_add(ns));
            self.tasks.ran(&interval, ns);
        }
    }

    #[expect(clippy::inline_always, reason = "as for `interval`")]
    #[inline(always)]
    fn block(&mut self, block: Block) {
        let length = block.end - block.start;
        let task = self.tasks.pauses(block.task);
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
            sync.contended += u64::from(!block.again);
            sync.waited += length;
            sync.wait_ends(block.end);
        }
    }

    #[expect(clippy::inline_always, reason = "as for `interval`")]
    #[inline(always)]
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
        self.tasks.pauses(request.task).contended += (request.end - request.asked).saturating_sub(alone);
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
            Deed::Departed => {}
        }
    }

    fn access(&mut self, access: Access) {
        if let Use::Changed { variable, value, .. } = access.how {
            self.variables[variable].changes(value, access.at);
        }
    }

    /// Who spins waits; who blocks afterwards is counted then.
    fn spin(&mut self, spin: Spin) {
        self.tasks.pauses(spin.task).contended += spin.work;
        let lock = &mut self.syncs[spin.sync];
        let length = spin.end - spin.start;
        lock.contended += u64::from(spin.got);
        lock.waited += length;
        lock.spun += spin.work;
        if !spin.got {
            lock.wait_ends(spin.end);
        }
    }

    fn leave(&mut self, leave: Leave) {
        self.tasks.goes_without(leave.task, leave.how);
        match leave.cause {
            Cause::Device(device) => self.devices[device].gone.add(leave.how),
            Cause::Sync(sync) => self.syncs[sync].is_left(leave),
            Cause::Join if !leave.callee.is_none() => self.tasks.is_without(leave.callee, leave.how),
            _ => {}
        }
    }

    fn guest(&mut self, task: TaskId) {
        self.tasks.is_guest(task);
    }

    #[expect(clippy::inline_always, reason = "as for `interval`")]
    #[inline(always)]
    fn job(&mut self, job: Job) {
        if self.keeps_jobs {
            self.jobs.push(job);
        }
        if job.over().is_some() {
            self.tasks.jobs_mut(job.task).add(&job, self.end);
        } else {
            self.open.push(job);
        }
    }

    fn still(&mut self, still: Still) {
        self.groups[still.group].add(&still);
    }

    fn depletion(&mut self, depletion: Depletion) {
        let (times, length) = self.depleted.entry(depletion.task).or_default();
        *times += 1;
        *length += depletion.end - depletion.start;
    }

    fn finish(&mut self, task: TaskId, at: Time, fate: Fate) {
        self.tasks.finishes(task, at, fate);
    }

    fn end(&mut self, at: Time) {
        self.syncs.iter_mut().for_each(|sync| sync.level_changes(at));
        self.variables.iter_mut().for_each(|variable| variable.ends(at));
        for job in self.open.drain(..) {
            self.tasks.jobs_mut(job.task).add(&job, at);
        }
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
