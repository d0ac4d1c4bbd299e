//! A small world: what the naive simulator is given, and the same as a scenario file.

mod device;
mod group;
mod pool;
mod server;
mod state;
mod sync;

use std::fmt::Write as _;

use sim_core::time::Span;

pub(crate) use device::{Discipline, Disk};
pub(crate) use group::Group;
pub(crate) use pool::Room;
pub(crate) use server::{FixedServer, ServerKind};
pub(crate) use state::{Comparison, Condition, Control, Every, Value};
pub(crate) use sync::{Barging, Object, Order, Prefer, Protocol, SyncOp, Syncs};

/// One case. All times are ticks: see [`Case::tick`].
#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) processors: usize,
    pub(crate) context_switch: u64,
    pub(crate) charge_first_switch: bool,
    pub(crate) policy: Policy,
    pub(crate) preempted_first: bool,
    /// How many channels each device has; `None` is unlimited.
    pub(crate) devices: Vec<Option<usize>>,
    /// How many requests may wait at each that has so many channels; `None` is any number.
    pub(crate) queue: Option<usize>,
    /// How all of them serve.
    pub(crate) discipline: Discipline,
    /// What their heads have to cross, if they have some.
    pub(crate) disk: Option<Disk>,
    /// Is a tick a nanosecond, and not a millisecond? Requests that share a device leave between ticks, and the engine
    /// tells the next nanosecond.
    pub(crate) nanoseconds: bool,
    pub(crate) locks: usize,
    /// How those are, and what else tasks synchronise with.
    pub(crate) syncs: Syncs,
    /// How many variables there are.
    pub(crate) variables: usize,
    /// Groups of processes, which have weights and quotas.
    pub(crate) groups: Vec<Group>,
    /// Servers for fixed priorities.
    pub(crate) servers: Vec<FixedServer>,
    pub(crate) processes: Vec<Process>,
}

#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) enum Policy {
    Fifo,
    RoundRobin {
        quantum: u64,
    },
    Sjf {
        estimate: Option<Average>,
    },
    Priority {
        preemptive: bool,
        low_first: bool,
        preempted_to_head: bool,
        quantum: Option<u64>,
        aging: Option<u64>,
    },
    Srtf {
        estimate: Option<Average>,
    },
    Hrrn,
    Feedback {
        quanta: &'static [u64],
        demote_alone: bool,
    },
    /// The levels are quantum and allotment.
    Mlfq {
        levels: &'static [(u64, u64)],
        boost: Option<u64>,
        reset_on_io: bool,
        io_to_head: bool,
    },
    Lottery {
        quantum: u64,
        chance: u64,
    },
    Stride {
        quantum: u64,
    },
    /// Without a tick slices end exactly.
    Cfs {
        latency: u64,
        base_slice: u64,
        wakeup_granularity: u64,
        tick: Option<u64>,
    },
    /// Heavy tasks have a utilisation above this fraction.
    Edf {
        preemptive: bool,
        heavy: Option<(u64, u64)>,
    },
    RateMonotonic {
        preemptive: bool,
    },
    DeadlineMonotonic {
        preemptive: bool,
    },
    Llf {
        preemptive: bool,
        quantum: u64,
    },
}

/// An exponential average: the weight of the latest burst in percent, and the first estimate.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct Average {
    pub(crate) percent: u64,
    pub(crate) initial: u64,
}

