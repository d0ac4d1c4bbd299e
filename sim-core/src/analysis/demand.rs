//! The processor-demand test: do the jobs released together and due by t need more than t, for any t?
//!
//! It is enough to look at the deadlines in the first busy period, and at few of them: from the last one backwards, one
//! can jump from t to the demand at t (quick processor-demand analysis).

use super::ideal::Job;

/// More steps than these are not made.
const STEPS: u32 = 1_000_000;

/// Are all deadlines met by an order that is optimal? `None` if the computation was given up. The jobs must not need
/// more than one processor.
pub(super) fn met(jobs: &[Job]) -> Option<bool> {
    if jobs.iter().all(|job| job.deadline >= job.period) {
        return Some(true);
    }
    let shortest = jobs.iter().map(|job| u128::from(job.deadline)).min()?;
    let Some(mut t) = last_deadline_before(jobs, busy_period(jobs)?) else { return Some(true) };
    for _ in 0..STEPS {
        let demand = demand_by(jobs, t);
        if demand > t {
            return Some(false);
        }
        if demand <= shortest {
            return Some(true);
        }
        t = if demand < t { demand } else { last_deadline_before(jobs, t)? };
    }
    None
}

/// How long the processor is busy if all jobs are released together.
fn busy_period(jobs: &[Job]) -> Option<u128> {
    let mut length: u128 = jobs.iter().map(|job| u128::from(job.demand)).sum();
    for _ in 0..STEPS {
        let next = jobs.iter().map(|job| length.div_ceil(u128::from(job.period)) * u128::from(job.demand)).sum();
        if next == length {
            return Some(length);
        }
        length = next;
    }
    None
}

/// The work of all jobs whose deadline is not after `t`.
fn demand_by(jobs: &[Job], t: u128) -> u128 {
    let demand = |job: &Job| {
        let since = t.checked_sub(u128::from(job.deadline))?;
        Some((since / u128::from(job.period) + 1) * u128::from(job.demand))
    };
    jobs.iter().filter_map(demand).sum()
}

fn last_deadline_before(jobs: &[Job], t: u128) -> Option<u128> {
    let last = |job: &Job| {
        let deadline = u128::from(job.deadline);
        let since = t.checked_sub(deadline + 1)?;
        Some(deadline + since / u128::from(job.period) * u128::from(job.period))
    };
    jobs.iter().filter_map(last).max()
}
