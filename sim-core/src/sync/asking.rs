//! What is remembered of a task that does its operation again.

use crate::time::Time;

/// A task that has asked for something, and asks again for as long as others come first.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Asking {
    /// When it asked for the first time.
    pub asked: Time,
    /// How often it has let others go first.
    pub yielded: u32,
    /// How often it has queued.
    pub queued: u32,
    /// Has it been notified, so that only the lock is missing?
    pub noticed: bool,
    /// Is kept for it what it asks for: room in a channel, permits, or the way out of a barrier?
    pub kept: bool,
}

impl Asking {
    /// Asks for the first time.
    pub(super) fn begins(asked: Time, noticed: bool) -> Asking {
        Asking { asked, yielded: 0, queued: 0, noticed, kept: false }
    }
}
