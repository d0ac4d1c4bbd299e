//! A process for each task: as `threads`, but every task has an address space of its own.

use super::{Kind, Threads};
use crate::policy::fifo;

/// The entry on the shelf.
pub(super) static KIND: Kind = Kind {
    name: "processes",
    summary: "a process with one thread for each task, switched by the operating system",
    threads: Threads::ProcessPerTask,
    keeps_thread: true,
    takes_workers: false,
    takes_gil: false,
    queue: |_| Box::new(fifo::Queue::default()),
};
