//! The jobs of periodic tasks: when each is released, when it should have ended, and how late it is.

use sim_core::ids::{IdVec, TaskId};
use sim_core::time::Time;
use sim_core::timeline::{Job, Timeline};

use super::Prepared;
use super::pen::{Mark, Pen, Place};
use crate::picture::colours;
use crate::picture::lane::Scale;

/// Jobs that come closer together (in pixels) have ticks instead of arrows; lateness is always shown.
const CLOSEST: i32 = 9;
/// Ticks are no closer than this: otherwise they become a line.
const TICKS: i32 = 3;

/// The jobs of each task.
pub(super) fn by_task(timeline: &Timeline) -> IdVec<TaskId, Vec<Job>> {
    let mut jobs: IdVec<TaskId, Vec<Job>> = timeline.tasks.iter().map(|_| Vec::new()).collect();
    timeline.jobs.iter().for_each(|job| jobs[job.task].push(*job));
    jobs
}

/// From when to when a job is late. One that was aborted at its deadline is late for nothing.
fn late(job: &Job, end: Time) -> Option<(Time, Time)> {
    (job.missed(end) && !job.aborted).then(|| (job.deadline, job.finish.unwrap_or(end)))
}

/// The marks of a task, above and below its lane, and its lateness inside.
pub(super) fn marks(pen: &mut Pen, panel: &Prepared<'_>, task: TaskId, scale: &Scale, (y, height): (i32, i32)) {
    let end = panel.panel.timeline.end;
    let jobs = &panel.jobs[task];
    let at = |x: i32| Place { from: x, to: x, y, height };
    for (from, to) in jobs.iter().filter_map(|job| late(job, end)).filter(|(from, to)| {
        *to > Time::from_ns(scale.begin) && (scale.shows(*from) || *from < Time::from_ns(scale.begin))
    }) {
        pen.mark(Mark::Late, Place { to: scale.x(to), ..at(scale.x(from)) }, colours::CLASH);
    }
    for job in jobs.iter().filter(|job| job.aborted && scale.shows(job.deadline)) {
        pen.mark(Mark::Aborted, at(scale.x(job.deadline)), colours::CLASH);
    }
    let released = jobs.iter().filter(|job| scale.shows(job.release)).count();
    if i32::try_from(released).map_or(true, |count| count * CLOSEST > scale.width) {
        return dense(pen, panel, task, scale, at);
    }
    for job in jobs {
        if scale.shows(job.release) {
            pen.mark(Mark::Released, at(scale.x(job.release)), colours::INK);
        }
        if scale.shows(job.deadline) {
            let colour = if job.missed(end) { colours::CLASH } else { colours::INK };
            let is_release = jobs.binary_search_by_key(&job.deadline, |other| other.release).is_ok();
            pen.mark(if is_release { Mark::DueAndReleased } else { Mark::Due }, at(scale.x(job.deadline)), colour);
        }
    }
}

/// Ticks for releases that are too close for arrows; a line where they are too close for ticks.
fn dense(pen: &mut Pen, panel: &Prepared<'_>, task: TaskId, scale: &Scale, at: impl Fn(i32) -> Place) {
    let mut last: Option<i32> = None;
    let released = panel.jobs[task].iter().map(|job| job.release).filter(|at| scale.shows(*at));
    for x in released.map(|at| scale.x(at)) {
        let close = last.filter(|last| x - last < TICKS);
        if close != Some(x) {
            pen.mark(Mark::Dense, Place { from: close.unwrap_or(x), to: x, ..at(x) }, colours::INK);
        }
        last = Some(x);
    }
    let name = &panel.names[task];
    if !pen.dense.contains(name) {
        pen.dense.push(name.clone());
    }
}

/// The sentence about tasks whose jobs have no arrows.
pub(super) fn note(pen: &Pen) -> Option<String> {
    let (first, others) = pen.dense.split_first()?;
    let names = match others {
        [] => first.clone(),
        [one] => format!("{first} and {one}"),
        _ => format!("{first} and {} more", others.len()),
    };
    Some(format!("Jobs of {names} come too often for arrows: ticks above the row are their releases, red is late."))
}
