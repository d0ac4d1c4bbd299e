//! The critical path: rows of its own, and a line through the rows of the tasks that it goes through.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use sim_core::causes::What;
use sim_core::causes::critical_path::{Does, Link};
use sim_core::ids::{DeviceId, TaskId};
use sim_core::time::{Span, Time};
use sim_core::timeline::Timeline;
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

/// The rows of the path: whose part is when, a row for each place where it is.
pub(super) fn section(timeline: &Timeline, links: &[Link]) -> Section {
    let mut lanes: BTreeMap<Where, Vec<Stretch<Busy>>> = BTreeMap::new();
    for link in links {
        let (start, end, state) = (link.from, link.to, state(link));
        let lane = lanes.entry(Where::of(link)).or_default();
        match lane.last_mut() {
            Some(last) if last.state == state && last.end == start => last.end = end,
            last => {
                let free = last.map_or(Time::ZERO, |last| last.end);
                if free < start {
                    lane.push(Stretch { start: free, end: start, state: Busy::Idle });
                }
                lane.push(Stretch { start, end, state });
            }
        }
    }
    let row = |(place, mut lane): (Where, Vec<Stretch<Busy>>)| {
        let (free, end) = (lane.last().map_or(Time::ZERO, |last| last.end), timeline.extent());
        if free < end {
            lane.push(Stretch { start: free, end, state: Busy::Idle });
        }
        Row::new(place.label(timeline), vec![Content::Turns(place.mark(), lane)])
    };
    let rows: Vec<Row> = lanes.into_iter().map(row).collect();
    let lane = Lane::of(rows.len());
    Section { rows, left_out: None, lane, gap: 0 }
}

/// Where a part of the path is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Where {
    Processors,
    Device(DeviceId),
    Asleep,
    Waiting,
    ToCome,
}

impl Where {
    fn of(link: &Link) -> Where {
        match link.does {
            Does::Runs(_) | Does::Is(What::Overhead | What::Starting, _) => Where::Processors,
            Does::Is(What::Service(device) | What::Seek(device) | What::Sharing(device), _) => Where::Device(device),
            Does::Is(What::Timer, _) => Where::Asleep,
            Does::Is(What::Release, _) | Does::ToCome => Where::ToCome,
            Does::Is(..) => Where::Waiting,
        }
    }

    fn label(self, timeline: &Timeline) -> String {
        let place = match self {
            Where::Processors => "processors".to_owned(),
            Where::Device(device) => {
                timeline.cast.devices.get(device).map_or("device", |device| &device.name).to_owned()
            }
            Where::Asleep => "sleeps".to_owned(),
            Where::Waiting => "waits".to_owned(),
            Where::ToCome => "the clock".to_owned(),
        };
        format!("path: {place}")
    }

    fn mark(self) -> Mark {
        if let Where::Device(_) = self { Mark::Served } else { Mark::Running }
    }
}

fn state(link: &Link) -> Busy {
    match link.does {
        Does::Is(What::Overhead, _) => Busy::Switch(link.task),
        Does::Is(What::Starting, _) => Busy::Start(link.task),
        Does::Is(What::Seek(_), _) => Busy::Seek(link.task),
        _ => Busy::Run(link.task),
    }
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
    for link in panel.path.iter().filter(|link| scale.shows(link.to) || scale.shows(link.from)) {
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
