//! What cannot be run for real, in words: a sentence that says why, and one that says what to do about it.

use std::fmt;

use sim_core::executor::Elsewhere;
use sim_core::scenario::{SyncKind, SyncObject};
use sim_core::time::Span;

use crate::play::library;

/// What to do where something was killed, or could not be had.
const LIMITS: &str =
    "look at the limits of this system (ulimit -a) and at what it killed (dmesg), or make the scenario smaller";

/// Why a scenario cannot be run for real here.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Unmeasurable {
    /// What the matter is.
    pub reason: String,
    /// What can be done about it.
    pub hint: String,
}

impl fmt::Display for Unmeasurable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\nhint: {}", self.reason, self.hint)
    }
}

impl std::error::Error for Unmeasurable {}

impl Unmeasurable {
    fn new(reason: impl Into<String>, hint: impl Into<String>) -> Unmeasurable {
        Unmeasurable { reason: reason.into(), hint: hint.into() }
    }

    /// Nothing if nothing is the matter; of several things each is said, one after the other, with what can be done about it.
    pub(crate) fn together(all: Vec<Unmeasurable>) -> Result<(), Unmeasurable> {
        let both =
            |one: Unmeasurable, next: Unmeasurable| Unmeasurable::new(format!("{one}\n{}", next.reason), next.hint);
        all.into_iter().reduce(both).map_or(Ok(()), Err)
    }

    pub(crate) fn too_few_processors(wanted: usize, available: usize) -> Unmeasurable {
        Unmeasurable::new(
            format!("the scenario has {wanted} processors, this machine lets us use {available}"),
            format!("measure with --set machine.processors={available}, or on a larger machine"),
        )
    }

    pub(crate) fn interrupted() -> Unmeasurable {
        Unmeasurable::new("the run was interrupted", "let it end, or give the scenario less to do")
    }

    pub(crate) fn different_speeds() -> Unmeasurable {
        Unmeasurable::new(
            "the scenario's processors have different speeds, this machine's do not",
            "give all processors the same speed to measure it",
        )
    }

    pub(crate) fn unknown_executor(name: &str) -> Unmeasurable {
        Unmeasurable::new(
            format!("the executor `{name}` has no counterpart that could be measured"),
            "choose another executor",
        )
    }

    pub(crate) fn elsewhere(name: &str, Elsewhere { what, instead }: Elsewhere) -> Unmeasurable {
        Unmeasurable::new(
            format!("the executor `{name}` is {what}, and a Rust program has none like it"),
            format!("simulate it with `sim run`, or measure with {instead}"),
        )
    }

    pub(crate) fn too_many_threads(threads: usize, most: usize, what: &str) -> Unmeasurable {
        Unmeasurable::new(
            format!("the scenario needs {threads} {what} at once; more than {most} are not started for real"),
            "lower the count of its tasks, or choose an executor with fewer of them, such as `async` or `pool`",
        )
    }

    pub(crate) fn periodic(name: &str, obstacle: Option<&str>) -> Unmeasurable {
        let why = obstacle.map_or("none is to be used".to_owned(), ToOwned::to_owned);
        Unmeasurable::new(
            format!("the task `{name}` is periodic: its jobs are released by a dispatcher, and {why}"),
            "simulate it with `sim run`, or measure it with the executor `threads` or `processes`",
        )
    }

    pub(crate) fn aborted(name: &str) -> Unmeasurable {
        Unmeasurable::new(
            format!(
                "late jobs of the task `{name}` end where they are (`on-miss`), and a real thread that has no processor then could \
                 not give back what it holds"
            ),
            "simulate it with `sim run`, or measure it with on-miss = \"skip\" or without `on-miss`",
        )
    }

    pub(crate) fn served(name: &str) -> Unmeasurable {
        Unmeasurable::new(
            format!("the task `{name}` has a server, and Linux has none for fixed priorities"),
            "simulate it with `sim run`, or leave `server` out",
        )
    }

    pub(crate) fn not_dispatched(obstacle: &str) -> Unmeasurable {
        Unmeasurable::new(
            format!("the run cannot have a dispatcher: {obstacle}"),
            "measure without --dispatcher, or choose the executor `threads` or `processes`",
        )
    }

    pub(crate) fn of_loop_and_pool(object: &SyncObject, process: &str, pool: &str) -> Unmeasurable {
        Unmeasurable::new(
            format!("{} is used by tasks of `{process}` and `on` its pool `{pool}`", named(object)),
            "objects of asyncio are not for threads: let each have its own, or simulate with `sim run`",
        )
    }

    pub(crate) fn locked(process: &str, executor: &str) -> Unmeasurable {
        let what = match executor {
            "pool" => "is a pool whose threads share an interpreter lock".to_owned(),
            other => format!("has the executor `{other}` under an interpreter lock"),
        };
        Unmeasurable::new(
            format!("the process `{process}` {what}, which cannot be measured with Rust runtimes"),
            "say runtime = \"cpython\" to measure Python's own; `sim run` simulates it as it is",
        )
    }

