//! What is left when a run is over, made into a [`Measurement`]: the timeline, and how far it can be trusted.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use sim_core::engine;
use sim_core::executor::Threads;
use sim_core::ids::{ProcessId, SyncId};
use sim_core::policy::on_linux::Realised;
use sim_core::scenario::{Op, Process, Protocol, Spec, SyncOp};
use sim_core::time::{Span, Time};
use sim_core::timeline::{Fate, Job, Timeline, What};

use crate::play::executor;
use crate::play::python::interpreter::Interpreter;
use crate::play::world::World;
use crate::prepare::{dispatched, libraries, machine};
use crate::record::deadlock;
use crate::record::event::{Asked, Await, Event, Held, Hold, Join, Leave, Left, Request, instant};
use crate::record::foreign::{self, Foreign};
use crate::record::holes::{self, Hole};
use crate::record::on_cpu::{self, Stay};
use crate::record::passages;
use crate::record::perf::Ring;
use crate::record::recorder::{Material, Story};
use crate::record::throttled::{self, Throttling};
use crate::{End, Measurement, Recorded, Rung};

/// Up to here a run fits into the share of a second that real-time threads may have.
const SAFE_LENGTH: u64 = 950_000_000;

/// A run that is over.
pub(crate) struct Remains {
    /// All that was written down.
    pub(crate) world: Arc<World>,
    /// The switch records of each processor.
    pub(crate) rings: Vec<(u32, Ring)>,
    /// How good the recorder was.
    pub(crate) rung: Rung,
    /// What has been noticed so far.
    pub(crate) notes: Vec<String>,
    /// How the run ended.
    pub(crate) how: End,
    /// When it started.
    pub(crate) start: u64,
    /// When it had to be over.
    pub(crate) deadline: u64,
    /// How long each processor had been busy before and after.
    pub(crate) busy: [BTreeMap<u32, u64>; 2],
    /// What the kernel counted of groups with quotas.
    pub(crate) throttled: Vec<Throttling>,
}

impl Remains {
    /// Makes the measurement.
    pub(crate) fn evaluate(mut self) -> Measurement {
        let mut stories: Vec<Story> =
            (0..self.world.instances().len()).map(|id| story(&self.world, id, self.start)).collect();
        if self.how == End::Deadlock && deadlock::spins(&self.world, &stories, self.start) {
            self.how = End::Livelock;
        }
        let end = match self.how {
            End::Horizon | End::TimeLimit => self.deadline,
            End::Completed | End::Deadlock | End::Livelock => stories.iter().map(last_stamp).fold(self.start, u64::max),
        };
        let kinds = self.world.scenario.syncs.iter().map(|object| object.kind).collect();
        let is_foreign = |(sync, library): (SyncId, &Option<_>)| {
            library.is_some() || libraries::is_of_python(&self.world.scenario, sync)
        };
        let foreign = self.world.libraries.pairs().map(is_foreign).collect();
        passages::order(&mut stories, &kinds, &foreign, end);
        // A worker that comes free because time is up may take up one task more.
        stories.iter_mut().filter(|story| story.begun > end).for_each(|story| story.begun = 0);
        let mut lost = u64::from(self.world.log.lost());
        let mut stays: Vec<Stay> = Vec::new();
        for (cpu, ring) in std::mem::take(&mut self.rings) {
            let (switches, lost_here) = ring.finish();
            lost += lost_here;
            stays.extend(on_cpu::stays(cpu, &switches, self.start, end));
        }
        let measured: BTreeSet<u32> = self.world.measured_threads().into_iter().collect();
        let by_thread = (self.rung <= Rung::OwnTree).then(|| by_thread(&stays, &measured));
        let cpus = &self.world.plan.cpus;
        let cast = engine::cast(&self.world.scenario);
        let (start, by_thread) = (self.start, by_thread.as_ref());
        let speed = self.world.plan.speed;
        let mut timeline = Material { cast, stories: &stories, stays: by_thread, cpus, start, end, speed }.timeline();
        timeline.jobs = jobs(self.world.take_jobs(), &timeline);
        if self.rung == Rung::CpuWide && !self.throttled.is_empty() {
            timeline.throttles = throttled::find(&self.world.scenario, &timeline, &stays, cpus, start);
        }
        let names = |cpu| self.world.processor_name(cpu);
        let foreign = if self.rung == Rung::CpuWide {
            foreign::from_stays(&stays, &measured, cpus, &names, end - start)
        } else {
            let ours = running(&timeline, cpus);
            let counted = foreign::from_counters(&self.busy[0], &self.busy[1], &ours, cpus, &names, end - start);
            // The counters are coarse: they miss a fiftieth of a second.
            let seen = by_thread.map(|stays| foreign::from_own_stays(stays, cpus, &names, end - start));
            counted.or_more(seen.unwrap_or_default())
        };
        let sees_holes = self.rung <= Rung::OwnTree && self.world.plan.class.is_some();
        let holes = if sees_holes { holes::find(&timeline, &stays, &measured, cpus, start) } else { Vec::new() };
        let burst_error = burst_error(&stories, &timeline);
        let explanation = self.explanation(&stories, end);
        let cut = matches!(self.how, End::Horizon | End::TimeLimit);
        let stuck = if cut { deadlock::find_stuck(&self.world, &stories, start, end) } else { None };
        let recorded = self.recorded(end - start, lost, foreign, holes, burst_error);
        Measurement { timeline, explanation, stuck, recorded }
    }

