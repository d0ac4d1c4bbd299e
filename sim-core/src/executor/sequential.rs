//! One task after the other on one thread: nobody decides to switch, and I/O blocks everything.
//!
//! With `policy` the tasks that have arrived are taken in the order of that policy of the kernel floor: a batch system.

use super::{Kind, Threads, chosen};
use crate::parameter::Parameter;

/// The entry on the shelf.
pub(super) static KIND: Kind = Kind {
    name: "sequential",
    summary: "one task after the other on the process's only thread; I/O blocks it",
    parameters: &[Parameter::new(
        "policy",
        "a policy, with its parameters beside it",
        "first come, first served",
        "in which order ready tasks get a thread",
    )],
    threads: Threads::Main,
    keeps_thread: true,
    elsewhere: None,
    in_python: true,
    read: |table, executor| {
        executor.queue = chosen::read(table);
        if table.key_spot("policy").is_some() {
            executor.own_rules.push("policy");
        }
    },
};
