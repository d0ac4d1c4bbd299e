//! Processes, as the engine and the real executors need them.

use super::Runtime;
use crate::executor::Executor;

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
