//! The crate `futures`, version 0.3.34: `futures::lock::Mutex`.
//!
//! Source: `futures-util/src/lock/mutex.rs`. `unlock` frees the lock and wakes the first of those who wait, who must ask again.
//! First is who has the lowest place: who comes later may get that of one that has just had the lock. Here, who came first.

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
