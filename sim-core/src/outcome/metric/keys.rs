//! Which figures there are, what they are counted in, and which are the better ones.
//!
//! A test holds these lists against the outcome of a run that has everything.

/// What figures are counted in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unit {
    /// Times and lengths of time.
    Nanoseconds,
    /// Things that can be counted, and their means.
    Count,
    /// Parts of a whole, and ratios of two lengths of time.
    Ratio,
    /// So many in a second.
    PerSecond,
}

impl Unit {
    /// Its name in results: `ns`, `count`, `ratio`, `1/s`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Unit::Nanoseconds => "ns",
            Unit::Count => "count",
            Unit::Ratio => "ratio",
            Unit::PerSecond => "1/s",
        }
    }
}

/// Which figures are the better ones.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Better {
    /// The smaller ones.
    Lower,
    /// The larger ones.
    Higher,
}

/// One key of a table of the outcome.
#[derive(Debug)]
pub(super) struct Key {
    /// Without the `_ns` of times.
    pub(super) name: &'static str,
    pub(super) unit: Unit,
    pub(super) better: Option<Better>,
    /// Is it a distribution, with mean, percentiles and maximum?
    pub(super) is_spread: bool,
}

use Better::{Higher, Lower};
use Unit::{Count, Nanoseconds, PerSecond, Ratio};

const fn key(name: &'static str, unit: Unit) -> Key {
    Key { name, unit, better: None, is_spread: false }
}

/// A time of which less is better.
const fn time(name: &'static str) -> Key {
    Key { better: Some(Lower), ..key(name, Nanoseconds) }
}

/// Something of which less is better.
const fn less(name: &'static str, unit: Unit) -> Key {
    Key { better: Some(Lower), ..key(name, unit) }
}

/// Something of which more is better.
const fn more(name: &'static str, unit: Unit) -> Key {
    Key { better: Some(Higher), ..key(name, unit) }
}

const fn spread(name: &'static str, unit: Unit) -> Key {
    Key { is_spread: true, ..less(name, unit) }
}

/// Of the whole run: its makespan and its summary.
pub(super) const RUN: &[Key] = &[
    time("makespan"),
    more("throughput_per_s", PerSecond),
    less("context_switches", Count),
    less("migrations", Count),
    less("deadline_misses", Count),
    less("given_up", Count),
    less("given_up_share", Ratio),
    less("rejected", Count),
    less("rejected_share", Ratio),
    more("fairness_jain", Ratio),
    less("waited_share", Ratio),
    spread("turnaround", Nanoseconds),
    spread("first_response", Nanoseconds),
    spread("waiting", Nanoseconds),
    spread("slowdown", Ratio),
];

/// Of all tasks of a kind.
pub(super) const KIND: &[Key] = &[
    key("instances", Count),
    more("finished", Count),
    spread("turnaround", Nanoseconds),
    spread("first_response", Nanoseconds),
    spread("waiting", Nanoseconds),
    spread("slowdown", Ratio),
    less("given_up", Count),
    less("given_up_share", Ratio),
    less("rejected", Count),
    less("rejected_share", Ratio),
    more("served", Count),
    spread("served_turnaround", Nanoseconds),
    less("gone", Count),
    spread("gone_turnaround", Nanoseconds),
    less("waited_for_worker", Count),
    less("waited_share", Ratio),
    key("jobs", Count),
    more("jobs_finished", Count),
    spread("response", Nanoseconds),
];

/// Of one task, and of its jobs if it is periodic.
pub(super) const INSTANCE: &[Key] = &[
    key("arrival", Nanoseconds),
    time("first_run"),
    time("finish"),
    time("first_response"),
    time("turnaround"),
    time("waiting"),
    key("running", Nanoseconds),
    time("blocked"),
    time("overhead"),
    less("slowdown", Ratio),
    less("voluntary_switches", Count),
    less("involuntary_switches", Count),
    less("migrations", Count),
    less("given_up", Count),
    less("rejected", Count),
    key("released", Count),
    less("missed", Count),
    time("best_response"),
    time("mean_response"),
    time("worst_response"),
    time("response_jitter"),
    time("mean_tardiness"),
    time("max_tardiness"),
];

/// Of a processor.
pub(super) const PROCESSOR: &[Key] =
    &[key("running", Nanoseconds), time("overhead"), key("idle", Nanoseconds), key("utilisation", Ratio)];

/// Of a device.
pub(super) const DEVICE: &[Key] = &[
    key("requests", Count),
    key("busy", Nanoseconds),
    time("seek"),
    less("given_up", Count),
    less("given_up_share", Ratio),
    less("rejected", Count),
    less("rejected_share", Ratio),
    less("waited", Count),
    less("waited_share", Ratio),
    less("mean_queue", Count),
    time("mean_wait"),
    key("mean_in_service", Count),
    time("mean_service"),
    key("utilisation", Ratio),
];

/// Of a group.
pub(super) const GROUP: &[Key] = &[
    key("weight", Count),
    key("due_share", Ratio),
    key("quota", Nanoseconds),
    key("period", Nanoseconds),
    key("running", Nanoseconds),
    key("share", Ratio),
    key("quota_share", Ratio),
    less("throttles", Count),
    time("throttled"),
];

const LOCK: &[Key] = &[
    key("acquisitions", Count),
    less("contended", Count),
    less("given_up", Count),
    time("mean_wait"),
    time("mean_hold"),
    key("reads", Count),
    time("spun"),
];

const SEMAPHORE: &[Key] = &[
    key("permits", Count),
    key("acquisitions", Count),
    key("added", Count),
    less("contended", Count),
    less("given_up", Count),
    time("mean_wait"),
    time("mean_hold"),
];

const CHANNEL: &[Key] = &[
    key("capacity", Count),
    key("sent", Count),
    key("received", Count),
    less("contended", Count),
    time("mean_wait"),
    key("mean_level", Count),
    key("max_level", Count),
];

const CONDVAR: &[Key] = &[key("waits", Count), key("notifications", Count), less("lost", Count), time("mean_wait")];

const BARRIER: &[Key] = &[key("parties", Count), key("arrivals", Count), key("rounds", Count), time("mean_wait")];

/// Of a variable.
pub(super) const VARIABLE: &[Key] =
    &[key("value", Count), key("changes", Count), key("least", Count), key("most", Count), key("mean", Count)];

/// Of synchronisation objects, by the word before their names.
pub(super) const OF_SYNCS: &[(&str, &[Key])] = &[
    ("lock", LOCK),
    ("rwlock", LOCK),
    ("semaphore", SEMAPHORE),
    ("channel", CHANNEL),
    ("condvar", CONDVAR),
    ("barrier", BARRIER),
];

/// What else a path can begin with.
pub(super) const THINGS: &[&str] = &["summary", "task", "processor", "device", "variable", "group", "causes", "pooled"];

/// Where time went: by kind, and more exactly by what it was lost to.
pub(super) const CAUSES: &[Key] = &[
    key("running", Nanoseconds),
    time("waiting"),
    time("blocked"),
    time("overhead"),
    time("spin"),
    time("processor"),
    time("runtime"),
    time("interpreter"),
    time("throttled"),
    time("nobody"),
    time("previous-job"),
    time("device-queue"),
    time("device-seek"),
    time("device-service"),
    time("device-sharing"),
    time("lock"),
    time("rwlock"),
    time("semaphore"),
    time("channel"),
    time("condvar"),
    time("barrier"),
    time("timer"),
    time("join"),
    time("after"),
    time("release"),
];
