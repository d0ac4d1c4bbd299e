//! Least laxity first: whoever can wait the least runs.
//!
//! Rule: the laxity of a job is the time until its deadline less the work it still needs; the ready thread with the
//! least runs, ties first come, first served. Threads without a deadline come after all others. While a job runs its
//! laxity stays, while it waits its laxity shrinks: with `preemptive = true` one that waits takes the processor from one
//! that runs with a strictly larger laxity. Two of nearly the same laxity would then change places for ever, so
//! newcomers are compared with those who run when they come, and those who wait only at multiples of `quantum` (default
//! 1 ms) and when a laxity becomes zero; each time after idle processors have been given away. On one processor llf is
//! as good as edf (Dertouzos & Mok 1989) if all times are multiples of the quantum; a larger quantum than that is an
//! approximation. Work is counted as it is at speed 1. Cost: logarithmic in the number of ready threads, linear in the number of processors, and with
//! affinities in that of ready threads; the next look is computed, so nothing happens at multiples of the quantum at
//! which nobody has overtaken anybody.
//!
//! ```toml
//! scheduler = { policy = "llf" }
//! task = [
//!     { name = "A", period = "6ms", jobs = 2, program = [{ cpu = "3ms" }] },
//!     { name = "B", period = "8ms", jobs = 1, program = [{ cpu = "4ms" }] },
//! ]
//! ```
//! ```text
//! cpu 0 |AABBABBAAA|
//! ```

use std::sync::Arc;

use super::book::signed;
use super::by_rank::{ByRank, Entry};
use super::{Attributes, Exit, Kind, Policy, Settings, Setup, Slice, Slot, Theory, Traits, Turn, View, Who, Why};
use crate::document::Table;
use crate::parameter::Parameter;
use crate::time::{Span, Time};

/// The entry on the shelf.
pub(super) static KIND: Kind = Kind {
    name: "llf",
    summary: "the least laxity first: deadline - now - remaining work",
    parameters: &[
        Parameter::new(
            "preemptive",
            "`true`, `false`",
            "`true`",
            "does a more urgent newcomer take the processor of who runs?",
        ),
        Parameter::new("quantum", "a duration", "`\"1ms\"`", "how often the laxities of those who wait are looked at"),
    ],
    attributes: &["period"],
    theory: Theory::Deadlines,
    on_linux: None,
    read: |table| Arc::new(LeastLaxity::read(table)),
};

#[derive(Clone, Copy, Debug)]
struct LeastLaxity {
    preemptive: bool,
    quantum: Span,
}

impl LeastLaxity {
    fn read(table: &mut Table<'_>) -> LeastLaxity {
        LeastLaxity {
            preemptive: table.boolean("preemptive").unwrap_or(true),
            quantum: table.positive_span("quantum").unwrap_or(Span::from_ms(1)),
        }
    }
}

impl Settings for LeastLaxity {
    fn quanta(&self) -> Vec<(String, Span)> {
        vec![("quantum".to_owned(), self.quantum)]
    }

    fn label(&self) -> String {
        if self.preemptive { format!("quantum {}", self.quantum) } else { "not preemptive".into() }
    }

    fn step(&self) -> Option<Span> {
        self.preemptive.then_some(self.quantum)
    }

    fn build(&self, setup: &Setup) -> Box<dyn Policy> {
        Box::new(Queue { settings: *self, threads: ByRank::new(setup.slots), alarm: Time::NEVER })
    }
}

struct Queue {
    settings: LeastLaxity,
    /// By the latest start: the instant at which the laxity is zero. Of those who wait it stays, and so does their
    /// order; of those who run it moves on with time.
    threads: ByRank<i64>,
    /// When somebody who waits is to be looked at again.
    alarm: Time,
}

/// The latest instant at which somebody can start (or go on) and still meet its deadline, or the one it has been lent;
/// it may have passed.
fn latest_start(who: Who, view: &View<'_>) -> i64 {
    let own = view.floor.deadline(who);
    let deadline = view.floor.lent(who).map_or(own, |lent| own.min(lent.deadline));
    let signed = |ns: u64| i64::try_from(ns).unwrap_or(i64::MAX);
    if deadline.is_never() { i64::MAX } else { signed(deadline.ns()) - signed(view.floor.work_left(who).ns()) }
}

