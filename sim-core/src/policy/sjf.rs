//! Shortest job first: the ready thread with the shortest next processor burst runs until it blocks.
//!
//! Rule: not preemptive; ties in the order of becoming ready. The length of the burst, up to where the thread may have to
//! wait, is known (`estimate = "exact"`) or guessed from its past bursts (`estimate = { ewma = 0.5, initial = "10ms" }`).
//! Among non-preemptive orders the exact one has the least mean turnaround for jobs that arrive together (Smith 1956). Cost: logarithmic in
//! the number of ready threads while no affinity is set.
//!
//! ```toml
//! scheduler = { policy = "sjf" }
//! task = [
//!     { name = "A", program = [{ cpu = "3ms" }] },
//!     { name = "B", program = [{ cpu = "1ms" }] },
//!     { name = "C", program = [{ cpu = "2ms" }] },
//! ]
//! ```
//! ```text
//! cpu 0 |BCCAAA|
//! ```

use std::collections::BTreeSet;
use std::sync::Arc;

use super::estimate::{Bursts, Estimate};
use super::{Exit, Kind, Policy, Settings, Setup, Slice, Slot, Theory, Turn, View, Who, Why};
use crate::parameter::Parameter;
use crate::time::Span;

/// The entry on the shelf.
pub(super) static KIND: Kind = Kind {
    name: "sjf",
    summary: "shortest next CPU burst first, not preemptive",
    parameters: &[Parameter::new(
        "estimate",
        "`\"exact\"`, `{ ewma = 0.5, initial = \"10ms\" }`",
        "`\"exact\"`",
        "how the next burst is known: as in the file, or as the exponential average of the past ones",
    )],
    attributes: &[],
    theory: Theory::None,
    on_linux: None,
    read: |table| Arc::new(ShortestJobFirst { estimate: Estimate::read(table) }),
};

#[derive(Debug)]
struct ShortestJobFirst {
    estimate: Estimate,
}

impl Settings for ShortestJobFirst {
    fn label(&self) -> String {
        self.estimate.label()
    }

    fn build(&self, _: &Setup) -> Box<dyn Policy> {
        Box::new(Queue { ready: BTreeSet::new(), stamp: 0, bursts: Bursts::new(self.estimate) })
    }
}

struct Queue {
    /// By burst, then by running number.
    ready: BTreeSet<(Span, i64, Who)>,
    stamp: i64,
    bursts: Bursts,
}

impl Policy for Queue {
    fn ready(&mut self, who: Who, why: Why, view: &View<'_>) {
        self.stamp += 1;
        self.bursts.ready(who, why);
        self.ready.insert((self.bursts.left(who, view), self.stamp, who));
    }

    fn pick(&mut self, slot: Slot, view: &View<'_>) -> Option<Turn> {
        let shortest = *self.ready.iter().find(|(.., who)| view.free() || view.floor.allowed(*who, slot))?;
        self.ready.remove(&shortest);
        Some(Turn { who: shortest.2, slice: Slice::Endless })
    }

    fn withdraw(&mut self, who: Who, _: &View<'_>) -> bool {
        self.ready.retain(|(.., other)| *other != who);
        self.bursts.ends(who);
        true
    }

    fn tells(&mut self, who: Who, view: &View<'_>) -> String {
        format!("next burst {}", self.bursts.left(who, view).readable())
    }

    fn waiting(&self) -> usize {
        self.ready.len()
    }

    /// Who is ready keeps its place among equals.
    fn changed(&mut self, who: Who, view: &View<'_>) {
        let entry = self.ready.iter().find(|(.., other)| *other == who).copied();
        if let Some(entry) = entry {
            self.ready.remove(&entry);
            self.ready.insert((self.bursts.left(who, view), entry.1, who));
        }
    }

    fn is_next(&mut self, who: Who, _: Slot, _: &View<'_>) {
        let entry = self.ready.iter().find(|(.., other)| *other == who).copied();
        if let Some(entry) = entry {
            self.ready.remove(&entry);
            self.ready.insert((entry.0, -self.stamp, who));
        }
    }

    fn left(&mut self, who: Who, _: Slot, ran: Span, exit: Exit, _: &View<'_>) {
        self.bursts.left_slot(who, ran, exit);
    }
}
