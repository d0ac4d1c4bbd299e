//! How far apart a simulated timeline and the timelines of real runs are, in numbers.
//!
//! One number can flatter: makespans agree while everything in between differs. So there are several, and each is
//! given beside the same number *between real runs*, which no simulator can be expected to beat:
//!
//! - **agreement**: with A and B the sets of tasks running at an instant, ∫|A∩B| dt / ∫max(|A|,|B|) dt. Processor
//!   numbers do not matter, and idling together is no merit.
//! - **service distance**: the mean over time and tasks of |S(t) − S′(t)|, S being the processor time a task has
//!   received by t. It is lenient where agreement is harsh: two runs that alternate in opposite phase share nothing
//!   and are still only a slice apart.
//! - **horizon**: when the two first run different sets of tasks for longer than half a millisecond.
//!
//! Which of several identical tasks ran first is no difference: `naming` says who is interchangeable and how they are
//! named anew. The integrals are exact (integers) and cost one sweep over the intervals.

mod distance;
mod naming;
#[cfg(test)]
mod tests;
mod track;

use serde::Serialize;

use crate::time::{Span, Time};
use crate::timeline::Timeline;

use distance::Distance;
use naming::Names;
use track::Tracks;

/// The distance between a simulation and reality. Figures are `None` where there are too few runs to have one.
#[derive(Clone, PartialEq, Debug, Default, Serialize)]
pub struct Comparison {
    /// How many real runs it is compared with.
    pub runs: usize,
    /// How many real runs were set aside as disturbed. For the caller to fill.
    pub dropped: usize,
    /// What recorded the real runs. For the caller to fill.
    pub recorder: String,
    /// What should be known before the figures are believed. For the caller to fill.
    pub warnings: Vec<String>,
    /// (simulated − median real) / median real.
    pub makespan_error: Option<f64>,
    /// (p90 − p10) / median of the real makespans.
    pub makespan_spread: Option<f64>,
    /// Mean over tasks of |simulated − median real| / median real finish.
    pub completion_error: Option<f64>,
    /// Share of time the same tasks run: median over the real runs.
    pub agreement: Option<f64>,
    /// The same between pairs of real runs.
    pub agreement_between_runs: Option<f64>,
    /// Mean over time and tasks of the difference of received processor time: median over the real runs.
    pub service_distance_ns: Option<u64>,
    /// The same between pairs of real runs.
    pub service_distance_between_runs_ns: Option<u64>,
    /// Of those two distances. `None` also if the real runs do not differ at all.
    pub ratio: Option<f64>,
    /// When simulation and reality first run different tasks for longer than [`SAME`]: lower median over the real
    /// runs, `None` if that is never.
    pub horizon_ns: Option<u64>,
    /// The same between pairs of real runs.
    pub horizon_between_runs_ns: Option<u64>,
    /// Task by task, in the order of the simulated timeline.
    pub tasks: Vec<TaskComparison>,
}

/// One task, simulated and measured. Of interchangeable tasks, the one that ran first has the first name.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct TaskComparison {
    /// `process/task#instance`.
    pub name: String,
    /// When it finished in the simulation; `None` if it did not.
    pub simulated_finish_ns: Option<u64>,
    /// When it finished in reality: the median; `None` if it did not in half of the runs or more.
    pub measured_finish_ns: Option<u64>,
    /// (simulated − measured) / measured.
    pub error: Option<f64>,
}

/// Two timelines that run different tasks for no longer than this still follow the same schedule: every switch of a
/// real run is a little off.
pub const SAME: Span = Span::from_us(500);

