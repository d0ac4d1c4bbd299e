//! Starting and ending a run, and waiting for either.

use std::sync::PoisonError;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::Waker;

use super::{Instance, Starter, World};
use crate::play::dispatch::Dispatch;
use crate::sys;

impl World {
    /// Says how an executor is given the instances of each process. The first to say so is right: a child process
    /// knows its own way before the others are known.
    pub(crate) fn set_starters(&self, starters: Vec<Starter>) {
        self.starters.set(starters).unwrap_or_default();
    }

    /// Announces when the run starts and when it must be over.
    pub(crate) fn announce_start(&self, start: u64, deadline: u64) {
        let board = self.board();
        board.start.store(start, Ordering::SeqCst);
        board.deadline.store(deadline, Ordering::SeqCst);
        board.go.store(1, Ordering::SeqCst);
        sys::futex_wake(&board.go, i32::MAX);
    }

    /// Is it known when the run starts?
    pub(crate) fn has_been_announced(&self) -> bool {
        self.board().go.load(Ordering::SeqCst) != 0
    }

    /// Waits for the announcement; returns the start, which is still to come. `None`: the run is off.
    pub(crate) fn await_start(&self) -> Option<u64> {
        let board = self.board();
        while board.go.load(Ordering::SeqCst) == 0 {
            if self.is_over() {
                return None;
            }
            sys::futex_wait(&board.go, 0, sys::now() + 100_000_000);
        }
        Some(board.start.load(Ordering::SeqCst))
    }

    /// Is the run over, by now or by decree?
    #[inline]
    pub(crate) fn is_over(&self) -> bool {
        self.board().over.load(Ordering::Relaxed) != 0
    }

    /// Has time run out?
    #[inline]
    pub(crate) fn is_late(&self, now: u64) -> bool {
        now >= self.board().deadline.load(Ordering::Relaxed)
    }

    /// Ends the run: nothing goes on after this, and whoever sleeps or waits is woken.
    pub(crate) fn end(&self, at: u64) {
        let board = self.board();
        board.deadline.fetch_min(at, Ordering::SeqCst);
        board.over.store(1, Ordering::SeqCst);
        self.wake_all();
    }

    /// An instance could not be started: the run is worth nothing.
    pub(crate) fn refuse(&self) {
        self.board().unstarted.fetch_add(1, Ordering::Relaxed);
        self.board().refused.fetch_add(1, Ordering::Relaxed);
        self.ring();
    }

    /// Have all instances come to their end by then?
    pub(crate) fn all_finish_by(&self, at: u64) -> bool {
        let finish = |instance: &Instance| instance.finish.load(Ordering::SeqCst);
        self.instances().iter().map(finish).all(|finish| finish != 0 && finish <= at)
    }

    /// Whom to wake when the run is over.
    pub(crate) fn wake_at_end(&self, waker: Waker) {
        self.at_end.lock().unwrap_or_else(PoisonError::into_inner).push(waker);
    }

    /// Wakes everybody who waits for something that will no longer happen.
    pub(crate) fn wake_all(&self) {
        let board = self.board();
        for word in [&board.go, &board.over] {
            sys::futex_wake(word, i32::MAX);
        }
        self.counters.wake_all();
        self.objects.wake_watch();
        self.dispatch.iter().for_each(Dispatch::wake_all);
        for id in 0..self.instances().len() {
            sys::futex_wake(&self.objects.waiter(id).word, i32::MAX);
        }
        self.crowds.iter().for_each(|crowd| sys::futex_wake(&crowd.unfinished, i32::MAX));
        for counter in &self.children[..self.instances().len() * self.columns] {
            sys::futex_wake(counter, i32::MAX);
        }
        let wakers = std::mem::take(&mut *self.at_end.lock().unwrap_or_else(PoisonError::into_inner));
        wakers.into_iter().for_each(Waker::wake);
    }

    /// Waits until the run is over.
    pub(crate) fn await_end(&self) {
        while !self.is_over() {
            sys::futex_wait(&self.board().over, 0, u64::MAX / 2);
        }
    }

    /// Sleeps until `at`, but not beyond the end of the run, be it that of an interrupted one.
    pub(crate) fn sleep_until(&self, at: u64) {
        let board = self.board();
        let until = || at.min(board.deadline.load(Ordering::SeqCst));
        while !self.is_over() && sys::now() < until() {
            sys::futex_wait(&board.over, 0, until());
        }
    }

    /// Waits until `word` is zero; `false` if the run ended before.
    pub(crate) fn await_zero(&self, word: &AtomicU32) -> bool {
        self.await_zero_until(word, u64::MAX)
    }

    /// The same, but no longer than until then.
    pub(crate) fn await_zero_until(&self, word: &AtomicU32, until: u64) -> bool {
        loop {
            let value = word.load(Ordering::SeqCst);
            if value == 0 {
                return true;
            }
            let (deadline, now) = (self.board().deadline.load(Ordering::SeqCst), sys::now());
            if self.is_over() || now >= deadline {
                return false;
            }
            if now > until {
                return true;
            }
            sys::futex_wait(word, value, deadline.min(until.saturating_add(1)));
        }
    }

    /// Waits until `word` is no longer zero, or gives up after a second.
    pub(crate) fn await_nonzero(&self, word: &AtomicU32) {
        let patience = sys::now() + 1_000_000_000;
        while word.load(Ordering::SeqCst) == 0 && sys::now() < patience && !self.is_over() {
            sys::futex_wait(word, 0, patience);
        }
    }

    /// Asks the control thread to look.
    pub(crate) fn ring(&self) {
        self.board().bell.fetch_add(1, Ordering::SeqCst);
        sys::futex_wake(&self.board().bell, 1);
    }
}
