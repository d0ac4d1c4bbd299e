//! The engine against a second simulator, written from the rules alone, that is too simple to be wrong in the same way.
//!
//! All small worlds and many larger random ones go to both. A world on which they differ is printed as a scenario file:
//! put it into a file, and `sim run` shows what the engine makes of it.

mod case;
mod eevdf;
mod runtimes;
mod simulator;
mod worlds;

use sim_core::device::DISCIPLINES;
use sim_core::distribution::Distribution;
use sim_core::engine;
use sim_core::ids::{DeviceId, SpecId, SyncId};
use sim_core::place::Place;
use sim_core::policy::POLICIES;
use sim_core::rng::{Stream, StreamName};
use sim_core::scenario::{self, Scenario, SyncOp};
use sim_core::time::{Span, Time};
use sim_core::timeline::check::Tolerance;
use sim_core::timeline::{Timeline, What};

use crate::support;
use case::{Case, Discipline, Disk, Executor, Op, Policy, Protocol, Room};
use simulator::History;

#[test]
fn all_worlds_of_two_tasks() {
    let steps: &[&[Op]] = &[&[Op::Cpu(1)], &[Op::Cpu(2)], &[Op::Io(0, 1)], &[Op::Yield]];
    all_small_worlds(&worlds::programs(steps, 3), &[(0, 0), (1, 0)]);
}

#[test]
fn all_worlds_of_three_tasks() {
    let critical: &[Op] = &[Op::Lock(0), Op::Cpu(1), Op::Unlock(0)];
    let steps: &[&[Op]] = &[&[Op::Cpu(2)], &[Op::Io(0, 2)], critical];
    all_small_worlds(&worlds::programs(steps, 2), &[(1, 0), (0, 1), (1, 2)]);
}

#[test]
fn all_worlds_of_four_tasks() {
    let steps: &[&[Op]] = &[&[Op::Cpu(1)], &[Op::Cpu(3)], &[Op::Io(0, 2), Op::Cpu(1)], &[Op::Yield, Op::Cpu(1)]];
    all_small_worlds(&worlds::programs(steps, 1), &[(0, 0), (0, 0), (1, 1), (2, 1)]);
}

#[test]
fn random_worlds() {
    random_cases(20_000, "naive", worlds::random);
}

#[test]
fn random_worlds_of_groups_with_quotas() {
    for kind in POLICIES {
        for policy in worlds::variants(kind.name) {
            for seed in 0..100 {
                let mut chance = StreamName::new(seed).word("naive quotas").stream();
                let mut case = worlds::random_threads(&mut chance, policy);
                worlds::give_quotas(&mut chance, &mut case);
                // These share by groups first: see below.
                if !matches!(case.policy, Policy::Lottery { .. } | Policy::Stride { .. } | Policy::Cfs { .. }) {
                    compare(&case, &lower(&case), &format!("{policy:?}, seed {seed}"));
                }
            }
        }
    }
}

#[test]
fn random_worlds_of_groups_with_weights() {
    for name in ["lottery", "stride", "cfs"] {
        for policy in worlds::variants(name) {
            for seed in 0..2_000 {
                let mut chance = StreamName::new(seed).word("naive weights").stream();
                let mut case = worlds::random_threads(&mut chance, policy);
                worlds::give_weights(&mut chance, &mut case);
                compare(&case, &lower(&case), &format!("{policy:?}, seed {seed}"));
            }
        }
    }
}

#[test]
fn random_worlds_of_servers() {
    random_cases(20_000, "naive servers", worlds::random_served);
}

#[test]
fn random_worlds_of_tasks_that_synchronise() {
    random_cases(30_000, "naive syncs", worlds::random_syncs);
}

#[test]
fn random_worlds_of_tasks_that_go_by_variables() {
    random_cases(10_000, "naive states", worlds::random_states);
}

