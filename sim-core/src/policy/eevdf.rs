//! Earliest eligible virtual deadline first: what Linux does with ordinary threads since 6.6, on one queue.
//!
//! Rule: who has had least for its weight gets the processor, and who asks for little at a time gets it sooner: see
//! [`FairQueue`]. `nice` is the weight (1024 at 0, a quarter more for each step less), `slice` what a task asks for at a
//! time, `base-slice` what all others ask for: without it 0.7 ms, and as much more for each doubling of the processors
//! up to eight. The ends of slices are noticed when the timer ticks and when somebody wakes; with `tick = "0ms"` at
//! once. A thread that is spawned begins with half a slice.
//!
//! Source: Stoica & Abdel-Wahab 1995; kernel/sched/fair.c of Linux 6.18. One queue serves all processors here; the policy
//! `linux` has one for each. Cost: see [`FairQueue`].
//!
//! ```toml
//! scheduler = { policy = "eevdf", base-slice = "2ms", tick = "1ms" }
//! task = [
//!     { name = "A", program = [{ cpu = "8ms" }] },
//!     { name = "B", program = [{ cpu = "2ms" }, { sleep = "3ms" }, { cpu = "1ms" }] },
//! ]
//! ```
//! ```text
//! cpu 0 |AABBAAAABAA|
//! ```

use std::sync::Arc;

use super::fair_queue::{FairQueue, Manner, Request};
use super::nice::weight;
use super::on_linux::{Class, Counterpart, base_slice};
use super::tick::Tick;
use super::{Exit, Kind, Policy, Settings, Setup, Slot, Theory, Traits, Turn, View, Who, Why};
use crate::document::Table;
use crate::parameter::Parameter;
use crate::time::Span;

/// The entry on the shelf.
pub(super) static KIND: Kind = Kind {
    name: "eevdf",
    summary: "fair by the weight of nice: of those not ahead of their share, the earliest virtual deadline next",
    parameters: &[
        Parameter::new("base-slice", "a duration", "that of the kernel", "what a task asks for at a time"),
        Parameter::new("tick", "a duration", "`\"4ms\"`", "when ends of slices are noticed; zero: at once"),
    ],
    attributes: &["nice", "weight", "slice"],
    theory: Theory::None,
    on_linux: Some("SCHED_OTHER since Linux 6.6"),
    read: |table| Arc::new(Eevdf::read(table)),
};

#[derive(Clone, Copy, Debug)]
struct Eevdf {
    /// That of the kernel, if not set.
    base_slice: Option<Span>,
    tick: Option<Span>,
}

impl Eevdf {
    fn read(table: &mut Table<'_>) -> Eevdf {
        Eevdf { base_slice: table.positive_span("base-slice"), tick: table.span("tick") }
    }
}

/// How often the timer of the kernel ticks where nothing is said of it: 250 times a second, as most distributions have it.
pub(super) const TICK: Span = Span::from_ms(4);

impl Settings for Eevdf {
    fn quanta(&self) -> Vec<(String, Span)> {
        self.base_slice.iter().map(|slice| ("base-slice".to_owned(), *slice)).collect()
    }

    fn label(&self) -> String {
        let slice = self.base_slice.map(|slice| format!("base slice {slice}"));
        let tick = self.tick.map(|tick| if tick.is_zero() { "no tick".to_owned() } else { format!("tick {tick}") });
        slice.into_iter().chain(tick).collect::<Vec<_>>().join(", ")
    }

    fn on_linux(&self) -> Counterpart {
        let counterpart = Counterpart { slice: self.base_slice, ..Counterpart::exact(Class::Other) };
        counterpart.on_ticks(self.tick)
    }

    fn ticks(&self, machine: Option<Span>) -> Option<Span> {
        Some(self.tick.or(machine).unwrap_or(TICK)).filter(|tick| !tick.is_zero())
    }

    fn build(&self, setup: &Setup) -> Box<dyn Policy> {
        let tick = Tick { period: self.ticks(setup.tick).unwrap_or(Span::ZERO), phase: setup.tick_phase };
        let base_slice = self.base_slice.unwrap_or(base_slice(setup.processors));
        Box::new(Queue { base_slice, queue: FairQueue::new(Slot(0), setup.slots, tick) })
    }
}

struct Queue {
    base_slice: Span,
    queue: FairQueue,
}

impl Policy for Queue {
    fn ready(&mut self, who: Who, why: Why, view: &View<'_>) {
        match why {
            Why::Arrived | Why::Spawned(_) | Why::Woken => {
                let attributes = view.floor.attributes(who);
                let slice = attributes.slice.unwrap_or(self.base_slice);
                let request = Request { weight: weight(attributes.nice), slice, manner: Manner::Normal };
                self.queue.comes(who, request, None, matches!(why, Why::Spawned(_)), view);
            }
            Why::Expired(_) | Why::Preempted(_) | Why::Yielded(_) => {
                self.queue.returns(who, matches!(why, Why::Yielded(_)));
            }
        }
    }

    fn pick(&mut self, slot: Slot, view: &View<'_>) -> Option<Turn> {
        self.queue.pick(slot, view)
    }

    fn withdraw(&mut self, who: Who, view: &View<'_>) -> bool {
        self.queue.withdraws(who, view);
        true
    }

    fn tells(&mut self, who: Who, _: &View<'_>) -> String {
        self.queue.tells(who)
    }

    fn waiting(&self) -> usize {
        self.queue.waiting()
    }

    fn left(&mut self, who: Who, slot: Slot, ran: Span, exit: Exit, view: &View<'_>) {
        match exit {
            Exit::Ready => self.queue.steps_back(who, slot, ran, view.now),
            Exit::Blocked => self.queue.leaves(who, slot, ran, false),
            Exit::Finished => self.queue.leaves(who, slot, ran, true),
        }
    }

    fn traits(&self) -> Traits {
        Traits { preemptive: true, by_shares: true, ..Traits::default() }
    }

    fn displaces(&mut self, who: Who, view: &View<'_>) -> Option<Slot> {
        self.queue.displaces(who, view)
    }
}
