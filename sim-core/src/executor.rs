//! The shelf of executors, the runtime floor: who runs the tasks of a process, on which threads.
//!
//! An executor is described by its shape: how many threads it has, whether a task keeps its thread until it ends, and
//! in which order tasks that are ready get a thread. The order is a [`Policy`], the same trait
//! that places threads on processors one floor below: here the "processors" are worker threads and the slice is
//! endless (or, for a global interpreter lock, one slot with a slice of some milliseconds).

mod pool;
mod processes;
mod sequential;
mod single_thread;
mod threads;
mod work_stealing;

use crate::policy::Policy;
use crate::scenario::Executor;

/// The executors that scenario files can name, in the order in which they are listed.
pub static EXECUTORS: &[&Kind] =
    &[&sequential::KIND, &threads::KIND, &single_thread::KIND, &pool::KIND, &work_stealing::KIND, &processes::KIND];

/// What the shelf knows of an executor.
#[derive(Debug)]
pub struct Kind {
    /// Its name in scenario files.
    pub name: &'static str,
    /// One line for people.
    pub summary: &'static str,
    /// How its threads come to be.
    pub threads: Threads,
    /// Does a task keep its thread until it ends, blocking it at I/O?
    pub keeps_thread: bool,
    /// Does it take the parameter `workers`?
    pub takes_workers: bool,
    /// Does it take the parameter `gil`?
    pub takes_gil: bool,
    /// In which order ready tasks get a thread (unused by executors with a thread per task and no interpreter lock).
    pub queue: fn(&Executor) -> Box<dyn Policy>,
}

/// How the threads of an executor come to be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Threads {
    /// The process's own first thread does everything.
    Main,
    /// A fixed number of worker threads.
    Workers,
    /// A thread for each task.
    PerTask,
    /// A process, with one thread, for each task.
    ProcessPerTask,
}
