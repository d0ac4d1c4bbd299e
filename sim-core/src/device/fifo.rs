//! First come, first served. Constant time per request.

use std::sync::Arc;

use super::line::Line;
use super::{Chosen, Discipline, Form, Kind, Service, Settings, Setup, View, Waiting};
use crate::ids::TaskId;

/// The entry on the shelf.
pub(super) static KIND: Kind = Kind {
    name: "fifo",
    summary: "first come, first served",
    parameters: &[],
    form: Form::InOrder,
    read: |_| Arc::new(Fifo),
};

#[derive(Debug)]
struct Fifo;

impl Settings for Fifo {
    fn build(&self, _: &Setup) -> Service {
        Service::InTurn(Box::new(Queue::default()))
    }
}

#[derive(Debug, Default)]
struct Queue {
    waiting: Line,
}

impl Discipline for Queue {
    fn push(&mut self, request: Waiting, _: &View<'_>) {
        self.waiting.push(request);
    }

    fn take_back(&mut self, task: TaskId) {
        self.waiting.take(task);
    }

    fn pop(&mut self, view: &View<'_>) -> Option<Chosen> {
        self.waiting.pop_first().map(|request| view.straight(request))
    }
}
