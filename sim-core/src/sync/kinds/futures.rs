//! The crate `futures`, version 0.3.34: `futures::lock::Mutex`.
//!
//! Source: `futures-util/src/lock/mutex.rs`. `unlock` frees the lock and wakes the first of those who wait, who must ask again.

use super::{FIFO, Kind};
use crate::scenario::{HandOver, Prefer, Rule};

/// See the module.
pub(super) const KIND: &Kind = &Kind {
    name: "futures",
    prefer: Prefer::Fifo,
    rules: &[("lock", Rule { hand_over: HandOver::Barging, ..FIFO })],
    others: &["channel"],
    meets: false,
};
