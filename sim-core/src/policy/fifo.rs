//! First in, first out: the cooperative classic.
//!
//! Rule: threads run in the order in which they became ready; a thread leaves the processor only by blocking,
//! yielding or ending. Source: any textbook; Silberschatz, Galvin & Gagne call it first-come, first-served.
//! Cost: constant per operation while no affinity is set; otherwise `pick` looks past those who may not use the slot.
//!
//! ```toml
//! scheduler = { policy = "fifo" }
//! task = [
//!     { name = "A", program = [{ cpu = "3ms" }] },
//!     { name = "B", program = [{ cpu = "1ms" }] },
//!     { name = "C", program = [{ cpu = "2ms" }] },
//! ]
//! ```
//! ```text
//! cpu 0 |AAABCC|
//! ```

use std::collections::VecDeque;
use std::sync::Arc;

use super::on_linux::{Class, Counterpart};
use super::{Kind, Policy, Settings, Setup, Slice, Slot, Theory, Turn, View, Who, Why};
use crate::time::Span;

/// The entry on the shelf.
pub(super) static KIND: Kind = Kind {
    name: "fifo",
    summary: "first come, first served; a thread leaves only by blocking, yielding or ending (cooperative)",
    parameters: &[],
    attributes: &[],
    theory: Theory::None,
    on_linux: Some("SCHED_FIFO, exact on one processor"),
    read: |_| Arc::new(Fifo),
};

#[derive(Debug)]
struct Fifo;

impl Settings for Fifo {
    fn on_linux(&self) -> Counterpart {
        Counterpart::exact(Class::Fifo)
    }

    fn build(&self, _: &Setup) -> Box<dyn Policy> {
        Box::new(Queue::default())
    }

    fn in_order(&self, _: Option<Span>) -> Option<Slice> {
        Some(Slice::Endless)
    }
}

/// One queue for all slots, and the same slice for everybody. Executors use it on the runtime floor too.
#[derive(Debug)]
pub(crate) struct Queue {
    ready: VecDeque<Who>,
    slice: Slice,
}

impl Default for Queue {
    fn default() -> Queue {
        Queue::new(Slice::Endless)
    }
}

impl Queue {
    /// An empty queue.
    pub(crate) fn new(slice: Slice) -> Queue {
        Queue { ready: VecDeque::new(), slice }
    }

    /// Somebody is ready.
    #[inline]
    pub(crate) fn push(&mut self, who: Who) {
        self.ready.push_back(who);
    }

    /// Who gets a slot after so many others.
    #[inline]
    pub(crate) fn ahead(&self, others: usize) -> Option<Who> {
        self.ready.get(others).copied()
    }

    /// Whoever has been ready longest gets a slot that all may use.
    #[inline]
    pub(crate) fn next(&mut self) -> Option<Turn> {
        let who = self.ready.pop_front()?;
        Some(Turn { who, slice: self.slice })
    }
}

impl Policy for Queue {
    fn ready(&mut self, who: Who, _: Why, _: &View<'_>) {
        self.push(who);
    }

    fn pick(&mut self, slot: Slot, view: &View<'_>) -> Option<Turn> {
        let who = take_first_allowed(&mut self.ready, slot, view)?;
        Some(Turn { who, slice: self.slice })
    }

    fn withdraw(&mut self, who: Who, _: &View<'_>) -> bool {
        self.ready.retain(|other| *other != who);
        true
    }

    fn tells(&mut self, who: Who, _: &View<'_>) -> String {
        match self.ready.iter().position(|other| *other == who) {
            None => "it was first in the queue".to_owned(),
            Some(0) => "first in the queue".to_owned(),
            Some(before) => format!("{before} before it in the queue"),
        }
    }

    fn waiting(&self) -> usize {
        self.ready.len()
    }

    fn is_next(&mut self, who: Who, _: Slot, _: &View<'_>) {
        to_head(&mut self.ready, who);
    }
}

/// Who has come last is the first.
pub(super) fn to_head(queue: &mut VecDeque<Who>, who: Who) {
    if let Some(last) = queue.pop_back_if(|last| *last == who) {
        queue.push_front(last);
    }
}

/// Removes the first in the queue that may use the slot.
#[inline]
pub(super) fn take_first_allowed(queue: &mut VecDeque<Who>, slot: Slot, view: &View<'_>) -> Option<Who> {
    if view.free() {
        return queue.pop_front();
    }
    take_allowed(queue, slot, view)
}

#[cold]
fn take_allowed(queue: &mut VecDeque<Who>, slot: Slot, view: &View<'_>) -> Option<Who> {
    let index = queue.iter().position(|who| view.floor.allowed(*who, slot))?;
    queue.remove(index)
}
