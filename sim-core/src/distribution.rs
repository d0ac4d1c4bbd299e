//! Distributions of durations: constant, or drawn from a named stream with portable mathematics.
//!
//! Variates are computed as doubles with `libm` (never the platform's functions) and rounded once, to the nearest
//! nanosecond, so that the same seed gives the same spans on every machine.

mod read;
mod write;

use std::sync::Arc;

use crate::rng::Stream;
use crate::time::Span;

/// A duration, or the law it is drawn from.
#[derive(Clone, PartialEq, Debug)]
pub enum Distribution {
    /// Always this long.
    Constant(Span),
    /// Drawn. Shared: a device's default law stands in every request to it, a process's in every copy.
    Random(Arc<Law>),
}

/// A law of random durations. All times are nanoseconds.
#[derive(Clone, PartialEq, Debug)]
pub enum Law {
    /// Any duration from `low` to `high`, both included.
    Uniform {
        /// Shortest.
        low: Span,
        /// Longest.
        high: Span,
    },
    /// Memoryless, with this mean.
    Exponential {
        /// The mean.
        mean: Span,
    },
    /// The bell curve, cut off at zero: negative draws count as zero.
    Normal {
        /// Mean of the uncut curve.
        mean: Span,
        /// Standard deviation of the uncut curve.
        sd: Span,
    },
    /// A duration whose logarithm is normal.
    Lognormal {
        /// Half of the draws are shorter.
        median: Span,
        /// Standard deviation of the logarithm.
        sigma: f64,
    },
    /// The sum of `k` exponential phases.
    Erlang {
        /// Phases, at least 1.
        k: u32,
        /// Mean of the sum.
        mean: Span,
    },
    /// One of several exponential laws, by weight.
    Hyperexponential {
        /// Weight and mean of each. Invariant: not empty, weights sum to more than zero.
        branches: Vec<(f64, Span)>,
    },
    /// Heavy-tailed, from `min` upwards, bounded by `max` if there is one.
    Pareto {
        /// Shortest.
        min: Span,
        /// Tail index: smaller is heavier.
        alpha: f64,
        /// Longest (the bounded Pareto law).
        max: Option<Span>,
    },
    /// One of several durations, by weight.
    Choice {
        /// Weight and duration of each. Invariant: not empty, weights sum to more than zero.
        branches: Vec<(f64, Span)>,
    },
    /// One of the samples, each as likely as the others.
    Samples {
        /// Invariant: not empty.
        values: Vec<Span>,
    },
}

