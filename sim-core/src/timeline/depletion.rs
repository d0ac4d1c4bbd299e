//! Tasks that wait for the budgets of their servers.

use super::Timeline;
use crate::ids::{IdVec, TaskId};
use crate::time::Time;

/// A task was ready, and its server had nothing left: whatever processor was free, it did not run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Depletion {
    /// Which task.
    pub task: TaskId,
    /// When it began.
    pub start: Time,
    /// When it was over.
    pub end: Time,
}

/// When each task waited for the budget of its server, in order.
#[derive(Default, Debug)]
pub struct Depletions(IdVec<TaskId, Vec<(Time, Time)>>);

impl Depletions {
    /// Those of a timeline.
    #[must_use]
    pub fn of(timeline: &Timeline) -> Depletions {
        if timeline.depletions.is_empty() {
            return Depletions::default();
        }
        let mut all: IdVec<TaskId, Vec<(Time, Time)>> = timeline.tasks.iter().map(|_| Vec::new()).collect();
        for depletion in &timeline.depletions {
            all[depletion.task].push((depletion.start, depletion.end));
        }
        all.iter_mut().for_each(|spans| spans.sort_unstable());
        Depletions(all)
    }

    /// Did nobody ever?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The first time after that one, and begun before `until`, for which the task waited so.
    #[must_use]
    pub fn first(&self, task: TaskId, after: Time, until: Time) -> Option<(Time, Time)> {
        let spans = self.0.get(task)?;
        let (start, end) = *spans.get(spans.partition_point(|(_, end)| *end <= after))?;
        (start < until).then_some((start, end))
    }
}
