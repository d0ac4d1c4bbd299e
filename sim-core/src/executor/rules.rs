//! The shelf of rules: what a version of a runtime does, as values of the parameters of executors.
//!
//! `rules = "tokio-1.54"` in the table of an executor stands for the parameters that are listed here; those that are written
//! beside it win. The constants of runtimes are no part of what they promise, so their version is a part of the name: another
//! version that behaves otherwise is another entry, and this one keeps its meaning.
//!
//! One more is one entry of [`RULES`]. Of crates that are linked, tests hold the name against `Cargo.lock` and the behaviour
//! against the crate.
//!
//! Sources: the repositories of the projects at the tags of these versions. tokio 1.54: `runtime/time` (timers are kept by
//! whole milliseconds since the runtime was made, and whoever parks waits for whole milliseconds from then on),
//! `runtime/scheduler` (61 polls between looks at the driver; a slot for the task woken last, three times in a row; thieves
//! take half from a victim drawn at random on), `task/coop` (128). rayon 1.12 with rayon-core 1.13: `registry.rs` (the own
//! deque from its end, else others' from a random one on, else the injector). Go 1.24: `runtime/proc.go` (61; 10 ms of the
//! monitor, seen twice). CPython 3.11 to 3.14: `Python/ceval_gil.c` (`take_gil`, `drop_gil`), `sys.getswitchinterval()`; who gets
//! the lock is no rule of theirs but what was measured of 3.11.7, 3.12.1 and 3.13.0 (see `executor/interpreter_lock.rs`);
//! `Lib/asyncio/base_events.py`, `Lib/selectors.py`. tokio 1.54: `runtime/blocking/pool.rs` (512 threads, 10 s). OpenJDK 17:
//! `java.util.concurrent.ThreadPoolExecutor`, `Executors`.

use super::{Executor, Kind, goroutines, pool, single_thread, threads, work_stealing};

/// The rules that scenario files can name, in the order in which they are listed.
pub static RULES: &[&Rules] =
    &[&TOKIO, &RAYON, &JVM, &GO, &CPYTHON_3_11, &CPYTHON_3_12, &CPYTHON_3_13, &CPYTHON_3_13T, &CPYTHON_3_14];

/// What a version of a runtime does.
#[derive(Debug)]
pub struct Rules {
    /// The name of the runtime, and its version.
    pub name: &'static str,
    /// One line for people.
    pub summary: &'static str,
    /// What they set, by executor.
    pub sets: &'static [Set],
}

/// What rules set of one executor.
#[derive(Debug)]
pub struct Set {
    /// The executor.
    pub executor: &'static Kind,
    /// The parameters with their values, as in a scenario file, one a line.
    pub parameters: &'static str,
    /// Is this what runs when such an executor, which names no rules, is measured?
    is_measured: fn(&Executor) -> bool,
}

impl Rules {
    /// The runtime of which they are a version: `cpython-3.13` is of `cpython`.
    #[must_use]
    pub fn runtime(&self) -> &'static str {
        self.name.split('-').next().unwrap_or(self.name)
    }

    /// Are they those of a version of CPython?
    #[must_use]
    pub fn is_of_cpython(&self) -> bool {
        self.runtime() == "cpython"
    }

    /// What they set of the executor, if they are for it.
    #[must_use]
    pub fn of(&self, kind: &Kind) -> Option<&'static Set> {
        self.sets.iter().find(|set| std::ptr::eq(set.executor, kind))
    }
}

/// The rules by which an interpreter behaves that calls itself `name`, `cpython-3.12`: those of the newest version that is not newer, or
/// the oldest. Nothing if it is no CPython.
#[must_use]
pub fn nearest(name: &str) -> Option<&'static Rules> {
    let version = |name: &str| -> Option<(bool, Vec<u32>)> {
        let numbers = name.strip_prefix("cpython-")?;
        let free = numbers.strip_suffix('t');
        let parts = free.unwrap_or(numbers).split('.').map(|part| part.parse().ok());
        Some((free.is_some(), parts.collect::<Option<_>>()?))
    };
    let (free, wanted) = version(name)?;
    let of_kind = RULES.iter().copied().filter_map(|rules| version(rules.name).map(|version| (version, rules)));
    let of_kind: Vec<_> = of_kind.filter(|((is_free, _), _)| *is_free == free).collect();
    let not_newer = of_kind.iter().filter(|((_, version), _)| *version <= wanted).max_by(|(a, _), (b, _)| a.cmp(b));
    let oldest = of_kind.iter().min_by(|(a, _), (b, _)| a.cmp(b));
    not_newer.or(oldest).map(|(_, rules)| *rules)
}

