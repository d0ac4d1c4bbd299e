//! Where in time two timelines run the same tasks, and where they do not.

use crate::timeline::Timeline;
use crate::timeline::lanes::Stretch;

use super::distance::pieces;
use super::naming::Names;

/// How alike what runs in two timelines is at an instant. In a column of a picture the earlier is further down.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Likeness {
    /// The same tasks.
    Same,
    /// Some run in both, some in one alone.
    Partly,
    /// Other tasks, or none in one of the two.
    Other,
    /// None in either.
    Idle,
}

/// How alike a simulated and a measured timeline are, from 0 to the last stop without gap; stretches of the same likeness
/// are one. Interchangeable tasks are not told apart, as in [`compare`](super::compare).
#[must_use]
pub fn likeness(simulated: &Timeline, measured: &Timeline) -> Vec<Stretch<Likeness>> {
    let names = Names::new(&[simulated], std::slice::from_ref(measured));
    let mut stretches: Vec<Stretch<Likeness>> = Vec::new();
    pieces(&names.tracks(simulated), &names.tracks(measured), |piece| {
        let state = match (piece.differs(), piece.both > 0) {
            (false, true) => Likeness::Same,
            (true, true) => Likeness::Partly,
            (true, false) => Likeness::Other,
            (false, false) => Likeness::Idle,
        };
        match stretches.last_mut() {
            Some(last) if last.state == state => last.end = piece.to,
            _ => stretches.push(Stretch { start: piece.from, end: piece.to, state }),
        }
    });
    stretches
}
