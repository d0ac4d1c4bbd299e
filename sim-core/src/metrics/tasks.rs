//! The sums of tasks, kept so that an interval touches 32 bytes, and a task that only computes has few more.
//!
//! What changes with every interval of a task lies together, two tasks to a cache line. What changes once (when it came and
//! went) is apart, and what many tasks never need (blocks, requests, overhead, jobs) is there from the first that does.
//! Who a task is needs no entry of its own: instances mostly come one after the other.

use std::collections::{BTreeMap, BTreeSet};
use std::hint::black_box;

use super::sums::{Gone, JobSums};
use crate::ids::{CpuId, Id, IdVec, TaskId};
use crate::time::{Span, Time};
use crate::timeline::{Fate, How, Interval, Left};

/// What one instance did.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TaskSums {
    /// Index into [`Cast::specs`](crate::timeline::Cast::specs).
    pub spec: u32,
    /// Which instance.
    pub instance: u32,
    /// [`Time::NEVER`] if the run ended before.
    pub arrival: Time,
    /// When it first used a processor for any time; [`Time::NEVER`] if it did not.
    pub first_run: Time,
    /// When it was over; [`Time::NEVER`] if it was not.
    pub finish: Time,
    /// In which way, if it was.
    pub fate: Fate,
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
    /// Times it left a processor by blocking or yielding.
    pub voluntary_switches: u64,
    /// Times it was taken off a processor while it was still ready.
    pub involuntary_switches: u64,
    /// Times it resumed on another processor than its last.
    pub migrations: u64,
}

impl TaskSums {
    /// What became of it; `None` as long as it is not over.
    #[must_use]
    pub fn ended_as(&self) -> Option<Fate> {
        (!self.finish.is_never()).then_some(self.fate)
    }

    /// Is it over, and not because others ended it?
    #[must_use]
    pub fn has_finished(&self) -> bool {
        self.ended_as().is_some_and(Fate::is_own_end)
    }
}

/// The sums of all tasks. Those of one are put together when they are asked for.
#[derive(Clone, Debug, Default)]
pub struct Tasks {
    names: Vec<Names>,
    turns: IdVec<TaskId, Turns>,
    lives: IdVec<TaskId, Life>,
    /// As far as the last task that needs them.
    pauses: Vec<Pauses>,
    jobs: Vec<JobSums>,
    /// How those were over that did not come to the end of their program.
    fates: BTreeMap<TaskId, Fate>,
    /// How often tasks went without what they had asked for, of those that did.
    gone: BTreeMap<TaskId, Gone>,
    /// Those that went on with something nobody waited for any more.
    abandoned: BTreeSet<TaskId>,
    /// Those that nobody took and whose callers went without: both tell of one rejection.
    refused: BTreeSet<TaskId>,
    /// Those that whoever had called for them ran.
    guests: BTreeSet<TaskId>,
    /// So often each count of [`Turns`] has begun anew.
    carried: BTreeMap<(TaskId, usize), u64>,
    /// About so many tasks will come.
    expected: usize,
}

/// Instances of a task of the file that came one after the other, from this one on.
#[derive(Clone, Copy, Debug)]
struct Names {
    first: TaskId,
    spec: u32,
    instance: u32,
}

/// What changes whenever a task leaves a processor.
#[derive(Clone, Copy, Debug)]
#[repr(align(32))]
struct Turns {
    running_ns: u64,
    first_run: Time,
    last_cpu: CpuId,
    /// By [`VOLUNTARY`], [`INVOLUNTARY`] and [`MIGRATIONS`].
    counts: [u32; 3],
}

const VOLUNTARY: usize = 0;
const INVOLUNTARY: usize = 1;
const MIGRATIONS: usize = 2;

#[derive(Clone, Copy, Debug)]
struct Life {
    arrival: Time,
    finish: Time,
}

/// Time in which a task did not compute.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Pauses {
    pub(super) blocked: Span,
    pub(super) contended: Span,
    pub(super) unreleased: Span,
    pub(super) overhead: Span,
}

