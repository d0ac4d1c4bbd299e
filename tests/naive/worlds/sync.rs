//! Worlds of tasks that synchronise with each other.

use sim_core::rng::Stream;

use super::{below, one_of, world};
use crate::naive::case::{
    Barging, Case, Executor, FixedServer, Object, Op, Order, Periodic, Policy, Prefer, Process, Protocol, Room,
    ServerKind, SyncOp, Task,
};

/// How all locks lend urgency: one protocol is for where the urgencies of tasks stay, the others are for anywhere.
fn protocol(chance: &mut Stream, policy: Policy) -> Protocol {
    let usual = one_of(chance, &[Protocol::None, Protocol::Inherit, Protocol::Inherit, Protocol::Ceiling]);
    let stay =
        matches!(policy, Policy::Priority { .. } | Policy::RateMonotonic { .. } | Policy::DeadlineMonotonic { .. });
    match chance.below(4) {
        0 if stay => Protocol::OriginalCeiling,
        1 => Protocol::NonPreemptive,
        _ => usual,
    }
}

/// A random world in which tasks synchronise. Many of them end in a deadlock: both simulators must get there.
pub(crate) fn random_syncs(chance: &mut Stream) -> Case {
    let policy = policy(chance);
    let mut case = world(one_of(chance, &[1, 1, 2, 3]), (policy, chance.below(2) == 0), Executor::Threads, &[]);
    case.context_switch = one_of(chance, &[0, 0, 0, 1]);
    case.devices = vec![one_of(chance, &[None, None, Some(1)])];
    case.locks = 1 + below(chance, 2);
    case.syncs.protocol = protocol(chance, policy);
    case.syncs.spin = one_of(chance, &[0, 0, 1, 4]);
    case.syncs.order = one_of(chance, &[Order::Urgent, Order::Urgent, Order::Fifo, Order::Lifo]);
    if case.syncs.protocol == Protocol::None {
        let fair = Barging::UpTo(1 + chance.below(5));
        case.syncs.barging = one_of(chance, &[Barging::Never, Barging::Always, fair]);
        case.syncs.yields = one_of(chance, &[0, 0, 1, 3]);
    }
    if case.syncs.barging != Barging::Never {
        case.syncs.spin = 0;
    }
    case.syncs.objects = (0..below(chance, 4)).map(|_| object(chance)).collect();
    case.syncs.objects.sort_by(|a, b| a.partial_cmp(b).expect("plain numbers"));
    let real_time = policy.is_real_time();
    let spread = one_of(chance, &[0, 3, 12]);
    let longest = one_of(chance, &[1, 3, 6]);
    let with_jobs = chance.below(4) == 0;
    case.processes.clear();
    for _ in 0..one_of(chance, &[1, 1, 2]) {
        let executor = match chance.below(8) {
            _ if real_time => Executor::Threads,
            0 => Executor::Sequential,
            1 if case.context_switch == 0 => Executor::Pool(Room::of(1 + below(chance, 3))),
            _ => Executor::Threads,
        };
        let mut tasks = Vec::new();
        for _ in 0..=below(chance, 4) {
            let periodic = (real_time || with_jobs && executor == Executor::Threads) && chance.below(5) > 0;
            let period = 4 + chance.below(20);
            let (skips, aborts) = (chance.below(3) == 0, case.syncs.objects.is_empty() && chance.below(2) == 0);
            tasks.push(Task {
                arrival: chance.below(spread + 1),
                priority: if executor == Executor::Threads { i64::try_from(chance.below(4)).expect("few") } else { 0 },
                periodic: periodic.then(|| Periodic {
                    period,
                    deadline: 1 + chance.below(period),
                    jobs: 1 + chance.below(3),
                    jitter: &[],
                    skips: skips && !aborts,
                    aborts,
                }),
                program: program(chance, &case, longest),
                ..Task::default()
            });
        }
        case.processes.push(Process { executor, group: None, tasks });
    }
    case
}

