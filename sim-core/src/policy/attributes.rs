//! What policies may know of a task: what its file says of it, never what it is going to do.

use std::sync::Arc;

use crate::distribution::Distribution;
use crate::ids::{CpuId, GroupId};
use crate::time::Span;

/// What policies may know of a task beforehand.
#[derive(Clone, Debug)]
pub struct Attributes {
    /// Larger is more urgent (unless the policy's `order` says otherwise).
    pub priority: i64,
    /// Fair policies: -20 (favoured) … 19.
    pub nice: i8,
    /// The class of the kernel it is in, for policies that have such.
    pub class: SchedulingClass,
    /// Within the classes `fifo` and `round-robin`: 1 … 99, larger is more urgent.
    pub rt_priority: u8,
    /// Policies with virtual deadlines: how much processor time it asks for at a time, if not what all do.
    pub slice: Option<Span>,
    /// What policies of proportional shares go by.
    pub tickets: u32,
    /// Processors it may use; `None` is all. Invariant: at least one exists.
    pub affinity: Option<CpuSet>,
    /// How much it takes of a cache; `None` if caches make no difference to it.
    pub working_set: Option<u32>,
    /// When its jobs come, if it is periodic.
    pub periodic: Option<Periodic>,
    /// The server that reserves processor time for each instance, if there is one.
    pub server: Option<Server>,
    /// The groups it is in, the innermost first; `None` if it is in none.
    pub groups: Option<Arc<[Share]>>,
}

/// The weight of a group, in which somebody is, among those beside it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Share {
    /// Which group.
    pub group: GroupId,
    /// Its weight. Invariant: not zero.
    pub weight: u32,
}

/// The classes of Linux.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Debug)]
pub enum SchedulingClass {
    /// `SCHED_DEADLINE`: by the deadline of a budget.
    Deadline,
    /// `SCHED_FIFO`.
    Fifo,
    /// `SCHED_RR`.
    RoundRobin,
    /// `SCHED_OTHER`: ordinary threads.
    #[default]
    Other,
    /// `SCHED_BATCH`: as those, but they take the processor from nobody when they wake.
    Batch,
    /// `SCHED_IDLE`: only if nobody else wants to run, nearly.
    Idle,
}

impl SchedulingClass {
    /// Most urgent first.
    pub(crate) const ALL: [SchedulingClass; 6] = [
        SchedulingClass::Deadline,
        SchedulingClass::Fifo,
        SchedulingClass::RoundRobin,
        SchedulingClass::Other,
        SchedulingClass::Batch,
        SchedulingClass::Idle,
    ];

    /// What manuals call it.
    #[must_use]
    pub fn on_linux(self) -> &'static str {
        match self {
            SchedulingClass::Deadline => "SCHED_DEADLINE",
            SchedulingClass::Fifo => "SCHED_FIFO",
            SchedulingClass::RoundRobin => "SCHED_RR",
            SchedulingClass::Other => "SCHED_OTHER",
            SchedulingClass::Batch => "SCHED_BATCH",
            SchedulingClass::Idle => "SCHED_IDLE",
        }
    }

    /// What files call it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            SchedulingClass::Deadline => "deadline",
            SchedulingClass::Fifo => "fifo",
            SchedulingClass::RoundRobin => "round-robin",
            SchedulingClass::Other => "other",
            SchedulingClass::Batch => "batch",
            SchedulingClass::Idle => "idle",
        }
    }

    /// Does it go by that key of a task, if the stack of classes does?
    pub(crate) fn heeds(self, key: &str) -> bool {
        match key {
            "server" => self == SchedulingClass::Deadline,
            "rt-priority" => matches!(self, SchedulingClass::Fifo | SchedulingClass::RoundRobin),
            "nice" => matches!(self, SchedulingClass::Other | SchedulingClass::Batch),
            "slice" => matches!(self, SchedulingClass::Other | SchedulingClass::Batch | SchedulingClass::Idle),
            _ => true,
        }
    }
}

