//! Worlds for both simulators: small ones, all of them, and larger ones at random.

mod room;
mod shrink;
mod state;
mod sync;
mod threads;

use sim_core::rng::Stream;

pub(crate) use room::{random_pools, random_rooms};
pub(crate) use shrink::shrink;
pub(crate) use state::random_states;
pub(crate) use sync::{random_served, random_syncs, uses_of_objects};
pub(crate) use threads::{give_attributes, give_quotas, give_weights, random_threads};

use super::case::{Average, Case, Discipline, Disk, Executor, Op, Policy, Process, Room, Syncs, Task};

/// Every policy that serves all executors, in every variant that matters to a small world.
pub(crate) fn policies() -> Vec<(Policy, bool)> {
    let mut policies = vec![(Policy::Fifo, false), (Policy::Sjf { estimate: None }, false)];
    for preempted_first in [false, true] {
        policies.push((Policy::RoundRobin { quantum: 1 }, preempted_first));
        policies.push((Policy::RoundRobin { quantum: 2 }, preempted_first));
    }
    policies.extend(priorities(None).into_iter().map(|policy| (policy, false)));
    policies
}

fn priorities(aging: Option<u64>) -> Vec<Policy> {
    let variants =
        [(false, true, None), (true, true, None), (true, false, None), (true, true, Some(1)), (true, false, Some(2))];
    let policy = |(preemptive, preempted_to_head, quantum): (bool, bool, Option<u64>)| {
        let low_first = quantum.is_none();
        Policy::Priority { preemptive, low_first, preempted_to_head, quantum, aging }
    };
    variants.into_iter().map(policy).collect()
}

/// The variants in which worlds of threads try the policy of this name; none if the naive simulator does not know it.
pub(crate) fn variants(name: &str) -> Vec<Policy> {
    let both = [true, false];
    let averages = [(50, 2), (25, 0), (100, 3)].map(|(percent, initial)| Average { percent, initial });
    let estimates = || [None].into_iter().chain(averages.map(Some));
    match name {
        "fifo" => vec![Policy::Fifo],
        "round-robin" => [1, 2, 3].map(|quantum| Policy::RoundRobin { quantum }).to_vec(),
        "sjf" => estimates().map(|estimate| Policy::Sjf { estimate }).collect(),
        "srtf" => estimates().map(|estimate| Policy::Srtf { estimate }).collect(),
        "hrrn" => vec![Policy::Hrrn],
        "priority" => [None, Some(2)].into_iter().flat_map(priorities).collect(),
        "feedback" => {
            let quanta: [&[u64]; 2] = [&[1, 2, 4], &[2, 1]];
            let with = |demote_alone| quanta.into_iter().map(move |quanta| Policy::Feedback { quanta, demote_alone });
            both.into_iter().flat_map(with).collect()
        }
        "mlfq" => {
            let levels: [(&[_], _); 3] =
                [(&[(1, 1), (2, 1), (3, 2)], None), (&[(1, 2), (2, 1)], Some(5)), (&[(2, 1), (1, 1)], Some(4))];
            let with = |(levels, boost)| {
                let policy = move |(reset_on_io, io_to_head)| Policy::Mlfq { levels, boost, reset_on_io, io_to_head };
                [(false, false), (true, false), (false, true), (true, true)].map(policy)
            };
            levels.into_iter().flat_map(with).collect()
        }
        "lottery" => [(1, 1), (2, 7)].map(|(quantum, chance)| Policy::Lottery { quantum, chance }).to_vec(),
        "stride" => [1, 3].map(|quantum| Policy::Stride { quantum }).to_vec(),
        // Without a tick, slices are whole milliseconds only if all weigh the same and the latency is divisible.
        "cfs" => [(12, 1, 0, None), (12, 4, 3, None), (6, 1, 1, Some(1)), (4, 2, 2, Some(2)), (8, 3, 1, Some(3))]
            .map(|(latency, base_slice, wakeup_granularity, tick)| Policy::Cfs {
                latency,
                base_slice,
                wakeup_granularity,
                tick,
            })
            .to_vec(),
        "edf" => [(true, None), (false, None), (true, Some((1, 2))), (false, Some((1, 3)))]
            .map(|(preemptive, heavy)| Policy::Edf { preemptive, heavy })
            .to_vec(),
        "rate-monotonic" => both.map(|preemptive| Policy::RateMonotonic { preemptive }).to_vec(),
        "deadline-monotonic" => both.map(|preemptive| Policy::DeadlineMonotonic { preemptive }).to_vec(),
        "llf" => {
            [(true, 1), (true, 3), (false, 1)].map(|(preemptive, quantum)| Policy::Llf { preemptive, quantum }).to_vec()
        }
        _ => Vec::new(),
    }
}

