//! What Linux has of a policy: which of its scheduling classes comes nearest, and what that class does otherwise.
//!
//! Each policy says it of itself ([`Settings::on_linux`](super::Settings::on_linux)), since it depends on its parameters. Source:
//! sched(7); kernel/sched/rt.c and fair.c of Linux 6.18; what the kernel really ran was recorded for each policy and parameter.

use crate::time::Span;

/// A scheduling class of Linux.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Class {
    /// SCHED_OTHER: fair by the weight of nice.
    Other,
    /// SCHED_FIFO: by real-time priority, first come, first served within one; preemptive.
    Fifo,
    /// SCHED_RR: as SCHED_FIFO, in slices of this length within a priority.
    RoundRobin(Span),
    /// The class that each task names.
    Named,
}

impl Class {
    /// Its name in manuals.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Class::Other => "SCHED_OTHER",
            Class::Fifo => "SCHED_FIFO",
            Class::RoundRobin(_) => "SCHED_RR",
            Class::Named => "Linux's scheduler",
        }
    }
}

/// How near what ran is to what was asked for; the better ones first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Realised {
    /// It is the same.
    Exact,
    /// It follows the same idea with other rules in detail.
    Approximated,
    /// It is something else: what is measured tells nothing of what was asked for.
    Not,
}

impl Realised {
    /// Its name, as in outcomes.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Realised::Exact => "exact",
            Realised::Approximated => "approximated",
            Realised::Not => "not",
        }
    }
}

/// What ordinary threads ask for at a time on a machine with so many processors, where nobody has set anything else: 0.7 ms, and
/// as much more for each doubling up to eight (`sched_base_slice` in kernel/sched/fair.c of Linux 6.18).
#[must_use]
pub fn base_slice(processors: usize) -> Span {
    Span::from_us(700) * u64::from(1 + processors.clamp(1, 8).ilog2())
}

/// The class that comes nearest to a policy, and how near.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Counterpart {
    /// The class.
    pub class: Class,
    /// What its ordinary threads ask for at a time, if that is not what the kernel has for all.
    pub slice: Option<Span>,
    /// How near it comes.
    pub realised: Realised,
    /// What it does otherwise, in words that follow its name; empty where nothing, or where there is nothing alike.
    pub differs: String,
}

impl Counterpart {
    /// The class does the same.
    #[must_use]
    pub fn exact(class: Class) -> Counterpart {
        Counterpart { class, slice: None, realised: Realised::Exact, differs: String::new() }
    }

    /// No class does anything like it.
    #[must_use]
    pub fn none() -> Counterpart {
        Counterpart { realised: Realised::Not, ..Counterpart::exact(Class::Other) }
    }

    /// A tick that the file sets is that of the kernel all the same.
    #[must_use]
    pub(crate) fn on_ticks(self, asked: Option<Span>) -> Counterpart {
        if asked.is_none() { self } else { self.but(Realised::Approximated, "ticks as the kernel was built to") }
    }

    /// It is no nearer than that, since the class does this otherwise.
    #[must_use]
    pub fn but(mut self, realised: Realised, differs: &str) -> Counterpart {
        self.realised = self.realised.max(realised);
        self.differs += if self.differs.is_empty() { "" } else { ", and " };
        self.differs += differs;
        self
    }
}