/// The rules that are for this executor.
pub fn for_executor(kind: &Kind) -> impl Iterator<Item = &'static Rules> {
    RULES.iter().copied().filter(|rules| rules.of(kind).is_some())
}

/// The executor as it behaves when it is measured: by the rules of the runtime that is linked, where the file says nothing
/// else. A file that names rules, or says of timers how they ring, is taken at its word.
#[must_use]
pub fn measured(executor: &Executor) -> Executor {
    executor.as_measured.as_deref().unwrap_or(executor).clone()
}

/// The rules by which such an executor behaves when it is measured, if it is not by those that it has.
pub(crate) fn when_measured(executor: &Executor) -> Option<&'static Set> {
    let of_rules = for_executor(executor.kind).filter_map(|rules| rules.of(executor.kind));
    let ours = [&SHARED_POOL, &LOCKED_THREADS].into_iter();
    let all = of_rules.chain(ours.filter(|set| std::ptr::eq(set.executor, executor.kind)));
    all.into_iter().find(|set| (set.is_measured)(executor))
}

/// A pool with one shared queue, which no library that is linked has: it is measured with threads of rayon that take their tasks
/// from such a queue.
static SHARED_POOL: Set =
    Set { executor: &pool::KIND, parameters: "next = \"at-once\"", is_measured: |executor| !executor.helps };

/// The interpreter lock of the recorder: CPython's, but of who gets it nothing is known.
static LOCKED_THREADS: Set = Set {
    executor: &threads::KIND,
    parameters: r#"gil-request = "when-running""#,
    is_measured: |executor| executor.gil.is_some(),
};

static TOKIO: Rules = Rules {
    name: "tokio-1.54",
    summary: "tokio's runtimes: timers of whole milliseconds, for which an idle thread waits whole milliseconds",
    sets: &[
        Set {
            executor: &single_thread::KIND,
            parameters: r#"event-interval = 61
global-interval = 31
yield = "deferred"
budget = 128
timer = "1ms"
epoch = "50us"
park = "whole-steps"
timed-devices = "news""#,
            is_measured: |executor| executor.timers.step.is_zero(),
        },
        Set {
            executor: &work_stealing::KIND,
            parameters: r#"queue = "own"
lifo-slot = true
global-interval = 61
event-interval = 61
steal = "half"
victims = "random"
driver = "one"
yield = "deferred"
budget = 128
timer = "1ms"
epoch = "50us"
park = "whole-steps"
timed-devices = "news""#,
            is_measured: |executor| executor.timers.step.is_zero(),
        },
        // What `spawn_blocking` gives its tasks to.
        Set {
            executor: &pool::KIND,
            parameters: r#"queue = "shared"
next = "at-once"
core = 0
maximum = 512
keep-alive = "10s"
queue-limit = 0"#,
            is_measured: |_| false,
        },
    ],
};

/// `ThreadPoolExecutor`, as `Executors` makes it where they keep idle threads: for a minute.
static JVM: Rules = Rules {
    name: "jvm-17",
    summary: "Java's thread pools: a new thread up to `core`, else the queue, and only when that is full one up to `maximum`",
    sets: &[Set {
        executor: &pool::KIND,
        parameters: r#"queue = "shared"
next = "at-once"
keep-alive = "60s""#,
        is_measured: |_| false,
    }],
};

static RAYON: Rules = Rules {
    name: "rayon-1.12",
    summary: "rayon's pool: a deque for each worker, whose owner takes what came last and thieves what came first",
    sets: &[Set {
        executor: &pool::KIND,
        parameters: r#"queue = "stealing"
victims = "random""#,
        is_measured: |executor| executor.helps,
    }],
};

