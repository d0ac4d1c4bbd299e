//! Groups that stand still, and whom that keeps from running.

use std::collections::BTreeMap;

use super::{Depletions, Timeline, What};
use crate::ids::{CpuId, GroupId, TaskId};
use crate::time::{Span, Time};

/// A group had used up its quota: none of its threads ran.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Throttle {
    /// Which group.
    pub group: GroupId,
    /// On which processor; [`CpuId::NONE`] is all.
    pub cpu: CpuId,
    /// When it began.
    pub start: Time,
    /// When it was over.
    pub end: Time,
}

/// Threads of a group stood still in one of its periods: what `nr_throttled` and `throttled_time` of the kernel count.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Still {
    /// Which group.
    pub group: GroupId,
    /// The number of the period.
    pub period: u64,
    /// On so many processors somebody waited who could have run.
    pub processors: u32,
    /// When it began.
    pub start: Time,
    /// When it was over, or another number of processors stood still.
    pub end: Time,
}

/// When each group stood still, on one processor or on all, in order.
#[derive(Default, Debug)]
pub struct Throttles(BTreeMap<(GroupId, CpuId), Vec<(Time, Time)>>);

impl Throttles {
    /// Those of a timeline.
    #[must_use]
    pub fn of(timeline: &Timeline) -> Throttles {
        let mut all = Throttles::default();
        for throttle in &timeline.throttles {
            all.0.entry((throttle.group, throttle.cpu)).or_default().push((throttle.start, throttle.end));
        }
        all.0.values_mut().for_each(|spans| spans.sort_unstable());
        all
    }

    /// Did no group ever stand still?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The first time after that one, and begun before `until`, at which one of these groups stood still for who waits for a
    /// processor. Of groups that stand still at the same time the first is named.
    pub fn first(
        &self,
        groups: impl Iterator<Item = GroupId>,
        cpu: CpuId,
        after: Time,
        until: Time,
    ) -> Option<(GroupId, Time, Time)> {
        if self.is_empty() {
            return None;
        }
        let places = groups.flat_map(|group| [(group, CpuId::NONE), (group, cpu)]);
        let first = places.filter_map(|place| {
            let all = self.0.get(&place)?;
            let (start, end) = *all.get(all.partition_point(|(_, end)| *end <= after))?;
            (start < until).then_some((start, place.0, end))
        });
        first.min_by_key(|(start, ..)| (*start).max(after)).map(|(start, group, end)| (group, start, end))
    }
}

/// For what a task stands still that is ready.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stands {
    /// This group of it has used up its quota.
    Group(GroupId),
    /// Its server has used up its budget.
    Server,
}

/// Which of the tasks that are ready wait for their groups.
#[derive(Debug)]
pub struct Standing<'a> {
    timeline: &'a Timeline,
    throttles: Throttles,
    depletions: Depletions,
    /// Where each task was on a processor from when on, in order.
    seats: BTreeMap<TaskId, Vec<(Time, CpuId)>>,
}

impl Standing<'_> {
    /// Nothing where no group stands still, and nobody waits for the budget of its server.
    #[must_use]
    pub fn of(timeline: &Timeline) -> Option<Standing<'_>> {
        let (throttles, depletions) = (Throttles::of(timeline), Depletions::of(timeline));
        if throttles.is_empty() && depletions.is_empty() {
            return None;
        }
        let mut seats: BTreeMap<TaskId, Vec<(Time, CpuId)>> = BTreeMap::new();
        for run in timeline.intervals.iter().filter(|interval| interval.what == What::Run) {
            seats.entry(run.task).or_default().push((run.start, run.cpu));
        }
        seats.values_mut().for_each(|seats| seats.sort_unstable());
        Some(Standing { timeline, throttles, depletions, seats })
    }

    /// The pieces of a time for which a task was ready, in order; with the group that stood still, if one did. Where groups stand
    /// still on single processors, the one counts on which the task goes on.
    fn divided(&self, task: TaskId, mut from: Time, to: Time) -> Vec<(Time, Time, Option<GroupId>)> {
        let process = self.timeline.cast.specs[self.timeline.tasks[task].spec as usize].process;
        let groups = || self.timeline.cast.groups_of(process);
        let seats = self.seats.get(&task).map_or(&[][..], Vec::as_slice);
        let next = seats.partition_point(|(start, _)| *start < to);
        let cpu = seats.get(next).or(seats.last()).map_or(CpuId(0), |(_, cpu)| *cpu);
        let mut pieces = Vec::new();
        // Who is aborted may end before what it stands still for does.
        while from < to
            && let Some((group, start, end)) = self.throttles.first(groups(), cpu, from, to)
        {
            let (start, end) = (start.max(from), end.min(to));
            pieces.push((from, start, None));
            pieces.push((start, end, Some(group)));
            from = end;
        }
        pieces.push((from, to, None));
        pieces.retain(|(from, to, _)| from < to);
        pieces
    }

    /// The pieces of a time for which a task was ready, in order: did it stand still, for its groups or for its server?
    #[must_use]
    pub fn still(&self, task: TaskId, from: Time, to: Time) -> Vec<(Time, Time, Option<Stands>)> {
        let mut pieces = Vec::new();
        for (mut from, to, group) in self.divided(task, from, to) {
            while group.is_none()
                && from < to
                && let Some((start, end)) = self.depletions.first(task, from, to)
            {
                let (start, end) = (start.max(from), end.min(to));
                pieces.extend([(from, start, None), (start, end, Some(Stands::Server))]);
                from = end;
            }
            pieces.push((from, to, group.map(Stands::Group)));
        }
        pieces.retain(|(from, to, _)| from < to);
        pieces
    }

    /// For how long of a time for which a task was ready it waited neither for its groups nor for its server.
    #[must_use]
    pub fn waits(&self, task: TaskId, from: Time, to: Time) -> Span {
        let pieces = self.still(task, from, to).into_iter().filter(|(.., still)| still.is_none());
        pieces.map(|(from, to, _)| to.since(from)).sum()
    }
}
