//! Async tasks on several workers with a queue each; a worker that runs out of work steals from the others.

use super::{Kind, Threads};
use crate::policy::fifo;

/// The entry on the shelf.
pub(super) static KIND: Kind = Kind {
    name: "work-stealing",
    summary: "async tasks on a fixed number of threads, a queue for each; idle workers steal",
    threads: Threads::Workers,
    keeps_thread: false,
    takes_workers: true,
    takes_gil: false,
    queue: |_| Box::new(fifo::Queue::default()),
};
