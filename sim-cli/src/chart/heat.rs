//! A heat map over two axes of numbers: the darker, the larger.

use super::axis::{Axis, Kind};
use super::frame::{self, MARGIN, WIDTH};
use super::shape::Heat;
use crate::picture::colours;
use crate::picture::lettering;
use crate::picture::sheet::{Anchor, Colour, Sheet};
use crate::report::sweep::Report;

/// From the smallest to the largest figure: light to dark, and readable without colours.
const SCALE: [Colour; 5] = [
    Colour(0xff, 0xf7, 0xd9),
    Colour(0xc7, 0xe3, 0xb4),
    Colour(0x5d, 0xb6, 0xb0),
    Colour(0x2b, 0x76, 0xa8),
    Colour(0x1d, 0x2f, 0x6f),
];

pub(super) fn draw(report: &Report<'_>, metric: usize, of: &Heat) -> Sheet {
    let (mut sheet, mut y) = frame::begin(report, metric, "means");
    let experiment = report.experiment;
    let (columns, rows) = (&experiment.axes[of.x], &experiment.axes[of.y]);
    let called = format!("{} across, {} down", columns.word(), rows.word());
    frame::label(&mut sheet, (MARGIN, y), &called, Anchor::Start, colours::INK);
    y += 44;
    let names = (0..rows.values.len()).map(|row| rows.name(row));
    let beside = names.map(|name| lettering::width(&name, 16, false)).max().unwrap_or(0) + 16;
    let count = i32::try_from(columns.values.len()).unwrap_or(1);
    let width = ((WIDTH - 2 * MARGIN - beside) / count).min(150);
    let height = 44;
    let means = (0..experiment.variations()).filter_map(|variation| report.of(variation, metric).mean);
    let (least, largest) = means.fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), mean| (a.min(mean), b.max(mean)));
    let kind = Kind::of(experiment.metrics[metric].unit(), largest);
    let is_log = least > 0.0 && largest / least > 25.0;
    let axis = Axis::over(&[largest], kind, (0, 1));
    for column in 0..columns.values.len() {
        let x = MARGIN + beside + i32::try_from(column).unwrap_or(0) * width + width / 2;
        frame::label(&mut sheet, (x, y - 14), &columns.name(column), Anchor::Middle, colours::QUIET);
    }
    for row in 0..rows.values.len() {
        let at = y + i32::try_from(row).unwrap_or(0) * height + height / 2;
        frame::label(&mut sheet, (MARGIN + beside - 10, at), &rows.name(row), Anchor::End, colours::QUIET);
    }
    for variation in 0..experiment.variations() {
        let choice = experiment.choice(variation);
        let (column, row) = (i32::try_from(choice[of.x]).unwrap_or(0), i32::try_from(choice[of.y]).unwrap_or(0));
        let (x, top) = (MARGIN + beside + column * width, y + row * height);
        let Some(mean) = report.of(variation, metric).mean else { continue };
        let share =
            if is_log { (mean / least).ln() / (largest / least).ln() } else { (mean - least) / (largest - least) };
        let ground = colour(share);
        sheet.rect(x, top, width - 2, height - 2, ground);
        let text = lettering::fit(&axis.label(mean), 15, false, width - 8);
        frame::label(
            &mut sheet,
            (x + width / 2, top + height / 2),
            &text,
            Anchor::Middle,
            colours::readable_on(ground),
        );
        if experiment.baseline_of(variation) == Some(variation) {
            outline(&mut sheet, (x, top), (width - 2, height - 2), colours::readable_on(ground));
        }
    }
    y += i32::try_from(rows.values.len()).unwrap_or(0) * height + 20;
    let scale = if is_log { "light is small, dark is large (logarithmic)" } else { "light is small, dark is large" };
    let frames = if experiment.baseline.is_empty() { "" } else { "; the baseline has a frame" };
    frame::label(&mut sheet, (MARGIN, y), &format!("{scale}{frames}"), Anchor::Start, colours::QUIET);
    sheet.height = y + 24;
    sheet
}

fn outline(sheet: &mut Sheet, (x, y): (i32, i32), (width, height): (i32, i32), colour: Colour) {
    let thick = 2;
    sheet.rect(x + 2, y + 2, width - 4, thick, colour);
    sheet.rect(x + 2, y + height - 4, width - 4, thick, colour);
    sheet.rect(x + 2, y + 2, thick, height - 4, colour);
    sheet.rect(x + width - 4, y + 2, thick, height - 4, colour);
}

/// The colour of a share between nothing and one.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "colours")]
fn colour(share: f64) -> Colour {
    let share = if share.is_finite() { share.clamp(0.0, 1.0) } else { 0.0 };
    let place = share * (SCALE.len() - 1) as f64;
    let index = (place as usize).min(SCALE.len() - 2);
    let (a, b, part) = (SCALE[index], SCALE[index + 1], place - index as f64);
    let mix = |a: u8, b: u8| (f64::from(a) + (f64::from(b) - f64::from(a)) * part).round() as u8;
    Colour(mix(a.0, b.0), mix(a.1, b.1), mix(a.2, b.2))
}