pub(crate) fn executors() -> [Executor; 4] {
    [Executor::Threads, Executor::Sequential, Executor::Pool(Room::of(2)), Executor::Async]
}

/// All programs of one to `longest` steps, where a step is one operation or a critical section.
pub(crate) fn programs<T: Copy>(steps: &[&[T]], longest: usize) -> Vec<Vec<T>> {
    let mut programs: Vec<Vec<T>> = Vec::new();
    let mut last: Vec<Vec<T>> = vec![Vec::new()];
    for _ in 0..longest {
        last = last.iter().flat_map(|program| steps.iter().map(|step| [program, *step].concat())).collect();
        programs.extend_from_slice(&last);
    }
    programs
}

/// A world with one process whose tasks have these priorities and arrivals, and nothing to do yet.
pub(crate) fn world(processors: usize, policy: (Policy, bool), executor: Executor, tasks: &[(i64, u64)]) -> Case {
    let tasks = tasks.iter().map(|&(priority, arrival)| Task { arrival, priority, ..Task::default() }).collect();
    Case {
        processors,
        context_switch: 0,
        charge_first_switch: true,
        policy: policy.0,
        preempted_first: policy.1,
        devices: vec![Some(1)],
        queue: None,
        discipline: Discipline::Fifo,
        disk: None,
        nanoseconds: false,
        locks: 1,
        syncs: Syncs::default(),
        variables: 0,
        groups: Vec::new(),
        servers: Vec::new(),
        processes: vec![Process { executor, group: None, tasks }],
    }
}

/// A random world. Each seed leaves some features out altogether, so that the others meet more often.
pub(crate) fn random(chance: &mut Stream) -> Case {
    let policy = random_policy(chance);
    let by_priority = matches!(policy, Policy::Priority { .. });
    let devices = (0..below(chance, 3)).map(|_| one_of(chance, &[None, Some(1), Some(1), Some(2)])).collect();
    let mut case = Case {
        processors: one_of(chance, &[1, 1, 2, 2, 3, 4]),
        context_switch: one_of(chance, &[0, 0, 0, 1, 2]),
        charge_first_switch: chance.below(2) == 0,
        policy,
        preempted_first: chance.below(2) == 0,
        devices,
        queue: None,
        discipline: Discipline::Fifo,
        disk: None,
        nanoseconds: false,
        locks: below(chance, 3),
        syncs: Syncs::default(),
        variables: 0,
        groups: Vec::new(),
        servers: Vec::new(),
        processes: Vec::new(),
    };
    let features = Features::random(chance, &case);
    let spread = one_of(chance, &[0, 3, 20]);
    for _ in 0..one_of(chance, &[1, 1, 1, 2, 3]) {
        // Of a pool it is not written down which idle worker, and so which thread, takes a task.
        let executor = match chance.below(8) {
            0 => Executor::Sequential,
            1 if case.context_switch == 0 => Executor::Pool(Room::of(1 + below(chance, 3))),
            2 => Executor::Async,
            _ => Executor::Threads,
        };
        let threads = executor == Executor::Threads;
        let affine = threads && chance.below(4) == 0;
        let tasks = (0..=below(chance, 5)).map(|_| Task {
            arrival: chance.below(spread + 1),
            priority: if by_priority && threads { small(chance, 3) } else { 0 },
            affinity: (affine && chance.below(2) == 0).then(|| vec![below(chance, case.processors)]),
            program: features.program(chance, &case),
            ..Task::default()
        });
        let tasks = tasks.collect();
        case.processes.push(Process { executor, group: None, tasks });
    }
    case
}

