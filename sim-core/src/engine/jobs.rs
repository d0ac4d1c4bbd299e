//! The jobs of periodic tasks: at which job each instance is. Only periodic instances have anything here.

use crate::ids::{IdVec, SpecId};
use crate::jobs::JobState;
use crate::scenario::Scenario;

/// The present jobs of all periodic instances.
pub(super) struct Jobs {
    /// Where the instances of each task begin, [`NONE`] if it is not periodic; empty if no task is.
    first: IdVec<SpecId, u32>,
    states: Vec<JobState>,
}

const NONE: u32 = u32::MAX;

impl Jobs {
    pub(super) fn new(scenario: &Scenario) -> Jobs {
        let mut jobs = Jobs { first: IdVec::new(), states: Vec::new() };
        if scenario.specs.iter().all(|spec| spec.attributes.periodic.is_none()) {
            return jobs;
        }
        for spec in &scenario.specs {
            let periodic = spec.attributes.periodic.is_some();
            jobs.first.push(if periodic { u32::try_from(jobs.states.len()).unwrap_or(NONE) } else { NONE });
            let count = if periodic { spec.count } else { 0 };
            jobs.states.extend((0..count).map(|_| JobState::new()));
        }
        jobs
    }

    /// How many instances have jobs.
    pub(super) fn count(&self) -> usize {
        self.states.len()
    }

    /// The number of the instance among those that have jobs.
    pub(super) fn index(&self, spec: SpecId, instance: u32) -> Option<usize> {
        let first = *self.first.get(spec)?;
        (first != NONE).then_some(first as usize + instance as usize)
    }

    #[inline]
    pub(super) fn of(&self, spec: SpecId, instance: u32) -> Option<&JobState> {
        self.index(spec, instance).map(|index| &self.states[index])
    }

    #[inline]
    pub(super) fn of_mut(&mut self, spec: SpecId, instance: u32) -> Option<&mut JobState> {
        self.index(spec, instance).map(|index| &mut self.states[index])
    }
}