    pub(crate) fn runs_under_lock(task: &str, called: &str) -> Unmeasurable {
        Unmeasurable::new(
            format!(
                "`{task}` has an interpreter lock, and would run `{called}` itself where its pool is full (`caller-runs`)"
            ),
            "simulate it with `sim run`, or leave `gil` out",
        )
    }

    pub(crate) fn no_groups(group: &str, missing: &str) -> Unmeasurable {
        Unmeasurable::new(
            format!("the group `{group}` would be a control group of the kernel, with its cpu controller: {missing}"),
            "simulate it with `sim run`, or measure as root on a machine or in a container with writable control groups",
        )
    }

    pub(crate) fn quota(group: &str, why: &str) -> Unmeasurable {
        Unmeasurable::new(
            format!("the quota of the group `{group}` is simulated, but not measured: {why}"),
            "simulate it with `sim run`, or give it a quota that the kernel takes",
        )
    }

    pub(crate) fn waits_for_ever(task: &str, object: &SyncObject, real: &str, why: &str) -> Unmeasurable {
        let kind = object.library.map_or("", |library| library.name);
        Unmeasurable::new(
            format!("the task `{task}` gives up waiting for {} of the kind `{kind}`, a {real}: {why}", named(object)),
            "leave `kind` out: who waits for an object of our own may always give up",
        )
    }

    pub(crate) fn drops(branch: &str, object: &SyncObject, real: &str, why: &str) -> Unmeasurable {
        Unmeasurable::new(
            format!("`{branch}` may be dropped while it waits for {}, a {real}: {why}", named(object)),
            "leave `kind` out: an object of our own is left by whoever is dropped",
        )
    }

    pub(crate) fn endless() -> Unmeasurable {
        Unmeasurable::new(
            "the scenario never ends: a task repeats forever and there is no horizon",
            "set a horizon, such as until = \"2s\"",
        )
    }

    pub(crate) fn too_long(least: Span, limit: Span) -> Unmeasurable {
        Unmeasurable::new(
            format!("the run would take {} or more, which is longer than the time limit {limit}", rounded(least)),
            "shorten the scenario, or set a horizon, such as --set until=10s",
        )
    }

    pub(crate) fn too_much_spawned(most: usize) -> Unmeasurable {
        Unmeasurable::new(
            format!("the tasks spawned more than {most} others, for which there is no room"),
            "spawn fewer tasks, or set an earlier horizon (until)",
        )
    }

    pub(crate) fn spawn_out_of_process(task: &str, spawned: &str) -> Unmeasurable {
        Unmeasurable::new(
            format!("`{task}` is a process of its own and spawns `{spawned}`, a task of another process"),
            "move the spawned task into the same process, or choose the executor `threads`",
        )
    }

    pub(crate) fn process_died(task: &str) -> Unmeasurable {
        Unmeasurable::new(
            format!(
                "the process of `{task}` was killed, or died, before its task had finished: the run is worth nothing"
            ),
            "measure again; if it was the system that killed it, it had too little memory (see dmesg)",
        )
    }

    pub(crate) fn process_stopped(task: &str) -> Unmeasurable {
        Unmeasurable::new(
            format!(
                "the process of `{task}` was stopped by a signal and still stood still when time was up: it was killed"
            ),
            "measure again, and leave its processes alone meanwhile",
        )
    }

    pub(crate) fn not_from_library(object: &SyncObject, library: &str) -> Unmeasurable {
        let there = library::with(object.kind).map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        let instead = "write `order` and `hand-over` instead of `kind`: an object of our own goes by them";
        Unmeasurable::new(
            format!("{} of the kind `{library}` is simulated, but not measured yet", named(object)),
            if there.is_empty() { instead.into() } else { format!("measured are {there}; or {instead}") },
        )
    }

    pub(crate) fn rule_of_library(object: &SyncObject, library: &str) -> Unmeasurable {
        Unmeasurable::new(
            format!("{} is of the kind `{library}`, and the file has it handed on in another way", named(object)),
            "leave `order`, `hand-over`, `fair-after`, `yields`, `spin` and `prefer` out, or `kind`: an object of our own goes by them",
        )
    }

    pub(crate) fn waits_with_another_library(condvar: &SyncObject, lock: &SyncObject) -> Unmeasurable {
        let kind = |object: &SyncObject| match object.library {
            Some(library) => format!("of the kind `{}`", library.name),
            None => "of no `kind`".into(),
        };
        Unmeasurable::new(
            format!("{} is {}, and {} is {}", named(condvar), kind(condvar), named(lock), kind(lock)),
            "a real condition variable waits with a lock of its own library: give both the same `kind`, or none",
        )
    }

    pub(crate) fn several_receivers(channel: &SyncObject, real: &str) -> Unmeasurable {
        Unmeasurable::new(
            format!("{} is a {real}, from which one task receives; here several do", named(channel)),
            "channels of the kind `crossbeam` and `flume` have any number of receivers; or leave `kind` out",
        )
    }