static GO: Rules = Rules {
    name: "go-1.24",
    summary: "Go's scheduler: a queue and a next task for each P, preempted when the monitor has seen it twice",
    sets: &[Set {
        executor: &goroutines::KIND,
        parameters: r#"slice = "20ms"
global-interval = 61
poll-interval = "10ms"
victims = "random""#,
        is_measured: |_| false,
    }],
};

/// The interpreter lock of CPython 3.11, of which that of 3.12 and that of 3.13 behave alike.
///
/// Source: `Python/ceval_gil.c`. A thread that wants the lock waits for `sys.getswitchinterval()`, and asks the holder to drop
/// it when it gets a processor after that. In a kernel trace of 103 such turns of three threads on two processors the one that
/// had asked got the lock in 64, although another had waited longer.
static CPYTHON_3_11: Rules = Rules { name: "cpython-3.11", summary: CPYTHON, sets: CPYTHON_SETS };

/// As [`CPYTHON_3_11`]: measured side by side, with the same figures.
static CPYTHON_3_12: Rules = Rules { name: "cpython-3.12", summary: CPYTHON, sets: CPYTHON_SETS };

/// As [`CPYTHON_3_11`], measured side by side, with the same figures; but the queue of pools is another: see `executor/idle.rs`. A
/// build without the lock is another thing.
static CPYTHON_3_13: Rules = Rules { name: "cpython-3.13", summary: CPYTHON_HANDING, sets: CPYTHON_3_13_SETS };

/// As [`CPYTHON_3_13`]: `take_gil` and `drop_gil` are the same, and so are asyncio's loop and objects. Locks of `threading` are others:
/// see `sync/kinds/cpython.rs`.
pub(crate) static CPYTHON_3_14: Rules = Rules { name: "cpython-3.14", summary: CPYTHON_FAIR, sets: CPYTHON_3_13_SETS };

const CPYTHON_FAIR: &str =
    "as 3.13, but a lock of `threading` is handed to who has waited for it for more than a millisecond";

const CPYTHON: &str = "CPython's interpreter lock, for which a waiter must run to ask, and asyncio's loop, which goes by rounds and waits whole \
     milliseconds";

const CPYTHON_HANDING: &str = "as 3.12, but a task given to a pool is handed to the worker that has been idle longest";

static CPYTHON_SETS: &[Set] = &[
    CPYTHON_THREADS,
    Set {
        executor: &pool::KIND,
        parameters: r#"queue = "shared"
next = "at-once"
wakes = "in-turn"
gil = "5ms"
gil-request = "when-running"
gil-asker = 0.65"#,
        is_measured: |_| false,
    },
    CPYTHON_LOOP,
];

static CPYTHON_3_13_SETS: &[Set] = &[
    CPYTHON_THREADS,
    Set {
        executor: &pool::KIND,
        parameters: r#"queue = "shared"
next = "at-once"
wakes = "handed"
gil = "5ms"
gil-request = "when-running"
gil-asker = 0.65"#,
        is_measured: |_| false,
    },
    CPYTHON_LOOP,
];

const CPYTHON_THREADS: Set = Set {
    executor: &threads::KIND,
    parameters: r#"gil = "5ms"
gil-request = "when-running"
gil-asker = 0.65"#,
    is_measured: |_| false,
};

/// The free-threaded build of 3.13, measured as 3.13.15: threads compute at once. Its `Lock` is the same as that of others.
static CPYTHON_3_13T: Rules = Rules {
    name: "cpython-3.13t",
    summary: "free-threaded CPython: threads without an interpreter lock, and asyncio's loop",
    sets: &[
        Set { executor: &threads::KIND, parameters: "", is_measured: |_| false },
        Set {
            executor: &pool::KIND,
            parameters: "queue = \"shared\"\nnext = \"at-once\"\nwakes = \"handed\"",
            is_measured: |_| false,
        },
        CPYTHON_LOOP,
    ],
};

/// asyncio's loop: no version from 3.11 to 3.14 differs in this.
const CPYTHON_LOOP: Set = Set {
    executor: &single_thread::KIND,
    parameters: r#"event-interval = "round"
yield = "tail"
budget = 0
park = "whole-ms"
timed-devices = "news""#,
    is_measured: |_| false,
};
