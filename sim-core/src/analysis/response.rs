//! Response-time analysis for fixed priorities on one processor.
//!
//! Released together with all that are more urgent, the job number q of a busy period ends at the least w with
//! w = (q + 1) C + sum over the more urgent of ceil((w + J) / T) C, where J is zero except for deferrable servers, which may serve
//! twice in a row; its response is w - q T. The longest is that of some job
//! of the busy period, which goes on as long as a job ends after the next one's release; a task that ends within its
//! period has but one job in it. What does not fit into a processor has busy periods without end.

use super::ideal::{Job, exceeds};

/// The longest response.
pub(super) enum Bound {
    /// In nanoseconds, be it beyond the deadline.
    Of(u64),
    /// There is none, or it was not found: beyond the deadline.
    Beyond,
    /// The computation was given up, and up to there no deadline was missed.
    TooLong,
}

/// More steps than these are not made.
const STEPS: u32 = 1_000_000;

/// The longest response of a job that all of `interfering` interrupt.
pub(super) fn bound(job: &Job, interfering: &[&Job]) -> Bound {
    let (demand, period) = (u128::from(job.demand), u128::from(job.period));
    let all: Vec<Job> = interfering.iter().copied().chain([job]).cloned().collect();
    let endless = exceeds(&all, 1);
    let (mut longest, mut end, mut before) = (0_u128, demand, 0_u128);
    let (mut steps, mut late) = (0, false);
    loop {
        loop {
            let of = |other: &&Job| {
                (end + u128::from(other.jitter)).div_ceil(u128::from(other.period)) * u128::from(other.demand)
            };
            let by_others: u128 = interfering.iter().map(of).sum();
            let next = before * demand + demand + by_others;
            late |= next > before * period + u128::from(job.deadline);
            steps += 1;
            if steps > STEPS || (late && endless) {
                return if late { Bound::Beyond } else { Bound::TooLong };
            }
            if next == end {
                break;
            }
            end = next;
        }
        longest = longest.max(end - before * period);
        before += 1;
        if end <= before * period {
            return u64::try_from(longest).map_or(Bound::Beyond, Bound::Of);
        }
    }
}
