//! Before a run: what cannot be measured is refused, a plan is made of what this machine has, and the start is prepared.

pub(crate) mod dispatched;
pub(crate) mod feasible;
pub(crate) mod groups;
pub(crate) mod libraries;
pub(crate) mod machine;
pub(crate) mod python;
pub(crate) mod realised;
pub(crate) mod scheduling;
pub(crate) mod slices;
pub(crate) mod start;
pub(crate) mod unmeasurable;
