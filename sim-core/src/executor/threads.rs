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
//! With `gil-request = "when-running"` the lock is closer to CPython's, where to ask is something that a thread must do, and that
//! takes a processor:
//!
//! - Who wants the lock looks when it runs. If it is free it takes it; else it waits to be told that it is free, for one interval
//!   at most, counted from then on. After that it looks again, when it gets a processor: if somebody has the lock, and nobody has
//!   taken it since it began to wait, it asks the holder to drop it (unless the switch to that one is not over); and it waits
//!   again, behind the others.
//! - The holder drops it as soon as it runs and was asked to, or when it blocks, yields or ends. Of those who wait to be told,
//!   the one is told who has done so longest; but the lock is for whoever runs first and looks. Who was asked stands still until
//!   somebody has it, and then wants it again: it looks when it runs.
//!
//! So on one processor under `fifo` nobody ever asks, and under a fair policy a turn ends when the policy lets a waiter run.
//! CPython before 3.14, and the lock of the recorder, do so.
//!
//! Sources: `Python/ceval_gil.c` of CPython, the comment at its beginning; Beazley, "Understanding the Python GIL",
//! 2010, for the convoy effect.

use super::{Executor, Kind, Threads};
use crate::document::Table;
use crate::parameter::Parameter;

/// The entry on the shelf.
pub(super) static KIND: Kind = Kind {
    name: "threads",
    summary: "a thread for each task, switched by the operating system; `gil` adds an interpreter lock",
    parameters: &[
        Parameter::new("gil", "a duration", "no such lock", "a global interpreter lock with this switch interval"),
        Parameter::new(
            "gil-request",
            "`\"timed\"`, `\"when-running\"`",
            "`\"timed\"`",
            "is the holder of the lock asked to drop it when the interval is over, or when a waiter then gets a processor?",
        ),
    ],
    threads: Threads::PerTask,
    keeps_thread: true,
    elsewhere: None,
    read,
};

fn read(table: &mut Table<'_>, executor: &mut Executor) {
    executor.gil = table.item("gil").and_then(|item| item.positive_span());
    if let Some(item) = table.item("gil-request") {
        executor.waiters_ask = item.one_of(&["timed", "when-running"]) == Some(1);
        if executor.gil.is_none() {
            item.wrong("`gil-request` is of an interpreter lock, and there is none", "add gil = \"5ms\"");
        }
    }
}
