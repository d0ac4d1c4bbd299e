//! The laws of a timeline, stated again from the finished record.
//!
//! The engine and the real executors keep these laws by construction; here they are read from what was recorded and
//! nothing else, so that each watches the other. [`Timeline::check`] wants them exactly, as a simulation must keep them;
//! [`Timeline::check_within`] allows what a recorder cannot resolve. [`Timeline::check_demand`] compares with what the
//! scenario asked for. All mistakes are reported, as sentences. The cost is that of sorting the record.

mod accesses;
mod demand;
mod quotas;
mod syncs;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::fmt;

use super::{Cause, Fate, Interval, Job, Leave, Left, Timeline};
use crate::ids::{IdVec, TaskId};
use crate::scenario::Scenario;
use crate::time::{Span, Time};

/// A law of timelines.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Law {
    /// Nothing ends before it starts.
    Forward,
    /// A processor does one thing at a time, and its intervals are recorded in order.
    Processor,
    /// A thread is on one processor at a time.
    Thread,
    /// A task is on one processor at a time.
    Task,
    /// A task is blocked for one reason at a time, and never while it runs. With [`Law::Task`] and [`Law::Life`] it
    /// follows that running, waiting, blocked and overhead add up to the turnaround.
    Blocked,
    /// What concerns a task lies between its arrival and its finish, or the end of the run.
    Life,
    /// An interval that merely continues the one before is not recorded apart.
    Merged,
    /// An interval that says so is continued at once.
    Continued,
    /// A task's last interval, and no other, says that it finished, when it did; or it finished out of a block.
    Finish,
    /// A request is asked for, then served, then over.
    Request,
    /// A device serves no more requests at once than it has channels.
    Channels,
    /// A lock is asked for, then held, then given back.
    Hold,
    /// Who holds a lock alone holds it alone.
    Lock,
    /// A lock is never free while somebody waits for it. Asked for only of what is recorded exactly.
    HandOver,
    /// No more permits of a semaphore are held than there are.
    Permits,
    /// A channel gives no message that it has not got, and holds no more than it can.
    Channel,
    /// Who waits for a device or a lock has asked for it; who waits for a signal goes on when it comes.
    Cause,
    /// A group that stands still does not run, and no more than its quota runs of a group in any period. Asked for only of what is
    /// recorded exactly.
    Quota,
    /// Who waits for the budget of its server is ready, and runs nowhere.
    Budget,
    /// The jobs of a task are released in order and end in order, none before its release, the last one with the task.
    Job,
    /// A variable is what the changes before have made of it, and who looks at it sees that.
    Variable,
    /// Nobody is both served and gone: who gave up has asked for it, and has not had it.
    Gone,
    /// What was given is what the program asked for.
    Demand,
}

/// A law broken, and where.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Violation {
    /// Which law.
    pub law: Law,
    /// A sentence that names tasks, processors and times.
    pub sentence: String,
}

/// Everything that is wrong with a timeline.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Violations(pub Vec<Violation>);

impl fmt::Display for Violations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, violation) in self.0.iter().enumerate() {
            let newline = if index > 0 { "\n" } else { "" };
            write!(f, "{newline}{:?}: {}", violation.law, violation.sentence)?;
        }
        Ok(())
    }
}

impl std::error::Error for Violations {}

/// How exactly a timeline must keep the laws.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Tolerance(Span);

impl Tolerance {
    /// To the nanosecond: what a simulation must keep.
    pub const EXACT: Tolerance = Tolerance(Span::ZERO);

    /// Up to what a recorder cannot resolve. [`Law::Merged`] is not asked for: a recorder does not see why a task goes on.
    #[must_use]
    pub const fn within(span: Span) -> Tolerance {
        Tolerance(span)
    }

    fn is_exact(self) -> bool {
        self.0.is_zero()
    }

    /// Is `early` no later than `late`?
    fn ordered(self, early: Time, late: Time) -> bool {
        early <= late + self.0
    }

    fn same(self, a: Time, b: Time) -> bool {
        self.ordered(a, b) && self.ordered(b, a)
    }
}

impl Timeline {
    /// Does the timeline keep all laws, to the nanosecond?
    ///
    /// # Errors
    /// All violations.
    pub fn check(&self) -> Result<(), Violations> {
        self.check_within(Tolerance::EXACT)
    }

