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
//! hard real-time systems", 1998. With a *hard* one the thread waits until its deadline then, and has no more than its budget in
//! each period, also where nobody else wants the processor: Rajkumar, Juvva, Molano & Oikawa, "Resource kernels", 1998; so does
//! the class `deadline` of Linux. Cost: logarithmic in the number of ready threads, linear in the number of processors
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

use std::collections::BTreeSet;
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
        Box::new(Queue {
            settings: *self,
            threads: ByRank::new(setup.slots),
            servers: PerWho::default(),
            shared: PerWho::default(),
            held_back: BTreeSet::new(),
            holds_back: setup.holds_back,
        })
    }
}

struct Queue {
    settings: EarliestDeadline,
    threads: ByRank<Rank>,
    /// Of those whom servers serve. Without any, nobody need be asked for one.
    servers: PerWho<Reserve>,
    /// What several threads share, by the number of the server.
    shared: PerWho<Shared>,
    /// Those who wait until then for the budget of a hard server.
    held_back: BTreeSet<(Time, Who)>,
    /// Does anybody ever?
    holds_back: bool,
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

/// A server of several threads, which are all due by its deadline.
#[derive(Default)]
struct Shared {
    reserve: Reserve,
    /// Those who are ready.
    waiting: Vec<Who>,
    /// How many are ready or run.
    active: u32,
}

impl Reserve {
    /// Work comes for a server that had none: may what is left of its budget be used until its deadline?
    fn wake(&mut self, server: Server, now: Time) {
        if server.hard && self.budget.is_zero() && now < self.deadline {
            return;
        }
        let budget = u128::from(self.budget.ns()) * u128::from(server.period.ns());
        let bandwidth = u128::from(self.deadline.since(now).ns()) * u128::from(server.budget.ns());
        if budget >= bandwidth {
            *self = Reserve { budget: server.budget, deadline: now + server.period };
        }
    }

    /// Time was used. An empty budget is filled at once, for a later deadline, unless the server is hard.
    fn consume(&mut self, server: Server, ran: Span) {
        self.budget = self.budget.saturating_sub(ran);
        if self.budget.is_zero() && !server.hard {
            self.fill(server);
        }
    }

    fn fill(&mut self, server: Server) {
        *self = Reserve { budget: server.budget, deadline: self.deadline + server.period };
    }
}

impl Queue {
    /// Its own rank, or what it has been lent.
    #[inline]
    fn rank(&mut self, who: Who, claim: Claim<'_>) -> Rank {
        let deadline = match claim.attributes.server {
            Some(server) => self.reserve(server, who).deadline,
            None => claim.deadline,
        };
        let rank = |attributes, deadline| Rank::new(self.settings.is_heavy(attributes), deadline);
        let own = rank(claim.attributes, deadline);
        claim.lent.map_or(own, |lent| own.min(rank(lent.attributes, lent.deadline)))
    }

    /// What the server has left: one with a name for all whom it serves.
    fn reserve(&mut self, server: Server, who: Who) -> &mut Reserve {
        match server.number {
            Some(number) => &mut self.shared.of(Who(number)).reserve,
            None => self.servers.of(who),
        }
    }

    /// Somebody with a server is ready. Is it the only one whom that serves, so that work comes for a server that had none?
    #[cold]
    fn comes(&mut self, server: Server, who: Who, why: Why) -> bool {
        // That servers are asked for at all is known of each thread.
        self.servers.of(who);
        let is_new = matches!(why, Why::Arrived | Why::Spawned(_) | Why::Woken);
        let Some(number) = server.number else { return is_new };
        let shared = self.shared.of(Who(number));
        shared.waiting.push(who);
        shared.active += u32::from(is_new);
        is_new && shared.active == 1
    }

    /// Must somebody who is ready wait for the budget of a hard server?
    #[cold]
    fn holds_back_now(&mut self, server: Server, who: Who, now: Time) -> bool {
        let reserve = self.reserve(server, who);
        if !reserve.budget.is_zero() {
            return false;
        }
        let until = reserve.deadline;
        if until <= now {
            reserve.fill(server);
            return false;
        }
        self.held_back.insert((until, who));
        true
    }

    /// Time of its server was used. All whom that serves are due later, if it is used up.
    #[cold]
    fn consumes(&mut self, server: Server, who: Who, ran: Span, exit: Exit, view: &View<'_>) {
        let reserve = self.reserve(server, who);
        let before = reserve.deadline;
        reserve.consume(server, ran);
        let is_later = reserve.deadline != before;
        let Some(number) = server.number else { return };
        let shared = self.shared.of(Who(number));
        shared.active -= u32::from(exit != Exit::Ready);
        if is_later {
            for other in shared.waiting.clone() {
                let rank = self.rank(other, view.floor.claim(other));
                self.threads.change(other, rank);
            }
        }
    }

