//! Deadline monotonic: the shorter the relative deadline, the more urgent.
//!
//! Rule: as rate monotonic, but by the deadline of a task's jobs instead of its period. On one processor no fixed
//! priorities are better when deadlines are at most periods. Source: Leung & Whitehead, "On the complexity of
//! fixed-priority scheduling of periodic, real-time tasks", 1982. Cost: as rate monotonic.
//!
//! ```toml
//! scheduler = { policy = "deadline-monotonic" }
//! task = [
//!     { name = "A", period = "4ms", jobs = 2, program = [{ cpu = "2ms" }] },
//!     { name = "B", period = "8ms", deadline = "2ms", jobs = 1, program = [{ cpu = "1ms" }] },
//! ]
//! ```
//! ```text
//! cpu 0 |BAA.AA|
//! ```

use std::sync::Arc;

use super::rate_monotonic::Monotonic;
use super::{Kind, Theory};
use crate::parameter::Parameter;

/// The entry on the shelf.
pub(super) static KIND: Kind = Kind {
    name: "deadline-monotonic",
    summary: "periodic tasks: the shortest relative deadline first",
    parameters: &[Parameter::new(
        "preemptive",
        "`true`, `false`",
        "`true`",
        "does a more urgent newcomer take the processor of who runs?",
    )],
    attributes: &["period"],
    theory: Theory::FixedPriorities,
    on_linux: None,
    read: |table| {
        let preemptive = table.boolean("preemptive").unwrap_or(true);
        Arc::new(Monotonic { preemptive, noun: "deadline", length: |periodic| periodic.deadline })
    },
};
