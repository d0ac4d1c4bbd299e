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
use crate::sync::give_up;
use crate::time::{Span, Time};
use crate::timeline::{Cause, How, Leave, Recorder};

impl<R: Recorder> World<'_, R> {
    // Beginning and ending.

    /// The task on the processor comes to an operation that it may give up.
    #[cold]
    pub(super) fn begins_attempt(&mut self, id: TaskId, terms: Terms) {
        let now = self.scene.now;
        let until = match terms.within {
            Terms::FOR_EVER => Time::NEVER,
            Span::ZERO => now,
            within => self.sets_timer(id, now + within),
        };
        let patience = if terms.patience == Terms::FOR_EVER { Time::NEVER } else { now + terms.patience };
        self.attempts.begins(id, now, [until, patience], Some(terms.otherwise));
        if self.news_is_late && until > now && self.learns_by_rules(self.process_of(id)) {
            self.attempts.change(id, |attempt| attempt.unknown = true);
        }
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

    /// A device has begun with the request of the task, which ends then, under this number.
    #[cold]
    pub(super) fn is_being_served(&mut self, id: TaskId, number: u64, end: Time) {
        self.attempts.change(id, |attempt| attempt.patience = Time::NEVER);
        self.attempts.awaits_event(id, number, end);
    }

    /// The task has what it wanted; if that was but the lock with which it goes on, it does so without what it had waited for.
    #[cold]
    pub(super) fn completes(&mut self, id: TaskId) {
        if let Some(attempt) = self.ends_attempt(id).filter(|attempt| attempt.given_up) {
            self.goes_elsewhere(id, &attempt);
        }
    }

    /// The task is at its operation no more: at which it was.
    pub(super) fn ends_attempt(&mut self, id: TaskId) -> Option<Attempt> {
        let attempt = self.attempts.ends(id)?;
        if attempt.unknown && !attempt.until.is_never() {
            self.cancels_timer(id, attempt.until);
        }
        Some(attempt)
    }

    fn goes_elsewhere(&mut self, id: TaskId, attempt: &Attempt) {
        if let Some(op) = attempt.otherwise {
            self.scene.tasks[id].cursor.go_to(op);
        }
    }

    /// Is the time of the task up, so that it does not wait any more?
    pub(super) fn is_over(&self, id: TaskId) -> bool {
        self.gives_up && self.attempts.of(id).is_some_and(|attempt| attempt.is_over(self.scene.now))
    }

    /// Will the task give up by itself what it waits for?
    pub(super) fn may_leave(&self, id: TaskId) -> bool {
        self.gives_up && (self.attempts.of(id).is_some_and(Attempt::comes_to_an_end) || self.is_aborted_some_time(id))
    }

    /// The task goes without what it asked for, since when it has waited last.
    pub(super) fn tell_leave(&mut self, id: TaskId, cause: Cause, since: Time, how: How) {
        let again = self.asking.get(&id).map_or(since, |asking| asking.asked.min(since));
        let asked = self.attempts.of(id).map_or(again, |attempt| attempt.began);
        let callee = if cause == Cause::Join { self.callee_of(id) } else { None };
        let (at, callee) = (self.scene.now, callee.unwrap_or(TaskId::NONE));
        self.recorder.leave(Leave { task: id, cause, asked, since, at, how, callee });
    }

    /// The task, on the processor, has asked in vain and does not wait.
    #[cold]
    pub(super) fn goes_without(&mut self, id: TaskId, cause: Cause) {
        self.tell_leave(id, cause, self.scene.now, How::GaveUp);
        if let Some(attempt) = self.ends_attempt(id) {
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
            self.goes_without(id, Cause::Join);
            self.disowns(id);
        }
        waits
    }

    /// The task has let a pool do something, which is this task of it.
    #[cold]
    pub(super) fn has_called(&mut self, id: TaskId, callee: TaskId) {
        if self.scene.scenario.specs[self.scene.tasks[callee].spec].caller.is_some() {
            self.attempts.has_called(id, callee);
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
        if is_call {
            let (at, how) = (self.scene.now, How::TurnedAway);
            let asked = self.attempts.of(id).map_or(at, |attempt| attempt.began);
            self.recorder.leave(Leave { task: id, cause: Cause::Join, asked, since: at, at, how, callee: child });
        }
        if let Some(attempt) = self.ends_attempt(id) {
            self.goes_elsewhere(id, &attempt);
        }
    }

    /// Who does what the task let a pool do, as long as somebody waits for that.
    fn callee_of(&self, id: TaskId) -> Option<TaskId> {
        let callee = self.attempts.callee_of(id)?;
        (self.family.parent_of(callee) == id && self.scene.tasks[callee].state != State::Finished).then_some(callee)
    }

    /// Nobody waits for what the task let a pool do.
    pub(super) fn disowns(&mut self, id: TaskId) {
        if let Some(callee) = self.callee_of(id) {
            self.family.disowns(id, self.scene.tasks[callee].spec, callee);
        }
    }

    // Giving up.

    /// Nothing else happens at this instant: of those whose time is up, the first gives up. Does one?
    #[cold]
    pub(super) fn first_gives_up(&mut self) -> bool {
        while let Some(id) = self.attempts.take_due(self.scene.now) {
            let process = self.process_of(id);
            if self.is_up_to_loop(id, process) {
                let later = self.learns_later(process);
                self.attempts.is_overdue(id, process, later.unwrap_or(self.scene.now));
                if later.is_none() && self.wakes_loop(process) {
                    return true;
                }
            } else if self.leaves(id) {
                return true;
            }
        }
        false
    }

    /// Its time is up. Has it no thread, so that its loop must notice? Some know nothing of it before, neither who is to ask again.
    fn is_up_to_loop(&self, id: TaskId, process: ProcessId) -> bool {
        let task = &self.scene.tasks[id];
        let waits = match task.state {
            State::Blocked(Cause::Device(_) | Cause::Sync(_) | Cause::Join) => true,
            State::Able => self.learns_by_rules(process),
            _ => false,
        };
        let is_over = || self.attempts.of(id).is_some_and(|attempt| attempt.until <= self.scene.now);
        waits && is_over() && task.thread.is_none() && self.scene.runtimes[process].polls_tasks()
    }

    /// One of the workers of a loop wakes, if all that do not run wait for something to happen. Does one?
    fn wakes_loop(&mut self, process: ProcessId) -> bool {
        let parked = self.scene.runtimes[process].workers_mut().and_then(|workers| workers.wakes_for_timer());
        let Some(thread) = parked else { return false };
        self.is_made(thread);
        self.wants_to_run(thread, Why::Woken);
        true
    }

    /// A loop that waits for timers wakes now: perhaps for somebody whose time is up.
    #[cold]
    pub(super) fn wakes_for_overdue(&mut self, process: ProcessId) {
        if self.attempts.wakes(process, self.scene.now) {
            self.wakes_loop(process);
        }
    }

    /// A worker of a loop has control: those of its tasks give up whose time is up, if it is about to look at its timers.
    #[cold]
    pub(super) fn notices_overdue(&mut self, process: ProcessId, worker: u32) {
        if !self.attempts.has_overdue(process) || !self.is_about_to_look(process, worker) {
            return;
        }
        let doer = std::mem::replace(&mut self.doer, CpuId::NONE);
        for id in self.attempts.take_overdue(process) {
            self.attempts.noticed = Some(id);
            self.attempts.change(id, |attempt| attempt.unknown = false);
            self.leaves(id);
        }
        self.attempts.noticed = None;
        self.doer = doer;
    }

    /// Has the task given up because its loop has looked at its timers?
    #[cold]
    pub(super) fn is_noticed(&self, id: TaskId) -> bool {
        self.attempts.noticed == Some(id)
    }

    /// The task leaves what it waits for. Did it wait?
    fn leaves(&mut self, id: TaskId) -> bool {
        match self.scene.tasks[id].state {
            State::Blocked(Cause::Device(device)) => self.leaves_device(id, device, How::GaveUp),
            State::Blocked(Cause::Sync(sync)) | State::Spinning(sync) => return self.leaves_sync(id, sync),
            State::Blocked(Cause::Join) => {
                self.leaves_blocked(id, Cause::Join, How::GaveUp);
                self.disowns(id);
            }
            _ => return false,
        }
        true
    }

    /// The task, which is blocked for that reason, is so no more, and goes on without what it waited for.
    fn leaves_blocked(&mut self, id: TaskId, cause: Cause, how: How) {
        self.tell_leave(id, cause, self.scene.tasks[id].since, how);
        if let Some(attempt) = self.ends_attempt(id) {
            self.goes_elsewhere(id, &attempt);
        }
        self.wake(id);
    }

    /// The task asks the device for nothing any more. Who was turned away is in no queue of it.
    fn leaves_device(&mut self, id: TaskId, device: DeviceId, how: How) {
        self.takes_request_back(id, device, how != How::TurnedAway);
        self.leaves_blocked(id, Cause::Device(device), how);
    }

    /// These devices have chosen: those who came last are turned away, as far as there is no room for them. Is anybody?
    #[cold]
    pub(super) fn turn_away(&mut self, devices: &[DeviceId]) -> bool {
        let mut any = false;
        for device in devices {
            let DeviceState::InTurn(turn) = &mut self.devices[*device] else { continue };
            for id in turn.turn_away() {
                self.leaves_device(id, *device, How::TurnedAway);
                any = true;
            }
        }
        any
    }

    /// The task leaves the queue of a synchronisation object. Was it there, with something to give up?
    fn leaves_sync(&mut self, id: TaskId, sync: SyncId) -> bool {
        self.attempts.of(id).is_some_and(|attempt| !attempt.given_up) && give_up(self, sync, id)
    }

    /// The task has left the queue of a synchronisation object, and goes on without; at a condition variable, with its lock.
    #[cold]
    pub(super) fn has_left_queue(&mut self, id: TaskId, sync: SyncId) {
        let (cause, since) = (Cause::Sync(sync), self.scene.tasks[id].since);
        if self.scene.scenario.syncs[sync].kind == SyncKind::Condvar {
            self.tell_leave(id, cause, since, How::GaveUp);
            return self.attempts.change(id, |attempt| attempt.given_up = true);
        }
        self.takes_back_urgency(sync);
        if let State::Spinning(_) = self.scene.tasks[id].state {
            self.tell_leave(id, cause, since, How::GaveUp);
            if let Some(attempt) = self.ends_attempt(id) {
                self.goes_elsewhere(id, &attempt);
            }
            self.stop_spinning(sync, id, false);
        } else {
            self.leaves_blocked(id, cause, How::GaveUp);
        }
    }
}
