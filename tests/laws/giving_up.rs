//! The laws where tasks give up what they wait for, and are turned away: nobody is both served and gone, all come to an end in some
//! way, and what is given up was waited for until its time was up.

use std::collections::BTreeMap;

use sim_core::executor::Threads;
use sim_core::ids::{SpecId, TaskId, ThreadId};
use sim_core::policy::POLICIES;
use sim_core::scenario::{HandOver, Op as Real, Scenario, Spec, Terms};
use sim_core::time::Span;
use sim_core::timeline::{Cause, Fate, How, Leave, Life, Timeline};

use super::draft::{Draft, Length, Op};
use super::generator::{self, Dice};
use super::{CASES, Run, Verdict, ensure, report, scenario, verdict};

const WITHIN: [&str; 5] = ["within = '0$'", "within = '1$'", "within = '2$'", "within = '5$'", "within = '30$'"];
const PATIENCE: [&str; 3] = ["patience = '0$'", "patience = '3$'", "within = '9$', patience = '2$'"];
const POOLS: [&str; 6] = [
    ", queue-limit = 1, when-full = 'reject'",
    ", core = 1, maximum = 2, queue-limit = 0",
    ", core = 0, maximum = 2, queue-limit = 2, when-full = 'reject', keep-alive = '3$'",
    ", core = 1, maximum = 3, keep-alive = '1$', queue-limit = 1",
    ", queue-limit = 0, when-full = 'caller-runs'",
    ", core = 1, maximum = 2, queue-limit = 1, when-full = 'caller-runs', keep-alive = '3$'",
];

