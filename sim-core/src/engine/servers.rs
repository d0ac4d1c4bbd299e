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
//! A server is at home on one processor, to which all its tasks are bound. What is not a task's program (switches) is nobody's budget.

use std::collections::VecDeque;

use crate::ids::{CpuId, IdVec, SpecId};
use crate::policy::{Server, ServerKind};
use crate::scenario::{Scenario, Spec};
use crate::time::{Span, Time};

/// All servers of a scenario.
pub(super) struct Servers {
    /// The server of each task, by its number.
    pub(super) of: IdVec<SpecId, Option<u32>>,
    pub(super) all: Vec<State>,
    /// The processors on which they are.
    pub(super) cpus: Vec<CpuId>,
    /// Up to when time on the processor has been counted.
    pub(super) counted: Time,
}

pub(super) struct State {
    pub(super) server: Server,
    /// A task of it, which is as urgent as it.
    pub(super) spec: SpecId,
    /// Where its tasks run.
    pub(super) cpu: CpuId,
    /// How many of its tasks are ready.
    pub(super) waiting: u32,
    pub(super) left: Span,
    /// The next multiple of its period.
    pub(super) next: Time,
    /// Since when a sporadic server is active and has something left, and what it has used since then.
    active: Option<Time>,
    used: Span,
    /// What comes back when.
    pub(super) due: VecDeque<(Time, Span)>,
}

impl Servers {
    /// Does the scenario have any?
    pub(super) fn are_in(scenario: &Scenario) -> bool {
        scenario.specs.iter().any(|spec| fixed(spec).is_some())
    }

    pub(super) fn new(scenario: &Scenario) -> Option<Box<Servers>> {
        if !Servers::are_in(scenario) {
            return None;
        }
        let mut servers = Servers { of: IdVec::new(), all: Vec::new(), cpus: Vec::new(), counted: Time::ZERO };
        for (id, spec) in scenario.specs.pairs() {
            let place = fixed(spec).map(|server| {
                let known = servers.all.iter().position(|state| state.server.number == server.number);
                known.unwrap_or_else(|| {
                    let mut cpus = scenario.machine.processors.ids().filter(|cpu| spec.attributes.allows(*cpu));
                    servers.all.push(State::new(server, id, cpus.next().unwrap_or(CpuId(0))));
                    servers.all.len() - 1
                })
            });
            servers.of.push(place.and_then(|place| u32::try_from(place).ok()));
        }
        servers.cpus = servers.all.iter().map(|state| state.cpu).collect();
        servers.cpus.sort_unstable();
        servers.cpus.dedup();
        Some(Box::new(servers))
    }

    /// Has the server of the task, if it has one, something left?
    pub(super) fn allow(&self, spec: SpecId) -> bool {
        self.of[spec].is_none_or(|server| !self.all[server as usize].left.is_zero())
    }
}

/// The server of a task, if it is one for fixed priorities.
fn fixed(spec: &Spec) -> Option<Server> {
    spec.attributes.server.filter(|server| server.kind.is_fixed() && server.number.is_some())
}

impl State {
    fn new(server: Server, spec: SpecId, cpu: CpuId) -> State {
        // A polling server has its budget if there is work then.
        let left = if server.kind == ServerKind::Polling { Span::ZERO } else { server.budget };
        let (next, active, used, due) = (Time::ZERO, None, Span::ZERO, VecDeque::new());
        State { server, spec, cpu, waiting: 0, left, next, active, used, due }
    }

    /// So much of it has been used.
    pub(super) fn uses(&mut self, ran: Span) {
        self.left = self.left.saturating_sub(ran);
        self.used += ran;
    }

    /// What comes back by now.
    pub(super) fn refill(&mut self, now: Time) {
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
    pub(super) fn notes(&mut self, now: Time, works: bool, active: bool) {
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
