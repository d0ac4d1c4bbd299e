//! The state of a run that all threads, async tasks and child processes share: instances, locks, devices, who waits
//! for whom, and when it is over.
//!
//! Everything that a child process must see lies in shared memory ([`crate::shared`]); the rest (the scenario, wakers
//! of async tasks, the crews) exists once per process.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::task::Waker;

use sim_core::distribution::Distribution;
use sim_core::ids::{DeviceId, IdVec, LockId, SpecId};
use sim_core::program::arrival_stream;
use sim_core::scenario::{Arrival, Scenario};
use sim_core::time::Time;

use crate::executor;
use crate::log::{Diary, Log};
use crate::machine::Plan;
use crate::shared::{Table, row};
use crate::sync::{Gate, Latched, Waiter};
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
    /// Waiting for a lock.
    pub(crate) waiter: Waiter,
    /// When what it last waited for was granted.
    granted: AtomicU64,
    /// Is it an async task? Then a waker stands in for the futex.
    is_async: AtomicU32,
    /// Must the control thread wake it, because a child process could not?
    rung: AtomicU32,
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
    /// What it did.
    pub(crate) diary: Diary,
}

row!(Instance {
    spec: AtomicU32,
    number: AtomicU32,
    parent: AtomicU32,
    waiter: Waiter,
    granted: AtomicU64,
    is_async: AtomicU32,
    rung: AtomicU32,
    prepared: AtomicU32,
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
    /// Of them, begun and not waiting for each other.
    pub(crate) active: AtomicU32,
    /// Grows with every begin, wait and finish.
    pub(crate) progress: AtomicU32,
    /// Spawns that found no room.
    pub(crate) refused: AtomicU32,
    /// Threads that were measured.
    threads: AtomicU32,
    /// How many of them have a page clock.
    pub(crate) page_clocks: AtomicU32,
}

row!(Board {
    go: AtomicU32,
    start: AtomicU64,
    deadline: AtomicU64,
    over: AtomicU32,
    bell: AtomicU32,
    instances: AtomicU32,
    unfinished: AtomicU32,
    active: AtomicU32,
    progress: AtomicU32,
    refused: AtomicU32,
    threads: AtomicU32,
    page_clocks: AtomicU32,
});

/// The shared state of one run.
pub(crate) struct World {
    /// What is run.
    pub(crate) scenario: Scenario,
    /// Where, and under which policy of the kernel.
    pub(crate) plan: Plan,
    /// What is written down.
    pub(crate) log: Log,
    boards: Table<Board>,
    instances: Table<Instance>,
    crowds: Table<Crowd>,
    gates: Table<Gate>,
    queues: Table<Queue>,
    /// When each channel of each device is free.
    channels: Table<AtomicU64>,
    /// The channels of each device in that table; nothing for unlimited devices.
    channels_of: IdVec<DeviceId, Option<std::ops::Range<usize>>>,
    /// Unfinished children, by parent and spawnable task.
    children: Table<AtomicU32>,
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
    /// Arrived instances that come after others and whose executor does not wait for them itself.
    pending: Mutex<Vec<usize>>,
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
            gates: Table::zeros(scenario.locks.len())?,
            queues: Table::zeros(scenario.devices.len())?,
            channels: Table::zeros(total)?,
            channels_of,
            children: Table::zeros(capacity * columns)?,
            column_of,
            columns,
            tids: Table::zeros(capacity + 4096)?,
            wakers: (0..capacity).map(|_| Mutex::new(None)).collect(),
            starters: OnceLock::new(),
            at_end: Mutex::new(Vec::new()),
            offsets: scenario.specs.ids().flat_map(|spec| arrivals(scenario, spec)).map(Time::ns).collect(),
            pending: Mutex::new(Vec::new()),
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
        instance.waiter.urgency.store(self.plan.urgency[spec], Ordering::Relaxed);
        crowd.unfinished.fetch_add(1, Ordering::SeqCst);
        self.board().unfinished.fetch_add(1, Ordering::SeqCst);
        self.log.open(&instance.diary);
        Some(id)
    }

    /// Registers the calling thread as one that is measured.
    pub(crate) fn register_thread(&self, has_page_clock: bool) {
        let index = self.board().threads.fetch_add(1, Ordering::Relaxed) as usize;
        if let Some(row) = self.tids.get(index) {
            row.store(sys::thread_id(), Ordering::Relaxed);
        }
        self.board().page_clocks.fetch_add(u32::from(has_page_clock), Ordering::Relaxed);
    }

    /// All threads that are or were measured.
    pub(crate) fn measured_threads(&self) -> Vec<u32> {
        let len = self.board().threads.load(Ordering::Relaxed) as usize;
        self.tids[..len.min(self.tids.len())].iter().map(|tid| tid.load(Ordering::Relaxed)).collect()
    }
}

