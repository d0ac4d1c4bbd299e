//! Last come, first served, not preemptive: a stack.
//!
//! The mean wait is that of fifo, but it is shared out unfairly: whoever comes when the queue is long waits until it is
//! empty. Source: Kleinrock, Queueing Systems, vol. 1 (1975). Constant time per request.

use std::sync::Arc;

use super::line::Line;
use super::{Chosen, Discipline, Form, Kind, Service, Settings, Setup, View, Waiting};
use crate::ids::TaskId;

/// The entry on the shelf.
pub(super) static KIND: Kind = Kind {
    name: "lifo",
    summary: "last come, first served, not preemptive",
    parameters: &[],
    form: Form::Queue,
    read: |_| Arc::new(Lifo),
};

#[derive(Debug)]
struct Lifo;

impl Settings for Lifo {
    fn build(&self, _: &Setup) -> Service {
        Service::InTurn(Box::new(Stack::default()))
    }
}

#[derive(Debug, Default)]
struct Stack {
    waiting: Line,
}

impl Discipline for Stack {
    fn push(&mut self, request: Waiting, _: &View<'_>) {
        self.waiting.push(request);
    }

    fn take_back(&mut self, task: TaskId) {
        self.waiting.take(task);
    }

    fn pop(&mut self, view: &View<'_>) -> Option<Chosen> {
        self.waiting.pop_last().map(|request| view.straight(request))
    }
}
