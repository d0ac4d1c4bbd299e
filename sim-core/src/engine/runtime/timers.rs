//! Timers of runtimes: when they ring, what they tell tasks of devices, and when a runtime looks who has been woken. See
//! `executor/timers.rs` for the rules.

use crate::device::Turn;
use crate::engine::agenda::Event;
use crate::engine::runtimes::switching::Switching;
use crate::engine::task::State;
use crate::engine::world::World;
use crate::executor::TimedDevices;
use crate::ids::{DeviceId, ProcessId, TaskId};
use crate::policy::{Slot, Who};
use crate::time::{Span, Time};
use crate::timeline::{Cause, Recorder};

impl<R: Recorder> World<'_, R> {
    /// The process of a task.
    pub(in crate::engine) fn process_of(&self, id: TaskId) -> ProcessId {
        self.scene.scenario.specs[self.scene.tasks[id].spec].process
    }

    /// The task, on a processor, goes to sleep for so long.
    pub(in crate::engine) fn sleep(&mut self, id: TaskId, length: Span) {
        let process = self.process_of(id);
        let mut end = self.scene.now + length;
        if let Some(runtime) = self.scene.runtimes[process].timers_mut() {
            end = runtime.ring(end);
            if self.news_is_late {
                self.timer_is_set(process, id, end, true);
            }
        }
        self.blocks(id, Cause::Timer);
        let number = self.agenda.end(Event::Timer(id), end);
        if self.gives_up {
            self.attempts.awaits_event(id, number, end);
        }
    }

    /// The task, of that process, has set a timer, `just_now` or when it asked for what ends then.
    fn timer_is_set(&mut self, process: ProcessId, id: TaskId, ring: Time, just_now: bool) {
        self.ask_runtime(process, |queue, view| queue.timer_is_set(Who(id.0), ring, just_now, view));
    }

    // Timers that end an operation if that has not ended before.

    /// The task sets such a timer. When does it ring?
    #[cold]
    pub(in crate::engine) fn sets_timer(&mut self, id: TaskId, end: Time) -> Time {
        let process = self.process_of(id);
        let Some(runtime) = self.scene.runtimes[process].timers_mut() else { return end };
        let ring = runtime.ring(end);
        if self.news_is_late {
            self.timer_is_set(process, id, ring, true);
        }
        ring
    }

    /// The task needs its timer no more.
    #[cold]
    pub(in crate::engine) fn cancels_timer(&mut self, id: TaskId, ring: Time) {
        let process = self.process_of(id);
        if self.scene.runtimes[process].timers_mut().is_some() {
            self.ask_runtime(process, |queue, _| queue.timer_is_cancelled(Who(id.0), ring));
        }
    }

    /// Such a timer rings. When does the runtime learn of it, if that is later?
    #[cold]
    pub(in crate::engine) fn learns_later(&mut self, process: ProcessId) -> Option<Time> {
        let now = self.scene.now;
        let at = self.ask_runtime(process, |queue, _| queue.learns(now)).flatten()?;
        self.agenda.end(Event::Look(process), at);
        Some(at)
    }

    /// Does the runtime learn of its timers by rules of their own?
    pub(in crate::engine) fn learns_by_rules(&self, process: ProcessId) -> bool {
        self.news_is_late && self.scene.scenario.processes[process].executor.keeps_timers()
    }

    /// Will the worker look at the timers before it takes a task? Runtimes whose timers have no rules of their own always do.
    #[cold]
    pub(in crate::engine) fn is_about_to_look(&mut self, process: ProcessId, worker: u32) -> bool {
        !self.learns_by_rules(process)
            || self.ask_runtime(process, |queue, _| queue.is_about_to_look(Slot(worker))) != Some(false)
    }

    // Devices, and news of them.

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
                self.timer_is_set(process, task, ring, just_now);
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
            self.recorder.block(task.wait_until(now, id, cause));
        }
        self.blocks(id, Cause::Timer);
        self.agenda.end_at(number, Event::Timer(id), ring);
        if self.gives_up {
            self.attempts.awaits_event(id, number, ring);
        }
        true
    }

    /// The timer of a task rings, which wakes the task if its runtime notices.
    pub(in crate::engine) fn rings(&mut self, id: TaskId) {
        let (process, now) = (self.process_of(id), self.scene.now);
        let task = &self.scene.tasks[id];
        let has_more = !task.cursor.is_done(&self.scene.scenario.specs[task.spec].program);
        let runtime = &mut self.scene.runtimes[process];
        let may_miss = has_more || runtime.ends_in_turn();
        if !(may_miss && runtime.timers_mut().is_some_and(|runtime| runtime.may_miss_timers())) {
            return self.wake(id);
        }
        if let Some(host) = self.joints.host(id) {
            if !self.misses_in_place(host, id, process) {
                self.wake(id);
            }
            return;
        }
        match self.ask_runtime(process, |queue, _| queue.misses(Who(id.0), now)).flatten() {
            None => self.wake(id),
            Some(at) => {
                self.take_burst(id);
                if let Some(runtime) = self.scene.runtimes[process].timers_mut() {
                    runtime.misses(id);
                }
                self.agenda.end(Event::Look(process), at);
            }
        }
    }

    /// The task has arrived in the queue of its runtime, which may notice only later: then it waits for a timer until then.
    pub(super) fn arrives_by_timer(&mut self, id: TaskId, process: ProcessId) {
        let now = self.scene.now;
        let Some(at) = self.ask_runtime(process, |queue, _| queue.misses_arrival(now)).flatten() else { return };
        self.blocks(id, Cause::Timer);
        if let Some(runtime) = self.scene.runtimes[process].timers_mut() {
            runtime.misses(id);
        }
        self.agenda.end(Event::Look(process), at);
    }

    /// A worker that waits for timers wakes, if it still does.
    pub(in crate::engine) fn looks(&mut self, process: ProcessId) {
        let now = self.scene.now;
        self.ask_runtime(process, |queue, _| queue.notices(now));
        self.has_noticed(process);
        self.rouse(process, false);
        if self.gives_up {
            self.wakes_for_overdue(process);
        }
    }

    /// The runtime may have looked which timers have rung: if it has, those who waited for them wait no more.
    pub(super) fn has_noticed(&mut self, process: ProcessId) {
        let has_missed = self.scene.runtimes[process].timers_mut().is_some_and(|runtime| runtime.has_missed());
        if !has_missed || self.ask_runtime(process, |queue, _| queue.has_missed()) == Some(true) {
            return;
        }
        let missed = self.scene.runtimes[process].timers_mut().map(Switching::take_missed).unwrap_or_default();
        for id in missed {
            let task = &mut self.scene.tasks[id];
            if let State::Blocked(cause) = std::mem::replace(&mut task.state, State::Able) {
                self.recorder.block(task.wait_until(self.scene.now, id, cause));
            }
        }
    }
}
