//! Groups that stand still.

use crate::ids::{CpuId, GroupId};
use crate::time::Time;

/// A group had used up its quota: none of its threads ran.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Throttle {
    /// Which group.
    pub group: GroupId,
    /// On which processor; [`CpuId::NONE`] is all.
    pub cpu: CpuId,
    /// When it began.
    pub start: Time,
    /// When it was over.
    pub end: Time,
}
