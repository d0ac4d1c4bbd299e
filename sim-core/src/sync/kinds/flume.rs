//! The crate `flume`, version 0.12.0: bounded channels.
//!
//! Source: `src/lib.rs`. A sender gives its message to the first receiver that waits, a receiver lets the first sender's message
//! in that waits: nobody can take either in between.

use super::{FIFO, Kind};
use crate::scenario::Prefer;

/// See the module.
pub(super) const KIND: &Kind =
    &Kind { name: "flume", prefer: Prefer::Fifo, rules: &[("channel", FIFO)], others: &[], meets: true };
