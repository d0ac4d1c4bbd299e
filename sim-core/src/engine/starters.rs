//! Who starts processes: the parent, a thread among the others, which takes time for each of them.
//!
//! Rule: where it takes Python time to start a process (`parent` of `fork`, `spawn` and `forkserver`), a process with such an
//! executor has a thread of its own for that. It starts those that have arrived one after the other, in the order in which they
//! came, competes for processors while it does, as urgent as the most urgent of them but without a deadline, and sleeps when nobody is
//! left. It is none of the tasks: recorders are told nothing of it, and its processor looks idle to them, as it does in measurements.
//!
//! Source: `Process.start` of Lib/multiprocessing/process.py, CPython 3.13: it forks, and returns when the child is there.

use std::cmp::Reverse;
use std::collections::{BTreeMap, VecDeque};

use super::costs::of_parent;
use crate::executor::{EXECUTORS, Executor, Threads};
use crate::ids::{ProcessId, SpecId, TaskId, ThreadId};
use crate::policy::Attributes;
use crate::scenario::{Arrival, Op, Process, Program, Runtime, Scenario, Spec};

/// What these threads are called, behind the name of their process.
const NAME: &str = "parent";

/// The scenario with those who start its processes, if it has such: they come last, behind all others, one for each process.
pub(super) fn with_parents(scenario: &Scenario) -> Option<Scenario> {
    let costs = scenario.machine.costs.as_deref()?;
    let executor = EXECUTORS.iter().find(|kind| kind.threads == Threads::Main && kind.keeps_thread)?;
    let mut all = scenario.clone();
    for (of, process) in scenario.processes.pairs().filter(|(_, process)| of_parent(costs, process).is_some()) {
        let own = || scenario.specs.pairs().filter(|(_, spec)| spec.process == of && spec.count > 0);
        let Some(first) = own().min_by_key(|(_, spec)| place(&spec.attributes)) else { continue };
        let count = own().map(|(_, spec)| u64::from(spec.count)).sum();
        let (name, executor) = (format!("{NAME} of {}", process.name), Executor::new(executor, 1));
        let id = all.processes.push(Process { name, runtime: Runtime::default(), executor, part: None });
        all.specs.push(parent(id, first, count));
    }
    (all.specs.len() > scenario.specs.len()).then_some(all)
}

/// Who is more urgent comes first, as far as that does not change in a run and the larger priority is the more urgent.
fn place(attributes: &Attributes) -> impl Ord + use<> {
    let Attributes { class, rt_priority, priority, nice, .. } = *attributes;
    (class, Reverse((rt_priority, priority)), nice)
}

/// As urgent as the most urgent task that it starts, but without deadlines.
fn parent(process: ProcessId, (starts, first): (SpecId, &Spec), count: u64) -> Spec {
    let ops = vec![
        Op::Repeat { count: Some(count), slot: 0, end: 3 },
        Op::Spawn(starts),
        Op::Again { start: 1, slot: 0, forever: false },
    ];
    let attributes =
        Attributes { affinity: None, working_set: None, periodic: None, server: None, ..first.attributes.clone() };
    Spec {
        process,
        name: NAME.to_owned(),
        count: 1,
        // It comes with the first that it starts.
        arrival: Arrival::Spawned,
        after: Vec::new(),
        attributes,
        program: Program::new(ops, 1),
        caller: None,
    }
}

/// Who starts the processes of which process.
#[derive(Default)]
pub(super) struct Starters {
    of: BTreeMap<ProcessId, Starter>,
}

/// One who starts processes.
pub(super) struct Starter {
    /// The task that does.
    pub(super) task: TaskId,
    /// The threads that wait to be started.
    pub(super) waiting: VecDeque<ThreadId>,
    /// How many it has still to start, these among them.
    pub(super) left: u64,
}

impl Starters {
    /// This task starts so many processes of that one.
    pub(super) fn add(&mut self, of: ProcessId, task: TaskId, left: u64) {
        self.of.insert(of, Starter { task, waiting: VecDeque::new(), left });
    }

    /// Who starts the processes of this one.
    pub(super) fn of(&mut self, process: ProcessId) -> Option<&mut Starter> {
        self.of.get_mut(&process)
    }
}
