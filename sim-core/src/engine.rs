//! The engine: from a [`Scenario`] to a timeline, deterministically.
//!
//! [`simulate`] runs from instant to instant: all events of an instant are applied in the order that the scenario
//! format writes down, then processors are dispatched once, in their order; what takes no time happens in the same
//! instant, and both repeat until it is settled. Every processor has one deadline in a tournament tree, and every periodic
//! instance one release; arrivals, timers and services are in one heap. Nothing is ever cancelled, and idle processors cost
//! nothing.
//!
//! Deadlock, livelock and the horizon are results with an explanation, not failures. A run that reaches its horizon may
//! hold a deadlock of some of its tasks.

mod aborting;
mod agenda;
mod arrivals;
mod attempts;
mod budgets;
mod cache;
mod continuing;
mod costs;
mod deadlines;
mod depleted;
mod depleting;
mod devices;
mod effort;
mod ending;
mod explain;
mod family;
mod giving_up;
mod guests;
mod interpreters;
mod jobs;
mod joints;
mod kernel;
mod lending;
mod loans;
mod members;
mod objects;
mod operations;
mod processors;
mod quotas;
mod ranks;
mod ready;
mod releases;
mod runtime;
mod runtimes;
mod scene;
mod servers;
mod serving;
mod shielding;
mod shields;
mod spawn;
mod spinning;
mod starters;
mod state;
mod step;
mod stuck;
mod sync;
mod task;
mod thread;
mod throttling;
mod tournament;
mod turn_over;
mod unseen;
mod world;

use std::sync::Arc;

use self::starters::Starting;
pub use self::stuck::Stuck;
use self::task::State;
use self::unseen::{Hidden, Unseen};
use self::world::World;
use crate::executor::Threads;
use crate::ids::SyncId;
use crate::policy::Setup;
use crate::scenario::{Caller, Executor, Op, Process, Protocol, Scenario, Spec, SyncObject, Way};
use crate::time::{Span, Time};
use crate::timeline::{Awaited, Cast, Cause, DeviceName, Left, Recorder, Runtime, SpecName, SyncName};

/// How a run ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ending {
    /// In which way.
    pub end: End,
    /// When.
    pub at: Time,
    /// Why, in words, if it did not simply complete.
    pub explanation: Option<String>,
    /// Who could never have gone on, if the run was cut at its horizon while others lived.
    pub stuck: Option<Stuck>,
}

/// The ways a run can end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum End {
    /// All tasks have finished.
    Completed,
    /// The horizon was reached.
    Horizon,
    /// Tasks are left, and nothing will ever happen again.
    Deadlock,
    /// An instant does not settle.
    Livelock,
    /// Somebody who listened wanted no more: [`Recorder::wants_more`].
    Interrupted,
}

/// The horizon of a scenario that names none. No duration is longer, so nothing that is still to come overflows.
const END_OF_TIME: Time = Time::from_ns(Span::MAX.ns());

impl End {
    /// Its name in the outcome.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            End::Completed => "completed",
            End::Horizon => "horizon",
            End::Deadlock => "deadlock",
            End::Livelock => "livelock",
            End::Interrupted => "interrupted",
        }
    }
}

/// Runs a scenario, telling the recorder everything that happens.
pub fn simulate<R: Recorder>(scenario: &Scenario, recorder: &mut R) -> Ending {
    simulate_as(scenario, &Arc::new(cast(scenario)), recorder)
}

/// [`simulate`] for many runs of one scenario: the names are prepared once, by [`cast`].
pub fn simulate_as<R: Recorder>(scenario: &Scenario, cast: &Arc<Cast>, recorder: &mut R) -> Ending {
    recorder.begin(cast);
    let Some(all) = starters::with_parents(scenario) else { return run(scenario, None, recorder) };
    let count = (all.specs.len() - scenario.specs.len()) as u32;
    let tasks = Hidden { from: scenario.specs.iter().map(|spec| spec.count).sum(), count };
    let own_threads = |process: &Process| process.executor.own_threads().unwrap_or(0);
    let threads = Hidden { from: scenario.processes.iter().map(own_threads).sum(), count };
    let starting = Starting::default();
    run(&all, Some((count, &starting)), &mut Unseen::new(recorder, tasks, threads, starting.clone()))
}

