//! Round robin: first come, first served, but nobody longer than a quantum at a time.
//!
//! Rule: as `fifo`, but after `quantum` on the processor a thread goes to the tail of the queue; every dispatch starts
//! a fresh slice, also after I/O. Source: any textbook; Kleinrock 1964 for its mathematics. Cost: constant per
//! operation while no affinity is set.
//!
//! With a `tick` it is that of a kernel whose timer ticks: each tick that comes while a thread runs takes as much of its
//! slice, and the slice ends with the tick that takes the last. What is left when the thread blocks is what it goes on with.
//! Source: `task_tick_rt` in kernel/sched/rt.c of Linux 6.18.
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

use std::collections::VecDeque;
use std::sync::Arc;

use super::book::PerWho;
use super::on_linux::{Class, Counterpart};
use super::tick::Tick;
use super::{Exit, Kind, Policy, Settings, Setup, Slice, Slot, Theory, Turn, View, Who, Why, fifo};
use crate::parameter::Parameter;
use crate::time::{Span, Time};

/// The entry on the shelf.
pub(super) static KIND: Kind = Kind {
    name: "round-robin",
    summary: "as fifo, but the slice ends after `quantum`; then to the tail. A fresh slice at every dispatch",
    parameters: &[
        Parameter::new("quantum", "a duration", "required", "how long a slice is"),
        Parameter::new("tick", "a duration", "that of `[machine]`", "when ends of slices are noticed; none: at once"),
    ],
    attributes: &[],
    theory: Theory::None,
    on_linux: Some("SCHED_RR, in whole ticks of the kernel"),
    read: |table| {
        let quantum = table.required_span("quantum", "how long a slice is");
        Arc::new(RoundRobin { quantum, tick: table.span("tick") })
    },
};

#[derive(Clone, Copy, Debug)]
struct RoundRobin {
    quantum: Span,
    tick: Option<Span>,
}

impl Settings for RoundRobin {
    fn quanta(&self) -> Vec<(String, Span)> {
        vec![("quantum".to_owned(), self.quantum)]
    }

    fn label(&self) -> String {
        let tick = self.tick.filter(|tick| !tick.is_zero()).map(|tick| format!(", tick {tick}"));
        format!("quantum {}{}", self.quantum, tick.unwrap_or_default())
    }

    fn on_linux(&self) -> Counterpart {
        Counterpart::exact(Class::RoundRobin(self.quantum)).on_ticks(self.tick)
    }

    fn ticks(&self, machine: Option<Span>) -> Option<Span> {
        self.tick.or(machine).filter(|tick| !tick.is_zero())
    }

    fn build(&self, setup: &Setup) -> Box<dyn Policy> {
        match self.ticks(setup.tick) {
            None => Box::new(fifo::Queue::new(Slice::For(self.quantum))),
            Some(period) => Box::new(Ticked {
                quantum: self.quantum,
                tick: Tick { period, phase: setup.tick_phase },
                ready: VecDeque::new(),
                had: PerWho::default(),
                since: vec![Time::ZERO; setup.slots],
            }),
        }
    }

    fn in_order(&self, tick: Option<Span>) -> Option<Slice> {
        self.ticks(tick).is_none().then_some(Slice::For(self.quantum))
    }
}

/// The queue of a kernel whose timer ticks.
struct Ticked {
    quantum: Span,
    tick: Tick,
    ready: VecDeque<Who>,
    /// What each has had of its slice.
    had: PerWho<Span>,
    /// Since when whoever is on a slot is there.
    since: Vec<Time>,
}

impl Policy for Ticked {
    fn ready(&mut self, who: Who, why: Why, _: &View<'_>) {
        if matches!(why, Why::Arrived | Why::Spawned(_)) {
            *self.had.of(who) = Span::ZERO;
        }
        self.ready.push_back(who);
    }

    fn pick(&mut self, slot: Slot, view: &View<'_>) -> Option<Turn> {
        let who = fifo::take_first_allowed(&mut self.ready, slot, view)?;
        self.since[slot.0 as usize] = view.now;
        let left = self.quantum.saturating_sub(*self.had.of(who));
        let Tick { period, phase } = self.tick;
        let ticks = left.ns().div_ceil(period.ns()).max(1);
        // The first tick is one that comes after the switch.
        let length = period * (ticks - 1) + Span::from_ns(1);
        Some(Turn { who, slice: Slice::Ticks { length, tick: period, phase } })
    }

    fn withdraw(&mut self, who: Who, _: &View<'_>) -> bool {
        self.ready.retain(|other| *other != who);
        true
    }

    fn waiting(&self) -> usize {
        self.ready.len()
    }

    fn is_next(&mut self, who: Who, _: Slot, _: &View<'_>) {
        fifo::to_head(&mut self.ready, who);
    }

    fn left(&mut self, who: Who, slot: Slot, _: Span, _: Exit, view: &View<'_>) {
        let ticks = self.tick.between(self.since[slot.0 as usize], view.now);
        let had = self.had.of(who);
        *had += self.tick.period * ticks;
        if *had >= self.quantum {
            *had = Span::ZERO;
        }
    }
}
