//! Tasks that tasks start, and wait for.

use super::task::{State, Task};
use super::world::World;
use crate::ids::{SpecId, TaskId};
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
        self.scene.tasks.push(Task::new(self.scene.scenario, spec, instance))
    }

    /// An instance of a task that `parent` spawned has finished.
    pub(super) fn child_finished(&mut self, parent: TaskId, spec: SpecId) {
        let waits = self.scene.tasks[parent].state == State::Blocked(Cause::Join);
        if self.family.loses_child(parent, spec) && waits && self.family.joined_by(parent) == spec {
            self.wake(parent);
        }
    }
}
