//! What the replications of all variations say together: estimates with intervals, differences from the baseline, and which
//! of those can be told from chance.

use super::{Better, Experiment};
use crate::statistics::{Interval, holm, nearest_rank, quantile_interval, sorted};

/// The figures of one variation: for each metric that of every replication, in their order; `None` where a run had none.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Figures {
    /// By metric, then by replication.
    pub of: Vec<Vec<Option<f64>>>,
    /// By metric, the samples of all replications of those that are pooled, in no order.
    pub samples: Vec<Vec<f64>>,
}

/// What is known of one metric of one variation.
#[derive(Clone, PartialEq, Debug)]
pub struct Estimate {
    /// Which variation.
    pub variation: usize,
    /// Which metric.
    pub metric: usize,
    /// How many replications had a figure; of a pooled quantile, how many samples there are.
    pub n: usize,
    /// The mean over replications, or the pooled quantile; `None` without any.
    pub mean: Option<f64>,
    /// The bounds of its interval at the level of the experiment; `None` where there are too few figures for one.
    pub bounds: Option<(f64, f64)>,
    /// The mean difference from the baseline over pairs of replications of one number, if it has a baseline that is not
    /// itself. None of pooled quantiles: their samples have no pairs.
    pub difference: Option<Interval>,
    /// The difference of the same means as if their replications had nothing in common: what pairing has gained.
    pub unpaired_half_width: Option<f64>,
    /// What there is to say of the difference; `None` without a baseline.
    pub verdict: Option<Verdict>,
}

/// What there is to say of a difference from the baseline.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// It is the baseline.
    Baseline,
    /// The metric has a good direction, and it went there.
    Better,
    /// It went the other way.
    Worse,
    /// The metric has no good direction, and it rose.
    Higher,
    /// It fell.
    Lower,
    /// It may be chance.
    NotDistinguishable,
}

impl Verdict {
    /// As results have it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Verdict::Baseline => "baseline",
            Verdict::Better => "better",
            Verdict::Worse => "worse",
            Verdict::Higher => "higher",
            Verdict::Lower => "lower",
            Verdict::NotDistinguishable => "not distinguishable",
        }
    }

    /// That of a difference that is none of chance.
    fn of(difference: f64, better: Option<Better>) -> Verdict {
        match (better, difference < 0.0) {
            (None, true) => Verdict::Lower,
            (None, false) => Verdict::Higher,
            (Some(Better::Lower), true) | (Some(Better::Higher), false) => Verdict::Better,
            (Some(Better::Lower), false) | (Some(Better::Higher), true) => Verdict::Worse,
        }
    }
}

impl Experiment {
    /// The estimates of all variations: variation by variation, and of each metric by metric.
    ///
    /// Differences are judged by Holm's procedure over the variations of a metric at the level of the experiment, so that
    /// with many variations chance alone does not make some of them better. Their intervals are each at that level for
    /// itself.
    #[must_use]
    pub fn estimates(&self, figures: &[Figures]) -> Vec<Estimate> {
        let of =
            |variation: usize| (0..self.metrics.len()).map(move |metric| self.estimate(figures, variation, metric));
        let mut estimates: Vec<Estimate> = (0..figures.len()).flat_map(of).collect();
        for metric in 0..self.metrics.len() {
            self.judge(&mut estimates, metric);
        }
        estimates
    }

    /// The mean difference of a metric of two variations over pairs of replications of one number; `None` without any, and of
    /// pooled quantiles.
    #[must_use]
    pub fn difference(&self, figures: &[Figures], variation: usize, from: usize, metric: usize) -> Option<Interval> {
        paired(&figures[variation].of[metric], &figures[from].of[metric], self.level)
            .filter(|_| self.metrics[metric].pooled().is_none())
    }

    fn estimate(&self, figures: &[Figures], variation: usize, metric: usize) -> Estimate {
        let baseline = self.baseline_of(variation).filter(|baseline| *baseline < figures.len());
        let verdict = baseline.filter(|baseline| *baseline == variation).map(|_| Verdict::Baseline);
        let none = Estimate {
            variation,
            metric,
            n: 0,
            mean: None,
            bounds: None,
            difference: None,
            unpaired_half_width: None,
            verdict,
        };
        if let Some(share) = self.metrics[metric].pooled() {
            let samples = sorted(figures[variation].samples[metric].iter().copied());
            let mean = nearest_rank(&samples, share);
            return Estimate { n: samples.len(), mean, bounds: quantile_interval(&samples, share, self.level), ..none };
        }
        let own = &figures[variation].of[metric];
        let interval = Interval::of(&own.iter().copied().flatten().collect::<Vec<_>>(), self.level);
        let other = baseline.filter(|baseline| *baseline != variation).map(|baseline| &figures[baseline].of[metric]);
        Estimate {
            n: interval.map_or(0, |interval| interval.count),
            mean: interval.map(|interval| interval.mean),
            bounds: interval.and_then(|interval| Some((interval.low()?, interval.high()?))),
            difference: other.and_then(|other| paired(own, other, self.level)),
            unpaired_half_width: other.and_then(|other| unpaired(own, other, self.level)),
            ..none
        }
    }

