//! Reading durations of work: a plain duration, or the law it is drawn from.

use std::sync::Arc;

use super::{DISTRIBUTIONS, Distribution, Law};
use crate::document::{Item, Kind, Note, Table, quoted, there_is};
use crate::time::Span;

/// Phases of an Erlang law: each is one draw.
const PHASES: u32 = 1_000;

impl Table<'_> {
    /// The duration under `key`, or the law it is drawn from.
    pub fn distribution(&mut self, key: &'static str) -> Option<Distribution> {
        self.item(key)?.distribution()
    }
}

impl<'a> Item<'a> {
    /// A duration, or the law it is drawn from.
    #[must_use]
    pub fn distribution(&self) -> Option<Distribution> {
        if !self.is_table() {
            return self.span().map(Distribution::Constant);
        }
        let mut table = self.table("a distribution")?;
        let names: Vec<&'static str> = DISTRIBUTIONS.iter().map(|(name, ..)| *name).collect();
        let present = table.present(&names);
        match present.as_slice() {
            [name] => {
                let item = table.item(name)?;
                match *name {
                    "constant" => item.span().map(Distribution::Constant),
                    name => law(name, item).map(|law| Distribution::Random(Arc::new(law))),
                }
            }
            [] => {
                table.tolerate_all();
                self.unknown_law(&names);
                None
            }
            [first, second, ..] => {
                table.tolerate_all();
                let sentence = format!("{} has two distributions, `{first}` and `{second}`", self.name());
                self.wrong(sentence, "leave one of them");
                None
            }
        }
    }

