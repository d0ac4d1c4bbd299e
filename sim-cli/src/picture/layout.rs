//! The layout: where everything of a picture stands.

pub(super) mod bars;
mod frame;
mod jobs;
mod lanes;
mod shared;

use sim_core::ids::{CpuId, IdVec, TaskId};
use sim_core::time::{Span, Time};
use sim_core::timeline::lanes::{Busy, Stretch};
use sim_core::timeline::{Job, Timeline};

use self::frame::Used;
use super::colours::{self, Palette};
use super::lane::Scale;
use super::sheet::{Anchor, Colour, Sheet, Text};
use super::{Panel, Picture, lettering};
use crate::axis;
use crate::doings::{self, Doing};
use crate::rows::{self, Rows};

const WIDTH: i32 = 1600;
const MARGIN: i32 = 40;
/// Between the names of the rows and the lanes: room for the marks of arrivals at 0.
const BEFORE_LANES: i32 = 18;
/// Right of the lanes: room for the marks of what finishes last.
const AFTER_LANES: i32 = 16;
/// The widest a name may be.
const WIDEST_NAME: i32 = 300;
/// More processors than this are not drawn.
const MOST_PROCESSORS: usize = 32;
/// More channels of devices than this are not drawn at all.
const MOST_CHANNELS: usize = 8;
/// More tasks than this are not drawn in a picture with one panel, …
const MOST_TASKS: usize = 40;
/// … and so many at least if there are many panels.
const FEWEST_TASKS: usize = 10;

/// Panels higher than this together have the times above them too.
const HIGH: i32 = 700;

/// A panel with everything computed that its drawing needs.
struct Prepared<'a> {
    panel: &'a Panel<'a>,
    cpus: Rows<CpuId>,
    tasks: Rows<TaskId>,
    cpu_labels: Vec<String>,
    names: IdVec<TaskId, String>,
    colours: Vec<Colour>,
    /// For each task the one that stands for its kind where many are drawn together.
    kin: Vec<TaskId>,
    lives: IdVec<TaskId, Vec<Stretch<Doing>>>,
    occupancy: IdVec<CpuId, Vec<Stretch<Busy>>>,
    channels: Vec<Channel>,
    jobs: IdVec<TaskId, Vec<Job>>,
    cpu_lane: Lane,
    task_lane: Lane,
}

/// A channel of a device, or a device that is shared.
struct Channel {
    label: String,
    lane: Service,
}

/// Whom a channel served, or how many requests shared a device.
enum Service {
    Turns(Vec<Stretch<Busy>>),
    Shared(Vec<Stretch<u32>>),
}

/// The measures of a lane.
#[derive(Clone, Copy)]
struct Lane {
    height: i32,
    pitch: i32,
    letters: i32,
}

impl Lane {
    /// Lanes shrink when there are many of them.
    fn of(count: usize) -> Lane {
        let (height, gap, letters) = match count {
            0..=4 => (34, 8, 16),
            5..=8 => (28, 7, 16),
            9..=16 => (22, 6, 15),
            17..=24 => (18, 5, 14),
            _ => (14, 4, 13),
        };
        Lane { height, pitch: height + gap, letters }
    }
}

/// Lays a picture out.
pub(super) fn lay_out(picture: &Picture<'_>) -> Sheet {
    let palette = Palette::new(picture.panels.iter().map(|panel| panel.timeline));
    let most_tasks = (MOST_TASKS * 3 / 2 / picture.panels.len().max(1)).clamp(FEWEST_TASKS, MOST_TASKS);
    let panels: Vec<Prepared<'_>> = picture.panels.iter().map(|panel| prepare(panel, &palette, most_tasks)).collect();
    let extent = panels.iter().map(|panel| panel.panel.timeline.extent().ns()).max().unwrap_or(0);
    let left = MARGIN + name_width(&panels) + BEFORE_LANES;
    let scale = Scale { left, width: WIDTH - MARGIN - AFTER_LANES - left, extent: extent.max(1) };

    let used = Used::of(&panels, &scale);
    let mut sheet = Sheet { width: WIDTH, ..Sheet::default() };
    let top = frame::header(&mut sheet, picture, &used);
    let ticks = axis::ticks(extent, 11);
    let height = panels.iter().map(panel_height).sum::<i32>();
    let top = if height > HIGH { frame::upper_axis(&mut sheet, &scale, &ticks, top) } else { top };
    let bottom = top + height;
    frame::grid(&mut sheet, &scale, &ticks, top, bottom);
    let mut y = top;
    for panel in &panels {
        lay_out_panel(&mut sheet, panel, &scale, y);
        y += panel_height(panel);
    }
    sheet.height = frame::footer(&mut sheet, &scale, &ticks, bottom, &used) + MARGIN / 2;
    sheet
}

