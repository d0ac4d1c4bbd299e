//! The request of the most urgent task first, fifo among equals, not preemptive.
//!
//! What is urgent is said by the scheduling policy, as for locks: usually the task's `priority`, turned round by
//! `order = "low-first"`, under a deadline policy the deadline of its job. It is looked at when the request is made.
//! Source: Cobham, "Priority assignment in waiting line problems", 1954. Logarithmic in the length of the queue.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::line::Numbers;
use super::{Chosen, Discipline, Form, Kind, Service, Settings, Setup, View, Waiting};
use crate::ids::TaskId;

/// The entry on the shelf.
pub(super) static KIND: Kind = Kind {
    name: "priority",
    summary: "the request of the most urgent task first, fifo among equals, not preemptive",
    parameters: &[],
    form: Form::Queue,
    read: |_| Arc::new(Priority),
};

#[derive(Debug)]
struct Priority;

impl Settings for Priority {
    fn build(&self, _: &Setup) -> Service {
        Service::InTurn(Box::new(Queue::default()))
    }

    fn by_urgency(&self) -> bool {
        true
    }
}

#[derive(Debug, Default)]
struct Queue {
    /// By urgency, then by the order of asking.
    waiting: BTreeMap<(Reverse<i64>, u64), Waiting>,
    places: Numbers<(Reverse<i64>, u64)>,
    stamp: u64,
}

impl Discipline for Queue {
    fn push(&mut self, request: Waiting, view: &View<'_>) {
        self.stamp += 1;
        let place = (Reverse((view.urgency)(request.task)), self.stamp);
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
