//! Response-time analysis for fixed priorities on one processor.
//!
//! A job of a busy period, the one number q, ends at the least w with w = B + (q + 1) C + sum over the more urgent of
//! ceil((w + J) / T) C: B is for how long less urgent tasks keep it waiting, J by how much a release may be late (of a deferrable
//! server, which may serve twice in a row, T - C). It was released at q T - J of its own, and not before the busy period: its
//! response, from its release, is w less that. The longest is that of some job of the busy period, which goes on as long as a job
//! ends after the next one may be released. What does not fit into a processor has busy periods without end.

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

/// The longest response of a job that all of `interfering` interrupt, and others keep waiting for so long.
pub(super) fn bound(job: &Job, interfering: &[&Job], blocking: u64) -> Bound {
    let (demand, period) = (u128::from(job.demand), u128::from(job.period));
    // What a server serves late is nobody's release.
    let jitter = if job.task.is_some() { u128::from(job.jitter) } else { 0 };
    let all: Vec<Job> = interfering.iter().copied().chain([job]).cloned().collect();
    let endless = exceeds(&all, 1);
    let (mut longest, mut end, mut before) = (0_u128, u128::from(blocking) + demand, 0_u128);
    let (mut steps, mut late) = (0, false);
    loop {
        let released = (before * period).saturating_sub(jitter);
        loop {
            let of = |other: &&Job| {
                (end + u128::from(other.jitter)).div_ceil(u128::from(other.period)) * u128::from(other.demand)
            };
            let by_others: u128 = interfering.iter().map(of).sum();
            let next = u128::from(blocking) + before * demand + demand + by_others;
            late |= next > released + u128::from(job.deadline);
            steps += 1;
            if steps > STEPS || (late && endless) {
                return if late { Bound::Beyond } else { Bound::TooLong };
            }
            if next == end {
                break;
            }
            end = next;
        }
        longest = longest.max(end - released);
        before += 1;
        if end + jitter <= before * period {
            return u64::try_from(longest).map_or(Bound::Beyond, Bound::Of);
        }
    }
}
