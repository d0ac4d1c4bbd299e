//! Random valid scenarios. Each seed leaves some features out altogether, so that the others meet in every combination:
//! a rare interaction is not drowned by everything else happening at once.

use sim_core::policy;

use super::draft::{Arrival, Draft, Executor, Length, Op, Parameter, Process, Task};

/// Where decisions come from: a counter, well mixed (Steele, Lea & Flood 2014).
pub(super) struct Dice(pub(super) u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// From `low` to `high`, both included.
    pub(super) fn range(&mut self, low: u64, high: u64) -> u64 {
        low + self.roll() % (high - low + 1)
    }

    fn index(&mut self, length: usize) -> usize {
        usize::try_from(self.roll() % length as u64).expect("below a length")
    }

    pub(super) fn one_in(&mut self, n: u64) -> bool {
        self.roll().is_multiple_of(n)
    }

    pub(super) fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.index(from.len())]
    }
}

/// What this seed uses at all.
struct Features {
    io: bool,
    blocking: bool,
    sleep: bool,
    yields: bool,
    locks: bool,
    protocols: bool,
    spins: bool,
    objects: bool,
    spawn: bool,
    repeat: bool,
    choose: bool,
    chance: bool,
    affinity: bool,
    after: bool,
    arrivals: bool,
    priorities: bool,
    executors: bool,
    several_processes: bool,
    costs: bool,
    speeds: bool,
    horizon: bool,
    zero: bool,
    /// Are all lengths of nothing or next to nothing? Then much happens at the same instants.
    coincide: bool,
}

impl Features {
    fn draw(dice: &mut Dice) -> Features {
        let mut feature = || dice.one_in(2);
        Features {
            io: feature(),
            blocking: feature(),
            sleep: feature(),
            yields: feature(),
            locks: feature(),
            protocols: feature(),
            objects: feature() && feature(),
            spawn: feature(),
            repeat: feature(),
            choose: feature(),
            chance: feature(),
            affinity: feature() && feature(),
            after: feature(),
            arrivals: feature(),
            priorities: feature(),
            executors: feature(),
            several_processes: feature(),
            costs: feature(),
            speeds: feature() && feature(),
            horizon: feature() && feature(),
            zero: feature(),
            // Drawn last, so that what a seed was before it mostly is.
            spins: feature(),
            coincide: feature() && feature(),
        }
    }

    /// Threads of their own that contend for locks that lend urgency and are spun for, all at the same few instants.
    fn contention(dice: &mut Dice) -> Features {
        Features {
            locks: true,
            protocols: true,
            spins: true,
            objects: dice.one_in(2),
            sleep: true,
            arrivals: true,
            priorities: true,
            zero: true,
            coincide: true,
            io: dice.one_in(4),
            yields: dice.one_in(4),
            repeat: dice.one_in(4),
            horizon: true,
            executors: false,
            ..Features::nothing()
        }
    }

    fn nothing() -> Features {
        Features {
            io: false,
            blocking: false,
            sleep: false,
            yields: false,
            locks: false,
            protocols: false,
            spins: false,
            objects: false,
            spawn: false,
            repeat: false,
            choose: false,
            chance: false,
            affinity: false,
            after: false,
            arrivals: false,
            priorities: false,
            executors: false,
            several_processes: false,
            costs: false,
            speeds: false,
            horizon: false,
            zero: false,
            coincide: false,
        }
    }
}

/// The scenario of this seed under this policy.
pub(super) fn draft(kind: &policy::Kind, seed: u64) -> Draft {
    let mut dice = Dice(seed);
    let features = Features::draw(&mut dice);
    Maker::new(dice, features).draft(kind, seed)
}

/// The scenario of this seed under this policy in which threads contend for locks with this protocol, which they spin
/// for.
pub(super) fn contention(kind: &policy::Kind, protocol: Option<&'static str>, seed: u64) -> Draft {
    let mut dice = Dice(seed);
    let features = Features::contention(&mut dice);
    let mut draft = Maker::new(dice, features).draft(kind, seed);
    draft.lock_keys.iter_mut().for_each(|keys| *keys = (protocol, Some(1 + seed % 2)));
    draft
}

/// The same, with objects that are handed on in some other way.
pub(super) fn barging(kind: &policy::Kind, seed: u64) -> Draft {
    let mut draft = contention(kind, None, seed);
    let mut dice = Dice(seed ^ 1);
    draft.order = dice.pick(&["", "fifo", "lifo"]);
    draft.fair_after = dice.pick(&[None, Some(0), Some(2)]);
    draft
}

struct Maker {
    dice: Dice,
    features: Features,
    devices: usize,
    locks: usize,
    objects: Vec<(&'static str, &'static str, u32)>,
    /// Tasks named so far.
    tasks: usize,
    /// Locks held where the program is being written.
    held: Vec<usize>,
}

