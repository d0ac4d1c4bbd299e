//! What a panel consists of: sections of rows of one size, each with a line about what is not drawn.

use sim_core::compare::Likeness;
use sim_core::ids::TaskId;
use sim_core::timeline::lanes::{Busy, Stretch};

use super::pen::{Mark, Pen};
use super::stack::Stack;
use super::{BEFORE_LANES, LEFT_OUT, Lane, MARGIN, Prepared, WIDEST_NAME, WIDTH, jobs, kinds, lanes, likeness};
use crate::picture::View;
use crate::picture::colours;
use crate::picture::lane::Scale;
use crate::picture::lettering;
use crate::picture::sheet::Anchor;

/// A row: its name, and what its lane shows, later above earlier.
pub(in crate::picture) struct Row {
    pub(in crate::picture) label: String,
    pub(in crate::picture) contents: Vec<Content>,
    /// If it is that of a kind of tasks, its place in the cast: then numbers at the left say how many its height is.
    pub(in crate::picture) kind: Option<usize>,
}

/// What a lane shows.
pub(in crate::picture) enum Content {
    /// Whom a processor runs, a channel serves, a lock is held by: the mark says which of these.
    Turns(Mark, Vec<Stretch<Busy>>),
    /// How many there are.
    Numbers(Stack),
    /// The life of a task.
    Life(TaskId),
    /// Where two timelines run the same tasks.
    Likeness(Vec<Stretch<Likeness>>),
}

/// Rows of one size.
pub(in crate::picture) struct Section {
    pub(in crate::picture) rows: Vec<Row>,
    /// A line that says what is not drawn.
    pub(in crate::picture) left_out: Option<String>,
    pub(super) lane: Lane,
    /// The gap above, if there is anything in it.
    pub(in crate::picture) gap: i32,
}

impl Content {
    /// Leaves of it what is in a part of the time. Lives of tasks are cut already.
    pub(super) fn cut(&mut self, view: View) {
        match self {
            Content::Turns(_, lane) => view.cut(lane),
            Content::Numbers(stack) => view.cut(&mut stack.lane),
            Content::Likeness(strip) => view.cut(strip),
            Content::Life(_) => {}
        }
    }
}

impl Row {
    pub(in crate::picture) fn new(label: String, contents: Vec<Content>) -> Row {
        Row { label, contents, kind: None }
    }

    /// The numbers that it shows, if it does.
    pub(in crate::picture) fn numbers(&mut self) -> Option<&mut Stack> {
        self.contents.iter_mut().find_map(|content| match content {
            Content::Numbers(stack) => Some(stack),
            _ => None,
        })
    }
}

impl Section {
    pub(in crate::picture) fn height(&self) -> i32 {
        if self.rows.is_empty() && self.left_out.is_none() {
            return 0;
        }
        let rows = i32::try_from(self.rows.len()).unwrap_or(0) * self.lane.pitch;
        self.gap + rows + if self.left_out.is_some() { LEFT_OUT } else { 0 }
    }

    /// The widest of its names, in pixels.
    pub(in crate::picture) fn name_width(&self) -> i32 {
        let width = |row: &Row| lettering::width(&shortened(row, self.lane), self.lane.letters, false);
        self.rows.iter().map(width).max().unwrap_or(0)
    }

    pub(super) fn draw(&self, pen: &mut Pen, panel: &Prepared<'_>, scale: &Scale, top: i32) {
        let mut y = top + self.gap;
        for row in &self.rows {
            let at = (scale.left - BEFORE_LANES, y + self.lane.height / 2);
            pen.text(at, &shortened(row, self.lane), self.lane.letters, Anchor::End, colours::INK);
            for content in &row.contents {
                match content {
                    Content::Turns(mark, lane) => lanes::turns(pen, panel, *mark, lane, scale, (y, self.lane.height)),
                    Content::Numbers(stack) => {
                        stack.draw(pen, scale, y, self.lane.height);
                        if row.kind.is_some() {
                            pen.note(kinds::NOTE);
                            axis(pen, stack.most, scale, y, self.lane.height);
                        }
                    }
                    Content::Likeness(strip) => likeness::draw(pen, strip, scale, (y, self.lane.height)),
                    Content::Life(task) => {
                        lanes::task(pen, panel, *task, scale, (y, self.lane.height));
                        jobs::marks(pen, panel, *task, scale, (y, self.lane.height));
                    }
                }
            }
            y += self.lane.pitch;
        }
        if let Some(line) = &self.left_out {
            let line = lettering::fit(line, 15, false, WIDTH - MARGIN - scale.left);
            pen.text((scale.left, y + LEFT_OUT / 2), &line, 15, Anchor::Start, colours::QUIET);
        }
    }
}

fn shortened(row: &Row, lane: Lane) -> String {
    lettering::fit(&row.label, lane.letters, false, WIDEST_NAME)
}

/// Nothing at the bottom, the most at the top.
fn axis(pen: &mut Pen, most: u32, scale: &Scale, y: i32, height: i32) {
    for (y, number) in [(y, most), (y + height, 0)] {
        pen.sheet.rect(scale.left - 5, y, 5, 1, colours::DOTS);
        let y = if number == 0 { y - 4 } else { y + 5 };
        pen.text((scale.left - 8, y), &number.to_string(), 12, Anchor::End, colours::QUIET);
    }
}
