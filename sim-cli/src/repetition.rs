//! What repeated runs of a scenario say together: of the makespan and of the latency of each kind of task the mean, how
//! sure it is, the extremes, and the runs that stand apart.

use serde_json::{Value, json};
use sim_core::outcome::Outcome;
use sim_core::statistics::Sample;

/// One figure of all runs.
#[derive(Clone, PartialEq, Debug)]
pub struct Figure {
    /// The figure of each run that has it, in nanoseconds, in the order of the runs.
    pub values: Vec<f64>,
    /// The run of each, counted from 1.
    pub runs: Vec<usize>,
    /// What they say together.
    pub sample: Sample,
}

/// The figures of repeated runs.
#[derive(Clone, PartialEq, Debug)]
pub struct Repetition {
    /// The makespans.
    pub makespan: Option<Figure>,
    /// The mean latencies of each kind of task, by its full name.
    pub latencies: Vec<(String, Figure)>,
}

impl Repetition {
    /// The figures of these runs.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a statistic")]
    pub fn of(runs: &[Outcome]) -> Repetition {
        let kinds = runs.first().map_or(&[] as &[_], |run| &run.kinds);
        let latency =
            |kind: usize| Figure::of(runs.iter().map(|run| run.kinds.get(kind).and_then(|kind| kind.latency().mean)));
        Repetition {
            makespan: Figure::of(runs.iter().map(|run| Some(run.makespan_ns as f64))),
            latencies: (kinds.iter().enumerate())
                .filter_map(|(index, kind)| Some((kind.name.clone(), latency(index)?)))
                .collect(),
        }
    }

    /// As it stands in JSON.
    #[must_use]
    pub fn json(&self) -> Value {
        let kinds = self.latencies.iter().map(|(name, figure)| {
            let mut value = figure.json();
            if let Value::Object(fields) = &mut value {
                fields.insert("kind".to_owned(), name.as_str().into());
            }
            value
        });
        json!({ "makespan": self.makespan.as_ref().map(Figure::json), "latency": kinds.collect::<Vec<_>>() })
    }
}

impl Figure {
    fn of(figures: impl Iterator<Item = Option<f64>>) -> Option<Figure> {
        let known = (1..).zip(figures).filter_map(|(run, figure)| Some((run, figure?)));
        let (runs, values): (Vec<usize>, Vec<f64>) = known.unzip();
        let sample = Sample::of(&values)?;
        Some(Figure { values, runs, sample })
    }

    /// The runs that stand apart: which, and its figure.
    pub fn outliers(&self) -> impl Iterator<Item = (usize, f64)> + '_ {
        self.sample.outliers.iter().map(|index| (self.runs[*index], self.values[*index]))
    }

    fn json(&self) -> Value {
        let Sample { count, mean, half_width, min, median, max, .. } = &self.sample;
        let outliers: Vec<Value> =
            self.outliers().map(|(run, value)| json!({ "run": run, "value_ns": value })).collect();
        json!({
            "n": count,
            "mean_ns": mean,
            "low_ns": half_width.map(|half| mean - half),
            "high_ns": half_width.map(|half| mean + half),
            "min_ns": min,
            "median_ns": median,
            "max_ns": max,
            "outliers": outliers,
        })
    }
}
