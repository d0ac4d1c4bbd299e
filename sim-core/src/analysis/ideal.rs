//! From a scenario to the ideal of the tests: is it one, and which sets of tasks are there?

use std::cmp::Reverse;
use std::collections::BTreeMap;

use crate::executor::Threads;
use crate::ids::{CpuId, IdVec, SpecId};
use crate::policy::{Policy, Server, ServerKind, Setup, Theory};
use crate::scenario::{Arrival, Attributes, Op, Scenario, Spec, Speed};
use crate::time::{Span, Time};

/// Tasks that share processors.
pub(super) struct Set {
    /// The one processor of all of them; `None` if there are several.
    pub(super) processor: Option<String>,
    pub(super) processors: usize,
    pub(super) theory: Theory,
    pub(super) jobs: Vec<Job>,
    /// Are they all released together?
    pub(super) synchronous: bool,
}

/// A periodic instance, or a server: times in nanoseconds.
#[derive(Clone, Debug)]
pub(super) struct Job {
    /// Its place among the periodic instances of the scenario; a server has none.
    pub(super) task: Option<usize>,
    pub(super) demand: u64,
    pub(super) period: u64,
    pub(super) deadline: u64,
    /// What it asks for at least as long as the run lasts: so much in each such period. A server of a task that comes and
    /// goes asks for nothing when that has ended, and one of a periodic task for no more than its jobs.
    pub(super) always: (u64, u64),
    /// By how much a release may come later than a whole number of periods after another: a deferrable server that has served
    /// late may serve early the next time.
    pub(super) jitter: u64,
    /// The smaller, the more urgent, where priorities are fixed.
    pub(super) level: (Reverse<i64>, usize),
}

impl Job {
    #[expect(clippy::cast_precision_loss, reason = "a statistic")]
    pub(super) fn utilisation(&self) -> f64 {
        self.demand as f64 / self.period as f64
    }
}

fn policy(scenario: &Scenario) -> Box<dyn Policy> {
    scenario.scheduler.settings.build(&Setup::of(&scenario.machine, scenario.seed))
}

/// Is there a server, and does the policy know it?
pub(super) fn served(scenario: &Scenario, spec: &Spec) -> bool {
    let known = |server: &Server| server.kind.is_fixed() || scenario.scheduler.kind.goes_by("server");
    spec.attributes.server.as_ref().is_some_and(known)
}

/// What is not as the tests suppose.
pub(super) fn reservations(scenario: &Scenario) -> Vec<String> {
    let mut reservations = Vec::new();
    let machine = &scenario.machine;
    let costs = [machine.context_switch, machine.process_switch, machine.migration, machine.thread_start];
    if costs.into_iter().chain([machine.process_start, machine.task_switch]).any(|cost| !cost.is_zero())
        || machine.costs.is_some()
    {
        reservations.push("switching costs time".to_owned());
    }
    if machine.processors.len() > 1 && machine.processors.iter().any(|processor| processor.speed != Speed::ONE) {
        reservations.push("processors have different speeds".to_owned());
    }
    let policy = policy(scenario);
    match scenario.scheduler.kind.theory {
        Theory::None => reservations.push(format!("the policy is {}", scenario.scheduler.kind.name)),
        _ if !policy.traits().preemptive => reservations.push("the policy is not preemptive".to_owned()),
        // Only `priority` with `aging` changes priorities with time.
        Theory::FixedPriorities if policy.traits().has_alarms => reservations.push("priorities change".to_owned()),
        _ => {}
    }
    for spec in scenario.specs.iter().filter(|spec| spec.count > 0 && !served(scenario, spec)) {
        let name = &spec.name;
        let executor = &scenario.processes[spec.process].executor;
        let own_thread = matches!(executor.kind.threads, Threads::PerTask | Threads::ProcessPerTask);
        let Some(periodic) = &spec.attributes.periodic else {
            if interferes(scenario, &*policy, &spec.attributes) {
                reservations.push(format!("`{name}` is not periodic and may be as urgent as those that are"));
            }
            continue;
        };
        let reservation = match () {
            () if periodic.demand.is_none() => "does not need the same each time",
            () if !spec.program.ops.iter().all(only_computes) => "does more than compute",
            () if periodic.jitter.constant() != Some(Span::ZERO) => "is released with jitter",
            () if !spec.after.is_empty() => "starts after others",
            () if !in_steps(scenario, spec) => "has times that are no multiples of the quantum",
            () if !own_thread || executor.gil.is_some() => "has no thread of its own",
            () => continue,
        };
        reservations.push(format!("`{name}` {reservation}"));
    }
    reservations
}

