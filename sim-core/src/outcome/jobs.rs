//! The jobs of periodic tasks, as the outcome tells them.

use serde::Serialize;

use super::{CauseOutcome, mean};
use crate::metrics::JobSums;
use crate::time::{Span, Time};
use crate::timeline::Job;

/// One job of a periodic task.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[expect(missing_docs, reason = "the names say it")]
pub struct JobOutcome {
    pub release_ns: u64,
    pub finish_ns: Option<u64>,
    pub deadline_ns: u64,
    /// It ended after its deadline, or has not ended and the deadline is not after the end of the run.
    pub missed: bool,
    /// It was ended at its deadline, unfinished.
    #[serde(skip_serializing_if = "is_false")]
    pub aborted: bool,
    /// So many releases were dropped because it still ran.
    #[serde(skip_serializing_if = "is_zero")]
    pub skips: u32,
    /// Where the time from its release to its end went; only if asked for ([`super::Outcome::with_causes`]).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub causes: Option<Vec<CauseOutcome>>,
}

/// The jobs of a periodic task in numbers; null where none has ended.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct JobSummary {
    /// Jobs released.
    pub released: u64,
    /// Jobs that missed their deadline.
    pub missed: u64,
    /// Of these, those that were ended at their deadline (`on-miss = "abort"`); missing if none was.
    #[serde(skip_serializing_if = "is_none")]
    pub aborted: u64,
    /// Releases that were dropped since the job before still ran (`on-miss = "skip"`); missing if none was.
    #[serde(skip_serializing_if = "is_none")]
    pub skipped: u64,
    /// From release to end: the shortest.
    pub best_response_ns: Option<u64>,
    /// The mean.
    pub mean_response_ns: Option<f64>,
    /// The longest.
    pub worst_response_ns: Option<u64>,
    /// The longest response less the shortest.
    pub response_jitter_ns: Option<u64>,
    /// By how much jobs ended after their deadlines (zero for those in time; up to the end of the run for those that
    /// have not ended): the mean over all jobs released. Null without any.
    pub mean_tardiness_ns: Option<f64>,
    /// The most.
    pub max_tardiness_ns: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
fn is_false(flag: &bool) -> bool {
    !flag
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
fn is_none(number: &u64) -> bool {
    *number == 0
}

/// A job as the outcome tells it.
pub(super) fn job_outcome(job: &Job, end: Time) -> JobOutcome {
    JobOutcome {
        release_ns: job.release.ns(),
        finish_ns: job.finish.map(Time::ns),
        deadline_ns: job.deadline.ns(),
        missed: job.missed(end),
        aborted: job.aborted,
        skips: job.skips,
        causes: None,
    }
}

/// The jobs of one task, in numbers.
pub(super) fn job_summary(jobs: &JobSums) -> JobSummary {
    let jitter = jobs.best_response.zip(jobs.worst_response).map(|(best, worst)| worst - best);
    JobSummary {
        released: jobs.released,
        missed: jobs.missed,
        aborted: jobs.aborted,
        skipped: jobs.skipped,
        best_response_ns: jobs.best_response.map(Span::ns),
        mean_response_ns: mean(jobs.responses, jobs.ended),
        worst_response_ns: jobs.worst_response.map(Span::ns),
        response_jitter_ns: jitter.map(Span::ns),
        mean_tardiness_ns: mean(jobs.tardiness, jobs.released),
        max_tardiness_ns: jobs.max_tardiness.ns(),
    }
}