impl Queue {
    /// Computes when the next look is due, unless one is due now.
    fn look_ahead(&mut self, view: &View<'_>) {
        if !self.settings.preemptive || self.alarm <= view.now {
            return;
        }
        // Without affinities the one that waits with the least laxity overtakes first.
        let candidates = if view.free() { 1 } else { usize::MAX };
        let looks = self.threads.ready().take(candidates).filter_map(|entry| self.next_look(entry, view));
        self.alarm = looks.min().unwrap_or(Time::NEVER);
    }

    /// The next instant at which somebody who waits is to be compared with those who run.
    fn next_look(&self, waiting: &Entry<i64>, view: &View<'_>) -> Option<Time> {
        if waiting.rank == i64::MAX {
            return None;
        }
        // Whoever runs can start the later the longer it has run: how long until the last of them overtakes?
        let (_, latest) = self.threads.victim(waiting.who, i64::MIN, view, |entry| latest_start(entry.who, view))?;
        let gap = u64::try_from(waiting.rank.checked_sub(latest)?.saturating_add(1)).unwrap_or(0);
        let quantum = self.settings.quantum.ns();
        let overtakes = view.now + Span::from_ns(gap.max(1));
        let multiple = Time::from_ns(overtakes.ns().div_ceil(quantum).saturating_mul(quantum));
        let zero = Time::from_ns(u64::try_from(waiting.rank).unwrap_or(0));
        Some(if zero >= overtakes { multiple.min(zero) } else { multiple })
    }
}

impl Policy for Queue {
    fn ready(&mut self, who: Who, why: Why, view: &View<'_>) {
        self.threads.insert(who, why, latest_start(who, view));
        self.look_ahead(view);
    }

    fn pick(&mut self, slot: Slot, view: &View<'_>) -> Option<Turn> {
        let who = self.threads.take(slot, view)?;
        self.look_ahead(view);
        Some(Turn { who, slice: Slice::Endless })
    }

    fn withdraw(&mut self, who: Who, view: &View<'_>) -> bool {
        self.threads.withdraw(who);
        self.look_ahead(view);
        true
    }

    fn tells(&mut self, who: Who, view: &View<'_>) -> String {
        match latest_start(who, view) {
            i64::MAX => "no deadline".to_owned(),
            latest => format!("laxity {}", signed(i128::from(latest) - i128::from(view.now.ns()))),
        }
    }

    fn waiting(&self) -> usize {
        self.threads.waiting()
    }

    fn is_next(&mut self, who: Who, _: Slot, _: &View<'_>) {
        self.threads.is_next(who);
    }

    fn left(&mut self, _: Who, slot: Slot, _: Span, _: Exit, view: &View<'_>) {
        self.threads.leave(slot);
        self.look_ahead(view);
    }

    fn traits(&self) -> Traits {
        let preemptive = self.settings.preemptive;
        Traits { preemptive, by_urgency: true, has_alarms: preemptive, ..Traits::default() }
    }

    fn displaces(&mut self, who: Who, view: &View<'_>) -> Option<Slot> {
        let latest = latest_start(who, view);
        self.threads.victim(who, latest, view, |entry| latest_start(entry.who, view)).map(|(slot, _)| slot)
    }

    fn changed(&mut self, who: Who, view: &View<'_>) {
        self.threads.change(who, latest_start(who, view));
        self.look_ahead(view);
    }

    fn urgency(&self, _: &Attributes, deadline: Time) -> i64 {
        i64::try_from(deadline.ns()).map_or(i64::MIN, |deadline| -deadline)
    }

    fn alarm(&self) -> Time {
        self.alarm
    }

    /// Those who wait are asked in the order of their laxity.
    fn ring(&mut self, again: &mut Vec<Who>, view: &View<'_>) {
        let candidates = if view.free() { view.floor.slots() } else { usize::MAX };
        again.extend(self.threads.ready().take(candidates).map(|entry| entry.who));
        self.alarm = Time::NEVER;
        self.look_ahead(view);
    }
}
