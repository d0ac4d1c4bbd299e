//! Tasks that whoever called for them runs itself, since their pool was full: `when-full = "caller-runs"`.
//!
//! Such a task, a guest, is on the thread of its host until it ends. What it waits for, the thread waits for, whatever the runtime
//! of the host: what a pool does is written for threads. The host waits for its guest meanwhile, and goes on behind it on the same
//! thread, without another switch. Its runtime sees nothing but the host, which computes.

use crate::engine::task::State;
use crate::engine::world::World;
use crate::ids::{CpuId, SpecId, TaskId, ThreadId};
use crate::policy::{Exit, Slot, Why};
use crate::timeline::{Cause, Left, Recorder};

impl<R: Recorder> World<'_, R> {
    /// Does the thread on the processor carry a guest?
    #[inline]
    pub(super) fn is_guest_on(&self, cpu: CpuId) -> bool {
        !self.guests.is_empty() && self.guests.host(self.scene.processors[cpu].task).is_some()
    }

    /// The pool of the task is full: whoever has just called for it has it back.
    #[cold]
    pub(super) fn is_given_back(&mut self, id: TaskId) {
        self.guests.comes(id, self.family.parent_of(id));
        self.recorder.guest(id);
    }

    /// The task on the processor runs another, for which it has called in vain.
    #[cold]
    pub(in crate::engine) fn runs_itself(&mut self, cpu: CpuId, id: TaskId, guest: TaskId) {
        if self.gives_up {
            // What it does itself it does not give up.
            self.completes(id);
        }
        let thread = self.scene.processors[cpu].thread();
        self.blocks(id, Cause::Join);
        self.family.awaits_children(id, self.scene.tasks[guest].spec);
        self.scene.tasks[guest].thread = thread;
        self.borrow_anew(guest);
        self.carries_on_with(thread, guest, (cpu, Left::Blocked));
    }

    /// A guest has finished, of a host that can go on as soon as it has its place back.
    #[cold]
    pub(in crate::engine) fn guest_finished(&mut self, host: TaskId, spec: SpecId) {
        self.family.loses_child(host, spec);
        let task = &mut self.scene.tasks[host];
        if let State::Blocked(cause) = std::mem::replace(&mut task.state, State::Able) {
            self.recorder.block(task.wait_until(self.scene.now, host, cause));
        }
    }

    /// The task of the thread, which is on this processor or on none, has finished. Was it a guest? Then its host goes on there.
    #[cold]
    pub(super) fn gives_place_back(&mut self, thread: ThreadId, cpu: Option<CpuId>) -> bool {
        let guest = self.scene.threads[thread].task;
        let Some(host) = self.guests.leaves(guest) else { return false };
        self.scene.tasks[guest].thread = ThreadId::NONE;
        match cpu {
            Some(cpu) => self.carries_on_with(thread, host, (cpu, Left::Finished)),
            None => {
                self.scene.threads[thread].task = host;
                self.wants_to_run(thread, Why::Woken);
            }
        }
        true
    }

    /// The thread on the processor carries the task from now on.
    fn carries_on_with(&mut self, thread: ThreadId, task: TaskId, (cpu, left): (CpuId, Left)) {
        let carrier = &mut self.scene.threads[thread];
        (carrier.task, carrier.polls) = (task, false);
        if self.may_run(thread, cpu) {
            self.switch_task(cpu, left);
        } else {
            self.take_off(cpu, left, Exit::Ready);
            self.make_ready(thread, Why::Yielded(Slot(cpu.0)));
        }
    }
}
