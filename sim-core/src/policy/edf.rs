//! Earliest deadline first, with constant-bandwidth servers.
//!
//! Rule: the ready thread whose job has the earliest deadline runs, ties first come, first served; threads without a
//! deadline come after all others. With `preemptive = true` a newcomer takes the processor from a thread with a
//! strictly later deadline. On one processor edf meets all deadlines whenever any order does (Dertouzos 1974). On
//! several it may not, even at low utilisation: with `heavy-first = "2/3"` tasks that use more than two thirds of a
//! processor come before all others (EDF-US, Srinivasan & Baruah 2002).
//!
//! A thread with a `server` has the deadline of its server instead of its job's. When it wakes and what is left of the
//! budget would exceed the bandwidth until the deadline, the deadline becomes now + period and the budget is full. When
//! the budget is used up, it is full again at once and the deadline is put off by one period. So it takes no more than
//! its share from the others, whatever it asks for. Source: Abeni & Buttazzo, "Integrating multimedia applications in
//! hard real-time systems", 1998. Cost: logarithmic in the number of ready threads, linear in the number of processors
//! to find whom to displace.
//!
//! ```toml
//! scheduler = { policy = "edf" }
//! task = [
//!     { name = "A", period = "4ms", jobs = 3, program = [{ cpu = "2ms" }] },
//!     { name = "B", period = "6ms", jobs = 2, program = [{ cpu = "3ms" }] },
//! ]
//! ```
//! ```text
//! cpu 0 |AABBBAABBBAA|
//! ```

use std::sync::Arc;

use super::book::PerWho;
use super::by_rank::ByRank;
use super::{
    Attributes, Claim, Exit, Kind, Policy, Server, Settings, Setup, Slice, Slot, Theory, Traits, Turn, View, Who, Why,
};
use crate::document::{self, Item, Table};
use crate::parameter::Parameter;
use crate::time::{Span, Time};

/// The entry on the shelf.
pub(super) static KIND: Kind = Kind {
    name: "edf",
    summary: "the earliest deadline first, with constant-bandwidth servers; optionally heavy tasks before (EDF-US)",
    parameters: &[
        Parameter::new(
            "preemptive",
            "`true`, `false`",
            "`true`",
            "does a more urgent newcomer take the processor of who runs?",
        ),
        Parameter::new(
            "heavy-first",
            "a fraction such as `\"2/3\"`",
            "no task comes first",
            "tasks that use more of a processor come before all others (EDF-US)",
        ),
    ],
    attributes: &["period", "server"],
    theory: Theory::Deadlines,
    on_linux: None,
    read: |table| Arc::new(EarliestDeadline::read(table)),
};

#[derive(Clone, Copy, Debug)]
struct EarliestDeadline {
    preemptive: bool,
    /// Tasks with a larger utilisation than this fraction come first.
    heavy: Option<(u32, u32)>,
}

impl EarliestDeadline {
    fn read(table: &mut Table<'_>) -> EarliestDeadline {
        EarliestDeadline {
            preemptive: table.boolean("preemptive").unwrap_or(true),
            heavy: table.item("heavy-first").and_then(fraction),
        }
    }

    fn is_heavy(&self, attributes: &Attributes) -> bool {
        let (Some((part, whole)), Some(periodic), None) = (self.heavy, &attributes.periodic, attributes.server) else {
            return false;
        };
        let demand = periodic.demand.map_or(0, |demand| u128::from(demand.ns()));
        demand * u128::from(whole) > u128::from(periodic.period.ns()) * u128::from(part)
    }
}

/// A fraction of at most one, such as `"2/3"`.
fn fraction(item: Item<'_>) -> Option<(u32, u32)> {
    let parts = |text: &str| {
        let (part, whole) = text.split_once('/')?;
        Some((part.trim().parse().ok()?, whole.trim().parse().ok()?))
    };
    let text = if let document::Kind::Text(text) = item.kind() { parts(text) } else { None };
    let fraction = text.filter(|(part, whole): &(u32, u32)| part <= whole && *whole > 0);
    if fraction.is_none() {
        let example = "\"2/3\": who needs a larger share of a processor than that comes before all others";
        item.mismatch("a fraction of at most one in quotes", example);
    }
    fraction
}

impl Settings for EarliestDeadline {
    fn label(&self) -> String {
        let mut parts = Vec::new();
        parts.extend((!self.preemptive).then(|| "not preemptive".to_owned()));
        parts.extend(self.heavy.map(|(part, whole)| format!("more than {part}/{whole} first")));
        parts.join(", ")
    }

