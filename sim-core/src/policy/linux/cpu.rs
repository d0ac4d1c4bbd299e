//! One processor: the queues of its classes, and who runs.

use std::cmp::Reverse;

use super::Rank;
use super::deadlines::{Deadlines, Reservation};
use super::fair::Fair;
use super::newcomers::Utilisation;
use super::real_time::RealTime;
use crate::policy::book::PerWho;
use crate::policy::fair_queue::{Lag, Manner, Request};
use crate::policy::nice::{UNIT, weight};
use crate::policy::tick::Tick;
use crate::policy::{Attributes, Exit, SchedulingClass, Slice, Slot, Turn, View, Who, Why};
use crate::time::{Span, Time};

/// What a thread of the class `idle` weighs.
const IDLE_WEIGHT: u32 = 3;

/// What is known of a thread.
#[derive(Clone, Copy, Debug)]
pub(super) struct Thread {
    /// Where it is queued, or was last.
    pub(super) home: Option<Slot>,
    /// What it was queued as.
    pub(super) rank: Rank,
    /// Is it ready, and does not run?
    pub(super) waits: bool,
    /// What it asks ordinary queues for; `None` as slice: as much as all.
    pub(super) manner: Manner,
    pub(super) weight: u32,
    pub(super) slice: Option<Span>,
    /// What it brings along from an ordinary queue that it has left.
    pub(super) lag: Option<Lag>,
    /// Does it run in slices, and how much has it had of the present one?
    pub(super) is_sliced: bool,
    pub(super) had: Span,
    /// Has it used its slice up?
    pub(super) is_over: bool,
    pub(super) reservation: Reservation,
}

impl Default for Thread {
    fn default() -> Thread {
        Thread {
            home: None,
            rank: Rank::Fair,
            waits: false,
            manner: Manner::Normal,
            weight: UNIT,
            slice: None,
            lag: None,
            is_sliced: false,
            had: Span::ZERO,
            is_over: false,
            reservation: Reservation::default(),
        }
    }
}

impl Thread {
    /// Does it wait for its next budget? Nobody does who is lent urgency.
    pub(super) fn is_throttled(&self) -> bool {
        self.reservation.is_throttled() && matches!(self.rank, Rank::Deadline(_)) && self.rank != Rank::LENT
    }
}

/// How a task stands to the others in ordinary queues, and what it weighs there.
pub(super) fn manner(attributes: &Attributes) -> (Manner, u32) {
    match attributes.class {
        SchedulingClass::Idle => (Manner::Idle, IDLE_WEIGHT),
        SchedulingClass::Batch => (Manner::Batch, weight(attributes.nice)),
        _ => (Manner::Normal, weight(attributes.nice)),
    }
}

/// Somebody who runs.
#[derive(Clone, Copy, Debug)]
struct Running {
    who: Who,
    since: Time,
}

#[derive(Debug)]
pub(super) struct Cpu {
    tick: Tick,
    quantum: Span,
    deadlines: Deadlines,
    real_time: RealTime,
    pub(super) fair: Fair,
    pub(super) utilisation: Utilisation,
    running: Option<Running>,
    /// When it lost whoever ran, if it has not looked elsewhere since.
    fell_idle: Option<Time>,
    /// When it will be noticed that it is idle; never if nobody is expected to.
    pub(super) pulls_at: Time,
}

impl Cpu {
    pub(super) fn new(tick: Tick, quantum: Span, fair: Fair) -> Cpu {
        Cpu {
            tick,
            quantum,
            deadlines: Deadlines::default(),
            real_time: RealTime::default(),
            fair,
            utilisation: Utilisation::default(),
            running: None,
            fell_idle: None,
            pulls_at: Time::NEVER,
        }
    }

    pub(super) fn running(&self) -> Option<Who> {
        self.running.map(|running| running.who)
    }

    pub(super) fn running_since(&self) -> Option<Time> {
        self.running.map(|running| running.since)
    }

    /// Does nobody wait here who could run?
    pub(super) fn is_empty(&self) -> bool {
        self.deadlines.is_empty() && self.real_time.is_empty() && self.fair.waiting() == 0
    }

    pub(super) fn is_idle(&self) -> bool {
        self.running.is_none() && self.is_empty()
    }

    /// How many are here.
    pub(super) fn load(&self) -> usize {
        let urgent = self.deadlines.len() + self.real_time.len();
        urgent + self.fair.waiting() + usize::from(self.running.is_some())
    }

    /// The most urgent rank of those who wait, if it is that of an upper class.
    pub(super) fn first_rank(&self) -> Option<Rank> {
        self.first_urgent(|_| true).map(|(rank, _)| rank)
    }

    /// The most urgent of those who wait in upper classes and may run there.
    pub(super) fn first_urgent(&self, may: impl Fn(Who) -> bool) -> Option<(Rank, Who)> {
        self.deadlines.first(&may).or_else(|| self.real_time.first(&may))
    }

