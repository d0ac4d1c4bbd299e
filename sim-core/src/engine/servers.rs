//! Servers for fixed priorities: polling, deferrable and sporadic. Each has so much processor time for its tasks, which run with
//! its priority while it has some left; without, they stay in the queue of the policy and get no processor.
//!
//! - *polling*: has its budget at every multiple of its period at which there is work, and loses what is left whenever it has
//!   none.
//! - *deferrable* (Strosnider, Lehoczky & Sha 1995): has its whole budget at every multiple of its period, and keeps it until then.
//! - *sporadic* (Sprunt, Sha & Lehoczky 1989): is active while somebody at least as urgent as it runs. What it has used since it
//!   became active, with something left, comes back a period after that; how much that is, is known when it has nothing left, or
//!   is active no more.
//!
//! There is one processor. What is not a task's program (switches) is nobody's budget.

use std::collections::VecDeque;

use super::scene::Scene;
use super::task::State as TaskState;
use super::world::World;
use crate::ids::{CpuId, IdVec, SpecId};
use crate::policy::{Server, ServerKind, Slot, Why};
use crate::scenario::Scenario;
use crate::time::{Span, Time};
use crate::timeline::Recorder;

const CPU: CpuId = CpuId(0);

/// All servers of a scenario.
pub(super) struct Servers {
    /// The server of each task, by its number.
    of: IdVec<SpecId, Option<u32>>,
    all: Vec<State>,
    /// Up to when time on the processor has been counted.
    counted: Time,
}

struct State {
    server: Server,
    /// A task of it, which is as urgent as it.
    spec: SpecId,
    left: Span,
    /// The next multiple of its period.
    next: Time,
    /// Since when a sporadic server is active and has something left, and what it has used since then.
    active: Option<Time>,
    used: Span,
    /// What comes back when.
    due: VecDeque<(Time, Span)>,
}

impl Servers {
    pub(super) fn new(scenario: &Scenario) -> Option<Box<Servers>> {
        let fixed = |server: &Server| server.kind.is_fixed();
        let count = scenario.specs.iter().filter_map(|spec| spec.attributes.server.filter(fixed)?.number).max()? + 1;
        let mut servers = Servers { of: IdVec::new(), all: Vec::new(), counted: Time::ZERO };
        for number in 0..count {
            let its = |(_, spec): &(SpecId, &crate::scenario::Spec)| {
                spec.attributes.server.filter(fixed).is_some_and(|server| server.number == Some(number))
            };
            let Some((spec, first)) = scenario.specs.pairs().find(its) else {
                continue;
            };
            let Some(server) = first.attributes.server else { continue };
            // A polling server has its budget if there is work then.
            let left = if server.kind == ServerKind::Polling { Span::ZERO } else { server.budget };
            let next = Time::ZERO;
            servers.all.push(State { server, spec, left, next, active: None, used: Span::ZERO, due: VecDeque::new() });
        }
        for spec in &scenario.specs {
            let number = spec.attributes.server.filter(fixed).and_then(|server| server.number);
            let place = servers.all.iter().position(|state| state.server.number == number);
            servers.of.push(number.and(place).and_then(|place| u32::try_from(place).ok()));
        }
        Some(Box::new(servers))
    }

    /// Has the server of the task, if it has one, something left?
    pub(super) fn allow(&self, spec: SpecId) -> bool {
        self.of[spec].is_none_or(|server| !self.all[server as usize].left.is_zero())
    }
}

impl State {
    /// So much of it has been used.
    fn uses(&mut self, ran: Span) {
        self.left = self.left.saturating_sub(ran);
        self.used += ran;
    }

    /// What comes back by now.
    fn refill(&mut self, now: Time) {
        if self.server.kind == ServerKind::Sporadic {
            while let Some((_, amount)) = self.due.pop_front_if(|(at, _)| *at <= now) {
                self.left += amount;
            }
            // It has been active for longer than a period: what it has used is there again at once.
            let long = self.active.is_some_and(|since| since + self.server.period <= now);
            if self.left.is_zero() && long {
                (self.left, self.active) = (std::mem::take(&mut self.used), Some(now));
            }
            return;
        }
        let mut last = None;
        while self.next <= now {
            last = Some(self.next);
            self.next += self.server.period;
        }
        // A polling server that was not asked at that time had no work.
        if last.is_some_and(|last| self.server.kind == ServerKind::Deferrable || last == now) {
            self.left = self.server.budget;
        }
    }

