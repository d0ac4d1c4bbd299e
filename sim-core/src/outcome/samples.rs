//! What the distributions of an outcome are made of: a figure of each task that has it.

use crate::metrics::{Metrics, TaskSums};
use crate::time::Span;

/// From arrival to finish, of those that finished.
pub(super) fn turnarounds<'a>(tasks: impl Iterator<Item = &'a TaskSums>) -> impl Iterator<Item = Span> {
    finished(tasks).map(|task| task.finish.since(task.arrival))
}

/// From arrival to the first run, of those that ran.
pub(super) fn first_responses<'a>(tasks: impl Iterator<Item = &'a TaskSums>) -> impl Iterator<Item = Span> {
    arrived(tasks).filter(|task| !task.first_run.is_never()).map(|task| task.first_run.since(task.arrival))
}

/// Ready but not running, of those that arrived.
pub(super) fn waits<'a>(metrics: &Metrics, tasks: impl Iterator<Item = &'a TaskSums>) -> impl Iterator<Item = Span> {
    arrived(tasks).map(|task| metrics.waiting(task))
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