    /// Why the run ended as it did, if that has to be explained.
    fn explanation(&self, stories: &[Story], end: u64) -> Option<String> {
        match self.how {
            End::Completed | End::Horizon => None,
            End::Deadlock | End::Livelock => Some(deadlock::explain(&self.world, stories, self.start)),
            End::TimeLimit => {
                let limit = Span::from_ns(end - self.start);
                Some(format!(
                    "the time limit of a measurement, {limit}, ended the run; the scenario has no earlier horizon"
                ))
            }
        }
    }

    fn recorded(
        self,
        length: u64,
        lost: u64,
        foreign: Foreign,
        holes: Vec<Hole>,
        burst_error: Option<f64>,
    ) -> Recorded {
        let (world, board) = (&self.world, self.world.board());
        let threads = u32::try_from(world.measured_threads().len()).unwrap_or(u32::MAX);
        let clocks = board.page_clocks.load(Ordering::Relaxed);
        let (mut rung, mut notes) = (self.rung, self.notes);
        if rung <= Rung::PageClock && clocks < threads {
            notes.push(format!(
                "{} of {threads} threads had no page clock: their bursts are less exact",
                threads - clocks
            ));
            if rung == Rung::PageClock {
                rung = Rung::Gaps;
            }
        }
        notes.extend((lost > 0).then(|| format!("{lost} records were lost: parts of the timeline are missing")));
        if world.plan.class.is_some() && rung > Rung::OwnTree && length > SAFE_LENGTH {
            notes.push(
                "in a run of more than 0.95 s Linux puts real-time tasks off for ordinary threads, for up to 50 ms of \
                 each second: this recorder does not see where"
                    .into(),
            );
        }
        notes.extend(remarks(world));
        let misplaced = board.misplaced.load(Ordering::Relaxed);
        let placement = (misplaced > 0).then(|| not_placed(world.plan.cpus.len()));
        let hole = holes::warning(&holes, |place| world.processor_name(world.plan.cpus[place as usize]));
        let others = foreign.warnings.into_iter().chain(without_protocol(world));
        let (policy_realised, policy_reason) = realised(world);
        let policy = (policy_realised != Realised::Exact).then(|| policy_reason.clone());
        let warnings = placement.into_iter().chain(policy).chain(hole).chain(others).collect();
        Recorded {
            end: self.how,
            recorder: rung,
            executor: executor::describe(world),
            policy: world.plan.policy.clone(),
            class: world.dispatch.is_none().then_some(world.plan.ran),
            interpreters: interpreters(world),
            policy_realised,
            policy_reason,
            foreign_share: foreign.share,
            lost,
            kernel: machine::kernel_release(),
            processors: world.plan.cpus.clone(),
            placed: misplaced == 0,
            holes,
            groups: self.throttled,
            burst_error,
            starting: board.starting(),
            notes,
            warnings,
        }
    }
}

