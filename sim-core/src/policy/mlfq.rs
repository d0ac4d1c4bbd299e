//! The multi-level feedback queue: levels of round robin that learn from how much a thread runs.
//!
//! Rule: the first of the queue runs, which is ordered by level (0 is the highest), then by place; whoever runs keeps
//! its place. A thread that has used up its slice (`quantum` of its level) goes to the tail; after `allotment` slices
//! on a level, one level down. What is left of a slice and an allotment is kept over preemption and over blocking, so
//! that nobody can game the scheduler by giving up the processor just in time; `reset-on-io` makes both fresh at a
//! block, except that a slice used up to its end still counts. Whoever wakes goes to the tail of its level, with
//! `io-to-head` to its head. At every multiple of `boost` everybody, blocked or not, gets the highest level with a
//! fresh slice and allotment: those of lower levels line up behind those who are there, the lowest level first.
//!
//! Source: Arpaci-Dusseau & Arpaci-Dusseau, "Operating Systems: Three Easy Pieces", chapter 8. Beyond it: with several
//! processors the first ones of the queue run, and the last of them is the one displaced. Cost: logarithmic in the number
//! of ready threads while no affinity is set, linear in the number of processors to find whom to displace; a boost is
//! linear in the threads it moves.
//!
//! ```toml
//! scheduler = { policy = "mlfq", levels = [{ quantum = "1ms" }, { quantum = "2ms" }] }
//! task = [
//!     { name = "A", program = [{ cpu = "5ms" }] },
//!     { name = "B", arrival = "2ms", program = [{ cpu = "2ms" }] },
//! ]
//! ```
//! ```text
//! cpu 0 |AABABAA|    A keeps the 1ms left of its slice
//! ```

use std::collections::BTreeSet;
use std::sync::Arc;

use super::book::{PerWho, Turns};
use super::{Exit, Kind, Policy, Settings, Setup, Slice, Slot, Theory, Traits, Turn, View, Who, Why};
use crate::document::{Item, Table};
use crate::parameter::Parameter;
use crate::time::{Span, Time};

/// The entry on the shelf.
pub(super) static KIND: Kind = Kind {
    name: "mlfq",
    summary: "multi-level feedback queue: preempts, accounts across I/O, boosts",
    parameters: &[
        Parameter::new(
            "levels",
            "a list such as `[{ quantum = \"10ms\", allotment = 2 }]`",
            "required",
            "the slice of each level, the highest first, and after how many slices (1 if not written) a thread sinks",
        ),
        Parameter::new(
            "boost",
            "a duration",
            "no boost",
            "at every multiple of it all threads return to the highest level",
        ),
        Parameter::new("reset-on-io", "`true`, `false`", "`false`", "does blocking make slice and allotment fresh?"),
        Parameter::new("io-to-head", "`true`, `false`", "`false`", "does who wakes go to the head of its level?"),
    ],
    attributes: &[],
    theory: Theory::None,
    on_linux: None,
    read: |table| Arc::new(Mlfq::read(table)),
};

#[derive(Clone, Debug)]
struct Mlfq {
    /// The highest first; at least one.
    levels: Vec<Level>,
    boost: Option<Span>,
    reset_on_io: bool,
    io_to_head: bool,
}

#[derive(Clone, Copy, Debug)]
struct Level {
    quantum: Span,
    /// In slices.
    allotment: u32,
}

impl Mlfq {
    fn read(table: &mut Table<'_>) -> Mlfq {
        let mut levels = Vec::new();
        if let Some(item) = table.required("levels", "the slice and allotment of each level, the highest first") {
            let list = item.list();
            if list.as_ref().is_some_and(Vec::is_empty) {
                item.wrong("`levels` is empty", "write one { quantum = \"10ms\", allotment = 2 } for each level");
            }
            levels = list.unwrap_or_default().iter().filter_map(Level::read).collect();
        }
        if levels.is_empty() {
            levels.push(Level { quantum: Span::from_ms(1), allotment: 1 });
        }
        Mlfq {
            levels,
            boost: table.positive_span("boost"),
            reset_on_io: table.boolean("reset-on-io").unwrap_or(false),
            io_to_head: table.boolean("io-to-head").unwrap_or(false),
        }
    }
}

impl Level {
    fn read(item: &Item<'_>) -> Option<Level> {
        let mut table = item.table("an element of `levels`")?;
        let quantum = table.required_span("quantum", "how long a slice on this level is");
        let allotment = table.item("allotment").and_then(|item| item.count(1..=u32::MAX)).unwrap_or(1);
        Some(Level { quantum, allotment })
    }
}

