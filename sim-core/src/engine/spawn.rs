//! Tasks that tasks start.

use super::world::{Task, World};
use crate::ids::{SpecId, TaskId};
use crate::timeline::Recorder;

impl<R: Recorder> World<'_, R> {
    /// Makes a new instance of a task on behalf of `parent`.
    pub(super) fn spawn(&mut self, parent: TaskId, spec: SpecId) -> TaskId {
        let state = &mut self.specs[spec];
        let instance = state.next;
        state.next += 1;
        state.unfinished += 1;
        self.unfinished += 1;
        *self.children.entry((parent, spec)).or_insert(0) += 1;
        self.recorder.task(spec.0, instance);
        self.scene.tasks.push(Task::new(self.scene.scenario, spec, instance, parent))
    }
}
