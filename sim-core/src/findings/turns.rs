//! Turns: each time that a task waited for one, and when it had it.
//!
//! A ready task waits on one floor after the other: for a turn in its runtime (a worker, the thread of an event loop, the
//! interpreter lock), then with its thread for a processor. Only those who wait in the same queue can overtake each other:
//! who has a worker already and comes back from a device, or was put off by the kernel, takes nobody's place in the
//! queue for workers.

use std::collections::{BTreeMap, BTreeSet};

use crate::ids::{CpuId, IdVec, TaskId, ThreadId};
use crate::time::Time;
use crate::timeline::lanes::{State, Stretch};
use crate::timeline::{Interval, Left, Runtime, Timeline, What};

/// Somebody waited for its turn: at a lock, at a device, in its runtime, for a processor.
#[derive(Clone, Copy, Debug)]
pub(super) struct Turn {
    pub(super) who: TaskId,
    pub(super) came: Time,
    /// [`Time::NEVER`] if it did not get it before the end of the run.
    pub(super) got: Time,
    /// On which processor, if it was one.
    pub(super) cpu: CpuId,
}

impl Turn {
    /// For something that is no processor.
    pub(super) fn new(who: TaskId, came: Time, got: Time) -> Turn {
        Turn { who, came, got, cpu: CpuId::NONE }
    }

    /// Did the other come later, and have its turn before this one?
    pub(super) fn is_overtaken_by(&self, other: &Turn) -> bool {
        other.came > self.came && other.got < self.got
    }
}

/// The turns of ready tasks, by what they waited for.
pub(super) struct Turns {
    pub(super) processors: Vec<Turn>,
    /// Of each process.
    pub(super) runtimes: Vec<Vec<Turn>>,
}

/// A task was put on a processor. Before it there were ...
#[derive(Clone, Copy)]
struct Dispatch<'a> {
    interval: &'a Interval,
    /// ... this on the same thread,
    on_thread: Option<&'a Interval>,
    /// and this of the same process.
    in_process: Option<&'a Interval>,
}

/// A stretch in which a task was ready.
struct Wait<'a> {
    who: TaskId,
    came: Time,
    got: Time,
    /// How it ended.
    dispatch: Option<Dispatch<'a>>,
    has_run: bool,
}

impl Turns {
    /// Those of a run. In the queue of a process that is `in_order` whoever comes first has its turn first.
    pub(super) fn of(timeline: &Timeline, in_order: impl Fn(usize) -> bool) -> Turns {
        let mut sorted: Vec<Interval> = timeline.intervals.iter().collect();
        // Stable: what takes no time stays in the order in which it was recorded.
        sorted.sort_by_key(|interval| (interval.start, interval.end));
        let floors = Floors::of(timeline, &sorted);
        let mut turns =
            Turns { processors: Vec::new(), runtimes: timeline.cast.processes.iter().map(|_| Vec::new()).collect() };
        for (who, lane) in timeline.lanes().pairs() {
            floors.waits(who, lane, |wait| turns.enter(&floors, wait));
        }
        for process in 0..turns.runtimes.len() {
            if in_order(process) {
                turns.keep_order(process);
            }
        }
        turns
    }

    /// A worker may have taken a task and wait for a processor, which no interval tells. But where those who come first
    /// are taken first, everybody has been taken when somebody is who came later.
    fn keep_order(&mut self, process: usize) {
        let turns = &mut self.runtimes[process];
        turns.sort_by_key(|turn| (turn.came, turn.got));
        let (mut taken, mut later, mut never) = (BTreeMap::new(), Time::NEVER, Vec::new());
        for together in turns.chunk_by_mut(|one, other| one.came == other.came).rev() {
            let first = together.iter().map(|turn| turn.got).min().unwrap_or(Time::NEVER);
            for turn in together.iter_mut().filter(|turn| turn.got > later) {
                taken.insert((turn.who, turn.got), later);
                if turn.got.is_never() {
                    never.push(Turn::new(turn.who, later, Time::NEVER));
                }
                turn.got = later;
            }
            later = later.min(first);
        }
        for turn in &mut self.processors {
            if let Some(at) = taken.get(&(turn.who, turn.came)) {
                turn.came = *at;
            }
        }
        self.processors.append(&mut never);
    }

