//! The shelf of policies: who runs next, and for how long.
//!
//! A policy is told (somebody became ready, somebody left the processor and how long it ran), is asked (who runs next
//! here; does this newcomer displace somebody), and answers. It never changes the world, and the engine never asks
//! which policy it runs. The same trait serves on both floors: on the kernel floor *who* is a thread and *slot* a
//! processor; on the runtime floor *who* is a task and *slot* a worker thread of an executor.
//!
//! One more policy is one file and two lines here: a `mod` and an entry of [`POLICIES`].

mod attributes;
mod book;
mod by_rank;
mod cfs;
pub mod checked;
mod claim;
mod deadline_monotonic;
mod edf;
mod eevdf;
mod estimate;
mod fair_queue;
mod feedback;
pub(crate) mod fifo;
mod grouped;
mod hrrn;
mod linux;
mod llf;
mod lottery;
mod mlfq;
mod nice;
pub mod on_linux;
pub(crate) mod per_processor;
mod priority;
mod rate_monotonic;
pub mod room;
mod round_robin;
mod sjf;
mod srtf;
mod stride;
mod tick;
mod timer;
pub mod told;

use std::fmt;

pub use self::attributes::{Attributes, CpuSet, OnMiss, Periodic, SchedulingClass, Server, ServerKind, Share};
pub(crate) use self::book::PerWho;
pub use self::claim::{Claim, Lent};
pub(crate) use self::grouped::grouped;
use self::on_linux::Counterpart;
pub use self::timer::{Ties, Timer};
use crate::document::Table;
use crate::parameter::Parameter;
use crate::scenario::Machine;
use crate::time::{Span, Time};

/// The policies that scenario files can name, in the order in which they are listed.
pub static POLICIES: &[&Kind] = &[
    &fifo::KIND,
    &round_robin::KIND,
    &sjf::KIND,
    &srtf::KIND,
    &hrrn::KIND,
    &priority::KIND,
    &feedback::KIND,
    &mlfq::KIND,
    &lottery::KIND,
    &stride::KIND,
    &cfs::KIND,
    &eevdf::KIND,
    &linux::KIND,
    &edf::KIND,
    &rate_monotonic::KIND,
    &deadline_monotonic::KIND,
    &llf::KIND,
];

/// The policy of files that name none.
pub(crate) static DEFAULT: &Kind = &fifo::KIND;

/// The policy that plays the kernel of this machine.
pub(crate) static KERNEL: &Kind = &linux::KIND;

/// What the shelf knows of a policy.
#[derive(Debug)]
pub struct Kind {
    /// Its name in scenario files.
    pub name: &'static str,
    /// One line for people.
    pub summary: &'static str,
    /// Its parameters, for listings; `read` is what decides.
    pub parameters: &'static [Parameter],
    /// What of the keys of a task it goes by: the others mean nothing to it. `period` stands for all those of its jobs.
    pub attributes: &'static [&'static str],
    /// What is known in theory of the order in which it runs jobs.
    pub theory: Theory,
    /// The class of Linux that does the same or nearly so, for listings; [`Settings::on_linux`] is what decides.
    pub on_linux: Option<&'static str>,
    /// Reads its parameters from the `[scheduler]` table; mistakes are left in the table.
    pub read: fn(&mut Table<'_>) -> std::sync::Arc<dyn Settings>,
}

impl Kind {
    /// Does it go by this key of a task?
    #[must_use]
    pub fn goes_by(&self, key: &str) -> bool {
        self.attributes.contains(&key)
    }
}

/// What tests of schedulability suppose of a policy.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Theory {
    /// Nothing that holds for it.
    None,
    /// The shorter the period, the more urgent.
    RateMonotonic,
    /// Some other order of tasks that does not change with time.
    FixedPriorities,
    /// An order of jobs that meets all deadlines on one processor if any order does.
    Deadlines,
}

