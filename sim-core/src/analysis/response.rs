//! Response-time analysis for fixed priorities on one processor.
//!
//! Released together with all that are more urgent, the job number q of a busy period ends at the least w with
//! w = (q + 1) C + sum over the more urgent of ceil(w / T) C; its response is w - q T. The longest is that of some job
//! of the busy period, which goes on as long as a job ends after the next one's release; with deadlines up to the
//! period it has but one job.

use super::ideal::Job;

/// The longest response.
pub(super) enum Bound {
    /// In nanoseconds, not beyond the deadline.
    Within(u64),
    /// Beyond the deadline.
    Beyond,
    /// The computation was given up.
    TooLong,
}

/// More steps than these are not made.
const STEPS: u32 = 1_000_000;

/// The longest response of a job that all of `interfering` interrupt.
pub(super) fn bound(job: &Job, interfering: &[&Job]) -> Bound {
    let (demand, period) = (u128::from(job.demand), u128::from(job.period));
    let (mut longest, mut end, mut before) = (0_u128, demand, 0_u128);
    let mut steps = 0;
    loop {
        loop {
            let by_others: u128 =
                interfering.iter().map(|other| end.div_ceil(u128::from(other.period)) * u128::from(other.demand)).sum();
            let next = before * demand + demand + by_others;
            if next > before * period + u128::from(job.deadline) {
                return Bound::Beyond;
            }
            steps += 1;
            if steps > STEPS {
                return Bound::TooLong;
            }
            if next == end {
                break;
            }
            end = next;
        }
        longest = longest.max(end - before * period);
        before += 1;
        if end <= before * period {
            return u64::try_from(longest).map_or(Bound::TooLong, Bound::Within);
        }
    }
}
