//! What threads and async tasks do with objects of libraries.
//!
//! What stands in the log has happened by then, or had begun: something is had after it was taken, and given back, sent or
//! notified before it is. Where that leaves it open what came first, `record::passages` says so afterwards.

use std::future::poll_fn;
use std::sync::atomic::Ordering;
use std::task::Poll;
use std::time::Duration;

use sim_core::ids::SyncId;
use sim_core::scenario::SyncOp;

use super::{Awaited, Walk};
use crate::play::library::{Had, Object, TaskHad};
use crate::record::event::{Asked, Await, Left};
use crate::sys;

/// What somebody has of objects, to be given back.
pub(super) struct Borrowed<G>(Vec<(SyncId, G)>);

impl<G> Default for Borrowed<G> {
    fn default() -> Self {
        Borrowed(Vec::new())
    }
}

impl<G> Borrowed<G> {
    /// Keeps what it has got.
    fn keep(&mut self, walk: &Walk<'_>, op: SyncOp, had: G) {
        let sync = op.object();
        if walk.world.scenario.syncs[sync].kind.is_lock() {
            self.0.push((sync, had));
        }
    }

    /// Does what only lets others go on.
    pub(super) fn lets_go(&mut self, walk: &mut Walk<'_>, object: &Object, op: SyncOp) {
        let now = sys::now();
        let notified = match op {
            SyncOp::Notify(_) => object.notices.give(false, now),
            SyncOp::NotifyAll(_) => object.notices.give(true, now),
            _ => 0,
        };
        walk.lets_others_go(op, now, notified);
        if let SyncOp::Unlock(lock) = op {
            let place = self.0.iter().rposition(|(held, _)| *held == lock);
            drop(place.map(|place| self.0.remove(place)));
        } else {
            object.lets_go(op);
        }
    }
}

impl<'w> Borrowed<Had<'w>> {
    /// A thread does something. Before it waits it `releases` what it may not keep while it does. Did it wait?
    pub(super) fn does(&mut self, walk: &mut Walk<'w>, op: SyncOp, releases: impl FnOnce()) -> bool {
        let Some(object) = walk.library(op.object()) else { return false };
        if op.lets_go() {
            self.lets_go(walk, object, op);
            return false;
        }
        if let SyncOp::Wait { condvar, lock } = op {
            self.waits(walk, object, [condvar, lock], releases);
            return true;
        }
        let mut waited = false;
        let had = object.perform(op, walk.stays_until(), || {
            walk.asks_library(op, false);
            releases();
            waited = true;
        });
        let Some(had) = had else {
            walk.leaves_library(op);
            return waited;
        };
        if waited {
            walk.has_it_from_library();
        } else {
            walk.asks_library(op, true);
        }
        self.keep(walk, op, had);
        waited
    }

    /// It gives a lock back, waits for a notification, and takes the lock again.
    fn waits(
        &mut self,
        walk: &mut Walk<'w>,
        object: &'w Object,
        [condvar, lock]: [SyncId; 2],
        releases: impl FnOnce(),
    ) {
        let place = self.0.iter().rposition(|(held, _)| *held == lock);
        let (Some(place), Some(library)) = (place, object.condvar()) else { return releases() };
        object.notices.waits();
        let now = sys::now();
        walk.has_given_back(lock, now);
        let written = walk.write(Await { condvar, start: now, noticed: None });
        walk.awaits_library(Awaited::Notice { condvar, lock, place: written });
        releases();
        let (guard, until) = (&mut self.0[place].1, walk.stays_until());
        let rest = || Some(Duration::from_nanos(until.saturating_sub(sys::now()))).filter(|_| until != u64::MAX);
        let (mut noticed, mut is_over) = (None, false);
        while noticed.is_none() && !is_over && !walk.world.is_late(sys::now()) {
            is_over = guard.wait(library, rest());
            noticed = if is_over { object.notices.leaves() } else { object.notices.claim() };
        }
        walk.goes_on_from_library();
        if let Some(noticed) = noticed {
            walk.world.objects.waiter(walk.id).noticed.store(noticed.max(now), Ordering::Relaxed);
            walk.is_notified(lock, written, Some(sys::now()));
        } else if is_over {
            walk.world.objects.waiter(walk.id).noticed.store(until.max(now), Ordering::Relaxed);
            walk.leaves_notice(condvar, until.max(now));
            walk.is_notified(lock, written, Some(sys::now()));
        }
    }
}

impl<'w> Borrowed<TaskHad<'w>> {
    /// An async task does something.
    pub(super) async fn does(&mut self, walk: &mut Walk<'w>, op: SyncOp) {
        let Some(object) = walk.library(op.object()) else { return };
        if op.lets_go() {
            return self.lets_go(walk, object, op);
        }
        let Some(mut pending) = object.begin(op) else { return };
        let had = match poll_fn(|context| Poll::Ready(pending.as_mut().poll(context))).await {
            Poll::Ready(had) => {
                walk.asks_library(op, true);
                had
            }
            Poll::Pending => {
                let rest = Duration::from_nanos(walk.stays_until().saturating_sub(sys::now()));
                if rest.is_zero() {
                    return walk.leaves_library(op);
                }
                walk.asks_library(op, false);
                let Ok(had) = tokio::time::timeout(rest, pending).await else { return walk.leaves_library(op) };
                walk.has_it_from_library();
                had
            }
        };
        self.keep(walk, op, had);
    }
}

impl<'w> Walk<'w> {
    pub(super) fn library(&self, sync: SyncId) -> Option<&'w Object> {
        self.world.libraries[sync].as_ref()
    }

    /// Something was asked for; if it was not had at once, the instance waits for it from now on.
    fn asks_library(&mut self, op: SyncOp, had: bool) {
        let now = sys::now();
        self.asks(op, Asked { sync: op.object(), at: now, had: had.then_some(now) });
        if !had {
            self.awaits_library(Awaited::Turn(op));
        }
    }

    /// It waits from now on, and has been given nothing so far.
    fn awaits_library(&mut self, awaited: Awaited) {
        let waiter = self.world.objects.waiter(self.id);
        waiter.granted.store(0, Ordering::Relaxed);
        waiter.noticed.store(0, Ordering::Relaxed);
        waiter.word.store(1, Ordering::SeqCst);
        self.waits(awaited);
    }

    /// It has not got what it wanted of a library's object in time, and is in no queue any more.
    fn leaves_library(&mut self, op: SyncOp) {
        self.goes_on_from_library();
        self.goes_without(Left::Turn(op.object()), sys::now());
    }

    fn goes_on_from_library(&mut self) {
        self.awaited = None;
        self.world.objects.waiter(self.id).word.store(0, Ordering::SeqCst);
        self.world.waits_no_longer(self.id);
    }

    /// What it waited for is its.
    fn has_it_from_library(&mut self) {
        self.goes_on_from_library();
        self.has_what_it_asked_for(sys::now());
    }
}
