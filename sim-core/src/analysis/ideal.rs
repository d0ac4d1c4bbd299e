//! From a scenario to the ideal of the tests: which sets of tasks are there, and what does each ask for?

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::blocking::{self, Owner};
use super::longest::{self, Price};
use crate::ids::{CpuId, IdVec, SpecId, SyncId};
use crate::policy::{Attributes, Periodic, Policy, Server, ServerKind, Setup, Theory};
use crate::scenario::{Arrival, Scenario, Spec, Speed};
use crate::time::{Span, Time};

/// Tasks that share processors.
pub(super) struct Set {
    /// The one processor of all of them; `None` if there are several.
    pub(super) processor: Option<String>,
    pub(super) processors: usize,
    pub(super) theory: Theory,
    pub(super) jobs: Vec<Job>,
    /// Who may keep others waiting because of locks.
    pub(super) owners: Vec<Owner>,
    /// Are they all released together, ask for the same each time, wait for nobody, and switch freely? Only then does what a test
    /// finds too much come to pass.
    pub(super) is_exact: bool,
    /// Are jobs in the order of their deadlines, and nothing else?
    pub(super) is_by_deadline: bool,
    /// Do they go to whatever processor is free?
    pub(super) is_global: bool,
}

/// How urgent something is, where priorities are fixed: the smaller, the more urgent.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Level(Reverse<i64>, u32, u32);

impl Level {
    /// Nothing is less urgent.
    pub(super) const LEAST: Level = Level(Reverse(i64::MIN), u32::MAX, u32::MAX);
}

/// A periodic instance, or a server: times in nanoseconds.
#[derive(Clone, Debug)]
pub(super) struct Job {
    /// Its place among the periodic instances of the scenario; a server has none.
    pub(super) task: Option<usize>,
    /// The most that it needs, switches included.
    pub(super) demand: u64,
    pub(super) period: u64,
    pub(super) deadline: u64,
    /// What it asks for at least as long as the run lasts: so much in each such period. A server of a task that comes and
    /// goes asks for nothing when that has ended, and one of a periodic task for no more than its jobs.
    pub(super) always: (u64, u64),
    /// By how much more a release may come later than another does. A deferrable server that has served late may serve early the
    /// next time.
    pub(super) jitter: u64,
    /// Does it ask for its share of any time, be it shorter than its period? So do servers with deadlines that are put off.
    pub(super) is_fluid: bool,
    pub(super) level: Level,
    /// What policies say of it, as they do of locks' ceilings.
    pub(super) urgency: i64,
}

impl Job {
    #[expect(clippy::cast_precision_loss, reason = "a statistic")]
    pub(super) fn utilisation(&self) -> f64 {
        self.demand as f64 / self.period as f64
    }
}

pub(super) fn policy(scenario: &Scenario) -> Box<dyn Policy> {
    scenario.scheduler.settings.build(&Setup::of(&scenario.machine, scenario.seed))
}

/// Is there a server, and does the policy know it?
pub(super) fn served(scenario: &Scenario, spec: &Spec) -> bool {
    let known = |server: &Server| server.kind.is_fixed() || scenario.scheduler.kind.goes_by("server");
    spec.attributes.server.as_ref().is_some_and(known)
}

/// What a switch costs at most.
pub(super) fn switch(scenario: &Scenario) -> Span {
    scenario.machine.context_switch.max(scenario.machine.process_switch)
}

/// The most that a job needs, if there is a most; with what it switches, if that is asked for.
pub(super) fn demand(scenario: &Scenario, spec: &Spec, switch: Span) -> Option<Span> {
    let asking = |lock: SyncId| blocking::contended(scenario, lock, switch);
    let most = longest::run(&spec.program, Price { works: true, asking: &asking })?;
    Some(Span::from_ns(most.ns().saturating_add(switch.ns().saturating_mul(2))))
}

pub(super) fn level(scenario: &Scenario, policy: &dyn Policy, id: SpecId, instance: u32) -> Level {
    let urgency = Reverse(policy.urgency(&scenario.specs[id].attributes, Time::NEVER));
    if scenario.scheduler.kind.goes_by("priority") { Level(urgency, 0, 0) } else { Level(urgency, id.0, instance) }
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
    let bound = !groups.contains_key(&None);
    if !bound {
        let all = groups.into_values().flatten().collect();
        groups = BTreeMap::from([(None, all)]);
    }
    let policy = policy(scenario);
    let anywhere = |spec: &SpecId| processors.ids().all(|cpu| scenario.specs[*spec].attributes.allows(cpu));
    let set = |(cpu, specs): (Option<CpuId>, Vec<SpecId>)| {
        let speed = cpu.map_or(Speed::ONE, |cpu| processors[cpu].speed);
        let owners = blocking::owners(scenario, cpu, speed);
        Set {
            processor: cpu.map(|cpu| names[cpu].clone()),
            processors: cpu.map_or(processors.len(), |_| 1),
            theory: scenario.scheduler.kind.theory,
            jobs: jobs(scenario, &specs, speed),
            is_exact: is_exact(scenario, &specs) && owners.is_empty(),
            owners,
            is_by_deadline: scenario.scheduler.kind.theory == Theory::Deadlines
                && scenario.scheduler.settings.step().is_none()
                && !super::reservations::has_heavy(scenario, &*policy),
            is_global: !policy.traits().confined && specs.iter().all(anywhere),
        }
    };
    groups.into_iter().map(set).collect()
}

