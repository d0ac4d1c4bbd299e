//! The state of a run that all threads, async tasks and child processes share: instances, locks, devices, who waits
//! for whom, and when it is over.
//!
//! Everything that a child process must see lies in shared memory ([`crate::play::shared`]); the rest (the scenario, wakers
//! of async tasks, the crews) exists once per process.

mod ends;
mod life;
mod names;
mod objects;
mod standstill;
mod told;
mod turns;

use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock};
use std::task::Waker;

use sim_core::distribution::Distribution;
use sim_core::ids::{DeviceId, IdVec, ProcessId, SpecId, SyncId};
use sim_core::program::arrival_stream;
use sim_core::rng::Stream;
use sim_core::scenario::{Arrival, Scenario};
use sim_core::time::{Span, Time};
use sim_core::timeline::Job;

use self::names::Names;
use self::told::Elsewhere;
pub(crate) use self::told::Told;
pub(crate) use self::turns::NextJob;
use crate::play::device::Counters;
use crate::play::dispatch::Dispatch;
use crate::play::library::Object;
use crate::play::shared::{Table, row};
use crate::play::sync::{Latched, Objects};
use crate::prepare::machine::Plan;
use crate::record::log::{Diary, Log};
use crate::record::recorder::Started;
use crate::sys;

/// How many instances may be spawned on top of those that arrive by themselves.
const MAX_SPAWNED: usize = 20_000;

/// Are we a child process? Then other processes' async tasks cannot be woken directly.
static IN_CHILD: AtomicBool = AtomicBool::new(false);

/// Says that this process is a forked child.
pub(crate) fn become_child() {
    IN_CHILD.store(true, Ordering::Relaxed);
}

/// Is this process a forked child?
pub(crate) fn in_child() -> bool {
    IN_CHILD.load(Ordering::Relaxed)
}

/// One instance of a task.
pub(crate) struct Instance {
    spec: AtomicU32,
    number: AtomicU32,
    /// Who spawned it, plus one.
    parent: AtomicU32,
    /// Is it an async task? Then a waker stands in for the futex.
    is_async: AtomicU32,
    /// Must the control thread wake it, because a child process could not?
    rung: AtomicU32,
    /// What it waits for of others, see [`World::waits_for`]; 0 is nothing.
    awaits: AtomicU32,
    /// The one that its worker took up while it joined others, plus one; 0 is none yet.
    above: AtomicU32,
    /// The process of its own that it has, if it has one; else 0.
    process: AtomicU32,
    /// Is its thread or process ready for the start?
    pub(crate) prepared: AtomicU32,
    /// When it arrived; 0 is not yet.
    pub(crate) arrival: AtomicU64,
    /// When the tasks it comes after had finished; 0 is not yet.
    pub(crate) released: AtomicU64,
    /// When its first operation began; 0 is not yet.
    pub(crate) begun: AtomicU64,
    /// When it finished; 0 is not yet.
    pub(crate) finish: AtomicU64,
    /// In which way: the number of its [`Fate`](sim_core::timeline::Fate).
    pub(crate) fate: AtomicU32,
    /// 1 once nobody waits for its end any more.
    disowned: AtomicU32,
    /// 1 once its pool has given it back to whoever called for it.
    given_back: AtomicU32,
    /// What it did.
    pub(crate) diary: Diary,
}

row!(Instance {
    spec: AtomicU32,
    number: AtomicU32,
    parent: AtomicU32,
    is_async: AtomicU32,
    rung: AtomicU32,
    awaits: AtomicU32,
    above: AtomicU32,
    process: AtomicU32,
    prepared: AtomicU32,
    fate: AtomicU32,
    disowned: AtomicU32,
    given_back: AtomicU32,
    arrival: AtomicU64,
    released: AtomicU64,
    begun: AtomicU64,
    finish: AtomicU64,
    diary: Diary,
});

/// What is known of a task as a whole.
struct Crowd {
    /// Instances that have not finished.
    unfinished: AtomicU32,
    /// When the last one finished.
    done_at: AtomicU64,
    /// The number of the next instance to be spawned.
    next: AtomicU32,
}

