//! What an experiment says: a table for each metric, a row for each variation, and what there is to know beside them.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use sim_core::experiment::{Axis, Estimate, Experiment, Figures, Metric, Unit, Verdict};
use sim_core::statistics::median;

use super::ROWS;
use crate::letters::{self, visible};
use crate::output::Terminal;
use crate::sweep::results::Results;
use crate::table::{self, Table, four_digits, whole};

/// More variations than this in one sentence are counted instead of named.
const NAMED: usize = 4;
/// Smaller shares of the baseline are no matter, however sure they are.
pub const MATTERS: f64 = 0.001;

/// The results of an experiment, worked out.
#[derive(Debug)]
pub struct Report<'e> {
    /// What was asked.
    pub experiment: &'e Experiment,
    /// What it is called.
    pub title: String,
    /// What each variation is called.
    pub labels: Vec<String>,
    /// Variation by variation, metric by metric.
    pub estimates: Vec<Estimate>,
    /// What is to be known of the runs beside their figures, a sentence each.
    pub notes: Vec<String>,
    /// What the estimates are made of, by variation.
    pub figures: Vec<Figures>,
    runs: usize,
}

impl<'e> Report<'e> {
    /// What these results say.
    #[must_use]
    pub fn new(experiment: &'e Experiment, title: &str, labels: Vec<String>, results: &Results<'_>) -> Report<'e> {
        let (title, runs, figures) = (title.to_owned(), results.count(), results.figures());
        let estimates = experiment.estimates(&figures);
        let mut report = Report { experiment, title, labels, estimates, notes: Vec::new(), figures, runs };
        report.notes = report.notes(results);
        report
    }

    /// The estimate of a metric of a variation.
    #[must_use]
    pub fn of(&self, variation: usize, metric: usize) -> &Estimate {
        &self.estimates[variation * self.experiment.metrics.len() + metric]
    }

    /// What a variation is called among others.
    #[must_use]
    pub fn label(&self, variation: usize) -> &str {
        match self.labels[variation].as_str() {
            "" => &self.title,
            label => label,
        }
    }

    /// How many runs there are.
    #[must_use]
    pub fn runs(&self) -> usize {
        self.runs
    }

    /// The document of `--json`.
    #[must_use]
    pub fn json(&self, reused: usize) -> Value {
        let row = |estimate: &Estimate| {
            let metric = &self.experiment.metrics[estimate.metric];
            let set: serde_json::Map<String, Value> = (self.experiment.settings(estimate.variation))
                .map(|(path, setting)| (path.to_owned(), setting.json.clone()))
                .collect();
            let (low, high) = estimate.bounds.unzip();
            let difference = estimate.difference;
            json!({
                "set": set,
                "metric": metric.path(),
                "unit": metric.unit().name(),
                "n": estimate.n,
                "mean": estimate.mean,
                "low": low,
                "high": high,
                "difference": difference.map(|difference| difference.mean),
                "difference_low": difference.and_then(|difference| difference.low()),
                "difference_high": difference.and_then(|difference| difference.high()),
                "verdict": estimate.verdict.map(Verdict::name),
            })
        };
        let rows: Vec<Value> = self.estimates.iter().map(row).collect();
        json!({ "format": 1, "runs": self.runs, "reused": reused, "level": self.experiment.level, "notes": self.notes, "rows": rows })
    }

    /// The tables for a person.
    #[must_use]
    pub fn text(&self, full: bool, terminal: &Terminal) -> String {
        let variations = self.labels.len();
        let of = if variations == 1 { "1 variation".to_owned() } else { format!("{variations} variations") };
        let heading = format!("{}: {} runs of {of}", visible(&self.title), self.runs);
        let mut text = terminal.wrapped(&format!("{}\n", terminal.bold(&heading)));
        let shown = if full { variations } else { variations.min(ROWS) };
        let names = self.names(terminal);
        if let Some((words, _)) = &names {
            text += &terminal.wrapped(&format!("rows: {words}\n"));
        }
        for metric in 0..self.experiment.metrics.len() {
            let names = names.as_ref().map(|(_, names)| names.as_slice());
            text += &format!("\n{}", self.table(metric, shown, names).render(terminal));
        }
        let mut notes = self.notes.clone();
        if shown < variations {
            notes.push(format!("the first {shown} of {variations} variations; --full shows all"));
        }
        if !notes.is_empty() {
            text.push('\n');
        }
        for note in notes {
            text += &terminal.wrapped(&format!("{note}\n"));
        }
        text
    }

    /// Where labels would take too much of the width: the words of the axes, and variations called by their values alone.
    fn names(&self, terminal: &Terminal) -> Option<(String, Vec<String>)> {
        let widest = self.labels.iter().map(|label| letters::width(label)).max().unwrap_or(0);
        let room = terminal.most_columns? * 2 / 5;
        let axes = &self.experiment.axes;
        let words = axes.iter().map(Axis::word).collect::<Vec<_>>().join(", ");
        let name = |variation: usize| {
            let choice = self.experiment.choice(variation);
            let values = axes.iter().zip(choice).map(|(axis, value)| axis.name(value));
            values.collect::<Vec<_>>().join(", ")
        };
        (widest > room && !axes.is_empty()).then(|| (words, (0..self.labels.len()).map(name).collect()))
    }

    /// The table of a metric, with the first variations, by these names if not by their labels.
    fn table(&self, metric: usize, shown: usize, names: Option<&[String]>) -> Table {
        let mut rows = self.rows(metric, shown).into_iter();
        let mut table = Table::new(rows.next().unwrap_or_default());
        for (variation, mut row) in rows.enumerate() {
            if let (Some(names), Some(first)) = (names, row.first_mut()) {
                first.clone_from(&names[variation]);
            }
            table.row(row);
        }
        table
    }

    /// The figures of a metric as text, of the first variations: a row of headings, then one for each.
    #[must_use]
    pub fn rows(&self, metric: usize, shown: usize) -> Vec<Vec<String>> {
        let kind = &self.experiment.metrics[metric];
        let estimates: Vec<&Estimate> = (0..shown).map(|variation| self.of(variation, metric)).collect();
        let scale = Scale::of(kind, &estimates);
        let level = level(self.experiment.level);
        let within = format!("± {level}");
        let pooled = kind.pooled().is_some();
        let compares = !self.experiment.baseline.is_empty() && !pooled;
        // In the order of what they are worth: where there are too few columns of a terminal, the last are left out.
        let mut headings = vec![scale.heading(kind.path())];
        headings.push(if pooled { "quantile" } else { "mean" }.to_owned());
        headings.extend(if pooled { vec![format!("low, {level}"), "high".to_owned()] } else { vec![within.clone()] });
        if compares {
            headings.extend(["verdict".to_owned(), "difference".to_owned(), within]);
        }
        headings.push(if pooled { "samples" } else { "runs" }.to_owned());
        let cells = |(variation, estimate): (usize, &Estimate)| {
            let mut cells = vec![self.label(variation).to_owned(), scale.show(estimate.mean)];
            if pooled {
                let (low, high) = estimate.bounds.unzip();
                cells.extend([scale.show(low), scale.show(high)]);
            } else {
                cells.push(scale.show(estimate.bounds.map(|(low, high)| (high - low) / 2.0)));
            }
            if compares {
                let difference = estimate.difference;
                cells.push(self.verdict(estimate));
                cells.push(difference.map_or_else(String::new, |difference| scale.signed(difference.mean)));
                cells.push(difference.map_or_else(String::new, |difference| scale.show(difference.half_width)));
            }
            cells.push(estimate.n.to_string());
            cells
        };
        std::iter::once(headings).chain(estimates.into_iter().enumerate().map(cells)).collect()
    }

    /// What there is to say of a difference. One that is none, in any pair of runs, is no matter of chance.
    #[must_use]
    pub fn verdict(&self, estimate: &Estimate) -> String {
        let is_none =
            |difference: sim_core::statistics::Interval| difference.mean == 0.0 && difference.half_width == Some(0.0);
        let word = match estimate.verdict {
            Some(Verdict::NotDistinguishable) if estimate.difference.is_some_and(is_none) => "the same",
            verdict => verdict.map_or("", Verdict::name),
        };
        let is_sure = !matches!(estimate.verdict, None | Some(Verdict::Baseline | Verdict::NotDistinguishable));
        if is_sure && self.change(estimate).abs() < MATTERS { format!("{word}, < 0.1 %") } else { word.to_owned() }
    }

    /// The difference from the baseline as a share of that; the difference itself where that is zero.
    #[must_use]
    pub fn change(&self, estimate: &Estimate) -> f64 {
        let difference = estimate.difference.map_or(0.0, |difference| difference.mean);
        let baseline = self.experiment.baseline_of(estimate.variation);
        match baseline.and_then(|baseline| self.of(baseline, estimate.metric).mean) {
            Some(baseline) if baseline != 0.0 => difference / baseline.abs(),
            _ => difference,
        }
    }

    fn notes(&self, results: &Results<'_>) -> Vec<String> {
        let mut notes = self.endings(results);
        notes.extend(self.precision(results));
        notes.extend(self.missing());
        notes.extend(self.without_effect());
        let known = || self.estimates.iter().filter(|estimate| estimate.n > 1 && estimate.bounds.is_some());
        let is_one = |estimate: &Estimate| estimate.bounds.is_some_and(|(low, high)| low == high);
        if known().next().is_some() && known().all(is_one) {
            notes.push(
                "every replication came out the same: nothing in the scenario is drawn, and one would do".to_owned(),
            );
        } else if let Some(gain) = self.gain_of_pairs().filter(|gain| *gain >= 1.2) {
            notes.push(format!(
                "pairs of one seed make the intervals of differences {gain:.1} times as narrow as independent runs would (median)"
            ));
        }
        if self.experiment.metrics.iter().any(|metric| metric.pooled().is_some()) {
            notes.push("pooled quantiles take all samples as independent; those of one queue are not, so their intervals are too narrow".to_owned());
        }
        let compares = !self.experiment.baseline.is_empty();
        if self.experiment.stop_when.is_some() && compares {
            notes.push("differences are over those replications that both variations have".to_owned());
        }
        if self.experiment.most_replications() == 1 && compares {
            notes.push("one replication says nothing of chance: give more for intervals and verdicts".to_owned());
        }
        notes
    }

    /// Runs that ended with tasks left that would have ended, however long they would have taken.
    fn endings(&self, results: &Results<'_>) -> Vec<String> {
        let mut by_end: BTreeMap<String, Vec<(usize, usize)>> = BTreeMap::new();
        for variation in 0..self.labels.len() {
            for (end, count) in results.ends(variation) {
                by_end.entry(end.to_owned()).or_default().push((variation, count));
            }
        }
        let told = |(end, of): (String, Vec<(usize, usize)>)| {
            let runs: usize = of.iter().map(|(_, count)| count).sum();
            let all: usize = of.iter().map(|(variation, _)| results.replications(*variation)).sum();
            let named: Vec<&str> = of.iter().take(NAMED).map(|(variation, _)| self.label(*variation)).collect();
            let more = of.len() - named.len();
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            let how = match end.as_str() {
                "horizon" => "reached the horizon with tasks left, of which latencies say nothing".to_owned(),
                end => format!("ended in a {end}"),
            };
            format!("{runs} of {all} runs of {}{more} {how}", named.join(", "))
        };
        by_end.into_iter().map(told).collect()
    }

    /// Metrics of which no run has a figure, and why that may be.
    fn missing(&self) -> Vec<String> {
        let is_missing = |metric: &usize| (0..self.labels.len()).all(|variation| self.of(variation, *metric).n == 0);
        let told = |metric: usize| {
            let path = self.experiment.metrics[metric].path();
            let why = match path.rsplit('.').next() {
                Some("p99") => ": it takes a hundred tasks that finish",
                Some("p95") => ": it takes twenty tasks that finish",
                _ => "",
            };
            format!("no run has a figure of {path}{why}")
        };
        (0..self.experiment.metrics.len()).filter(is_missing).map(told).collect()
    }

    /// Axes whose values make no difference to any figure.
    fn without_effect(&self) -> Vec<String> {
        let experiment = self.experiment;
        let is_idle = |axis: &usize| {
            let same = |variation: usize| {
                let mut choice = experiment.choice(variation);
                choice[*axis] = 0;
                let first = experiment.number(&choice);
                self.figures[variation].of == self.figures[first].of
            };
            experiment.axes[*axis].values.len() > 1 && (0..self.labels.len()).all(same)
        };
        let told = |axis: usize| format!("{} makes no difference to any figure", experiment.axes[axis].path);
        (0..experiment.axes.len()).filter(is_idle).map(told).collect()
    }

    /// What is said of those that are less sure than was asked for.
    fn precision(&self, results: &Results<'_>) -> Vec<String> {
        let Some(stop) = &self.experiment.stop_when else { return Vec::new() };
        let path = self.experiment.metrics[stop.of].path();
        let told = |few: crate::sweep::results::TooFew| {
            let needs = few.needs.map_or_else(
                || "no number of replications can be named".to_owned(),
                |needs| format!("you would need about {} replications", rounded(needs)),
            );
            format!(
                "{}: after {} runs {path} is not known so surely as was asked; {needs}",
                self.label(few.variation),
                few.has
            )
        };
        results.too_few().map(told).collect()
    }

    /// How many times as narrow paired intervals are as unpaired ones, in the median; `None` if there are none.
    #[must_use]
    pub fn gain_of_pairs(&self) -> Option<f64> {
        let gain = |estimate: &Estimate| {
            let paired = estimate.difference?.half_width.filter(|width| *width > 0.0)?;
            Some(estimate.unpaired_half_width? / paired)
        };
        median(self.estimates.iter().filter_map(gain))
    }
}

