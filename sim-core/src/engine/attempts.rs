//! Operations that are given up if they are not complete in time, and how far those are that somebody is at.
//!
//! Only tasks that are at such an operation have anything here. Unlike what is on the [agenda](super::agenda), a time that means
//! nothing any more is forgotten: nobody wakes for it, and a deadlock is none later.

use std::collections::{BTreeMap, BTreeSet};

use crate::ids::{ProcessId, TaskId};
use crate::time::Time;

/// An operation that somebody is at, who may give it up.
#[derive(Clone, Copy, Debug)]
pub(super) struct Attempt {
    /// When it began.
    pub(super) began: Time,
    /// When it is given up if it is not complete by then.
    pub(super) until: Time,
    /// When it is given up if a device has not begun with it by then.
    pub(super) patience: Time,
    /// Where in its program the task goes on without it; `None`: behind it, as with it.
    pub(super) otherwise: Option<u32>,
    /// Has it been given up, so that only the lock is missing with which the task goes on?
    pub(super) given_up: bool,
    /// Is its time up, which the loop of the task has yet to notice?
    overdue: bool,
    /// Is its time up only when the loop of the task has noticed, and has it not?
    pub(super) unknown: bool,
    /// The order among those that end at one instant.
    number: u64,
}

impl Attempt {
    /// Is it given up at some time, if it is not complete before?
    pub(super) fn comes_to_an_end(&self) -> bool {
        !self.due().is_never()
    }

    /// Is its time up, for the task?
    pub(super) fn is_over(&self, now: Time) -> bool {
        self.until <= now && !self.unknown
    }

    fn due(&self) -> Time {
        if self.given_up || self.overdue { Time::NEVER } else { self.until.min(self.patience) }
    }
}

/// All operations that somebody is at, who may give them up.
#[derive(Default)]
pub(super) struct Attempts {
    of: BTreeMap<TaskId, Attempt>,
    /// When they are given up, those of one instant in the order in which they began.
    due: BTreeSet<(Time, u64, TaskId)>,
    /// Tasks of event loops whose time is up, which their loop has yet to notice, and when that wakes for them if it has nothing else
    /// to do.
    overdue: BTreeMap<ProcessId, Vec<(TaskId, Time)>>,
    /// Whose loop notices just now.
    pub(super) noticed: Option<TaskId>,
    /// Under which number on the agenda that comes which a task waits for, or waited for last, and when.
    events: BTreeMap<TaskId, (u64, Time)>,
    /// Who does for a task what that has let a pool do last.
    callees: BTreeMap<TaskId, TaskId>,
    /// So many have begun.
    begun: u64,
}

impl Attempts {
    /// The task begins something now, which it gives up at one of the two times, and goes on there then.
    pub(super) fn begins(&mut self, id: TaskId, began: Time, [until, patience]: [Time; 2], otherwise: Option<u32>) {
        self.ends(id);
        self.begun += 1;
        let (given_up, overdue, unknown, number) = (false, false, false, self.begun);
        let attempt = Attempt { began, until, patience, otherwise, given_up, overdue, unknown, number };
        self.of.insert(id, attempt);
        self.awaits(id, attempt);
    }

    fn awaits(&mut self, id: TaskId, attempt: Attempt) {
        if !attempt.due().is_never() {
            self.due.insert((attempt.due(), attempt.number, id));
        }
    }

    /// What the task is at.
    pub(super) fn of(&self, id: TaskId) -> Option<&Attempt> {
        self.of.get(&id)
    }

    /// What the task is at has changed so.
    pub(super) fn change(&mut self, id: TaskId, change: impl FnOnce(&mut Attempt)) {
        let Some(attempt) = self.of.get_mut(&id) else { return };
        self.due.remove(&(attempt.due(), attempt.number, id));
        change(attempt);
        let attempt = *attempt;
        self.awaits(id, attempt);
    }

    /// The task is at it no more: what it was.
    pub(super) fn ends(&mut self, id: TaskId) -> Option<Attempt> {
        let attempt = self.of.remove(&id)?;
        self.due.remove(&(attempt.due(), attempt.number, id));
        Some(attempt)
    }

    /// What the task waits for comes under this number, then.
    pub(super) fn awaits_event(&mut self, id: TaskId, number: u64, at: Time) {
        self.events.insert(id, (number, at));
    }

    /// Under which number that comes for which the task waits, if it waits for something on the agenda, and when.
    pub(super) fn event_of(&self, id: TaskId) -> Option<(u64, Time)> {
        self.events.get(&id).copied()
    }

    /// The task has let a pool do something, which is this task of it.
    pub(super) fn has_called(&mut self, id: TaskId, callee: TaskId) {
        self.callees.insert(id, callee);
    }

    /// Who does what the task has let a pool do last.
    pub(super) fn callee_of(&self, id: TaskId) -> Option<TaskId> {
        self.callees.get(&id).copied()
    }

    /// When something is given up next.
    pub(super) fn next(&self) -> Time {
        self.due.first().map_or(Time::NEVER, |(at, ..)| *at)
    }

    /// The next whose time is up by now. It is not told again.
    pub(super) fn take_due(&mut self, now: Time) -> Option<TaskId> {
        let next = self.due.first().filter(|(at, ..)| *at <= now).copied()?;
        self.due.remove(&next);
        Some(next.2)
    }

    /// The time of a task is up, and its loop has yet to notice, for which it wakes then.
    pub(super) fn is_overdue(&mut self, id: TaskId, process: ProcessId, wakes: Time) {
        self.change(id, |attempt| attempt.overdue = true);
        self.overdue.entry(process).or_default().push((id, wakes));
    }

    /// Does the loop wake by now for tasks whose time is up?
    pub(super) fn wakes(&self, process: ProcessId, now: Time) -> bool {
        self.overdue.get(&process).is_some_and(|tasks| tasks.iter().any(|(_, wakes)| *wakes <= now))
    }

    /// Has the loop tasks whose time is up?
    pub(super) fn has_overdue(&self, process: ProcessId) -> bool {
        self.overdue.contains_key(&process)
    }

    /// Those of the loop's tasks whose time is up. Others have had what they waited for, and are at something else by now.
    pub(super) fn take_overdue(&mut self, process: ProcessId) -> Vec<TaskId> {
        let overdue = self.overdue.remove(&process).unwrap_or_default().into_iter().map(|(id, _)| id);
        overdue.filter(|id| self.of.get(id).is_some_and(|attempt| attempt.overdue)).collect()
    }
}
