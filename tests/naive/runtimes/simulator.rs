//! The naive simulator of runtimes: one process on some processors, tick by tick, its rules written down once more from
//! the heads of the executors' files, with lists that are walked from end to end.
//!
//! The kernel is first come, first served. Where the rules leave something open, it takes these readings: a worker that
//! puts its task down stays on its processor and chooses when the instant is settled, unless there is no task at all that
//! it could ever choose: then it parks at once. Workers that wake queue for a processor, and choose when they have one.

use std::collections::VecDeque;

use super::branches::{Group, Inside, Joint};
use super::{Op, Runtime, World};
use crate::naive::simulator::History;

#[derive(Clone, Copy, PartialEq, Debug)]
enum Place {
    Parked,
    Queued,
    On(usize),
    /// With its task.
    Blocked,
    /// Has no worker any more: its task waits, or has gone.
    Spare,
}

struct Thread {
    worker: usize,
    task: Option<usize>,
    place: Place,
    /// Tasks that join, below the one that runs.
    below: Vec<usize>,
}

#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum State {
    Absent,
    Ready,
    Blocked,
    JoiningFor(usize),
    Done,
}

pub(super) struct Task<'a> {
    program: &'a [Op],
    /// Its place among all programs.
    kind: usize,
    pub(super) state: State,
    next_op: usize,
    left: u64,
    thread: Option<usize>,
    parent: Option<usize>,
    /// When what it waits for is over, and the how-manieth wait that is.
    pub(super) due: Option<(u64, u64)>,
    /// Does it sleep, and on which worker was it blocked?
    sleeps: bool,
    pub(super) blocked_on: usize,
    /// If it is a branch; its own branches; and what has branches is polled as one.
    pub(super) inside: Option<Inside>,
    pub(super) group: Option<Group>,
    pub(super) joint: Option<Joint>,
}

impl Task<'_> {
    pub(super) fn new(program: &[Op], kind: usize) -> Task<'_> {
        Task {
            program,
            kind,
            state: State::Absent,
            next_op: 0,
            left: 0,
            thread: None,
            parent: None,
            due: None,
            sleeps: false,
            blocked_on: 0,
            inside: None,
            group: None,
            joint: None,
        }
    }
}

/// Why a task is ready.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Why {
    Arrived,
    /// Something outside has happened.
    Event,
    /// The timer rings that the task set.
    Timer,
    /// The task on that worker has woken or spawned it.
    By(usize),
    Yielded(usize),
    /// Something of it was woken on that worker while it was polled there.
    Again(usize),
    /// Its slice is over, or its worker has gone on without it.
    Global,
}

/// What a worker has of its own.
#[derive(Default)]
pub(super) struct Own {
    pub(super) queue: VecDeque<usize>,
    pub(super) slot: Option<usize>,
    pub(super) yielded: Vec<usize>,
    pub(super) polls: u32,
    pub(super) slot_runs: u32,
    pub(super) ran_before: bool,
    pub(super) looking: bool,
    pub(super) slice_end: u64,
    /// Tasks whose timers have rung, not noticed yet.
    pub(super) rang: VecDeque<usize>,
}

pub(super) struct Simulation<'a> {
    pub(super) world: &'a World,
    pub(super) now: u64,
    pub(super) count: u64,
    pub(super) tasks: Vec<Task<'a>>,
    threads: Vec<Thread>,
    processors: Vec<Option<usize>>,
    kernel: VecDeque<usize>,
    pub(super) locks: Vec<(Option<usize>, VecDeque<usize>)>,
    pub(super) own: Vec<Own>,
    pub(super) common: VecDeque<usize>,
    pub(super) events: VecDeque<usize>,
    /// Workers that are parked, in the order in which they parked.
    pub(super) asleep: Vec<usize>,
    pub(super) at_driver: Option<usize>,
    pub(super) polls: u32,
    pub(super) polled_at: u64,
    /// The interpreter lock: its holder, when it must drop it, and whether it has run since it was handed it.
    holder: Option<usize>,
    drop_at: Option<u64>,
    fresh: bool,
    history: History,
}