impl Policy {
    /// Its name on the shelf.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Policy::Fifo => "fifo",
            Policy::RoundRobin { .. } => "round-robin",
            Policy::Sjf { .. } => "sjf",
            Policy::Srtf { .. } => "srtf",
            Policy::Hrrn => "hrrn",
            Policy::Priority { .. } => "priority",
            Policy::Feedback { .. } => "feedback",
            Policy::Mlfq { .. } => "mlfq",
            Policy::Lottery { .. } => "lottery",
            Policy::Stride { .. } => "stride",
            Policy::Cfs { .. } => "cfs",
            Policy::Edf { .. } => "edf",
            Policy::RateMonotonic { .. } => "rate-monotonic",
            Policy::DeadlineMonotonic { .. } => "deadline-monotonic",
            Policy::Llf { .. } => "llf",
        }
    }

    /// Is it for periodic tasks?
    pub(crate) fn is_real_time(self) -> bool {
        matches!(self.name(), "edf" | "rate-monotonic" | "deadline-monotonic" | "llf")
    }

    /// Do slices end at all? Only then it matters who comes first, they or those who arrive.
    pub(crate) fn has_slices(self) -> bool {
        match self {
            Policy::Fifo | Policy::Sjf { .. } | Policy::Srtf { .. } | Policy::Hrrn => false,
            Policy::Priority { quantum, .. } => quantum.is_some(),
            Policy::Edf { .. } => true,
            _ => !self.is_real_time(),
        }
    }

    /// The draws of a lottery: more than a small world needs.
    pub(crate) fn draws(chance: u64) -> Vec<u64> {
        let next = |last: &u64| Some((last * 1_103_515_245 + 12_345) % 2_147_483_648);
        std::iter::successors(Some(chance), next).skip(1).map(|number| number / 65_536).take(300).collect()
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Process {
    pub(crate) executor: Executor,
    pub(crate) group: Option<usize>,
    pub(crate) tasks: Vec<Task>,
}

#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) enum Executor {
    Threads,
    Sequential,
    Pool(Room),
    Async,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Task {
    pub(crate) arrival: u64,
    pub(crate) priority: i64,
    pub(crate) tickets: u64,
    pub(crate) nice: i64,
    /// Budget and period of a constant-bandwidth server.
    pub(crate) server: Option<(u64, u64)>,
    /// The server for fixed priorities, whose priority it has.
    pub(crate) served: Option<usize>,
    pub(crate) periodic: Option<Periodic>,
    pub(crate) affinity: Option<Vec<usize>>,
    pub(crate) program: Vec<Op>,
}

#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct Periodic {
    pub(crate) period: u64,
    pub(crate) deadline: u64,
    pub(crate) jobs: u64,
    /// By how much releases may be late, each with the same chance; empty if they are not.
    pub(crate) jitter: &'static [u64],
    /// Is a release dropped at which the job before still runs?
    pub(crate) skips: bool,
    /// Does a job end at its deadline, unfinished?
    pub(crate) aborts: bool,
}

#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) enum Op {
    Cpu(u64),
    Io(usize, u64),
    /// And the track.
    IoAt(usize, u64, u32),
    Sleep(u64),
    Yield,
    /// So long the next operation may take; without a lock that it needs, the task ends then.
    Within(u64),
    Lock(usize),
    Unlock(usize),
    Sync(SyncOp),
    Control(Control),
}

/// The processor time that a program needs.
pub(crate) fn demand(program: &[Op]) -> u64 {
    program.iter().map(|op| if let Op::Cpu(ticks) = op { *ticks } else { 0 }).sum()
}

impl Case {
    /// The tasks with their processes, in file order.
    pub(crate) fn tasks(&self) -> impl Iterator<Item = (usize, &Task)> {
        self.processes.iter().enumerate().flat_map(|(process, p)| p.tasks.iter().map(move |task| (process, task)))
    }

    /// The case as a scenario file. Tasks are called `t0`, `t1`, … through all processes.
    pub(crate) fn toml(&self) -> String {
        let mut toml = String::new();
        self.write(&mut toml).expect("writing to a string does not fail");
        let tick = self.tick();
        if tick == Span::from_ms(1) {
            return toml;
        }
        let scaled = |text: &str| Some(format!("{}ns", text.strip_suffix("ms")?.parse::<u64>().ok()? * tick.ns()));
        let pieces: Vec<String> = toml.split('"').map(|text| scaled(text).unwrap_or_else(|| text.to_owned())).collect();
        pieces.join("\"")
    }

    /// How long a tick is: a millisecond, if nothing must be finer. Service by weight is whole in the smallest unit of the engine only if the weights of all nice
    /// values that are there divide a tick; else ties would depend on how it rounds. Beside groups, up to four threads weigh together.
    pub(crate) fn tick(&self) -> Span {
        let weighted = self.tasks().any(|(_, task)| task.nice != 0);
        if self.nanoseconds {
            return Span::from_ns(1);
        }
        let thirds = if self.groups.is_empty() { 1 } else { 3 };
        if weighted { Span::from_ns(335 * 3121 * thirds) } else { Span::from_ms(thirds) }
    }