    fn unknown_law(&self, names: &[&'static str]) {
        let known = || there_is(names.iter().copied());
        match self.kind() {
            Kind::Table(entries) if !entries.is_empty() => {
                let entry = entries.iter().min_by_key(|entry| entry.key_spot).unwrap_or(&entries[0]);
                let note = Note::new(entry.key_spot, format!("unknown distribution {}", quoted(&entry.key)));
                self.log().add(note.hint(self.log().did_you_mean(&entry.key, names.iter().copied(), known)));
            }
            _ => self.wrong(format!("{} has no distribution", self.name()), known()),
        }
    }

    /// A list that is not empty of pairs of weight and something.
    #[must_use]
    pub fn weighted<T>(&self, example: &str, mut read: impl FnMut(Item<'a>) -> Option<T>) -> Option<Vec<(f64, T)>> {
        let list = self.list()?;
        let pairs: Vec<_> = list.iter().map(|item| item.pair("a pair of weight and value", example)).collect();
        // All are read before the first that is wrong ends it, so that all mistakes are noted.
        let branches: Vec<_> = pairs
            .into_iter()
            .map(|pair| {
                let [weight, value] = pair?;
                let (weight, value) = (weight.weight(), read(value));
                Some((weight?, value?))
            })
            .collect();
        let branches = branches.into_iter().collect::<Option<Vec<_>>>()?;
        let sum: f64 = branches.iter().map(|(weight, _)| weight).sum();
        if sum > 0.0 && sum.is_finite() {
            return Some(branches);
        }
        let sentence = if branches.is_empty() { "is empty" } else { "has no weight above zero" };
        let sentence = if sum.is_finite() { sentence } else { "has weights whose sum is no longer a number" };
        self.wrong(format!("{} {sentence}", self.name()), format!("write {example}"));
        None
    }

    /// A weight. What is below zero by a rounding error is zero: `1 - 0.7 - 0.2 - 0.1` is not.
    fn weight(&self) -> Option<f64> {
        let weight = self.number()?;
        if weight < -1e-9 {
            self.log().add(Note::new(self.spot(), format!("a weight cannot be negative, as {weight} is")));
            return None;
        }
        Some(weight.max(0.0))
    }
}

fn law(name: &str, item: Item<'_>) -> Option<Law> {
    match name {
        "uniform" => {
            let [low, high] = item.pair("a pair, the shortest and the longest", r#"uniform = ["1ms", "9ms"]"#)?;
            let (low, high) = ordered(low, high)?;
            Some(Law::Uniform { low, high })
        }
        "exponential" => Some(Law::Exponential { mean: item.span()? }),
        "hyperexponential" => {
            Some(Law::Hyperexponential { branches: item.weighted(r#"[[0.9, "1ms"], [0.1, "41ms"]]"#, |x| x.span())? })
        }
        "choice" => Some(Law::Choice { branches: item.weighted(r#"[[0.9, "1ms"], [0.1, "50ms"]]"#, |x| x.span())? }),
        "samples" => {
            let values: Vec<_> = item.list()?.iter().map(Item::span).collect();
            let values = values.into_iter().collect::<Option<Vec<Span>>>()?;
            if values.is_empty() {
                item.wrong("`samples` is empty", r#"write samples = ["1ms", "2ms", "9ms"]"#);
                return None;
            }
            Some(Law::Samples { values })
        }
        _ => with_parameters(name, item),
    }
}

/// The laws whose parameters have names.
fn with_parameters(name: &str, item: Item<'_>) -> Option<Law> {
    let what = match name {
        "normal" => "`normal`",
        "lognormal" => "`lognormal`",
        "erlang" => "`erlang`",
        _ => "`pareto`",
    };
    if !item.is_table() {
        let example = DISTRIBUTIONS.iter().find(|(law, ..)| *law == name).map_or("", |(.., example)| example);
        item.mismatch("a table of its parameters", example);
        return None;
    }
    let mut table = item.table(what)?;
    match name {
        "normal" => {
            let mean = duration(&mut table, "mean", "the mean of the curve");
            let sd = duration(&mut table, "sd", "its standard deviation");
            Some(Law::Normal { mean: mean?, sd: sd? })
        }
        "lognormal" => {
            let median = duration(&mut table, "median", "half of the draws are shorter");
            let sigma = table.required("sigma", "the standard deviation of the logarithm").and_then(|item| {
                let sigma = item.number()?;
                within(item, sigma, (0.0..=100.0).contains(&sigma), "between 0 and 100")
            });
            Some(Law::Lognormal { median: median?, sigma: sigma? })
        }
        "erlang" => {
            let k = table.required("k", "the number of phases").and_then(|item| item.count(1..=PHASES));
            let mean = duration(&mut table, "mean", "the mean of the sum");
            Some(Law::Erlang { k: k?, mean: mean? })
        }
        _ => pareto(&mut table),
    }
}

fn pareto(table: &mut Table<'_>) -> Option<Law> {
    let shortest = table.required("min", "the shortest duration");
    let min = shortest.and_then(|item| item.positive_span());
    let alpha = table.required("alpha", "the tail index").and_then(|item| {
        let alpha = item.number()?;
        within(item, alpha, alpha > 0.0, "above zero")
    });
    let max = match (table.item("max"), shortest, min) {
        (Some(longest), Some(shortest), Some(_)) => Some(ordered(shortest, longest)?.1),
        (Some(longest), ..) => Some(longest.span()?),
        (None, ..) => None,
    };
    Some(Law::Pareto { min: min?, alpha: alpha?, max })
}

fn duration(table: &mut Table<'_>, key: &'static str, purpose: &str) -> Option<Span> {
    table.required(key, purpose)?.span()
}

fn within(item: Item<'_>, number: f64, valid: bool, bounds: &str) -> Option<f64> {
    if !valid {
        item.log().add(Note::new(item.spot(), format!("{} must be {bounds}, not {number}", item.name())));
    }
    valid.then_some(number)
}

/// Two durations, the second not shorter than the first.
fn ordered(low: Item<'_>, high: Item<'_>) -> Option<(Span, Span)> {
    let (shortest, longest) = (low.span(), high.span());
    let (shortest, longest) = (shortest?, longest?);
    if longest < shortest {
        let sentence = format!("the longest duration, {longest}, is shorter than the shortest, {shortest}");
        low.log().add(Note::new(high.spot(), sentence).also(low.spot(), "the shortest"));
        return None;
    }
    Some((shortest, longest))
}
