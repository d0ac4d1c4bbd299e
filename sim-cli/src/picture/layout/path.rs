//! The critical path: a row of its own, and a line through the rows of the tasks that it goes through.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use sim_core::causes::What;
use sim_core::causes::critical_path::{Does, Link};
use sim_core::ids::TaskId;
use sim_core::time::Span;
use sim_core::timeline::lanes::{Busy, Stretch};

use super::pen::{Mark, Pen, Place};
use super::section::{Content, Row, Section};
use super::{Lane, Prepared};
use crate::picture::colours;
use crate::picture::lane::Scale;

/// Steps from one row to another that are closer to each other than this would be a wall.
const NEAREST_STEPS: i32 = 4;
/// How thick the line is.
const STROKE: i32 = 2;

/// The row of the path: whose part is when.
pub(super) fn section(links: &[Link]) -> Section {
    let state = |link: &Link| match link.does {
        Does::Is(What::Overhead, _) => Busy::Switch(link.task),
        Does::Is(What::Seek(_), _) => Busy::Seek(link.task),
        Does::Runs(_) | Does::Is(What::Service(_) | What::Sharing(_) | What::Timer, _) => Busy::Run(link.task),
        Does::Is(..) | Does::ToCome => Busy::Idle,
    };
    let mut lane: Vec<Stretch<Busy>> = Vec::new();
    for link in links {
        let (start, end, state) = (link.from, link.to, state(link));
        match lane.last_mut() {
            Some(last) if last.state == state => last.end = end,
            _ => lane.push(Stretch { start, end, state }),
        }
    }
    let row = Row::new("critical path".to_owned(), vec![Content::Turns(Mark::Running, lane)]);
    Section { rows: vec![row], left_out: None, lane: Lane::of(1), gap: 0 }
}

/// The tasks that it goes through, those with the largest parts first.
pub(super) fn tasks(links: &[Link]) -> Vec<TaskId> {
    let mut lengths: BTreeMap<TaskId, Span> = BTreeMap::new();
    for link in links {
        *lengths.entry(link.task).or_default() += link.length();
    }
    let mut tasks: Vec<(TaskId, Span)> = lengths.into_iter().collect();
    tasks.sort_by_key(|(task, length)| (Reverse(*length), *task));
    tasks.into_iter().map(|(task, _)| task).collect()
}

/// The line through the rows of tasks, which are there, from the top of the panel down.
pub(super) fn draw(pen: &mut Pen, panel: &Prepared<'_>, scale: &Scale, top: i32) {
    let rows = rows(panel, top);
    let mut last: Option<(i32, i32)> = None;
    let mut step_at = i32::MIN;
    for link in panel.path {
        let Some((y, height)) = rows.get(&link.task).copied() else {
            last = None;
            continue;
        };
        let (from, to) = (scale.x(link.from), scale.x(link.to));
        let line = y + height - Mark::path_height(height) / 2;
        if let Some((x, before)) =
            last.filter(|(x, before)| *before != line && x.saturating_sub(step_at) >= NEAREST_STEPS)
        {
            let (upper, lower) = (line.min(before), line.max(before));
            pen.sheet.rect(x - STROKE / 2, upper, STROKE, lower - upper, colours::PATH);
            step_at = x;
        }
        pen.mark(Mark::Path, Place { from, to, y, height }, colours::PATH);
        last = Some((to, line));
    }
}

/// Where the rows of tasks are and how high.
fn rows(panel: &Prepared<'_>, top: i32) -> BTreeMap<TaskId, (i32, i32)> {
    let (mut rows, mut y) = (BTreeMap::new(), top);
    for section in &panel.sections {
        for (row, number) in section.rows.iter().zip(0..) {
            let at = y + section.gap + number * section.lane.pitch;
            let of_task = row.contents.iter().find_map(|content| match content {
                Content::Life(task) => Some(*task),
                _ => None,
            });
            rows.extend(of_task.map(|task| (task, (at, section.lane.height))));
        }
        y += section.height();
    }
    rows
}
