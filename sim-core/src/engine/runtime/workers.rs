//! Workers and their tasks: taking one up, putting it down, and what becomes of a worker whose thread is blocked.

use std::collections::BTreeMap;

use crate::engine::runtimes::Runtime;
use crate::engine::scene::Scene;
use crate::engine::task::State;
use crate::engine::thread::{Thread, ThreadState};
use crate::engine::world::World;
use crate::ids::{CpuId, ProcessId, TaskId, ThreadId};
use crate::policy::{Exit, Slice, Slot, Who, Why};
use crate::time::{Span, Time};
use crate::timeline::{Left, Recorder};

impl<R: Recorder> World<'_, R> {
    /// The process of a thread, and the worker that it carries there.
    pub(super) fn place_of(&self, thread: ThreadId) -> (ProcessId, u32) {
        let thread = &self.scene.threads[thread];
        (thread.process, thread.worker)
    }

    /// Somebody has become ready, or (`taken`) a worker has taken somebody: the queue says whether a parked worker is
    /// woken now.
    pub(super) fn rouse(&mut self, process: ProcessId, taken: bool) {
        let runtime = &mut self.scene.runtimes[process];
        let Some(thread) = runtime.workers_mut().and_then(|workers| workers.rouse(taken)) else { return };
        let takes_at_once = runtime.takes_at_once();
        self.is_made(thread);
        // A worker that keeps its task takes it now; others look into the queue when they get a processor, unless it
        // depends on the task which processors they may get, or when.
        if !takes_at_once {
            self.wants_to_run(thread, Why::Woken);
        } else if self.take_task(thread) {
            self.wants_to_run(thread, Why::Woken);
            self.rouse(process, true);
        }
    }

    /// A worker looks for a task, and may wake another to look too. Without one it parks.
    pub(in crate::engine) fn bind(&mut self, thread: ThreadId) -> bool {
        let found = self.take_task(thread);
        if found {
            self.rouse(self.scene.threads[thread].process, true);
        }
        found
    }

    fn take_task(&mut self, thread: ThreadId) -> bool {
        let (process, worker) = self.place_of(thread);
        if self.resumes_joiner(thread) {
            return true;
        }
        if !self.joints.is_empty()
            && let Some(next) = self.goes_on_in_place(thread)
        {
            self.scene.threads[thread].task = next;
            self.scene.threads[thread].polls = false;
            self.scene.tasks[next].thread = thread;
            return true;
        }
        if self.gives_up {
            self.notices_overdue(process, worker);
        }
        let has_crew = self.scene.runtimes[process].crew_mut().is_some();
        if has_crew {
            self.come_in(process, false);
        }
        let turn = self.ask_runtime(process, |queue, view| queue.pick(Slot(worker), view)).flatten();
        if self.news_is_late {
            self.has_noticed(process);
        }
        let Some(turn) = turn else {
            if let Some(workers) = self.scene.runtimes[process].workers_mut() {
                workers.parks(worker);
            }
            if has_crew {
                self.has_looked(thread, true);
            }
            return false;
        };
        let (mut task, time) = (TaskId(turn.who.0), self.time_of(thread));
        self.scene.runtimes[process].takes(worker, task, turn.slice, time);
        if !self.joints.is_empty() {
            task = self.joints.begins(task, (process, worker)).unwrap_or(task);
        }
        self.scene.threads[thread].task = task;
        self.scene.threads[thread].polls = true;
        self.scene.tasks[task].thread = thread;
        if has_crew {
            self.has_looked(thread, false);
        }
        true
    }

    /// A worker puts its task down.
    pub(super) fn unbind(&mut self, thread: ThreadId, exit: Exit) {
        let (process, worker) = self.place_of(thread);
        let task = std::mem::replace(&mut self.scene.threads[thread].task, TaskId::NONE);
        self.scene.tasks[task].thread = ThreadId::NONE;
        if self.joints.is_empty() || !self.stays_in_place(thread, task, exit) {
            self.leaves_worker(process, worker, task, self.time_of(thread), exit);
        }
    }

    pub(super) fn leaves_worker(&mut self, process: ProcessId, worker: u32, task: TaskId, time: Span, exit: Exit) {
        let ran = self.scene.runtimes[process].puts_down(worker, time);
        self.ask_runtime(process, |queue, view| queue.left(Who(task.0), Slot(worker), ran, exit, view));
    }

    /// How long the thread has run up to now.
    pub(super) fn time_of(&self, id: ThreadId) -> Span {
        let thread = &self.scene.threads[id];
        match thread.state {
            ThreadState::Running => {
                thread.ran + self.scene.now.since(self.scene.processors[thread.last_cpu].turn_start)
            }
            _ => thread.ran,
        }
    }

    /// The thread on the processor has just been given another task, which begins then.
    pub(in crate::engine) fn turn_begins(&mut self, cpu: CpuId, begin: Time) {
        let Scene { now, threads, runtimes, processors, .. } = &mut self.scene;
        let thread = &threads[processors[cpu].thread()];
        if let Some(end) = runtimes[thread.process].begins(thread.worker, begin, *now) {
            processors.set_end_of_turn(cpu, end);
        }
    }

    // Workers whose thread is blocked by a task.

    /// The task on the processor keeps the thread, which is blocked; the worker goes on with another thread.
    pub(super) fn hand_off(&mut self, cpu: CpuId) {
        let id = self.scene.processors[cpu].thread();
        let thread = &self.scene.threads[id];
        let (process, worker, space, task) = (thread.process, thread.worker, thread.space, thread.task);
        self.leaves_worker(process, worker, task, self.time_of(id), Exit::Blocked);
        self.take_off(cpu, Left::Blocked, Exit::Blocked);
        let Scene { scenario, threads, runtimes, .. } = &mut self.scene;
        let Runtime::Switching(runtime) = &mut runtimes[process] else { return };
        let spare = runtime.take_spare().unwrap_or_else(|| {
            let cost = scenario.machine.thread_start;
            threads.push(Thread::new(process, space, worker, cost))
        });
        threads[spare].worker = worker;
        runtime.goes_on_with(worker, spare);
        if runtimes[process].may_choose_later() || self.bind(spare) {
            self.make_ready(spare, Why::Woken);
        }
    }

    /// Does another thread carry the worker that this one carried once?
    pub(super) fn has_lost_worker(&self, thread: ThreadId) -> bool {
        let (process, worker) = self.place_of(thread);
        matches!(&self.scene.runtimes[process], Runtime::Switching(runtime) if runtime.has_left(worker, thread))
    }

    /// The task is no longer blocked, but its worker has gone on: it queues for one again.
    pub(super) fn comes_back(&mut self, task: TaskId, process: ProcessId) {
        let thread = self.scene.tasks[task].thread;
        let worker = self.scene.threads[thread].worker;
        self.becomes_spare(thread);
        self.ask_runtime(process, |queue, view| queue.ready(Who(task.0), Why::Preempted(Slot(worker)), view));
        self.rouse(process, false);
    }

    pub(super) fn becomes_spare(&mut self, id: ThreadId) {
        let Scene { tasks, threads, runtimes, .. } = &mut self.scene;
        let thread = &mut threads[id];
        tasks[std::mem::replace(&mut thread.task, TaskId::NONE)].thread = ThreadId::NONE;
        if let Runtime::Switching(runtime) = &mut runtimes[thread.process] {
            runtime.is_spare(id);
        }
    }

    // Workers that run other tasks while theirs waits for those it spawned.

    /// For each task that its worker has set aside, the one that lies above it there: it cannot go on before that one has
    /// ended.
    pub(in crate::engine) fn who_is_above(&self) -> BTreeMap<TaskId, TaskId> {
        let helping = self.scene.runtimes.iter().filter_map(|runtime| match runtime {
            Runtime::Helping(runtime) => Some(runtime),
            _ => None,
        });
        helping.flat_map(|runtime| runtime.above()).collect()
    }

    /// The task of the thread joins: the worker sets it aside, and is free for others.
    pub(super) fn set_aside(&mut self, thread: ThreadId) {
        let (process, worker) = self.place_of(thread);
        let task = std::mem::replace(&mut self.scene.threads[thread].task, TaskId::NONE);
        if let Runtime::Helping(runtime) = &mut self.scene.runtimes[process] {
            runtime.sets_aside(worker, task);
        }
        self.leaves_worker(process, worker, task, self.time_of(thread), Exit::Blocked);
    }

    /// Has the task that the worker set aside last nobody to wait for any more? Then the worker goes on with it.
    fn resumes_joiner(&mut self, thread: ThreadId) -> bool {
        let (process, worker) = self.place_of(thread);
        let Scene { tasks, runtimes, .. } = &mut self.scene;
        let Runtime::Helping(runtime) = &mut runtimes[process] else { return false };
        let able = |task: TaskId| tasks[task].state == State::Able;
        let Some(task) = runtime.resumes(worker, able) else { return false };
        let time = self.time_of(thread);
        self.scene.runtimes[process].takes(worker, task, Slice::Endless, time);
        self.scene.threads[thread].task = task;
        true
    }

    /// A task that its worker set aside could go on: at once if it is the last and the worker is parked.
    pub(super) fn resume_joiner(&mut self, thread: ThreadId) {
        let (process, worker) = self.place_of(thread);
        let parked = self.scene.runtimes[process].workers().is_some_and(|workers| workers.is_parked(worker));
        if parked && self.resumes_joiner(thread) {
            if let Some(workers) = self.scene.runtimes[process].workers_mut() {
                workers.unparks(worker);
            }
            self.make_ready(thread, Why::Woken);
        }
    }

    /// Has a task that the worker set aside finished, since joining was the last thing it did?
    pub(super) fn forgets_joiner(&mut self, thread: ThreadId) -> bool {
        let (process, worker) = self.place_of(thread);
        let Scene { tasks, runtimes, .. } = &mut self.scene;
        let Runtime::Helping(runtime) = &mut runtimes[process] else { return false };
        let forgets = runtime.forgets(worker, |task| tasks[task].state == State::Finished);
        if forgets {
            self.resume_joiner(thread);
        }
        forgets
    }
}
