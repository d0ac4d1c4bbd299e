//! Priorities: the most urgent first, first come, first served within a level.
//!
//! Rule: the ready thread with the best `priority` runs (`order = "high-first"`: the largest number, `"low-first"`:
//! the smallest). With `preemptive = true` a newcomer takes the processor from a strictly less urgent thread: from the
//! least urgent one, among equals from the one queued last; the displaced thread goes to the head of its level, or to
//! its tail (`preempted-to`). With `quantum`, round robin within a level. With `aging`, a thread gains one level for
//! each full `aging` it has been waiting; it keeps what it has gained while it runs, and starts anew afterwards.
//! Source: Silberschatz, Galvin & Gagne, "Operating System Concepts". Cost: logarithmic in the number of ready
//! threads; linear with `aging` (every waiting thread moves up on its own clock) or when a thread is lent the urgency of
//! another, and linear in the number of processors to find whom to displace.
//!
//! ```toml
//! scheduler = { policy = "priority" }
//! task = [
//!     { name = "A", priority = 1, program = [{ cpu = "4ms" }] },
//!     { name = "B", priority = 2, arrival = "1ms", program = [{ cpu = "2ms" }] },
//! ]
//! ```
//! ```text
//! cpu 0 |ABBAAA|
//! ```

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::sync::Arc;

use super::on_linux::{Class, Counterpart, Realised};
use super::{Attributes, Exit, Kind, Policy, Settings, Setup, Slice, Slot, Theory, Traits, Turn, View, Who, Why};
use crate::document::Table;
use crate::parameter::Parameter;
use crate::time::{Span, Time};

/// The entry on the shelf.
pub(super) static KIND: Kind = Kind {
    name: "priority",
    summary: "most urgent first, fifo within a level; optionally preemptive, with a quantum, with aging",
    parameters: &[
        Parameter::new(
            "preemptive",
            "`true`, `false`",
            "`true`",
            "does a more urgent newcomer take the processor of who runs?",
        ),
        Parameter::new(
            "order",
            "`\"high-first\"`, `\"low-first\"`",
            "`\"high-first\"`",
            "is the largest `priority` the most urgent, or the smallest?",
        ),
        Parameter::new(
            "preempted-to",
            "`\"head\"`, `\"tail\"`",
            "`\"head\"`",
            "where in its level a displaced thread goes",
        ),
        Parameter::new("quantum", "a duration", "no slices", "round robin within a level, in slices of this length"),
        Parameter::new(
            "aging",
            "a duration",
            "no aging",
            "a waiting thread gains a level each time it has waited so long",
        ),
    ],
    attributes: &["priority"],
    theory: Theory::FixedPriorities,
    on_linux: Some("SCHED_FIFO, with a quantum SCHED_RR; not preemptive or with aging: none"),
    read: |table| Arc::new(Priority::read(table)),
};

#[derive(Clone, Copy, Debug)]
struct Priority {
    preemptive: bool,
    low_first: bool,
    preempted_to_tail: bool,
    quantum: Option<Span>,
    aging: Option<Span>,
}

impl Priority {
    fn read(table: &mut Table<'_>) -> Priority {
        Priority {
            preemptive: table.boolean("preemptive").unwrap_or(true),
            low_first: table.one_of("order", &["high-first", "low-first"]) == Some(1),
            preempted_to_tail: table.one_of("preempted-to", &["head", "tail"]) == Some(1),
            quantum: table.positive_span("quantum"),
            aging: table.positive_span("aging"),
        }
    }
}

impl Settings for Priority {
    fn quanta(&self) -> Vec<(String, Span)> {
        self.quantum.iter().map(|quantum| ("quantum".to_owned(), *quantum)).collect()
    }

    fn label(&self) -> String {
        let mut parts = vec![if self.preemptive { "preemptive" } else { "not preemptive" }.to_owned()];
        parts.extend(self.low_first.then(|| "low first".to_owned()));
        parts.extend(self.quantum.map(|quantum| format!("quantum {quantum}")));
        parts.extend(self.aging.map(|aging| format!("aging {aging}")));
        parts.join(", ")
    }

    fn on_linux(&self) -> Counterpart {
        let mut counterpart = Counterpart::exact(self.quantum.map_or(Class::Fifo, Class::RoundRobin));
        if !self.preemptive {
            counterpart = counterpart.but(Realised::Not, "lets a more urgent thread take the processor at once");
        }
        if self.aging.is_some() {
            counterpart = counterpart.but(Realised::Not, "knows no aging");
        }
        if self.preempted_to_tail {
            let differs = "puts who is displaced at the head of its level";
            counterpart = counterpart.but(Realised::Approximated, differs);
        }
        counterpart
    }

