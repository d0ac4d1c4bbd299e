//! The crate `tokio`, version 1.54: `Mutex`, `RwLock`, `Semaphore`, `Barrier`, the bounded channel of `mpsc`.
//!
//! Source: `src/sync/{batch_semaphore,mutex,rwlock,semaphore,barrier}.rs`, `src/sync/mpsc`. All of them stand on one
//! semaphore whose permits are assigned to the first in the queue when they are given back: whoever waits is handed what
//! it waits for, in the order of coming, be it a thread in `blocking_lock` or a task. Who waits for room in a channel is
//! handed that, and its message lies there once it has run. Whom a barrier lets go first is drawn by chance; here, who came
//! first.

use super::{FIFO, Kind};
use crate::scenario::{HandOver, Prefer, Rule};

/// See the module.
pub(super) const KIND: &Kind = &Kind {
    name: "tokio",
    prefer: Prefer::Fifo,
    rules: &[
        ("lock", FIFO),
        ("rwlock", FIFO),
        ("semaphore", FIFO),
        ("barrier", FIFO),
        ("channel", Rule { hand_over: HandOver::Kept, ..FIFO }),
    ],
    others: &[],
    meets: false,
};
