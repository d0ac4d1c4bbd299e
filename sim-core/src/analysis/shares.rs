//! Tests that only add up shares of a processor.
//!
//! With what less urgent tasks keep the i-th waiting for, B, the bounds of rate-monotonic order hold for each i by itself, of the
//! i most urgent and of B as if it were work of the last (Sha, Rajkumar & Lehoczky 1990).

use super::blocking::Waits;
use super::ideal::{Job, Set, utilisation};
use super::{Test, Verdict};

fn sufficient(holds: bool) -> Verdict {
    if holds { Verdict::Schedulable } else { Verdict::Undecided }
}

/// The least favourable of some pairs of a value and its limit.
fn worst(pairs: impl Iterator<Item = (f64, f64)>) -> (f64, f64) {
    pairs.max_by(|one, other| (one.0 - one.1).total_cmp(&(other.0 - other.1))).unwrap_or((0.0, 1.0))
}

/// The jobs, the most urgent first, each with how long it waits; `None` if that has no bound.
fn in_order<'a>(set: &'a Set, waits: &[Waits]) -> Option<Vec<(&'a Job, u64)>> {
    let jobs = set.jobs.iter().zip(waits).map(|(job, waits)| Some((job, waits.alone?)));
    let mut jobs: Vec<(&Job, u64)> = jobs.collect::<Option<_>>()?;
    jobs.sort_by_key(|(job, _)| job.level);
    Some(jobs)
}

/// The two bounds for priorities by periods.
pub(super) fn rate_monotonic(set: &Set, waits: &[Waits], over: bool) -> Vec<Test> {
    let Some(jobs) = in_order(set, waits) else { return Vec::new() };
    #[expect(clippy::cast_precision_loss, reason = "a statistic")]
    let share = |(job, waits): (&Job, u64)| (job.demand as f64 + waits as f64) / job.period as f64;
    let before = |place: usize| jobs[..place].iter().map(|(job, _)| job.utilisation());
    let sum = |place: usize| before(place).sum::<f64>() + share(jobs[place]);
    let product = |place: usize| before(place).map(|share| share + 1.0).product::<f64>() * (share(jobs[place]) + 1.0);
    // The bound of a single task is exactly 1, which a float may miss.
    let alone = jobs.len() == 1 && jobs[0].1 == 0;
    let test = |name, (value, limit): (f64, f64)| {
        let holds = if alone { !over } else { value <= limit };
        Test { name, value: Some(value), limit: Some(limit), verdict: sufficient(holds) }
    };
    let places = || 0..jobs.len();
    vec![
        test("Liu & Layland bound", worst(places().map(|place| (sum(place), liu_layland(place + 1))))),
        test("hyperbolic bound", worst(places().map(|place| (product(place), 2.0)))),
    ]
}

fn liu_layland(tasks: usize) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "tasks are few")]
    let n = tasks as f64;
    n * (libm::pow(2.0, 1.0 / n) - 1.0)
}

/// By deadlines on all processors: the sum of the densities, against what the densest leaves. A job that may come late has the density
/// that it would have if all came so close together.
pub(super) fn density(set: &Set) -> Option<Test> {
    if !set.is_by_deadline || !set.is_global || !set.owners.is_empty() || set.jobs.iter().any(|job| job.is_fluid) {
        return None;
    }
    #[expect(clippy::cast_precision_loss, reason = "a statistic")]
    let density = |job: &Job| {
        let apart = job.period.checked_sub(job.jitter).filter(|apart| *apart > 0)?;
        Some(job.demand as f64 / job.deadline.min(apart) as f64)
    };
    let densities: Vec<f64> = set.jobs.iter().map(density).collect::<Option<_>>()?;
    let (sum, most) = (densities.iter().sum::<f64>(), densities.iter().copied().fold(0.0, f64::max));
    #[expect(clippy::cast_precision_loss, reason = "processors are few")]
    let limit = set.processors as f64 - (set.processors as f64 - 1.0) * most;
    let is_plain = set.jobs.iter().all(|job| job.deadline >= job.period && job.jitter == 0);
    let name = if is_plain { "Goossens, Funk & Baruah bound" } else { "density bound" };
    Some(Test { name, value: Some(sum), limit: Some(limit), verdict: sufficient(most <= 1.0 && sum <= limit) })
}

/// The share of all processors that the jobs need: the only test that says no of any policy.
pub(super) fn all(jobs: &[Job], processors: usize, verdict: Verdict) -> Test {
    #[expect(clippy::cast_precision_loss, reason = "processors are few")]
    let limit = Some(processors as f64);
    Test { name: "utilisation", value: Some(utilisation(jobs)), limit, verdict }
}
