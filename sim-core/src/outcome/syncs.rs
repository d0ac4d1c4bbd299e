//! Synchronisation objects in numbers, kind by kind.

use serde::Serialize;

use super::mean;
use crate::metrics::{Metrics, SyncSums};
use crate::scenario::SyncKind;
use crate::time::{Span, Time};

/// One lock or rwlock in numbers.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct LockOutcome {
    /// Its name.
    pub name: String,
    /// Times it was taken.
    pub acquisitions: u64,
    /// Times somebody had to wait for it, or tried it in vain.
    pub contended: u64,
    /// Times somebody gave up waiting for it, or tried it in vain.
    pub given_up: u64,
    /// Time waited for it, over the number of acquisitions; null without any.
    pub mean_wait_ns: Option<f64>,
    /// Time held, averaged over acquisitions; null without any.
    pub mean_hold_ns: Option<f64>,
    /// Of an rwlock: times it was taken by readers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reads: Option<u64>,
    /// Processor work of those who spun for it, at speed 1, if any did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spun_ns: Option<u64>,
}

/// One semaphore in numbers.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct SemaphoreOutcome {
    /// Its name.
    pub name: String,
    /// Permits at first.
    pub permits: u32,
    /// Times permits were acquired; a request for several is one.
    pub acquisitions: u64,
    /// Permits added by tasks that had none.
    pub added: u64,
    /// Times somebody had to wait for permits, or tried to get some in vain.
    pub contended: u64,
    /// Times somebody gave up waiting for permits, or tried to get some in vain.
    pub given_up: u64,
    /// Time waited, over the number of acquisitions; null without any.
    pub mean_wait_ns: Option<f64>,
    /// Time from acquiring permits to giving the last of them back, averaged over acquisitions; null without any. Permits
    /// that their task never gives back are not held.
    pub mean_hold_ns: Option<f64>,
}

/// One channel in numbers.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct ChannelOutcome {
    /// Its name.
    pub name: String,
    /// Messages it can hold.
    pub capacity: u32,
    /// Messages sent.
    pub sent: u64,
    /// Messages received.
    pub received: u64,
    /// Times a sender or receiver had to wait.
    pub contended: u64,
    /// Time waited by senders and receivers, over the number of messages sent and received; null without any.
    pub mean_wait_ns: Option<f64>,
    /// Messages in the channel, averaged over time.
    pub mean_level: f64,
    /// The most messages in the channel at once.
    pub max_level: u64,
}

/// One condition variable in numbers.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct CondvarOutcome {
    /// Its name.
    pub name: String,
    /// Times a task waited for a notification.
    pub waits: u64,
    /// Times tasks notified others.
    pub notifications: u64,
    /// Notifications that came while nobody waited.
    pub lost: u64,
    /// Time waited for a notification, averaged over waits; null without any. To get the lock back is not counted.
    pub mean_wait_ns: Option<f64>,
}

/// One barrier in numbers.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct BarrierOutcome {
    /// Its name.
    pub name: String,
    /// How many must come.
    pub parties: u32,
    /// Times a task came.
    pub arrivals: u64,
    /// Times all had come.
    pub rounds: u64,
    /// Time waited for the others, averaged over arrivals; null without any.
    pub mean_wait_ns: Option<f64>,
}

/// What concerns objects of one kind: what `outcome` makes of their names and sums.
fn of_kind<T>(metrics: &Metrics, outcome: impl Fn(&str, SyncKind, &SyncSums) -> Option<T>) -> Vec<T> {
    let objects = metrics.syncs.pairs().map(|(id, sums)| (&metrics.cast.syncs[id], sums));
    objects.filter_map(|(object, sums)| outcome(&object.name, object.kind, sums)).collect()
}

pub(super) fn locks(metrics: &Metrics) -> Vec<LockOutcome> {
    of_kind(metrics, |name, kind, sums| {
        kind.is_lock().then(|| LockOutcome {
            name: name.to_owned(),
            acquisitions: sums.acquisitions,
            contended: sums.contended,
            given_up: sums.given_up,
            mean_wait_ns: mean(sums.waited, sums.asked(sums.acquisitions, metrics.end)),
            mean_hold_ns: mean(sums.held, sums.acquisitions),
            reads: (kind != SyncKind::Mutex).then_some(sums.shared),
            spun_ns: (!sums.spun.is_zero()).then(|| sums.spun.ns()),
        })
    })
}

pub(super) fn semaphores(metrics: &Metrics) -> Vec<SemaphoreOutcome> {
    of_kind(metrics, |name, kind, sums| {
        let SyncKind::Semaphore { permits } = kind else { return None };
        Some(SemaphoreOutcome {
            name: name.to_owned(),
            permits,
            acquisitions: sums.acquisitions,
            added: sums.added,
            contended: sums.contended,
            given_up: sums.given_up,
            mean_wait_ns: mean(sums.waited, sums.asked(sums.acquisitions, metrics.end)),
            mean_hold_ns: mean(sums.held, sums.acquisitions),
        })
    })
}

pub(super) fn channels(metrics: &Metrics) -> Vec<ChannelOutcome> {
    of_kind(metrics, |name, kind, sums| {
        let SyncKind::Channel { capacity } = kind else { return None };
        Some(ChannelOutcome {
            name: name.to_owned(),
            capacity,
            sent: sums.sent,
            received: sums.received,
            contended: sums.contended,
            mean_wait_ns: mean(sums.waited, sums.asked(sums.sent + sums.received, metrics.end)),
            mean_level: ratio_of(sums.level_up_to(metrics.end), metrics.end - Time::ZERO),
            max_level: sums.max_level,
        })
    })
}

pub(super) fn condvars(metrics: &Metrics) -> Vec<CondvarOutcome> {
    of_kind(metrics, |name, kind, sums| {
        (kind == SyncKind::Condvar).then(|| CondvarOutcome {
            name: name.to_owned(),
            waits: sums.waits,
            notifications: sums.notifications,
            lost: sums.lost,
            mean_wait_ns: mean(sums.waited, sums.waits),
        })
    })
}

pub(super) fn barriers(metrics: &Metrics) -> Vec<BarrierOutcome> {
    of_kind(metrics, |name, kind, sums| {
        let SyncKind::Barrier { parties } = kind else { return None };
        Some(BarrierOutcome {
            name: name.to_owned(),
            parties,
            arrivals: sums.arrivals,
            rounds: sums.arrivals / u64::from(parties),
            mean_wait_ns: mean(sums.waited, sums.arrivals),
        })
    })
}

/// Something added up over time, in nanoseconds times its amount, averaged over time.
#[expect(clippy::cast_precision_loss, reason = "a statistic")]
fn ratio_of(sum: u128, whole: Span) -> f64 {
    if whole.is_zero() { 0.0 } else { sum as f64 / whole.ns() as f64 }
}
