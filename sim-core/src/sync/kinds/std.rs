//! Rust's `std::sync`, version 1.95, on Linux: `Mutex`, `RwLock`, `Condvar`, `Barrier`, and the channels of `mpsc`.
//!
//! Source: `library/std/src/sys/sync/{mutex,rwlock,condvar}/futex.rs`, `sync/{barrier,mpsc}`; orders and runs measured.
//! `unlock` sets the word to zero and wakes one thread, the one that the futex's queue has first: the most urgent, the
//! first among equals. Whoever comes before it runs takes the lock. A writer goes before readers that wait. Who is notified
//! takes the mutex like anybody else; a barrier is a mutex with a condition variable. Senders and receivers of `mpsc` wait
//! in lists in the order in which they came, and whoever looks first has the message or the room.
//! Who finds a lock taken spins for some hundred instructions before it sleeps, which no program can see here.

use super::{FIFO, Kind, URGENT};
use crate::scenario::{HandOver, Prefer, Rule};

/// See the module.
pub(super) const KIND: &Kind = &Kind {
    name: "std",
    prefer: Prefer::Writers,
    rules: &[
        ("lock", Rule { hand_over: HandOver::Barging, ..URGENT }),
        ("rwlock", Rule { hand_over: HandOver::Barging, ..URGENT }),
        ("condvar", Rule { hand_over: HandOver::Barging, ..URGENT }),
        ("barrier", URGENT),
        ("channel", Rule { hand_over: HandOver::Barging, ..FIFO }),
    ],
    others: &[],
    meets: true,
};