fn prepare<'a>(panel: &'a Panel<'a>, palette: &Palette, most_tasks: usize) -> Prepared<'a> {
    let timeline = panel.timeline;
    let cpus = rows::processors(timeline, MOST_PROCESSORS);
    let tasks = rows::tasks(timeline, most_tasks);
    Prepared {
        panel,
        cpu_labels: cpus.shown.iter().map(|cpu| rows::processor_label(timeline, *cpu)).collect(),
        names: rows::names(timeline),
        colours: palette.colours(timeline),
        kin: palette.kin(timeline),
        lives: doings::of(timeline),
        occupancy: timeline.occupancy(),
        channels: channels(timeline),
        jobs: jobs::by_task(timeline),
        cpu_lane: Lane::of(cpus.shown.len()),
        task_lane: Lane::of(tasks.shown.len()),
        cpus,
        tasks,
    }
}

/// The channels of devices for which tasks may have to queue, if they are few.
fn channels(timeline: &Timeline) -> Vec<Channel> {
    let lanes: Vec<Channel> = (timeline.cast.devices.pairs())
        .flat_map(|(id, device)| {
            let turns = timeline.service(id).into_iter().map(Service::Turns);
            let shared = timeline.sharing(id).map(Service::Shared);
            let lanes: Vec<Service> = turns.chain(shared).collect();
            let several = lanes.len() > 1;
            lanes.into_iter().enumerate().map(move |(index, lane)| {
                let label = if several { format!("{} {index}", device.name) } else { device.name.clone() };
                Channel { label, lane }
            })
        })
        .collect();
    if lanes.len() > MOST_CHANNELS { Vec::new() } else { lanes }
}

