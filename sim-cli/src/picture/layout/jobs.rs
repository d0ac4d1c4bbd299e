//! The jobs of periodic tasks: when each is released, when it should have ended, and how late it is.

use sim_core::ids::{IdVec, TaskId};
use sim_core::time::Time;
use sim_core::timeline::{Job, Timeline};

use super::Prepared;
use crate::picture::colours;
use crate::picture::lane::Scale;
use crate::picture::sheet::{Colour, Sheet};

/// Jobs that come closer together (in pixels) have no marks, but lateness is always shown.
const CLOSEST: i32 = 9;
/// The height of the bar that shows lateness.
const LATE: i32 = 5;

/// The jobs of each task.
pub(super) fn by_task(timeline: &Timeline) -> IdVec<TaskId, Vec<Job>> {
    let mut jobs: IdVec<TaskId, Vec<Job>> = timeline.tasks.iter().map(|_| Vec::new()).collect();
    timeline.jobs.iter().for_each(|job| jobs[job.task].push(*job));
    jobs
}

/// From when to when a job is late.
pub(super) fn late(job: &Job, end: Time) -> Option<(Time, Time)> {
    job.missed(end).then(|| (job.deadline, job.finish.unwrap_or(end)))
}

/// The marks of a task, above and below its lane, and its lateness inside.
pub(super) fn marks(sheet: &mut Sheet, panel: &Prepared<'_>, task: TaskId, scale: &Scale, y: i32) {
    let (height, end) = (panel.task_lane.height, panel.panel.timeline.end);
    let jobs = &panel.jobs[task];
    for (from, to) in jobs.iter().filter_map(|job| late(job, end)) {
        let from = scale.x(from);
        sheet.rect(from, y + height - LATE, (scale.x(to) - from).max(2), LATE, colours::CLASH);
    }
    if i32::try_from(jobs.len()).is_ok_and(|count| count * CLOSEST > scale.width) {
        return;
    }
    let head = (panel.task_lane.pitch - height) / 2;
    for job in jobs {
        released(sheet, scale.x(job.release), y, height, head);
        if job.deadline.ns() <= scale.extent {
            let colour = if late(job, end).is_some() { colours::CLASH } else { colours::INK };
            due(sheet, scale.x(job.deadline), y, height, head, colour);
        }
    }
}

/// An arrow upwards.
pub(super) fn released(sheet: &mut Sheet, x: i32, y: i32, height: i32, head: i32) {
    sheet.rect(x, y, 1, height / 2, colours::INK);
    (0..head).for_each(|row| sheet.rect(x - row, y - head + row, 2 * row + 1, 1, colours::INK));
}

/// An arrow downwards.
pub(super) fn due(sheet: &mut Sheet, x: i32, y: i32, height: i32, head: i32, colour: Colour) {
    sheet.rect(x, y + height / 2, 1, height - height / 2, colour);
    (0..head).for_each(|row| sheet.rect(x - row, y + height + head - 1 - row, 2 * row + 1, 1, colour));
}