/// The parameters of a policy, from which any number of simulations can be started.
pub trait Settings: fmt::Debug + Send + Sync {
    /// The parameters in a few words, for headings; empty if there are none.
    fn label(&self) -> String {
        String::new()
    }
    /// The step in which the policy sees time, if that is coarse: what is said of it in theory holds for times that are
    /// multiples of this.
    fn step(&self) -> Option<Span> {
        None
    }
    /// How often it looks at who runs, on a machine whose timer ticks so often, or whose file does not say; `None` if it goes by no
    /// ticks.
    fn ticks(&self, machine: Option<Span>) -> Option<Span> {
        let _ = machine;
        None
    }
    /// The lengths of its slices, as far as the file says them: each with its path below `[scheduler]`.
    fn quanta(&self) -> Vec<(String, Span)> {
        Vec::new()
    }
    /// In which queues those who are ready wait.
    fn queueing(&self) -> Queueing {
        Queueing::Together
    }
    /// Is whoever has been ready longest always first, for the same slice each time, and nobody ever displaced? Which
    /// slice is that, on a machine whose timer ticks so often? The engine then keeps the queue itself instead of asking a policy made by `build`, which must do
    /// just that: who wraps a policy to watch it says nothing here.
    fn in_order(&self, tick: Option<Span>) -> Option<Slice> {
        let _ = tick;
        None
    }
    /// What Linux has of it, for who wants to run it for real.
    fn on_linux(&self) -> Counterpart {
        Counterpart::none()
    }
    /// Does it play a machine that decides by chance, so that runs of it differ?
    fn leaves_to_chance(&self, processors: usize) -> bool {
        let _ = processors;
        false
    }
    /// The same policy for groups, where that is another than one that is asked for each group.
    fn grouped(&self, groups: &grouped::Weights) -> Option<std::sync::Arc<dyn Settings>> {
        let _ = groups;
        None
    }
    /// A fresh policy for one run.
    fn build(&self, setup: &Setup) -> Box<dyn Policy>;
    /// Several for one run, each for a processor of its own.
    fn build_apart(&self, setups: &[Setup]) -> Vec<Box<dyn Policy>> {
        setups.iter().map(|setup| self.build(setup)).collect()
    }
}

/// In which queues those who are ready wait for slots.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Queueing {
    /// One for all slots.
    Together,
    /// One for each slot. Whoever waits in one gets no other slot, unless an idle slot takes it, or all are evened out.
    Apart {
        /// How often they are evened out.
        balanced: Option<Span>,
    },
}

/// What a policy may know when it is made.
#[derive(Clone, Copy, Debug)]
pub struct Setup {
    /// How many slots there are, to make tables for. With queues per processor that is one more than the processors that
    /// [`Floor::slots`] tells: threads move through it.
    pub slots: usize,
    /// How many processors the machine has.
    pub processors: usize,
    /// The seed of the run, from which the policy derives its own stream if it needs chance.
    pub seed: u64,
    /// The seed of what the machine does by chance.
    pub machine_seed: u64,
    /// How often the timer of the machine ticks, where its file says so.
    pub tick: Option<Span>,
    /// When it ticks first.
    pub tick_phase: Span,
    /// Does any server hold its task back until it has its budget again?
    pub holds_back: bool,
}

impl Setup {
    /// For slots that are no processors, and have no timer.
    #[must_use]
    pub fn apart(slots: usize, seed: u64) -> Setup {
        let (tick, tick_phase) = (None, Span::ZERO);
        Setup { slots, processors: slots, seed, machine_seed: seed, tick, tick_phase, holds_back: false }
    }

    /// For the processors of a scenario.
    #[must_use]
    pub fn of(machine: &Machine, seed: u64) -> Setup {
        let (tick, tick_phase) = (machine.tick, machine.tick_phase);
        Setup { tick, tick_phase, ..Setup::apart(machine.processors.len(), seed) }
    }
}

/// Somebody who wants to run: a thread on the kernel floor, a task on the runtime floor. Small and dense.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Who(pub u32);

/// Where somebody can run: a processor on the kernel floor, a worker thread on the runtime floor.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Slot(pub u32);

/// Why somebody became ready.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Why {
    /// It is new.
    Arrived,
    /// It is new, made by whoever runs on this slot.
    Spawned(Slot),
    /// What it waited for has happened.
    Woken,
    /// Its slice ended on this slot.
    Expired(Slot),
    /// Somebody more urgent took its place on this slot (or the slot went to somebody else while it was away).
    Preempted(Slot),
    /// It gave up this slot of its own will.
    Yielded(Slot),
}

/// Why somebody left a slot.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Exit {
    /// It waits for something.
    Blocked,
    /// It is done.
    Finished,
    /// It is still ready: [`Policy::ready`] follows with the reason.
    Ready,
}

/// Who runs next, and for how long.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Turn {
    /// Who.
    pub who: Who,
    /// When the policy wants to be asked again at the latest.
    pub slice: Slice,
}

