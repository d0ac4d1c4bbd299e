//! The figures of two runs, in pairs.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::collections::BTreeMap;

use sim_core::outcome::reading::{
    GroupReading, JobSummaryReading, KindReading, SpreadReading, SummaryReading, TaskReading,
};
use sim_core::time::Span;
use sim_core::timeline::Fate;

use super::{Diff, Side};
use crate::args::Tolerance;
use crate::letters::visible;
use crate::table::{Unit, whole};

/// What a figure is counted in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Scale {
    /// Nanoseconds.
    Time,
    /// Things.
    Count,
    /// Parts of a whole.
    Share,
    /// So many in a second.
    PerSecond,
}

/// A figure of both runs.
#[derive(Clone, PartialEq, Debug)]
pub struct Figure {
    /// What it is: the path in the outcome.
    pub name: String,
    /// For people.
    pub words: Cow<'static, str>,
    /// In what it is counted.
    pub scale: Scale,
    /// The figure of A.
    pub a: Option<f64>,
    /// The figure of B.
    pub b: Option<f64>,
}

impl Figure {
    fn new(
        name: impl Into<String>,
        words: impl Into<Cow<'static, str>>,
        scale: Scale,
        [a, b]: [Option<f64>; 2],
    ) -> Figure {
        Figure { name: name.into(), words: words.into(), scale, a, b }
    }

    /// B less A.
    #[must_use]
    pub fn difference(&self) -> Option<f64> {
        Some(self.b? - self.a?)
    }

    /// The same as a share of A; `None` if that is zero, and something of nothing is no share.
    #[must_use]
    pub fn relative(&self) -> Option<f64> {
        let difference = self.difference()?;
        if difference == 0.0 { Some(0.0) } else { Some(difference / self.a?).filter(|share| share.is_finite()) }
    }

    /// Is it off by more than each of these allows? What only one of the two has, is.
    #[must_use]
    pub fn exceeds(&self, tolerances: &[Tolerance]) -> bool {
        let Some(difference) = self.difference() else { return self.a.is_some() != self.b.is_some() };
        tolerances.iter().all(|tolerance| match tolerance {
            Tolerance::Share(share) => self.relative().is_none_or(|relative| relative.abs() > *share),
            Tolerance::Time(span) => difference.abs() > ns(*span),
        })
    }
}

#[expect(clippy::cast_precision_loss, reason = "a difference of times needs no more than 52 bits")]
fn ns(span: Span) -> f64 {
    span.ns() as f64
}

#[expect(clippy::cast_precision_loss, reason = "for people's eyes, and for shares")]
fn count(count: u64) -> Option<f64> {
    Some(count as f64)
}

/// The figures of the whole runs, the makespan first. What neither has, or what is zero in both, is left out.
pub(super) fn summary(sides: &[Side; 2]) -> Vec<Figure> {
    let readings = [&sides[0].reading, &sides[1].reading];
    let of = |figure: &dyn Fn(&SummaryReading) -> Option<f64>| readings.map(|reading| figure(&reading.summary));
    let jobs = |of: &dyn Fn(&JobSummaryReading) -> u64| {
        readings.map(|reading| count(reading.tasks.iter().filter_map(|task| task.job_summary.as_ref()).map(of).sum()))
    };
    let mut figures = vec![
        Figure::new("makespan", "makespan", Scale::Time, readings.map(|reading| count(reading.makespan_ns))),
        Figure::new("turnaround.mean", "mean turnaround", Scale::Time, of(&|of| of.turnaround_ns.mean)),
        Figure::new("turnaround.p95", "p95 of turnaround", Scale::Time, of(&|of| of.turnaround_ns.p95)),
        Figure::new("turnaround.p99", "p99 of turnaround", Scale::Time, of(&|of| of.turnaround_ns.p99)),
        Figure::new("turnaround.max", "worst turnaround", Scale::Time, of(&|of| of.turnaround_ns.max)),
        Figure::new("first_response.mean", "mean first response", Scale::Time, of(&|of| of.first_response_ns.mean)),
        Figure::new("waiting.mean", "mean waiting", Scale::Time, of(&|of| of.waiting_ns.mean)),
        Figure::new("deadline_misses", "deadline misses", Scale::Count, of(&|of| count(of.deadline_misses))),
        Figure::new("jobs_aborted", "jobs aborted", Scale::Count, jobs(&|jobs| jobs.aborted)),
        Figure::new("jobs_skipped", "releases skipped", Scale::Count, jobs(&|jobs| jobs.skipped)),
        Figure::new("given_up", "given up", Scale::Count, of(&|of| count(of.given_up))),
        Figure::new("rejected", "rejected", Scale::Count, of(&|of| count(of.rejected))),
        Figure::new("context_switches", "context switches", Scale::Count, of(&|of| count(of.context_switches))),
        Figure::new("migrations", "migrations", Scale::Count, of(&|of| count(of.migrations))),
        Figure::new("waited_share", "waited for a worker", Scale::Share, of(&|of| of.waited_share)),
        Figure::new("fairness_jain", "fairness (Jain)", Scale::Share, of(&|of| of.fairness_jain)),
        Figure::new("throughput_per_s", "tasks per second", Scale::PerSecond, of(&|of| of.throughput_per_s)),
    ];
    let nothing = |figure: &Figure| figure.a.is_none() && figure.b.is_none();
    let zero = |figure: &Figure| figure.name != "makespan" && figure.a == Some(0.0) && figure.b == Some(0.0);
    figures.retain(|figure| !nothing(figure) && !zero(figure));
    figures.extend(of_kinds_and_groups(sides).into_iter().filter(|figure| figure.a != figure.b));
    figures
}

