//! The state of a running simulation: who is where, indexed by id. Its read-only face for policies is
//! [`Scene`] (a [`Floor`]).

use std::collections::{BTreeMap, BTreeSet};

use super::agenda::Agenda;
use super::cache::Caches;
use super::effort::Effort;
use super::jobs::Jobs;
use super::lending::Standing;
use super::processors::Processors;
use super::ready::ReadyQueue;
use super::runtime::Runtime;
use super::spawn::Family;
use super::sync::{SyncState, returners};
use crate::device::State as DeviceState;
use crate::executor::Threads;
use crate::ids::{CpuId, DeviceId, Id, IdVec, ProcessId, SpecId, SyncId, TaskId, ThreadId};
use crate::policy::{Claim, Floor, Lent, Slot, View, Who};
use crate::program::Cursor;
use crate::rng::Stream;
use crate::scenario::{Arrival, Attributes, Scenario, Spec};
use crate::time::{Span, Time};
use crate::timeline::{Cause, Recorder};

/// Everything there is while a scenario is simulated.
pub(super) struct World<'a, R> {
    pub(super) scene: Scene<'a>,
    pub(super) recorder: &'a mut R,
    pub(super) effort: Effort,
    /// Is this the horizon? What ends now has ended, nothing starts.
    pub(super) closing: bool,

    pub(super) specs: IdVec<SpecId, SpecState>,
    pub(super) family: Family,
    pub(super) devices: IdVec<DeviceId, DeviceState>,
    /// Devices that have a channel for a request that waits: they choose when the instant has settled.
    pub(super) undecided: Vec<DeviceId>,
    pub(super) syncs: IdVec<SyncId, SyncState>,
    /// Which tasks give permits of which semaphores back.
    pub(super) returners: BTreeSet<(SpecId, SyncId)>,
    /// The locks through which each task may be lent urgency, in the order in which it got them.
    pub(super) borrowing: BTreeMap<TaskId, Vec<SyncId>>,
    /// Instances that arrived or will arrive by themselves, and have not finished.
    pub(super) unfinished: u64,

    pub(super) ready: ReadyQueue,
    /// Scratch: the processors whose deadline is the present instant.
    pub(super) due: Vec<u32>,
    /// Scratch: those of them whose burst ends.
    pub(super) ended: Vec<u32>,
    pub(super) agenda: Agenda,
    /// The processor whose task is doing something now; [`CpuId::NONE`] while things happen by themselves.
    pub(super) doer: CpuId,
    /// Processors whose thread has put its task down since the last dispatch.
    pub(super) choosing: Vec<CpuId>,
    /// Threads whose slice has ended since the last dispatch, and where; empty where none may continue.
    pub(super) expired: Vec<(CpuId, ThreadId)>,
    /// Does no switch cost anything?
    pub(super) switches_freely: bool,
    /// Does some runtime take threads, or the tasks of some, off processors?
    pub(super) runtimes_take_back: bool,
}

/// The part of the world that policies see: threads on processors, carrying tasks. It is the kernel's [`Floor`].
pub(super) struct Scene<'a> {
    pub(super) scenario: &'a Scenario,
    pub(super) now: Time,
    pub(super) tasks: IdVec<TaskId, Task>,
    pub(super) threads: IdVec<ThreadId, Thread>,
    pub(super) runtimes: IdVec<ProcessId, Runtime>,
    pub(super) processors: Processors,
    pub(super) jobs: Jobs,
    /// The urgency that tasks are lent, where it is more than their own.
    pub(super) lent: BTreeMap<TaskId, Standing>,
    /// If caches make a difference.
    pub(super) caches: Option<Box<Caches<'a>>>,
    /// The one thread that the policy may pick now, if it is asked for a certain one.
    pub(super) only: Option<ThreadId>,
    /// May every thread use every processor?
    pub(super) no_affinity: bool,
}

/// An instance of a task: there are millions of them, so each is one cache line.
#[repr(align(64))]
pub(super) struct Task {
    pub(super) cursor: Cursor,
    /// Work left of the present processor burst, at speed 1.
    pub(super) work: Span,
    /// Since when it is blocked, or spins.
    pub(super) since: Time,
    /// When a channel took its request; [`Time::NEVER`] while it queues.
    pub(super) served_since: Time,
    pub(super) spec: SpecId,
    pub(super) instance: u32,
    /// The thread that carries it; [`ThreadId::NONE`] while none does.
    pub(super) thread: ThreadId,
    pub(super) state: State,
}

