//! What the distributions of an outcome are made of: a figure of each task that has it.

use super::share;
use crate::ids::TaskId;
use crate::metrics::{Metrics, TaskSums};
use crate::time::Span;
use crate::timeline::Fate;

/// From arrival to finish, of those that finished.
pub(super) fn turnarounds<'a>(tasks: impl Iterator<Item = &'a TaskSums>) -> impl Iterator<Item = Span> {
    finished(tasks).map(|task| task.finish.since(task.arrival))
}

/// From arrival to the first run, of those that ran.
pub(super) fn first_responses<'a>(tasks: impl Iterator<Item = &'a TaskSums>) -> impl Iterator<Item = Span> {
    arrived(tasks).filter(|task| !task.first_run.is_never()).map(|task| task.first_run.since(task.arrival))
}

/// Ready but not running, of those that arrived and were not turned away: they have waited for nothing.
pub(super) fn waits<'a>(metrics: &Metrics, tasks: impl Iterator<Item = &'a TaskSums>) -> impl Iterator<Item = Span> {
    arrived(tasks).filter(|task| task.ended_as() != Some(Fate::Rejected)).map(|task| metrics.waiting(task))
}

/// Of those that finished and had something to do.
pub(super) fn slowdowns<'a>(metrics: &Metrics, tasks: impl Iterator<Item = &'a TaskSums>) -> impl Iterator<Item = f64> {
    finished(tasks).filter_map(|task| metrics.slowdown(task))
}

pub(super) fn arrived<'a>(tasks: impl Iterator<Item = &'a TaskSums>) -> impl Iterator<Item = &'a TaskSums> {
    tasks.filter(|task| !task.arrival.is_never())
}

pub(super) fn finished<'a>(tasks: impl Iterator<Item = &'a TaskSums>) -> impl Iterator<Item = &'a TaskSums> {
    arrived(tasks).filter(|task| task.has_finished())
}

/// Of those that arrived, the shares that gave up, and that were turned away, once at least; none without tasks.
pub(super) fn gone_shares<'a>(
    metrics: &Metrics,
    tasks: impl Iterator<Item = (TaskId, &'a TaskSums)>,
) -> [Option<f64>; 2] {
    let (mut all, mut given_up, mut rejected) = (0, 0, 0);
    for (id, _) in tasks.filter(|(_, task)| !task.arrival.is_never()) {
        let gone = metrics.tasks.gone(id);
        all += 1;
        given_up += u64::from(gone.given_up > 0);
        rejected += u64::from(gone.rejected > 0);
    }
    [given_up, rejected].map(|part| share(part, all))
}

/// Of those that finished, those that had all that they asked for, or (`gone`) went without something.
pub(super) fn apart<'a>(
    metrics: &Metrics,
    tasks: impl Iterator<Item = (TaskId, &'a TaskSums)>,
    gone: bool,
) -> impl Iterator<Item = &'a TaskSums> {
    let is_meant = move |id: TaskId| metrics.tasks.gone(id).is_nothing() != gone;
    finished(tasks.filter(move |(id, _)| is_meant(*id)).map(|(_, task)| task))
}
