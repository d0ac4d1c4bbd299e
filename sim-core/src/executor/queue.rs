//! Queues of runtimes: in which order tasks get a worker, and which workers are woken for them.

use std::fmt;

use crate::policy::{Policy, Slot, View, Who, Why};
use crate::rng::StreamName;
use crate::time::Time;

/// Where the order comes from in which ready tasks get a thread: the parameters of an executor's queue, from which any
/// number of simulations can be started.
pub trait Queue: fmt::Debug + Send + Sync {
    /// A fresh queue for one run; its slots are the workers.
    fn build(&self, setup: &Setup) -> Box<dyn RunQueue>;

    /// Does it take a worker from a task that has not given it up: do its turns have slices?
    fn preempts(&self) -> bool {
        false
    }

    /// What of the keys of a task it goes by: see [`crate::policy::Kind::attributes`].
    fn attributes(&self) -> &'static [&'static str] {
        &[]
    }

    /// Is whoever comes first taken first, by whichever worker?
    fn in_order(&self) -> bool {
        false
    }

    /// Must all that happens in an instant be known before a worker that keeps its task takes one?
    fn compares(&self) -> bool {
        false
    }

    /// Does an idle worker have its task before it runs, even where it needs an interpreter lock for that?
    fn hands_over(&self) -> bool {
        false
    }
}

/// What a queue may know when it is made.
#[derive(Clone, Copy, Debug)]
pub struct Setup {
    /// How many workers there are.
    pub workers: usize,
    /// Is a worker made only when somebody needs it? Else all are there at the start.
    pub on_demand: bool,
    /// What its streams of chance are named after.
    pub chance: StreamName,
}

/// What a runtime does beside running tasks, where that costs something.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Looks {
    /// So often a worker took a task from a queue, or several at once.
    pub takes: u32,
    /// So often an event loop looked what has happened outside.
    pub looks: u32,
    /// So many callbacks it ran, each of which woke a task.
    pub callbacks: u32,
}

/// By whom a task was woken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum WokenBy {
    /// By whoever runs on this worker.
    Worker(Slot),
    /// By the timer that it had set.
    Timer,
    /// By something outside its runtime: a device, a task of another process.
    Outside,
}

impl WokenBy {
    /// Why it is ready, to queues in which whom a worker wakes comes where those come that it spawns.
    pub(super) fn as_spawned(self) -> Why {
        match self {
            WokenBy::Worker(slot) => Why::Spawned(slot),
            WokenBy::Timer | WokenBy::Outside => Why::Woken,
        }
    }
}

/// The queue of a runtime in one run: a policy whose slots are the workers, and what only a runtime asks of it. Workers,
/// unlike processors, park when they find nothing, and somebody must wake them.
///
/// The engine says of a task that is woken who woke it (`woken`), of all others why they are ready (`ready`).
pub trait RunQueue: Policy {
    /// What a task waited for has happened, and it wants a worker. To a queue that does not care by whom it was woken it
    /// is ready like any other.
    fn woken(&mut self, who: Who, by: WokenBy, view: &View<'_>) {
        let _ = by;
        self.ready(who, Why::Woken, view);
    }

    /// A task has set a timer that rings then: `just_now`, or when it asked for what ends then.
    fn timer_is_set(&mut self, who: Who, ring: Time, just_now: bool, view: &View<'_>) {
        let _ = (who, ring, just_now, view);
    }

    /// The timer of a task rings. If nobody notices yet, because who waits for it wakes only later: when is that? Then the task
    /// is ready to the queue, which shows it to nobody before; else it will be told with `woken`.
    fn misses(&mut self, who: Who, now: Time) -> Option<Time> {
        let _ = (who, now);
        None
    }

    /// The task does not wait for the timer any more that it had set and that was to ring then.
    fn timer_is_cancelled(&mut self, who: Who, ring: Time) {
        let _ = (who, ring);
    }

    /// A timer rings now that wakes nobody by itself. If nobody notices yet, because who waits for it wakes only later: when is that?
    fn learns(&mut self, now: Time) -> Option<Time> {
        let _ = now;
        None
    }

    /// Will the worker, which is about to take a task, look before that which timers have rung?
    fn is_about_to_look(&self, slot: Slot) -> bool {
        let _ = slot;
        true
    }

    /// Which of the `parked` workers, of which there is at least one, wakes since a timer has rung?
    fn wakes_for_timer(&mut self, parked: &[u32]) -> Option<Slot> {
        parked.first().map(|worker| Slot(*worker))
    }

    /// A task has just arrived, and is ready. If nobody notices yet, because its loop waits for timers and this is one: when is that?
    fn misses_arrival(&mut self, now: Time) -> Option<Time> {
        let _ = now;
        None
    }

    /// Has it been told of timers that nobody has noticed so far?
    fn has_missed(&self) -> bool {
        false
    }

    /// Who waits for timers wakes now, unless it has done so before.
    fn notices(&mut self, now: Time) {
        let _ = now;
    }

    /// Somebody has become ready, or (`taken`) a worker has taken somebody. Which of the `parked` workers, those that wait
    /// for work, is woken now? They are in the order of their numbers, and there is at least one.
    fn rouse(&mut self, taken: bool, parked: &[u32]) -> Option<Slot> {
        if taken { None } else { parked.first().map(|worker| Slot(*worker)) }
    }

    /// What it has done for the last one that was picked, and told nobody yet.
    fn take_looks(&mut self) -> Looks {
        Looks { takes: 1, ..Looks::default() }
    }
}

/// What a loop that keeps those who are ready in the queue `ready`, and waits for timers by its `watch`, leaves to these, of a
/// [`RunQueue`].
macro_rules! waits_by_watch {
    () => {
        fn has_missed(&self) -> bool {
            self.watch.missed() > 0
        }

        fn notices(&mut self, now: $crate::time::Time) {
            self.watch.wakes(now);
        }

        fn learns(&mut self, now: $crate::time::Time) -> Option<$crate::time::Time> {
            self.watch.learns(now)
        }

        fn take_looks(&mut self) -> $crate::executor::Looks {
            std::mem::take(&mut self.looks)
        }

        fn rouse(&mut self, taken: bool, parked: &[u32]) -> Option<$crate::policy::Slot> {
            let nobody = taken || self.waiting() == self.watch.missed();
            if nobody { None } else { parked.first().map(|worker| $crate::policy::Slot(*worker)) }
        }
    };
}

/// The same of a [`Policy`]: who has left, and by what it goes.
macro_rules! orders_by_ready {
    () => {
        fn left(
            &mut self,
            who: $crate::policy::Who,
            slot: $crate::policy::Slot,
            ran: $crate::time::Span,
            exit: $crate::policy::Exit,
            view: &$crate::policy::View<'_>,
        ) {
            self.ready.left(who, slot, ran, exit, view);
        }

        fn traits(&self) -> $crate::policy::Traits {
            self.ready.traits()
        }

        fn urgency(&self, attributes: &$crate::policy::Attributes, deadline: $crate::time::Time) -> i64 {
            self.ready.urgency(attributes, deadline)
        }

        fn level(&self, attributes: &$crate::policy::Attributes) -> Option<(&'static str, String)> {
            self.ready.level(attributes)
        }
    };
}

pub(super) use {orders_by_ready, waits_by_watch};
