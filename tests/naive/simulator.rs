//! The naive simulator: tick by tick, everything looked up by walking lists, nothing clever.
//!
//! It shares no line with the engine and was written from the rules alone: the order within one instant, the policies,
//! the executors. Where the rules leave something open, it takes this reading:
//!
//! - A task whose last operation was a wait is finished when the wait is over; it needs no processor for that.
//! - The next burst is what a task computes until it may have to wait: see `bursts`.
//! - An event loop takes its next task when the instant is settled, or when it gets a processor. One that has none left
//!   when a task gives it up is blocked at once, as any thread would be. It looks for what has happened outside when its
//!   queue is empty; in these worlds nobody makes so many polls in a row that it would look before.
//! - The next task of a pool becomes ready, as a new thread, at the instant at which a worker ends the one before.
//! - Whoever spins has nothing ahead of it but that. Once it has the lock it has another burst ahead, and if it is ready
//!   it counts as a newcomer.
//! - A burst that turns out to be longer than the one before (a lock was taken, which takes no time) is no reason for those
//!   who have waited to ask for the processor: preemption is that of whoever becomes ready.
//! - Those who are ready ask for the place of somebody worse in the order in which they became ready; the processor
//!   then goes to the best. To be put off is to be queued once more, be it at the head.
//! - A thread that is being switched to can be put off like one that runs.
//! - A job that was due before the one ahead of it ended becomes ready at the very moment at which that one ends; if it
//!   ended on a processor, that is a yield.

mod aborting;
mod bursts;
mod devices;
mod dispatch;
mod fair;
mod limits;
mod pools;
mod quotas;
mod real_time;
mod servers;
mod shares;
mod shelf;
mod state;
mod sync;
mod threads;

use super::case::{Case, Op};
use devices::Device;
use limits::Limit;
use pools::Pool;
use quotas::Account;
use real_time::releases;
use servers::Budget;
use shares::Shares;
use shelf::Memory;
use state::Turns;
use sync::{Asks, Lock, Shared};
use threads::{Thread, threads};

/// What happened.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct History {
    /// Processor, task, start, end: sorted by start and processor, what touches merged.
    pub(crate) runs: Vec<(usize, usize, u64, u64)>,
    /// Processor, start, end of switching.
    pub(crate) switches: Vec<(usize, u64, u64)>,
    /// When each task finished, if it did.
    pub(crate) finishes: Vec<Option<u64>>,
}

#[derive(Clone, Default)]
struct Processor {
    thread: Option<usize>,
    switching: u64,
    /// How many ticks its thread may still run.
    slice: Option<u64>,
    last: Option<usize>,
}

struct Progress {
    next_op: usize,
    cpu_left: u64,
}

/// Something that will be over.
struct Pending {
    due: u64,
    started: u64,
    task: usize,
    device: Option<usize>,
}

struct World<'a> {
    case: &'a Case,
    now: u64,
    count: u64,
    progress: Vec<Progress>,
    thread_of: Vec<usize>,
    threads: Vec<Thread>,
    processors: Vec<Processor>,
    /// Threads that want a processor, in the order in which they came.
    ready: Vec<usize>,
    /// Those of them that have become ready since somebody was last put off.
    newcomers: Vec<usize>,
    pending: Vec<Pending>,
    devices: Vec<Device>,
    locks: Vec<Lock>,
    objects: Vec<Shared>,
    /// Threads whose slice has ended in this round, and on which processors.
    expired: Vec<(usize, usize)>,
    /// Per task: does it spin for a lock?
    spins: Vec<bool>,
    asks: Vec<Asks>,
    /// Per task: until when it waits for what it is at.
    limits: Vec<Option<Limit>>,
    /// Who was handed a lock for which it spun, in this round of the instant.
    freed: Vec<usize>,
    /// Per task: when it arrives or its next job is released, if it waits for that; and which job it is at.
    release: Vec<Option<u64>>,
    job: Vec<usize>,
    /// Per task: when all its jobs are released.
    releases: Vec<Vec<u64>>,
    /// Per task: the loops in turns in which it is, from outside.
    turns: Vec<Vec<Turns>>,
    variables: Vec<i64>,
    memory: Memory,
    accounts: Vec<Account>,
    /// Of each server for fixed priorities.
    budgets: Vec<Budget>,
    shares: Shares,
    /// Who stood still when an instant was over.
    stood: Vec<usize>,
    /// The process whose task does something now.
    doer: Option<usize>,
    /// Of each process.
    pools: Vec<Pool>,
    history: History,
}

/// Runs the case until everything is done or nothing can happen any more. Chance comes from outside: `drawn` are the
/// releases of the jobs of each task.
pub(crate) fn simulate(case: &Case, drawn: &[Vec<u64>]) -> History {
    let mut world = World::new(case, drawn);
    loop {
        world.settle();
        world.devices_choose();
        if world.turn_away() || world.first_gives_up() {
            continue;
        }
        world.notes_servers();
        if !world.can_go_on() {
            break;
        }
        world.tick();
    }
    world.history.runs.sort_by_key(|(cpu, task, start, _)| (*start, *cpu, *task));
    world.history.switches.retain(|(_, start, end)| start < end);
    world.history.switches.sort_by_key(|(cpu, start, _)| (*start, *cpu));
    world.history
}

