//! Tasks that tasks start, and wait for.

use super::scene::Scene;
use super::starters::{Starters, Starting, Waiting, is_submitted};
use super::task::{State, Task};
use super::thread::{Thread, ThreadState};
use super::world::World;
use crate::ids::{CpuId, ProcessId, SpecId, TaskId, ThreadId};
use crate::policy::{Slot, Why};
use crate::program::program_stream;
use crate::scenario::{Op, Spec};
use crate::timeline::{Cause, Recorder};

impl<R: Recorder> World<'_, R> {
    /// The task on the processor spawns an instance of that task, or starts the next process if that is what it is there for. Must
    /// it wait for that?
    #[inline(never)]
    pub(super) fn spawns(&mut self, cpu: CpuId, id: TaskId, spec: SpecId) -> bool {
        let Spec { process, .. } = self.scene.scenario.specs[spec];
        if self.scene.scenario.specs[spec].is_branch() {
            self.spawns_branch(cpu, id, spec);
            return false;
        }
        self.has_started_one(cpu);
        if self.starters.of(process).is_some_and(|starter| starter.task == id) {
            return self.starts_next(cpu, id, process);
        }
        let child = self.spawn(id, spec);
        self.makes_no_thread_yet(cpu);
        self.arrive(child, self.spawned_by(cpu, spec));
        if self.guests.host(child).is_some() {
            self.runs_itself(cpu, id, child);
            return true;
        }
        if self.gives_up {
            self.may_be_rejected(id, child);
        }
        self.waits_for_new_thread(cpu, id, child)
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
        if self.scene.scenario.specs[spec].shares_stream() {
            self.lends_stream(parent, child);
        }
        if self.gives_up {
            self.has_called(parent, child);
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
        let may_leave = scenario.may_be_left(tasks[child].spec);
        let task = &mut tasks[parent];
        let (spec, instance) = (task.spec, task.instance);
        let name = || program_stream(scenario, spec, instance);
        let stream = task.cursor.lends_stream(program(task), may_leave, name);
        let task = &mut tasks[child];
        task.cursor.has_stream(program(task), stream);
    }

    /// It has done so, and the task has its stream back.
    pub(super) fn returns_stream(&mut self, parent: TaskId, child: TaskId) {
        let Scene { scenario, tasks, .. } = &mut self.scene;
        if let Some(stream) = tasks[child].cursor.returns_stream()
            && !scenario.may_be_left(tasks[child].spec)
        {
            let task = &mut tasks[parent];
            task.cursor.has_stream(&scenario.specs[task.spec].program, stream);
        }
    }

    /// An instance of a task that `parent` spawned has finished.
    pub(super) fn child_finished(&mut self, parent: TaskId, spec: SpecId) {
        let waits = self.scene.tasks[parent].state == State::Blocked(Cause::Join);
        let is_last = self.family.loses_child(parent, spec);
        let awaited = match self.scene.scenario.specs[spec].is_branch() {
            true => !self.joints.has_branches(parent),
            false => is_last && self.family.joined_by(parent) == spec,
        };
        if waits && awaited {
            if self.gives_up {
                self.completes(parent);
            }
            self.wake(parent);
        }
    }

    /// The last so many tasks are there to start processes. Who is told of it looks up there whom they start.
    pub(super) fn has_starters(&mut self, count: u32, starting: &Starting) {
        let scenario = self.scene.scenario;
        self.starters = Starters::telling(starting.clone());
        // A run is over with its last task, whatever those are still busy with.
        self.unfinished -= u64::from(count);
        for (id, spec) in scenario.specs.pairs().skip(scenario.specs.len() - count as usize) {
            let starts =
                spec.program.ops.iter().find_map(|op| if let Op::Spawn(starts) = op { Some(*starts) } else { None });
            if let (Some(Op::Repeat { count: Some(count), .. }), Some(starts)) = (spec.program.ops.first(), starts) {
                self.starters.add(scenario.specs[starts].process, self.specs[id].first, *count);
            }
        }
    }

    /// Somebody must start this new thread, which takes time: it is told. Is there anybody?
    pub(super) fn asks_to_be_started(&mut self, thread: ThreadId) -> bool {
        let Thread { process, task: child, .. } = self.scene.threads[thread];
        // Workers of a pool are there before there is anything to submit.
        let starts = self.scene.scenario.processes[process].start_method().is_some();
        let is_told = starts && self.tells_starter(process, (thread, child));
        if is_told {
            self.scene.threads[thread].state = ThreadState::Starting;
        }
        is_told
    }

    /// Somebody must give this task to its pool, which takes time: it is told. Is there anybody?
    pub(super) fn asks_to_be_submitted(&mut self, task: TaskId, process: ProcessId) -> bool {
        if self.starters.len() == 0 {
            return false;
        }
        let Task { spec, instance, .. } = self.scene.tasks[task];
        is_submitted(&self.scene.scenario.specs[spec], instance) && self.tells_starter(process, (ThreadId::NONE, task))
    }

    /// Tells whoever starts the processes of this one, or submits its tasks, that there is another. Is there anybody?
    fn tells_starter(&mut self, process: ProcessId, (thread, child): (ThreadId, TaskId)) -> bool {
        if self.starters.of(process).is_none() {
            return false;
        }
        let standing = self.standing(child);
        let urgency = self.urgency_of(&standing);
        let Some(starter) = self.starters.asked(process, Waiting { thread, task: child, standing, urgency }) else {
            return false;
        };
        self.is_as_urgent_as_those_waiting(process);
        match self.scene.tasks[starter].state {
            State::Absent => self.arrive(starter, Why::Arrived),
            State::Blocked(_) => self.wake(starter),
            _ => {}
        }
        true
    }

    /// Who starts the processes of this one is as urgent as the most urgent of those that wait for that.
    fn is_as_urgent_as_those_waiting(&mut self, process: ProcessId) {
        if self.ready.traits().by_urgency
            && let Some(starter) = self.starters.of(process)
        {
            let (task, most) = (starter.task, starter.most_urgent());
            self.borrow_from(task, most);
        }
    }

    /// Starts the next process, or submits the next task, that waits for that. Does the task that does it sleep then, since nobody
    /// else waits?
    fn starts_next(&mut self, cpu: CpuId, id: TaskId, process: ProcessId) -> bool {
        if let Some(Waiting { thread, task, .. }) = self.starters.has_started_one(process) {
            self.is_as_urgent_as_those_waiting(process);
            if thread.is_none() {
                self.reaches_pool(task);
            } else {
                self.make_ready(thread, Why::Spawned(Slot(cpu.0)));
            }
        }
        let sleeps = self.starters.of(process).is_some_and(|starter| starter.has_to_wait());
        if sleeps {
            self.blocks(id, Cause::Timer);
            self.task_blocks(cpu, false);
        }
        sleeps
    }
}
