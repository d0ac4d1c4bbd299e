//! The completely fair scheduler in its classic form: everybody gets the same share of the processor, by weight.
//!
//! Rule: a thread's virtual runtime is its service divided by its weight, which its `nice` gives (1024 at 0, a quarter
//! more for each step less). The ready thread with the least runs; ties in the order of becoming ready. Its slice is
//! its share by weight of a period in which everybody runs once: `latency`, or `base-slice` times the number of
//! threads if that is longer; never less than `base-slice` (which was `min-granularity` before Linux 6.6; both names are
//! read). With a `tick` the end of a slice is noticed at the next multiple of it, as the kernel's timer does. A thread
//! that wakes is placed no further back than half a `latency` before the least virtual runtime of those who want to
//! run, so that sleeping earns a little and not everything; a new one at that least. Who arrives or wakes takes the
//! processor from the one with the most virtual runtime if it has less by more than `wakeup-granularity` (in virtual
//! time of the newcomer).
//!
//! Source: the published rules of Linux 2.6.24 to 6.5 (Documentation/scheduler/sched-design-CFS; Molnár 2007). Where we
//! depart: one queue serves all processors, so shares of a period are shares of all of them; without a `tick`
//! slices end exactly; new threads are not put one slice later, so that those who arrive together run in their order;
//! and a thread that yields is put behind the first of the queue. Defaults are those of one processor.
//! Cost: logarithmic in the number of ready threads while no affinity is set; linear in the number of processors when
//! somebody arrives or wakes.
//!
//! ```toml
//! scheduler = { policy = "cfs", latency = "4ms", base-slice = "1ms", wakeup-granularity = "1ms" }
//! task = [
//!     { name = "A", program = [{ cpu = "9ms" }] },
//!     { name = "B", program = [{ cpu = "1ms" }, { sleep = "4ms" }, { cpu = "1ms" }] },
//! ]
//! ```
//! ```text
//! cpu 0 |AABAAAABAAA|
//! ```

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::sync::Arc;

use super::book::{PerWho, Turns, signed};
use super::nice::{UNIT, weight};
use super::on_linux::{Class, Counterpart, Realised};
use super::tick::Tick;
use super::{Exit, Kind, Policy, Settings, Setup, Slice, Slot, Theory, Traits, Turn, View, Who, Why};
use crate::document::Table;
use crate::parameter::Parameter;
use crate::time::Span;

/// The entry on the shelf.
pub(super) static KIND: Kind = Kind {
    name: "cfs",
    summary: "fair by the weight of nice: the least virtual runtime next, slices are shares of a latency",
    parameters: &[
        Parameter::new("latency", "a duration", "`\"6ms\"`", "the period in which everybody runs once"),
        Parameter::new("base-slice", "a duration", "`\"750us\"`", "the shortest slice; `min-granularity` is the same"),
        Parameter::new(
            "wakeup-granularity",
            "a duration",
            "`\"1ms\"`",
            "by how much virtual time a newcomer must be behind to take the processor",
        ),
        Parameter::new(
            "tick",
            "a duration",
            "that of `[machine]`, else `\"0ms\"`",
            "the end of a slice is noticed when it comes; zero: exactly",
        ),
    ],
    attributes: &["nice", "weight"],
    theory: Theory::None,
    on_linux: Some("SCHED_OTHER, nearly: fair by deadlines (EEVDF) since Linux 6.6"),
    read: |table| Arc::new(Fair::read(table)),
};

#[derive(Clone, Copy, Debug)]
struct Fair {
    latency: Span,
    base_slice: Span,
    wakeup_granularity: Span,
    /// Zero if slices end exactly; that of the machine if it is not set.
    tick: Option<Span>,
}

impl Fair {
    fn read(table: &mut Table<'_>) -> Fair {
        let former = table.positive_span("min-granularity");
        Fair {
            latency: table.positive_span("latency").unwrap_or(Span::from_ms(6)),
            base_slice: former.or(table.positive_span("base-slice")).unwrap_or(Span::from_us(750)),
            wakeup_granularity: table.span("wakeup-granularity").unwrap_or(Span::from_ms(1)),
            tick: table.span("tick"),
        }
    }
}

impl Settings for Fair {
    fn quanta(&self) -> Vec<(String, Span)> {
        vec![("base-slice".to_owned(), self.base_slice)]
    }

    fn label(&self) -> String {
        let Fair { latency, base_slice, wakeup_granularity, tick } = self;
        let tick = tick.filter(|tick| !tick.is_zero()).map_or_else(String::new, |tick| format!(", tick {tick}"));
        format!("latency {latency}, base slice {base_slice}, wake-up {wakeup_granularity}{tick}")
    }

    fn on_linux(&self) -> Counterpart {
        let differs = "is fair by deadlines (EEVDF) since Linux 6.6, in slices of its own";
        Counterpart::exact(Class::Other).but(Realised::Approximated, differs)
    }

    fn ticks(&self, machine: Option<Span>) -> Option<Span> {
        self.tick.or(machine).filter(|tick| !tick.is_zero())
    }

    fn build(&self, setup: &Setup) -> Box<dyn Policy> {
        Box::new(Queue {
            settings: *self,
            tick: Tick { period: self.ticks(setup.tick).unwrap_or(Span::ZERO), phase: setup.tick_phase },
            ready: BTreeSet::new(),
            turns: Turns::new(setup.slots),
            threads: PerWho::default(),
            least: 0,
            weight: 0,
            stamp: 0,
        })
    }
}

/// Virtual time: 2^32 to a nanosecond of service at nice 0, so that roundings stay far below what matters.
type Virtual = i128;

fn virtual_time(ran: Span, weight: u64) -> Virtual {
    (i128::from(ran.ns()) << 32) * i128::from(UNIT) / i128::from(weight)
}

