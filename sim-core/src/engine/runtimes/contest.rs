//! The interpreter lock for which threads must run to ask. See `executor/threads.rs` for the rules.

use std::collections::{BTreeMap, VecDeque};

use crate::ids::TaskId;
use crate::time::{Span, Time};

/// A lock that is nobody's when it is dropped: who runs next and wants it has it.
pub(in crate::engine) struct Contest {
    /// After how long a waiter asks the holder to drop it.
    interval: Span,
    holder: TaskId,
    /// Grows whenever it is taken.
    taken: u64,
    /// Has somebody asked the holder to drop it?
    is_wanted: bool,
    /// Those who wait to be told that it is free, in the order in which they began to.
    waiting: VecDeque<TaskId>,
    /// Those who want it, by how they are with it.
    wants: BTreeMap<TaskId, Wait>,
    /// Who has dropped it because that was asked for, and stands still until somebody has it.
    stands: Option<TaskId>,
}

/// How somebody who wants the lock is with it.
#[derive(Clone, Copy)]
enum Wait {
    /// It will look when it runs.
    Looks,
    /// It waits until then, and since the lock had been taken so often.
    Until { deadline: Time, taken: u64 },
    /// It has waited so long, and will look when it runs.
    Late { taken: u64 },
}

/// What comes of a look at the lock.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::engine) enum Look {
    /// Nobody has it: now this one does, and who stood still for that goes on.
    Taken(Option<TaskId>),
    /// Somebody has it. This one waits again until then; and the holder is asked to drop it, or not.
    Waits { deadline: Time, asks: bool },
}

impl Contest {
    pub(super) fn new(interval: Span) -> Contest {
        Contest {
            interval,
            holder: TaskId::NONE,
            taken: 0,
            is_wanted: false,
            waiting: VecDeque::new(),
            wants: BTreeMap::new(),
            stands: None,
        }
    }

    /// Who has it; [`TaskId::NONE`] if it is free.
    pub(in crate::engine) fn holder(&self) -> TaskId {
        self.holder
    }

    /// Does anybody want it who has it not?
    pub(in crate::engine) fn is_contended(&self) -> bool {
        !self.wants.is_empty()
    }

    /// The task wants it, and will look when it runs.
    pub(in crate::engine) fn wants(&mut self, task: TaskId) {
        self.wants.insert(task, Wait::Looks);
    }

    /// The task, which wants it, runs and looks. Has the holder run since it took the lock?
    pub(in crate::engine) fn look(&mut self, task: TaskId, has_run: bool, now: Time) -> Look {
        if self.holder.is_none() {
            (self.holder, self.is_wanted) = (task, false);
            self.taken += 1;
            self.wants.remove(&task);
            return Look::Taken(self.stands.take());
        }
        let late = matches!(self.wants.get(&task), Some(Wait::Late { taken }) if *taken == self.taken) && has_run;
        self.is_wanted |= late;
        let deadline = now + self.interval;
        self.wants.insert(task, Wait::Until { deadline, taken: self.taken });
        self.waiting.push_back(task);
        Look::Waits { deadline, asks: late }
    }

    /// It is then. Has the task waited until now? It will look when it runs.
    pub(in crate::engine) fn is_late(&mut self, task: TaskId, now: Time) -> bool {
        match self.wants.get_mut(&task) {
            Some(wait)
                if let Wait::Until { deadline, taken } = *wait
                    && deadline == now =>
            {
                *wait = Wait::Late { taken };
                self.waiting.retain(|other| *other != task);
                true
            }
            _ => false,
        }
    }

    /// The holder drops it. Who is told that it is free?
    pub(in crate::engine) fn is_dropped(&mut self) -> Option<TaskId> {
        self.holder = TaskId::NONE;
        let told = self.waiting.pop_front();
        if let Some(task) = told {
            self.wants.insert(task, Wait::Looks);
        }
        told
    }

    /// The task has dropped it because it was asked to: it stands still until somebody has it, and then wants it again.
    pub(in crate::engine) fn stands_still(&mut self, task: TaskId) {
        self.stands = Some(task);
    }

    /// The task is to run from `begin`. When must it drop the lock?
    pub(super) fn end_of_turn(&self, task: TaskId, begin: Time) -> Time {
        if self.is_wanted && self.holder == task { begin } else { Time::NEVER }
    }
}
