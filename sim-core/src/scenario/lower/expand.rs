//! From definitions to the scenario: each copy of a process gets its own tasks, and references become ids.

use super::{Definition, Target, TaskDefinition, Which};
use crate::ids::{Id as _, IdVec, ProcessId, SpecId};
use crate::scenario::{Attributes, Op, Process, Program, Scenario, Spec};

/// Expands what has been checked.
pub(super) fn expand(definition: Definition) -> Scenario {
    let places = Places::of(&definition);
    let mut processes = IdVec::new();
    let mut specs = IdVec::new();
    for (index, process) in definition.processes.iter().enumerate() {
        for copy in 0..process.count {
            let name = if process.count == 1 { process.name.clone() } else { format!("{}#{copy}", process.name) };
            let id: ProcessId = processes.push(Process { name, executor: process.executor.clone() });
            for task in &definition.tasks[process.tasks.clone()] {
                let mut after: Vec<SpecId> = task.after.iter().flat_map(|target| places.all(*target, copy)).collect();
                // `web#0/login` is the same as `login` in the first copy.
                after.sort_unstable();
                after.dedup();
                specs.push(Spec {
                    process: id,
                    name: task.name.clone(),
                    count: task.count,
                    arrival: task.arrival.clone(),
                    after,
                    attributes: attributes(task),
                    program: program(task, &places, copy),
                });
            }
        }
        debug_assert_eq!(specs.len(), places.first[index] + process.count as usize * process.tasks.len());
    }
    Scenario {
        title: definition.title,
        seed: definition.seed,
        until: definition.until,
        machine: definition.machine,
        scheduler: definition.scheduler,
        devices: definition.things.devices,
        syncs: definition.things.syncs.objects,
        processes,
        specs,
    }
}

/// Of a periodic task, what a job needs is known only now that its program is.
fn attributes(task: &TaskDefinition) -> Attributes {
    let mut attributes = task.attributes.clone();
    if let Some(periodic) = &mut attributes.periodic {
        periodic.demand = Program::new(task.code.ops.clone(), task.code.loop_depth).work();
    }
    attributes
}

fn program(task: &TaskDefinition, places: &Places, copy: u32) -> Program {
    let code = &task.code;
    let mut ops = code.ops.clone();
    for (at, target) in &code.links {
        let id = places.all(*target, copy).next().unwrap_or(SpecId::NONE);
        ops[*at] = match &ops[*at] {
            Op::Join(_) => Op::Join(id),
            _ => Op::Spawn(id),
        };
    }
    let mut program = Program::new(ops, code.loop_depth);
    if task.attributes.periodic.is_some() {
        // The next job draws from where this one left off.
        program.draws_until = u32::MAX;
    }
    program
}

/// Where the tasks of each process stand among all specs.
struct Places {
    /// The first spec of the first copy, by process.
    first: Vec<usize>,
    /// The process of a task, how many tasks that has, and the task's place among them.
    tasks: Vec<(usize, usize, usize)>,
    counts: Vec<u32>,
}

impl Places {
    fn of(definition: &Definition) -> Places {
        let mut places = Places { first: Vec::new(), tasks: Vec::new(), counts: Vec::new() };
        let mut next = 0;
        for (index, process) in definition.processes.iter().enumerate() {
            places.first.push(next);
            places.counts.push(process.count);
            places.tasks.extend((0..process.tasks.len()).map(|place| (index, process.tasks.len(), place)));
            next += process.count as usize * process.tasks.len();
        }
        places
    }

    /// The specs of a target, seen from the copy `own` of a process.
    fn all(&self, target: Target, own: u32) -> impl Iterator<Item = SpecId> + use<> {
        let (process, length, place) = self.tasks[target.task];
        let copies = match target.which {
            Which::Own => own..own + 1,
            Which::Copy(copy) => copy..copy + 1,
            Which::All => 0..self.counts[process],
        };
        let first = self.first[process];
        copies.map(move |copy| SpecId::from_index(first + copy as usize * length + place))
    }
}
