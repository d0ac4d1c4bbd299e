//! Rate monotonic: the shorter the period, the more urgent.
//!
//! Rule: the ready thread whose task has the shortest period runs, ties in the order of the file; threads without a
//! period come after all others, first come, first served. With `preemptive = true` a newcomer takes the processor
//! from a less urgent thread, otherwise a job keeps it until it ends or blocks. On one processor no fixed priorities
//! are better when deadlines are periods, and below a utilisation of n (2^(1/n) - 1) no deadline is missed. Source:
//! Liu & Layland, "Scheduling algorithms for multiprogramming in a hard-real-time environment", 1973. Cost:
//! logarithmic in the number of ready threads, linear in the number of processors to find whom to displace.
//!
//! ```toml
//! scheduler = { policy = "rate-monotonic" }
//! task = [
//!     { name = "A", period = "4ms", jobs = 2, program = [{ cpu = "2ms" }] },
//!     { name = "B", period = "8ms", jobs = 1, program = [{ cpu = "3ms" }] },
//! ]
//! ```
//! ```text
//! cpu 0 |AABBAAB|
//! ```

use std::sync::Arc;

use super::by_rank::ByRank;
use super::{
    Attributes, Exit, Kind, Periodic, Policy, Settings, Setup, Slice, Slot, Theory, Traits, Turn, View, Who, Why,
};
use crate::parameter::Parameter;
use crate::time::{Span, Time};

/// The entry on the shelf.
pub(super) static KIND: Kind = Kind {
    name: "rate-monotonic",
    summary: "periodic tasks: the shortest period first",
    parameters: &[Parameter::new(
        "preemptive",
        "`true`, `false`",
        "`true`",
        "does a more urgent newcomer take the processor of who runs?",
    )],
    attributes: &["period"],
    theory: Theory::RateMonotonic,
    on_linux: None,
    read: |table| {
        let preemptive = table.boolean("preemptive").unwrap_or(true);
        Arc::new(Monotonic { preemptive, noun: "period", length: |periodic| periodic.period })
    },
};

/// Fixed priorities by a length of time that each periodic task has.
#[derive(Clone, Copy, Debug)]
pub(super) struct Monotonic {
    pub(super) preemptive: bool,
    /// What the length is, in words.
    pub(super) noun: &'static str,
    /// The shorter, the more urgent.
    pub(super) length: fn(&Periodic) -> Span,
}

impl Settings for Monotonic {
    fn label(&self) -> String {
        if self.preemptive { String::new() } else { "not preemptive".into() }
    }

    fn build(&self, setup: &Setup) -> Box<dyn Policy> {
        Box::new(Queue { settings: *self, threads: ByRank::new(setup.slots) })
    }
}

struct Queue {
    settings: Monotonic,
    /// By length, then by place in the file.
    threads: ByRank<(Span, u32)>,
}

impl Monotonic {
    fn length_of(&self, attributes: &Attributes) -> Option<Span> {
        match attributes.server {
            Some(server) if server.kind.is_fixed() => Some(server.period),
            _ => attributes.periodic.as_ref().map(self.length),
        }
    }

    fn rank_of(&self, attributes: &Attributes, place: u32) -> (Span, u32) {
        self.length_of(attributes).map_or((Span::ENDLESS, 0), |length| (length, place))
    }

    /// Its own rank, or what it has been lent.
    fn rank(&self, who: Who, view: &View<'_>) -> (Span, u32) {
        let own = self.rank_of(view.floor.attributes(who), view.floor.place(who));
        view.floor.lent(who).map_or(own, |lent| own.min(self.rank_of(lent.attributes, lent.place)))
    }
}

impl Policy for Queue {
    fn ready(&mut self, who: Who, why: Why, view: &View<'_>) {
        self.threads.insert(who, why, self.settings.rank(who, view));
    }

    fn pick(&mut self, slot: Slot, view: &View<'_>) -> Option<Turn> {
        Some(Turn { who: self.threads.take(slot, view)?, slice: Slice::Endless })
    }

    fn withdraw(&mut self, who: Who, _: &View<'_>) -> bool {
        self.threads.withdraw(who);
        true
    }

    fn tells(&mut self, who: Who, view: &View<'_>) -> String {
        let own = self.settings.rank_of(view.floor.attributes(who), view.floor.place(who));
        let rank = self.settings.rank(who, view);
        let lent = if rank < own { ", which it is lent" } else { "" };
        match rank.0 {
            Span::ENDLESS => format!("no {}", self.settings.noun),
            length => format!("{} {}{lent}", self.settings.noun, length.readable()),
        }
    }

    fn waiting(&self) -> usize {
        self.threads.waiting()
    }

    fn is_next(&mut self, who: Who, _: Slot, _: &View<'_>) {
        self.threads.is_next(who);
    }

    fn left(&mut self, _: Who, slot: Slot, _: Span, _: Exit, _: &View<'_>) {
        self.threads.leave(slot);
    }

    fn traits(&self) -> Traits {
        Traits { preemptive: self.settings.preemptive, by_urgency: true, lasting: true, ..Traits::default() }
    }

    fn displaces(&mut self, who: Who, view: &View<'_>) -> Option<Slot> {
        if self.threads.is_in_order() {
            return None;
        }
        let rank = self.settings.rank(who, view);
        self.threads.victim(who, rank, view, |entry| entry.rank).map(|(slot, _)| slot)
    }

    fn level(&self, attributes: &Attributes) -> Option<(&'static str, String)> {
        self.settings.length_of(attributes).map(|length| (self.settings.noun, length.to_string()))
    }

    fn changed(&mut self, who: Who, view: &View<'_>) {
        self.threads.change(who, self.settings.rank(who, view));
    }

    fn urgency(&self, attributes: &Attributes, _: Time) -> i64 {
        let length = self.settings.length_of(attributes).and_then(|length| i64::try_from(length.ns()).ok());
        length.map_or(i64::MIN, |length| -length)
    }
}
