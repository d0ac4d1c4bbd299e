//! The record of a timeline, sorted so that "who had it when" is quickly answered.

use std::collections::BTreeSet;

use super::Doing;
use super::ceilings::Ceilings;
use super::row::Row;
use crate::ids::{CpuId, DeviceId, Id, IdVec, SyncId, TaskId, ThreadId};
use crate::time::Time;
use crate::timeline::lanes::{State, Stretch};
use crate::timeline::{
    Block, Cause, Depletions, Hold, How, Interval, Leave, Request, Runtime, Signal, Spin, Throttles, Timeline, Use,
    What,
};

/// A timeline and who is where in it.
pub(super) struct Index<'a> {
    pub(super) timeline: &'a Timeline,
    pub(super) lanes: IdVec<TaskId, Vec<Stretch>>,
    /// Who was on each processor.
    pub(super) cpus: IdVec<CpuId, Row<&'a Interval>>,
    /// Whom each thread carried on a processor, be it for no time.
    pub(super) threads: IdVec<ThreadId, Row<&'a Interval>>,
    /// Who of each process with an interpreter lock was on a processor, be it for no time.
    pub(super) interpreters: Vec<Row<&'a Interval>>,
    /// The intervals of each task, in order.
    pub(super) intervals: IdVec<TaskId, Vec<&'a Interval>>,
    /// The interval recorded last of each task of the file, and of each process.
    pub(super) last_of_spec: Vec<Option<&'a Interval>>,
    pub(super) last_of_process: Vec<Option<&'a Interval>>,
    /// The blocks of each task, in order.
    pub(super) blocks: IdVec<TaskId, Vec<&'a Block>>,
    /// The requests of each task, in order, and the channel that served each.
    pub(super) requests: IdVec<TaskId, Vec<(&'a Request, u32)>>,
    /// Whom each channel of each device served.
    pub(super) channels: IdVec<DeviceId, Vec<Row<TaskId>>>,
    pub(super) holds: IdVec<SyncId, Holds<'a>>,
    /// Who had which lock with an original ceiling.
    pub(super) ceilings: Ceilings,
    /// What was done to each synchronisation object, in order.
    pub(super) signals: IdVec<SyncId, Vec<&'a Signal>>,
    /// The conditions that each task looked at, in order: at which operation, and whether it held.
    pub(super) tests: IdVec<TaskId, Vec<(u32, bool)>>,
    /// What each task has given up, or was turned away from, in order.
    pub(super) leaves: IdVec<TaskId, Vec<&'a Leave>>,
    /// When each task spun, in order.
    pub(super) spins: IdVec<TaskId, Vec<&'a Spin>>,
    /// For each process whose workers change threads: at each moment, who of it has been on a processor longest.
    pub(super) colleagues: Vec<Row<TaskId>>,
    /// When each group stood still, on one processor or on all, in order.
    pub(super) throttles: Throttles,
    /// When each task waited for the budget of its server.
    pub(super) depletions: Depletions,
    /// When the instances of each task of the file finished ([`Time::NEVER`] for those that did not), sorted.
    pub(super) finishes: Vec<Vec<(Time, TaskId)>>,
}

/// Who held a synchronisation object.
#[derive(Default)]
pub(super) struct Holds<'a> {
    /// By their ends, then by their starts.
    pub(super) by_end: Vec<&'a Hold>,
    /// At each moment, who of the holders had held it longest.
    pub(super) elders: Row<TaskId>,
}

