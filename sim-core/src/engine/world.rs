//! The state of a running simulation, all of it together. Its parts know nothing of each other's rules, nor of it.

use std::collections::{BTreeMap, BTreeSet};

use super::agenda::Agenda;
use super::attempts::Attempts;
use super::costs::CostBook;
use super::deadlines::FirmDeadlines;
use super::depleted::Depleted;
use super::effort::Effort;
use super::family::Family;
use super::guests::Guests;
use super::joints::Joints;
use super::objects::{SyncState, returners};
use super::ready::ReadyQueue;
use super::runtimes::Runtime;
use super::scene::Scene;
use super::starters::Starters;
use super::task::{SpecState, Task};
use super::thread::Thread;
use crate::device::State as DeviceState;
use crate::executor::Threads;
use crate::ids::{CpuId, DeviceId, Id, IdVec, SpecId, SyncId, TaskId, ThreadId};
use crate::scenario::{Scenario, SyncObject};
use crate::sync::Asking;
use crate::time::Span;
use crate::timeline::Recorder;

/// Everything there is while a scenario is simulated.
pub(super) struct World<'a, R> {
    pub(super) scene: Scene<'a>,
    pub(super) recorder: &'a mut R,
    pub(super) effort: Effort,
    pub(super) starters: Starters,
    /// Is this the horizon? What ends now has ended, nothing starts.
    pub(super) closing: bool,

    pub(super) specs: IdVec<SpecId, SpecState>,
    pub(super) family: Family,
    /// Tasks that run in the places of those who called for them.
    pub(super) guests: Guests,
    /// Tasks that do several things at once.
    pub(super) joints: Joints,
    /// Has the poll of such a task just gone on with another part of it?
    pub(super) goes_on: bool,
    /// Operations that somebody is at, who may give them up.
    pub(super) attempts: Attempts,
    /// Does anybody ever give up anything, is turned away, or ends where it stands?
    pub(super) gives_up: bool,
    /// By when jobs must end that do not outlast their deadlines.
    pub(super) firm: Option<Box<FirmDeadlines>>,
    pub(super) devices: IdVec<DeviceId, DeviceState>,
    /// Devices that have a channel for a request that waits: they choose when the instant has settled.
    pub(super) undecided: Vec<DeviceId>,
    pub(super) syncs: IdVec<SyncId, SyncState>,
    /// Those who may do their operation on one of them again.
    pub(super) asking: BTreeMap<TaskId, Asking>,
    /// Those of them who do so before they have the interpreter lock.
    pub(super) outside: BTreeSet<TaskId>,
    /// Which tasks give permits of which semaphores back.
    pub(super) returners: BTreeSet<(SpecId, SyncId)>,
    /// Who waits for the budget of its server, if anybody may have to.
    pub(super) depleted: Option<Box<Depleted>>,
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
    /// What switches cost besides, where that has names.
    pub(super) costs: Option<Box<CostBook<'a>>>,
    /// Do operations cost anything that take no time of their own?
    pub(super) operations_cost: bool,
    /// Do operations cost anything, or does it take time to look at an interpreter lock, since one must get to a processor for
    /// that?
    pub(super) ways_cost: bool,
    /// Does who finds some lock taken spin until it has it?
    pub(super) spins_forever: bool,
    /// So many instants in a row nobody did anything but that, and nothing else was to come.
    pub(super) vain: u32,
    /// Does no switch cost anything?
    pub(super) switches_freely: bool,
    /// Does some runtime take threads, or the tasks of some, off processors?
    pub(super) runtimes_take_back: bool,
    /// May some runtime learn later than it happens that a timer rings or a request is served?
    pub(super) news_is_late: bool,
}

impl<'a, R: Recorder> World<'a, R> {
    /// The world before the first instant: nothing has happened.
    pub(super) fn new(scenario: &'a Scenario, recorder: &'a mut R) -> World<'a, R> {
        let scene = Scene::new(scenario);
        let mut world = World {
            agenda: Agenda::new(scenario.devices.len(), scene.jobs.count()),
            ready: ReadyQueue::new(scenario, scene.no_affinity),
            scene,
            recorder,
            effort: Effort::default(),
            starters: Starters::default(),
            closing: false,
            specs: scenario.specs.iter().map(SpecState::new).collect(),
            family: Family::default(),
            guests: Guests::default(),
            joints: Joints::default(),
            goes_on: false,
            depleted: Depleted::of(scenario),
            attempts: Attempts::default(),
            gives_up: scenario.gives_up(),
            firm: FirmDeadlines::new(scenario),
            devices: scenario.devices.iter().map(DeviceState::new).collect(),
            undecided: Vec::new(),
            syncs: scenario.syncs.iter().map(|sync| SyncState::new(sync.kind)).collect(),
            asking: BTreeMap::new(),
            outside: BTreeSet::new(),
            returners: returners(scenario),
            unfinished: 0,
            doer: CpuId::NONE,
            choosing: Vec::new(),
            expired: Vec::new(),
            due: Vec::new(),
            ended: Vec::new(),
            costs: CostBook::new(scenario),
            operations_cost: CostBook::of_operations(scenario),
            ways_cost: false,
            spins_forever: scenario.syncs.iter().any(SyncObject::spins_forever),
            vain: 0,
            switches_freely: scenario.machine.switches_freely(),
            runtimes_take_back: false,
            news_is_late: scenario.processes.iter().any(|process| process.executor.keeps_timers()),
        };
        world.create_tasks();
        world.create_runtimes();
        let interpreters = &world.scene.interpreters;
        world.ways_cost = world.operations_cost || world.costs.is_some() && interpreters.are_contested();
        world.runtimes_take_back = !interpreters.is_empty() || world.scene.runtimes.iter().any(Runtime::takes_back);
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
            let workers = process.executor.own_threads().unwrap_or(0);
            let main = process.executor.kind.threads == Threads::Main;
            let start_cost = if main { Span::ZERO } else { self.scene.scenario.machine.thread_start };
            // Workers that are processes have address spaces of their own.
            let of_processes = process.executor.of_processes;
            let space = |worker| if of_processes { (1 << 30) | (id.0 << 12) ^ worker } else { process.whole(id).0 };
            let thread = |worker| self.scene.threads.push(Thread::new(id, space(worker), worker, start_cost));
            let threads: Vec<_> = (0..workers).map(thread).collect();
            self.scene.runtimes.push(Runtime::new(process, self.scene.scenario.machine_seed, &threads));
        }
        for (id, spec) in self.scene.scenario.specs.pairs() {
            self.scene.runtimes[spec.process].has(id, &spec.attributes);
        }
    }
}
