//! The runtimes of processes: who has which worker, and who waits for one.
//!
//! The engine knows four shapes of runtimes and no executor by name. Each has the state that only it has, and knows nothing
//! of the world: what happens when is a matter of the rules (`engine/runtime`).

pub(super) mod crew;
mod helping;
pub(super) mod switching;
mod workers;

use self::crew::Crew;
use self::helping::Helping;
use self::switching::Switching;
use self::workers::{Keeping, Seat, Workers};
use super::task::Task;
use super::thread::Thread;
use crate::executor::{Looks, RunQueue, Setup, Threads};
use crate::ids::{IdVec, SpecId, TaskId, ThreadId, VariableId};
use crate::policy::{Attributes, Floor, Slice, Slot, View, Who};
use crate::rng::StreamName;
use crate::scenario::{Process, Scenario};
use crate::time::{Span, Time};

/// What an executor is to the engine: the runtime of one process. In those that have workers they come first, in the same
/// place: nobody need tell shapes apart to find them.
#[repr(u8)]
pub(super) enum Runtime {
    /// Every task has a thread of its own and the kernel decides alone.
    PerTask,
    /// Workers that keep a task until it ends.
    Keeping(Keeping),
    /// The same, but they run others while their task joins those it spawned.
    Helping(Helping),
    /// Workers that go on to another task whenever one blocks.
    Switching(Switching),
}

impl Runtime {
    pub(super) fn new(process: &Process, seed: u64, threads: &[ThreadId]) -> Runtime {
        let executor = &process.executor;
        if matches!(executor.kind.threads, Threads::PerTask | Threads::ProcessPerTask) {
            return Runtime::PerTask;
        }
        let chance = StreamName::new(seed).word("executor").word(&process.name);
        let on_demand = process.part.is_some();
        let queue = executor.queue.build(&Setup { workers: threads.len(), on_demand, chance });
        let workers = Workers::new(queue, threads);
        match executor.kind.keeps_thread {
            true if executor.helps => Runtime::Helping(Helping::new(workers)),
            true => Runtime::Keeping(Keeping::new(workers, executor)),
            false => Runtime::Switching(Switching::new(workers, executor)),
        }
    }

    /// The process has this task.
    pub(super) fn has(&mut self, id: SpecId, attributes: &Attributes) {
        if let Some(workers) = self.workers_mut() {
            workers.may_carry(id, attributes);
        }
    }

    /// Its threads, if it has not always as many.
    #[inline]
    pub(super) fn crew_mut(&mut self) -> Option<&mut Crew> {
        if let Runtime::Keeping(runtime) = self { runtime.crew.as_deref_mut() } else { None }
    }

    /// The same, to look at.
    pub(super) fn crew(&self) -> Option<&Crew> {
        if let Runtime::Keeping(runtime) = self { runtime.crew.as_deref() } else { None }
    }

    // What it is.

    /// Has each of its tasks a thread of its own?
    pub(super) fn is_per_task(&self) -> bool {
        matches!(self, Runtime::PerTask)
    }

    /// Has it workers that keep their task until it ends?
    pub(super) fn keeps_tasks(&self) -> bool {
        matches!(self, Runtime::Keeping(_) | Runtime::Helping(_))
    }

    /// Does a thread whose task has ended go on with another without leaving its processor?
    pub(super) fn goes_on(&self) -> bool {
        match self {
            Runtime::Switching(_) | Runtime::Helping(_) => true,
            Runtime::Keeping(runtime) => runtime.goes_on(),
            Runtime::PerTask => false,
        }
    }

    /// Do its tasks give their thread up whenever they wait, and are polled when they go on?
    pub(super) fn polls_tasks(&self) -> bool {
        matches!(self, Runtime::Switching(_))
    }

    /// Has it workers that take a task, or several, from a queue that all share?
    pub(super) fn takes_from_queue(&self) -> bool {
        matches!(self, Runtime::Keeping(runtime) if runtime.is_pool())
    }

    /// Is there a worker that has nothing to do but to notice what happens outside?
    pub(super) fn somebody_looks(&self) -> bool {
        self.workers().is_some_and(|workers| workers.idle() > 0)
    }

    /// Must a task that has nothing left to do have its turn to end?
    pub(super) fn ends_in_turn(&self) -> bool {
        matches!(self, Runtime::Switching(runtime) if runtime.goes_by_rounds())
    }

    /// What it has done for the task that was picked last.
    pub(super) fn take_looks(&mut self) -> Looks {
        self.workers_mut().map_or(Looks::default(), Workers::take_looks)
    }

    /// Does it ever take a thread, or the task of one, off a processor?
    pub(super) fn takes_back(&self) -> bool {
        match self {
            Runtime::Switching(runtime) => runtime.preempts(),
            Runtime::PerTask | Runtime::Keeping(_) | Runtime::Helping(_) => false,
        }
    }

    /// Its workers, if it has any.
    pub(super) fn workers(&self) -> Option<&Workers> {
        match self {
            Runtime::PerTask => None,
            Runtime::Keeping(runtime) => Some(&runtime.workers),
            Runtime::Helping(runtime) => Some(&runtime.workers),
            Runtime::Switching(runtime) => Some(&runtime.workers),
        }
    }

    pub(super) fn workers_mut(&mut self) -> Option<&mut Workers> {
        match self {
            Runtime::PerTask => None,
            Runtime::Keeping(runtime) => Some(&mut runtime.workers),
            Runtime::Helping(runtime) => Some(&mut runtime.workers),
            Runtime::Switching(runtime) => Some(&mut runtime.workers),
        }
    }

