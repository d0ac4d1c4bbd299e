//! The pen of a picture: it draws marks and notes which, so that the legend explains what was drawn and nothing else.

use std::collections::BTreeSet;

use crate::picture::colours;
use crate::picture::sheet::{Anchor, Colour, Sheet, Text};

/// Everything in a lane that has a meaning.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(in crate::picture) enum Mark {
    /// A processor runs a task.
    Running,
    /// A channel of a device serves a task.
    Served,
    /// A task holds a lock.
    Holding,
    /// A task waits for a processor, or in its runtime: a band.
    Ready,
    /// The same as an area: a share, or a number of tasks.
    ReadyArea,
    /// A task waits since its group has used up its quota: a striped band.
    Throttled,
    /// The same as an area.
    ThrottledArea,
    /// A task waits since its server has used up its budget: a band with a line in it.
    Depleted,
    /// The same as an area.
    DepletedArea,
    /// A task waits for the interpreter lock: two lines.
    Interpreter,
    /// The same as an area.
    InterpreterArea,
    /// A task waits for something else, or is served: dots.
    Blocked,
    /// The same as an area.
    BlockedArea,
    /// A task is served and keeps its thread from others: a line.
    Blocking,
    /// A request stands in the queue of a device: strokes.
    Queued,
    /// The same as an area.
    QueuedArea,
    /// The head of a device is on its way, on the device: stripes.
    Seek,
    /// The same in the row of a task: dashes.
    UnderWay,
    /// Requests that share a device, a number.
    Sharing,
    /// Requests in service, a number.
    InService,
    /// Permits that are taken, a number.
    Permits,
    /// Readers of an rwlock, a number.
    Readers,
    /// Messages in a channel, a number.
    Messages,
    /// Switching and other overhead.
    Overhead,
    /// The same tasks run in both timelines.
    Same,
    /// Some of the tasks that run in one run in the other too.
    PartlySame,
    /// Other tasks run, or none in one of the two.
    Other,
    /// Nothing.
    Idle,
    /// A task arrives.
    Arrival,
    /// A task finishes.
    Finish,
    /// A task ends before the end of its program: a cross.
    Cut,
    /// A job is released: an arrow upwards.
    Released,
    /// A job should have ended: an arrow downwards.
    Due,
    /// Both at one instant: a double arrow.
    DueAndReleased,
    /// Releases that are too close to each other for arrows.
    Dense,
    /// A job is late.
    Late,
    /// A job ended at its deadline, unfinished.
    Aborted,
    /// Two tasks at once.
    Clash,
    /// The critical path goes through here: a line at the bottom of a lane.
    Path,
}

/// Where something is drawn.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub(super) from: i32,
    pub(super) to: i32,
    pub(super) y: i32,
    pub(super) height: i32,
}

/// The pen, and what it has drawn.
#[derive(Default)]
pub(super) struct Pen {
    pub(super) sheet: Sheet,
    /// The marks that were drawn.
    pub(super) marks: BTreeSet<Mark>,
    /// Some colours of tasks that were drawn.
    pub(super) hues: Vec<Colour>,
    /// What must be known to read what was drawn, in sentences.
    pub(super) notes: Vec<String>,
    /// Tasks whose jobs are too close to each other for arrows.
    pub(super) dense: Vec<String>,
}

impl Pen {
    /// Draws a mark; the colour is that of a task where the mark has one.
    pub(super) fn mark(&mut self, mark: Mark, place: Place, colour: Colour) {
        self.noting(mark, colour, |sheet| mark.draw(sheet, place, colour));
    }

    /// Draws an area that stands for a mark: a share of time, or a number of tasks.
    pub(super) fn area(&mut self, mark: Mark, place: Place, colour: Colour) {
        self.noting(mark, colour, |sheet| sheet.rect(place.from, place.y, place.to - place.from, place.height, colour));
    }

    fn noting(&mut self, mark: Mark, colour: Colour, draw: impl FnOnce(&mut Sheet)) {
        let before = self.sheet.shapes.len();
        draw(&mut self.sheet);
        if self.sheet.shapes.len() == before {
            return;
        }
        self.marks.insert(mark);
        let of_a_task = matches!(mark, Mark::Running | Mark::Served | Mark::Holding);
        if of_a_task && self.hues.len() < 3 && !self.hues.contains(&colour) {
            self.hues.push(colour);
        }
    }