impl Settings for Mlfq {
    fn quanta(&self) -> Vec<(String, Span)> {
        let levels = self.levels.iter().enumerate();
        levels.map(|(number, level)| (format!("levels.{number}.quantum"), level.quantum)).collect()
    }

    fn label(&self) -> String {
        let level = |level: &Level| format!("{}\u{d7}{}", level.quantum, level.allotment);
        let mut parts = vec![format!("levels {}", self.levels.iter().map(level).collect::<Vec<_>>().join(" "))];
        parts.extend(self.boost.map(|boost| format!("boost {boost}")));
        parts.extend(self.reset_on_io.then(|| "reset on I/O".to_owned()));
        parts.extend(self.io_to_head.then(|| "I/O to head".to_owned()));
        parts.join(", ")
    }

    fn build(&self, setup: &Setup) -> Box<dyn Policy> {
        Box::new(Queue {
            settings: self.clone(),
            ready: BTreeSet::new(),
            turns: Turns::new(setup.slots),
            accounts: PerWho::default(),
            tail: 0,
            head: 0,
            boosts: 0,
        })
    }
}

struct Queue {
    settings: Mlfq,
    /// Everybody who is ready, in the order of the queue. Invariant: their accounts have the same level and place.
    ready: BTreeSet<(usize, i64, Who)>,
    turns: Turns,
    accounts: PerWho<Account>,
    /// The place given last at a tail: positive, growing.
    tail: i64,
    /// The place given last at a head: negative, shrinking.
    head: i64,
    /// How many boosts there have been. While nobody is ready or runs they are only counted afterwards.
    boosts: u64,
}

/// What is known of a thread.
#[derive(Clone, Copy, Default)]
struct Account {
    level: usize,
    /// In the queue of its level, also while it runs.
    place: i64,
    /// What is left of its slice. Invariant: not zero while it is ready.
    slice: Span,
    /// How many slices it may begin on this level, with the present one.
    allotment: u32,
    /// How many boosts it has seen.
    boosts: u64,
    /// Must it go to the tail when it is ready again, whatever the reason?
    moved: bool,
}

impl Account {
    fn fresh(self, level: usize, levels: &[Level]) -> Account {
        Account { level, slice: levels[level].quantum, allotment: levels[level].allotment, ..self }
    }

    /// A slice is used up.
    fn charge(self, levels: &[Level]) -> Account {
        let moved = Account { moved: true, ..self };
        match self.allotment {
            0 | 1 => moved.fresh((self.level + 1).min(levels.len() - 1), levels),
            more => Account { allotment: more - 1, slice: levels[self.level].quantum, ..moved },
        }
    }
}

impl Queue {
    fn tail(&mut self) -> i64 {
        self.tail += 1;
        self.tail
    }

    /// How many boosts there have been up to now, if one is due now.
    fn boosts_until(&self, now: Time) -> u64 {
        self.settings.boost.map_or(0, |boost| now.ns() / boost.ns())
    }

    fn idle(&self) -> bool {
        self.ready.is_empty() && self.turns.count() == 0
    }

    /// Lines up everybody below the top level behind those who are there.
    fn line_up(&mut self) {
        let running: Vec<Who> = self.turns.running().map(|(_, who)| who).collect();
        let waiting = self.ready.split_off(&(1, i64::MIN, Who(0)));
        let mut lower: Vec<(usize, i64, Who)> = waiting.into_iter().collect();
        for who in &running {
            let account = self.accounts.of(*who);
            if account.level > 0 {
                lower.push((account.level, account.place, *who));
            }
        }
        lower.sort_unstable_by_key(|(level, place, who)| (std::cmp::Reverse(*level), *place, *who));
        for (.., who) in lower {
            let place = self.tail();
            self.accounts.of(who).place = place;
            if !running.contains(&who) {
                self.ready.insert((0, place, who));
            }
        }
    }

    /// Where in the queue those are who run, with their slots.
    fn running(&mut self) -> impl Iterator<Item = (usize, i64, Slot)> {
        self.turns.running().map(|(slot, who)| {
            let account = self.accounts.of(who);
            (account.level, account.place, slot)
        })
    }
}

