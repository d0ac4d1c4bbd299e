//! Which threads are ready, where it is to be known of each.

use crate::ids::{Id as _, ThreadId};

/// The threads that are ready, in no order.
#[derive(Default, Debug)]
pub(super) struct ReadyThreads {
    all: Vec<ThreadId>,
    /// Where each of them is there, by thread; means nothing of those that are not ready.
    places: Vec<u32>,
}

impl ReadyThreads {
    pub(super) fn all(&self) -> &[ThreadId] {
        &self.all
    }

    pub(super) fn add(&mut self, id: ThreadId) {
        if self.places.len() <= id.index() {
            self.places.resize(id.index() + 1, 0);
        }
        self.places[id.index()] = u32::try_from(self.all.len()).unwrap_or(u32::MAX);
        self.all.push(id);
    }

    pub(super) fn remove(&mut self, id: ThreadId) {
        let place = self.places[id.index()];
        self.all.swap_remove(place as usize);
        if let Some(moved) = self.all.get(place as usize) {
            self.places[moved.index()] = place;
        }
    }
}
