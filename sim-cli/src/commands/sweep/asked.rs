//! `--fail-if` of experiments: conditions on the figures of runs.

use serde_json::Value;

use super::super::{Failure, Verdict, failing};
use super::plan::Plan;
use crate::condition::{Condition, Tally};
use crate::sweep::results::Results;

/// Conditions, each with the number of the metric of the experiment that it asks for.
pub(super) struct Asked<'c> {
    conditions: &'c [Condition],
    metrics: Vec<usize>,
}

impl<'c> Asked<'c> {
    /// Fails if one asks for what the experiment does not ask of its runs: nothing else is kept of them.
    pub(super) fn of(conditions: &'c [Condition], plan: &Plan) -> Result<Asked<'c>, Failure> {
        let known = &plan.experiment.metrics;
        let number = |condition: &Condition| {
            let is_it = |metric: &sim_core::experiment::Metric| metric.is_same_as(condition.metric());
            known.iter().position(is_it).ok_or_else(|| {
                let paths: Vec<&str> = known.iter().map(sim_core::experiment::Metric::path).collect();
                let sentence = format!("`{}` is no metric of the experiment", condition.metric().path());
                Failure::from(format!("{sentence}\nhint: add it to `metrics`, which are {}", paths.join(", ")))
            })
        };
        let metrics = conditions.iter().map(number).collect::<Result<_, _>>()?;
        Ok(Asked { conditions, metrics })
    }

    /// Tells of which runs they hold.
    pub(super) fn verdict(&self, plan: &Plan, results: &Results<'_>) -> Verdict {
        let mut tally = Tally::new(self.conditions);
        for ((variation, replication), figures) in results.runs() {
            let judge = |(condition, number): (&Condition, &usize)| {
                condition.judge(&figures[*number].map_or(Value::Null, whole))
            };
            let answers: Vec<_> = self.conditions.iter().zip(&self.metrics).map(judge).collect();
            let label = plan.experiment.label(variation);
            let label = if label.is_empty() { label } else { format!("{label}, ") };
            tally.add(&format!("{label}replication {replication}"), &answers);
        }
        failing(&tally)
    }
}

/// Whole figures are kept as what they are.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is whole, and far below 2^53")]
fn whole(figure: f64) -> Value {
    let is_whole = figure.fract() == 0.0 && (0.0..9e15).contains(&figure);
    if is_whole { Value::from(figure as u64) } else { Value::from(figure) }
}
