//! Tasks that tasks start, and wait for.

use super::scene::Scene;
use super::task::{State, Task};
use super::world::World;
use crate::ids::{SpecId, TaskId};
use crate::program::program_stream;
use crate::timeline::{Cause, Recorder};

impl<R: Recorder> World<'_, R> {
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
}
