//! The runtime floor: which task is on which thread of its process.
//!
//! The engine knows four shapes of executors and no executor by name. [`Shape::PerTask`]: every task has a thread of
//! its own and the kernel decides alone. [`Shape::Interpreter`]: the same, but one interpreter lock is handed round.
//! [`Shape::Keeping`]: workers that keep a task until it ends. [`Shape::Switching`]: workers that go on to another
//! task whenever one blocks. Who is next is asked of a [`Policy`] whose slots are the workers (or the one lock).

use super::world::{State, ThreadState, World};
use crate::executor::Threads;
use crate::ids::{CpuId, IdVec, ProcessId, SpecId, TaskId, ThreadId};
use crate::policy::{Exit, Floor, Policy, Slot, View, Who, Why};
use crate::scenario::{Attributes, Executor, Scenario, Spec};
use crate::time::{Span, Time};
use crate::timeline::{Left, Recorder};

/// The runtime of one process.
pub(super) struct Runtime {
    pub(super) shape: Shape,
    /// Tasks that are ready and have no thread (or not the interpreter lock).
    queue: Option<Box<dyn Policy>>,
    /// Its workers are this thread and those that follow.
    first_thread: ThreadId,
    /// The task on each worker (or holding the interpreter lock).
    slots: Vec<TaskId>,
    /// Workers without a task that wait to be woken. Few: kept sorted.
    parked: Vec<u32>,
    /// When the holder of the interpreter lock must give it up: one interval after somebody began to wait.
    interpreter_deadline: Time,
    /// Has the holder of the interpreter lock not been on a processor since it was handed it?
    handed: bool,
    /// Does it depend on the task that a worker carries where or how urgently it runs: have some an affinity, or jobs?
    choosy: bool,
    /// Its workers have this task's attributes while they carry none.
    pub(super) first_spec: SpecId,
}

/// What an executor is to the engine.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Shape {
    PerTask,
    Interpreter { interval: Span },
    Keeping,
    Switching,
}

impl Runtime {
    pub(super) fn new(executor: &Executor, first_thread: ThreadId, workers: u32) -> Runtime {
        let per_task = matches!(executor.kind.threads, Threads::PerTask | Threads::ProcessPerTask);
        let shape = match executor.gil {
            Some(interval) if per_task => Shape::Interpreter { interval },
            _ if per_task => Shape::PerTask,
            _ if executor.kind.keeps_thread => Shape::Keeping,
            _ => Shape::Switching,
        };
        let slots = if per_task { 1 } else { workers as usize };
        Runtime {
            shape,
            queue: (shape != Shape::PerTask).then(|| (executor.kind.queue)(executor)),
            first_thread,
            slots: vec![TaskId::NONE; slots],
            parked: (0..workers).collect(),
            interpreter_deadline: Time::NEVER,
            handed: false,
            choosy: false,
            first_spec: SpecId::NONE,
        }
    }

    /// When it wants a thread back from a processor on which the thread is to run from `begin`.
    ///
    /// The interval of who was handed the interpreter lock counts from its first run: were the switch to it longer than
    /// the interval, the lock would go round and nobody would ever run.
    #[inline]
    pub(super) fn end_of_turn(&mut self, begin: Time, now: Time) -> Time {
        if self.handed {
            self.handed = false;
            if let Shape::Interpreter { interval } = self.shape
                && self.waiting() > 0
            {
                self.interpreter_deadline = begin + interval;
            }
        }
        self.interpreter_deadline.max(now)
    }

    /// The process has this task.
    pub(super) fn has(&mut self, id: SpecId, spec: &Spec) {
        self.first_spec = self.first_spec.min(id);
        self.choosy |= spec.attributes.affinity.is_some() || spec.attributes.periodic.is_some();
    }

    fn waiting(&self) -> usize {
        self.queue.as_ref().map_or(0, |queue| queue.waiting())
    }
}