    fn enter(&mut self, floors: &Floors<'_>, wait: &Wait<'_>) {
        let Wait { who, came, got, dispatch, .. } = *wait;
        let upstairs = floors.in_runtime_until(wait);
        if let Some(until) = upstairs {
            self.runtimes[floors.process(who)].push(Turn::new(who, came, until));
        }
        let came = upstairs.unwrap_or(came);
        // A worker that goes on with another task does not give up its processor.
        let goes_on = dispatch.is_some_and(|Dispatch { interval, on_thread, .. }| {
            on_thread.is_some_and(|before| before.task != who && before.end == got && before.cpu == interval.cpu)
        });
        if !came.is_never() && !goes_on {
            let cpu = dispatch.map_or(CpuId::NONE, |dispatch| dispatch.interval.cpu);
            self.processors.push(Turn { who, came, got, cpu });
        }
    }
}

/// Who was on which thread, one after the other.
struct Floors<'a> {
    timeline: &'a Timeline,
    dispatches: IdVec<TaskId, Vec<Dispatch<'a>>>,
    /// The last of each process.
    last: Vec<Option<&'a Interval>>,
    /// Of each process, some who had begun and not ended when the run did; two say enough.
    begun: Vec<BTreeSet<TaskId>>,
}

impl<'a> Floors<'a> {
    /// Of these intervals, which are those of the timeline by time.
    fn of(timeline: &'a Timeline, sorted: &'a [Interval]) -> Floors<'a> {
        let processes = timeline.cast.processes.len();
        let mut floors = Floors {
            timeline,
            dispatches: timeline.tasks.iter().map(|_| Vec::new()).collect(),
            last: vec![None; processes],
            begun: vec![BTreeSet::new(); processes],
        };
        let mut threads: IdVec<ThreadId, Option<&Interval>> = IdVec::new();
        for interval in sorted.iter().filter(|interval| interval.what != What::Start) {
            let process = floors.process(interval.task);
            let mut unknown = None;
            let thread = if interval.thread.is_none() {
                &mut unknown
            } else {
                while threads.get(interval.thread).is_none() {
                    threads.push(None);
                }
                &mut threads[interval.thread]
            };
            let lock = floors.lock_of(process);
            let (on_thread, in_process) = (thread.replace(interval), floors.last[lock].replace(interval));
            floors.dispatches[interval.task].push(Dispatch { interval, on_thread, in_process });
        }
        for (task, life) in timeline.tasks.pairs() {
            let begun = &mut floors.begun[floors.timeline.cast.specs[life.spec as usize].process as usize];
            if life.finish.is_none() && begun.len() < 2 && !floors.dispatches[task].is_empty() {
                begun.insert(task);
            }
        }
        floors
    }

    fn process(&self, task: TaskId) -> usize {
        self.timeline.cast.specs[self.timeline.tasks[task].spec as usize].process as usize
    }

    /// The process whose interpreter lock the threads of this one need; itself, if they need none.
    fn lock_of(&self, process: usize) -> usize {
        let number = u32::try_from(process).unwrap_or(u32::MAX);
        let cast = &self.timeline.cast;
        if cast.runtime(number).has_interpreter() { cast.whole(number) as usize } else { process }
    }

    fn runtime(&self, task: TaskId) -> Runtime {
        self.timeline.cast.runtimes.get(self.process(task)).copied().unwrap_or_default()
    }

    /// All waits of a task. Who gets a processor and leaves it without using time has waited twice.
    fn waits(&self, who: TaskId, lane: &[Stretch], mut visit: impl FnMut(&Wait<'a>)) {
        let dispatches = &self.dispatches[who];
        let mut next = 0;
        let mut visit = |came: Time, got: Time| {
            next += dispatches[next..].partition_point(|dispatch| dispatch.interval.start < came);
            let mut came = came;
            while let Some(dispatch) = dispatches.get(next).filter(|dispatch| dispatch.interval.start < got) {
                let at = dispatch.interval.start;
                visit(&Wait { who, came, got: at, dispatch: Some(*dispatch), has_run: next > 0 });
                (came, next) = (at, next + 1);
            }
            let dispatch = dispatches.get(next).copied().filter(|_| !got.is_never());
            visit(&Wait { who, came, got, dispatch, has_run: next > 0 });
        };
        let mut came = lane.first().map(|first| first.start);
        for stretch in lane {
            match stretch.state {
                State::Ready => came = Some(stretch.start),
                State::Blocked(_) => came = Some(stretch.end),
                // Who is started waits for its turn from then on; who starts others has it.
                State::Starting => came = came.map(|_| stretch.end),
                State::Overhead | State::Running => {
                    if let Some(came) = came.take() {
                        visit(came, stretch.start);
                    }
                }
            }
        }
        if lane.last().is_some_and(|last| last.state == State::Ready) && self.timeline.tasks[who].finish.is_none() {
            came.into_iter().for_each(|came| visit(came, Time::NEVER));
        }
    }

    /// Until when a task waited for its turn in its runtime; nothing if it did not need one.
    fn in_runtime_until(&self, wait: &Wait<'_>) -> Option<Time> {
        let runtime = self.runtime(wait.who);
        if runtime == Runtime::OwnThread || (keeps_its_task(runtime) && wait.has_run) {
            return None;
        }
        if matches!(runtime, Runtime::KeepingLocked | Runtime::SwitchingLocked) {
            // For a worker, or for the lock: which of them, only the worker knows.
            return Some(wait.dispatch.map_or(Time::NEVER, |_| wait.got));
        }
        let Some(dispatch) = wait.dispatch else { return self.to_the_end(runtime, wait) };
        let before = match runtime {
            Runtime::Interpreter | Runtime::HandingOff => dispatch.in_process,
            _ => dispatch.on_thread,
        };
        let Some(before) = before else { return Some(wait.came) };
        if before.task == wait.who {
            return (!self.stays(runtime, before)).then_some(wait.came);
        }
        // A worker that keeps its task is free when that has ended, be it after the last time it ran.
        let ended = self.timeline.tasks[before.task].finish.filter(|finish| *finish <= wait.got);
        let kept = keeps_its_task(runtime) || self.stays(runtime, before);
        let free = ended.filter(|_| kept).map_or(before.end, |finish| finish.max(before.end));
        Some(free.clamp(wait.came, wait.got))
    }

    /// The same of a wait that the end of the run cut.
    fn to_the_end(&self, runtime: Runtime, wait: &Wait<'_>) -> Option<Time> {
        let process = self.process(wait.who);
        let kept = self.begun[process].iter().any(|begun| *begun != wait.who);
        match self.last[self.lock_of(process)] {
            _ if keeps_its_task(runtime) && kept => Some(Time::NEVER),
            None => Some(wait.came),
            Some(last) if !keeps_its_task(runtime) && self.stays(runtime, last) => {
                (last.task != wait.who).then_some(Time::NEVER)
            }
            Some(last) => Some(last.end.max(wait.came)),
        }
    }

    /// Does who left its processor like that keep its worker, or the interpreter lock?
    fn stays(&self, runtime: Runtime, interval: &Interval) -> bool {
        let spec = self.timeline.tasks[interval.task].spec as usize;
        match interval.left {
            Left::Continues | Left::Preempted => true,
            Left::Yielded => runtime == Runtime::Interpreter,
            Left::Blocked => self.timeline.cast.awaited.get(spec).is_some_and(|awaited| !awaited.blocking.is_empty()),
            Left::Finished => false,
        }
    }
}

/// Does a worker stay with its task until that ends?
fn keeps_its_task(runtime: Runtime) -> bool {
    matches!(runtime, Runtime::Keeping | Runtime::Helping)
}
