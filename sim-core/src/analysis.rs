//! What theory says of a set of periodic tasks, to be held against what a simulation saw.
//!
//! The classical tests are about tasks that only compute, on one processor, under a preemptive policy. They may need less than
//! they can need at most, come late by a jitter that has a bound, wait for each other at locks with protocols, and pay two
//! switches for each job. [`Analysis::of`] says which tests apply, and of those that do not, why. A test is *sufficient* (it says
//! "schedulable" or nothing), *necessary* ("not schedulable" or nothing), or *exact*: exact tests are that of tasks that always
//! need the same, come when they say, do not wait for each other and switch freely. All suppose that all tasks are released
//! together, the worst that can happen; if they are not, "not schedulable" is more than they can say.
//!
//! With several processors, tasks that are each bound to one by `affinity` are analysed processor by processor; of
//! global scheduling only shares are added up.
//!
//! Sources: Liu & Layland 1973; the hyperbolic bound: Bini, Buttazzo & Buttazzo 2003; response times: Joseph & Pandya
//! 1986, with jitter Audsley et al. 1993, with deadlines beyond periods Lehoczky 1990 and Tindell, Burns & Wellings 1994, by
//! deadlines Spuri 1996; waits at locks: Sha, Rajkumar & Lehoczky 1990, by deadlines Baker 1991, Baruah 2006 and Burns et al. 2015;
//! processor demand: Baruah, Rosier & Howell 1990, evaluated as in Zhang & Burns 2009; by deadlines on several processors:
//! Goossens, Funk & Baruah 2003, with deadlines before periods Bertogna, Cirinei & Lipari 2005.

mod blocking;
mod deadlines;
mod demand;
mod ideal;
mod longest;
mod reservations;
mod response;
mod shares;

use serde::Serialize;

use self::blocking::{Owner, Waits};
use self::ideal::{Job, Set};
use crate::policy::Theory;
use crate::scenario::Scenario;
use crate::time::Span;

/// What theory says of the periodic tasks of a scenario.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Analysis {
    /// The share of one processor that all tasks need together at most; null if there is no most.
    pub utilisation: Option<f64>,
    /// After how long all releases come as before; null if that is longer than time can be counted: 2^64 ns, 584 years.
    pub hyperperiod_ns: Option<u64>,
    /// Will all deadlines be met? Null if no test that applies can say.
    pub schedulable: Option<bool>,
    /// What is not as the tests suppose. They say nothing of this scenario, unless it is empty.
    pub reservations: Vec<String>,
    /// The sets of tasks that compete with each other.
    pub sets: Vec<SetAnalysis>,
    /// The tasks, instance by instance.
    pub tasks: Vec<TaskAnalysis>,
}

/// What the tests say of tasks that share one processor, or all.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct SetAnalysis {
    /// The processor; null if tasks can run on several.
    pub processor: Option<String>,
    /// The tests, from the simplest to the most exact.
    pub tests: Vec<Test>,
}

/// A test and what it says.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Test {
    /// Its name.
    pub name: &'static str,
    /// What it computes, if that is one number.
    pub value: Option<f64>,
    /// The number with which that is compared.
    pub limit: Option<f64>,
    /// What it says.
    pub verdict: Verdict,
}

/// What a test says.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// All deadlines will be met.
    Schedulable,
    /// Some deadline will be missed, if the run is long enough.
    NotSchedulable,
    /// The test cannot say.
    Undecided,
}

/// What theory says of one instance of a periodic task.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct TaskAnalysis {
    /// Its full name, as in the outcome.
    pub name: String,
    /// From one release to the next.
    pub period_ns: u64,
    /// From a release to the deadline.
    pub deadline_ns: u64,
    /// Processor work of a job, at speed 1: the most, if it varies; null if there is no most.
    pub demand_ns: Option<u64>,
    /// Demand over period.
    pub utilisation: Option<f64>,
    /// By how much more one release may be late than another; null if there is no bound.
    pub jitter_ns: Option<u64>,
    /// For how long tasks that are less urgent can keep a job waiting; null if the tests do not apply, or nothing bounds it.
    pub blocking_ns: Option<u64>,
    /// The longest response, from the release, that response-time analysis finds possible, be it beyond the deadline; null if it
    /// does not apply, or there is no longest.
    pub response_bound_ns: Option<u64>,
    /// Does a server stand between it and the others? Then its own deadlines are not promised.
    pub served: bool,
}

