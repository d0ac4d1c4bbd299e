//! The runtime floor: which task is on which thread of its process.
//!
//! These are the rules; what each of the four shapes of runtimes remembers is in [`Runtime`], and who is next is asked of a
//! [`RunQueue`] whose slots are the workers. Threads of a process with an interpreter lock must have that as well (`lock`).
//!
//! A worker that puts its task down while others wait takes the next when the instant has settled, as the kernel does
//! with processors. When none waits it parks, and its thread leaves the processor at once, as any thread would.

mod branches;
mod contest;
mod crew;
mod guests;
mod ideal;
mod lock;
mod timers;
mod workers;

use super::costs::draw;
use super::runtimes::Runtime;
use super::scene::Scene;
use super::task::{State, Task};
use super::thread::{Thread, ThreadState};
use super::world::World;
use crate::executor::{RunQueue, Threads, WokenBy};
use crate::ids::{CpuId, ProcessId, TaskId, ThreadId};
use crate::policy::{Exit, Slot, View, Who, Why};
use crate::program::task_costs_stream;
use crate::time::Time;
use crate::timeline::{Cause, Left, Recorder};

impl<R: Recorder> World<'_, R> {
    /// A task wants to run.
    pub(super) fn task_ready(&mut self, id: TaskId, why: Why) {
        let before = std::mem::replace(&mut self.scene.tasks[id].state, State::Able);
        self.take_burst(id);
        let task = &self.scene.tasks[id];
        let process = self.scene.scenario.specs[task.spec].process;
        if task.thread.is_none() && self.scene.runtimes[process].is_per_task() {
            self.create_thread(id, process);
        }
        let thread = self.scene.tasks[id].thread;
        match self.scene.runtimes[process] {
            Runtime::PerTask => self.wants_to_run(thread, why),
            Runtime::Switching(_) if !thread.is_none() && self.has_lost_worker(thread) => self.comes_back(id, process),
            Runtime::Helping(_) if !thread.is_none() && self.scene.threads[thread].task != id => {
                self.resume_joiner(thread)
            }
            _ if !thread.is_none() => self.wants_to_run(thread, why),
            _ => {
                let queued = if self.joints.is_empty() { Some(id) } else { self.queues_in_place(id, process, why) };
                let Some(id) = queued else { return };
                if self.scene.runtimes[process].crew_mut().is_some() && !self.queues(id, process) {
                    return;
                }
                if why == Why::Woken {
                    let rang = before == State::Blocked(Cause::Timer) || self.gives_up && self.is_noticed(id);
                    let by = if rang { WokenBy::Timer } else { self.woken_by(process) };
                    self.ask_runtime(process, |queue, view| queue.woken(Who(id.0), by, view));
                } else if why == Why::Arrived && self.asks_to_be_submitted(id, process) {
                    return;
                } else {
                    self.ask_runtime(process, |queue, view| queue.ready(Who(id.0), why, view));
                }
                if why == Why::Arrived && self.news_is_late {
                    self.arrives_by_timer(id, process);
                }
                self.rouse(process, false);
            }
        }
    }

    /// The task of a pool has come to the queue.
    pub(super) fn reaches_pool(&mut self, id: TaskId) {
        let process = self.scene.scenario.specs[self.scene.tasks[id].spec].process;
        self.ask_runtime(process, |queue, view| queue.ready(Who(id.0), Why::Arrived, view));
        self.rouse(process, false);
    }

    /// Who wakes a task of the process now: one of the process's workers, or something outside?
    pub(super) fn woken_by(&self, process: ProcessId) -> WokenBy {
        let thread = self.scene.processors.get(self.doer).and_then(|cpu| self.scene.threads.get(cpu.thread()));
        match thread {
            Some(thread) if thread.process == process => WokenBy::Worker(Slot(thread.worker)),
            _ => WokenBy::Outside,
        }
    }

    /// A policy may ask how long the next burst of a ready task is: it must be known.
    pub(super) fn take_burst(&mut self, id: TaskId) {
        // What comes after an operation is not ahead before that has been done.
        if self.operations_cost && self.is_about_to(id).is_some() {
            return;
        }
        let scenario = self.scene.scenario;
        let task = &mut self.scene.tasks[id];
        if task.work.is_zero() {
            let (spec, instance) = (task.spec, task.instance);
            let name = || crate::program::program_stream(scenario, spec, instance);
            let mut turns = self.effort.left();
            let before = turns;
            task.work = task.cursor.take_burst(&scenario.specs[spec].program, &mut turns, name);
            // Once round a loop is on its way; more is an effort.
            if before - turns > 1 {
                self.effort.spend_much(id, || crate::program::NO_WORK, before - turns - 1);
            }
            self.scene.takes_up(id);
        }
    }

    fn create_thread(&mut self, id: TaskId, process: ProcessId) {
        let scenario = self.scene.scenario;
        let machine = &scenario.machine;
        // Each process of the executor `processes` is an address space of its own, apart from those of the file.
        let of = &self.scene.scenario.processes[process];
        let (space, start_cost) = match of.executor.kind.threads {
            Threads::ProcessPerTask => {
                let python =
                    of.start_method().zip(machine.costs.as_ref()).map(|(method, costs)| costs.of_start(method));
                let Task { spec, instance, .. } = self.scene.tasks[id];
                let stream = || task_costs_stream(scenario, spec, instance).word("start").stream();
                let child = python.map(|cost| draw(&cost.child, &mut stream())).filter(|child| !child.is_zero());
                (id.0 ^ (1 << 31), child.unwrap_or(machine.process_start))
            }
            _ => (of.whole(process).0, machine.thread_start),
        };
        let mut thread = Thread::new(process, space, 0, start_cost);
        thread.task = id;
        thread.last_task = id;
        self.scene.tasks[id].thread = self.scene.threads.push(thread);
    }

    /// The task on the processor is blocked. `keep`: its thread waits with it, whatever the executor.
    pub(super) fn task_blocks(&mut self, cpu: CpuId, keep: bool) {
        let thread = self.scene.processors[cpu].thread();
        let process = self.scene.threads[thread].process;
        match &self.scene.runtimes[process] {
            Runtime::Switching(_) if !keep && !self.is_guest_on(cpu) => {
                self.unbind(thread, Exit::Blocked);
                self.next_task(cpu, Left::Blocked);
            }
            Runtime::Switching(runtime) if runtime.hands_off() => self.hand_off(cpu),
            Runtime::Helping(_)
                if !self.is_guest_on(cpu)
                    && self.scene.tasks[self.scene.processors[cpu].task].state == State::Blocked(Cause::Join) =>
            {
                self.set_aside(thread);
                self.next_task(cpu, Left::Blocked);
            }
            _ => self.leaves_processor(cpu, Left::Blocked, Exit::Blocked),
        }
    }

    /// The task on the processor gives up control and stays ready.
    pub(super) fn task_yields(&mut self, cpu: CpuId) {
        let thread = self.scene.processors[cpu].thread();
        let (process, worker) = (self.scene.threads[thread].process, self.scene.threads[thread].worker);
        if self.scene.runtimes[process].polls_tasks() && !self.is_guest_on(cpu) {
            self.requeue_task(cpu, Left::Yielded, Why::Yielded(Slot(worker)));
        } else if !self.yields_lock(cpu) {
            let task = self.scene.processors[cpu].task;
            self.take_off(cpu, Left::Yielded, Exit::Ready);
            self.take_burst(task);
            self.make_ready(thread, Why::Yielded(Slot(cpu.0)));
        }
    }

    /// The slice that the runtime gave the task on the processor is over, or its thread must drop the interpreter lock.
    pub(super) fn turn_expires(&mut self, cpu: CpuId) {
        let thread = &self.scene.threads[self.scene.processors[cpu].thread()];
        let (process, worker) = (thread.process, thread.worker);
        if self.scene.interpreters.has(process) {
            return self.drops_lock(cpu);
        }
        if self.is_guest_on(cpu) {
            // The runtime cannot take back what is no task of its own.
            return self.scene.processors.set_end_of_turn(cpu, Time::NEVER);
        }
        self.settle(cpu);
        self.requeue_task(cpu, Left::Preempted, Why::Expired(Slot(worker)));
    }

    /// The worker on the processor puts its task, which is ready, back into the queue.
    fn requeue_task(&mut self, cpu: CpuId, left: Left, why: Why) {
        let thread = self.scene.processors[cpu].thread();
        let (process, task) = (self.scene.threads[thread].process, self.scene.threads[thread].task);
        self.unbind(thread, Exit::Ready);
        self.take_burst(task);
        match self.joints.host(task) {
            Some(host) => self.joints.yields(host, task),
            None => {
                self.ask_runtime(process, |queue, view| queue.ready(Who(task.0), why, view));
                self.rouse(process, false);
            }
        }
        self.next_task(cpu, left);
    }

    /// The task on the processor has finished (and has been told so): its thread goes on or goes away.
    pub(super) fn task_leaves(&mut self, cpu: CpuId) {
        let thread = self.scene.processors[cpu].thread();
        if !self.guests.is_empty() && self.gives_place_back(thread, Some(cpu)) {
            return;
        }
        let process = self.scene.threads[thread].process;
        if self.scene.runtimes[process].goes_on() {
            self.unbind(thread, Exit::Finished);
            self.next_task(cpu, Left::Finished);
        } else {
            self.leaves_processor(cpu, Left::Finished, Exit::Finished);
            self.thread_without_task(thread);
        }
    }

    /// The task of a thread that is not on a processor has finished.
    pub(super) fn thread_without_task(&mut self, thread: ThreadId) {
        if !self.guests.is_empty() && self.gives_place_back(thread, None) {
            return;
        }
        let process = self.scene.threads[thread].process;
        match &self.scene.runtimes[process] {
            Runtime::PerTask => self.scene.threads[thread].state = ThreadState::Gone,
            Runtime::Switching(_) if self.has_lost_worker(thread) => self.becomes_spare(thread),
            // The next task of a pool starts as a thread of its own would: at the tail of the kernel's queue.
            Runtime::Keeping(_) | Runtime::Helping(_) | Runtime::Switching(_) => {
                if self.forgets_joiner(thread) {
                    return;
                }
                self.unbind(thread, Exit::Finished);
                if self.scene.runtimes[process].must_choose_later() || self.bind(thread) {
                    self.wants_to_run(thread, Why::Arrived);
                }
            }
        }
    }

    /// The thread on the processor has put its task down. If others wait it goes on to one of them when the instant has
    /// settled, else it parks.
    fn next_task(&mut self, cpu: CpuId, left: Left) {
        let thread = self.scene.processors[cpu].thread();
        let process = self.scene.threads[thread].process;
        // Who comes next in the same poll begins at once.
        self.goes_on = !self.joints.is_empty() && self.poll_goes_on(thread);
        if self.goes_on || !self.scene.runtimes[process].may_choose_later() {
            return self.choose_task(cpu, left);
        }
        self.scene.processors[cpu].put_down = Some(left);
        self.scene.processors.set_end_of_burst(cpu, Time::NEVER);
        self.choosing.push(cpu);
    }

    /// The instant has settled: workers that have put a task down, and still are on their processors, take another.
    pub(super) fn choose_tasks(&mut self) {
        // Tasks end before slices do; but who is first is a matter of the processor's number.
        self.choosing.sort_unstable();
        for index in 0..self.choosing.len() {
            let cpu = self.choosing[index];
            if let Some(left) = self.scene.processors[cpu].put_down.take() {
                self.choose_task(cpu, left);
            }
        }
        self.choosing.clear();
        self.scene.processors.sort_vacated();
    }

    fn choose_task(&mut self, cpu: CpuId, left: Left) {
        let thread = self.scene.processors[cpu].thread();
        if !self.bind(thread) {
            self.leaves_processor(cpu, left, Exit::Blocked);
        } else if self.may_run(thread, cpu) {
            self.switch_task(cpu, left);
        } else {
            self.take_off(cpu, left, Exit::Ready);
            self.make_ready(thread, Why::Yielded(Slot(cpu.0)));
        }
    }

    /// Does the affinity of the task that the thread carries allow the processor?
    pub(super) fn may_run(&self, thread: ThreadId, cpu: CpuId) -> bool {
        let spec = self.scene.tasks[self.scene.threads[thread].task].spec;
        self.scene.no_affinity || self.scene.scenario.specs[spec].attributes.allows(cpu)
    }

    /// Has the task on the processor come to a point at which it might have to wait, once too often in this turn?
    pub(super) fn is_over_budget(&mut self, cpu: CpuId) -> bool {
        let thread = &self.scene.threads[self.scene.processors[cpu].thread()];
        !self.is_guest_on(cpu) && self.scene.runtimes[thread.process].is_over_budget(thread.worker)
    }

    /// The task, which has just become ready, has the next turn of the worker whose thread hands it on, if that is one of its process.
    #[cold]
    pub(super) fn hands_worker(&mut self, giver: ThreadId, task: TaskId) {
        let Some(&Thread { process, worker, .. }) = self.scene.threads.get(giver) else { return };
        let task = self.joints.host(task).unwrap_or(task);
        let of_same = self.scene.scenario.specs[self.scene.tasks[task].spec].process == process;
        if of_same && self.scene.runtimes[process].polls_tasks() {
            self.ask_runtime(process, |queue, view| queue.is_next(Who(task.0), Slot(worker), view));
        }
    }

    /// Calls the queue of a process, if it has one, with its view of the world.
    fn ask_runtime<T>(
        &mut self,
        process: ProcessId,
        question: impl FnOnce(&mut dyn RunQueue, &View<'_>) -> T,
    ) -> Option<T> {
        let Scene { scenario, now, tasks, runtimes, variables, .. } = &mut self.scene;
        runtimes[process].ask(scenario, tasks, variables, *now, question)
    }
}
