//! The interpreter lock for which threads must run to ask. See `executor/interpreter_lock.rs` for the rules.

use std::collections::{BTreeMap, VecDeque};

use crate::ids::TaskId;
use crate::rng::Stream;
use crate::time::{Span, Time};

/// A lock that is nobody's when it is dropped: who runs next and wants it has it.
pub(in crate::engine) struct Contest {
    /// After how long a waiter asks the holder to drop it.
    interval: Span,
    holder: TaskId,
    /// Who had it last.
    last: TaskId,
    /// How often it has come to another than had it last.
    switches: u64,
    /// Has somebody asked the holder to drop it?
    is_wanted: bool,
    /// Who asked a holder that ran meanwhile, and so is hardly asleep when the lock is dropped.
    asker: TaskId,
    /// Whether that one is told before those who have waited longer.
    favours: Favours,
    /// Those who wait to be told that it is free, in the order in which they began to.
    waiting: VecDeque<TaskId>,
    /// Those who want it, by how they are with it.
    wants: BTreeMap<TaskId, Wait>,
    /// Who has dropped it because that was asked for, and stands still until somebody has it.
    stands: Option<TaskId>,
}

/// How often who asked gets it.
struct Favours {
    probability: f64,
    chance: Stream,
}

/// How somebody who wants the lock is with it.
#[derive(Clone, Copy)]
enum Wait {
    /// It will look when it runs.
    Looks,
    /// It waits until then, and since the lock had changed hands so often.
    Until { deadline: Time, switches: u64 },
    /// It has waited so long, and will look when it runs.
    Late { switches: u64 },
}

/// What the holder of the lock does while somebody else looks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::engine) enum Holder {
    /// It is on a processor.
    Runs,
    /// It has run, and waits for a processor.
    Waits,
    /// The switch to it, since it took the lock, is not over: it is not asked. Were the switch longer than the interval, nobody
    /// would ever run.
    ComesToRun,
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
    /// With this switch interval; who asked is told first with this probability, by this chance.
    pub(super) fn new(interval: Span, probability: f64, chance: Stream) -> Contest {
        Contest {
            interval,
            holder: TaskId::NONE,
            last: TaskId::NONE,
            switches: 0,
            is_wanted: false,
            asker: TaskId::NONE,
            favours: Favours { probability, chance },
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

    /// The task, which wants it, runs and looks. What does the holder do meanwhile?
    pub(in crate::engine) fn look(&mut self, task: TaskId, holder: Holder, now: Time) -> Look {
        if self.holder.is_none() {
            (self.holder, self.is_wanted, self.asker) = (task, false, TaskId::NONE);
            self.switches += u64::from(self.last != task);
            self.last = task;
            self.wants.remove(&task);
            return Look::Taken(self.stands.take());
        }
        let late = matches!(self.wants.get(&task), Some(Wait::Late { switches }) if *switches == self.switches);
        let asks = late && holder != Holder::ComesToRun;
        if asks && !self.is_wanted && holder == Holder::Runs {
            self.asker = task;
        }
        self.is_wanted |= asks;
        let deadline = now + self.interval;
        self.wants.insert(task, Wait::Until { deadline, switches: self.switches });
        self.waiting.push_back(task);
        Look::Waits { deadline, asks }
    }

    /// It is then. Has the task waited until now? It will look when it runs.
    pub(in crate::engine) fn is_late(&mut self, task: TaskId, now: Time) -> bool {
        match self.wants.get_mut(&task) {
            Some(wait)
                if let Wait::Until { deadline, switches } = *wait
                    && deadline == now =>
            {
                *wait = Wait::Late { switches };
                self.waiting.retain(|other| *other != task);
                true
            }
            _ => false,
        }
    }

    /// The holder drops it. Who is told that it is free?
    pub(in crate::engine) fn is_dropped(&mut self) -> Option<TaskId> {
        self.holder = TaskId::NONE;
        let told = self.who_is_told();
        if let Some(task) = told {
            self.wants.insert(task, Wait::Looks);
        }
        told
    }

    /// Of those who wait, the one who has done so longest; or who asked, sometimes.
    fn who_is_told(&mut self) -> Option<TaskId> {
        let asker = std::mem::replace(&mut self.asker, TaskId::NONE);
        let place = self.waiting.iter().position(|task| *task == asker).filter(|place| *place > 0);
        match place {
            Some(place) if self.favours.chance.unit() < self.favours.probability => self.waiting.remove(place),
            _ => self.waiting.pop_front(),
        }
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
