//! Shortest job first: the ready thread with the shortest next processor burst runs until it blocks.
//!
//! Rule: not preemptive; ties in the order of becoming ready. The length of the burst is known exactly
//! (`estimate = "exact"`), which only a simulator can do: it bounds what any real policy could reach. Among
//! non-preemptive orders it has the least mean turnaround for jobs that arrive together (Smith 1956). Cost:
//! logarithmic in the number of ready threads.
//!
//! ```text
//! A 3ms, B 1ms, C 2ms, all at 0
//! cpu 0 |BCCAAA|
//! ```

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{Kind, Policy, Settings, Setup, Slice, Slot, Turn, View, Who, Why};
use crate::time::Span;

/// The entry on the shelf.
pub(super) static KIND: Kind = Kind {
    name: "sjf",
    summary: "shortest next CPU burst first, not preemptive",
    parameters: &["estimate"],
    read: |table| {
        table.one_of("estimate", &["exact"]);
        Arc::new(ShortestJobFirst)
    },
};

#[derive(Debug)]
struct ShortestJobFirst;

impl Settings for ShortestJobFirst {
    fn build(&self, _: &Setup) -> Box<dyn Policy> {
        Box::new(Queue::default())
    }
}

#[derive(Default)]
struct Queue {
    /// By burst, then by running number.
    ready: BTreeSet<(Span, u64, Who)>,
    stamp: u64,
}

impl Policy for Queue {
    fn ready(&mut self, who: Who, _: Why, view: &View<'_>) {
        self.stamp += 1;
        self.ready.insert((view.floor.burst(who), self.stamp, who));
    }

    fn pick(&mut self, slot: Slot, view: &View<'_>) -> Option<Turn> {
        let shortest = *self.ready.iter().find(|(.., who)| view.free() || view.floor.allowed(*who, slot))?;
        self.ready.remove(&shortest);
        Some(Turn { who: shortest.2, slice: Slice::Endless })
    }

    fn waiting(&self) -> usize {
        self.ready.len()
    }
}
