//! First come, first served. Constant time per request.

use std::collections::VecDeque;
use std::sync::Arc;

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
    waiting: VecDeque<Waiting>,
}

impl Discipline for Queue {
    fn push(&mut self, request: Waiting, _: &View<'_>) {
        self.waiting.push_back(request);
    }

    fn take_back(&mut self, task: TaskId) {
        self.waiting.retain(|request| request.task != task);
    }

    fn pop(&mut self, view: &View<'_>) -> Option<Chosen> {
        self.waiting.pop_front().map(|request| view.straight(request))
    }
}
