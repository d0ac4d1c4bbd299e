//! What tasks share besides devices: locks, and the tasks they spawn.

use super::world::{Holder, Task, World};
use crate::ids::{SpecId, SyncId, TaskId};
use crate::timeline::{Hold, Recorder};

impl<R: Recorder> World<'_, R> {
    /// Takes the lock if it is free, else queues for it. Does the task hold it now?
    pub(super) fn lock(&mut self, id: TaskId, lock: SyncId) -> bool {
        let state = &mut self.locks[lock];
        if state.holder.is_some() {
            state.waiters.push_back(id);
            return false;
        }
        state.holder = Some(Holder { task: id, asked: self.scene.now, since: self.scene.now });
        true
    }

    /// Gives the lock back; it is handed to the most urgent waiter, the first among equals, who wakes now.
    pub(super) fn unlock(&mut self, id: TaskId, lock: SyncId) {
        let Some(held) = self.locks[lock].holder.take() else { return };
        self.recorder.hold(Hold { sync: lock, task: id, asked: held.asked, start: held.since, end: self.scene.now });
        let Some(next) = self.most_urgent_waiter(lock) else { return };
        let asked = self.scene.tasks[next].since;
        self.locks[lock].holder = Some(Holder { task: next, asked, since: self.scene.now });
        self.wake(next);
    }

    fn most_urgent_waiter(&mut self, lock: SyncId) -> Option<TaskId> {
        let urgency = |task: &TaskId| {
            let task = &self.scene.tasks[*task];
            self.policy.urgency(&self.scene.scenario.specs[task.spec].attributes, self.scene.deadline_of(task))
        };
        let waiters = &self.locks[lock].waiters;
        let best = waiters.iter().map(urgency).max()?;
        let place = waiters.iter().position(|task| urgency(task) == best)?;
        self.locks[lock].waiters.remove(place)
    }

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