    fn build(&self, setup: &Setup) -> Box<dyn Policy> {
        Box::new(Levels {
            settings: *self,
            ready: BTreeSet::new(),
            running: vec![None; setup.slots],
            stamp: 0,
            rang: None,
        })
    }
}

/// Everybody who is ready, the most urgent first; in a level by place.
struct Levels {
    settings: Priority,
    ready: BTreeSet<Entry>,
    running: Vec<Option<Entry>>,
    /// Counts those who became ready.
    stamp: i64,
    /// When the alarm rang last: what could be done then has been done.
    rang: Option<Time>,
}

/// Somebody in the queue, or on a slot since it left the queue. The order of the fields is the order of the queue.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    /// Larger is more urgent, so it comes first reversed.
    urgency: Reverse<i64>,
    /// Place in the level: the stamp, or its negative for one put at the head.
    place: i64,
    who: Who,
    /// When it became ready.
    since: Time,
    /// The running number of its becoming ready: the larger, the later it was queued.
    stamp: i64,
    /// Of one on a slot: what of its urgency it has gained by waiting.
    gained: i64,
}

impl Levels {
    /// Its own urgency, or what it has been lent.
    fn urgency_of(&self, who: Who, view: &View<'_>) -> i64 {
        let own = self.urgency(view.floor.attributes(who), Time::NEVER);
        view.floor.lent(who).map_or(own, |lent| own.max(self.urgency(lent.attributes, Time::NEVER)))
    }

    /// The urgency of somebody waiting, with what it has gained by waiting.
    fn aged(&self, entry: &Entry, now: Time) -> i64 {
        let gained = self.settings.aging.map_or(0, |aging| now.since(entry.since).ns() / aging.ns());
        entry.urgency.0.saturating_add(i64::try_from(gained).unwrap_or(i64::MAX))
    }

    /// The best that may use the slot. Whoever has been queued first wins among equals.
    fn best(&self, slot: Slot, view: &View<'_>) -> Option<Entry> {
        let mut allowed = self.ready.iter().filter(|entry| view.free() || view.floor.allowed(entry.who, slot));
        if self.settings.aging.is_none() {
            return allowed.next().copied();
        }
        let urgency = |entry: &&Entry| (Reverse(self.aged(entry, view.now)), entry.place);
        let best = allowed.min_by_key(urgency)?;
        Some(*best)
    }

    /// The slot from which somebody of this urgency may take the processor, if there is one.
    fn victim(&self, who: Who, urgency: i64, view: &View<'_>) -> Option<Slot> {
        let mut worst: Option<(i64, Reverse<i64>, Slot)> = None;
        for (slot, entry) in (0..).map(Slot).zip(&self.running) {
            let Some(entry) = entry else { continue };
            let candidate = (entry.urgency.0, Reverse(entry.stamp), slot);
            if entry.urgency.0 < urgency
                && worst.is_none_or(|worst| (candidate.0, candidate.1) < (worst.0, worst.1))
                && (view.free() || view.floor.allowed(who, slot))
            {
                worst = Some(candidate);
            }
        }
        worst.map(|worst| worst.2)
    }
}

impl Policy for Levels {
    fn ready(&mut self, who: Who, why: Why, view: &View<'_>) {
        self.stamp += 1;
        let to_head = matches!(why, Why::Preempted(_)) && !self.settings.preempted_to_tail;
        self.ready.insert(Entry {
            urgency: Reverse(self.urgency_of(who, view)),
            place: if to_head { -self.stamp } else { self.stamp },
            who,
            since: view.now,
            stamp: self.stamp,
            gained: 0,
        });
    }

    fn pick(&mut self, slot: Slot, view: &View<'_>) -> Option<Turn> {
        let entry = self.best(slot, view)?;
        self.ready.remove(&entry);
        let urgency = self.aged(&entry, view.now);
        let gained = urgency.saturating_sub(entry.urgency.0);
        self.running[slot.0 as usize] = Some(Entry { urgency: Reverse(urgency), gained, ..entry });
        Some(Turn { who: entry.who, slice: self.settings.quantum.map_or(Slice::Endless, Slice::For) })
    }

    fn withdraw(&mut self, who: Who, _: &View<'_>) -> bool {
        self.ready.retain(|entry| entry.who != who);
        true
    }

