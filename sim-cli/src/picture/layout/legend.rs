//! The legend: what the marks mean that were drawn.

use super::pen::{Mark, Pen, Place};
use super::{MARGIN, WIDTH};
use crate::picture::colours;
use crate::picture::lettering;
use crate::picture::sheet::{Anchor, Sheet, Text};

/// The width of what an entry explains.
pub(super) const SWATCH: i32 = 34;
/// The height of what an entry explains.
pub(super) const SWATCH_HEIGHT: i32 = 16;
const LINE: i32 = 26;
const LETTERS: i32 = 15;

/// Marks that are explained together, in the order of the legend.
pub(in crate::picture) const ENTRIES: &[&[Mark]] = &[
    &[Mark::Running, Mark::Served, Mark::Holding],
    &[Mark::Ready, Mark::ReadyArea],
    &[Mark::Throttled, Mark::ThrottledArea],
    &[Mark::Depleted, Mark::DepletedArea],
    &[Mark::Interpreter, Mark::InterpreterArea],
    &[Mark::Blocked, Mark::BlockedArea],
    &[Mark::Blocking],
    &[Mark::Queued, Mark::QueuedArea],
    &[Mark::Seek, Mark::UnderWay],
    &[Mark::Sharing, Mark::InService, Mark::Permits, Mark::Readers, Mark::Messages],
    &[Mark::Overhead],
    &[Mark::Same],
    &[Mark::PartlySame],
    &[Mark::Other],
    &[Mark::Idle],
    &[Mark::Arrival],
    &[Mark::Finish],
    &[Mark::Cut],
    &[Mark::Released],
    &[Mark::Due],
    &[Mark::DueAndReleased],
    &[Mark::Dense],
    &[Mark::Late],
    &[Mark::Aborted],
    &[Mark::Clash],
    &[Mark::Path],
];

/// What the legend must know beside the marks.
#[derive(Clone, Copy, Default, Debug)]
pub(in crate::picture) struct Context<'a> {
    /// The headings of the two panels with a strip between them, if there are others.
    pub(super) beside: Option<[&'a str; 2]>,
    /// Are there runtimes in which a ready task may wait?
    pub(super) runtime: bool,
    /// Do tasks wait for devices?
    pub(super) devices: bool,
    /// Do they wait for their next jobs?
    pub(super) jobs: bool,
    /// Do they wait for anything else?
    pub(super) others: bool,
}

/// Explains the marks that the pen drew, in one or more lines; returns the height.
pub(super) fn legend(sheet: &mut Sheet, pen: &Pen, context: Context<'_>, top: i32) -> i32 {
    let drawn = ENTRIES
        .iter()
        .map(|entry| -> Vec<Mark> { entry.iter().copied().filter(|mark| pen.marks.contains(mark)).collect() });
    let entries = drawn.filter(|marks| !marks.is_empty()).map(|marks| {
        let words = words(&marks, context);
        (words, move |sheet: &mut Sheet, x: i32, y: i32| swatch(sheet, pen, &marks, x, y))
    });
    flow(sheet, entries, top)
}

/// What such marks mean.
pub(in crate::picture) fn words(marks: &[Mark], context: Context<'_>) -> String {
    let each = |words: &[(Mark, &str)]| {
        let drawn: Vec<&str> = words.iter().filter(|(mark, _)| marks.contains(mark)).map(|(_, word)| *word).collect();
        match drawn.split_last() {
            Some((last, others)) if !others.is_empty() => format!("{} or {last}", others.join(", ")),
            _ => drawn.concat(),
        }
    };
    let words = match marks.first().copied().unwrap_or(Mark::Idle) {
        Mark::Running | Mark::Served | Mark::Holding => {
            let doing = [(Mark::Running, "running"), (Mark::Served, "served"), (Mark::Holding, "holding the lock")];
            return format!("{}, in the task's colour", each(&doing));
        }
        Mark::Sharing | Mark::InService | Mark::Permits | Mark::Readers | Mark::Messages => {
            return each(&[
                (Mark::Sharing, "requests that share a device"),
                (Mark::InService, "requests in service"),
                (Mark::Permits, "permits taken"),
                (Mark::Readers, "readers"),
                (Mark::Messages, "messages in a channel"),
            ]) + ", how many";
        }
        Mark::Ready | Mark::ReadyArea if context.runtime => "ready: waits for a processor or in its runtime",
        Mark::Ready | Mark::ReadyArea => "ready: waits for a processor",
        Mark::Throttled | Mark::ThrottledArea => "throttled: its group has used up its quota",
        Mark::Depleted | Mark::DepletedArea => "its server has used up its budget",
        Mark::Interpreter | Mark::InterpreterArea => "waits for the interpreter lock",
        Mark::Blocked | Mark::BlockedArea => match (context.devices, context.jobs, context.others) {
            (false, true, false) => "waits for its next job",
            (false, true, true) => "blocked, or waits for its next job",
            (true, true, _) => "blocked, served by a device, or waits for its next job",
            (true, false, _) => "blocked, or served by a device",
            (false, false, _) => "blocked: waits for something else",
        },
        Mark::Blocking => "blocks its whole thread",
        Mark::Queued | Mark::QueuedArea => "in the queue of a device",
        Mark::Seek | Mark::UnderWay => "the device on its way (seek)",
        Mark::Overhead => "switching and other overhead",
        Mark::Same => match context.beside {
            Some([above, below]) => return format!("{above} and {below}: the same tasks run"),
            None => "the same tasks run in both",
        },
        Mark::PartlySame => "some of them",
        Mark::Other => "other tasks, or none in one",
        Mark::Idle => "idle",
        Mark::Arrival => "arrives",
        Mark::Finish => "finishes",
        Mark::Cut => "ends itself, is rejected or aborted",
        Mark::Released => "job released",
        Mark::Due => "its deadline",
        Mark::DueAndReleased => "deadline and next release",
        Mark::Dense => "releases, close together",
        Mark::Late => "late",
        Mark::Aborted => "job aborted at its deadline",
        Mark::Clash => "two tasks recorded at once",
        Mark::Path => "the critical path",
    };
    words.to_owned()
}

