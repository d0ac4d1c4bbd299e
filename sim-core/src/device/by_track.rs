//! What disciplines share that go by position: the waiting requests, sorted by track, fifo on each track.

use std::collections::BTreeMap;

use super::Waiting;
use crate::ids::TaskId;

/// A place in the queue: the track, and the number of the request in the order of asking.
pub(super) type Place = (u32, u64);

/// The two ways in which the head can go.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Way {
    /// To higher tracks.
    Up,
    /// To lower tracks.
    Down,
}

/// The waiting requests by track. Logarithmic per operation.
#[derive(Debug, Default)]
pub(super) struct ByTrack {
    waiting: BTreeMap<Place, Waiting>,
    stamp: u64,
}

impl ByTrack {
    pub(super) fn push(&mut self, request: Waiting) -> Place {
        self.stamp += 1;
        self.waiting.insert((request.at, self.stamp), request);
        (request.at, self.stamp)
    }

    /// The nearest request on the way from this track, which is on the way itself.
    pub(super) fn nearest(&self, way: Way, from: u32) -> Option<Place> {
        let track = match way {
            Way::Up => from,
            Way::Down => self.waiting.range(..=(from, u64::MAX)).next_back()?.0.0,
        };
        self.waiting.range((track, 0)..).next().map(|(place, _)| *place)
    }

    /// Removes the requests of a task, and says where they were.
    pub(super) fn take_back(&mut self, task: TaskId) -> Vec<Place> {
        let taken = self.waiting.iter().filter(|(_, request)| request.task == task);
        let places: Vec<Place> = taken.map(|(place, _)| *place).collect();
        places.iter().for_each(|place| _ = self.waiting.remove(place));
        places
    }

    /// Removes the request of this place, which must be there.
    pub(super) fn take(&mut self, place: Place) -> Option<Waiting> {
        self.waiting.remove(&place)
    }
}
