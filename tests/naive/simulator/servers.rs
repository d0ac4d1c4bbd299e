//! Servers for fixed priorities.
//!
//! Readings of the rules: a budget comes back at the beginning of an instant, and only ticks of work use it. When an instant is over, a
//! polling server of which nobody is ready or runs loses what it has, and it is known whether a sporadic one is active: whether
//! somebody at least as urgent has its processor, be it for a switch, and it has something left.

use super::World;
use crate::naive::case::{FixedServer, ServerKind};

pub(super) struct Budget {
    server: FixedServer,
    left: u64,
    /// Of a sporadic one: since when it is active, what it has used since then, and how much comes back when.
    active: Option<u64>,
    used: u64,
    due: Vec<(u64, u64)>,
}

impl Budget {
    pub(super) fn new(server: &FixedServer) -> Budget {
        Budget { server: *server, left: server.budget, active: None, used: 0, due: Vec::new() }
    }

    fn comes_back(&mut self, now: u64) {
        let Budget { server, left, active, used, due } = self;
        match server.kind {
            ServerKind::Polling | ServerKind::Deferrable if now.is_multiple_of(server.period) => *left = server.budget,
            ServerKind::Polling | ServerKind::Deferrable => {}
            ServerKind::Sporadic => {
                *left += due.extract_if(.., |(at, _)| *at <= now).map(|(_, amount)| amount).sum::<u64>();
                if *left == 0 && active.is_some_and(|since| since + server.period <= now) {
                    (*left, *used, *active) = (*used, 0, Some(now));
                }
            }
        }
    }
}

impl World<'_> {
    fn budget_of(&self, thread: usize) -> Option<usize> {
        self.threads[thread].task.and_then(|task| self.task(task).served)
    }

    pub(super) fn server_has_budget(&self, thread: usize) -> bool {
        self.budget_of(thread).is_none_or(|server| self.budgets[server].left > 0)
    }

    pub(super) fn budgets_come_back(&mut self) {
        let now = self.now;
        self.budgets.iter_mut().for_each(|budget| budget.comes_back(now));
    }

    pub(super) fn uses_budget(&mut self, thread: usize) {
        if let Some(server) = self.budget_of(thread) {
            self.budgets[server].left -= 1;
            self.budgets[server].used += 1;
        }
    }

    /// The instant is over.
    pub(super) fn notes_servers(&mut self) {
        for server in 0..self.budgets.len() {
            let of_it = |thread: &usize| self.budget_of(*thread) == Some(server);
            let works = self.wanting().iter().any(of_it);
            let Some(home) = (0..self.progress.len()).find(|task| self.task(*task).served == Some(server)) else {
                continue;
            };
            let cpu = self.task(home).affinity.as_ref().map_or(0, |affinity| affinity[0]);
            let there = self.processors[cpu].thread.and_then(|thread| self.threads[thread].task);
            let own = self.rank_of_task(home);
            let is_busy = there.is_some_and(|task| self.urgency(task).0 <= own);
            let now = self.now;
            let Budget { server, left, active, used, due } = &mut self.budgets[server];
            match (server.kind, is_busy && *left > 0, *active) {
                (ServerKind::Polling, ..) if !works => *left = 0,
                (ServerKind::Sporadic, false, Some(since)) => {
                    if *used > 0 {
                        due.push(((since + server.period).max(now), *used));
                    }
                    *active = None;
                }
                (ServerKind::Sporadic, true, None) => (*active, *used) = (Some(now), 0),
                _ => {}
            }
        }
    }
}
