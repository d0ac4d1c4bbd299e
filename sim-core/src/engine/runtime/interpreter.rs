//! The interpreter lock: of all threads of a process, only its holder runs. See `executor/threads.rs` for the rules.

use crate::engine::thread::ThreadState;
use crate::engine::world::World;
use crate::ids::{CpuId, ProcessId, TaskId};
use crate::policy::{Exit, Slot, Who, Why};
use crate::time::{Span, Time};
use crate::timeline::{Left, Recorder};

impl<R: Recorder> World<'_, R> {
    pub(super) fn want_interpreter(&mut self, id: TaskId, process: ProcessId, interval: Span, why: Why) {
        if self.scene.runtimes[process].seats[0].task.is_none() {
            (self.scene.runtimes[process].seats[0].task, self.scene.runtimes[process].turn_begins) = (id, true);
            self.make_ready(self.scene.tasks[id].thread, why);
            return;
        }
        self.ask_runtime(process, |queue, view| queue.ready(Who(id.0), why, view));
        self.set_interpreter_deadline(process, interval);
    }

    /// Somebody waits: the holder must give up the lock one interval from now (or from when its switch is over), unless
    /// it must earlier. Of a holder that has not run yet, [`Runtime::end_of_turn`] decides.
    fn set_interpreter_deadline(&mut self, process: ProcessId, interval: Span) {
        let runtime = &mut self.scene.runtimes[process];
        if !runtime.interpreter_deadline.is_never() || runtime.turn_begins {
            return;
        }
        runtime.interpreter_deadline = self.scene.now + interval;
        let holder = &self.scene.threads[self.scene.tasks[runtime.seats[0].task].thread];
        if holder.state == ThreadState::Running {
            let cpu = holder.last_cpu;
            let end = self.scene.processors[cpu].turn_start.max(self.scene.now) + interval;
            runtime.interpreter_deadline = end;
            self.scene.processors.set_end_of_turn(cpu, end);
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
        let turn = self.ask_runtime(process, |queue, view| queue.pick(Slot(0), view));
        let runtime = &mut self.scene.runtimes[process];
        runtime.interpreter_deadline = Time::NEVER;
        let Some(turn) = turn else {
            runtime.seats[0].task = TaskId::NONE;
            return;
        };
        let task = TaskId(turn.who.0);
        (runtime.seats[0].task, runtime.turn_begins) = (task, true);
        self.make_ready(self.scene.tasks[task].thread, Why::Woken);
    }
}
