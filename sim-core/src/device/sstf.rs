//! The shortest seek first: the request nearest to the head, fifo among equally near ones.
//!
//! Short ways, but whoever is far from where the others are may wait for ever. Source: Silberschatz, Galvin & Gagne,
//! Operating System Concepts, chapter 11. Logarithmic in the length of the queue.
//!
//! ```text
//! head at 53; 98 183 37 122 14 124 65 67 wait
//! 65 67 37 14 98 122 124 183: 236 tracks
//! ```

use std::sync::Arc;

use super::by_track::{ByTrack, Way};
use super::{Chosen, Discipline, Form, Kind, Service, Settings, Setup, View, Waiting};
use crate::ids::TaskId;

/// The entry on the shelf.
pub(super) static KIND: Kind = Kind {
    name: "sstf",
    summary: "the request nearest to the head first",
    parameters: &[],
    form: Form::Positioned,
    read: |_| Arc::new(ShortestSeek),
};

#[derive(Debug)]
struct ShortestSeek;

impl Settings for ShortestSeek {
    fn build(&self, _: &Setup) -> Service {
        Service::InTurn(Box::new(Nearest::default()))
    }
}

#[derive(Debug, Default)]
struct Nearest {
    waiting: ByTrack,
}

impl Discipline for Nearest {
    fn push(&mut self, request: Waiting, _: &View<'_>) {
        self.waiting.push(request);
    }

    fn take_back(&mut self, task: TaskId) {
        self.waiting.take_back(task);
    }

    fn pop(&mut self, view: &View<'_>) -> Option<Chosen> {
        let both = [Way::Up, Way::Down].map(|way| self.waiting.nearest(way, view.head));
        let nearest = both.into_iter().flatten().min_by_key(|(track, stamp)| (track.abs_diff(view.head), *stamp))?;
        self.waiting.take(nearest).map(|request| view.straight(request))
    }
}
