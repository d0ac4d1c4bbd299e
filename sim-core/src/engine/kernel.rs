//! The kernel floor: which thread is on which processor.

use std::hint::black_box;

use super::agenda::Event;
use super::costs::Switch;
use super::processors::{Cpu, Ends};
use super::scene::Scene;
use super::thread::{Thread, ThreadState};
use super::world::World;
use crate::ids::{CpuId, TaskId, ThreadId};
use crate::policy::{Exit, Slice, Slot, Turn, Why};
use crate::program::{task_costs_stream, worker_costs_stream};
use crate::scenario::{Machine, Scenario};
use crate::time::{Span, Time};
use crate::timeline::{Left, Recorder};

impl<R: Recorder> World<'_, R> {
    /// A thread wants a processor.
    pub(super) fn make_ready(&mut self, thread: ThreadId, why: Why) {
        // What a thread waited for before it ever ran (other tasks, work for a worker) does not make it less new.
        let new = why == Why::Woken && self.scene.threads[thread].last_cpu.is_none();
        let why = if new { Why::Arrived } else { why };
        let comes = matches!(why, Why::Arrived | Why::Spawned(_) | Why::Woken);
        if comes && self.costs.is_some() && self.starts_later(thread, why) {
            return;
        }
        self.ready.ready(thread, why, &mut self.scene);
    }

    /// Notes what became of the thread, for what that costs. Has it to be started first?
    #[cold]
    fn starts_later(&mut self, id: ThreadId, why: Why) -> bool {
        if why == Why::Arrived && self.asks_to_be_started(id) {
            return true;
        }
        let Scene { scenario, now, tasks, threads, .. } = &self.scene;
        let (Some(costs), thread) = (&mut self.costs, &threads[id]) else { return false };
        let is_first = why == Why::Arrived && *now == Time::ZERO && self.doer.is_none();
        let name = || match tasks.get(thread.last_task) {
            Some(task) => task_costs_stream(scenario, task.spec, task.instance),
            None => worker_costs_stream(scenario, thread.process, thread.worker),
        };
        let at = costs.is_ready(id, (self.doer, is_first), *now, name);
        let later = at > *now;
        if later {
            self.scene.threads[id].state = ThreadState::Starting;
            let number = self.agenda.end(Event::Started(id), at);
            if self.gives_up {
                self.attempts.awaits_event(self.scene.threads[id].task, number, at);
            }
        }
        later
    }

    /// The world has settled: idle processors, lowest number first, ask the policy; then newcomers may displace.
    pub(super) fn dispatch(&mut self) {
        if !self.choosing.is_empty() {
            self.choose_tasks();
        }
        if !self.expired.is_empty() {
            self.continue_expired();
        }
        if !self.ready.news && !self.ready.is_empty() {
            // Whoever was idle before has been asked before, and nothing has changed for it.
            let mut number = 0;
            while let Some(cpu) = self.scene.processors.vacated(number) {
                if self.scene.processors[cpu].is_idle() {
                    self.fill(cpu);
                }
                number += 1;
            }
        }
        // A worker that gets a processor may wake another.
        while std::mem::take(&mut self.ready.news) {
            let mut from = 0;
            while !self.ready.is_empty()
                && let Some(cpu) = self.scene.processors.next_idle(from)
            {
                from = cpu.0 + 1;
                self.fill(cpu);
            }
        }
        if self.ready.traits().preemptive {
            self.displace_for_newcomers();
        }
        while let Some(cpu) = self.scene.processors.next_left_idle() {
            self.tell_lingering(cpu);
        }
    }

    /// Asks the policy for a thread for an idle processor. A worker that finds no task parks, and the next is asked.
    #[inline(never)]
    fn fill(&mut self, cpu: CpuId) {
        if self.ready.is_long() {
            self.look_ahead();
        }
        while let Some(turn) = self.ready.pick(cpu, &mut self.scene) {
            if self.start(cpu, turn) {
                return;
            }
        }
    }

    /// Puts the thread that the policy has picked on an idle processor. Does it run?
    #[expect(clippy::inline_always, reason = "see `end_stretch`")]
    #[inline(always)]
    pub(super) fn start(&mut self, cpu: CpuId, turn: Turn) -> bool {
        let end = self.begin_stretch(cpu, turn);
        if let Some(end) = end {
            self.scene.processors.is_occupied(cpu, end);
        }
        end.is_some()
    }

    /// Reads what will be needed when the threads that come later in the queue begin to run. With millions of them none of it
    /// is in a cache: it is fetched while others are being seen to, each piece in time for the next, to which it leads.
    #[inline(never)]
    pub(super) fn look_ahead(&self) {
        let thread = |others| self.ready.ahead(others).map(|id| &self.scene.threads[id]);
        if let Some(thread) = thread(16) {
            black_box(thread.task);
        }
        if let Some(thread) = thread(8)
            && let Some(task) = self.scene.tasks.get(thread.task)
        {
            black_box(task.work);
            self.recorder.soon(thread.task);
        }
    }

    fn displace_for_newcomers(&mut self) {
        // The one put off is a newcomer in its turn. Each displacement is for somebody strictly better; should a policy
        // change its mind about who that is, it goes in a circle, and the instant is given up.
        while let Some(thread) = self.ready.newcomer().filter(|_| !self.effort.is_used_up()) {
            let waits = self.scene.threads[thread].state == ThreadState::Ready;
            match waits.then(|| self.displaces(thread)).flatten() {
                Some(cpu) if self.operations_cost && self.keeps_its_place(cpu) => self.ready.asks_later(),
                Some(cpu) => {
                    self.effort.spend(self.scene.threads[thread].task, || "taking a processor");
                    self.put_off(cpu, Why::Preempted(Slot(cpu.0)));
                    self.fill(cpu);
                }
                None => self.ready.forget_newcomer(),
            }
        }
        self.ready.forget_newcomers();
    }

    /// Which processor must the thread be given? None whose thread is not to be preempted.
    fn displaces(&mut self, thread: ThreadId) -> Option<CpuId> {
        if self.scene.shields.are_none() {
            return self.ready.displaces(thread, &self.scene);
        }
        self.scene.shields.are_up = true;
        let victim = self.ready.displaces(thread, &self.scene);
        self.scene.shields.are_up = false;
        victim.filter(|cpu| !self.scene.is_shielded(*cpu))
    }

    /// Takes the processor from its thread, which stays ready.
    pub(super) fn put_off(&mut self, cpu: CpuId, why: Why) {
        if !self.scene.processors[cpu].is_idle() {
            let left = self.scene.processors[cpu].put_down.take().unwrap_or(Left::Preempted);
            let (thread, ran) = self.end_stretch(cpu, left, Exit::Ready);
            self.scene.processors.is_vacated(cpu);
            self.loses_thread(cpu, thread, Exit::Ready);
            self.ready.put_off(thread, cpu, ran, why, &mut self.scene);
        }
    }

    /// The thread on the processor goes on, but its slice is another from now on.
    pub(super) fn renew_slice(&mut self, cpu: CpuId, slice: Slice) {
        let begin = self.scene.processors[cpu].turn_start.max(self.scene.now);
        let end = self.scene.scenario.scheduler.timer.end(slice, begin);
        self.scene.processors.set_end_of_slice(cpu, end);
    }

    /// The thread begins to run on the processor, paying for the switch: until when? A worker that finds no task does not
    /// run.
    #[expect(clippy::inline_always, reason = "see `end_stretch`")]
    #[inline(always)]
    pub(super) fn begin_stretch(&mut self, cpu_id: CpuId, turn: Turn) -> Option<Time> {
        let id = ThreadId(turn.who.0);
        if self.scene.threads[id].task.is_none() && !self.finds_task(id, cpu_id) {
            return None;
        }
        let asks = self.scene.threads[id].asks;
        // Where switches have their costs, who looks at an interpreter lock has got there first: see `looks_at_lock`.
        if asks && self.costs.is_none() && !self.gets_lock(id, cpu_id) {
            return None;
        }
        let Scene { scenario, now, tasks, threads, runtimes, interpreters, processors, caches, .. } = &mut self.scene;
        let (thread, cpu) = (&mut threads[id], &mut processors[cpu_id]);
        let (now, task) = (*now, thread.task);
        let mut begin = now;
        match cpu.lingering.take() {
            // Its own slice ended, or it yielded, and it is next: no switch, no break. If it is to look at a lock, what began only
            // now is over.
            Some(left) if cpu.last == id && cpu.task == task && left.may_go_on() && !(asks && cpu.run_start == now) => {
                cpu.switch_start = cpu.run_start;
            }
            lingering => {
                if let Some(left) = lingering {
                    self.recorder.interval(cpu.run_interval(now, cpu_id, left));
                }
                if !self.switches_freely {
                    let switch = switch_to(&scenario.machine, cpu, id, thread);
                    begin += cost_of(&scenario.machine, cpu_id, switch, thread);
                    if let Some(costs) = &mut self.costs {
                        begin += costs.at_dispatch(cpu_id, id, switch, now);
                        if std::mem::take(&mut thread.polls) {
                            begin += costs.of_turn(id, &mut runtimes[thread.process], Span::ZERO);
                        }
                    }
                }
                (cpu.switch_start, cpu.run_start, cpu.carry) = (now, begin, 0);
            }
        }
        thread.state = ThreadState::Running;
        thread.last_cpu = cpu_id;
        thread.last_task = task;
        (cpu.task, cpu.last, cpu.last_space) = (task, id, thread.space);
        cpu.worked_until = begin;
        cpu.turn_start = begin;
        if !thread.start_cost.is_zero() {
            // What a process does before its first line is work like any other: only the switch to it is not.
            cpu.turn_start = now + (begin - now).saturating_sub(of_process(scenario, thread));
        }
        let burst = if asks && thread.asks { begin } else { begin + cpu.time_for(cpu_id, &tasks[task], caches) };
        let slice = scenario.scheduler.timer.end(turn.slice, cpu.turn_start);
        let runtime = if self.runtimes_take_back {
            let process = thread.process;
            interpreters.end_of_turn(id, process, begin, now).min(runtimes[process].end_of_turn(thread, begin))
        } else {
            Time::NEVER
        };
        Some(cpu.take_on(id, Ends { burst, slice, runtime }))
    }

    /// A worker that the processor was given looks for a task, for which it needs the interpreter lock, if its process has one:
    /// to look whether that is free takes no time as long as there is no task that it could be charged to. Without a task the
    /// worker parks.
    #[cold]
    fn finds_task(&mut self, id: ThreadId, cpu: CpuId) -> bool {
        if self.scene.threads[id].asks && !self.gets_lock(id, cpu) {
            return false;
        }
        let found = self.bind(id);
        if found {
            self.carries_another(id, TaskId::NONE);
        } else {
            self.scene.threads[id].state = ThreadState::Parked;
            self.ready.left(id, cpu, Span::ZERO, Exit::Blocked, &self.scene);
            self.gives_lock_up(id);
        }
        found
    }

    /// The thread on the processor goes on with the task its runtime has just given it.
    pub(super) fn switch_task(&mut self, cpu_id: CpuId, left: Left) {
        let id = self.scene.processors[cpu_id].thread();
        let (task, previous) = (self.scene.threads[id].task, self.scene.threads[id].last_task);
        // Of one poll those share the price who go on in the same place.
        let polls = self.scene.threads[id].polls;
        let poll = if self.costs.is_some() && polls { self.cost_of_poll(id, cpu_id) } else { Span::ZERO };
        // One that blocked for no time, and is next, begins anew; one that yielded goes on without a break, if that costs nothing.
        if task != previous || !left.may_go_on() || !poll.is_zero() {
            self.settle(cpu_id);
            self.tell_stretch(cpu_id, left);
            self.carries_another(id, previous);
            self.scene.threads[id].last_task = task;
            self.scene.threads[id].start_cost = Span::ZERO;
            let cost = if task == previous || !polls { Span::ZERO } else { self.scene.scenario.machine.task_switch };
            let begin = self.scene.now + cost + poll;
            let cpu = &mut self.scene.processors[cpu_id];
            (cpu.task, cpu.switch_start, cpu.run_start, cpu.worked_until) = (task, self.scene.now, begin, begin);
            cpu.carry = 0;
        }
        self.turn_begins(cpu_id, self.scene.processors[cpu_id].worked_until.max(self.scene.now));
        self.continue_burst(cpu_id);
    }

    /// What the runtime pays for the turn of the task that the thread on the processor has just been given.
    #[cold]
    fn cost_of_poll(&mut self, id: ThreadId, cpu: CpuId) -> Span {
        let busy = self.scene.now.since(self.scene.processors[cpu].run_start);
        let thread = &mut self.scene.threads[id];
        thread.polls = false;
        let runtime = &mut self.scene.runtimes[thread.process];
        self.costs.as_mut().map_or(Span::ZERO, |costs| costs.of_turn(id, runtime, busy))
    }

    /// The task on the processor has work to do (or is to be asked what it does next): sets the end of its burst.
    pub(super) fn continue_burst(&mut self, cpu_id: CpuId) {
        let Scene { now, tasks, processors, caches, .. } = &mut self.scene;
        let cpu = &mut processors[cpu_id];
        let begin = cpu.worked_until.max(*now);
        cpu.worked_until = begin;
        let end = begin + cpu.time_for(cpu_id, &tasks[cpu.task], caches);
        processors.set_end_of_burst(cpu_id, end);
    }

    /// Takes the thread off the processor.
    pub(super) fn take_off(&mut self, cpu: CpuId, left: Left, exit: Exit) {
        let (thread, ran) = self.end_stretch(cpu, left, exit);
        self.scene.processors.is_vacated(cpu);
        self.loses_thread(cpu, thread, exit);
        self.ready.left(thread, cpu, ran, exit, &self.scene);
    }

    /// The thread on the processor ceases to run, of which the policy is told next. If it is still ready its interval may
    /// go on at once: it lingers. Which thread was it, and how long was its turn?
    #[expect(
        clippy::inline_always,
        reason = "a dispatch is the end of a stretch and the beginning of another; called, both save and restore all registers"
    )]
    #[inline(always)]
    pub(super) fn end_stretch(&mut self, cpu_id: CpuId, left: Left, exit: Exit) -> (ThreadId, Span) {
        let Scene { now, tasks, threads, processors, runtimes, interpreters, caches, .. } = &mut self.scene;
        let (now, cpu) = (*now, &mut processors[cpu_id]);
        cpu.settle(now, cpu_id, tasks, caches);
        cpu.tell_switch(now, cpu_id, self.recorder);
        let id = cpu.give_up();
        let thread = &mut threads[id];
        if now <= cpu.run_start {
            runtimes[thread.process].is_put_off_early(thread, now);
            interpreters.is_put_off_early(thread.process, now);
        }
        if now >= cpu.run_start {
            if exit == Exit::Ready {
                cpu.lingering = Some(left);
            } else {
                self.recorder.interval(cpu.run_interval(now, cpu_id, left));
            }
        }
        let ran = now.since(cpu.turn_start);
        thread.state = ThreadState::Parked;
        thread.ran += ran;
        // Of its creation it owes what it has not paid: it may have been put off in the middle.
        thread.start_cost = thread.start_cost.min(cpu.run_start.since(now));
        (id, ran)
    }

    /// Notes how a processor lost its thread, for what that costs.
    #[inline]
    fn loses_thread(&mut self, cpu: CpuId, thread: ThreadId, exit: Exit) {
        if let Some(costs) = &mut self.costs {
            // A worker whose task has ended does not end with it.
            let keeps = self.scene.runtimes[self.scene.threads[thread].process].keeps_tasks();
            let exit = if keeps && exit == Exit::Finished { Exit::Blocked } else { exit };
            costs.loses(cpu, thread, exit, self.scene.now);
        }
    }

    /// Accounts for the work done up to now.
    #[inline]
    pub(super) fn settle(&mut self, id: CpuId) {
        let Scene { now, tasks, processors, caches, .. } = &mut self.scene;
        processors[id].settle(*now, id, tasks, caches);
    }

    /// Reports the processor's present stretch, which ends now.
    pub(super) fn tell_stretch(&mut self, cpu_id: CpuId, left: Left) {
        let (now, cpu) = (self.scene.now, &self.scene.processors[cpu_id]);
        cpu.tell_switch(now, cpu_id, self.recorder);
        if now >= cpu.run_start {
            self.recorder.interval(cpu.run_interval(now, cpu_id, left));
        }
    }

    pub(super) fn tell_lingering(&mut self, cpu_id: CpuId) {
        let cpu = &mut self.scene.processors[cpu_id];
        if let Some(left) = cpu.lingering.take() {
            self.recorder.interval(cpu.run_interval(self.scene.now, cpu_id, left));
        }
    }
}