/// How near the policy that ran is to the one that was asked for, and why, in a sentence.
fn realised(world: &World) -> (Realised, String) {
    let World { scenario, plan, dispatch, .. } = world;
    match dispatch {
        Some(dispatch) => dispatched::judge(scenario, plan, dispatch.had_short_slices()),
        None => (plan.realised, plan.reason.clone()),
    }
}

/// The jobs as the timeline has their ends: the last of a task that has finished ends with it, heard of or not; and what ended
/// after the run has not.
fn jobs(mut jobs: Vec<Job>, timeline: &Timeline) -> Vec<Job> {
    jobs.sort_by_key(|job| (job.task, job.release));
    for index in 0..jobs.len() {
        let is_last = jobs.get(index + 1).is_none_or(|next| next.task != jobs[index].task);
        let job = &mut jobs[index];
        job.finish = match timeline.tasks[job.task].finish {
            Some(finish) if is_last => Some(finish),
            _ => job.finish.filter(|finish| *finish <= timeline.end),
        };
    }
    jobs.sort_by_key(|job| (job.finish.unwrap_or(Time::NEVER), job.release, job.task));
    jobs
}

/// That the threads ran wherever the system put them.
fn not_placed(processors: usize) -> String {
    let wanted = if processors == 1 { "the 1 processor".to_owned() } else { format!("the {processors} processors") };
    format!(
        "this system does not let threads be kept on {wanted} of the scenario (sched_setaffinity is refused): they ran \
         on any, and the times tell nothing of the scenario"
    )
}

/// What people should know of the way executors and devices were realised.
fn remarks(world: &World) -> Vec<String> {
    let scenario = &world.scenario;
    let mut remarks = Vec::new();
    let rounds = |process: &Process| executor::of(process).is_some_and(|it| it.rounds_timers());
    let exact = |process: &Process| process.executor.timers.step != Span::from_ms(1);
    if scenario.processes.iter().any(|process| rounds(process) && exact(process)) {
        remarks.push(
            "tokio rounds timers up to whole milliseconds: what is waited for ends up to 2 ms late; with \
             rules = \"tokio-1.54\" the simulation does so too"
                .into(),
        );
    }
    for (id, process) in scenario.processes.pairs().filter(|(_, process)| !process.executor.own_rules.is_empty()) {
        let real = executor::describe_process(world, id);
        remarks.push(format!(
            "the executor of `{}` was measured without what the scenario says of its {}: it was {}, with its own rules",
            process.name,
            process.executor.own_rules.join(", "),
            real.unwrap_or_default()
        ));
    }
    remarks.extend(other_versions(world));
    let stood_in = scenario.devices.pairs().filter(|(device, _)| world.counters.stand_for(*device));
    let stood_in: Vec<&str> = stood_in.map(|(_, device)| device.name.as_str()).collect();
    if !stood_in.is_empty() {
        remarks.push(format!(
            "threads stood in for devices ({}): who waits for one goes on some 0.1 ms late",
            stood_in.join(", ")
        ));
    }
    for (object, library) in scenario.syncs.iter().zip(&world.libraries) {
        if let Some(library) = library {
            remarks.push(format!("the {} `{}` was a {}", object.kind.word(), object.name, library.name));
        }
    }
    if are_thread_groups(scenario) {
        remarks.push(
            "processes of the scenario were thread groups of one process, apart from executor `processes`".into(),
        );
    }
    for process in &scenario.processes {
        let workers = process.executor.workers as usize;
        let has_workers = process.executor.kind.threads == sim_core::executor::Threads::Workers;
        let in_python = process.runtime.cpython().is_some();
        if has_workers && !in_python && executor::is_pinned(workers, world.plan.cpus.len()) {
            remarks.push(format!("each worker of `{}` had a processor of its own", process.name));
        }
    }
    remarks
}

