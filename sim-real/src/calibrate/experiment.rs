//! The small scenarios whose real runs show what a machine costs.

use sim_core::policy::on_linux::Class;
use sim_core::time::Span;

use crate::{Dispatcher, Options};

/// A scenario, and what is to be read off its runs.
#[derive(Debug)]
pub(super) struct Experiment {
    /// What it measures, for people.
    pub(super) what: &'static str,
    /// The section of a profile to which its costs belong.
    pub(super) section: &'static str,
    /// How many processors it takes.
    processors: u32,
    /// Under whose rules its threads are.
    rules: Rules,
    /// The executor, as TOML.
    executor: &'static str,
    /// What its tasks do.
    pub(super) work: Work,
}

/// Under whose rules threads are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Rules {
    /// Those of the class of files that name no policy.
    RealTime,
    /// Those of the class whose threads take turns.
    RoundRobin,
    /// Those of ordinary threads.
    Ordinary,
    /// Those of a policy, by a thread of ours that dispatches.
    Dispatched,
}

/// What tasks do, and what it shows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Work {
    /// Some tasks work and sleep in turn: starting, waking, and going to the next when one blocks.
    Sleepers,
    /// The same with bursts so long that little of what comes between them is left in caches.
    Toilers,
    /// Several short tasks at once: going to the next when one ends.
    Crowd,
    /// A task for each processor: starting one after the other.
    Pair,
    /// One task sends, another on the same processor receives.
    SendHere,
    /// The same on two processors.
    SendThere,
    /// One task locks and unlocks, and works in between: what an operation takes.
    Operations,
    /// Tasks let a pool do something, which needs a new thread for each: what it takes until that is there.
    Calls,
    /// Two tasks that only work: when slices end.
    Rivals,
    /// Three tasks work and sleep on two processors: does one that falls idle take another's task, and when? And who wakes and
    /// finds its processor taken: does it go to the idle one?
    Pull,
}

/// Slices of the class whose threads take turns: whole ticks.
const SLICE: Span = Span::from_ms(4);

/// One who works and sleeps in turn, in microseconds.
type Sleeper = (u32, u32, u32, u32);

/// When each of the sleepers arrives, how long it works and sleeps, and how often: their times coincide with nothing. When the
/// first three are done the others are alone: their processor is idle for long.
const SLEEPERS: [Sleeper; 5] =
    [(0, 710, 2_130, 8), (0, 930, 3_170, 6), (0, 1_190, 4_370, 4), (27_000, 330, 5_730, 2), (40_000, 310, 11_390, 2)];

/// Three that wait for each other at nearly all times.
const TOILERS: [Sleeper; 3] = [(0, 3_430, 2_130, 6), (0, 5_930, 3_170, 6), (0, 10_190, 4_370, 4)];

/// Three where there are two processors, and mostly somebody to be taken.
const PULLERS: [Sleeper; 3] = [(0, 6_310, 2_130, 4), (0, 5_270, 3_370, 4), (0, 7_930, 2_710, 3)];

/// How often the sender sends, and for how many microseconds it sleeps then.
const SENDS: [(u32, u32); 3] = [(6, 530), (4, 1_930), (4, 5_330)];

const fn sleeps<const N: usize>(of: [Sleeper; N]) -> [Span; N] {
    let mut all = [Span::ZERO; N];
    let mut place = 0;
    while place < N {
        all[place] = Span::from_us(of[place].2 as u64);
        place += 1;
    }
    all
}

const fn threads(what: &'static str, work: Work, processors: u32) -> Experiment {
    Experiment { what, section: "machine", processors, rules: Rules::RealTime, executor: "\"threads\"", work }
}

const fn ordinary(what: &'static str, work: Work, processors: u32) -> Experiment {
    Experiment { section: "class.other", rules: Rules::Ordinary, ..threads(what, work, processors) }
}

const fn in_turns(what: &'static str, work: Work) -> Experiment {
    Experiment { section: "class.round-robin", rules: Rules::RoundRobin, ..threads(what, work, 1) }
}

const fn dispatched(what: &'static str, work: Work) -> Experiment {
    Experiment { section: "class.dispatched", rules: Rules::Dispatched, ..threads(what, work, 1) }
}

const fn executor(
    (what, section): (&'static str, &'static str),
    executor: &'static str,
    work: Work,
    processors: u32,
) -> Experiment {
    Experiment { section, executor, ..threads(what, work, processors) }
}