    fn write(&self, toml: &mut String) -> std::fmt::Result {
        writeln!(toml, "[machine]\nprocessors = {}", self.processors)?;
        if self.context_switch > 0 {
            writeln!(toml, "context-switch = \"{}ms\"", self.context_switch)?;
            writeln!(toml, "charge-first-switch = {}", self.charge_first_switch)?;
        }
        self.write_policy(toml)?;
        for (device, channels) in self.devices.iter().enumerate() {
            let channels = channels.map_or_else(|| "\"unlimited\"".to_string(), |channels| channels.to_string());
            writeln!(toml, "\n[[device]]\nname = \"d{device}\"\nchannels = {channels}")?;
            if let (Some(queue), true) = (self.queue, self.devices[device].is_some()) {
                writeln!(toml, "queue = {queue}")?;
            }
            self.write_discipline(toml)?;
        }
        self.syncs.write(self.locks, toml)?;
        for variable in 0..self.variables {
            writeln!(toml, "\n[[variable]]\nname = \"v{variable}\"")?;
        }
        self.write_groups(toml)?;
        self.write_servers(toml)?;
        let mut number = 0;
        for (index, process) in self.processes.iter().enumerate() {
            let executor = match process.executor {
                Executor::Threads => "\"threads\"".to_string(),
                Executor::Sequential => "\"sequential\"".to_string(),
                Executor::Async => "\"async\"".to_string(),
                Executor::Pool(room) => room.to_string(),
            };
            writeln!(toml, "\n[[process]]\nname = \"p{index}\"\nexecutor = {executor}")?;
            if let Some(group) = process.group {
                writeln!(toml, "group = \"g{group}\"")?;
            }
            for task in &process.tasks {
                writeln!(toml, "\n[[process.task]]\nname = \"t{number}\"")?;
                task.write(toml)?;
                number += 1;
            }
        }
        Ok(())
    }

    fn write_policy(&self, toml: &mut String) -> std::fmt::Result {
        writeln!(toml, "\n[scheduler]\npolicy = \"{}\"", self.policy.name())?;
        for (key, value) in self.policy.parameters() {
            writeln!(toml, "{key} = {value}")?;
        }
        if self.policy.has_slices() {
            writeln!(toml, "ties = \"{}\"", if self.preempted_first { "preempted-first" } else { "arrivals-first" })?;
        }
        Ok(())
    }
}

impl Policy {
    /// Its parameters as they stand in a file.
    fn parameters(self) -> Vec<(&'static str, String)> {
        let ms = |ticks: u64| format!("\"{ticks}ms\"");
        let list = |items: Vec<String>| format!("[{}]", items.join(", "));
        let mut parameters = Vec::new();
        let mut optional = |key, value: Option<String>| parameters.extend(value.map(|value| (key, value)));
        match self {
            Policy::Fifo | Policy::Hrrn => {}
            Policy::RoundRobin { quantum } | Policy::Stride { quantum } => optional("quantum", Some(ms(quantum))),
            Policy::Sjf { estimate } | Policy::Srtf { estimate } => {
                let table = |Average { percent, initial }| {
                    format!("{{ ewma = {}.{:02}, initial = \"{initial}ms\" }}", percent / 100, percent % 100)
                };
                optional("estimate", estimate.map(table));
            }
            Policy::Priority { preemptive, low_first, preempted_to_head, quantum, aging } => {
                optional("preemptive", Some(preemptive.to_string()));
                optional("order", Some(format!("\"{}\"", if low_first { "low-first" } else { "high-first" })));
                optional("preempted-to", Some(format!("\"{}\"", if preempted_to_head { "head" } else { "tail" })));
                optional("quantum", quantum.map(ms));
                optional("aging", aging.map(ms));
            }
            Policy::Feedback { quanta, demote_alone } => {
                optional("quanta", Some(list(quanta.iter().copied().map(ms).collect())));
                optional("demote-alone", Some(demote_alone.to_string()));
            }
            Policy::Mlfq { levels, boost, reset_on_io, io_to_head } => {
                let level = |(quantum, allotment): &(u64, u64)| {
                    format!("{{ quantum = \"{quantum}ms\", allotment = {allotment} }}")
                };
                optional("levels", Some(list(levels.iter().map(level).collect())));
                optional("reset-on-io", Some(reset_on_io.to_string()));
                optional("io-to-head", Some(io_to_head.to_string()));
                optional("boost", boost.map(ms));
            }
            Policy::Lottery { quantum, chance } => {
                optional("quantum", Some(ms(quantum)));
                optional("draws", Some(format!("{:?}", Policy::draws(chance))));
            }
            Policy::Cfs { latency, base_slice, wakeup_granularity, tick } => {
                optional("latency", Some(ms(latency)));
                optional("base-slice", Some(ms(base_slice)));
                optional("wakeup-granularity", Some(ms(wakeup_granularity)));
                optional("tick", tick.map(ms));
            }
            Policy::Edf { preemptive, heavy } => {
                optional("preemptive", Some(preemptive.to_string()));
                optional("heavy-first", heavy.map(|(part, whole)| format!("\"{part}/{whole}\"")));
            }
            Policy::RateMonotonic { preemptive } | Policy::DeadlineMonotonic { preemptive } => {
                optional("preemptive", Some(preemptive.to_string()));
            }
            Policy::Llf { preemptive, quantum } => {
                optional("preemptive", Some(preemptive.to_string()));
                optional("quantum", Some(ms(quantum)));
            }
        }
        parameters
    }
}

