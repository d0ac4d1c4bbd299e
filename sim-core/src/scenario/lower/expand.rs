//! From definitions to the scenario: each copy of a process gets its own tasks, and references become ids.

use super::pools::PartDefinition;
use super::{Code, Definition, Target, TaskDefinition, Which};
use crate::ids::{Id as _, IdVec, ProcessId, SpecId};
use crate::scenario::{Caller, Op, Part, Process, Program, Scenario, Spec, Way};

/// Expands what has been checked.
pub(super) fn expand(definition: Definition) -> Scenario {
    let places = Places::of(&definition);
    let mut processes = IdVec::new();
    let mut specs: IdVec<SpecId, Spec> = IdVec::new();
    specs.reserve(places.count);
    let mut tasks: Vec<Option<TaskDefinition>> = definition.tasks.into_iter().map(Some).collect();
    for process in definition.processes {
        let own = process.tasks.chain(process.branches).filter_map(|task| tasks[task].take());
        let part = |copy| process.part.as_ref().map(|part| places.part(part, copy));
        if process.count == 1 {
            let part = part(0);
            let id: ProcessId = processes.push(Process {
                name: process.name,
                runtime: process.runtime,
                executor: process.executor,
                group: process.group,
                part,
            });
            for task in own {
                specs.push(spec(task, id, &places, 0));
            }
            continue;
        }
        let own: Vec<TaskDefinition> = own.collect();
        for copy in 0..process.count {
            let (name, executor) = (format!("{}#{copy}", process.name), process.executor.clone());
            let (runtime, group) = (process.runtime.clone(), process.group);
            let id: ProcessId = processes.push(Process { name, runtime, executor, group, part: part(copy) });
            for task in &own {
                specs.push(spec(task.clone(), id, &places, copy));
            }
        }
    }
    debug_assert_eq!(specs.len(), places.count);
    let mut scenario = Scenario {
        title: definition.title,
        seed: definition.seed,
        machine_seed: definition.seed,
        until: definition.until,
        machine: definition.machine,
        scheduler: definition.scheduler,
        devices: definition.things.devices,
        syncs: definition.things.syncs.objects,
        variables: definition.things.variables,
        groups: definition.groups,
        servers: definition.things.servers.into_iter().map(|server| server.name).collect(),
        processes,
        specs,
    };
    for device in scenario.left_devices() {
        scenario.devices[device].is_left = true;
    }
    scenario
}

/// A task of the copy of a process that has this id.
fn spec(task: TaskDefinition, process: ProcessId, places: &Places, copy: u32) -> Spec {
    let TaskDefinition { name, count, arrival, mut attributes, code, caller, .. } = task;
    let calls = caller.is_some_and(|(_, _, way)| way == Way::On) || code.uses_pools;
    let mut after: Vec<SpecId> = task.after.iter().flat_map(|target| places.all(*target, copy)).collect();
    // `web#0/login` is the same as `login` in the first copy.
    after.sort_unstable();
    after.dedup();
    let mut program = program(code, places, copy);
    if let Some(periodic) = &mut attributes.periodic {
        // What a job needs is known only now that its program is.
        periodic.demand = program.work();
        // The next job draws from where this one left off.
        program.keeps_stream();
    }
    if calls {
        program.keeps_stream();
    }
    let caller = caller.and_then(|(task, op, way)| {
        let spec = places.all(Target { task, which: Which::Own }, copy).next()?;
        Some(Caller { spec, op, way })
    });
    Spec { process, name, count, arrival, after, attributes, program, caller }
}

fn program(code: Code, places: &Places, copy: u32) -> Program {
    let Code { mut ops, positions, loop_depth, links, .. } = code;
    for (at, target) in links {
        let id = places.all(target, copy).next().unwrap_or(SpecId::NONE);
        ops[at] = match &ops[at] {
            Op::Join(_) => Op::Join(id),
            _ => Op::Spawn(id),
        };
    }
    ops.shrink_to_fit();
    Program { positions, ..Program::new(ops, loop_depth) }
}

/// Where the tasks of each process stand among all specs.
struct Places {
    /// The first spec of the first copy, by process.
    first: Vec<usize>,
    /// The process of a task, how many tasks that has, and the task's place among them.
    tasks: Vec<(usize, usize, usize)>,
    counts: Vec<u32>,
    /// The first copy of each process among all processes.
    copies: Vec<usize>,
    /// How many specs there are.
    count: usize,
}

impl Places {
    fn of(definition: &Definition) -> Places {
        let tasks = vec![(0, 0, 0); definition.tasks.len()];
        let mut places = Places { first: Vec::new(), tasks, counts: Vec::new(), copies: Vec::new(), count: 0 };
        let mut copies = 0;
        for (index, process) in definition.processes.iter().enumerate() {
            places.first.push(places.count);
            places.counts.push(process.count);
            places.copies.push(copies);
            copies += process.count as usize;
            let own = process.tasks.clone().chain(process.branches.clone());
            let length = process.tasks.len() + process.branches.len();
            own.zip(0..).for_each(|(task, place)| places.tasks[task] = (index, length, place));
            places.count += process.count as usize * length;
        }
        places
    }

    /// The pool of the copy of a process.
    fn part(&self, part: &PartDefinition, copy: u32) -> Part {
        let whole = ProcessId::from_index(self.copies[part.whole] + copy as usize);
        Part { whole, pool: part.pool.clone() }
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