const _: () = assert!(size_of::<Task>() == 64 && size_of::<Thread>() <= 48, "a million threads take that much more");

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum State {
    /// Has not arrived.
    Absent,
    /// Wants to run: in a queue of one of the floors, or running.
    Able,
    /// Waits for a lock on its processor, or to get it back for that.
    Spinning(SyncId),
    /// Waits for something else.
    Blocked(Cause),
    Finished,
}

/// A thread, as the kernel floor knows it.
pub(super) struct Thread {
    /// The task it carries; [`TaskId::NONE`] for a worker without one.
    pub(super) task: TaskId,
    pub(super) process: ProcessId,
    /// Its address space: switching to another costs a process switch.
    pub(super) space: u32,
    /// The processor it ran on last.
    pub(super) last_cpu: CpuId,
    /// Its number among the workers of its executor.
    pub(super) worker: u32,
    /// The last task it ran, to charge the runtime's task switch.
    pub(super) last_task: TaskId,
    pub(super) state: ThreadState,
    /// What must be paid at its first dispatch.
    pub(super) start_cost: Span,
    /// How long it has run, up to when it was on a processor last.
    pub(super) ran: Span,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum ThreadState {
    /// Waits for a wake-up: blocked with its task, or a worker without work.
    Parked,
    /// In the policy's queue.
    Ready,
    Running,
    Gone,
}

/// What is known of all instances of a task together.
pub(super) struct SpecState {
    /// The id of instance 0.
    pub(super) first: TaskId,
    /// How many instances have arrived (or been spawned).
    pub(super) next: u32,
    /// In which order the instances arrive, if it is not that of their numbers.
    order: Option<Box<[u32]>>,
    /// Where the gaps between its arrivals come from.
    pub(super) gaps: Option<Box<Stream>>,
    /// Instances not finished.
    pub(super) unfinished: u32,
    /// Tasks it starts after that have not all finished.
    pub(super) unmet: u32,
    /// Tasks that start after it.
    pub(super) dependents: Vec<SpecId>,
}

impl<'a, R: Recorder> World<'a, R> {
    /// The world before the first instant: all arrivals are scheduled, nothing has happened.
    pub(super) fn new(scenario: &'a Scenario, recorder: &'a mut R) -> World<'a, R> {
        let scene = Scene::new(scenario);
        let mut world = World {
            agenda: Agenda::new(scenario.devices.len(), scene.jobs.count()),
            ready: ReadyQueue::new(scenario, scene.no_affinity),
            scene,
            recorder,
            effort: Effort::default(),
            closing: false,
            specs: scenario.specs.iter().map(SpecState::new).collect(),
            family: Family::default(),
            devices: scenario.devices.iter().map(DeviceState::new).collect(),
            undecided: Vec::new(),
            syncs: scenario.syncs.iter().map(|sync| SyncState::new(sync.kind)).collect(),
            returners: returners(scenario),
            borrowing: BTreeMap::new(),
            unfinished: 0,
            doer: CpuId::NONE,
            choosing: Vec::new(),
            expired: Vec::new(),
            due: Vec::new(),
            ended: Vec::new(),
            switches_freely: scenario.machine.switches_freely(),
            runtimes_take_back: false,
        };
        world.create_tasks();
        world.create_runtimes();
        world.runtimes_take_back = world.scene.runtimes.iter().any(Runtime::takes_back);
        world.find_ceilings();
        for spec in scenario.specs.ids() {
            world.schedule_arrival(spec);
        }
        world
    }

    fn create_tasks(&mut self) {
        let total: usize = self.scene.scenario.specs.iter().map(|spec| spec.count as usize).sum();
        self.scene.tasks.reserve(total);
        self.recorder.expect(total);
        for (id, spec) in self.scene.scenario.specs.pairs() {
            let state = &mut self.specs[id];
            state.first = TaskId::from_index(self.scene.tasks.len());
            state.unfinished = spec.count;
            state.unmet = u32::try_from(spec.after.len()).unwrap_or(u32::MAX);
            for before in &spec.after {
                self.specs[*before].dependents.push(id);
            }
            for instance in 0..spec.count {
                self.scene.tasks.push(Task::new(self.scene.scenario, id, instance));
                self.recorder.task(id.0, instance);
            }
            self.unfinished += u64::from(spec.count);
        }
        self.family.begins_after(total);
        // A task that starts after one without instances need not wait for it.
        for (id, spec) in self.scene.scenario.specs.pairs() {
            self.specs[id].unmet -=
                spec.after.iter().filter(|before| self.scene.scenario.specs[**before].count == 0).count() as u32;
        }
    }