#[test]
fn all_worlds_of_locks_that_lend_urgency() {
    let section = |lock, inside: &[Op]| [&[Op::Lock(lock), Op::Cpu(1)], inside, &[Op::Unlock(lock)]].concat();
    let nested = section(0, &section(1, &[Op::Cpu(1)]));
    let steps: &[&[Op]] = &[&[Op::Cpu(2)], &section(0, &[Op::Cpu(1)]), &section(1, &[]), &nested];
    let programs = worlds::programs(steps, 2);
    // Longer steps, one for each of four tasks: a lock that is held while its holder is away, so that some gather there.
    let away = section(1, &[Op::Sleep(3)]);
    let late = [&[Op::Sleep(1)], &*nested].concat();
    let long: &[&[Op]] = &[&away, &section(1, &[]), &section(0, &[Op::Cpu(1)]), &nested, &late, &[Op::Cpu(2)]];
    let long = worlds::programs(long, 1);
    let policy = |preempted_to_head| Policy::Priority {
        preemptive: true,
        low_first: false,
        preempted_to_head,
        quantum: (!preempted_to_head).then_some(2),
        aging: None,
    };
    for (processors, protocol, policy, spin) in [
        (1, Protocol::Inherit, policy(true), 0),
        (1, Protocol::Ceiling, policy(true), 0),
        (2, Protocol::Inherit, policy(false), 0),
        (2, Protocol::Ceiling, policy(false), 1),
        (2, Protocol::None, policy(true), 2),
        (1, Protocol::OriginalCeiling, policy(true), 0),
        (2, Protocol::OriginalCeiling, policy(false), 1),
        (1, Protocol::NonPreemptive, policy(false), 0),
        (2, Protocol::NonPreemptive, policy(true), 1),
    ] {
        for (tasks, programs) in [
            (&[(1, 0), (2, 1), (3, 1)][..], &programs),
            (&[(1, 0), (2, 1), (2, 1), (3, 2)], &long),
            (&[(1, 0), (1, 0), (1, 1), (2, 2)], &long),
        ] {
            let mut case = worlds::world(processors, (policy, false), Executor::Threads, tasks);
            case.locks = 2;
            (case.syncs.protocol, case.syncs.spin) = (protocol, spin);
            all_programs(case, programs);
        }
    }
}

#[test]
fn all_worlds_of_synchronisation_objects() {
    for (object, steps) in worlds::uses_of_objects() {
        let steps: Vec<&[Op]> = steps.iter().map(Vec::as_slice).collect();
        let programs = worlds::programs(&steps, 2);
        for (processors, policy) in worlds::policies().into_iter().enumerate().map(|(index, p)| (1 + index % 3, p)) {
            let mut case = worlds::world(processors, policy, Executor::Threads, &[(1, 0), (0, 0), (1, 1)]);
            case.syncs.objects = vec![object];
            all_programs(case, &programs);
        }
        for executor in [Executor::Sequential, Executor::Pool(Room::of(2))] {
            let mut case = worlds::world(2, (Policy::Fifo, false), executor, &[(0, 0), (1, 0), (0, 1)]);
            case.syncs.objects = vec![object];
            all_programs(case, &programs);
        }
    }
}

/// A test for each policy, and the list of them.
macro_rules! worlds_of_threads_under {
    ($($test:ident $name:literal),* $(,)?) => {
        $(#[test]
        fn $test() {
            worlds_of_threads($name);
        })*

        const KNOWN: &[&str] = &[$($name),*];
    };
}

worlds_of_threads_under! {
    fifo "fifo",
    round_robin "round-robin",
    sjf "sjf",
    srtf "srtf",
    hrrn "hrrn",
    priority "priority",
    feedback "feedback",
    mlfq "mlfq",
    lottery "lottery",
    stride "stride",
    cfs "cfs",
    edf "edf",
    rate_monotonic "rate-monotonic",
    deadline_monotonic "deadline-monotonic",
    llf "llf",
}

/// Policies that go by means of virtual times which are no whole number of anything, and what holds them instead.
const ELSEWHERE: &[(&str, &str)] = &[
    (
        "eevdf",
        "a second simulator of its own on one processor; sums checked against all entities after each step, slices and run \
         lengths recorded under Linux, drawings",
    ),
    ("linux", "it is eevdf on one processor where no task names a class; drawings of each class and each way to move"),
];