/// By which rules the interpreters behave that ran.
fn interpreters(world: &World) -> Vec<(String, String)> {
    let ran = |(id, interpreter): (ProcessId, &Option<Arc<Interpreter>>)| {
        let process = &world.scenario.processes[id];
        let rules = interpreter.as_ref().filter(|_| process.part.is_none()).map(|interpreter| interpreter.rules());
        Some((process.name.clone(), rules?))
    };
    world.plan.interpreters.pairs().filter_map(ran).collect()
}

/// Which interpreters ran that are of another version than the rules by which their processes are simulated.
fn other_versions(world: &World) -> Vec<String> {
    let mut remarks = Vec::new();
    for (id, interpreter) in world.plan.interpreters.pairs() {
        let (process, Some(interpreter)) = (&world.scenario.processes[id], interpreter) else { continue };
        // A pool is in the interpreter of its process.
        let rules = process.executor.rules.filter(|_| process.part.is_none());
        if let Some(rules) = rules.filter(|rules| *rules != interpreter.rules()) {
            let (name, ran) = (&process.name, interpreter.name());
            let lock = match (interpreter.locked, rules.ends_with('t')) {
                (true, true) => {
                    "; there the interpreter lock is, which these rules have not: only a free-threaded Python (python3.13t) runs by them"
                }
                (false, false) => "; it has no interpreter lock, and these rules have one",
                _ => "",
            };
            remarks.push(format!("`{name}` ran in {ran}, and its executor is simulated by the rules {rules}{lock}"));
        }
    }
    remarks
}

/// Are there several processes that are none, except in what they share?
fn are_thread_groups(scenario: &sim_core::scenario::Scenario) -> bool {
    let together = |process: &Process| process.executor.kind.threads != Threads::ProcessPerTask;
    let wholes = || scenario.processes.iter().filter(|process| process.part.is_none());
    wholes().count() > 1 && wholes().any(together)
}

/// Who runs without being lent urgency although the scenario says so.
fn without_protocol(world: &World) -> Option<String> {
    let scenario = &world.scenario;
    let lending = scenario.syncs.pairs().filter(|(_, object)| object.protocol != Protocol::None);
    let locks: BTreeSet<SyncId> = lending.map(|(id, _)| id).collect();
    if locks.is_empty() {
        return None;
    }
    let names = locks.iter().map(|lock| scenario.syncs[*lock].name.as_str()).collect::<Vec<_>>().join(", ");
    if !world.plan.lends {
        let policy = &world.plan.policy;
        return Some(format!(
            "locks ({names}) were without their protocol: urgency can be lent only where the policy goes by it, in a \
             real-time class or by a dispatcher, and this was {policy}"
        ));
    }
    let uses = |op: &Op| matches!(op, Op::Sync(SyncOp::Lock(lock)) if locks.contains(lock));
    let alone = |spec: &&Spec| {
        let executor = executor::of(&scenario.processes[spec.process]);
        !executor.is_some_and(|executor| executor.has_thread_per_task())
    };
    let unlent = scenario.specs.iter().filter(alone).find(|spec| spec.program.ops.iter().any(uses))?;
    let process = &scenario.processes[unlent.process].name;
    Some(format!(
        "tasks of `{process}` were without the protocol of locks ({names}): they have no threads of their own to lend \
         a priority to"
    ))
}

/// What one instance did.
fn story(world: &World, id: usize, start: u64) -> Story {
    let instance = world.instance(id);
    let (spec, number) = world.identity(id);
    let arrival = if id < world.fixed() { start + world.offset(id) } else { instance.arrival.load(Ordering::Relaxed) };
    Story {
        spec: spec.0,
        instance: number,
        arrival,
        comes_after: !world.scenario.specs[spec].after.is_empty(),
        released: instance.released.load(Ordering::Relaxed),
        begun: instance.begun.load(Ordering::Relaxed),
        finish: instance.finish.load(Ordering::Relaxed),
        fate: Fate::numbered(instance.fate.load(Ordering::Relaxed)),
        is_guest: world.is_given_back(id),
        process: world.process_started_for(id),
        started: world.started(id),
        events: complete(world, id, world.log.read(&instance.diary)),
    }
}