/// A random world whose devices serve like this.
pub(crate) fn random_devices(chance: &mut Stream, discipline: Discipline) -> Case {
    let mut case = random(chance);
    while case.devices.is_empty() {
        case = random(chance);
    }
    let tracks = 1 + u32::try_from(chance.below(10)).expect("small");
    let track = |chance: &mut Stream| u32::try_from(chance.below(u64::from(tracks))).expect("small");
    let start = track(chance);
    let disk = Disk { tracks, start, per_track: chance.below(2), settle: chance.below(2) };
    let may_have_head = discipline != Discipline::FairShare;
    case.disk = (discipline.is_positioned() || (may_have_head && chance.below(3) == 0)).then_some(disk);
    for channels in &mut case.devices {
        *channels = Some(if case.disk.is_some() { 1 } else { 1 + below(chance, 3) });
    }
    case.discipline = discipline;
    case.nanoseconds = discipline == Discipline::FairShare;
    // What only threads have where processors go by it, all tasks have where devices do.
    let by_priority = matches!(case.policy, Policy::Priority { .. });
    let has_priorities =
        |executor| discipline == Discipline::Priority && (executor == Executor::Threads || !by_priority);
    let tasks = case.processes.iter_mut().flat_map(|process| {
        let has_priorities = has_priorities(process.executor);
        process.tasks.iter_mut().map(move |task| (has_priorities, task))
    });
    for (has_priority, task) in tasks {
        if has_priority {
            task.priority = i64::try_from(chance.below(3)).expect("small");
        }
        for op in &mut task.program {
            if let (Some(_), Op::Io(device, ticks)) = (case.disk, *op) {
                *op = Op::IoAt(device, ticks, track(chance));
            }
        }
    }
    case
}

fn small(chance: &mut Stream, bound: u64) -> i64 {
    i64::try_from(chance.below(bound)).expect("small")
}

fn random_policy(chance: &mut Stream) -> Policy {
    let quantum = 1 + chance.below(4);
    match chance.below(5) {
        0 => Policy::Fifo,
        1 => Policy::Sjf { estimate: None },
        2 => Policy::RoundRobin { quantum },
        _ => Policy::Priority {
            preemptive: chance.below(3) > 0,
            low_first: chance.below(2) == 0,
            preempted_to_head: chance.below(2) == 0,
            quantum: (chance.below(2) == 0).then_some(quantum),
            aging: None,
        },
    }
}

/// Which operations the programs of a world contain at all.
struct Features {
    io: bool,
    sleep: bool,
    yields: bool,
    locks: bool,
    nested: bool,
    longest: usize,
}

impl Features {
    fn random(chance: &mut Stream, case: &Case) -> Features {
        Features {
            io: !case.devices.is_empty(),
            sleep: chance.below(2) == 0,
            yields: chance.below(3) == 0,
            locks: case.locks > 0,
            nested: chance.below(4) == 0,
            longest: one_of(chance, &[1, 3, 8]),
        }
    }

    fn program(&self, chance: &mut Stream, case: &Case) -> Vec<Op> {
        let mut program = Vec::new();
        let mut held = None;
        for _ in 0..=below(chance, self.longest) {
            let op = match chance.below(9) {
                0 | 1 if self.io => Op::Io(below(chance, case.devices.len()), 1 + chance.below(6)),
                2 if self.sleep => Op::Sleep(1 + chance.below(6)),
                3 if self.yields => Op::Yield,
                4 | 5 if self.locks => match held.take() {
                    Some(lock) => Op::Unlock(lock),
                    None => {
                        let lock = below(chance, case.locks);
                        held = Some(lock);
                        Op::Lock(lock)
                    }
                },
                _ => Op::Cpu(1 + chance.below(6)),
            };
            program.push(op);
            // A section inside another section may take locks in either order: some of these worlds deadlock.
            if let (true, Some(lock), Op::Cpu(_)) = (self.nested && case.locks > 1, held, op) {
                let other = 1 - lock.min(1);
                program.extend([Op::Lock(other), Op::Cpu(1), Op::Unlock(other)]);
            }
        }
        program.extend(held.map(Op::Unlock));
        program
    }
}

fn below(chance: &mut Stream, bound: usize) -> usize {
    usize::try_from(chance.below(bound as u64)).expect("small")
}

fn one_of<T: Copy>(chance: &mut Stream, choices: &[T]) -> T {
    choices[below(chance, choices.len())]
}