/// How long a turn may last.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Slice {
    /// Until it leaves by itself.
    Endless,
    /// This long, counted from the end of the switch to it.
    For(Span),
    /// Until this point in time.
    Until(Time),
    /// Until the first tick that is at least `length` after the end of the switch.
    Ticks {
        /// How long at least.
        length: Span,
        /// How often they come; not zero.
        tick: Span,
        /// When the first one is; shorter than that.
        phase: Span,
    },
}

impl Slice {
    /// When a turn that begins then must end.
    #[must_use]
    #[inline]
    pub fn end(self, begin: Time) -> Time {
        match self {
            Slice::Endless => Time::NEVER,
            Slice::For(length) => begin + length,
            Slice::Until(end) => end.max(begin),
            Slice::Ticks { length, tick, phase } => {
                let end = begin + length;
                let since = end.ns().saturating_sub(phase.ns()).checked_next_multiple_of(tick.ns());
                since.map_or(end, |since| Time::ZERO + phase + Span::from_ns(since))
            }
        }
    }
}

/// What a policy can see of the world.
pub struct View<'a> {
    /// The present instant.
    pub now: Time,
    /// The floor it works on.
    pub floor: &'a dyn Floor,
    /// Is there no affinity in the whole scenario? See [`View::free`].
    pub no_affinity: bool,
}

impl View<'_> {
    /// May everybody use every slot? Then a policy need not look at affinities.
    #[must_use]
    #[inline]
    pub fn free(&self) -> bool {
        self.no_affinity
    }
}

/// One floor of the world as policies see it: read-only.
pub trait Floor {
    /// How many slots there are.
    fn slots(&self) -> usize;
    /// Who is on the slot now.
    fn running(&self, slot: Slot) -> Option<Who>;
    /// What the file says of somebody.
    fn attributes(&self, who: Who) -> &Attributes;
    /// May somebody be given the slot now? Not while a quota that it must keep is used up.
    fn allowed(&self, who: Who, slot: Slot) -> bool;
    /// May somebody be given no slot at all now, since a quota that it must keep is used up?
    fn stands_still(&self, who: Who) -> bool {
        let _ = who;
        false
    }
    /// Is there a quota that might keep anybody from running?
    fn has_quotas(&self) -> bool {
        false
    }
    /// May somebody wait for the slot, whether or not it may be given it now?
    fn may_live(&self, who: Who, slot: Slot) -> bool {
        self.allowed(who, slot)
    }
    /// What is left of the present processor burst, or the length of the next one, up to where somebody may have to
    /// wait: exact knowledge that only a simulator has.
    fn burst(&self, who: Who) -> Span;
    /// By when the present job of somebody should end; never if it has no deadline.
    fn deadline(&self, who: Who) -> Time {
        let _ = who;
        Time::NEVER
    }
    /// What is left of the processor work of the present job: exact knowledge, as far as the program leaves nothing
    /// to chance. For who has no jobs, what is left of what it does at present.
    fn work_left(&self, who: Who) -> Span {
        self.burst(who)
    }
    /// The place of somebody in the file, among all tasks.
    fn place(&self, who: Who) -> u32 {
        who.0
    }
    /// The task that lends its urgency to somebody who holds a lock, if that is more than its own. A policy that looks
    /// at priorities, periods or deadlines takes the more urgent of both: everything else of a thread stays its own.
    fn lent(&self, who: Who) -> Option<Lent<'_>> {
        let _ = who;
        None
    }
    /// All that the urgency of somebody can come from, in one question.
    fn claim(&self, who: Who) -> Claim<'_> {
        Claim { attributes: self.attributes(who), deadline: self.deadline(who), lent: self.lent(who) }
    }
    /// How long the present turn of somebody who runs has lasted, without the switch: what `left` would be told now.
    /// Zero for everybody else, and where turns are not measured.
    fn ran(&self, who: Who) -> Span {
        let _ = who;
        Span::ZERO
    }
}

/// What holds of a policy, as it is set, whatever happens.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Traits {
    /// Can a newcomer take a slot from somebody? Only then is [`Policy::displaces`] asked.
    pub preemptive: bool,
    /// Does urgency decide who is next?
    pub by_urgency: bool,
    /// Does it ever set an alarm? Only then is [`Policy::alarm`] asked.
    pub has_alarms: bool,
    /// Has each slot a queue of its own, and do those in it wait for that slot alone, though another may be free?
    pub confined: bool,
    /// Is it a matter of shares or of chance who is next? Then nobody is handed a slot.
    pub by_shares: bool,
    /// Are those who are more urgent so for as long as nothing but time passes? Then others wait for ever behind who runs for ever.
    pub lasting: bool,
}