    /// Does the timeline of a simulation keep all laws?
    ///
    /// An interpreter lock can go round within an instant, a loop to another processor and back, and somebody can be put
    /// off before the switch to it has cost anything. The interval of a task that goes on at once is in two parts then,
    /// and no record of what came between lasts any time: where that can be, [`Law::Merged`] is not asked for.
    ///
    /// # Errors
    /// All violations.
    pub fn check_simulated(&self, scenario: &Scenario) -> Result<(), Violations> {
        let Err(mut violations) = self.check() else { return Ok(()) };
        let machine = &scenario.machine;
        let switches = [machine.context_switch, machine.process_switch, machine.task_switch];
        let starts = [machine.thread_start, machine.process_start];
        if scenario.processes.iter().any(|process| process.executor.gil.is_some())
            || scenario.specs.iter().any(|spec| spec.attributes.affinity.is_some())
            || machine.costs.is_some()
            // Somebody gets a processor at the instant at which it turns out that too little is left.
            || scenario.groups.iter().any(|group| group.quota.is_some())
            || switches.iter().chain(&starts).chain([&machine.migration]).any(|cost| !cost.is_zero())
        {
            violations.0.retain(|violation| violation.law != Law::Merged);
        }
        if violations.0.is_empty() { Ok(()) } else { Err(violations) }
    }

    /// Does the timeline keep the laws as far as its recorder can tell?
    ///
    /// # Errors
    /// All violations.
    pub fn check_within(&self, tolerance: Tolerance) -> Result<(), Violations> {
        let mut check = Check { timeline: self, tolerance, violations: Vec::new() };
        check.lives();
        check.processors();
        check.threads();
        check.tasks();
        check.finishes();
        check.requests();
        check.holds();
        check.channels();
        check.accesses();
        check.causes();
        check.leaves();
        check.endings();
        check.jobs();
        check.quotas();
        check.budgets();
        check.verdict()
    }
}

/// A check under way.
struct Check<'a> {
    timeline: &'a Timeline,
    tolerance: Tolerance,
    violations: Vec<Violation>,
}

/// What a task is busy with.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Busy {
    task: TaskId,
    start: Time,
    end: Time,
    blocked: bool,
}