impl Policy for Queue {
    fn ready(&mut self, who: Who, why: Why, view: &View<'_>) {
        if self.idle() {
            self.boosts = self.boosts_until(view.now);
        }
        let levels = &self.settings.levels;
        let mut account = *self.accounts.of(who);
        let new = matches!(why, Why::Arrived | Why::Spawned(_));
        if new || account.boosts < self.boosts {
            account = Account { boosts: self.boosts, moved: true, ..account.fresh(0, levels) };
        }
        let stays = matches!(why, Why::Preempted(_)) && !account.moved;
        if why == Why::Woken && self.settings.io_to_head {
            self.head -= 1;
            account.place = self.head;
        } else if !stays {
            account.place = self.tail();
        }
        account.moved = false;
        *self.accounts.of(who) = account;
        self.ready.insert((account.level, account.place, who));
    }

    fn pick(&mut self, slot: Slot, view: &View<'_>) -> Option<Turn> {
        let first = *self.ready.iter().find(|(.., who)| view.free() || view.floor.allowed(*who, slot))?;
        self.ready.remove(&first);
        let who = first.2;
        self.turns.begin(slot, who);
        Some(Turn { who, slice: Slice::For(self.accounts.of(who).slice) })
    }

    fn withdraw(&mut self, who: Who, _: &View<'_>) -> bool {
        self.ready.retain(|(.., other)| *other != who);
        let account = self.accounts.of(who);
        if self.settings.reset_on_io {
            *account = account.fresh(account.level, &self.settings.levels);
        }
        true
    }

    fn is_next(&mut self, who: Who, _: Slot, _: &View<'_>) {
        let entry = self.ready.iter().find(|(.., other)| *other == who).copied();
        if let Some(entry) = entry {
            self.ready.remove(&entry);
            self.head -= 1;
            self.accounts.of(who).place = self.head;
            self.ready.insert((entry.0, self.head, who));
        }
    }

    fn tells(&mut self, who: Who, _: &View<'_>) -> String {
        let Account { level, slice, .. } = *self.accounts.of(who);
        format!("level {level}, {} of its slice left", slice.readable())
    }

    fn tells_alarm(&self) -> &'static str {
        "a boost: all are at the top level again"
    }

    fn waiting(&self) -> usize {
        self.ready.len()
    }

    fn left(&mut self, who: Who, slot: Slot, ran: Span, exit: Exit, _: &View<'_>) {
        let ran = self.turns.end(slot, ran);
        let levels = &self.settings.levels;
        let account = self.accounts.of(who);
        let left = account.slice.saturating_sub(ran);
        account.slice = left;
        if exit == Exit::Blocked && self.settings.reset_on_io {
            *account = account.fresh(account.level, levels);
        }
        if left.is_zero() {
            *account = account.charge(levels);
        }
    }

    fn traits(&self) -> Traits {
        Traits { preemptive: true, has_alarms: self.settings.boost.is_some(), ..Traits::default() }
    }

    /// Whoever comes before one who runs in the order of the queue takes the slot of the last of those.
    fn displaces(&mut self, who: Who, view: &View<'_>) -> Option<Slot> {
        let account = *self.accounts.of(who);
        let allowed = self.running().filter(|(.., slot)| view.free() || view.floor.allowed(who, *slot));
        let (level, place, slot) = allowed.max()?;
        ((account.level, account.place) < (level, place)).then_some(slot)
    }

    /// The next boost. While nobody is ready or runs there is nothing to do that cannot be done afterwards.
    fn alarm(&self) -> Time {
        match self.settings.boost {
            Some(boost) if !self.idle() => Time::ZERO + boost * (self.boosts + 1),
            _ => Time::NEVER,
        }
    }

    fn ring(&mut self, again: &mut Vec<Who>, view: &View<'_>) {
        self.boosts = self.boosts_until(view.now);
        let boosts = self.boosts;
        self.turns.account(view, |_, _| ());
        self.line_up();
        let everybody: Vec<Who> =
            self.ready.iter().map(|(.., who)| *who).chain(self.turns.running().map(|(_, who)| who)).collect();
        for who in everybody {
            let account = self.accounts.of(who);
            *account = Account { boosts, ..account.fresh(0, &self.settings.levels) };
        }
        // Some may now come before somebody who runs.
        again.extend(self.ready.iter().map(|(.., who)| *who));
    }

    fn anew(&mut self, slot: Slot, _: &View<'_>) -> Option<Slice> {
        let (_, who) = self.turns.running().find(|(other, _)| *other == slot)?;
        Some(Slice::For(self.accounts.of(who).slice))
    }
}
