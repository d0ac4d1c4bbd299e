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
    /// What it is, in a few words.
    pub(super) meaning: &'static str,
}

use Better::{Higher, Lower};
use Unit::{Count, Nanoseconds, PerSecond, Ratio};

const fn key(name: &'static str, unit: Unit, meaning: &'static str) -> Key {
    Key { name, unit, better: None, is_spread: false, meaning }
}

/// A time of which less is better.
const fn time(name: &'static str, meaning: &'static str) -> Key {
    Key { better: Some(Lower), ..key(name, Nanoseconds, meaning) }
}

/// Something of which less is better.
const fn less(name: &'static str, unit: Unit, meaning: &'static str) -> Key {
    Key { better: Some(Lower), ..key(name, unit, meaning) }
}

/// Something of which more is better.
const fn more(name: &'static str, unit: Unit, meaning: &'static str) -> Key {
    Key { better: Some(Higher), ..key(name, unit, meaning) }
}

const fn spread(name: &'static str, unit: Unit, meaning: &'static str) -> Key {
    Key { is_spread: true, ..less(name, unit, meaning) }
}

/// Of the whole run: its makespan and its summary.
pub(super) const RUN: &[Key] = &[
    time("makespan", "when the last task ended, or the run did"),
    more("throughput_per_s", PerSecond, "tasks that finished in a second"),
    less("context_switches", Count, "how often a processor went from one thread to another"),
    less("migrations", Count, "how often a thread went on on another processor than before"),
    less("deadline_misses", Count, "jobs that ended after their deadlines, or had not ended at them"),
    less("given_up", Count, "operations that tasks gave up, since their time was up"),
    less("given_up_share", Ratio, "the share of tasks that gave something up"),
    less("rejected", Count, "requests and tasks for which there was no room"),
    less("rejected_share", Ratio, "the share of tasks that were turned away"),
    more("fairness_jain", Ratio, "Jain's index of what tasks got of what they wanted; 1 is fair"),
    less("waited_share", Ratio, "the share of tasks in pools that found every worker taken"),
    more("utilisation", Ratio, "the mean utilisation of the processors"),
    more("finished", Count, "tasks that ended"),
    less("unfinished", Count, "tasks with an end that had not come to it"),
    spread("turnaround", Nanoseconds, "from the arrival of a task to its end"),
    spread("first_response", Nanoseconds, "from the arrival of a task to when it first runs"),
    spread("waiting", Nanoseconds, "for how long a task was ready and did not run"),
    spread("slowdown", Ratio, "the turnaround of a task over what it would take alone"),
];

/// Short names of figures of the whole run, and of a kind of tasks, for which everybody looks.
pub(super) const SHORT: &[(&str, &[&str])] = &[
    ("p50", &["turnaround", "p50"]),
    ("p95", &["turnaround", "p95"]),
    ("p99", &["turnaround", "p99"]),
    ("misses", &["deadline_misses"]),
    ("throughput", &["throughput_per_s"]),
    ("fairness", &["fairness_jain"]),
    ("switches", &["context_switches"]),
];

/// … of a kind of tasks.
pub(super) const SHORT_OF_KIND: &[(&str, &[&str])] = &[
    ("p50", &["turnaround", "p50"]),
    ("p95", &["turnaround", "p95"]),
    ("p99", &["turnaround", "p99"]),
    ("misses", &["missed"]),
];

/// Of all tasks of a kind.
pub(super) const KIND: &[Key] = &[
    key("instances", Count, "how many tasks there are"),
    more("finished", Count, "how many of them ended"),
    spread("turnaround", Nanoseconds, "from arrival to end"),
    spread("first_response", Nanoseconds, "from arrival to when it first runs"),
    spread("waiting", Nanoseconds, "for how long it was ready and did not run"),
    spread("slowdown", Ratio, "the turnaround over what it would take alone"),
    less("given_up", Count, "operations that were given up, since their time was up"),
    less("given_up_share", Ratio, "the share of them that gave something up"),
    less("rejected", Count, "requests and tasks for which there was no room"),
    less("rejected_share", Ratio, "the share of them that were turned away"),
    more("served", Count, "how many finished with all that they had asked for"),
    spread("served_turnaround", Nanoseconds, "from arrival to end of those"),
    less("gone", Count, "how many finished without some of it"),
    spread("gone_turnaround", Nanoseconds, "from arrival to end of those"),
    less("waited_for_worker", Count, "how many found every worker of their pool taken"),
    less("waited_share", Ratio, "the share of them that did"),
    key("jobs", Count, "how many jobs were released"),
    more("jobs_finished", Count, "how many of these ended"),
    spread("response", Nanoseconds, "from the release of a job to its end"),
];

/// Of one task, and of its jobs if it is periodic.
pub(super) const INSTANCE: &[Key] = &[
    key("arrival", Nanoseconds, "when it arrived"),
    time("first_run", "when it first ran"),
    time("finish", "when it ended"),
    time("first_response", "from its arrival to when it first ran"),
    time("turnaround", "from its arrival to its end"),
    time("waiting", "for how long it was ready and did not run"),
    key("running", Nanoseconds, "for how long it ran"),
    time("blocked", "for how long it waited for devices, locks and the like"),
    time("overhead", "for how long processors worked for it besides, such as switching"),
    less("slowdown", Ratio, "its turnaround over what it would take alone"),
    less("voluntary_switches", Count, "how often it left a processor by blocking or yielding"),
    less("involuntary_switches", Count, "how often it was put off one"),
    less("migrations", Count, "how often it went on on another processor than before"),
    less("given_up", Count, "operations that it gave up, since their time was up"),
    less("rejected", Count, "how often there was no room for what it asked for"),
    key("released", Count, "how many jobs were released"),
    less("missed", Count, "how many of these missed their deadlines"),
    time("best_response", "the shortest time from the release of a job to its end"),
    time("mean_response", "the mean of these times"),
    time("worst_response", "the longest of them"),
    time("response_jitter", "the longest of them less the shortest"),
    time("mean_tardiness", "by how much jobs ended after their deadlines, in the mean over all"),
    time("max_tardiness", "by how much the latest did"),
];

