//! The elevator that goes to the end: the head sweeps up and down over the whole disk and serves what it meets.
//!
//! A sweep goes on to the end of the disk before it turns, even if nobody waits there: what `look` saves.
//! Logarithmic in the length of the queue.
//!
//! ```text
//! head at 53 of 0 … 199, going up; 98 183 37 122 14 124 65 67 wait
//! 65 67 98 122 124 183 (199) 37 14: 331 tracks; going down 37 14 (0) 65 … 183: 236 tracks
//! ```

use std::sync::Arc;

use super::by_track::Way;
use super::sweep::{Sweep, direction};
use super::{Form, Kind, Service, Settings, Setup};
use crate::parameter::Parameter;

/// The entry on the shelf.
pub(super) static KIND: Kind = Kind {
    name: "scan",
    summary: "the head sweeps up and down to the ends of the disk and serves what it meets",
    parameters: &[Parameter::new("direction", "`\"up\"`, `\"down\"`", "`\"up\"`", "where the head goes first")],
    form: Form::Positioned,
    read: |table| Arc::new(Scan { direction: direction(table) }),
};

#[derive(Debug)]
struct Scan {
    direction: Way,
}

impl Settings for Scan {
    fn build(&self, setup: &Setup) -> Service {
        Service::InTurn(Box::new(Sweep::turning(self.direction, Some(setup.tracks - 1))))
    }
}