const fn in_python(
    (what, section): (&'static str, &'static str),
    executor: &'static str,
    work: Work,
    processors: u32,
) -> Experiment {
    Experiment { section, executor, ..ordinary(what, work, processors) }
}

const PYTHON_PROCESSES: (&str, &str) = ("processes of Python", "cpython.processes");
const PYTHON_POOL: (&str, &str) = ("pools of Python", "cpython.pool");
const PYTHON_POOL_OF_PROCESSES: (&str, &str) = ("pools of processes of Python", "cpython.pool-of-processes");
const PROCESSES: (&str, &str) = ("processes", "executor.processes");
const POOL: (&str, &str) = ("pools", "executor.pool");
const ASYNC: (&str, &str) = ("event loops", "executor.async");
const STEALING: (&str, &str) = ("work-stealing runtimes", "executor.work-stealing");

/// All of them. Each has its turn once before any has its second.
pub(super) const EXPERIMENTS: &[Experiment] = &[
    threads("waking and blocking", Work::Sleepers, 1),
    threads("ending", Work::Crowd, 1),
    threads("starting on several processors", Work::Pair, 2),
    threads("waking another on the same processor", Work::SendHere, 1),
    threads("waking another on another processor", Work::SendThere, 2),
    threads("operations", Work::Operations, 1),
    ordinary("waking and blocking of ordinary threads", Work::Sleepers, 1),
    ordinary("ending of ordinary threads", Work::Crowd, 1),
    ordinary("starting ordinary threads on several processors", Work::Pair, 2),
    ordinary("waking an ordinary thread on the same processor", Work::SendHere, 1),
    ordinary("waking an ordinary thread on another processor", Work::SendThere, 2),
    ordinary("ticks of the timer", Work::Rivals, 1),
    ordinary("taking work from a busy processor", Work::Pull, 2),
    Experiment { executor: "\"processes\"", ..ordinary("taking a process from a busy processor", Work::Pull, 2) },
    in_turns("ending and slices of threads that take turns", Work::Crowd),
    in_turns("waking and blocking of threads that take turns", Work::Sleepers),
    dispatched("waking and blocking under a dispatcher", Work::Sleepers),
    dispatched("ending under a dispatcher", Work::Crowd),
    dispatched("ends of slices under a dispatcher", Work::Rivals),
    executor(PROCESSES, "\"processes\"", Work::Sleepers, 1),
    executor(PROCESSES, "\"processes\"", Work::Crowd, 1),
    executor(POOL, "{ kind = \"pool\", workers = 1 }", Work::Crowd, 1),
    executor(POOL, "{ kind = \"pool\", workers = 2 }", Work::Pair, 2),
    executor(POOL, "{ kind = \"pool\", workers = 2 }", Work::Sleepers, 2),
    executor(ASYNC, "\"async\"", Work::Sleepers, 1),
    executor(STEALING, "{ kind = \"work-stealing\", workers = 2 }", Work::Pair, 2),
    executor(STEALING, "{ kind = \"work-stealing\", workers = 1 }", Work::Sleepers, 1),
    in_python(("threads of Python", "cpython.threads"), "\"threads\"\nruntime = \"cpython\"", Work::Sleepers, 1),
    in_python(("turns of threads of Python", "cpython.threads"), "\"threads\"\nruntime = \"cpython\"", Work::Rivals, 1),
    in_python(
        ("operations of threads of Python", "cpython.threads"),
        "\"threads\"\nruntime = \"cpython\"",
        Work::Operations,
        1,
    ),
    in_python(("operations of asyncio", "cpython.async"), "\"async\"\nruntime = \"cpython\"", Work::Operations, 1),
    in_python(("asyncio, long bursts", "cpython.async"), "\"async\"\nruntime = \"cpython\"", Work::Toilers, 1),
    in_python(
        ("threads that asyncio starts", "cpython.async"),
        "\"async\"\nruntime = \"cpython\"\npools = { aside = \"pool\" }",
        Work::Calls,
        1,
    ),
    in_python(("asyncio", "cpython.async"), "\"async\"\nruntime = \"cpython\"", Work::Sleepers, 1),
    in_python(
        ("one thread of Python", "cpython.sequential"),
        "\"sequential\"\nruntime = \"cpython\"",
        Work::Sleepers,
        1,
    ),
    in_python(PYTHON_POOL, "{ kind = \"pool\", workers = 2 }\nruntime = \"cpython\"", Work::Sleepers, 1),
    in_python(PYTHON_POOL, "{ kind = \"pool\", workers = 1 }\nruntime = \"cpython\"", Work::Crowd, 1),
    in_python(PYTHON_PROCESSES, "\"processes\"\nruntime = \"cpython\"", Work::Pair, 2),
    in_python(PYTHON_PROCESSES, "\"processes\"\nruntime = \"cpython\"", Work::Rivals, 1),
    in_python(
        ("processes of Python, spawned", "cpython.processes"),
        "{ kind = \"processes\", start = \"spawn\" }\nruntime = \"cpython\"",
        Work::Pair,
        2,
    ),
    in_python(
        ("processes of Python, from a server", "cpython.processes"),
        "{ kind = \"processes\", start = \"forkserver\" }\nruntime = \"cpython\"",
        Work::Pair,
        2,
    ),
    in_python(
        PYTHON_POOL_OF_PROCESSES,
        "{ kind = \"pool\", of = \"processes\", workers = 1 }\nruntime = \"cpython\"",
        Work::Crowd,
        1,
    ),
    in_python(
        PYTHON_POOL_OF_PROCESSES,
        "{ kind = \"pool\", of = \"processes\", workers = 2 }\nruntime = \"cpython\"",
        Work::Pair,
        2,
    ),
    in_python(
        PYTHON_POOL_OF_PROCESSES,
        "{ kind = \"pool\", of = \"processes\", workers = 2 }\nruntime = \"cpython\"",
        Work::Sleepers,
        1,
    ),
];