impl<'a> Index<'a> {
    /// Of a timeline, with its intervals unpacked.
    pub(super) fn new(timeline: &'a Timeline, intervals: &'a [Interval]) -> Index<'a> {
        let mut index = Index {
            timeline,
            lanes: timeline.lanes(),
            cpus: timeline.cast.processors.iter().map(|_| Row::default()).collect(),
            threads: IdVec::new(),
            interpreters: timeline.cast.processes.iter().map(|_| Row::default()).collect(),
            intervals: timeline.tasks.iter().map(|_| Vec::new()).collect(),
            last_of_spec: vec![None; timeline.cast.specs.len()],
            last_of_process: vec![None; timeline.cast.processes.len()],
            blocks: timeline.tasks.iter().map(|_| Vec::new()).collect(),
            requests: timeline.tasks.iter().map(|_| Vec::new()).collect(),
            channels: timeline.cast.devices.iter().map(|_| Vec::new()).collect(),
            holds: timeline.cast.syncs.iter().map(|_| Holds::default()).collect(),
            ceilings: Ceilings::of(timeline),
            signals: timeline.cast.syncs.iter().map(|_| Vec::new()).collect(),
            tests: timeline.tasks.iter().map(|_| Vec::new()).collect(),
            leaves: timeline.tasks.iter().map(|_| Vec::new()).collect(),
            spins: timeline.tasks.iter().map(|_| Vec::new()).collect(),
            colleagues: Vec::new(),
            throttles: Throttles::of(timeline),
            depletions: Depletions::of(timeline),
            finishes: vec![Vec::new(); timeline.cast.specs.len()],
        };
        index.seat_intervals(intervals);
        index.seat_requests();
        index.seat_holds();
        index.seat_colleagues();
        timeline.signals.iter().for_each(|signal| index.signals[signal.sync].push(signal));
        index.signals.iter_mut().for_each(|signals| signals.sort_by_key(|signal| signal.at));
        for access in &timeline.accesses {
            if let Use::Tested { op, holds } = access.how {
                index.tests[access.task].push((op, holds));
            }
        }
        for leave in timeline.leaves.iter().filter(|leave| leave.how != How::Dropped) {
            index.leaves[leave.task].push(leave);
        }
        index.leaves.iter_mut().for_each(|leaves| leaves.sort_by_key(|leave| leave.at));
        timeline.spins.iter().for_each(|spin| index.spins[spin.task].push(spin));
        index.spins.iter_mut().for_each(|spins| spins.sort_by_key(|spin| spin.start));
        for block in &timeline.blocks {
            index.blocks[block.task].push(block);
        }
        index.blocks.iter_mut().for_each(|blocks| blocks.sort_by_key(|block| block.start));
        for (task, life) in timeline.tasks.pairs() {
            index.finishes[life.spec as usize].push((life.finish.unwrap_or(Time::NEVER), task));
        }
        index.finishes.iter_mut().for_each(|finishes| finishes.sort_unstable());
        index
    }

    fn seat_intervals(&mut self, intervals: &'a [Interval]) {
        let threads = intervals.iter().map(|interval| interval.thread).filter(|id| !id.is_none()).max();
        self.threads = (0..threads.map_or(0, |last| last.index() + 1)).map(|_| Row::default()).collect();
        let mut sorted: Vec<&Interval> = intervals.iter().collect();
        for interval in &sorted {
            let (spec, process) = (self.timeline.tasks[interval.task].spec, self.process(interval.task));
            self.last_of_spec[spec as usize] = Some(interval);
            self.last_of_process[process] = Some(interval);
        }
        // Stable: what takes no time stays in the order in which it was recorded.
        sorted.sort_by_key(|interval| (interval.start, interval.end));
        for interval in sorted {
            let (start, end) = (interval.start, interval.end);
            self.intervals[interval.task].push(interval);
            if start < end {
                self.cpus[interval.cpu].push(start, end, interval);
            }
            if !interval.thread.is_none() {
                self.threads[interval.thread].push(start, end, interval);
            }
            let process = self.process(interval.task);
            if self.runtime(process).has_interpreter() && !interval.came_to_nothing() {
                let whole = self.timeline.cast.whole(u32::try_from(process).unwrap_or(u32::MAX)) as usize;
                self.interpreters[whole].push(start, end, interval);
            }
        }
    }

    /// The records say when a request was served, not by which channel: each takes the one that was freed last.
    fn seat_requests(&mut self) {
        let mut sorted: Vec<&Request> = self.timeline.requests.iter().collect();
        sorted.sort_by_key(|request| (request.start.unwrap_or(Time::NEVER), request.asked));
        let mut free: IdVec<DeviceId, BTreeSet<(Time, u32)>> =
            self.timeline.cast.devices.iter().map(|_| BTreeSet::new()).collect();
        for request in sorted {
            let device = &self.timeline.cast.devices[request.device];
            let channel = match (request.start, device.channels) {
                (Some(start), Some(most)) if !device.shared => {
                    let (free, rows) = (&mut free[request.device], &mut self.channels[request.device]);
                    let channel = take_channel(free, rows, start, most);
                    free.insert((request.end, channel));
                    rows[channel as usize].push(start, request.end, request.task);
                    channel
                }
                _ => 0,
            };
            self.requests[request.task].push((request, channel));
        }
        self.requests.iter_mut().for_each(|requests| requests.sort_by_key(|(request, _)| (request.asked, request.end)));
    }

    fn seat_holds(&mut self) {
        for hold in self.timeline.holds.iter().filter(|hold| hold.start < hold.end) {
            self.holds[hold.sync].by_end.push(hold);
        }
        for holds in self.holds.iter_mut() {
            let spans = holds.by_end.iter().map(|hold| (hold.start, hold.end, hold.task));
            holds.elders = Row::of_overlapping(spans, BTreeSet::first);
            holds.by_end.sort_by_key(|hold| (hold.end, hold.start, hold.task));
        }
    }

    fn seat_colleagues(&mut self) {
        let of_process = |process: usize| {
            if self.runtime(process) != Runtime::HandingOff {
                return Row::default();
            }
            let ours = self.timeline.intervals.iter().filter(|interval| self.process(interval.task) == process);
            let spans = ours.filter(|on| on.start < on.end).map(|on| (on.start, on.end, on.task));
            Row::of_overlapping(spans, BTreeSet::first)
        };
        self.colleagues = (0..self.timeline.cast.processes.len()).map(of_process).collect();
    }

    /// The process of a task.
    pub(super) fn process(&self, task: TaskId) -> usize {
        self.timeline.cast.specs[self.timeline.tasks[task].spec as usize].process as usize
    }

    /// Whom it follows that a task came at this time: who spawned it, or the branch whose end let this one begin.
    pub(super) fn origin(&self, task: TaskId, at: Time) -> Option<TaskId> {
        let spec = self.timeline.tasks[task].spec;
        let mut awaited = self.timeline.cast.awaited.iter();
        let is_branch = awaited.any(|known| known.branches.contains(&spec));
        let parent = self.parent(task, at);
        if !is_branch || parent.is_some() {
            return parent;
        }
        // Who has branches waits for them from when it has come to them on.
        let begins = |parent: &TaskId| {
            let blocks = &self.blocks[*parent];
            let mut there = blocks[blocks.partition_point(|block| block.start < at)..].iter();
            there.next().is_some_and(|block| block.start == at && block.cause == Cause::Join)
        };
        let parents = (0..).zip(&self.timeline.cast.awaited).filter(|(_, known)| known.branches.contains(&spec));
        let of = |parent: usize| {
            let all = &self.finishes[parent];
            all[all.partition_point(|(finish, _)| *finish < at)..].iter().map(|(_, parent)| *parent)
        };
        let comes_to_it = parents.flat_map(|(parent, _)| of(parent)).filter(begins).min();
        let ended = &self.finishes[spec as usize];
        let colleague = ended.get(ended.partition_point(|(finish, _)| *finish < at));
        let colleague = colleague.filter(|(finish, other)| *finish == at && *other != task);
        comes_to_it.or(colleague.map(|(_, other)| *other))
    }

    /// Who spawned a task that arrived at this time: somebody whose program does, and who was on a processor just then. Of
    /// several the first; the record does not tell them apart.
    fn parent(&self, task: TaskId, at: Time) -> Option<TaskId> {
        let spec = self.timeline.tasks[task].spec;
        let awaited = &self.timeline.cast.awaited;
        let parents = (0..).zip(awaited).filter(|(_, known)| known.spawns.contains(&spec));
        // Who has finished before did not do it.
        let alive = parents.flat_map(|(parent, _): (usize, _)| {
            let all = &self.finishes[parent];
            &all[all.partition_point(|(finish, _)| *finish < at)..]
        });
        let was_on = |parent: &TaskId| {
            let own = &self.intervals[*parent];
            let next = own.partition_point(|interval| interval.end < at);
            // What spawning takes may end just then.
            let mut there = own[next..].iter().take_while(|interval| interval.start <= at);
            there.any(|interval| interval.what == What::Run)
        };
        alive.map(|(_, parent)| *parent).filter(was_on).min()
    }

    /// How the tasks of a process come to threads.
    pub(super) fn runtime(&self, process: usize) -> Runtime {
        self.timeline.cast.runtimes.get(process).copied().unwrap_or_default()
    }

    /// Visits what a task was doing between two instants.
    pub(super) fn doings(&self, task: TaskId, from: Time, to: Time, mut visit: impl FnMut(Time, Time, Doing)) {
        let lane = &self.lanes[task];
        let mut at = from;
        for stretch in &lane[lane.partition_point(|stretch| stretch.end <= from)..] {
            let (start, end) = (stretch.start.clamp(at, to), stretch.end.min(to));
            if at < start {
                visit(at, start, Doing::Absent);
            }
            if start >= end {
                at = start;
                break;
            }
            let doing = match stretch.state {
                State::Running => Doing::Running,
                State::Overhead => Doing::Switching,
                State::Starting => Doing::Starting,
                State::Ready => Doing::Waiting,
                State::Blocked(cause) => Doing::Blocked(cause),
            };
            visit(start, end, doing);
            at = end;
        }
        if at < to {
            visit(at, to, Doing::Absent);
        }
    }
}

/// What somebody on a processor is doing there.
pub(super) fn doing(interval: &Interval) -> Doing {
    match interval.what {
        What::Run => Doing::Running,
        What::Switch => Doing::Switching,
        What::Start => Doing::Starting,
    }
}

/// A channel for a service that starts now: the one freed last, else a new one; if there is none (which only an
/// imprecise record claims) the one to be free first.
fn take_channel(free: &mut BTreeSet<(Time, u32)>, rows: &mut Vec<Row<TaskId>>, start: Time, most: u32) -> u32 {
    let freed = free.range(..=(start, u32::MAX)).next_back().copied();
    let known = u32::try_from(rows.len()).unwrap_or(u32::MAX);
    let taken = match freed {
        None if known < most.max(1) => {
            rows.push(Row::default());
            return known;
        }
        None => free.first().copied(),
        freed => freed,
    };
    taken.map_or(0, |taken| {
        free.remove(&taken);
        taken.1
    })
}
