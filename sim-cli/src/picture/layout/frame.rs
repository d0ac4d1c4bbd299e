//! What surrounds the lanes: headline, headings, grid, axis, notes.

use sim_core::time::Time;

use super::legend::{self, Context};
use super::pen::Pen;
use super::{HEADING, MARGIN, WIDTH};
use crate::axis::Tick;
use crate::picture::colours;
use crate::picture::lane::Scale;
use crate::picture::lettering;
use crate::picture::sheet::{Anchor, Colour, Sheet, Text};
use crate::picture::{Panel, Picture};

/// Headline, subtitle, note and legend; returns where the panels begin.
pub(super) fn header(sheet: &mut Sheet, picture: &Picture<'_>, pen: &Pen, context: Context<'_>) -> i32 {
    let y = headline(sheet, picture) + 6;
    y + legend::legend(sheet, pen, context, y) + 14
}

/// Headline, subtitle and note; returns where they end.
pub(super) fn headline(sheet: &mut Sheet, picture: &Picture<'_>) -> i32 {
    let room = WIDTH - 2 * MARGIN;
    let mut y = 16;
    let mut line = |text: &str, size: i32, bold: bool, colour: Colour, pitch: i32| {
        if !text.is_empty() {
            let text = lettering::fit(text, size, bold, room);
            sheet.text(Text { x: MARGIN, y: y + pitch / 2, text, size, bold, anchor: Anchor::Start, colour });
            y += pitch;
        }
    };
    line(&picture.title, 30, true, colours::INK, 44);
    line(&picture.subtitle, 18, false, colours::QUIET, 28);
    for finding in picture.panels.iter().filter(|panel| !has_heading(panel)).flat_map(|panel| &panel.findings) {
        for part in lettering::wrap(finding, 18, true, room, MOST_LINES) {
            line(&part, 18, true, colours::WARNING, FINDING);
        }
    }
    for part in lettering::wrap(&picture.note, 18, true, room, 3) {
        line(&part, 18, true, colours::INK, 26);
    }
    y
}

/// The cycle of a deadlock may be long; the rest of it is in the report.
const MOST_LINES: usize = 5;
/// The height of a line of a finding.
const FINDING: i32 = 26;
/// Beneath the findings of a panel that has a heading.
const AFTER_FINDINGS: i32 = 6;

/// Has it a line of its own? The findings of a panel without stand beneath the headline of the picture.
fn has_heading(panel: &Panel<'_>) -> bool {
    !panel.heading.is_empty() || !panel.subtitle.is_empty()
}

/// The findings of a panel with a heading, in lines.
fn findings(panel: &Panel<'_>) -> Vec<String> {
    let wrap = |finding: &String| lettering::wrap(finding, 16, true, WIDTH - 2 * MARGIN, MOST_LINES);
    panel.findings.iter().flat_map(wrap).collect()
}

/// How much room the heading of a panel takes.
pub(super) fn heading_height(panel: &Panel<'_>) -> i32 {
    if !has_heading(panel) {
        return 0;
    }
    match i32::try_from(findings(panel).len()).unwrap_or(0) {
        0 => HEADING,
        lines => HEADING + lines * FINDING + AFTER_FINDINGS,
    }
}

/// The heading of a panel.
pub(super) fn heading(sheet: &mut Sheet, panel: &Panel<'_>, y: i32) {
    sheet.rect(MARGIN, y, WIDTH - 2 * MARGIN, 1, colours::READY);
    let (text, size, y) = (panel.heading.clone(), 20, y + HEADING / 2 + 2);
    let heading = Text { x: MARGIN, y, text, size, bold: true, anchor: Anchor::Start, colour: colours::INK };
    let after = if panel.heading.is_empty() { MARGIN } else { heading.columns().1 + 14 };
    sheet.text(heading);
    let text = lettering::fit(&panel.subtitle, 16, false, WIDTH - MARGIN - after);
    sheet.text(Text { x: after, y, text, size: 16, bold: false, anchor: Anchor::Start, colour: colours::QUIET });
    for (line, text) in (1..).zip(findings(panel)) {
        let (y, colour) = (y + line * FINDING, colours::WARNING);
        sheet.text(Text { x: MARGIN, y, text, size: 16, bold: true, anchor: Anchor::Start, colour });
    }
}

/// Vertical lines through all panels.
pub(super) fn grid(sheet: &mut Sheet, scale: &Scale, ticks: &[Tick], top: i32, bottom: i32) {
    for tick in ticks {
        sheet.rect(scale.x(Time::from_ns(tick.at)), top, 1, bottom - top, colours::GRID);
    }
}

/// The times once more above the panels of a high picture; returns where they end.
pub(super) fn upper_axis(sheet: &mut Sheet, scale: &Scale, ticks: &[Tick], top: i32) -> i32 {
    labels(sheet, scale, ticks, top + 8);
    top + 22
}

fn labels(sheet: &mut Sheet, scale: &Scale, ticks: &[Tick], y: i32) {
    for tick in ticks {
        let (x, text, size) = (scale.x(Time::from_ns(tick.at)), tick.label.clone(), 15);
        sheet.text(Text { x, y, text, size, bold: false, anchor: Anchor::Middle, colour: colours::QUIET });
    }
}

/// The axis; returns where it ends.
pub(super) fn axis(sheet: &mut Sheet, scale: &Scale, ticks: &[Tick], top: i32) -> i32 {
    sheet.rect(scale.left, top, scale.width, 1, colours::DOTS);
    ticks.iter().for_each(|tick| sheet.rect(scale.x(Time::from_ns(tick.at)), top, 1, 6, colours::DOTS));
    labels(sheet, scale, ticks, top + 18);
    top + 34
}

/// The axis, and what must be known to read the lanes; returns where it ends.
pub(super) fn footer(sheet: &mut Sheet, scale: &Scale, ticks: &[Tick], top: i32, notes: &[String]) -> i32 {
    let mut y = axis(sheet, scale, ticks, top);
    for text in lettering::wrap(&notes.join(" "), 15, false, WIDTH - MARGIN - scale.left, MOST_NOTES) {
        let (x, size, anchor) = (scale.left, 15, Anchor::Start);
        sheet.text(Text { x, y: y + NOTE / 2, text, size, bold: false, anchor, colour: colours::QUIET });
        y += NOTE;
    }
    y
}

/// More lines of notes than this nobody reads.
const MOST_NOTES: usize = 4;
/// The height of a line of notes.
const NOTE: i32 = 24;
