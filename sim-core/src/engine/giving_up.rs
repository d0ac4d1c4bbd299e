//! Operations that are given up, and those from which tasks are turned away.
//!
//! The time of an operation is up last of all in its instant: what is granted or served then is had. Who gives up leaves the queue,
//! at a device the channel too, and is ready to go on elsewhere in its program. One after the other: what the first leaves behind
//! may be just what the next has waited for. A task of an event loop keeps its place until the loop has control. Who is ready
//! already, since it was told to ask again, gives up when it asks in vain.

use super::attempts::Attempt;
use super::task::State;
use super::world::World;
use crate::device::State as DeviceState;
use crate::ids::{CpuId, DeviceId, ProcessId, SpecId, SyncId, TaskId};
use crate::policy::Why;
use crate::scenario::{SyncKind, Terms};
use crate::sync::{leave, leave_condvar, move_up};
use crate::time::{Span, Time};
use crate::timeline::{Cause, Leave, Recorder, Request};

impl<R: Recorder> World<'_, R> {
    // Beginning and ending.

    /// The task on the processor comes to an operation that it may give up.
    #[cold]
    pub(super) fn begins_attempt(&mut self, id: TaskId, terms: Terms) {
        let now = self.scene.now;
        let until = match terms.within {
            Terms::FOR_EVER => Time::NEVER,
            Span::ZERO => now,
            within => self.rings_for(id, now + within),
        };
        let patience = if terms.patience == Terms::FOR_EVER { Time::NEVER } else { now + terms.patience };
        self.attempts.begins(id, now, [until, patience], Some(terms.otherwise));
    }

    /// When a timer of the task rings that it sets for then.
    fn rings_for(&mut self, id: TaskId, at: Time) -> Time {
        let process = self.scene.scenario.specs[self.scene.tasks[id].spec].process;
        self.scene.runtimes[process].timers_mut().map_or(at, |runtime| runtime.ring(at))
    }

    /// The task asks a device that may have patience of its own for it.
    #[cold]
    pub(super) fn has_patience(&mut self, id: TaskId, device: DeviceId) {
        let now = self.scene.now;
        let Some(patience) = self.scene.scenario.devices[device].patience else { return };
        match self.attempts.of(id) {
            None => self.attempts.begins(id, now, [Time::NEVER, now + patience], None),
            Some(attempt) if attempt.patience.is_never() => {
                self.attempts.change(id, |attempt| attempt.patience = now + patience);
            }
            Some(_) => {}
        }
    }

    /// A device has begun with the request of the task, which has this number on the agenda, if it has one.
    #[cold]
    pub(super) fn is_being_served(&mut self, id: TaskId, number: Option<u64>) {
        self.attempts.change(id, |attempt| (attempt.patience, attempt.service) = (Time::NEVER, number));
    }

    /// The task has what it wanted; if that was but the lock with which it goes on, it does so without what it had waited for.
    #[cold]
    pub(super) fn completes(&mut self, id: TaskId) {
        if let Some(attempt) = self.attempts.ends(id).filter(|attempt| attempt.given_up) {
            self.goes_elsewhere(id, &attempt);
        }
    }

    fn goes_elsewhere(&mut self, id: TaskId, attempt: &Attempt) {
        if let Some(op) = attempt.otherwise {
            self.scene.tasks[id].cursor.go_to(op);
        }
    }

    /// Is the time of the task up, so that it does not wait any more?
    pub(super) fn is_over(&self, id: TaskId) -> bool {
        self.gives_up && self.attempts.of(id).is_some_and(|attempt| attempt.until <= self.scene.now)
    }

    /// Will the task give up by itself what it waits for?
    pub(super) fn may_leave(&self, id: TaskId) -> bool {
        self.gives_up && self.attempts.of(id).is_some_and(Attempt::comes_to_an_end)
    }

    /// The task goes without what it asked for, since when it has waited last. `rejected`: it was turned away.
    fn tell_leave(&mut self, id: TaskId, cause: Cause, since: Time, rejected: bool) {
        let attempt = self.attempts.of(id);
        let asked = attempt.map_or(since, |attempt| attempt.began);
        let abandoned = attempt.and_then(|attempt| attempt.callee).unwrap_or(TaskId::NONE);
        let at = self.scene.now;
        self.recorder.leave(Leave { task: id, cause, asked, since, at, rejected, abandoned });
    }

    /// The task, on the processor, has asked in vain and does not wait.
    #[cold]
    pub(super) fn goes_without(&mut self, id: TaskId, cause: Cause) {
        self.tell_leave(id, cause, self.scene.now, false);
        if let Some(attempt) = self.attempts.ends(id) {
            self.goes_elsewhere(id, &attempt);
        }
    }

    // Joins.

    /// Must the task on the processor, which joins those that it spawned, wait for some of them?
    #[cold]
    pub(super) fn may_join(&mut self, id: TaskId, spec: SpecId) -> bool {
        if !self.family.has_children(id, spec) {
            self.completes(id);
            return false;
        }
        let waits = !self.is_over(id);
        if !waits {
            self.disowns(id, spec);
            self.goes_without(id, Cause::Join);
        }
        waits
    }

    /// The task has let a pool do something, which is this task of it.
    #[cold]
    pub(super) fn has_called(&mut self, id: TaskId, callee: TaskId) {
        if self.scene.scenario.specs[self.scene.tasks[callee].spec].caller.is_some() {
            self.attempts.change(id, |attempt| attempt.callee = Some(callee));
        }
    }

    /// The task has started another, or let a pool do something: if nobody took that, it does something else.
    #[cold]
    pub(super) fn may_be_rejected(&mut self, id: TaskId, child: TaskId) {
        let is_call = self.scene.scenario.specs[self.scene.tasks[child].spec].caller.is_some();
        if self.scene.tasks[child].state != State::Finished {
            // What is begun with `spawn` is complete; `on` is not before its end.
            if !is_call {
                self.completes(id);
            }
            return;
        }
        // That it was turned away is told of the other.
        if let Some(attempt) = self.attempts.ends(id) {
            self.goes_elsewhere(id, &attempt);
        }
    }

    /// Nobody waits for what the task let a pool do.
    fn disowns(&mut self, id: TaskId, spec: SpecId) {
        if let Some(callee) = self.attempts.of(id).and_then(|attempt| attempt.callee) {
            self.family.disowns(id, spec, callee);
        }
    }

    // Giving up.

    /// Nothing else happens at this instant: of those whose time is up, the first gives up. Does one?
    #[cold]
    pub(super) fn first_gives_up(&mut self) -> bool {
        while let Some(id) = self.attempts.take_due(self.scene.now) {
            let state = self.scene.tasks[id].state;
            let waits = matches!(state, State::Blocked(Cause::Device(_) | Cause::Sync(_) | Cause::Join));
            let process = self.scene.scenario.specs[self.scene.tasks[id].spec].process;
            if waits && self.is_over(id) && self.waits_for_loop(id, process) {
                self.attempts.is_overdue(id, process);
                if self.wakes_loop(process) {
                    return true;
                }
            } else if self.leaves(id) {
                return true;
            }
        }
        false
    }

    /// Has it no thread, so that its loop must wake it?
    fn waits_for_loop(&self, id: TaskId, process: ProcessId) -> bool {
        self.scene.tasks[id].thread.is_none() && self.scene.runtimes[process].polls_tasks()
    }

    /// One of the workers of a loop wakes, if all that do not run wait for something to happen. Does one?
    fn wakes_loop(&mut self, process: ProcessId) -> bool {
        let parked = self.scene.runtimes[process].workers_mut().and_then(|workers| workers.unparks_first());
        let Some(thread) = parked else { return false };
        self.is_made(thread);
        self.wants_to_run(thread, Why::Woken);
        true
    }

    /// A loop has control: those of its tasks give up whose time is up.
    #[cold]
    pub(super) fn notices_overdue(&mut self, process: ProcessId) {
        let doer = std::mem::replace(&mut self.doer, CpuId::NONE);
        for id in self.attempts.take_overdue(process) {
            if self.is_over(id) {
                self.leaves(id);
            }
        }
        self.doer = doer;
    }

    /// The task leaves what it waits for. Did it wait?
    fn leaves(&mut self, id: TaskId) -> bool {
        match self.scene.tasks[id].state {
            State::Blocked(Cause::Device(device)) => self.leaves_device(id, device, false),
            State::Blocked(Cause::Sync(sync)) | State::Spinning(sync) => return self.leaves_sync(id, sync),
            State::Blocked(Cause::Join) => {
                self.disowns(id, self.family.joined_by(id));
                self.leaves_blocked(id, Cause::Join, false);
            }
            _ => return false,
        }
        true
    }

    /// The task, which is blocked for that reason, is so no more, and goes on without what it waited for.
    fn leaves_blocked(&mut self, id: TaskId, cause: Cause, rejected: bool) {
        self.tell_leave(id, cause, self.scene.tasks[id].since, rejected);
        if let Some(attempt) = self.attempts.ends(id) {
            self.goes_elsewhere(id, &attempt);
        }
        self.wake(id);
    }

    /// The request of the task leaves the queue, or the channel that serves it. `rejected`: it has been turned away.
    fn leaves_device(&mut self, id: TaskId, device: DeviceId, rejected: bool) {
        let (now, task) = (self.scene.now, &self.scene.tasks[id]);
        let (asked, start) = (task.since, Some(task.served_since).filter(|start| !start.is_never()));
        let served = start.map_or(Span::ZERO, |start| now.since(start));
        let number = self.attempts.of(id).and_then(|attempt| attempt.service);
        let (seek, service) = match &mut self.devices[device] {
            DeviceState::Shared(sharing) => {
                let received = sharing.take_back(id, now);
                self.agenda.end_share(device, sharing.due(now));
                (Span::ZERO, received)
            }
            DeviceState::InTurn(turn) => {
                match number {
                    Some(number) => {
                        self.agenda.forget(number);
                        turn.served();
                    }
                    // Who was turned away is in no queue any more.
                    None if !rejected => turn.take_back(id),
                    None => {}
                }
                if turn.has_choice() {
                    self.undecided.push(device);
                }
                let seek = if start.is_some() { turn.seek(served) } else { Span::ZERO };
                (seek, served.saturating_sub(seek))
            }
        };
        self.recorder.request(Request { device, task: id, asked, start, end: now, seek, service });
        let process = self.scene.scenario.specs[self.scene.tasks[id].spec].process;
        if let Some(runtime) = self.scene.runtimes[process].timers_mut() {
            runtime.has_news(id);
        }
        self.leaves_blocked(id, Cause::Device(device), rejected);
    }

    /// These devices have chosen: those who came last are turned away, as far as there is no room for them. Is anybody?
    #[cold]
    pub(super) fn turn_away(&mut self, devices: &[DeviceId]) -> bool {
        let mut any = false;
        for device in devices {
            while let DeviceState::InTurn(turn) = &mut self.devices[*device]
                && let Some(id) = turn.turn_away()
            {
                self.leaves_device(id, *device, true);
                any = true;
            }
        }
        any
    }

    /// The task leaves the queue of a synchronisation object. Was it there, with something to give up?
    fn leaves_sync(&mut self, id: TaskId, sync: SyncId) -> bool {
        if self.attempts.of(id).is_none_or(|attempt| attempt.given_up) {
            return false;
        }
        let (cause, since) = (Cause::Sync(sync), self.scene.tasks[id].since);
        if self.scene.scenario.syncs[sync].kind == SyncKind::Condvar {
            self.tell_leave(id, cause, since, false);
            self.attempts.change(id, |attempt| attempt.given_up = true);
            leave_condvar(self, sync, id);
            return true;
        }
        if !leave(self, sync, id) {
            return false;
        }
        self.takes_back_urgency(sync);
        if let State::Spinning(_) = self.scene.tasks[id].state {
            self.tell_leave(id, cause, since, false);
            if let Some(attempt) = self.attempts.ends(id) {
                self.goes_elsewhere(id, &attempt);
            }
            self.stop_spinning(sync, id, false);
        } else {
            self.leaves_blocked(id, cause, false);
        }
        move_up(self, sync);
        true
    }
}