/// Starting and ending.
impl World {
    /// Says how an executor is given the instances of each process. The first to say so is right: a child process
    /// knows its own way before the others are known.
    pub(crate) fn set_starters(&self, starters: Vec<Starter>) {
        self.starters.set(starters).unwrap_or_default();
    }

    /// Announces when the run starts and when it must be over.
    pub(crate) fn announce_start(&self, start: u64, deadline: u64) {
        let board = self.board();
        board.start.store(start, Ordering::SeqCst);
        board.deadline.store(deadline, Ordering::SeqCst);
        board.go.store(1, Ordering::SeqCst);
        sys::futex_wake(&board.go, i32::MAX);
    }

    /// Waits for the announcement; returns the start, which is still to come. `None`: the run is off.
    pub(crate) fn await_start(&self) -> Option<u64> {
        let board = self.board();
        while board.go.load(Ordering::SeqCst) == 0 {
            if self.is_over() {
                return None;
            }
            sys::futex_wait(&board.go, 0, sys::now() + 100_000_000);
        }
        Some(board.start.load(Ordering::SeqCst))
    }

    /// Is the run over, by now or by decree?
    #[inline]
    pub(crate) fn is_over(&self) -> bool {
        self.board().over.load(Ordering::Relaxed) != 0
    }

    /// Has time run out?
    #[inline]
    pub(crate) fn is_late(&self, now: u64) -> bool {
        now >= self.board().deadline.load(Ordering::Relaxed)
    }

    /// Ends the run: nothing goes on after this, and whoever sleeps or waits is woken.
    pub(crate) fn end(&self, at: u64) {
        let board = self.board();
        board.deadline.fetch_min(at, Ordering::SeqCst);
        board.over.store(1, Ordering::SeqCst);
        self.wake_all();
    }

    /// An instance could not be started: the run is worth nothing.
    pub(crate) fn refuse(&self) {
        self.board().refused.fetch_add(1, Ordering::Relaxed);
        self.ring();
    }

    /// Whom to wake when the run is over.
    pub(crate) fn wake_at_end(&self, waker: Waker) {
        self.at_end.lock().unwrap_or_else(PoisonError::into_inner).push(waker);
    }

    /// Wakes everybody who waits for something that will no longer happen.
    pub(crate) fn wake_all(&self) {
        let board = self.board();
        for word in [&board.go, &board.over] {
            sys::futex_wake(word, i32::MAX);
        }
        for instance in self.instances() {
            sys::futex_wake(&instance.waiter.word, i32::MAX);
        }
        self.crowds.iter().for_each(|crowd| sys::futex_wake(&crowd.unfinished, i32::MAX));
        for counter in &self.children[..self.instances().len() * self.columns] {
            sys::futex_wake(counter, i32::MAX);
        }
        let wakers = std::mem::take(&mut *self.at_end.lock().unwrap_or_else(PoisonError::into_inner));
        wakers.into_iter().for_each(Waker::wake);
    }

    /// Waits until the run is over.
    pub(crate) fn await_end(&self) {
        while !self.is_over() {
            sys::futex_wait(&self.board().over, 0, u64::MAX / 2);
        }
    }

    /// Waits until `word` is zero; `false` if the run ended before.
    pub(crate) fn await_zero(&self, word: &AtomicU32) -> bool {
        loop {
            let value = word.load(Ordering::SeqCst);
            if value == 0 {
                return true;
            }
            let deadline = self.board().deadline.load(Ordering::SeqCst);
            if self.is_over() || sys::now() >= deadline {
                return false;
            }
            sys::futex_wait(word, value, deadline);
        }
    }

    /// Waits until `word` is no longer zero, or gives up after a second.
    pub(crate) fn await_nonzero(&self, word: &AtomicU32) {
        let patience = sys::now() + 1_000_000_000;
        while word.load(Ordering::SeqCst) == 0 && sys::now() < patience && !self.is_over() {
            sys::futex_wait(word, 0, patience);
        }
    }