const SHORT_SLICES: &str = ", slice = \"2$\", poll-interval = \"5$\"";

impl Maker {
    fn new(dice: Dice, features: Features) -> Maker {
        Maker { dice, features, devices: 0, locks: 0, objects: Vec::new(), tasks: 0, held: Vec::new() }
    }

    fn draft(&mut self, kind: &policy::Kind, seed: u64) -> Draft {
        let processors = self.dice.pick(&[1, 1, 2, 2, 3, 4]);
        self.devices = if self.features.io { self.dice.index(2) + 1 } else { 0 };
        self.locks = if self.features.locks { self.dice.index(3) + 1 } else { 0 };
        self.objects = if self.features.objects { self.objects() } else { Vec::new() };
        let processes = if self.features.several_processes { self.dice.range(2, 3) } else { 1 };
        let speeds = if self.features.speeds { ["1.0", "0.5", "2.0", "0.3"].as_slice() } else { &["1.0"] };
        let mut draft = Draft {
            seed,
            until: self.features.horizon.then(|| self.dice.range(5, 60)),
            processors: (0..processors).map(|_| self.dice.pick(speeds)).collect(),
            policy: kind.name.to_owned(),
            parameters: self.parameters(kind),
            devices: (0..self.devices).map(|_| self.dice.pick(&[Some(1), Some(1), Some(2), None])).collect(),
            locks: self.locks,
            lock_keys: self.lock_keys(),
            objects: self.objects.clone(),
            preempted_first: self.dice.one_in(2),
            ..Draft::default()
        };
        if self.features.costs {
            for key in ["context-switch", "process-switch", "migration", "thread-start", "process-start", "task-switch"]
            {
                if self.dice.one_in(2) {
                    draft.costs.push((key, self.dice.range(0, 3)));
                }
            }
            draft.free_first_switch = self.dice.one_in(3);
        }
        for _ in 0..processes {
            let process = self.process(processors);
            draft.processes.push(process);
        }
        draft
    }

    /// A protocol and a time to spin for each lock, or neither.
    fn lock_keys(&mut self) -> Vec<(Option<&'static str>, Option<u64>)> {
        let Features { protocols, spins, .. } = self.features;
        let keys = |dice: &mut Dice| {
            let protocol = dice.pick(&[None, Some("inherit"), Some("inherit"), Some("ceiling")]);
            (protocol.filter(|_| protocols), (spins && dice.one_in(2)).then(|| dice.range(0, 4)))
        };
        (0..self.locks).map(|_| keys(&mut self.dice)).collect()
    }

    fn objects(&mut self) -> Vec<(&'static str, &'static str, u32)> {
        let dice = &mut self.dice;
        let object = |dice: &mut Dice| {
            let number = u32::try_from(dice.range(0, 2)).unwrap_or(1);
            match dice.range(0, 4) {
                0 => ("rwlock", "", 0),
                1 => ("semaphore", "permits", number),
                2 => ("channel", "capacity", number),
                3 => ("condvar", "", 0),
                _ => ("barrier", "parties", number + 1),
            }
        };
        (0..dice.range(1, 3)).map(|_| object(dice)).collect()
    }

    /// Something done with one of the objects.
    fn use_of_object(&mut self, depth: u32) -> Op {
        let number = self.dice.index(self.objects.len());
        match self.objects[number].0 {
            "rwlock" if depth > 0 => {
                let body = self.block(depth - 1, &[]);
                Op::Within(self.dice.pick(&["read", "read", "write"]), number, body)
            }
            "semaphore" if depth > 0 && !self.dice.one_in(3) => {
                let body = self.block(depth - 1, &[]);
                Op::Within("acquire", number, body)
            }
            "semaphore" => Op::Use(self.dice.pick(&["acquire", "release", "release"]), number),
            "channel" => Op::Use(self.dice.pick(&["send", "recv"]), number),
            "condvar" => match self.held.last() {
                Some(lock) if self.dice.one_in(2) => Op::Wait(number, *lock),
                _ => Op::Use(self.dice.pick(&["notify", "notify-all"]), number),
            },
            "barrier" => Op::Use("barrier", number),
            _ => Op::Yield,
        }
    }

