//! What is inside the lanes of a panel.

use std::collections::BTreeSet;

use sim_core::ids::{IdVec, TaskId};
use sim_core::timeline::lanes::{Busy, Stretch};
use sim_core::timeline::{Cause, Fate, Life};

use super::Prepared;
use super::pen::{Mark, Pen, Place};
use crate::doings::Doing;
use crate::letters::visible;
use crate::picture::colours;
use crate::picture::lane::{Part, Scale, parts};
use crate::picture::lettering;
use crate::picture::sheet::{Anchor, Colour};

/// Said where shares are drawn.
const SHARES: &str = "Where states change too fast to be drawn one by one, heights show shares of the time.";
/// Said where in such shares tasks are not told apart.
const KIN: &str = "There, tasks of one kind count together.";

/// The lane of whatever is busy with one task after the other; `mark` says what it does with them. `at` is where the lane
/// is and how high.
pub(super) fn turns(
    pen: &mut Pen,
    panel: &Prepared<'_>,
    mark: Mark,
    lane: &[Stretch<Busy>],
    scale: &Scale,
    (y, height): (i32, i32),
) {
    let parts = parts(lane, scale, height, |busy| match busy {
        Busy::Run(task) => Busy::Run(panel.kin.get(task.0 as usize).copied().unwrap_or(task)),
        Busy::Seek(task) => Busy::Seek(panel.kin.get(task.0 as usize).copied().unwrap_or(task)),
        Busy::Start(task) => Busy::Start(panel.kin.get(task.0 as usize).copied().unwrap_or(task)),
        // All switching is alike, whoever it is for.
        Busy::Switch(_) => Busy::Switch(TaskId::NONE),
        other => other,
    });
    let look = |busy: &Busy| match busy {
        Busy::Run(task) => (mark, colours::of(&panel.colours, *task)),
        Busy::Seek(task) => (Mark::Seek, colours::of(&panel.colours, *task)),
        Busy::Switch(_) | Busy::Start(_) => (Mark::Overhead, colours::OVERHEAD),
        Busy::Clash => (Mark::Clash, colours::CLASH),
        Busy::Idle => (Mark::Idle, colours::IDLE),
    };
    for (index, part) in parts.iter().enumerate() {
        match part {
            // Last, so that a switch too short for a pixel still is one.
            Part::Bar { state: Busy::Switch(_), .. } => {}
            Part::Bar { from, to, state } => {
                let (mark, colour) = look(state);
                let place = Place { from: *from, to: *to, y, height };
                let Some(name) = written_on(panel, state) else {
                    pen.mark(mark, place, colour);
                    continue;
                };
                let next = matches!(parts.get(index + 1), Some(Part::Bar { state: Busy::Run(_), .. }));
                // A hair of paper before the next.
                let gap = i32::from(next && to - from > 3);
                pen.mark(mark, Place { to: to - gap, ..place }, colour);
                label(pen, place, &name, panel.short, colour);
            }
            Part::Shares { from, to, shares } => {
                columns(pen, (*from, *to), y + height, shares, |busy| match look(busy) {
                    (Mark::Seek, colour) => (Mark::Seek, colours::light(colour)),
                    other => other,
                });
                if panel.has_kin {
                    pen.note(KIN);
                }
            }
        }
    }
    for part in &parts {
        if let Part::Bar { from, to, state: Busy::Switch(_) } = part {
            let from = if from == to { from - 1 } else { *from };
            pen.mark(Mark::Overhead, Place { from, to: *to, y, height }, colours::OVERHEAD);
        }
    }
}

/// What is written on a bar, if it fits.
fn written_on(panel: &Prepared<'_>, busy: &Busy) -> Option<String> {
    let name = |task: &TaskId| panel.names.get(*task).map_or("?", |name| name);
    match busy {
        Busy::Run(task) => Some(name(task).to_owned()),
        Busy::Start(task) => Some(format!("start of {}", without_process(name(task)))),
        _ => None,
    }
}

