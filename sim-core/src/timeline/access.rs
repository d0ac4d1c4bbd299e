//! What is recorded of variables: who changed them, and who looked at them.

use crate::ids::{TaskId, VariableId};
use crate::scenario::Change;
use crate::time::Time;

/// Something that a task did with variables. It takes no time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Access {
    /// Who.
    pub task: TaskId,
    /// When.
    pub at: Time,
    /// What.
    pub how: Use,
}

/// What an [`Access`] says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Use {
    /// It changed one.
    Changed {
        /// Which.
        variable: VariableId,
        /// How.
        change: Change,
        /// What it is now.
        value: i64,
    },
    /// It looked whether a condition holds.
    Tested {
        /// The operation of its program that did so.
        op: u32,
        /// Does it hold?
        holds: bool,
    },
}
