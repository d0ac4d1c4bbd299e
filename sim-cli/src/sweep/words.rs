//! What an experiment says, in words: for each metric a paragraph of what helps, what does not, what cannot be told apart, and
//! what it costs.

use sim_core::experiment::{Better, Estimate, Experiment, Verdict};
use sim_core::statistics::Interval;

use crate::report::sweep::{MATTERS, Report, Scale};

/// More variations than this in one sentence are counted instead of named.
const NAMED: usize = 4;

/// The paragraph of a metric, in sentences of Markdown.
#[must_use]
pub fn paragraph(report: &Report<'_>, metric: usize) -> String {
    let words = Words::new(report, metric);
    let mut sentences = Vec::new();
    if report.labels.len() == 1 {
        sentences.extend(words.alone());
    } else if report.experiment.baseline.is_empty() || report.experiment.metrics[metric].pooled().is_some() {
        sentences.extend(words.ranked());
    } else {
        sentences.extend(words.compared());
    }
    sentences.extend(words.along());
    sentences.join(" ")
}

struct Words<'r> {
    report: &'r Report<'r>,
    experiment: &'r Experiment,
    metric: usize,
    scale: Scale,
}

impl<'r> Words<'r> {
    fn new(report: &'r Report<'r>, metric: usize) -> Words<'r> {
        let estimates: Vec<&Estimate> =
            (0..report.labels.len()).map(|variation| report.of(variation, metric)).collect();
        let scale = Scale::of(&report.experiment.metrics[metric], &estimates);
        Words { report, experiment: report.experiment, metric, scale }
    }

    fn name(&self, variation: usize) -> String {
        format!("`{}`", self.report.label(variation))
    }

    /// A figure with its unit.
    fn figure(&self, figure: f64) -> String {
        format!("{}{}", self.scale.show(Some(figure)), self.scale.unit())
    }

    fn alone(&self) -> Option<String> {
        let estimate = self.report.of(0, self.metric);
        let mean = self.figure(estimate.mean?);
        Some(match estimate.bounds {
            Some((low, high)) => format!("It is {mean}, between {} and {}.", self.figure(low), self.figure(high)),
            None => format!("It is {mean}."),
        })
    }

    /// Without a baseline: the best and the worst, and who cannot be told from the best.
    fn ranked(&self) -> Vec<String> {
        let higher = self.experiment.metrics[self.metric].better() == Some(Better::Higher);
        let mean = |variation: &usize| self.report.of(*variation, self.metric).mean;
        let mut known: Vec<(f64, usize)> =
            (0..self.report.labels.len()).filter_map(|variation| Some((mean(&variation)?, variation))).collect();
        known.sort_by(|(a, _), (b, _)| if higher { b.total_cmp(a) } else { a.total_cmp(b) });
        let (Some((best, first)), Some((worst, last))) = (known.first().copied(), known.last().copied()) else {
            return vec!["No run has such a figure.".to_owned()];
        };
        let without = self.report.labels.len() - known.len();
        let others = match without {
            0 => String::new(),
            1 => " One variation has no such figure.".to_owned(),
            without => format!(" {without} variations have no such figure."),
        };
        if best == worst {
            return vec![format!("It is {} in all variations that have it.{others}", self.figure(best))];
        }
        let (one, other) = match self.experiment.metrics[self.metric].better() {
            Some(_) => ("best", "worst"),
            None => ("smallest", "largest"),
        };
        let mut sentences = vec![
            format!(
                "The {one} is {} with {}, the {other} {} with {}.",
                self.name(first),
                self.figure(best),
                self.name(last),
                self.figure(worst)
            ) + &others,
        ];
        let bounds = |variation: usize| self.report.of(variation, self.metric).bounds;
        let overlaps = |variation: &usize| match (bounds(first), bounds(*variation)) {
            (Some((low, high)), Some((other_low, other_high))) => low <= other_high && other_low <= high,
            _ => false,
        };
        let alike: Vec<usize> = known.iter().skip(1).map(|(_, variation)| *variation).filter(overlaps).collect();
        if !alike.is_empty() {
            sentences
                .push(format!("From the {one} {} cannot be told apart: their intervals overlap.", self.listed(&alike)));
        }
        sentences
    }

    /// With a baseline: what helps and what hurts, by how much, and what it costs.
    fn compared(&self) -> Vec<String> {
        let mut sentences = Vec::new();
        let (good, bad) = match self.experiment.metrics[self.metric].better() {
            Some(_) => ("Helps", "Hurts"),
            None => ("Lower", "Higher"),
        };
        let of = |wanted: &[Verdict]| -> Vec<usize> {
            let is_it = |variation: &usize| {
                self.report.of(*variation, self.metric).verdict.is_some_and(|verdict| wanted.contains(&verdict))
            };
            (0..self.report.labels.len()).filter(is_it).collect()
        };
        // What is surely different may still be no matter to anybody.
        let matters = |variation: &usize| self.change(*variation).abs() >= MATTERS;
        let (helps, little): (Vec<usize>, Vec<usize>) =
            of(&[Verdict::Better, Verdict::Lower]).into_iter().partition(matters);
        let (hurts, less): (Vec<usize>, Vec<usize>) =
            of(&[Verdict::Worse, Verdict::Higher]).into_iter().partition(matters);
        for (heading, mut found) in [(good, helps.clone()), (bad, hurts)] {
            if !found.is_empty() {
                found.sort_by(|a, b| self.change(*b).abs().total_cmp(&self.change(*a).abs()));
                let named: Vec<String> =
                    found.iter().take(NAMED).map(|variation| self.with_change(*variation)).collect();
                let more = found.len() - named.len();
                let more = if more > 0 { format!(" and {more} more") } else { String::new() };
                sentences.push(format!("**{heading}:** {}{more}.", named.join(", ")));
            }
        }
        let (same, unsure): (Vec<usize>, Vec<usize>) = of(&[Verdict::NotDistinguishable])
            .into_iter()
            .partition(|variation| self.report.verdict(self.report.of(*variation, self.metric)) == "the same");
        let next_to_nothing = [little, less].concat();
        if !next_to_nothing.is_empty() {
            sentences
                .push(format!("**Differs by next to nothing** (less than 0.1 %): {}.", self.listed(&next_to_nothing)));
        }
        if !same.is_empty() {
            sentences.push(format!("**Changes nothing:** {}.", self.listed(&same)));
        }
        if !unsure.is_empty() {
            sentences.push(format!("**Cannot be told from the baseline:** {}.", self.listed(&unsure)));
        }
        sentences.extend(self.costs(&helps));
        sentences
    }

    /// What those that help make worse elsewhere.
    fn costs(&self, helps: &[usize]) -> Option<String> {
        self.experiment.metrics[self.metric].better()?;
        let best = helps.iter().copied().max_by(|a, b| self.change(*a).abs().total_cmp(&self.change(*b).abs()))?;
        let others = (0..self.experiment.metrics.len()).filter(|other| *other != self.metric);
        let worse = others.filter(|other| self.report.of(best, *other).verdict == Some(Verdict::Worse));
        let told: Vec<String> = worse
            .map(|other| {
                let words = Words::new(self.report, other);
                format!("`{}` {}", self.experiment.metrics[other].path(), words.by_how_much(best))
            })
            .collect();
        (!told.is_empty()).then(|| format!("**What {} costs:** {}.", self.name(best), told.join(", ")))
    }

    /// How it goes along an axis of numbers, step by step, where there is one such axis and no other.
    fn along(&self) -> Option<String> {
        let varying: Vec<usize> =
            (0..self.experiment.axes.len()).filter(|axis| self.experiment.axes[*axis].values.len() > 1).collect();
        let [axis] = varying[..] else { return None };
        let axis = &self.experiment.axes[axis];
        if axis.values.len() < 3 || !axis.values.iter().all(|value| is_number(&value.json)) {
            return None;
        }
        let better = self.experiment.metrics[self.metric].better();
        let step = |to: usize| -> Option<(bool, Interval)> {
            let difference = self.experiment.difference(&self.report.figures, to, to - 1, self.metric)?;
            let is_sure = difference.significance().is_some_and(|value| value <= 1.0 - self.experiment.level);
            Some((is_sure, difference))
        };
        let steps: Vec<(bool, Interval)> = (1..axis.values.len()).map(step).collect::<Option<_>>()?;
        let matters = |difference: &Interval| {
            let all = self.report.of(0, self.metric).mean.map_or(0.0, f64::abs);
            difference.mean.abs() >= MATTERS * all
        };
        let helps = |(is_sure, difference): &(bool, Interval)| {
            *is_sure
                && matters(difference)
                && matches!(better, Some(Better::Lower)) == (difference.mean < 0.0)
                && better.is_some()
        };
        // Up to where does every step help?
        let last = steps.iter().take_while(|step| helps(step)).count();
        let (name, word) = (|index: usize| axis.name(index), axis.word());
        match last {
            0 => None,
            last if last == steps.len() => {
                Some(format!("Every step of `{word}` helps, up to the last, {}.", name(last)))
            }
            last => {
                let (_, next) = &steps[last];
                let rises_badly = matches!(better, Some(Better::Lower)) == (next.mean > 0.0);
                let after = if steps[last].0 && matters(next) && rises_badly {
                    "the next one hurts"
                } else {
                    "the next one makes no difference that matters"
                };
                let by = format!("{}{}", self.scale.signed(next.mean), self.scale.unit_of_differences());
                Some(format!(
                    "Along `{word}` every step helps up to {}; {after} ({} → {}: {by}).",
                    name(last),
                    name(last),
                    name(last + 1)
                ))
            }
        }
    }

    /// The difference from the baseline as a share of that.
    fn change(&self, variation: usize) -> f64 {
        self.report.change(self.report.of(variation, self.metric))
    }

    fn baseline(&self, variation: usize) -> Option<f64> {
        self.report.of(self.experiment.baseline_of(variation)?, self.metric).mean
    }

    fn with_change(&self, variation: usize) -> String {
        format!("{} ({})", self.name(variation), self.by_how_much(variation))
    }

    /// `−12.3 ms ± 1.2, −31 %`.
    fn by_how_much(&self, variation: usize) -> String {
        let Some(difference) = self.report.of(variation, self.metric).difference else { return String::new() };
        let own = format!("{}{}", self.scale.signed(difference.mean), self.scale.unit_of_differences());
        let within =
            difference.half_width.map_or_else(String::new, |half| format!(" ± {}", self.scale.show(Some(half))));
        let share = match self.baseline(variation) {
            Some(baseline) if baseline != 0.0 => {
                let percent = difference.mean / baseline.abs() * 100.0;
                format!(", {}{:.0} %", if percent < 0.0 { "−" } else { "+" }, percent.abs())
            }
            _ => String::new(),
        };
        format!("{own}{within}{share}")
    }

    /// Names, or how many there are.
    fn listed(&self, variations: &[usize]) -> String {
        match variations {
            [] => String::new(),
            [only] => self.name(*only),
            several if several.len() <= NAMED => {
                let named: Vec<String> = several.iter().map(|variation| self.name(*variation)).collect();
                format!("{} and {}", named[..named.len() - 1].join(", "), named[named.len() - 1])
            }
            several => format!("{} variations", several.len()),
        }
    }
}

/// Is it a number, or a length of time?
fn is_number(value: &serde_json::Value) -> bool {
    value.is_number() || value.as_str().is_some_and(|text| sim_core::time::Span::parse(text).is_ok())
}
