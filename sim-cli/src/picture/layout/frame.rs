//! What surrounds the lanes: headline, legend, grid, axis.

use sim_core::ids::TaskId;
use sim_core::time::Time;
use sim_core::timeline::lanes::Busy;
use sim_core::timeline::{Cause, Runtime};

use super::jobs;
use super::lanes::{self, Place};
use super::{HEADING, MARGIN, Prepared, Service, WIDTH, shared};
use crate::axis::Tick;
use crate::doings::Doing;
use crate::picture::colours;
use crate::picture::lane::{Part, Scale, parts};
use crate::picture::lettering;
use crate::picture::sheet::{Anchor, Colour, Sheet, Text};
use crate::picture::{Panel, Picture};

/// Which marks occur in a picture: the legend explains these and no others.
#[derive(Default)]
pub(super) struct Used {
    idle: bool,
    overhead: bool,
    running: bool,
    served: bool,
    ready: bool,
    ready_for: ReadyFor,
    blocked: bool,
    on_device: bool,
    queued: bool,
    seek: bool,
    shared: bool,
    clash: bool,
    shares: bool,
    arrival: bool,
    finish: bool,
    jobs: bool,
    late: bool,
    hues: Vec<Colour>,
}

impl Used {
    pub(super) fn of(panels: &[Prepared<'_>], scale: &Scale) -> Used {
        let mut used = Used::default();
        for panel in panels {
            for cpu in &panel.cpus.shown {
                let lane = &panel.occupancy[*cpu];
                used.shares |=
                    parts(lane, scale, 1, |busy| busy).iter().any(|part| matches!(part, Part::Shares { .. }));
                used.idle |= lane.iter().any(|stretch| stretch.state == Busy::Idle);
                used.clash |= lane.iter().any(|stretch| stretch.state == Busy::Clash);
                used.overhead |= lane.iter().any(|stretch| matches!(stretch.state, Busy::Switch(_)));
            }
            for channel in &panel.channels {
                match &channel.lane {
                    Service::Turns(lane) => {
                        used.served = true;
                        used.running |= lane.iter().any(|stretch| matches!(stretch.state, Busy::Run(_)));
                        used.seek |= lane.iter().any(|stretch| matches!(stretch.state, Busy::Seek(_)));
                    }
                    Service::Shared(_) => used.shared = true,
                }
            }
            used.idle |= !panel.channels.is_empty();
            used.ready_for.add(&panel.panel.timeline.cast.runtimes);
            for task in &panel.tasks.shown {
                let lane = &panel.lives[*task];
                used.shares |=
                    parts(lane, scale, 1, |look| look).iter().any(|part| matches!(part, Part::Shares { .. }));
                used.running |= lane.iter().any(|stretch| stretch.state == Doing::Running);
                used.ready |= lane.iter().any(|stretch| stretch.state == Doing::Ready);
                used.blocked |= lane.iter().any(|stretch| matches!(stretch.state, Doing::Blocked(_)));
                let on_device = |doing| matches!(doing, Doing::Blocked(Cause::Device(_)));
                used.on_device |= lane.iter().any(|stretch| on_device(stretch.state));
                used.queued |= lane.iter().any(|stretch| matches!(stretch.state, Doing::Queued(_)));
                used.seek |= lane.iter().any(|stretch| matches!(stretch.state, Doing::Seek(_)));
                let life = &panel.panel.timeline.tasks[*task];
                used.arrival |= life.arrival.is_some();
                used.finish |= life.finish.is_some();
                let end = panel.panel.timeline.end;
                used.jobs |= !panel.jobs[*task].is_empty();
                used.late |= panel.jobs[*task].iter().any(|job| jobs::late(job, end).is_some());
            }
        }
        used.hues = examples(panels);
        used
    }
}

/// For what else than a processor tasks of a picture may wait while they are ready.
#[derive(Default)]
struct ReadyFor {
    runtime: bool,
    interpreter: bool,
}

impl ReadyFor {
    fn add(&mut self, runtimes: &[Runtime]) {
        for runtime in runtimes {
            match runtime {
                Runtime::OwnThread => {}
                Runtime::Interpreter => self.interpreter = true,
                Runtime::Keeping | Runtime::Helping | Runtime::Switching | Runtime::HandingOff => self.runtime = true,
            }
        }
    }

    fn words(&self) -> &'static str {
        match (self.runtime, self.interpreter) {
            (false, false) => "ready: waits for a processor",
            (true, false) => "ready: waits for a processor or in its runtime",
            (false, true) => "ready: waits for a processor or the interpreter lock",
            (true, true) => "ready: waits for a processor, in its runtime, or for the interpreter lock",
        }
    }
}