/// The last so many tasks of the scenario start processes, and tell there whose.
fn run<R: Recorder>(scenario: &Scenario, starters: Option<(u32, &Starting)>, recorder: &mut R) -> Ending {
    let mut world = World::new(scenario, recorder);
    if let Some((count, starting)) = starters {
        world.has_starters(count, starting);
    }
    world.begin();
    let horizon = scenario.until.unwrap_or(END_OF_TIME);
    let mut next = world.next_instant();
    while world.unfinished > 0 {
        if next.is_never() {
            let explanation = world.explain_deadlock();
            return world.finish(End::Deadlock, Some(explanation));
        }
        if next >= horizon {
            return world.cut(End::Horizon, horizon, next);
        }
        if !world.recorder.wants_more(next) {
            return world.cut(End::Interrupted, next, next);
        }
        world.scene.now = next;
        next = match world.instant() {
            Ok(_) if (world.ways_cost || world.runtimes_take_back) && world.all_are_idle() => {
                world.without_vain_deadlines()
            }
            Ok(next) if world.spins_forever && world.spins_in_vain(next) => {
                let explanation = world.explain_spinning();
                return world.finish(End::Livelock, Some(explanation));
            }
            Ok(next) => next,
            Err(step::Livelock) => {
                let explanation = world.explain_livelock();
                return world.finish(End::Livelock, Some(explanation));
            }
        };
    }
    world.finish(End::Completed, None)
}

impl<R: Recorder> World<'_, R> {
    /// Ends the run at this time: what ends then has ended, nothing starts. The next instant is not before.
    fn cut(mut self, end: End, at: Time, next: Time) -> Ending {
        self.scene.now = at;
        if next == at {
            self.last_instant();
        }
        if self.unfinished == 0 {
            return self.finish(End::Completed, None);
        }
        let explanation = (at == END_OF_TIME).then(|| "simulated time ends after 2^63 ns, about 292 years".into());
        let stuck = self.find_stuck();
        Ending { stuck, ..self.finish(end, explanation) }
    }

    /// Reports what is still going on when the run ends.
    fn finish(mut self, end: End, explanation: Option<String>) -> Ending {
        for cpu in self.scene.processors.ids() {
            if !self.scene.processors[cpu].is_idle() {
                self.settle(cpu);
                let left = self.scene.processors[cpu].put_down.unwrap_or(Left::Continues);
                self.tell_stretch(cpu, left);
            }
            self.tell_lingering(cpu);
        }
        self.tell_standing();
        self.tell_depleted();
        let received = self.received();
        let mut spinning = Vec::new();
        for (id, task) in self.scene.tasks.pairs() {
            if let State::Spinning(lock) = task.state {
                spinning.push((id, lock));
            }
            let State::Blocked(cause) = task.state else { continue };
            self.recorder.block(task.wait_until(self.scene.now, id, cause));
            if let Cause::Device(device) = cause {
                let request = self.open_request(id, device, &received);
                self.recorder.request(request);
            }
        }
        spinning.into_iter().for_each(|(id, lock)| self.tell_spin(lock, id, false));
        self.tell_open_jobs();
        for lock in self.syncs.ids() {
            for held in std::mem::take(&mut self.syncs[lock].holders) {
                self.tell_hold(lock, held);
            }
        }
        self.recorder.end(self.scene.now);
        Ending { end, at: self.scene.now, explanation, stuck: None }
    }
}

fn sync_name(scenario: &Scenario, (id, sync): (SyncId, &SyncObject)) -> SyncName {
    let ceiling = (sync.protocol == Protocol::OriginalCeiling).then(|| original_ceiling(scenario, id));
    SyncName { name: sync.name.clone(), kind: sync.kind, direct: sync.rule.is_done_once(), ceiling }
}

/// How urgent those are at most who use the lock.
fn original_ceiling(scenario: &Scenario, lock: SyncId) -> i64 {
    let policy = scenario.scheduler.settings.build(&Setup::of(&scenario.machine, 0));
    let users = scenario.specs.iter().filter(|spec| spec.program.locks(lock));
    users.map(|spec| policy.urgency(&spec.attributes, Time::NEVER)).max().unwrap_or(i64::MIN)
}

