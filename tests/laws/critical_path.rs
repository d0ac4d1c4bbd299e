//! Laws of critical paths: a chain without holes, every link of which is true.

use sim_core::causes::What;
use sim_core::causes::critical_path::{CriticalPath, Does, Goal, Link};
use sim_core::executor::Threads;
use sim_core::policy::{Kind, POLICIES};
use sim_core::scenario::{Op, Scenario};
use sim_core::time::Span;
use sim_core::timeline::lanes::{State, Stretch};
use sim_core::timeline::{Cause, Timeline};

use super::{CASES, Run, Verdict, costs, ensure, generator, scenario};

pub(super) fn laws(run: &Run, scenario: &Scenario) -> Verdict {
    let Some(goal) = Goal::last_finish(&run.timeline) else { return Ok(()) };
    let path = CriticalPath::of(&run.timeline, Some(scenario), goal);
    let finished = run.timeline.tasks.iter().all(|life| life.finish.is_some());
    let makespan = run.timeline.makespan();
    ensure(!finished || goal.length() == makespan, || format!("{goal:?} is not the makespan, {makespan}"))?;
    is_a_chain(&path)?;
    let lanes = run.timeline.lanes();
    for link in &path.links {
        is_true(&run.timeline, &lanes[link.task], link)?;
        is_at_its_place(run, scenario, link)?;
    }
    of_one_processor(scenario, &path)?;
    // Any other end is explained as well: here the one of the task in the middle.
    let middle = run.timeline.tasks.ids().nth(run.timeline.tasks.len() / 2);
    let Some(goal) = middle.and_then(|task| Goal::life_of(&run.timeline, task)) else { return Ok(()) };
    is_a_chain(&CriticalPath::of(&run.timeline, None, goal))
}

/// A generated scenario as text.
pub(crate) fn draft(kind: &'static Kind, seed: u64) -> String {
    generator::draft(kind, seed).toml("us")
}

/// From where it begins to where it ends, without hole and overlap; the parts add up.
pub(crate) fn is_a_chain(path: &CriticalPath) -> Verdict {
    let goal = path.goal;
    let mut at = goal.from;
    for link in &path.links {
        ensure(link.from == at && link.from < link.to, || format!("{link:?} begins not at {at}"))?;
        at = link.to;
    }
    ensure(at == goal.to, || format!("the path ends at {at}, not at {}", goal.to))?;
    let sum: Span = path.links.iter().map(Link::length).sum();
    ensure(sum == goal.to - goal.from, || format!("the links are {sum}, the whole is {}", goal.length()))
}

/// The task did just that, all the while, and whom it held up waited.
fn is_true(timeline: &Timeline, lane: &[Stretch], link: &Link) -> Verdict {
    let all = |lane: &[Stretch], allowed: &dyn Fn(State) -> bool| {
        let within = lane.iter().filter(|stretch| stretch.start < link.to && link.from < stretch.end);
        let lengths = within.clone().map(|stretch| stretch.end.min(link.to) - stretch.start.max(link.from));
        lengths.sum::<Span>() == link.length() && within.map(|stretch| stretch.state).all(allowed)
    };
    let true_of_it = match link.does {
        Does::Runs(_) => all(lane, &|state| state == State::Running),
        Does::ToCome => {
            let life = &timeline.tasks[link.task];
            // A branch comes from its task.
            let is_branch = timeline.cast.awaited.iter().any(|known| known.branches.contains(&life.spec));
            !is_branch && life.arrival.is_none_or(|arrival| link.to <= arrival)
        }
        Does::Is(What::Release, _) => timeline.tasks[link.task].arrival.is_none_or(|arrival| link.from >= arrival),
        Does::Is(what, _) => all(lane, &|state| match what {
            What::Overhead => state == State::Overhead,
            What::Starting => state == State::Starting,
            What::Queue(device) | What::Service(device) | What::Seek(device) => {
                state == State::Blocked(Cause::Device(device))
            }
            What::Timer => state == State::Blocked(Cause::Timer),
            What::Sync(sync) => state == State::Blocked(Cause::Sync(sync)),
            What::Join => state == State::Blocked(Cause::Join),
            What::After => state == State::Blocked(Cause::After),
            What::Spin(_) => state == State::Running,
            _ => state == State::Ready,
        }),
    };
    let name = || timeline.task_name(link.task);
    ensure(true_of_it, || format!("{} does not do this all the while: {link:?}", name()))?;
    let Some(held) = link.holds_up else { return Ok(()) };
    let waits = all(&timeline.lanes()[held.task], &|state| match held.what {
        What::Spin(_) => state == State::Running,
        _ => matches!(state, State::Ready | State::Blocked(_)),
    });
    ensure(waits && held.task != link.task, || format!("{} holds nobody up: {link:?}", name()))
}

