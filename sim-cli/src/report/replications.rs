//! Replications in tables: of one scenario a row for each figure, of variations a table for each figure with the differences
//! from the first, seed by seed.

use std::collections::BTreeMap;

use sim_core::statistics::Interval;

use super::ROWS;
use crate::letters::visible;
use crate::output::Terminal;
use crate::replication::{Metric, Replications};
use crate::table::{Table, Unit, four_digits, percent, whole};

/// What the replications of one scenario say.
#[must_use]
pub fn replications(all: &Replications, terminal: &Terminal) -> String {
    let metrics: Vec<&Metric> = all.figures.iter().map(|(metric, _)| metric).collect();
    let samples: Vec<(&Metric, Interval)> =
        metrics.into_iter().filter_map(|metric| Some((metric, all.sample(metric)?))).collect();
    let times = samples.iter().filter(|(metric, _)| !metric.is_share()).map(|(_, sample)| sample);
    let unit = unit(times);
    let mut table = Table::new([format!("{} SEEDS ({})", all.count(), unit.name), "mean".into(), "± 95 %".into()]);
    for (metric, sample) in &samples {
        let scale = Scale::of(metric, unit);
        let name = if sample.count < all.count() {
            format!("{}, of {} runs", words(metric), sample.count)
        } else {
            words(metric)
        };
        table.row([name, scale.mean(sample.mean), scale.half_width(sample.half_width)]);
    }
    let mut text = table.render(terminal);
    text.extend(ends("", all).map(|line| terminal.wrapped(&line)));
    text
}

/// What those of several variations say: a table for each figure. Of more than a screen holds the first, unless all are wanted.
#[must_use]
pub fn replicated_variations(all: &[(String, Replications)], full: bool, terminal: &Terminal) -> String {
    let Some((first, baseline)) = all.first() else { return String::new() };
    let shown = &all[..if full { all.len() } else { all.len().min(ROWS) }];
    // A kind of task may be in some of the variations only.
    let mut metrics: Vec<&Metric> = Vec::new();
    for (metric, _) in all.iter().flat_map(|(_, replications)| &replications.figures) {
        if !metrics.contains(&metric) {
            metrics.push(metric);
        }
    }
    let (mut tables, mut marked) = (Vec::new(), false);
    for metric in metrics {
        let (table, marks) = table(metric, shown, baseline);
        marked |= marks;
        tables.extend((!table.is_empty()).then(|| table.render(terminal)));
    }
    let mut text = tables.join("\n");
    let mut notes = String::new();
    if marked {
        let first = visible(first);
        notes += &format!("* differs from {first} by more than chance (95 %, pairs of one seed)\n");
    }
    if shown.len() < all.len() {
        notes += &format!("the first {ROWS} of {} variations; --full shows all\n", all.len());
    }
    all.iter().for_each(|(label, replications)| notes.extend(ends(&format!("{}: ", visible(label)), replications)));
    if !notes.is_empty() {
        text += &terminal.wrapped(&format!("\n{notes}"));
    }
    text
}

/// The table of a figure, empty if nobody has it; and has it a difference that is marked?
fn table(metric: &Metric, all: &[(String, Replications)], baseline: &Replications) -> (Table, bool) {
    let rows: Vec<(&str, &Replications, Interval)> = (all.iter())
        .filter_map(|(label, replications)| Some((label.as_str(), replications, replications.sample(metric)?)))
        .collect();
    let unit = unit(rows.iter().map(|(_, _, sample)| sample));
    let scale = Scale::of(metric, unit);
    let named = if metric.is_share() { String::new() } else { format!(" ({})", unit.name) };
    let headings = ["runs", "mean", "± 95 %", "difference", "± 95 %", ""].map(str::to_owned);
    let mut table = Table::new(std::iter::once(format!("{}{named}", heading(metric))).chain(headings));
    let mut marked = false;
    for (label, replications, sample) in rows {
        let mut cells = vec![
            label.to_owned(),
            sample.count.to_string(),
            scale.mean(sample.mean),
            scale.half_width(sample.half_width),
        ];
        let difference =
            (!std::ptr::eq(replications, baseline)).then(|| replications.difference(baseline, metric)).flatten();
        if let Some(difference) = difference {
            let is_distinguishable = difference.is_distinguishable();
            marked |= is_distinguishable;
            cells.push(scale.signed(difference.sample.mean));
            cells.push(scale.half_width(difference.sample.half_width));
            cells.push(if is_distinguishable { "*" } else { "" }.to_owned());
        }
        table.row(cells);
    }
    (table, marked)
}

/// How a figure is called.
fn words(metric: &Metric) -> String {
    let what = match metric.name {
        "latency.mean" => "mean latency",
        "latency.p99" => "p99 of latency",
        "waited_share" if metric.of.is_none() => "waited for a worker",
        "waited_share" => "waited",
        name => name,
    };
    match &metric.of {
        None => what.to_owned(),
        Some(device) if metric.is_share() => format!("{what} at {}", visible(device)),
        Some(kind) => format!("{what} of {}", visible(kind)),
    }
}

/// As the heading of a table.
fn heading(metric: &Metric) -> String {
    let what = words(&Metric { of: None, ..metric.clone() }).to_uppercase();
    match &metric.of {
        None => what,
        Some(device) if metric.is_share() => format!("WAITED at {}", visible(device)),
        Some(kind) => format!("{what} of {}", visible(kind)),
    }
}

/// Which runs did not end of themselves, a line for each way.
fn ends(label: &str, all: &Replications) -> impl Iterator<Item = String> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    all.ends.iter().filter(|end| **end != "completed").for_each(|end| *counts.entry(end).or_default() += 1);
    let (label, all) = (label.to_owned(), all.count());
    counts.into_iter().map(move |(end, count)| match end {
        "horizon" => format!("{label}{count} of {all} runs reached the horizon\n"),
        end => format!("{label}{count} of {all} runs ended in a {end}\n"),
    })
}

/// How the figures of a metric are written.
enum Scale {
    Time(Unit),
    Share,
}

impl Scale {
    fn of(metric: &Metric, unit: Unit) -> Scale {
        if metric.is_share() { Scale::Share } else { Scale::Time(unit) }
    }

    fn mean(&self, mean: f64) -> String {
        match self {
            Scale::Time(unit) => unit.show_mean(Some(mean)),
            Scale::Share => percent(mean),
        }
    }

    fn half_width(&self, half: Option<f64>) -> String {
        half.map_or_else(|| "–".to_owned(), |half| self.mean(half))
    }

    fn signed(&self, difference: f64) -> String {
        let sign = if difference < 0.0 { '-' } else { '+' };
        format!("{sign}{}", self.mean(difference.abs()))
    }
}

/// The unit of means, with as many decimals as tell four digits of the longest and two of each interval.
fn unit<'a>(samples: impl Iterator<Item = &'a Interval>) -> Unit {
    let samples: Vec<&Interval> = samples.collect();
    let longest = samples.iter().map(|sample| whole(sample.mean)).max().unwrap_or(0);
    let means = samples.iter().map(|sample| four_digits(whole(sample.mean), longest));
    let halves = samples.iter().filter_map(|sample| sample.half_width).map(|half| {
        let half = whole(half);
        // Two digits of it.
        four_digits(half, half.saturating_mul(100))
    });
    Unit::for_all(means.chain(halves).collect::<Vec<_>>().into_iter())
}