impl Experiment {
    /// The class whose rules its threads are under, if all goes well; none where a thread of ours dispatches.
    pub(super) fn class(&self) -> Option<Class> {
        match self.rules {
            Rules::RealTime => Some(Class::Fifo),
            Rules::RoundRobin => Some(Class::RoundRobin(SLICE)),
            Rules::Ordinary => Some(Class::Other),
            Rules::Dispatched => None,
        }
    }

    /// How it is measured.
    pub(super) fn options(&self) -> Options {
        let dispatcher = if self.rules == Rules::Dispatched { Dispatcher::Always } else { Dispatcher::Never };
        Options { dispatcher, ..Options::default() }
    }

    /// Does a runtime with timers that ring at whole milliseconds carry its tasks?
    pub(super) fn rounds_timers(&self) -> bool {
        matches!(self.section, "executor.async" | "executor.work-stealing" | "cpython.async")
    }

    /// What a worker that carries tasks from their beginning to their end pays from one to the next, if such workers do.
    pub(super) fn between_tasks(&self) -> Option<&'static str> {
        match self.section {
            "executor.pool" => Some("task-switch"),
            "cpython.pool" | "cpython.pool-of-processes" => Some("take"),
            _ => None,
        }
    }

    /// Do its threads hand an interpreter lock round?
    pub(super) fn has_interpreter_lock(&self) -> bool {
        self.section == "cpython.threads"
    }

    /// Has each of its tasks, or workers, an interpreter of its own?
    pub(super) fn has_interpreters(&self) -> bool {
        matches!(self.section, "cpython.processes" | "cpython.pool-of-processes")
    }

    /// Are processes started for its tasks after the start of the run, as a part of it? What the parent takes for that and
    /// what the child takes until its task begins.
    pub(super) fn starts(&self) -> Option<[&'static str; 2]> {
        let starts = |method: &str| self.executor.contains(method);
        match self.section {
            "cpython.processes" if starts("forkserver") => Some(["forkserver-parent", "forkserver-child"]),
            "cpython.processes" if starts("spawn") => Some(["spawn-parent", "spawn-child"]),
            "cpython.processes" => Some(["fork-parent", "fork-child"]),
            _ => None,
        }
    }

    /// Does a thread that needs the interpreter lock for it give its tasks to a pool? What that takes.
    pub(super) fn submits(&self) -> Option<&'static str> {
        (self.section == "cpython.pool").then_some("submit")
    }

    /// How long its tasks sleep, in the order of the file, if each sleeps always as long.
    pub(super) fn sleeps(&self) -> &'static [Span] {
        const OF_SLEEPERS: &[Span] = &sleeps(SLEEPERS);
        const OF_TOILERS: &[Span] = &sleeps(TOILERS);
        const OF_PULLERS: &[Span] = &sleeps(PULLERS);
        match self.work {
            Work::Sleepers => OF_SLEEPERS,
            Work::Toilers => OF_TOILERS,
            Work::Pull => OF_PULLERS,
            _ => &[],
        }
    }

    /// The scenario.
    pub(super) fn toml(&self) -> String {
        let policy = match (self.rules, self.work) {
            (Rules::RealTime, _) => "",
            (Rules::RoundRobin, _) => "[scheduler]\npolicy = \"round-robin\"\nquantum = \"4ms\"\n",
            (Rules::Ordinary, _) => "[scheduler]\npolicy = \"eevdf\"\n",
            // Slices that the kernel has not.
            (Rules::Dispatched, Work::Rivals) => "[scheduler]\npolicy = \"round-robin\"\nquantum = \"3ms\"\n",
            (Rules::Dispatched, _) => "[scheduler]\npolicy = \"sjf\"\n",
        };
        let tasks = match self.work {
            Work::Sleepers => SLEEPERS.map(sleeper).concat(),
            Work::Toilers => TOILERS.map(sleeper).concat(),
            // Each call finds all threads of the pool asleep.
            Work::Calls => task(
                "caller",
                "count = 5",
                "{ cpu = \"3100us\" }, { on = \"aside\", do = [{ cpu = \"90us\" }, { sleep = \"40ms\" }] }",
            ),
            Work::Crowd => task("crowd", "count = 3", "{ cpu = \"9100us\" }"),
            // When a second process is started, what the first does is not over.
            Work::Pair if self.starts().is_some() => task("one", "", "{ cpu = \"1ms\" }"),
            // The first has not ended when the second begins, however far they are apart.
            Work::Pair if self.has_interpreters() => pair("6ms"),
            Work::Pair => pair("1ms"),
            Work::SendHere => sender("") + &receiver(""),
            Work::SendThere => sender("affinity = [0]") + &receiver("affinity = [1]"),
            Work::Operations => operator(),
            Work::Rivals => task("rival", "count = 2", "{ cpu = \"30ms\" }"),
            Work::Pull => PULLERS.map(sleeper).concat(),
        };
        let object = match self.work {
            Work::SendHere | Work::SendThere => "[[channel]]\nname = \"mail\"\ncapacity = 64\n",
            Work::Operations => "[[lock]]\nname = \"latch\"\n",
            _ => "",
        };
        let Experiment { processors, executor, .. } = self;
        format!("executor = {executor}\n[machine]\nprocessors = {processors}\n{policy}{object}{tasks}")
    }
}

