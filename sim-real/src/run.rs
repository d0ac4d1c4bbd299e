//! One run from beginning to end, seen from the thread that controls it.
//!
//! Everything is made ready first: recorders, executors, their threads, each settled. Then one instant is announced,
//! soon but not now, at which everything starts. While the run is on, the control thread starts what arrives, and looks
//! now and then whether anything still moves. It never waits for a measured thread, so a scenario that hangs ends.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use sim_core::scenario::Scenario;

use crate::play::device;
use crate::play::dispatch;
use crate::play::executor::{self, Crew};
use crate::play::world::{Starter, World};
use crate::prepare::feasible;
use crate::prepare::machine::Plan;
use crate::prepare::start;
use crate::prepare::unmeasurable::Unmeasurable;
use crate::record::evaluate::Remains;
use crate::record::foreign;
use crate::record::perf::{Ring, Watch};
use crate::sys;
use crate::{End, Measurement, Options, Rung};

/// How often the control thread looks at a run in which nothing is due.
const LOOK: u64 = 50_000_000;

/// So long an interpreter is watched after the end of a run in which all seem to wait for each other.
const CERTAINTY: u64 = 400_000_000;

/// Who has not come to an end so long after that of the run is stuck.
const PATIENCE: u64 = 500_000_000;

/// So many child processes it looks at then, others the next time.
const LOOKED_AT: usize = 64;

/// Two runs at once would disturb each other.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// Runs `scenario` for real, once.
pub(crate) fn measure(scenario: &Scenario, options: &Options) -> Result<Measurement, Unmeasurable> {
    feasible::check(scenario, options.time_limit)?;
    let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    // A thread of its own: its placement and what it watches end with it.
    let control = thread::scope(|scope| {
        let thread = thread::Builder::new().name("control".into());
        let thread = thread.spawn_scoped(scope, || Run::prepare(scenario, options)?.go(options));
        let thread = thread.map_err(|error| Unmeasurable::system("start a thread", &error))?;
        Ok(thread.join())
    })?;
    control.unwrap_or_else(|_| Err(Unmeasurable::failed("the run broke off")))
}

/// Why a run has no end worth telling of.
enum Cut {
    /// The process of this instance has died.
    Lost(usize),
    /// It was asked to end.
    Interrupted,
}

/// A run that is ready to start.
struct Run {
    world: Arc<World>,
    rings: Vec<(u32, Ring)>,
    rung: Rung,
    notes: Vec<String>,
    crews: Vec<JoinHandle<Result<(), Unmeasurable>>>,
}

impl Run {
    fn prepare(scenario: &Scenario, options: &Options) -> Result<Run, Unmeasurable> {
        let plan = Plan::new(scenario, options)?;
        let mut notes = plan.notes.clone();
        let in_python = plan.interpreters.iter().any(Option::is_some);
        plan.place_control();
        let (rung, rings) = open_rings(&plan.cpus, options.best_recorder, in_python, &mut notes);
        let world =
            World::new(scenario, plan).map_err(|error| Unmeasurable::system("get memory for the run", &error))?;
        let mut run = Run { world: Arc::new(world), rings, rung, notes, crews: Vec::new() };
        match run.stand_in(scenario).and_then(|()| run.muster(scenario)) {
            Ok(()) => Ok(run),
            Err(reason) => {
                run.world.end(0);
                run.dismiss();
                Err(reason)
            }
        }
    }

    /// Starts the threads that stand in for devices, the one that sees who gives up, and the one that dispatches.
    fn stand_in(&mut self, scenario: &Scenario) -> Result<(), Unmeasurable> {
        for device in scenario.devices.ids().filter(|device| device::needs_server(scenario, *device)) {
            self.stands_in("device", move |world| {
                world.plan.place_control();
                device::serve(world, device);
            })?;
        }
        if scenario.gives_up() {
            self.stands_in("watch", |world| {
                world.plan.place_control();
                world.watches();
            })?;
        }
        if self.world.dispatch.is_some() {
            self.stands_in("dispatcher", |world| {
                world.plan.place_dispatcher();
                world.dispatch.iter().for_each(|dispatch| dispatch::run(world, dispatch));
            })?;
        }
        Ok(())
    }