#[test]
fn the_naive_simulator_knows_the_whole_shelf() {
    for kind in POLICIES.iter().filter(|kind| ELSEWHERE.iter().all(|(name, _)| *name != kind.name)) {
        assert!(KNOWN.contains(&kind.name), "{} has no second simulator: teach it to tests/naive", kind.name);
        let variants = worlds::variants(kind.name);
        assert!(!variants.is_empty() && variants.iter().all(|policy| policy.name() == kind.name), "{}", kind.name);
    }
}

#[test]
fn every_discipline() {
    let mut names: Vec<&str> = Discipline::all().map(Discipline::name).to_vec();
    names.dedup();
    assert_eq!(names, DISCIPLINES.iter().map(|kind| kind.name).collect::<Vec<_>>(), "all are known here");
    for discipline in Discipline::all() {
        for seed in 0..2_000 {
            let case = worlds::random_devices(&mut StreamName::new(seed).word("naive devices").stream(), discipline);
            compare(&case, &lower(&case), &format!("{discipline:?}, seed {seed}"));
        }
        all_small_worlds_of_a_device(discipline);
    }
}

#[test]
fn devices_and_pools_that_have_not_room_for_all() {
    for discipline in Discipline::all().into_iter().filter(|discipline| *discipline != Discipline::FairShare) {
        random_cases(500, "naive rooms", |chance| worlds::random_rooms(chance, discipline));
    }
    random_cases(5_000, "naive pools", worlds::random_pools);
}

/// All worlds of four threads with a request or two to one device.
fn all_small_worlds_of_a_device(discipline: Discipline) {
    let disk = Disk { tracks: 6, start: 2, per_track: 1, settle: 0 };
    let positioned: &[&[Op]] = &[&[Op::IoAt(0, 1, 0)], &[Op::IoAt(0, 2, 2)], &[Op::IoAt(0, 1, 4), Op::Cpu(1)]];
    let plain: &[&[Op]] = &[&[Op::Io(0, 1)], &[Op::Io(0, 2), Op::Cpu(1)], &[Op::Io(0, 4)]];
    let steps = if discipline.is_positioned() { positioned } else { plain };
    let (one, two) = (worlds::programs(steps, 1), worlds::programs(steps, 2));
    for processors in [1, 4] {
        for channels in if discipline.is_positioned() { 1..=1 } else { 1..=3 } {
            for (programs, tasks) in [(&one, &[(0, 0), (1, 0), (0, 1), (1, 2)][..]), (&two, &[(0, 0), (1, 0), (0, 2)])]
            {
                let mut case = worlds::world(processors, (Policy::Fifo, false), Executor::Threads, tasks);
                case.devices = vec![Some(channels)];
                case.discipline = discipline;
                case.disk = discipline.is_positioned().then_some(disk);
                case.nanoseconds = discipline == Discipline::FairShare;
                all_programs(case, programs);
            }
        }
    }
}

/// All small worlds of three threads, and random ones of up to four, under each variant of the policy.
fn worlds_of_threads(name: &str) {
    let steps: &[&[Op]] = &[&[Op::Cpu(1)], &[Op::Cpu(3)], &[Op::Io(0, 2)], &[Op::Yield]];
    let short = worlds::programs(steps, 1);
    let [two, three] = [&steps[1..], &steps[1..3]].map(|steps| worlds::programs(steps, 3));
    for policy in worlds::variants(name) {
        for seed in 0..4_000 {
            let case = worlds::random_threads(&mut StreamName::new(seed).word("naive threads").stream(), policy);
            compare(&case, &lower(&case), &format!("{policy:?}, seed {seed}"));
        }
        for (programs, arrivals) in [(&short, &[0, 0, 1][..]), (&two, &[1, 0]), (&three, &[0, 0, 1])] {
            for (processors, preempted_first) in [(1, false), (2, false), (1, true), (2, true)] {
                if preempted_first && !policy.has_slices() {
                    continue;
                }
                let tasks: Vec<(i64, u64)> = arrivals.iter().map(|arrival| (0, *arrival)).collect();
                let mut case = worlds::world(processors, (policy, preempted_first), Executor::Threads, &tasks);
                case.devices = vec![None];
                worlds::give_attributes(&mut case);
                all_programs(case, programs);
            }
        }
    }
}