/// How many operations the one does who locks and unlocks, and what it works besides.
pub(super) const OPERATIONS: u32 = 20 * 60;
pub(super) const OPERATOR_WORKS: Span = Span::from_us(20 * 90 + 90);

fn task(name: &str, keys: &str, program: &str) -> String {
    format!("[[task]]\nname = \"{name}\"\n{keys}\nprogram = [{program}]\n")
}

fn pair(length: &str) -> String {
    let burst = format!("{{ cpu = \"{length}\" }}");
    task("one", "", &burst) + &task("other", "", &burst)
}

fn sleeper((arrival, work, sleep, times): Sleeper) -> String {
    let turn = format!("{{ repeat = {times}, do = [{{ cpu = \"{work}us\" }}, {{ sleep = \"{sleep}us\" }}] }}");
    let arrival = format!("arrival = \"{arrival}us\"");
    task(&format!("sleeps-{sleep}"), &arrival, &format!("{turn}, {{ cpu = \"{work}us\" }}"))
}

fn sender(keys: &str) -> String {
    let turns = |(times, sleep)| {
        format!(
            "{{ repeat = {times}, do = [{{ cpu = \"230us\" }}, {{ send = \"mail\" }}, {{ sleep = \"{sleep}us\" }}] }}"
        )
    };
    task("sender", keys, &SENDS.map(turns).join(", "))
}

fn receiver(keys: &str) -> String {
    let times: u32 = SENDS.iter().map(|(times, _)| times).sum();
    task("receiver", keys, &format!("{{ repeat = {times}, do = [{{ recv = \"mail\" }}, {{ cpu = \"170us\" }}] }}"))
}

fn operator() -> String {
    let pairs = "{ repeat = 30, do = [{ lock = \"latch\" }, { unlock = \"latch\" }] }";
    task("operator", "", &format!("{{ cpu = \"90us\" }}, {{ repeat = 20, do = [{pairs}, {{ cpu = \"90us\" }}] }}"))
}
