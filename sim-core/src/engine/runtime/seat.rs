//! Workers and their tasks: taking one up, putting it down, and what becomes of a worker whose thread is blocked.

use std::collections::BTreeMap;

use super::{Runtime, Shape};
use crate::engine::task::State;
use crate::engine::thread::{Thread, ThreadState};
use crate::engine::world::World;
use crate::ids::{CpuId, ProcessId, TaskId, ThreadId};
use crate::policy::{Exit, Slice, Slot, Who, Why};
use crate::time::{Span, Time};
use crate::timeline::{Left, Recorder};

/// What a worker does.
pub(super) struct Seat {
    /// The task it carries.
    pub(super) task: TaskId,
    /// How long the task may have the worker.
    slice: Slice,
    /// When it runs first in this turn, or would have, had its thread not been put off in the middle of the switch to it.
    first_run: Time,
    /// When its turn ends; never while it has not begun.
    turn_end: Time,
    /// How long the worker's thread had run when it took up the task.
    taken_at: Span,
    /// How many points the task has passed in this turn at which it might have had to wait.
    pub(super) passed: u32,
    /// Tasks that wait for those they spawned, below the one that the worker runs meanwhile.
    below: Vec<TaskId>,
}

impl Default for Seat {
    fn default() -> Seat {
        Seat {
            task: TaskId::NONE,
            slice: Slice::Endless,
            first_run: Time::NEVER,
            turn_end: Time::NEVER,
            taken_at: Span::ZERO,
            passed: 0,
            below: Vec::new(),
        }
    }
}

impl Seat {
    /// The turn of its task goes on, or begins, then. When does it end?
    fn end_of_turn(&mut self, begin: Time) -> Time {
        if self.turn_end.is_never() {
            (self.first_run, self.turn_end) = (begin, self.slice.end(begin));
        }
        self.turn_end.max(begin)
    }
}

impl Runtime {
    /// When it wants a thread back from a processor on which the thread is to run from `begin`.
    ///
    /// The interval of who was handed the interpreter lock counts from its first run, and so does a slice: were the
    /// switch longer than the interval, nobody would ever run.
    #[inline]
    pub(in crate::engine) fn end_of_turn(&mut self, thread: &Thread, begin: Time, now: Time) -> Time {
        if self.turn_begins {
            if self.preempts {
                return self.seats[thread.worker as usize].end_of_turn(begin);
            }
            self.turn_begins = false;
            self.seats[0].first_run = begin;
            if let Shape::Interpreter { interval } = self.shape
                && self.waiting() > 0
            {
                self.interpreter_deadline = begin + interval;
            }
        }
        self.interpreter_deadline.max(now)
    }

    /// The thread is put off before the switch to it, or to its task, has led to anything: if that was to be the first run
    /// in this turn, the turn has not begun.
    pub(in crate::engine) fn is_put_off_early(&mut self, thread: &Thread, now: Time) {
        match self.shape {
            Shape::Interpreter { .. } => self.turn_begins |= self.seats[0].first_run >= now,
            _ if self.preempts => {
                let seat = &mut self.seats[thread.worker as usize];
                if seat.task == thread.task && seat.first_run >= now {
                    seat.turn_end = Time::NEVER;
                }
            }
            _ => {}
        }
    }
}