impl Analysis {
    /// What theory says of the scenario; `None` if it has no periodic tasks.
    #[must_use]
    pub fn of(scenario: &Scenario) -> Option<Analysis> {
        let periodic = || scenario.specs.iter().filter(|spec| spec.attributes.periodic.is_some() && spec.count > 0);
        periodic().next()?;
        let periods =
            periodic().filter_map(|spec| spec.attributes.periodic.as_ref()).map(|periodic| periodic.period.ns());
        let hyperperiod_ns = ideal::hyperperiod(periods).and_then(|length| u64::try_from(length).ok());
        let (reservations, tasks) = (reservations::of(scenario), tasks(scenario));
        let mut analysis =
            Analysis { tasks, utilisation: None, hyperperiod_ns, schedulable: None, reservations, sets: vec![] };
        analysis.utilisation = analysis.tasks.iter().map(|task| task.utilisation).sum();
        if analysis.reservations.is_empty() {
            for set in ideal::sets(scenario) {
                let tests = tests(&set, &mut analysis.tasks);
                analysis.sets.push(SetAnalysis { processor: set.processor.clone(), tests });
            }
            let says = |set: &SetAnalysis, verdict| set.tests.iter().any(|test| test.verdict == verdict);
            analysis.schedulable = if analysis.sets.iter().any(|set| says(set, Verdict::NotSchedulable)) {
                Some(false)
            } else {
                analysis.sets.iter().all(|set| says(set, Verdict::Schedulable)).then_some(true)
            };
        }
        Some(analysis)
    }
}

#[expect(clippy::cast_precision_loss, reason = "a statistic")]
fn tasks(scenario: &Scenario) -> Vec<TaskAnalysis> {
    let mut tasks = Vec::new();
    for (id, spec) in scenario.specs.pairs() {
        let Some(periodic) = &spec.attributes.periodic else { continue };
        let demand = periodic.demand.or_else(|| ideal::demand(scenario, spec, Span::ZERO));
        let utilisation = demand.map(|demand| demand.ns() as f64 / periodic.period.ns() as f64);
        let jitter = periodic.jitter.most().map(|most| most.saturating_sub(periodic.jitter.least()));
        tasks.extend((0..spec.count).map(|instance| TaskAnalysis {
            name: scenario.task_name(id, instance),
            period_ns: periodic.period.ns(),
            deadline_ns: periodic.deadline.ns(),
            demand_ns: demand.map(Span::ns),
            utilisation,
            jitter_ns: jitter.map(Span::ns),
            blocking_ns: None,
            response_bound_ns: None,
            served: ideal::served(scenario, spec),
        }));
    }
    tasks
}

/// Puts a set to all tests that are for it, and says of its tasks how long they wait and respond.
fn tests(set: &Set, tasks: &mut [TaskAnalysis]) -> Vec<Test> {
    let least = ideal::at_least(&set.jobs);
    let over = ideal::exceeds(&least, set.processors);
    let verdict = if over { Verdict::NotSchedulable } else { Verdict::Undecided };
    let served = set.jobs.iter().any(|job| job.task.is_none());
    // What servers may take is another share than what tasks need.
    let name = if served { "utilisation with every server active" } else { "utilisation" };
    let mut tests = vec![Test { name, ..shares::all(&set.jobs, set.processors, verdict) }];
    // More than fits only if all servers are active together, or all jobs need the most: that may never be.
    let perhaps_over = !over && ideal::exceeds(&set.jobs, set.processors);
    if perhaps_over {
        let name = if served { name } else { "utilisation at most" };
        let at_most = Test { name, verdict: Verdict::Undecided, ..tests.remove(0) };
        tests = vec![Test { name: "utilisation at least", ..shares::all(&least, set.processors, verdict) }, at_most];
        if served || set.theory == Theory::Deadlines {
            return tests;
        }
    }
    if set.processor.is_none() {
        tests.extend(shares::density(set));
        return tests;
    }
    let waits = waits(set);
    for (job, waits) in set.jobs.iter().zip(&waits) {
        if let Some(task) = job.task.and_then(|task| tasks.get_mut(task)) {
            task.blocking_ns = waits.alone;
        }
    }
    match set.theory {
        Theory::RateMonotonic | Theory::FixedPriorities => {
            let ideal = |job: &Job| job.deadline >= job.period && job.jitter == 0;
            if set.theory == Theory::RateMonotonic && set.jobs.iter().all(ideal) {
                tests.extend(shares::rate_monotonic(set, &waits, over || perhaps_over));
            }
            tests.push(response_times(set, &waits, tasks));
        }
        Theory::Deadlines => {
            let ideal = |job: &Job| job.deadline >= job.period && job.jitter == 0;
            // Liu & Layland: where no deadline is before the next release, the utilisation alone decides.
            if !over && set.owners.is_empty() && set.jobs.iter().all(ideal) {
                tests[0].verdict = Verdict::Schedulable;
            }
            tests.push(processor_demand(set, over));
            if !over && set.is_by_deadline {
                for (job, bound) in set.jobs.iter().zip(deadlines::bounds(set)) {
                    if let Some(task) = job.task.and_then(|task| tasks.get_mut(task)) {
                        task.response_bound_ns = bound;
                    }
                }
            }
        }
        Theory::None => {}
    }
    tests
}

