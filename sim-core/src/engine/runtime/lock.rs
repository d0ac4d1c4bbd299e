//! The interpreter lock of a process: who must have it, when it is given up, and what becomes of it then. How it is handed
//! round depends on which it is (`ideal`, `contest`).

use crate::engine::interpreters::Interpreter;
use crate::engine::world::World;
use crate::ids::{CpuId, ThreadId};
use crate::policy::{Exit, Why};
use crate::timeline::{Left, Recorder};

impl<R: Recorder> World<'_, R> {
    /// A thread wants a processor, and the interpreter lock before, if its process has one.
    #[expect(clippy::inline_always, reason = "most have none, and then there is next to nothing to do")]
    #[inline(always)]
    pub(in crate::engine) fn wants_to_run(&mut self, thread: ThreadId, why: Why) {
        if self.scene.interpreters.is_empty() {
            return self.make_ready(thread, why);
        }
        let process = self.scene.threads[thread].process;
        match self.scene.interpreters.of(process) {
            None => self.make_ready(thread, why),
            Some(Interpreter::Ideal(_)) => self.wants_interpreter(thread, why),
            Some(Interpreter::Contest(_)) => self.contends(thread, why),
        }
    }

    /// The thread on the processor leaves it to wait for something, or is done.
    #[inline]
    pub(super) fn leaves_processor(&mut self, cpu: CpuId, left: Left, exit: Exit) {
        let thread = self.scene.processors[cpu].thread();
        self.take_off(cpu, left, exit);
        self.gives_lock_up(thread);
    }

    /// The thread is on no processor and wants none: if it has the interpreter lock of its process, that is for others.
    #[inline]
    pub(in crate::engine) fn gives_lock_up(&mut self, thread: ThreadId) {
        if self.scene.interpreters.is_empty() {
            return;
        }
        let process = self.scene.threads[thread].process;
        match self.scene.interpreters.of(process) {
            Some(lock) if lock.holder() != thread => {}
            None => {}
            Some(Interpreter::Ideal(_)) => self.passes_interpreter(process),
            Some(Interpreter::Contest(_)) => self.frees_lock(process),
        }
    }

    /// The thread on the processor must drop the lock, and wants it again.
    pub(super) fn drops_lock(&mut self, cpu: CpuId) {
        let process = self.scene.threads[self.scene.processors[cpu].thread()].process;
        match self.scene.interpreters.of(process) {
            Some(Interpreter::Ideal(_)) => self.requeues_for_interpreter(cpu, Left::Preempted),
            Some(Interpreter::Contest(_)) => self.gives_way(cpu),
            None => {}
        }
    }

    /// The thread on the processor gives up control and stays ready. If others want the lock, it gives that up, too. Does it?
    pub(super) fn yields_lock(&mut self, cpu: CpuId) -> bool {
        let process = self.scene.threads[self.scene.processors[cpu].thread()].process;
        match self.scene.interpreters.of(process) {
            Some(Interpreter::Ideal(lock)) if lock.is_contended() => self.requeues_for_interpreter(cpu, Left::Yielded),
            Some(Interpreter::Contest(lock)) if lock.is_contended() => self.stays_ready_without_lock(cpu),
            _ => return false,
        }
        true
    }
}
