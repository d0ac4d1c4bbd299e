//! Timers of runtimes: when they ring, what they tell tasks of devices, and when a runtime looks who has been woken. See
//! `executor/timers.rs` for the rules.

use crate::device::Turn;
use crate::engine::agenda::Event;
use crate::engine::task::State;
use crate::engine::world::World;
use crate::executor::TimedDevices;
use crate::ids::{DeviceId, ProcessId, TaskId};
use crate::time::{Span, Time};
use crate::timeline::{Cause, Recorder};

impl<R: Recorder> World<'_, R> {
    /// The process of a task.
    fn process_of(&self, id: TaskId) -> ProcessId {
        self.scene.scenario.specs[self.scene.tasks[id].spec].process
    }

    /// The task, on a processor, goes to sleep for so long.
    pub(in crate::engine) fn sleep(&mut self, id: TaskId, length: Span) {
        let process = self.process_of(id);
        let mut end = self.scene.now + length;
        if let Some(runtime) = self.scene.runtimes[process].timers_mut() {
            end = runtime.ring(end);
            self.timer_is_set(process, end, true);
        }
        self.blocks(id, Cause::Timer);
        self.agenda.end(Event::Timer(id), end);
    }

    /// A task of the process has set a timer, `just_now` or when it asked for what ends then.
    fn timer_is_set(&mut self, process: ProcessId, ring: Time, just_now: bool) {
        let now = just_now.then_some(self.scene.now);
        self.ask_runtime(process, |queue, _| queue.timer_is_set(ring, now));
    }

    /// The task asks a device through its runtime: if it is to learn by a timer that it was served, that one is set now.
    pub(in crate::engine) fn awaits_news(&mut self, id: TaskId, device: DeviceId) {
        let process = self.process_of(id);
        let in_time = self.scene.scenario.devices[device].is_foreseen();
        let Some(runtime) = self.scene.runtimes[process].timers_mut() else { return };
        if in_time && runtime.timed_devices() == TimedDevices::News {
            runtime.awaits_news(id, self.agenda.next_number());
        }
    }

    /// A channel takes the request. When is it served? Who blocks its whole thread for it does not go through the runtime.
    pub(in crate::engine) fn end_of_service(&mut self, Turn { task, length }: Turn, blocking: bool) -> Time {
        let (process, end) = (self.process_of(task), self.scene.now + length);
        let Some(runtime) = self.scene.runtimes[process].timers_mut().filter(|_| !blocking) else { return end };
        match runtime.timed_devices() {
            TimedDevices::Rounded => return runtime.ring(end),
            TimedDevices::News if runtime.has_set(task) => {
                let (ring, just_now) = (runtime.ring(end), self.scene.tasks[task].since == self.scene.now);
                self.timer_is_set(process, ring, just_now);
            }
            TimedDevices::News | TimedDevices::Exact => {}
        }
        end
    }

    /// The request of the task is served. Does it learn so only by a timer, for which it waits from now on?
    pub(in crate::engine) fn awaits_timer(&mut self, id: TaskId) -> bool {
        let (process, now) = (self.process_of(id), self.scene.now);
        let Some(runtime) = self.scene.runtimes[process].timers_mut() else { return false };
        let Some(number) = runtime.has_news(id) else { return false };
        let ring = runtime.ring(now);
        let task = &mut self.scene.tasks[id];
        if let State::Blocked(cause) = task.state {
            self.recorder.block(crate::timeline::Block { start: task.since, end: now, task: id, cause });
        }
        self.blocks(id, Cause::Timer);
        self.agenda.end_at(number, Event::Timer(id), ring);
        true
    }

    /// Somebody was woken: will the runtime see so only later?
    pub(super) fn plans_look(&mut self, process: ProcessId) {
        if let Some(at) = self.ask_runtime(process, |queue, _| queue.looks_at()).flatten() {
            self.agenda.end(Event::Look(process), at);
        }
    }

    /// A worker that waits for timers wakes, if it still does.
    pub(in crate::engine) fn looks(&mut self, process: ProcessId) {
        self.ask_runtime(process, |queue, _| queue.looks());
        self.rouse(process, false);
    }
}
