//! What replications say together: the same scenario with one seed after the other, so that what is chance can be told from
//! what is not.

use serde_json::{Value, json};
use sim_core::outcome::{Outcome, seed_in_json};
use sim_core::statistics::Interval;

/// The level of intervals.
const LEVEL: f64 = 0.95;

/// A figure of a run that is worth an interval.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Metric {
    /// What it is, as in the document: `makespan`, `latency.mean`, `latency.p99`, `waited_share`.
    pub name: &'static str,
    /// Of which kind of task or which device, if that has to be said.
    pub of: Option<String>,
}

impl Metric {
    /// Is it a share, and no length of time?
    #[must_use]
    pub fn is_share(&self) -> bool {
        self.name == "waited_share"
    }
}

/// The replications of one scenario.
#[derive(Clone, Debug, Default)]
pub struct Replications {
    /// The seed of each.
    pub seeds: Vec<u64>,
    /// How each ended.
    pub ends: Vec<&'static str>,
    /// The figures: one for each replication, in order, where it has one.
    pub figures: Vec<(Metric, Vec<Option<f64>>)>,
    /// The hash of the first timeline, and whether all others have it too.
    hash: String,
    differ: bool,
}

/// A paired difference: of figures that were made with the same seed.
#[derive(Clone, PartialEq, Debug)]
pub struct Difference {
    /// The differences, here minus there.
    pub sample: Interval,
}

impl Difference {
    /// Is zero outside of the interval?
    #[must_use]
    pub fn is_distinguishable(&self) -> bool {
        self.sample.half_width.is_some_and(|half| self.sample.mean.abs() > half)
    }
}

impl Replications {
    /// Adds a run. Those of one scenario come in the order of their numbers.
    pub fn add(&mut self, outcome: &Outcome) {
        let number = self.seeds.len();
        if number == 0 {
            self.hash.clone_from(&outcome.timeline_hash);
        }
        self.differ |= self.hash != outcome.timeline_hash;
        self.seeds.push(outcome.seed);
        self.ends.push(outcome.end);
        for (metric, figure) in figures(outcome) {
            let known = self.figures.iter().position(|(known, _)| *known == metric);
            let at = known.unwrap_or_else(|| {
                self.figures.push((metric, vec![None; number]));
                self.figures.len() - 1
            });
            self.figures[at].1.push(figure);
        }
        // What this run has no figure of: a kind of task that only other files have.
        self.figures.iter_mut().for_each(|(_, figures)| figures.resize(number + 1, None));
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.seeds.len()
    }

    /// Had all the same timeline, and were there several?
    #[must_use]
    pub fn are_alike(&self) -> bool {
        self.count() > 1 && !self.differ
    }

    /// The figures of a metric; none if there are none.
    #[must_use]
    pub fn sample(&self, metric: &Metric) -> Option<Interval> {
        Interval::of(&self.of(metric).iter().copied().flatten().collect::<Vec<_>>(), LEVEL)
    }

    /// By how much a metric differs from that of others, seed by seed.
    #[must_use]
    pub fn difference(&self, from: &Replications, metric: &Metric) -> Option<Difference> {
        let pairs = self.of(metric).iter().zip(from.of(metric));
        let differences: Vec<f64> = pairs.filter_map(|(here, there)| Some((*here)? - (*there)?)).collect();
        Some(Difference { sample: Interval::of(&differences, LEVEL)? })
    }

    fn of(&self, metric: &Metric) -> &[Option<f64>] {
        self.figures.iter().find(|(known, _)| known == metric).map_or(&[], |(_, figures)| figures)
    }

    /// As it stands in JSON; with the differences from the first of several, itself among them (`None`).
    #[must_use]
    pub fn json(&self, first: Option<Option<&Replications>>) -> Value {
        let rows = self.figures.iter().filter_map(|(metric, _)| {
            let sample = self.sample(metric)?;
            let mut row = json!({
                "metric": metric.name,
                "unit": if metric.is_share() { "ratio" } else { "ns" },
                "n": sample.count,
                "mean": sample.mean,
                "low": sample.low(),
                "high": sample.high(),
            });
            let fields = row.as_object_mut()?;
            if let Some(of) = &metric.of {
                fields.insert("of".to_owned(), of.as_str().into());
            }
            if let Some(first) = first {
                let difference = first.and_then(|first| self.difference(first, metric));
                let verdict = first.map_or("baseline", |_| verdict(difference.as_ref()));
                let sample = difference.map(|difference| difference.sample);
                fields.insert("difference".to_owned(), sample.map(|of| of.mean).into());
                fields.insert("difference_low".to_owned(), sample.and_then(|of| of.low()).into());
                fields.insert("difference_high".to_owned(), sample.and_then(|of| of.high()).into());
                fields.insert("verdict".to_owned(), verdict.into());
            }
            Some(row)
        });
        json!({
            "n": self.count(),
            "level": LEVEL,
            "seeds": self.seeds.iter().copied().map(seed_in_json).collect::<Vec<_>>(),
            "same_timeline": self.are_alike(),
            "rows": rows.collect::<Vec<_>>(),
        })
    }
}

/// Of all these figures less is better.
fn verdict(difference: Option<&Difference>) -> &'static str {
    match difference.filter(|difference| difference.is_distinguishable()) {
        Some(difference) if difference.sample.mean < 0.0 => "better",
        Some(_) => "worse",
        None => "not distinguishable",
    }
}

/// The figures of one run.
#[expect(clippy::cast_precision_loss, reason = "a statistic")]
fn figures(outcome: &Outcome) -> Vec<(Metric, Option<f64>)> {
    let mut figures = vec![(Metric { name: "makespan", of: None }, Some(outcome.makespan_ns as f64))];
    let kinds = &outcome.kinds;
    for kind in kinds {
        let of = Some(&kind.name).filter(|_| kinds.len() > 1).cloned();
        let latency = kind.latency();
        figures.push((Metric { name: "latency.mean", of: of.clone() }, latency.mean));
        figures.push((Metric { name: "latency.p99", of }, latency.p99.map(|ns| ns as f64)));
    }
    if outcome.summary.waited_share.is_some() {
        figures.push((Metric { name: "waited_share", of: None }, outcome.summary.waited_share));
    }
    for device in outcome.devices.iter().filter(|device| device.utilisation.is_some()) {
        figures.push((Metric { name: "waited_share", of: Some(device.name.clone()) }, device.waited_share));
    }
    figures
}
