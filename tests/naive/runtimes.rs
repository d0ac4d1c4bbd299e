//! The runtime floor against a second simulator of its own: event loops, work stealing, pools, goroutines and the
//! interpreter lock, with tasks that wait, wake and spawn each other, in all small worlds and in random larger ones.

mod branches;
mod shelf;
mod simulator;

use sim_core::engine;
use sim_core::ids::SpecId;
use sim_core::rng::{Stream, StreamName};
use sim_core::time::Span;
use sim_core::timeline::Timeline;
use sim_core::timeline::check::Tolerance;

use super::{history, show};
use crate::support;

#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) enum Runtime {
    Async { event_interval: u32, defers: bool },
    Pool { steals: bool },
    Shared,
    Tokio { slot: bool, event_interval: u32, global_interval: u32, steals_one: bool, one_driver: bool, defers: bool },
    Goroutines { slice: u64, global_interval: u32 },
    Gil { interval: u64 },
}

#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) enum Op {
    Cpu(u64),
    Io(u64),
    BlockingIo(u64),
    Sleep(u64),
    Yield,
    Lock,
    Unlock,
    /// A task is spawned once, and only by one other.
    Spawn(usize),
    Join(usize),
    /// Several branches at once, so many from this one on of the world's.
    All {
        first: usize,
        count: usize,
        rotates: bool,
    },
    Any {
        first: usize,
        count: usize,
    },
    /// The same branch so many times.
    Each {
        body: usize,
        count: usize,
        at_once: usize,
    },
}

#[derive(Clone, Debug)]
pub(crate) struct Task {
    /// `None`: it is spawned.
    pub(crate) arrival: Option<u64>,
    pub(crate) program: Vec<Op>,
}

/// One process. All times are ticks of a millisecond.
#[derive(Clone, Debug)]
pub(crate) struct World {
    pub(crate) processors: usize,
    pub(crate) workers: usize,
    pub(crate) runtime: Runtime,
    pub(crate) tasks: Vec<Task>,
    /// What tasks do at once. Those of one operation follow each other.
    pub(crate) branches: Vec<Vec<Op>>,
}

impl Runtime {
    fn steals(self) -> bool {
        self == Runtime::Pool { steals: true }
    }

    fn toml(self, workers: usize) -> String {
        match self {
            Runtime::Async { event_interval, defers } => {
                let end = if defers { "deferred" } else { "tail" };
                format!("kind = \"async\", event-interval = {event_interval}, yield = \"{end}\"")
            }
            Runtime::Pool { steals } => {
                let queue = if steals { "stealing" } else { "shared" };
                format!("kind = \"pool\", workers = {workers}, queue = \"{queue}\"")
            }
            Runtime::Shared => format!("kind = \"work-stealing\", workers = {workers}, queue = \"shared\""),
            Runtime::Tokio { slot, event_interval, global_interval, steals_one, one_driver, defers } => format!(
                "kind = \"work-stealing\", workers = {workers}, lifo-slot = {slot}, event-interval = {event_interval}, \
                 global-interval = {global_interval}, steal = \"{}\", driver = \"{}\", yield = \"{}\"",
                if steals_one { "one" } else { "half" },
                if one_driver { "one" } else { "any" },
                if defers { "deferred" } else { "tail" },
            ),
            Runtime::Goroutines { slice, global_interval } => format!(
                "kind = \"goroutines\", workers = {workers}, slice = \"{slice}ms\", global-interval = {global_interval}"
            ),
            Runtime::Gil { interval } => format!("kind = \"threads\", gil = \"{interval}ms\""),
        }
    }
}

impl World {
    fn list(&self, program: &[Op]) -> String {
        let ops: Vec<String> = program.iter().map(|op| self.op(*op)).collect();
        format!("[{}]", ops.join(", "))
    }

    fn op(&self, op: Op) -> String {
        let lists = |first: usize, count: usize| {
            let lists: Vec<String> = (first..first + count).map(|branch| self.list(&self.branches[branch])).collect();
            format!("[{}]", lists.join(", "))
        };
        match op {
            Op::Cpu(ticks) => format!("{{ cpu = \"{ticks}ms\" }}"),
            Op::Io(ticks) => format!("{{ io = \"net\", for = \"{ticks}ms\" }}"),
            Op::BlockingIo(ticks) => format!("{{ io = \"net\", for = \"{ticks}ms\", blocking = true }}"),
            Op::Sleep(ticks) => format!("{{ sleep = \"{ticks}ms\" }}"),
            Op::Yield => "\"yield\"".into(),
            Op::Lock => "{ lock = \"m\" }".into(),
            Op::Unlock => "{ unlock = \"m\" }".into(),
            Op::Spawn(task) => format!("{{ spawn = \"t{task}\" }}"),
            Op::Join(task) => format!("{{ join = \"t{task}\" }}"),
            Op::All { first, count, rotates } => format!("{{ all = {}, rotate = {rotates} }}", lists(first, count)),
            Op::Any { first, count } => format!("{{ any = {}, biased = true }}", lists(first, count)),
            Op::Each { body, count, at_once } => {
                format!("{{ each = {count}, at-once = {at_once}, do = {} }}", self.list(&self.branches[body]))
            }
        }
    }
}

