//! Workers and what they carry.

use super::crew::Crew;
use crate::executor::{Executor, Looks, RunQueue, Threads};
use crate::ids::{SpecId, TaskId, ThreadId};
use crate::policy::Attributes;
use crate::time::Span;

/// Workers that take tasks from a queue.
pub(in crate::engine) struct Workers {
    /// Tasks that are ready and have no thread.
    queue: Box<dyn RunQueue>,
    seats: Vec<Seat>,
    /// Workers without a task that wait to be woken. Few: kept sorted.
    parked: Vec<u32>,
    /// Does it depend on the task that a worker carries where or how urgently it runs: have some an affinity, or jobs?
    choosy: bool,
    /// The first task that they may carry.
    first_spec: SpecId,
}

/// What a worker does.
pub(super) struct Seat {
    /// Its thread.
    thread: ThreadId,
    /// The task it carries.
    task: TaskId,
    /// How long the worker's thread had run when it took up the task.
    taken_at: Span,
}

impl Seat {
    pub(super) fn task(&self) -> TaskId {
        self.task
    }
}

impl Workers {
    /// Workers with these threads, all parked.
    pub(super) fn new(queue: Box<dyn RunQueue>, threads: &[ThreadId]) -> Workers {
        let seat = |thread: &ThreadId| Seat { thread: *thread, task: TaskId::NONE, taken_at: Span::ZERO };
        let seats: Vec<Seat> = threads.iter().map(seat).collect();
        Workers { queue, parked: (0..).take(seats.len()).collect(), seats, choosy: false, first_spec: SpecId::NONE }
    }

    /// They may carry instances of this task.
    pub(super) fn may_carry(&mut self, id: SpecId, attributes: &Attributes) {
        self.first_spec = self.first_spec.min(id);
        self.choosy |= attributes.affinity.is_some() || attributes.periodic.is_some();
    }

    pub(super) fn first_spec(&self) -> SpecId {
        self.first_spec
    }

    /// Does it depend on the task that a worker carries which processors it may get, or when?
    pub(super) fn are_choosy(&self) -> bool {
        self.choosy
    }

    pub(super) fn count(&self) -> usize {
        self.seats.len()
    }

    pub(in crate::engine) fn waiting(&self) -> usize {
        self.queue.waiting()
    }

    pub(super) fn take_looks(&mut self) -> Looks {
        self.queue.take_looks()
    }

    pub(super) fn queue(&mut self) -> (&mut dyn RunQueue, &[Seat]) {
        (&mut *self.queue, &self.seats)
    }

    // Their threads.

    pub(in crate::engine) fn threads(&self) -> impl Iterator<Item = ThreadId> {
        self.seats.iter().map(|seat| seat.thread)
    }

    pub(in crate::engine) fn thread(&self, worker: u32) -> ThreadId {
        self.seats[worker as usize].thread
    }

    /// The worker goes on with another thread.
    pub(super) fn goes_on_with(&mut self, worker: u32, thread: ThreadId) {
        self.seats[worker as usize].thread = thread;
    }

    // Who is parked.

    /// Somebody has become ready, or (`taken`) a worker has taken somebody: the thread of the parked worker that is woken
    /// now, if one is, which is parked no more.
    pub(in crate::engine) fn rouse(&mut self, taken: bool) -> Option<ThreadId> {
        if self.parked.is_empty() {
            return None;
        }
        let worker = self.queue.rouse(taken, &self.parked)?.0;
        self.unparks(worker).then(|| self.thread(worker))
    }

    /// A timer has rung: the thread of the worker that wakes for it, if one is parked, which is so no more.
    pub(in crate::engine) fn wakes_for_timer(&mut self) -> Option<ThreadId> {
        if self.parked.is_empty() {
            return None;
        }
        let worker = self.queue.wakes_for_timer(&self.parked)?.0;
        self.unparks(worker).then(|| self.thread(worker))
    }

    /// The worker has no task and waits to be woken.
    pub(in crate::engine) fn parks(&mut self, worker: u32) {
        let place = self.parked.partition_point(|other| *other < worker);
        self.parked.insert(place, worker);
    }

    /// How many are parked.
    pub(in crate::engine) fn idle(&self) -> usize {
        self.parked.len()
    }

    pub(in crate::engine) fn is_parked(&self, worker: u32) -> bool {
        self.parked.binary_search(&worker).is_ok()
    }

    /// The worker is parked no more. Was it?
    pub(in crate::engine) fn unparks(&mut self, worker: u32) -> bool {
        let place = self.parked.binary_search(&worker);
        place.map(|place| self.parked.remove(place)).is_ok()
    }

    // What they carry.

    /// A worker whose thread has run so long takes up a task.
    pub(super) fn takes(&mut self, worker: u32, task: TaskId, time: Span) {
        let seat = &mut self.seats[worker as usize];
        (seat.task, seat.taken_at) = (task, time);
    }

    /// The switch to its task takes the worker so long: the task does not have it yet.
    pub(super) fn switches(&mut self, worker: u32, length: Span) {
        self.seats[worker as usize].taken_at += length;
    }

    /// A worker whose thread has run so long puts its task down. How long did it have it?
    pub(super) fn puts_down(&mut self, worker: u32, time: Span) -> Span {
        let seat = &mut self.seats[worker as usize];
        seat.task = TaskId::NONE;
        time.saturating_sub(seat.taken_at)
    }

    pub(super) fn carried_by(&self, worker: u32) -> TaskId {
        self.seats[worker as usize].task
    }
}

/// Workers that keep a task until it ends.
#[repr(C)]
pub(in crate::engine) struct Keeping {
    pub(super) workers: Workers,
    /// Does the queue want to know all that happens in an instant before a worker takes a task?
    compares: bool,
    /// Does a worker go on with the next task without leaving its processor?
    goes_on: bool,
    /// Must a worker have the interpreter lock to take a task?
    is_locked: bool,
    /// Are they the workers of a pool, with a queue of its own?
    is_pool: bool,
    /// Which of them there are, if that changes.
    pub(super) crew: Option<Box<Crew>>,
}

impl Keeping {
    pub(super) fn new(mut workers: Workers, executor: &Executor) -> Keeping {
        let crew = executor.limits.map(|limits| Box::new(Crew::new(limits, workers.count())));
        if crew.is_some() {
            workers.parked.clear();
        }
        Keeping {
            crew,
            workers,
            compares: executor.queue.compares(),
            goes_on: executor.goes_on,
            is_locked: executor.gil.is_some() && !executor.queue.hands_over(),
            is_pool: executor.kind.threads == Threads::Workers,
        }
    }

    pub(super) fn goes_on(&self) -> bool {
        self.goes_on
    }

    pub(super) fn is_pool(&self) -> bool {
        self.is_pool
    }

    /// Does a worker that is woken take no task before it has a processor?
    pub(super) fn takes_late(&self) -> bool {
        self.compares || self.is_locked
    }
}