/// The lane of a task.
pub(super) fn task(pen: &mut Pen, panel: &Prepared<'_>, task: TaskId, scale: &Scale, (y, height): (i32, i32)) {
    let own = colours::of(&panel.colours, task);
    let look = |doing: &Doing| match doing {
        Doing::Running => (Mark::Running, own),
        Doing::Overhead => (Mark::Overhead, colours::OVERHEAD),
        Doing::Ready => (Mark::ReadyArea, colours::READY),
        Doing::Throttled => (Mark::ThrottledArea, colours::THROTTLED),
        Doing::Depleted => (Mark::DepletedArea, colours::DEPLETED),
        Doing::Interpreter => (Mark::InterpreterArea, colours::INTERPRETER),
        Doing::Queued(_) | Doing::Seek(_) | Doing::Blocked(_) | Doing::Blocking(_) => {
            (Mark::BlockedArea, colours::BLOCKED)
        }
    };
    let parts = parts(&panel.lives[task], scale, height, |doing| match doing {
        Doing::Queued(_) | Doing::Seek(_) | Doing::Blocked(_) | Doing::Blocking(_) => Doing::Blocked(Cause::Timer),
        other => other,
    });
    let due = panel.jobs[task].iter().map(|job| job.deadline).filter(|at| scale.shows(*at));
    let arrows: Vec<i32> = due.map(|at| scale.x(at)).collect();
    for part in &parts {
        match part {
            Part::Bar { from, to, state } => {
                let place = Place { from: *from, to: *to, y, height };
                match state {
                    Doing::Ready => pen.mark(Mark::Ready, place, own),
                    Doing::Throttled => pen.mark(Mark::Throttled, place, own),
                    Doing::Depleted => pen.mark(Mark::Depleted, place, own),
                    Doing::Interpreter => pen.mark(Mark::Interpreter, place, own),
                    Doing::Queued(device) => {
                        let text = format!("queue of {}", cause_name(panel, Cause::Device(*device)));
                        waiting(pen, place, Mark::Queued, &text, &arrows);
                    }
                    Doing::Seek(_) => waiting(pen, place, Mark::UnderWay, "", &arrows),
                    Doing::Blocked(cause) => waiting(pen, place, Mark::Blocked, &cause_name(panel, *cause), &arrows),
                    Doing::Blocking(device) => {
                        waiting(pen, place, Mark::Blocking, &cause_name(panel, Cause::Device(*device)), &arrows);
                    }
                    // Where it is no wider than a hair the lane of the processor says enough.
                    Doing::Overhead if to - from >= 2 => pen.mark(Mark::Overhead, place, own),
                    Doing::Overhead | Doing::Running => {}
                }
            }
            Part::Shares { from, to, shares } => columns(pen, (*from, *to), y + height, shares, look),
        }
    }
    // Last, so that a run too short for a pixel still is one.
    for part in &parts {
        if let Part::Bar { from, to, state: Doing::Running } = part {
            pen.mark(Mark::Running, Place { from: *from, to: *to, y, height }, own);
        }
    }
    let life = &panel.panel.timeline.tasks[task];
    comes_and_goes(pen, life, scale, (y, height), own);
    let is_shown = scale.shows(panel.panel.timeline.extent());
    if let Some((_, words)) = panel.stuck.iter().find(|(stuck, _)| *stuck == task && is_shown) {
        at_the_end(pen, words, scale.x(panel.panel.timeline.extent()), (y, height));
    }
}

/// When a task came and when it ended, and whether it had all done.
fn comes_and_goes(pen: &mut Pen, life: &Life, scale: &Scale, (y, height): (i32, i32), own: Colour) {
    let ends = if life.fate == Fate::Finished { Mark::Finish } else { Mark::Cut };
    for (mark, at) in [(Mark::Arrival, life.arrival), (ends, life.finish)] {
        if let Some(x) = at.filter(|at| scale.shows(*at)).map(|at| scale.x(at)) {
            pen.mark(mark, Place { from: x, to: x, y, height }, own);
        }
    }
}

/// What a task waits for when the run ends, where the wait is too short to say it inside: right of the end.
fn at_the_end(pen: &mut Pen, words: &str, x: i32, (y, height): (i32, i32)) {
    pen.mark(Mark::Blocked, Place { from: x + 2, to: x + AT_THE_END, y, height }, colours::DOTS);
    pen.text((x + AT_THE_END + 4, y + height / 2), words, WAITING, Anchor::Start, colours::QUIET);
}

/// How much room the words beyond the end of a run take, besides their own.
pub(super) const AT_THE_END: i32 = 22;
/// The size of the words about what a task waits for.
pub(super) const WAITING: i32 = 13;
/// So much room beside such words shows the marks of waiting.
pub(super) const BESIDE_WAITING: i32 = 40;