/// So many random worlds.
fn random_cases(count: u64, word: &str, world: impl Fn(&mut Stream) -> Case) {
    for seed in 0..count {
        let case = world(&mut StreamName::new(seed).word(word).stream());
        compare(&case, &lower(&case), &format!("seed {seed}"));
    }
}

/// Every assignment of the programs to tasks with these priorities and arrivals, under every policy and executor.
fn all_small_worlds(programs: &[Vec<Op>], tasks: &[(i64, u64)]) {
    for processors in [1, 2] {
        for policy in worlds::policies() {
            for executor in worlds::executors() {
                // Only threads have priorities of their own; of an event loop alone, the policy sees one thread.
                let plain =
                    executor == Executor::Threads || matches!(policy.0, Policy::Fifo | Policy::RoundRobin { .. });
                if !plain {
                    continue;
                }
                all_programs(worlds::world(processors, policy, executor, tasks), programs);
            }
        }
    }
}

/// Every assignment of the programs to the tasks of the case.
fn all_programs(mut case: Case, programs: &[Vec<Op>]) {
    let tasks = case.processes[0].tasks.len();
    let mut scenario = lower(&case);
    let tick = case.tick();
    for world in 0..programs.len().pow(u32::try_from(tasks).expect("few")) {
        let mut rest = world;
        for task in 0..tasks {
            let program = &programs[rest % programs.len()];
            rest /= programs.len();
            case.processes[0].tasks[task].program.clone_from(program);
            // Reading the file again for each world would take most of the time.
            let spec = SpecId(u32::try_from(task).expect("few"));
            scenario.specs[spec].program.ops = program.iter().map(|op| lower_op(op, tick, case.locks)).collect();
            if let Some(periodic) = &mut scenario.specs[spec].attributes.periodic {
                periodic.demand = Some(Span::from_ns(case::demand(program) * tick.ns()));
            }
        }
        compare(&case, &scenario, "all small worlds");
    }
}

fn lower(case: &Case) -> Scenario {
    support::scenario(&case.toml())
}

fn lower_op(op: &Op, tick: Span, locks: usize) -> scenario::Op {
    let constant = |ticks: u64| Distribution::Constant(Span::from_ns(ticks * tick.ns()));
    let io = |device, ticks, at| scenario::Op::Io {
        device: DeviceId(u32::try_from(device).expect("few")),
        service: constant(ticks),
        at: Place::At(at),
        blocking: false,
    };
    let index = |index: usize| u32::try_from(index).expect("few");
    match *op {
        Op::Cpu(ticks) => scenario::Op::Cpu(constant(ticks)),
        Op::Io(device, ticks) => io(device, ticks, 0),
        Op::IoAt(device, ticks, at) => io(device, ticks, at),
        Op::Sleep(ticks) => scenario::Op::Sleep(constant(ticks)),
        Op::Yield => scenario::Op::Yield,
        Op::Within(_) | Op::Control(_) => unreachable!("only read from files"),
        Op::Lock(lock) => scenario::Op::Sync(SyncOp::Lock(SyncId(index(lock)))),
        Op::Unlock(lock) => scenario::Op::Sync(SyncOp::Unlock(SyncId(index(lock)))),
        Op::Sync(op) => scenario::Op::Sync(lower_sync(op, locks)),
    }
}

