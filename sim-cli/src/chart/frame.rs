//! What surrounds what is drawn: the headline of a chart, the grid and the axes of its panels, the legend of its colours.

use sim_core::experiment::{Better, Metric};

use super::axis::Axis;
use crate::picture::colours;
use crate::picture::lettering;
use crate::picture::sheet::{Anchor, Colour, Sheet, Text};
use crate::report::sweep::{Report, level};

/// The width of a chart.
pub(super) const WIDTH: i32 = 1280;
/// What is left free at its edges.
pub(super) const MARGIN: i32 = 28;
/// The size of the letters of axes.
const SMALL: i32 = 16;

/// Where something is drawn: its left, upper, right and lower edge.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame {
    pub(super) left: i32,
    pub(super) top: i32,
    pub(super) right: i32,
    pub(super) bottom: i32,
}

/// A sheet with the headline of a metric's chart; where what follows begins.
pub(super) fn begin(report: &Report<'_>, metric: usize, how: &str) -> (Sheet, i32) {
    let metric = &report.experiment.metrics[metric];
    let mut sheet = Sheet { width: WIDTH, title: format!("{}: {}", report.title, metric.path()), ..Sheet::default() };
    let room = WIDTH - 2 * MARGIN;
    let mut line = |text: String, y: i32, size: i32, bold: bool, colour: Colour| {
        let text = lettering::fit(&text, size, bold, room);
        sheet.text(Text { x: MARGIN, y, text, size, bold, anchor: Anchor::Start, colour });
    };
    line(metric.path().to_owned(), 40, 28, true, colours::INK);
    line(subtitle(report, metric, how), 74, 17, false, colours::QUIET);
    (sheet, 104)
}

fn subtitle(report: &Report<'_>, metric: &Metric, how: &str) -> String {
    let better = match metric.better() {
        Some(Better::Lower) => "lower is better",
        Some(Better::Higher) => "higher is better",
        None => "neither way is better",
    };
    let replications = match (report.experiment.stop_when.is_some(), report.experiment.most_replications()) {
        (true, most) => format!("up to {most} replications"),
        (false, 1) => "one replication".to_owned(),
        (false, count) => format!("{count} replications"),
    };
    let level = if how.contains("interval") { format!(", {}", level(report.experiment.level)) } else { String::new() };
    format!("{} · {better} · {how}, {replications}{level}", report.title)
}

/// A line of small letters.
pub(super) fn label(sheet: &mut Sheet, (x, y): (i32, i32), text: &str, anchor: Anchor, colour: Colour) {
    sheet.text(Text { x, y, text: text.to_owned(), size: SMALL, bold: false, anchor, colour });
}

/// The grid and the numbers of both axes, and what the horizontal one is called.
pub(super) fn axes(sheet: &mut Sheet, frame: Frame, (x, xs): (&Axis, &[f64]), y: &Axis, called: &str) {
    let Frame { left, top, right, bottom } = frame;
    for (number, text) in y.ticks(6) {
        let at = y.at(number);
        sheet.rect(left, at, right - left, 1, colours::GRID);
        label(sheet, (left - 10, at), &text, Anchor::End, colours::QUIET);
    }
    for (number, text) in x.chosen(xs, 46) {
        let at = x.at(number);
        sheet.rect(at, bottom, 1, 6, colours::READY);
        label(sheet, (at, bottom + 20), &text, Anchor::Middle, colours::QUIET);
    }
    sheet.rect(left, bottom, right - left, 1, colours::READY);
    sheet.rect(left, top, 1, bottom - top, colours::GRID);
    label(sheet, (i32::midpoint(left, right), bottom + 46), called, Anchor::Middle, colours::INK);
}

/// What colours tell apart, and their names in lines; returns where they end.
pub(super) fn legend(sheet: &mut Sheet, called: &str, entries: &[(Colour, String)], y: i32) -> i32 {
    let called = lettering::fit(called, SMALL, false, WIDTH / 3);
    label(sheet, (MARGIN, y), &called, Anchor::Start, colours::QUIET);
    let (mut x, mut y) = (MARGIN + lettering::width(&called, SMALL, false) + 20, y);
    for (colour, name) in entries {
        let name = lettering::fit(name, SMALL, false, WIDTH - 2 * MARGIN - 40);
        let width = lettering::width(&name, SMALL, false) + 52;
        if x > MARGIN && x + width > WIDTH - MARGIN {
            (x, y) = (MARGIN, y + 26);
        }
        sheet.rect(x, y - 2, 24, 5, *colour);
        label(sheet, (x + 32, y), &name, Anchor::Start, colours::INK);
        x += width;
    }
    y + 30
}

/// The colour of a series.
pub(super) fn hue(index: usize) -> Colour {
    colours::HUES[index % colours::HUES.len()]
}

/// A vertical line of dashes with what it stands for at its upper end.
pub(super) fn marked(sheet: &mut Sheet, x: i32, (top, bottom): (i32, i32), text: &str) {
    let mut y = top;
    while y < bottom {
        sheet.rect(x, y, 1, 5.min(bottom - y), colours::QUIET);
        y += 9;
    }
    label(sheet, (x + 6, top + 8), text, Anchor::Start, colours::QUIET);
}
