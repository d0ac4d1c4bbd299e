//! The laws where operations cost something, and nothing else does: each is paid for whole and as often as it is come to,
//! and whoever is more urgent waits for the end of one at most.

use sim_core::distribution::Distribution;
use sim_core::executor::Threads;
use sim_core::ids::{SpecId, TaskId};
use sim_core::policy::{POLICIES, Queueing};
use sim_core::program::{Cursor, Step, program_stream};
use sim_core::scenario::{Costs, HandOver, Protocol, Scenario};
use sim_core::time::{Span, Time};
use sim_core::timeline::What;
use sim_core::timeline::lanes::State;

use super::{CASES, Run, Verdict, ensure, generator, report, scenario, state_at, verdict};

/// What an operation costs, from next to nothing to more than all else.
const COSTS: [u64; 5] = [1, 2, 3, 7, 40];

#[test]
fn operations_that_cost_something_keep_the_laws() {
    let cases = std::env::var("LAWS_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(CASES);
    let mut judged = 0;
    for seed in 0..cases * 5 {
        let kind = POLICIES[usize::try_from(seed / 6).expect("small") % POLICIES.len()];
        let mut draft = match seed % 6 {
            0 => generator::contention(kind, None, seed),
            1 => generator::contention(kind, Some("inherit"), seed),
            2 => generator::contention(kind, Some("ceiling"), seed),
            3 => generator::barging(kind, seed),
            _ => generator::draft(kind, seed),
        };
        draft.costs = vec![("operation", COSTS[usize::try_from(seed % 5).expect("small")])];
        judged += u64::from(scenario(&draft, "us").is_ok_and(|scenario| cost(&scenario).is_some()));
        if verdict(&draft).is_err() {
            report(draft);
        }
    }
    assert!(judged > cases * 4, "{judged} of {} have nothing but operations", cases * 5);
}

/// What an operation costs, if all cost the same, and nothing else costs anything.
fn cost(scenario: &Scenario) -> Option<Span> {
    let costs = scenario.machine.costs.as_deref()?;
    let Distribution::Constant(cost) = costs.operation else { return None };
    let alone = *costs == Costs { operation: costs.operation.clone(), ..Costs::default() };
    let mut machine = scenario.machine.clone();
    machine.costs = None;
    (alone && machine.switches_freely() && !cost.is_zero()).then_some(cost)
}

/// Of a scenario in which nothing else costs anything.
pub(super) fn laws(run: &Run, scenario: &Scenario) -> Verdict {
    let Some(cost) = cost(scenario) else { return Ok(()) };
    nobody_is_put_off_in_an_operation(run, cost)?;
    each_is_paid_as_often_as_it_is_come_to(run, scenario, cost)?;
    the_more_urgent_wait_for_one_operation(run, scenario)
}

/// Several may follow each other at once; the horizon cuts the last one.
fn nobody_is_put_off_in_an_operation(run: &Run, cost: Span) -> Verdict {
    let end = run.ending.at;
    let cut = run.timeline.intervals.iter().find(|interval| {
        let length = interval.end.since(interval.start).ns();
        interval.what == What::Switch && interval.end < end && !length.is_multiple_of(cost.ns())
    });
    ensure(cut.is_none(), || format!("an operation takes {cost}, and this is not a number of them: {cut:?}"))
}

/// The overhead of who has finished is what its program says, where nobody has to ask again.
fn each_is_paid_as_often_as_it_is_come_to(run: &Run, scenario: &Scenario, cost: Span) -> Verdict {
    let asks_once = scenario.syncs.iter().all(|sync| sync.rule.hand_over == HandOver::Direct && sync.rule.yields == 0);
    let has_budget = scenario.processes.iter().any(|process| process.executor.budget.is_some());
    let has_jobs = scenario.specs.iter().any(|spec| spec.attributes.periodic.is_some());
    if !asks_once || has_budget || has_jobs {
        return Ok(());
    }
    for (id, sums) in run.metrics.tasks.pairs() {
        if sums.finish.is_never() {
            continue;
        }
        let operations = count(scenario, SpecId(sums.spec), sums.instance);
        ensure(sums.overhead == cost * operations, || {
            format!("{} paid {} for {operations} operations", run.timeline.task_name(id), sums.overhead)
        })?;
    }
    Ok(())
}

/// The operations that cost something, of an instance whose program has an end.
fn count(scenario: &Scenario, spec: SpecId, instance: u32) -> u64 {
    let program = &scenario.specs[spec].program;
    let mut cursor = Cursor::new(program);
    let mut operations = 0;
    loop {
        match cursor.step(program, || program_stream(scenario, spec, instance)) {
            Step::End(_) => return operations,
            step => operations += u64::from(step.is_instant()),
        }
    }
}

/// While nobody is at an operation, nobody works for itself while somebody more urgent waits.
fn the_more_urgent_wait_for_one_operation(run: &Run, scenario: &Scenario) -> Verdict {
    let settings = &scenario.scheduler.settings;
    let by_urgency = scenario.scheduler.kind.name == "priority" && settings.label() == "preemptive";
    let together = settings.queueing() == Queueing::Together;
    let own_threads = scenario.processes.iter().all(|process| {
        let executor = &process.executor;
        matches!(executor.kind.threads, Threads::PerTask | Threads::ProcessPerTask) && executor.gil.is_none()
    });
    let lends = scenario.syncs.iter().any(|sync| sync.protocol != Protocol::None);
    let bound = scenario.specs.iter().any(|spec| spec.attributes.affinity.is_some());
    if !by_urgency || !together || !own_threads || lends || bound {
        return Ok(());
    }
    let lanes = run.timeline.lanes();
    let urgency = |task: TaskId| scenario.specs[run.spec(task)].attributes.priority;
    let mut edges: Vec<Time> = lanes.iter().flatten().map(|stretch| stretch.start).collect();
    edges.sort_unstable();
    edges.dedup();
    for at in edges {
        let of = |state: State| lanes.pairs().filter(move |(_, lane)| state_at(lane, at) == Some(state));
        if of(State::Overhead).next().is_some() {
            continue;
        }
        let waits = of(State::Ready).map(|(task, _)| task).max_by_key(|task| urgency(*task));
        let runs = of(State::Running).map(|(task, _)| task).min_by_key(|task| urgency(*task));
        let (Some(waits), Some(runs)) = (waits, runs) else { continue };
        let name = |task| run.timeline.task_name(task);
        ensure(urgency(waits) <= urgency(runs), || format!("{} waits behind {} at {at}", name(waits), name(runs)))?;
    }
    Ok(())
}
