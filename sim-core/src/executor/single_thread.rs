//! An event loop: one thread, tasks that are ready run in the order in which they became so, and each runs until it
//! gives up control.
//!
//! Rules, those of tokio's current-thread runtime:
//!
//! - Tasks woken or spawned by the running task go to the tail of the queue at once. What happens outside (timers,
//!   served requests, arrivals, what other processes do) is noticed only when the loop looks at its *driver*: when the
//!   queue is empty, or after `event-interval` polls in a row. What it notices then is queued in the order in which it
//!   happened.
//! - With `global-interval` what comes from another thread (arrivals, what other processes and devices that are threads do) waits
//!   in a queue of its own instead, which the loop sees without looking at the driver: one is taken from it whenever
//!   nobody else is ready, and at every so many-th poll before all others.
//! - A task that yields is put back when the loop has looked at the driver, behind what it noticed; of several that
//!   yielded, the last one first (`yield = "deferred"`). With `yield = "tail"` it goes to the tail of the queue at once, as in most
//!   other loops, asyncio's among them.
//! - Who is notified by Hoare's rule is the next that the loop takes.
//! - A task that has passed `budget` points in one poll at which it might have had to wait for another task (a lock, a
//!   join), and did not have to, yields at the next one. 0 is no limit.
//! - With `timer = "1ms"` sleeps end at whole milliseconds after the start of the run, rounded up. With
//!   `timed-devices` so do requests, for runtimes whose devices are made of timers. The default is exact. With
//!   `park = "whole-steps"` an idle loop learns of them later still; see `timers.rs`.
//! - With `event-interval = "round"` it looks when all have had their turn that were ready when it looked last, and the rules are
//!   those of asyncio: see `rounds.rs`. Who yields then goes to the tail, and there is no `budget`, unless the file says so.
//! - With `gil` its thread needs an [interpreter lock](super::interpreter_lock) to run, which the pools of the process share: it
//!   has the lock from when it wakes until it has nothing left to do, or a task blocks the thread. (A loop of CPython also gives
//!   it up for a moment at each look, and mostly has it back before anybody who waits could take it; not simulated.)
//! - With `policy` the queue is that policy of the kernel floor, whose slices never end.
//!
//! Sources: the module documentation of `tokio::runtime` and of `tokio::task::coop`; "Reducing tail latencies with
//! automatic cooperative task yielding", the tokio blog, April 2020. Cost: constant per operation.
//!
//! ```text
//! A 1ms, yield, 1ms; B likewise: both have yielded when the loop looks, and the last one is put back first
//! cpu 0 |ABBA|
//! ```

use std::collections::VecDeque;
use std::sync::Arc;

use super::queue::{orders_by_ready, waits_by_watch};
use super::rounds::Rounds;
use super::timers::{self, Timers, Watch};
use super::{Executor, Kind, Looks, Queue, RunQueue, Setup, Threads, WokenBy, chosen, interpreter_lock, parameters};
use crate::document::{self, Spot, Table};
use crate::parameter::Parameter;
use crate::policy::{Policy, Slice, Slot, Turn, View, Who, Why};
use crate::time::Time;

/// The entry on the shelf.
pub(super) static KIND: Kind = Kind {
    name: "async",
    summary: "an event loop on one thread; tasks switch at io, sleep, yield and contended locks",
    parameters: &[
        Parameter {
            values: "a whole number, `\"round\"`",
            meaning: "after so many polls in a row, or all who were ready when it looked last, the loop looks at timers and served \
                      requests",
            ..parameters::EVENT_INTERVAL
        },
        Parameter::new(
            "global-interval",
            "a whole number",
            "no common queue",
            "every so many polls the loop looks first into the common queue, in which tasks arrive",
        ),
        Parameter { default: "`\"deferred\"`, by rounds `\"tail\"`", ..parameters::YIELD },
        Parameter { default: "`128`, by rounds `0`", ..parameters::BUDGET },
        parameters::TIMER,
        parameters::EPOCH,
        parameters::PARK_OF_LOOP,
        parameters::TIMED_DEVICES,
        Parameter::new(
            "policy",
            "a policy, with its parameters beside it",
            "first come, first served",
            "in which order ready tasks get a thread",
        ),
        interpreter_lock::INTERVAL,
        interpreter_lock::REQUEST,
        interpreter_lock::ASKER,
    ],
    threads: Threads::Main,
    keeps_thread: false,
    elsewhere: None,
    in_python: true,
    read,
};

