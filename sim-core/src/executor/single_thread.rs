//! An event loop: one thread, tasks that are ready run in the order in which they became so, and each runs until it
//! gives up control.

use super::{Kind, Threads};
use crate::policy::fifo;

/// The entry on the shelf.
pub(super) static KIND: Kind = Kind {
    name: "async",
    summary: "an event loop on one thread; tasks switch at io, sleep, yield and contended locks",
    threads: Threads::Main,
    keeps_thread: false,
    takes_workers: false,
    takes_gil: false,
    queue: |_| Box::new(fifo::Queue::default()),
};
