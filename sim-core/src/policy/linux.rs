//! The scheduler of Linux: its classes one above the other, on a queue per processor.
//!
//! Rule: a task is in the `class` that it names, `other` if it names none. Any thread in `deadline` goes before any in
//! `fifo` or `round-robin`, and these before all others; on each processor the most urgent of those queued there runs.
//!
//! - `deadline`: the earliest deadline first, each with a budget (`server`) that is given out anew every period. Who has
//!   used it up waits for the next one.
//! - `fifo`, `round-robin`: by `rt-priority`, first come, first served within one; `round-robin` in slices of `rr-slice`,
//!   which are counted in ticks and outlast being put off. Who is put off goes to the head of its priority.
//! - `other`, `batch`, `idle`: see [`FairQueue`](super::fair_queue::FairQueue); where there are groups, these share first.
//!   `batch` takes the processor from nobody when it wakes; `idle` weighs
//!   next to nothing, and others take the processor from it.
//!
//! Who holds a lock is lent the class of those who wait for it, as far as the `protocol` of the lock says so; that of
//! `deadline` without a budget, and before all others. A worker of a runtime is in the class of the task that it carries
//! when it is queued.
//!
//! *Where a thread is queued.* One that wakes goes where it ran last. If that is busy, one of the two upper kinds looks for
//! the processor with the least urgent work, if that is less urgent than itself; all others for one that is idle, with
//! `placement = "kernel"`, while with `"packed"` they stay, as in guests whose kernel packs virtual processors, or do so with
//! the probability `packing`. Threads that arrive count as having been on one processor after the other before; where those
//! go that are spawned, `newcomers.rs` says.
//!
//! *Who moves.* A processor that has nothing more urgent to do takes the first thread of an upper class that waits at
//! another. One that falls idle takes an ordinary thread from the fullest queue, the one that ran longest ago: at once with
//! the probability `idle-pull`, else shortly after a tick, when the timer of a busy processor looks for idle ones: at each
//! tick with the probability `tick-pull`, and for certain where several wait at a processor. So it does for threads that came to wait behind a busy processor while another is
//! idle.
//!
//! Source: kernel/sched/{core,deadline,rt,fair}.c of Linux 6.18; where the packed placement, the probabilities and the delay
//! come from was recorded on guests of two virtual processors. Where we depart: groups share by what they have had for their
//! weight (see `grouped`) and not by deadlines, no throttling of real-time
//! threads, no balancing but that said above, processors alike. Cost: linear in the number of processors.
//!
//! ```toml
//! scheduler = { policy = "linux", base-slice = "2ms", tick = "1ms" }
//! task = [
//!     { name = "A", program = [{ cpu = "5ms" }] },
//!     { name = "B", program = [{ cpu = "3ms" }] },
//!     { name = "C", class = "fifo", rt-priority = 10, arrival = "3ms", program = [{ cpu = "2ms" }] },
//! ]
//! ```
//! ```text
//! cpu 0 |AABCCBAABA|
//! ```

mod balance;
mod cpu;
mod deadlines;
mod fair;
mod newcomers;
mod real_time;

use std::cmp::Reverse;
use std::sync::Arc;

use self::cpu::{Cpu, Thread};
use self::fair::Fair;
use super::book::PerWho;
use super::eevdf::TICK;
use super::grouped::{Division, Weights};
use super::on_linux::{Class, Counterpart, Realised, base_slice};
use super::tick::Tick;
use super::{
    Attributes, Exit, Kind, Policy, Queueing, SchedulingClass, Settings, Setup, Slot, Theory, Traits, Turn, View, Who,
    Why,
};
use crate::document::Table;
use crate::parameter::Parameter;
use crate::rng::{Stream, StreamName};
use crate::time::{Span, Time};