    fn create_runtimes(&mut self) {
        for (id, process) in self.scene.scenario.processes.pairs() {
            let workers = match process.executor.kind.threads {
                Threads::Main => 1,
                Threads::Workers => process.executor.workers,
                Threads::PerTask | Threads::ProcessPerTask => 0,
            };
            let main = process.executor.kind.threads == Threads::Main;
            let start_cost = if main { Span::ZERO } else { self.scene.scenario.machine.thread_start };
            let thread = |worker| self.scene.threads.push(Thread::new(id, id.0, worker, start_cost));
            let threads = (0..workers).map(thread).collect();
            self.scene.runtimes.push(Runtime::new(process, self.scene.scenario.seed, threads));
        }
        for (id, spec) in self.scene.scenario.specs.pairs() {
            self.scene.runtimes[spec.process].has(id, spec);
        }
    }

    /// Puts the next arrival of a task on the list of events.
    pub(super) fn schedule_arrival(&mut self, id: SpecId) {
        if let Some(at) = self.next_arrival(id) {
            self.agenda.arrive(id, at);
        }
    }

    fn next_arrival(&mut self, id: SpecId) -> Option<Time> {
        let spec = &self.scene.scenario.specs[id];
        let state = &mut self.specs[id];
        if state.next >= spec.count {
            return None;
        }
        match &spec.arrival {
            Arrival::At(at) => Some(*at),
            Arrival::List(times) => Some(times[state.next_instance() as usize]),
            Arrival::Every(gap) => Some(Time::ZERO + *gap * u64::from(state.next)),
            Arrival::Gap(_) if state.next == 0 => Some(Time::ZERO),
            Arrival::Gap(crate::distribution::Distribution::Constant(gap)) => Some(self.scene.now + *gap),
            Arrival::Gap(crate::distribution::Distribution::Random(law)) => {
                let scenario = self.scene.scenario;
                let stream =
                    state.gaps.get_or_insert_with(|| Box::new(crate::program::arrival_stream(scenario, id).stream()));
                Some(self.scene.now + law.draw(stream))
            }
            Arrival::Spawned => None,
        }
    }
}

impl SpecState {
    fn new(spec: &Spec) -> SpecState {
        let order = match &spec.arrival {
            Arrival::List(times) if !times.is_sorted() => {
                let mut order: Vec<u32> = (0..spec.count).collect();
                order.sort_by_key(|instance| times[*instance as usize]);
                Some(order.into())
            }
            _ => None,
        };
        SpecState { first: TaskId::NONE, next: 0, order, gaps: None, unfinished: 0, unmet: 0, dependents: Vec::new() }
    }

    /// The instance that arrives next.
    pub(super) fn next_instance(&self) -> u32 {
        self.order.as_ref().map_or(self.next, |order| order[self.next as usize])
    }
}

impl Task {
    pub(super) fn new(scenario: &Scenario, spec: SpecId, instance: u32) -> Task {
        Task {
            cursor: Cursor::new(&scenario.specs[spec].program),
            work: Span::ZERO,
            since: Time::ZERO,
            served_since: Time::NEVER,
            spec,
            instance,
            thread: ThreadId::NONE,
            state: State::Absent,
        }
    }
}

impl Thread {
    pub(super) fn new(process: ProcessId, space: u32, worker: u32, start_cost: Span) -> Thread {
        Thread {
            task: TaskId::NONE,
            process,
            space,
            last_cpu: CpuId::NONE,
            worker,
            last_task: TaskId::NONE,
            state: ThreadState::Parked,
            start_cost,
            ran: Span::ZERO,
        }
    }
}

