//! The processor-demand test: do the jobs that may be released from an instant on and are due within t need more than t, for any t,
//! with what less urgent tasks keep them waiting for?
//!
//! It is enough to look at the deadlines in the first busy period. Where nobody is kept waiting, at few of them: from the last one
//! backwards, one can jump from t to the demand at t (quick processor-demand analysis).

use super::blocking::{self, Owner};
use super::ideal::{Job, Set};

/// More steps than these are not made; one looks at all jobs.
const STEPS: u128 = 1_000_000;

/// For how long those that are due later than `within` keep jobs waiting that are due by then; `None` if nothing bounds it.
pub(super) fn blocking(owners: &[Owner], within: u128) -> Option<u64> {
    let later: Vec<&Owner> = owners.iter().filter(|owner| u128::from(owner.deadline) > within).collect();
    if later.is_empty() {
        return Some(0);
    }
    blocking::bound(&later, i64::try_from(within).map_or(i64::MIN, |within| -within), None, &[]).any
}

/// Are all deadlines met by an order that is optimal but for such waits? `None` if the computation was given up. The jobs must not
/// need more than one processor.
pub(super) fn met(set: &Set) -> Option<bool> {
    let jobs = &set.jobs;
    let plain = set.owners.is_empty();
    if plain && jobs.iter().all(|job| job.deadline >= job.period && job.jitter == 0) {
        return Some(true);
    }
    let shortest = jobs.iter().filter(|job| !job.is_fluid).map(|job| u128::from(job.deadline)).min()?;
    let Some(mut t) = last_deadline_before(jobs, busy_period(set)?) else { return Some(true) };
    for _ in 0..steps(jobs) {
        let demand = demand_by(jobs, t);
        if demand + u128::from(blocking(&set.owners, t)?) > t {
            return Some(false);
        }
        if t <= shortest || (plain && demand <= shortest) {
            return Some(true);
        }
        t = if plain && demand < t { demand } else { last_deadline_before(jobs, t)? };
    }
    None
}

/// So often all jobs may be looked at.
pub(super) fn steps(jobs: &[Job]) -> u128 {
    STEPS / (jobs.len() as u128).max(1)
}

/// How long the processor can be busy if all jobs are released together, after the longest wait.
pub(super) fn busy_period(set: &Set) -> Option<u128> {
    let waits = set.jobs.iter().map(|job| blocking(&set.owners, u128::from(job.deadline)));
    let longest = waits.collect::<Option<Vec<u64>>>()?.into_iter().max().unwrap_or(0);
    let of = |job: &Job, length: u128| match job.is_fluid {
        true => (length * u128::from(job.demand)).div_ceil(u128::from(job.period)),
        false => (length + u128::from(job.jitter)).div_ceil(u128::from(job.period)) * u128::from(job.demand),
    };
    let mut length: u128 = set.jobs.iter().map(|job| u128::from(job.demand)).sum::<u128>() + u128::from(longest);
    for _ in 0..steps(&set.jobs) {
        let next = set.jobs.iter().map(|job| of(job, length)).sum::<u128>() + u128::from(longest);
        if next <= length {
            return Some(length);
        }
        length = next;
    }
    None
}

/// The work of all jobs whose deadline is not after `t`.
fn demand_by(jobs: &[Job], t: u128) -> u128 {
    let demand = |job: &Job| {
        if job.is_fluid {
            return Some(t * u128::from(job.demand) / u128::from(job.period));
        }
        let since = t.checked_sub(u128::from(job.deadline))? + u128::from(job.jitter);
        Some((since / u128::from(job.period) + 1) * u128::from(job.demand))
    };
    jobs.iter().filter_map(demand).sum()
}

fn last_deadline_before(jobs: &[Job], t: u128) -> Option<u128> {
    let last = |job: &Job| {
        let (deadline, jitter, period) = (u128::from(job.deadline), u128::from(job.jitter), u128::from(job.period));
        let since = t.checked_sub(deadline + 1)?;
        Some(deadline + ((since + jitter) / period * period).saturating_sub(jitter))
    };
    jobs.iter().filter(|job| !job.is_fluid).filter_map(last).max()
}