/// Objects come after the locks, kind by kind.
fn lower_sync(op: case::SyncOp, locks: usize) -> SyncOp {
    use case::SyncOp as Use;
    let id = |object: usize| SyncId(u32::try_from(locks + object).expect("few"));
    let count = |count: u64| u32::try_from(count).expect("few");
    match op {
        Use::Read(object) => SyncOp::Read(id(object)),
        Use::Write(object) => SyncOp::Write(id(object)),
        Use::Leave(object) => SyncOp::Unlock(id(object)),
        Use::Acquire(object, permits) => SyncOp::Acquire(id(object), count(permits)),
        Use::Release(object, permits) => SyncOp::Release(id(object), count(permits)),
        Use::Send(object) => SyncOp::Send(id(object)),
        Use::Receive(object) => SyncOp::Receive(id(object)),
        Use::Wait(object, lock) => SyncOp::Wait { condvar: id(object), lock: SyncId(count(lock as u64)) },
        Use::Notify(object) => SyncOp::Notify(id(object)),
        Use::NotifyAll(object) => SyncOp::NotifyAll(id(object)),
        Use::Arrive(object) => SyncOp::Arrive(id(object)),
    }
}

/// The engine and the naive simulator tell the same, and what the engine tells keeps the laws of a timeline.
fn compare(case: &Case, scenario: &Scenario, which: &str) {
    if let Err(difference) = difference(case, scenario) {
        let smaller = worlds::shrink(case, |case| self::difference(case, &lower(case)).is_err());
        let after = self::difference(&smaller, &lower(&smaller)).err();
        panic!("{which}: {difference}\n\nSmaller:\n{}\n{}", smaller.toml(), after.unwrap_or_default());
    }
}

fn difference(case: &Case, scenario: &Scenario) -> Result<(), String> {
    let mut timeline = Timeline::default();
    engine::simulate(scenario, &mut timeline);
    let lawful = timeline.check_simulated(scenario).and_then(|()| timeline.check_demand(scenario, Tolerance::EXACT));
    lawful.map_err(|violations| format!("the timeline breaks laws:\n{violations}"))?;
    let (engine, naive) =
        (history(&timeline, case.tick()), simulator::simulate(case, &releases(&timeline, case.tick())));
    if engine == naive {
        return Ok(());
    }
    Err(format!("the simulators differ.\nengine: {}\nnaive:  {}", show(&engine), show(&naive)))
}

fn history(timeline: &Timeline, tick: Span) -> History {
    let ticks = |time| ticks(time, tick);
    let mut history = History::default();
    let mut intervals: Vec<_> = timeline.intervals.iter().filter(|interval| interval.start < interval.end).collect();
    intervals.sort_by_key(|interval| (interval.start, interval.cpu));
    for interval in intervals {
        let (start, end) = (ticks(interval.start), ticks(interval.end));
        let (cpu, task) = (interval.cpu.0 as usize, timeline.tasks[interval.task].spec as usize);
        if interval.what == What::Switch {
            history.switches.push((cpu, start, end));
            continue;
        }
        // Who blocked for no time goes on; the naive simulator does not even notice.
        match history.runs.iter_mut().find(|(at, who, _, until)| (*at, *who, *until) == (cpu, task, start)) {
            Some((_, _, _, until)) => *until = end,
            None => history.runs.push((cpu, task, start, end)),
        }
    }
    history.finishes = timeline.tasks.iter().map(|life| life.finish.map(ticks)).collect();
    history
}

/// When the jobs of each task were released: what jitter leaves to chance is told to the naive simulator.
fn releases(timeline: &Timeline, tick: Span) -> Vec<Vec<u64>> {
    let ticks = |time| ticks(time, tick);
    let of = |task| timeline.jobs.iter().filter(move |job| job.task == task).map(|job| ticks(job.release)).collect();
    let mut releases = vec![Vec::new(); timeline.tasks.len()];
    for (task, life) in timeline.tasks.pairs() {
        releases[life.spec as usize] = of(task);
    }
    releases
}

fn ticks(time: Time, tick: Span) -> u64 {
    assert_eq!(time.ns() % tick.ns(), 0, "in a world of whole ticks, {time} is none");
    time.ns() / tick.ns()
}

fn show(history: &History) -> String {
    let runs = history.runs.iter().map(|(cpu, task, start, end)| format!("cpu{cpu}:t{task} {start}-{end}"));
    let switches = history.switches.iter().map(|(cpu, start, end)| format!("cpu{cpu}:switch {start}-{end}"));
    let lines: Vec<String> = runs.chain(switches).collect();
    format!("{}; finishes {:?}", lines.join(", "), history.finishes)
}