impl World {
    fn toml(&self) -> String {
        let mut toml = format!(
            "executor = {{ {} }}\nmachine = {{ processors = {} }}\n\
             device = [{{ name = \"net\", channels = \"unlimited\" }}]\nlock = [{{ name = \"m\" }}]\n",
            self.runtime.toml(self.workers),
            self.processors
        );
        for (number, task) in self.tasks.iter().enumerate() {
            let arrival = task.arrival.map_or("spawned".into(), |ticks| format!("{ticks}ms"));
            let program = self.list(&task.program);
            toml += &format!("\n[[task]]\nname = \"t{number}\"\narrival = \"{arrival}\"\nprogram = {program}\n");
        }
        toml
    }

    fn difference(&self) -> Result<(), String> {
        let scenario = support::scenario(&self.toml());
        let mut timeline = Timeline::default();
        engine::simulate(&scenario, &mut timeline);
        let lawful = timeline.check().and_then(|()| timeline.check_demand(&scenario, Tolerance::EXACT));
        lawful.map_err(|violations| format!("the timeline breaks laws:\n{violations}"))?;
        let naive = simulator::simulate(self);
        let mut engine = history(&timeline, Span::from_ms(1));
        // Spawned tasks come last in a timeline; here each has the place of its description.
        let mut finishes = vec![None; self.tasks.len()];
        for (life, finish) in timeline.tasks.iter().zip(engine.finishes) {
            if let Some(place) = finishes.get_mut(life.spec as usize) {
                *place = finish;
            }
        }
        engine.finishes = finishes;
        let names = self.names();
        for (_, task, ..) in &mut engine.runs {
            let name = &scenario.specs[SpecId(u32::try_from(*task).expect("few"))].name;
            *task = names.iter().position(|other| other == name).expect("all are known");
        }
        engine.runs.sort_by_key(|(cpu, task, start, _)| (*start, *cpu, *task));
        if engine == naive {
            return Ok(());
        }
        Err(format!("the simulators differ.\nengine: {}\nnaive:  {}", show(&engine), show(&naive)))
    }

    /// What tasks and branches are called.
    fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = (0..self.tasks.len()).map(|number| format!("t{number}")).collect();
        names.resize(self.tasks.len() + self.branches.len(), String::new());
        for (number, task) in self.tasks.iter().enumerate() {
            self.name_branches(number, &task.program, &mut names);
        }
        names
    }

    fn name_branches(&self, of: usize, program: &[Op], names: &mut [String]) {
        let (mut alls, mut anys, mut eaches) = (0, 0, 0);
        for op in program {
            let (word, so_many, first, count) = match *op {
                Op::All { first, count, .. } => ("all", &mut alls, first, count),
                Op::Any { first, count } => ("any", &mut anys, first, count),
                Op::Each { body, .. } => ("each", &mut eaches, body, 1),
                _ => continue,
            };
            *so_many += 1;
            let which = if *so_many == 1 { word.to_owned() } else { format!("{word}{so_many}") };
            for branch in first..first + count {
                let number = if word == "each" { String::new() } else { format!(".{}", branch - first + 1) };
                let kind = self.tasks.len() + branch;
                names[kind] = format!("{}.{which}{number}", names[of]);
                self.name_branches(kind, &self.branches[branch], names);
            }
        }
    }

    fn compare(&self, which: &str) {
        let Err(difference) = self.difference() else { return };
        let smaller = shrink(self.clone());
        let after = smaller.difference().err().unwrap_or_default();
        panic!("{which}: {difference}\n\nSmaller:\n{}\n{after}", smaller.toml());
    }
}