    /// Its workers have this task's attributes while they carry none.
    pub(super) fn first_spec(&self) -> SpecId {
        self.workers().map_or(SpecId::NONE, Workers::first_spec)
    }

    // Who waits, and when they get a worker.

    /// Asks its queue, which sees tasks on workers. Where tasks have threads of their own there is none to ask.
    pub(super) fn ask<T>(
        &mut self,
        scenario: &Scenario,
        tasks: &IdVec<TaskId, Task>,
        variables: &IdVec<VariableId, i64>,
        now: Time,
        question: impl FnOnce(&mut dyn RunQueue, &View<'_>) -> T,
    ) -> Option<T> {
        let (queue, seats) = self.workers_mut()?.queue();
        let floor = TasksOnWorkers { scenario, tasks, variables, now, seats };
        Some(question(queue, &View { now, floor: &floor, no_affinity: true }))
    }

    /// Does a worker that was woken take a task at once? Others look into the queue when they get a processor.
    pub(super) fn takes_at_once(&self) -> bool {
        let at_once = matches!(self, Runtime::Keeping(runtime) if !runtime.takes_late());
        at_once || self.workers().is_some_and(Workers::are_choosy)
    }

    /// Does a task wait for a worker that is free now, and is it all the same when the worker takes it?
    pub(super) fn may_choose_later(&self) -> bool {
        self.workers().is_some_and(|workers| workers.waiting() > 0 && !workers.are_choosy())
    }

    /// Must all that happens in this instant be known before a worker takes one of those who wait?
    pub(super) fn must_choose_later(&self) -> bool {
        matches!(self, Runtime::Keeping(runtime) if runtime.takes_late() && runtime.workers.waiting() > 0)
    }

    // What workers carry.

    /// A worker whose thread has run so long takes up a task.
    pub(super) fn takes(&mut self, worker: u32, task: TaskId, slice: Slice, time: Span) {
        if let Runtime::Switching(runtime) = self {
            runtime.begins_turn(worker, slice);
        }
        if let Some(workers) = self.workers_mut() {
            workers.takes(worker, task, time);
        }
    }

    /// A worker whose thread has run so long puts its task down. How long did it have it?
    pub(super) fn puts_down(&mut self, worker: u32, time: Span) -> Span {
        self.workers_mut().map_or(Span::ZERO, |workers| workers.puts_down(worker, time))
    }

    /// The worker, on a processor, has just been given another task, which begins then. When does the turn end, if it must?
    pub(super) fn begins(&mut self, worker: u32, begin: Time, now: Time) -> Option<Time> {
        self.workers_mut()?.switches(worker, begin.since(now));
        match self {
            Runtime::Switching(runtime) if runtime.preempts() => Some(runtime.end_of_turn(worker, begin)),
            _ => None,
        }
    }

    /// When it wants a thread back from a processor on which the thread is to run from `begin`: a slice counts from its first
    /// run. Were the switch longer than the slice, nobody would ever run.
    #[inline]
    pub(super) fn end_of_turn(&mut self, thread: &Thread, begin: Time) -> Time {
        match self {
            Runtime::Switching(runtime) if runtime.preempts() => runtime.end_of_turn(thread.worker, begin),
            _ => Time::NEVER,
        }
    }

    /// The thread is put off before the switch to it, or to its task, has led to anything: if that was to be the first run
    /// in this turn, the turn has not begun.
    pub(super) fn is_put_off_early(&mut self, thread: &Thread, now: Time) {
        match self {
            Runtime::Switching(runtime) => runtime.is_put_off_early(thread.worker, thread.task, now),
            Runtime::PerTask | Runtime::Keeping(_) | Runtime::Helping(_) => {}
        }
    }

    // What else it changes.

    /// Its timers, if it has some.
    pub(super) fn timers_mut(&mut self) -> Option<&mut Switching> {
        if let Runtime::Switching(runtime) = self { Some(runtime) } else { None }
    }

    /// The task of a worker is at a point at which it might have to wait: is that once too often in this turn?
    pub(super) fn is_over_budget(&mut self, worker: u32) -> bool {
        if let Runtime::Switching(runtime) = self { runtime.is_over_budget(worker) } else { false }
    }
}

/// The runtime floor as policies see it: tasks on workers.
struct TasksOnWorkers<'a> {
    scenario: &'a Scenario,
    tasks: &'a IdVec<TaskId, Task>,
    variables: &'a IdVec<VariableId, i64>,
    now: Time,
    seats: &'a [Seat],
}

impl Floor for TasksOnWorkers<'_> {
    fn slots(&self) -> usize {
        self.seats.len()
    }
    fn running(&self, slot: Slot) -> Option<Who> {
        let task = self.seats[slot.0 as usize].task();
        (!task.is_none()).then_some(Who(task.0))
    }
    fn attributes(&self, who: Who) -> &Attributes {
        &self.scenario.specs[self.tasks[TaskId(who.0)].spec].attributes
    }
    fn allowed(&self, _: Who, _: Slot) -> bool {
        true
    }
    fn burst(&self, who: Who) -> Span {
        let task = &self.tasks[TaskId(who.0)];
        task.work + task.work_ahead(self.scenario, self.now, !task.work.is_zero(), self.variables)
    }
}