/// The entry on the shelf.
pub(super) static KIND: Kind = Kind {
    name: "linux",
    summary: "the classes of Linux one above the other, on a queue per processor",
    parameters: &[
        Parameter::new("base-slice", "a duration", "that of the kernel", "what a task asks for at a time"),
        Parameter::new("tick", "a duration", "`\"4ms\"`", "when ends of slices are noticed; zero: at once"),
        Parameter::new("rr-slice", "a duration", "`\"100ms\"`", "how long a slice of the class `round-robin` is"),
        Parameter::new(
            "placement",
            "`\"kernel\"`, `\"packed\"`",
            "`\"kernel\"`",
            "does an ordinary thread that wakes look for an idle processor if its own is busy?",
        ),
        Parameter::new("packing", "a probability", "`1`", "with `packed`, how often it does not look for one"),
        Parameter::new(
            "idle-pull",
            "a probability",
            "`1`",
            "how often a processor that falls idle takes somebody at once, and not only after a tick",
        ),
        Parameter::new(
            "tick-pull",
            "a probability",
            "`0.5`",
            "how often a tick at which somebody waits while a processor is idle leads to that",
        ),
    ],
    attributes: &["weight", "class", "rt-priority", "nice", "slice", "server"],
    theory: Theory::None,
    on_linux: Some("Linux's scheduler: SCHED_OTHER, or the class of each task"),
    read: |table| Arc::new(Linux::read(table)),
};

#[derive(Clone, Debug)]
struct Linux {
    base_slice: Option<Span>,
    tick: Option<Span>,
    quantum: Span,
    /// Does an ordinary thread stay where it was, busy or not?
    packed: bool,
    /// How often it does so, if it does at all.
    packing: f64,
    idle_pull: f64,
    tick_pull: f64,
    groups: Weights,
}

impl Linux {
    fn read(table: &mut Table<'_>) -> Linux {
        Linux {
            base_slice: table.positive_span("base-slice"),
            tick: table.span("tick"),
            quantum: table.positive_span("rr-slice").unwrap_or(QUANTUM),
            packed: table.one_of("placement", &PLACEMENTS) == Some(1),
            packing: table.item("packing").and_then(|item| item.probability(MOSTLY)).unwrap_or(1.0),
            idle_pull: table.item("idle-pull").and_then(|item| item.probability(MOSTLY)).unwrap_or(1.0),
            tick_pull: table.item("tick-pull").and_then(|item| item.probability(MOSTLY)).unwrap_or(TICK_PULL),
            groups: Weights::default(),
        }
    }
}

impl Settings for Linux {
    fn quanta(&self) -> Vec<(String, Span)> {
        self.base_slice.iter().map(|slice| ("base-slice".to_owned(), *slice)).collect()
    }

    fn label(&self) -> String {
        let mut parts = Vec::new();
        parts.extend(self.base_slice.map(|slice| format!("base slice {slice}")));
        parts.extend(self.tick.map(|tick| if tick.is_zero() { "no tick".to_owned() } else { format!("tick {tick}") }));
        parts.extend((self.quantum != QUANTUM).then(|| format!("rr slice {}", self.quantum)));
        parts.extend(self.packed.then(|| "packed".to_owned()));
        parts.extend((self.packing < 1.0).then(|| format!("packing {}", self.packing)));
        parts.extend((self.idle_pull < 1.0).then(|| format!("idle pull {}", self.idle_pull)));
        parts.extend((self.tick_pull != TICK_PULL).then(|| format!("tick pull {}", self.tick_pull)));
        parts.join(", ")
    }

    fn queueing(&self) -> Queueing {
        Queueing::Apart { balanced: None }
    }

    fn grouped(&self, groups: &Weights) -> Option<Arc<dyn Settings>> {
        Some(Arc::new(Linux { groups: Arc::clone(groups), ..self.clone() }))
    }

    fn on_linux(&self) -> Counterpart {
        let counterpart = Counterpart { slice: self.base_slice, ..Counterpart::exact(Class::Named) };
        let counterpart = counterpart.on_ticks(self.tick);
        if self.quantum == QUANTUM {
            return counterpart;
        }
        counterpart.but(Realised::Approximated, "has slices of its own where that is SCHED_RR")
    }

    fn leaves_to_chance(&self, processors: usize) -> bool {
        let open = |probability: f64| 0.0 < probability && probability < 1.0;
        let at_ticks = open(self.tick_pull) && self.tick.is_none_or(|tick| !tick.is_zero());
        processors > 1 && (self.packed && open(self.packing) || open(self.idle_pull) || at_ticks)
    }

    fn ticks(&self, machine: Option<Span>) -> Option<Span> {
        Some(self.tick.or(machine).unwrap_or(TICK)).filter(|tick| !tick.is_zero())
    }