/// Leaves out operations as long as the simulators still differ.
fn shrink(mut world: World) -> World {
    'again: loop {
        for task in 0..world.tasks.len() {
            for op in 0..world.tasks[task].program.len() {
                let mut smaller = world.clone();
                match smaller.tasks[task].program.remove(op) {
                    Op::Lock => {
                        let rest = &mut smaller.tasks[task].program;
                        let Some(unlock) = rest[op..].iter().position(|other| *other == Op::Unlock) else { continue };
                        rest.remove(op + unlock);
                    }
                    Op::Unlock | Op::Spawn(_) => continue,
                    _ => {}
                }
                if smaller.tasks.iter().all(|task| !task.program.is_empty()) && smaller.difference().is_err() {
                    world = smaller;
                    continue 'again;
                }
            }
        }
        for branch in 0..world.branches.len() {
            for op in 0..world.branches[branch].len() {
                let mut smaller = world.clone();
                let removed = smaller.branches[branch].remove(op);
                let rest = &mut smaller.branches[branch];
                let unlock = rest[op..].iter().position(|other| *other == Op::Unlock);
                match (removed, unlock) {
                    (Op::Lock, Some(unlock)) => drop(rest.remove(op + unlock)),
                    (Op::Lock | Op::Unlock, _) => continue,
                    _ => {}
                }
                if !smaller.branches[branch].is_empty() && smaller.difference().is_err() {
                    world = smaller;
                    continue 'again;
                }
            }
        }
        return world;
    }
}

/// Every runtime, with intervals so small that small worlds meet them.
fn runtimes() -> Vec<Runtime> {
    let tokio = |slot, event_interval, global_interval, steals_one, one_driver, defers| Runtime::Tokio {
        slot,
        event_interval,
        global_interval,
        steals_one,
        one_driver,
        defers,
    };
    vec![
        Runtime::Async { event_interval: 61, defers: true },
        Runtime::Async { event_interval: 2, defers: true },
        Runtime::Async { event_interval: 3, defers: false },
        Runtime::Pool { steals: false },
        Runtime::Pool { steals: true },
        Runtime::Shared,
        tokio(true, 61, 61, false, true, true),
        tokio(true, 2, 3, false, true, true),
        tokio(false, 3, 2, true, true, false),
        tokio(true, 3, 2, true, false, true),
        tokio(false, 61, 61, false, false, true),
        Runtime::Goroutines { slice: 10, global_interval: 61 },
        Runtime::Goroutines { slice: 2, global_interval: 2 },
        Runtime::Goroutines { slice: 1, global_interval: 3 },
        Runtime::Gil { interval: 1 },
        Runtime::Gil { interval: 2 },
    ]
}

#[test]
fn all_small_worlds() {
    all_small_worlds_that_wait(Op::Io(1), &runtimes());
    // To others a sleep is as good as a request.
    let go = |runtime: &Runtime| matches!(runtime, Runtime::Goroutines { .. });
    all_small_worlds_that_wait(Op::Sleep(1), &runtimes().into_iter().filter(go).collect::<Vec<_>>());
}

fn all_small_worlds_that_wait(waits: Op, runtimes: &[Runtime]) {
    let steps: &[&[Op]] =
        &[&[Op::Cpu(1)], &[Op::Cpu(2), waits], &[Op::Yield, Op::Cpu(1)], &[Op::Lock, Op::Cpu(1), Op::Unlock]];
    let programs = super::worlds::programs(steps, 2);
    for &runtime in runtimes {
        for (processors, workers) in [(1, 1), (1, 2), (2, 2)] {
            if workers == 1 && processors == 1 || !matches!(runtime, Runtime::Async { .. }) {
                // The last has a program of one step.
                let count = programs.len();
                for choice in 0..count * count * steps.len() {
                    let choice = [choice % count, choice / count % count, choice / count / count];
                    let tasks = choice.iter().zip([0, 0, 1]);
                    let task = |(choice, arrival): (&usize, u64)| Task {
                        arrival: Some(arrival),
                        program: programs[*choice].clone(),
                    };
                    let world =
                        World { processors, workers, runtime, tasks: tasks.map(task).collect(), branches: Vec::new() };
                    world.compare("all small worlds");
                }
            }
        }
    }
}

#[test]
fn random_worlds() {
    for seed in 0..20_000 {
        let chance = &mut StreamName::new(seed).word("naive runtimes").stream();
        random(chance).compare(&format!("seed {seed}"));
    }
}

