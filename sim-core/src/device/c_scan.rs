//! The elevator that serves only on its way up: at the end of the disk the head returns to track 0 and begins anew.
//!
//! The return crosses the whole disk and serves nobody, so that the middle is no better off than the rims.
//! Logarithmic in the length of the queue.
//!
//! ```text
//! head at 53 of 0 … 199; 98 183 37 122 14 124 65 67 wait
//! 65 67 98 122 124 183 (199 0) 14 37: 382 tracks
//! ```

use std::sync::Arc;

use super::sweep::Sweep;
use super::{Form, Kind, Service, Settings, Setup};

/// The entry on the shelf.
pub(super) static KIND: Kind = Kind {
    name: "c-scan",
    summary: "the head sweeps up to the end of the disk, returns to track 0 and begins anew",
    parameters: &[],
    form: Form::Positioned,
    read: |_| Arc::new(CircularScan),
};

#[derive(Debug)]
struct CircularScan;

impl Settings for CircularScan {
    fn build(&self, setup: &Setup) -> Service {
        Service::InTurn(Box::new(Sweep::circular(Some(setup.tracks - 1))))
    }
}
