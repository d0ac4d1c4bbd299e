//! Conditions on figures of a run, such as `p99>100ms` or `task.A.finish=20ms`: what `--expect` and `--fail-if` ask.
//!
//! Whole figures are compared exactly. A mean or a share that is none is equal to a decimal fraction to which it rounds:
//! `waiting.mean=17.33ms` holds of 17.3333 ms.

mod tally;
mod value;

use std::cmp::Ordering;

use serde_json::Value;
use sim_core::engine::cast;
use sim_core::outcome::{Metric, Observed, Refusal};
use sim_core::scenario::Scenario;

pub use self::tally::Tally;
use self::value::Wanted;

/// A condition on a figure.
#[derive(Clone, Debug)]
pub struct Condition {
    text: String,
    metric: Metric,
    relation: Relation,
    wanted: Wanted,
}

/// How the figure is to be to the value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Relation {
    Equal,
    Unequal,
    Less,
    AtMost,
    More,
    AtLeast,
}

/// The longer ones first: `<=` begins with `<`.
const RELATIONS: [(&str, Relation); 7] = [
    ("<=", Relation::AtMost),
    (">=", Relation::AtLeast),
    ("!=", Relation::Unequal),
    ("==", Relation::Equal),
    ("<", Relation::Less),
    (">", Relation::More),
    ("=", Relation::Equal),
];

/// What a run says to a condition.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Answer {
    /// Does it hold?
    pub holds: bool,
    /// What the figure is, in words.
    pub figure: String,
    /// Has the run no such figure?
    pub is_none: bool,
}

impl Condition {
    /// Reads one: a metric, `=`, `!=`, `<`, `<=`, `>` or `>=`, and a value in the metric's unit, or `none`.
    ///
    /// # Errors
    /// What is wrong with it, and what would be right.
    pub fn parse(text: &str) -> Result<Condition, String> {
        let split = RELATIONS.iter().filter_map(|(sign, relation)| Some((outside_quotes(text, sign)?, sign, relation)));
        // The first that stands there; of those at one place the longest.
        let Some((at, sign, relation)) = split.min_by_key(|(at, sign, _)| (*at, std::cmp::Reverse(sign.len()))) else {
            return Err(
                "write METRIC, a comparison (=, !=, <, <=, >, >=) and a value, such as makespan=300ms".to_owned()
            );
        };
        let metric = Metric::parse(text[..at].trim()).map_err(|refusal| in_one_line(&refusal))?;
        let wanted = Wanted::parse(text[at + sign.len()..].trim(), metric.unit())?;
        if wanted == Wanted::Nothing && !matches!(relation, Relation::Equal | Relation::Unequal) {
            return Err("`none` is compared by = or !=".to_owned());
        }
        Ok(Condition { text: text.trim().to_owned(), metric, relation: *relation, wanted })
    }

    /// As it was written.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whose value is asked for.
    #[must_use]
    pub fn metric(&self) -> &Metric {
        &self.metric
    }

    /// Has the scenario such a figure?
    ///
    /// # Errors
    /// A sentence, and what to write.
    pub fn known_in(&self, scenario: &Scenario) -> Result<(), Refusal> {
        self.metric.known_to(&cast(scenario)).and_then(|()| self.metric.single_in(scenario))
    }

    /// What a run says to it.
    #[must_use]
    pub fn ask(&self, run: &Observed<'_>) -> Answer {
        self.judge(&self.metric.of(run))
    }

    /// Does it hold of this figure? Of one that a run has not nothing does, but that it is `none`.
    #[must_use]
    pub fn judge(&self, figure: &Value) -> Answer {
        let holds = match (self.wanted.compare(figure), self.relation) {
            (None, Relation::Equal) => figure.is_null() && self.wanted == Wanted::Nothing,
            (None, Relation::Unequal) => figure.is_null() != (self.wanted == Wanted::Nothing),
            (None, _) => false,
            (Some(_), Relation::Equal) => self.wanted.is(figure),
            (Some(_), Relation::Unequal) => !self.wanted.is(figure),
            (Some(order), Relation::Less) => order == Ordering::Less,
            (Some(order), Relation::AtMost) => order != Ordering::Greater,
            (Some(order), Relation::More) => order == Ordering::Greater,
            (Some(order), Relation::AtLeast) => order != Ordering::Less,
        };
        Answer { holds, is_none: figure.is_null(), figure: self.wanted.show(figure, self.metric.unit()) }
    }
}