/// The run may have ended when the instance had been given what it waited for, but could not write that down.
fn complete(world: &World, id: usize, mut events: Vec<Event>) -> Vec<Event> {
    let waiter = world.objects.waiter(id);
    let [noticed, granted] = [&waiter.noticed, &waiter.granted].map(|at| instant(at.load(Ordering::Relaxed)));
    // Or it had been let go without, and could not write that down.
    let left = waiter.left();
    let gone = |what| left.map(|(at, asked)| Event::from(Leave { what, asked, at }));
    let open = events.iter_mut().rev().take_while(|event| left.is_none() && !matches!(event, Event::Leave(_)));
    open.filter_map(Event::asked_mut).filter(|asked| asked.had.is_none()).for_each(|asked| asked.had = granted);
    match events.last_mut() {
        Some(Event::Request(request @ Request { ended: None, .. })) => {
            let ticket = world.counters.ticket(id);
            [request.began, request.ended] =
                [&ticket.began, &ticket.ended].map(|at| instant(at.load(Ordering::Relaxed)));
            let Request { device, asked, ended, .. } = *request;
            let asked = waiter.began().unwrap_or(asked);
            let leave = ticket.left(device).zip(ended).map(|(what, at)| Leave { what, asked, at });
            events.push(ticket.served().into());
            events.extend(leave.map(Event::from));
        }
        Some(Event::Await(waits @ Await { noticed: None, .. })) => {
            waits.noticed = noticed;
            let condvar = waits.condvar;
            events.extend(gone(Left::Turn(condvar)));
            let lock = noticed.map(|at| Asked { sync: waiter.lock(), at, had: granted });
            events.extend(lock.map(|asked| Event::from(Hold { what: Held::Alone, asked, given_back: None })));
        }
        Some(Event::Join(join @ Join { ended: None, .. })) => {
            join.ended = left.map(|(at, _)| at);
            events.extend(gone(Left::Children(None)));
        }
        Some(event) => {
            let sync = event.asked().filter(|asked| asked.had.is_none()).map(|asked| asked.sync);
            events.extend(sync.and_then(|sync| gone(Left::Turn(sync))));
        }
        None => {}
    }
    events
}

/// The last time at which something happened to an instance.
fn last_stamp(story: &Story) -> u64 {
    let last = |event: &Event| event.start().max(event.burst().map_or(0, |burst| burst.end));
    story.events.iter().map(last).fold(story.finish.max(story.begun), u64::max)
}

/// The stays of the measured threads, for each in the order of time.
fn by_thread(stays: &[Stay], measured: &BTreeSet<u32>) -> BTreeMap<u32, Vec<Stay>> {
    let mut by_thread: BTreeMap<u32, Vec<Stay>> = BTreeMap::new();
    for stay in stays.iter().filter(|stay| measured.contains(&stay.tid)) {
        by_thread.entry(stay.tid).or_default().push(*stay);
    }
    by_thread.values_mut().for_each(|stays| stays.sort_by_key(|stay| stay.start));
    by_thread
}

/// How long the tasks ran on each processor, by the kernel's numbers.
fn running(timeline: &Timeline, cpus: &[u32]) -> BTreeMap<u32, u64> {
    let mut running = BTreeMap::new();
    for interval in &timeline.intervals {
        *running.entry(cpus[interval.cpu.0 as usize]).or_default() += (interval.end - interval.start).ns();
    }
    running
}

/// By how much the recorded running time exceeds what the bursts believe to have used, as a share of it.
#[expect(clippy::cast_precision_loss, reason = "a share is not exact")]
fn burst_error(stories: &[Story], timeline: &Timeline) -> Option<f64> {
    let bursts = stories.iter().flat_map(|story| &story.events).filter_map(Event::burst);
    let believed: u64 = bursts.map(|burst| burst.used).sum();
    let runs = timeline.intervals.iter().filter(|interval| interval.what == What::Run);
    let running: Span = runs.map(|interval| interval.end - interval.start).sum();
    (believed > 0).then(|| running.ns() as f64 / believed as f64 - 1.0)
}
