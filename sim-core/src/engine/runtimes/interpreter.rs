//! The interpreter lock: who holds it, until when, and who waits for it. See `executor/interpreter_lock.rs` for the rules.

use super::Carriers;
use crate::executor::RunQueue;
use crate::ids::TaskId;
use crate::time::{Span, Time};

/// A lock that one thread of a process holds at a time.
pub(in crate::engine) struct Interpreter {
    /// Tasks that are ready and have not the lock.
    queue: Box<dyn RunQueue>,
    /// How long the holder may keep it while others wait.
    interval: Span,
    holder: TaskId,
    /// When the holder must give it up: one interval after somebody began to wait.
    deadline: Time,
    /// Has the holder not been on a processor since it was handed it?
    turn_begins: bool,
    /// When the holder runs first in this turn, or would have, had its thread not been put off in the middle of the switch
    /// to it.
    first_run: Time,
}

impl Interpreter {
    pub(super) fn new(queue: Box<dyn RunQueue>, interval: Span) -> Interpreter {
        let (holder, never) = (TaskId::NONE, Time::NEVER);
        Interpreter { queue, interval, holder, deadline: never, turn_begins: false, first_run: never }
    }

    /// Who has it; [`TaskId::NONE`] if it is free.
    pub(in crate::engine) fn holder(&self) -> TaskId {
        self.holder
    }

    pub(in crate::engine) fn waiting(&self) -> usize {
        self.queue.waiting()
    }

    pub(super) fn queue(&mut self) -> (&mut dyn RunQueue, Carriers<'_>) {
        (&mut *self.queue, Carriers::Lock(self.holder))
    }

    /// It is handed to the task, or nobody wants it. The interval counts anew.
    pub(in crate::engine) fn is_handed_to(&mut self, task: Option<TaskId>) {
        (self.holder, self.deadline) = (task.unwrap_or(TaskId::NONE), Time::NEVER);
        self.turn_begins |= task.is_some();
    }

    /// Does the holder keep it until it gives it up by itself: has it begun to run, and nobody waits yet?
    pub(in crate::engine) fn is_kept(&self) -> bool {
        self.deadline.is_never() && !self.turn_begins
    }

    /// Somebody waits: the holder, which keeps it so far, must give it up one interval after `begin`. When is that?
    pub(in crate::engine) fn is_wanted(&mut self, begin: Time) -> Time {
        self.deadline = begin + self.interval;
        self.deadline
    }

    /// The holder is to run from `begin`. When must it give it up?
    pub(super) fn end_of_turn(&mut self, begin: Time) -> Time {
        if std::mem::take(&mut self.turn_begins) {
            self.first_run = begin;
            if self.waiting() > 0 {
                self.deadline = begin + self.interval;
            }
        }
        self.deadline
    }

    /// The holder is put off: was that before it ran?
    pub(super) fn is_put_off_early(&mut self, now: Time) {
        self.turn_begins |= self.first_run >= now;
    }
}