/// Some colours of running tasks, of different kinds first.
fn examples(panels: &[Prepared<'_>]) -> Vec<Colour> {
    let Some(panel) = panels.first() else { return Vec::new() };
    let instance = |task: &TaskId| panel.panel.timeline.tasks[*task].instance;
    let (first, others): (Vec<TaskId>, Vec<TaskId>) = panel.tasks.shown.iter().partition(|task| instance(task) == 0);
    first.into_iter().chain(others).map(|task| colours::of(&panel.colours, task)).take(3).collect()
}

/// Headline, subtitle, note and legend; returns where the panels begin.
pub(super) fn header(sheet: &mut Sheet, picture: &Picture<'_>, used: &Used) -> i32 {
    let y = headline(sheet, picture) + 6;
    y + legend(sheet, used, y) + 14
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
pub(super) fn footer(sheet: &mut Sheet, scale: &Scale, ticks: &[Tick], top: i32, used: &Used) -> i32 {
    let bottom = axis(sheet, scale, ticks, top);
    if !used.shares {
        return bottom;
    }
    let text =
        "Where states change too fast to be drawn one by one, heights show shares of the time, and tasks of one kind count together.".to_owned();
    let (x, y, size) = (scale.left, top + 46, 15);
    sheet.text(Text { x, y, text, size, bold: false, anchor: Anchor::Start, colour: colours::QUIET });
    top + 60
}

/// The width of what an entry of a legend explains.
pub(super) const SWATCH: i32 = 34;
const LINE: i32 = 26;

/// Explains the marks that occur, in one or more lines; returns its height.
fn legend(sheet: &mut Sheet, used: &Used, top: i32) -> i32 {
    type Swatch = fn(&mut Sheet, &Used, i32, i32);
    let entries: [(bool, &str, Swatch); 14] = [
        (
            used.running,
            if used.served { "running or served, in the task's colour" } else { "running, in the task's colour" },
            |sheet, used, x, y| {
                let part = SWATCH / i32::try_from(used.hues.len().max(1)).unwrap_or(1);
                (0..).zip(&used.hues).for_each(|(index, hue)| sheet.rect(x + index * part, y, part, 16, *hue));
            },
        ),
        (used.ready, used.ready_for.words(), |sheet, _, x, y| sheet.rect(x, y + 5, SWATCH, 6, colours::READY)),
        (
            used.blocked,
            if used.on_device { "blocked, or served by a device" } else { "blocked: waits for something else" },
            |sheet, _, x, y| lanes::pattern(sheet, (x - 2, x + SWATCH), y + 8, lanes::BLOCKED, |_| false),
        ),
        (used.queued, "in the queue of a device", |sheet, _, x, y| {
            lanes::pattern(sheet, (x - 2, x + SWATCH), y + 8, lanes::QUEUED, |_| false);
        }),
        (used.seek, "the device on its way (seek)", |sheet, used, x, y| {
            let colour = used.hues.first().copied().unwrap_or(colours::DOTS);
            lanes::seek(sheet, Place { from: x, to: x + SWATCH / 2, y, height: 16 }, colour);
            lanes::pattern(sheet, (x + SWATCH / 2, x + SWATCH), y + 8, lanes::SEEKING, |_| false);
        }),
        (used.shared, "requests that share a device", |sheet, _, x, y| shared::example(sheet, x, y)),
        (used.overhead, "switching and other overhead", |sheet, _, x, y| {
            sheet.rect(x, y, SWATCH, 16, colours::OVERHEAD);
            (0..8).for_each(|stripe| sheet.rect(x + 3 + stripe * 4, y, 1, 16, colours::STRIPE));
        }),
        (used.idle, "idle", |sheet, _, x, y| sheet.rect(x, y, SWATCH, 16, colours::IDLE)),
        (used.arrival, "arrives", |sheet, _, x, y| lanes::arrival(sheet, x + SWATCH - 2, y - 4, 24)),
        (used.finish, "finishes", |sheet, _, x, y| lanes::finish(sheet, x + SWATCH - 12, y - 4, 24)),
        (used.jobs, "job released", |sheet, _, x, y| jobs::released(sheet, x + SWATCH - 8, y + 2, 14, 4)),
        (used.jobs, "its deadline", |sheet, _, x, y| jobs::due(sheet, x + SWATCH - 8, y, 14, 4, colours::INK)),
        (used.late, "late", |sheet, _, x, y| sheet.rect(x, y + 6, SWATCH, 5, colours::CLASH)),
        (used.clash, "two tasks recorded at once", |sheet, _, x, y| sheet.rect(x, y, SWATCH, 16, colours::CLASH)),
    ];
    let occurring = entries.into_iter().filter(|(occurs, ..)| *occurs);
    let entries =
        occurring.map(|(_, text, swatch)| (text, move |sheet: &mut Sheet, x: i32, y: i32| swatch(sheet, used, x, y)));
    flow(sheet, entries, top)
}

/// The entries of a legend, in one or more lines; returns its height.
pub(super) fn flow<'a, S: Fn(&mut Sheet, i32, i32)>(
    sheet: &mut Sheet,
    entries: impl Iterator<Item = (&'a str, S)>,
    top: i32,
) -> i32 {
    let (mut x, mut y) = (MARGIN, top);
    for (text, swatch) in entries {
        let width = SWATCH + 8 + lettering::width(text, 15, false);
        if x + width > WIDTH - MARGIN {
            (x, y) = (MARGIN, y + LINE);
        }
        swatch(sheet, x, y + (LINE - 16) / 2);
        let (text, anchor) = (text.to_owned(), Anchor::Start);
        let at = (x + SWATCH + 8, y + LINE / 2);
        sheet.text(Text { x: at.0, y: at.1, text, size: 15, bold: false, anchor, colour: colours::QUIET });
        x += width + 26;
    }
    y + LINE - top
}
