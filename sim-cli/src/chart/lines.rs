//! Lines with bands over an axis of numbers: a colour for each series, a panel for each combination of what is left.

use super::axis::{Axis, Kind};
use super::frame::{self, Frame, MARGIN, WIDTH};
use super::shape::{self, Lines, MOST_PANELS};
use crate::picture::colours;
use crate::picture::lettering;
use crate::picture::sheet::Shape as Drawn;
use crate::picture::sheet::{Anchor, Area, Colour, Sheet, Text};
use crate::report::sweep::Report;

/// The height of the only panel, and of one among others.
const HEIGHTS: (i32, i32) = (460, 300);
/// Beneath a panel are its numbers and its name.
const BENEATH: i32 = 76;
/// Left of a panel are its numbers.
const BESIDE: i32 = 92;

pub(super) fn draw(report: &Report<'_>, metric: usize, of: &Lines) -> Sheet {
    let pooled = report.experiment.metrics[metric].pooled().is_some();
    let how = if pooled { "quantiles of all samples and their intervals" } else { "means and their intervals" };
    let (mut sheet, mut y) = frame::begin(report, metric, how);
    let series = series(report, of);
    let entries: Vec<(Colour, String)> =
        series.iter().enumerate().map(|(index, name)| (frame::hue(index), name.clone())).collect();
    if let Some(axis) = of.series {
        y = frame::legend(&mut sheet, report.experiment.axes[axis].word(), &entries, y);
    }
    let panels = shape::panels(report.experiment, &of.panels);
    let shown = panels.len().min(MOST_PANELS);
    let columns = if shown == 1 { 1 } else { 2 };
    let height = if shown == 1 { HEIGHTS.0 } else { HEIGHTS.1 };
    let width = (WIDTH - 2 * MARGIN - (columns - 1) * 20) / columns;
    for (index, (name, variations)) in panels.iter().take(shown).enumerate() {
        let index = i32::try_from(index).unwrap_or(0);
        let (column, row) = (index % columns, index / columns);
        let heading = if name.is_empty() { 0 } else { 34 };
        let left = MARGIN + column * (width + 20);
        let top = y + row * (height + BENEATH + 34);
        if heading > 0 {
            let text = lettering::fit(name, 17, true, width);
            let at =
                Text { x: left, y: top + 12, text, size: 17, bold: true, anchor: Anchor::Start, colour: colours::INK };
            sheet.text(at);
        }
        let frame =
            Frame { left: left + BESIDE, top: top + heading, right: left + width - 14, bottom: top + heading + height };
        panel(&mut sheet, report, metric, (of, variations), frame);
    }
    let rows = (i32::try_from(shown).unwrap_or(1) + columns - 1) / columns;
    y += rows * (height + BENEATH + 34);
    if shown < panels.len() {
        let text = format!("{shown} of {} panels; the others are in results.csv", panels.len());
        frame::label(&mut sheet, (MARGIN, y), &text, Anchor::Start, colours::QUIET);
        y += 30;
    }
    sheet.height = y;
    sheet
}

/// What the series are called.
fn series(report: &Report<'_>, of: &Lines) -> Vec<String> {
    let Some(axis) = of.series else { return vec![String::new()] };
    let baseline = report.experiment.baseline.iter().find(|(of, _)| *of == axis).map(|(_, value)| *value);
    let axis = &report.experiment.axes[axis];
    let called = |index: usize| match baseline {
        Some(baseline) if baseline == index => format!("{} (baseline)", axis.name(index)),
        _ => axis.name(index),
    };
    (0..axis.values.len()).map(called).collect()
}

/// A point of a line: where, the mean, and the bounds of its interval.
type Point = (f64, f64, Option<(f64, f64)>);