/// What runs are asked about conditions needs to be known of their scenarios: of one of them at least, since variations
/// may have other tasks.
///
/// # Errors
/// Which figure none of them has.
pub fn known_in_any<'s>(
    conditions: &[Condition],
    scenarios: impl Iterator<Item = &'s Scenario> + Clone,
) -> Result<(), String> {
    for condition in conditions {
        let mut refusal = None;
        let mut answers = scenarios.clone().map(|scenario| condition.known_in(scenario));
        if !answers.any(|answer| answer.map_err(|why| refusal = refusal.take().or(Some(why))).is_ok())
            && let Some(Refusal { sentence, hint }) = refusal
        {
            return Err(format!("`{}`: {sentence}\nhint: {hint}", condition.text));
        }
    }
    Ok(())
}

/// Is more than the sums of a run needed for one of them?
#[must_use]
pub fn need_timeline(conditions: &[Condition]) -> bool {
    conditions.iter().any(|condition| condition.metric.needs_timeline())
}

fn in_one_line(refusal: &Refusal) -> String {
    format!("{}: {}", refusal.sentence, refusal.hint)
}

/// Where a sign stands that is no part of a name in quotes.
fn outside_quotes(text: &str, sign: &str) -> Option<usize> {
    let quoted = |at: usize| !text[..at].matches('"').count().is_multiple_of(2);
    text.match_indices(sign).map(|(at, _)| at).find(|at| !quoted(*at))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(condition: &str, figure: impl Into<Value>) -> bool {
        Condition::parse(condition).unwrap_or_else(|why| panic!("{condition}: {why}")).judge(&figure.into()).holds
    }

    #[test]
    fn whole_figures_are_compared_exactly() {
        assert!(judged("makespan=300ms", 300_000_000_u64) && judged("makespan == 0.3s", 300_000_000_u64));
        assert!(!judged("makespan=300ms", 300_000_001_u64) && judged("makespan!=300ms", 300_000_001_u64));
        assert!(!judged("task.A.finish=20.4ms", 20_430_000_u64));
        assert!(judged("p99>100ms", 100_000_001_u64) && !judged("p99>100ms", 100_000_000_u64));
        assert!(judged("p99>=100ms", 100_000_000_u64) && judged("p99<=100ms", 100_000_000_u64));
        assert!(judged("misses>0", 1) && !judged("misses>0", 0) && judged("misses<1", 0));
    }

    #[test]
    fn means_and_shares_round_to_what_is_written() {
        let mean = 52_000_000.0 / 3.0;
        assert!(judged("waiting.mean=17.33ms", mean) && judged("waiting.mean=17.3ms", mean));
        assert!(!judged("waiting.mean=17ms", mean) && !judged("waiting.mean=17.34ms", mean));
        assert!(judged("waiting.mean>17.33ms", mean) && !judged("waiting.mean!=17.333ms", mean));
        assert!(judged("utilisation=1/3", 1.0 / 3.0) && judged("utilisation=33.3%", 1.0 / 3.0));
        assert!(judged("utilisation=80 %", 0.8) && judged("utilisation=0.8", 0.8) && judged("utilisation<80.1%", 0.8));
        assert!(judged("throughput=4/s", 4.0) && judged("device.d.mean_queue=1.5", 1.5));
    }

    #[test]
    fn what_a_run_has_not_is_none() {
        assert!(judged("task.A.finish=none", Value::Null) && !judged("task.A.finish!=none", Value::Null));
        assert!(judged("task.A.finish!=none", 5) && !judged("task.A.finish=none", 5));
        assert!(!judged("task.A.finish=5ms", Value::Null) && !judged("task.A.finish>5ms", Value::Null));
        assert!(judged("task.A.finish!=5ms", Value::Null));
    }

    #[test]
    fn mistakes_are_told() {
        let refused = |text: &str| Condition::parse(text).expect_err(text);
        assert!(refused("makespan").contains("comparison"));
        assert_eq!(refused("makespam=3ms"), "unknown metric `makespam`: did you mean `makespan`?");
        assert!(refused("makespan=300").contains("300"), "{}", refused("makespan=300"));
        assert!(refused("misses=3ms").contains("a count"), "{}", refused("misses=3ms"));
        assert!(refused("utilisation=x%").contains("80%"), "{}", refused("utilisation=x%"));
        assert!(refused("makespan<none").contains("`none`"));
    }

    #[test]
    fn figures_are_told_in_their_unit() {
        let said = |text: &str, figure: Value| Condition::parse(text).expect(text).judge(&figure).figure;
        assert_eq!(said("makespan=1ms", 25_500_000.into()), "25.5ms");
        assert_eq!(said("waiting.mean=1ms", (52_000_000.0 / 3.0).into()), "17.333333ms");
        assert_eq!(said("utilisation=80%", (2.0 / 3.0).into()), "66.6667%");
        assert_eq!(said("utilisation=0.8", (2.0 / 3.0).into()), "0.666667");
        assert_eq!(said("misses=0", 3.into()), "3");
        assert_eq!(said("task.A.finish=3ms", Value::Null), "none");
    }
}
