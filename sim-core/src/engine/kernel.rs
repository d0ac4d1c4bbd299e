//! The kernel floor: which thread is on which processor. The only caller of the scheduling policy.

use super::cache::Caches;
use super::world::{Cpu, Scene, Task, Thread, ThreadState, World};
use crate::ids::{CpuId, IdVec, TaskId, ThreadId};
use crate::policy::{Exit, Slice, Slot, Turn, Who, Why};
use crate::scenario::Machine;
use crate::time::{Span, Time};
use crate::timeline::{Interval, Left, Recorder, What};

impl<R: Recorder> World<'_, R> {
    /// A thread wants a processor.
    pub(super) fn make_ready(&mut self, thread: ThreadId, why: Why) {
        // What a thread waited for before it ever ran (other tasks, work for a worker) does not make it less new.
        let new = why == Why::Woken && self.scene.threads[thread].last_cpu.is_none();
        let why = if new { Why::Arrived } else { why };
        self.enqueue(thread);
        self.consult(|policy, view| policy.ready(Who(thread.0), why, view));
    }

    /// The thread is in the policy's queue, which is told so next.
    #[inline]
    fn enqueue(&mut self, id: ThreadId) {
        self.queued += 1;
        let thread = &mut self.scene.threads[id];
        thread.queued = self.queued;
        thread.state = ThreadState::Ready;
        self.ready += 1;
        self.news = true;
        if let Some(queue) = &mut self.queue {
            queue.add(id, &mut self.scene.threads);
        }
        if self.preemptive {
            self.fresh.push_back(id);
        }
    }

    /// A thread that the policy knows is more or less urgent than before.
    pub(super) fn tell_policy_of_change(&mut self, thread: ThreadId) {
        self.consult(|policy, view| policy.changed(Who(thread.0), view));
    }

    /// The world has settled: idle processors, lowest number first, ask the policy; then newcomers may displace.
    pub(super) fn dispatch(&mut self) {
        if !self.choosing.is_empty() {
            self.choose_tasks();
        }
        if !self.expired.is_empty() {
            self.continue_expired();
        }
        if !self.news && self.ready > 0 {
            // Whoever was idle before has been asked before, and nothing has changed for it.
            for index in 0..self.vacated.len() {
                let cpu = self.vacated[index];
                if self.scene.cpus[cpu].thread.is_none() {
                    self.fill(cpu);
                }
            }
        }
        // A worker that gets a processor may wake another.
        while std::mem::take(&mut self.news) {
            let mut from = 0;
            while self.ready > 0
                && let Some(cpu) = self.idle.next_from(from)
            {
                from = cpu.0 + 1;
                self.fill(cpu);
            }
        }
        self.displace_for_newcomers();
        while let Some(cpu) = self.vacated.pop() {
            if self.scene.cpus[cpu].thread.is_none() {
                self.tell_lingering(cpu);
                self.deadlines.set(cpu.0 as usize, Time::NEVER);
            }
        }
    }

    /// Asks the policy for a thread for an idle processor. A worker that finds no task parks, and the next is asked.
    fn fill(&mut self, cpu: CpuId) {
        while let Some(turn) = self.consult(|policy, view| policy.pick(Slot(cpu.0), view)) {
            if self.begin_turn(cpu, turn) {
                return;
            }
        }
    }

    /// The thread that the policy has picked has left its queue. Does it run?
    #[inline]
    pub(super) fn begin_turn(&mut self, cpu: CpuId, turn: Turn) -> bool {
        self.ready -= 1;
        if let Some(queue) = &mut self.queue {
            queue.remove(ThreadId(turn.who.0), &mut self.scene.threads);
        }
        self.start(cpu, turn)
    }

    fn displace_for_newcomers(&mut self) {
        // The one put off is a newcomer in its turn. Each displacement is for somebody strictly better; should a policy
        // change its mind about who that is, it goes in a circle, and the instant is given up.
        while let Some(thread) = self.fresh.front().copied().filter(|_| !self.effort.is_used_up()) {
            let waits = self.scene.threads[thread].state == ThreadState::Ready;
            match waits.then(|| self.consult(|policy, view| policy.displaces(Who(thread.0), view))).flatten() {
                // The processor may have gone to somebody better still: then this one is asked for again.
                Some(slot) => {
                    self.effort.spend(self.scene.threads[thread].task, "taking a processor");
                    self.put_off(CpuId(slot.0), Why::Preempted(slot));
                    self.fill(CpuId(slot.0));
                }
                None => drop(self.fresh.pop_front()),
            }
        }
        self.fresh.clear();
    }

    /// Takes the processor from its thread, which stays ready.
    pub(super) fn put_off(&mut self, cpu: CpuId, why: Why) {
        if !self.scene.cpus[cpu].thread.is_none() {
            let left = self.scene.cpus[cpu].put_down.take().unwrap_or(Left::Preempted);
            let (thread, ran) = self.vacate(cpu, left, Exit::Ready);
            self.enqueue(thread);
            self.consult(|policy, view| policy.put_off(Who(thread.0), Slot(cpu.0), ran, why, view));
        }
    }

    /// The thread on the processor goes on, but its slice is another from now on.
    pub(super) fn renew_slice(&mut self, cpu_id: CpuId, slice: Slice) {
        let cpu = &mut self.scene.cpus[cpu_id];
        cpu.slice_end = self.scene.scenario.scheduler.timer.end(slice, cpu.turn_start.max(self.scene.now));
        self.deadlines.set(cpu_id.0 as usize, self.scene.cpus[cpu_id].deadline());
    }

    /// Puts a thread on an idle processor, paying for the switch. A worker that finds no task does not run.
    #[expect(clippy::inline_always, reason = "see `vacate`")]
    #[inline(always)]
    fn start(&mut self, cpu_id: CpuId, turn: Turn) -> bool {
        let id = ThreadId(turn.who.0);
        if self.scene.threads[id].task.is_none() && !self.finds_task(id, cpu_id) {
            return false;
        }
        let Scene { scenario, now, tasks, threads, runtimes, cpus, caches, .. } = &mut self.scene;
        let (thread, cpu) = (&mut threads[id], &mut cpus[cpu_id]);
        let (now, task) = (*now, thread.task);
        let mut begin = now;
        match cpu.lingering.take() {
            // Its own slice ended, or it yielded, and it is next: no switch, no break.
            Some(left) if cpu.last == id && cpu.task == task && left.may_go_on() => cpu.switch_start = cpu.run_start,
            lingering => {
                if let Some(left) = lingering {
                    self.recorder.interval(cpu.run_interval(now, cpu_id, left));
                }
                if !self.switches_freely {
                    begin += cost_of(&scenario.machine, cpu_id, cpu, id, thread);
                }
                (cpu.switch_start, cpu.run_start, cpu.carry) = (now, begin, 0);
            }
        }
        thread.state = ThreadState::Running;
        thread.last_cpu = cpu_id;
        thread.last_task = task;
        (cpu.thread, cpu.task, cpu.last, cpu.last_space) = (id, task, id, thread.space);
        cpu.worked_until = begin;
        cpu.turn_start = begin;
        cpu.burst_end = begin + cpu.time_for(cpu_id, &tasks[task], caches);
        cpu.slice_end = scenario.scheduler.timer.end(turn.slice, begin);
        cpu.runtime_end = runtimes[thread.process].end_of_turn(thread, begin, now);
        let deadline = cpu.deadline();
        self.idle.remove(cpu_id);
        self.deadlines.set(cpu_id.0 as usize, deadline);
        true
    }

    /// A worker that the processor was given looks for a task. Without one it parks.
    #[cold]
    fn finds_task(&mut self, id: ThreadId, cpu: CpuId) -> bool {
        let found = self.bind(id);
        if found {
            self.carries_another(id, TaskId::NONE);
        } else {
            self.scene.threads[id].state = ThreadState::Parked;
            self.consult(|policy, view| policy.left(Who(id.0), Slot(cpu.0), Span::ZERO, Exit::Blocked, view));
        }
        found
    }

    /// The thread on the processor goes on with the task its runtime has just given it.
    pub(super) fn switch_task(&mut self, cpu_id: CpuId, left: Left) {
        let id = self.scene.cpus[cpu_id].thread;
        let (task, previous) = (self.scene.threads[id].task, self.scene.threads[id].last_task);
        // One that blocked for no time, and is next, begins anew; one that yielded goes on without a break.
        if task != previous || !left.may_go_on() {
            self.settle(cpu_id);
            self.tell_stretch(cpu_id, left);
            self.carries_another(id, previous);
            self.scene.threads[id].last_task = task;
            self.scene.threads[id].start_cost = Span::ZERO;
            let cost = if task == previous { Span::ZERO } else { self.scene.scenario.machine.task_switch };
            let begin = self.scene.now + cost;
            let cpu = &mut self.scene.cpus[cpu_id];
            (cpu.task, cpu.switch_start, cpu.run_start, cpu.worked_until) = (task, self.scene.now, begin, begin);
            cpu.carry = 0;
        }
        self.turn_begins(cpu_id, self.scene.cpus[cpu_id].worked_until.max(self.scene.now));
        self.continue_burst(cpu_id);
    }

    /// The task on the processor has work to do (or is to be asked what it does next): sets the end of its burst.
    pub(super) fn continue_burst(&mut self, cpu_id: CpuId) {
        let Scene { now, tasks, cpus, caches, .. } = &mut self.scene;
        let cpu = &mut cpus[cpu_id];
        let begin = cpu.worked_until.max(*now);
        cpu.worked_until = begin;
        cpu.burst_end = begin + cpu.time_for(cpu_id, &tasks[cpu.task], caches);
        self.deadlines.set(cpu_id.0 as usize, cpu.deadline());
    }

    /// Takes the thread off the processor.
    pub(super) fn take_off(&mut self, cpu: CpuId, left: Left, exit: Exit) {
        let (thread, ran) = self.vacate(cpu, left, exit);
        self.consult(|policy, view| policy.left(Who(thread.0), Slot(cpu.0), ran, exit, view));
    }

    /// Takes the thread off the processor, of which the policy is told next. If it is still ready its interval may go on
    /// at once: it lingers. Which thread was it, and how long was its turn?
    #[expect(
        clippy::inline_always,
        reason = "a dispatch is vacate and start; called, both save and restore all registers"
    )]
    #[inline(always)]
    fn vacate(&mut self, cpu_id: CpuId, left: Left, exit: Exit) -> (ThreadId, Span) {
        let Scene { now, tasks, threads, cpus, runtimes, caches, .. } = &mut self.scene;
        let (now, cpu) = (*now, &mut cpus[cpu_id]);
        cpu.settle(now, cpu_id, tasks, caches);
        cpu.tell_switch(now, cpu_id, self.recorder);
        if now <= cpu.run_start {
            let thread = &threads[cpu.thread];
            runtimes[thread.process].is_put_off_early(thread, now);
        }
        if now >= cpu.run_start {
            if exit == Exit::Ready {
                cpu.lingering = Some(left);
            } else {
                self.recorder.interval(cpu.run_interval(now, cpu_id, left));
            }
        }
        let id = std::mem::replace(&mut cpu.thread, ThreadId::NONE);
        let ran = now.since(cpu.turn_start);
        let thread = &mut threads[id];
        thread.state = ThreadState::Parked;
        thread.ran += ran;
        // Of its creation it owes what it has not paid: it may have been put off in the middle.
        thread.start_cost = thread.start_cost.min(cpu.run_start.since(now));
        self.idle.insert(cpu_id);
        self.vacated.push(cpu_id);
        (id, ran)
    }

    /// Accounts for the work done up to now.
    #[inline]
    pub(super) fn settle(&mut self, id: CpuId) {
        let Scene { now, tasks, cpus, caches, .. } = &mut self.scene;
        cpus[id].settle(*now, id, tasks, caches);
    }

    /// Reports the processor's present stretch, which ends now.
    pub(super) fn tell_stretch(&mut self, cpu_id: CpuId, left: Left) {
        let (now, cpu) = (self.scene.now, &self.scene.cpus[cpu_id]);
        cpu.tell_switch(now, cpu_id, self.recorder);
        if now >= cpu.run_start {
            self.recorder.interval(cpu.run_interval(now, cpu_id, left));
        }
    }

    pub(super) fn tell_lingering(&mut self, cpu_id: CpuId) {
        let cpu = &mut self.scene.cpus[cpu_id];
        if let Some(left) = cpu.lingering.take() {
            self.recorder.interval(cpu.run_interval(self.scene.now, cpu_id, left));
        }
    }
}