    fn tells(&mut self, who: Who, view: &View<'_>) -> String {
        let signed = |urgency: i64| if self.settings.low_first { -urgency } else { urgency };
        let own = self.urgency(view.floor.attributes(who), Time::NEVER);
        let (urgency, entry) =
            (self.urgency_of(who, view), self.running.iter().flatten().find(|entry| entry.who == who));
        let gained = entry.map_or(0, |entry| entry.gained);
        let lent =
            if urgency > own { format!(", which it is lent (its own is {})", signed(own)) } else { String::new() };
        let aged = if gained > 0 { format!(", {gained} more urgent for having waited") } else { String::new() };
        format!("priority {}{lent}{aged}", signed(urgency))
    }

    fn waiting(&self) -> usize {
        self.ready.len()
    }

    fn is_next(&mut self, who: Who, _: Slot, _: &View<'_>) {
        if let Some(entry) = self.ready.iter().find(|entry| entry.who == who).copied() {
            self.ready.remove(&entry);
            self.ready.insert(Entry { place: -entry.stamp, ..entry });
        }
    }

    fn left(&mut self, _: Who, slot: Slot, _: Span, _: Exit, _: &View<'_>) {
        self.running[slot.0 as usize] = None;
    }

    fn traits(&self) -> Traits {
        let preemptive = self.settings.preemptive;
        Traits {
            preemptive,
            by_urgency: true,
            has_alarms: preemptive && self.settings.aging.is_some(),
            lasting: self.settings.aging.is_none(),
            ..Traits::default()
        }
    }

    fn displaces(&mut self, who: Who, view: &View<'_>) -> Option<Slot> {
        let mut urgency = self.urgency_of(who, view);
        // Of those who have waited, only an alarm asks; without aging it never rings.
        if self.settings.aging.is_some() {
            let waiting = self.ready.iter().find(|entry| entry.who == who);
            urgency = waiting.map_or(urgency, |entry| self.aged(entry, view.now));
        }
        self.victim(who, urgency, view)
    }

    fn urgency(&self, attributes: &Attributes, _: Time) -> i64 {
        if self.settings.low_first { attributes.priority.saturating_neg() } else { attributes.priority }
    }

    fn level(&self, attributes: &Attributes) -> Option<(&'static str, String)> {
        Some(("priority", attributes.priority.to_string()))
    }

    fn changed(&mut self, who: Who, view: &View<'_>) {
        let urgency = self.urgency_of(who, view);
        if let Some(entry) = self.running.iter_mut().flatten().find(|entry| entry.who == who) {
            entry.urgency = Reverse(urgency.saturating_add(entry.gained));
        } else if let Some(entry) = self.ready.iter().find(|entry| entry.who == who).copied()
            && entry.urgency.0 != urgency
        {
            // It keeps its place in the queue: who became ready earlier is ahead among equals.
            self.ready.remove(&entry);
            self.ready.insert(Entry { urgency: Reverse(urgency), ..entry });
        }
    }

    /// With aging, somebody waiting may overtake somebody running: at the next gain of a level by anybody.
    fn alarm(&self) -> Time {
        let (Some(aging), true) = (self.settings.aging, self.settings.preemptive) else { return Time::NEVER };
        if self.running.iter().all(Option::is_none) {
            return Time::NEVER;
        }
        let worst = self.running.iter().flatten().map(|entry| entry.urgency.0).min().unwrap_or(i64::MAX);
        // When the entry will first be more urgent than the least urgent one running, by a gain of at least one; if the
        // alarm rang for that in vain (it may not use that processor), at its next gain.
        let overtakes = |entry: &Entry| {
            let needed = u64::try_from(worst.saturating_sub(entry.urgency.0).saturating_add(1)).unwrap_or(0);
            let tried = self.rang.map_or(0, |rang| rang.since(entry.since).ns() / aging.ns() + 1);
            entry.since + aging * needed.max(tried).max(1)
        };
        self.ready.iter().map(overtakes).min().unwrap_or(Time::NEVER)
    }

    fn ring(&mut self, again: &mut Vec<Who>, view: &View<'_>) {
        self.rang = Some(view.now);
        let mut waiting: Vec<(Reverse<i64>, i64, Who)> =
            self.ready.iter().map(|entry| (Reverse(self.aged(entry, view.now)), entry.place, entry.who)).collect();
        waiting.sort_unstable();
        again.extend(waiting.into_iter().map(|(.., who)| who));
    }
}