    fn build(&self, setup: &Setup) -> Box<dyn Policy> {
        let tick = Tick { period: self.ticks(setup.tick).unwrap_or(Span::ZERO), phase: setup.tick_phase };
        let division = Arc::new(Division::new(&self.groups, setup.slots));
        let fair = |slot| Fair::new(slot, tick, &self.groups, &division);
        let cpu = |slot| Cpu::new(tick, self.quantum, fair(slot));
        Box::new(Queues {
            settings: self.clone(),
            base_slice: self.base_slice.unwrap_or(base_slice(setup.processors)),
            tick,
            cpus: (0..u32::try_from(setup.slots).unwrap_or(u32::MAX)).map(|slot| cpu(Slot(slot))).collect(),
            threads: PerWho::default(),
            waiting: 0,
            arrived: 0,
            chance: StreamName::new(setup.machine_seed).word("scheduler").word("linux").stream(),
        })
    }
}

/// What decides first: the larger, the more urgent.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Debug)]
enum Rank {
    #[default]
    Fair,
    RealTime(u8),
    Deadline(Reverse<Time>),
}

impl Rank {
    /// Of one who is lent the urgency of the class `deadline`: as if it had to end before all, and until it gives that back.
    const LENT: Rank = Rank::Deadline(Reverse(Time::ZERO));
}

/// What a probability of these parameters can be.
const MOSTLY: &str = "1 is at once, always; 0.97 is mostly";

struct Queues {
    settings: Linux,
    base_slice: Span,
    tick: Tick,
    cpus: Vec<Cpu>,
    threads: PerWho<Thread>,
    waiting: usize,
    /// How many have arrived.
    arrived: usize,
    chance: Stream,
}

/// Where an ordinary thread that wakes goes, by name.
pub(super) const PLACEMENTS: [&str; 2] = ["kernel", "packed"];

/// How long slices of the class `round-robin` are, unless somebody changes it.
const QUANTUM: Span = Span::from_ms(100);

/// How often a tick moves somebody who waits beside an idle processor, unless the file says otherwise.
const TICK_PULL: f64 = 0.5;

impl Queues {
    fn cpu(&mut self, slot: Slot) -> &mut Cpu {
        &mut self.cpus[slot.0 as usize]
    }

    fn slots(&self) -> impl Iterator<Item = Slot> + use<> {
        (0..u32::try_from(self.cpus.len()).unwrap_or(u32::MAX)).map(Slot)
    }

    /// The rank of somebody, its own or what it is lent.
    fn rank(&mut self, who: Who, view: &View<'_>) -> Rank {
        let claim = view.floor.claim(who);
        let Thread { rank, reservation, .. } = *self.threads.of(who);
        let own = match claim.attributes.class {
            // A worker may have come to carry a task of that class since it was queued.
            SchedulingClass::Deadline if reservation.deadline == Time::ZERO => rank,
            SchedulingClass::Deadline => Rank::Deadline(Reverse(reservation.deadline)),
            _ => rank_of(claim.attributes),
        };
        claim.lent.map_or(own, |lent| own.max(rank_of(lent.attributes)))
    }

    /// The rank of whoever runs there.
    fn rank_there(&mut self, slot: Slot, view: &View<'_>) -> Option<Rank> {
        let who = self.cpu(slot).running()?;
        Some(self.rank(who, view))
    }

    /// Where somebody who has arrived or wakes is queued.
    fn place(&mut self, who: Who, rank: Rank, why: Why, view: &View<'_>) -> Slot {
        let may = |slot: &Slot| view.free() || view.floor.may_live(who, *slot);
        let allowed: Vec<Slot> = self.slots().filter(may).collect();
        let first = allowed.first().copied().unwrap_or(Slot(0));
        let idle = |queues: &Queues, slot: Slot| queues.cpus[slot.0 as usize].is_idle();
        let home = match self.threads.of(who).home {
            Some(home) => home,
            None => {
                if let (Why::Spawned(maker), Rank::Fair) = (why, rank) {
                    return self.place_newcomer(maker, &allowed, view.now);
                }
                self.arrived += 1;
                Slot(u32::try_from((self.arrived - 1) % self.cpus.len()).unwrap_or(0))
            }
        };
        let home = if may(&home) { home } else { first };
        if rank > Rank::Fair {
            let there = self.cpu(home).first_rank().max(self.rank_there(home, view));
            if there < Some(rank) {
                return home;
            }
            return self.least_urgent(rank, &allowed, view).unwrap_or(home);
        }
        let stays = idle(self, home) || self.cpu(home).fair.is_delayed(who) || self.packs();
        if stays { home } else { allowed.into_iter().find(|slot| idle(self, *slot)).unwrap_or(home) }
    }

