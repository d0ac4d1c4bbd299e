//! Stride scheduling: proportional share by tickets, without chance.
//!
//! Rule: every thread has a pass, its service so far in units of its tickets: it grows with a pace (the stride) that is
//! inverse to the tickets. The thread with the least pass runs, for a `quantum` at most; ties in the order of becoming
//! ready. The global pass grows as that of a thread with all tickets of those who are ready or run would. Newcomers
//! start at it; what a thread is ahead or behind when it blocks remains until it is back. Source: Waldspurger & Weihl,
//! MIT/LCS/TM-528, 1995, whose newcomers start one stride later. Partly used quanta count in part, and with several
//! processors the global pass grows with the service given on all of them. Cost: logarithmic in the number of ready
//! threads while no affinity is set; linear in the number of processors when somebody comes or leaves.
//!
//! ```toml
//! scheduler = { policy = "stride", quantum = "1ms" }
//! task = [
//!     { name = "A", tickets = 3, program = [{ cpu = "6ms" }] },
//!     { name = "B", tickets = 1, program = [{ cpu = "2ms" }] },
//! ]
//! ```
//! ```text
//! cpu 0 |ABAABAAA|
//! ```

use std::collections::BTreeSet;
use std::sync::Arc;

use super::book::{PerWho, Quotients, Turns};
use super::{Exit, Kind, Policy, Settings, Setup, Slice, Slot, Theory, Traits, Turn, View, Who, Why};
use crate::parameter::Parameter;
use crate::time::Span;

/// The entry on the shelf.
pub(super) static KIND: Kind = Kind {
    name: "stride",
    summary: "proportional share by tickets, the least served for its tickets next",
    parameters: &[Parameter::new("quantum", "a duration", "required", "how long a slice is")],
    attributes: &["tickets", "weight"],
    theory: Theory::None,
    on_linux: None,
    read: |table| Arc::new(Stride { quantum: table.required_span("quantum", "how long a slice is") }),
};

#[derive(Debug)]
struct Stride {
    quantum: Span,
}

impl Settings for Stride {
    fn quanta(&self) -> Vec<(String, Span)> {
        vec![("quantum".to_owned(), self.quantum)]
    }

    fn label(&self) -> String {
        format!("quantum {}", self.quantum)
    }

    fn build(&self, setup: &Setup) -> Box<dyn Policy> {
        Box::new(Passes {
            quantum: self.quantum,
            ready: BTreeSet::new(),
            turns: Turns::new(setup.slots),
            clients: PerWho::default(),
            global: Quotients::default(),
            tickets: 0,
            stamp: 0,
        })
    }
}

/// By how much a pass grows per nanosecond of service for a thread with one ticket. It is a multiple of all numbers up to
/// 40: with few tickets nothing is rounded, so those who have had their share are equal and the queue decides.
const STRIDE: i128 = 5_342_931_457_063_200;

/// What is to be divided by tickets.
fn dividend(ran: Span) -> i128 {
    i128::from(ran.ns()) * STRIDE
}

struct Passes {
    quantum: Span,
    /// By pass, then by running number.
    ready: BTreeSet<(i128, i64, Who)>,
    turns: Turns,
    clients: PerWho<Client>,
    global: Quotients,
    /// Of all who are ready or run.
    tickets: u64,
    stamp: i64,
}

#[derive(Clone, Copy, Default)]
struct Client {
    tickets: u64,
    /// Its pass when it came; while it is blocked, what it is ahead of the global pass.
    base: i128,
    /// What it has been served since: kept apart, so that equal shares are exactly equal.
    served: Span,
}

impl Client {
    fn pass(&self) -> i128 {
        self.base + dividend(self.served) / i128::from(self.tickets.max(1))
    }
}

impl Passes {
    /// Who does not want to run any more keeps how far it is ahead or behind.
    fn leaves(&mut self, who: Who, view: &View<'_>) {
        self.account(view);
        let client = self.clients.of(who);
        client.base = client.pass() - self.global.whole();
        self.tickets -= client.tickets;
    }

    /// Somebody has had service.
    fn serve(&mut self, who: Who, ran: Span) {
        self.clients.of(who).served += ran;
        self.global = self.global.plus(dividend(ran), self.tickets);
    }

    /// Brings the passes of those who run, and the global one, up to now.
    fn account(&mut self, view: &View<'_>) {
        let mut served = Vec::new();
        self.turns.account(view, |who, ran| served.push((who, ran)));
        for (who, ran) in served {
            self.serve(who, ran);
        }
    }
}

impl Policy for Passes {
    fn traits(&self) -> Traits {
        Traits { by_shares: true, ..Traits::default() }
    }

    fn ready(&mut self, who: Who, why: Why, view: &View<'_>) {
        if matches!(why, Why::Arrived | Why::Spawned(_) | Why::Woken) {
            self.account(view);
            let tickets = u64::from(view.floor.attributes(who).tickets);
            let remains = if why == Why::Woken { self.clients.of(who).base } else { 0 };
            *self.clients.of(who) = Client { tickets, base: self.global.whole() + remains, served: Span::ZERO };
            self.tickets += tickets;
        }
        self.stamp += 1;
        self.ready.insert((self.clients.of(who).pass(), self.stamp, who));
    }

    fn pick(&mut self, slot: Slot, view: &View<'_>) -> Option<Turn> {
        let least = *self.ready.iter().find(|(.., who)| view.free() || view.floor.allowed(*who, slot))?;
        self.ready.remove(&least);
        let who = least.2;
        self.turns.begin(slot, who);
        Some(Turn { who, slice: Slice::For(self.quantum) })
    }

    fn withdraw(&mut self, who: Who, view: &View<'_>) -> bool {
        self.ready.retain(|(.., other)| *other != who);
        self.leaves(who, view);
        true
    }

    fn tells(&mut self, who: Who, _: &View<'_>) -> String {
        let pass = self.clients.of(who).pass();
        let (micros, tickets) = (pass / STRIDE / 1_000, self.clients.of(who).tickets);
        format!("pass {micros} µs per ticket, {tickets} tickets")
    }

    fn waiting(&self) -> usize {
        self.ready.len()
    }

    fn left(&mut self, who: Who, slot: Slot, ran: Span, exit: Exit, view: &View<'_>) {
        let ran = self.turns.end(slot, ran);
        self.serve(who, ran);
        if exit != Exit::Ready {
            self.leaves(who, view);
        }
    }
}
