//! Since when tasks have waited for the budgets of their servers.

use std::collections::BTreeMap;

use crate::ids::TaskId;
use crate::policy::{SchedulingClass, Who};
use crate::scenario::{Scenario, Spec};
use crate::time::Time;

/// Since when tasks have waited so.
#[derive(Default)]
pub(super) struct Depleted {
    pub(super) since: BTreeMap<TaskId, Time>,
    /// Scratch: those whom the policy holds back.
    pub(super) held_back: Vec<Who>,
}

impl Depleted {
    /// If somebody may ever have to.
    pub(super) fn of(scenario: &Scenario) -> Option<Box<Depleted>> {
        let may = |spec: &Spec| {
            let Some(server) = spec.attributes.server else { return false };
            server.kind.is_fixed() || server.hard || spec.attributes.class == SchedulingClass::Deadline
        };
        scenario.specs.iter().any(may).then(Box::default)
    }
}
