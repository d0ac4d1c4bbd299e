//! Findings: what a finished run shows that its reader should know of, with the time it took.
//!
//! - *Priority inversion*: a task waited for a lock while another, less urgent than it, had a processor, and the task
//!   that it finally waited for (the holder, or whom that one waits for, and so on) was ready and had none. So the
//!   less urgent one held up the more urgent one, without having the lock. Only where the policy looks at urgency.
//! - *Inversion by quota*: a task waited for a lock while its holder was ready and stood still, since a group of the holder, in
//!   which the other is not, had used its quota up. No protocol helps: a quota is no priority.
//! - *Lock convoy*: for a time at least two tasks were always waiting for a lock, it was handed over at least
//!   [`CONVOY`] times meanwhile, and the same tasks came back for it. Whoever comes queues, however briefly it is held
//!   (Blasgen, Gray, Mitoma & Price 1979).
//! - *Convoy at an interpreter lock*: at least [`CONVOY`] times a thread came back from waiting, had less to compute than a
//!   switch interval, and waited for at least half of one while another had the lock for an interval or longer in one go. Where all compute so long, or
//!   none does, they take turns as they should.
//! - *Starvation*: others that came later had their turn first, at least [`OVERTAKEN`] times, while a task waited in one
//!   go: for a lock, to the end of the run; in the queue of a device, for at least half of the run; ready without running,
//!   for at least half of the run. Also if it was ready for at least half of the run, to its end, and on all processors
//!   that it may use only more urgent tasks ran meanwhile. Where all are served in the order in which they come, or in
//!   turns, nobody can starve.
//! - *Never given back*: a task ended itself (`"end"`) while it had permits of a semaphore, and has them for ever; so has who never
//!   releases one whose other users all give back what they take. Or nobody releases it at all, and somebody waits for it at the end.
//! - *Stolen wake-up*: a task waited at a condition variable in an `if`, was notified, had its lock back when the condition of
//!   that held again, and went on without another look.
//! - *In vain*: what a task let a pool do went on when the task had given up, and nobody waited for it any more.
//! - *Endless spin*: at the end of the run a task spun for a lock with `spin = "forever"`, and the holder had had no processor since
//!   it began to.
//! - *Deadlock*: when the run was cut at its horizon, some tasks could never have gone on, whatever those that lived on
//!   would have done. (A deadlock of all ends the run, and is its explanation.)
//!
//! They are computed from the record, be it simulated or measured; only the engine knows of deadlocks. The cost is that
//! of sorting the record, and for each wait for a lock that of what the processors did meanwhile. Without a record the
//! sums of a run tell at least who never ran.

mod convoy;
mod ended;
mod endless;
mod homes;
mod in_vain;
mod interpreter;
mod inversion;
mod lent;
mod outranked;
mod starvation;
mod stolen;
mod throttled;
mod turns;
mod urgency;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::engine::Ending;
use crate::ids::{IdVec, SyncId, TaskId};
use crate::metrics::Metrics;
use crate::scenario::Scenario;
use crate::time::Span;
use crate::timeline::{Block, Cause, Hold, Timeline};

/// The kinds of findings, as [`Finding::kind`] names them.
pub const KINDS: [&str; 10] = [
    "deadlock",
    "priority-inversion",
    "quota-inversion",
    "lock-convoy",
    "interpreter-convoy",
    "starvation",
    "never-given-back",
    "stolen-wakeup",
    "in-vain",
    "endless-spin",
];
/// So often a lock is handed over in a convoy, or waited for in one at an interpreter lock.
pub const CONVOY: usize = 10;
/// So often who starves is overtaken.
pub const OVERTAKEN: u64 = 10;
/// So many findings of a kind are told, those that took longest.
const TOLD: usize = 5;

/// Something that the reader of a run should know of.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Finding {
    /// One of [`KINDS`].
    pub kind: &'static str,
    /// Who, whom, why: a sentence.
    pub text: String,
    /// How long, in total.
    pub duration_ns: u64,
}

impl Finding {
    fn new(kind: &'static str, text: String, duration: Span) -> Finding {
        Finding { kind, text, duration_ns: duration.ns() }
    }
}

/// Those who were in a deadlock when the run was cut at its horizon.
#[must_use]
pub fn of_ending(ending: &Ending) -> Option<Finding> {
    let stuck = ending.stuck.as_ref()?;
    Some(Finding::new("deadlock", stuck.explanation.clone(), ending.at.since(stuck.since)))
}

/// What can be found in the sums of a run alone.
#[must_use]
pub fn of_metrics(metrics: &Metrics) -> Vec<Finding> {
    starvation::of_metrics(metrics)
}

