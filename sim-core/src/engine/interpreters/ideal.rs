//! The ideal interpreter lock: who holds it, until when, and who waits for it. See `executor/interpreter_lock.rs` for the rules.

use std::collections::VecDeque;

use crate::ids::ThreadId;
use crate::time::{Span, Time};

/// A lock that one thread of a process holds at a time.
pub(in crate::engine) struct Ideal {
    /// Those who want it and have it not, in the order in which they began to.
    queue: VecDeque<ThreadId>,
    /// How long the holder may keep it while others wait.
    interval: Span,
    holder: ThreadId,
    /// When the holder must give it up: one interval after somebody began to wait.
    deadline: Time,
    /// Has the holder not been on a processor since it was handed it?
    turn_begins: bool,
    /// When the holder runs first in this turn, or would have, had its thread not been put off in the middle of the switch
    /// to it.
    first_run: Time,
}

impl Ideal {
    /// A free lock with this switch interval.
    pub(in crate::engine) fn new(interval: Span) -> Ideal {
        let (holder, never) = (ThreadId::NONE, Time::NEVER);
        Ideal { queue: VecDeque::new(), interval, holder, deadline: never, turn_begins: false, first_run: never }
    }

    /// Who has it; [`ThreadId::NONE`] if it is free.
    pub(in crate::engine) fn holder(&self) -> ThreadId {
        self.holder
    }

    /// Does anybody want it who has it not?
    pub(in crate::engine) fn is_contended(&self) -> bool {
        !self.queue.is_empty()
    }

    /// The thread, which is not the holder, wants it.
    pub(in crate::engine) fn queues(&mut self, thread: ThreadId) {
        self.queue.push_back(thread);
    }

    /// A thread that wants it is handed it next.
    pub(in crate::engine) fn is_next(&mut self, thread: ThreadId) {
        if let Some(place) = self.queue.iter().position(|other| *other == thread) {
            self.queue.remove(place);
            self.queue.push_front(thread);
        }
    }

    /// A thread waits no more.
    pub(in crate::engine) fn leaves(&mut self, thread: ThreadId) {
        self.queue.retain(|other| *other != thread);
    }

    /// The holder gives it up: whoever has waited longest is handed it. Who is that?
    pub(in crate::engine) fn is_passed(&mut self) -> Option<ThreadId> {
        let next = self.queue.pop_front();
        self.is_handed_to(next);
        next
    }

    /// It is handed to the thread, or nobody wants it. The interval counts anew.
    pub(in crate::engine) fn is_handed_to(&mut self, thread: Option<ThreadId>) {
        (self.holder, self.deadline) = (thread.unwrap_or(ThreadId::NONE), Time::NEVER);
        self.turn_begins |= thread.is_some();
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
    pub(in crate::engine) fn end_of_turn(&mut self, begin: Time) -> Time {
        if std::mem::take(&mut self.turn_begins) {
            self.first_run = begin;
            if self.is_contended() {
                self.deadline = begin + self.interval;
            }
        }
        self.deadline
    }

    /// The holder is put off: was that before it ran?
    pub(in crate::engine) fn is_put_off_early(&mut self, now: Time) {
        self.turn_begins |= self.first_run >= now;
    }
}
