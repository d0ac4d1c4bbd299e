//! What tasks share: devices, locks, and the tasks they spawn.

use super::world::{Event, Holder, Task, World};
use crate::device::Waiting;
use crate::ids::{DeviceId, SpecId, SyncId, TaskId};
use crate::time::{Span, Time};
use crate::timeline::{Cause, Hold, Recorder, Request};

impl<R: Recorder> World<'_, R> {
    /// The task (already blocked) asks a device: served at once if a channel is free, else queued.
    pub(super) fn request(&mut self, id: TaskId, device: DeviceId, service: Span) {
        match &mut self.devices[device].free {
            Some(0) => {
                self.scene.tasks[id].served_since = Time::NEVER;
                self.devices[device].queue.push(Waiting { task: id, service });
            }
            Some(free) => {
                *free -= 1;
                self.serve(id, service);
            }
            None => self.serve(id, service),
        }
    }

    fn serve(&mut self, id: TaskId, service: Span) {
        self.scene.tasks[id].served_since = self.scene.now;
        self.start_timer(service, Event::Served(id));
    }

    /// A device has served the task's request: the next in its queue takes the channel, the task wakes.
    pub(super) fn served(&mut self, id: TaskId) {
        let task = &self.scene.tasks[id];
        let super::world::State::Blocked(Cause::Device(device)) = task.state else { return };
        let (asked, start) = (task.since, Some(task.served_since));
        self.recorder.request(Request { device, task: id, asked, start, end: self.scene.now });
        let state = &mut self.devices[device];
        if let Some(free) = &mut state.free {
            match if self.closing { None } else { state.queue.pop() } {
                Some(next) => self.serve(next.task, next.service),
                None => *free += 1,
            }
        }
        self.wake(id);
    }

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