    /// Parameters of a policy: each is there or not. What a policy requires must be in this list.
    fn parameters(&mut self, kind: &policy::Kind) -> Vec<(&'static str, Parameter)> {
        let known = |dice: &mut Dice, name: &str| -> Option<Parameter> {
            let time = |dice: &mut Dice| Parameter::Time(dice.pick(&[1, 2, 3, 5, 20]));
            Some(match name {
                "quantum" | "base-slice" | "latency" | "wakeup-granularity" | "tick" => time(dice),
                "aging" | "boost" => Parameter::Time(dice.pick(&[7, 20])),
                "quanta" => Parameter::Times((0..dice.range(1, 3)).map(|_| dice.range(1, 4)).collect()),
                "levels" => {
                    let level = |dice: &mut Dice| (dice.range(1, 4), 1 + u32::from(dice.one_in(2)));
                    Parameter::Levels((0..dice.range(1, 3)).map(|_| level(dice)).collect())
                }
                "preemptive" | "demote-alone" | "reset-on-io" | "io-to-head" => {
                    Parameter::Text(dice.pick(&["true", "false"]))
                }
                "order" => Parameter::Text(dice.pick(&["\"high-first\"", "\"low-first\""])),
                "preempted-to" => Parameter::Text(dice.pick(&["\"head\"", "\"tail\""])),
                "estimate" if dice.one_in(2) => Parameter::Estimate(dice.range(0, 9)),
                "estimate" => Parameter::Text("\"exact\""),
                "heavy-first" => Parameter::Text("\"1/2\""),
                _ => return None,
            })
        };
        let required = |name: &str| name == "quantum" && kind.name != "priority" || matches!(name, "quanta" | "levels");
        let mut parameters = Vec::new();
        for name in sim_core::parameter::names(kind.parameters) {
            if let Some(parameter) = known(&mut self.dice, name)
                && (required(name) || self.dice.one_in(2))
            {
                parameters.push((name, parameter));
            }
        }
        parameters
    }

    fn process(&mut self, processors: usize) -> Process {
        let executor = self.executor();
        let count = if self.features.several_processes && self.dice.one_in(4) { 2 } else { 1 };
        let mut tasks: Vec<Task> = Vec::new();
        let spawned = if self.features.spawn { self.dice.index(3) } else { 0 };
        for _ in 0..spawned {
            // A task may spawn those before it, so that nobody spawns itself.
            let known: Vec<String> = tasks.iter().map(|task| task.name.clone()).collect();
            let task = self.task(Arrival::Spawned, &known, &[], processors);
            tasks.push(task);
        }
        let spawnable: Vec<String> = tasks.iter().map(|task| task.name.clone()).collect();
        for _ in 0..self.dice.range(1, 4) {
            let arrival = self.arrival();
            let before: Vec<String> = tasks[spawnable.len()..].iter().map(|task| task.name.clone()).collect();
            let task = self.task(arrival, &spawnable, &before, processors);
            tasks.push(task);
        }
        leave_out_the_unspawned(&mut tasks);
        Process { executor, count, tasks }
    }

    fn executor(&mut self) -> Executor {
        let plain = Executor { kind: "threads", workers: None, gil: None, more: "" };
        if !self.features.executors {
            return plain;
        }
        let kind = self.dice.pick(&[
            "sequential",
            "threads",
            "threads",
            "async",
            "pool",
            "work-stealing",
            "work-stealing",
            "goroutines",
            "processes",
        ]);
        let workers = matches!(kind, "pool" | "work-stealing" | "goroutines").then(|| self.dice.pick(&[1, 2, 3]));
        let gil = (kind == "threads" && self.dice.one_in(2)).then(|| self.dice.range(1, 6));
        // `$` stands for the unit.
        let more: &[&str] = match kind {
            "async" => &["", ", event-interval = 2", ", yield = \"tail\"", ", budget = 1"],
            "pool" => &["", ", next = \"at-once\"", ", queue = \"stealing\""],
            "work-stealing" => &["", "", ", event-interval = 2, global-interval = 3", ", victims = \"random\""],
            "goroutines" => &[", slice = \"10$\", poll-interval = \"10$\"", SHORT_SLICES],
            _ => &[""],
        };
        let more = self.dice.pick(more);
        Executor { kind, workers, gil, more }
    }

    fn task(&mut self, arrival: Arrival, spawnable: &[String], before: &[String], processors: usize) -> Task {
        let name = format!("t{}", self.tasks);
        self.tasks += 1;
        let count = if self.dice.one_in(3) { u32::try_from(self.dice.range(0, 3)).unwrap_or(1) } else { 1 };
        let with_priority = self.features.priorities;
        let is_spawned = matches!(arrival, Arrival::Spawned);
        Task {
            name,
            count,
            priority: if with_priority { i64::try_from(self.dice.range(0, 3)).unwrap_or(0) } else { 0 },
            more: "",
            nice: if with_priority { i64::try_from(self.dice.range(0, 6)).unwrap_or(0) - 3 } else { 0 },
            affinity: if self.features.affinity && self.dice.one_in(2) {
                let mut cpus: Vec<usize> = (0..processors).filter(|_| self.dice.one_in(2)).collect();
                if cpus.is_empty() {
                    cpus.push(self.dice.index(processors));
                }
                cpus
            } else {
                Vec::new()
            },
            after: before
                .iter()
                .filter(|_| self.features.after && !is_spawned && self.dice.one_in(4))
                .cloned()
                .collect(),
            arrival,
            program: self.program(spawnable),
        }
    }

