//! The laws where tasks of runtimes do several things at once: branches of a task are never on two processors at once, one branch
//! alone is like none, and one at once is a loop.

use std::collections::BTreeMap;

use sim_core::ids::SpecId;
use sim_core::policy::POLICIES;
use sim_core::scenario::{Scenario, Way};
use sim_core::time::Time;
use sim_core::timeline::What;

use super::draft::{Draft, Length, Op, Process};
use super::{CASES, Run, Verdict, ensure, generator, report, scenario, verdict};

/// The tasks of runtimes that poll several things in one, with as many instances.
fn polled(draft: &mut Draft) -> impl Iterator<Item = &mut Vec<Op>> {
    let polls = |process: &&mut Process| matches!(process.executor.kind, "async" | "work-stealing");
    let tasks = draft.processes.iter_mut().filter(polls).flat_map(|process| &mut process.tasks);
    // Who is joined must be spawned by the same.
    tasks.map(|task| &mut task.program).filter_map(|program| (!program.iter_mut().any(spawns)).then_some(program))
}

fn spawns(op: &mut Op) -> bool {
    let inside = |body: &mut Vec<Op>| body.iter_mut().any(spawns);
    matches!(op, Op::Spawn(_) | Op::Join(_)) || op.bodies().into_iter().any(inside)
}

fn cases() -> u64 {
    std::env::var("LAWS_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(CASES)
}

#[test]
fn tasks_that_do_several_things_at_once_keep_the_laws() {
    let mut split = 0;
    for seed in 0..cases() * 6 {
        let kind = POLICIES[usize::try_from(seed / 4).expect("small") % POLICIES.len()];
        let mut draft = generator::draft(kind, seed);
        for (number, program) in polled(&mut draft).enumerate() {
            let ops = std::mem::take(program);
            if ops.is_empty() {
                continue;
            }
            let half = ops.len() / 2;
            *program = match (usize::try_from(seed).expect("small") + number) % 8 {
                0 => vec![Op::All(vec![ops[..half].to_vec(), ops[half..].to_vec(), ops.clone()], false)],
                1 => {
                    vec![Op::All(vec![ops.clone(), ops[..half].to_vec(), ops.clone()], true), Op::Cpu(Length::Fixed(2))]
                }
                2 => vec![Op::Each(3, Some(2), ops), Op::Cpu(Length::Fixed(1))],
                3 => vec![Op::All(vec![vec![Op::Each(2, None, ops[..half].to_vec())], ops[half..].to_vec()], false)],
                4 => {
                    vec![Op::Any(vec![ops.clone(), ops[half..].to_vec(), ops[..half].to_vec()], false), ops[0].clone()]
                }
                5 => {
                    vec![Op::Any(vec![ops.clone(), vec![Op::Sleep(Length::Fixed(7))]], true), Op::Cpu(Length::Fixed(1))]
                }
                6 => vec![Op::Each(
                    3,
                    Some(2),
                    vec![Op::Any(vec![ops.clone(), vec![Op::Sleep(Length::Fixed(5))]], false)],
                )],
                _ => vec![Op::Any(
                    vec![
                        vec![Op::All(
                            vec![ops[..half].to_vec(), vec![Op::Each(3, Some(1), ops[half..].to_vec())]],
                            false,
                        )],
                        vec![Op::Sleep(Length::Fixed(4)), Op::Any(vec![ops.clone(), ops[..half].to_vec()], false)],
                    ],
                    false,
                )],
            };
            split += 1;
        }
        if scenario(&draft, "us").is_ok() && verdict(&draft).is_err() {
            report(draft);
        }
    }
    assert!(split > cases(), "{split} tasks only");
}

/// When tasks finish, by their names, without those of branches.
fn ends(draft: &Draft) -> Option<BTreeMap<String, Option<Time>>> {
    let scenario = scenario(draft, "us").ok()?;
    let run = Run::of(&scenario);
    let tasks = run.timeline.tasks.iter().filter(|task| !scenario.specs[SpecId(task.spec)].is_branch());
    Some(tasks.map(|task| (scenario.task_name(SpecId(task.spec), task.instance), task.finish)).collect())
}

/// Policies of threads that know nothing of the bursts to come, which stand in another task with branches.
const UNSEEING: [&str; 5] = ["fifo", "round-robin", "priority", "mlfq", "cfs"];

/// What is done by one branch alone, or by one at once, is done as without: where nothing is drawn, since branches draw from streams
/// of their own.
#[test]
fn one_at_once_is_one_after_the_other() {
    let mut compared = 0;
    for seed in 0..cases() * 8 {
        // Rounds of a loop are one burst to a policy with slices, those of an `each` are not.
        let name = if seed % 2 == 1 { "fifo" } else { UNSEEING[usize::try_from(seed / 2).expect("small") % 5] };
        let kind = POLICIES.iter().find(|kind| kind.name == name).expect("on the shelf");
        let mut plain = generator::draft(kind, seed);
        // Work in fractions of a nanosecond is rounded for each branch.
        let whole = plain.processors.iter().all(|speed| *speed != "0.3");
        // On several processors a task that goes on for no time, and ends, may come behind what happens elsewhere at that instant.
        if !plain.is_certain() || !whole || plain.processors.len() > 1 {
            continue;
        }
        let mut branched = plain.clone();
        // A branch that has nothing left to do must be polled to end, a task need not.
        let last = || Op::Cpu(Length::Fixed(1));
        let mut changed = 0;
        for (before, after) in polled(&mut plain).zip(polled(&mut branched)) {
            let ops = std::mem::take(after);
            *after = match seed % 2 {
                0 => {
                    before.push(last());
                    vec![Op::All(vec![before.clone()], false)]
                }
                _ => {
                    let round = [ops, vec![last()]].concat();
                    *before = vec![Op::Repeat(Some(2), round.clone())];
                    vec![Op::Each(2, Some(1), round)]
                }
            };
            changed += 1;
        }
        let (Some(before), Some(after)) = (ends(&plain), ends(&branched)) else { continue };
        compared += changed;
        assert_eq!(before, after, "seed {seed}, {}\n{}", kind.name, branched.toml("us"));
    }
    assert!(compared > cases() / 8, "{compared} tasks only");
}

/// Of tasks that have one instance, which then is the one that all their branches belong to.
pub(super) fn laws(run: &Run, scenario: &Scenario) -> Verdict {
    let mut busy: BTreeMap<SpecId, Vec<(Time, Time)>> = BTreeMap::new();
    for interval in run.timeline.intervals.iter() {
        let host = host(scenario, SpecId(run.timeline.tasks[interval.task].spec));
        if interval.what == What::Run && scenario.specs[host].count == 1 {
            busy.entry(host).or_default().push((interval.start, interval.end));
        }
    }
    for (host, mut stretches) in busy {
        stretches.sort_unstable();
        let apart = stretches.windows(2).all(|pair| pair[0].1 <= pair[1].0);
        ensure(apart, || format!("{} is on two processors at once, with its branches", scenario.specs[host].name))?;
    }
    Ok(())
}

/// The task inside which all that goes on.
fn host(scenario: &Scenario, mut spec: SpecId) -> SpecId {
    while let Some(caller) = scenario.specs[spec].caller.filter(|caller| caller.way != Way::On) {
        spec = caller.spec;
    }
    spec
}