/// The names of all forms a duration can take, with an example each, for listings.
pub const DISTRIBUTIONS: &[(&str, &str, &str)] = &[
    ("constant", "always the same", r#"{ constant = "5ms" }, or plainly "5ms""#),
    ("uniform", "anything between two bounds", r#"{ uniform = ["1ms", "9ms"] }"#),
    ("exponential", "memoryless; the mean", r#"{ exponential = "5ms" }"#),
    ("normal", "the bell curve, cut off at zero", r#"{ normal = { mean = "5ms", sd = "1ms" } }"#),
    ("lognormal", "its logarithm is normal", r#"{ lognormal = { median = "5ms", sigma = 0.5 } }"#),
    ("erlang", "the sum of k exponential phases", r#"{ erlang = { k = 3, mean = "5ms" } }"#),
    (
        "hyperexponential",
        "one of several exponentials, by weight",
        r#"{ hyperexponential = [[0.9, "1ms"], [0.1, "41ms"]] }"#,
    ),
    ("pareto", "heavy-tailed; max is optional", r#"{ pareto = { min = "1ms", alpha = 1.5, max = "1s" } }"#),
    ("choice", "one of several durations, by weight", r#"{ choice = [[0.9, "1ms"], [0.1, "50ms"]] }"#),
    ("samples", "one of the samples, equally likely", r#"{ samples = ["1ms", "2ms", "2ms", "9ms"] }"#),
];

impl Distribution {
    /// The duration if there is no chance in it.
    #[must_use]
    pub fn constant(&self) -> Option<Span> {
        match self {
            Distribution::Constant(span) => Some(*span),
            Distribution::Random(_) => None,
        }
    }

    /// The longest that can be drawn, if there is one.
    #[must_use]
    pub fn most(&self) -> Option<Span> {
        match self {
            Distribution::Constant(span) => Some(*span),
            Distribution::Random(law) => law.bounds().1,
        }
    }

    /// Nothing shorter can be drawn.
    #[must_use]
    pub fn least(&self) -> Span {
        match self {
            Distribution::Constant(span) => *span,
            Distribution::Random(law) => law.bounds().0,
        }
    }
}

impl Law {
    /// The shortest that can be drawn, and the longest if there is one.
    fn bounds(&self) -> (Span, Option<Span>) {
        match self {
            Law::Uniform { low, high } => (*low, Some(*high)),
            Law::Pareto { min, max, .. } => (*min, *max),
            Law::Choice { branches } => {
                extremes(branches.iter().filter(|(weight, _)| *weight > 0.0).map(|(_, span)| *span))
            }
            Law::Samples { values } => extremes(values.iter().copied()),
            _ => (Span::ZERO, None),
        }
    }

    /// Draws a duration.
    #[inline]
    pub fn draw(&self, stream: &mut Stream) -> Span {
        match self {
            // What most models are made of is drawn without a detour.
            Law::Exponential { mean } => rounded(exponential(float(*mean), stream)),
            _ => self.draw_other(stream),
        }
    }

    fn draw_other(&self, stream: &mut Stream) -> Span {
        match self {
            Law::Uniform { low, high } => {
                // `high - low` is at most 2^63 - 1, so the bound cannot overflow.
                Span::from_ns(low.ns() + stream.below((*high - *low).ns() + 1))
            }
            Law::Exponential { mean } => rounded(exponential(float(*mean), stream)),
            Law::Normal { mean, sd } => rounded(float(*mean) + float(*sd) * standard_normal(stream)),
            Law::Lognormal { median, sigma } => rounded(float(*median) * libm::exp(sigma * standard_normal(stream))),
            Law::Erlang { k, mean } => {
                let phase = float(*mean) / f64::from(*k);
                rounded((0..*k).map(|_| exponential(phase, stream)).sum())
            }
            Law::Hyperexponential { branches } => rounded(exponential(float(weighted(branches, stream)), stream)),
            Law::Pareto { min, alpha, max } => rounded(pareto(float(*min), *alpha, max.map(float), stream)),
            Law::Choice { branches } => weighted(branches, stream),
            #[expect(clippy::cast_possible_truncation, reason = "below the length of a vector")]
            Law::Samples { values } => values[stream.below(values.len() as u64) as usize],
        }
    }
}

fn extremes(spans: impl Iterator<Item = Span> + Clone) -> (Span, Option<Span>) {
    (spans.clone().min().unwrap_or(Span::ZERO), spans.max())
}

/// Draws one of several things by weight. `branches` must not be empty.
#[inline(never)]
pub fn weighted<T: Copy>(branches: &[(f64, T)], stream: &mut Stream) -> T {
    let total: f64 = branches.iter().map(|(weight, _)| weight).sum();
    let mut rest = stream.unit() * total;
    for (weight, value) in branches {
        if rest < *weight {
            return *value;
        }
        rest -= weight;
    }
    // Rounding can leave a crumb beyond the last weight: it belongs to the last branch that can be drawn at all.
    branches.iter().rev().find(|(weight, _)| *weight > 0.0).unwrap_or(&branches[branches.len() - 1]).1
}

fn exponential(mean: f64, stream: &mut Stream) -> f64 {
    -mean * libm::log(stream.positive_unit())
}

/// Box & Muller's transform, of which only one half is used: every draw takes two numbers, whatever went before.
fn standard_normal(stream: &mut Stream) -> f64 {
    let radius = libm::sqrt(-2.0 * libm::log(stream.positive_unit()));
    radius * libm::cos(2.0 * std::f64::consts::PI * stream.unit())
}

/// The inverse of the distribution function; with a maximum, of the bounded law.
fn pareto(min: f64, alpha: f64, max: Option<f64>, stream: &mut Stream) -> f64 {
    let tail = max.map_or(0.0, |max| libm::pow(min / max, alpha));
    let u = stream.unit();
    min * libm::pow(1.0 - u * (1.0 - tail), -1.0 / alpha)
}

#[expect(clippy::cast_precision_loss, reason = "a draw needs no more than 53 bits")]
fn float(span: Span) -> f64 {
    // No span of a law has more than 63 bits, and signed numbers become doubles in one step.
    span.ns().cast_signed() as f64
}

/// The nearest whole nanosecond; negative counts as zero, too long as the longest span.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped before")]
fn rounded(ns: f64) -> Span {
    let longest = 9.2e18;
    // Not quite a half, as in `libm::round`: what lies just below a half is rounded down, though the sum would be rounded up.
    let half = 0.5 - 0.25 * f64::EPSILON;
    Span::from_ns((ns.clamp(0.0, longest) + half) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::StreamName;

    fn ms(x: u64) -> Span {
        Span::from_ms(x)
    }

    fn laws() -> Vec<(Law, f64)> {
        vec![
            (Law::Uniform { low: ms(1), high: ms(9) }, 5.0),
            (Law::Exponential { mean: ms(5) }, 5.0),
            (Law::Normal { mean: ms(5), sd: ms(1) }, 5.0),
            (Law::Lognormal { median: ms(5), sigma: 0.5 }, 5.0 * libm::exp(0.125)),
            (Law::Erlang { k: 3, mean: ms(5) }, 5.0),
            (Law::Hyperexponential { branches: vec![(0.9, ms(1)), (0.1, ms(41))] }, 5.0),
            (Law::Pareto { min: ms(1), alpha: 3.0, max: None }, 1.5),
            (Law::Pareto { min: ms(1), alpha: 1.5, max: Some(ms(1000)) }, 2.905),
            (Law::Choice { branches: vec![(0.9, ms(1)), (0.1, ms(50))] }, 5.9),
            (Law::Samples { values: vec![ms(1), ms(2), ms(2), ms(9)] }, 3.5),
        ]
    }

    #[test]
    fn means_are_what_the_laws_say() {
        for (index, (law, mean)) in laws().into_iter().enumerate() {
            let mut stream = StreamName::new(1).number(index as u64).stream();
            let n = 200_000;
            let got = (0..n).map(|_| law.draw(&mut stream).seconds() * 1e3).sum::<f64>() / f64::from(n);
            assert!((got - mean).abs() < 0.03 * mean, "{law:?}: mean {got}, expected {mean}");
        }
    }

    #[test]
    fn durations_are_rounded_to_the_nearest_nanosecond() {
        let mut stream = StreamName::new(3).word("rounding").stream();
        let drawn = (0..100_000).map(|_| f64::exp2(70.0 * stream.unit() - 3.0));
        let halves = (0..1000).map(|n| f64::from(n) + 0.5).flat_map(|half| [half.next_down(), half, half.next_up()]);
        for ns in drawn.chain(halves).chain([-1.0, 0.0, 4_503_599_627_370_495.5, 9_007_199_254_740_993.0]) {
            let nearest = libm::round(ns.clamp(0.0, 9.2e18));
            assert!((float(rounded(ns)) - nearest).abs() < 1e-9, "{ns} became {:?}, not {nearest}", rounded(ns));
        }
    }

    /// The bits of every law, pinned: a change here is a change of every user's results.
    #[test]
    fn first_draws_never_change() {
        let draws: Vec<String> = laws()
            .iter()
            .map(|(law, _)| {
                let mut stream = StreamName::new(7).word("golden").stream();
                (0..3).map(|_| law.draw(&mut stream).ns().to_string()).collect::<Vec<_>>().join(" ")
            })
            .collect();
        expect_test::expect![[r#"
            1190635 1623501 8197878
            120590 405713 11499680
            5193815 3572353 4047870
            5508793 2448840 3106116
            4008661 2836222 3552453
            81143 455586 768476
            1008072 1027417 2152533
            1016208 1055583 4632523
            1000000 1000000 1000000
            1000000 1000000 9000000"#]]
        .assert_eq(&draws.join("\n"));
    }
}
