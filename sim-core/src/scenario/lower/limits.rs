//! How large a scenario can be: what is refused here would not fit into memory later.

use super::{Definition, Which};
use crate::document::{Log, Note, quoted};

/// Instances of all tasks together.
pub(super) const INSTANCES: u32 = 20_000_000;
/// Tasks, when the copies of processes are counted each.
const TASKS: u64 = 1_000_000;
/// Operations of all programs together, likewise.
const OPERATIONS: u64 = 10_000_000;
/// References by `after`, likewise.
const REFERENCES: u64 = 10_000_000;

/// Jobs of all periodic tasks together.
const JOBS: u64 = 20_000_000;

/// Checks the size of everything together.
pub(super) fn check(definition: &Definition, log: &Log) {
    if !log.is_empty() {
        // Numbers may be missing, and spawns may go in a circle.
        return;
    }
    let (mut tasks, mut operations, mut references, mut arriving) = (0_u64, 0_u64, 0_u64, 0_u64);
    let mut jobs = 0_u64;
    for process in &definition.processes {
        let copies = u64::from(process.count);
        let all = || definition.tasks[process.tasks.clone()].iter().chain(&definition.tasks[process.branches.clone()]);
        let sum = |count: &dyn Fn(&super::TaskDefinition) -> u64| copies.saturating_mul(all().map(count).sum());
        tasks += copies * all().count() as u64;
        operations = operations.saturating_add(sum(&|task| task.code.ops.len() as u64));
        references = references.saturating_add(sum(&|task| waits_for(definition, task)));
        jobs = jobs.saturating_add(sum(&|task| released(definition, task).saturating_mul(u64::from(task.count))));
        arriving = arriving.saturating_add(sum(&|task| u64::from(task.count)));
    }
    for (what, count, most) in [
        ("tasks (copies of processes counted each)", tasks, TASKS),
        ("operations in all programs (copies of processes counted each)", operations, OPERATIONS),
        ("references by `after` (copies of processes counted each)", references, REFERENCES),
        ("jobs of periodic tasks until the end", jobs, JOBS),
    ] {
        let largest = definition.processes.iter().max_by_key(|process| process.count);
        if let (true, Some(largest)) = (count > most, largest) {
            log.add(Note::new(largest.spot, format!("there are {count} {what}; at most {most} are possible")));
        }
    }
    let largest = definition.tasks.iter().max_by_key(|task| task.count);
    if let (true, Some(largest)) = (arriving > u64::from(INSTANCES), largest) {
        let sentence = format!("there are {arriving} instances of all tasks; at most {INSTANCES} are possible");
        log.add(Note::new(largest.spot, sentence));
    } else {
        spawned(definition, log);
    }
}

/// How many jobs an instance has until the horizon, if there is one.
fn released(definition: &Definition, task: &super::TaskDefinition) -> u64 {
    let Some(periodic) = &task.attributes.periodic else { return 0 };
    let until = definition.until.map_or(u64::MAX, |until| until.ns().div_ceil(periodic.period.ns()));
    periodic.jobs.unwrap_or(u64::MAX).min(until)
}

fn waits_for(definition: &Definition, task: &super::TaskDefinition) -> u64 {
    let copies = |target: &super::Target| match target.which {
        Which::Own | Which::Copy(_) => 1,
        Which::All => u64::from(definition.processes[definition.tasks[target.task].process].count),
    };
    task.after.iter().map(copies).sum()
}

/// How many instances are spawned: those who spawn are counted before those whom they spawn.
fn spawned(definition: &Definition, log: &Log) {
    let tasks = &definition.tasks;
    let mut instances: Vec<u64> = tasks.iter().map(|task| u64::from(task.count)).collect();
    for process in &definition.processes {
        instances[process.tasks.clone()].iter_mut().for_each(|count| *count *= u64::from(process.count));
    }
    let mut parents = vec![0_usize; tasks.len()];
    tasks.iter().flat_map(|task| task.code.spawns.keys()).for_each(|child| parents[*child] += 1);
    let mut counted: Vec<usize> = (0..tasks.len()).filter(|task| parents[*task] == 0).collect();
    while let Some(parent) = counted.pop() {
        for (child, times) in &tasks[parent].code.spawns {
            instances[*child] = instances[*child].saturating_add(instances[parent].saturating_mul(*times));
            parents[*child] -= 1;
            if parents[*child] == 0 {
                counted.push(*child);
            }
        }
    }
    let total = instances.iter().fold(0_u64, |sum, count| sum.saturating_add(*count));
    let largest = (0..tasks.len()).max_by_key(|task| instances[*task]);
    if let (true, Some(largest)) = (total > u64::from(INSTANCES), largest) {
        let task = &tasks[largest];
        let sentence = format!(
            "with all those that are spawned there can be {total} instances, {} of them of {}; at most {INSTANCES} are \
             possible",
            instances[largest],
            quoted(&task.name)
        );
        log.add(Note::new(task.spot, sentence));
    }
}