/// A random world in which some tasks have servers for fixed priorities.
pub(crate) fn random_served(chance: &mut Stream) -> Case {
    let may_serve =
        |case: &Case| matches!(case.policy, Policy::Priority { .. }) && case.syncs.protocol != Protocol::NonPreemptive;
    let mut case = random_syncs(chance);
    while !may_serve(&case) {
        case = random_syncs(chance);
    }
    for _ in 0..1 + below(chance, 2) {
        let period = 2 + chance.below(10);
        case.servers.push(FixedServer {
            kind: one_of(chance, &[ServerKind::Polling, ServerKind::Deferrable, ServerKind::Sporadic]),
            budget: 1 + chance.below(period),
            period,
            priority: i64::try_from(chance.below(4)).expect("few"),
        });
    }
    let homes: Vec<usize> = case.servers.iter().map(|_| below(chance, case.processors)).collect();
    for process in &mut case.processes {
        process.executor = Executor::Threads;
        for task in &mut process.tasks {
            let server = below(chance, homes.len());
            if chance.below(2) == 0 {
                continue;
            }
            (task.served, task.priority) = (Some(server), case.servers[server].priority);
            task.affinity = Some(vec![homes[server]]);
        }
    }
    case
}

fn policy(chance: &mut Stream) -> Policy {
    let quantum = 1 + chance.below(3);
    let preemptive = chance.below(4) > 0;
    match chance.below(11) {
        0 => Policy::Fifo,
        1 => Policy::RoundRobin { quantum },
        2 => Policy::Sjf { estimate: None },
        10 => Policy::Srtf { estimate: None },
        3 | 4 => Policy::Edf { preemptive, heavy: None },
        5 => Policy::RateMonotonic { preemptive },
        6 => Policy::DeadlineMonotonic { preemptive },
        _ => Policy::Priority {
            preemptive,
            low_first: chance.below(2) == 0,
            preempted_to_head: chance.below(3) > 0,
            quantum: (chance.below(3) == 0).then_some(quantum),
            aging: None,
        },
    }
}

fn object(chance: &mut Stream) -> Object {
    match chance.below(6) {
        0 | 1 => Object::RwLock(one_of(chance, &[Prefer::Fifo, Prefer::Readers, Prefer::Writers])),
        2 => Object::Semaphore(chance.below(3)),
        3 => Object::Channel(below(chance, 3)),
        4 => Object::Condvar,
        _ => Object::Barrier(1 + below(chance, 3)),
    }
}

/// Up to so many things and one, one after the other.
pub(super) fn program(chance: &mut Stream, case: &Case, longest: usize) -> Vec<Op> {
    let mut program = Vec::new();
    for _ in 0..=below(chance, longest) {
        match chance.below(10) {
            0..=2 => {
                let lock = below(chance, case.locks);
                may_give_up(chance, 0, &mut program);
                program.push(Op::Lock(lock));
                program.push(Op::Cpu(1 + chance.below(4)));
                if case.locks > 1 && chance.below(3) == 0 {
                    program.extend([Op::Lock(1 - lock), Op::Cpu(1 + chance.below(2)), Op::Unlock(1 - lock)]);
                }
                if chance.below(6) == 0 {
                    program.push(Op::Io(0, 1 + chance.below(3)));
                }
                program.push(Op::Unlock(lock));
            }
            3..=6 if !case.syncs.objects.is_empty() => {
                let number = below(chance, case.syncs.objects.len());
                let mut uses = Vec::new();
                use_of(chance, case, number, &mut uses);
                for op in uses {
                    if matches!(op, Op::Sync(_)) && op.can_be_given_up() {
                        may_give_up(chance, 0, &mut program);
                    }
                    program.push(op);
                }
            }
            7 => {
                may_give_up(chance, 1, &mut program);
                program.push(Op::Io(0, 1 + chance.below(4)));
            }
            8 => program.push(Op::Yield),
            _ => program.push(Op::Cpu(1 + chance.below(4))),
        }
    }
    program
}

