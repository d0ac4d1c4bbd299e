//! Durations as Python expressions, in seconds.

use sim_core::distribution::{Distribution, Law};
use sim_core::time::Span;

/// A duration as an expression: a number, or a draw.
pub(super) fn duration(duration: &Distribution) -> String {
    match duration {
        Distribution::Constant(span) => seconds(*span),
        Distribution::Random(law) => drawn(law),
    }
}

/// So many seconds, exactly: `0.0025`.
pub(super) fn seconds(span: Span) -> String {
    let (whole, rest) = (span.ns() / 1_000_000_000, span.ns() % 1_000_000_000);
    let rest = format!("{rest:09}");
    let rest = rest.trim_end_matches('0');
    if rest.is_empty() { whole.to_string() } else { format!("{whole}.{rest}") }
}

fn drawn(law: &Law) -> String {
    match law {
        Law::Uniform { low, high } => format!("random.uniform({}, {})", seconds(*low), seconds(*high)),
        Law::Exponential { mean } if mean.is_zero() => "0".to_owned(),
        Law::Exponential { mean } => format!("random.expovariate(1 / {})", seconds(*mean)),
        Law::Normal { mean, sd } => format!("max(0, random.gauss({}, {}))", seconds(*mean), seconds(*sd)),
        Law::Lognormal { median, sigma } => format!("{} * random.lognormvariate(0, {sigma})", seconds(*median)),
        Law::Erlang { mean, .. } if mean.is_zero() => "0".to_owned(),
        Law::Erlang { k, mean } => format!("random.gammavariate({k}, {} / {k})", seconds(*mean)),
        Law::Hyperexponential { branches } => format!("{} * random.expovariate(1)", chosen(branches)),
        Law::Pareto { min, alpha, max: None } => format!("{} * random.paretovariate({alpha})", seconds(*min)),
        Law::Pareto { min, alpha, max: Some(max) } => {
            format!("bounded_pareto({}, {alpha}, {})", seconds(*min), seconds(*max))
        }
        Law::Choice { branches } => chosen(branches),
        Law::Samples { values } => {
            format!("random.choice([{}])", values.iter().map(|value| seconds(*value)).collect::<Vec<_>>().join(", "))
        }
    }
}

fn chosen(branches: &[(f64, Span)]) -> String {
    let values: Vec<String> = branches.iter().map(|(_, value)| seconds(*value)).collect();
    let weights: Vec<String> = branches.iter().map(|(weight, _)| weight.to_string()).collect();
    format!("random.choices([{}], [{}])[0]", values.join(", "), weights.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_are_exact_and_short() {
        let of = |ns| seconds(Span::from_ns(ns));
        assert_eq!(of(0), "0");
        assert_eq!(of(2_500_000), "0.0025");
        assert_eq!(of(3_000_000_000), "3");
        assert_eq!(of(1), "0.000000001");
    }
}
