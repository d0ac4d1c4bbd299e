//! Durations as Rust expressions.

use sim_core::distribution::{Distribution, Law};
use sim_core::time::Span;

/// An expression: what stands before its innermost arguments, these, and what stands behind them.
pub(super) struct Expression {
    pub(super) before: String,
    pub(super) arguments: Vec<String>,
    pub(super) behind: &'static str,
}

impl Expression {
    fn of(before: &str, arguments: Vec<String>, behind: &'static str) -> Expression {
        Expression { before: before.to_owned(), arguments, behind }
    }
}

/// A duration as an expression: a constant, or a draw.
pub(super) fn duration(duration: &Distribution) -> Expression {
    match duration {
        Distribution::Constant(span) => Expression::of("", vec![constant(*span)], ""),
        Distribution::Random(law) => drawn(law),
    }
}

/// A duration, exactly: `Duration::from_micros(2500)`.
pub(super) fn constant(span: Span) -> String {
    let units = [(1_000_000_000, "secs"), (1_000_000, "millis"), (1000, "micros")];
    let unit = units.into_iter().find(|(unit, _)| span.ns().is_multiple_of(*unit));
    match (span.is_zero(), unit) {
        (true, _) => "Duration::ZERO".to_owned(),
        (_, Some((unit, name))) => format!("Duration::from_{name}({})", digits(span.ns() / unit)),
        (_, None) => format!("Duration::from_nanos({})", digits(span.ns())),
    }
}

/// A whole number, with its digits in groups where there are many.
pub(super) fn digits(number: u64) -> String {
    let plain = number.to_string();
    if plain.len() < 5 {
        return plain;
    }
    let grouped = plain.char_indices().map(|(at, digit)| {
        let first = at > 0 && (plain.len() - at).is_multiple_of(3);
        if first { format!("_{digit}") } else { digit.to_string() }
    });
    grouped.collect()
}

/// A number with a point or an exponent.
pub(super) fn float(number: f64) -> String {
    format!("{number:?}")
}

fn drawn(law: &Law) -> Expression {
    let zero = || Expression::of("", vec![constant(Span::ZERO)], "");
    let draw = |name: &str, arguments: Vec<String>| Expression::of(&format!("{name}("), arguments, ")");
    match law {
        Law::Uniform { low, high } => draw("uniform", vec![constant(*low), constant(*high)]),
        Law::Exponential { mean } | Law::Erlang { mean, .. } if mean.is_zero() => zero(),
        Law::Exponential { mean } => draw("exponential", vec![constant(*mean)]),
        Law::Normal { mean, sd } => draw("normal", vec![constant(*mean), constant(*sd)]),
        Law::Lognormal { median, sigma } => draw("lognormal", vec![constant(*median), float(*sigma)]),
        Law::Erlang { k, mean } => draw("erlang", vec![k.to_string(), constant(*mean)]),
        Law::Hyperexponential { branches } => Expression::of("exponential(pick(&[", weighted(branches), "]))"),
        Law::Pareto { min, alpha, max: None } => draw("pareto", vec![constant(*min), float(*alpha)]),
        Law::Pareto { min, alpha, max: Some(max) } => {
            draw("bounded_pareto", vec![constant(*min), float(*alpha), constant(*max)])
        }
        Law::Choice { branches } => Expression::of("pick(&[", weighted(branches), "])"),
        Law::Samples { values } => {
            let values: Vec<(f64, Span)> = values.iter().map(|value| (1.0, *value)).collect();
            Expression::of("pick(&[", weighted(&values), "])")
        }
    }
}

fn weighted(branches: &[(f64, Span)]) -> Vec<String> {
    branches.iter().map(|(weight, value)| format!("({}, {})", float(*weight), constant(*value))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_exact_and_short() {
        let of = |ns| constant(Span::from_ns(ns));
        assert_eq!(of(0), "Duration::ZERO");
        assert_eq!(of(2_500_000), "Duration::from_micros(2500)");
        assert_eq!(of(3_000_000_000), "Duration::from_secs(3)");
        assert_eq!(of(1_234_567), "Duration::from_nanos(1_234_567)");
        assert_eq!((digits(9999), digits(10_000), digits(123_456)), ("9999".into(), "10_000".into(), "123_456".into()));
    }
}
