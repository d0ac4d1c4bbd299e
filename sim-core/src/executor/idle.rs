//! Which idle workers of a pool are woken, and when: `wakes`. As Python's `ThreadPoolExecutor` does it, whose workers wait for
//! tasks at a `SimpleQueue`.
//!
//! Rules, all of them first come, first served:
//!
//! - `"each"`: a task that becomes ready wakes an idle worker, the one with the lowest number. Which worker takes which task
//!   is open until one looks.
//! - `"in-turn"`: idle workers stand in line behind one lock. A task that comes opens it for the first of them, unless somebody is
//!   on the way who has not looked yet. Who was let in and has found a task lets the next one in, whether there is more to
//!   do or not; who finds nothing goes to the end of the line. So of several tasks that come together the second wakes a
//!   worker only when the first has begun, and where a worker needs the interpreter lock to look, every task that begins
//!   makes one of the idle workers ask for it.
//! - `"handed"`: a task that comes is handed to the worker that has been idle longest, and is that one's whoever could begin sooner.
//!
//! Source: `Modules/_queuemodule.c` of CPython (`_queue_SimpleQueue_get_impl`, `_queue_SimpleQueue_put_impl`): one lock that a `put`
//! releases up to 3.12, `_PyParkingLot_Unpark` with `maybe_handoff_item` from 3.13 on; traced on 3.11.7, 3.12.1 and
//! 3.13.0 (Linux 6.18). Cost: constant per operation.

use std::collections::VecDeque;

use super::{Queue, RunQueue, Setup};
use crate::policy::{Policy, Slot, Turn, View, Who, Why, fifo};

/// The names of the rules.
pub(super) const WAKES: [&str; 3] = ["each", "in-turn", "handed"];

/// Who is woken for tasks that are taken in the order in which they came.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Wakes {
    /// One after the other.
    InTurn,
    /// Whoever has been idle longest is given the task.
    Handed,
}

impl Wakes {
    /// The rule of that place in [`WAKES`], if it is none of the usual one.
    pub(super) fn of(place: usize) -> Option<Wakes> {
        [None, Some(Wakes::InTurn), Some(Wakes::Handed)].into_iter().nth(place).flatten()
    }
}

impl Queue for Wakes {
    fn build(&self, setup: &Setup) -> Box<dyn RunQueue> {
        let idle = (0..).map(Slot).take(setup.workers).collect();
        Box::new(Line { wakes: *self, ready: fifo::Queue::default(), idle, called: None, passes: false })
    }

    fn in_order(&self) -> bool {
        true
    }

    fn hands_over(&self) -> bool {
        *self == Wakes::Handed
    }
}

/// Tasks in the order in which they came, and the workers that wait for some.
struct Line {
    wakes: Wakes,
    ready: fifo::Queue,
    /// Those who have found nothing, longest first.
    idle: VecDeque<Slot>,
    /// Who was let in, and has not looked yet.
    called: Option<Slot>,
    /// Has the one who was let in found a task?
    passes: bool,
}

impl RunQueue for Line {
    fn rouse(&mut self, taken: bool, _: &[u32]) -> Option<Slot> {
        let wakes = match self.wakes {
            Wakes::InTurn if taken => std::mem::take(&mut self.passes),
            Wakes::InTurn => self.called.is_none(),
            Wakes::Handed => !taken,
        };
        let next = if wakes { self.idle.pop_front() } else { None };
        if self.wakes == Wakes::InTurn {
            self.called = next.or(self.called);
        }
        next
    }
}

impl Policy for Line {
    fn ready(&mut self, who: Who, why: Why, view: &View<'_>) {
        self.ready.ready(who, why, view);
    }

    fn pick(&mut self, slot: Slot, view: &View<'_>) -> Option<Turn> {
        let turn = self.ready.pick(slot, view);
        let was_called = self.called == Some(slot);
        if was_called {
            self.called = None;
        }
        self.passes = was_called && turn.is_some();
        if turn.is_none() {
            self.idle.push_back(slot);
        }
        turn
    }

    fn waiting(&self) -> usize {
        self.ready.waiting()
    }
}
