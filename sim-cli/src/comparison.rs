//! What `sim compare` has to say in numbers: the distance, beside it what must be known to judge it, and a verdict.

use serde::Serialize;
use sim_core::compare::{Distance, TaskDistance};
use sim_core::outcome::{KindOutcome, Outcome};
use sim_core::statistics::{mean, median, quantile, sorted};

use crate::table::percent;

mod groups;
mod words;

pub use groups::GroupComparison;

use words::{closeness_in_words, farther_than_real_runs, verdict};

/// The distance of a simulation from real runs, and how far to trust it.
#[derive(Clone, Debug, Serialize)]
pub struct Comparison {
    /// How many real runs were set aside as disturbed.
    pub dropped: usize,
    /// Was every real run disturbed? Then those that were are shown, without errors.
    pub disturbed: bool,
    /// What recorded the real runs.
    pub recorder: String,
    /// What should be known before the figures are believed.
    pub warnings: Vec<String>,
    /// Are the two the same thing, so that errors mean something?
    pub comparable: bool,
    /// Why not, in a sentence.
    pub not_comparable: Option<String>,
    /// Are there errors all the same?
    #[serde(skip)]
    pub gives_errors: bool,
    /// How the errors compare with the spread of real runs, in words.
    pub verdict: String,
    /// Kind by kind of task.
    pub kinds: Vec<KindComparison>,
    /// Group by group; missing without groups.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<GroupComparison>,
    /// What all figures beside the next two, and `--tolerance`, go by.
    pub basis: Basis,
    /// How near the simulation is of what the file says.
    pub ideal: Closeness,
    /// How near the prediction is, if there is one.
    pub predicted: Option<Closeness>,
    /// The distance of the basis.
    #[serde(flatten)]
    pub distance: Distance,
    /// That of what the file says, where the basis is the prediction.
    #[serde(skip)]
    pub ideal_distance: Option<Distance>,
    /// The makespans of the three: what the file says, the prediction, the real runs.
    #[serde(skip)]
    pub bands: Bands,
}

/// What is held against real runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Basis {
    /// What the file says.
    Ideal,
    /// The same on the machine of a profile.
    Predicted,
}

/// How near a simulation is to real runs, in a few figures.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[expect(missing_docs, reason = "as in `Distance`")]
pub struct Closeness {
    pub makespan_error: Option<f64>,
    pub completion_error: Option<f64>,
    pub latency_error: Option<f64>,
    pub agreement: Option<f64>,
    pub service_distance_ns: Option<u64>,
    pub ratio: Option<f64>,
    /// Of a prediction: does the median real makespan lie between the fifth and the ninety-fifth percentile of the ensemble? Not known
    /// where the horizon ends both.
    pub inside_band: Option<bool>,
}

/// A makespan and how far it varies, in nanoseconds.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Band {
    /// The median.
    pub median: f64,
    /// Where most begin: a twentieth of predictions are below, a tenth of real runs.
    pub from: f64,
    /// Where most end.
    pub to: f64,
}

/// The makespans of what the file says, of the prediction, of the real runs.
#[derive(Clone, Copy, PartialEq, Default, Debug)]
#[expect(missing_docs, reason = "said above")]
pub struct Bands {
    pub ideal: Option<Band>,
    pub predicted: Option<Band>,
    pub measured: Option<Band>,
}

/// All instances of a task of the file, simulated and measured.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct KindComparison {
    /// `process/task`.
    pub name: String,
    /// How many instances there are.
    pub instances: u64,
    /// Mean over its tasks of |simulated − median real| / median real finish.
    pub completion_error: Option<f64>,
    /// Mean over its tasks of |simulated − median real| / median real turnaround.
    pub latency_error: Option<f64>,
    /// The full name of the task whose latency is farthest off.
    pub worst: Option<String>,
    /// The latencies of its tasks in the simulation: for each figure the median over the ensemble.
    pub simulated: Latencies,
    /// The same in the real runs: for each figure the median over the runs.
    pub measured: Latencies,
}

/// Latencies of the tasks of a kind: from arrival to finish. A percentile of too few tasks is null.
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Latencies {
    pub mean_ns: Option<f64>,
    pub p50_ns: Option<f64>,
    pub p95_ns: Option<f64>,
    pub p99_ns: Option<f64>,
    pub max_ns: Option<f64>,
}