    fn build(&self, setup: &Setup) -> Box<dyn Policy> {
        Box::new(Queue { settings: *self, threads: ByRank::new(setup.slots), servers: PerWho::default() })
    }
}

struct Queue {
    settings: EarliestDeadline,
    threads: ByRank<Rank>,
    /// Of those whom servers serve. Without any, nobody need be asked for one.
    servers: PerWho<Reserve>,
}

/// Heavy tasks first, then by deadline: the smaller, the more urgent.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Rank(u64);

impl Rank {
    /// No deadline that simulated time comes to has the highest bit.
    fn new(is_heavy: bool, deadline: Time) -> Rank {
        let light = 1 << 63;
        Rank(deadline.ns().min(light - 1) | if is_heavy { 0 } else { light })
    }
}

/// The state of a server.
#[derive(Clone, Copy, Default)]
struct Reserve {
    budget: Span,
    deadline: Time,
}

impl Reserve {
    /// Work comes for a server that had none: may what is left of its budget be used until its deadline?
    fn wake(&mut self, server: Server, now: Time) {
        let budget = u128::from(self.budget.ns()) * u128::from(server.period.ns());
        let bandwidth = u128::from(self.deadline.since(now).ns()) * u128::from(server.budget.ns());
        if budget >= bandwidth {
            *self = Reserve { budget: server.budget, deadline: now + server.period };
        }
    }

    /// Time was used. An empty budget is filled at once, for a later deadline.
    fn consume(&mut self, server: Server, ran: Span) {
        self.budget = self.budget.saturating_sub(ran);
        if self.budget.is_zero() {
            *self = Reserve { budget: server.budget, deadline: self.deadline + server.period };
        }
    }
}

impl Queue {
    /// Its own rank, or what it has been lent.
    #[inline]
    fn rank(&mut self, who: Who, claim: Claim<'_>) -> Rank {
        let deadline = match claim.attributes.server {
            Some(_) => self.servers.of(who).deadline,
            None => claim.deadline,
        };
        let rank = |attributes, deadline| Rank::new(self.settings.is_heavy(attributes), deadline);
        let own = rank(claim.attributes, deadline);
        claim.lent.map_or(own, |lent| own.min(rank(lent.attributes, lent.deadline)))
    }

    /// The server of somebody who has been ready.
    fn server(&self, who: Who, view: &View<'_>) -> Option<Server> {
        if self.servers.is_empty() { None } else { view.floor.attributes(who).server }
    }
}

impl Policy for Queue {
    fn ready(&mut self, who: Who, why: Why, view: &View<'_>) {
        let claim = view.floor.claim(who);
        if let (Some(server), Why::Arrived | Why::Spawned(_) | Why::Woken) = (claim.attributes.server, why) {
            self.servers.of(who).wake(server, view.now);
        }
        let rank = self.rank(who, claim);
        self.threads.insert(who, why, rank);
    }

    fn pick(&mut self, slot: Slot, view: &View<'_>) -> Option<Turn> {
        let who = self.threads.take(slot, view)?;
        let served = self.server(who, view).is_some();
        let slice = if served { Slice::For(self.servers.of(who).budget) } else { Slice::Endless };
        Some(Turn { who, slice })
    }

    fn waiting(&self) -> usize {
        self.threads.waiting()
    }

    fn left(&mut self, who: Who, slot: Slot, ran: Span, _: Exit, view: &View<'_>) {
        self.threads.leave(slot);
        if let Some(server) = self.server(who, view) {
            self.servers.of(who).consume(server, ran);
        }
    }

    fn traits(&self) -> Traits {
        Traits { preemptive: self.settings.preemptive, by_urgency: true, ..Traits::default() }
    }

    fn displaces(&mut self, who: Who, view: &View<'_>) -> Option<Slot> {
        if self.threads.is_in_order() {
            return None;
        }
        let rank = self.threads.rank_of_best(who).unwrap_or_else(|| self.rank(who, view.floor.claim(who)));
        self.threads.victim(who, rank, view, |entry| entry.rank).map(|(slot, _)| slot)
    }

    fn changed(&mut self, who: Who, view: &View<'_>) {
        let rank = self.rank(who, view.floor.claim(who));
        self.threads.change(who, rank);
    }

    /// Heavy tasks first, then by deadline. Of somebody served, that of its job: that of its server says nothing about
    /// the lock.
    fn urgency(&self, attributes: &Attributes, deadline: Time) -> i64 {
        let deadline = i64::try_from(deadline.ns()).unwrap_or(i64::MAX);
        if self.settings.is_heavy(attributes) { i64::MAX - deadline } else { -deadline }
    }
}
