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
//! - **completion** and **latency**: how far the finish of a task is off as a share of its finish since the start of the run,
//!   and how far its turnaround as a share of its turnaround. Where tasks arrive over time the first flatters: a request
//!   of 8 ms that arrives after a second and takes 10 ms is off by a quarter, its finish by 0.2 %.
//! - **horizon**: when the two first run different sets of tasks for longer than half a millisecond.
//!
//! Which of several identical tasks ran first is no difference: `naming` says who is interchangeable and how they are
//! named anew. The integrals are exact (integers) and cost one sweep over the intervals.

mod distance;
mod likeness;
mod naming;
mod parting;
#[cfg(test)]
mod tests;
mod track;

use serde::Serialize;

use crate::statistics::{mean, median, quantile, sorted, spread};
use crate::time::{Span, Time};
use crate::timeline::Timeline;

use distance::Gap;
pub use likeness::{Likeness, likeness};
use naming::Names;
pub use parting::{Parting, parting};
use track::Tracks;

/// The distance between a simulation and reality. Figures are `None` where there are too few runs to have one.
#[derive(Clone, PartialEq, Default, Debug, Serialize)]
pub struct Distance {
    /// How many real runs it is compared with.
    pub runs: usize,
    /// Does the horizon end both the simulation and the real runs? Then their makespans are what the file says, and neither
    /// an error nor a spread of them tells anything.
    pub horizon_ends_both: bool,
    /// (simulated − median real) / median real.
    pub makespan_error: Option<f64>,
    /// (p90 − p10) / median of the real makespans.
    pub makespan_spread: Option<f64>,
    /// Mean over tasks of |simulated − median real| / median real finish, counted from the start of the run.
    pub completion_error: Option<f64>,
    /// Mean over tasks of (p90 − p10) / median of the real finishes.
    pub completion_spread: Option<f64>,
    /// Mean over tasks of |simulated − median real| / median real turnaround, counted from the arrival of each; of a periodic task
    /// that only the horizon ends, of the mean response of its jobs.
    pub latency_error: Option<f64>,
    /// Mean over tasks of (p90 − p10) / median of the same in the real runs.
    pub latency_spread: Option<f64>,
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
    pub tasks: Vec<TaskDistance>,
}

impl Distance {
    /// What is left where simulation and reality must not be compared: what they did, each by itself, and how far real runs are
    /// apart.
    #[must_use]
    pub fn without_errors(self) -> Distance {
        let tasks = self.tasks.into_iter().map(|task| TaskDistance { error: None, latency_error: None, ..task });
        Distance {
            makespan_error: None,
            completion_error: None,
            latency_error: None,
            agreement: None,
            service_distance_ns: None,
            ratio: None,
            horizon_ns: None,
            tasks: tasks.collect(),
            ..self
        }
    }
}

/// One task, simulated and measured. Of interchangeable tasks, the one that ran first has the first name.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct TaskDistance {
    /// `process/task#instance`.
    pub name: String,
    /// `process/task`: the task of the file of which it is an instance.
    pub kind: String,
    /// When it finished in the simulation; `None` if it did not.
    pub simulated_finish_ns: Option<u64>,
    /// When it finished in reality: the median; `None` if it did not in half of the runs or more.
    pub measured_finish_ns: Option<u64>,
    /// (simulated − measured) / measured, of the finish.
    pub error: Option<f64>,
    /// How long it took from its arrival in the simulation.
    pub simulated_turnaround_ns: Option<u64>,
    /// How long it took in reality: the median.
    pub measured_turnaround_ns: Option<u64>,
    /// How long the jobs of a periodic task took from their releases in the simulation, in the mean; `None` of others.
    pub simulated_response_ns: Option<u64>,
    /// The same in reality: the median.
    pub measured_response_ns: Option<u64>,
    /// (simulated − measured) / measured, of the turnaround; of the response if it did not finish in both.
    pub latency_error: Option<f64>,
}

/// Two timelines that run different tasks for no longer than this still follow the same schedule: every switch of a
/// real run is a little off.
pub const SAME: Span = Span::from_us(500);

/// Compares a simulated timeline with those of real runs of the same scenario.
#[must_use]
pub fn compare(simulated: &Timeline, measured: &[Timeline]) -> Distance {
    compare_ensemble(&[simulated], measured)
}

