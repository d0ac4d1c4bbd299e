//! A thread for each task. With `gil`, only the thread that holds the global interpreter lock runs: one slot. Its rules are
//! those of [`interpreter_lock`](super::interpreter_lock).

use super::{Kind, Threads, interpreter_lock};

/// The entry on the shelf.
pub(super) static KIND: Kind = Kind {
    name: "threads",
    summary: "a thread for each task, switched by the operating system; `gil` adds an interpreter lock",
    parameters: &[interpreter_lock::INTERVAL, interpreter_lock::REQUEST, interpreter_lock::ASKER],
    threads: Threads::PerTask,
    keeps_thread: true,
    elsewhere: None,
    in_python: true,
    read: interpreter_lock::read,
};