/// A number of replications as people say it: two digits are sure enough.
fn rounded(needs: usize) -> usize {
    let step = 10_usize.pow(needs.max(1).ilog10().saturating_sub(1));
    needs.div_ceil(step) * step
}

/// `95 %`.
#[must_use]
pub fn level(level: f64) -> String {
    let percent = format!("{:.2}", level * 100.0);
    format!("{} %", percent.trim_end_matches('0').trim_end_matches('.'))
}

/// How the figures of a metric are written.
#[derive(Clone, Copy, Debug)]
pub enum Scale {
    /// In a unit of time.
    Time(table::Unit),
    /// As percentages.
    Share,
    /// As numbers with so many decimals.
    Number(usize),
}

impl Scale {
    /// That in which these estimates read well.
    #[must_use]
    pub fn of(metric: &Metric, estimates: &[&Estimate]) -> Scale {
        let means = || estimates.iter().filter_map(|estimate| estimate.mean);
        let largest = means().fold(0.0_f64, |largest, mean| largest.max(mean.abs()));
        let is_share = metric.unit() == Unit::Ratio && !metric.path().contains("slowdown");
        match metric.unit() {
            // No run has such a figure: dashes have no unit.
            Unit::Nanoseconds if means().next().is_none() => Scale::Number(0),
            Unit::Nanoseconds => {
                let longest = whole(largest);
                let digits = means().map(|mean| four_digits(whole(mean), longest)).collect::<Vec<_>>();
                Scale::Time(table::Unit::for_all(digits.into_iter()))
            }
            _ if is_share && largest <= 1.0 => Scale::Share,
            _ if largest >= 1000.0 => Scale::Number(0),
            _ if largest >= 100.0 => Scale::Number(1),
            _ if largest >= 10.0 => Scale::Number(2),
            _ => Scale::Number(3),
        }
    }

