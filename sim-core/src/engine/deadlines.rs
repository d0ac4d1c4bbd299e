//! Deadlines at which jobs end, whatever they are at.

use std::collections::BTreeSet;

use crate::ids::TaskId;
use crate::scenario::Scenario;
use crate::time::Time;

/// By when the present, or next, jobs of those must end whose jobs do not outlast their deadlines.
pub(super) struct FirmDeadlines(BTreeSet<(Time, TaskId)>);

impl FirmDeadlines {
    /// None if there is no such task.
    pub(super) fn new(scenario: &Scenario) -> Option<Box<FirmDeadlines>> {
        scenario.aborts_jobs().then(|| Box::new(FirmDeadlines(BTreeSet::new())))
    }

    /// When the next of them is.
    pub(super) fn next(&self) -> Time {
        self.0.first().map_or(Time::NEVER, |(at, _)| *at)
    }

    pub(super) fn insert(&mut self, deadline: Time, id: TaskId) {
        self.0.insert((deadline, id));
    }

    pub(super) fn remove(&mut self, deadline: Time, id: TaskId) {
        self.0.remove(&(deadline, id));
    }

    /// Of those whose deadline has come, the first. It is here no more.
    pub(super) fn take_due(&mut self, now: Time) -> Option<TaskId> {
        self.0.first().filter(|(at, _)| *at <= now)?;
        self.0.pop_first().map(|(_, id)| id)
    }
}
