//! Response times by earliest deadlines on one processor (Spuri 1996).
//!
//! The longest response of a task need not be that of a job released with all others. It is that of a job released at some a, in a
//! busy period in which all others are released together as early as they can be, and a is such that its deadline is that of
//! another job, or 0. Of each other task those jobs come first that are due by then, as many as have come by then.

use super::demand::{self, busy_period};
use super::ideal::{Job, Set};

/// The longest response of each job; `None` where it was not found. The jobs must not need more than one processor.
pub(super) fn bounds(set: &Set) -> Vec<Option<u64>> {
    let none = || vec![None; set.jobs.len()];
    if set.jobs.iter().any(|job| job.is_fluid) {
        return none();
    }
    let Some(length) = busy_period(set) else { return none() };
    let mut steps = demand::steps(&set.jobs);
    let all = set.jobs.iter().enumerate();
    all.map(|(index, job)| bound(set, index, job, length, &mut steps)).collect()
}

fn bound(set: &Set, index: usize, job: &Job, length: u128, steps: &mut u128) -> Option<u64> {
    let mut longest = 0;
    for released in candidates(&set.jobs, job, length, *steps)? {
        let due = released + u128::from(job.deadline);
        let waits = u128::from(demand::blocking(&set.owners, due)?);
        let own = ((released + u128::from(job.jitter)) / u128::from(job.period) + 1) * u128::from(job.demand);
        let of = |other: &Job, end: u128| {
            let (period, jitter) = (u128::from(other.period), u128::from(other.jitter));
            let due = due.checked_sub(u128::from(other.deadline)).map_or(0, |since| (since + jitter) / period + 1);
            due.min((end + jitter).div_ceil(period)) * u128::from(other.demand)
        };
        let others = || set.jobs.iter().enumerate().filter(|(other, _)| *other != index);
        let mut end = waits + own;
        loop {
            *steps = steps.checked_sub(1)?;
            let next = waits + own + others().map(|(_, other)| of(other, end)).sum::<u128>();
            if next == end {
                break;
            }
            end = next;
        }
        longest = longest.max(end.saturating_sub(released)).max(u128::from(job.demand));
    }
    u64::try_from(longest).ok()
}

/// When the job may be released, in a busy period of that length, such that its deadline is that of some job; `None` if that is too
/// often.
fn candidates(jobs: &[Job], job: &Job, length: u128, most: u128) -> Option<Vec<u128>> {
    let mut candidates = vec![0];
    for other in jobs {
        let (period, jitter) = (u128::from(other.period), u128::from(other.jitter));
        for number in 0_u128.. {
            let due = (number * period).saturating_sub(jitter) + u128::from(other.deadline);
            let Some(released) = due.checked_sub(u128::from(job.deadline)) else { continue };
            if released >= length {
                break;
            }
            candidates.push(released);
            if candidates.len() as u128 > most {
                return None;
            }
        }
    }
    candidates.sort_unstable();
    candidates.dedup();
    Some(candidates)
}