    /// Somebody who is ready, and whom a server serves, does not want to run any more.
    #[cold]
    fn goes(&mut self, who: Who, view: &View<'_>) {
        self.held_back.retain(|(_, other)| *other != who);
        if let Some(number) = self.server(who, view).and_then(|server| server.number) {
            let shared = self.shared.of(Who(number));
            shared.waiting.retain(|other| *other != who);
            shared.active -= 1;
        }
    }

    /// The server of somebody who has been ready.
    fn server(&self, who: Who, view: &View<'_>) -> Option<Server> {
        if self.servers.is_empty() { None } else { view.floor.attributes(who).server }
    }
}

impl Policy for Queue {
    fn ready(&mut self, who: Who, why: Why, view: &View<'_>) {
        let claim = view.floor.claim(who);
        let server = claim.attributes.server;
        if let Some(server) = server
            && self.comes(server, who, why)
        {
            self.reserve(server, who).wake(server, view.now);
        }
        // Of several whom one serves, the first goes on until it is done.
        let goes_on =
            server.and_then(|server| server.number).is_some_and(|number| self.shared.of(Who(number)).active > 1);
        let why = if let (Why::Expired(slot), true) = (why, goes_on) { Why::Preempted(slot) } else { why };
        if server.is_some_and(|server| server.hard && self.holds_back_now(server, who, view.now)) {
            return;
        }
        let rank = self.rank(who, claim);
        self.threads.insert(who, why, rank);
    }

    fn pick(&mut self, slot: Slot, view: &View<'_>) -> Option<Turn> {
        let who = self.threads.take(slot, view)?;
        let Some(server) = self.server(who, view) else { return Some(Turn { who, slice: Slice::Endless }) };
        if let Some(number) = server.number {
            self.shared.of(Who(number)).waiting.retain(|other| *other != who);
        }
        Some(Turn { who, slice: Slice::For(self.reserve(server, who).budget) })
    }

    fn withdraw(&mut self, who: Who, view: &View<'_>) -> bool {
        self.threads.withdraw(who);
        if self.server(who, view).is_some() {
            self.goes(who, view);
        }
        true
    }

    fn tells(&mut self, who: Who, view: &View<'_>) -> String {
        let claim = view.floor.claim(who);
        match claim.lent.map(|lent| lent.deadline).filter(|lent| *lent < claim.deadline) {
            Some(lent) => format!("deadline {}, which it is lent", lent.readable()),
            None if claim.deadline.is_never() => "no deadline".to_owned(),
            None => format!("deadline {}", claim.deadline.readable()),
        }
    }

    fn waiting(&self) -> usize {
        self.threads.waiting() + self.held_back.len()
    }

    fn is_next(&mut self, who: Who, _: Slot, _: &View<'_>) {
        self.threads.is_next(who);
    }

    fn lists_held_back(&self, those: &mut Vec<Who>) {
        those.extend(self.held_back.iter().map(|(_, who)| *who));
    }

    fn left(&mut self, who: Who, slot: Slot, ran: Span, exit: Exit, view: &View<'_>) {
        self.threads.leave(slot);
        if let Some(server) = self.server(who, view) {
            self.consumes(server, who, ran, exit, view);
        }
    }

    fn traits(&self) -> Traits {
        let preemptive = self.settings.preemptive;
        Traits { preemptive, by_urgency: true, has_alarms: self.holds_back, ..Traits::default() }
    }

    fn displaces(&mut self, who: Who, view: &View<'_>) -> Option<Slot> {
        if self.threads.is_in_order() || self.held_back.iter().any(|(_, other)| *other == who) {
            return None;
        }
        let rank = self.threads.rank_of_best(who).unwrap_or_else(|| self.rank(who, view.floor.claim(who)));
        self.threads.victim(who, rank, view, |entry| entry.rank).map(|(slot, _)| slot)
    }

    fn changed(&mut self, who: Who, view: &View<'_>) {
        let rank = self.rank(who, view.floor.claim(who));
        self.threads.change(who, rank);
    }

    /// When a hard server has its budget again.
    fn alarm(&self) -> Time {
        self.held_back.first().map_or(Time::NEVER, |(at, _)| *at)
    }

    fn ring(&mut self, again: &mut Vec<Who>, view: &View<'_>) {
        while let Some((_, who)) = self.held_back.first().copied().filter(|(at, _)| *at <= view.now) {
            self.held_back.pop_first();
            if let Some(server) = self.server(who, view) {
                self.reserve(server, who).fill(server);
            }
            let rank = self.rank(who, view.floor.claim(who));
            self.threads.insert(who, Why::Woken, rank);
            again.push(who);
        }
    }

    /// Heavy tasks first, then by deadline. Of somebody served, that of its job: that of its server says nothing about
    /// the lock.
    fn urgency(&self, attributes: &Attributes, deadline: Time) -> i64 {
        let deadline = i64::try_from(deadline.ns()).unwrap_or(i64::MAX);
        if self.settings.is_heavy(attributes) { i64::MAX - deadline } else { -deadline }
    }
}
