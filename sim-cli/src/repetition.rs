//! What repeated runs of a scenario say together: of the makespan, of the latency of each kind of task and of what each group ran the
//! mean, how sure it is, the extremes, and the runs that stand apart.

use serde_json::{Value, json};
use sim_core::outcome::{GroupOutcome, Outcome};
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
    /// How long the tasks of each group ran, and of those with quotas how long they stood still.
    pub groups: Vec<Of>,
}

/// A figure of a group.
#[derive(Clone, PartialEq, Debug)]
pub struct Of {
    /// Its name.
    pub group: String,
    /// `running` or `throttled`.
    pub what: &'static str,
    /// The figure.
    pub figure: Figure,
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
            groups: groups(runs),
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
        let mut json =
            json!({ "makespan": self.makespan.as_ref().map(Figure::json), "latency": kinds.collect::<Vec<_>>() });
        let group = |Of { group, what, figure }: &Of| {
            let mut value = figure.json();
            (value["group"], value["what"]) = (group.as_str().into(), (*what).into());
            value
        };
        if !self.groups.is_empty() {
            json["groups"] = self.groups.iter().map(group).collect::<Vec<_>>().into();
        }
        json
    }
}

#[expect(clippy::cast_precision_loss, reason = "a statistic")]
fn groups(runs: &[Outcome]) -> Vec<Of> {
    let mut all = Vec::new();
    for (index, group) in runs.first().iter().flat_map(|run| run.groups.iter().enumerate()) {
        let of = |figure: fn(&GroupOutcome) -> u64| {
            Figure::of(runs.iter().map(|run| run.groups.get(index).map(|group| figure(group) as f64)))
        };
        let running = of(|group| group.running_ns).map(|figure| ("running", figure));
        let throttled = of(|group| group.throttled_ns).filter(|_| group.quota_ns.is_some());
        let figures = running.into_iter().chain(throttled.map(|figure| ("throttled", figure)));
        all.extend(figures.map(|(what, figure)| Of { group: group.name.clone(), what, figure }));
    }
    all
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