impl Check<'_> {
    fn verdict(self) -> Result<(), Violations> {
        if self.violations.is_empty() { Ok(()) } else { Err(Violations(self.violations)) }
    }

    fn report(&mut self, law: Law, sentence: String) {
        self.violations.push(Violation { law, sentence });
    }

    fn name(&self, task: TaskId) -> String {
        self.timeline.task_name(task)
    }

    /// Arrival before finish before the end of the run; everything of a task in between.
    fn lives(&mut self) {
        let timeline = self.timeline;
        for (task, life) in timeline.tasks.pairs() {
            let arrival = life.arrival.unwrap_or(Time::NEVER);
            let finish = life.finish.unwrap_or(arrival.max(timeline.end));
            if life.finish.is_some() && !self.tolerance.ordered(arrival, finish) {
                self.report(Law::Life, format!("{} arrives at {arrival} and finishes at {finish}", self.name(task)));
            }
            if !self.tolerance.ordered(life.finish.unwrap_or(Time::ZERO), timeline.end) {
                let name = self.name(task);
                self.report(
                    Law::Life,
                    format!("{name} finishes at {finish}, after the end of the run, {}", timeline.end),
                );
            }
        }
        for interval in &timeline.intervals {
            self.within_life(interval.task, interval.start, interval.end, "is on a processor");
        }
        for block in &timeline.blocks {
            self.within_life(block.task, block.start, block.end, "is blocked");
        }
    }

    fn within_life(&mut self, task: TaskId, start: Time, end: Time, does: &str) {
        let life = self.timeline.tasks[task];
        let (from, to) = (life.arrival.unwrap_or(Time::NEVER), life.finish.unwrap_or(self.timeline.end));
        if start > end {
            self.report(Law::Forward, format!("{} {does} from {start} to {end}", self.name(task)));
        } else if !self.tolerance.ordered(from, start) || !self.tolerance.ordered(end, to) {
            let until = if life.finish.is_some() { "finishes" } else { "is cut off" };
            let name = self.name(task);
            let sentence = format!("{name} {does} from {start} to {end}, but it arrives at {from} and {until} at {to}");
            self.report(Law::Life, sentence);
        }
    }

    /// Each processor's intervals, in the order in which they were recorded.
    fn processors(&mut self) {
        let timeline = self.timeline;
        let mut last: IdVec<_, Option<Interval>> = timeline.cast.processors.iter().map(|_| None).collect();
        let mut last_of_task: IdVec<TaskId, Option<Interval>> = timeline.tasks.iter().map(|_| None).collect();
        for next in &timeline.intervals {
            // In between, within the instant, the task may have been on another processor.
            let stayed = last_of_task[next.task].replace(next) == last[next.cpu];
            if let Some(before) = last[next.cpu].replace(next) {
                self.follows(&before, &next, stayed);
            }
        }
        for interval in last.iter().flatten() {
            if interval.left == Left::Continues && !self.tolerance.same(interval.end, timeline.end) {
                self.not_continued(interval);
            }
        }
    }

    /// `next` is what the processor of `before` did next; if the task `stayed`, it is what the task did next as well.
    fn follows(&mut self, before: &Interval, next: &Interval, stayed: bool) {
        let at_once = self.tolerance.same(before.end, next.start);
        if !self.tolerance.ordered(before.end, next.start) {
            let processor = &self.timeline.cast.processors[next.cpu];
            let (one, other) = (self.name(before.task), self.name(next.task));
            let sentence = format!(
                "processor {processor} has {one} from {} to {}, then {other} from {} to {}",
                before.start, before.end, next.start, next.end
            );
            self.report(Law::Processor, sentence);
        } else if before.left == Left::Continues && !(at_once && before.task == next.task) {
            self.not_continued(before);
        }
        let same = (before.task, before.thread, before.what) == (next.task, next.thread, next.what);
        if same && stayed && before.left.may_go_on() && before.end == next.start && self.tolerance.is_exact() {
            let sentence = format!(
                "{} is on processor {} from {} to {} and merely continues to {}, in two intervals",
                self.name(next.task),
                self.timeline.cast.processors[next.cpu],
                before.start,
                before.end,
                next.end
            );
            self.report(Law::Merged, sentence);
        }
    }

    fn not_continued(&mut self, interval: &Interval) {
        let processor = &self.timeline.cast.processors[interval.cpu];
        let name = self.name(interval.task);
        let sentence = format!("{name} does not go on at {} on processor {processor}, as it should", interval.end);
        self.report(Law::Continued, sentence);
    }

    fn threads(&mut self) {
        let mut intervals: Vec<Interval> = self.timeline.intervals.iter().filter(|i| !i.thread.is_none()).collect();
        intervals.sort_unstable_by_key(|interval| (interval.thread, interval.start, interval.end));
        for (before, next) in overlaps(&intervals, |i| (i.thread, i.start, i.end), self.tolerance) {
            // The same task twice is the task's own violation.
            if before.task != next.task && before.cpu != next.cpu {
                let processors = [before, next].map(|i| &self.timeline.cast.processors[i.cpu]);
                let (one, other) = (self.name(before.task), self.name(next.task));
                let sentence = format!(
                    "the thread of {one} and {other} is on processor {} until {} and on processor {} from {}",
                    processors[0], before.end, processors[1], next.start
                );
                self.report(Law::Thread, sentence);
            }
        }
    }

    /// Each task does one thing at a time: runs here, or there, or is blocked.
    fn tasks(&mut self) {
        let timeline = self.timeline;
        let running =
            timeline.intervals.iter().map(|i| Busy { task: i.task, start: i.start, end: i.end, blocked: false });
        let blocked = timeline.blocks.iter().map(|b| Busy { task: b.task, start: b.start, end: b.end, blocked: true });
        let mut busy: Vec<Busy> = running.chain(blocked).collect();
        busy.sort_unstable();
        for (before, next) in overlaps(&busy, |busy| (busy.task, busy.start, busy.end), self.tolerance) {
            let does = |busy: &Busy| {
                let what = if busy.blocked { "blocked" } else { "on a processor" };
                format!("{what} from {} to {}", busy.start, busy.end)
            };
            let law = if before.blocked || next.blocked { Law::Blocked } else { Law::Task };
            let sentence = format!("{} is {}, and {}", self.name(next.task), does(before), does(next));
            self.report(law, sentence);
        }
    }

    fn finishes(&mut self) {
        let timeline = self.timeline;
        let mut last: IdVec<TaskId, Option<Interval>> = timeline.tasks.iter().map(|_| None).collect();
        for interval in &timeline.intervals {
            let before = last[interval.task].replace(interval);
            if let Some(before) = before.filter(|before| before.left == Left::Finished) {
                let sentence = format!("{} goes on after it finished at {}", self.name(interval.task), before.end);
                self.report(Law::Finish, sentence);
            }
        }
        let mut unblocked: IdVec<TaskId, Option<Time>> = timeline.tasks.iter().map(|_| None).collect();
        for block in &timeline.blocks {
            unblocked[block.task] = unblocked[block.task].max(Some(block.end));
        }
        for (task, life) in timeline.tasks.pairs() {
            let same = |at: Option<Time>| at.is_some_and(|at| life.finish.is_some_and(|f| self.tolerance.same(at, f)));
            let finished = last[task].filter(|interval| interval.left == Left::Finished).map(|interval| interval.end);
            let sentence = match (life.finish, finished) {
                (_, Some(end)) if !same(Some(end)) => {
                    let finish = life.finish.map_or_else(|| "never".into(), |finish| format!("at {finish}"));
                    format!("{} leaves its processor as finished at {end}, but it finishes {finish}", self.name(task))
                }
                // Who is aborted may be ready, and nothing else.
                (Some(finish), None)
                    if last[task].is_some() && !same(unblocked[task]) && life.fate != Fate::Aborted =>
                {
                    format!("{} finishes at {finish}, but neither running nor out of a block", self.name(task))
                }
                _ => continue,
            };
            self.report(Law::Finish, sentence);
        }
    }

    fn requests(&mut self) {
        let timeline = self.timeline;
        let given_up = |leave: &Leave| (leave.task, leave.cause, leave.at);
        let given_up: BTreeSet<_> = timeline.leaves.iter().map(given_up).collect();
        for request in &timeline.requests {
            let start = request.start.unwrap_or(request.end);
            let is_left = || given_up.contains(&(request.task, Cause::Device(request.device), request.end));
            let unserved = request.start.is_none() && !self.tolerance.same(request.end, timeline.end) && !is_left();
            let ordered = self.tolerance.ordered(request.asked, start) && self.tolerance.ordered(start, request.end);
            let served = start + request.seek + request.service;
            let served = self.tolerance.ordered(served, request.end)
                && (timeline.cast.devices[request.device].shared || self.tolerance.ordered(request.end, served));
            if !ordered || !served || unserved || !self.tolerance.ordered(request.end, timeline.end) {
                let start = request.start.map_or_else(|| "never".into(), |start| format!("from {start}"));
                let sentence = format!(
                    "{} asks device {} at {}, is served {start}, until {}, after a seek of {} for {}",
                    self.name(request.task),
                    timeline.cast.devices[request.device].name,
                    request.asked,
                    request.end,
                    request.seek,
                    request.service
                );
                self.report(Law::Request, sentence);
            }
        }
        for (device, named) in timeline.cast.devices.pairs() {
            let Some(channels) = named.channels.filter(|_| !named.shared) else { continue };
            let mut edges: Vec<(Time, i64)> = Vec::new();
            for request in timeline.requests.iter().filter(|request| request.device == device) {
                // A recorder sees each end a little late or early: what is left is served for certain.
                let Some(start) = request.start.map(|start| start + self.tolerance.0) else { continue };
                if start < request.end {
                    edges.extend([(start, 1), (request.end, -1)]);
                }
            }
            edges.sort_unstable();
            let mut served = 0;
            for (at, change) in edges {
                served += change;
                if change > 0 && served > i64::from(channels) {
                    let name = &named.name;
                    let sentence =
                        format!("device {name} serves {served} requests at {at} and has {channels} channels");
                    self.report(Law::Channels, sentence);
                }
            }
        }
    }

    fn jobs(&mut self) {
        let timeline = self.timeline;
        let mut last: IdVec<TaskId, Option<Job>> = timeline.tasks.iter().map(|_| None).collect();
        for job in &timeline.jobs {
            let before = last[job.task].replace(*job);
            let finish = job.over().unwrap_or(Time::NEVER);
            let arrival = timeline.tasks[job.task].arrival.unwrap_or(Time::NEVER);
            let (release, ended) =
                before.map_or((arrival, Time::ZERO), |before| (before.release, before.over().unwrap_or(Time::NEVER)));
            let ordered = self.tolerance.ordered(release, job.release) && self.tolerance.ordered(ended, finish);
            let forward = self.tolerance.ordered(job.release, finish.min(timeline.end)) && job.release <= job.deadline;
            if !ordered || !forward {
                let sentence = format!(
                    "{} has a job from {} to {finish} with the deadline {}, after one released at {release}, ended at {ended}",
                    self.name(job.task),
                    job.release,
                    job.deadline
                );
                self.report(Law::Job, sentence);
            }
        }
        for (task, job) in last.pairs() {
            let (Some(job), Some(finish)) = (job, timeline.tasks[task].finish) else { continue };
            if !job.over().is_some_and(|end| self.tolerance.same(end, finish)) {
                let ends = job.over().map_or_else(|| "never".into(), |end| format!("at {end}"));
                let sentence = format!("{} finishes at {finish}, but its last job ends {ends}", self.name(task));
                self.report(Law::Job, sentence);
            }
        }
    }
}

/// Among items sorted by owner, start and end: each that starts before an earlier one of its owner is over, with the
/// earlier one that lasts longest.
fn overlaps<T: Copy, O: PartialEq>(
    sorted: &[T],
    key: impl Fn(&T) -> (O, Time, Time),
    tolerance: Tolerance,
) -> Vec<(&T, &T)> {
    let mut found = Vec::new();
    let Some(mut longest) = sorted.first() else { return found };
    for next in &sorted[1..] {
        let ((owner, _, until), (of, start, end)) = (key(longest), key(next));
        if owner == of && !tolerance.ordered(until, start) {
            found.push((longest, next));
        }
        if owner != of || end >= until {
            longest = next;
        }
    }
    found
}