    pub(crate) fn library_between_processes(object: &SyncObject, real: &str) -> Unmeasurable {
        Unmeasurable::new(
            format!(
                "{} is a {real}, which lives in one process, and tasks of the executor `processes` have one each",
                named(object)
            ),
            "choose the executor `threads`; or leave `kind` out: an object of our own is shared by processes",
        )
    }

    pub(crate) fn library_under_executor(object: &SyncObject, real: &str, executor: &str) -> Unmeasurable {
        Unmeasurable::new(
            format!(
                "{} is a {real}, for which a thread waits, and tasks of the executor `{executor}` wait without theirs",
                named(object)
            ),
            "async tasks can wait at objects of the kind `tokio`; or leave `kind` out",
        )
    }

    pub(crate) fn no_python(named: Option<&str>) -> Unmeasurable {
        let looked = named.map_or_else(|| "`python3` or `python`".to_owned(), |name| format!("`{name}`"));
        Unmeasurable::new(
            format!("a process of the scenario runs in CPython, and there is no {looked} here"),
            "install Python 3.9 or later, name one with --python PATH, or simulate with `sim run`",
        )
    }

    pub(crate) fn not_python(name: &str, why: &str) -> Unmeasurable {
        Unmeasurable::new(
            format!("`{name}` is no CPython that could be measured: {why}"),
            "name another with --python PATH, or with runtime = { kind = \"cpython\", python = … }",
        )
    }

    pub(crate) fn not_in_python(what: &str) -> Unmeasurable {
        Unmeasurable::new(
            format!("{what}: that cannot be measured in Python"),
            "simulate it with `sim run`, or measure it with --set 'runtime=\"rust\"' where the process has that key",
        )
    }

    pub(crate) fn unknown_to_python(object: &SyncObject) -> Unmeasurable {
        let what = match object.kind {
            SyncKind::Channel { .. } => "holds nothing, and queues of Python hold something",
            _ => "has no counterpart in Python",
        };
        let hint = match object.kind {
            SyncKind::Channel { .. } => {
                "give it a capacity of 1 or more (1_000_000 has no bound), or simulate with `sim run`"
            }
            _ => "use another object, or simulate with `sim run`",
        };
        Unmeasurable::new(format!("{} {what}", named(object)), hint)
    }

    pub(crate) fn shared_with_python(object: &SyncObject, one: &str, other: &str) -> Unmeasurable {
        Unmeasurable::new(
            format!("{} is used by `{one}`, which runs in Python, and by `{other}`", named(object)),
            "objects of Python live in one process of a scenario (tasks of the executor `processes` share them)",
        )
    }

    pub(crate) fn notifies_without_lock(task: &str, condvar: &SyncObject) -> Unmeasurable {
        Unmeasurable::new(
            format!("`{task}` notifies at {} without the lock with which others wait there", named(condvar)),
            "a Condition of Python is notified by who holds its lock: put the operation into a `with`",
        )
    }

    pub(crate) fn waits_with_two_locks(condvar: &str, one: &str, other: &str) -> Unmeasurable {
        Unmeasurable::new(
            format!("tasks wait at the condvar `{condvar}` with the lock `{one}` and with `{other}`"),
            "a Condition of Python has one lock: wait with the same one everywhere",
        )
    }

    pub(crate) fn no_barrier(interpreter: &str, barrier: &SyncObject) -> Unmeasurable {
        Unmeasurable::new(
            format!("asyncio has barriers from Python 3.11 on, and {} is one: this is {interpreter}", named(barrier)),
            "name a later one with --python PATH, choose the executor `threads`, or simulate with `sim run`",
        )
    }

    pub(crate) fn system(what: &str, error: &dyn fmt::Display) -> Unmeasurable {
        Unmeasurable::new(format!("cannot {what}: {error}"), LIMITS)
    }

    pub(crate) fn unstarted() -> Unmeasurable {
        Unmeasurable::new("a thread or process for a spawned task could not be started", LIMITS)
    }

    pub(crate) fn no_room(what: impl Into<String>) -> Unmeasurable {
        Unmeasurable::new(what, "make the scenario smaller, or set an earlier horizon (until)")
    }

    /// An interpreter has not done what it was to do.
    pub(crate) fn of_interpreter(what: String, is_of_limits: bool) -> Unmeasurable {
        let other = "measure again, or name another interpreter with --python PATH";
        Unmeasurable::new(what, if is_of_limits { LIMITS } else { other })
    }

    pub(crate) fn failed(what: impl Into<String>) -> Unmeasurable {
        Unmeasurable::new(what, "measure again; if that does not help, simulate with `sim run`")
    }
}

/// ``the lock `m` ``.
fn named(object: &SyncObject) -> String {
    format!("the {} `{}`", object.kind.word(), object.name)
}

/// Rounded for a message: whole milliseconds.
fn rounded(span: Span) -> Span {
    if span < Span::from_ms(10) { span } else { Span::from_ms(span.ns() / 1_000_000) }
}
