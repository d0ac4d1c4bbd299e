//! First come, first served. Constant time per request.

use std::collections::VecDeque;

use super::{Discipline, Kind, Waiting};

/// The entry on the shelf.
pub(super) static KIND: Kind =
    Kind { name: "fifo", summary: "first come, first served", build: || Box::new(Fifo::default()) };

#[derive(Debug, Default)]
struct Fifo {
    queue: VecDeque<Waiting>,
}

impl Discipline for Fifo {
    fn push(&mut self, request: Waiting) {
        self.queue.push_back(request);
    }
    fn pop(&mut self) -> Option<Waiting> {
        self.queue.pop_front()
    }
}