row!(Crowd { unfinished: AtomicU32, done_at: AtomicU64, next: AtomicU32 });

/// The queue in front of a device with a limited number of channels.
struct Queue {
    latch: Latched,
}

row!(Queue { latch: Latched });

/// The one row that all look at.
pub(crate) struct Board {
    /// 0 before, 1 after the start has been announced.
    go: AtomicU32,
    /// The start, T0.
    pub(crate) start: AtomicU64,
    /// When everything stops.
    pub(crate) deadline: AtomicU64,
    /// 1 when the run is over.
    over: AtomicU32,
    /// Grows whenever the control thread should look.
    pub(crate) bell: AtomicU32,
    /// Instances in the table.
    instances: AtomicU32,
    /// Of them, not finished.
    pub(crate) unfinished: AtomicU32,
    /// Grows with every begin, wait, going on and finish.
    pub(crate) progress: AtomicU32,
    /// Spawns that found no room.
    pub(crate) refused: AtomicU32,
    /// Instances for which no thread or process could be had.
    pub(crate) unstarted: AtomicU32,
    /// Threads that could not be placed on the processors they should use.
    pub(crate) misplaced: AtomicU32,
    /// Threads that were measured.
    threads: AtomicU32,
    /// How many of them have a page clock.
    pub(crate) page_clocks: AtomicU32,
    /// Processor time that it took interpreters to start processes in the run, and how many these were.
    pub(crate) starting: AtomicU64,
    pub(crate) started: AtomicU64,
}

row!(Board {
    go: AtomicU32,
    start: AtomicU64,
    deadline: AtomicU64,
    over: AtomicU32,
    bell: AtomicU32,
    instances: AtomicU32,
    unfinished: AtomicU32,
    progress: AtomicU32,
    refused: AtomicU32,
    unstarted: AtomicU32,
    misplaced: AtomicU32,
    threads: AtomicU32,
    page_clocks: AtomicU32,
    starting: AtomicU64,
    started: AtomicU64,
});

impl Board {
    /// What it took interpreters on average to start a process in the run, if they did.
    pub(crate) fn starting(&self) -> Option<Span> {
        let [time, started] = [&self.starting, &self.started].map(|word| word.load(Ordering::Relaxed));
        time.checked_div(started).map(Span::from_ns)
    }
}

/// The shared state of one run.
pub(crate) struct World {
    /// What is run.
    pub(crate) scenario: Scenario,
    /// Where, and under which policy of the kernel.
    pub(crate) plan: Plan,
    /// What is written down.
    pub(crate) log: Log,
    /// What threads are called.
    pub(crate) names: Names,
    boards: Table<Board>,
    instances: Table<Instance>,
    crowds: Table<Crowd>,
    /// Do others start after the last instance of a task? Only then has anybody to be told of its end, which costs the measured
    /// processor some 30 us.
    awaited: IdVec<SpecId, bool>,
    /// The ways to devices that have a thread.
    pub(crate) counters: Counters,
    /// What instances synchronise with.
    pub(crate) objects: Objects,
    /// Those of them that are of libraries.
    pub(crate) libraries: IdVec<SyncId, Option<Object>>,
    /// What threads share with their dispatcher, if the run has one.
    pub(crate) dispatch: Option<Dispatch>,
    /// The jobs of periodic instances, once the run is over.
    jobs: Mutex<Vec<Job>>,
    /// Who started the processes of instances in the run.
    started: Mutex<BTreeMap<usize, Started>>,
    queues: Table<Queue>,
    /// When each channel of each device is free.
    channels: Table<AtomicU64>,
    /// The channels of each device in that table; nothing for unlimited devices.
    channels_of: IdVec<DeviceId, Option<std::ops::Range<usize>>>,
    /// Unfinished children, by parent and spawnable task.
    children: Table<AtomicU32>,
    /// When the last of them finished that has.
    children_done: Table<AtomicU64>,
    /// The column of a task in that table.
    column_of: IdVec<SpecId, Option<usize>>,
    columns: usize,
    tids: Table<AtomicU32>,
    wakers: Vec<Mutex<Option<Waker>>>,
    starters: OnceLock<Vec<Starter>>,
    /// Async executors that wait for the end of the run.
    at_end: Mutex<Vec<Waker>>,
    /// When instances arrive that do so by themselves, after the start.
    offsets: Vec<u64>,
    /// What is known of those who run elsewhere, by process.
    elsewhere: IdVec<ProcessId, Elsewhere>,
    /// Arrived instances that come after others and whose executor does not wait for them itself.
    pending: Mutex<Vec<usize>>,
    /// Streams of chance that are on their way to instances: to what a pool does for another, and back.
    streams: Mutex<BTreeMap<usize, Stream>>,
}