/// What comes next may be given up, after so many ticks at least.
fn may_give_up(chance: &mut Stream, least: u64, program: &mut Vec<Op>) {
    if chance.below(3) == 0 {
        program.push(Op::Within(least + chance.below(6)));
    }
}

/// Some operations with an object.
fn use_of(chance: &mut Stream, case: &Case, number: usize, program: &mut Vec<Op>) {
    let cpu = Op::Cpu(1 + chance.below(3));
    let sync = Op::Sync;
    match case.syncs.objects[number] {
        Object::RwLock(_) => {
            let take = if chance.below(3) == 0 { SyncOp::Write(number) } else { SyncOp::Read(number) };
            program.extend([sync(take), cpu, sync(SyncOp::Leave(number))]);
        }
        Object::Semaphore(_) => match chance.below(4) {
            0 => program.push(sync(SyncOp::Release(number, 1 + chance.below(2)))),
            1 => program.push(sync(SyncOp::Acquire(number, 1))),
            _ => {
                let count = 1 + chance.below(2);
                program.extend([sync(SyncOp::Acquire(number, count)), cpu, sync(SyncOp::Release(number, count))]);
            }
        },
        Object::Channel(_) if chance.below(2) == 0 => program.extend([cpu, sync(SyncOp::Send(number))]),
        Object::Channel(_) => program.extend([sync(SyncOp::Receive(number)), cpu]),
        Object::Condvar => match chance.below(4) {
            0 => {
                let lock = below(chance, case.locks);
                program.extend([Op::Lock(lock), sync(SyncOp::Wait(number, lock)), cpu, Op::Unlock(lock)]);
            }
            1 => program.push(sync(SyncOp::NotifyAll(number))),
            2 => {
                let lock = below(chance, case.locks);
                program.extend([Op::Lock(lock), sync(SyncOp::Notify(number)), cpu, Op::Unlock(lock)]);
            }
            _ => program.push(sync(SyncOp::Notify(number))),
        },
        Object::Barrier(_) => program.push(sync(SyncOp::Arrive(number))),
    }
}

/// For all small worlds with an object of each kind: what tasks do with it.
pub(crate) fn uses_of_objects() -> Vec<(Object, Vec<Vec<Op>>)> {
    let (cpu, sync) = (Op::Cpu(1), Op::Sync);
    let read = vec![sync(SyncOp::Read(0)), cpu, sync(SyncOp::Leave(0))];
    let write = vec![sync(SyncOp::Write(0)), Op::Cpu(2), sync(SyncOp::Leave(0))];
    let mut found = Vec::new();
    for prefer in [Prefer::Fifo, Prefer::Readers, Prefer::Writers] {
        found.push((Object::RwLock(prefer), vec![vec![cpu], read.clone(), write.clone()]));
    }
    for permits in [0, 1, 2] {
        let both = vec![sync(SyncOp::Acquire(0, 1)), Op::Cpu(2), sync(SyncOp::Release(0, 1))];
        let add = vec![cpu, sync(SyncOp::Release(0, 1))];
        found.push((Object::Semaphore(permits), vec![both, add, vec![sync(SyncOp::Acquire(0, 2))]]));
    }
    for capacity in [0, 1, 2] {
        let (send, receive) = (vec![cpu, sync(SyncOp::Send(0))], vec![sync(SyncOp::Receive(0)), Op::Cpu(2)]);
        found.push((Object::Channel(capacity), vec![vec![cpu], send, receive]));
    }
    let wait = vec![Op::Lock(0), sync(SyncOp::Wait(0, 0)), cpu, Op::Unlock(0)];
    let notify = vec![Op::Lock(0), cpu, sync(SyncOp::Notify(0)), cpu, Op::Unlock(0)];
    found.push((Object::Condvar, vec![wait, notify, vec![cpu, sync(SyncOp::NotifyAll(0))]]));
    found
        .push((Object::Barrier(2), vec![vec![cpu], vec![sync(SyncOp::Arrive(0))], vec![sync(SyncOp::Arrive(0)), cpu]]));
    found
}
