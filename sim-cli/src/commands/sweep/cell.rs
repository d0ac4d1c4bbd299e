//! One run of an experiment.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::Value;
use sim_core::causes::Causes;
use sim_core::engine::{self, End, Ending};
use sim_core::experiment::{self, AfterWarmUp, Observed};
use sim_core::metrics::{Metrics, TaskSums};
use sim_core::scenario::Scenario;
use sim_core::time::{Span, Time};
use sim_core::timeline::{Cast, Recorder, Timeline, TimelineHash};

use super::super::Failure;
use super::plan::{Plan, Prepared};
use crate::interruption;
use crate::memory::Room;
use crate::sweep::line::Cell;
use crate::sweep::results::Due;

/// Runs one; `None` if Ctrl-C has ended it.
pub(super) fn run(
    plan: &Plan,
    (variation, replication): Due,
    warm_up: Span,
    room: Room,
) -> Result<Option<Cell>, Failure> {
    let Prepared { scenario, cast } = &plan.variation(variation)?;
    room.check(scenario).map_err(Failure::from)?;
    let seed = experiment::seed(plan.seed, replication);
    let seeded = with_seed(scenario, seed);
    let metrics = &plan.experiment.metrics;
    let whole = metrics.iter().any(sim_core::experiment::Metric::needs_timeline);
    let (ending, sums, (hash, watch), timeline) = listened(&seeded, cast, (warm_up, whole), room);
    if watch.tasks > room.tasks {
        return Err(Failure::from(room.refusal(watch.tasks)));
    }
    if ending.end == End::Interrupted {
        return Ok(None);
    }
    let causes = timeline.as_ref().map(Causes::of);
    let observed = Observed::new(&seeded, &sums).with_causes(timeline.as_ref().zip(causes.as_ref())).since(warm_up);
    // Of a run that ends before anything counts there is nothing to say.
    let counts = warm_up.is_zero() || ending.at > Time::ZERO + warm_up;
    let of = |metric: &sim_core::experiment::Metric| {
        let known = counts && metric.known_to(cast).is_ok();
        if known { metric.of(&observed) } else { Value::Null }
    };
    let samples = |metric: &sim_core::experiment::Metric| {
        let asked = counts && metric.pooled().is_some() && metric.known_to(cast).is_ok();
        if asked { metric.samples(&observed) } else { Vec::new() }
    };
    Ok(Some(Cell {
        variation,
        replication,
        seed,
        figures: metrics.iter().map(of).collect(),
        samples: metrics.iter().map(samples).collect(),
        end: ending.end.name().to_owned(),
        unfinished: unfinished(&sums, warm_up),
        hash: hash.hex(),
    }))
}

/// What is known of a run: how it ended, its sums, its hash, and all of it if that is wanted.
type Heard = (Ending, Metrics, (TimelineHash, Watch), Option<Timeline>);

/// Runs a scenario, and listens no more than is needed: clipping what comes before a warm-up costs something, and whole runs
/// have none.
fn listened(scenario: &Scenario, cast: &Arc<Cast>, (warm_up, whole): (Span, bool), room: Room) -> Heard {
    let rest = (TimelineHash::default(), Watch { room, instants: 0, tasks: 0 });
    if whole {
        let mut all = ((Metrics::with_jobs(), rest), Timeline::default());
        let ending = engine::simulate_as(scenario, cast, &mut all);
        let ((sums, rest), timeline) = all;
        return (ending, sums, rest, Some(timeline));
    }
    if warm_up.is_zero() {
        let mut all = (Metrics::with_jobs(), rest);
        let ending = engine::simulate_as(scenario, cast, &mut all);
        return (ending, all.0, all.1, None);
    }
    let mut all = (AfterWarmUp::new(warm_up, Metrics::with_jobs()), rest);
    let ending = engine::simulate_as(scenario, cast, &mut all);
    (ending, all.0.into_inner(), all.1, None)
}

/// How many tasks that would end of their own had not when the run did.
fn unfinished(sums: &Metrics, warm_up: Span) -> u64 {
    let ends = |task: &TaskSums| !sums.cast.endless.contains(&task.spec);
    // Of those that came before anything counted it is known only whether they finished.
    let came = |task: &TaskSums| !warm_up.is_zero() || !task.arrival.is_never();
    sums.tasks.iter().filter(|task| ends(task) && came(task) && task.finish.is_never()).count() as u64
}

/// The latencies of a run in order of arrival: of jobs if there are any, else of tasks. What has not ended is left out.
pub(super) fn latencies(plan: &Plan, (variation, replication): Due) -> Result<Vec<(Time, Span)>, Failure> {
    let Prepared { scenario, cast } = &plan.variation(variation)?;
    let seeded = with_seed(scenario, experiment::seed(plan.seed, replication));
    let mut metrics = Metrics::with_jobs();
    let _: Ending = engine::simulate_as(&seeded, cast, &mut metrics);
    let jobs = metrics.jobs.iter().filter_map(|job| Some((job.release, job.response()?)));
    let mut latencies: Vec<(Time, Span)> = jobs.collect();
    if latencies.is_empty() {
        let finished = metrics.tasks.iter().filter(|task| !task.arrival.is_never() && !task.finish.is_never());
        latencies = finished.map(|task| (task.arrival, task.finish.since(task.arrival))).collect();
    }
    latencies.sort_by_key(|(arrival, _)| *arrival);
    Ok(latencies)
}

/// How long a run takes, from some that are spread over all these, for no longer than this; `None` if not one is done by then.
pub(super) fn takes(plan: &Plan, due: &[Due], limit: Duration) -> Option<Duration> {
    let until = Instant::now() + limit;
    let (mut done, mut all) = (0, Duration::ZERO);
    for index in 0..FEW.min(due.len()) {
        let (variation, replication) = due[index * due.len() / FEW.min(due.len())];
        let Ok(Prepared { scenario, cast }) = &plan.variation(variation) else { break };
        let seeded = with_seed(scenario, experiment::seed(plan.seed, replication));
        let begun = Instant::now();
        let mut recorder = ((Metrics::with_jobs(), TimelineHash::default()), Until { until, instants: 0 });
        if engine::simulate_as(&seeded, cast, &mut recorder).end == End::Interrupted {
            break;
        }
        (done, all) = (done + 1, all + begun.elapsed());
    }
    all.checked_div(done)
}

/// So many runs say how long one takes.
const FEW: usize = 10;

/// Ends a run when the time is up, or Ctrl-C has been pressed.
struct Until {
    until: Instant,
    instants: u64,
}

impl Recorder for Until {
    fn wants_more(&mut self, _: Time) -> bool {
        self.instants += 1;
        !self.instants.is_multiple_of(LOOK) || (!interruption::asked() && Instant::now() < self.until)
    }
}

/// The scenario with another seed.
pub(super) fn with_seed(scenario: &Arc<Scenario>, seed: u64) -> Scenario {
    Scenario { seed, machine_seed: seed, ..Scenario::clone(scenario) }
}

/// Looks up now and then while a run goes on.
struct Watch {
    room: Room,
    instants: u64,
    tasks: u64,
}

/// So many instants pass between two looks.
const LOOK: u64 = 256;

impl Recorder for Watch {
    fn task(&mut self, _: u32, _: u32) {
        self.tasks += 1;
    }
    #[inline]
    fn wants_more(&mut self, _: Time) -> bool {
        self.instants += 1;
        !self.instants.is_multiple_of(LOOK) || (!interruption::asked() && self.tasks <= self.room.tasks)
    }
}
