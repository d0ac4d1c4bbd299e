//! Locks of scenarios, usable by threads, async tasks and child processes at once.
//!
//! A [`Gate`] lives in shared memory and hands the lock over in order: the releaser picks the next, who need not
//! compete again. Who waits is a row of the table of instances; how a waiter is woken (a futex, or the waker of an
//! async task) is the caller's business.

use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};

use crate::shared::row;
use crate::sys;

/// A mutex between processes, held for some instructions at a time (Drepper's: 0 free, 1 taken, 2 taken and wanted).
#[derive(Default)]
pub(crate) struct Latched {
    word: AtomicU32,
}

row!(Latched { word: AtomicU32 });

impl Latched {
    /// Runs `body` alone.
    pub(crate) fn with<R>(&self, body: impl FnOnce() -> R) -> R {
        if self.word.compare_exchange(0, 1, Ordering::Acquire, Ordering::Relaxed).is_err() {
            while self.word.swap(2, Ordering::Acquire) != 0 {
                sys::futex_wait(&self.word, 2, u64::MAX / 2);
            }
        }
        let result = body();
        if self.word.swap(0, Ordering::Release) == 2 {
            sys::futex_wake(&self.word, 1);
        }
        result
    }
}

/// What a waiter for a [`Gate`] is to it.
#[derive(Default)]
pub(crate) struct Waiter {
    /// 1 while it waits.
    pub(crate) word: AtomicU32,
    /// The next in the queue, plus one.
    next: AtomicU32,
    /// Larger is handed the lock first.
    pub(crate) urgency: AtomicI64,
}

row!(Waiter { word: AtomicU32, next: AtomicU32, urgency: AtomicI64 });

/// A lock with a queue: the most urgent first, among equals in the order in which they came.
#[derive(Default)]
pub(crate) struct Gate {
    latch: Latched,
    /// Who holds it, plus one.
    holder: AtomicU32,
    /// Who is next, plus one.
    first: AtomicU32,
}

row!(Gate { latch: Latched, holder: AtomicU32, first: AtomicU32 });

impl Gate {
    /// Takes the lock for `who`, or queues it: then its word stays 1 until the lock is its own.
    pub(crate) fn acquire<'w>(&self, who: usize, waiter: impl Fn(usize) -> &'w Waiter) -> bool {
        let id = u32::try_from(who + 1).unwrap_or(u32::MAX);
        self.latch.with(|| {
            if self.holder.load(Ordering::Relaxed) == 0 {
                self.holder.store(id, Ordering::Relaxed);
                return true;
            }
            let me = waiter(who);
            me.word.store(1, Ordering::SeqCst);
            let urgency = me.urgency.load(Ordering::Relaxed);
            let mut link = &self.first;
            loop {
                let next = link.load(Ordering::Relaxed);
                if next == 0 || waiter(next as usize - 1).urgency.load(Ordering::Relaxed) < urgency {
                    me.next.store(next, Ordering::Relaxed);
                    link.store(id, Ordering::Relaxed);
                    return false;
                }
                link = &waiter(next as usize - 1).next;
            }
        })
    }

    /// Gives the lock back; returns who has it now, whose word the caller must set to 0 and who must be woken.
    pub(crate) fn release<'w>(&self, waiter: impl Fn(usize) -> &'w Waiter) -> Option<usize> {
        self.latch.with(|| {
            let next = self.first.load(Ordering::Relaxed);
            self.holder.store(next, Ordering::Relaxed);
            let next = (next as usize).checked_sub(1)?;
            self.first.store(waiter(next).next.load(Ordering::Relaxed), Ordering::Relaxed);
            Some(next)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gate_serves_the_urgent_first_and_equals_in_order() {
        let waiters: [Waiter; 5] = Default::default();
        waiters[3].urgency.store(1, Ordering::Relaxed);
        let gate = Gate::default();
        let waiter = |who: usize| &waiters[who];
        assert!(gate.acquire(0, waiter));
        for who in 1..5 {
            assert!(!gate.acquire(who, waiter), "{who}");
        }
        let order: Vec<_> = std::iter::from_fn(|| gate.release(waiter)).collect();
        assert_eq!(order, [3, 1, 2, 4]);
        assert!(gate.acquire(2, waiter), "it is free again");
    }

    #[test]
    fn a_latch_lets_one_in_at_a_time() {
        let (latch, counter) = (Latched::default(), AtomicU32::new(0));
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..10_000 {
                        latch.with(|| counter.store(counter.load(Ordering::Relaxed) + 1, Ordering::Relaxed));
                    }
                });
            }
        });
        assert_eq!(counter.into_inner(), 40_000);
    }
}