/// The lines of some variations, one for each series.
fn lines(report: &Report<'_>, metric: usize, of: &Lines, variations: &[usize]) -> Vec<Vec<Point>> {
    let experiment = report.experiment;
    let xs = shape::numbers(&experiment.axes[of.x]).unwrap_or_default();
    let count = of.series.map_or(1, |axis| experiment.axes[axis].values.len());
    let mut lines: Vec<Vec<Point>> = vec![Vec::new(); count];
    for variation in variations {
        let choice = experiment.choice(*variation);
        let estimate = report.of(*variation, metric);
        if let Some(mean) = estimate.mean {
            lines[of.series.map_or(0, |axis| choice[axis])].push((xs[choice[of.x]], mean, estimate.bounds));
        }
    }
    lines.iter_mut().for_each(|line| line.sort_by(|(a, ..), (b, ..)| a.total_cmp(b)));
    lines
}

/// The figures that the vertical axis must have room for: that of all panels, so that they can be compared.
fn figures(report: &Report<'_>, metric: usize, of: &Lines) -> Vec<f64> {
    let all: Vec<usize> = (0..report.labels.len()).collect();
    let points: Vec<Point> = lines(report, metric, of, &all).concat();
    let bounds = |(_, mean, bounds): &Point| bounds.map_or([*mean, *mean], |(low, high)| [low, high]);
    let bounds: Vec<f64> = points.iter().flat_map(bounds).collect();
    let means: Vec<f64> = points.iter().map(|(_, mean, _)| *mean).collect();
    if means.iter().all(|mean| *mean > 0.0) {
        // An interval may reach below zero where the figure cannot; that must not take the room.
        bounds.into_iter().filter(|figure| *figure > 0.0).chain(means).collect()
    } else {
        bounds
    }
}

fn panel(sheet: &mut Sheet, report: &Report<'_>, metric: usize, (of, variations): (&Lines, &[usize]), frame: Frame) {
    let experiment = report.experiment;
    let x_axis = &experiment.axes[of.x];
    let xs = shape::numbers(x_axis).unwrap_or_default();
    let lines = lines(report, metric, of, variations);
    let figures = figures(report, metric, of);
    let largest = figures.iter().copied().fold(0.0, f64::max);
    let kind = Kind::of(experiment.metrics[metric].unit(), largest);
    let y = Axis::over(&figures, kind, (frame.bottom, frame.top));
    let x_kind = if shape::is_time(x_axis) { Kind::Time } else { Kind::Number };
    let x = Axis::around(&xs, x_kind, (frame.left + 16, frame.right - 16));
    let scales = match (x.is_log, y.is_log) {
        (true, true) => " (both axes logarithmic)",
        (true, false) => " (logarithmic)",
        (false, true) => " (the vertical axis is logarithmic)",
        (false, false) => "",
    };
    let called = x_axis.word().to_owned() + scales;
    frame::axes(sheet, frame, (&x, &xs), &y, &called);
    if let Some((_, value)) = experiment.baseline.iter().find(|(axis, _)| *axis == of.x) {
        frame::marked(sheet, x.at(xs[*value]), (frame.top, frame.bottom), "baseline");
    }
    for (index, line) in lines.iter().enumerate() {
        band(sheet, line, (&x, &y), frame::hue(index));
    }
    for (index, line) in lines.iter().enumerate() {
        let points: Vec<(i32, i32)> = line.iter().map(|(at, mean, _)| (x.at(*at), y.at(*mean))).collect();
        points.iter().for_each(|point| sheet.disc(*point, 4, frame::hue(index)));
        sheet.path(points, 3, frame::hue(index));
    }
}

/// The intervals of a line as a band.
fn band(sheet: &mut Sheet, line: &[Point], (x, y): (&Axis, &Axis), colour: Colour) {
    let known = || line.iter().filter_map(|(at, _, bounds)| Some((*at, (*bounds)?)));
    let upper = known().map(|(at, (_, high))| (x.at(at), y.at(high)));
    let lower = known().map(|(at, (low, _))| (x.at(at), y.at(low)));
    let points: Vec<(i32, i32)> = upper.chain(lower.collect::<Vec<_>>().into_iter().rev()).collect();
    if points.len() > 3 {
        sheet.shapes.push(Drawn::Area(Area { points, colour, opacity: 20 }));
    }
}
