//! Random scenarios of a class, to hold simulations against the machine with programs that nobody has tuned anything on.
//!
//! A class says what decides how well a run can be predicted: how many processors, which policy and executor, and what
//! tasks do. All else is drawn from the seed, so a class and a number are a scenario for ever: from 20 to some 200 ms of
//! work, times that are whole microseconds and coincide with nothing.

use std::fmt::Write as _;

use sim_core::rng::{Stream, StreamName};

/// What scenarios of a class have in common.
#[derive(Debug)]
pub struct Class {
    /// Its name.
    pub name: &'static str,
    /// One line for people.
    pub summary: &'static str,
    processors: u32,
    /// The content of `[scheduler]`; empty if the file names no policy.
    scheduler: &'static str,
    executor: &'static str,
    /// What its processes run in; empty if the file says nothing of it.
    runtime: &'static str,
    /// That of a second process beside it; empty if there is none.
    beside: &'static str,
    work: Work,
}

/// What tasks do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Work {
    /// One burst each.
    Bursts,
    /// Bursts and sleeps in turn.
    Mixed,
    /// … some of them with a lock.
    Locked,
    /// They send each other what they have worked on.
    Piped,
    /// They ask devices that serve a few at a time.
    Served,
}

/// All classes.
pub const CLASSES: &[Class] = &[
    class("bursts-fifo", "threads that compute, in their order", 1, "policy = \"fifo\"", "threads", Work::Bursts),
    class(
        "bursts-round-robin",
        "threads that compute, in slices",
        1,
        "policy = \"round-robin\"\nquantum = \"QUANTUM\"",
        "threads",
        Work::Bursts,
    ),
    class("bursts-priority", "threads that compute, by priority", 1, "policy = \"priority\"", "threads", Work::Bursts),
    class("bursts-eevdf", "threads that compute, by fair shares", 1, "policy = \"eevdf\"", "threads", Work::Bursts),
    class(
        "mixed-fifo",
        "threads that compute and sleep, in their order",
        1,
        "policy = \"fifo\"",
        "threads",
        Work::Mixed,
    ),
    class("mixed-eevdf", "threads that compute and sleep, fairly", 1, "policy = \"eevdf\"", "threads", Work::Mixed),
    class("locks-fifo", "threads with a lock, in their order", 1, "policy = \"fifo\"", "threads", Work::Locked),
    class("locks-eevdf", "threads with a lock, fairly", 1, "policy = \"eevdf\"", "threads", Work::Locked),
    class("locks-fifo-2", "threads with a lock on two processors", 2, "", "threads", Work::Locked),
    class("locks-linux-2", "threads with a lock as Linux runs them", 2, "policy = \"linux\"", "threads", Work::Locked),
    class("floating-fifo", "threads on two processors, in their order", 2, "", "threads", Work::Mixed),
    class(
        "floating-linux",
        "threads on two processors as Linux runs them",
        2,
        "policy = \"linux\"",
        "threads",
        Work::Mixed,
    ),
    class("processes-fifo", "processes on two processors", 2, "", "processes", Work::Mixed),
    class("processes-linux", "processes as Linux runs them", 2, "policy = \"linux\"", "processes", Work::Mixed),
    Class {
        beside: "async",
        ..class(
            "processes-mixed",
            "a process of threads and one of tokio, in their order",
            1,
            "policy = \"fifo\"",
            "threads",
            Work::Mixed,
        )
    },
    Class {
        beside: "threads",
        ..class("processes-mixed-2", "two processes of threads on two processors", 2, "", "threads", Work::Mixed)
    },
    class("async", "tasks of tokio on one thread", 1, "", "async", Work::Mixed),
    class(
        "work-stealing",
        "tasks of tokio on two workers",
        2,
        "",
        "{ kind = \"work-stealing\", workers = 2 }",
        Work::Mixed,
    ),
    class("pool", "tasks of rayon on two workers", 2, "", "{ kind = \"pool\", workers = 2 }", Work::Mixed),
    class("channels", "threads that send to each other", 1, "policy = \"fifo\"", "threads", Work::Piped),
    class("devices", "threads that ask devices with queues", 1, "policy = \"fifo\"", "threads", Work::Served),
    class("gil", "threads with an interpreter lock", 1, "", "{ kind = \"threads\", gil = \"5ms\" }", Work::Mixed),
    class("gil-2", "the same on two processors", 2, "", "{ kind = \"threads\", gil = \"5ms\" }", Work::Mixed),
    in_python("python-sequential", "tasks of Python, one after the other", 1, "sequential", Work::Mixed),
    in_python("python-threads", "threads of Python that compute", 1, "threads", Work::Bursts),
    in_python("python-threads-2", "threads of Python that compute, on two processors", 2, "threads", Work::Bursts),
    in_python("python-mixed", "threads of Python that compute and sleep", 1, "threads", Work::Mixed),
    in_python("python-mixed-2", "the same on two processors", 2, "threads", Work::Mixed),
    in_python("python-async", "tasks of asyncio", 1, "async", Work::Mixed),
    in_python("python-processes", "processes of Python", 2, "processes", Work::Mixed),
    in_python("python-pool", "a pool of two threads of Python", 2, "{ kind = \"pool\", workers = 2 }", Work::Mixed),
    in_python(
        "python-process-pool",
        "a pool of two processes of Python",
        2,
        "{ kind = \"pool\", workers = 2, of = \"processes\" }",
        Work::Mixed,
    ),
];

const fn class(
    name: &'static str,
    summary: &'static str,
    processors: u32,
    scheduler: &'static str,
    executor: &'static str,
    work: Work,
) -> Class {
    Class { name, summary, processors, scheduler, executor, runtime: "", beside: "", work }
}