/// Are all times of a task multiples of the step of the policy?
fn in_steps(scenario: &Scenario, spec: &Spec) -> bool {
    let (Some(step), Some(periodic)) = (scenario.scheduler.settings.step(), &spec.attributes.periodic) else {
        return true;
    };
    let arrival = match &spec.arrival {
        Arrival::At(at) => at.since(Time::ZERO),
        Arrival::Every(gap) => *gap,
        _ => return false,
    };
    let slow = scenario.machine.processors.iter().any(|processor| processor.speed != Speed::ONE);
    let times = [arrival, periodic.period, periodic.deadline, periodic.demand.unwrap_or(Span::ZERO)];
    !slow && times.iter().all(|time| time.ns() % step.ns() == 0)
}

fn only_computes(op: &Op) -> bool {
    matches!(op, Op::Cpu(_) | Op::Repeat { .. } | Op::Again { .. })
}

/// Can a task that is not periodic delay one that is? The policies for periodic tasks put it behind all others.
fn interferes(scenario: &Scenario, policy: &dyn Policy, attributes: &Attributes) -> bool {
    let urgency = |attributes: &Attributes| policy.urgency(attributes, Time::NEVER);
    let mut periodic = scenario.specs.iter().filter(|spec| spec.attributes.periodic.is_some());
    scenario.scheduler.kind.goes_by("priority") && periodic.any(|spec| urgency(attributes) >= urgency(&spec.attributes))
}

/// The sets of tasks that compete with each other.
pub(super) fn sets(scenario: &Scenario) -> Vec<Set> {
    let processors = &scenario.machine.processors;
    let names: IdVec<CpuId, String> = processors.iter().map(|processor| processor.name.clone()).collect();
    let mut groups: BTreeMap<Option<CpuId>, Vec<SpecId>> = BTreeMap::new();
    let relevant = |spec: &Spec| spec.attributes.periodic.is_some() || served(scenario, spec);
    for (id, spec) in scenario.specs.pairs().filter(|(_, spec)| spec.count > 0 && relevant(spec)) {
        let mut allowed = processors.ids().filter(|cpu| spec.attributes.allows(*cpu));
        let only = allowed.next().filter(|_| allowed.next().is_none());
        groups.entry(only).or_default().push(id);
    }
    // One task that is not bound to a processor competes with all.
    if groups.contains_key(&None) {
        let all = groups.into_values().flatten().collect();
        groups = BTreeMap::from([(None, all)]);
    }
    let set = |(cpu, specs): (Option<CpuId>, Vec<SpecId>)| {
        let speed = cpu.map_or(Speed::ONE, |cpu| processors[cpu].speed);
        Set {
            processor: cpu.map(|cpu| names[cpu].clone()),
            processors: cpu.map_or(processors.len(), |_| 1),
            theory: scenario.scheduler.kind.theory,
            jobs: jobs(scenario, &specs, speed),
            synchronous: synchronous(scenario, &specs),
        }
    };
    groups.into_iter().map(set).collect()
}

