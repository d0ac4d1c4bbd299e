//! How an instance gives up what it waits for, and is turned away.
//!
//! Threads that wait are let go by others when their time is up: see `play::sync::overdue` and `play::device`. Here is what they
//! do then, and how an async task notices by itself.

use std::future::{Future, poll_fn};
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::Poll;
use std::time::Duration;

use sim_core::ids::{DeviceId, SpecId, SyncId};
use sim_core::scenario::Terms;
use sim_core::time::Span;

use super::{Act, Awaited, Walk};
use crate::play::device::Wish;
use crate::play::world::World;
use crate::record::event::{Join, Leave, Left};
use crate::sys;

/// What an instance is at, and may give up.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Attempt {
    terms: Terms,
    began: u64,
    /// Has the operation been taken that it is about?
    is_under_way: bool,
    /// Has it been given up, so that only the lock is missing with which the instance goes on?
    given_up: bool,
    /// Who does in a pool what the instance waits for.
    callee: Option<usize>,
}

impl Attempt {
    /// When it is given up, if it is not complete by then; the largest number is never.
    fn until(&self) -> u64 {
        match self.terms.within {
            Terms::FOR_EVER => u64::MAX,
            within => self.began.saturating_add(within.ns()),
        }
    }
}

impl Wish {
    /// For so long, on that track, however long it takes.
    pub(super) fn lasting(service: Span, track: u32) -> Wish {
        Wish { service, track, until: u64::MAX, patience: Terms::FOR_EVER }
    }
}

