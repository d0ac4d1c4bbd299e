//! A thread pool: workers take tasks from one queue and keep each until it ends, so I/O blocks the worker.

use super::{Kind, Threads};
use crate::policy::fifo;

/// The entry on the shelf.
pub(super) static KIND: Kind = Kind {
    name: "pool",
    summary: "a fixed number of threads and one queue; a task keeps its worker until it ends",
    threads: Threads::Workers,
    keeps_thread: true,
    takes_workers: true,
    takes_gil: false,
    queue: |_| Box::new(fifo::Queue::default()),
};
