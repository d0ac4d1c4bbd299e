//! What was given up.

use super::Cause;
use crate::ids::TaskId;
use crate::time::Time;

/// Why somebody goes without what it had asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum How {
    /// It gave up.
    GaveUp,
    /// It was turned away.
    TurnedAway,
    /// It was ended, or its job was, while it waited.
    Dropped,
}

impl How {
    /// Its name in the outcome.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            How::GaveUp => "given up",
            How::TurnedAway => "rejected",
            How::Dropped => "dropped",
        }
    }
}

/// A task went on without what it had asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Leave {
    /// Who.
    pub task: TaskId,
    /// For what it would have waited on.
    pub cause: Cause,
    /// When it asked for it.
    pub asked: Time,
    /// Since when it had waited for that last: later than it asked if it was told to ask again, or had spun.
    pub since: Time,
    /// When it went.
    pub at: Time,
    /// Why.
    pub how: How,
    /// Who was to do in a pool what the task has let that do, or still does it; [`TaskId::NONE`] if it asked for something else.
    pub callee: TaskId,
}
