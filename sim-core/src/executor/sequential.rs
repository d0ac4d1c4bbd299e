//! One task after the other on one thread: nobody decides to switch, and I/O blocks everything.

use super::{Kind, Threads};
use crate::policy::fifo;

/// The entry on the shelf.
pub(super) static KIND: Kind = Kind {
    name: "sequential",
    summary: "one task after the other on the process's only thread; I/O blocks it",
    threads: Threads::Main,
    keeps_thread: true,
    takes_workers: false,
    takes_gil: false,
    queue: |_| Box::new(fifo::Queue::default()),
};
