//! Who is on which processor, and what the others wait for: the tables `sched` and `thread_state` of Perfetto.
//!
//! Each task is a thread of the trace, so that these tables say of tasks what the outcome does: the time that one is `R` is
//! its waiting time, and `Running` is what it ran and what processors did on its behalf. States are told as events of a
//! generic kernel. Linux's own (`sched_switch`) are sorted by processor first: of two tasks that change places in one
//! instant, one would be on two processors, and ready for ever after. Only wake-ups by somebody are Linux's, since they
//! alone have a place for who that was.

use sim_core::causes::{Kind, Passage, What};
use sim_core::ids::{CpuId, IdVec, TaskId};
use sim_core::time::Time;
use sim_core::timeline::lanes::{State, Stretch};
use sim_core::timeline::{Cause, Timeline};

use super::packet::Trace;
use super::thread_of;

/// The states of `GenericKernelTaskStateEvent`.
mod state {
    pub(super) const RUNNABLE: u64 = 2;
    pub(super) const RUNNING: u64 = 3;
    pub(super) const SLEEPING: u64 = 4;
    pub(super) const WAITING_FOR_IO: u64 = 5;
    pub(super) const STOPPED: u64 = 6;
    pub(super) const DEAD: u64 = 7;
}

/// A change of state of a task. In an instant, those who leave processors come before those who come to them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Change {
    at: Time,
    becomes: Becomes,
    task: TaskId,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Becomes {
    /// In this state, which is not that of somebody on a processor.
    Off(u64),
    /// Runnable, woken by this task.
    Woken(TaskId),
    /// On this processor.
    On(CpuId),
}

/// Writes the schedule, with these wake-ups among it.
pub(super) fn write(
    trace: &mut Trace<'_>,
    timeline: &Timeline,
    lanes: &IdVec<TaskId, Vec<Stretch>>,
    wakes: Vec<Change>,
) {
    let mut changes = wakes;
    off_processors(timeline, lanes, &mut changes);
    on_processors(timeline, &mut changes);
    changes.sort_unstable();
    // The viewer begins where the first wake-up is: nobody wakes the idle thread when the first thing happens.
    let wakes = changes.iter().any(|change| matches!(change.becomes, Becomes::Woken(_)));
    if let Some(first) = changes.first().filter(|_| wakes) {
        trace.waking(first.at, 0, 0);
    }
    let mut seats = Seats {
        timeline,
        on: timeline.tasks.iter().map(|_| None).collect(),
        has: timeline.cast.processors.iter().map(|_| None).collect(),
    };
    for Change { at, becomes, task } in changes {
        match becomes {
            Becomes::Off(state) => seats.off(trace, at, task, state),
            Becomes::Woken(waker) => trace.waking(at, thread_of(timeline, waker), thread_of(timeline, task)),
            Becomes::On(cpu) => seats.on(trace, at, task, cpu),
        }
    }
}

/// Who was woken by whom, from the life of a task: when it can go on that waited for what another did, or came since
/// another spawned it.
pub(super) fn wakes(task: TaskId, came_from: Option<TaskId>, passages: &[Passage], wakes: &mut Vec<Change>) {
    let goes_on = |passage: &Passage| passage.what.kind() != Kind::Blocked;
    let first = passages.first().filter(|first| goes_on(first)).zip(came_from);
    wakes.extend(first.map(|(first, waker)| Change { at: first.from, becomes: Becomes::Woken(waker), task }));
    for two in passages.windows(2).filter(|two| !goes_on(&two[0]) && goes_on(&two[1])) {
        if let (What::Sync(_) | What::Join | What::After, Some(behind)) = (two[0].what, two[0].behind) {
            wakes.push(Change { at: two[1].from, becomes: Becomes::Woken(behind.task), task });
        }
    }
}

/// When tasks began to be in states in which they are on no processor. Who was woken is told so instead.
fn off_processors(timeline: &Timeline, lanes: &IdVec<TaskId, Vec<Stretch>>, changes: &mut Vec<Change>) {
    let mut woken: Vec<(TaskId, Time)> = changes.iter().map(|wake| (wake.task, wake.at)).collect();
    woken.sort_unstable();
    for (task, lane) in lanes.pairs() {
        for stretch in lane {
            let state = match stretch.state {
                State::Ready if woken.binary_search(&(task, stretch.start)).is_ok() => continue,
                State::Ready => state::RUNNABLE,
                State::Blocked(Cause::Device(_)) => state::WAITING_FOR_IO,
                State::Blocked(_) => state::SLEEPING,
                State::Starting | State::Overhead | State::Running => continue,
            };
            changes.push(Change { at: stretch.start, becomes: Becomes::Off(state), task });
        }
        // What has not ended with the run has an end all the same, so that lengths can be added up.
        let (at, state) = timeline.tasks[task].finish.map_or((timeline.end, state::STOPPED), |at| (at, state::DEAD));
        if !lane.is_empty() {
            changes.push(Change { at, becomes: Becomes::Off(state), task });
        }
    }
}

/// When tasks came to processors. Only a measured timeline can have a processor do two things at once; the earlier one is
/// shown in full.
fn on_processors(timeline: &Timeline, changes: &mut Vec<Change>) {
    for (cpu, row) in timeline.cast.processors.ids().zip(timeline.by_processor()) {
        let mut free = Time::ZERO;
        let mut last = TaskId::NONE;
        for interval in row.iter().filter(|interval| timeline.tasks.get(interval.task).is_some()) {
            let start = interval.start.max(free);
            if start >= interval.end {
                continue;
            }
            if last != interval.task || free < start {
                changes.push(Change { at: start, becomes: Becomes::On(cpu), task: interval.task });
            }
            (free, last) = (interval.end, interval.task);
        }
    }
}

/// Who is where.
struct Seats<'a> {
    timeline: &'a Timeline,
    on: IdVec<TaskId, Option<CpuId>>,
    has: IdVec<CpuId, Option<TaskId>>,
}

impl Seats<'_> {
    fn off(&mut self, trace: &mut Trace<'_>, at: Time, task: TaskId, state: u64) {
        let cpu = self.on[task].take();
        if let Some(cpu) = cpu {
            self.has[cpu] = None;
        }
        trace.state(at, thread_of(self.timeline, task), state, cpu.map(|cpu| u64::from(cpu.0)));
    }

    fn on(&mut self, trace: &mut Trace<'_>, at: Time, task: TaskId, cpu: CpuId) {
        // A task that changes its processor at once leaves the one before, as does whoever the record forgot there.
        if self.on[task].is_some() {
            self.off(trace, at, task, state::RUNNABLE);
        }
        if let Some(other) = self.has[cpu] {
            self.off(trace, at, other, state::RUNNABLE);
        }
        (self.on[task], self.has[cpu]) = (Some(cpu), Some(task));
        trace.state(at, thread_of(self.timeline, task), state::RUNNING, Some(u64::from(cpu.0)));
    }
}
