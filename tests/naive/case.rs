//! A small world: what the naive simulator is given, and the same as a scenario file.

mod device;
mod sync;

use std::fmt::Write as _;

pub(crate) use device::{Discipline, Disk};
pub(crate) use sync::{Object, Prefer, Protocol, SyncOp, Syncs};

/// One case. All times are ticks.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) processors: usize,
    pub(crate) context_switch: u64,
    pub(crate) charge_first_switch: bool,
    pub(crate) policy: Policy,
    pub(crate) preempted_first: bool,
    /// How many channels each device has; `None` is unlimited.
    pub(crate) devices: Vec<Option<usize>>,
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
    pub(crate) processes: Vec<Process>,
}

#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) enum Policy {
    Fifo,
    RoundRobin {
        quantum: u64,
    },
    Sjf,
    Priority {
        preemptive: bool,
        low_first: bool,
        preempted_to_head: bool,
        quantum: Option<u64>,
    },
    Srtf,
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
    Edf {
        preemptive: bool,
    },
    RateMonotonic {
        preemptive: bool,
    },
    DeadlineMonotonic {
        preemptive: bool,
    },
}

impl Policy {
    /// The draws of a lottery: more than a small world needs.
    pub(crate) fn draws(chance: u64) -> Vec<u64> {
        let next = |last: &u64| Some((last * 1_103_515_245 + 12_345) % 2_147_483_648);
        std::iter::successors(Some(chance), next).skip(1).map(|number| number / 65_536).take(300).collect()
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Process {
    pub(crate) executor: Executor,
    pub(crate) tasks: Vec<Task>,
}

#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) enum Executor {
    Threads,
    Sequential,
    Pool(usize),
    Async,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Task {
    pub(crate) arrival: u64,
    pub(crate) priority: i64,
    pub(crate) tickets: u64,
    pub(crate) periodic: Option<Periodic>,
    pub(crate) affinity: Option<Vec<usize>>,
    pub(crate) program: Vec<Op>,
}

#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct Periodic {
    pub(crate) period: u64,
    pub(crate) deadline: u64,
    pub(crate) jobs: u64,
}

#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) enum Op {
    Cpu(u64),
    Io(usize, u64),
    /// And the track.
    IoAt(usize, u64, u32),
    Sleep(u64),
    Yield,
    Lock(usize),
    Unlock(usize),
    Sync(SyncOp),
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
        if self.nanoseconds { toml.replace("ms\"", "ns\"") } else { toml }
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
            self.write_discipline(toml)?;
        }
        self.syncs.write(self.locks, toml)?;
        let mut number = 0;
        for (index, process) in self.processes.iter().enumerate() {
            let executor = match process.executor {
                Executor::Threads => "\"threads\"".to_string(),
                Executor::Sequential => "\"sequential\"".to_string(),
                Executor::Async => "\"async\"".to_string(),
                Executor::Pool(workers) => format!("{{ kind = \"pool\", workers = {workers} }}"),
            };
            writeln!(toml, "\n[[process]]\nname = \"p{index}\"\nexecutor = {executor}")?;
            for task in &process.tasks {
                writeln!(toml, "\n[[process.task]]\nname = \"t{number}\"")?;
                task.write(toml)?;
                number += 1;
            }
        }
        Ok(())
    }

    fn write_policy(&self, toml: &mut String) -> std::fmt::Result {
        writeln!(toml, "\n[scheduler]")?;
        let mut quantum = None;
        let simple = |toml: &mut String, name: &str| writeln!(toml, "policy = \"{name}\"");
        match self.policy {
            Policy::Fifo => simple(toml, "fifo")?,
            Policy::Sjf => simple(toml, "sjf")?,
            Policy::Srtf => simple(toml, "srtf")?,
            Policy::Hrrn => simple(toml, "hrrn")?,
            Policy::RoundRobin { quantum: length } => {
                simple(toml, "round-robin")?;
                quantum = Some(length);
            }
            Policy::Stride { quantum: length } => {
                simple(toml, "stride")?;
                quantum = Some(length);
            }
            Policy::Lottery { quantum: length, chance } => {
                simple(toml, "lottery")?;
                writeln!(toml, "draws = {:?}", Policy::draws(chance))?;
                quantum = Some(length);
            }
            Policy::Priority { preemptive, low_first, preempted_to_head, quantum: length } => {
                writeln!(toml, "policy = \"priority\"\npreemptive = {preemptive}")?;
                writeln!(toml, "order = \"{}\"", if low_first { "low-first" } else { "high-first" })?;
                writeln!(toml, "preempted-to = \"{}\"", if preempted_to_head { "head" } else { "tail" })?;
                quantum = length;
            }
            Policy::Feedback { quanta, demote_alone } => {
                let quanta: Vec<String> = quanta.iter().map(|quantum| format!("\"{quantum}ms\"")).collect();
                simple(toml, "feedback")?;
                writeln!(toml, "quanta = [{}]\ndemote-alone = {demote_alone}", quanta.join(", "))?;
            }
            Policy::Mlfq { levels, boost, reset_on_io, io_to_head } => {
                let level = |(quantum, allotment)| format!("{{ quantum = \"{quantum}ms\", allotment = {allotment} }}");
                let levels: Vec<String> = levels.iter().copied().map(level).collect();
                simple(toml, "mlfq")?;
                writeln!(toml, "levels = [{}]", levels.join(", "))?;
                writeln!(toml, "reset-on-io = {reset_on_io}\nio-to-head = {io_to_head}")?;
                if let Some(boost) = boost {
                    writeln!(toml, "boost = \"{boost}ms\"")?;
                }
            }
            Policy::Edf { preemptive } => writeln!(toml, "policy = \"edf\"\npreemptive = {preemptive}")?,
            Policy::RateMonotonic { preemptive } => {
                writeln!(toml, "policy = \"rate-monotonic\"\npreemptive = {preemptive}")?;
            }
            Policy::DeadlineMonotonic { preemptive } => {
                writeln!(toml, "policy = \"deadline-monotonic\"\npreemptive = {preemptive}")?;
            }
        }
        if let Some(quantum) = quantum {
            writeln!(toml, "quantum = \"{quantum}ms\"")?;
        }
        if quantum.is_some() || matches!(self.policy, Policy::Feedback { .. } | Policy::Mlfq { .. }) {
            writeln!(toml, "ties = \"{}\"", if self.preempted_first { "preempted-first" } else { "arrivals-first" })?;
        }
        Ok(())
    }
}

impl Task {
    fn write(&self, toml: &mut String) -> std::fmt::Result {
        if self.arrival > 0 {
            writeln!(toml, "arrival = \"{}ms\"", self.arrival)?;
        }
        if self.priority != 0 {
            writeln!(toml, "priority = {}", self.priority)?;
        }
        if self.tickets != 0 {
            writeln!(toml, "tickets = {}", self.tickets)?;
        }
        if let Some(Periodic { period, deadline, jobs }) = self.periodic {
            writeln!(toml, "period = \"{period}ms\"\ndeadline = \"{deadline}ms\"\njobs = {jobs}")?;
        }
        if let Some(affinity) = &self.affinity {
            writeln!(toml, "affinity = {affinity:?}")?;
        }
        let program: Vec<String> = self.program.iter().map(Op::to_string).collect();
        writeln!(toml, "program = [{}]", program.join(", "))
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
            Op::Lock(lock) => write!(f, "{{ lock = \"m{lock}\" }}"),
            Op::Unlock(lock) => write!(f, "{{ unlock = \"m{lock}\" }}"),
            Op::Sync(op) => write!(f, "{op}"),
        }
    }
}
