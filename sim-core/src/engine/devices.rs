//! Devices: requests take channels, or wait for one.

use super::world::{Event, State, World};
use crate::device::{Discipline, Waiting};
use crate::ids::{DeviceId, TaskId};
use crate::scenario::Device;
use crate::time::{Span, Time};
use crate::timeline::{Cause, Recorder, Request};

pub(super) struct DeviceState {
    /// Channels that are free; `None` is unlimited.
    free: Option<u32>,
    queue: Box<dyn Discipline>,
}

impl DeviceState {
    pub(super) fn new(device: &Device) -> DeviceState {
        DeviceState { free: device.channels, queue: (device.discipline.build)() }
    }
}

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
        let State::Blocked(Cause::Device(device)) = task.state else { return };
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
}