impl Comparison {
    /// Puts together what is known of a simulation and the real runs that were kept.
    #[must_use]
    pub fn new(distance: Distance, simulated: &Outcome, measured: &[Outcome]) -> Comparison {
        Comparison {
            dropped: 0,
            disturbed: false,
            recorder: String::new(),
            warnings: Vec::new(),
            comparable: true,
            not_comparable: None,
            gives_errors: true,
            verdict: verdict(&distance),
            kinds: kinds(&[simulated], measured, &distance.tasks),
            groups: groups::groups(&[simulated], measured),
            basis: Basis::Ideal,
            ideal: Closeness::of(&distance),
            predicted: None,
            ideal_distance: None,
            distance,
            bands: Bands {
                ideal: Band::of([simulated], [0.0, 1.0]),
                predicted: None,
                measured: Band::of(measured, [0.1, 0.9]),
            },
        }
    }

    /// The same with a prediction, by which all figures go from here on: its distance, and the runs of its ensemble.
    #[must_use]
    pub fn predicted(self, distance: Distance, ensemble: &[&Outcome], measured: &[Outcome]) -> Comparison {
        let bands = Bands { predicted: Band::of(ensemble.iter().copied(), [0.05, 0.95]), ..self.bands };
        let inside = bands.predicted.zip(bands.measured).filter(|_| !distance.horizon_ends_both);
        let inside = inside.map(|(ours, real)| ours.has(real.median));
        Comparison {
            verdict: closeness_in_words(&distance, bands.measured.map(|band| band.median)),
            kinds: kinds(ensemble, measured, &distance.tasks),
            groups: groups::groups(ensemble, measured),
            basis: Basis::Predicted,
            predicted: Some(Closeness { inside_band: inside, ..Closeness::of(&distance) }),
            ideal_distance: Some(self.distance),
            distance,
            bands,
            ..self
        }
    }

    /// The verdict for people. That of a prediction is about the processor time received, which says little where tasks mostly wait:
    /// so latency comes before it, and what is off by more than real runs are apart.
    #[must_use]
    pub fn verdict_in_words(&self) -> String {
        let Distance { runs, agreement, latency_error, horizon_ends_both, .. } = self.distance;
        if self.basis == Basis::Ideal || !self.gives_errors {
            return self.verdict.clone();
        }
        // Where the horizon ends both it has been said.
        let latency = latency_error.filter(|_| !horizon_ends_both);
        let latency = latency.map(|error| format!("latency off by {:.2} % in the mean", error * 100.0));
        let judges = runs > 1 && agreement.is_some();
        let of = if judges { "processor time received: " } else { "" };
        let last = Some(format!("{of}{}", self.verdict));
        latency.into_iter().chain(farther_than_real_runs(&self.distance)).chain(last).collect::<Vec<_>>().join("; ")
    }

    /// The same with more that should be known first.
    #[must_use]
    pub fn warned(mut self, warnings: &[String]) -> Comparison {
        self.warnings.extend_from_slice(warnings);
        self
    }

    /// How many real runs were undisturbed.
    #[must_use]
    pub fn clean(&self) -> usize {
        if self.disturbed { 0 } else { self.distance.runs }
    }

    /// How many real runs were made.
    #[must_use]
    pub fn made(&self) -> usize {
        self.clean() + self.dropped
    }

    /// The same, with errors that mean little: what ran is not what was simulated, and this sentence says so.
    #[must_use]
    pub fn doubted(self, why: &str) -> Comparison {
        let verdict = format!("{}; but {why}", self.verdict);
        Comparison { comparable: false, not_comparable: Some(why.to_owned()), verdict, ..self }
    }

    /// The same without errors: what ran is not what was simulated, and this sentence says so.
    #[must_use]
    pub fn refused(self, why: &str) -> Comparison {
        let kinds = self.kinds.into_iter().map(|kind| KindComparison {
            completion_error: None,
            latency_error: None,
            worst: None,
            ..kind
        });
        Comparison {
            comparable: false,
            gives_errors: false,
            not_comparable: Some(why.to_owned()),
            verdict: format!("not compared: {why}"),
            kinds: kinds.collect(),
            ideal: Closeness::NONE,
            predicted: self.predicted.map(|_| Closeness::NONE),
            distance: self.distance.without_errors(),
            ideal_distance: self.ideal_distance.map(Distance::without_errors),
            ..self
        }
    }