/// How long less urgent tasks keep each job waiting.
fn waits(set: &Set) -> Vec<Waits> {
    let of = |job: &Job| {
        if set.theory == Theory::Deadlines {
            let waits = demand::blocking(&set.owners, u128::from(job.deadline));
            return Waits { alone: waits, any: waits };
        }
        let these =
            |meant: &dyn Fn(&Owner) -> bool| set.owners.iter().filter(|owner| meant(owner)).collect::<Vec<&Owner>>();
        let is_itself = |owner: &Owner| job.task.is_some() && owner.task == job.task;
        let less_urgent = these(&|owner| owner.level > job.level);
        let more_urgent = these(&|owner| owner.level <= job.level && !is_itself(owner));
        blocking::bound(&less_urgent, job.urgency, these(&is_itself).first().copied(), &more_urgent)
    };
    set.jobs.iter().map(of).collect()
}

/// What a test says that is exact in the ideal; otherwise it is only sufficient.
fn exact(holds: Option<bool>, set: &Set) -> Verdict {
    match holds {
        Some(true) => Verdict::Schedulable,
        Some(false) if set.is_exact => Verdict::NotSchedulable,
        _ => Verdict::Undecided,
    }
}

fn response_times(set: &Set, waits: &[Waits], tasks: &mut [TaskAnalysis]) -> Test {
    let mut holds = Some(true);
    for (index, (job, waits)) in set.jobs.iter().zip(waits).enumerate() {
        let others: Vec<&Job> = set.jobs.iter().enumerate().filter(|(i, _)| *i != index).map(|(_, job)| job).collect();
        let interfering: Vec<&Job> = others.into_iter().filter(|other| other.level <= job.level).collect();
        let bound_after = |waits: Option<u64>| {
            waits.map_or(response::Bound::TooLong, |waits| response::bound(job, &interfering, waits))
        };
        let is_alone = |response: u64| response <= job.period.saturating_sub(job.jitter);
        let (blocking, bound) = match bound_after(waits.alone) {
            response::Bound::Of(response) if is_alone(response) => (waits.alone, response::Bound::Of(response)),
            bound if waits.any == waits.alone => (waits.any, bound),
            _ => (waits.any, bound_after(waits.any)),
        };
        let (response, late) = match bound {
            response::Bound::Of(response) => (Some(response), response > job.deadline),
            response::Bound::Beyond => (None, true),
            response::Bound::TooLong => (None, false),
        };
        if let Some(task) = job.task.and_then(|task| tasks.get_mut(task)) {
            (task.blocking_ns, task.response_bound_ns) = (blocking, response);
        }
        // Those of equal urgency do not all interfere all the time: the analysis only supposes so.
        if late && !interfering.iter().any(|other| other.level == job.level) {
            holds = Some(false);
        } else if late || response.is_none() {
            holds = holds.filter(|holds| !holds);
        }
    }
    Test { name: "response-time analysis", value: None, limit: None, verdict: exact(holds, set) }
}

fn processor_demand(set: &Set, over: bool) -> Test {
    let holds = if over { Some(false) } else { demand::met(set) };
    let verdict = if over { Verdict::NotSchedulable } else { exact(holds, set) };
    Test { name: "processor-demand test", value: None, limit: None, verdict }
}
