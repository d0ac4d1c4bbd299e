//! What theory says of a set of periodic tasks, to be held against what a simulation saw.
//!
//! The classical tests are about an ideal: tasks that only compute, always for the same time, on one processor, that
//! do not wait for each other, under a preemptive policy, with switches that are free. [`Analysis::of`] says which
//! tests apply, and of those that do not, why. A test is *sufficient* (it says "schedulable" or nothing), *necessary*
//! ("not schedulable" or nothing), or *exact*. All tests suppose that all tasks are released together, the worst that
//! can happen; if they are not, "not schedulable" is more than they can say.
//!
//! With several processors, tasks that are each bound to one by `affinity` are analysed processor by processor; of
//! global scheduling only the utilisation is said.
//!
//! Sources: Liu & Layland 1973; the hyperbolic bound: Bini, Buttazzo & Buttazzo 2003; response times: Joseph & Pandya
//! 1986, Audsley et al. 1993, with deadlines beyond periods: Lehoczky 1990; processor demand: Baruah, Rosier & Howell
//! 1990, evaluated as in Zhang & Burns 2009.

mod demand;
mod ideal;
mod response;

use serde::Serialize;

use self::ideal::{Job, Set};
use crate::policy::Theory;
use crate::scenario::Scenario;

/// What theory says of the periodic tasks of a scenario.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Analysis {
    /// The share of one processor that all tasks need together; null if what some job needs is left to chance.
    pub utilisation: Option<f64>,
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
    /// Processor work of a job, at speed 1; null if it is left to chance.
    pub demand_ns: Option<u64>,
    /// Demand over period.
    pub utilisation: Option<f64>,
    /// The longest response that response-time analysis finds possible, be it beyond the deadline; null if it does not
    /// apply, or there is no longest.
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
        let reservations = ideal::reservations(scenario);
        let mut analysis =
            Analysis { tasks: tasks(scenario), utilisation: None, schedulable: None, reservations, sets: vec![] };
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
        let utilisation = periodic.demand.map(|demand| demand.ns() as f64 / periodic.period.ns() as f64);
        tasks.extend((0..spec.count).map(|instance| TaskAnalysis {
            name: scenario.task_name(id, instance),
            period_ns: periodic.period.ns(),
            deadline_ns: periodic.deadline.ns(),
            demand_ns: periodic.demand.map(crate::time::Span::ns),
            utilisation,
            response_bound_ns: None,
            served: ideal::served(scenario, spec),
        }));
    }
    tasks
}

/// Puts a set to all tests that are for it.
fn tests(set: &Set, tasks: &mut [TaskAnalysis]) -> Vec<Test> {
    let least = ideal::at_least(&set.jobs);
    let over = ideal::exceeds(&least, set.processors);
    let verdict = if over { Verdict::NotSchedulable } else { Verdict::Undecided };
    #[expect(clippy::cast_precision_loss, reason = "processors are few")]
    let limit = Some(set.processors as f64);
    let utilisation = ideal::utilisation(&set.jobs);
    let mut tests = vec![Test { name: "utilisation", value: Some(utilisation), limit, verdict }];
    if !over && ideal::exceeds(&set.jobs, set.processors) {
        // More servers than can be active together: whether they ever are is left to when their tasks come.
        tests[0].value = Some(ideal::utilisation(&least));
        let (value, verdict) = (Some(utilisation), Verdict::Undecided);
        tests.push(Test { name: "utilisation with every server active", value, limit, verdict });
        return tests;
    }
    if set.processor.is_none() {
        return tests;
    }
    match set.theory {
        Theory::RateMonotonic | Theory::FixedPriorities => {
            let ideal = |job: &Job| job.deadline >= job.period && job.jitter == 0;
            if set.theory == Theory::RateMonotonic && set.jobs.iter().all(ideal) {
                tests.extend([liu_layland(set, utilisation, over), hyperbolic(set, over)]);
            }
            tests.push(response_times(set, tasks));
        }
        Theory::Deadlines => {
            // Liu & Layland: where no deadline is before the next release, the utilisation alone decides.
            if !over && set.jobs.iter().all(|job| job.deadline >= job.period) {
                tests[0].verdict = Verdict::Schedulable;
            }
            tests.push(processor_demand(set, over));
        }
        Theory::None => {}
    }
    tests
}

fn sufficient(holds: bool) -> Verdict {
    if holds { Verdict::Schedulable } else { Verdict::Undecided }
}

/// What an exact test says; of tasks that are not released together it is only sufficient.
fn exact(holds: Option<bool>, set: &Set) -> Verdict {
    match holds {
        Some(true) => Verdict::Schedulable,
        Some(false) if set.synchronous => Verdict::NotSchedulable,
        _ => Verdict::Undecided,
    }
}

fn liu_layland(set: &Set, utilisation: f64, over: bool) -> Test {
    #[expect(clippy::cast_precision_loss, reason = "tasks are few")]
    let n = set.jobs.len() as f64;
    let bound = n * (libm::pow(2.0, 1.0 / n) - 1.0);
    // The bound of a single task is exactly 1, which a float may miss.
    let holds = if set.jobs.len() == 1 { !over } else { utilisation <= bound };
    Test { name: "Liu & Layland bound", value: Some(utilisation), limit: Some(bound), verdict: sufficient(holds) }
}

fn hyperbolic(set: &Set, over: bool) -> Test {
    let product: f64 = set.jobs.iter().map(|job| job.utilisation() + 1.0).product();
    let holds = if set.jobs.len() == 1 { !over } else { product <= 2.0 };
    Test { name: "hyperbolic bound", value: Some(product), limit: Some(2.0), verdict: sufficient(holds) }
}

fn response_times(set: &Set, tasks: &mut [TaskAnalysis]) -> Test {
    let mut holds = Some(true);
    for (index, job) in set.jobs.iter().enumerate() {
        let others: Vec<&Job> = set.jobs.iter().enumerate().filter(|(i, _)| *i != index).map(|(_, job)| job).collect();
        let interfering: Vec<&Job> = others.into_iter().filter(|other| other.level <= job.level).collect();
        let (response, late) = match response::bound(job, &interfering) {
            response::Bound::Of(response) => (Some(response), response > job.deadline),
            response::Bound::Beyond => (None, true),
            response::Bound::TooLong => (None, false),
        };
        if let Some(task) = job.task.and_then(|task| tasks.get_mut(task)) {
            task.response_bound_ns = response;
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
    let holds = if over { Some(false) } else { demand::met(&set.jobs) };
    let verdict = if over { Verdict::NotSchedulable } else { exact(holds, set) };
    Test { name: "processor-demand test", value: None, limit: None, verdict }
}