/// How many polls tokio makes before it looks at the driver.
pub(super) const EVENT_INTERVAL: u32 = 61;

/// How many points a poll of tokio may pass at which it might have had to wait.
pub(super) const BUDGET: u32 = 128;

fn read(table: &mut Table<'_>, executor: &mut Executor) {
    let pace = read_pace(table);
    let global_interval = table.item("global-interval");
    if let Some(item) = global_interval.filter(|item| pace == Pace::Round && item.spot() != Spot::WHOLE) {
        item.wrong("`global-interval` counts polls, and a loop that goes by rounds does not", "leave one of both out");
    }
    let global_interval = global_interval.and_then(|item| item.count(1..=u32::MAX)).filter(|_| pace != Pace::Round);
    let defers = read_yield(table, executor, pace != Pace::Round);
    budget(table, executor, if pace == Pace::Round { 0 } else { BUDGET });
    timers::read(table, executor, timers::BY_ANY);
    interpreter_lock::read(table, executor);
    match pace {
        Pace::Polls(polls) => executor.event_interval = Some(polls),
        Pace::Round => {
            executor.rounds = true;
            executor.own_rules.push("event-interval");
        }
    }
    let timers = executor.timers;
    executor.queue = Arc::new(Loop { order: chosen::read(table), pace, global_interval, defers, timers });
    if table.key_spot("policy").is_some() {
        executor.own_rules.push("policy");
    }
}

/// Reads `yield`: is a task that yields put back only when somebody has looked at the driver?
pub(super) fn read_yield(table: &mut Table<'_>, executor: &mut Executor, default: bool) -> bool {
    let defers = table.one_of("yield", &["deferred", "tail"]).map_or(default, |place| place == 0);
    if !defers {
        executor.own_rules.push("yield");
    }
    defers
}

/// Reads `budget`: how many points a poll may pass at which it might have had to wait.
pub(super) fn budget(table: &mut Table<'_>, executor: &mut Executor, default: u32) {
    let budget = table.integer("budget", 0..=i64::from(u32::MAX)).and_then(|budget| u32::try_from(budget).ok());
    executor.budget = Some(budget.unwrap_or(default)).filter(|budget| *budget > 0);
    if executor.budget != Some(BUDGET) {
        executor.own_rules.push("budget");
    }
}

/// When a loop looks at its driver.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Pace {
    /// After so many polls in a row.
    Polls(u32),
    /// When all who were ready at the last look have had their turn.
    Round,
}

fn read_pace(table: &mut Table<'_>) -> Pace {
    let Some(item) = table.item("event-interval") else { return Pace::Polls(EVENT_INTERVAL) };
    match item.kind() {
        document::Kind::Text(_) if item.one_of(&["round"]).is_some() => Pace::Round,
        document::Kind::Text(_) => Pace::Polls(EVENT_INTERVAL),
        _ => Pace::Polls(item.count(1..=u32::MAX).unwrap_or(EVENT_INTERVAL)),
    }
}

#[derive(Debug)]
struct Loop {
    order: Arc<dyn Queue>,
    pace: Pace,
    global_interval: Option<u32>,
    defers: bool,
    timers: Timers,
}

impl Queue for Loop {
    fn build(&self, setup: &Setup) -> Box<dyn RunQueue> {
        let (ready, watch) = (self.order.build(setup), Watch::new(self.timers));
        let Pace::Polls(event_interval) = self.pace else { return Box::new(Rounds::new(ready, self.defers, watch)) };
        Box::new(EventLoop {
            ready,
            events: VecDeque::new(),
            yielded: Vec::new(),
            polls: 0,
            event_interval,
            common: VecDeque::new(),
            global_interval: self.global_interval,
            ticks: 0,
            defers: self.defers,
            handed: false,
            watch,
            looks: Looks::default(),
        })
    }

    fn attributes(&self) -> &'static [&'static str] {
        self.order.attributes()
    }
}

