//! A thread for each task. With `gil`, only the thread that holds the global interpreter lock runs: one slot, handed
//! over when its holder blocks, or one switch interval after somebody began to wait for it (as CPython does); whoever
//! is handed it while others wait has one interval from when it first runs.

use super::{Kind, Threads};
use crate::policy::fifo;

/// The entry on the shelf.
pub(super) static KIND: Kind = Kind {
    name: "threads",
    summary: "a thread for each task, switched by the operating system; `gil` adds an interpreter lock",
    threads: Threads::PerTask,
    keeps_thread: true,
    takes_workers: false,
    takes_gil: true,
    queue: |_| Box::new(fifo::Queue::default()),
};
