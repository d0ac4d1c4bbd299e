//! A global interpreter lock, by the rules of CPython.
//!
//! Whoever wants the lock waits one switch interval at a time; if nobody else got it meanwhile, it asks the holder to
//! drop it. The holder looks at that request between instructions, drops the lock and waits until somebody else has
//! taken it. It also drops it, unasked, whenever it blocks.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};
use std::thread::ThreadId;
use std::time::Duration;

/// The lock of one process.
pub(crate) struct Gil {
    interval: Duration,
    drop_requested: AtomicBool,
    state: Mutex<State>,
    dropped: Condvar,
    taken: Condvar,
}

#[derive(Default)]
struct State {
    locked: bool,
    /// Who took it last.
    last: Option<ThreadId>,
    /// How often it has come to another than had it last.
    switches: u64,
    waiting: usize,
}

impl Gil {
    /// A free lock with this switch interval.
    pub(crate) fn new(interval_ns: u64) -> Gil {
        Gil {
            interval: Duration::from_nanos(interval_ns.max(1)),
            drop_requested: AtomicBool::new(false),
            state: Mutex::default(),
            dropped: Condvar::new(),
            taken: Condvar::new(),
        }
    }

    /// Does somebody want the holder to drop it?
    #[inline]
    pub(crate) fn is_wanted(&self) -> bool {
        self.drop_requested.load(Ordering::Relaxed)
    }

    /// Takes the lock, unless `give_up` says that waiting has become pointless.
    pub(crate) fn take(&self, give_up: impl Fn() -> bool) -> bool {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.waiting += 1;
        while state.locked && !give_up() {
            let seen = state.switches;
            let (now, waited) = self.dropped.wait_timeout(state, self.interval).unwrap_or_else(PoisonError::into_inner);
            state = now;
            if waited.timed_out() && state.locked && state.switches == seen {
                self.drop_requested.store(true, Ordering::Relaxed);
            }
        }
        state.waiting -= 1;
        if state.locked {
            return false;
        }
        state.locked = true;
        let me = Some(std::thread::current().id());
        state.switches += u64::from(state.last != me);
        state.last = me;
        self.drop_requested.store(false, Ordering::Relaxed);
        self.taken.notify_one();
        true
    }

    /// Drops the lock; if that was asked for, waits until somebody else has it.
    pub(crate) fn release(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.locked = false;
        let seen = state.switches;
        self.dropped.notify_one();
        // A switch is forced, as in CPython: otherwise the holder would take it again before the other is awake.
        while self.drop_requested.load(Ordering::Relaxed) && state.switches == seen && state.waiting > 0 {
            let patience = Duration::from_millis(100);
            state = self.taken.wait_timeout(state, patience).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lock_changes_hands_when_it_is_wanted() {
        let gil = Gil::new(1_000_000);
        let turns = Mutex::new(Vec::new());
        std::thread::scope(|scope| {
            for name in 0..2 {
                let (gil, turns) = (&gil, &turns);
                scope.spawn(move || {
                    for _ in 0..3 {
                        assert!(gil.take(|| false));
                        turns.lock().expect("nobody panics").push(name);
                        // The last turn ends when the other no longer waits.
                        let patience = std::time::Instant::now();
                        while !gil.is_wanted() && patience.elapsed() < Duration::from_millis(50) {
                            std::hint::spin_loop();
                        }
                        gil.release();
                    }
                });
            }
        });
        let turns = turns.into_inner().expect("nobody panics");
        assert_eq!(turns.len(), 6);
        assert!(turns.windows(2).filter(|pair| pair[0] != pair[1]).count() >= 4, "{turns:?}");
    }
}
