//! One instant: apply all its events in the written order, then dispatch; again, until the instant is settled.
//!
//! The order is that of the scenario format: bursts that end, by processor; with `ties = "preempted-first"` the slices
//! that end; the policy's alarm; arrivals in file order, then completions and timers in the order they were started;
//! with `ties = "arrivals-first"` the slices that end; then dispatch. When nothing else happens at the instant, devices
//! choose whom they serve; what that ends at once is another round.

use super::agenda::Event;
use super::sync::Then;
use super::task::State;
use super::world::World;
use crate::device::Waiting;
use crate::ids::{CpuId, SpecId, TaskId};
use crate::policy::{Slot, Why};
use crate::program::{Step, program_stream};
use crate::scenario::{Change, Ties};
use crate::time::Time;
use crate::timeline::{Cause, Fate, Recorder};

/// An instant does not settle.
pub(super) struct Livelock;

impl<R: Recorder> World<'_, R> {
    /// Before the first instant: when those arrive who come first is known.
    pub(super) fn begin(&mut self) {
        self.find_ceilings();
        for spec in self.scene.scenario.specs.ids() {
            self.schedule_arrival(spec);
        }
    }

    /// When something happens next; never if nothing will.
    #[inline]
    pub(super) fn next_instant(&self) -> Time {
        self.next_before(if self.gives_up { self.next_left() } else { Time::NEVER })
    }

    /// The same, if somebody gives up then.
    #[inline]
    fn next_before(&self, given_up: Time) -> Time {
        let mut next = self.scene.processors.earliest_end().min(self.agenda.next()).min(given_up);
        if self.scene.has_budgets {
            next = next.min(self.next_of_budgets());
        }
        // An alarm alone wakes nobody: with nothing else to come, and nobody ready, the world stands still.
        if next.is_never() && self.ready.is_empty() { next } else { next.min(self.ready.alarm()) }
    }

    /// Settles the present instant and dispatches. When does something happen next?
    pub(super) fn instant(&mut self) -> Result<Time, Livelock> {
        self.effort.begins_anew();
        loop {
            self.settle_instant(true);
            self.dispatch();
            self.effort.next_round();
            if self.effort.is_used_up() {
                return Err(Livelock);
            }
            let mut next = self.next_before(Time::NEVER);
            // Whoever was put off last may find another processor idle.
            let unsettled = self.ready.news && !self.ready.is_empty() && self.scene.processors.next_idle(0).is_some();
            if next > self.scene.now && !unsettled {
                if !self.undecided.is_empty() {
                    // Who is turned away goes on in another round.
                    if self.devices_choose() {
                        continue;
                    }
                    next = self.next_before(Time::NEVER);
                }
                // A request that takes no time is served in another round.
                if next > self.scene.now {
                    if !self.gives_up && !self.scene.has_budgets && self.depleted.is_none() {
                        return Ok(next);
                    }
                    if self.gives_up && self.first_gives_up() {
                        continue;
                    }
                    self.has_settled();
                    return Ok(self.next_instant());
                }
            }
        }
    }

    /// The horizon: what ends now has ended, nothing starts.
    pub(super) fn last_instant(&mut self) {
        self.effort.begins_anew();
        self.closing = true;
        self.settle_instant(false);
        while self.gives_up && self.first_gives_up() {}
    }

    #[expect(clippy::inline_always, reason = "one of two calls is that of every instant")]
    #[inline(always)]
    fn settle_instant(&mut self, arrivals: bool) {
        if self.scene.has_budgets {
            self.counts_budgets();
        }
        self.due.clear();
        self.scene.processors.list_due(self.scene.now, &mut self.due);
        self.end_bursts();
        if !self.due.is_empty() && self.is_turn_over() {
            return self.turn_over();
        }
        if self.scene.scenario.scheduler.ties == Ties::PreemptedFirst {
            self.expire();
        }
        if self.ready.alarm() <= self.scene.now {
            self.ring();
        }
        if self.firm.is_some() {
            self.applies_events_and_deadlines(arrivals);
        } else {
            self.apply_events(arrivals);
        }
        if self.scene.scenario.scheduler.ties == Ties::ArrivalsFirst {
            self.expire();
        }
        if self.scene.has_budgets {
            self.enforces_budgets();
        }
    }

    /// Bursts that end now, by processor.
    #[expect(clippy::inline_always, reason = "mostly one ends, or none")]
    #[inline(always)]
    fn end_bursts(&mut self) {
        match self.due[..] {
            [] => {}
            [cpu] if self.burst_has_ended(cpu) => self.end_burst(CpuId(cpu)),
            [_] => {}
            [..] => self.end_several_bursts(),
        }
    }

    #[inline(never)]
    fn end_several_bursts(&mut self) {
        let mut ended = std::mem::take(&mut self.ended);
        // Whose spinning one of these cuts short goes on in the next round, whether or not its slice ends now.
        ended.extend(self.due.iter().copied().filter(|cpu| self.burst_has_ended(*cpu)));
        for cpu in ended.drain(..) {
            // One of those before may have given it the lock for which it spun, and so more to do.
            if self.burst_has_ended(cpu) {
                self.end_burst(CpuId(cpu));
            }
        }
        self.ended = ended;
    }

    #[inline]
    pub(super) fn burst_has_ended(&self, cpu: u32) -> bool {
        self.scene.processors[CpuId(cpu)].ends().burst <= self.scene.now
    }

    #[inline(never)]
    fn end_burst(&mut self, cpu: CpuId) {
        self.doer = cpu;
        if !self.ways_cost {
            self.burst_ends::<false>(cpu);
        } else if !self.looks_at_lock(cpu) {
            self.burst_ends::<true>(cpu);
        }
        if self.goes_on {
            self.goes_through_poll(cpu);
        }
        self.doer = CpuId::NONE;
    }

    /// Threads whose slice ends now, by processor. One whose burst ended with its slice has left already.
    #[expect(clippy::inline_always, reason = "mostly nobody is due, or who was has left")]
    #[inline(always)]
    fn expire(&mut self) {
        for index in 0..self.due.len() {
            let id = CpuId(self.due[index]);
            let cpu = &self.scene.processors[id];
            if !cpu.is_idle() && cpu.ends().slice.min(cpu.ends().runtime) <= self.scene.now {
                self.turn_ends(id);
            }
        }
    }

    /// The turn that its runtime gave the task on the processor ends now, or the slice of its thread, or both.
    fn turn_ends(&mut self, id: CpuId) {
        let cpu = &self.scene.processors[id];
        // Who has put its task down needs no reminder of the runtime's.
        if cpu.ends().runtime <= self.scene.now && cpu.put_down.is_none() {
            self.turn_expires(id);
        }
        let cpu = &self.scene.processors[id];
        if !cpu.is_idle() && cpu.ends().slice <= self.scene.now {
            let thread = cpu.thread();
            if !self.scene.shields.are_none() && self.outlasts_slice(id) {
                return;
            }
            if self.ready.may_continue() {
                self.expired.push((id, thread));
            }
            self.put_off(id, Why::Expired(Slot(id.0)));
        }
    }

    fn ring(&mut self) {
        self.ready.ring(&self.scene);
        for cpu in self.scene.processors.ids() {
            if !self.scene.processors[cpu].is_idle()
                && let Some(slice) = self.ready.anew(cpu, &self.scene)
            {
                self.renew_slice(cpu, slice);
            }
        }
    }

    #[inline]
    pub(super) fn apply_events(&mut self, arrivals: bool) {
        if self.agenda.next() <= self.scene.now {
            if self.agenda.next_share() <= self.scene.now {
                self.shares_end();
            }
            while let Some(event) = self.agenda.take(self.scene.now) {
                match event {
                    Event::Arrival(spec) if arrivals => self.arrivals(spec),
                    Event::Release(task) if arrivals => self.release(task),
                    Event::Arrival(_) | Event::Release(_) => {}
                    Event::Timer(task) if self.news_is_late => self.rings(task),
                    Event::Timer(task) => self.wake(task),
                    Event::Started(thread) => self.ready.ready(thread, Why::Arrived, &mut self.scene),
                    Event::Served(task) => self.served(task),
                    Event::Deadline(task) => self.has_waited(task),
                    Event::Look(process) => self.looks(process),
                    Event::Idle(thread) => self.has_been_idle(thread),
                }
            }
        }
    }

    /// From now on the task waits for something.
    pub(super) fn blocks(&mut self, id: TaskId, cause: Cause) {
        let task = &mut self.scene.tasks[id];
        task.state = State::Blocked(cause);
        (task.since, task.again) = (self.scene.now, false);
    }

    /// What a task waited for has happened.
    pub(super) fn wake(&mut self, id: TaskId) {
        let task = &self.scene.tasks[id];
        if let State::Blocked(cause) = task.state {
            self.recorder.block(task.wait_until(self.scene.now, id, cause));
            if cause == Cause::After {
                self.restart_jobs(id);
            }
        }
        let task = &self.scene.tasks[id];
        // A task that has nothing left to do needs no processor to end.
        if task.cursor.is_done(&self.scene.scenario.specs[task.spec].program)
            && !task.cursor.is_new()
            && !self.must_end_in_turn(id)
        {
            let fate = task.cursor.ends_as(&self.scene.scenario.specs[task.spec].program);
            self.ends_apart(id, fate.unwrap_or_default());
        } else {
            self.task_ready(id, Why::Woken);
        }
    }

    /// Does its runtime let a task that has nothing left to do end only when it has its turn?
    #[cold]
    fn must_end_in_turn(&self, id: TaskId) -> bool {
        let process = self.scene.scenario.specs[self.scene.tasks[id].spec].process;
        self.news_is_late && self.scene.runtimes[process].ends_in_turn() || self.joints.host(id).is_some()
    }

    /// The program of a task that is on no processor is over, in this way: the end of the task, or of one of its jobs.
    pub(super) fn ends_apart(&mut self, id: TaskId, fate: Fate) {
        match self.end_of_job(id, fate) {
            None => {
                let thread = self.scene.tasks[id].thread;
                self.finish_task(id, self.fate_of(id, fate));
                if !thread.is_none() {
                    self.thread_without_task(thread);
                }
            }
            Some(release) if self.is_pending(release) => self.task_ready(id, Why::Woken),
            Some(release) => self.await_release(id, release),
        }
    }

    /// The task on the processor has no work left: walks its program up to the next thing that takes time.
    ///
    /// `COSTLY`: may operations cost something?
    pub(super) fn burst_ends<const COSTLY: bool>(&mut self, cpu: CpuId) {
        self.settle(cpu);
        let id = self.scene.processors[cpu].task;
        if let State::Spinning(lock) = self.scene.tasks[id].state {
            self.spins_no_more(id, lock);
            return self.task_blocks(cpu, false);
        }
        while !self.effort.is_used_up() {
            let step = self.next_step::<COSTLY>(id);
            self.effort.spend(id, || step.word());
            let goes_no_further = self.closing && step.starts_something();
            if goes_no_further || COSTLY && self.operations_cost && !self.is_paid_for(cpu, step) {
                return self.continue_burst(cpu);
            }
            if step.may_wait_for_others() && !self.joins_branches(step) && self.is_over_budget(cpu) {
                self.scene.tasks[id].cursor.step_back();
                return self.task_yields(cpu);
            }
            match step {
                Step::Cpu(work) if work.is_zero() => {}
                Step::Cpu(work) => {
                    self.scene.tasks[id].work = work;
                    self.scene.takes_up(id);
                    return self.continue_burst(cpu);
                }
                Step::Attempt(terms) => self.begins_attempt(id, terms),
                Step::Io { device, service, at, blocking } => {
                    self.blocks(id, Cause::Device(device));
                    self.request(device, Waiting { task: id, service, at }, blocking);
                    return self.task_blocks(cpu, blocking);
                }
                Step::Sleep(length) => {
                    self.sleep(id, length);
                    return self.task_blocks(cpu, false);
                }
                Step::Yield => return self.task_yields(cpu),
                Step::Sync(op) => match self.synchronise(id, op) {
                    // It goes on when those it has woken have had their chance.
                    Then::GoesOn if self.lets_others_in(op) => return self.continue_burst(cpu),
                    Then::GoesOn => {}
                    Then::Spins => return self.continue_burst(cpu),
                    Then::Waits => return self.task_blocks(cpu, false),
                    Then::Yields => return self.task_yields(cpu),
                },
                Step::Spawn(spec) if self.spawns(cpu, id, spec) => return,
                Step::Join(spec) if self.joins(id, spec) => return self.task_blocks(cpu, false),
                Step::Turn if self.turn_comes_later(id) => return self.task_blocks(cpu, false),
                Step::Spawn(_) | Step::Join(_) | Step::Turn | Step::Around => {}
                Step::Set(variable, value) => self.changes(id, variable, Change::To(value)),
                Step::Add(variable, more) => self.changes(id, variable, Change::By(more)),
                Step::Test => self.looks_at_variables(id),
                Step::End(fate) => return self.program_ends(cpu, id, fate),
            }
        }
        // A livelock inside one program: the instant is given up, `instant` reports it.
        self.continue_burst(cpu);
    }

    /// The task on the processor joins those that it spawned. Must it wait for some of them? Then it does.
    fn joins(&mut self, id: TaskId, spec: SpecId) -> bool {
        let waits = if self.gives_up { self.may_join(id, spec) } else { self.family.has_children(id, spec) };
        if waits {
            self.blocks(id, Cause::Join);
            self.family.awaits_children(id, spec);
        }
        waits
    }

    /// The program of the task on the processor is over, in this way: the end of the task, or of one of its jobs.
    pub(super) fn program_ends(&mut self, cpu: CpuId, id: TaskId, fate: Fate) {
        match self.end_of_job(id, fate) {
            None => {
                self.finish_task(id, self.fate_of(id, fate));
                self.task_leaves(cpu);
            }
            Some(release) if self.is_pending(release) => self.task_yields(cpu),
            Some(release) => {
                self.await_release(id, release);
                self.task_blocks(cpu, false);
            }
        }
    }

    fn next_step<const COSTLY: bool>(&mut self, id: TaskId) -> Step {
        if COSTLY
            && self.operations_cost
            && let Some(step) = self.is_about_to(id)
        {
            return step;
        }
        let scenario = self.scene.scenario;
        let task = &mut self.scene.tasks[id];
        let (spec, instance) = (task.spec, task.instance);
        task.cursor.step(&scenario.specs[spec].program, || program_stream(scenario, spec, instance))
    }

    /// What becomes of a task whose program is over in this way: one that ends its last job early has finished.
    fn fate_of(&self, id: TaskId, fate: Fate) -> Fate {
        let is_periodic = self.scene.scenario.specs[self.scene.tasks[id].spec].attributes.periodic.is_some();
        if is_periodic && fate == Fate::Ended { Fate::Finished } else { fate }
    }

    /// The task is over, in this way: whoever waits for that learns of it.
    pub(super) fn finish_task(&mut self, id: TaskId, fate: Fate) {
        self.recorder.finish(id, self.scene.now, fate);
        let task = &mut self.scene.tasks[id];
        task.state = State::Finished;
        let (spec, parent) = (task.spec, self.family.parent_of(id));
        let described = &self.scene.scenario.specs[spec];
        if described.is_branch() {
            self.branch_ends(id);
        } else if described.caller.is_some() {
            self.returns_stream(parent, id);
        }
        self.scene.tasks[id].cursor.release();
        self.unfinished -= u64::from(!self.starters.has(id));
        self.specs[spec].unfinished -= 1;
        if self.specs[spec].unfinished == 0 {
            self.release_dependents(spec);
        }
        if !self.guests.is_empty() && self.guests.host(id).is_some() {
            self.guest_finished(parent, spec);
        } else if !parent.is_none() {
            self.child_finished(parent, spec);
        }
    }
}