/// Hands an instance that may run to the executor of its process.
pub(crate) type Starter = Box<dyn Fn(usize) + Send + Sync>;

impl World {
    /// The world before the start, with all instances that arrive by themselves.
    pub(crate) fn new(scenario: &Scenario, plan: Plan) -> io::Result<World> {
        let fixed: usize = scenario.specs.iter().map(|spec| spec.count as usize).sum();
        let mut columns = 0;
        let column_of: IdVec<SpecId, Option<usize>> = (scenario.specs.iter())
            .map(|spec| {
                let column = (spec.arrival == Arrival::Spawned).then_some(columns);
                columns += usize::from(column.is_some());
                column
            })
            .collect();
        let capacity = fixed + if columns > 0 { MAX_SPAWNED } else { 0 };
        let mut total = 0;
        let channels_of = (scenario.devices.iter())
            .map(|device| {
                // More channels than instances are never busy at once.
                let channels = (device.channels? as usize).min(capacity.max(1));
                total += channels;
                Some(total - channels..total)
            })
            .collect();
        let world = World {
            log: Log::new(capacity)?,
            boards: Table::zeros(1)?,
            instances: Table::zeros(capacity)?,
            crowds: Table::zeros(scenario.specs.len())?,
            awaited: awaited(scenario),
            counters: Counters::new(scenario, capacity)?,
            libraries: scenario.syncs.iter().map(Object::of).collect(),
            objects: Objects::new(scenario, capacity, plan.lends.then_some(&plan.urgency))?,
            dispatch: plan.dispatched.then(|| Dispatch::new(capacity)).transpose()?,
            jobs: Mutex::new(Vec::new()),
            started: Mutex::new(BTreeMap::new()),
            queues: Table::zeros(scenario.devices.len())?,
            channels: Table::zeros(total)?,
            channels_of,
            children: Table::zeros(capacity * columns)?,
            children_done: Table::zeros(capacity * columns)?,
            column_of,
            columns,
            tids: Table::zeros(capacity + 4096)?,
            wakers: (0..capacity).map(|_| Mutex::new(None)).collect(),
            starters: OnceLock::new(),
            at_end: Mutex::new(Vec::new()),
            offsets: scenario.specs.ids().flat_map(|spec| arrivals(scenario, spec)).map(Time::ns).collect(),
            pending: Mutex::new(Vec::new()),
            streams: Mutex::default(),
            elsewhere: scenario.processes.iter().map(|_| Elsewhere::default()).collect(),
            names: Names::new(scenario),
            scenario: scenario.clone(),
            plan,
        };
        world.board().deadline.store(u64::MAX / 2, Ordering::Relaxed);
        for (spec, task) in world.scenario.specs.pairs() {
            for _ in 0..task.count {
                world.add(spec, 0);
            }
        }
        Ok(world)
    }

    /// The row that all look at.
    #[inline]
    pub(crate) fn board(&self) -> &Board {
        &self.boards[0]
    }

    /// All instances so far: first those that arrive by themselves in file order, then the spawned ones.
    pub(crate) fn instances(&self) -> &[Instance] {
        let len = self.board().instances.load(Ordering::Acquire) as usize;
        &self.instances[..len.min(self.instances.len())]
    }

    /// One instance.
    #[inline]
    pub(crate) fn instance(&self, id: usize) -> &Instance {
        &self.instances[id]
    }

