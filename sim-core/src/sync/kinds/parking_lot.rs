//! The crate `parking_lot`, version 0.12.5: `Mutex`, `RwLock`, `Condvar`.
//!
//! Source: `raw_mutex.rs`, `raw_rwlock.rs`, `condvar.rs`, and `parking_lot_core` 0.9.12 (`spinwait.rs`, `parking_lot.rs`).
//! Queues are in user space and in the order of coming, whatever the priority. Who finds a lock taken and nobody parked
//! spins three times, then yields seven times, and parks after that. `unlock` frees the lock and wakes the first who is
//! parked, who must ask again; but every now and then, at times drawn between 0 and 1 ms after the last, it is handed over:
//! here, to who has waited for the mean of that. A notified thread joins the queue of its mutex if that is taken.

use super::{FIFO, Kind};
use crate::scenario::{HandOver, Prefer, Rule};
use crate::time::Span;

/// See the module.
pub(super) const KIND: &Kind = &Kind {
    name: "parking-lot",
    prefer: Prefer::Fifo,
    rules: &[
        ("lock", Rule { hand_over: HandOver::Fair(Span::from_us(500)), yields: 7, ..FIFO }),
        ("rwlock", Rule { hand_over: HandOver::Fair(Span::from_us(500)), yields: 7, ..FIFO }),
        ("condvar", FIFO),
    ],
    others: &[],
    meets: false,
};
