//! Processes, as the engine and the real executors need them.

use super::{Runtime, StartMethod};
use crate::executor::{Executor, Threads};

/// A process: an address space, an executor, and tasks (the [`Spec`](super::Spec)s that name it).
#[derive(Clone, Debug)]
pub struct Process {
    /// Its name; copy `k` of a process with `count` above one is called `name#k`.
    pub name: String,
    /// What it runs in.
    pub runtime: Runtime,
    /// Who runs its tasks.
    pub executor: Executor,
}

impl Process {
    /// How the processes of its tasks are started, if Python does so.
    #[must_use]
    pub fn start_method(&self) -> Option<StartMethod> {
        let starts = self.executor.kind.threads == Threads::ProcessPerTask || self.executor.of_processes;
        let method = self.executor.start_method.unwrap_or(StartMethod::Fork);
        Some(method).filter(|_| starts && self.runtime.cpython().is_some())
    }

    /// Does it go by the rules of CPython?
    #[must_use]
    pub fn is_of_cpython(&self) -> bool {
        self.runtime.cpython().is_some() || self.executor.is_of_cpython()
    }
}