    /// Which instance of which task.
    pub(crate) fn identity(&self, id: usize) -> (SpecId, u32) {
        let instance = &self.instances[id];
        (SpecId(instance.spec.load(Ordering::Relaxed)), instance.number.load(Ordering::Relaxed))
    }

    /// Who spawned it, if anybody did.
    pub(crate) fn parent_of(&self, id: usize) -> Option<usize> {
        (self.instances[id].parent.load(Ordering::Relaxed) as usize).checked_sub(1)
    }

    /// How long after the start an instance arrives that does so by itself.
    pub(crate) fn offset(&self, id: usize) -> u64 {
        self.offsets.get(id).copied().unwrap_or(0)
    }

    /// How many instances there can be.
    pub(crate) fn capacity(&self) -> usize {
        self.instances.len()
    }

    /// How many instances arrive by themselves.
    pub(crate) fn fixed(&self) -> usize {
        self.offsets.len()
    }

    fn add(&self, spec: SpecId, parent_plus_one: u32) -> Option<usize> {
        let id = self.board().instances.fetch_add(1, Ordering::AcqRel) as usize;
        if id >= self.instances.len() {
            self.board().instances.fetch_sub(1, Ordering::AcqRel);
            self.board().refused.fetch_add(1, Ordering::Relaxed);
            return None;
        }
        let (instance, crowd) = (&self.instances[id], &self.crowds[spec.0 as usize]);
        instance.spec.store(spec.0, Ordering::Relaxed);
        instance.number.store(crowd.next.fetch_add(1, Ordering::Relaxed), Ordering::Relaxed);
        instance.parent.store(parent_plus_one, Ordering::Relaxed);
        self.objects.waiter(id).set_urgency(self.plan.urgency[spec]);
        crowd.unfinished.fetch_add(1, Ordering::SeqCst);
        self.board().unfinished.fetch_add(1, Ordering::SeqCst);
        self.log.open(&instance.diary);
        Some(id)
    }

    /// Registers the calling thread as one that is measured.
    pub(crate) fn register_thread(&self, has_page_clock: bool) {
        self.register(sys::thread_id(), has_page_clock);
    }

    /// Registers a thread as one that is measured, by the kernel's number.
    pub(crate) fn register(&self, thread: u32, has_page_clock: bool) {
        let index = self.board().threads.fetch_add(1, Ordering::Relaxed) as usize;
        if let Some(row) = self.tids.get(index) {
            row.store(thread, Ordering::Relaxed);
        }
        self.board().page_clocks.fetch_add(u32::from(has_page_clock), Ordering::Relaxed);
    }

    /// All threads that are or were measured.
    pub(crate) fn measured_threads(&self) -> Vec<u32> {
        let len = self.board().threads.load(Ordering::Relaxed) as usize;
        self.tids[..len.min(self.tids.len())].iter().map(|tid| tid.load(Ordering::Relaxed)).collect()
    }
}

/// Which tasks do others come after?
fn awaited(scenario: &Scenario) -> IdVec<SpecId, bool> {
    let mut awaited: IdVec<SpecId, bool> = scenario.specs.iter().map(|_| false).collect();
    scenario.specs.iter().flat_map(|spec| &spec.after).for_each(|before| awaited[*before] = true);
    awaited
}

/// When the instances of a task arrive that arrive by themselves.
pub(crate) fn arrivals(scenario: &Scenario, spec: SpecId) -> Vec<Time> {
    let count = scenario.specs[spec].count;
    match &scenario.specs[spec].arrival {
        Arrival::At(at) => vec![*at; count as usize],
        Arrival::List(times) => times.clone(),
        Arrival::Every(gap) => (0..u64::from(count)).map(|k| Time::ZERO + *gap * k).collect(),
        Arrival::Gap(law) => {
            let mut stream = arrival_stream(scenario, spec).stream();
            let mut gap = || match law {
                Distribution::Constant(gap) => *gap,
                Distribution::Random(law) => law.draw(&mut stream),
            };
            let times = std::iter::successors(Some(Time::ZERO), |at| Some(*at + gap()));
            times.take(count as usize).collect()
        }
        Arrival::Spawned => Vec::new(),
    }
}