impl Task {
    fn write(&self, toml: &mut String) -> std::fmt::Result {
        if self.arrival > 0 {
            writeln!(toml, "arrival = \"{}ms\"", self.arrival)?;
        }
        if let Some(server) = self.served {
            writeln!(toml, "server = \"s{server}\"")?;
        } else if self.priority != 0 {
            writeln!(toml, "priority = {}", self.priority)?;
        }
        if self.tickets != 0 {
            writeln!(toml, "tickets = {}", self.tickets)?;
        }
        if self.nice != 0 {
            writeln!(toml, "nice = {}", self.nice)?;
        }
        if let Some((budget, period)) = self.server {
            writeln!(toml, "server = {{ budget = \"{budget}ms\", period = \"{period}ms\" }}")?;
        }
        if let Some(Periodic { period, deadline, jobs, jitter, skips, aborts }) = self.periodic {
            writeln!(toml, "period = \"{period}ms\"\ndeadline = \"{deadline}ms\"\njobs = {jobs}")?;
            if skips {
                writeln!(toml, "on-miss = \"skip\"")?;
            }
            if aborts {
                writeln!(toml, "on-miss = \"abort\"")?;
            }
            if !jitter.is_empty() {
                let choices: Vec<String> = jitter.iter().map(|late| format!("[1, \"{late}ms\"]")).collect();
                writeln!(toml, "jitter = {{ choice = [{}] }}", choices.join(", "))?;
            }
        }
        if let Some(affinity) = &self.affinity {
            writeln!(toml, "affinity = {affinity:?}")?;
        }
        writeln!(toml, "program = [{}]", written(&self.program))
    }
}

/// The operations as they stand in a file: how long one may take stands in its own table.
fn written(program: &[Op]) -> String {
    let mut written = String::new();
    let mut within = None;
    for op in program {
        if let Op::Within(ticks) = op {
            within = Some(*ticks);
            continue;
        }
        let mut text = op.to_string();
        if let Some(ticks) = within.take().filter(|_| op.can_be_given_up()) {
            let instead = if op.is_needed() { ", else = [\"end\"]" } else { "" };
            text.truncate(text.len() - 2);
            text += &format!(", within = \"{ticks}ms\"{instead} }}");
        }
        let begins = written.is_empty() || written.ends_with('[');
        if !begins && !matches!(op, Op::Control(Control::Else | Control::Close)) {
            written += ", ";
        }
        written += &text;
    }
    written
}

impl Op {
    /// Can it be given up?
    pub(crate) fn can_be_given_up(&self) -> bool {
        match self {
            Op::Io(..) | Op::IoAt(..) | Op::Lock(_) => true,
            Op::Sync(op) => {
                !matches!(op, SyncOp::Leave(_) | SyncOp::Release(..) | SyncOp::Notify(_) | SyncOp::NotifyAll(_))
            }
            _ => false,
        }
    }

    /// Does the task end when it has given this up?
    pub(crate) fn is_needed(&self) -> bool {
        matches!(self, Op::Lock(_) | Op::Sync(SyncOp::Read(_) | SyncOp::Write(_)))
    }
}

impl std::fmt::Display for Op {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Op::Cpu(ticks) => write!(f, "{{ cpu = \"{ticks}ms\" }}"),
            Op::Io(device, ticks) => write!(f, "{{ io = \"d{device}\", for = \"{ticks}ms\" }}"),
            Op::IoAt(device, ticks, at) => write!(f, "{{ io = \"d{device}\", for = \"{ticks}ms\", at = {at} }}"),
            Op::Sleep(ticks) => write!(f, "{{ sleep = \"{ticks}ms\" }}"),
            Op::Yield => write!(f, "\"yield\""),
            Op::Within(ticks) => write!(f, "within {ticks}ms"),
            Op::Lock(lock) => write!(f, "{{ lock = \"m{lock}\" }}"),
            Op::Unlock(lock) => write!(f, "{{ unlock = \"m{lock}\" }}"),
            Op::Sync(op) => write!(f, "{op}"),
            Op::Control(control) => write!(f, "{control}"),
        }
    }
}