impl Tasks {
    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.turns.len()
    }

    /// Are there none?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.turns.is_empty()
    }

    /// What one instance did.
    ///
    /// # Panics
    /// If there is no such instance.
    #[must_use]
    pub fn of(&self, task: TaskId) -> TaskSums {
        let names = self.names[self.names.partition_point(|names| names.first <= task) - 1];
        let (turns, life) = (&self.turns[task], &self.lives[task]);
        let pauses = self.pauses.get(task.index()).copied().unwrap_or_default();
        let count = |which: usize| {
            u64::from(turns.counts[which]) + (self.carried.get(&(task, which)).copied().unwrap_or_default() << 32)
        };
        TaskSums {
            spec: names.spec,
            instance: names.instance + (task.0 - names.first.0),
            arrival: life.arrival,
            first_run: turns.first_run,
            finish: life.finish,
            fate: self.fates.get(&task).copied().unwrap_or_default(),
            running: Span::from_ns(turns.running_ns),
            blocked: pauses.blocked,
            contended: pauses.contended,
            unreleased: pauses.unreleased,
            overhead: pauses.overhead,
            voluntary_switches: count(VOLUNTARY),
            involuntary_switches: count(INVOLUNTARY),
            migrations: count(MIGRATIONS),
        }
    }

    /// What each did, in the order of their ids.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = TaskSums> {
        self.turns.ids().map(|task| self.of(task))
    }

    /// The same with their ids.
    pub fn pairs(&self) -> impl ExactSizeIterator<Item = (TaskId, TaskSums)> {
        self.turns.ids().map(|task| (task, self.of(task)))
    }

    /// The jobs of a task; none of one that is not periodic.
    #[must_use]
    pub fn jobs(&self, task: TaskId) -> JobSums {
        self.jobs.get(task.index()).copied().unwrap_or_default()
    }

    /// The jobs of each task, in the order of their ids.
    pub fn all_jobs(&self) -> impl ExactSizeIterator<Item = JobSums> {
        self.turns.ids().map(|task| self.jobs(task))
    }

    pub(super) fn expect(&mut self, tasks: usize) {
        self.turns.reserve(tasks);
        self.lives.reserve(tasks);
        self.expected = tasks;
    }

    pub(super) fn push(&mut self, spec: u32, instance: u32) {
        let nothing = Turns { running_ns: 0, first_run: Time::NEVER, last_cpu: CpuId::NONE, counts: [0; 3] };
        let task = self.turns.push(nothing);
        self.lives.push(Life { arrival: Time::NEVER, finish: Time::NEVER });
        let follows = |last: &Names| last.spec == spec && last.instance + (task.0 - last.first.0) == instance;
        if !self.names.last().is_some_and(follows) {
            self.names.push(Names { first: task, spec, instance });
        }
    }

    pub(super) fn arrives(&mut self, task: TaskId, at: Time) {
        self.lives[task].arrival = at;
    }

    /// How often a task went without what it had asked for; one that nobody took was turned away once.
    #[must_use]
    pub fn gone(&self, task: TaskId) -> Gone {
        let mut gone = self.gone.get(&task).copied().unwrap_or_default();
        gone.rejected += u64::from(self.fates.get(&task) == Some(&Fate::Rejected));
        gone
    }

    /// How often a task was turned away, unless its caller tells of it, too.
    #[must_use]
    pub fn rejections(&self, task: TaskId) -> u64 {
        self.gone(task).rejected - u64::from(self.refused.contains(&task))
    }

    /// How often all tasks together went without: what a pool did not take of whoever called for it is one rejection.
    #[must_use]
    pub fn all_gone(&self) -> Gone {
        let is_alone = |(task, fate): &(&TaskId, &Fate)| **fate == Fate::Rejected && !self.refused.contains(task);
        let rejected = self.fates.iter().filter(is_alone).count() as u64;
        let sum = |sum: Gone, gone: &Gone| Gone {
            given_up: sum.given_up + gone.given_up,
            rejected: sum.rejected + gone.rejected,
        };
        self.gone.values().fold(Gone { given_up: 0, rejected }, sum)
    }

    /// Did anybody go without what it had asked for?
    #[must_use]
    pub fn somebody_went_without(&self) -> bool {
        !self.gone.is_empty() || self.fates.values().any(|fate| *fate == Fate::Rejected)
    }

    /// Did the task go on with something for which nobody waited any more?
    #[must_use]
    pub fn was_abandoned(&self, task: TaskId) -> bool {
        self.abandoned.contains(&task)
    }

    /// Did whoever had called for the task run it, since its pool was full?
    #[must_use]
    pub fn was_guest(&self, task: TaskId) -> bool {
        self.guests.contains(&task)
    }

    pub(super) fn is_guest(&mut self, task: TaskId) {
        self.guests.insert(task);
    }

    pub(super) fn goes_without(&mut self, task: TaskId, how: How) {
        self.gone.entry(task).or_default().add(how);
    }

    /// Who let a pool do what the task is goes on without.
    pub(super) fn is_without(&mut self, task: TaskId, how: How) {
        match how {
            How::GaveUp | How::Dropped => drop(self.abandoned.insert(task)),
            How::TurnedAway => drop(self.refused.insert(task)),
        }
    }

    pub(super) fn finishes(&mut self, task: TaskId, at: Time, fate: Fate) {
        self.lives[task].finish = at;
        if fate != Fate::Finished {
            self.fates.insert(task, fate);
        }
    }

    /// Has what an interval adds to brought into the cache.
    #[inline]
    pub(super) fn touch(&self, task: TaskId) {
        black_box(self.turns[task].running_ns);
    }

    /// It ran for so long. The way that is mostly taken is short, and ends where something happens that seldom does.
    #[inline]
    pub(super) fn ran(&mut self, interval: &Interval, ns: u64) {
        let turns = &mut self.turns[interval.task];
        turns.running_ns = turns.running_ns.wrapping_add(ns);
        let Some(which) = counted(interval.left) else { return self.seldom(interval, false) };
        let count = turns.counts[which].wrapping_add(1);
        turns.counts[which] = count;
        if count == 0 || interval.start < turns.first_run || interval.cpu != turns.last_cpu {
            self.seldom(interval, count == 0);
        }
    }

    /// It ran for the first time, here and last elsewhere, for the last time, or the count of how it left began `anew`.
    #[inline(never)]
    fn seldom(&mut self, interval: &Interval, anew: bool) {
        let turns = &mut self.turns[interval.task];
        // A task that only issued a request in passing has not run yet.
        if interval.start < interval.end {
            turns.first_run = turns.first_run.min(interval.start);
        }
        let last = std::mem::replace(&mut turns.last_cpu, interval.cpu);
        if last != interval.cpu && !last.is_none() {
            turns.counts[MIGRATIONS] = turns.counts[MIGRATIONS].wrapping_add(1);
            if turns.counts[MIGRATIONS] == 0 {
                self.carry(interval.task, MIGRATIONS);
            }
        }
        if let Some(which) = counted(interval.left).filter(|_| anew) {
            self.carry(interval.task, which);
        }
    }

    #[cold]
    fn carry(&mut self, task: TaskId, which: usize) {
        *self.carried.entry((task, which)).or_default() += 1;
    }

    #[inline]
    pub(super) fn pauses(&mut self, task: TaskId) -> &mut Pauses {
        if task.index() >= self.pauses.len() {
            lengthen(&mut self.pauses, self.turns.len(), self.expected);
        }
        &mut self.pauses[task.index()]
    }

    #[inline]
    pub(super) fn jobs_mut(&mut self, task: TaskId) -> &mut JobSums {
        if task.index() >= self.jobs.len() {
            lengthen(&mut self.jobs, self.turns.len(), self.expected);
        }
        &mut self.jobs[task.index()]
    }
}

