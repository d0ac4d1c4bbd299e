//! Variables in numbers.

use serde::Serialize;

use crate::metrics::Metrics;

/// One variable in numbers.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct VariableOutcome {
    /// Its name.
    pub name: String,
    /// What it was when the run ended.
    pub value: i64,
    /// Times a task set it or added to it.
    pub changes: u64,
    /// The least that it was for some time.
    pub least: i64,
    /// The most that it was for some time.
    pub most: i64,
    /// Averaged over time.
    pub mean: f64,
}

pub(super) fn variables(metrics: &Metrics) -> Vec<VariableOutcome> {
    let names = metrics.cast.variables.iter().map(|variable| &variable.name);
    let outcome = |(name, sums): (&String, &crate::metrics::VariableSums)| VariableOutcome {
        name: name.clone(),
        value: sums.value,
        changes: sums.changes,
        least: sums.least(),
        most: sums.most(),
        mean: sums.mean(metrics.end),
    };
    names.zip(metrics.variables.iter()).map(outcome).collect()
}