fn name_width(panels: &[Prepared<'_>]) -> i32 {
    let width = |(name, letters): (&String, i32)| lettering::width(name, letters, false);
    let names = panels.iter().flat_map(|panel| {
        let channels = panel.channels.iter().map(|channel| &channel.label);
        let cpus = panel.cpu_labels.iter().chain(channels).map(|label| (label, panel.cpu_lane.letters));
        cpus.chain(panel.tasks.shown.iter().map(|task| (&panel.names[*task], panel.task_lane.letters)))
    });
    names.map(width).max().unwrap_or(0).min(WIDEST_NAME)
}

/// Heights of the parts of a panel, from top to bottom.
const HEADING: i32 = 34;
const MAKESPAN: i32 = 26;
const LEFT_OUT: i32 = 24;
const BETWEEN: i32 = 16;
const AFTER: i32 = 26;

fn panel_height(panel: &Prepared<'_>) -> i32 {
    let rows = |count: usize, lane: Lane| i32::try_from(count).unwrap_or(0) * lane.pitch;
    let more = |left_out: &Option<String>| if left_out.is_some() { LEFT_OUT } else { 0 };
    frame::heading_height(panel.panel)
        + MAKESPAN
        + rows(panel.cpus.shown.len(), panel.cpu_lane)
        + more(&panel.cpus.left_out)
        + gap_before(&panel.channels)
        + rows(panel.channels.len(), panel.cpu_lane)
        + BETWEEN
        + rows(panel.tasks.shown.len(), panel.task_lane)
        + more(&panel.tasks.left_out)
        + AFTER
}

/// Between the processors and the devices, if there are any.
fn gap_before(channels: &[Channel]) -> i32 {
    if channels.is_empty() { 0 } else { BETWEEN / 2 }
}

fn lay_out_panel(sheet: &mut Sheet, panel: &Prepared<'_>, scale: &Scale, top: i32) {
    let mut y = top + frame::heading_height(panel.panel);
    if y > top {
        frame::heading(sheet, panel.panel, top);
    }
    let makespan_at = y;
    y += MAKESPAN;
    for (index, cpu) in panel.cpus.shown.iter().enumerate() {
        name(sheet, &panel.cpu_labels[index], scale, y, panel.cpu_lane);
        lanes::processor(sheet, panel, &panel.occupancy[*cpu], scale, y);
        y += panel.cpu_lane.pitch;
    }
    left_out(sheet, panel.cpus.left_out.as_deref(), scale, &mut y);
    y += gap_before(&panel.channels);
    for channel in &panel.channels {
        name(sheet, &channel.label, scale, y, panel.cpu_lane);
        match &channel.lane {
            Service::Turns(lane) => lanes::processor(sheet, panel, lane, scale, y),
            Service::Shared(lane) => shared::lane(sheet, lane, scale, y, panel.cpu_lane.height),
        }
        y += panel.cpu_lane.pitch;
    }
    y += BETWEEN;
    for task in &panel.tasks.shown {
        name(sheet, &panel.names[*task], scale, y, panel.task_lane);
        lanes::task(sheet, panel, *task, scale, y);
        jobs::marks(sheet, panel, *task, scale, y);
        y += panel.task_lane.pitch;
    }
    let lanes_end = y;
    left_out(sheet, panel.tasks.left_out.as_deref(), scale, &mut y);
    makespan(sheet, panel, scale, makespan_at, lanes_end);
}

/// The name of a row, left of its lane.
fn name(sheet: &mut Sheet, name: &str, scale: &Scale, y: i32, lane: Lane) {
    let text = lettering::fit(name, lane.letters, false, WIDEST_NAME);
    let (x, y) = (scale.left - BEFORE_LANES, y + lane.height / 2);
    sheet.text(Text { x, y, text, size: lane.letters, bold: false, anchor: Anchor::End, colour: colours::INK });
}

/// The line about rows that are not drawn.
fn left_out(sheet: &mut Sheet, line: Option<&str>, scale: &Scale, y: &mut i32) {
    let Some(line) = line else { return };
    let (x, middle) = (scale.left, *y + LEFT_OUT / 2);
    let text = line.to_owned();
    sheet.text(Text { x, y: middle, text, size: 15, bold: false, anchor: Anchor::Start, colour: colours::QUIET });
    *y += LEFT_OUT;
}

/// The line at the end of a panel's run, and what it says.
fn makespan(sheet: &mut Sheet, panel: &Prepared<'_>, scale: &Scale, top: i32, bottom: i32) {
    let timeline = panel.panel.timeline;
    let makespan = timeline.makespan();
    if makespan == Span::ZERO {
        return;
    }
    let x = scale.x(Time::ZERO + makespan);
    let middle = top + 11;
    let mut y = middle + 10;
    while y < bottom - 2 {
        sheet.rect(x, y, 2, 6.min(bottom - 2 - y), colours::INK);
        y += 9;
    }
    let (unfinished, all) = (rows::unfinished(timeline), timeline.tasks.len());
    let text = match unfinished {
        0 => format!("makespan {}", axis::readable(makespan)),
        _ => format!("end of the run {}, {unfinished} of {all} tasks unfinished", axis::readable(makespan)),
    };
    let mut text = Text { x, y: middle, text, size: 15, bold: true, anchor: Anchor::Middle, colour: colours::INK };
    let (from, to) = text.columns();
    if to > WIDTH - MARGIN {
        text.x += WIDTH - MARGIN - to;
    } else if from < MARGIN {
        text.x += MARGIN - from;
    }
    sheet.text(text);
}
