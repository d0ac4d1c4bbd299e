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

use crate::ids::{IdVec, SpecId};
use crate::policy::{Server, ServerKind};
use crate::scenario::Scenario;
use crate::time::{Span, Time};

/// All servers of a scenario.
pub(super) struct Servers {
    /// The server of each task, by its number.
    pub(super) of: IdVec<SpecId, Option<u32>>,
    pub(super) all: Vec<State>,
    /// Up to when time on the processor has been counted.
    pub(super) counted: Time,
}

pub(super) struct State {
    pub(super) server: Server,
    /// A task of it, which is as urgent as it.
    pub(super) spec: SpecId,
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
