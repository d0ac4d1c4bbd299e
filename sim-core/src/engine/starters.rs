//! Who starts processes: the parent, a thread among the others, which takes time for each of them.
//!
//! Rule: where it takes Python time to start a process (`parent` of `fork`, `spawn` and `forkserver`), a process with such an
//! executor has a thread of its own for that. It starts those that have arrived one after the other, in the order in which they
//! came, competes for processors while it does, and sleeps when nobody is left. It is none of the tasks: recorders are told nothing
//! of it.
//!
//! Source: `Process.start` of Lib/multiprocessing/process.py, CPython 3.13: it forks, and returns when the child is there.

use std::collections::{BTreeMap, VecDeque};

use super::costs::of_parent;
use super::task::State;
use super::thread::ThreadState;
use super::world::World;
use crate::executor::{EXECUTORS, Executor, Threads};
use crate::ids::{CpuId, ProcessId, SpecId, TaskId, ThreadId};
use crate::policy::{Attributes, Slot, Why};
use crate::scenario::{Arrival, Op, Process, Program, Runtime, Scenario, Spec};
use crate::time::Time;
use crate::timeline::{Cause, Recorder};

/// What these threads are called, behind the name of their process.
const NAME: &str = "parent";

/// The scenario with those who start its processes, if it has such: they come last, behind all others, one for each process.
pub(super) fn with_parents(scenario: &Scenario) -> Option<Scenario> {
    let costs = scenario.machine.costs.as_deref()?;
    let executor = EXECUTORS.iter().find(|kind| kind.threads == Threads::Main && kind.keeps_thread)?;
    let mut all = scenario.clone();
    for (of, process) in scenario.processes.pairs().filter(|(_, process)| of_parent(costs, process).is_some()) {
        let mut own = scenario.specs.pairs().filter(|(_, spec)| spec.process == of && spec.count > 0);
        let Some(first) = own.next() else { continue };
        let count = u64::from(first.1.count) + own.map(|(_, spec)| u64::from(spec.count)).sum::<u64>();
        let (name, executor) = (format!("{NAME} of {}", process.name), Executor::new(executor, 1));
        let id = all.processes.push(Process { name, runtime: Runtime::default(), executor, part: None });
        all.specs.push(parent(id, first, count));
    }
    (all.specs.len() > scenario.specs.len()).then_some(all)
}

/// As urgent as the first task that it starts, and nothing more.
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
        arrival: Arrival::At(Time::ZERO),
        after: Vec::new(),
        attributes,
        program: Program::new(ops, 1),
        caller: None,
    }
}

/// Who starts the processes of which process, and whom it has still to start.
#[derive(Default)]
pub(super) struct Starters {
    of: BTreeMap<ProcessId, (TaskId, VecDeque<ThreadId>)>,
}

impl<R: Recorder> World<'_, R> {
    /// The last so many tasks start processes.
    pub(super) fn has_starters(&mut self, count: u32) {
        let scenario = self.scene.scenario;
        for (id, spec) in scenario.specs.pairs().skip(scenario.specs.len() - count as usize) {
            let Some(Op::Spawn(starts)) = spec.program.ops.get(1) else { continue };
            let starter = (self.specs[id].first, VecDeque::new());
            self.starters.of.insert(scenario.specs[*starts].process, starter);
        }
    }

    /// Somebody must start this new thread, which takes time: it is told. Is there anybody?
    pub(super) fn asks_to_be_started(&mut self, thread: ThreadId) -> bool {
        let process = self.scene.threads[thread].process;
        let Some((starter, waiting)) = self.starters.of.get_mut(&process) else { return false };
        self.scene.threads[thread].state = ThreadState::Starting;
        waiting.push_back(thread);
        let starter = *starter;
        if self.scene.tasks[starter].state == State::Blocked(Cause::Timer) {
            self.wake(starter);
        }
        true
    }

    /// Is this task one who starts processes, and has nobody to start now? Then it sleeps until somebody comes.
    pub(super) fn sleeps_as_starter(&mut self, cpu: CpuId, id: TaskId, spec: SpecId) -> bool {
        if !matches!(self.waits_for_starter(id, spec), Some(waiting) if waiting.is_empty()) {
            return false;
        }
        self.scene.tasks[id].cursor.step_back();
        self.blocks(id, Cause::Timer);
        self.task_blocks(cpu, false);
        true
    }

    /// If the task is one who starts processes: it has started the next of them.
    pub(super) fn starts_next(&mut self, cpu: CpuId, id: TaskId, spec: SpecId) -> bool {
        let next = self.waits_for_starter(id, spec).and_then(VecDeque::pop_front);
        next.inspect(|thread| self.make_ready(*thread, Why::Spawned(Slot(cpu.0)))).is_some()
    }

    fn waits_for_starter(&mut self, id: TaskId, spec: SpecId) -> Option<&mut VecDeque<ThreadId>> {
        let process = self.scene.scenario.specs[spec].process;
        self.starters.of.get_mut(&process).filter(|(starter, _)| *starter == id).map(|(_, waiting)| waiting)
    }
}
