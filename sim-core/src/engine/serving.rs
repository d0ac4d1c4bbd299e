//! What servers for fixed priorities mean for who runs: see [`super::servers`].

use super::scene::Scene;
use super::servers::{Servers, State};
use super::task::State as TaskState;
use super::world::World;
use crate::ids::CpuId;
use crate::policy::{ServerKind, Slot, Why};
use crate::time::Time;
use crate::timeline::Recorder;

const CPU: CpuId = CpuId(0);

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
