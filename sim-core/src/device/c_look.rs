//! The elevator that serves only on its way up: from the last request it jumps to the lowest and begins anew.
//!
//! Logarithmic in the length of the queue.
//!
//! ```text
//! head at 53; 98 183 37 122 14 124 65 67 wait
//! 65 67 98 122 124 183 14 37: 322 tracks
//! ```

use std::sync::Arc;

use super::sweep::Sweep;
use super::{Form, Kind, Service, Settings, Setup};

/// The entry on the shelf.
pub(super) static KIND: Kind = Kind {
    name: "c-look",
    summary: "the head sweeps up to the last request, jumps to the lowest and begins anew",
    parameters: &[],
    form: Form::Positioned,
    read: |_| Arc::new(CircularLook),
};

#[derive(Debug)]
struct CircularLook;

impl Settings for CircularLook {
    fn build(&self, _: &Setup) -> Service {
        Service::InTurn(Box::new(Sweep::circular(None)))
    }
}
