//! Processes, as the engine and the real executors need them.

use super::{Runtime, StartMethod};
use crate::executor::{Executor, Threads};
use crate::ids::{GroupId, ProcessId};

/// A process: an address space, an executor, and tasks (the [`Spec`](super::Spec)s that name it).
#[derive(Clone, Debug)]
pub struct Process {
    /// Its name; copy `k` of a process with `count` above one is called `name#k`.
    pub name: String,
    /// What it runs in.
    pub runtime: Runtime,
    /// Who runs its tasks.
    pub executor: Executor,
    /// The group it is in.
    pub group: Option<GroupId>,
    /// Which pool of another process it is, if it is one: see [`Part`].
    pub part: Option<Part>,
}

/// A pool that a process has beside its executor. It stands among the processes as one of its own, whose tasks are what
/// others do `on` it; but its threads live in the address space of the whole, and share its interpreter lock.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Part {
    /// The process that has it. Invariant: no part itself, and comes before it.
    pub whole: ProcessId,
    /// The name of the pool in that process.
    pub pool: String,
}

impl Process {
    /// How the processes of its tasks are started, if Python does so.
    #[must_use]
    pub fn start_method(&self) -> Option<StartMethod> {
        let starts = self.executor.kind.threads == Threads::ProcessPerTask || self.executor.of_processes;
        let method = self.executor.start_method.unwrap_or(StartMethod::Fork);
        Some(method).filter(|_| starts && self.runtime.cpython().is_some())
    }

    /// The process in whose address space its threads live, where it is the one with this id.
    #[must_use]
    pub fn whole(&self, own: ProcessId) -> ProcessId {
        self.part.as_ref().map_or(own, |part| part.whole)
    }

    /// Does it go by the rules of CPython?
    #[must_use]
    pub fn is_of_cpython(&self) -> bool {
        self.runtime.cpython().is_some() || self.executor.is_of_cpython()
    }
}
