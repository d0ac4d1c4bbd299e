//! The interpreter lock: of all threads of a process, only its holder runs. See `executor/interpreter_lock.rs` for the rules.

use crate::engine::runtimes::Runtime;
use crate::engine::scene::Scene;
use crate::engine::thread::ThreadState;
use crate::engine::world::World;
use crate::ids::{CpuId, ProcessId, TaskId};
use crate::policy::{Exit, Slot, Who, Why};
use crate::timeline::{Left, Recorder};

impl<R: Recorder> World<'_, R> {
    pub(super) fn want_interpreter(&mut self, id: TaskId, process: ProcessId, why: Why) {
        if let Runtime::Interpreter(lock) = &mut self.scene.runtimes[process]
            && lock.holder().is_none()
        {
            lock.is_handed_to(Some(id));
            self.make_ready(self.scene.tasks[id].thread, why);
            return;
        }
        self.ask_runtime(process, |queue, view| queue.ready(Who(id.0), why, view));
        self.wants_interpreter_back(process);
    }

    /// Somebody waits: the holder must give up the lock one interval from now, or from when its switch is over, unless it
    /// must earlier. Of a holder that has not run yet, the lock decides when it does.
    fn wants_interpreter_back(&mut self, process: ProcessId) {
        let Scene { now, tasks, threads, runtimes, processors, .. } = &mut self.scene;
        let Runtime::Interpreter(lock) = &mut runtimes[process] else { return };
        if !lock.is_kept() {
            return;
        }
        let holder = &threads[tasks[lock.holder()].thread];
        if holder.state == ThreadState::Running {
            let begin = processors[holder.last_cpu].turn_start.max(*now);
            processors.set_end_of_turn(holder.last_cpu, lock.is_wanted(begin));
        } else {
            lock.is_wanted(*now);
        }
    }

    /// The holder, on the processor, gives up the lock and queues for it again: its interval is over, or it yields.
    pub(super) fn drop_interpreter(&mut self, cpu: CpuId, left: Left) {
        let thread = self.scene.processors[cpu].thread();
        let (process, task) = (self.scene.threads[thread].process, self.scene.threads[thread].task);
        self.take_off(cpu, left, Exit::Blocked);
        self.ask_runtime(process, |queue, view| queue.ready(Who(task.0), Why::Expired(Slot(0)), view));
        self.pass_interpreter(process);
    }

    /// The lock is free: whoever has waited longest is handed it.
    pub(super) fn pass_interpreter(&mut self, process: ProcessId) {
        let turn = self.ask_runtime(process, |queue, view| queue.pick(Slot(0), view)).flatten();
        let next = turn.map(|turn| TaskId(turn.who.0));
        if let Runtime::Interpreter(lock) = &mut self.scene.runtimes[process] {
            lock.is_handed_to(next);
        }
        if let Some(task) = next {
            self.make_ready(self.scene.tasks[task].thread, Why::Woken);
        }
    }
}