/// How many of each kind finished and were served, what each group had, and how long it stood still: as far as both have them.
fn of_kinds_and_groups(sides: &[Side; 2]) -> Vec<Figure> {
    let [a, b] = [&sides[0].reading, &sides[1].reading];
    let mut figures = Vec::new();
    let same_kind = |kind: &KindReading| b.kinds.iter().find(|other| other.name == kind.name);
    for both in a.kinds.iter().filter_map(|kind| Some([kind, same_kind(kind)?])) {
        let (name, shown) = (&both[0].name, visible(&both[0].name));
        let finished = both.map(|kind| count(kind.finished));
        let served = both.map(|kind| count(kind.served.unwrap_or(kind.finished)));
        figures.push(Figure::new(
            format!("task.{name}.finished"),
            format!("{shown}, finished"),
            Scale::Count,
            finished,
        ));
        if both.iter().any(|kind| kind.served.is_some()) {
            figures.push(Figure::new(format!("task.{name}.served"), format!("{shown}, served"), Scale::Count, served));
        }
    }
    let same_group = |group: &GroupReading| b.groups.iter().find(|other| other.name == group.name);
    for both in a.groups.iter().filter_map(|group| Some([group, same_group(group)?])) {
        let (name, shown) = (&both[0].name, visible(&both[0].name));
        let share = both.map(|group| group.share);
        let throttled = both.map(|group| count(group.throttled_ns));
        figures.push(Figure::new(format!("group.{name}.share"), format!("{shown}, of all"), Scale::Share, share));
        let words = format!("{shown}, throttled");
        figures.push(Figure::new(format!("group.{name}.throttled"), words, Scale::Time, throttled));
    }
    figures
}

/// The latencies of the kinds that both have, in the order of A.
pub(super) fn kinds(sides: &[Side; 2]) -> Vec<(String, [Figure; 3])> {
    let of_b: BTreeMap<&str, &KindReading> =
        sides[1].reading.kinds.iter().map(|kind| (kind.name.as_str(), kind)).collect();
    let both = sides[0].reading.kinds.iter().filter_map(|kind| Some((kind, *of_b.get(kind.name.as_str())?)));
    let figures = |(a, b): (&KindReading, &KindReading)| {
        let figure = |name: &str, words: &'static str, of: fn(&SpreadReading) -> Option<f64>| {
            Figure::new(name, words, Scale::Time, [a, b].map(|kind| of(kind.latency())))
        };
        let of_kind = [
            figure("latency.mean", "mean", |of| of.mean),
            figure("latency.p95", "p95", |of| of.p95),
            figure("latency.p99", "p99", |of| of.p99),
        ];
        (a.name.clone(), of_kind)
    };
    both.map(figures).collect()
}

/// A task that both have.
#[derive(Clone, PartialEq, Debug)]
pub struct TaskFigure {
    /// `process/task#instance`.
    pub name: String,
    /// `process/task`, in whichever copy of the process.
    pub kind: String,
    /// How long it took; of a periodic task its jobs in the mean.
    pub latency: Figure,
    /// How it ended in A and in B, if it did.
    pub fates: [Option<String>; 2],
    /// Of that what differs, B less A in nanoseconds: running, waiting, blocked, overhead.
    pub parts_ns: [i128; 4],
    /// Is anything different: also when it came and went?
    pub differs: bool,
}

impl TaskFigure {
    /// The latency on one side; of what has none and was over in another way, that.
    #[must_use]
    pub fn shown(&self, side: usize, unit: Unit) -> String {
        let latency = if side == 0 { self.latency.a } else { self.latency.b };
        let fate = self.fates[side].as_deref().filter(|fate| latency.is_none() && *fate != Fate::Finished.name());
        fate.map_or_else(|| unit.show_mean(latency), str::to_owned)
    }

    /// How far it is off: what ends in one of the two only is off farthest.
    fn rank(&self) -> u64 {
        match (self.latency.a, self.latency.b) {
            (Some(a), Some(b)) => whole((b - a).abs()),
            (None, None) => 0,
            _ => u64::MAX,
        }
    }
}

/// The tasks that both have, those that differ most first, else in the order of A.
pub(super) fn tasks(sides: &[Side; 2]) -> Vec<TaskFigure> {
    let figure = |(a, b): (&TaskReading, &TaskReading)| {
        let parts = |task: &TaskReading| [task.running_ns, task.waiting_ns, task.blocked_ns, task.overhead_ns];
        let when = |task: &TaskReading| (task.arrival_ns, task.first_run_ns, task.finish_ns, parts(task));
        let (parts_a, parts_b) = (parts(a), parts(b));
        let process = a.process.split_once('#').map_or(a.process.as_str(), |(name, _)| name);
        TaskFigure {
            name: a.name.clone(),
            kind: format!("{process}/{}", a.task),
            latency: Figure::new("latency", "latency", Scale::Time, [a.latency_ns(), b.latency_ns()]),
            parts_ns: std::array::from_fn(|part| i128::from(parts_b[part]) - i128::from(parts_a[part])),
            differs: when(a) != when(b) || a.fate != b.fate,
            fates: [a.fate.clone(), b.fate.clone()],
        }
    };
    let mut tasks: Vec<TaskFigure> = Diff::pairs(sides).into_iter().map(figure).collect();
    tasks.sort_by_key(|task| Reverse(task.rank()));
    tasks
}