/// Compares a simulated timeline with those of real runs of the same scenario.
#[must_use]
pub fn compare(simulated: &Timeline, measured: &[Timeline]) -> Comparison {
    let names = Names::new(simulated, measured);
    let real: Vec<Tracks> = measured.iter().map(|timeline| names.tracks(timeline)).collect();
    let simulated = names.tracks(simulated);

    let to_real: Vec<Distance> = real.iter().map(|run| distance::between(&simulated, run)).collect();
    let mut among_real = Vec::new();
    for (index, run) in real.iter().enumerate() {
        among_real.extend(real[..index].iter().map(|other| distance::between(other, run)));
    }
    let service = median(to_real.iter().map(|distance| distance.service_ns));
    let service_among_real = median(among_real.iter().map(|distance| distance.service_ns));
    let makespans = sorted(real.iter().map(|run| ns(run.makespan)));
    let makespan = quantile(&makespans, 0.5);
    let tasks = compare_tasks(&names, &simulated, &real);

    Comparison {
        runs: measured.len(),
        makespan_error: makespan.and_then(|median| relative(ns(simulated.makespan), median)),
        makespan_spread: spread(&makespans),
        completion_error: mean(tasks.iter().filter_map(|task| task.error).map(f64::abs)),
        agreement: median(to_real.iter().map(|distance| distance.agreement)),
        agreement_between_runs: median(among_real.iter().map(|distance| distance.agreement)),
        service_distance_ns: service.map(rounded),
        service_distance_between_runs_ns: service_among_real.map(rounded),
        ratio: service
            .zip(service_among_real)
            .filter(|(_, real)| *real > 0.0)
            .map(|(simulated, real)| simulated / real),
        horizon_ns: horizon(&to_real),
        horizon_between_runs_ns: horizon(&among_real),
        tasks,
        ..Comparison::default()
    }
}

fn compare_tasks(names: &Names, simulated: &Tracks, real: &[Tracks]) -> Vec<TaskComparison> {
    let row = |index: usize| {
        let simulated_finish = simulated.finish(index);
        let finishes = sorted(real.iter().filter_map(|run| run.finish(index)).map(|at| ns(at - Time::ZERO)));
        let mostly_finished = 2 * finishes.len() > real.len();
        let measured_finish = quantile(&finishes, 0.5).filter(|_| mostly_finished);
        TaskComparison {
            name: names.name(index),
            simulated_finish_ns: simulated_finish.map(Time::ns),
            measured_finish_ns: measured_finish.map(rounded),
            error: simulated_finish
                .zip(measured_finish)
                .and_then(|(simulated, measured)| relative(ns(simulated - Time::ZERO), measured)),
        }
    };
    (0..names.len()).map(row).collect()
}

/// The lower median, "never" being later than everything.
fn horizon(distances: &[Distance]) -> Option<u64> {
    let mut horizons: Vec<Time> = distances.iter().map(|distance| distance.horizon.unwrap_or(Time::NEVER)).collect();
    horizons.sort_unstable();
    let middle = horizons.len().checked_sub(1)? / 2;
    Some(horizons[middle]).filter(|at| !at.is_never()).map(Time::ns)
}

/// (value − reference) / reference; nothing if that has no meaning.
fn relative(value: f64, reference: f64) -> Option<f64> {
    if reference > 0.0 { Some((value - reference) / reference) } else { (value == reference).then_some(0.0) }
}

fn spread(sorted: &[f64]) -> Option<f64> {
    let (low, middle, high) = (quantile(sorted, 0.1)?, quantile(sorted, 0.5)?, quantile(sorted, 0.9)?);
    if middle > 0.0 { Some((high - low) / middle) } else { None }
}

fn median(values: impl Iterator<Item = f64>) -> Option<f64> {
    quantile(&sorted(values), 0.5)
}

fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (count, sum) = values.fold((0_u32, 0.0), |(count, sum), value| (count + 1, sum + value));
    (count > 0).then(|| sum / f64::from(count))
}

fn sorted(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values
}

/// The quantile of sorted values, interpolated between the two nearest.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "an index into a list, far below 2^52"
)]
fn quantile(sorted: &[f64], share: f64) -> Option<f64> {
    let position = share * sorted.len().checked_sub(1)? as f64;
    let low = sorted[position.floor() as usize];
    let high = sorted[position.ceil() as usize];
    Some(low + (high - low) * position.fract())
}

#[expect(clippy::cast_precision_loss, reason = "a ratio of times needs no more than 52 bits")]
fn ns(span: Span) -> f64 {
    span.ns() as f64
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a length of time; the cast saturates")]
fn rounded(ns: f64) -> u64 {
    ns.round() as u64
}
