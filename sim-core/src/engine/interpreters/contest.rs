//! The interpreter lock for which threads must run to ask. See `executor/interpreter_lock.rs` for the rules.

use std::collections::{BTreeMap, VecDeque};

use crate::ids::ThreadId;
use crate::rng::Stream;
use crate::time::{Span, Time};

/// A lock that is nobody's when it is dropped: who runs next and wants it has it.
pub(in crate::engine) struct Contest {
    /// After how long a waiter asks the holder to drop it.
    interval: Span,
    holder: ThreadId,
    /// How long the holder had run when it took it.
    ran: Span,
    /// Who had it last.
    last: ThreadId,
    /// How often it has come to another than had it last.
    switches: u64,
    /// Has somebody asked the holder to drop it?
    is_wanted: bool,
    /// Who asked a holder that ran meanwhile, and so is hardly asleep when the lock is dropped.
    asker: ThreadId,
    /// Whether that one is told before those who have waited longer.
    favours: Favours,
    /// Those who wait to be told that it is free, in the order in which they began to.
    waiting: VecDeque<ThreadId>,
    /// Those who want it, by how they are with it.
    wants: BTreeMap<ThreadId, Wait>,
    /// Who has dropped it because that was asked for, and does not want it again before somebody has had it.
    dropped_by: Option<ThreadId>,
    /// Does that one stand still for it?
    stands_still: bool,
    /// The thread that was made last, until it is known who waits for it.
    made: Option<ThreadId>,
    /// Who waits until a new thread has had the lock, by that thread.
    waits_for: BTreeMap<ThreadId, ThreadId>,
}

/// Whoever's time is over within this of the first is woken by the same interrupt of the timer: looks follow each other so closely, and
/// the kernel handles all that is due before it lets anybody run.
const INTERRUPT: Span = Span::from_us(60);

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
    /// It has not run since it took the lock: it is not asked. Were the switch to it longer than the interval, nobody would ever
    /// run.
    ComesToRun,
}

/// What comes of a look at the lock.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::engine) enum Look {
    /// Nobody has it: now this one does, and who stood still for that goes on.
    Taken(Option<ThreadId>),
    /// Somebody has it. This one waits again until then; and the holder is asked to drop it, or not.
    Waits { deadline: Time, asks: bool },
    /// This one has dropped it, and nobody has it yet: it stands still until somebody does.
    Stands,
}

impl Contest {
    /// With this switch interval; who asked is told first with this probability, by this chance.
    pub(in crate::engine) fn new(interval: Span, probability: f64, chance: Stream) -> Contest {
        Contest {
            interval,
            holder: ThreadId::NONE,
            ran: Span::ZERO,
            last: ThreadId::NONE,
            switches: 0,
            is_wanted: false,
            asker: ThreadId::NONE,
            favours: Favours { probability, chance },
            waiting: VecDeque::new(),
            wants: BTreeMap::new(),
            dropped_by: None,
            stands_still: false,
            made: None,
            waits_for: BTreeMap::new(),
        }
    }

    /// Whatever thread was made last, nobody waits for it from now on who does not yet.
    pub(in crate::engine) fn makes_none_yet(&mut self) {
        self.made = None;
    }

    /// A thread is made that has not run yet.
    pub(in crate::engine) fn is_made(&mut self, thread: ThreadId) {
        self.made = Some(thread);
    }

    /// The thread has given something to a pool. If another was made for that, it waits until that one has had the lock: does it?
    pub(in crate::engine) fn waits_for_made(&mut self, thread: ThreadId) -> bool {
        let made = self.made.take().filter(|_| self.holder == thread);
        made.is_some_and(|made| self.waits_for.insert(made, thread).is_none())
    }

    /// The thread has the lock. Who has waited for it to be there?
    pub(in crate::engine) fn is_there(&mut self, thread: ThreadId) -> Option<ThreadId> {
        self.waits_for.remove(&thread)
    }

    /// Who has it; [`ThreadId::NONE`] if it is free.
    pub(in crate::engine) fn holder(&self) -> ThreadId {
        self.holder
    }

    /// Has the holder, which has run for so long in all, done so since it took it?
    pub(in crate::engine) fn holder_has_run(&self, ran: Span) -> bool {
        ran > self.ran
    }

    /// Does anybody want it who has it not?
    pub(in crate::engine) fn is_contended(&self) -> bool {
        !self.wants.is_empty()
    }

