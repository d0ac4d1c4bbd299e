//! Worlds for both simulators: small ones, all of them, and larger ones at random.

mod state;
mod sync;

use sim_core::rng::Stream;

pub(crate) use state::random_states;
pub(crate) use sync::{random_syncs, uses_of_objects};

use super::case::{
    Average, Case, Control, Discipline, Disk, Executor, Group, Op, Periodic, Policy, Process, SyncOp, Syncs, Task,
};

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
    [Executor::Threads, Executor::Sequential, Executor::Pool(2), Executor::Async]
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
        discipline: Discipline::Fifo,
        disk: None,
        nanoseconds: false,
        locks: 1,
        syncs: Syncs::default(),
        variables: 0,
        groups: Vec::new(),
        processes: vec![Process { executor, group: None, tasks }],
    }
}

/// The tasks get what their policy looks at: tickets, nice values, jobs (the last has no deadline), a server.
pub(crate) fn give_attributes(case: &mut Case) {
    let policy = case.policy;
    for (number, task) in case.processes[0].tasks.iter_mut().enumerate() {
        task.tickets = [2, 1, 3][number];
        task.priority = if policy.name() == "priority" { [0, 1, 0][number] } else { 0 };
        task.nice = if has_weights(policy) { [0, 5, -5][number] } else { 0 };
        let jobs = [
            Some(Periodic { period: 5, deadline: 5, jobs: 2, jitter: &[], skips: false, aborts: false }),
            Some(Periodic { period: 4, deadline: 3, jobs: 3, jitter: &[0, 2], skips: false, aborts: false }),
            None,
        ];
        task.periodic = jobs[number].filter(|_| policy.is_real_time());
        task.server = (number == 1 && serves(policy)).then_some((2, 4));
    }
}

/// Half of the variants of edf have servers.
fn serves(policy: Policy) -> bool {
    matches!(policy, Policy::Edf { heavy: None, .. })
}

