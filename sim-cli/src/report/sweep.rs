//! What an experiment says: a table for each metric, a row for each variation, and what there is to know beside them.

use serde_json::{Value, json};
use sim_core::experiment::{Estimate, Experiment, Figures, Metric, Unit, Verdict};
use sim_core::statistics::median;

use super::ROWS;
use crate::letters::visible;
use crate::output::Terminal;
use crate::sweep::results::Results;
use crate::table::{self, Table, four_digits, whole};

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
        for metric in 0..self.experiment.metrics.len() {
            text += &format!("\n{}", self.table(metric, shown).render(terminal));
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

    /// The table of a metric, with the first variations.
    fn table(&self, metric: usize, shown: usize) -> Table {
        let mut rows = self.rows(metric, shown).into_iter();
        let mut table = Table::new(rows.next().unwrap_or_default());
        rows.for_each(|row| table.row(row));
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
        let mut headings = vec![scale.heading(kind.path())];
        headings.push(if pooled { "samples" } else { "runs" }.to_owned());
        headings.push(if pooled { "quantile" } else { "mean" }.to_owned());
        headings.extend(if pooled { vec![format!("low, {level}"), "high".to_owned()] } else { vec![within.clone()] });
        if compares {
            headings.extend(["difference".to_owned(), within, "verdict".to_owned()]);
        }
        let cells = |(variation, estimate): (usize, &Estimate)| {
            let mut cells = vec![self.label(variation).to_owned(), estimate.n.to_string(), scale.show(estimate.mean)];
            if pooled {
                let (low, high) = estimate.bounds.unzip();
                cells.extend([scale.show(low), scale.show(high)]);
            } else {
                cells.push(scale.show(estimate.bounds.map(|(low, high)| (high - low) / 2.0)));
            }
            if compares {
                let difference = estimate.difference;
                cells.push(difference.map_or_else(String::new, |difference| scale.signed(difference.mean)));
                cells.push(difference.map_or_else(String::new, |difference| scale.show(difference.half_width)));
                cells.push(self.verdict(estimate).to_owned());
            }
            cells
        };
        std::iter::once(headings).chain(estimates.into_iter().enumerate().map(cells)).collect()
    }

    /// What there is to say of a difference. One that is none, in any pair of runs, is no matter of chance.
    #[must_use]
    pub fn verdict(&self, estimate: &Estimate) -> &'static str {
        let is_none =
            |difference: sim_core::statistics::Interval| difference.mean == 0.0 && difference.half_width == Some(0.0);
        match estimate.verdict {
            Some(Verdict::NotDistinguishable) if estimate.difference.is_some_and(is_none) => "the same",
            verdict => verdict.map_or("", Verdict::name),
        }
    }

    fn notes(&self, results: &Results<'_>) -> Vec<String> {
        let mut notes = Vec::new();
        for variation in 0..self.labels.len() {
            let all = results.replications(variation);
            for (end, count) in results.ends(variation) {
                notes.push(format!("{}: {count} of {all} runs ended in a {end}", self.label(variation)));
            }
        }
        notes.extend(self.precision(results));
        let known = || self.estimates.iter().filter(|estimate| estimate.n > 1 && estimate.bounds.is_some());
        if known().next().is_some() && known().all(|estimate| estimate.bounds.is_some_and(|(low, high)| low == high)) {
            notes.push(
                "every replication came out the same: nothing in the scenario is drawn, and one would do".to_owned(),
            );
        } else if let Some(gain) = self.gain_of_pairs().filter(|gain| *gain >= 1.2) {
            notes.push(format!(
                "pairs of one seed make the intervals of differences {gain:.1} times as narrow as independent runs would (median)"
            ));
        }
        if self.experiment.most_replications() == 1 && !self.experiment.baseline.is_empty() {
            notes.push("one replication says nothing of chance: give more for intervals and verdicts".to_owned());
        }
        notes
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