/// A task that runs its program again and again, each time a *job*.
///
/// Job `k` is released `k` periods after the arrival, later by its jitter, and never before the job ahead of it.
#[derive(Clone, PartialEq, Debug)]
pub struct Periodic {
    /// From one release to the next. Invariant: longer than zero.
    pub period: Span,
    /// From the release of a job to when it should have ended.
    pub deadline: Span,
    /// How many jobs there are; `None`: they go on until the horizon, which exists then.
    pub jobs: Option<u64>,
    /// By how much a release is late, drawn for each job.
    pub jitter: Distribution,
    /// The processor work of a job, if its program has the same each time.
    pub demand: Option<Span>,
    /// What becomes of a job that is late.
    pub on_miss: OnMiss,
}

/// What becomes of a job that has not ended when it should have.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum OnMiss {
    /// It goes on, and the next one waits for its end.
    #[default]
    Continue,
    /// It ends at its deadline, unfinished.
    Abort,
    /// It goes on, and the releases that come before its end are dropped.
    Skip,
}

/// A server: so much processor time in each period, whatever its tasks ask for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Server {
    /// Processor time in each period. Invariant: longer than zero, and not longer than the period.
    pub budget: Span,
    /// By how much the deadline is put off when the budget is used up; or how often it comes back.
    pub period: Span,
    /// How it serves.
    pub kind: ServerKind,
    /// Which one it is of those that have names, and may serve several tasks.
    pub number: Option<u32>,
    /// Of one by deadlines: must its task wait for its deadline when the budget is used up? The others always wait.
    pub hard: bool,
}

/// How a server serves.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ServerKind {
    /// At its times, whoever is there then.
    Polling,
    /// At any time, as long as its budget lasts.
    Deferrable,
    /// At any time; what is used comes back a period later.
    Sporadic,
    /// By a deadline that is put off when the budget is used up.
    ConstantBandwidth,
}

impl ServerKind {
    /// All of them: what each is called in scenario files, and what it does.
    pub const ALL: &[(ServerKind, &str, &str)] = &[
        (
            ServerKind::Polling,
            "polling",
            "serves whoever is there when its period begins; what it does not need is lost",
        ),
        (
            ServerKind::Deferrable,
            "deferrable",
            "serves at any time; its whole budget is there again when its period begins",
        ),
        (
            ServerKind::Sporadic,
            "sporadic",
            "serves at any time; what was used comes back a period after it became active",
        ),
        (
            ServerKind::ConstantBandwidth,
            "constant-bandwidth",
            "has a deadline, which is put off by a period when its budget is used up",
        ),
    ];

    /// What files call it.
    #[must_use]
    pub fn word(self) -> &'static str {
        ServerKind::ALL.iter().find(|(kind, ..)| *kind == self).map_or("", |(_, word, _)| word)
    }

    /// Is it for policies of fixed priorities?
    #[must_use]
    pub fn is_fixed(self) -> bool {
        self != ServerKind::ConstantBandwidth
    }
}

impl Attributes {
    /// May it run on `cpu`?
    #[must_use]
    #[inline]
    pub fn allows(&self, cpu: CpuId) -> bool {
        self.affinity.as_ref().is_none_or(|set| set.contains(cpu))
    }
}

/// A set of processors.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct CpuSet {
    words: Vec<u64>,
}

impl CpuSet {
    /// Adds a processor.
    pub fn insert(&mut self, cpu: CpuId) {
        let word = cpu.0 as usize / 64;
        if self.words.len() <= word {
            self.words.resize(word + 1, 0);
        }
        self.words[word] |= 1 << (cpu.0 % 64);
    }

    /// Is the processor in it?
    #[must_use]
    #[inline]
    pub fn contains(&self, cpu: CpuId) -> bool {
        self.words.get(cpu.0 as usize / 64).is_some_and(|word| word >> (cpu.0 % 64) & 1 == 1)
    }
}

impl FromIterator<CpuId> for CpuSet {
    fn from_iter<I: IntoIterator<Item = CpuId>>(cpus: I) -> Self {
        let mut set = CpuSet::default();
        cpus.into_iter().for_each(|cpu| set.insert(cpu));
        set
    }
}