    /// The errors that are above this share, each in a sentence: of the makespan, and of the latency.
    #[must_use]
    pub fn beyond(&self, tolerance: f64) -> Vec<String> {
        if !self.gives_errors {
            return vec![format!(
                "no error is known to be below {}, since the two were not compared",
                exact_percent(tolerance)
            )];
        }
        let errors = [
            ("the makespan is off by", "", self.distance.makespan_error),
            ("latency is off by", " in the mean over tasks", self.distance.latency_error),
        ];
        if errors.iter().all(|(_, _, error)| error.is_none()) {
            return vec![format!(
                "no error is known to be below {}, since nothing ended in both",
                exact_percent(tolerance)
            )];
        }
        let beyond = errors.into_iter().filter_map(|(words, of, error)| {
            let off = error?.abs();
            (off > tolerance)
                .then(|| format!("{words} {}{of}, more than {}", exact_percent(off), exact_percent(tolerance)))
        });
        beyond.collect()
    }
}

impl Closeness {
    /// Where nothing may be compared.
    const NONE: Closeness = Closeness {
        makespan_error: None,
        completion_error: None,
        latency_error: None,
        agreement: None,
        service_distance_ns: None,
        ratio: None,
        inside_band: None,
    };

    fn of(distance: &Distance) -> Closeness {
        Closeness {
            makespan_error: distance.makespan_error,
            completion_error: distance.completion_error,
            latency_error: distance.latency_error,
            agreement: distance.agreement,
            service_distance_ns: distance.service_distance_ns,
            ratio: distance.ratio,
            inside_band: None,
        }
    }
}

/// A band is this share of a makespan wider: what is as near as that is near, however sure of itself a prediction is.
const WIDENED: f64 = 0.001;

impl Band {
    /// The makespans of some runs, with the shares that are below and above.
    #[expect(clippy::cast_precision_loss, reason = "a statistic")]
    fn of<'a>(runs: impl IntoIterator<Item = &'a Outcome>, [from, to]: [f64; 2]) -> Option<Band> {
        let makespans = sorted(runs.into_iter().map(|run| run.makespan_ns as f64));
        let at = |share| quantile(&makespans, share);
        Some(Band { median: at(0.5)?, from: at(from)?, to: at(to)? })
    }

    /// Is a real makespan in it?
    #[must_use]
    pub fn has(&self, makespan: f64) -> bool {
        let wider = WIDENED * makespan;
        (self.from - wider..=self.to + wider).contains(&makespan)
    }
}

/// A share as a percentage, with as many digits as a small one needs.
fn exact_percent(share: f64) -> String {
    let digits = (1..9).find(|digits| share * 100.0 * 10_f64.powi(*digits) >= 1.0).unwrap_or(1);
    if digits == 1 { percent(share) } else { format!("{:.1$} %", share * 100.0, digits as usize + 1) }
}

/// Kind by kind, in the order of the simulations, which all have the same.
fn kinds(simulated: &[&Outcome], measured: &[Outcome], tasks: &[TaskDistance]) -> Vec<KindComparison> {
    let kinds = simulated.first().map_or(&[] as &[_], |run| &run.kinds);
    kinds
        .iter()
        .map(|kind| {
            KindComparison::new(
                kind,
                [Latencies::of_runs(kind, simulated.iter().copied()), Latencies::of_runs(kind, measured)],
                tasks,
            )
        })
        .collect()
}

impl KindComparison {
    fn new(kind: &KindOutcome, [simulated, measured]: [Latencies; 2], tasks: &[TaskDistance]) -> KindComparison {
        let own = || tasks.iter().filter(|task| task.kind == kind.name);
        let off = |task: &&TaskDistance| task.latency_error.map(f64::abs);
        // Backwards, so that of equals it is the first.
        let worst = (own().rev().filter(|task| off(task) > Some(0.0)))
            .max_by(|a, b| off(a).unwrap_or(0.0).total_cmp(&off(b).unwrap_or(0.0)));
        KindComparison {
            name: kind.name.clone(),
            instances: kind.instances,
            completion_error: mean(own().filter_map(|task| task.error).map(f64::abs)),
            latency_error: mean(own().filter_map(|task| off(&task))),
            worst: worst.map(|task| task.name.clone()),
            simulated,
            measured,
        }
    }
}

