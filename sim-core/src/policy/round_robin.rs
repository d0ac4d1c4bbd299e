//! Round robin: first come, first served, but nobody longer than a quantum at a time.
//!
//! Rule: as `fifo`, but after `quantum` on the processor a thread goes to the tail of the queue; every dispatch starts
//! a fresh slice, also after I/O. Source: any textbook; Kleinrock 1964 for its mathematics. Cost: constant per
//! operation while no affinity is set.
//!
//! ```toml
//! scheduler = { policy = "round-robin", quantum = "2ms" }
//! task = [
//!     { name = "A", program = [{ cpu = "3ms" }] },
//!     { name = "B", program = [{ cpu = "1ms" }] },
//!     { name = "C", program = [{ cpu = "3ms" }] },
//! ]
//! ```
//! ```text
//! cpu 0 |AABCCAC|
//! ```

use std::sync::Arc;

use super::on_linux::{Class, Counterpart};
use super::{Kind, Policy, Settings, Setup, Slice, Theory, fifo};
use crate::parameter::Parameter;
use crate::time::Span;

/// The entry on the shelf.
pub(super) static KIND: Kind = Kind {
    name: "round-robin",
    summary: "as fifo, but the slice ends after `quantum`; then to the tail. A fresh slice at every dispatch",
    parameters: &[Parameter::new("quantum", "a duration", "required", "how long a slice is")],
    attributes: &[],
    theory: Theory::None,
    on_linux: Some("SCHED_RR, in whole ticks of the kernel"),
    read: |table| Arc::new(RoundRobin { quantum: table.required_span("quantum", "how long a slice is") }),
};

#[derive(Debug)]
struct RoundRobin {
    quantum: Span,
}

impl Settings for RoundRobin {
    fn label(&self) -> String {
        format!("quantum {}", self.quantum)
    }

    fn on_linux(&self) -> Counterpart {
        Counterpart::exact(Class::RoundRobin(self.quantum))
    }

    fn build(&self, _: &Setup) -> Box<dyn Policy> {
        Box::new(fifo::Queue::new(Slice::For(self.quantum)))
    }

    fn in_order(&self) -> Option<Slice> {
        Some(Slice::For(self.quantum))
    }
}