/// What is counted of those who leave a processor like that.
#[inline]
fn counted(left: Left) -> Option<usize> {
    match left {
        Left::Preempted => Some(INVOLUNTARY),
        Left::Blocked | Left::Yielded => Some(VOLUNTARY),
        Left::Continues | Left::Finished => None,
    }
}

/// Makes an entry for each task there is.
#[cold]
fn lengthen<T: Clone + Default>(entries: &mut Vec<T>, tasks: usize, expected: usize) {
    if entries.is_empty() {
        entries.reserve_exact(tasks.max(expected));
    }
    entries.resize(tasks, T::default());
}

/// Equal sums: of what is nowhere needed there may be entries or not.
impl PartialEq for Tasks {
    fn eq(&self, other: &Tasks) -> bool {
        self.iter().eq(other.iter()) && self.all_jobs().eq(other.all_jobs()) && self.gone == other.gone
    }
}

impl Eq for Tasks {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::ThreadId;
    use crate::timeline::What;

    #[test]
    fn what_an_interval_touches_has_32_bytes() {
        assert_eq!(size_of::<Turns>(), 32);
        assert!(size_of::<Turns>() + size_of::<Life>() <= 56);
    }

    #[test]
    fn instances_know_who_they_are() {
        let names = [(0, 0), (0, 1), (0, 2), (1, 0), (2, 5), (2, 6), (0, 3), (2, 7), (2, 9)];
        let mut tasks = Tasks::default();
        names.iter().for_each(|(spec, instance)| tasks.push(*spec, *instance));
        assert!(tasks.iter().map(|task| (task.spec, task.instance)).eq(names));
        assert_eq!(tasks.names.len(), 6);
    }

    #[test]
    fn counters_go_on_beyond_32_bits() {
        let mut tasks = Tasks::default();
        tasks.push(0, 0);
        let task = TaskId(0);
        let full = u64::from(u32::MAX);
        tasks.turns[task].counts = [u32::MAX; 3];
        for (cpu, left) in [(0, Left::Yielded), (1, Left::Preempted), (0, Left::Finished)] {
            let [start, end] = [5, 9].map(Time::from_ns);
            let cpu = CpuId(cpu);
            tasks.ran(&Interval { start, end, task, thread: ThreadId(0), cpu, what: What::Run, left }, 4);
        }
        let sums = tasks.of(task);
        assert_eq!(sums.voluntary_switches, full + 1);
        assert_eq!(sums.involuntary_switches, full + 1);
        assert_eq!(sums.migrations, full + 2);
    }
}
