//! The kernel floor: which thread is on which processor. The only caller of the scheduling policy.

use super::world::{ThreadState, World};
use crate::ids::{CpuId, ThreadId};
use crate::policy::{Exit, Slice, Slot, Turn, Who, Why};
use crate::time::{Span, Time};
use crate::timeline::{Interval, Left, Recorder, What};

impl<R: Recorder> World<'_, R> {
    /// A thread wants a processor.
    pub(super) fn make_ready(&mut self, thread: ThreadId, why: Why) {
        self.threads[thread].state = ThreadState::Ready;
        self.ask(|policy, view| policy.ready(Who(thread.0), why, view));
        self.ready += 1;
        self.news = true;
        if self.preemptive {
            self.fresh.push(thread);
        }
    }

    /// The world has settled: idle processors, lowest number first, ask the policy; then newcomers may displace.
    pub(super) fn dispatch(&mut self) {
        if self.news {
            let mut from = 0;
            while self.ready > 0
                && let Some(cpu) = self.idle.next_from(from)
            {
                from = cpu.0 + 1;
                self.fill(cpu);
            }
        } else if self.ready > 0 {
            // Whoever was idle before has been asked before, and nothing has changed for it.
            for index in 0..self.vacated.len() {
                self.fill(self.vacated[index]);
            }
        }
        self.news = false;
        self.displace_for_newcomers();
        while let Some(cpu) = self.vacated.pop() {
            self.tell_lingering(cpu);
        }
    }

    /// Asks the policy for a thread for an idle processor. A worker that finds no task parks, and the next is asked.
    fn fill(&mut self, cpu: CpuId) {
        while self.cpus[cpu].thread.is_none()
            && let Some(turn) = self.ask(|policy, view| policy.pick(Slot(cpu.0), view))
        {
            self.ready -= 1;
            self.start(cpu, turn);
        }
    }

    fn displace_for_newcomers(&mut self) {
        let mut index = 0;
        // The one put off is a newcomer in its turn. That ends: each displacement is for somebody strictly better.
        while index < self.fresh.len() {
            let thread = self.fresh[index];
            let waits = self.threads[thread].state == ThreadState::Ready;
            match waits.then(|| self.ask(|policy, view| policy.displaces(Who(thread.0), view))).flatten() {
                // The processor may have gone to somebody better still: then this one is asked for again.
                Some(slot) => {
                    self.put_off(CpuId(slot.0), Why::Preempted(slot));
                    self.fill(CpuId(slot.0));
                }
                None => index += 1,
            }
        }
        self.fresh.clear();
    }

    /// Takes the processor from its thread, which stays ready.
    pub(super) fn put_off(&mut self, cpu: CpuId, why: Why) {
        let thread = self.cpus[cpu].thread;
        if !thread.is_none() {
            self.take_off(cpu, Left::Preempted, Exit::Ready);
            self.make_ready(thread, why);
        }
    }

    /// The thread on the processor goes on, but its slice is another from now on.
    pub(super) fn renew_slice(&mut self, cpu_id: CpuId, slice: Slice) {
        let cpu = &mut self.cpus[cpu_id];
        cpu.slice_end = slice.end(cpu.turn_start.max(self.now));
        self.deadlines.set(cpu_id.0 as usize, self.cpus[cpu_id].deadline());
    }

    /// Puts a thread on an idle processor, paying for the switch.
    fn start(&mut self, cpu_id: CpuId, turn: Turn) {
        let id = ThreadId(turn.who.0);
        if self.threads[id].task.is_none() && !self.bind(id) {
            self.threads[id].state = ThreadState::Parked;
            self.ask(|policy, view| policy.left(turn.who, Slot(cpu_id.0), Span::ZERO, Exit::Blocked, view));
            return;
        }
        let cpu = &self.cpus[cpu_id];
        let goes_on = cpu.lingering.is_some() && cpu.last == id && cpu.task == self.threads[id].task;
        if !goes_on {
            self.tell_lingering(cpu_id);
        }
        let cost = self.cost_of(cpu_id, id);
        let runtime_end = self.runtime_end(id);
        let thread = &mut self.threads[id];
        thread.state = ThreadState::Running;
        thread.last_cpu = cpu_id;
        thread.last_task = thread.task;
        thread.start_cost = Span::ZERO;
        let begin = self.now + cost;
        let cpu = &mut self.cpus[cpu_id];
        (cpu.thread, cpu.task, cpu.last, cpu.last_space) = (id, thread.task, id, thread.space);
        match cpu.lingering.take() {
            Some(_) => cpu.switch_start = cpu.run_start,
            None => (cpu.switch_start, cpu.run_start) = (self.now, begin),
        }
        cpu.worked_until = begin;
        cpu.turn_start = begin;
        cpu.burst_end = begin + cpu.speed.time_for(self.tasks[thread.task].work);
        cpu.slice_end = turn.slice.end(begin);
        cpu.runtime_end = runtime_end;
        self.idle.remove(cpu_id);
        self.deadlines.set(cpu_id.0 as usize, self.cpus[cpu_id].deadline());
    }

    /// What it costs to put the thread, with the task it carries, on the processor.
    fn cost_of(&self, cpu: CpuId, thread: ThreadId) -> Span {
        let machine = &self.scenario.machine;
        let (cpu_id, cpu, thread_id, thread) = (cpu, &self.cpus[cpu], thread, &self.threads[thread]);
        let mut cost = thread.start_cost;
        if cpu.last != thread_id {
            cost += match cpu.last.is_none() {
                true if machine.charge_first_switch => machine.context_switch,
                true => Span::ZERO,
                false if cpu.last_space != thread.space => machine.process_switch,
                false => machine.context_switch,
            };
        }
        if thread.last_cpu != cpu_id && !thread.last_cpu.is_none() {
            cost += machine.migration;
        }
        if thread.last_task != thread.task && !thread.last_task.is_none() {
            cost += machine.task_switch;
        }
        cost
    }

    /// The thread on the processor goes on with the task its runtime has just given it.
    pub(super) fn switch_task(&mut self, cpu_id: CpuId, left: Left) {
        let id = self.cpus[cpu_id].thread;
        let (task, previous) = (self.threads[id].task, self.threads[id].last_task);
        if task != previous {
            self.settle(cpu_id);
            self.tell_stretch(cpu_id, left);
            self.threads[id].last_task = task;
            let begin = self.now + self.scenario.machine.task_switch;
            let cpu = &mut self.cpus[cpu_id];
            (cpu.task, cpu.switch_start, cpu.run_start, cpu.worked_until) = (task, self.now, begin, begin);
        }
        self.continue_burst(cpu_id);
    }

    /// The task on the processor has work to do (or is to be asked what it does next): sets the end of its burst.
    pub(super) fn continue_burst(&mut self, cpu_id: CpuId) {
        let cpu = &mut self.cpus[cpu_id];
        let begin = cpu.worked_until.max(self.now);
        cpu.worked_until = begin;
        cpu.burst_end = begin + cpu.speed.time_for(self.tasks[cpu.task].work);
        self.deadlines.set(cpu_id.0 as usize, self.cpus[cpu_id].deadline());
    }

    /// Takes the thread off the processor. If it is still ready its interval may go on at once: it lingers.
    pub(super) fn take_off(&mut self, cpu_id: CpuId, left: Left, exit: Exit) {
        self.settle(cpu_id);
        let cpu = &self.cpus[cpu_id];
        let (thread, ran) = (cpu.thread, self.now.since(cpu.turn_start));
        if exit == Exit::Ready && self.now >= cpu.run_start {
            self.tell_switch(cpu_id);
            self.cpus[cpu_id].lingering = Some(left);
        } else {
            self.tell_stretch(cpu_id, left);
        }
        self.cpus[cpu_id].thread = ThreadId::NONE;
        self.threads[thread].state = ThreadState::Parked;
        self.idle.insert(cpu_id);
        self.vacated.push(cpu_id);
        self.deadlines.set(cpu_id.0 as usize, Time::NEVER);
        self.ask(|policy, view| policy.left(Who(thread.0), Slot(cpu_id.0), ran, exit, view));
    }

    /// Accounts for the work done up to now.
    pub(super) fn settle(&mut self, cpu: CpuId) {
        let cpu = &mut self.cpus[cpu];
        if self.now > cpu.worked_until {
            let work = &mut self.tasks[cpu.task].work;
            *work = if self.now >= cpu.burst_end {
                Span::ZERO
            } else {
                work.saturating_sub(cpu.speed.work_in(self.now - cpu.worked_until))
            };
            cpu.worked_until = self.now;
        }
    }

    /// Reports the processor's present stretch, which ends now.
    pub(super) fn tell_stretch(&mut self, cpu_id: CpuId, left: Left) {
        self.tell_switch(cpu_id);
        let cpu = &self.cpus[cpu_id];
        if self.now >= cpu.run_start {
            let interval = cpu.run_interval(self.now, cpu_id, left);
            self.recorder.interval(interval);
        }
    }

    fn tell_switch(&mut self, cpu_id: CpuId) {
        let cpu = &self.cpus[cpu_id];
        let end = cpu.run_start.min(self.now);
        if end > cpu.switch_start {
            let cut = self.now < cpu.run_start;
            let left = if cut { Left::Preempted } else { Left::Continues };
            let run = cpu.run_interval(self.now, cpu_id, left);
            self.recorder.interval(Interval { start: cpu.switch_start, end, what: What::Switch, ..run });
        }
    }

    pub(super) fn tell_lingering(&mut self, cpu: CpuId) {
        if let Some(left) = self.cpus[cpu].lingering.take() {
            let interval = self.cpus[cpu].run_interval(self.now, cpu, left);
            self.recorder.interval(interval);
        }
    }
}

impl super::world::Cpu {
    fn run_interval(&self, now: Time, cpu: CpuId, left: Left) -> Interval {
        Interval { start: self.run_start, end: now, task: self.task, thread: self.last, cpu, what: What::Run, left }
    }
}
