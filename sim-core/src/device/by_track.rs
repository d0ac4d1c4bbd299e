//! What disciplines share that go by position: the waiting requests, sorted by track, fifo on each track.

use std::collections::BTreeMap;

use super::Waiting;
use super::line::Numbers;
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
    places: Numbers<Place>,
    stamp: u64,
}

impl ByTrack {
    pub(super) fn push(&mut self, request: Waiting) -> Place {
        self.stamp += 1;
        let place = (request.at, self.stamp);
        self.places.comes(request.task, place);
        self.waiting.insert(place, request);
        place
    }

    /// The nearest request on the way from this track, which is on the way itself.
    pub(super) fn nearest(&self, way: Way, from: u32) -> Option<Place> {
        let track = match way {
            Way::Up => from,
            Way::Down => self.waiting.range(..=(from, u64::MAX)).next_back()?.0.0,
        };
        self.waiting.range((track, 0)..).next().map(|(place, _)| *place)
    }

    /// Removes the request of a task, and says where it was.
    pub(super) fn take_back(&mut self, task: TaskId) -> Option<Place> {
        let all = self.waiting.iter().map(|(place, request)| (request.task, *place));
        let place = self.places.take(task, all)?;
        self.waiting.remove(&place);
        Some(place)
    }

    /// Removes the request of this place, which must be there.
    pub(super) fn take(&mut self, place: Place) -> Option<Waiting> {
        let request = self.waiting.remove(&place)?;
        self.places.goes(request.task);
        Some(request)
    }
}