impl<R: Recorder> World<'_, R> {
    /// For each task that its worker has set aside, the one that lies above it there: it cannot go on before that one has
    /// ended.
    pub(in crate::engine) fn who_is_above(&self) -> BTreeMap<TaskId, TaskId> {
        let seats = self.scene.runtimes.iter().flat_map(|runtime| &runtime.seats);
        let pairs = seats.flat_map(|seat| seat.below.iter().zip(seat.below.iter().skip(1).chain([&seat.task])));
        pairs.filter(|(_, above)| !above.is_none()).map(|(task, above)| (*task, *above)).collect()
    }

    /// A worker looks for a task, and may wake another to look too. Without one it parks.
    pub(in crate::engine) fn bind(&mut self, thread: ThreadId) -> bool {
        let found = self.take_task(thread);
        if found {
            self.rouse(self.scene.threads[thread].process, true);
        }
        found
    }

    pub(super) fn take_task(&mut self, thread: ThreadId) -> bool {
        let (process, worker) = (self.scene.threads[thread].process, self.scene.threads[thread].worker);
        if self.resumes_joiner(thread) {
            return true;
        }
        let Some(turn) = self.ask_runtime(process, |queue, view| queue.pick(Slot(worker), view)) else {
            let parked = &mut self.scene.runtimes[process].parked;
            let place = parked.partition_point(|other| *other < worker);
            parked.insert(place, worker);
            return false;
        };
        let task = TaskId(turn.who.0);
        let taken_at = self.time_of(thread);
        let runtime = &mut self.scene.runtimes[process];
        let slice = if runtime.preempts { turn.slice } else { Slice::Endless };
        let seat = &mut runtime.seats[worker as usize];
        (seat.task, seat.slice, seat.turn_end, seat.taken_at, seat.passed) = (task, slice, Time::NEVER, taken_at, 0);
        self.scene.threads[thread].task = task;
        self.scene.tasks[task].thread = thread;
        true
    }

    /// A worker puts its task down.
    pub(super) fn unbind(&mut self, thread: ThreadId, exit: Exit) {
        let (process, worker) = (self.scene.threads[thread].process, self.scene.threads[thread].worker);
        let task = std::mem::replace(&mut self.scene.threads[thread].task, TaskId::NONE);
        self.scene.tasks[task].thread = ThreadId::NONE;
        self.leaves_seat(process, worker, task, self.time_of(thread), exit);
    }

    fn leaves_seat(&mut self, process: ProcessId, worker: u32, task: TaskId, time: Span, exit: Exit) {
        let seat = &mut self.scene.runtimes[process].seats[worker as usize];
        (seat.task, seat.turn_end) = (TaskId::NONE, Time::NEVER);
        let ran = time.saturating_sub(seat.taken_at);
        self.ask_runtime(process, |queue, view| queue.left(Who(task.0), Slot(worker), ran, exit, view));
    }

    /// How long the thread has run up to now.
    fn time_of(&self, id: ThreadId) -> Span {
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
        let (now, thread) = (self.scene.now, &self.scene.threads[self.scene.processors[cpu].thread()]);
        let runtime = &mut self.scene.runtimes[thread.process];
        let seat = &mut runtime.seats[thread.worker as usize];
        seat.taken_at += begin.since(now);
        if runtime.preempts {
            let end = seat.end_of_turn(begin);
            self.scene.processors.set_end_of_turn(cpu, end);
        }
    }

    // Workers whose thread is blocked by a task.

    /// The task on the processor keeps the thread, which is blocked; the worker goes on with another thread.
    pub(super) fn hand_off(&mut self, cpu: CpuId) {
        let id = self.scene.processors[cpu].thread();
        let thread = &self.scene.threads[id];
        let (process, worker, space, task) = (thread.process, thread.worker, thread.space, thread.task);
        self.leaves_seat(process, worker, task, self.time_of(id), Exit::Blocked);
        self.take_off(cpu, Left::Blocked, Exit::Blocked);
        let spare = self.scene.runtimes[process].spare.pop().unwrap_or_else(|| {
            let cost = self.scene.scenario.machine.thread_start;
            self.scene.threads.push(Thread::new(process, space, worker, cost))
        });
        self.scene.threads[spare].worker = worker;
        self.scene.runtimes[process].threads[worker as usize] = spare;
        let runtime = &self.scene.runtimes[process];
        if runtime.waiting() > 0 && !runtime.choosy || self.bind(spare) {
            self.make_ready(spare, Why::Woken);
        }
    }

    /// Does another thread carry the worker that this one carried once?
    pub(super) fn has_lost_worker(&self, thread: ThreadId) -> bool {
        let there = &self.scene.threads[thread];
        self.scene.runtimes[there.process].threads[there.worker as usize] != thread
    }

    /// The task is no longer blocked, but its worker has gone on: it queues for one again.
    pub(super) fn comes_back(&mut self, task: TaskId, process: ProcessId) {
        let thread = self.scene.tasks[task].thread;
        let worker = self.scene.threads[thread].worker;
        self.becomes_spare(thread);
        self.ask_runtime(process, |queue, view| queue.ready(Who(task.0), Why::Preempted(Slot(worker)), view));
        self.rouse(process, false);
    }

    pub(super) fn becomes_spare(&mut self, thread: ThreadId) {
        let there = &mut self.scene.threads[thread];
        let (process, task) = (there.process, std::mem::replace(&mut there.task, TaskId::NONE));
        self.scene.tasks[task].thread = ThreadId::NONE;
        self.scene.runtimes[process].spare.push(thread);
    }

    // Workers that run other tasks while theirs waits for those it spawned.

    /// The task of the thread joins: the worker sets it aside, and is free for others.
    pub(super) fn set_aside(&mut self, thread: ThreadId) {
        let (process, worker) = (self.scene.threads[thread].process, self.scene.threads[thread].worker);
        let task = std::mem::replace(&mut self.scene.threads[thread].task, TaskId::NONE);
        self.scene.runtimes[process].seats[worker as usize].below.push(task);
        self.leaves_seat(process, worker, task, self.time_of(thread), Exit::Blocked);
    }

    /// Has the task that the worker set aside last nobody to wait for any more? Then the worker goes on with it.
    fn resumes_joiner(&mut self, thread: ThreadId) -> bool {
        let (process, worker) = (self.scene.threads[thread].process, self.scene.threads[thread].worker);
        let time = self.time_of(thread);
        let seat = &mut self.scene.runtimes[process].seats[worker as usize];
        let able = |task: &mut TaskId| self.scene.tasks[*task].state == State::Able;
        let Some(task) = seat.below.pop_if(able) else { return false };
        (seat.task, seat.taken_at) = (task, time);
        self.scene.threads[thread].task = task;
        true
    }

    /// A task that its worker set aside could go on: at once if it is the last and the worker is parked.
    pub(super) fn resume_joiner(&mut self, thread: ThreadId) {
        let (process, worker) = (self.scene.threads[thread].process, self.scene.threads[thread].worker);
        let Ok(place) = self.scene.runtimes[process].parked.binary_search(&worker) else { return };
        if self.resumes_joiner(thread) {
            self.scene.runtimes[process].parked.remove(place);
            self.make_ready(thread, Why::Woken);
        }
    }

    /// Has a task that the worker set aside finished, since joining was the last thing it did?
    pub(super) fn forgets_joiner(&mut self, thread: ThreadId) -> bool {
        let (process, worker) = (self.scene.threads[thread].process, self.scene.threads[thread].worker);
        let below = &mut self.scene.runtimes[process].seats[worker as usize].below;
        let finished = |task: &TaskId| self.scene.tasks[*task].state == State::Finished;
        let Some(place) = below.iter().position(finished) else { return false };
        below.remove(place);
        self.resume_joiner(thread);
        true
    }
}