/// What it costs to put the thread, with the task it carries, on the processor.
#[inline]
fn cost_of(machine: &Machine, cpu_id: CpuId, cpu: &Cpu, id: ThreadId, thread: &Thread) -> Span {
    let mut cost = thread.start_cost;
    if cpu.last != id {
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

impl Cpu {
    /// How long the task, which is or will be on it, takes for the work it has left.
    #[inline]
    fn time_for(&self, id: CpuId, task: &Task, caches: &Option<Box<Caches<'_>>>) -> Span {
        match caches {
            None => self.speed.time_for_rest(task.work, self.carry),
            Some(caches) => caches.time_for(id, self.task, task.spec, task.work),
        }
    }

    /// Accounts for the work done up to now.
    #[inline]
    fn settle(&mut self, now: Time, id: CpuId, tasks: &mut IdVec<TaskId, Task>, caches: &mut Option<Box<Caches<'_>>>) {
        if now <= self.worked_until {
            return;
        }
        let task = &mut tasks[self.task];
        let length = now - self.worked_until;
        self.worked_until = now;
        if now >= self.burst_end {
            if let Some(caches) = caches {
                caches.run(id, self.task, task.spec, length);
            }
            (task.work, self.carry) = (Span::ZERO, 0);
            return;
        }
        let (done, carry) = match caches {
            None => self.speed.progress(length, self.carry),
            Some(caches) => (caches.run(id, self.task, task.spec, length), 0),
        };
        (task.work, self.carry) = (task.work.saturating_sub(done), carry);
    }

    /// Reports the switch that the present stretch began with, if it cost time; it may have been cut short.
    #[inline]
    fn tell_switch<R: Recorder>(&self, now: Time, cpu: CpuId, recorder: &mut R) {
        let end = self.run_start.min(now);
        if end > self.switch_start {
            let left = if now < self.run_start { Left::Preempted } else { Left::Continues };
            let run = self.run_interval(now, cpu, left);
            recorder.interval(Interval { start: self.switch_start, end, what: What::Switch, ..run });
        }
    }

    #[inline]
    fn run_interval(&self, now: Time, cpu: CpuId, left: Left) -> Interval {
        Interval { start: self.run_start, end: now, task: self.task, thread: self.last, cpu, what: What::Run, left }
    }
}
