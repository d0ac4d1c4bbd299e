//! A thread for each task. With `gil`, only the thread that holds the global interpreter lock runs: one slot.
//!
//! Rules of the lock, those of CPython since 3.2:
//!
//! - Who wants it while somebody else has it waits one switch interval, then asks the holder to drop it. The holder
//!   does so at once (in reality before its next instruction), and waits until somebody else has it: who was forced
//!   never takes it again before the others who wait.
//! - Who blocks (I/O, a sleep, a lock, a join) drops it, and takes it again to go on. Among threads that compute this
//!   costs an interval for each wait, however short: the convoy effect.
//! - Whoever is handed it while others wait has one interval from when it first runs. CPython is less exact here: a
//!   waiter notices only at the end of its own interval that the lock has changed hands, so after a lock was dropped
//!   without being asked for, the next holder may have up to two.
//! - Those who wait get it in the order in which they began to.
//!
//! Sources: `Python/ceval_gil.c` of CPython, the comment at its beginning; Beazley, "Understanding the Python GIL",
//! 2010, for the convoy effect.

use super::{Kind, Threads};
use crate::parameter::Parameter;

/// The entry on the shelf.
pub(super) static KIND: Kind = Kind {
    name: "threads",
    summary: "a thread for each task, switched by the operating system; `gil` adds an interpreter lock",
    parameters: &[Parameter::new(
        "gil",
        "a duration",
        "no such lock",
        "a global interpreter lock with this switch interval",
    )],
    threads: Threads::PerTask,
    keeps_thread: true,
    elsewhere: None,
    read: |table, executor| executor.gil = table.item("gil").and_then(|item| item.positive_span()),
};