const fn in_python(
    name: &'static str,
    summary: &'static str,
    processors: u32,
    executor: &'static str,
    work: Work,
) -> Class {
    Class { runtime: "cpython", ..class(name, summary, processors, "", executor, work) }
}

/// The scenario of a class with a number, as a file.
#[must_use]
pub fn scenario(class: &Class, seed: u64) -> String {
    let mut dice = Dice(StreamName::new(seed).word("generate").word(class.name).stream());
    let Class { name, summary, processors, scheduler, executor, runtime, beside, work } = class;
    let mut text = format!(
        "# sim generate --class {name} --seed {seed}\n\ntitle = \"{name} {seed}: {summary}\"\nseed = {seed}\n\n\
         [machine]\nprocessors = {processors}\n"
    );
    if !scheduler.is_empty() {
        let quantum = format!("{}ms", dice.one_of(&[1, 2, 4, 5, 8, 10, 12, 20]));
        let _ = write!(text, "\n[scheduler]\n{}\n", scheduler.replace("QUANTUM", &quantum));
    }
    match work {
        Work::Bursts | Work::Mixed => {}
        Work::Locked => text += "\n[[lock]]\nname = \"lock\"\n",
        Work::Piped => {
            let _ = write!(text, "\n[[channel]]\nname = \"items\"\ncapacity = {}\n", dice.from(1, 4));
        }
        Work::Served => {
            let channels = dice.from(1, 2);
            let discipline = dice.one_of(&["fifo", "fifo", "lifo", "shortest"]);
            let _ =
                write!(text, "\n[[device]]\nname = \"disk\"\nchannels = {channels}\ndiscipline = \"{discipline}\"\n");
        }
    }
    for (name, executor) in [("main", executor), ("beside", beside)] {
        if !executor.is_empty() {
            let quote = if executor.starts_with('{') { "" } else { "\"" };
            let _ = write!(text, "\n[[process]]\nname = \"{name}\"\nexecutor = {quote}{executor}{quote}\n");
            if !runtime.is_empty() {
                let _ = writeln!(text, "runtime = \"{runtime}\"");
            }
            text += &tasks(*work, scheduler, &mut dice);
        }
    }
    text
}

/// The tasks of a scenario; of those with a lock such that it may be waited for.
fn tasks(work: Work, scheduler: &str, dice: &mut Dice) -> String {
    loop {
        let text = if work == Work::Piped { pipe(dice) } else { alike(work, scheduler, dice) };
        let users = text.split("[[process.task]]").filter(|task| task.contains("with = \"lock\"")).count();
        if work != Work::Locked || users > 1 {
            return text;
        }
    }
}

/// From two to six tasks.
fn alike(work: Work, scheduler: &str, dice: &mut Dice) -> String {
    let mut text = String::new();
    for number in 0..dice.from(2, 6) {
        let _ = write!(text, "\n[[process.task]]\nname = \"t{number}\"\n");
        if scheduler.contains("priority") {
            let _ = writeln!(text, "priority = {}", dice.from(0, 3));
        }
        if scheduler.contains("eevdf") || scheduler.contains("linux") {
            let _ = writeln!(text, "nice = {}", dice.one_of(&[0, 0, 0, 2, 5]));
        }
        if dice.from(0, 2) == 0 {
            let _ = writeln!(text, "arrival = \"{}us\"", dice.from(500, 12_000));
        }
        let _ = writeln!(text, "program = [\n{}]", program(work, dice));
    }
    text
}

fn program(work: Work, dice: &mut Dice) -> String {
    if work == Work::Bursts {
        return format!("  {{ cpu = \"{}us\" }},\n", dice.from(4_000, 40_000));
    }
    let mut text = String::new();
    for _ in 0..dice.from(1, 4) {
        let _ = writeln!(text, "  {{ cpu = \"{}us\" }},", dice.from(700, 12_000));
        let between = match (work, dice.from(0, 2)) {
            (Work::Locked, 0 | 1) => {
                format!("{{ with = \"lock\", do = [{{ cpu = \"{}us\" }}] }}", dice.from(300, 6_000))
            }
            (Work::Served, _) => format!("{{ io = \"disk\", for = \"{}us\" }}", dice.from(400, 7_000)),
            _ => format!("{{ sleep = \"{}us\" }}", dice.from(700, 9_000)),
        };
        let _ = writeln!(text, "  {between},");
    }
    let _ = writeln!(text, "  {{ cpu = \"{}us\" }},", dice.from(700, 9_000));
    text
}

/// Some make as many items as others take.
fn pipe(dice: &mut Dice) -> String {
    let mut text = String::new();
    let (pairs, items) = (dice.from(1, 2), dice.from(4, 12));
    for (name, step) in [("maker", "{ send = \"items\" }"), ("taker", "{ recv = \"items\" }")] {
        let _ = write!(text, "\n[[process.task]]\nname = \"{name}\"\ncount = {pairs}\n");
        let cpu = format!("{{ cpu = \"{}us\" }}", dice.from(300, 4_000));
        let [first, second] = if name == "maker" { [cpu.as_str(), step] } else { [step, cpu.as_str()] };
        let _ = writeln!(text, "program = [{{ repeat = {items}, do = [{first}, {second}] }}]");
    }
    text
}

struct Dice(Stream);

impl Dice {
    /// A whole number from `low` to `high`.
    fn from(&mut self, low: u64, high: u64) -> u64 {
        low + self.0.below(high - low + 1)
    }

    fn one_of<T: Copy>(&mut self, values: &[T]) -> T {
        values[usize::try_from(self.0.below(values.len() as u64)).unwrap_or(0)]
    }
}
