//! Executors as the engine and the real ones need them.

use std::sync::Arc;

use super::{Fifo, Kind, Limits, Queue, Threads, Timers, WhenFull};
use crate::scenario::StartMethod;
use crate::time::Span;

/// The runtime floor of a process.
#[derive(Clone, Debug)]
pub struct Executor {
    /// The executor's entry on the shelf.
    pub kind: &'static Kind,
    /// Threads of an executor that has a fixed number of them, at least 1. For one thread per task it means nothing.
    pub workers: u32,
    /// Is their number that of the runtime, since the file leaves it out?
    pub default_workers: bool,
    /// The switch interval of a global interpreter lock, if the process has one.
    pub gil: Option<Span>,
    /// Must who waits for that lock run to ask for it?
    pub waiters_ask: bool,
    /// How often who asked for it from another processor gets it before those who have waited longer.
    pub asker: f64,
    /// When its timers ring, and what is made of them.
    pub timers: Timers,
    /// How many points a task may pass in one turn at which it might have had to wait for another task.
    pub budget: Option<u32>,
    /// After how many polls it looks for events from outside, if it does so at all.
    pub event_interval: Option<u32>,
    /// Does it go by rounds: does it look for events when all have had their turn that were ready before?
    pub rounds: bool,
    /// After how many polls a worker looks into the common queue first, if it has a queue of its own.
    pub global_interval: Option<u32>,
    /// Does a worker run other tasks while its task joins those that it spawned?
    pub helps: bool,
    /// Does a worker that keeps its task until it ends go on with the next without leaving its processor?
    pub goes_on: bool,
    /// If it has not room for all: how many threads and tasks it has room for.
    pub limits: Option<Limits>,
    /// Are its workers processes?
    pub of_processes: bool,
    /// How processes are started, if Python does so.
    pub start_method: Option<StartMethod>,
    /// Does a task that blocks its whole thread give its worker to another thread?
    pub hands_off: bool,
    /// In which order ready tasks get a worker.
    pub queue: Arc<dyn Queue>,
    /// The parameters that are set to something that the real runtime, after which it is modelled, cannot do.
    pub own_rules: Vec<&'static str>,
    /// The rules that it names: the version of a runtime.
    pub rules: Option<&'static str>,
    /// The same executor as it behaves when it is measured, if that is otherwise: see [`super::rules::measured`].
    pub as_measured: Option<Arc<Executor>>,
}

impl Executor {
    /// How many threads it has, whatever tasks there are; `None`: as many as tasks.
    #[must_use]
    pub fn own_threads(&self) -> Option<u32> {
        match self.kind.threads {
            Threads::Main => Some(1),
            Threads::Workers => Some(self.workers.max(1)),
            Threads::PerTask | Threads::ProcessPerTask => None,
        }
    }

    /// Does it leave tasks for which it has no room to whoever called for them?
    #[must_use]
    pub fn gives_back(&self) -> bool {
        self.limits.is_some_and(|limits| limits.when_full == WhenFull::CallerRuns)
    }

    /// May it make a thread for who comes while others wait in its queue?
    #[must_use]
    pub fn may_make_more(&self) -> bool {
        self.limits.is_some_and(|limits| limits.core < self.workers && limits.queue.is_some())
    }

    /// Does it turn tasks away for which it has no room?
    #[must_use]
    pub fn turns_away(&self) -> bool {
        self.limits.is_some_and(|limits| limits.when_full == WhenFull::Reject)
    }

    /// Is it the pool for what blocks that a runtime of tokio has, with any number of threads?
    #[must_use]
    pub fn is_tokios_pool(&self) -> bool {
        let is_its =
            |limits: Limits| limits.core == 0 && limits.queue == Some(0) && limits.when_full == WhenFull::Block;
        self.rules.is_some_and(|rules| rules.starts_with("tokio-")) && self.limits.is_some_and(is_its)
    }

    /// Does it go by the rules of a version of CPython?
    #[must_use]
    pub fn is_of_cpython(&self) -> bool {
        self.rules.is_some_and(|rules| rules.starts_with("cpython-"))
    }

    /// Does it poll first another branch of a task each time?
    pub(crate) fn rotates_branches(&self) -> bool {
        self.rules.is_some_and(|rules| rules.starts_with("tokio-"))
    }

    /// Is it told when its tasks set timers, since that decides when it learns of them, or in which order?
    #[must_use]
    pub fn keeps_timers(&self) -> bool {
        self.rounds || self.timers.are_late()
    }

    /// An executor that has the defaults of all.
    #[must_use]
    pub fn new(kind: &'static Kind, workers: u32) -> Executor {
        Executor {
            kind,
            workers,
            default_workers: kind.threads == Threads::Workers,
            gil: None,
            waiters_ask: false,
            asker: 0.0,
            timers: Timers::default(),
            budget: None,
            event_interval: None,
            rounds: false,
            global_interval: None,
            helps: false,
            goes_on: false,
            limits: None,
            of_processes: false,
            start_method: None,
            hands_off: false,
            queue: Arc::new(Fifo),
            own_rules: Vec::new(),
            rules: None,
            as_measured: None,
        }
    }
}