    /// The heading over the names.
    fn heading(self, path: &str) -> String {
        match self {
            Scale::Time(unit) => format!("{path} ({})", unit.name),
            Scale::Share => format!("{path} (%)"),
            Scale::Number(_) => path.to_owned(),
        }
    }

    /// What stands behind a figure.
    #[must_use]
    pub fn unit(self) -> String {
        match self {
            Scale::Time(unit) => format!(" {}", unit.name),
            Scale::Share => " %".to_owned(),
            Scale::Number(_) => String::new(),
        }
    }

    /// What stands behind a difference of figures: that of percentages is no percentage.
    #[must_use]
    pub fn unit_of_differences(self) -> String {
        match self {
            Scale::Share => " points".to_owned(),
            other => other.unit(),
        }
    }

    /// A figure.
    #[must_use]
    pub fn show(self, figure: Option<f64>) -> String {
        let Some(figure) = figure else { return "–".to_owned() };
        match self {
            Scale::Time(unit) => unit.show_mean(Some(figure)),
            Scale::Share => format!("{:.2}", figure * 100.0),
            Scale::Number(decimals) => format!("{figure:.decimals$}"),
        }
    }

    /// A figure with its sign.
    #[must_use]
    pub fn signed(self, figure: f64) -> String {
        let shown = self.show(Some(figure.abs()));
        let is_zero = shown.bytes().all(|byte| byte == b'0' || byte == b'.');
        match figure {
            _ if is_zero => shown,
            figure if figure < 0.0 => format!("−{shown}"),
            _ => format!("+{shown}"),
        }
    }
}
