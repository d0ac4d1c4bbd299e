//! Those who spin for ever: when nothing else goes on any more, and nothing else will, they never have what they spin for.

use super::task::State;
use super::thread::ThreadState;
use super::world::World;
use crate::ids::{SyncId, TaskId};
use crate::scenario::SyncObject;
use crate::time::Time;
use crate::timeline::Recorder;

/// A policy may let those who spin have so many turns before it lets somebody else have one.
const TURNS: u32 = 100_000;
/// So many are named.
const SHOWN: usize = 5;

impl<R: Recorder> World<'_, R> {
    /// Do all who run spin for ever, with nothing to come but their slices, until `next`; and have they for so long that nobody
    /// else will run?
    #[cold]
    pub(super) fn spins_in_vain(&mut self, next: Time) -> bool {
        let busy = || self.scene.processors.ids().map(|cpu| &self.scene.processors[cpu]).filter(|cpu| !cpu.is_idle());
        let spins = |task: TaskId| self.spins_for(task).is_some();
        // Somebody who gives up, or whose job ends at its deadline, may give back what they spin for.
        let nothing_comes = self.agenda.next().is_never() && (!self.gives_up || self.next_left().is_never());
        if nothing_comes && busy().next().is_none() {
            // A group has used up its quota, or a server its budget: they spin on when there is more of it.
            return false;
        }
        let alone = nothing_comes && busy().all(|cpu| spins(cpu.task));
        self.vain = if alone { self.vain + 1 } else { 0 };
        // Nobody is left who could do anything else: not to be asked at each of a million slices.
        let hopeless = || self.vain.is_power_of_two() && !self.scene.tasks.iter().any(|task| task.state == State::Able);
        let stands_still = next.since(self.scene.now).ns() >= SyncObject::FOREVER.ns() / 2;
        alone && (stands_still || self.vain > self.turns() || hopeless())
    }

    /// How many turns those who spin may have in a row until it is certain that nobody else has one: as urgent ones take turns.
    fn turns(&self) -> u32 {
        let threads = u32::try_from(self.scene.threads.len()).unwrap_or(TURNS);
        if self.ready.traits().lasting { threads.saturating_mul(4).saturating_add(16).min(TURNS) } else { TURNS }
    }

    /// The lock for which it spins until it has it.
    fn spins_for(&self, task: TaskId) -> Option<SyncId> {
        match self.scene.tasks[task].state {
            State::Spinning(lock) if self.scene.scenario.syncs[lock].spins_forever() => Some(lock),
            _ => None,
        }
    }

    /// Who spins for what, and why they never have it.
    #[cold]
    pub(super) fn explain_spinning(&self) -> String {
        let spinning: Vec<(TaskId, SyncId)> =
            self.scene.tasks.ids().filter_map(|task| Some((task, self.spins_for(task)?))).collect();
        let told = spinning.iter().take(SHOWN).map(|(task, lock)| {
            let name = &self.scene.scenario.syncs[*lock].name;
            let since = self.scene.tasks[*task].since.readable();
            format!("{} spins since {since} for lock `{name}`, {}", self.name(*task), self.keeps(*lock))
        });
        let more = match spinning.len().saturating_sub(SHOWN) {
            0 => String::new(),
            more => format!("; and {more} more"),
        };
        let who = told.collect::<Vec<_>>().join("; ");
        format!("livelock: nobody runs any more but those who spin, and they do so for ever: {who}{more}")
    }

    /// Why who has the lock does not give it back.
    fn keeps(&self, lock: SyncId) -> String {
        let Some(holder) = self.syncs[lock].holders.first().map(|holder| holder.task) else {
            return "which is free".into();
        };
        let name = self.name(holder);
        match self.scene.tasks[holder].state {
            State::Finished => format!("with which {name} has ended"),
            State::Spinning(_) => format!("held by {name}, which spins itself"),
            State::Blocked(_) => format!("held by {name}, which waits itself"),
            State::Able | State::Absent => self.keeps_unserved(holder),
        }
    }

    /// Why a holder that could go on does not.
    fn keeps_unserved(&self, holder: TaskId) -> String {
        let name = self.name(holder);
        let thread = self.scene.threads.get(self.scene.tasks[holder].thread);
        match thread.map(|thread| thread.state) {
            Some(ThreadState::Ready | ThreadState::Starting) => {
                format!("held by {name}, which is ready and gets no processor")
            }
            _ => format!("held by {name}, which is ready and gets no thread of its process: who spins keeps it"),
        }
    }
}
