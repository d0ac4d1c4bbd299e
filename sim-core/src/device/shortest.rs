//! The shortest service first, fifo among equals, not preemptive. The way of the head is not counted.
//!
//! No order that does not interrupt has a shorter mean wait, and none lets long requests wait longer. Source: Conway,
//! Maxwell & Miller, Theory of Scheduling (1967). Logarithmic in the length of the queue.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Chosen, Discipline, Form, Kind, Service, Settings, Setup, View, Waiting};
use crate::ids::TaskId;
use crate::time::Span;

/// The entry on the shelf.
pub(super) static KIND: Kind = Kind {
    name: "shortest",
    summary: "the shortest service first, fifo among equals, not preemptive",
    parameters: &[],
    form: Form::Queue,
    read: |_| Arc::new(Shortest),
};

#[derive(Debug)]
struct Shortest;

impl Settings for Shortest {
    fn build(&self, _: &Setup) -> Service {
        Service::InTurn(Box::new(Queue::default()))
    }
}

#[derive(Debug, Default)]
struct Queue {
    /// By service, then by the order of asking.
    waiting: BTreeMap<(Span, u64), Waiting>,
    stamp: u64,
}

impl Discipline for Queue {
    fn push(&mut self, request: Waiting, _: &View<'_>) {
        self.stamp += 1;
        self.waiting.insert((request.service, self.stamp), request);
    }

    fn take_back(&mut self, task: TaskId) {
        self.waiting.retain(|_, request| request.task != task);
    }

    fn pop(&mut self, view: &View<'_>) -> Option<Chosen> {
        self.waiting.pop_first().map(|(_, request)| view.straight(request))
    }
}
