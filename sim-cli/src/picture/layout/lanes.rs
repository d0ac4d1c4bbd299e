//! The lanes of a panel: what is inside them.

use sim_core::ids::TaskId;
use sim_core::timeline::Cause;
use sim_core::timeline::lanes::{Busy, Stretch};

use super::Prepared;
use crate::doings::Doing;
use crate::picture::colours;
use crate::picture::lane::{Part, Scale, parts};
use crate::picture::lettering;
use crate::picture::sheet::{Anchor, Colour, Sheet, Text};

/// A rectangle of a lane that is being drawn.
#[derive(Clone, Copy)]
pub(super) struct Place {
    pub(super) from: i32,
    pub(super) to: i32,
    pub(super) y: i32,
    pub(super) height: i32,
}

/// The lane of a processor, or of a channel of a device.
pub(super) fn processor(sheet: &mut Sheet, panel: &Prepared<'_>, lane: &[Stretch<Busy>], scale: &Scale, y: i32) {
    let height = panel.cpu_lane.height;
    let parts = parts(lane, scale, height, |busy| match busy {
        Busy::Run(task) => Busy::Run(panel.kin.get(task.0 as usize).copied().unwrap_or(task)),
        Busy::Seek(task) => Busy::Seek(panel.kin.get(task.0 as usize).copied().unwrap_or(task)),
        // All switching is alike, whoever it is for.
        Busy::Switch(_) => Busy::Switch(TaskId::NONE),
        other => other,
    });
    let colour = |busy: &Busy| match busy {
        Busy::Run(task) => colours::of(&panel.colours, *task),
        Busy::Seek(task) => colours::light(colours::of(&panel.colours, *task)),
        Busy::Switch(_) => colours::OVERHEAD,
        Busy::Clash => colours::CLASH,
        Busy::Idle => colours::IDLE,
    };
    for (index, part) in parts.iter().enumerate() {
        match part {
            Part::Bar { from, to, state } => {
                let place = Place { from: *from, to: *to, y, height };
                match state {
                    Busy::Run(task) => {
                        let gap = matches!(parts.get(index + 1), Some(Part::Bar { state: Busy::Run(_), .. }));
                        bar(sheet, place, gap, colour(state));
                        label(sheet, place, panel.names.get(*task).map_or("?", |name| name), colour(state));
                    }
                    Busy::Seek(task) => seek(sheet, place, colours::of(&panel.colours, *task)),
                    Busy::Clash | Busy::Idle => sheet.rect(*from, y, to - from, height, colour(state)),
                    Busy::Switch(_) => {}
                }
            }
            Part::Shares { from, to, shares } => columns(sheet, *from, *to, y + height, shares, colour),
        }
    }
    // Last, so that a switch too short for a pixel still is one.
    for part in &parts {
        if let Part::Bar { from, to, state: Busy::Switch(_) } = part {
            let from = if from == to { from - 1 } else { *from };
            overhead(sheet, Place { from, to: *to, y, height });
        }
    }
}

/// The lane of a task.
pub(super) fn task(sheet: &mut Sheet, panel: &Prepared<'_>, task: TaskId, scale: &Scale, y: i32) {
    let height = panel.task_lane.height;
    let own = colours::of(&panel.colours, task);
    let colour = |doing: &Doing| match doing {
        Doing::Running => own,
        Doing::Overhead => colours::OVERHEAD,
        Doing::Ready => colours::READY,
        Doing::Queued(_) | Doing::Seek(_) | Doing::Blocked(_) => colours::BLOCKED,
    };
    let parts = parts(&panel.lives[task], scale, height, |doing| match doing {
        Doing::Queued(_) | Doing::Seek(_) | Doing::Blocked(_) => Doing::Blocked(Cause::Timer),
        other => other,
    });
    let arrows: Vec<i32> = panel.jobs[task].iter().map(|job| scale.x(job.deadline)).collect();
    for part in &parts {
        match part {
            Part::Bar { from, to, state } => {
                let place = Place { from: *from, to: *to, y, height };
                match state {
                    Doing::Ready => ready(sheet, place),
                    Doing::Queued(device) => {
                        let text = format!("queue of {}", cause_name(panel, Cause::Device(*device)));
                        waiting(sheet, place, QUEUED, &text, &arrows);
                    }
                    Doing::Seek(_) => waiting(sheet, place, SEEKING, "", &arrows),
                    Doing::Blocked(cause) => waiting(sheet, place, BLOCKED, cause_name(panel, *cause), &arrows),
                    // Where it is no wider than a hair the lane of the processor says enough.
                    Doing::Overhead if to - from >= 2 => overhead(sheet, place),
                    Doing::Overhead | Doing::Running => {}
                }
            }
            Part::Shares { from, to, shares } => columns(sheet, *from, *to, y + height, shares, colour),
        }
    }
    // Last, so that a run too short for a pixel still is one.
    for part in &parts {
        if let Part::Bar { from, to, state: Doing::Running } = part {
            bar(sheet, Place { from: *from, to: *to, y, height }, false, own);
        }
    }
    let life = &panel.panel.timeline.tasks[task];
    if let Some(at) = life.arrival {
        arrival(sheet, scale.x(at), y, height);
    }
    if let Some(at) = life.finish {
        finish(sheet, scale.x(at), y, height);
    }
}

