//! A scenario as the generator thinks of it: small enough to shrink, and always written out as TOML.

use std::fmt::Write as _;

use sim_core::device::{self, Form};

/// Times are whole numbers; the unit is chosen when the draft is written.
#[derive(Clone, Debug, Default)]
pub(super) struct Draft {
    pub(super) seed: u64,
    pub(super) until: Option<u64>,
    /// The speed of each processor.
    pub(super) processors: Vec<&'static str>,
    /// Keys of `[machine]` and their times.
    pub(super) costs: Vec<(&'static str, u64)>,
    pub(super) free_first_switch: bool,
    pub(super) preempted_first: bool,
    /// Policy and parameters.
    pub(super) policy: String,
    pub(super) parameters: Vec<(&'static str, Parameter)>,
    /// Channels of each device; `None` is unlimited.
    pub(super) devices: Vec<Option<u32>>,
    /// How many may wait for each that has channels, and for how long, if not all do for ever.
    pub(super) room: Option<(u32, u64)>,
    /// How they all serve; `None` is as they do by themselves.
    pub(super) discipline: Option<&'static device::Kind>,
    pub(super) locks: usize,
    /// Further keys of each lock, and times.
    pub(super) lock_keys: Vec<(Option<&'static str>, Option<u64>)>,
    /// Who is next at objects; nothing: as usual.
    pub(super) order: &'static str,
    /// If others may take what becomes free: how long, 0 is for ever.
    pub(super) fair_after: Option<u64>,
    /// What else tasks synchronise with: kind, key and number.
    pub(super) objects: Vec<(&'static str, &'static str, u32)>,
    /// Are there variables?
    pub(super) variables: bool,
    /// Quota, period and burst of each group, and the length of the pieces in which processors take it, if they do. The first process
    /// is in none, the next in the first, and so on; each group is in the one before it.
    pub(super) groups: Vec<[u64; 5]>,
    pub(super) processes: Vec<Process>,
}

#[derive(Clone, Debug)]
pub(super) enum Parameter {
    Text(&'static str),
    Time(u64),
    Times(Vec<u64>),
    /// That of a burst is the length of the last one, of the first this.
    Estimate(u64),
    /// Quantum and allotment of each level.
    Levels(Vec<(u64, u32)>),
}

#[derive(Clone, Debug)]
pub(super) struct Process {
    pub(super) executor: Executor,
    pub(super) count: u32,
    pub(super) tasks: Vec<Task>,
}

#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Executor {
    pub(super) kind: &'static str,
    pub(super) workers: Option<u32>,
    pub(super) gil: Option<u64>,
    /// More parameters, as in a file; `$` stands for the unit.
    pub(super) more: &'static str,
}

#[derive(Clone, Debug)]
pub(super) struct Task {
    pub(super) name: String,
    pub(super) count: u32,
    pub(super) arrival: Arrival,
    pub(super) priority: i64,
    pub(super) nice: i64,
    /// More keys, as in a file; `$` stands for the unit.
    pub(super) more: &'static str,
    pub(super) affinity: Vec<usize>,
    pub(super) after: Vec<String>,
    pub(super) program: Vec<Op>,
}

#[derive(Clone, Debug)]
pub(super) enum Arrival {
    At(u64),
    Every(u64),
    List(Vec<u64>),
    Gap(Length),
    Spawned,
}

#[derive(Clone, Debug)]
pub(super) enum Length {
    Fixed(u64),
    Uniform(u64, u64),
    Exponential(u64),
    Choice(u64, u64),
}

#[derive(Clone, Debug)]
pub(super) enum Op {
    Cpu(Length),
    Io {
        device: usize,
        length: Length,
        blocking: bool,
        /// The track.
        at: Option<u32>,
    },
    Sleep(Length),
    Yield,
    With(usize, Vec<Op>),
    /// An operation on an object and what is done meanwhile.
    Within(&'static str, usize, Vec<Op>),
    /// An operation on an object.
    Use(&'static str, usize),
    /// At a condition variable, with a lock.
    Wait(usize, usize),
    Spawn(String),
    Join(String),
    /// `None` is forever.
    Repeat(Option<u32>, Vec<Op>),
    Choose(Vec<Op>, Vec<Op>),
    /// Branches, and whether another one is first each time.
    All(Vec<Vec<Op>>, bool),
    /// Branches of which the first that is done is enough, and whether the first is always polled first.
    Any(Vec<Vec<Op>>, bool),
    /// So many, of which so many at once.
    Each(u32, Option<u32>, Vec<Op>),
    /// An operation on variables, as files have it.
    Plain(&'static str),
    /// What is done if or while something holds, or every so often, and what is done otherwise; `$` stands for the unit.
    Around(&'static str, Vec<Op>, Option<Vec<Op>>),
    /// An operation, how long somebody stays at it, as files have it, and what is done without it; `$` stands for the unit.
    Attempt(&'static str, Box<Op>, Option<Vec<Op>>),
}

/// What there is of them where there are any.
const VARIABLES: &str = "\n[[variable]]\nname = \"v\"\nvalue = 1\n\n[[variable]]\nname = \"w\"\n";

impl Draft {
    /// The draft as a scenario file whose times have this unit.
    pub(super) fn toml(&self, unit: &str) -> String {
        let mut text = format!("seed = {}\n", self.seed);
        if let Some(until) = self.until {
            let _ = writeln!(text, "until = \"{until}{unit}\"");
        }
        let speeds: Vec<String> = self.processors.iter().map(|speed| format!("{{ speed = {speed} }}")).collect();
        let _ = writeln!(text, "\n[machine]\nprocessors = [{}]", speeds.join(", "));
        for (key, cost) in &self.costs {
            let _ = writeln!(text, "{key} = \"{cost}{unit}\"");
        }
        text += if self.free_first_switch { "charge-first-switch = false\n" } else { "" };
        let _ = writeln!(text, "\n[scheduler]\npolicy = \"{}\"", self.policy);
        for (key, parameter) in &self.parameters {
            let _ = writeln!(text, "{key} = {}", parameter.toml(unit));
        }
        if self.preempted_first {
            text += "ties = \"preempted-first\"\n";
        }
        self.write_devices(&mut text, unit);
        for index in 0..self.locks {
            let _ = writeln!(text, "\n[[lock]]\nname = \"m{index}\"");
            let (protocol, spin) = self.lock_keys.get(index).copied().unwrap_or_default();
            if let Some(protocol) = protocol {
                let _ = writeln!(text, "protocol = \"{protocol}\"");
            }
            if let Some(spin) = spin {
                let _ = writeln!(text, "spin = \"{spin}{unit}\"");
            }
            self.write_rule("lock", protocol.is_none(), &mut text, unit);
        }
        for (index, (kind, key, number)) in self.objects.iter().enumerate() {
            let _ = writeln!(text, "\n[[{kind}]]\nname = \"o{index}\"");
            if !key.is_empty() {
                let _ = writeln!(text, "{key} = {number}");
            }
            let has_room = !matches!((*kind, *number), ("barrier", _) | ("channel", 0));
            self.write_rule(kind, has_room, &mut text, unit);
        }
        text += if self.variables { VARIABLES } else { "" };
        self.write_groups(&mut text, unit);
        for (index, process) in self.processes.iter().enumerate() {
            let (executor, group) = (process.executor.toml(unit), self.group_of(index));
            let _ = write!(text, "\n[[process]]\nname = \"p{index}\"\nexecutor = {executor}\n{group}");
            if process.count > 1 {
                let _ = writeln!(text, "count = {}", process.count);
            }
            process.tasks.iter().for_each(|task| task.write(&mut text, unit));
        }
        text
    }

    fn write_devices(&self, text: &mut String, unit: &str) {
        for (index, channels) in self.devices.iter().enumerate() {
            let channels = channels.map_or_else(|| "\"unlimited\"".to_owned(), |channels| channels.to_string());
            let _ = writeln!(text, "\n[[device]]\nname = \"d{index}\"");
            match self.discipline {
                None => {
                    let _ = writeln!(text, "channels = {channels}");
                }
                Some(kind) => *text += &discipline(kind, &channels, unit),
            }
            if let (Some((queue, patience)), true, None) = (self.room, channels.len() == 1, self.discipline) {
                let _ = writeln!(text, "queue = {queue}\npatience = \"{patience}{unit}\"");
            }
        }
    }

    fn write_groups(&self, text: &mut String, unit: &str) {
        for (index, [quota, period, burst, slice, weight]) in self.groups.iter().enumerate() {
            let _ = writeln!(
                text,
                "\n[[group]]\nname = \"g{index}\"\nquota = \"{quota}{unit}\"\nperiod = \"{period}{unit}\""
            );
            let _ = writeln!(text, "burst = \"{burst}{unit}\"\nweight = {weight}");
            if *slice > 0 {
                let _ = writeln!(text, "slice = \"{slice}{unit}\"");
            }
            if index > 0 {
                let _ = writeln!(text, "parent = \"g{}\"", index - 1);
            }
        }
    }

    fn group_of(&self, process: usize) -> String {
        let group = (process % (self.groups.len() + 1)).checked_sub(1);
        group.map_or_else(String::new, |group| format!("group = \"g{group}\"\n"))
    }

    /// How an object is handed on; what becomes free may be taken by others only where that `can_be`.
    fn write_rule(&self, kind: &str, can_be: bool, text: &mut String, unit: &str) {
        if !self.order.is_empty() {
            let _ = writeln!(text, "order = \"{}\"", self.order);
        }
        match self.fair_after {
            Some(0) if can_be => _ = writeln!(text, "hand-over = \"barging\""),
            Some(after) if can_be && kind != "condvar" => _ = writeln!(text, "fair-after = \"{after}{unit}\""),
            _ => {}
        }
    }

    /// Makes a crowd of it: many instances of each task of which there can be any number.
    pub(super) fn crowd(&mut self) {
        for task in self.processes.iter_mut().flat_map(|process| &mut process.tasks) {
            if matches!(task.arrival, Arrival::At(_) | Arrival::Every(_) | Arrival::Gap(_)) {
                task.count = 30 * task.count.max(1);
            }
        }
    }

    /// All devices serve like this, and all requests want to go somewhere.
    pub(super) fn serve_by(&mut self, kind: &'static device::Kind) {
        self.discipline = Some(kind);
        let mut next = self.seed;
        for task in self.processes.iter_mut().flat_map(|process| &mut process.tasks) {
            place(&mut task.program, &mut next);
        }
    }

    /// Are the times by which runtimes go, slices and intervals, all in the file? Goroutines have some of their own.
    pub(super) fn runtimes_say_their_times(&self) -> bool {
        let says = |more: &str| more.contains("slice") && more.contains("poll-interval");
        self.processes.iter().all(|Process { executor, .. }| executor.kind != "goroutines" || says(executor.more))
    }

    /// Is nothing left to chance?
    pub(super) fn is_certain(&self) -> bool {
        let gap = |task: &Task| !matches!(&task.arrival, Arrival::Gap(length) if !length.is_fixed());
        self.processes.iter().flat_map(|process| &process.tasks).all(|task| gap(task) && certain(&task.program))
    }
}

/// The lines of a device that serves like this. Parameters that are new here need a value.
fn discipline(kind: &device::Kind, channels: &str, unit: &str) -> String {
    let mut text = format!("discipline = \"{}\"\n", kind.name);
    for parameter in kind.parameters {
        let _ = match parameter.name {
            "direction" => writeln!(text, "direction = \"down\""),
            "expire" => writeln!(text, "expire = \"3{unit}\""),
            "batch" => writeln!(text, "batch = 2"),
            other => panic!("{other} of {} has no value here", kind.name),
        };
    }
    let _ = match kind.form {
        Form::Positioned => {
            writeln!(text, "[device.seek]\nper-track = \"1{unit}\"\nsettle = \"1{unit}\"\nstart = 2")
        }
        Form::InOrder | Form::Queue | Form::Shared => writeln!(text, "channels = {channels}"),
    };
    text
}

/// Gives each request a track, some the same.
fn place(program: &mut [Op], next: &mut u64) {
    for op in program {
        if let Op::Io { at, .. } = op {
            *next = next.wrapping_mul(0x5851_F42D_4C95_7F2D).wrapping_add(1);
            *at = u32::try_from(*next >> 61).ok();
        }
        op.bodies().into_iter().for_each(|body| place(body, next));
    }
}

fn certain(program: &[Op]) -> bool {
    program.iter().all(|op| match op {
        Op::Cpu(length) | Op::Sleep(length) | Op::Io { length, .. } => length.is_fixed(),
        Op::With(_, body) | Op::Within(_, _, body) | Op::Repeat(_, body) | Op::Each(_, _, body) => certain(body),
        Op::All(branches, _) => branches.iter().all(|branch| certain(branch)),
        Op::Any(branches, biased) => *biased && branches.iter().all(|branch| certain(branch)),
        Op::Choose(..) | Op::Plain(_) | Op::Around(..) | Op::Attempt(..) => false,
        Op::Yield | Op::Spawn(_) | Op::Join(_) | Op::Use(..) | Op::Wait(..) => true,
    })
}

impl Parameter {
    fn toml(&self, unit: &str) -> String {
        let time = |time: &u64| format!("\"{time}{unit}\"");
        match self {
            Parameter::Text(text) => (*text).to_owned(),
            Parameter::Time(length) => time(length),
            Parameter::Estimate(first) => format!("{{ ewma = 1.0, initial = {} }}", time(first)),
            Parameter::Times(lengths) => format!("[{}]", lengths.iter().map(time).collect::<Vec<_>>().join(", ")),
            Parameter::Levels(levels) => {
                let level = |(quantum, allotment): &(u64, u32)| {
                    format!("{{ quantum = {}, allotment = {allotment} }}", time(quantum))
                };
                format!("[{}]", levels.iter().map(level).collect::<Vec<_>>().join(", "))
            }
        }
    }
}

impl Executor {
    fn toml(&self, unit: &str) -> String {
        let more = self.more.replace('$', unit);
        match (self.workers, self.gil) {
            (Some(workers), _) => format!("{{ kind = \"{}\", workers = {workers}{more} }}", self.kind),
            (_, Some(gil)) => format!("{{ kind = \"{}\", gil = \"{gil}{unit}\"{more} }}", self.kind),
            _ => format!("{{ kind = \"{}\"{more} }}", self.kind),
        }
    }
}

impl Task {
    fn write(&self, text: &mut String, unit: &str) {
        let _ = writeln!(text, "\n[[process.task]]\nname = \"{}\"", self.name);
        let listed = matches!(self.arrival, Arrival::List(_) | Arrival::Spawned);
        if self.count != 1 && !listed {
            let _ = writeln!(text, "count = {}", self.count);
        }
        match &self.arrival {
            Arrival::At(0) => {}
            Arrival::At(at) => {
                let _ = writeln!(text, "arrival = \"{at}{unit}\"");
            }
            Arrival::Every(every) => {
                let _ = writeln!(text, "arrival = {{ every = \"{every}{unit}\" }}");
            }
            Arrival::List(times) => {
                let _ = writeln!(text, "arrival = {}", Parameter::Times(times.clone()).toml(unit));
            }
            Arrival::Gap(length) => {
                let _ = writeln!(text, "arrival = {{ gap = {} }}", length.toml(unit));
            }
            Arrival::Spawned => *text += "arrival = \"spawned\"\n",
        }
        for (key, value) in [("priority", self.priority), ("nice", self.nice)] {
            if value != 0 {
                let _ = writeln!(text, "{key} = {value}");
            }
        }
        *text += &self.more.replace('$', unit);
        if !self.affinity.is_empty() {
            let _ = writeln!(text, "affinity = {:?}", self.affinity);
        }
        if !self.after.is_empty() {
            let _ = writeln!(text, "after = {:?}", self.after);
        }
        let _ = writeln!(text, "program = {}", list(&self.program, unit));
    }
}

impl Length {
    fn is_fixed(&self) -> bool {
        matches!(self, Length::Fixed(_))
    }

    fn toml(&self, unit: &str) -> String {
        match self {
            Length::Fixed(time) => format!("\"{time}{unit}\""),
            Length::Uniform(low, high) => format!("{{ uniform = [\"{low}{unit}\", \"{high}{unit}\"] }}"),
            Length::Exponential(mean) => format!("{{ exponential = \"{mean}{unit}\" }}"),
            Length::Choice(one, other) => format!("{{ choice = [[0.5, \"{one}{unit}\"], [0.5, \"{other}{unit}\"]] }}"),
        }
    }
}

fn list(program: &[Op], unit: &str) -> String {
    format!("[{}]", program.iter().map(|op| op.toml(unit)).collect::<Vec<_>>().join(", "))
}

impl Op {
    fn toml(&self, unit: &str) -> String {
        match self {
            Op::Cpu(length) => format!("{{ cpu = {} }}", length.toml(unit)),
            Op::Io { device, length, blocking, at } => {
                let blocking = if *blocking { ", blocking = true" } else { "" };
                let at = at.map_or_else(String::new, |at| format!(", at = {at}"));
                format!("{{ io = \"d{device}\", for = {}{at}{blocking} }}", length.toml(unit))
            }
            Op::Sleep(length) => format!("{{ sleep = {} }}", length.toml(unit)),
            Op::Yield => "\"yield\"".to_owned(),
            Op::With(lock, body) => format!("{{ with = \"m{lock}\", do = {} }}", list(body, unit)),
            Op::Within(word, object, body) => format!("{{ {word} = \"o{object}\", do = {} }}", list(body, unit)),
            Op::Use(word, object) => format!("{{ {word} = \"o{object}\" }}"),
            Op::Wait(object, lock) => format!("{{ wait = \"o{object}\", with = \"m{lock}\" }}"),
            Op::Spawn(task) => format!("{{ spawn = \"{task}\" }}"),
            Op::Join(task) => format!("{{ join = \"{task}\" }}"),
            Op::Repeat(Some(count), body) => format!("{{ repeat = {count}, do = {} }}", list(body, unit)),
            Op::Repeat(None, body) => format!("{{ repeat = \"forever\", do = {} }}", list(body, unit)),
            Op::All(branches, flag) | Op::Any(branches, flag) => {
                let lists: Vec<String> = branches.iter().map(|branch| list(branch, unit)).collect();
                let (word, how) = if matches!(self, Op::All(..)) { ("all", "rotate") } else { ("any", "biased") };
                format!("{{ {word} = [{}], {how} = {flag} }}", lists.join(", "))
            }
            Op::Each(count, at_once, body) => {
                let at_once = at_once.map_or_else(String::new, |at_once| format!(", at-once = {at_once}"));
                format!("{{ each = {count}{at_once}, do = {} }}", list(body, unit))
            }
            Op::Choose(one, other) => {
                format!("{{ choose = [[0.5, {}], [0.5, {}]] }}", list(one, unit), list(other, unit))
            }
            Op::Plain(text) => format!("{{ {text} }}"),
            Op::Around(head, body, otherwise) => {
                let otherwise =
                    otherwise.as_ref().map_or_else(String::new, |other| format!(", else = {}", list(other, unit)));
                format!("{{ {}, do = {}{otherwise} }}", head.replace('$', unit), list(body, unit))
            }
            Op::Attempt(terms, op, otherwise) => {
                let otherwise =
                    otherwise.as_ref().map_or_else(String::new, |other| format!(", else = {}", list(other, unit)));
                let op = op.toml(unit);
                format!("{}, {}{otherwise} }}", op.trim_end_matches(" }"), terms.replace('$', unit))
            }
        }
    }

    /// The operations inside, if there are any.
    pub(super) fn bodies(&mut self) -> Vec<&mut Vec<Op>> {
        match self {
            Op::With(_, body) | Op::Within(_, _, body) | Op::Repeat(_, body) | Op::Each(_, _, body) => vec![body],
            Op::All(branches, _) | Op::Any(branches, _) => branches.iter_mut().collect(),
            Op::Choose(one, other) => vec![one, other],
            Op::Around(_, body, otherwise) => std::iter::once(body).chain(otherwise).collect(),
            Op::Attempt(_, op, otherwise) => op.bodies().into_iter().chain(otherwise).collect(),
            _ => Vec::new(),
        }
    }
}
