//! Can the scenario be run for real, in reasonable time, without harm to the machine? Asked before anything starts.

use sim_core::ids::SpecId;
use sim_core::program::{Cursor, Step, program_stream};
use sim_core::scenario::{Op, Scenario, Speed, Terms};
use sim_core::time::{Span, Time};

use crate::play::executor;
use crate::play::library::Object;
use crate::play::world::arrivals;
use crate::prepare::unmeasurable::Unmeasurable;
use crate::prepare::{groups, libraries, machine, python};

/// More threads than this are not started.
const MAX_THREADS: usize = 10_000;

/// More processes than this are not started.
const MAX_PROCESSES: usize = 2_000;

/// So many operations of one instance are looked at to find out how long it takes.
const MAX_STEPS: u32 = 1_000_000;

/// And so many of all together: what has not been looked at counts as nothing.
const MAX_STEPS_TOGETHER: u32 = 20_000_000;

/// Says what is in the way of running `scenario` for real within `limit`.
pub(crate) fn check(scenario: &Scenario, limit: Span) -> Result<(), Unmeasurable> {
    executors(scenario)?;
    gives_up(scenario)?;
    spawns(scenario)?;
    machine::processors(scenario)?;
    groups::check(scenario)?;
    libraries::check(scenario)?;
    Unmeasurable::together(python::obstacles(scenario))?;
    let endless = |op: &Op| matches!(op, Op::Again { forever: true, .. });
    let until = scenario.until.map(|until| until - Time::ZERO);
    if until.is_none() && scenario.specs.iter().any(|spec| spec.program.ops.iter().any(endless)) {
        return Err(Unmeasurable::endless());
    }
    let least =
        until.map_or_else(|| least_duration(scenario, limit), |until| until.min(least_duration(scenario, until)));
    if least > limit { Err(Unmeasurable::too_long(least, limit)) } else { Ok(()) }
}

fn executors(scenario: &Scenario) -> Result<(), Unmeasurable> {
    let (mut threads, mut processes) = (0, 0);
    for (id, process) in scenario.processes.pairs() {
        let kind = process.executor.kind;
        if let Some(elsewhere) = kind.elsewhere {
            return Err(Unmeasurable::elsewhere(kind.name, elsewhere));
        }
        if process.runtime.cpython().is_none()
            && process.executor.gil.is_some()
            && kind.threads != sim_core::executor::Threads::PerTask
        {
            return Err(Unmeasurable::locked(&process.name, kind.name));
        }
        let executor = executor::of(process).ok_or_else(|| Unmeasurable::unknown_executor(kind.name))?;
        let specs = scenario.specs.iter().filter(|spec| spec.process == id);
        let tasks: usize = specs.map(|spec| spec.count as usize).sum();
        match kind.threads {
            sim_core::executor::Threads::ProcessPerTask => processes += tasks,
            _ if executor.has_thread_per_task() => threads += tasks,
            sim_core::executor::Threads::Workers => threads += process.executor.workers as usize,
            _ => threads += 1,
        }
    }
    if threads > MAX_THREADS {
        return Err(Unmeasurable::too_many_threads(threads, MAX_THREADS, "threads"));
    }
    if processes > MAX_PROCESSES {
        return Err(Unmeasurable::too_many_threads(processes, MAX_PROCESSES, "processes"));
    }
    Ok(())
}

/// At some objects of libraries who waits does so for as long as it takes. (Of which there is no real one is refused anyhow.)
fn gives_up(scenario: &Scenario) -> Result<(), Unmeasurable> {
    for spec in &scenario.specs {
        for pair in spec.program.ops.windows(2) {
            let [Op::Attempt(Terms { within, .. }), Op::Sync(op)] = pair else { continue };
            let object = &scenario.syncs[op.object()];
            let real = Object::of(object).filter(|_| *within != Terms::FOR_EVER);
            if let Some((real, why)) = real.and_then(|real| Some((real.name, real.keeps(*op, *within)?))) {
                return Err(Unmeasurable::waits_for_ever(&spec.name, object, real, why));
            }
        }
    }
    scenario.specs.ids().try_for_each(|id| is_dropped(scenario, id))
}