    /// Puts somebody in the queue of its rank. What remains of what it brought along?
    pub(super) fn enqueue(
        &mut self,
        who: Who,
        thread: Thread,
        why: Why,
        base_slice: Span,
        view: &View<'_>,
    ) -> Option<Lag> {
        let Thread { rank, manner, weight, slice, lag, .. } = thread;
        // Who has not had its slice, because somebody took the processor or the switch to it took as long, goes on first.
        let goes_on = matches!(why, Why::Preempted(_)) || matches!(why, Why::Expired(_)) && !thread.is_over;
        match rank {
            Rank::Deadline(Reverse(deadline)) => self.deadlines.insert(who, deadline, goes_on, thread.is_throttled()),
            Rank::RealTime(priority) => self.real_time.insert(who, priority, goes_on),
            Rank::Fair => {
                match why {
                    Why::Arrived | Why::Spawned(_) | Why::Woken => {
                        let request = Request { weight, slice: slice.unwrap_or(base_slice), manner };
                        self.fair.comes(who, request, lag, why, view);
                    }
                    Why::Expired(_) | Why::Preempted(_) | Why::Yielded(_) => {
                        self.fair.returns(who, why);
                    }
                }
                return None;
            }
        }
        lag
    }

    /// Takes somebody who waits out of the queue of its rank: what does it take along?
    pub(super) fn remove(&mut self, who: Who, rank: Rank, view: &View<'_>) -> Option<Lag> {
        match rank {
            Rank::Deadline(_) => self.deadlines.remove(who),
            Rank::RealTime(priority) => self.real_time.remove(who, priority),
            Rank::Fair => return Some(self.fair.give_away(who, view)),
        }
        None
    }

    /// Somebody who waits does not want to run any more.
    pub(super) fn withdraws(&mut self, who: Who, rank: Rank, view: &View<'_>) {
        match rank {
            Rank::Fair => self.fair.withdraws(who, view),
            _ => _ = self.remove(who, rank, view),
        }
    }

    /// Takes out whoever is next, of those that may run here.
    pub(super) fn pick(
        &mut self,
        threads: &mut PerWho<Thread>,
        may: impl Fn(Who) -> bool,
        view: &View<'_>,
    ) -> Option<Turn> {
        let urgent = self.first_urgent(&may);
        let turn = match urgent {
            Some((rank, who)) => {
                self.remove(who, rank, view);
                Turn { who, slice: self.slice(threads.of(who), view.now) }
            }
            None => self.fair.pick(view)?,
        };
        self.running = Some(Running { who: turn.who, since: view.now });
        (self.fell_idle, self.pulls_at) = (None, Time::NEVER);
        threads.of(turn.who).waits = false;
        Some(turn)
    }

    /// How long a thread of an upper class may run from now on. What it is accounted is noticed at ticks.
    fn slice(&self, thread: &Thread, now: Time) -> Slice {
        let is_exact = self.tick.period.is_zero();
        match thread.rank {
            Rank::LENT => Slice::Endless,
            Rank::Deadline(_) if is_exact => Slice::For(thread.reservation.budget()),
            Rank::Deadline(_) => Slice::Until(self.tick.not_before(now + thread.reservation.budget())),
            _ if !thread.is_sliced => Slice::Endless,
            _ if is_exact => Slice::For(self.quantum - thread.had),
            _ => {
                let ticks = (self.quantum - thread.had).ns().div_ceil(self.tick.period.ns());
                Slice::Until(self.tick.after(now) + self.tick.period * (ticks - 1))
            }
        }
    }

    /// Whoever ran leaves.
    pub(super) fn left(&mut self, who: Who, thread: &mut Thread, ran: Span, exit: Exit, view: &View<'_>) {
        let since = self.running.take().map_or(view.now, |running| running.since);
        self.utilisation.adds(since, view.now);
        match thread.rank {
            Rank::Deadline(_) => thread.reservation.uses(ran),
            Rank::RealTime(_) if thread.is_sliced => {
                let ticks = if ran.is_zero() { 0 } else { self.tick.between(since, view.now) };
                thread.had += if self.tick.period.is_zero() { ran } else { self.tick.period * ticks };
                thread.is_over = thread.had >= self.quantum;
                if thread.is_over {
                    thread.had = Span::ZERO;
                }
            }
            Rank::RealTime(_) => {}
            Rank::Fair if exit == Exit::Ready => self.fair.steps_back(who, ran, view.now),
            Rank::Fair => self.fair.leaves(who, ran, exit == Exit::Finished, view),
        }
        self.fell_idle = Some(view.now);
        if exit == Exit::Finished {
            *thread = Thread::default();
        }
    }

    /// Has the processor just lost whoever ran, and not looked elsewhere since?
    pub(super) fn fell_idle_at(&self, now: Time) -> bool {
        self.fell_idle == Some(now)
    }

    /// It has looked elsewhere.
    pub(super) fn has_pulled(&mut self) {
        self.fell_idle = None;
    }

    /// Those who wait for their budgets.
    pub(super) fn held_back(&self) -> impl Iterator<Item = Who> {
        self.deadlines.throttled()
    }

    /// When something happens here that nobody else tells.
    pub(super) fn alarm(&self) -> Time {
        self.deadlines.next_refill().min(self.pulls_at)
    }

    /// One whose budget is given out anew by now.
    pub(super) fn replenished(&mut self, now: Time) -> Option<Who> {
        self.deadlines.replenished(now)
    }
}
