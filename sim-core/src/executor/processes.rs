//! A process for each task: as `threads`, but every task has an address space of its own.

use super::{Kind, Threads, parameters};

/// The entry on the shelf.
pub(super) static KIND: Kind = Kind {
    name: "processes",
    summary: "a process with one thread for each task, switched by the operating system",
    parameters: &[parameters::START],
    threads: Threads::ProcessPerTask,
    keeps_thread: true,
    elsewhere: None,
    in_python: true,
    read: parameters::read_start,
};