/// Who runs next, and for how long.
///
/// Contract: `pick` returns only somebody who was made `ready`, has not been picked since, and may use the slot; once
/// picked it is out of the policy's queue.
pub trait Policy: Send {
    /// Somebody is ready and wants a slot.
    fn ready(&mut self, who: Who, why: Why, view: &View<'_>);

    /// The slot is free: who gets it?
    fn pick(&mut self, slot: Slot, view: &View<'_>) -> Option<Turn>;

    /// How many are ready and not picked.
    fn waiting(&self) -> usize;

    /// Adds those of them who wait for the budgets of their servers, if the policy keeps these.
    fn lists_held_back(&self, _those: &mut Vec<Who>) {}

    /// Somebody who is ready wants no slot any more, without having been picked. `false`: this queue, of tasks, lets nobody go.
    fn withdraw(&mut self, who: Who, view: &View<'_>) -> bool {
        let _ = (who, view);
        false
    }

    /// Somebody left its slot after running for `ran`; if it is still ready, `ready` follows.
    fn left(&mut self, who: Who, slot: Slot, ran: Span, exit: Exit, view: &View<'_>) {
        let _ = (who, slot, ran, exit, view);
    }

    /// Who became `ready` last is handed the slot by who is about to leave it, and is next of all as urgent that wait for the same slots.
    fn is_next(&mut self, _who: Who, _slot: Slot, _view: &View<'_>) {}

    /// Somebody is put off its slot and stays ready: `left`, then `ready`. One question instead of two, since this is what
    /// happens most; nobody need say more than those two.
    fn put_off(&mut self, who: Who, slot: Slot, ran: Span, why: Why, view: &View<'_>) {
        self.left(who, slot, ran, Exit::Ready, view);
        self.ready(who, why, view);
    }

    /// `who` is ready and no idle slot took it: which slot must it be given? The one there is put off, and `pick` is
    /// asked; if it prefers somebody else, this is asked for `who` again.
    fn displaces(&mut self, who: Who, view: &View<'_>) -> Option<Slot> {
        let _ = (who, view);
        None
    }

    /// What holds of it whatever happens.
    fn traits(&self) -> Traits {
        Traits::default()
    }

    /// How urgent somebody whose present job has this deadline is among those waiting for a lock; larger is more
    /// urgent.
    fn urgency(&self, attributes: &Attributes, deadline: Time) -> i64 {
        let _ = deadline;
        attributes.priority
    }

    /// For a log: what it knows of somebody ready or just picked, in words. Asked only if one is wanted; changes nothing.
    fn tells(&mut self, _who: Who, _view: &View<'_>) -> String {
        String::new()
    }

    /// For a log: what its alarm did, in words; empty if that is nothing to be told.
    fn tells_alarm(&self) -> &'static str {
        ""
    }

    /// The level of urgency to which the file assigns somebody, in words, if the policy goes by such: `priority`, `3`.
    fn level(&self, attributes: &Attributes) -> Option<(&'static str, String)> {
        let _ = attributes;
        None
    }

    /// Somebody who is ready or runs has become more or less urgent (see [`Floor::lent`]), or what is ahead of it is
    /// another burst: it has got the lock for which it meant to spin. One who is ready keeps its place: ahead of those
    /// of its new rank who became ready later, behind those who did earlier. Whether somebody displaces somebody else now
    /// is asked afterwards. Policies for which neither means anything need not listen.
    fn changed(&mut self, who: Who, view: &View<'_>) {
        let _ = (who, view);
    }

    /// When the policy wants to be woken next, apart from slices: a boost, a replenishment, a tick.
    fn alarm(&self) -> Time {
        Time::NEVER
    }

    /// The alarm rings. Those pushed to `again`, who must be ready, are treated like newcomers: when idle slots have
    /// been given away, they are asked in this order whom they displace.
    fn ring(&mut self, again: &mut Vec<Who>, view: &View<'_>) {
        let _ = (again, view);
    }

    /// After an alarm: whoever is on the slot goes on, but for how long from now? `None`: as agreed before.
    fn anew(&mut self, slot: Slot, view: &View<'_>) -> Option<Slice> {
        let _ = (slot, view);
        None
    }
}