impl<'a> Scene<'a> {
    fn new(scenario: &'a Scenario) -> Scene<'a> {
        Scene {
            scenario,
            now: Time::ZERO,
            tasks: IdVec::new(),
            threads: IdVec::new(),
            runtimes: IdVec::new(),
            processors: Processors::new(&scenario.machine),
            jobs: Jobs::new(scenario),
            lent: BTreeMap::new(),
            caches: Caches::new(scenario).map(Box::new),
            only: None,
            no_affinity: scenario.specs.iter().all(|spec| spec.attributes.affinity.is_none()),
        }
    }

    /// May whoever is ready be given any processor?
    #[inline]
    pub(super) fn is_free(&self) -> bool {
        self.no_affinity && self.only.is_none()
    }

    /// What the kernel floor's policy sees.
    #[inline]
    pub(super) fn view(&self) -> View<'_> {
        View { now: self.now, floor: self, no_affinity: self.is_free() }
    }

    /// The burst that a task begins is no longer ahead of its job.
    #[inline]
    pub(super) fn takes_up(&mut self, id: TaskId) {
        let task = &self.tasks[id];
        if let Some(job) = self.jobs.of_mut(task.spec, task.instance) {
            job.ahead = job.ahead.saturating_sub(task.work);
        }
    }

    /// By when the present job of a task should end.
    pub(super) fn deadline_of(&self, task: &Task) -> Time {
        self.jobs.of(task.spec, task.instance).map_or(Time::NEVER, |job| job.deadline)
    }
}

impl Floor for Scene<'_> {
    fn slots(&self) -> usize {
        self.processors.len()
    }

    fn running(&self, slot: Slot) -> Option<Who> {
        let thread = self.processors[CpuId(slot.0)].thread();
        (!thread.is_none()).then_some(Who(thread.0))
    }

    /// A worker has the attributes of the task it carries; without one, those of its process's first task.
    fn attributes(&self, who: Who) -> &Attributes {
        let thread = &self.threads[ThreadId(who.0)];
        let spec =
            if thread.task.is_none() { self.runtimes[thread.process].first_spec } else { self.tasks[thread.task].spec };
        &self.scenario.specs[spec].attributes
    }

    fn allowed(&self, who: Who, slot: Slot) -> bool {
        self.only.is_none_or(|thread| thread.0 == who.0) && self.attributes(who).allows(CpuId(slot.0))
    }

    fn burst(&self, who: Who) -> Span {
        let thread = &self.threads[ThreadId(who.0)];
        let Some(task) = self.tasks.get(thread.task) else { return Span::ZERO };
        if thread.state != ThreadState::Running {
            return task.work;
        }
        let cpu = &self.processors[thread.last_cpu];
        let length = self.now.since(cpu.worked_until);
        task.work.saturating_sub(match &self.caches {
            None => cpu.speed.progress(length, cpu.carry).0,
            Some(caches) => caches.work_in(thread.last_cpu, cpu.task, task.spec, length),
        })
    }

    fn deadline(&self, who: Who) -> Time {
        self.tasks.get(self.threads[ThreadId(who.0)].task).map_or(Time::NEVER, |task| self.deadline_of(task))
    }

    fn work_left(&self, who: Who) -> Span {
        let task = self.tasks.get(self.threads[ThreadId(who.0)].task);
        let job = task.and_then(|task| self.jobs.of(task.spec, task.instance));
        job.map_or(Span::ZERO, |job| job.ahead) + self.burst(who)
    }

    /// A worker without a task comes last.
    fn place(&self, who: Who) -> u32 {
        self.threads[ThreadId(who.0)].task.0
    }

    fn claim(&self, who: Who) -> Claim<'_> {
        let thread = &self.threads[ThreadId(who.0)];
        let Some(task) = self.tasks.get(thread.task) else {
            return Claim { attributes: self.attributes(who), deadline: Time::NEVER, lent: None };
        };
        let lent = if self.lent.is_empty() { None } else { self.lent(who) };
        Claim { attributes: &self.scenario.specs[task.spec].attributes, deadline: self.deadline_of(task), lent }
    }

    fn lent(&self, who: Who) -> Option<Lent<'_>> {
        let standing = self.lent.get(&self.threads[ThreadId(who.0)].task)?;
        let attributes = &self.scenario.specs[standing.spec].attributes;
        Some(Lent { attributes, deadline: standing.deadline, place: standing.place })
    }

    fn ran(&self, who: Who) -> Span {
        let thread = &self.threads[ThreadId(who.0)];
        match thread.state {
            ThreadState::Running => self.now.since(self.processors[thread.last_cpu].turn_start),
            _ => Span::ZERO,
        }
    }
}