    /// Starts a thread of ours that is there for the measured ones.
    fn stands_in(&mut self, name: &str, does: impl FnOnce(&World) + Send + 'static) -> Result<(), Unmeasurable> {
        let world = Arc::clone(&self.world);
        let thread = thread::Builder::new().name(name.into()).spawn(move || {
            sys::set_exact_timers();
            does(&world);
            Ok(())
        });
        self.crews.push(thread.map_err(|error| Unmeasurable::system("start a thread", &error))?);
        Ok(())
    }

    /// Starts the executors, one after the other, and waits until each is ready.
    fn muster(&mut self, scenario: &Scenario) -> Result<(), Unmeasurable> {
        let mut starters = Vec::new();
        let mut order = 0;
        for (process, described) in scenario.processes.pairs() {
            if described.part.is_some() && described.runtime.cpython().is_some() {
                // The interpreter of whoever has it starts what is done there.
                starters.push(Box::new(|_| {}) as Starter);
                continue;
            }
            let (is_ready, ready) = flume::unbounded();
            let name = described.executor.kind.name;
            let executor = executor::of(described).ok_or_else(|| Unmeasurable::unknown_executor(name))?;
            let mut tasks: Vec<usize> = (0..self.world.fixed())
                .filter(|id| scenario.specs[self.world.identity(*id).0].process == process)
                .collect();
            tasks.sort_by_key(|id| self.world.offset(*id));
            let failed = is_ready.clone();
            let crew = Crew { world: Arc::clone(&self.world), process, tasks, order, is_ready };
            let thread = thread::Builder::new().name("crew".into()).spawn(move || {
                crew.world.plan.place_control();
                let result = executor.run(&crew);
                if let Err(reason) = &result {
                    let _ = failed.send(Err(reason.clone()));
                }
                result
            });
            self.crews.push(thread.map_err(|error| Unmeasurable::system("start a thread", &error))?);
            let (_, starter) =
                ready.recv().map_err(|_| Unmeasurable::failed(format!("the executor `{name}` broke off")))??;
            starters.push(starter);
            order = self.world.measured_threads().len();
        }
        self.world.set_starters(starters);
        Ok(())
    }

    /// Starts, waits for the end, and makes a measurement of what was recorded.
    fn go(mut self, options: &Options) -> Result<Measurement, Unmeasurable> {
        let world = Arc::clone(&self.world);
        touch(&world.plan.cpus);
        let busy_before = foreign::busy_times();
        let threads = world.measured_threads().len();
        let start = start::instant(threads, world.plan.naive_start);
        let horizon = world.scenario.until.map(|until| start + until.ns());
        let deadline = horizon.unwrap_or(u64::MAX).min(start + options.time_limit.ns());
        world.announce_start(start, deadline);
        let alike = (!world.plan.naive_start).then_some(start);
        if let Some(Err(reason)) = world.plan.groups.as_ref().map(|groups| groups.limit(&world.scenario, alike)) {
            world.end(sys::now());
            self.dismiss();
            return Err(reason);
        }
        let watched = self.watch(start, deadline, options.interrupted);
        // Before the processes are told to end; of all, because not every look looks at everybody.
        let lost = world.lost_process(0..world.instances().len());
        let stopped = world.stopped_process();
        world.end(sys::now());
        let busy_after = foreign::busy_times();
        let throttled = world.plan.groups.as_ref().map_or(Vec::new(), |groups| groups.lift(&world.scenario));
        let failures = self.dismiss();
        touch(&world.plan.cpus);
        let (end, lost) = match watched {
            Ok(end) => (end, lost),
            Err(Cut::Lost(id)) => (End::TimeLimit, Some(id)),
            Err(Cut::Interrupted) => return Err(Unmeasurable::interrupted()),
        };
        worth_something(&world, lost, stopped, &failures)?;
        let Run { world, rings, rung, notes, .. } = self;
        let end = match end {
            // An interpreter says later that it is done than its tasks are.
            End::Horizon | End::Deadlock if world.all_finish_by(deadline) => End::Completed,
            End::Horizon if horizon != Some(deadline) => End::TimeLimit,
            end => end,
        };
        let busy = [busy_before, busy_after];
        Ok(Remains { world, rings, rung, notes, how: end, start, deadline, busy, throttled }.evaluate())
    }