struct Queue {
    settings: Fair,
    tick: Tick,
    /// By virtual runtime, then by running number.
    ready: BTreeSet<(Virtual, u64, Who)>,
    turns: Turns,
    threads: PerWho<Thread>,
    /// The least virtual runtime of those who want to run. It never goes back.
    least: Virtual,
    /// Of all who are ready or run.
    weight: u64,
    stamp: u64,
}

#[derive(Clone, Copy)]
struct Thread {
    runtime: Virtual,
    weight: u64,
    stamp: u64,
    /// It has just arrived or woken: it may take the processor from somebody.
    fresh: bool,
}

impl Default for Thread {
    fn default() -> Thread {
        Thread { runtime: 0, weight: u64::from(UNIT), stamp: 0, fresh: false }
    }
}

impl Queue {
    /// Brings the virtual runtimes of those who run up to now, and the least of all, to which one who leaves still counts.
    fn account(&mut self, leaving: Option<Virtual>, view: &View<'_>) {
        let threads = &mut self.threads;
        self.turns.account(view, |who, ran| {
            let thread = threads.of(who);
            thread.runtime += virtual_time(ran, thread.weight);
        });
        let running = self.turns.running().map(|(_, who)| threads.of(who).runtime);
        let least = running.chain(leaving).chain(self.ready.first().map(|first| first.0)).min();
        self.least = self.least.max(least.unwrap_or(self.least));
    }

    /// The thread's share of the period in which everybody runs once; with a tick, up to the first one after that.
    fn slice(&self, thread: &Thread, view: &View<'_>) -> Slice {
        let Fair { latency, base_slice, .. } = self.settings;
        let slots = view.floor.slots() as u64;
        let wanting = (self.ready.len() + self.turns.count()) as u64;
        let period = latency.max(base_slice * wanting.div_ceil(slots)).ns();
        let share = u128::from(period) * u128::from(thread.weight * slots) / u128::from(self.weight.max(1));
        let share = Span::from_ns(u64::try_from(share).unwrap_or(period).min(period)).max(base_slice);
        let Tick { period: tick, phase } = self.tick;
        if tick.is_zero() { Slice::For(share) } else { Slice::Ticks { length: share, tick, phase } }
    }

    /// Who does not want to run any more counts for the last time.
    fn leaves(&mut self, who: Who, view: &View<'_>) {
        let thread = self.threads.of(who);
        self.weight -= thread.weight;
        let leaving = Some(thread.runtime);
        self.account(leaving, view);
    }

    /// Who wants to run again or for the first time is placed.
    fn place(&mut self, who: Who, why: Why, view: &View<'_>) {
        self.account(None, view);
        let least = self.least;
        let half = (i128::from(self.settings.latency.ns()) << 32) / 2;
        let thread = self.threads.of(who);
        thread.runtime = if why == Why::Woken { thread.runtime.max(least - half) } else { least };
        thread.weight = u64::from(weight(view.floor.attributes(who).nice));
        self.weight += thread.weight;
    }
}

impl Policy for Queue {
    fn ready(&mut self, who: Who, why: Why, view: &View<'_>) {
        let fresh = matches!(why, Why::Arrived | Why::Spawned(_) | Why::Woken);
        if fresh {
            self.place(who, why, view);
        }
        self.stamp += 1;
        let first = self.ready.first().map(|first| first.0);
        let thread = self.threads.of(who);
        if let (Why::Yielded(_), Some(first)) = (why, first) {
            thread.runtime = thread.runtime.max(first);
        }
        (thread.stamp, thread.fresh) = (self.stamp, fresh);
        self.ready.insert((thread.runtime, thread.stamp, who));
    }

    fn pick(&mut self, slot: Slot, view: &View<'_>) -> Option<Turn> {
        let first = *self.ready.iter().find(|(.., who)| view.free() || view.floor.allowed(*who, slot))?;
        self.ready.remove(&first);
        let who = first.2;
        self.turns.begin(slot, who);
        let thread = *self.threads.of(who);
        Some(Turn { who, slice: self.slice(&thread, view) })
    }

    fn withdraw(&mut self, who: Who, view: &View<'_>) -> bool {
        self.ready.retain(|(.., other)| *other != who);
        self.leaves(who, view);
        true
    }

    fn tells(&mut self, who: Who, _: &View<'_>) -> String {
        let runtime = self.threads.of(who).runtime >> 32;
        format!("virtual runtime {}", signed(runtime))
    }

    fn waiting(&self) -> usize {
        self.ready.len()
    }

    fn left(&mut self, who: Who, slot: Slot, ran: Span, exit: Exit, view: &View<'_>) {
        let ran = self.turns.end(slot, ran);
        let thread = self.threads.of(who);
        thread.runtime += virtual_time(ran, thread.weight);
        if exit != Exit::Ready {
            self.leaves(who, view);
        }
    }

    fn traits(&self) -> Traits {
        Traits { preemptive: true, by_shares: true, ..Traits::default() }
    }

    fn displaces(&mut self, who: Who, view: &View<'_>) -> Option<Slot> {
        let newcomer = *self.threads.of(who);
        if !newcomer.fresh {
            return None;
        }
        self.account(None, view);
        let allowed = self.turns.running().filter(|(slot, _)| view.free() || view.floor.allowed(who, *slot));
        let place = |(slot, other)| {
            let thread = self.threads.of(other);
            (thread.runtime, thread.stamp, Reverse(slot))
        };
        let (runtime, _, Reverse(slot)) = allowed.map(place).max()?;
        let granularity = virtual_time(self.settings.wakeup_granularity, newcomer.weight);
        (runtime - newcomer.runtime > granularity).then_some(slot)
    }
}
