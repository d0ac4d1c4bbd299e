//! The ideal interpreter lock: it is handed round when an interval is over, to who has waited longest. See
//! `executor/interpreter_lock.rs` for the rules.

use crate::engine::interpreters::Interpreter;
use crate::engine::interpreters::ideal::Ideal;
use crate::engine::scene::Scene;
use crate::engine::thread::ThreadState;
use crate::engine::world::World;
use crate::ids::{CpuId, ProcessId, ThreadId};
use crate::policy::{Exit, Why};
use crate::timeline::{Left, Recorder};

impl<R: Recorder> World<'_, R> {
    fn ideal_lock(&mut self, process: ProcessId) -> Option<&mut Ideal> {
        match self.scene.interpreters.of(process) {
            Some(Interpreter::Ideal(lock)) => Some(lock),
            _ => None,
        }
    }

    /// A thread wants to run: when it has the lock.
    pub(super) fn wants_interpreter(&mut self, thread: ThreadId, why: Why) {
        let process = self.scene.threads[thread].process;
        let Some(lock) = self.ideal_lock(process) else { return };
        if lock.holder().is_none() {
            lock.is_handed_to(Some(thread));
            return self.make_ready(thread, why);
        }
        lock.queues(thread);
        self.wants_interpreter_back(process);
    }

    /// A thread, if it waits for the lock, is handed it next.
    pub(in crate::engine) fn comes_next_at_interpreter(&mut self, thread: ThreadId) {
        if let Some(lock) = self.ideal_lock(self.scene.threads[thread].process) {
            lock.is_next(thread);
        }
    }

    /// A thread that waits for the lock does not want to run any more.
    pub(in crate::engine) fn waits_for_no_interpreter(&mut self, thread: ThreadId) {
        if let Some(lock) = self.ideal_lock(self.scene.threads[thread].process) {
            lock.leaves(thread);
        }
    }

    /// Somebody waits: the holder must give up the lock one interval from now, or from when its switch is over, unless it
    /// must earlier. Of a holder that has not run yet, the lock decides when it does.
    fn wants_interpreter_back(&mut self, process: ProcessId) {
        let Scene { now, threads, interpreters, processors, .. } = &mut self.scene;
        let Some(Interpreter::Ideal(lock)) = interpreters.of(process) else { return };
        if !lock.is_kept() {
            return;
        }
        let holder = &threads[lock.holder()];
        if holder.state == ThreadState::Running {
            let begin = processors[holder.last_cpu].turn_start.max(*now);
            processors.set_end_of_turn(holder.last_cpu, lock.is_wanted(begin));
        } else {
            lock.is_wanted(*now);
        }
    }

    /// The holder, on the processor, gives up the lock and queues for it again: its interval is over, or it yields.
    pub(super) fn requeues_for_interpreter(&mut self, cpu: CpuId, left: Left) {
        let id = self.scene.processors[cpu].thread();
        let process = self.scene.threads[id].process;
        self.take_off(cpu, left, Exit::Blocked);
        if let Some(lock) = self.ideal_lock(process) {
            lock.queues(id);
        }
        self.passes_interpreter(process);
    }

    /// The lock is free: whoever has waited longest is handed it.
    pub(super) fn passes_interpreter(&mut self, process: ProcessId) {
        if let Some(thread) = self.ideal_lock(process).and_then(Ideal::is_passed) {
            self.make_ready(thread, Why::Woken);
        }
    }
}