    /// The thread wants it, and will look when it runs.
    pub(in crate::engine) fn wants(&mut self, thread: ThreadId) {
        self.wants.insert(thread, Wait::Looks);
    }

    /// The thread, which wants it and has run for so long before, runs and looks. What does the holder do meanwhile?
    pub(in crate::engine) fn look(&mut self, thread: ThreadId, ran: Span, holder: Holder, now: Time) -> Look {
        if self.holder.is_none() && self.dropped_by == Some(thread) {
            self.stands_still = true;
            return Look::Stands;
        }
        if self.holder.is_none() {
            (self.holder, self.is_wanted, self.asker) = (thread, false, ThreadId::NONE);
            self.ran = ran;
            self.switches += u64::from(self.last != thread);
            self.last = thread;
            self.wants.remove(&thread);
            let stands = std::mem::take(&mut self.stands_still);
            return Look::Taken(self.dropped_by.take().filter(|_| stands));
        }
        let late = matches!(self.wants.get(&thread), Some(Wait::Late { switches }) if *switches == self.switches);
        let asks = late && holder != Holder::ComesToRun;
        if asks && !self.is_wanted && holder == Holder::Runs {
            self.asker = thread;
        }
        self.is_wanted |= asks;
        let deadline = now + self.interval;
        self.wants.insert(thread, Wait::Until { deadline, switches: self.switches });
        self.waiting.push_back(thread);
        Look::Waits { deadline, asks }
    }

    /// Does the thread wait until then?
    pub(in crate::engine) fn waits_until(&self, thread: ThreadId, then: Time) -> bool {
        matches!(self.wants.get(&thread), Some(Wait::Until { deadline, .. }) if *deadline == then)
    }

    /// Until when does the thread wait that has waited until now, if the time is not to count?
    pub(in crate::engine) fn waits_again(&mut self, thread: ThreadId, now: Time) -> Option<Time> {
        match self.wants.get_mut(&thread) {
            // It has looked since the holder took the lock.
            Some(Wait::Until { deadline, switches }) if *deadline == now && *switches == self.switches => {
                *deadline = now + self.interval;
                Some(*deadline)
            }
            _ => None,
        }
    }

    /// It is then. Has the thread waited until now? It will look when it runs, and so will those of the `others` that the same interrupt
    /// wakes: who are they, in the order of their deadlines?
    pub(in crate::engine) fn are_late(
        &mut self,
        thread: ThreadId,
        now: Time,
        others: impl Fn(ThreadId) -> bool,
    ) -> Vec<ThreadId> {
        if !self.waits_until(thread, now) {
            return Vec::new();
        }
        let mut late = Vec::new();
        for (other, wait) in &mut self.wants {
            let Wait::Until { deadline, switches } = *wait else { continue };
            if *other == thread || deadline <= now + INTERRUPT && others(*other) {
                *wait = Wait::Late { switches };
                late.push((deadline, *other));
            }
        }
        late.sort_unstable();
        let wants = &self.wants;
        self.waiting.retain(|other| !matches!(wants.get(other), Some(Wait::Late { .. })));
        late.into_iter().map(|(_, thread)| thread).collect()
    }

    /// The holder drops it. Who is told that it is free?
    pub(in crate::engine) fn is_dropped(&mut self) -> Option<ThreadId> {
        self.holder = ThreadId::NONE;
        let told = self.who_is_told();
        if let Some(thread) = told {
            self.wants.insert(thread, Wait::Looks);
        }
        told
    }

    /// Of those who wait, the one who has done so longest; or who asked, sometimes.
    fn who_is_told(&mut self) -> Option<ThreadId> {
        let asker = std::mem::replace(&mut self.asker, ThreadId::NONE);
        let place = self.waiting.iter().position(|waits| *waits == asker).filter(|place| *place > 0);
        match place {
            Some(place) if self.favours.chance.unit() < self.favours.probability => self.waiting.remove(place),
            _ => self.waiting.pop_front(),
        }
    }

    /// The thread has dropped it because it was asked to: it does not take it again before somebody else has had it. Does it stand still
    /// for that already?
    pub(in crate::engine) fn gives_way(&mut self, thread: ThreadId, stands_still: bool) {
        (self.dropped_by, self.stands_still) = (Some(thread), stands_still);
    }

    /// The thread is to run from `begin`. When must it drop the lock?
    pub(in crate::engine) fn end_of_turn(&self, thread: ThreadId, begin: Time) -> Time {
        if self.is_wanted && self.holder == thread { begin } else { Time::NEVER }
    }
}
