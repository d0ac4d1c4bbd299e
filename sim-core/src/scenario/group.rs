//! Groups: processes that share processor time as one, and have no more of it than a quota.

use crate::distribution::Distribution;
use crate::ids::{GroupId, IdVec};
use crate::policy::CpuSet;
use crate::time::Span;

/// A `[[group]]` of processes, and of other groups.
#[derive(Clone, PartialEq, Debug)]
pub struct Group {
    /// What it is called.
    pub name: String,
    /// The group it is in. Invariant: groups are in each other without a circle.
    pub parent: Option<GroupId>,
    /// What policies of the fair family go by among groups: 1 … 10 000.
    pub weight: u32,
    /// How much processor time it may use.
    pub quota: Option<Quota>,
    /// The processors that its processes may use; `None` is all. Invariant: of those of its parent.
    pub processors: Option<CpuSet>,
}

/// How much processor time a group may use in each period, on all processors together.
#[derive(Clone, PartialEq, Debug)]
pub struct Quota {
    /// So much. Invariant: not zero.
    pub amount: Span,
    /// In each of these. Invariant: not zero.
    pub period: Span,
    /// How much of what was not used may be kept for later periods.
    pub burst: Span,
    /// When the first period begins that is a whole one; what is before that is a part of one. It counts modulo the period.
    pub phase: Distribution,
    /// Does each processor take the quota in such pieces? Otherwise it is shared exactly.
    pub slice: Option<Span>,
}

/// The group, the one it is in, and so on to the outermost.
pub fn lineage(groups: &IdVec<GroupId, Group>, first: Option<GroupId>) -> impl Iterator<Item = GroupId> + use<'_> {
    std::iter::successors(first, |group| groups[*group].parent)
}