    /// Says of each difference of a metric what there is to say, all looked at together.
    fn judge(&self, estimates: &mut [Estimate], metric: usize) {
        let of_metric = |estimate: &Estimate| estimate.metric == metric;
        let judged = |estimate: &Estimate| Some((estimate.difference?.mean, estimate.difference?.significance()?));
        let differences: Vec<(f64, f64)> = estimates.iter().filter(|one| of_metric(one)).filter_map(judged).collect();
        let values: Vec<f64> = differences.iter().map(|(_, value)| *value).collect();
        let mut significant = holm(&values, self.level).into_iter();
        for estimate in estimates.iter_mut().filter(|one| of_metric(one)) {
            let Some((difference, _)) = judged(estimate) else { continue };
            estimate.verdict = Some(if significant.next() == Some(true) {
                Verdict::of(difference, self.metrics[metric].better())
            } else {
                Verdict::NotDistinguishable
            });
        }
    }
}

/// The difference of replications of one number, which saw the same chance.
fn paired(own: &[Option<f64>], other: &[Option<f64>], level: f64) -> Option<Interval> {
    let pairs = own.iter().zip(other).filter_map(|(own, other)| Some((*own)? - (*other)?));
    Interval::of(&pairs.collect::<Vec<_>>(), level)
}

/// How far the interval of the difference would reach if replications were independent (Welch).
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "degrees of freedom are between one and the number of runs"
)]
fn unpaired(own: &[Option<f64>], other: &[Option<f64>], level: f64) -> Option<f64> {
    let of = |figures: &[Option<f64>]| Interval::of(&figures.iter().copied().flatten().collect::<Vec<_>>(), level);
    let (own, other) = (of(own)?, of(other)?);
    let (a, b) = (own.error?.powi(2), other.error?.powi(2));
    if a + b <= 0.0 {
        return Some(0.0);
    }
    let freedom = (a + b).powi(2) / (a * a / (own.count - 1) as f64 + b * b / (other.count - 1) as f64);
    Some(libm::sqrt(a + b) * crate::statistics::student((freedom as usize).max(1), level))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::Source;

    fn experiment(metrics: &str) -> Experiment {
        let text = format!(
            "scenario = \"a.toml\"\nmetrics = [{metrics}]\nbaseline = {{ a = 1 }}\n[vary]\na = [1, 2]\nb = [1, 2]"
        );
        Experiment::read(&Source { file: "e.toml", text: &text }).expect("valid")
    }

    fn figures(of: &[&[f64]]) -> Vec<Figures> {
        let figure = |figures: &[f64]| Figures {
            of: vec![figures.iter().map(|figure| Some(*figure)).collect()],
            samples: vec![Vec::new()],
        };
        of.iter().map(|of| figure(of)).collect()
    }

    #[test]
    fn differences_are_paired_with_the_baseline_that_differs_in_nothing_else() {
        // a = 2, b = 1 is compared with a = 1, b = 1; their replications move together.
        let figures = figures(&[&[10.0, 20.0, 30.0], &[5.0, 5.0, 5.1], &[9.0, 19.0, 28.9], &[5.0, 5.0, 5.1]]);
        let estimates = experiment("\"makespan\"").estimates(&figures);
        assert_eq!(estimates[0].verdict, Some(Verdict::Baseline));
        let third = &estimates[2];
        let difference = third.difference.expect("a difference");
        assert!((difference.mean - -1.033_333).abs() < 1e-5, "{difference:?}");
        assert!(difference.half_width.expect("three pairs") < 0.2);
        assert!(third.unpaired_half_width.expect("three figures") > 20.0);
        assert_eq!(third.verdict, Some(Verdict::Better), "a smaller makespan");
        let fourth = &estimates[3];
        assert_eq!(fourth.difference.map(|difference| difference.mean), Some(0.0));
        assert_eq!(fourth.verdict, Some(Verdict::NotDistinguishable));
    }

    #[test]
    fn directions_are_those_of_the_metric() {
        for (metric, verdict) in [
            ("makespan", Verdict::Worse),
            ("throughput_per_s", Verdict::Better),
            ("processor.0.utilisation", Verdict::Higher),
        ] {
            let figures = figures(&[&[1.0, 2.0], &[1.0, 1.0], &[2.0, 3.0], &[1.0, 1.0]]);
            let estimates = experiment(&format!("\"{metric}\"")).estimates(&figures);
            assert_eq!(estimates[2].verdict, Some(verdict), "{metric}");
        }
    }

    #[test]
    fn what_a_run_has_not_is_not_counted() {
        let mut figures = figures(&[&[1.0, 2.0, 3.0], &[1.0, 1.0, 1.0], &[2.0, 3.0, 4.0], &[1.0, 1.0, 1.0]]);
        figures[2].of[0][1] = None;
        let estimates = experiment("\"makespan\"").estimates(&figures);
        assert_eq!((estimates[2].n, estimates[2].mean), (2, Some(3.0)));
        assert_eq!(estimates[2].difference.map(|difference| difference.count), Some(2));
        figures[2].of[0] = vec![None; 3];
        let estimates = experiment("\"makespan\"").estimates(&figures);
        assert_eq!((estimates[2].n, estimates[2].mean, estimates[2].verdict), (0, None, None));
    }

    #[test]
    fn pooled_quantiles_have_intervals_of_their_own() {
        let experiment = experiment("\"pooled.turnaround.p50\"");
        let figures = vec![Figures { of: vec![vec![]], samples: vec![(1..=10).map(f64::from).collect()] }; 4];
        let estimates = experiment.estimates(&figures);
        assert_eq!((estimates[1].n, estimates[1].mean, estimates[1].bounds), (10, Some(5.0), Some((2.0, 9.0))));
    }
}
