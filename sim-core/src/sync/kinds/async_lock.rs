//! The crate `async-lock`, version 3.5.0: `Mutex`.
//!
//! Source: `src/mutex.rs`. `unlock` frees the lock and wakes the first of those who wait, who must ask again; one that has
//! asked in vain for half a millisecond starves, and until it has had the lock nobody may come before it.

use super::{FIFO, Kind};
use crate::scenario::{HandOver, Prefer, Rule};
use crate::time::Span;

/// See the module.
pub(super) const KIND: &Kind = &Kind {
    name: "async-lock",
    prefer: Prefer::Fifo,
    rules: &[("lock", Rule { hand_over: HandOver::Fair(Span::from_us(500)), ..FIFO })],
    others: &["rwlock", "semaphore", "barrier"],
    meets: false,
};