/// Which switch the processor makes to the thread, if it has to pay for one.
#[inline]
fn switch_to(machine: &Machine, cpu: &Cpu, id: ThreadId, thread: &Thread) -> Option<Switch> {
    match cpu.last {
        last if last == id => None,
        last if last.is_none() => machine.charge_first_switch.then_some(Switch::Thread),
        _ if cpu.last_space != thread.space => Some(Switch::Process),
        _ => Some(Switch::Thread),
    }
}

/// What is left of what a process of Python does before its first line.
#[cold]
fn of_process(scenario: &Scenario, thread: &Thread) -> Span {
    scenario.processes[thread.process].start_method().map_or(Span::ZERO, |_| thread.start_cost)
}

/// What it costs to put the thread, with the task it carries, on the processor.
#[inline]
fn cost_of(machine: &Machine, cpu_id: CpuId, switch: Option<Switch>, thread: &Thread) -> Span {
    let mut cost = thread.start_cost;
    cost += match switch {
        None => Span::ZERO,
        Some(Switch::Thread) => machine.context_switch,
        Some(Switch::Process) => machine.process_switch,
    };
    if thread.last_cpu != cpu_id && !thread.last_cpu.is_none() {
        cost += machine.migration;
    }
    if thread.last_task != thread.task && !thread.last_task.is_none() {
        cost += machine.task_switch;
    }
    cost
}
