//! The shelf of executors, the runtime floor: who runs the tasks of a process, on which threads.
//!
//! An executor is described by its shape: how many threads it has, whether a task keeps its thread until it ends, and
//! in which order tasks that are ready get a thread. The order is a [`Policy`](crate::policy::Policy), the same trait
//! that places threads on processors one floor below: here the "processors" are worker threads, and the slice is
//! endless unless the runtime preempts its tasks. What only runtimes ask, whom to wake and who woke a task, is in
//! [`RunQueue`], which is a policy too. Some runtimes have an interpreter lock besides, which is handed from thread to thread.
//!
//! Each executor has its rules and their parameters in a file of its own. One more is one file and two lines here: a
//! `mod` and an entry of [`EXECUTORS`]. If its order is none of those that are there, its file has a queue too: a
//! [`Policy`](crate::policy::Policy), and `impl RunQueue` for it, which is empty if it makes no difference who woke a task
//! and any parked worker is as good as another.

mod chosen;
mod chunks;
mod crew;
mod goroutines;
mod idle;
mod interpreter_lock;
mod limits;
mod model;
mod parameters;
mod pool;
mod processes;
mod queue;
mod rounds;
pub mod rules;
mod sequential;
mod single_thread;
mod stealing;
mod threads;
mod timers;
mod work_stealing;

pub(crate) use self::chosen::Fifo;
pub use self::model::Executor;
pub use self::queue::{Looks, Queue, RunQueue, Setup, WokenBy};
pub use self::timers::{Park, TimedDevices, Timers};
use crate::document::Table;
use crate::parameter::Parameter;
pub use crew::{Crew, Place};
pub use limits::{Limits, WhenFull, Written};

/// The executors that scenario files can name, in the order in which they are listed.
pub static EXECUTORS: &[&Kind] = &[
    &sequential::KIND,
    &threads::KIND,
    &single_thread::KIND,
    &pool::KIND,
    &work_stealing::KIND,
    &goroutines::KIND,
    &processes::KIND,
];

/// The executor of processes that name none.
pub(crate) static DEFAULT: &Kind = &threads::KIND;

/// What the shelf knows of an executor.
#[derive(Debug)]
pub struct Kind {
    /// Its name in scenario files.
    pub name: &'static str,
    /// One line for people.
    pub summary: &'static str,
    /// Its parameters, for listings and hints; `read` is what decides.
    pub parameters: &'static [Parameter],
    /// How its threads come to be.
    pub threads: Threads,
    /// Does a task keep its thread until it ends, blocking it at I/O?
    pub keeps_thread: bool,
    /// What it is, if that is nothing that a Rust program has: then it can be simulated only.
    pub elsewhere: Option<Elsewhere>,
    /// Has CPython something like it?
    pub in_python: bool,
    /// Reads its parameters into an executor that has the defaults of all; mistakes are left in the table.
    pub read: fn(&mut Table<'_>, &mut Executor),
}

/// What an executor is that Rust programs do not have.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Elsewhere {
    /// What it is, in words.
    pub what: &'static str,
    /// What can be measured instead, and how that differs.
    pub instead: &'static str,
}

impl Kind {
    /// Has it a parameter of this name?
    #[must_use]
    pub fn takes(&self, parameter: &str) -> bool {
        self.parameters.iter().any(|own| own.name == parameter)
    }
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

/// The most threads of one executor.
const WORKERS: u32 = 65_535;

/// Reads `workers`, the number of threads.
fn workers(table: &mut Table<'_>, executor: &mut Executor) {
    if let Some(item) = table.item("workers") {
        (executor.workers, executor.default_workers) = (item.count(1..=WORKERS).unwrap_or(1), false);
    }
}

/// Reads a number of polls, such as `event-interval`.
fn interval(table: &mut Table<'_>, key: &'static str, default: u32) -> u32 {
    table.item(key).and_then(|item| item.count(1..=u32::MAX)).unwrap_or(default)
}