/// The names of everyone in a scenario, as timelines carry them.
#[must_use]
pub fn cast(scenario: &Scenario) -> Cast {
    let name = |spec: &crate::scenario::Spec| SpecName { process: spec.process.0, task: spec.name.clone() };
    let device = |device: &crate::scenario::Device| DeviceName {
        name: device.name.clone(),
        channels: device.channels,
        shared: device.discipline.form == crate::device::Form::Shared,
    };
    Cast {
        processors: scenario.machine.processors.iter().map(|processor| processor.name.clone()).collect(),
        processes: scenario.processes.iter().map(|process| process.name.clone()).collect(),
        specs: scenario.specs.iter().map(name).collect(),
        devices: scenario.devices.iter().map(device).collect(),
        syncs: scenario.syncs.pairs().map(|sync| sync_name(scenario, sync)).collect(),
        variables: scenario.variables.clone(),
        runtimes: scenario.processes.iter().map(|process| runtime_of(&process.executor)).collect(),
        wholes: match scenario.processes.iter().any(|process| process.part.is_some()) {
            true => scenario.processes.pairs().map(|(id, process)| process.whole(id).0).collect(),
            false => Vec::new(),
        },
        awaited: scenario.specs.iter().map(|spec| awaited(scenario, spec)).collect(),
        groups: quotas::names(scenario),
        members: match scenario.groups.is_empty() {
            true => Vec::new(),
            false => scenario.processes.iter().map(|process| process.group).collect(),
        },
        endless: scenario
            .specs
            .pairs()
            .filter(|(id, spec)| is_endless(spec) && !scenario.may_be_dropped(*id))
            .map(|(id, _)| id.0)
            .collect(),
    }
}

/// Does only the horizon end it?
fn is_endless(spec: &Spec) -> bool {
    let forever = |op: &Op| matches!(op, Op::Repeat { count: None, .. });
    // A branch may leave a loop out, and a task may end in the middle of one.
    let straight =
        !spec.program.ops.iter().any(|op| matches!(op, Op::Choose(_) | Op::Attempt(_) | Op::Test { .. } | Op::End));
    let periodic = spec.attributes.periodic.as_ref();
    periodic.is_some_and(|periodic| periodic.jobs.is_none()) || (straight && spec.program.ops.iter().any(forever))
}

fn runtime_of(executor: &Executor) -> Runtime {
    match executor.kind.threads {
        Threads::PerTask | Threads::ProcessPerTask if executor.gil.is_some() => Runtime::Interpreter,
        Threads::PerTask | Threads::ProcessPerTask => Runtime::OwnThread,
        Threads::Main | Threads::Workers if executor.kind.keeps_thread && executor.helps => Runtime::Helping,
        Threads::Main | Threads::Workers if executor.kind.keeps_thread && executor.gil.is_some() => {
            Runtime::KeepingLocked
        }
        Threads::Main | Threads::Workers if executor.kind.keeps_thread => Runtime::Keeping,
        Threads::Main | Threads::Workers if executor.hands_off => Runtime::HandingOff,
        Threads::Main | Threads::Workers if executor.gil.is_some() => Runtime::SwitchingLocked,
        Threads::Main | Threads::Workers => Runtime::Switching,
    }
}

fn awaited(scenario: &Scenario, spec: &Spec) -> Awaited {
    let mut awaited = Awaited { after: spec.after.iter().map(|before| before.0).collect(), ..Awaited::default() };
    for op in &spec.program.ops {
        match op {
            Op::Join(spec) => awaited.joins.push(spec.0),
            Op::Spawn(spec) => {
                awaited.spawns.push(spec.0);
                // One join is for all of them.
                let caller = scenario.specs[*spec].caller.as_ref();
                if matches!(caller, Some(Caller { way: Way::Any { number: 1.., .. }, .. })) {
                    awaited.joins.push(spec.0);
                }
                if caller.is_some_and(|caller| caller.way != Way::On) {
                    awaited.branches.push(spec.0);
                }
            }
            Op::Io { device, blocking: true, .. } => awaited.blocking.push(*device),
            _ => {}
        }
    }
    awaited
}