fn jobs(scenario: &Scenario, specs: &[SpecId], speed: Speed) -> Vec<Job> {
    let policy = policy(scenario);
    let mut jobs: Vec<Job> = Vec::new();
    let mut shared: Vec<u32> = Vec::new();
    let mut place = 0;
    for (id, spec) in scenario.specs.pairs() {
        let Attributes { periodic, server, .. } = &spec.attributes;
        let first = place;
        place += if periodic.is_some() { spec.count as usize } else { 0 };
        if !specs.contains(&id) {
            continue;
        }
        for instance in 0..spec.count {
            let level = level(scenario, &*policy, id, instance);
            let deadline = periodic.as_ref().map_or(Time::NEVER, |periodic| Time::ZERO + periodic.deadline);
            let urgency = policy.urgency(&spec.attributes, deadline);
            let job = match (periodic, server) {
                // Several tasks may share one, of which nothing is known but what it may take.
                (_, Some(server)) if served(scenario, spec) => {
                    if server.number.is_some_and(|number| shared.contains(&number)) {
                        continue;
                    }
                    shared.extend(server.number);
                    of_server(*server, periodic.as_ref(), speed)
                }
                (Some(periodic), _) => {
                    let task = Some(first + instance as usize);
                    Job { task, ..of_task(scenario, spec, periodic, speed) }
                }
                (None, _) => continue,
            };
            jobs.push(Job { level, urgency, ..job });
        }
    }
    jobs
}

fn of_server(server: Server, periodic: Option<&Periodic>, speed: Speed) -> Job {
    let (demand, period) = (server.budget.ns(), server.period.ns());
    let is_fluid = !server.kind.is_fixed();
    let always = match periodic {
        Some(periodic) if is_fluid => {
            let asks = (speed.time_for(periodic.demand.unwrap_or(Span::ZERO)).ns(), periodic.period.ns());
            if is_less(asks, (demand, period)) { asks } else { (demand, period) }
        }
        _ => (0, period),
    };
    let jitter = if server.kind == ServerKind::Deferrable { period - demand } else { 0 };
    let (level, urgency) = (Level::LEAST, 0);
    Job { task: None, demand, period, deadline: period, always, jitter, is_fluid, level, urgency }
}

fn of_task(scenario: &Scenario, spec: &Spec, periodic: &Periodic, speed: Speed) -> Job {
    let least = speed.time_for(periodic.demand.unwrap_or(Span::ZERO)).ns();
    let most = demand(scenario, spec, switch(scenario)).map_or(u64::MAX, |most| speed.time_for(most).ns());
    let (period, deadline) = (periodic.period.ns(), periodic.deadline.ns());
    let jitter = &periodic.jitter;
    let jitter = jitter.most().map_or(Span::ZERO, |most| most.saturating_sub(jitter.least())).ns();
    let (level, urgency) = (Level::LEAST, 0);
    Job { task: None, demand: most, period, deadline, always: (least, period), jitter, is_fluid: false, level, urgency }
}

/// Do all instances arrive together, and come when they say, ask for the same each time, and switch freely?
fn is_exact(scenario: &Scenario, specs: &[SpecId]) -> bool {
    let mut first = None;
    switch(scenario).is_zero()
        && scenario.machine.cache.is_none()
        && specs.iter().all(|id| {
            let spec = &scenario.specs[*id];
            let at = match &spec.arrival {
                Arrival::At(at) => *at,
                Arrival::List(times) if times.windows(2).all(|pair| pair[0] == pair[1]) => times[0],
                _ if spec.count == 1 => Time::ZERO,
                Arrival::Every(Span::ZERO) => Time::ZERO,
                _ => return false,
            };
            let regular =
                spec.attributes.periodic.as_ref().is_some_and(|periodic| {
                    periodic.demand.is_some() && periodic.jitter.constant() == Some(Span::ZERO)
                });
            regular && !served(scenario, spec) && *first.get_or_insert(at) == at
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

/// After how long everything begins anew.
pub(super) fn hyperperiod(mut periods: impl Iterator<Item = u64>) -> Option<u128> {
    periods.try_fold(1_u128, |lcm, period| (lcm / gcd(lcm, u128::from(period))).checked_mul(u128::from(period)))
}

/// Do the jobs need more than so many processors? Exactly, if their hyperperiod is not too long.
pub(super) fn exceeds(jobs: &[Job], processors: usize) -> bool {
    let hyperperiod = hyperperiod(jobs.iter().map(|job| job.period));
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