/// Of a processor.
pub(super) const PROCESSOR: &[Key] = &[
    key("running", Nanoseconds, "for how long tasks ran on it"),
    time("overhead", "for how long it worked besides, such as switching"),
    key("idle", Nanoseconds, "for how long it did nothing"),
    key("utilisation", Ratio, "the share of the time in which tasks ran on it"),
];

/// Of a device.
pub(super) const DEVICE: &[Key] = &[
    key("requests", Count, "how many requests there were"),
    key("busy", Nanoseconds, "for how long any of its channels served"),
    time("seek", "for how long its head moved"),
    less("given_up", Count, "requests whose callers gave up"),
    less("given_up_share", Ratio, "the share of them"),
    less("rejected", Count, "requests for which there was no room"),
    less("rejected_share", Ratio, "the share of them"),
    less("waited", Count, "requests that were not served at once"),
    less("waited_share", Ratio, "the share of them"),
    less("mean_queue", Count, "how many waited, in the mean over time"),
    time("mean_wait", "for how long a request waited"),
    key("mean_in_service", Count, "how many were served at once, in the mean over time"),
    time("mean_service", "for how long a request was served"),
    key("utilisation", Ratio, "the share of the time of its channels in which they served"),
];

/// Of a group.
pub(super) const GROUP: &[Key] = &[
    key("weight", Count, "its weight among the groups beside it"),
    key("due_share", Ratio, "the share of all processor time that its weight gives it"),
    key("quota", Nanoseconds, "how much processor time it may use in each period"),
    key("period", Nanoseconds, "how often it gets its quota anew"),
    key("running", Nanoseconds, "for how long its tasks ran"),
    key("share", Ratio, "the share of all processor time that they had"),
    key("quota_share", Ratio, "what they used of what the quota granted"),
    less("throttles", Count, "how often its quota was used up"),
    time("throttled", "for how long its tasks stood still for that"),
];

const LOCK: &[Key] = &[
    key("acquisitions", Count, "how often it was taken"),
    less("contended", Count, "how often somebody had to wait for it"),
    less("given_up", Count, "how often somebody gave up waiting"),
    time("mean_wait", "for how long somebody who asked for it waited"),
    time("mean_hold", "for how long it was held"),
    key("reads", Count, "how often it was taken for reading"),
    time("spun", "for how long processors spun for it"),
];

const SEMAPHORE: &[Key] = &[
    key("permits", Count, "how many permits it has at first"),
    key("acquisitions", Count, "how often permits were taken"),
    key("added", Count, "permits that were given back without having been taken"),
    less("contended", Count, "how often somebody had to wait for it"),
    less("given_up", Count, "how often somebody gave up waiting"),
    time("mean_wait", "for how long somebody who asked waited"),
    time("mean_hold", "for how long a permit was held"),
];

const CHANNEL: &[Key] = &[
    key("capacity", Count, "how many messages it has room for"),
    key("sent", Count, "messages sent"),
    key("received", Count, "messages received"),
    less("contended", Count, "how often a sender or receiver had to wait"),
    time("mean_wait", "for how long one waited"),
    key("mean_level", Count, "messages in it, in the mean over time"),
    key("max_level", Count, "the most messages in it"),
];

const CONDVAR: &[Key] = &[
    key("waits", Count, "how often somebody waited"),
    key("notifications", Count, "how often somebody notified"),
    less("lost", Count, "notifications that woke nobody"),
    time("mean_wait", "for how long somebody waited"),
];

const BARRIER: &[Key] = &[
    key("parties", Count, "for how many it waits"),
    key("arrivals", Count, "how often somebody came to it"),
    key("rounds", Count, "how often it opened"),
    time("mean_wait", "for how long who came waited"),
];

/// Of a variable.
pub(super) const VARIABLE: &[Key] = &[
    key("value", Count, "what it is at the end"),
    key("changes", Count, "how often it was changed"),
    key("least", Count, "the least that it was"),
    key("most", Count, "the most that it was"),
    key("mean", Count, "what it was, in the mean over time"),
];

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
    key("running", Nanoseconds, "running"),
    time("waiting", "ready, and not running"),
    time("blocked", "waiting for devices, locks and the like"),
    time("overhead", "work of processors besides, such as switching"),
    time("spin", "spinning for a lock"),
    time("processor", "waiting for a processor"),
    time("runtime", "waiting for a thread of its runtime"),
    time("interpreter", "waiting for the interpreter lock"),
    time("throttled", "standing still for a quota"),
    time("nobody", "ready while a processor was free"),
    time("previous-job", "waiting for the job before"),
    time("device-queue", "queueing at a device"),
    time("device-seek", "while the head of a device moved for it"),
    time("device-service", "being served by a device"),
    time("device-sharing", "being served slower, since others share the device"),
    time("lock", "waiting for a lock"),
    time("rwlock", "waiting for a readers-writer lock"),
    time("semaphore", "waiting for a permit"),
    time("channel", "waiting at a channel"),
    time("condvar", "waiting to be notified"),
    time("barrier", "waiting at a barrier"),
    time("timer", "sleeping"),
    time("join", "waiting for tasks that it spawned"),
    time("after", "waiting for tasks after which it comes"),
    time("release", "waiting for its next release"),
];