/// Runs the world until everything is done or nothing can happen any more.
pub(crate) fn simulate(world: &World) -> History {
    let mut simulation = Simulation::new(world);
    loop {
        simulation.settle();
        let waits = simulation.tasks.iter().any(|task| task.due.is_some());
        let comes = world.tasks.iter().any(|task| task.arrival.is_some_and(|arrival| arrival > simulation.now));
        if simulation.processors.iter().all(Option::is_none) && !waits && !comes {
            break;
        }
        simulation.tick();
    }
    simulation.history.runs.sort_by_key(|(cpu, task, start, _)| (*start, *cpu, *task));
    simulation.history
}

impl<'a> Simulation<'a> {
    fn new(world: &'a World) -> Simulation<'a> {
        let gil = matches!(world.runtime, Runtime::Gil { .. });
        let workers = if gil { world.tasks.len() } else { world.workers };
        let thread = |worker| Thread { worker, task: None, place: Place::Parked, below: Vec::new() };
        Simulation {
            world,
            now: 0,
            count: 0,
            tasks: world.tasks.iter().enumerate().map(|(kind, task)| Task::new(&task.program, kind)).collect(),
            threads: (0..workers).map(thread).collect(),
            processors: vec![None; world.processors],
            kernel: VecDeque::new(),
            locks: vec![(None, VecDeque::new())],
            own: (0..workers).map(|_| Own::default()).collect(),
            common: VecDeque::new(),
            events: VecDeque::new(),
            asleep: (0..workers).rev().collect(),
            at_driver: Some(0),
            polls: 0,
            polled_at: 0,
            holder: None,
            drop_at: None,
            fresh: false,
            history: History { finishes: vec![None; world.tasks.len()], ..History::default() },
        }
    }

    fn is_gil(&self) -> bool {
        matches!(self.world.runtime, Runtime::Gil { .. })
    }

    /// Does a task keep its thread until it ends?
    fn keeps(&self) -> bool {
        matches!(self.world.runtime, Runtime::Pool { .. } | Runtime::Gil { .. })
    }

    fn settle(&mut self) {
        let mut first = true;
        loop {
            let mut something = false;
            for cpu in 0..self.processors.len() {
                while let Some(thread) = self.processors[cpu]
                    && let Some(task) = self.threads[thread].task
                    && self.tasks[task].left == 0
                {
                    self.next_op(cpu, thread, task);
                    something = true;
                }
            }
            if first {
                self.arrivals();
            }
            something |= self.waits_end();
            if first {
                self.slices_end();
            }
            first = false;
            something |= self.dispatch();
            if !something {
                return;
            }
        }
    }

    fn next_op(&mut self, cpu: usize, thread: usize, task: usize) {
        let op = self.tasks[task].program.get(self.tasks[task].next_op).copied();
        self.tasks[task].next_op += 1;
        let worker = self.threads[thread].worker;
        match op {
            Some(Op::Cpu(ticks)) => self.tasks[task].left = ticks,
            Some(Op::Io(ticks)) => {
                self.wait(task, ticks);
                self.blocks(cpu, thread, task, false);
            }
            Some(Op::BlockingIo(ticks)) => {
                self.wait(task, ticks);
                self.blocks(cpu, thread, task, true);
            }
            Some(Op::Sleep(ticks)) => {
                self.wait(task, ticks);
                self.tasks[task].sleeps = true;
                self.blocks(cpu, thread, task, false);
            }
            Some(Op::Yield) => self.yields(cpu, thread, task),
            Some(Op::Lock) => {
                if self.locks[0].0.is_none() {
                    self.locks[0].0 = Some(task);
                } else {
                    self.locks[0].1.push_back(task);
                    self.tasks[task].state = State::Blocked;
                    self.blocks(cpu, thread, task, false);
                }
            }
            Some(Op::Unlock) => self.unlock(Why::By(worker)),
            Some(op @ (Op::All { .. } | Op::Any { .. } | Op::Each { .. })) => {
                self.begins_branches(task, op);
                self.blocks(cpu, thread, task, false);
            }
            Some(Op::Spawn(child)) => {
                self.tasks[child].parent = Some(task);
                self.ready(child, Why::By(worker));
            }
            Some(Op::Join(child)) => {
                if self.tasks[child].state != State::Done {
                    self.tasks[task].state = State::JoiningFor(child);
                    self.blocks(cpu, thread, task, false);
                }
            }
            None => {
                self.finishes(task, Why::By(worker));
                self.ended(cpu, thread);
            }
        }
    }

    fn wait(&mut self, task: usize, ticks: u64) {
        self.count += 1;
        self.tasks[task].due = Some((self.now + ticks, self.count));
        self.tasks[task].state = State::Blocked;
    }

    pub(super) fn unlock(&mut self, why: Why) {
        self.locks[0].0 = self.locks[0].1.pop_front();
        if let Some(next) = self.locks[0].0 {
            self.woken(next, why);
        }
    }

    /// The worker that polls a task.
    pub(super) fn worker_of(&self, host: usize) -> usize {
        let carries = |thread: &&Thread| thread.task.is_some_and(|task| self.host(task) == host);
        self.threads.iter().find(carries).map_or(0, |thread| thread.worker)
    }

    fn finishes(&mut self, task: usize, by: Why) {
        self.tasks[task].state = State::Done;
        if self.tasks[task].inside.is_some() {
            return self.branch_ends(task);
        }
        self.history.finishes[task] = Some(self.now);
        if let Some(parent) = self.tasks[task].parent
            && self.tasks[parent].state == State::JoiningFor(task)
        {
            self.woken(parent, by);
        }
    }

    /// What the task waited for is over. If it was the last thing to do, it has finished, without a processor.
    fn woken(&mut self, task: usize, why: Why) {
        if self.tasks[task].next_op < self.tasks[task].program.len() || self.has_joint(task) {
            return self.ready(task, why);
        }
        self.finishes(task, if why == Why::Timer { Why::Event } else { why });
        let Some(thread) = self.tasks[task].thread.take() else { return };
        let Some(place) = self.threads[thread].below.iter().position(|below| *below == task) else {
            self.threads[thread].task = None;
            return self.without_task(thread);
        };
        self.threads[thread].below.remove(place);
        self.resume_below(thread);
    }

    /// A thread, not on a processor, has lost its task: it takes the next, or parks.
    fn without_task(&mut self, thread: usize) {
        if self.is_gil() {
            self.threads[thread].place = Place::Spare;
            return;
        }
        if self.has_lost_worker(thread) {
            self.threads[thread].place = Place::Spare;
            return;
        }
        self.threads[thread].place = Place::Parked;
        if self.take(thread) {
            self.queue(thread);
        }
    }

    /// The task on the processor cannot go on.
    fn blocks(&mut self, cpu: usize, thread: usize, task: usize, whole_thread: bool) {
        let joins = matches!(self.tasks[task].state, State::JoiningFor(_));
        let worker = self.threads[thread].worker;
        self.tasks[task].blocked_on = worker;
        if self.is_gil() {
            self.leave(cpu, thread, Place::Blocked);
            self.hand_lock_on();
        } else if self.keeps() && joins && self.world.runtime.steals() {
            self.threads[thread].task = None;
            self.threads[thread].below.push(task);
            self.put_down(cpu, thread, task);
        } else if whole_thread && matches!(self.world.runtime, Runtime::Goroutines { .. }) {
            self.leave(cpu, thread, Place::Blocked);
            let spare = self.threads.iter().position(|thread| thread.place == Place::Spare && thread.task.is_none());
            let other = spare.unwrap_or(self.threads.len());
            if spare.is_none() {
                self.threads.push(Thread { worker, task: None, place: Place::Parked, below: Vec::new() });
            }
            (self.threads[other].worker, self.threads[other].place) = (worker, Place::Parked);
            self.threads[thread].worker = usize::MAX;
            if self.somebody_waits() || self.take(other) {
                self.queue(other);
            }
        } else if whole_thread || self.keeps() {
            self.leave(cpu, thread, Place::Blocked);
        } else {
            (self.threads[thread].task, self.tasks[task].thread) = (None, None);
            self.put_down(cpu, thread, task);
        }
    }

    fn has_lost_worker(&self, thread: usize) -> bool {
        self.threads[thread].worker == usize::MAX
    }

    fn yields(&mut self, cpu: usize, thread: usize, task: usize) {
        if self.is_gil() && !self.common.is_empty() {
            self.drop_lock(cpu, thread, task);
        } else if self.keeps() {
            self.leave(cpu, thread, Place::Queued);
            self.kernel.push_back(thread);
        } else {
            (self.threads[thread].task, self.tasks[task].thread) = (None, None);
            if self.has_joint(task) {
                self.yields_in_poll(task);
            } else {
                self.enqueue(task, Why::Yielded(self.threads[thread].worker));
            }
            self.put_down(cpu, thread, task);
        }
    }

    /// The task on the processor is done.
    fn ended(&mut self, cpu: usize, thread: usize) {
        let task = self.threads[thread].task.take().expect("it has ended");
        if self.tasks[task].inside.is_none() {
            self.tasks[task].joint = None;
        }
        if self.is_gil() {
            self.leave(cpu, thread, Place::Spare);
            self.hand_lock_on();
        } else if self.keeps() && !self.world.runtime.steals() {
            self.leave(cpu, thread, Place::Parked);
            self.without_task(thread);
        } else {
            self.put_down(cpu, thread, task);
        }
    }

    /// A worker on a processor has put its task down. If that was part of one with branches, the same poll may go on.
    fn put_down(&mut self, cpu: usize, thread: usize, task: usize) {
        let host = self.host(task);
        if self.tasks[host].joint.is_some() {
            if let Some(next) = self.next_in_poll(host) {
                (self.threads[thread].task, self.tasks[next].thread) = (Some(next), Some(thread));
                return;
            }
            self.poll_ends(host, self.threads[thread].worker);
        }
        let resumes = self.threads[thread].below.last().is_some_and(|task| self.tasks[*task].state == State::Ready);
        if !self.somebody_waits() && !resumes {
            // There is nothing; but it has to be noted that the worker has looked.
            self.take(thread);
            self.leave(cpu, thread, Place::Parked);
        }
    }

    fn leave(&mut self, cpu: usize, thread: usize, to: Place) {
        self.processors[cpu] = None;
        self.threads[thread].place = to;
    }

    fn queue(&mut self, thread: usize) {
        self.threads[thread].place = Place::Queued;
        self.kernel.push_back(thread);
    }

    fn arrivals(&mut self) {
        for task in 0..self.world.tasks.len() {
            if self.world.tasks[task].arrival == Some(self.now) {
                self.ready(task, Why::Arrived);
            }
        }
    }

    fn waits_end(&mut self) -> bool {
        let due = |task: &usize| self.tasks[*task].due.is_some_and(|(due, _)| due <= self.now);
        let mut over: Vec<usize> = (0..self.tasks.len()).filter(due).collect();
        over.sort_by_key(|task| self.tasks[*task].due.map(|(_, number)| number));
        for task in &over {
            self.tasks[*task].due = None;
        }
        for task in &over {
            let slept = std::mem::take(&mut self.tasks[*task].sleeps);
            self.woken(*task, if slept { Why::Timer } else { Why::Event });
        }
        !over.is_empty()
    }

    fn slices_end(&mut self) {
        for cpu in 0..self.processors.len() {
            let Some(thread) = self.processors[cpu] else { continue };
            let Some(task) = self.threads[thread].task else { continue };
            if self.is_gil() && self.drop_at.is_some_and(|at| at <= self.now) {
                self.drop_lock(cpu, thread, task);
            } else if matches!(self.world.runtime, Runtime::Goroutines { .. })
                && self.own[self.threads[thread].worker].slice_end <= self.now
            {
                (self.threads[thread].task, self.tasks[task].thread) = (None, None);
                self.enqueue(task, Why::Global);
                self.put_down(cpu, thread, task);
            }
        }
    }

    /// A task wants to run.
    fn ready(&mut self, task: usize, why: Why) {
        self.tasks[task].state = State::Ready;
        if self.is_gil() {
            let thread = *self.tasks[task].thread.get_or_insert(task);
            self.threads[thread].task = Some(task);
            return self.want_lock(task);
        }
        let Some(thread) = self.tasks[task].thread else {
            if !self.has_joint(task) {
                return self.enqueue(task, why);
            }
            if self.is_able(task, why) {
                self.enqueue(self.host(task), why);
            }
            return;
        };
        if self.has_lost_worker(thread) {
            (self.threads[thread].task, self.threads[thread].place) = (None, Place::Spare);
            self.tasks[task].thread = None;
            self.enqueue(task, Why::Global);
        } else if self.threads[thread].task == Some(task) {
            self.queue(thread);
        } else {
            self.resume_below(thread);
        }
    }

    /// The task that the worker set aside last goes on, if it can and the worker is parked.
    fn resume_below(&mut self, thread: usize) {
        let worker = self.threads[thread].worker;
        if self.threads[thread].place == Place::Parked && self.asleep.contains(&worker) && self.take_below(thread) {
            self.asleep.retain(|other| *other != worker);
            self.queue(thread);
        }
    }

    fn take_below(&mut self, thread: usize) -> bool {
        let Some(&task) = self.threads[thread].below.last() else { return false };
        let able = self.tasks[task].state == State::Ready;
        if able {
            self.threads[thread].below.pop();
            self.threads[thread].task = Some(task);
        }
        able
    }

    /// A worker takes a task. Without one it parks.
    fn take(&mut self, thread: usize) -> bool {
        if self.take_below(thread) {
            return true;
        }
        let worker = self.threads[thread].worker;
        let found = self.choose(worker);
        self.own[worker].ran_before = found.is_some();
        let Some(mut task) = found else {
            self.asleep.push(worker);
            return false;
        };
        if self.has_joint(task) {
            task = self.poll_begins(task);
        }
        (self.threads[thread].task, self.tasks[task].thread) = (Some(task), Some(thread));
        true
    }

    /// A parked worker is woken. One of a pool with one queue takes its task at once.
    pub(super) fn wake_worker(&mut self, worker: usize) {
        self.asleep.retain(|other| *other != worker);
        let carries = |thread: &Thread| thread.worker == worker && thread.place == Place::Parked;
        let thread = self.threads.iter().position(carries).expect("a parked worker has a parked thread");
        if self.keeps() && !self.world.runtime.steals() {
            self.take(thread);
        }
        self.queue(thread);
    }

    /// Workers that have put their task down take another; then idle processors, lowest number first, take threads.
    fn dispatch(&mut self) -> bool {
        let mut something = false;
        for cpu in 0..self.processors.len() {
            let Some(thread) = self.processors[cpu] else { continue };
            if self.threads[thread].task.is_none() {
                something = true;
                if !self.take(thread) {
                    self.leave(cpu, thread, Place::Parked);
                }
            }
        }
        while let Some(cpu) = self.processors.iter().position(Option::is_none)
            && let Some(thread) = self.kernel.pop_front()
        {
            something = true;
            if self.threads[thread].task.is_none() && !self.take(thread) {
                self.threads[thread].place = Place::Parked;
                continue;
            }
            self.threads[thread].place = Place::On(cpu);
            self.processors[cpu] = Some(thread);
            if std::mem::take(&mut self.fresh)
                && let Runtime::Gil { interval } = self.world.runtime
                && !self.common.is_empty()
            {
                self.drop_at = Some(self.now + interval);
            }
        }
        something
    }

    fn tick(&mut self) {
        for cpu in 0..self.processors.len() {
            let Some(thread) = self.processors[cpu] else { continue };
            let task = self.threads[thread].task.expect("who runs has a task");
            self.tasks[task].left -= 1;
            let (from, to, task) = (self.now, self.now + 1, self.tasks[task].kind);
            let runs = &mut self.history.runs;
            match runs.iter_mut().find(|(at, who, _, end)| (*at, *who, *end) == (cpu, task, from)) {
                Some((_, _, _, end)) => *end = to,
                None => runs.push((cpu, task, from, to)),
            }
        }
        self.now += 1;
    }

    // The interpreter lock. Those who want it are in the common queue.

    fn want_lock(&mut self, task: usize) {
        let Runtime::Gil { interval } = self.world.runtime else { return };
        if self.holder.is_none() {
            (self.holder, self.fresh) = (Some(task), true);
            return self.queue(task);
        }
        self.common.push_back(task);
        if self.drop_at.is_none() && !self.fresh {
            self.drop_at = Some(self.now + interval);
        }
    }

    fn drop_lock(&mut self, cpu: usize, thread: usize, task: usize) {
        self.leave(cpu, thread, Place::Blocked);
        self.common.push_back(task);
        self.hand_lock_on();
    }

    fn hand_lock_on(&mut self) {
        (self.drop_at, self.holder) = (None, self.common.pop_front());
        if let Some(task) = self.holder {
            self.fresh = true;
            self.queue(task);
        }
    }
}
