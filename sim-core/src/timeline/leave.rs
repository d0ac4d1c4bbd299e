//! What was given up.

use super::Cause;
use crate::ids::TaskId;
use crate::time::Time;

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
    /// Was it turned away? Else it gave up.
    pub rejected: bool,
    /// Who goes on with what the task let a pool do; [`TaskId::NONE`] if it was something else.
    pub abandoned: TaskId,
}
