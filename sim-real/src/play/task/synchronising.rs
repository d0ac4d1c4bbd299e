//! What an instance does to synchronisation objects, and how it waits for them: asleep, spinning, or by asking again.

use std::sync::atomic::Ordering;

use sim_core::ids::{SyncId, VariableId};
use sim_core::scenario::{Change, Program, SyncOp};
use sim_core::sync::Turn;
use sim_core::timeline::Use;

use super::{Act, Awaited, Spinning, Walk};
use crate::play::sync::Done;
use crate::record::event::{Asked, Await, Event, Held, Hold, Left, Passage, Passed, Spin};
use crate::record::log::Place;
use crate::sys;

impl Walk<'_> {
    /// Does something to a synchronisation object. If the instance cannot go on at once: how it waits.
    pub(super) fn synchronise(&mut self, op: SyncOp) -> Option<Act> {
        if self.library(op.object()).is_some() {
            return Some(Act::Borrow(op));
        }
        let done = self.world.synchronise(self.id, op);
        match op {
            _ if done.turn == Turn::GivesUp => {
                self.goes_without(Left::Turn(op.object()), done.at);
                return None;
            }
            _ if done.turn == Turn::Yields => return Some(self.yields_to_others(op, done.at)),
            SyncOp::Lock(lock) if done.waits() && !self.world.scenario.syncs[lock].spin.is_zero() => {
                return Some(self.spins(lock, done.at));
            }
            SyncOp::Wait { condvar, lock } => {
                self.has_given_back(lock, done.at);
                let place = self.write(Await { condvar, start: done.at, noticed: None });
                return Some(self.waits(Awaited::Notice { condvar, lock, place }));
            }
            SyncOp::Notify(condvar) if done.waits() => return Some(self.hands_on(condvar, &done)),
            _ if op.lets_go() => self.lets_others_go(op, done.at, done.notified),
            _ => {
                let had = (!done.waits()).then_some(done.at);
                self.asks(op, Asked { sync: op.object(), at: done.at, had });
            }
        }
        done.waits().then(|| self.waits(Awaited::Turn(op)))
    }

    /// It has notified somebody by Hoare's rule, who has the lock now: it waits until it gets that back.
    fn hands_on(&mut self, condvar: SyncId, done: &Done) -> Act {
        self.lets_others_go(SyncOp::Notify(condvar), done.at, done.notified);
        let lock = self.world.objects.waiter(self.id).lock();
        self.has_given_back(lock, done.at);
        self.asks(SyncOp::Lock(lock), Asked { sync: lock, at: done.at, had: None });
        self.waits(Awaited::Turn(SyncOp::Lock(lock)))
    }

    /// Writes down what the instance asked for, and if it has it already.
    pub(super) fn asks(&mut self, op: SyncOp, asked: Asked) {
        match op {
            SyncOp::Lock(_) | SyncOp::Write(_) => self.takes(Held::Alone, 1, asked),
            SyncOp::Read(_) => self.takes(Held::Together, 1, asked),
            SyncOp::Acquire(sync, permits) if self.gives_back(sync) => self.takes(Held::Permit, permits, asked),
            SyncOp::Acquire(_, permits) => self.passes(Passed::SpentPermit, permits, asked),
            SyncOp::Send(_) => self.passes(Passed::Sent, 1, asked),
            SyncOp::Receive(_) => self.passes(Passed::Received, 1, asked),
            SyncOp::Arrive(_) => self.passes(Passed::Met, 1, asked),
            SyncOp::Wait { .. } => {}
            SyncOp::Unlock(_) | SyncOp::Release(..) | SyncOp::Notify(_) | SyncOp::NotifyAll(_) => {}
        }
    }

    /// Writes down what it did for others, so many of whom were notified.
    pub(super) fn lets_others_go(&mut self, op: SyncOp, at: u64, notified: u32) {
        match op {
            SyncOp::Unlock(sync) => _ = self.has_given_back(sync, at),
            SyncOp::Release(sync, permits) => {
                for _ in 0..permits {
                    if !self.has_given_back(sync, at) {
                        self.write(Event::Added { sync, at });
                    }
                }
            }
            SyncOp::Notify(sync) | SyncOp::NotifyAll(sync) => _ = self.write(Event::Notify { sync, at, notified }),
            _ => {}
        }
    }

    /// Does an operation again for which it has asked before. If the instance cannot go on at once: how it waits.
    pub(super) fn does_again(&mut self) -> Option<Act> {
        let op = self.again.take()?;
        if self.open.is_empty() {
            return self.synchronise(op);
        }
        let done = self.world.synchronise(self.id, op);
        match done.turn {
            Turn::GoesOn => {
                self.has_what_it_asked_for(done.at);
                None
            }
            Turn::GivesUp => {
                self.goes_without(Left::Turn(op.object()), done.at);
                None
            }
            Turn::Waits => Some(self.waits(Awaited::Turn(op))),
            Turn::Yields => Some(self.yields_to_others(op, done.at)),
        }
    }

    /// Changes a variable.
    pub(super) fn changes(&mut self, variable: VariableId, change: Change) {
        let (at, value) = self.world.objects.change(variable, change);
        self.write(Event::Access { at, how: Use::Changed { variable, change, value } });
    }

    /// Goes on according to what variables are now.
    pub(super) fn looks_at_variables(&mut self, program: &Program) {
        let op = self.cursor.position();
        let Some(condition) = self.cursor.condition(program) else { return };
        let (at, holds) = self.world.objects.look(condition);
        self.cursor.decide(program, holds);
        self.write(Event::Access { at, how: Use::Tested { op, holds } });
    }

    /// Lets others go first, and does the operation again then.
    fn yields_to_others(&mut self, op: SyncOp, at: u64) -> Act {
        self.again = Some(op);
        self.write(Event::Yield { at });
        self.sleeps(Act::Yield)
    }

    /// It has all that it asked for and did not have at once.
    pub(super) fn has_what_it_asked_for(&mut self, at: u64) {
        self.open.drain(..).for_each(|asked| self.world.log.had(asked, at));
    }

    /// It has been notified, and asks for the lock from then on; `had` is when it had it, if it has it already.
    pub(super) fn is_notified(&mut self, lock: SyncId, place: Place<Await>, had: Option<u64>) {
        let noticed = self.world.objects.waiter(self.id).noticed.load(Ordering::Relaxed);
        self.world.log.noticed(place, noticed);
        let asked = Asked { sync: lock, at: noticed, had };
        let place = self.write(Hold { what: Held::Alone, asked, given_back: None });
        self.held.push((lock, place));
        if had.is_none() {
            self.open.push(place.asked());
        }
    }

    /// What it waited for is free, unless others come first: before all else it does the same operation again.
    pub(super) fn is_to_ask_again(&mut self) {
        self.again = match self.awaited {
            Some(Awaited::Turn(op)) => Some(op),
            Some(Awaited::Notice { condvar, lock, place }) => {
                self.is_notified(lock, place, None);
                Some(SyncOp::Wait { condvar, lock })
            }
            Some(Awaited::Children(..) | Awaited::Service(..)) | None => None,
        };
    }

    /// Writes down that the instance asked for something that it gives back, and if it has it already.
    fn takes(&mut self, what: Held, times: u32, asked: Asked) {
        for _ in 0..times {
            let place = self.write(Hold { what, asked, given_back: None });
            if asked.had.is_none() {
                self.open.push(place.asked());
            }
            self.held.push((asked.sync, place));
        }
    }

    /// The same of something that it does not give back.
    fn passes(&mut self, what: Passed, times: u32, asked: Asked) {
        for _ in 0..times {
            let place = self.write(Passage { what, asked });
            if asked.had.is_none() {
                self.open.push(place.asked());
            }
        }
    }

    /// Has it permits of the semaphore until it gives them back?
    fn gives_back(&self, sync: SyncId) -> bool {
        let (spec, _) = self.world.identity(self.id);
        self.world.scenario.keeps_permits(spec, sync)
    }

    /// It has something no longer; `false` if it never had it.
    pub(super) fn has_given_back(&mut self, sync: SyncId, at: u64) -> bool {
        let Some(index) = self.held.iter().rposition(|(held, _)| *held == sync) else { return false };
        let (_, place) = self.held.remove(index);
        self.world.log.given_back(place, at);
        true
    }

    /// Is queued for the lock, and stays on the processor for a while.
    fn spins(&mut self, lock: SyncId, asked: u64) -> Act {
        let place = self.write(Spin { lock, asked, stopped: None, used: 0 });
        self.spinning = Some(Spinning { lock, asked, place, used: 0 });
        // Who keeps its thread need not be told by its loop.
        self.world.objects.waiter(self.id).is_polled(false);
        let world = self.world;
        let object = &world.scenario.syncs[lock];
        if object.spins_forever() {
            // It waits for nothing but the lock: if all do, nothing ever changes.
            world.waits_for(self.id, None);
        }
        Act::Burn(world.plan.speed.time_for(object.spin).ns())
    }

    /// If it spun: it has the lock now, or asks for it again, or blocks.
    pub(super) fn stops_spinning(&mut self) -> Option<Act> {
        let Spinning { lock, asked, place, used } = self.spinning.take()?;
        if self.world.scenario.syncs[lock].spins_forever() {
            self.world.waits_no_longer(self.id);
        }
        let waiter = self.world.objects.waiter(self.id);
        let stops = waiter.word.load(Ordering::SeqCst) == 0;
        if let (true, Some((at, _))) = (stops, waiter.left()) {
            self.world.log.stopped(place, sys::now().max(at), used);
            self.goes_without(Left::Turn(lock), at);
            return None;
        }
        waiter.is_polled(self.is_polled);
        let asks_again = stops && waiter.asks_again();
        let had = (stops && !asks_again).then(|| waiter.granted.load(Ordering::Relaxed));
        self.world.log.stopped(place, sys::now().max(had.unwrap_or_default()), used);
        let asked = Asked { sync: lock, at: asked, had };
        let place = self.write(Hold { what: Held::Alone, asked, given_back: None });
        self.held.push((lock, place));
        if had.is_none() {
            self.open.push(place.asked());
        }
        let op = SyncOp::Lock(lock);
        self.again = asks_again.then_some(op);
        (!stops).then(|| self.waits(Awaited::Turn(op)))
    }
}
