//! How slices meet the instants of other things: who is queued first, and what their lengths count from.

use super::Slice;
use crate::time::{Span, Time};

/// Who goes to the tail first: threads whose slice ends, or arrivals of the same instant.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum Ties {
    /// Arrivals and completions are queued before threads whose slice ends now.
    #[default]
    ArrivalsFirst,
    /// Threads whose slice ends now are queued before arrivals and completions.
    PreemptedFirst,
}

/// What the lengths of slices count from.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum Timer {
    /// The beginning of the slice.
    #[default]
    PerSlice,
    /// The beginning of the run: slices end for all processors at every multiple of their length.
    Global,
}

impl Timer {
    /// When a slice that begins then ends.
    #[must_use]
    #[inline]
    pub fn end(self, slice: Slice, begin: Time) -> Time {
        match (self, slice) {
            (Timer::Global, Slice::For(length)) if !length.is_zero() => {
                begin + Span::from_ns(length.ns() - begin.ns() % length.ns())
            }
            _ => slice.end(begin),
        }
    }
}
