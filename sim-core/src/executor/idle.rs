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
//! A pool beside an executor makes its workers when they are needed: for a task that comes, unless there is an idle worker for it. Each
//! that has found nothing after a task counts for one task to come, even where another has taken that one meanwhile.
//!
//! Source: `Modules/_queuemodule.c` of CPython (`_queue_SimpleQueue_get_impl`, `_queue_SimpleQueue_put_impl`): one lock that a `put`
//! releases up to 3.12, `_PyParkingLot_Unpark` with `maybe_handoff_item` from 3.13 on; traced on 3.11.7, 3.12.1 and
//! 3.13.0 (Linux 6.18). Workers: `_adjust_thread_count` and `_idle_semaphore` of Lib/concurrent/futures/thread.py (3.9 to 3.13).
//! Cost: constant per operation.

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
        let workers = (0..).map(Slot).take(setup.workers);
        let (idle, to_come) =
            if setup.on_demand { (VecDeque::new(), workers.collect()) } else { (workers.collect(), VecDeque::new()) };
        let ready = fifo::Queue::default();
        Box::new(Line {
            wakes: *self,
            ready,
            idle,
            to_come,
            free: setup.on_demand.then_some(0),
            called: None,
            passes: false,
        })
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
    /// Those who have not been needed yet.
    to_come: VecDeque<Slot>,
    /// For how many tasks there are idle workers, where others would have to be made.
    free: Option<u32>,
    /// Who was let in, and has not looked yet.
    called: Option<Slot>,
    /// Has the one who was let in found a task?
    passes: bool,
}

impl Line {
    /// A task has come. The worker that is made for it, if none is idle.
    fn is_needed(&mut self) -> Option<Slot> {
        match &mut self.free {
            Some(0) => self.to_come.pop_front(),
            Some(free) => {
                *free -= 1;
                None
            }
            None => None,
        }
    }
}

impl RunQueue for Line {
    fn rouse(&mut self, taken: bool, _: &[u32]) -> Option<Slot> {
        if !taken && let Some(made) = self.is_needed() {
            return Some(made);
        }
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
            // Who was let in in vain was not at work.
            if let Some(free) = self.free.as_mut().filter(|_| !was_called) {
                *free += 1;
            }
        }
        turn
    }

    fn waiting(&self) -> usize {
        self.ready.waiting()
    }
}