    /// Starts what arrives until everything is done, nothing can happen any more, or time is up; or until something cuts
    /// the run short.
    fn watch(&mut self, start: u64, deadline: u64, interrupted: fn() -> bool) -> Result<End, Cut> {
        let world = Arc::clone(&self.world);
        let board = world.board();
        let mut arrivals = later_arrivals(&world);
        let mut next_look = start + LOOK;
        let (mut progress, mut looks) = (0, 0);
        loop {
            let heard = board.bell.load(Ordering::SeqCst);
            let now = sys::now();
            while let Some((_, id)) = arrivals.pop_if(|(offset, _)| start + *offset <= now) {
                world.arrive(id);
            }
            world.release_pending();
            world.answer_rings();
            if board.unfinished.load(Ordering::SeqCst) == 0 || board.refused.load(Ordering::SeqCst) > 0 {
                return Ok(End::Completed);
            }
            if now >= deadline {
                return Ok(if comes_to_rest(&world, start, deadline) { End::Deadlock } else { End::Horizon });
            }
            if interrupted() {
                return Err(Cut::Interrupted);
            }
            if now >= next_look {
                next_look = now + LOOK;
                self.rings.iter_mut().for_each(|(_, ring)| ring.drain(0.3));
                let before = std::mem::replace(&mut progress, board.progress.load(Ordering::SeqCst));
                let instances = world.instances().len();
                let some = (0..instances.min(LOOKED_AT)).map(|place| (looks * LOOKED_AT + place) % instances);
                if let Some(lost) = world.lost_process(some) {
                    return Err(Cut::Lost(lost));
                }
                looks += 1;
                if progress == before && world.stands_still(start, now) {
                    return Ok(End::Deadlock);
                }
            }
            let next_arrival = arrivals.last().map_or(u64::MAX, |(offset, _)| start + *offset);
            sys::futex_wait(&board.bell, heard, next_look.min(next_arrival).min(deadline));
        }
    }

    /// Waits until all executors have come to their end; says what went wrong there. Nobody can be taken out of the lock of
    /// a library: who waits there for one who waits there, too, is stuck until this process ends.
    fn dismiss(&mut self) -> Vec<Unmeasurable> {
        let mut failures = Vec::new();
        let patience = if self.world.has_libraries() { sys::now() + PATIENCE } else { u64::MAX };
        for crew in self.crews.drain(..) {
            while !crew.is_finished() && sys::now() < patience {
                // Again and again: a thread may just have been about to wait.
                self.world.wake_all();
                self.world.free_libraries();
                sys::sleep_until(sys::now() + 1_000_000);
            }
            if !crew.is_finished() {
                continue;
            }
            match crew.join() {
                Ok(Ok(())) => {}
                Ok(Err(reason)) => failures.push(reason),
                Err(_) => failures.push(Unmeasurable::failed("an executor broke off")),
            }
        }
        failures
    }
}

