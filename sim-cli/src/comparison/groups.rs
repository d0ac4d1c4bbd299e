//! What groups had, simulated and measured.

use serde::Serialize;
use sim_core::outcome::{GroupOutcome, Outcome};
use sim_core::statistics::median;

/// A group of the file, simulated and measured: medians over the ensemble and over the real runs.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct GroupComparison {
    /// Its name.
    pub name: String,
    /// Its share of what all tasks ran, in the simulation; null if none did.
    pub simulated_share: Option<f64>,
    /// The same in the real runs.
    pub measured_share: Option<f64>,
    /// How long it stood still in the simulation, if it has a quota.
    pub simulated_throttled_ns: Option<f64>,
    /// The same in the real runs.
    pub measured_throttled_ns: Option<f64>,
}

pub(super) fn groups(simulated: &[&Outcome], measured: &[Outcome]) -> Vec<GroupComparison> {
    let measured: Vec<&Outcome> = measured.iter().collect();
    let of_first = simulated.first().map_or(&[] as &[_], |run| &run.groups);
    let group = |(index, group): (usize, &GroupOutcome)| {
        let of = |runs: &[&Outcome], figure: &dyn Fn(&GroupOutcome) -> Option<f64>| {
            let figures = runs.iter().filter_map(|run| run.groups.get(index).and_then(figure));
            median(figures)
        };
        #[expect(clippy::cast_precision_loss, reason = "a statistic")]
        let throttled = |of: &GroupOutcome| of.quota_ns.map(|_| of.throttled_ns as f64);
        GroupComparison {
            name: group.name.clone(),
            simulated_share: of(simulated, &|group| group.share),
            measured_share: of(&measured, &|group| group.share),
            simulated_throttled_ns: of(simulated, &throttled),
            measured_throttled_ns: of(&measured, &throttled),
        }
    };
    of_first.iter().enumerate().map(group).collect()
}
