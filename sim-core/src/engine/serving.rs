//! What servers for fixed priorities mean for who runs: see [`super::servers`].

use super::scene::Scene;
use super::servers::{Servers, State};
use super::thread::Thread;
use super::world::World;
use crate::ids::{CpuId, ThreadId};
use crate::policy::{ServerKind, Slot, Why};
use crate::time::{Span, Time};
use crate::timeline::Recorder;

impl Scene<'_> {
    /// Has the server of the thread's task, if it has one, something left?
    #[inline]
    pub(super) fn has_server_time(&self, id: ThreadId) -> bool {
        let allows =
            |servers: &Servers| self.tasks.get(self.threads[id].task).is_none_or(|task| servers.allow(task.spec));
        self.servers.as_deref().is_none_or(allows)
    }

    /// The server of the task that runs there.
    fn serving(&self, cpu: CpuId) -> Option<usize> {
        let there = &self.processors[cpu];
        let spec = self.tasks.get(there.task).filter(|_| !there.is_idle())?.spec;
        self.servers.as_ref()?.of[spec].map(|server| server as usize)
    }

    /// A thread has become ready, or is so no more.
    pub(super) fn is_ready(&mut self, thread: ThreadId, came: bool) {
        if let (Some(server), Some(servers)) = (self.server_of(thread), &mut self.servers) {
            let waiting = &mut servers.all[server].waiting;
            *waiting = if came { *waiting + 1 } else { waiting.saturating_sub(1) };
        }
        if let Some(quotas) = &mut self.quotas {
            quotas.is_ready(self.threads[thread].process, came);
        }
    }

    /// The server of the task of a thread.
    fn server_of(&self, thread: ThreadId) -> Option<usize> {
        let spec = self.tasks.get(self.threads[thread].task)?.spec;
        self.servers.as_ref()?.of[spec].map(|server| server as usize)
    }
}

impl<R: Recorder> World<'_, R> {
    /// An instant begins: what has run is counted, and what comes back is there.
    #[cold]
    pub(super) fn counts_servers(&mut self) {
        let Some(mut servers) = self.scene.servers.take() else { return };
        let (now, counted) = (self.scene.now, servers.counted);
        let empty: Vec<bool> = servers.all.iter().map(|state| state.left.is_zero()).collect();
        for cpu in &servers.cpus {
            let there = &self.scene.processors[*cpu];
            let runs = self.scene.tasks.get(there.task).filter(|_| !there.is_idle());
            if let Some(server) = runs.and_then(|task| servers.of[task.spec]) {
                servers.all[server as usize].uses(now.since(counted.max(there.run_start)));
            }
        }
        servers.counted = now;
        servers.all.iter_mut().for_each(|state| state.refill(now));
        let again: Vec<bool> =
            servers.all.iter().zip(empty).map(|(state, empty)| empty && !state.left.is_zero()).collect();
        if again.contains(&true) {
            let Scene { threads, tasks, .. } = &self.scene;
            let its = |thread: &Thread| {
                let server = tasks.get(thread.task).and_then(|task| servers.of[task.spec]);
                server.is_some_and(|server| again[server as usize])
            };
            self.ready.may_run_again(threads, its);
        }
        self.scene.servers = Some(servers);
    }

    /// All else that happens has happened: who runs is put off if its server has nothing left.
    #[cold]
    pub(super) fn ends_service(&mut self) {
        for cpu in self.scene.processors.ids() {
            let has_nothing =
                |server: usize| self.scene.servers.as_ref().is_some_and(|servers| servers.all[server].left.is_zero());
            let stops = self.scene.serving(cpu).is_some_and(has_nothing);
            if stops && !self.scene.is_shielded(cpu) && !self.closing {
                self.put_off(cpu, Why::Preempted(Slot(cpu.0)));
            }
        }
    }

    /// The instant has settled.
    #[cold]
    pub(super) fn servers_note(&mut self) {
        for number in 0..self.scene.servers.as_ref().map_or(0, |servers| servers.all.len()) {
            let Some(servers) = &self.scene.servers else { return };
            let (spec, cpu, waiting) = (servers.all[number].spec, servers.all[number].cpu, servers.all[number].waiting);
            let there = &self.scene.processors[cpu];
            let runs = (!there.is_idle()).then(|| self.urgency_of(&self.standing(there.task)).0);
            let own = self.ready.policy().urgency(&self.scene.scenario.specs[spec].attributes, Time::NEVER);
            let works = waiting > 0 || self.scene.serving(cpu) == Some(number);
            let now = self.scene.now;
            if let Some(servers) = &mut self.scene.servers {
                servers.all[number].notes(now, works, runs.is_some_and(|runs| runs >= own));
            }
        }
    }

    /// When a server makes something happen next.
    #[cold]
    pub(super) fn next_of_servers(&self) -> Time {
        let Some(servers) = &self.scene.servers else { return Time::NEVER };
        let left = |cpu: CpuId| -> Option<(CpuId, Span)> {
            let server = self.scene.serving(cpu)?;
            Some((cpu, servers.all[server].left))
        };
        let served = || servers.cpus.iter().filter_map(|cpu| left(*cpu));
        let runs_out = |(cpu, left): (CpuId, Span)| self.scene.processors[cpu].run_start.max(self.scene.now) + left;
        let waits = served().next().is_some() || !self.ready.is_empty();
        let comes_back = |state: &State| match state.server.kind {
            ServerKind::Sporadic => state.due.front().map_or(Time::NEVER, |(at, _)| *at),
            _ if waits => state.next,
            _ => Time::NEVER,
        };
        served().map(runs_out).chain(servers.all.iter().map(comes_back)).min().unwrap_or(Time::NEVER)
    }
}
