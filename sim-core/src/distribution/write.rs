//! Durations made shorter, and written as files have them.

use std::sync::Arc;

use super::{Distribution, Law};
use crate::time::Span;

impl Distribution {
    /// The same, faster by this many percent: each draw takes the same numbers of its stream and gives so much less. At 100 %
    /// it takes no time.
    #[must_use]
    pub fn faster(&self, percent: u32) -> Distribution {
        let scaled = |span: &Span| shorter(*span, percent);
        let law = match self {
            Distribution::Constant(span) => return Distribution::Constant(scaled(span)),
            Distribution::Random(law) => law,
        };
        let branches =
            |branches: &[(f64, Span)]| branches.iter().map(|(weight, span)| (*weight, scaled(span))).collect();
        let law = match &**law {
            Law::Uniform { low, high } => Law::Uniform { low: scaled(low), high: scaled(high) },
            Law::Exponential { mean } => Law::Exponential { mean: scaled(mean) },
            Law::Normal { mean, sd } => Law::Normal { mean: scaled(mean), sd: scaled(sd) },
            Law::Lognormal { median, sigma } => Law::Lognormal { median: scaled(median), sigma: *sigma },
            Law::Erlang { k, mean } => Law::Erlang { k: *k, mean: scaled(mean) },
            Law::Hyperexponential { branches: all } => Law::Hyperexponential { branches: branches(all) },
            // It cannot begin at zero. This takes one number of the stream as well.
            Law::Pareto { min, .. } if scaled(min).is_zero() => Law::Uniform { low: Span::ZERO, high: Span::ZERO },
            Law::Pareto { min, alpha, max } => {
                Law::Pareto { min: scaled(min), alpha: *alpha, max: max.as_ref().map(scaled) }
            }
            Law::Choice { branches: all } => Law::Choice { branches: branches(all) },
            Law::Samples { values } => Law::Samples { values: values.iter().map(scaled).collect() },
        };
        Distribution::Random(Arc::new(law))
    }

    /// Does it never take any time?
    #[must_use]
    pub fn is_free(&self) -> bool {
        self.constant().is_some_and(Span::is_zero)
    }

    /// As files have it: `5ms`, or a table.
    #[must_use]
    pub fn toml(&self) -> String {
        let law = match self {
            Distribution::Constant(span) => return span.to_string(),
            Distribution::Random(law) => law,
        };
        let pairs = |branches: &[(f64, Span)]| -> String {
            let pair = |(weight, span): &(f64, Span)| format!("[{weight:?}, \"{span}\"]");
            branches.iter().map(pair).collect::<Vec<_>>().join(", ")
        };
        match &**law {
            Law::Uniform { low, high } => format!("{{ uniform = [\"{low}\", \"{high}\"] }}"),
            Law::Exponential { mean } => format!("{{ exponential = \"{mean}\" }}"),
            Law::Normal { mean, sd } => format!("{{ normal = {{ mean = \"{mean}\", sd = \"{sd}\" }} }}"),
            Law::Lognormal { median, sigma } => {
                format!("{{ lognormal = {{ median = \"{median}\", sigma = {sigma:?} }} }}")
            }
            Law::Erlang { k, mean } => format!("{{ erlang = {{ k = {k}, mean = \"{mean}\" }} }}"),
            Law::Hyperexponential { branches } => format!("{{ hyperexponential = [{}] }}", pairs(branches)),
            Law::Pareto { min, alpha, max } => {
                let max = max.map_or_else(String::new, |max| format!(", max = \"{max}\""));
                format!("{{ pareto = {{ min = \"{min}\", alpha = {alpha:?}{max} }} }}")
            }
            Law::Choice { branches } => format!("{{ choice = [{}] }}", pairs(branches)),
            Law::Samples { values } => {
                let values: Vec<String> = values.iter().map(|span| format!("\"{span}\"")).collect();
                format!("{{ samples = [{}] }}", values.join(", "))
            }
        }
    }
}

/// Shorter by so many percent, to the nearest nanosecond.
fn shorter(span: Span, percent: u32) -> Span {
    let kept = u128::from(span.ns()) * u128::from(100_u32.saturating_sub(percent));
    Span::from_ns(u64::try_from((kept + 50) / 100).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::{Override, Source};
    use crate::rng::StreamName;
    use crate::scenario::{Op, lower};

    const LAWS: &[&str] = &[
        "5ms",
        r#"{ uniform = ["1ms", "9ms"] }"#,
        r#"{ exponential = "5ms" }"#,
        r#"{ normal = { mean = "5ms", sd = "1ms" } }"#,
        r#"{ lognormal = { median = "5ms", sigma = 0.5 } }"#,
        r#"{ erlang = { k = 3, mean = "5ms" } }"#,
        r#"{ hyperexponential = [[0.9, "1ms"], [0.1, "41ms"]] }"#,
        r#"{ pareto = { min = "1ms", alpha = 1.5, max = "1s" } }"#,
        r#"{ pareto = { min = "1ms", alpha = 3.0 } }"#,
        r#"{ choice = [[0.9, "1ms"], [0.1, "50ms"]] }"#,
        r#"{ samples = ["1ms", "2ms", "2ms", "9ms"] }"#,
    ];

    fn read(toml: &str) -> Distribution {
        let text = "task = [{ name = 'a', program = [{ cpu = '1ms' }] }]";
        let set = Override::new("task.a.program.0.cpu", toml);
        let scenario = lower::scenario(&Source { file: "a.toml", text }, &[set]).expect("a scenario");
        let program = scenario.specs.iter().next().map(|spec| spec.program.ops.clone()).expect("a program");
        let [Op::Cpu(work)] = &program[..] else { panic!("{program:?}") };
        work.clone()
    }

    #[test]
    fn what_is_written_reads_back() {
        for toml in LAWS {
            assert_eq!(read(toml).toml(), *toml);
            for percent in [0, 10, 37, 50, 100] {
                let faster = read(toml).faster(percent);
                assert_eq!(read(&faster.toml()), faster, "{toml} at {percent} %");
            }
        }
        assert_eq!(LAWS.len(), crate::distribution::DISTRIBUTIONS.len() + 1, "each law, one of them in two forms");
    }

    #[test]
    fn who_is_faster_draws_the_same_numbers() {
        for toml in LAWS {
            let slow = read(toml);
            for percent in [10, 50, 100] {
                let Distribution::Random(law) = &slow else { continue };
                let Distribution::Random(faster) = slow.faster(percent) else { panic!("{toml} is drawn") };
                let [mut one, mut other] = [7; 2].map(|seed| StreamName::new(seed).word("faster").stream());
                for _ in 0..200 {
                    let (was, is) = (law.draw(&mut one), faster.draw(&mut other));
                    let wanted = was.ns() * (100 - u64::from(percent)) / 100;
                    assert!(is.ns().abs_diff(wanted) <= 2 + was.ns() / 1_000_000, "{toml} at {percent} %: {was} {is}");
                }
                assert_eq!(one.next_u64(), other.next_u64(), "{toml} at {percent} %");
            }
        }
    }
}
