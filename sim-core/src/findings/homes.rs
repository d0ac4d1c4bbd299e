//! Where those who are ready could run: on which processors they are allowed, and in whose queue they wait.

use super::urgency::Urgencies;
use crate::ids::{CpuId, IdVec, TaskId};
use crate::policy::Queueing;
use crate::time::{Span, Time};
use crate::timeline::{Interval, Timeline, What};

/// Who could run where.
///
/// Where each processor has a queue of its own, who waits in one waits for that processor. It is the one on which it ran
/// last, or, once it has been moved by balancing, the one on which it runs next: nothing else moves who is ready, apart
/// from an idle processor that takes it and runs it at once.
pub(super) struct Homes {
    queueing: Queueing,
    /// When each task was put on processors, and on which; none where all wait in one queue.
    dispatches: IdVec<TaskId, Vec<(Time, CpuId)>>,
}

impl Homes {
    pub(super) fn of(timeline: &Timeline, urgencies: &Urgencies<'_>) -> Homes {
        let queueing = urgencies.scenario.scheduler.settings.queueing();
        let mut dispatches: IdVec<TaskId, Vec<(Time, CpuId)>> = IdVec::new();
        if queueing != Queueing::Together {
            dispatches = timeline.tasks.iter().map(|_| Vec::new()).collect();
            let mut sorted: Vec<Interval> = timeline.intervals.iter().collect();
            sorted.sort_by_key(|interval| (interval.start, interval.end));
            let mut ended = timeline.tasks.iter().map(|_| Time::NEVER).collect::<IdVec<TaskId, Time>>();
            for interval in sorted.into_iter().filter(|interval| interval.what != What::Start) {
                let (of, ended) = (&mut dispatches[interval.task], &mut ended[interval.task]);
                // What follows on the same processor without a gap, such as the run behind its switch, is one dispatch.
                if of.last().is_none_or(|(_, cpu)| *cpu != interval.cpu || *ended != interval.start) {
                    of.push((interval.start, interval.cpu));
                }
                *ended = interval.end;
            }
        }
        Homes { queueing, dispatches }
    }

    /// The processor in whose queue the task waits, if it is ready then and that is known.
    pub(super) fn home(&self, task: TaskId, at: Time) -> Option<CpuId> {
        let Queueing::Apart { balanced } = self.queueing else { return None };
        let dispatches = &self.dispatches[task];
        let next = dispatches.partition_point(|(start, _)| *start <= at);
        let last = next.checked_sub(1).map(|last| dispatches[last].1);
        let moved = dispatches.get(next).filter(|(start, _)| {
            balanced.is_some_and(|every: Span| !every.is_zero() && start.ns() - start.ns() % every.ns() <= at.ns())
        });
        moved.map(|(_, cpu)| *cpu).or(last)
    }

    /// Did the task that ran on the processor since `start` have it in the place of one that waits in the queue of
    /// `home`: is it the processor of that queue, or did an idle one take the task out of it?
    pub(super) fn is_from(&self, home: Option<CpuId>, cpu: CpuId, runs: TaskId, start: Time) -> bool {
        let Some(home) = home.filter(|home| *home != cpu) else { return true };
        let dispatches = &self.dispatches[runs];
        let before = dispatches.partition_point(|(other, _)| *other <= start).checked_sub(2);
        before.is_some_and(|before| dispatches[before].1 == home)
    }
}