fn is_at_its_place(run: &Run, scenario: &Scenario, link: &Link) -> Verdict {
    let Some(position) = link.position() else { return Ok(()) };
    let op = &scenario.specs[run.spec(link.task)].program.ops[position as usize];
    let fits = match link.does {
        Does::Runs(_) => matches!(op, Op::Cpu(_)),
        Does::Is(What::Timer, _) => matches!(op, Op::Sleep(_) | Op::Turn { .. }),
        _ => matches!(op, Op::Io { .. }),
    };
    ensure(fits, || format!("{link:?} is no {op:?}"))
}

/// Where threads compete for one processor and for nothing else, that works all along the path, or the clock is waited for.
fn of_one_processor(scenario: &Scenario, path: &CriticalPath) -> Verdict {
    let plain = scenario.machine.processors.len() == 1
        && !costs::may_idle(scenario)
        && scenario.specs.iter().all(|spec| spec.program.ops.iter().all(|op| matches!(op, Op::Cpu(_) | Op::Yield)))
        && scenario.specs.iter().all(|spec| spec.attributes.periodic.is_none() && spec.attributes.affinity.is_none())
        && scenario.processes.iter().all(|process| process.executor.kind.threads == Threads::PerTask)
        && scenario.processes.iter().all(|process| process.executor.gil.is_none());
    // It waits for the clock first, and then no more.
    let begun = path.links.iter().skip_while(|link| link.does == Does::ToCome);
    let stray = begun
        .into_iter()
        .find(|link| !matches!(link.does, Does::Runs(_) | Does::Is(What::Overhead | What::Starting | What::Budget, _)));
    ensure(!plain || stray.is_none(), || format!("on one processor, {stray:?}"))
}

/// Nearly always somebody is to be named, and where in the program that one was.
#[test]
fn paths_name_who_and_where() {
    let cases = std::env::var("LAWS_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(CASES);
    let (mut all, mut nameless, mut placeless) = (Span::ZERO, Span::ZERO, Span::ZERO);
    for seed in 0..cases * 4 {
        let kind = POLICIES[usize::try_from(seed).expect("small") % POLICIES.len()];
        let scenario = scenario(&generator::draft(kind, seed), "us").expect("a valid case");
        let run = Run::of(&scenario);
        let Some(goal) = Goal::last_finish(&run.timeline) else { continue };
        for link in CriticalPath::of(&run.timeline, Some(&scenario), goal).links {
            all += link.length();
            match link.does {
                Does::Runs(None) | Does::Is(What::Service(_) | What::Timer, None) => placeless += link.length(),
                Does::Is(
                    What::Processor(_)
                    | What::Runtime
                    | What::Interpreter
                    | What::Sync(_)
                    | What::Join
                    | What::After
                    | What::Queue(_)
                    | What::Spin(_),
                    _,
                ) => nameless += link.length(),
                _ => {}
            }
        }
    }
    assert!(nameless * 50 < all && placeless * 50 < all, "{nameless} and {placeless} of {all}");
}
