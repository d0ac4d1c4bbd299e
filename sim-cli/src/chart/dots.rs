//! Dots with intervals: a row for each variation, for axes of names.

use super::axis::{Axis, Kind};
use super::frame::{self, MARGIN, WIDTH};
use crate::picture::colours;
use crate::picture::lettering;
use crate::picture::sheet::{Anchor, Sheet};
use crate::report::sweep::Report;
use sim_core::experiment::Verdict;

/// More rows are none to look at.
const MOST: usize = 60;
/// The height of a row.
const ROW: i32 = 30;

pub(super) fn draw(report: &Report<'_>, metric: usize) -> Sheet {
    let (mut sheet, top) = frame::begin(report, metric, "means and their intervals");
    let shown = report.labels.len().min(MOST);
    let names = (0..shown).map(|variation| lettering::width(report.label(variation), 16, false));
    let beside = names.max().unwrap_or(0).clamp(80, WIDTH / 2) + 20;
    let bounds = |variation: usize| {
        let estimate = report.of(variation, metric);
        let bounds = estimate.bounds.map_or(Vec::new(), |(low, high)| vec![low, high]);
        estimate.mean.into_iter().chain(bounds)
    };
    let figures: Vec<f64> = (0..shown).flat_map(bounds).collect();
    let largest = figures.iter().copied().fold(0.0, f64::max);
    let kind = Kind::of(report.experiment.metrics[metric].unit(), largest);
    let (left, right) = (MARGIN + beside, WIDTH - MARGIN - 170);
    let x = Axis::over(&figures, kind, (left, right));
    let bottom = top + i32::try_from(shown).unwrap_or(0) * ROW + 8;
    for (number, text) in x.ticks(8) {
        let at = x.at(number);
        sheet.rect(at, top, 1, bottom - top, colours::GRID);
        frame::label(&mut sheet, (at, bottom + 16), &text, Anchor::Middle, colours::QUIET);
    }
    for variation in 0..shown {
        row(
            &mut sheet,
            report,
            (variation, metric),
            &x,
            top + i32::try_from(variation).unwrap_or(0) * ROW + ROW / 2 + 4,
        );
    }
    let mut y = bottom + 40;
    let mut notes = Vec::new();
    if x.is_log {
        notes.push("the axis is logarithmic".to_owned());
    }
    if shown < report.labels.len() {
        notes.push(format!("{shown} of {} variations; the others are in results.csv", report.labels.len()));
    }
    for note in notes {
        frame::label(&mut sheet, (left, y), &note, Anchor::Start, colours::QUIET);
        y += 26;
    }
    sheet.height = y + 4;
    sheet
}

fn row(sheet: &mut Sheet, report: &Report<'_>, (variation, metric): (usize, usize), x: &Axis, y: i32) {
    let estimate = report.of(variation, metric);
    let colour = match estimate.verdict {
        Some(Verdict::Better) => frame::hue(2),
        Some(Verdict::Worse) => frame::hue(5),
        Some(Verdict::NotDistinguishable) => colours::QUIET,
        _ => frame::hue(0),
    };
    let name = lettering::fit(report.label(variation), 16, false, WIDTH / 2);
    frame::label(sheet, (x.at(f64::NEG_INFINITY) - 14, y), &name, Anchor::End, colours::INK);
    if let Some((low, high)) = estimate.bounds {
        let (from, to) = (x.at(low), x.at(high));
        sheet.rect(from, y - 1, to - from + 1, 3, colour);
        [from, to].into_iter().for_each(|at| sheet.rect(at, y - 6, 1, 13, colour));
    }
    match estimate.mean {
        Some(mean) => sheet.disc((x.at(mean), y), 5, colour),
        None => frame::label(sheet, (x.at(0.0) + 8, y), "no figure", Anchor::Start, colours::QUIET),
    }
    frame::label(sheet, (WIDTH - MARGIN, y), &report.verdict(estimate), Anchor::End, colour);
}