/// Waiting for something: marks, and what it is if there is room beside the arrows of jobs (in order).
fn waiting(pen: &mut Pen, place: Place, mark: Mark, words: &str, arrows: &[i32]) {
    let letters = lettering::width(words, WAITING, false);
    let room = (place.height >= 18 && !words.is_empty())
        .then(|| widest_between(place, arrows))
        .filter(|(from, to)| to - from >= letters + BESIDE_WAITING);
    let Some((from, to)) = room else { return pen.mark(mark, place, colours::DOTS) };
    let (centre, half) = (i32::midpoint(from, to), letters / 2 + 7);
    pen.mark(mark, Place { to: centre - half, ..place }, colours::DOTS);
    pen.mark(mark, Place { from: centre + half, ..place }, colours::DOTS);
    pen.text((centre, place.y + place.height / 2), words, WAITING, Anchor::Middle, colours::QUIET);
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

/// What a task waits for, in a few words.
pub(in crate::picture) fn cause_name(panel: &Prepared<'_>, cause: Cause) -> String {
    let cast = &panel.panel.timeline.cast;
    match cause {
        Cause::Device(device) => {
            cast.devices.get(device).map_or_else(|| "device".to_owned(), |device| visible(&device.name).into_owned())
        }
        Cause::Sync(sync) => cast.syncs.get(sync).map_or_else(|| "lock".to_owned(), ToString::to_string),
        Cause::Timer => "sleeps".to_owned(),
        Cause::Join => "joins".to_owned(),
        Cause::After => "waits for others".to_owned(),
        Cause::Release => "until the next job".to_owned(),
    }
}

/// What of a name is enough, since nobody else in the panel is called so.
#[derive(Clone, Copy, Debug)]
pub(super) struct Short {
    /// The number of an instance.
    number: bool,
    /// The name without the process.
    task: bool,
}

impl Short {
    /// What is enough where there are these names.
    pub(super) fn of(names: &IdVec<TaskId, String>) -> Short {
        let kind = |name: &str| name.rfind('#').map_or(name.len(), |at| at);
        let kinds: BTreeSet<&str> = names.iter().map(|name| &name[..kind(name)]).collect();
        let numbered: BTreeSet<&str> =
            names.iter().filter(|name| name.contains('#')).map(|name| &name[..kind(name)]).collect();
        let tasks: BTreeSet<&str> = kinds.iter().map(|kind| without_process(kind)).collect();
        Short { number: numbered.len() == 1, task: tasks.len() == kinds.len() }
    }
}

fn without_process(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

/// The name of the task inside its bar, or as much of it as is enough, if it fits.
fn label(pen: &mut Pen, place: Place, name: &str, short: Short, ground: Colour) {
    let size = (place.height / 2).min(14);
    if size < 10 {
        return;
    }
    let number = name.rfind('#').map(|at| &name[at..]).filter(|_| short.number);
    let task = Some(without_process(name)).filter(|_| short.task);
    let fits = |text: &&str| lettering::fits(text, size, false, place.to - place.from - 10);
    if let Some(text) = [Some(name), task, number].into_iter().flatten().find(fits) {
        let at = (i32::midpoint(place.from, place.to), place.y + place.height / 2);
        pen.text(at, text, size, Anchor::Middle, colours::readable_on(ground));
    }
}

/// Columns of shares, standing on `bottom`.
pub(super) fn columns<S>(
    pen: &mut Pen,
    (from, to): (i32, i32),
    bottom: i32,
    shares: &[(S, i32)],
    look: impl Fn(&S) -> (Mark, Colour),
) {
    let mut y = bottom;
    for (state, height) in shares {
        y -= height;
        let (mark, colour) = look(state);
        pen.area(mark, Place { from, to, y, height: *height }, colour);
    }
    if shares.len() > 1 {
        pen.note(SHARES);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_name_is_that_of_one_task() {
        let short = |names: &[&str]| {
            let Short { number, task } = Short::of(&names.iter().map(|name| (*name).to_owned()).collect());
            (number, task)
        };
        assert_eq!(short(&["a#0", "a#1", "hog"]), (true, true));
        assert_eq!(short(&["a#0", "b#0"]), (false, true));
        assert_eq!(short(&["p/a#0", "q/a#0"]), (false, false));
        assert_eq!(short(&["p/a", "q/b"]), (false, true));
    }
}
