//! Devices: requests take channels, or wait for one, or share what there is.

use std::collections::BTreeMap;

use super::agenda::Event;
use super::scene::Scene;
use super::task::State;
use super::world::World;
use crate::device::{Share, State as DeviceState, Turn, Waiting};
use crate::ids::{DeviceId, TaskId};
use crate::policy::Policy;
use crate::time::{Span, Time};
use crate::timeline::{Cause, Recorder, Request};

/// How urgent the task of a request is.
fn urgency(id: TaskId, scene: &Scene<'_>, policy: &dyn Policy) -> i64 {
    let task = &scene.tasks[id];
    policy.urgency(&scene.scenario.specs[task.spec].attributes, scene.deadline_of(task))
}

impl<R: Recorder> World<'_, R> {
    /// The task (already blocked) asks a device: whether it is served now is decided when the instant has settled, unless
    /// there is nothing to decide.
    pub(super) fn request(&mut self, device: DeviceId, request: Waiting, blocking: bool) {
        let id = request.task;
        if self.news_is_late && !blocking {
            self.awaits_news(id, device);
        }
        if self.gives_up {
            self.has_patience(id, device);
        }
        let turn = match &mut self.devices[device] {
            DeviceState::InTurn(turn) => turn,
            DeviceState::Shared(sharing) => {
                sharing.join(id, request.service, self.agenda.next_number(), self.scene.now);
                self.scene.tasks[id].served_since = self.scene.now;
                return self.agenda.end_share(device, sharing.due(self.scene.now));
            }
        };
        self.scene.tasks[id].served_since = Time::NEVER;
        if let Some(turn) = turn.ask(request, self.scene.now, &|id| urgency(id, &self.scene, self.ready.policy())) {
            self.serve(turn, blocking);
        } else if turn.has_choice() || turn.is_too_full() {
            self.undecided.push(device);
        }
    }

    fn serve(&mut self, turn: Turn, blocking: bool) {
        let task = turn.task;
        self.scene.tasks[task].served_since = self.scene.now;
        let end = self.end_of_service(turn, blocking);
        let number = self.agenda.end(Event::Served(task), end);
        if self.gives_up {
            self.is_being_served(task, number, end);
        }
    }

    /// A device has served the task's request: its channel is free, the task wakes.
    pub(super) fn served(&mut self, id: TaskId) {
        let task = &self.scene.tasks[id];
        let State::Blocked(Cause::Device(device)) = task.state else { return };
        // What was shared has been told of already.
        if let DeviceState::InTurn(turn) = &mut self.devices[device] {
            let (asked, start, end) = (task.since, task.served_since, self.scene.now);
            let seek = turn.seek(end.since(start));
            let service = end.since(start).saturating_sub(seek);
            self.recorder.request(Request { device, task: id, asked, start: Some(start), end, seek, service });
            turn.served();
            if turn.has_choice() {
                self.undecided.push(device);
            }
        }
        if self.gives_up {
            self.completes(id);
        }
        if !(self.news_is_late && self.awaits_timer(id)) {
            self.wake(id);
        }
    }

    /// Nothing else happens at this instant: devices with free channels, in the order of the file, choose among all
    /// requests that wait by now. Is anybody turned away?
    pub(super) fn devices_choose(&mut self) -> bool {
        self.undecided.sort_unstable();
        self.undecided.dedup();
        for index in 0..self.undecided.len() {
            let device = self.undecided[index];
            while let DeviceState::InTurn(turn) = &mut self.devices[device]
                && let Some(next) = turn.choose(self.scene.now, &|id| urgency(id, &self.scene, self.ready.policy()))
            {
                // A task that does not block its thread has none by now.
                let blocking = !self.scene.tasks[next.task].thread.is_none();
                self.serve(next, blocking);
            }
        }
        let mut undecided = std::mem::take(&mut self.undecided);
        let any = self.gives_up && self.turn_away(&undecided);
        undecided.clear();
        undecided.append(&mut self.undecided);
        self.undecided = undecided;
        any
    }

    /// Those requests end now that have received what they asked for while they shared a device. They join the events
    /// of this instant, so that all completions come in the order in which they were started.
    pub(super) fn shares_end(&mut self) {
        let now = self.scene.now;
        for device in self.agenda.shares_due(now).into_iter().map(DeviceId) {
            let DeviceState::Shared(sharing) = &mut self.devices[device] else { continue };
            let ended = sharing.leave(now);
            self.agenda.end_share(device, sharing.due(now));
            for Share { rank, task, asked, service, .. } in ended {
                self.agenda.end_at(rank, Event::Served(task), now);
                let (start, seek) = (Some(asked), Span::ZERO);
                self.recorder.request(Request { device, task, asked, start, end: now, seek, service });
            }
        }
    }

    /// What each request that shares a device has received when the run ends.
    pub(super) fn received(&self) -> BTreeMap<TaskId, Span> {
        let sharing = self.devices.iter().filter_map(|device| match device {
            DeviceState::Shared(sharing) => Some(sharing),
            DeviceState::InTurn(_) => None,
        });
        sharing.flat_map(|sharing| sharing.received(self.scene.now)).collect()
    }

    /// The request of a task that is with a device when the run ends; `received` is known of those that share one.
    pub(super) fn open_request(&self, id: TaskId, device: DeviceId, received: &BTreeMap<TaskId, Span>) -> Request {
        let task = &self.scene.tasks[id];
        let start = (!task.served_since.is_never()).then_some(task.served_since);
        let served = start.map_or(Span::ZERO, |start| self.scene.now.since(start));
        let (seek, service) = match &self.devices[device] {
            DeviceState::Shared(_) => (Span::ZERO, received.get(&id).copied().unwrap_or_default()),
            DeviceState::InTurn(_) if start.is_none() => (Span::ZERO, Span::ZERO),
            DeviceState::InTurn(turn) => (turn.seek(served), served.saturating_sub(turn.seek(served))),
        };
        Request { device, task: id, asked: task.since, start, end: self.scene.now, seek, service }
    }
}