fn jobs(scenario: &Scenario, specs: &[SpecId], speed: Speed) -> Vec<Job> {
    let policy = policy(scenario);
    let ties_by_place = !scenario.scheduler.kind.goes_by("priority");
    let mut jobs: Vec<Job> = Vec::new();
    let mut shared: Vec<u32> = Vec::new();
    let mut place = 0;
    for (id, spec) in scenario.specs.pairs() {
        let Attributes { periodic, server, .. } = &spec.attributes;
        let own = specs.contains(&id);
        for _ in 0..spec.count {
            let task = periodic.as_ref().map(|_| place);
            place += usize::from(task.is_some());
            let level =
                (Reverse(policy.urgency(&spec.attributes, Time::NEVER)), if ties_by_place { jobs.len() } else { 0 });
            match (periodic, server) {
                _ if !own => {}
                // Several tasks may share one, of which nothing is known but what it may take.
                (_, Some(server)) if served(scenario, spec) && server.kind.is_fixed() => {
                    let known = server.number.is_some_and(|number| shared.contains(&number));
                    shared.extend(server.number);
                    let (demand, period) = (server.budget.ns(), server.period.ns());
                    let jitter = if server.kind == ServerKind::Deferrable { period - demand } else { 0 };
                    let job = Job { task: None, demand, period, deadline: period, always: (0, period), jitter, level };
                    jobs.extend((!known).then_some(job));
                }
                (_, Some(server)) if served(scenario, spec) => {
                    let (demand, period) = (server.budget.ns(), server.period.ns());
                    let asks = periodic.as_ref().map_or((0, period), |periodic| {
                        let asks = (speed.time_for(periodic.demand.unwrap_or(Span::ZERO)).ns(), periodic.period.ns());
                        if is_less(asks, (demand, period)) { asks } else { (demand, period) }
                    });
                    jobs.push(Job { task: None, demand, period, deadline: period, always: asks, jitter: 0, level });
                }
                (Some(periodic), _) => {
                    let demand = speed.time_for(periodic.demand.unwrap_or(Span::ZERO)).ns();
                    let (period, deadline) = (periodic.period.ns(), periodic.deadline.ns());
                    jobs.push(Job { task, demand, period, deadline, always: (demand, period), jitter: 0, level });
                }
                (None, _) => {}
            }
        }
    }
    jobs
}

/// Do all instances arrive at the same time?
fn synchronous(scenario: &Scenario, specs: &[SpecId]) -> bool {
    let mut first = None;
    specs.iter().all(|id| {
        let spec = &scenario.specs[*id];
        let at = match &spec.arrival {
            Arrival::At(at) => *at,
            Arrival::List(times) if times.windows(2).all(|pair| pair[0] == pair[1]) => times[0],
            _ if spec.count == 1 => Time::ZERO,
            Arrival::Every(Span::ZERO) => Time::ZERO,
            _ => return false,
        };
        !served(scenario, spec) && *first.get_or_insert(at) == at
    })
}

/// Is the one share, a demand over a period, the smaller?
fn is_less(one: (u64, u64), other: (u64, u64)) -> bool {
    u128::from(one.0) * u128::from(other.1) < u128::from(other.0) * u128::from(one.1)
}

/// The jobs, with what they ask for at least.
pub(super) fn at_least(jobs: &[Job]) -> Vec<Job> {
    let least = |job: &Job| Job { demand: job.always.0, period: job.always.1, ..job.clone() };
    jobs.iter().map(least).filter(|job| job.demand > 0).collect()
}

pub(super) fn utilisation(jobs: &[Job]) -> f64 {
    jobs.iter().map(Job::utilisation).sum()
}

/// Do the jobs need more than so many processors? Exactly, if their hyperperiod is not too long.
pub(super) fn exceeds(jobs: &[Job], processors: usize) -> bool {
    let hyperperiod = jobs.iter().try_fold(1_u128, |lcm, job| {
        let period = u128::from(job.period);
        (lcm / gcd(lcm, period)).checked_mul(period)
    });
    let needed = hyperperiod.and_then(|hyperperiod| {
        jobs.iter().try_fold(0_u128, |sum, job| {
            sum.checked_add((hyperperiod / u128::from(job.period)).checked_mul(u128::from(job.demand))?)
        })
    });
    let limit = hyperperiod.and_then(|hyperperiod| hyperperiod.checked_mul(processors as u128));
    match needed.zip(limit) {
        Some((needed, limit)) => needed > limit,
        #[expect(clippy::cast_precision_loss, reason = "processors are few")]
        None => utilisation(jobs) > processors as f64 + 1e-9,
    }
}

fn gcd(a: u128, b: u128) -> u128 {
    if b == 0 { a } else { gcd(b, a % b) }
}
