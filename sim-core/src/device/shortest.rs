//! The shortest service first, fifo among equals, not preemptive. The way of the head is not counted.
//!
//! No order that does not interrupt has a shorter mean wait, and none lets long requests wait longer. Source: Conway,
//! Maxwell & Miller, Theory of Scheduling (1967). Logarithmic in the length of the queue.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::line::Numbers;
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
    places: Numbers<(Span, u64)>,
    stamp: u64,
}

impl Discipline for Queue {
    fn push(&mut self, request: Waiting, _: &View<'_>) {
        self.stamp += 1;
        let place = (request.service, self.stamp);
        self.places.comes(request.task, place);
        self.waiting.insert(place, request);
    }

    fn take_back(&mut self, task: TaskId) {
        let all = self.waiting.iter().map(|(place, request)| (request.task, *place));
        if let Some(place) = self.places.take(task, all) {
            self.waiting.remove(&place);
        }
    }

    fn pop(&mut self, view: &View<'_>) -> Option<Chosen> {
        let (_, request) = self.waiting.pop_first()?;
        self.places.goes(request.task);
        Some(view.straight(request))
    }
}
