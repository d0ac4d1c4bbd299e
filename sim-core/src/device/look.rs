//! The elevator: the head sweeps up and down, turning at the last request of each sweep.
//!
//! As `scan`, but it looks whether anybody waits ahead before it goes there. Logarithmic in the length of the queue.
//!
//! ```text
//! head at 53, going up; 98 183 37 122 14 124 65 67 wait
//! 65 67 98 122 124 183 37 14: 299 tracks; going down 37 14 65 67 98 122 124 183: 208 tracks
//! ```

use std::sync::Arc;

use super::by_track::Way;
use super::sweep::{Sweep, direction};
use super::{Form, Kind, Service, Settings, Setup};
use crate::parameter::Parameter;

/// The entry on the shelf.
pub(super) static KIND: Kind = Kind {
    name: "look",
    summary: "the head sweeps up and down and turns at the last request",
    parameters: &[Parameter::new("direction", "`\"up\"`, `\"down\"`", "`\"up\"`", "where the head goes first")],
    form: Form::Positioned,
    read: |table| Arc::new(Look { direction: direction(table) }),
};

#[derive(Debug)]
struct Look {
    direction: Way,
}

impl Settings for Look {
    fn build(&self, _: &Setup) -> Service {
        Service::InTurn(Box::new(Sweep::turning(self.direction, None)))
    }
}
