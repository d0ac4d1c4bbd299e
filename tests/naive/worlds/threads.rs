//! Worlds of threads alone, under any policy.

use sim_core::rng::Stream;

use super::{Features, below, one_of, small, world};
use crate::naive::case::{Case, Executor, Group, Periodic, Policy, Process, Task};

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

/// A random world of threads alone under this policy; those of the real-time policies, and some others, have jobs.
pub(crate) fn random_threads(chance: &mut Stream, policy: Policy) -> Case {
    let mut case = world(one_of(chance, &[1, 1, 2, 3]), (policy, chance.below(2) == 0), Executor::Threads, &[]);
    case.devices = vec![None];
    case.context_switch = one_of(chance, &[0, 0, 1]);
    case.locks = 0;
    let features = Features { longest: one_of(chance, &[1, 2, 5]), ..Features::random(chance, &case) };
    let spread = one_of(chance, &[0, 3, 12]);
    let with_jobs = policy.is_real_time() || chance.below(4) == 0;
    for _ in 0..=below(chance, 4) {
        let periodic = with_jobs && chance.below(5) > 0;
        // What is left of a budget when a job is aborted is a matter of readings.
        let served = serves(policy) && chance.below(3) == 0;
        let task = Task {
            arrival: chance.below(spread + 1),
            priority: if policy.name() == "priority" { small(chance, 3) } else { 0 },
            tickets: 1 + chance.below(3),
            nice: if has_weights(policy) { one_of(chance, &[0, 0, 5, -5]) } else { 0 },
            served: None,
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
            weight: 100,
            quota: Some(case.processors as u64 + chance.below(period)),
            period,
            burst: one_of(chance, &[0, 0, 1, 4]),
            phase: if chance.below(3) == 0 { chance.below(period) } else { 0 },
        });
    }
    join_groups(chance, case);
}

/// Each task is a process now, and most of them are in one of the groups.
fn join_groups(chance: &mut Stream, case: &mut Case) {
    let processes = std::mem::take(&mut case.processes);
    for process in processes {
        for task in process.tasks {
            let group = (chance.below(4) > 0).then(|| below(chance, case.groups.len()));
            case.processes.push(Process { executor: process.executor, group, tasks: vec![task] });
        }
    }
}

/// The tasks of a world go into several processes, some of which are in groups of different weights; on one processor, where quotas end
/// with ticks, those may have some.
pub(crate) fn give_weights(chance: &mut Stream, case: &mut Case) {
    case.context_switch = 0;
    let quotas = case.processors == 1 && chance.below(3) == 0;
    for number in 0..1 + below(chance, 3) {
        let period = 2 + chance.below(9);
        case.groups.push(Group {
            parent: (number > 0 && chance.below(2) == 0).then(|| below(chance, number)),
            weight: one_of(chance, &[25, 50, 100, 100, 200, 300]),
            quota: (quotas && chance.below(2) == 0).then(|| 1 + chance.below(period)),
            period,
            burst: one_of(chance, &[0, 0, 2]),
            phase: 0,
        });
    }
    join_groups(chance, case);
    // Beside groups, threads weigh together: so much that any number of them divides a tick.
    let parents: Vec<Option<usize>> = case.groups.iter().map(|group| group.parent).collect();
    for process in &mut case.processes {
        let beside_groups = parents.contains(&process.group);
        process.tasks.iter_mut().filter(|_| beside_groups).for_each(|task| task.nice = 0);
    }
}