/// The marks side by side, as they look in a lane.
fn swatch(sheet: &mut Sheet, pen: &Pen, marks: &[Mark], x: i32, y: i32) {
    let first = marks.first().copied().unwrap_or(Mark::Idle);
    let place = Place { from: x, to: x + SWATCH, y, height: SWATCH_HEIGHT };
    let at = |from: i32, y: i32, height: i32| Place { from, to: from, y, height };
    match first {
        Mark::Running | Mark::Served | Mark::Holding => {
            let hues = &pen.hues;
            for (part, hue) in split(place, hues.len()).zip(hues) {
                first.draw(sheet, part, *hue);
            }
        }
        Mark::Sharing | Mark::InService | Mark::Permits | Mark::Readers | Mark::Messages => {
            for (part, height) in split(place, 3).zip([5, 10, SWATCH_HEIGHT]) {
                first.draw(sheet, Place { y: y + SWATCH_HEIGHT - height, height, ..part }, colours::INK);
            }
        }
        Mark::Arrival => first.draw(sheet, at(x + SWATCH - 2, y - 4, 24), colours::INK),
        Mark::Finish | Mark::Cut | Mark::Aborted => first.draw(sheet, at(x + SWATCH - 5, y - 4, 24), colours::INK),
        Mark::Released => first.draw(sheet, at(x + SWATCH - 8, y + 5, 24), colours::INK),
        Mark::Due => first.draw(sheet, at(x + SWATCH - 8, y - 11, 24), colours::INK),
        Mark::DueAndReleased => {
            Mark::Released.draw(sheet, at(x + SWATCH - 8, y + 5, 24), colours::INK);
            Mark::Due.draw(sheet, at(x + SWATCH - 8, y - 11, 24), colours::INK);
        }
        Mark::Late => first.draw(sheet, Place { height: 11, ..place }, colours::INK),
        Mark::Dense => {
            for x in (x..x + SWATCH).step_by(4) {
                first.draw(sheet, at(x, y + SWATCH_HEIGHT, 24), colours::INK);
            }
        }
        _ => {
            let hue = pen.hues.first().copied().unwrap_or(colours::DOTS);
            split(place, marks.len()).zip(marks).for_each(|(part, mark)| mark.draw(sheet, part, hue));
        }
    }
}

/// The place in equal parts.
fn split(place: Place, parts: usize) -> impl Iterator<Item = Place> {
    let parts = i32::try_from(parts.max(1)).unwrap_or(1);
    let edge = move |part: i32| place.from + (place.to - place.from) * part / parts;
    (0..parts).map(move |part| Place { from: edge(part), to: edge(part + 1), ..place })
}

/// The entries of a legend, in one or more lines; returns its height. The viewer of an SVG may have another font, whose
/// letters are wider: there is room for that.
pub(super) fn flow<T: AsRef<str>, S: Fn(&mut Sheet, i32, i32)>(
    sheet: &mut Sheet,
    entries: impl Iterator<Item = (T, S)>,
    top: i32,
) -> i32 {
    let (mut x, mut y) = (MARGIN, top);
    for (text, swatch) in entries {
        let letters = lettering::width(text.as_ref(), LETTERS, false);
        let width = SWATCH + 8 + letters;
        if x + width > WIDTH - MARGIN {
            (x, y) = (MARGIN, y + LINE);
        }
        swatch(sheet, x, y + (LINE - SWATCH_HEIGHT) / 2);
        let (text, anchor) = (text.as_ref().to_owned(), Anchor::Start);
        let at = (x + SWATCH + 8, y + LINE / 2);
        sheet.text(Text { x: at.0, y: at.1, text, size: LETTERS, bold: false, anchor, colour: colours::QUIET });
        x += width + letters * 3 / 20 + 18;
    }
    y + LINE - top
}