    fn arrival(&mut self) -> Arrival {
        if !self.features.arrivals {
            return Arrival::At(0);
        }
        if self.features.coincide {
            return Arrival::At(self.dice.range(0, 2));
        }
        match self.dice.range(0, 4) {
            0 => Arrival::Every(self.dice.range(0, 6)),
            1 => Arrival::List((0..self.dice.range(1, 3)).map(|_| self.dice.range(0, 9)).collect()),
            2 => Arrival::Gap(self.length()),
            _ => Arrival::At(self.dice.range(0, 9)),
        }
    }

    fn program(&mut self, spawnable: &[String]) -> Vec<Op> {
        let mut program = self.block(2, spawnable);
        if self.features.horizon && self.dice.one_in(4) {
            // An endless loop must use time.
            let mut body = self.block(1, &[]);
            body.push(Op::Cpu(Length::Fixed(self.dice.range(1, 4))));
            program.push(Op::Repeat(None, body));
        }
        program
    }

    fn block(&mut self, depth: u32, spawnable: &[String]) -> Vec<Op> {
        let mut block = Vec::new();
        let mut spawned: Vec<&String> = Vec::new();
        for _ in 0..self.dice.range(0, 4) {
            match self.dice.range(0, 13) {
                0 | 1 if self.features.io => {
                    let device = self.dice.index(self.devices);
                    let blocking = self.features.blocking && self.dice.one_in(3);
                    block.push(Op::Io { device, length: self.length(), blocking, at: None });
                }
                2 if self.features.sleep => block.push(Op::Sleep(self.length())),
                3 if self.features.yields => block.push(Op::Yield),
                4 | 5 if self.features.locks && depth > 0 => {
                    let lock = self.dice.index(self.locks);
                    // To take a lock twice is a deadlock by oneself: now and then, but not all the time.
                    if !self.held.contains(&lock) || self.dice.one_in(20) {
                        self.held.push(lock);
                        let body = self.block(depth - 1, &[]);
                        self.held.pop();
                        block.push(Op::With(lock, body));
                    }
                }
                6 if !spawnable.is_empty() => {
                    let task = &spawnable[self.dice.index(spawnable.len())];
                    spawned.push(task);
                    block.push(Op::Spawn(task.clone()));
                }
                7 if !spawned.is_empty() => {
                    let task = spawned[self.dice.index(spawned.len())];
                    block.push(Op::Join(task.clone()));
                }
                8 if self.features.repeat && depth > 0 => {
                    let count = u32::try_from(self.dice.range(0, 3)).unwrap_or(1);
                    block.push(Op::Repeat(Some(count), self.block(depth - 1, &[])));
                }
                9 if self.features.choose && depth > 0 => {
                    let (one, other) = (self.block(depth - 1, &[]), self.block(depth - 1, &[]));
                    block.push(Op::Choose(one, other));
                }
                10 | 11 if !self.objects.is_empty() => {
                    let used = self.use_of_object(depth);
                    block.push(used);
                }
                _ => block.push(Op::Cpu(self.length())),
            }
        }
        block
    }

    fn length(&mut self) -> Length {
        let low = u64::from(!self.features.zero);
        if self.features.coincide {
            return Length::Fixed(self.dice.range(low, 2));
        }
        if !self.features.chance {
            return Length::Fixed(self.dice.range(low, 6));
        }
        match self.dice.range(0, 5) {
            0 => {
                let from = self.dice.range(low, 4);
                Length::Uniform(from, from + self.dice.range(0, 5))
            }
            1 => Length::Exponential(self.dice.range(1, 5)),
            2 => Length::Choice(self.dice.range(low, 3), self.dice.range(low, 9)),
            _ => Length::Fixed(self.dice.range(low, 6)),
        }
    }
}

/// Tasks to be spawned that nobody spawns are no valid scenario; and without them, others may be so too.
fn leave_out_the_unspawned(tasks: &mut Vec<Task>) {
    loop {
        let programs: String = tasks.iter().map(|task| format!("{:?}", task.program)).collect();
        let is_known = |task: &Task| {
            !matches!(task.arrival, Arrival::Spawned) || programs.contains(&format!("Spawn({:?})", task.name))
        };
        if tasks.iter().all(is_known) {
            return;
        }
        tasks.retain(is_known);
    }
}