    /// The instant has settled: is there work for it, and is somebody at least as urgent running?
    fn notes(&mut self, now: Time, works: bool, active: bool) {
        match self.server.kind {
            ServerKind::Polling if !works => self.left = Span::ZERO,
            ServerKind::Sporadic => {
                let goes_on = active && !self.left.is_zero();
                if let (Some(since), false) = (self.active, goes_on) {
                    if !self.used.is_zero() {
                        // It may have been active for longer than that.
                        self.due.push_back(((since + self.server.period).max(now), self.used));
                    }
                    self.active = None;
                } else if self.active.is_none() && goes_on {
                    (self.active, self.used) = (Some(now), Span::ZERO);
                }
            }
            _ => {}
        }
    }
}

impl Scene<'_> {
    /// The server of the task that runs.
    fn serving(&self) -> Option<u32> {
        let cpu = &self.processors[CPU];
        let spec = self.tasks.get(cpu.task).filter(|_| !cpu.is_idle())?.spec;
        self.servers.as_ref()?.of[spec]
    }
}

impl<R: Recorder> World<'_, R> {
    /// An instant begins: what has run is counted, and what comes back is there.
    #[cold]
    pub(super) fn counts_servers(&mut self) {
        let (serving, now, run_start) = (self.scene.serving(), self.scene.now, self.scene.processors[CPU].run_start);
        let Some(servers) = &mut self.scene.servers else { return };
        let ran = now.since(servers.counted.max(run_start));
        servers.counted = now;
        let before: Vec<bool> = servers.all.iter().map(|state| state.left.is_zero()).collect();
        if let Some(serving) = serving {
            servers.all[serving as usize].uses(ran);
        }
        servers.all.iter_mut().for_each(|state| state.refill(now));
        let again: Vec<bool> =
            servers.all.iter().zip(before).map(|(state, empty)| empty && !state.left.is_zero()).collect();
        if again.contains(&true) {
            let Scene { threads, tasks, servers: Some(servers), .. } = &self.scene else { return };
            let its = |thread: &super::thread::Thread| {
                let server = tasks.get(thread.task).and_then(|task| servers.of[task.spec]);
                server.is_some_and(|server| again[server as usize])
            };
            self.ready.may_run_again(threads, its);
        }
    }

    /// All else that happens has happened: who runs is put off if its server has nothing left.
    #[cold]
    pub(super) fn ends_service(&mut self) {
        let is_out = |servers: &Servers, server: u32| servers.all[server as usize].left.is_zero();
        let stops = self.scene.serving().zip(self.scene.servers.as_deref()).is_some_and(|(at, all)| is_out(all, at));
        if stops && !self.scene.is_shielded(CPU) && !self.closing {
            self.put_off(CPU, Why::Preempted(Slot(0)));
        }
    }

    /// The instant has settled.
    #[cold]
    pub(super) fn servers_note(&mut self) {
        let Some(mut servers) = self.scene.servers.take() else { return };
        let cpu = &self.scene.processors[CPU];
        let runs = (!cpu.is_idle()).then(|| self.urgency_of(&self.standing(cpu.task)).0);
        let mut work = vec![false; servers.all.len()];
        for task in
            self.scene.tasks.iter().filter(|task| matches!(task.state, TaskState::Able | TaskState::Spinning(_)))
        {
            if let Some(server) = servers.of[task.spec] {
                work[server as usize] = true;
            }
        }
        for (state, works) in servers.all.iter_mut().zip(work) {
            let attributes = &self.scene.scenario.specs[state.spec].attributes;
            let own = self.ready.policy().urgency(attributes, Time::NEVER);
            state.notes(self.scene.now, works, runs.is_some_and(|runs| runs >= own));
        }
        self.scene.servers = Some(servers);
    }

    /// When a server makes something happen next.
    #[cold]
    pub(super) fn next_of_servers(&self) -> Time {
        let (serving, now) = (self.scene.serving(), self.scene.now);
        let Some(servers) = &self.scene.servers else { return Time::NEVER };
        let begin = self.scene.processors[CPU].run_start.max(now);
        let runs_out = serving.map_or(Time::NEVER, |server| begin + servers.all[server as usize].left);
        let waits = serving.is_some() || !self.ready.is_empty();
        let comes_back = |state: &State| match state.server.kind {
            ServerKind::Sporadic => state.due.front().map_or(Time::NEVER, |(at, _)| *at),
            _ if waits => state.next,
            _ => Time::NEVER,
        };
        servers.all.iter().map(comes_back).fold(runs_out, Time::min)
    }
}