impl<R: Recorder> World<'_, R> {
    /// A task wants to run.
    pub(super) fn task_ready(&mut self, id: TaskId, why: Why) {
        self.scene.tasks[id].state = State::Able;
        self.take_burst(id);
        let task = &self.scene.tasks[id];
        let process = self.scene.scenario.specs[task.spec].process;
        if task.thread.is_none()
            && matches!(self.scene.runtimes[process].shape, Shape::PerTask | Shape::Interpreter { .. })
        {
            self.create_thread(id, process);
        }
        let thread = self.scene.tasks[id].thread;
        match self.scene.runtimes[process].shape {
            Shape::PerTask => self.make_ready(thread, why),
            Shape::Interpreter { interval } => self.want_interpreter(id, process, interval, why),
            Shape::Keeping | Shape::Switching if !thread.is_none() => self.make_ready(thread, why),
            Shape::Keeping | Shape::Switching => {
                self.ask_runtime(process, |queue, view| queue.ready(Who(id.0), why, view));
                self.wake_worker(process);
            }
        }
    }

    /// A policy may ask how long the next burst of a ready task is: it must be known.
    fn take_burst(&mut self, id: TaskId) {
        let scenario = self.scene.scenario;
        let task = &mut self.scene.tasks[id];
        if task.work.is_zero() {
            let (spec, instance) = (task.spec, task.instance);
            let name = || crate::program::program_stream(scenario, spec, instance);
            task.work = task.cursor.take_burst(&scenario.specs[spec].program, name);
            self.scene.takes_up(id);
        }
    }

    fn create_thread(&mut self, id: TaskId, process: ProcessId) {
        let machine = &self.scene.scenario.machine;
        // Each process of the executor `processes` is an address space of its own, apart from those of the file.
        let (space, start_cost) = match self.scene.scenario.processes[process].executor.kind.threads {
            Threads::ProcessPerTask => (id.0 ^ (1 << 31), machine.process_start),
            _ => (process.0, machine.thread_start),
        };
        let mut thread = super::world::Thread::new(process, space, 0, start_cost);
        thread.task = id;
        thread.last_task = id;
        self.scene.tasks[id].thread = self.scene.threads.push(thread);
    }

    /// There is work in the queue: a parked worker, if there is one, is woken for it.
    fn wake_worker(&mut self, process: ProcessId) {
        let runtime = &mut self.scene.runtimes[process];
        if runtime.parked.is_empty() {
            return;
        }
        let thread = ThreadId(runtime.first_thread.0 + runtime.parked.remove(0));
        // A worker that keeps its task takes it now; one that switches looks into the queue when it gets a processor,
        // unless it depends on the task which processors it may get, or when.
        if runtime.shape == Shape::Keeping || runtime.choosy {
            self.bind(thread);
        }
        self.make_ready(thread, Why::Woken);
    }

    /// A worker looks for a task. Without one it parks.
    pub(super) fn bind(&mut self, thread: ThreadId) -> bool {
        let (process, worker) = (self.scene.threads[thread].process, self.scene.threads[thread].worker);
        let Some(turn) = self.ask_runtime(process, |queue, view| queue.pick(Slot(worker), view)) else {
            let parked = &mut self.scene.runtimes[process].parked;
            let place = parked.partition_point(|other| *other < worker);
            parked.insert(place, worker);
            return false;
        };
        let task = TaskId(turn.who.0);
        self.scene.runtimes[process].slots[worker as usize] = task;
        self.scene.threads[thread].task = task;
        self.scene.tasks[task].thread = thread;
        true
    }

    fn unbind(&mut self, thread: ThreadId) {
        let (process, worker) = (self.scene.threads[thread].process, self.scene.threads[thread].worker);
        let task = std::mem::replace(&mut self.scene.threads[thread].task, TaskId::NONE);
        self.scene.runtimes[process].slots[worker as usize] = TaskId::NONE;
        self.scene.tasks[task].thread = ThreadId::NONE;
    }

    /// The task on the processor is blocked. `keep`: its thread waits with it, whatever the executor.
    pub(super) fn task_blocks(&mut self, cpu: CpuId, keep: bool) {
        let thread = self.scene.cpus[cpu].thread;
        let process = self.scene.threads[thread].process;
        match self.scene.runtimes[process].shape {
            Shape::Interpreter { .. } => {
                self.take_off(cpu, Left::Blocked, Exit::Blocked);
                self.pass_interpreter(process);
            }
            Shape::Switching if !keep => {
                self.unbind(thread);
                self.next_task(cpu, Left::Blocked);
            }
            _ => self.take_off(cpu, Left::Blocked, Exit::Blocked),
        }
    }

    /// The task on the processor gives up control and stays ready.
    pub(super) fn task_yields(&mut self, cpu: CpuId) {
        let thread = self.scene.cpus[cpu].thread;
        let (process, worker) = (self.scene.threads[thread].process, self.scene.threads[thread].worker);
        match self.scene.runtimes[process].shape {
            Shape::Interpreter { .. } if self.scene.runtimes[process].waiting() > 0 => {
                self.drop_interpreter(cpu, Left::Yielded);
            }
            Shape::Switching => {
                let task = self.scene.threads[thread].task;
                self.unbind(thread);
                self.ask_runtime(process, |queue, view| queue.ready(Who(task.0), Why::Yielded(Slot(worker)), view));
                self.next_task(cpu, Left::Yielded);
            }
            _ => {
                let task = self.scene.cpus[cpu].task;
                self.take_off(cpu, Left::Yielded, Exit::Ready);
                self.take_burst(task);
                self.make_ready(thread, Why::Yielded(Slot(cpu.0)));
            }
        }
    }

    /// The task on the processor has finished (and has been told so): its thread goes on or goes away.
    pub(super) fn task_leaves(&mut self, cpu: CpuId) {
        let thread = self.scene.cpus[cpu].thread;
        let process = self.scene.threads[thread].process;
        match self.scene.runtimes[process].shape {
            Shape::Switching => {
                self.unbind(thread);
                self.next_task(cpu, Left::Finished);
            }
            Shape::Keeping | Shape::PerTask | Shape::Interpreter { .. } => {
                self.take_off(cpu, Left::Finished, Exit::Finished);
                self.thread_without_task(thread);
            }
        }
    }

    /// The task of a thread that is not on a processor has finished.
    pub(super) fn thread_without_task(&mut self, thread: ThreadId) {
        let process = self.scene.threads[thread].process;
        match self.scene.runtimes[process].shape {
            Shape::PerTask => self.scene.threads[thread].state = ThreadState::Gone,
            Shape::Interpreter { .. } => {
                self.scene.threads[thread].state = ThreadState::Gone;
                let task = self.scene.threads[thread].task;
                if self.scene.runtimes[process].slots[0] == task {
                    self.pass_interpreter(process);
                }
            }
            // The next task of a pool starts as a thread of its own would: at the tail of the kernel's queue.
            Shape::Keeping | Shape::Switching => {
                self.unbind(thread);
                if self.bind(thread) {
                    self.make_ready(thread, Why::Arrived);
                }
            }
        }
    }

    /// The thread on the processor has put its task down and goes on to the next, or parks.
    fn next_task(&mut self, cpu: CpuId, left: Left) {
        let thread = self.scene.cpus[cpu].thread;
        if !self.bind(thread) {
            self.take_off(cpu, left, Exit::Blocked);
        } else if self.may_run(thread, cpu) {
            self.switch_task(cpu, left);
        } else {
            self.take_off(cpu, left, Exit::Ready);
            self.make_ready(thread, Why::Yielded(Slot(cpu.0)));
        }
    }

    /// Does the affinity of the task that the thread carries allow the processor?
    fn may_run(&self, thread: ThreadId, cpu: CpuId) -> bool {
        let spec = self.scene.tasks[self.scene.threads[thread].task].spec;
        self.no_affinity || self.scene.scenario.specs[spec].attributes.allows(cpu)
    }

    // The interpreter lock.

    fn want_interpreter(&mut self, id: TaskId, process: ProcessId, interval: Span, why: Why) {
        if self.scene.runtimes[process].slots[0].is_none() {
            (self.scene.runtimes[process].slots[0], self.scene.runtimes[process].handed) = (id, true);
            self.make_ready(self.scene.tasks[id].thread, why);
            return;
        }
        self.ask_runtime(process, |queue, view| queue.ready(Who(id.0), why, view));
        self.set_interpreter_deadline(process, interval);
    }

    /// Somebody waits: the holder must give up the lock one interval from now (or from when its switch is over), unless
    /// it must earlier. Of a holder that has not run yet, [`Runtime::end_of_turn`] decides.
    fn set_interpreter_deadline(&mut self, process: ProcessId, interval: Span) {
        let runtime = &mut self.scene.runtimes[process];
        if !runtime.interpreter_deadline.is_never() || runtime.handed {
            return;
        }
        runtime.interpreter_deadline = self.scene.now + interval;
        let holder = &self.scene.threads[self.scene.tasks[runtime.slots[0]].thread];
        if holder.state == ThreadState::Running {
            let cpu_id = holder.last_cpu;
            let cpu = &mut self.scene.cpus[cpu_id];
            cpu.runtime_end = cpu.turn_start.max(self.scene.now) + interval;
            runtime.interpreter_deadline = cpu.runtime_end;
            self.deadlines.set(cpu_id.0 as usize, self.scene.cpus[cpu_id].deadline());
        }
    }

    /// The switch interval is over (or the task yields): the holder, on the processor, queues for the lock again.
    pub(super) fn interpreter_expires(&mut self, cpu: CpuId) {
        let process = self.scene.threads[self.scene.cpus[cpu].thread].process;
        if let Shape::Interpreter { .. } = self.scene.runtimes[process].shape {
            self.drop_interpreter(cpu, Left::Preempted);
        }
    }

    fn drop_interpreter(&mut self, cpu: CpuId, left: Left) {
        let thread = self.scene.cpus[cpu].thread;
        let (process, task) = (self.scene.threads[thread].process, self.scene.threads[thread].task);
        self.take_off(cpu, left, Exit::Blocked);
        self.ask_runtime(process, |queue, view| queue.ready(Who(task.0), Why::Expired(Slot(0)), view));
        self.pass_interpreter(process);
    }

    fn pass_interpreter(&mut self, process: ProcessId) {
        let turn = self.ask_runtime(process, |queue, view| queue.pick(Slot(0), view));
        let runtime = &mut self.scene.runtimes[process];
        runtime.interpreter_deadline = Time::NEVER;
        let Some(turn) = turn else {
            runtime.slots[0] = TaskId::NONE;
            return;
        };
        let task = TaskId(turn.who.0);
        (runtime.slots[0], runtime.handed) = (task, true);
        self.make_ready(self.scene.tasks[task].thread, Why::Woken);
    }

    /// Calls the queue of a process with its view of the world: tasks on workers.
    fn ask_runtime<T>(&mut self, process: ProcessId, question: impl FnOnce(&mut dyn Policy, &View<'_>) -> T) -> T {
        let Runtime { queue, slots, .. } = &mut self.scene.runtimes[process];
        let floor = Workers { scenario: self.scene.scenario, tasks: &self.scene.tasks, slots };
        let view = View { now: self.scene.now, floor: &floor, no_affinity: true };
        match queue {
            Some(queue) => question(&mut **queue, &view),
            // Only shapes that have a queue ask it; an empty one answers for the others.
            None => question(&mut crate::policy::fifo::Queue::default(), &view),
        }
    }
}

/// The runtime floor as policies see it: tasks on workers.
struct Workers<'a> {
    scenario: &'a Scenario,
    tasks: &'a IdVec<TaskId, super::world::Task>,
    slots: &'a [TaskId],
}

impl Floor for Workers<'_> {
    fn slots(&self) -> usize {
        self.slots.len()
    }
    fn running(&self, slot: Slot) -> Option<Who> {
        let task = self.slots[slot.0 as usize];
        (!task.is_none()).then_some(Who(task.0))
    }
    fn attributes(&self, who: Who) -> &Attributes {
        &self.scenario.specs[self.tasks[TaskId(who.0)].spec].attributes
    }
    fn allowed(&self, _: Who, _: Slot) -> bool {
        true
    }
    fn burst(&self, who: Who) -> Span {
        self.tasks[TaskId(who.0)].work
    }
}