/// Running: the full height, at least a pixel wide, with a hair of paper before the next if asked for.
fn bar(sheet: &mut Sheet, place: Place, gap: bool, colour: Colour) {
    let width = (place.to - place.from).max(1);
    sheet.rect(place.from, place.y, if gap && width > 3 { width - 1 } else { width }, place.height, colour);
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

/// Waiting for a processor: a grey band.
fn ready(sheet: &mut Sheet, place: Place) {
    let height = (place.height * 2 / 5).max(4);
    sheet.rect(place.from, place.y + (place.height - height) / 2, place.to - place.from, height, colours::READY);
}

/// The head of a device on its way: stripes in the colour of the task whose request it goes to.
pub(super) fn seek(sheet: &mut Sheet, place: Place, own: Colour) {
    sheet.rect(place.from, place.y, (place.to - place.from).max(1), place.height, colours::light(own));
    let mut x = place.from + 1;
    while x + 2 <= place.to {
        sheet.rect(x, place.y, 2, place.height, own);
        x += 6;
    }
}

/// How waiting is drawn: the same mark again and again.
#[derive(Clone, Copy)]
pub(super) struct Pattern {
    width: i32,
    height: i32,
    /// From one to the next.
    pitch: i32,
}

/// Waiting for something, or being served: dots.
pub(super) const BLOCKED: Pattern = Pattern { width: 2, height: 2, pitch: 6 };
/// In the queue of a device: one stroke beside the other.
pub(super) const QUEUED: Pattern = Pattern { width: 1, height: 8, pitch: 6 };
/// The head of a device is on its way: dashes.
pub(super) const SEEKING: Pattern = Pattern { width: 6, height: 2, pitch: 9 };

/// A pattern around `middle`, without what is hidden.
pub(super) fn pattern(
    sheet: &mut Sheet,
    columns: (i32, i32),
    middle: i32,
    marks: Pattern,
    hidden: impl Fn(i32) -> bool,
) {
    let mut x = columns.0 + 2;
    while x + marks.width.min(2) <= columns.1 {
        if !hidden(x) {
            let width = marks.width.min(columns.1 - x);
            sheet.rect(x, middle - marks.height / 2, width, marks.height, colours::DOTS);
        }
        x += marks.pitch;
    }
}

/// Waiting for something else: a pattern, and what it is if there is room beside the arrows of jobs (in order).
fn waiting(sheet: &mut Sheet, place: Place, marks: Pattern, cause: &str, arrows: &[i32]) {
    let middle = place.y + place.height / 2;
    let size = 13;
    let letters = lettering::width(cause, size, false);
    let room = (place.height >= 18 && !cause.is_empty())
        .then(|| widest_between(place, arrows))
        .filter(|(from, to)| to - from >= letters + 40);
    let centre = room.map(|(from, to)| i32::midpoint(from, to));
    let hidden = |x: i32| centre.is_some_and(|centre| (x - centre).abs() <= letters / 2 + 7);
    pattern(sheet, (place.from, place.to), middle, marks, hidden);
    if let Some(centre) = centre {
        let text = cause.to_owned();
        sheet.text(Text {
            x: centre,
            y: middle,
            text,
            size,
            bold: false,
            anchor: Anchor::Middle,
            colour: colours::QUIET,
        });
    }
}

/// The widest piece of a place that has no arrow inside.
fn widest_between(place: Place, arrows: &[i32]) -> (i32, i32) {
    let first = arrows.partition_point(|arrow| *arrow <= place.from);
    let inside = arrows[first..].iter().copied().take_while(|arrow| *arrow < place.to);
    let mut from = place.from;
    let mut widest = (from, from);
    for to in inside.chain([place.to]) {
        if to - from > widest.1 - widest.0 {
            widest = (from, to);
        }
        from = to;
    }
    widest
}

fn cause_name<'a>(panel: &'a Prepared<'_>, cause: Cause) -> &'a str {
    let cast = &panel.panel.timeline.cast;
    match cause {
        Cause::Device(device) => cast.devices.get(device).map_or("device", |device| &device.name),
        Cause::Sync(sync) => cast.syncs.get(sync).map_or("lock", |sync| &sync.name),
        Cause::Timer => "sleeps",
        Cause::Join => "joins",
        Cause::After => "waits for others",
        Cause::Release => "until the next job",
    }
}

/// The name of the task inside its bar, or only its number, if it fits.
fn label(sheet: &mut Sheet, place: Place, name: &str, ground: Colour) {
    let size = (place.height / 2).min(14);
    if size < 10 {
        return;
    }
    let number = name.rfind('#').map(|at| &name[at..]);
    let short = name.rsplit('/').next();
    let fits = |text: &&str| lettering::width(text, size, false) + 10 <= place.to - place.from;
    if let Some(text) = [Some(name), short, number].into_iter().flatten().find(fits) {
        let (x, y) = (i32::midpoint(place.from, place.to), place.y + place.height / 2);
        let (text, colour) = (text.to_owned(), colours::readable_on(ground));
        sheet.text(Text { x, y, text, size, bold: false, anchor: Anchor::Middle, colour });
    }
}

/// Columns of shares, standing on `bottom`.
fn columns<S>(sheet: &mut Sheet, from: i32, to: i32, bottom: i32, shares: &[(S, i32)], colour: impl Fn(&S) -> Colour) {
    let mut y = bottom;
    for (state, height) in shares {
        y -= height;
        sheet.rect(from, y, to - from, *height, colour(state));
    }
}

/// A triangle left of the instant, so that it hides nothing.
pub(super) fn arrival(sheet: &mut Sheet, x: i32, y: i32, height: i32) {
    let half = (height / 4).clamp(4, 7);
    (0..half)
        .for_each(|row| sheet.rect(x - 1 - half + row, y + height / 2 - half + row, 1, 2 * (half - row), colours::INK));
}

/// A square right of the instant, so that it hides nothing.
pub(super) fn finish(sheet: &mut Sheet, x: i32, y: i32, height: i32) {
    let half = (height / 4).clamp(3, 5);
    sheet.rect(x + 2, y + height / 2 - half, 2 * half, 2 * half, colours::INK);
}