/// Are there whole milliseconds even if threads have different weights?
fn has_weights(policy: Policy) -> bool {
    matches!(policy, Policy::Cfs { tick: Some(_), .. })
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
        discipline: Discipline::Fifo,
        disk: None,
        nanoseconds: false,
        locks: below(chance, 3),
        syncs: Syncs::default(),
        variables: 0,
        groups: Vec::new(),
        processes: Vec::new(),
    };
    let features = Features::random(chance, &case);
    let spread = one_of(chance, &[0, 3, 20]);
    for _ in 0..one_of(chance, &[1, 1, 1, 2, 3]) {
        // Of a pool it is not written down which idle worker, and so which thread, takes a task.
        let executor = match chance.below(8) {
            0 => Executor::Sequential,
            1 if case.context_switch == 0 => Executor::Pool(1 + below(chance, 3)),
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

/// A random world of threads alone under this policy; those of the real-time policies have jobs.
pub(crate) fn random_threads(chance: &mut Stream, policy: Policy) -> Case {
    let mut case = world(one_of(chance, &[1, 1, 2, 3]), (policy, chance.below(2) == 0), Executor::Threads, &[]);
    case.devices = vec![None];
    case.context_switch = one_of(chance, &[0, 0, 1]);
    case.locks = 0;
    let features = Features { longest: one_of(chance, &[1, 2, 5]), ..Features::random(chance, &case) };
    let spread = one_of(chance, &[0, 3, 12]);
    for _ in 0..=below(chance, 4) {
        let periodic = policy.is_real_time() && chance.below(5) > 0;
        // What is left of a budget when a job is aborted is a matter of readings.
        let served = serves(policy) && chance.below(3) == 0;
        let task = Task {
            arrival: chance.below(spread + 1),
            priority: if policy.name() == "priority" { small(chance, 3) } else { 0 },
            tickets: 1 + chance.below(3),
            nice: if has_weights(policy) { one_of(chance, &[0, 0, 5, -5]) } else { 0 },
            server: served.then(|| {
                let budget = 1 + chance.below(4);
                (budget, budget + chance.below(6))
            }),
            periodic: periodic.then(|| {
                let period = 1 + chance.below(12);
                let jitter = one_of::<&[u64]>(chance, &[&[], &[], &[0, 2], &[3, 0, 15]]);
                let skips = jitter.is_empty() && chance.below(2) == 0;
                let aborts = !skips && !served && chance.below(2) == 0;
                // A job may be late when the next one is released.
                let longest = if aborts { 2 * period } else { period };
                let (deadline, jobs) = (1 + chance.below(longest), 1 + chance.below(4));
                Periodic { period, deadline, jobs, jitter, skips, aborts }
            }),
            affinity: (chance.below(6) == 0).then(|| vec![below(chance, case.processors)]),
            program: features.program(chance, &case),
        };
        case.processes[0].tasks.push(task);
    }
    // All tickets together must divide the unit of the naive pass.
    case.processes[0].tasks.truncate(4);
    case
}

/// The tasks of a world go into several processes, some of which are in groups with quotas. A tick is a nanosecond, since a
/// quota that several use ends between any others.
pub(crate) fn give_quotas(chance: &mut Stream, case: &mut Case) {
    case.nanoseconds = true;
    // Whether a switch that ends in the middle of a period is followed by a tick is a matter of readings.
    case.context_switch = 0;
    for number in 0..1 + below(chance, 3) {
        let period = 2 + chance.below(9);
        case.groups.push(Group {
            parent: (number > 0 && chance.below(2) == 0).then(|| below(chance, number)),
            // With less, nobody might ever run.
            quota: case.processors as u64 + chance.below(period),
            period,
            burst: one_of(chance, &[0, 0, 1, 4]),
            phase: if chance.below(3) == 0 { chance.below(period) } else { 0 },
        });
    }
    let processes = std::mem::take(&mut case.processes);
    for process in processes {
        for task in process.tasks {
            let group = (chance.below(4) > 0).then(|| below(chance, case.groups.len()));
            case.processes.push(Process { executor: process.executor, group, tasks: vec![task] });
        }
    }
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

/// A smaller world that still fails: tasks and operations are left out and times cut, one by one.
pub(crate) fn shrink(case: &Case, fails: impl Fn(&Case) -> bool) -> Case {
    let mut smallest = case.clone();
    while let Some(smaller) = smaller_worlds(&smallest).find(&fails) {
        smallest = smaller;
    }
    smallest
}

fn smaller_worlds(case: &Case) -> impl Iterator<Item = Case> + use<> {
    let change = |change: &dyn Fn(&mut Case)| {
        let mut changed = case.clone();
        change(&mut changed);
        changed
    };
    let mut worlds = Vec::new();
    for (p, process) in case.processes.iter().enumerate() {
        for (t, task) in process.tasks.iter().enumerate() {
            worlds.push(change(&|case| {
                case.processes[p].tasks.remove(t);
                case.processes.retain(|process| !process.tasks.is_empty());
            }));
            for op in 0..task.program.len() {
                worlds.push(change(&|case| {
                    case.processes[p].tasks[t].program.remove(op);
                }));
                for later in op + 1..task.program.len() {
                    worlds.push(change(&|case| {
                        case.processes[p].tasks[t].program.remove(later);
                        case.processes[p].tasks[t].program.remove(op);
                    }));
                }
                worlds.push(change(&|case| shorten(&mut case.processes[p].tasks[t].program[op])));
            }
            worlds.push(change(&|case| case.processes[p].tasks[t].affinity = None));
            worlds.push(change(&|case| case.processes[p].tasks[t].periodic = None));
            worlds.push(change(&|case| {
                if let Some(periodic) = &mut case.processes[p].tasks[t].periodic {
                    periodic.jobs = (periodic.jobs - 1).max(1);
                }
            }));
            worlds.push(change(&|case| {
                if let Some(periodic) = &mut case.processes[p].tasks[t].periodic {
                    periodic.jitter = &[];
                }
            }));
            worlds.push(change(&|case| case.processes[p].tasks[t].server = None));
            worlds.push(change(&|case| case.processes[p].tasks[t].nice = 0));
            worlds.push(change(&|case| case.processes[p].tasks[t].priority = 0));
            worlds.push(change(&|case| case.processes[p].tasks[t].arrival = task.arrival.saturating_sub(1)));
        }
    }
    worlds.push(change(&|case| case.context_switch = 0));
    worlds.push(change(&|case| case.processors = (case.processors - 1).max(1)));
    let before = format!("{case:?}");
    worlds.into_iter().filter(move |world| format!("{world:?}") != before && is_valid(world))
}

fn shorten(op: &mut Op) {
    if let Op::Cpu(ticks) | Op::Io(_, ticks) | Op::IoAt(_, ticks, _) | Op::Sleep(ticks) = op {
        *ticks -= u64::from(*ticks > 1);
    }
}

/// Can it be written as a scenario file? Programs have something to do, and locks are taken and given back in turn.
fn is_valid(case: &Case) -> bool {
    case.tasks().count() > 0
        && case.tasks().all(|(_, task)| {
            let (mut held, mut entered) = (Vec::new(), Vec::new());
            let may = |at: usize| task.program.get(at + 1).is_some_and(Op::can_be_given_up);
            let limits = (0..).zip(&task.program).filter(|(_, op)| matches!(op, Op::Within(_)));
            let attached = limits.into_iter().all(|(at, _)| may(at));
            let in_turn = task.program.iter().all(|op| match op {
                Op::Lock(lock) if held.contains(lock) => false,
                Op::Lock(lock) => {
                    held.push(*lock);
                    true
                }
                Op::Unlock(lock) => held.iter().position(|other| other == lock).map(|at| held.remove(at)).is_some(),
                Op::Sync(SyncOp::Read(object) | SyncOp::Write(object)) if entered.contains(object) => false,
                Op::Sync(SyncOp::Read(object) | SyncOp::Write(object)) => {
                    entered.push(*object);
                    true
                }
                Op::Sync(SyncOp::Leave(object)) => {
                    entered.iter().position(|other| other == object).map(|at| entered.remove(at)).is_some()
                }
                Op::Sync(SyncOp::Wait(_, lock)) => held.contains(lock),
                _ => true,
            });
            let affinity = task.affinity.iter().flatten().all(|cpu| *cpu < case.processors);
            in_turn
                && attached
                && is_closed(&task.program)
                && held.is_empty()
                && entered.is_empty()
                && affinity
                && !task.program.is_empty()
        })
}

/// Are lists closed in turn?
fn is_closed(program: &[Op]) -> bool {
    let mut open: Vec<Control> = Vec::new();
    let in_turn = program.iter().all(|op| match op {
        Op::Control(control) if control.opens() => {
            open.push(*control);
            true
        }
        Op::Control(Control::Else) => {
            matches!(open.pop(), Some(Control::If(_))) && {
                open.push(Control::Else);
                true
            }
        }
        Op::Control(Control::Close) => open.pop().is_some(),
        _ => true,
    });
    in_turn && open.is_empty()
}

fn below(chance: &mut Stream, bound: usize) -> usize {
    usize::try_from(chance.below(bound as u64)).expect("small")
}

fn one_of<T: Copy>(chance: &mut Stream, choices: &[T]) -> T {
    choices[below(chance, choices.len())]
}
