//! Tasks that tasks start, and wait for.

use super::scene::Scene;
use super::task::{State, Task};
use super::thread::ThreadState;
use super::world::World;
use crate::ids::{CpuId, SpecId, TaskId, ThreadId};
use crate::policy::{Slot, Why};
use crate::program::program_stream;
use crate::scenario::Op;
use crate::timeline::{Cause, Recorder};

impl<R: Recorder> World<'_, R> {
    /// The task on the processor spawns an instance of that task, or starts the next process if that is what it is there for. Must
    /// it wait for that?
    #[inline(never)]
    pub(super) fn spawns(&mut self, cpu: CpuId, id: TaskId, spec: SpecId) -> bool {
        let process = self.scene.scenario.specs[spec].process;
        if self.starters.of(process).is_some_and(|starter| starter.task == id) {
            return self.starts_next(cpu, id, spec);
        }
        let child = self.spawn(id, spec);
        self.arrive(child, self.spawned_by(cpu, spec));
        false
    }

    /// Where a new instance comes from, as the floor that will queue it sees it: from a worker of the same process, or
    /// from a processor.
    fn spawned_by(&self, cpu: CpuId, spec: SpecId) -> Why {
        let thread = &self.scene.threads[self.scene.processors[cpu].thread()];
        let process = self.scene.scenario.specs[spec].process;
        if self.scene.runtimes[process].is_per_task() {
            Why::Spawned(Slot(cpu.0))
        } else if thread.process == process {
            Why::Spawned(Slot(thread.worker))
        } else {
            Why::Arrived
        }
    }

    /// Makes a new instance of a task on behalf of `parent`.
    pub(super) fn spawn(&mut self, parent: TaskId, spec: SpecId) -> TaskId {
        let state = &mut self.specs[spec];
        let instance = state.next;
        state.next += 1;
        state.unfinished += 1;
        self.unfinished += 1;
        self.family.is_born(parent, spec);
        self.recorder.task(spec.0, instance);
        let child = self.scene.tasks.push(Task::new(self.scene.scenario, spec, instance));
        if self.scene.scenario.specs[spec].caller.is_some() {
            self.lends_stream(parent, child);
        }
        child
    }

    /// What a task lets a pool do draws from the task's own stream: whatever it does there, it does the same.
    fn lends_stream(&mut self, parent: TaskId, child: TaskId) {
        let Scene { scenario, tasks, .. } = &mut self.scene;
        let program = |task: &Task| &scenario.specs[task.spec].program;
        if !program(&tasks[child]).draws() {
            return;
        }
        let task = &mut tasks[parent];
        let (spec, instance) = (task.spec, task.instance);
        let stream = task.cursor.lends_stream(program(task), || program_stream(scenario, spec, instance));
        let task = &mut tasks[child];
        task.cursor.has_stream(program(task), stream);
    }

    /// It has done so, and the task has its stream back.
    pub(super) fn returns_stream(&mut self, parent: TaskId, child: TaskId) {
        let Scene { scenario, tasks, .. } = &mut self.scene;
        if let Some(stream) = tasks[child].cursor.returns_stream() {
            let task = &mut tasks[parent];
            task.cursor.has_stream(&scenario.specs[task.spec].program, stream);
        }
    }

    /// An instance of a task that `parent` spawned has finished.
    pub(super) fn child_finished(&mut self, parent: TaskId, spec: SpecId) {
        let waits = self.scene.tasks[parent].state == State::Blocked(Cause::Join);
        if self.family.loses_child(parent, spec) && waits && self.family.joined_by(parent) == spec {
            self.wake(parent);
        }
    }

    /// The last so many tasks are there to start processes.
    pub(super) fn has_starters(&mut self, count: u32) {
        let scenario = self.scene.scenario;
        for (id, spec) in scenario.specs.pairs().skip(scenario.specs.len() - count as usize) {
            if let [Op::Repeat { count: Some(count), .. }, Op::Spawn(starts), ..] = spec.program.ops[..] {
                self.starters.add(scenario.specs[starts].process, self.specs[id].first, count);
            }
        }
    }

    /// Somebody must start this new thread, which takes time: it is told. Is there anybody?
    pub(super) fn asks_to_be_started(&mut self, thread: ThreadId) -> bool {
        let Some(starter) = self.starters.of(self.scene.threads[thread].process) else { return false };
        starter.waiting.push_back(thread);
        let task = starter.task;
        self.scene.threads[thread].state = ThreadState::Starting;
        match self.scene.tasks[task].state {
            State::Absent => self.arrive(task, Why::Arrived),
            State::Blocked(_) => self.wake(task),
            _ => {}
        }
        true
    }

    /// Starts the next process that waits for that. Does the task that does it sleep then, since nobody else waits?
    fn starts_next(&mut self, cpu: CpuId, id: TaskId, spec: SpecId) -> bool {
        let Some(starter) = self.starters.of(self.scene.scenario.specs[spec].process) else { return false };
        let (next, sleeps) = (starter.waiting.pop_front(), starter.waiting.is_empty() && starter.left > 1);
        starter.left -= 1;
        if let Some(thread) = next {
            self.make_ready(thread, Why::Spawned(Slot(cpu.0)));
        }
        if sleeps {
            self.blocks(id, Cause::Timer);
            self.task_blocks(cpu, false);
        }
        sleeps
    }
}
