//! What scan, look and their circular relatives share: the head sweeps across the tracks and serves what it meets.
//!
//! They differ in two things: how far a sweep goes (to the end of the disk, or to the last request), and what comes
//! after it (a sweep the other way, or a jump back to begin anew). The head moves only to serve: after the last request
//! of all it stays where it is, and remembers which way it was going. Source: Silberschatz, Galvin & Gagne, Operating
//! System Concepts, chapter 11; Denning, "Effects of scheduling on file memory operations", 1967.

use super::by_track::{ByTrack, Place, Way};
use super::{Chosen, Discipline, View, Waiting};
use crate::document::Table;
use crate::ids::TaskId;

/// A head that sweeps.
#[derive(Debug)]
pub(super) struct Sweep {
    waiting: ByTrack,
    way: Way,
    /// Does it begin anew at the bottom after each sweep, instead of turning?
    circular: bool,
    /// The last track, if each sweep goes to the end of the disk.
    last: Option<u32>,
}

impl Sweep {
    pub(super) fn turning(way: Way, last: Option<u32>) -> Sweep {
        Sweep { waiting: ByTrack::default(), way, circular: false, last }
    }

    pub(super) fn circular(last: Option<u32>) -> Sweep {
        Sweep { waiting: ByTrack::default(), way: Way::Up, circular: true, last }
    }

    /// The first request of the next sweep, and the way to it by the ends of the disk.
    fn begin_anew(&mut self, head: u32) -> Option<(Place, u64)> {
        let (head, last) = (u64::from(head), u64::from(self.last.unwrap_or(0)));
        if self.circular {
            let place = self.waiting.nearest(Way::Up, 0)?;
            return Some((place, (last - head.min(last)) + last + u64::from(place.0)));
        }
        let (way, end) = match self.way {
            Way::Up => (Way::Down, last),
            Way::Down => (Way::Up, 0),
        };
        let place = self.waiting.nearest(way, u32::try_from(head).unwrap_or(u32::MAX))?;
        self.way = way;
        Some((place, head.abs_diff(end) + u64::from(place.0).abs_diff(end)))
    }
}

impl Discipline for Sweep {
    fn push(&mut self, request: Waiting, _: &View<'_>) {
        self.waiting.push(request);
    }

    fn take_back(&mut self, task: TaskId) {
        self.waiting.take_back(task);
    }

    fn pop(&mut self, view: &View<'_>) -> Option<Chosen> {
        if let Some(place) = self.waiting.nearest(self.way, view.head) {
            return self.waiting.take(place).map(|request| view.straight(request));
        }
        let (place, travel) = self.begin_anew(view.head)?;
        let request = self.waiting.take(place)?;
        Some(if self.last.is_some() { Chosen { request, travel } } else { view.straight(request) })
    }
}

/// The way of the first sweep: `direction`, up unless the file says otherwise.
pub(super) fn direction(table: &mut Table<'_>) -> Way {
    match table.one_of("direction", &["up", "down"]) {
        Some(1) => Way::Down,
        _ => Way::Up,
    }
}