impl Latencies {
    #[expect(clippy::cast_precision_loss, reason = "a statistic")]
    fn of(kind: &KindOutcome) -> Latencies {
        let latency = kind.latency();
        let ns = |figure: Option<u64>| figure.map(|ns| ns as f64);
        Latencies {
            mean_ns: latency.mean,
            p50_ns: ns(latency.p50),
            p95_ns: ns(latency.p95),
            p99_ns: ns(latency.p99),
            max_ns: ns(latency.max),
        }
    }

    /// Those of a kind in several runs: for each figure the median.
    fn of_runs<'a>(kind: &KindOutcome, runs: impl IntoIterator<Item = &'a Outcome>) -> Latencies {
        let same = |run: &'a Outcome| run.kinds.iter().find(|other| other.name == kind.name);
        Latencies::median(&runs.into_iter().filter_map(same).map(Latencies::of).collect::<Vec<_>>())
    }

    fn median(of: &[Latencies]) -> Latencies {
        let median_of = |figure: fn(&Latencies) -> Option<f64>| median(of.iter().filter_map(figure));
        Latencies {
            mean_ns: median_of(|run| run.mean_ns),
            p50_ns: median_of(|run| run.p50_ns),
            p95_ns: median_of(|run| run.p95_ns),
            p99_ns: median_of(|run| run.p99_ns),
            max_ns: median_of(|run| run.max_ns),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sim_core::document::Source;
    use sim_core::scenario::lower;
    use sim_core::timeline::Timeline;

    #[test]
    fn a_verdict_on_processor_time_does_not_hide_what_is_off() {
        let told = |makespan_error, latency_error| {
            let distance = Distance {
                runs: 5,
                ratio: Some(3.5),
                agreement: Some(0.9),
                service_distance_ns: Some(9_000),
                makespan_error: Some(makespan_error),
                makespan_spread: Some(0.004),
                latency_error: Some(latency_error),
                latency_spread: Some(0.005),
                ..Distance::default()
            };
            let scenario = Source { file: "a.toml", text: "[[task]]\nname = 'A'\nprogram = [{ cpu = '1ms' }]" };
            let scenario = lower::scenario(&scenario, &[]).expect("valid");
            let outcome = crate::testing::measured(&scenario, &Timeline::default());
            let comparison = Comparison::new(distance.clone(), &outcome, &[]).predicted(distance, &[], &[]);
            comparison.verdict_in_words()
        };
        let rest = "processor time received: 3.5 times as far from real runs as these are from each other";
        assert_eq!(told(0.001, 0.002), format!("latency off by 0.20 % in the mean; {rest}"));
        let far = "latency off by 9.00 % in the mean; the makespan and latency are farther off than real runs are apart (0.40 % and 0.50 %)";
        assert_eq!(told(-0.0829, 0.09), format!("{far}; {rest}"));
        let far = "latency off by 0.10 % in the mean; the makespan is farther off than real runs are apart (0.40 %)";
        assert_eq!(told(0.0829, 0.001), format!("{far}; {rest}"));
    }

    #[test]
    fn where_no_error_is_known_none_is_within_a_tolerance() {
        let compared = |makespan_error, latency_error| {
            let distance = Distance { makespan_error, latency_error, horizon_ends_both: true, ..Distance::default() };
            let scenario = Source { file: "a.toml", text: "[[task]]\nname = 'A'\nprogram = [{ cpu = '1ms' }]" };
            let scenario = lower::scenario(&scenario, &[]).expect("valid");
            Comparison::new(distance, &crate::testing::measured(&scenario, &Timeline::default()), &[])
        };
        let unknown = compared(None, None).beyond(0.05);
        assert_eq!(unknown, ["no error is known to be below 5.0 %, since nothing ended in both"]);
        assert_eq!(compared(None, Some(0.01)).beyond(0.05), [""; 0]);
        assert_eq!(compared(None, Some(0.06)).beyond(0.05).len(), 1);
    }

    #[test]
    fn a_band_is_a_thousandth_wider_than_its_ensemble() {
        let band = Band { median: 1.0e6, from: 0.99e6, to: 1.01e6 };
        for (makespan, inside) in
            [(1.0e6, true), (1.0109e6, true), (1.0121e6, false), (0.98902e6, true), (0.98e6, false)]
        {
            assert_eq!(band.has(makespan), inside, "{makespan}");
        }
    }
}