/// Time is up. Can nothing ever happen again? That may have come about between two looks. Interpreters go on until they are
/// ended, and have to be watched for a while before it is certain, unless somebody moves.
fn comes_to_rest(world: &World, start: u64, deadline: u64) -> bool {
    loop {
        let is_still = world.stands_still(start, deadline);
        if is_still || sys::now() > deadline + CERTAINTY || !world.may_stand_still_elsewhere(start, deadline) {
            return is_still;
        }
        sys::sleep_until(sys::now() + LOOK / 10);
    }
}

/// Fails if something went so wrong that the run tells nothing: a process died or was stopped, an executor failed, or
/// a task could not be started.
fn worth_something(
    world: &World,
    lost: Option<usize>,
    stopped: Option<usize>,
    failures: &[Unmeasurable],
) -> Result<(), Unmeasurable> {
    if let Some(id) = lost {
        return Err(Unmeasurable::process_died(&world.name_of(id)));
    }
    if let Some(id) = stopped {
        return Err(Unmeasurable::process_stopped(&world.name_of(id)));
    }
    if let Some(first) = failures.first() {
        let reasons: Vec<&str> = failures.iter().map(|failure| failure.reason.as_str()).collect();
        return Err(Unmeasurable { reason: reasons.join("; "), ..first.clone() });
    }
    if world.plan.groups.as_ref().is_some_and(|groups| !groups.hold_all()) {
        return Err(Unmeasurable::failed("a thread could not be put into its control group"));
    }
    if world.board().unstarted.load(Ordering::SeqCst) > 0 {
        return Err(Unmeasurable::unstarted());
    }
    if world.board().refused.load(Ordering::SeqCst) > 0 {
        return Err(Unmeasurable::too_much_spawned(world.capacity() - world.fixed()));
    }
    Ok(())
}

/// Starts recording switches on all `cpus`, as well as is permitted and wanted.
fn open_rings(cpus: &[u32], best: Rung, in_python: bool, notes: &mut Vec<String>) -> (Rung, Vec<(u32, Ring)>) {
    for (rung, watch) in [(Rung::CpuWide, Watch::Everybody), (Rung::OwnTree, Watch::OwnTree)] {
        if rung < best {
            continue;
        }
        match cpus.iter().map(|cpu| Ok((*cpu, Ring::start(watch, *cpu)?))).collect::<std::io::Result<Vec<_>>>() {
            Ok(rings) => return (rung, rings),
            Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => notes.push(format!(
                "the recorder `{}` takes root, CAP_PERFMON or a lower kernel.perf_event_paranoid",
                rung.name()
            )),
            Err(error) => notes.push(format!("the recorder `{}` cannot be used: {error}", rung.name())),
        }
    }
    // What interpreters do at a page that the kernel writes is not worth its price.
    let best = if in_python { Rung::Gaps } else { best };
    (best.max(Rung::PageClock), Vec::new())
}

/// Makes every processor switch once, so that it has at least one record: who never leaves is not seen otherwise.
fn touch(cpus: &[u32]) {
    let visit = || {
        for cpu in cpus {
            if sys::set_affinity(&[*cpu]).is_ok() {
                sys::sleep_until(sys::now() + 50_000);
            }
        }
    };
    thread::scope(|scope| {
        // Without it there is a warning about a processor without records, if there are none.
        let _ = thread::Builder::new().name("visitor".into()).spawn_scoped(scope, visit);
    });
}

/// The instances that must be started when they arrive, the last one first.
fn later_arrivals(world: &World) -> Vec<(u64, usize)> {
    let by_itself = |id: &usize| {
        let spec = &world.scenario.specs[world.identity(*id).0];
        let process = &world.scenario.processes[spec.process];
        let has_thread = executor::of(process).is_some_and(|executor| executor.has_thread_per_task());
        !has_thread && !executor::arrives_at_start(world, *id)
    };
    let mut arrivals: Vec<_> = (0..world.fixed()).filter(by_itself).map(|id| (world.offset(id), id)).collect();
    arrivals.sort_unstable_by(|a, b| b.cmp(a));
    arrivals
}