fn random(chance: &mut Stream) -> World {
    let mut below = |bound: u64| usize::try_from(chance.below(bound)).expect("small");
    let runtimes = runtimes();
    let runtime = runtimes[below(runtimes.len() as u64)];
    let alone = matches!(runtime, Runtime::Async { .. });
    let workers = if alone { 1 } else { 1 + below(4) };
    let count = 1 + below(8);
    let mut tasks: Vec<Task> = (0..count).map(|_| Task { arrival: None, program: Vec::new() }).collect();
    let spread = [1, 4, 12][below(3)];
    let spawns = below(2) == 0;
    for number in 0..count {
        // A task is spawned by one ahead of it, or arrives.
        let parent = (number > 0 && spawns && below(3) > 0).then(|| below(number as u64));
        match parent {
            Some(parent) => {
                let ops = &mut tasks[parent].program;
                let spawned = ops.len();
                let place = below(spawned as u64 + 1);
                ops.insert(place, Op::Spawn(number));
                if below(2) == 0 {
                    let after = place + 1 + below((spawned - place) as u64 + 1);
                    ops.insert(after, Op::Join(number));
                }
            }
            None => tasks[number].arrival = Some(below(spread) as u64),
        }
        for _ in 0..1 + below(4) {
            let ticks = 1 + below(4) as u64;
            let ops: &[Op] = match below(11) {
                0..3 => &[Op::Cpu(ticks)],
                3 | 4 => &[Op::Io(ticks), Op::Cpu(1)],
                5 => &[Op::Yield],
                6 => &[Op::Lock, Op::Cpu(ticks), Op::Unlock],
                7 => &[Op::Lock, Op::Io(ticks), Op::Unlock, Op::Cpu(1)],
                8 | 9 => &[Op::Sleep(ticks), Op::Cpu(1)],
                _ => &[Op::BlockingIo(ticks)],
            };
            tasks[number].program.extend_from_slice(ops);
        }
    }
    World { processors: 1 + below(3), workers, runtime, tasks, branches: Vec::new() }
}

#[test]
fn random_worlds_of_branches() {
    for seed in 0..10_000 {
        let chance = &mut StreamName::new(seed).word("naive branches").stream();
        random_with_branches(chance).compare(&format!("seed {seed}"));
    }
}

/// A random world in which tasks do several things at once.
fn random_with_branches(chance: &mut Stream) -> World {
    let polls = |runtime: Runtime| matches!(runtime, Runtime::Async { .. } | Runtime::Shared | Runtime::Tokio { .. });
    let mut world = random(chance);
    while !polls(world.runtime) {
        world = random(chance);
    }
    for task in 0..world.tasks.len() {
        let times = chance.below(3);
        for _ in 0..times {
            let op = several_at_once(chance, &mut world, 1);
            let program = &mut world.tasks[task].program;
            // Nobody waits for its own branches with the lock.
            let free = |place: &usize| {
                let depth = |op: &Op| i32::from(*op == Op::Lock) - i32::from(*op == Op::Unlock);
                program[..*place].iter().map(depth).sum::<i32>() == 0
            };
            let places: Vec<usize> = (0..=program.len()).filter(free).collect();
            let place = places[usize::try_from(chance.below(places.len() as u64)).expect("few")];
            program.insert(place, op);
        }
    }
    world
}

/// An operation with branches, and inside those others down to this depth.
fn several_at_once(chance: &mut Stream, world: &mut World, depth: u64) -> Op {
    let (kind, count) = (chance.below(3), 1 + usize::try_from(chance.below(3)).expect("few"));
    let of = if kind == 2 { 1 } else { count };
    let first = world.branches.len();
    world.branches.resize(first + of, Vec::new());
    for branch in first..first + of {
        for _ in 0..1 + chance.below(3) {
            let ticks = 1 + chance.below(4);
            let ops: Vec<Op> = match chance.below(10) {
                0 | 1 => vec![Op::Cpu(ticks)],
                2 => vec![Op::Io(ticks)],
                3 => vec![Op::Sleep(ticks)],
                4 => vec![Op::Yield],
                5 => vec![Op::Lock, Op::Cpu(ticks), Op::Unlock],
                6 => vec![Op::Lock, Op::Io(ticks), Op::Unlock],
                7 => vec![Op::BlockingIo(ticks)],
                _ if depth > 0 => vec![several_at_once(chance, world, depth - 1)],
                _ => vec![Op::Io(ticks), Op::Cpu(1)],
            };
            world.branches[branch].extend(ops);
        }
    }
    match kind {
        0 => Op::All { first, count, rotates: chance.below(2) == 0 },
        1 => Op::Any { first, count },
        _ => {
            let at_once = 1 + usize::try_from(chance.below(3)).expect("few");
            Op::Each { body: first, count: count + 1, at_once }
        }
    }
}
