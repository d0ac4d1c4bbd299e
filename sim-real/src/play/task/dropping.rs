//! What becomes of an async task whose future is dropped: a branch of an `any` that was not the first to be done.
//!
//! It leaves the queue in which it waits, its request is withdrawn, and what it holds is given back, what it got last first. What
//! others do for it goes on. At objects of libraries, all that is done by dropping what their futures are, or give.

use std::sync::atomic::Ordering;

use sim_core::ids::{SpecId, SyncId};
use sim_core::scenario::{SyncKind, SyncOp, Way};
use sim_core::timeline::Fate;

use super::polled::Polled;
use super::{Awaited, Walk};
use crate::record::event::{Await, Join, Leave, Left};
use crate::record::log::Place;
use crate::sys;

impl Polled<'_> {
    /// It gives one thing back that it holds.
    fn gives_back(&mut self, sync: SyncId) {
        let walk = &mut self.walk;
        let is_permit = matches!(walk.world.scenario.syncs[sync].kind, SyncKind::Semaphore { .. });
        let op = if is_permit { SyncOp::Release(sync, 1) } else { SyncOp::Unlock(sync) };
        if let Some(object) = walk.library(sync) {
            return self.borrowed.lets_go(walk, object, op);
        }
        let done = walk.world.synchronise(walk.id, op);
        walk.lets_others_go(op, done.at, done.notified);
    }
}

impl Drop for Polled<'_> {
    fn drop(&mut self) {
        let (world, id) = (self.walk.world, self.walk.id);
        if !world.is_dropped(id) {
            return;
        }
        world.forgets_waker(id);
        self.walk.waits_for_nothing();
        while let Some((sync, _)) = self.walk.held.last().copied() {
            self.gives_back(sync);
        }
        world.finish(id, Fate::Aborted);
    }
}

impl Walk<'_> {
    /// Whatever it waits for, it waits for it no more.
    fn waits_for_nothing(&mut self) {
        self.world.waits_no_longer(self.id);
        match (self.awaited.take(), self.again.take()) {
            (Some(Awaited::Turn(op)), _) | (None, Some(op)) => self.leaves_turn(op),
            (Some(Awaited::Notice { condvar, lock, place }), _) => self.leaves_condvar([condvar, lock], place),
            (Some(Awaited::Children(spec, place)), _) => self.leaves_joined(spec, place),
            // The device has the last word: what it says is read when the run is over.
            (Some(Awaited::Service(device, _)), _) => return self.world.counters.withdraw(device, self.id),
            (None, None) => {}
        }
        self.world.objects.waiter(self.id).attempts_no_more();
    }

    fn leaves_turn(&mut self, op: SyncOp) {
        if self.library(op.object()).is_some() {
            return self.ends_without(Left::Turn(op.object()), sys::now());
        }
        let (at, in_vain) = self.world.drops(self.id, op);
        if in_vain {
            let sync = if let SyncOp::Wait { lock, .. } = op { lock } else { op.object() };
            self.ends_without(Left::Turn(sync), at);
        } else {
            self.has_what_it_asked_for(self.world.objects.waiter(self.id).granted.load(Ordering::Relaxed));
        }
    }

    /// It waits for a notification, or has had it and waits for the lock.
    fn leaves_condvar(&mut self, [condvar, lock]: [SyncId; 2], place: Place<Await>) {
        let (at, in_vain) = self.world.drops(self.id, SyncOp::Wait { condvar, lock });
        let waiter = self.world.objects.waiter(self.id);
        let [noticed, granted] = [&waiter.noticed, &waiter.granted].map(|at| at.load(Ordering::Relaxed));
        if noticed == 0 {
            return self.ends_without(Left::Turn(condvar), at);
        }
        // Or it has given that up.
        waiter.left().into_iter().for_each(|(at, _)| self.leaves_notice(condvar, at));
        self.is_notified(lock, place, (!in_vain).then_some(granted));
        if in_vain {
            self.ends_without(Left::Turn(lock), at);
        }
    }

    /// It waits for those whom it spawned, or for a pool.
    fn leaves_joined(&mut self, spec: SpecId, place: Place<Join>) {
        self.world.objects.joins_no_more(self.id);
        let at = sys::now();
        if self.have_ended_by(spec, at) {
            return self.world.log.joined(place, self.world.children_done_at(self.id, spec));
        }
        self.world.log.joined(place, at);
        let is_called = self.world.scenario.specs[spec].caller.is_some_and(|caller| caller.way == Way::On);
        let callee = if is_called { self.world.unfinished_child(self.id, spec) } else { None };
        callee.into_iter().for_each(|callee| self.world.disowns(self.id, spec, callee));
        self.ends_without(Left::Children(callee.and_then(|callee| u32::try_from(callee).ok())), at);
    }

    /// It ends without what it has asked for.
    fn ends_without(&mut self, what: Left, at: u64) {
        let asked = self.world.objects.waiter(self.id).began().unwrap_or(0);
        self.write(Leave { what, asked, at });
        self.forgets_what_is_open();
    }
}
