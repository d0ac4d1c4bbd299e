//! What the urgency of somebody comes from: its own, or that of a task that lends it some.

use super::Attributes;
use crate::time::Time;

/// What the urgency of somebody can come from.
#[derive(Clone, Copy, Debug)]
pub struct Claim<'a> {
    /// What the file says of it.
    pub attributes: &'a Attributes,
    /// By when its present job should end; never if it has no deadline.
    pub deadline: Time,
    /// What it is lent.
    pub lent: Option<Lent<'a>>,
}

/// What makes somebody as urgent as another task: one that waits for its lock, or could.
#[derive(Clone, Copy, Debug)]
pub struct Lent<'a> {
    /// What the file says of the other task.
    pub attributes: &'a Attributes,
    /// By when the present job of the other task should end; never if it has no deadline.
    pub deadline: Time,
    /// The place of the other task in the file.
    pub place: u32,
}