    /// Notes a sentence, once.
    pub(super) fn note(&mut self, sentence: &str) {
        if !self.notes.iter().any(|noted| noted == sentence) {
            self.notes.push(sentence.to_owned());
        }
    }

    /// A line of text, centred at half the height of its small letters.
    pub(super) fn text(&mut self, (x, y): (i32, i32), text: &str, size: i32, anchor: Anchor, colour: Colour) {
        self.sheet.text(Text { x, y, text: text.to_owned(), size, bold: false, anchor, colour });
    }
}

impl Mark {
    /// How it looks, in the legend too.
    pub(super) fn draw(self, sheet: &mut Sheet, place: Place, colour: Colour) {
        let Place { from, to, y, height } = place;
        let middle = y + height / 2;
        match self {
            Mark::Running | Mark::Served | Mark::Holding => sheet.rect(from, y, (to - from).max(1), height, colour),
            Mark::Ready => {
                let band = band(height);
                sheet.rect(from, middle - band / 2, to - from, band, colours::READY);
            }
            Mark::Throttled => {
                let band = band(height);
                throttled(sheet, Place { y: middle - band / 2, height: band, ..place });
            }
            Mark::Depleted => {
                let band = band(height);
                sheet.rect(from, middle - band / 2, to - from, band, colours::DEPLETED);
                sheet.rect(from, middle, to - from, 1, colours::BUDGET);
            }
            Mark::Interpreter => {
                let line = (band(height) / 4).max(1);
                for y in [middle - band(height) / 2, middle + band(height) / 2 - line] {
                    sheet.rect(from, y, to - from, line, colours::INTERPRETER);
                }
            }
            Mark::Blocked => pattern(sheet, place, BLOCKED),
            Mark::Blocking => sheet.rect(from, middle - 1, to - from, 3, colours::DOTS),
            Mark::Queued => pattern(sheet, place, QUEUED),
            Mark::UnderWay => pattern(sheet, place, UNDER_WAY),
            Mark::Seek => seek(sheet, place, colour),
            Mark::Overhead => overhead(sheet, place),
            Mark::Arrival => arrival(sheet, place),
            Mark::Finish => square(sheet, (from, middle), height, colours::INK),
            Mark::Cut => cross(sheet, (from, middle), height),
            Mark::Aborted => square(sheet, (from, middle), height, colours::CLASH),
            Mark::Released => released(sheet, place),
            Mark::Due => due(sheet, place, colour),
            Mark::DueAndReleased => {
                released(sheet, place);
                due(sheet, place, colour);
            }
            Mark::Dense => sheet.rect(from, y - head(height), (to - from).max(1), head(height), colours::DOTS),
            Mark::Late => sheet.rect(from, y + height - LATE, (to - from).max(2), LATE, colours::CLASH),
            Mark::Path => {
                let line = Mark::path_height(height);
                let width = (to - from).max(2);
                sheet.rect(from, y + height - line - 1, width, 1, colours::PAPER);
                sheet.rect(from, y + height - line, width, line, colours::PATH);
            }
            area => sheet.rect(from, y, to - from, height, area.ground()),
        }
    }

    /// How high the line of the critical path is in a lane.
    pub(super) fn path_height(height: i32) -> i32 {
        (height / 5).clamp(3, 6)
    }

    /// The colour of a mark that is nothing but a coloured area.
    pub(super) fn ground(self) -> Colour {
        match self {
            Mark::ReadyArea => colours::READY,
            Mark::ThrottledArea => colours::THROTTLED,
            Mark::DepletedArea => colours::DEPLETED,
            Mark::InterpreterArea => colours::INTERPRETER,
            Mark::BlockedArea => colours::BLOCKED,
            Mark::QueuedArea => colours::QUEUED,
            Mark::Sharing | Mark::InService | Mark::Permits | Mark::Readers | Mark::Messages => colours::SHARED,
            Mark::Overhead => colours::OVERHEAD,
            Mark::Same => colours::SAME,
            Mark::PartlySame => colours::PARTLY_SAME,
            Mark::Other => colours::OTHER,
            Mark::Clash => colours::CLASH,
            _ => colours::IDLE,
        }
    }
}

/// The mark of an end, in the middle of a lane so high.
fn square(sheet: &mut Sheet, (x, y): (i32, i32), height: i32, colour: Colour) {
    let half = (height / 4).clamp(3, 5);
    sheet.rect(x - half, y - half, 2 * half, 2 * half, colour);
}

