//! What of a scenario is not as the tests suppose.

use super::blocking;
use super::longest::{self, Price};
use crate::executor::Threads;
use crate::policy::{Policy, Theory};
use crate::scenario::{Arrival, Attributes, Op, Scenario, Spec, Speed, SyncOp};
use crate::time::{Span, Time};

/// What is not as the tests suppose.
pub(super) fn of(scenario: &Scenario) -> Vec<String> {
    let policy = super::ideal::policy(scenario);
    let mut all = of_the_machine(scenario, &*policy);
    for spec in scenario.specs.iter().filter(|spec| spec.count > 0 && !super::ideal::served(scenario, spec)) {
        let name = &spec.name;
        let Some(periodic) = &spec.attributes.periodic else {
            if interferes(scenario, &*policy, &spec.attributes) {
                all.push(format!("`{name}` is not periodic and may be as urgent as those that are"));
            }
            continue;
        };
        let in_turns = scenario.scheduler.settings.step().is_some();
        let constant = periodic.demand.is_some();
        let reservation = match () {
            () if !spec.program.ops.iter().all(computes) => "does more than compute and take locks",
            () if in_turns && !constant => "does not need the same each time",
            () if !constant && longest::run(&spec.program, Price::WORK).is_none() => "has no longest job",
            () if in_turns && periodic.jitter.constant() != Some(Span::ZERO) => "is released with jitter",
            () if periodic.jitter.most().is_none() => "is released with a jitter that has no bound",
            () if !spec.after.is_empty() => "starts after others",
            () if !in_steps(scenario, spec) => "has times that are no multiples of the quantum",
            () if !own_thread(scenario, spec) => "has no thread of its own",
            () => continue,
        };
        all.push(format!("`{name}` {reservation}"));
    }
    all.extend(blocking::reservations(scenario));
    all
}

fn of_the_machine(scenario: &Scenario, policy: &dyn Policy) -> Vec<String> {
    let mut all = Vec::new();
    let (machine, scheduler) = (&scenario.machine, &scenario.scheduler);
    if !machine.switches_freely() && !switches_are_two_a_job(scenario) {
        all.push("what switching costs is more than two context switches for each job".to_owned());
    }
    if machine.processors.len() > 1 && machine.processors.iter().any(|processor| processor.speed != Speed::ONE) {
        all.push("processors have different speeds".to_owned());
    }
    if scenario.groups.iter().any(|group| group.quota.is_some()) {
        all.push("a group has a quota".to_owned());
    }
    match scheduler.kind.theory {
        Theory::None => all.push(format!("the policy is {}", scheduler.kind.name)),
        _ if !policy.traits().preemptive => all.push("the policy is not preemptive".to_owned()),
        // Only `priority` with `aging` changes priorities with time.
        Theory::FixedPriorities if policy.traits().has_alarms => all.push("priorities change".to_owned()),
        Theory::Deadlines if machine.processors.len() == 1 && has_heavy(scenario, policy) => {
            all.push("heavy tasks come before deadlines".to_owned());
        }
        _ => {}
    }
    all
}

/// Are switches between threads all that costs time, on one processor, and are there two for each job at most: one to it, and one to
/// whom it displaced or who comes after it?
fn switches_are_two_a_job(scenario: &Scenario) -> bool {
    let (machine, settings) = (&scenario.machine, &scenario.scheduler.settings);
    let others = [machine.thread_start, machine.process_start, machine.task_switch];
    machine.costs.is_none()
        && others.iter().all(|cost| cost.is_zero())
        && machine.processors.len() == 1
        && settings.step().is_none()
        && settings.quanta().is_empty()
        && !scenario.specs.iter().any(|spec| super::ideal::served(scenario, spec))
}

/// Are there tasks that come before all deadlines?
pub(super) fn has_heavy(scenario: &Scenario, policy: &dyn Policy) -> bool {
    scenario.specs.iter().any(|spec| policy.urgency(&spec.attributes, Time::ZERO) > 0)
}

/// Does each instance of it compete for processors itself?
pub(super) fn own_thread(scenario: &Scenario, spec: &Spec) -> bool {
    let executor = &scenario.processes[spec.process].executor;
    matches!(executor.kind.threads, Threads::PerTask | Threads::ProcessPerTask) && executor.gil.is_none()
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

fn computes(op: &Op) -> bool {
    matches!(
        op,
        Op::Cpu(_)
            | Op::Repeat { .. }
            | Op::Again { .. }
            | Op::Choose(_)
            | Op::Jump(_)
            | Op::Set(..)
            | Op::Add(..)
            | Op::Test { .. }
            | Op::End
            | Op::Sync(SyncOp::Lock(_) | SyncOp::Unlock(_))
    )
}

/// Can a task that is not periodic delay one that is? The policies for periodic tasks put it behind all others.
fn interferes(scenario: &Scenario, policy: &dyn Policy, attributes: &Attributes) -> bool {
    let urgency = |attributes: &Attributes| policy.urgency(attributes, Time::NEVER);
    let mut periodic = scenario.specs.iter().filter(|spec| spec.attributes.periodic.is_some());
    scenario.scheduler.kind.goes_by("priority") && periodic.any(|spec| urgency(attributes) >= urgency(&spec.attributes))
}