#[test]
fn giving_up_and_turning_away_keep_the_laws() {
    let cases = std::env::var("LAWS_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(CASES);
    let (mut given_up, mut rejected) = (0, 0);
    for seed in 0..cases * 3 {
        let kind = POLICIES[usize::try_from(seed / 4).expect("small") % POLICIES.len()];
        let mut draft = match seed % 4 {
            0 => generator::contention(kind, (seed % 8 == 0).then_some("inherit"), seed),
            1 => generator::barging(kind, seed),
            _ => generator::draft(kind, seed),
        };
        hurry(&mut draft, &mut Dice(seed ^ 0x2545_F491));
        let Ok(scenario) = scenario(&draft, "us") else { continue };
        if verdict(&draft).is_err() {
            report(draft);
        }
        let leaves = Run::of(&scenario).timeline.leaves;
        given_up += leaves.iter().filter(|leave| leave.how == How::GaveUp).count();
        rejected += leaves.iter().filter(|leave| leave.how == How::TurnedAway).count();
    }
    assert!(
        given_up as u64 > cases / 2 && rejected as u64 > cases / 80,
        "{given_up} give up, {rejected} are turned away"
    );
}

/// Where each process is a small pool that leaves what it has no room for to callers, tasks run in the places of others.
#[test]
fn callers_that_run_tasks_themselves_keep_the_laws() {
    let cases = std::env::var("LAWS_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(CASES);
    let mut guests = 0;
    for seed in 0..cases * 2 {
        let kind = POLICIES[usize::try_from(seed / 4).expect("small") % POLICIES.len()];
        let mut draft = match seed % 4 {
            0 => generator::contention(kind, (seed % 8 == 0).then_some("inherit"), seed),
            _ => generator::draft(kind, seed),
        };
        let mut dice = Dice(seed ^ 0x1357_9BDF);
        for process in &mut draft.processes {
            process.executor.kind = "pool";
            process.executor.workers = Some(dice.pick(&[1, 2]));
            process.executor.gil = None;
            process.executor.more = dice.pick(&POOLS[4..5]);
        }
        let Ok(scenario) = scenario(&draft, "us") else { continue };
        if verdict(&draft).is_err() {
            report(draft);
        }
        guests += guests_of(&Run::of(&scenario).timeline);
    }
    assert!(guests as u64 > cases / 20, "{guests} tasks run in the places of others");
}

/// How often a thread of a pool goes on with a task that it had before another.
fn guests_of(timeline: &Timeline) -> usize {
    let mut by_thread: BTreeMap<ThreadId, Vec<TaskId>> = BTreeMap::new();
    for interval in timeline.intervals.iter() {
        let carried = by_thread.entry(interval.thread).or_default();
        if carried.last() != Some(&interval.task) {
            carried.push(interval.task);
        }
    }
    let comes_back = |three: &&[TaskId]| three[0] == three[2];
    by_thread.values().map(|carried| carried.windows(3).filter(comes_back).count()).sum()
}

/// Tasks give up some of what they wait for, devices and pools have not room for all.
fn hurry(draft: &mut Draft, dice: &mut Dice) {
    if dice.one_in(2) {
        draft.room = Some((dice.pick(&[0, 1, 2]), dice.pick(&[0, 4, 1000])));
    }
    for process in &mut draft.processes {
        if process.executor.kind == "pool" && process.executor.more.is_empty() && dice.one_in(2) {
            process.executor.more = dice.pick(&POOLS);
            if process.executor.more.contains("maximum") {
                process.executor.workers = None;
            }
        }
        process.tasks.iter_mut().for_each(|task| attempt(&mut task.program, dice));
    }
}

fn attempt(program: &mut [Op], dice: &mut Dice) {
    for op in program {
        op.bodies().into_iter().for_each(|body| attempt(body, dice));
        if let Op::Repeat(None, body) = op {
            // An endless loop must use time, also for who is turned away at once.
            body.push(Op::Cpu(Length::Fixed(1)));
        }
        let terms: &[&str] = match op {
            Op::Io { .. } => &PATIENCE,
            Op::With(..) | Op::Within(..) | Op::Wait(..) | Op::Join(_) => &WITHIN,
            Op::Use(word, _) if matches!(*word, "acquire" | "send" | "recv" | "barrier") => &WITHIN,
            _ => continue,
        };
        if dice.one_in(2) {
            let otherwise = match dice.range(0, 3) {
                0 => Some(vec![Op::Yield, Op::Cpu(Length::Fixed(1))]),
                1 => Some(Vec::new()),
                _ => None,
            };
            let whole = std::mem::replace(op, Op::Yield);
            *op = Op::Attempt(dice.pick(terms), Box::new(whole), otherwise);
        }
    }
}

/// How long the instances of a task stay at what they may give up.
fn terms(scenario: &Scenario, spec: &Spec) -> Vec<Span> {
    let own = spec.program.ops.iter().filter_map(|op| if let Real::Attempt(terms) = op { Some(*terms) } else { None });
    let own = own.flat_map(|Terms { within, patience, .. }| [within, patience]);
    let devices = scenario.devices.iter().filter_map(|device| device.patience);
    own.chain(devices).filter(|time| *time != Terms::FOR_EVER).collect()
}

pub(super) fn laws(run: &Run, scenario: &Scenario) -> Verdict {
    let timeline = &run.timeline;
    for leave in timeline.leaves.iter().filter(|leave| leave.how == How::GaveUp) {
        let spec = &scenario.specs[SpecId(timeline.tasks[leave.task].spec)];
        let (stayed, terms) = (leave.at.since(leave.asked), terms(scenario, spec));
        let says = || format!("{} gives up after {stayed}, of {terms:?}", timeline.task_name(leave.task));
        ensure(terms.iter().any(|term| *term <= stayed), says)?;
        ensure(!is_prompt(scenario, spec, leave) || terms.contains(&stayed), says)?;
    }
    let count = |how| timeline.leaves.iter().filter(|leave| leave.how == how).count() as u64;
    let [given_up, rejected] = [How::GaveUp, How::TurnedAway].map(count);
    // Of who let a pool do something and was turned away, what that would have been tells it, too.
    let is_alone = |(task, life): &(TaskId, &Life)| {
        let told = timeline.leaves.iter().any(|leave| leave.how == How::TurnedAway && leave.callee == *task);
        life.fate == Fate::Rejected && !told
    };
    let turned_away = timeline.tasks.pairs().filter(is_alone).count() as u64;
    let unheard = timeline.tasks.pairs().find(|it| is_alone(it) && scenario.specs[SpecId(it.1.spec)].is_call());
    ensure(unheard.is_none(), || format!("nobody goes without {}", timeline.task_name(unheard.expect("one").0)))?;
    let told = &run.outcome.summary;
    ensure((told.given_up, told.rejected) == (given_up, rejected + turned_away), || {
        format!(
            "{given_up} leaves and {rejected} + {turned_away} rejections, told as {} and {}",
            told.given_up, told.rejected
        )
    })?;
    let never = timeline.tasks.pairs().find(|(task, life)| {
        life.fate == Fate::Rejected && timeline.intervals.iter().any(|interval| interval.task == *task)
    });
    ensure(never.is_none(), || format!("{} is rejected, and runs", timeline.task_name(never.expect("one").0)))
}

/// Does the task go at the very time at which that is up: no loop has to notice, it does not ask again, and nothing costs anything?
fn is_prompt(scenario: &Scenario, spec: &Spec, leave: &Leave) -> bool {
    let executor = &scenario.processes[spec.process].executor;
    let direct = match leave.cause {
        Cause::Sync(sync) => scenario.syncs[sync].rule.hand_over == HandOver::Direct,
        _ => true,
    };
    let polled = !executor.kind.keeps_thread && executor.kind.threads != Threads::PerTask;
    direct && !polled && scenario.machine.switches_freely()
}