fn cross(sheet: &mut Sheet, (x, y): (i32, i32), height: i32) {
    let half = (height / 4).clamp(3, 5);
    for (from, to) in [((x - half, y - half), (x + half, y + half)), ((x - half, y + half), (x + half, y - half))] {
        sheet.path(vec![from, to], 3, colours::INK);
    }
}

/// The height of the bar that shows lateness.
const LATE: i32 = 5;

/// The height of a band in a lane.
fn band(height: i32) -> i32 {
    (height * 2 / 5).max(4)
}

/// The height of the head of an arrow at a lane.
fn head(height: i32) -> i32 {
    (height / 8).clamp(2, 4)
}

/// Overhead: dark, with stripes if it is wide.
fn overhead(sheet: &mut Sheet, place: Place) {
    sheet.rect(place.from, place.y, place.to - place.from, place.height, colours::OVERHEAD);
    let mut x = place.from + 3;
    while x + 3 < place.to {
        sheet.rect(x, place.y, 1, place.height, colours::STRIPE);
        x += 4;
    }
}

/// A light band with dark stripes.
fn throttled(sheet: &mut Sheet, place: Place) {
    sheet.rect(place.from, place.y, place.to - place.from, place.height, colours::THROTTLED);
    let mut x = place.from + 2;
    while x + 2 <= place.to {
        sheet.rect(x, place.y, 1, place.height, colours::USED_UP);
        x += 4;
    }
}

/// Stripes in the colour of the task whose request the head goes to.
fn seek(sheet: &mut Sheet, place: Place, own: Colour) {
    sheet.rect(place.from, place.y, (place.to - place.from).max(1), place.height, colours::light(own));
    let mut x = place.from + 1;
    while x + 2 <= place.to {
        sheet.rect(x, place.y, 2, place.height, own);
        x += 6;
    }
}

/// The same small rectangle again and again.
struct Pattern {
    width: i32,
    height: i32,
    /// From one to the next.
    pitch: i32,
}

const BLOCKED: Pattern = Pattern { width: 2, height: 2, pitch: 6 };
const QUEUED: Pattern = Pattern { width: 1, height: 8, pitch: 6 };
const UNDER_WAY: Pattern = Pattern { width: 6, height: 2, pitch: 9 };

fn pattern(sheet: &mut Sheet, place: Place, marks: Pattern) {
    let middle = place.y + place.height / 2;
    let mut x = place.from + 2;
    while x + marks.width.min(2) <= place.to {
        let width = marks.width.min(place.to - x);
        sheet.rect(x, middle - marks.height / 2, width, marks.height, colours::DOTS);
        x += marks.pitch;
    }
}

/// A triangle left of the instant, so that it hides nothing.
fn arrival(sheet: &mut Sheet, place: Place) {
    let (x, middle) = (place.from, place.y + place.height / 2);
    let half = (place.height / 4).clamp(4, 7);
    (0..half).for_each(|row| sheet.rect(x - 1 - half + row, middle - half + row, 1, 2 * (half - row), colours::INK));
}

/// An arrow upwards.
fn released(sheet: &mut Sheet, place: Place) {
    let (x, y, head) = (place.from, place.y, head(place.height));
    sheet.rect(x, y, 1, place.height / 2, colours::INK);
    (0..head).for_each(|row| sheet.rect(x - row, y - head + row, 2 * row + 1, 1, colours::INK));
}

/// An arrow downwards.
fn due(sheet: &mut Sheet, place: Place, colour: Colour) {
    let Place { from: x, y, height, .. } = place;
    sheet.rect(x, y + height / 2, 1, height - height / 2, colour);
    (0..head(height)).for_each(|row| sheet.rect(x - row, y + height + head(height) - 1 - row, 2 * row + 1, 1, colour));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_leaves_no_trace_is_not_explained() {
        let mut pen = Pen::default();
        pen.mark(Mark::Idle, Place { from: 5, to: 5, y: 0, height: 20 }, colours::INK);
        assert!(pen.marks.is_empty());
        pen.mark(Mark::Running, Place { from: 5, to: 5, y: 0, height: 20 }, colours::INK);
        assert_eq!((pen.marks.len(), pen.sheet.shapes.len(), pen.hues.as_slice()), (1, 1, &[colours::INK][..]));
    }
}