impl<'a> World<'a> {
    fn new(case: &'a Case, drawn: &[Vec<u64>]) -> World<'a> {
        let tasks = case.tasks().count();
        let (threads, thread_of) = threads(case);
        let releases: Vec<Vec<u64>> = case.tasks().zip(drawn).map(|((_, task), drawn)| releases(task, drawn)).collect();
        World {
            case,
            now: 0,
            count: 0,
            progress: (0..tasks).map(|_| Progress { next_op: 0, cpu_left: 0 }).collect(),
            thread_of,
            memory: Memory::new(case, threads.len()),
            threads,
            accounts: case.groups.iter().map(Account::new).collect(),
            budgets: case.servers.iter().map(Budget::new).collect(),
            shares: Shares::new(case),
            stood: Vec::new(),
            processors: vec![Processor::default(); case.processors],
            ready: Vec::new(),
            newcomers: Vec::new(),
            pending: Vec::new(),
            devices: World::new_devices(case),
            locks: (0..case.locks).map(|_| Lock::default()).collect(),
            objects: case.syncs.objects.iter().map(Shared::new).collect(),
            expired: Vec::new(),
            spins: vec![false; tasks],
            asks: vec![Asks::default(); tasks],
            limits: vec![None; tasks],
            freed: Vec::new(),
            release: releases.iter().map(|releases| Some(releases[0])).collect(),
            job: vec![0; tasks],
            turns: vec![Vec::new(); tasks],
            variables: vec![0; case.variables],
            releases,
            doer: None,
            pools: case.processes.iter().map(|_| Pool::default()).collect(),
            history: History { finishes: vec![None; tasks], ..History::default() },
        }
    }

    fn can_go_on(&self) -> bool {
        self.processors.iter().any(|processor| processor.thread.is_some())
            || !self.pending.is_empty()
            || self.somebody_will_give_up()
            || self.somebody_will_be_aborted()
            || self.release.iter().any(Option::is_some)
            || self.ready.iter().any(|thread| !self.has_quota(*thread))
    }

    /// The order within one instant.
    fn settle(&mut self) {
        let mut first_round = true;
        self.refill();
        loop {
            let mut something = self.ends();
            if first_round && self.case.preempted_first {
                self.expire();
            }
            if first_round {
                self.boost();
                self.look();
            }
            something |= self.what_comes();
            if first_round && !self.case.preempted_first {
                self.expire();
            }
            something |= self.throttle();
            first_round = false;
            something |= self.dispatch();
            something |= self.preempt();
            // Who has just got a processor may find too little left for all.
            if !something && !self.throttle() {
                return;
            }
        }
    }

    /// Step 1: bursts that end, by processor number, and all that follows without taking time.
    fn ends(&mut self) -> bool {
        let mut something = !std::mem::take(&mut self.freed).is_empty();
        for cpu in 0..self.processors.len() {
            while let Some(thread) = self.processors[cpu].thread {
                if self.processors[cpu].switching > 0 {
                    break;
                }
                let Some(task) = self.threads[thread].task else {
                    // An event loop chooses its next task when the instant is settled; without one it is blocked now.
                    if self.threads[thread].has_no_task_left() {
                        self.threads[thread].blocked = true;
                        self.processors[cpu].thread = None;
                    }
                    break;
                };
                if self.progress[task].cpu_left > 0 || self.freed.contains(&task) {
                    break;
                }
                something = true;
                if self.spins[task] {
                    self.spin_ends(cpu, thread, task);
                    break;
                }
                self.doer = Some(self.process(task));
                self.next_op(cpu, thread, task);
                self.doer = None;
            }
        }
        something
    }

    fn next_op(&mut self, cpu: usize, thread: usize, task: usize) {
        self.drops_releases(task);
        let op = self.program(task).get(self.progress[task].next_op).copied();
        self.progress[task].next_op += 1;
        if op.is_none_or(|op| !op.can_be_given_up()) {
            self.limits[task] = None;
        }
        match op {
            Some(Op::Within(ticks)) => self.begins(task, ticks),
            Some(Op::Cpu(ticks)) => self.progress[task].cpu_left = ticks,
            Some(Op::Io(device, ticks)) => {
                self.block(cpu, thread);
                self.ask(device, task, ticks, 0);
            }
            Some(Op::IoAt(device, ticks, at)) => {
                self.block(cpu, thread);
                self.ask(device, task, ticks, at);
            }
            Some(Op::Sleep(ticks)) => {
                self.block(cpu, thread);
                let started = self.stamp();
                self.pending.push(Pending { due: self.now + ticks, started, task, device: None });
            }
            Some(Op::Yield) => {
                if self.threads[thread].loop_queue.is_some() {
                    self.threads[thread].yielded.push(task);
                    self.threads[thread].task = None;
                } else {
                    self.yields(cpu, thread);
                }
            }
            Some(op @ (Op::Lock(_) | Op::Unlock(_) | Op::Sync(_))) => self.synchronise(cpu, thread, task, op),
            Some(Op::Control(control)) => self.control(cpu, thread, task, control),
            None if self.releases[task].get(self.job[task] + 1).is_some_and(|release| *release < self.now) => {
                self.next_job(task);
                self.yields(cpu, thread);
            }
            None => {
                self.block(cpu, thread);
                self.finished(task);
            }
        }
    }

    fn yields(&mut self, cpu: usize, thread: usize) {
        self.processors[cpu].thread = None;
        self.yielded(thread);
        self.queue_tail(thread);
    }

    /// The task cannot go on. Its thread leaves the processor, unless it is an event loop.
    fn block(&mut self, cpu: usize, thread: usize) {
        if self.threads[thread].loop_queue.is_some() {
            self.threads[thread].task = None;
        } else {
            self.threads[thread].blocked = true;
            self.processors[cpu].thread = None;
            self.leaves(thread);
        }
    }

    /// Step 3, first half, in file order.
    fn arrivals(&mut self) -> bool {
        let arrived = (0..self.release.len()).filter(|task| self.release[*task] == Some(self.now));
        let arrived: Vec<usize> = arrived.collect();
        for &task in &arrived {
            self.release[task] = None;
            if self.job[task] > 0 {
                self.wake(task);
                continue;
            }
            self.comes_to_process(task);
        }
        !arrived.is_empty()
    }

    /// Step 3, second half: in the order in which they were started.
    fn completions(&mut self) -> bool {
        self.pending.sort_by_key(|pending| pending.started);
        let (over, pending) = std::mem::take(&mut self.pending).into_iter().partition(|p| p.due <= self.now);
        self.pending = pending;
        let over: Vec<Pending> = over;
        for Pending { task, device, .. } in &over {
            self.served(*task);
            if let Some(device) = *device {
                self.channel_is_free(device);
            }
        }
        !over.is_empty()
    }

    /// What the task waited for is over. If it was the last thing to do, it needs no processor to finish.
    fn served(&mut self, task: usize) {
        self.limits[task] = None;
        if self.has_nothing_left(task) {
            self.progress[task].next_op = self.program(task).len();
            self.finished(task);
            // The releases of this instant are over already: the next job, if it is due, does not wait for another round.
            if self.release[task] == Some(self.now) {
                self.release[task] = None;
                self.wake(task);
            }
        } else {
            self.wake(task);
        }
    }

    /// The task is ready. An event loop notices at once what one of its own tasks does.
    fn wake(&mut self, task: usize) {
        let by_one_of_its_own = self.doer == Some(self.process(task));
        let thread = self.thread_of[task];
        let Thread { loop_queue, outside, .. } = &mut self.threads[thread];
        if let Some(queue) = loop_queue {
            if by_one_of_its_own { queue } else { outside }.push_back(task);
        }
        if self.threads[thread].blocked {
            self.queue_tail(thread);
        }
    }

    fn queue_tail(&mut self, thread: usize) {
        let was_blocked = std::mem::replace(&mut self.threads[thread].blocked, false);
        let new = !self.threads[thread].has_run;
        self.threads[thread].queued = self.stamp();
        self.threads[thread].since = self.now;
        self.expects(thread);
        self.comes(thread, was_blocked, new);
        self.ready.push(thread);
        self.newcomers.push(thread);
    }

    /// One tick passes.
    fn tick(&mut self) {
        self.share();
        self.shares_tick();
        for cpu in 0..self.processors.len() {
            let Some(thread) = self.processors[cpu].thread else { continue };
            let (from, to) = (self.now, self.now + 1);
            if self.processors[cpu].switching > 0 {
                self.processors[cpu].switching -= 1;
                let current = self.history.switches.iter_mut().rfind(|(at, ..)| *at == cpu);
                current.expect("noted when it began").2 = to;
                continue;
            }
            let task = self.threads[thread].task.expect("who runs has a task");
            self.progress[task].cpu_left -= 1;
            self.uses_quota(task);
            self.uses_budget(thread);
            if let Some(slice) = &mut self.processors[cpu].slice {
                *slice = slice.saturating_sub(1);
            }
            self.serve_tick(thread);
            let runs = &mut self.history.runs;
            match runs.iter_mut().find(|(at, who, _, end)| (*at, *who, *end) == (cpu, task, from)) {
                Some((_, _, _, end)) => *end = to,
                None => runs.push((cpu, task, from, to)),
            }
        }
        self.now += 1;
        self.tick_is_over();
    }

    fn stamp(&mut self) -> u64 {
        self.count += 1;
        self.count
    }

    fn task(&self, task: usize) -> &'a super::case::Task {
        self.case.tasks().nth(task).expect("it exists").1
    }

    fn program(&self, task: usize) -> &'a [Op] {
        &self.task(task).program
    }

    fn process(&self, task: usize) -> usize {
        self.case.tasks().nth(task).expect("it exists").0
    }
}