    /// Asks the control thread to look.
    pub(crate) fn ring(&self) {
        self.board().bell.fetch_add(1, Ordering::SeqCst);
        sys::futex_wake(&self.board().bell, 1);
    }
}

/// The life of an instance.
impl World {
    /// Waits for the tasks this one comes after; `false` if the run ended before.
    pub(crate) fn await_predecessors(&self, id: usize) -> bool {
        let (spec, _) = self.identity(id);
        let after = &self.scenario.specs[spec].after;
        let released = after.iter().all(|spec| self.await_zero(&self.crowds[spec.0 as usize].unfinished));
        if released {
            self.note_release(id);
        }
        released
    }

    /// Have the tasks this one comes after finished?
    pub(crate) fn may_start(&self, id: usize) -> bool {
        let (spec, _) = self.identity(id);
        let mut after = self.scenario.specs[spec].after.iter();
        after.all(|spec| self.crowds[spec.0 as usize].unfinished.load(Ordering::SeqCst) == 0)
    }

    /// Notes since when it could have started.
    fn note_release(&self, id: usize) {
        let (spec, _) = self.identity(id);
        let after = self.scenario.specs[spec].after.iter();
        let last = after.map(|spec| self.crowds[spec.0 as usize].done_at.load(Ordering::SeqCst)).max().unwrap_or(0);
        self.instances[id].released.store(last, Ordering::Relaxed);
    }

    /// An instance arrives at an executor that does not wait for arrivals itself: it is handed over, or kept until
    /// the tasks it comes after have finished.
    pub(crate) fn arrive(&self, id: usize) {
        if self.may_start(id) {
            self.hand_over(id);
        } else {
            self.pending.lock().unwrap_or_else(PoisonError::into_inner).push(id);
        }
    }

    /// Hands over the kept instances whose time has come.
    pub(crate) fn release_pending(&self) {
        let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        let (ready, kept) = pending.drain(..).partition::<Vec<_>, _>(|id| self.may_start(*id));
        *pending = kept;
        drop(pending);
        ready.into_iter().for_each(|id| self.hand_over(id));
    }

    fn hand_over(&self, id: usize) {
        self.note_release(id);
        self.start_instance(id);
    }

    fn start_instance(&self, id: usize) {
        let process = self.scenario.specs[self.identity(id).0].process;
        match self.starters.get().and_then(|starters| starters.get(process.0 as usize)) {
            Some(start) => start(id),
            None => self.refuse(),
        }
    }

    /// Its first operation begins.
    pub(crate) fn begin(&self, id: usize) {
        self.instances[id].begun.store(sys::now(), Ordering::Relaxed);
        self.set_active(true);
    }

    /// It waits for another instance, or does so no longer.
    pub(crate) fn set_active(&self, active: bool) {
        let board = self.board();
        if active {
            board.active.fetch_add(1, Ordering::SeqCst);
        } else {
            board.active.fetch_sub(1, Ordering::SeqCst);
        }
        board.progress.fetch_add(1, Ordering::SeqCst);
    }

    /// It is done.
    pub(crate) fn finish(&self, id: usize) {
        let now = sys::now();
        let instance = &self.instances[id];
        instance.finish.store(now, Ordering::Relaxed);
        let (spec, _) = self.identity(id);
        let parent = instance.parent.load(Ordering::Relaxed) as usize;
        if let Some(parent) = parent.checked_sub(1)
            && let Some(counter) = self.children_of(parent, spec)
            && counter.fetch_sub(1, Ordering::SeqCst) == 1
        {
            self.wake(parent, counter, now);
        }
        let crowd = &self.crowds[spec.0 as usize];
        crowd.done_at.fetch_max(now, Ordering::SeqCst);
        if crowd.unfinished.fetch_sub(1, Ordering::SeqCst) == 1 {
            sys::futex_wake(&crowd.unfinished, i32::MAX);
            self.ring();
        }
        self.set_active(false);
        if self.board().unfinished.fetch_sub(1, Ordering::SeqCst) == 1 {
            self.ring();
        }
    }