    /// Does an ordinary thread that wakes stay at its busy processor?
    fn packs(&mut self) -> bool {
        let Linux { packed, packing, .. } = &self.settings;
        *packed && (*packing >= 1.0 || self.chance.unit() < *packing)
    }

    /// The processor with the least urgent work, if that is less urgent than this: one that is idle, if there is any.
    fn least_urgent(&mut self, rank: Rank, allowed: &[Slot], view: &View<'_>) -> Option<Slot> {
        let mut least: Option<(Option<Rank>, Slot)> = None;
        for slot in allowed {
            let there = self.cpu(*slot).first_rank().max(self.rank_there(*slot, view));
            if there < Some(rank) && least.is_none_or(|(least, _)| there < least) {
                least = Some((there, *slot));
            }
        }
        least.map(|(_, slot)| slot)
    }

    /// Puts somebody in the queue of a processor.
    fn enqueue(&mut self, who: Who, home: Slot, rank: Rank, why: Why, view: &View<'_>) {
        let base_slice = self.base_slice;
        if let Some(old) = self.threads.of(who).home.filter(|old| *old != home) {
            let lag = self.cpu(old).fair.forget_sleeper(who);
            let thread = self.threads.of(who);
            thread.lag = thread.lag.or(lag);
        }
        let thread = self.threads.of(who);
        (thread.home, thread.rank, thread.waits) = (Some(home), rank, true);
        let thread = *thread;
        let left = self.cpus[home.0 as usize].enqueue(who, thread, why, base_slice, view);
        self.threads.of(who).lag = left;
        self.expect_pull(view.now);
    }

    /// Takes somebody who waits out of its queue, and puts it in another.
    fn moves(&mut self, who: Who, to: Slot, view: &View<'_>) {
        let thread = *self.threads.of(who);
        let lag = thread.home.and_then(|home| self.cpu(home).remove(who, thread.rank, view));
        self.threads.of(who).lag = lag;
        self.enqueue(who, to, thread.rank, Why::Woken, view);
    }
}

impl Policy for Queues {
    fn ready(&mut self, who: Who, mut why: Why, view: &View<'_>) {
        self.waiting += 1;
        let attributes = view.floor.attributes(who);
        if let (SchedulingClass::Deadline, Some(server)) = (attributes.class, attributes.server) {
            let is_new = matches!(why, Why::Arrived | Why::Spawned(_) | Why::Woken);
            self.threads.of(who).reservation.is_wanted(server, is_new, view.now);
        }
        let rank = self.rank(who, view);
        let thread = self.threads.of(who);
        (thread.manner, thread.weight) = cpu::manner(attributes);
        thread.slice = attributes.slice;
        thread.is_sliced = attributes.class == SchedulingClass::RoundRobin;
        let before = *thread;
        let stepped_back = matches!(why, Why::Expired(_) | Why::Preempted(_) | Why::Yielded(_));
        let stays = before.home.filter(|home| stepped_back && (view.free() || view.floor.may_live(who, *home)));
        let home = stays.unwrap_or_else(|| self.place(who, rank, why, view));
        match (stepped_back, before.rank, before.home) {
            // It has left the processor to return to the queue of ordinary threads there, and is to be elsewhere.
            (true, Rank::Fair, Some(old)) if rank != Rank::Fair || old != home => {
                let lag = self.cpu(old).remove(who, Rank::Fair, view);
                (self.threads.of(who).lag, why) = (lag, Why::Woken);
            }
            // It was in an upper class when it got the processor, and comes to that queue.
            (true, upper, _) if upper > Rank::Fair && rank == Rank::Fair => why = Why::Woken,
            _ => {}
        }
        self.enqueue(who, home, rank, why, view);
    }

    fn pick(&mut self, slot: Slot, view: &View<'_>) -> Option<Turn> {
        if self.cpus.len() > 1 {
            self.pull_urgent(slot, view);
            if self.cpu(slot).is_empty() && self.cpu(slot).fell_idle_at(view.now) {
                let at_once = self.settings.idle_pull >= 1.0 || self.chance.unit() < self.settings.idle_pull;
                self.cpu(slot).has_pulled();
                let _ = at_once && self.pull_fair(slot, view);
            }
        }
        let only = |who| view.free() || view.floor.allowed(who, slot);
        let turn = self.cpus[slot.0 as usize].pick(&mut self.threads, only, view);
        self.waiting -= usize::from(turn.is_some());
        self.expect_pull(view.now);
        turn
    }