/// The same for an ensemble of simulations, which differ by chance alone: of what they did the median is held against the real
/// runs, and distances are medians over all pairs of a simulation and a real run.
#[must_use]
pub fn compare_ensemble(simulated: &[&Timeline], measured: &[Timeline]) -> Distance {
    let names = Names::new(simulated, measured);
    let simulated: Vec<Tracks> = simulated.iter().map(|timeline| names.tracks(timeline)).collect();
    let real: Vec<Tracks> = measured.iter().map(|timeline| names.tracks(timeline)).collect();

    let pairs = simulated.iter().flat_map(|one| real.iter().map(move |run| (one, run)));
    let to_real: Vec<Gap> = pairs.map(|(one, run)| distance::between(one, run)).collect();
    let mut among_real = Vec::new();
    for (index, run) in real.iter().enumerate() {
        among_real.extend(real[..index].iter().map(|other| distance::between(other, run)));
    }
    let service = median(to_real.iter().map(|gap| gap.service_ns));
    let service_among_real = median(among_real.iter().map(|gap| gap.service_ns));
    let horizon_ends_both = cut(&simulated).is_some_and(|end| cut(&real) == Some(end));
    let makespan = Beside::new(&simulated, &real, |run| Some(run.makespan).filter(|_| !horizon_ends_both));
    let finishes = beside(&names, &simulated, &real, Tracks::completion);
    let turnarounds = beside(&names, &simulated, &real, Tracks::turnaround);
    let responses = beside(&names, &simulated, &real, Tracks::response);
    let error = |of: &[&Beside]| mean(of.iter().filter_map(|task| task.error()).map(f64::abs));
    let mean_spread = |of: &[&Beside]| mean(of.iter().filter_map(|task| task.spread));
    let completions: Vec<&Beside> = finishes.iter().collect();
    let latencies: Vec<&Beside> = turnarounds.iter().zip(&responses).map(latency).collect();

    Distance {
        runs: measured.len(),
        horizon_ends_both,
        makespan_error: makespan.error(),
        makespan_spread: makespan.spread,
        completion_error: error(&completions),
        completion_spread: mean_spread(&completions),
        latency_error: error(&latencies),
        latency_spread: mean_spread(&latencies),
        agreement: median(to_real.iter().map(|gap| gap.agreement)),
        agreement_between_runs: median(among_real.iter().map(|gap| gap.agreement)),
        service_distance_ns: service.map(rounded),
        service_distance_between_runs_ns: service_among_real.map(rounded),
        ratio: service
            .zip(service_among_real)
            .filter(|(_, real)| *real > 0.0)
            .map(|(simulated, real)| simulated / real),
        horizon_ns: horizon(&to_real),
        horizon_between_runs_ns: horizon(&among_real),
        tasks: tasks(&names, &finishes, [&turnarounds, &responses]),
    }
}

/// When the horizon cut the runs, if it cut half of them or more: where something did not finish, and both arms end at the same
/// nanosecond, that is no accident.
fn cut(runs: &[Tracks]) -> Option<Span> {
    let cut = || runs.iter().filter(|run| run.unfinished).map(|run| run.makespan);
    cut().max().filter(|_| 2 * cut().count() >= runs.len())
}

/// By what the latency of a task is judged: its turnaround, or the response of its jobs where it did not finish in both.
fn latency<'a>((turnaround, response): (&'a Beside, &'a Beside)) -> &'a Beside {
    if turnaround.error().is_none() && response.error().is_some() { response } else { turnaround }
}

/// A length of time, simulated and measured.
struct Beside {
    /// The median of the simulations; `None` if half of them or more do not have it.
    simulated: Option<f64>,
    /// The median of the real runs; `None` if half of them or more do not have it.
    measured: Option<f64>,
    /// (p90 − p10) / median of the real runs.
    spread: Option<f64>,
}

impl Beside {
    /// What `of` gives of each of them.
    fn new(simulated: &[Tracks], real: &[Tracks], of: impl Fn(&Tracks) -> Option<Span>) -> Beside {
        let figures = |runs: &[Tracks]| sorted(runs.iter().filter_map(&of).map(ns));
        let mostly = |figures: &[f64], of: &[Tracks]| 2 * figures.len() > of.len();
        let (ours, theirs) = (figures(simulated), figures(real));
        let simulated = quantile(&ours, 0.5).filter(|_| mostly(&ours, simulated));
        let if_mostly = |figure: Option<f64>| figure.filter(|_| mostly(&theirs, real));
        // One run does not say how far runs are apart.
        let spread = if_mostly(spread(&theirs)).filter(|_| theirs.len() > 1);
        Beside { simulated, measured: if_mostly(quantile(&theirs, 0.5)), spread }
    }

    /// (simulated − measured) / measured.
    fn error(&self) -> Option<f64> {
        relative(self.simulated?, self.measured?)
    }
}

/// What is simulated and measured of each task.
fn beside(names: &Names, simulated: &[Tracks], real: &[Tracks], of: fn(&Tracks, usize) -> Option<Span>) -> Vec<Beside> {
    (0..names.len()).map(|task| Beside::new(simulated, real, |run| of(run, task))).collect()
}

fn tasks(names: &Names, finishes: &[Beside], [turnarounds, responses]: [&[Beside]; 2]) -> Vec<TaskDistance> {
    let row = |(index, ((finish, turnaround), response)): (usize, ((&Beside, &Beside), &Beside))| TaskDistance {
        name: names.name(index),
        kind: names.kind(index),
        simulated_finish_ns: finish.simulated.map(rounded),
        measured_finish_ns: finish.measured.map(rounded),
        error: finish.error(),
        simulated_turnaround_ns: turnaround.simulated.map(rounded),
        measured_turnaround_ns: turnaround.measured.map(rounded),
        simulated_response_ns: response.simulated.map(rounded),
        measured_response_ns: response.measured.map(rounded),
        latency_error: latency((turnaround, response)).error(),
    };
    finishes.iter().zip(turnarounds).zip(responses).enumerate().map(row).collect()
}

/// The lower median, "never" being later than everything.
fn horizon(gaps: &[Gap]) -> Option<u64> {
    let mut horizons: Vec<Time> = gaps.iter().map(|gap| gap.horizon.unwrap_or(Time::NEVER)).collect();
    horizons.sort_unstable();
    let middle = horizons.len().checked_sub(1)? / 2;
    Some(horizons[middle]).filter(|at| !at.is_never()).map(Time::ns)
}

/// (value − reference) / reference; nothing if that has no meaning.
fn relative(value: f64, reference: f64) -> Option<f64> {
    if reference > 0.0 { Some((value - reference) / reference) } else { (value == reference).then_some(0.0) }
}

#[expect(clippy::cast_precision_loss, reason = "a ratio of times needs no more than 52 bits")]
fn ns(span: Span) -> f64 {
    span.ns() as f64
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a length of time; the cast saturates")]
fn rounded(ns: f64) -> u64 {
    ns.round() as u64
}