    /// `parent` starts an instance of `spec`.
    pub(crate) fn spawn(&self, parent: usize, spec: SpecId) {
        let now = sys::now();
        let Some(id) = self.add(spec, u32::try_from(parent + 1).unwrap_or(0)) else {
            self.ring();
            return;
        };
        self.instances[id].arrival.store(now, Ordering::Relaxed);
        if let Some(counter) = self.children_of(parent, spec) {
            counter.fetch_add(1, Ordering::SeqCst);
        }
        let process = self.scenario.specs[spec].process;
        let kind = self.scenario.processes[process].executor.kind;
        if executor::find(kind.name).is_some_and(|executor| executor.has_thread_per_task()) {
            self.start_instance(id);
        } else {
            self.arrive(id);
        }
    }

    /// How many instances of `spec` that `parent` spawned are unfinished.
    pub(crate) fn children_of(&self, parent: usize, spec: SpecId) -> Option<&AtomicU32> {
        self.children.get(parent * self.columns + self.column_of[spec]?)
    }
}

/// Locks, devices, waking.
impl World {
    /// Takes a lock; `false`: it is held, and the instance's word stays 1 until the lock is its own.
    pub(crate) fn acquire(&self, id: usize, lock: LockId) -> bool {
        self.gates[lock.0 as usize].acquire(id, |id| &self.instances[id].waiter)
    }

    /// Gives a lock back and wakes the next.
    pub(crate) fn release(&self, lock: LockId) {
        let next = self.gates[lock.0 as usize].release(|id| &self.instances[id].waiter);
        if let Some(next) = next {
            self.wake(next, &self.instances[next].waiter.word, sys::now());
        }
    }

    /// Wakes an instance that waits for `word` to become zero.
    fn wake(&self, id: usize, word: &AtomicU32, now: u64) {
        let instance = &self.instances[id];
        instance.granted.store(now, Ordering::Relaxed);
        if std::ptr::eq(word, &raw const instance.waiter.word) {
            word.store(0, Ordering::SeqCst);
        }
        if instance.is_async.load(Ordering::SeqCst) == 0 {
            sys::futex_wake(word, 1);
        } else if in_child() {
            instance.rung.store(1, Ordering::SeqCst);
            self.ring();
        } else {
            self.call_waker(id);
        }
    }

    /// Wakes the async tasks that child processes could not wake.
    pub(crate) fn answer_rings(&self) {
        for (id, instance) in self.instances().iter().enumerate() {
            if instance.rung.load(Ordering::Relaxed) == 1 && instance.rung.swap(0, Ordering::SeqCst) == 1 {
                self.call_waker(id);
            }
        }
    }

    fn call_waker(&self, id: usize) {
        let waker = self.wakers[id].lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Whom to wake when what the instance waits for happens.
    pub(crate) fn set_waker(&self, id: usize, waker: Waker) {
        *self.wakers[id].lock().unwrap_or_else(PoisonError::into_inner) = Some(waker);
    }

    /// Says that an instance is an async task.
    pub(crate) fn set_async(&self, id: usize) {
        self.instances[id].is_async.store(1, Ordering::SeqCst);
    }

    /// When what the instance waited for was granted.
    pub(crate) fn granted(&self, id: usize) -> u64 {
        self.instances[id].granted.load(Ordering::Relaxed)
    }

    /// Makes a request to a device at `now`: when a channel will take it and when it will be served.
    ///
    /// Requests are served first come, first served, and their length is known when they are made: so the whole queue
    /// is one number per channel, the time when it will be free, and the device works on however busy the processors
    /// are, as a device does.
    pub(crate) fn request(&self, device: DeviceId, now: u64, service: u64) -> (u64, u64) {
        let Some(channels) = self.channels_of[device].clone() else { return (now, now + service) };
        self.queues[device.0 as usize].latch.with(|| {
            let channels = &self.channels[channels];
            let Some(first) = channels.iter().min_by_key(|free| free.load(Ordering::Relaxed)) else {
                return (now, now + service);
            };
            let start = first.load(Ordering::Relaxed).max(now);
            first.store(start + service, Ordering::Relaxed);
            (start, start + service)
        })
    }
}

/// When the instances of a task arrive that arrive by themselves.
pub(crate) fn arrivals(scenario: &Scenario, spec: SpecId) -> Vec<Time> {
    let count = scenario.specs[spec].count;
    match &scenario.specs[spec].arrival {
        Arrival::At(at) => vec![*at; count as usize],
        Arrival::List(times) => times.clone(),
        Arrival::Every(gap) => (0..u64::from(count)).map(|k| Time::from_ns(gap.ns().saturating_mul(k))).collect(),
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
