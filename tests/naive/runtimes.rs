//! The runtime floor against a second simulator of its own: event loops, work stealing, pools, goroutines and the
//! interpreter lock, with tasks that wait, wake and spawn each other, in all small worlds and in random larger ones.

mod shelf;
mod simulator;

use sim_core::engine;
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

impl Op {
    fn toml(self) -> String {
        match self {
            Op::Cpu(ticks) => format!("{{ cpu = \"{ticks}ms\" }}"),
            Op::Io(ticks) => format!("{{ io = \"net\", for = \"{ticks}ms\" }}"),
            Op::BlockingIo(ticks) => format!("{{ io = \"net\", for = \"{ticks}ms\", blocking = true }}"),
            Op::Sleep(ticks) => format!("{{ sleep = \"{ticks}ms\" }}"),
            Op::Yield => "\"yield\"".into(),
            Op::Lock => "{ lock = \"m\" }".into(),
            Op::Unlock => "{ unlock = \"m\" }".into(),
            Op::Spawn(task) => format!("{{ spawn = \"t{task}\" }}"),
            Op::Join(task) => format!("{{ join = \"t{task}\" }}"),
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
            let program: Vec<String> = task.program.iter().map(|op| op.toml()).collect();
            toml += &format!(
                "\n[[task]]\nname = \"t{number}\"\narrival = \"{arrival}\"\nprogram = [{}]\n",
                program.join(", ")
            );
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
            finishes[life.spec as usize] = finish;
        }
        engine.finishes = finishes;
        if engine == naive {
            return Ok(());
        }
        Err(format!("the simulators differ.\nengine: {}\nnaive:  {}", show(&engine), show(&naive)))
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
                    let world = World { processors, workers, runtime, tasks: tasks.map(task).collect() };
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
    World { processors: 1 + below(3), workers, runtime, tasks }
}
