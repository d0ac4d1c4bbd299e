//! Shortest remaining time first: the preemptive sjf.
//!
//! Rule: the ready thread with the least left of its present or next processor burst runs; a newcomer takes the
//! processor from a thread with strictly more left: from the one with the most, among equals from the one queued last.
//! With `estimate = "exact"` no policy on one processor has fewer jobs in the system at any time (Schrage 1968);
//! `{ ewma = 0.5, initial = "10ms" }` guesses from past bursts, and whoever exceeds the guess has nothing left. Cost:
//! logarithmic in the number of ready threads while no affinity is set; linear in the number of processors to find
//! whom to displace, because what is left shrinks while they run.
//!
//! ```toml
//! scheduler = { policy = "srtf" }
//! task = [
//!     { name = "A", program = [{ cpu = "4ms" }] },
//!     { name = "B", arrival = "1ms", program = [{ cpu = "2ms" }] },
//!     { name = "C", arrival = "2ms", program = [{ cpu = "2ms" }] },
//! ]
//! ```
//! ```text
//! cpu 0 |ABBCCAAA|
//! ```

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::sync::Arc;

use super::book::PerWho;
use super::estimate::{Bursts, Estimate};
use super::{Exit, Kind, Policy, Settings, Setup, Slice, Slot, Theory, Traits, Turn, View, Who, Why};
use crate::parameter::Parameter;
use crate::time::Span;

/// The entry on the shelf.
pub(super) static KIND: Kind = Kind {
    name: "srtf",
    summary: "shortest remaining CPU burst first; preempts for a strictly shorter one",
    parameters: &[Parameter::new(
        "estimate",
        "`\"exact\"`, `{ ewma = 0.5, initial = \"10ms\" }`",
        "`\"exact\"`",
        "how the next burst is known: as in the file, or as the exponential average of the past ones",
    )],
    attributes: &[],
    theory: Theory::None,
    on_linux: None,
    read: |table| Arc::new(ShortestRemaining { estimate: Estimate::read(table) }),
};

#[derive(Debug)]
struct ShortestRemaining {
    estimate: Estimate,
}

impl Settings for ShortestRemaining {
    fn label(&self) -> String {
        self.estimate.label()
    }

    fn build(&self, setup: &Setup) -> Box<dyn Policy> {
        Box::new(Queue {
            ready: BTreeSet::new(),
            running: vec![None; setup.slots],
            stamp: 0,
            bursts: Bursts::new(self.estimate),
            needs: PerWho::default(),
        })
    }
}

struct Queue {
    /// By what is left of the burst, then by running number.
    ready: BTreeSet<(Span, i64, Who)>,
    /// Who is on each slot, with its running number.
    running: Vec<Option<(u64, Who)>>,
    stamp: i64,
    bursts: Bursts,
    /// What was left for those who are ready when they became so: by that they displace others, and are picked.
    needs: PerWho<Span>,
}

impl Queue {
    fn queue(&mut self, who: Who, stamp: i64, view: &View<'_>) {
        let needs = self.bursts.left(who, view);
        *self.needs.of(who) = needs;
        self.ready.insert((needs, stamp, who));
    }
}

impl Policy for Queue {
    fn ready(&mut self, who: Who, why: Why, view: &View<'_>) {
        self.stamp += 1;
        self.bursts.ready(who, why);
        self.queue(who, self.stamp, view);
    }

    fn pick(&mut self, slot: Slot, view: &View<'_>) -> Option<Turn> {
        let shortest = *self.ready.iter().find(|(.., who)| view.free() || view.floor.allowed(*who, slot))?;
        self.ready.remove(&shortest);
        let (_, stamp, who) = shortest;
        self.running[slot.0 as usize] = Some((stamp.unsigned_abs(), who));
        Some(Turn { who, slice: Slice::Endless })
    }

    fn withdraw(&mut self, who: Who, _: &View<'_>) -> bool {
        self.ready.retain(|(.., other)| *other != who);
        self.bursts.ends(who);
        true
    }

    fn tells(&mut self, who: Who, view: &View<'_>) -> String {
        format!("{} left of its burst", self.bursts.left(who, view).readable())
    }

    fn waiting(&self) -> usize {
        self.ready.len()
    }

    /// Who is ready keeps its place among equals.
    fn changed(&mut self, who: Who, view: &View<'_>) {
        let entry = self.ready.iter().find(|(.., other)| *other == who).copied();
        if let Some(entry) = entry {
            self.ready.remove(&entry);
            self.queue(who, entry.1, view);
        }
    }

    fn is_next(&mut self, who: Who, _: Slot, _: &View<'_>) {
        let entry = self.ready.iter().find(|(.., other)| *other == who).copied();
        if let Some(entry) = entry {
            self.ready.remove(&entry);
            self.ready.insert((entry.0, -self.stamp, who));
        }
    }

    fn left(&mut self, who: Who, slot: Slot, ran: Span, exit: Exit, _: &View<'_>) {
        self.running[slot.0 as usize] = None;
        self.bursts.left_slot(who, ran, exit);
    }

    fn traits(&self) -> Traits {
        Traits { preemptive: true, ..Traits::default() }
    }

    fn displaces(&mut self, who: Who, view: &View<'_>) -> Option<Slot> {
        let needs = *self.needs.of(who);
        let running =
            (0..).map(Slot).zip(&self.running).filter_map(|(slot, on)| on.map(|(stamp, who)| (slot, stamp, who)));
        let worst = running
            .filter(|(slot, ..)| view.free() || view.floor.allowed(who, *slot))
            .map(|(slot, stamp, other)| (self.bursts.left(other, view), stamp, Reverse(slot)))
            .max()?;
        (worst.0 > needs).then_some(worst.2.0)
    }
}
