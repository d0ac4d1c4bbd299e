//! Jobs that end at their deadlines, unfinished (`on-miss = "abort"`).
//!
//! What ends at the deadline of a job has ended in time: its work, its service, its sleep. Then all jobs end whose deadline it is, in
//! the order of the file, before anybody is given a processor: after the bursts of the instant, so that what is released then comes
//! with the other releases; only those who wait for something that comes at this very instant do so after that.

use super::task::State;
use super::thread::ThreadState;
use super::world::World;
use crate::device::State as DeviceState;
use crate::ids::{TaskId, ThreadId};
use crate::time::Time;
use crate::timeline::{Cause, Fate, Left, Recorder};

impl<R: Recorder> World<'_, R> {
    /// The task goes on to another job, or the same comes later: it has this deadline no more, …
    #[cold]
    pub(super) fn has_no_deadline(&mut self, id: TaskId) {
        let deadline = self.scene.deadline_of(&self.scene.tasks[id]);
        if let Some(firm) = &mut self.firm {
            firm.remove(deadline, id);
        }
    }

    /// … and has this one.
    #[cold]
    pub(super) fn has_deadline(&mut self, id: TaskId) {
        let task = &self.scene.tasks[id];
        let deadline = self.scene.deadline_of(task);
        let is_firm = self.scene.scenario.aborts_jobs_of(task.spec);
        if let Some(firm) = self.firm.as_mut().filter(|_| is_firm) {
            firm.insert(deadline, id);
        }
    }

    /// When somebody gives up next, or a job ends.
    #[cold]
    pub(super) fn next_left(&self) -> Time {
        self.attempts.next().min(self.firm.as_ref().map_or(Time::NEVER, |firm| firm.next()))
    }

    /// Will the present job of the task end at its deadline?
    pub(super) fn is_aborted_some_time(&self, id: TaskId) -> bool {
        let is_at_job = !matches!(self.scene.tasks[id].state, State::Absent | State::Blocked(Cause::After));
        is_at_job && self.scene.scenario.aborts_jobs_of(self.scene.tasks[id].spec)
    }

    /// What happens by itself at the instant, and the ends of jobs whose deadline it is.
    #[cold]
    pub(super) fn applies_events_and_deadlines(&mut self, arrivals: bool) {
        self.aborts_late_jobs(false);
        self.apply_events(arrivals);
        if self.aborts_late_jobs(true) {
            self.apply_events(arrivals);
        }
    }

    /// The jobs end whose deadline it is: those who wait for what comes now, if `all` do. Is there one?
    fn aborts_late_jobs(&mut self, all: bool) -> bool {
        let (mut any, mut later) = (false, Vec::new());
        while let Some(id) = self.firm.as_mut().and_then(|firm| firm.take_due(self.scene.now)) {
            let state = self.scene.tasks[id].state;
            if !all && self.has_it_now(id) {
                later.push(id);
            } else if !matches!(state, State::Absent | State::Finished | State::Blocked(Cause::Release | Cause::After))
            {
                self.aborts_job(id);
                any = true;
            }
        }
        let now = self.scene.now;
        if let Some(firm) = &mut self.firm {
            later.into_iter().for_each(|id| firm.insert(now, id));
        }
        if any {
            // Of several processors that are idle now the first comes first, whichever way it became so.
            self.scene.processors.sort_vacated();
        }
        any
    }

    /// Does the task wait for a timer or a service that ends at this instant?
    fn has_it_now(&self, id: TaskId) -> bool {
        let (now, task) = (self.scene.now, &self.scene.tasks[id]);
        let is_due = || self.attempts.event_of(id).is_some_and(|(_, at)| at == now);
        match task.state {
            State::Blocked(Cause::Timer) => is_due(),
            State::Blocked(Cause::Device(device)) => match &self.devices[device] {
                DeviceState::Shared(sharing) => sharing.due(now) == now,
                DeviceState::InTurn(_) => !task.served_since.is_never() && is_due(),
            },
            _ => false,
        }
    }

    /// The present job of the task, which has a thread of its own, ends here, whatever the task is at.
    fn aborts_job(&mut self, id: TaskId) {
        let thread = self.scene.tasks[id].thread;
        let cpu = self.scene.threads[thread].last_cpu;
        let runs = self.scene.threads[thread].state == ThreadState::Running;
        if runs {
            self.settle(cpu);
        }
        self.lets_go(id);
        if runs {
            self.scene.processors[cpu].at_operation = self.scene.now;
            return self.program_ends(cpu, id, Fate::Aborted);
        }
        match self.scene.tasks[id].state {
            State::Blocked(cause) => self.recorder.block(self.scene.tasks[id].wait_until(self.scene.now, id, cause)),
            _ => self.stops(thread, id),
        }
        self.ends_apart(id, Fate::Aborted);
    }

    /// The thread, which is ready, goes on nowhere: neither where its slice has just ended.
    fn leaves_ready_queue(&mut self, thread: ThreadId) {
        let cpu = self.scene.threads[thread].last_cpu;
        if self.scene.processors.get(cpu).is_some_and(|there| there.last == thread && there.lingering.is_some()) {
            self.scene.processors[cpu].lingering = Some(Left::Blocked);
            self.tell_lingering(cpu);
        }
        self.expired.retain(|(_, other)| *other != thread);
        self.ready.withdraw(thread, &mut self.scene);
    }

    /// The thread of the task, which wants a processor, wants none any more.
    fn stops(&mut self, thread: ThreadId, id: TaskId) {
        match self.scene.threads[thread].state {
            ThreadState::Ready => self.leaves_ready_queue(thread),
            ThreadState::Starting => {
                self.attempts.event_of(id).into_iter().for_each(|(number, _)| self.agenda.forget(number));
                self.scene.threads[thread].state = ThreadState::Parked;
            }
            _ => self.waits_for_no_interpreter(thread),
        }
        self.gives_lock_up(thread);
    }
}