    fn withdraw(&mut self, who: Who, view: &View<'_>) -> bool {
        let thread = *self.threads.of(who);
        let Some(home) = thread.home else { return true };
        self.waiting -= 1;
        self.threads.of(who).waits = false;
        self.cpu(home).withdraws(who, thread.rank, view);
        self.expect_pull(view.now);
        true
    }

    fn waiting(&self) -> usize {
        self.waiting
    }

    fn lists_held_back(&self, those: &mut Vec<Who>) {
        self.cpus.iter().for_each(|cpu| those.extend(cpu.held_back()));
    }

    fn left(&mut self, who: Who, slot: Slot, ran: Span, exit: Exit, view: &View<'_>) {
        let thread = self.threads.of(who);
        self.cpus[slot.0 as usize].left(who, thread, ran, exit, view);
    }

    fn traits(&self) -> Traits {
        Traits { preemptive: true, by_urgency: true, has_alarms: true, confined: true, by_shares: true, lasting: false }
    }

    fn displaces(&mut self, who: Who, view: &View<'_>) -> Option<Slot> {
        let thread = *self.threads.of(who);
        let home = thread.home?;
        let runs = self.rank_there(home, view)?;
        if thread.is_throttled() || !view.free() && !view.floor.allowed(who, home) {
            return None;
        }
        let when_picked = self.cpu(home).running().map(|other| self.threads.of(other).rank);
        if when_picked > Some(runs) {
            // Whoever runs there was more urgent when it got the processor.
            return Some(home);
        }
        match thread.rank {
            Rank::Fair => (runs == Rank::Fair).then(|| self.cpu(home).fair.displaces(who, view)).flatten(),
            rank if rank > runs => Some(home),
            rank => {
                let may = |slot: &Slot| view.free() || view.floor.allowed(who, *slot);
                let allowed: Vec<Slot> = self.slots().filter(may).collect();
                // One that is idle takes it by itself.
                let busy = |queues: &mut Queues, to: &Slot| *to != home && queues.cpu(*to).running().is_some();
                let to = self.least_urgent(rank, &allowed, view).filter(|to| busy(self, to))?;
                self.moves(who, to, view);
                Some(to)
            }
        }
    }

    fn urgency(&self, attributes: &Attributes, _: Time) -> i64 {
        match rank_of(attributes) {
            Rank::Fair => 0,
            Rank::RealTime(priority) => i64::from(priority),
            Rank::Deadline(_) => 100,
        }
    }

    fn changed(&mut self, who: Who, view: &View<'_>) {
        let (rank, thread) = (self.rank(who, view), *self.threads.of(who));
        if let (true, Some(home)) = (rank != thread.rank && thread.waits, thread.home) {
            let lag = self.cpu(home).remove(who, thread.rank, view);
            self.threads.of(who).lag = lag;
            self.enqueue(who, home, rank, Why::Woken, view);
        }
    }

    fn alarm(&self) -> Time {
        self.cpus.iter().map(Cpu::alarm).min().unwrap_or(Time::NEVER)
    }

    fn ring(&mut self, again: &mut Vec<Who>, view: &View<'_>) {
        for slot in self.slots() {
            while let Some(who) = self.cpu(slot).replenished(view.now) {
                let thread = self.threads.of(who);
                if let Some(server) = view.floor.attributes(who).server {
                    thread.reservation.is_filled(server, view.now);
                }
                let rank = self.rank(who, view);
                self.enqueue(who, slot, rank, Why::Woken, view);
                again.push(who);
            }
            if self.cpu(slot).pulls_at <= view.now {
                self.cpu(slot).pulls_at = Time::NEVER;
                if self.cpu(slot).is_idle() {
                    self.pull_fair(slot, view);
                }
            }
        }
    }
}

/// The rank that the file gives a task; of those with deadlines the first, until it is known by when.
fn rank_of(attributes: &Attributes) -> Rank {
    match attributes.class {
        SchedulingClass::Deadline => Rank::LENT,
        SchedulingClass::Fifo | SchedulingClass::RoundRobin => Rank::RealTime(attributes.rt_priority),
        SchedulingClass::Other | SchedulingClass::Batch | SchedulingClass::Idle => Rank::Fair,
    }
}