impl Walk<'_> {
    // Beginning and ending.

    /// It comes to an operation that it may give up.
    pub(super) fn attempts(&mut self, terms: Terms, began: u64) {
        let attempt = Attempt { terms, began, is_under_way: false, given_up: false, callee: None };
        let until = Some(attempt.until()).filter(|until| *until != u64::MAX);
        self.world.objects.waiter(self.id).attempts(began, until.unwrap_or(0), self.is_polled);
        self.attempt = Some(attempt);
    }

    /// It takes its next operation: what it was at before, and could have given up, it has done.
    pub(super) fn completes(&mut self) {
        match &mut self.attempt {
            None => {}
            // `on` is complete when the pool has done it, which is awaited next.
            Some(attempt) if !attempt.is_under_way => attempt.is_under_way = true,
            Some(_) => self.ends_attempt(),
        }
    }

    /// It is at that no more, and goes on elsewhere if it has given it up.
    fn ends_attempt(&mut self) {
        if let Some(attempt) = self.attempt.take() {
            self.world.objects.waiter(self.id).attempts_no_more();
            if attempt.given_up {
                self.cursor.go_to(attempt.terms.otherwise);
            }
        }
    }

    /// It goes on without what it has asked for, since then.
    pub(super) fn goes_without(&mut self, what: Left, at: u64) {
        let asked = self.attempt.map_or_else(|| self.asked_device(at), |attempt| attempt.began);
        self.write(Leave { what, asked, at });
        self.forgets_what_is_open();
        if let Some(attempt) = &mut self.attempt {
            attempt.given_up = true;
        }
        self.ends_attempt();
    }

    /// When it asked the device that it went without at that time.
    fn asked_device(&self, at: u64) -> u64 {
        self.world.counters.ticket(self.id).asked.load(Ordering::Relaxed).min(at)
    }

    /// What it has asked for and does not have it will not have.
    pub(super) fn forgets_what_is_open(&mut self) {
        let open = std::mem::take(&mut self.open);
        self.held.retain(|(_, place)| !open.contains(&place.asked()));
    }

    /// Until when it stays at what it is at; the largest number is for ever.
    pub(super) fn stays_until(&self) -> u64 {
        self.attempt.map_or(u64::MAX, |attempt| attempt.until())
    }

    // Devices.

    /// What it asks of the device, with what it says of how long it waits.
    pub(super) fn wish(&self, device: DeviceId, wish: Wish, blocking: bool) -> Wish {
        let own = self.world.scenario.devices[device].patience.unwrap_or(Terms::FOR_EVER);
        let Some(attempt) = self.attempt else { return Wish { patience: own, ..wish } };
        let patience = if attempt.terms.patience == Terms::FOR_EVER { own } else { attempt.terms.patience };
        // Of whom a loop runs, the loop notices.
        let until = if self.is_polled && !blocking { u64::MAX } else { attempt.until() };
        Wish { until, patience, ..wish }
    }

    // Joins.

    /// It joins the instances of that task which it spawned. If it cannot go on at once: how it waits.
    pub(super) fn joins(&mut self, spec: SpecId, now: u64) -> Option<Act> {
        if self.world.children_of(self.id, spec).is_none_or(|word| word.load(Ordering::SeqCst) == 0) {
            return None;
        }
        if let Some(attempt) = self.attempt.filter(|attempt| attempt.until() <= now) {
            self.leaves_children(spec, attempt, now);
            return None;
        }
        let place = self.write(Join { spec, start: now, ended: None });
        if self.attempt.is_some() {
            self.world.objects.joins(self.id);
        }
        Some(self.waits(Awaited::Children(spec, place)))
    }

    fn leaves_children(&mut self, spec: SpecId, attempt: Attempt, at: u64) {
        if let Some(callee) = attempt.callee {
            self.world.disowns(self.id, spec, callee);
        }
        self.goes_without(Left::Children(attempt.callee.and_then(|callee| u32::try_from(callee).ok())), at);
    }

    /// A pool does that for it.
    pub(super) fn has_callee(&mut self, callee: usize) {
        if let Some(attempt) = &mut self.attempt {
            (attempt.callee, attempt.is_under_way) = (Some(callee), false);
        }
    }

    /// It has started another, or let a pool do something: if nobody took that, it does something else.
    pub(super) fn may_be_rejected(&mut self, child: usize) {
        if !self.world.is_rejected(child) {
            return;
        }
        if let (true, Ok(callee)) =
            (self.world.scenario.specs[self.world.identity(child).0].is_call(), u32::try_from(child))
        {
            let at = sys::now();
            let asked = self.attempt.map_or(at, |attempt| attempt.began);
            self.write(Leave { what: Left::Pool(callee), asked, at });
        }
        if let Some(attempt) = &mut self.attempt {
            attempt.given_up = true;
            self.ends_attempt();
        }
    }

    // Waiting.

    /// It has been let go. Has it given up what it waited for, so that nothing more is to be said of that?
    pub(super) fn has_left(&mut self) -> bool {
        let left = self.world.objects.waiter(self.id).left().map(|(at, _)| at);
        match (self.awaited, self.attempt) {
            (Some(Awaited::Children(spec, place)), Some(attempt)) => {
                self.world.objects.joins_no_more(self.id);
                let left = left.or_else(|| self.has_waited_too_long(spec, attempt));
                let Some(at) = left.filter(|at| !self.have_ended_by(spec, *at)) else { return false };
                self.world.log.joined(place, at);
                self.leaves_children(spec, attempt, at);
                true
            }
            (Some(Awaited::Turn(op)), _) => {
                left.into_iter().for_each(|at| self.goes_without(Left::Turn(op.object()), at));
                left.is_some()
            }
            (Some(Awaited::Notice { condvar, .. }), Some(attempt)) => {
                left.filter(|_| !attempt.given_up).into_iter().for_each(|at| self.leaves_notice(condvar, at));
                false
            }
            _ => false,
        }
    }

    /// It waits for no notification any more, but for the lock with which it goes on elsewhere.
    pub(super) fn leaves_notice(&mut self, condvar: SyncId, at: u64) {
        let Some(attempt) = &mut self.attempt else { return };
        attempt.given_up = true;
        let asked = attempt.began;
        self.write(Leave { what: Left::Turn(condvar), asked, at });
        self.world.objects.waiter(self.id).attempts_no_more();
    }

    /// The time until which it waits for those whom it spawned, if that is over though nobody said so: who is run by a loop waits
    /// until that has noticed.
    fn has_waited_too_long(&self, spec: SpecId, attempt: Attempt) -> Option<u64> {
        let until = attempt.until();
        (!self.is_polled && until < sys::now() && !self.have_ended_by(spec, until)).then_some(until)
    }

    /// Had all of them ended by then whom it spawned?
    pub(super) fn have_ended_by(&self, spec: SpecId, at: u64) -> bool {
        let live = self.world.children_of(self.id, spec).is_some_and(|word| word.load(Ordering::SeqCst) > 0);
        !live && self.world.children_done_at(self.id, spec) <= at
    }

    /// While an async task waits for others: until they let it go, or its loop has noticed that its time is up and it has gone.
    pub(super) async fn is_let_go(&mut self) {
        let (Some(word), world, id) = (self.word(), self.world, self.id) else { return };
        let until = self.attempt.map_or(u64::MAX, |attempt| if attempt.given_up { u64::MAX } else { attempt.until() });
        if until == u64::MAX {
            return is_zero(world, id, word).await;
        }
        let rest = Duration::from_nanos(until.saturating_sub(sys::now()));
        if tokio::time::timeout(rest, is_zero(world, id, word)).await.is_ok() {
            return;
        }
        match self.awaited {
            Some(Awaited::Service(device, _)) => world.counters.withdraw(device, id),
            _ => world.gives_up(id),
        }
        if !matches!(self.awaited, Some(Awaited::Children(..))) {
            is_zero(world, id, word).await;
        }
    }
}

/// Waits until the word of an instance is zero.
fn is_zero<'w>(world: &'w World, id: usize, word: &'w AtomicU32) -> impl Future<Output = ()> + 'w {
    poll_fn(move |context| {
        world.set_waker(id, context.waker().clone());
        if word.load(Ordering::SeqCst) == 0 { Poll::Ready(()) } else { Poll::Pending }
    })
}
