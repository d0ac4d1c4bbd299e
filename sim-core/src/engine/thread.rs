//! Threads, as the kernel floor knows them: who carries a task.

use crate::ids::{CpuId, ProcessId, TaskId};
use crate::time::Span;

/// A thread, as the kernel floor knows it.
pub(super) struct Thread {
    /// The task it carries; [`TaskId::NONE`] for a worker without one.
    pub(super) task: TaskId,
    pub(super) process: ProcessId,
    /// Its address space: switching to another costs a process switch.
    pub(super) space: u32,
    /// The processor it ran on last.
    pub(super) last_cpu: CpuId,
    /// Its number among the workers of its executor.
    pub(super) worker: u32,
    /// The last task it ran, to charge the runtime's task switch.
    pub(super) last_task: TaskId,
    pub(super) state: ThreadState,
    /// Must it look when it runs next whether the interpreter lock is free?
    pub(super) asks: bool,
    /// Has it, a worker, taken up a task since it ran?
    pub(super) polls: bool,
    /// What must be paid at its first dispatch.
    pub(super) start_cost: Span,
    /// How long it has run, up to when it was on a processor last.
    pub(super) ran: Span,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum ThreadState {
    /// Waits for a wake-up: blocked with its task, or a worker without work.
    Parked,
    /// Wants to run, as soon as it has been started.
    Starting,
    /// In the policy's queue.
    Ready,
    Running,
    Gone,
}

const _: () = assert!(size_of::<Thread>() <= 48, "a million threads take that much more");

impl Thread {
    pub(super) fn new(process: ProcessId, space: u32, worker: u32, start_cost: Span) -> Thread {
        Thread {
            task: TaskId::NONE,
            process,
            space,
            last_cpu: CpuId::NONE,
            worker,
            last_task: TaskId::NONE,
            state: ThreadState::Parked,
            asks: false,
            polls: false,
            start_cost,
            ran: Span::ZERO,
        }
    }
}