/// What can be found in the record of a run.
#[must_use]
pub fn of_timeline(scenario: &Scenario, timeline: &Timeline) -> Vec<Finding> {
    let record = Record::of(timeline);
    let mut findings = longest(inversion::find(scenario, &record));
    findings.extend(longest(throttled::find(&record)));
    findings.extend(longest(convoy::find(&record)));
    findings.extend(longest(interpreter::find(scenario, &record)));
    findings.extend(longest(stolen::find(scenario, timeline)));
    findings.extend(longest(endless::find(scenario, &record)));
    let starvation = starvation::Search::new(scenario, &record);
    findings.extend(longest(starvation.of_locks()));
    findings.extend(longest(starvation.of_devices()));
    findings.extend(longest(starvation.of_ready_tasks()));
    findings.extend(longest(ended::find(scenario, &record)));
    findings.extend(longest(in_vain::find(&record)));
    findings
}

fn longest(mut findings: Vec<Finding>) -> Vec<Finding> {
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.duration_ns));
    findings.truncate(TOLD);
    findings
}

/// A timeline, sorted by locks.
struct Record<'a> {
    timeline: &'a Timeline,
    /// The holds of each object, by their start. Those of no length are left out.
    holds: IdVec<SyncId, Vec<&'a Hold>>,
    /// When tasks were blocked on each object, by their start; likewise.
    blocks: IdVec<SyncId, Vec<&'a Block>>,
}

impl<'a> Record<'a> {
    fn of(timeline: &'a Timeline) -> Record<'a> {
        let syncs = &timeline.cast.syncs;
        let mut holds: IdVec<SyncId, Vec<&Hold>> = syncs.iter().map(|_| Vec::new()).collect();
        let mut blocks: IdVec<SyncId, Vec<&Block>> = syncs.iter().map(|_| Vec::new()).collect();
        timeline.holds.iter().filter(|hold| hold.start < hold.end).for_each(|hold| holds[hold.sync].push(hold));
        for block in timeline.blocks.iter().filter(|block| block.start < block.end) {
            if let Cause::Sync(sync) = block.cause {
                blocks[sync].push(block);
            }
        }
        holds.iter_mut().for_each(|holds| holds.sort_by_key(|hold| (hold.start, hold.end)));
        blocks.iter_mut().for_each(|blocks| blocks.sort_by_key(|block| (block.start, block.end)));
        Record { timeline, holds, blocks }
    }

    /// The objects that are locks: mutexes, rwlocks and semaphores.
    fn locks(&self) -> impl Iterator<Item = SyncId> {
        self.holds.pairs().filter(|(_, holds)| !holds.is_empty()).map(|(sync, _)| sync)
    }

    /// Those times that it was taken: of the permits of one request, once.
    fn acquisitions(&self, sync: SyncId) -> impl Iterator<Item = &'a Hold> {
        self.holds[sync].iter().copied().filter(|hold| !hold.further)
    }

    /// Tasks by their names, instances of a task together: `B`, or `B (3 instances)`. Those of the task of the file that
    /// is named most often come first, else in the order of the file.
    fn names_by_frequency(&self, tasks: &[TaskId]) -> String {
        let spec = |task: TaskId| self.timeline.tasks[task].spec;
        let mut times: BTreeMap<u32, usize> = BTreeMap::new();
        tasks.iter().for_each(|task| *times.entry(spec(*task)).or_default() += 1);
        let ranked = tasks.iter().map(|task| ((Reverse(times[&spec(*task)]), spec(*task)), *task));
        names(ranked, |task| self.timeline.short_name(task))
    }

    /// Tasks by their names, instances of a task together: `B`, or `B (3 instances)`.
    fn names(&self, tasks: impl Iterator<Item = TaskId>) -> String {
        let spec = |task: TaskId| (self.timeline.tasks[task].spec, task);
        names(tasks.map(spec), |task| self.timeline.short_name(task))
    }
}

/// Instances by the names of their tasks, which come in this order: `B`, `B (3 instances)`, `A, B and C`, `A, B and 2 others`.
fn names<S: Ord>(tasks: impl Iterator<Item = (S, TaskId)>, name: impl Fn(TaskId) -> String) -> String {
    let mut by_spec: BTreeMap<S, BTreeSet<TaskId>> = BTreeMap::new();
    for (spec, task) in tasks {
        by_spec.entry(spec).or_default().insert(task);
    }
    let name = |tasks: &BTreeSet<TaskId>| {
        let name = tasks.first().map(|task| name(*task)).unwrap_or_default();
        let plain = name.rsplit_once('#').map_or(name.as_str(), |(plain, _)| plain);
        if tasks.len() > 1 { format!("{plain} ({} instances)", tasks.len()) } else { name }
    };
    let names: Vec<&BTreeSet<TaskId>> = by_spec.values().collect();
    match names.split_last() {
        Some((last, [])) => name(last),
        Some((last, [one])) => format!("{} and {}", name(one), name(last)),
        Some((last, [one, other])) => format!("{}, {} and {}", name(one), name(other), name(last)),
        Some((_, [one, other, rest @ ..])) => format!("{}, {} and {} others", name(one), name(other), rest.len() + 1),
        None => "nobody".to_owned(),
    }
}