struct EventLoop {
    ready: Box<dyn RunQueue>,
    /// Who could go on because of something outside, of which the loop does not know yet; with the reasons.
    events: VecDeque<(Who, Why)>,
    /// Who has yielded since the loop looked at the driver.
    yielded: Vec<(Who, Why)>,
    /// How many polls ago that was.
    polls: u32,
    event_interval: u32,
    /// Who comes from another thread, if they have a queue of their own; with the reasons.
    common: VecDeque<(Who, Why)>,
    global_interval: Option<u32>,
    /// How many polls there have been.
    ticks: u32,
    defers: bool,
    /// Was the turn handed to somebody who is ready?
    handed: bool,
    /// How the loop waits for timers.
    watch: Watch,
    /// What it has done since somebody asked.
    looks: Looks,
}

impl EventLoop {
    fn look_at_driver(&mut self, view: &View<'_>) {
        self.polls = 0;
        self.looks.looks += 1;
        self.watch.looks(view.now);
        for (who, why) in self.events.drain(..).chain(self.yielded.drain(..).rev()) {
            self.ready.ready(who, why, view);
        }
    }
}

impl EventLoop {
    /// Somebody comes from another thread.
    fn comes(&mut self, who: Who, why: Why) {
        if self.global_interval.is_some() { &mut self.common } else { &mut self.events }.push_back((who, why));
    }

    /// Who is next without a look at the driver: the own queue, or whoever comes from another thread.
    fn next(&mut self, slot: Slot, view: &View<'_>) -> Option<Turn> {
        let handed = std::mem::take(&mut self.handed);
        let due = !handed && self.global_interval.is_some_and(|interval| self.ticks.is_multiple_of(interval));
        if (due || self.ready.waiting() == 0)
            && let Some((who, why)) = self.common.pop_front()
        {
            if self.ready.waiting() > 0 {
                return Some(Turn { who, slice: Slice::Endless });
            }
            self.ready.ready(who, why, view);
        }
        self.ready.pick(slot, view)
    }
}

impl RunQueue for EventLoop {
    fn woken(&mut self, who: Who, by: WokenBy, view: &View<'_>) {
        match by {
            WokenBy::Worker(_) => self.ready.woken(who, by, view),
            WokenBy::Timer => self.events.push_back((who, Why::Woken)),
            WokenBy::Outside => self.comes(who, Why::Woken),
        }
    }

    fn timer_is_set(&mut self, _: Who, ring: Time, just_now: bool, view: &View<'_>) {
        self.watch.is_set(ring, just_now.then_some(view.now));
    }

    fn misses(&mut self, who: Who, now: Time) -> Option<Time> {
        let noticed = self.watch.misses(now)?;
        self.events.push_back((who, Why::Woken));
        Some(noticed)
    }

    fn timer_is_cancelled(&mut self, _: Who, ring: Time) {
        self.watch.is_cancelled(ring);
    }

    fn is_about_to_look(&self, _: Slot) -> bool {
        self.polls >= self.event_interval || self.ready.waiting() + self.common.len() == 0
    }

    waits_by_watch!();
}

impl Policy for EventLoop {
    fn ready(&mut self, who: Who, why: Why, view: &View<'_>) {
        match why {
            Why::Arrived => self.comes(who, why),
            Why::Yielded(_) if self.defers => self.yielded.push((who, why)),
            _ => self.ready.ready(who, why, view),
        }
    }

    fn pick(&mut self, slot: Slot, view: &View<'_>) -> Option<Turn> {
        if self.polls >= self.event_interval {
            self.look_at_driver(view);
        }
        self.ticks = self.ticks.wrapping_add(1);
        let mut turn = self.next(slot, view);
        if turn.is_none() {
            self.look_at_driver(view);
            turn = self.ready.pick(slot, view);
        }
        self.polls += 1;
        if turn.is_none() {
            self.looks = Looks::default();
            self.watch.begins(view.now);
        }
        turn
    }

    fn is_next(&mut self, who: Who, slot: Slot, view: &View<'_>) {
        self.ready.is_next(who, slot, view);
        self.handed = true;
    }

    fn waiting(&self) -> usize {
        self.ready.waiting() + self.common.len() + self.events.len() + self.yielded.len()
    }

    orders_by_ready!();
}