/// Who is dropped leaves whatever it waits for, as far as that lets it.
fn is_dropped(scenario: &Scenario, id: SpecId) -> Result<(), Unmeasurable> {
    let spec = &scenario.specs[id];
    for op in spec.program.ops.iter().filter(|_| scenario.may_be_dropped(id)) {
        let Op::Sync(op) = op else { continue };
        let object = &scenario.syncs[op.object()];
        let real = Object::of(object).filter(|_| !op.lets_go());
        if let Some((real, why)) = real.and_then(|real| Some((real.name, real.keeps(*op, Span::from_ms(1))?))) {
            return Err(Unmeasurable::drops(&spec.name, object, real, why));
        }
    }
    Ok(())
}

/// A child process cannot start a task of another process: its executor lives elsewhere.
fn spawns(scenario: &Scenario) -> Result<(), Unmeasurable> {
    for spec in &scenario.specs {
        let executor = &scenario.processes[spec.process].executor;
        let kind = executor.kind;
        let mut calls =
            spec.program.ops.iter().filter_map(|op| if let Op::Spawn(called) = op { Some(*called) } else { None });
        let gives_back = |called: &SpecId| scenario.processes[scenario.specs[*called].process].executor.gives_back();
        if executor.gil.is_some()
            && let Some(called) = calls.find(gives_back)
        {
            return Err(Unmeasurable::runs_under_lock(&spec.name, &scenario.specs[called].name));
        }
        if kind.threads != sim_core::executor::Threads::ProcessPerTask {
            continue;
        }
        for op in &spec.program.ops {
            if let Op::Spawn(spawned) = op
                && scenario.specs[*spawned].process != spec.process
            {
                return Err(Unmeasurable::spawn_out_of_process(&spec.name, &scenario.specs[*spawned].name));
            }
        }
    }
    Ok(())
}

/// A lower bound of how long the run takes, looked for up to a little more than `enough`.
fn least_duration(scenario: &Scenario, enough: Span) -> Span {
    let processors = scenario.machine.processors.len().max(1) as u64;
    let (mut work, mut longest) = (Span::ZERO, Span::ZERO);
    let mut steps = MAX_STEPS_TOGETHER;
    for spec in scenario.specs.ids() {
        for (instance, arrival) in (0..).zip(arrivals(scenario, spec)) {
            let (own_work, own_time) = demand(scenario, spec, instance, enough, &mut steps);
            let periodic = scenario.specs[spec].attributes.periodic.as_ref();
            // Those of a task that goes on and on are cut off by the horizon.
            let jobs = periodic.map_or(1, |periodic| periodic.jobs.unwrap_or(1));
            let before = periodic.map_or(Span::ZERO, |periodic| periodic.period * (jobs - 1));
            work += own_work * jobs;
            longest = longest.max((arrival - Time::ZERO) + before + own_time);
            if longest.max(Span::from_ns(work.ns() / processors)) > enough {
                return longest.max(Span::from_ns(work.ns() / processors));
            }
        }
    }
    longest.max(Span::from_ns(work.ns() / processors))
}

/// The processor time of an instance, and the time it takes if nothing is in its way.
/// `steps` is how many operations may still be looked at.
fn demand(scenario: &Scenario, spec: SpecId, instance: u32, enough: Span, steps: &mut u32) -> (Span, Span) {
    let program = &scenario.specs[spec].program;
    let speed = scenario.machine.processors.iter().next().map_or(Speed::ONE, |processor| processor.speed);
    let mut cursor = Cursor::new(program);
    let (mut work, mut time) = (Span::ZERO, Span::ZERO);
    for _ in 0..MAX_STEPS.min(*steps) {
        *steps -= 1;
        match cursor.step(program, || program_stream(scenario, spec, instance)) {
            Step::Cpu(burst) => {
                work += speed.time_for(burst);
                time += speed.time_for(burst);
            }
            Step::Io { service: length, .. } | Step::Sleep(length) => time += length,
            Step::End(_) => break,
            // What comes next is known only when it has come to that.
            Step::Test => break,
            Step::Turn => time += cursor.turn(program, Time::ZERO + time),
            Step::Yield | Step::Sync(_) | Step::Spawn(_) | Step::Join(_) | Step::Attempt(_) | Step::Around => {}
            Step::Set(..) | Step::Add(..) => {}
        }
        if time > enough {
            break;
        }
    }
    (work, time)
}
