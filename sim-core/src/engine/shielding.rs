//! Who holds a lock whose `protocol` is `"non-preemptive"` keeps its processor, whatever the policy says: see [`super::shields`].

use super::scene::Scene;
use super::world::World;
use crate::ids::{CpuId, TaskId};
use crate::time::Time;
use crate::timeline::Recorder;

impl Scene<'_> {
    /// Does the task on the processor hold such a lock?
    pub(super) fn is_shielded(&self, id: CpuId) -> bool {
        let cpu = &self.processors[id];
        !cpu.is_idle() && self.shields.has(cpu.task)
    }
}

impl<R: Recorder> World<'_, R> {
    /// The task has given such a lock back: if it was the last, whoever waited for that may take its processor.
    #[cold]
    pub(super) fn may_be_preempted(&mut self, id: TaskId) {
        let Some(overdue) = self.scene.shields.gives_back(id) else { return };
        if let Some((cpu, since)) = overdue {
            let there = &self.scene.processors[cpu];
            if !there.is_idle() && there.task == id && there.turn_start == since {
                self.scene.processors.set_end_of_slice(cpu, self.scene.now);
            }
        }
        if self.ready.traits().preemptive {
            self.ready.all_are_fresh(&self.scene.threads);
        }
    }

    /// The slice of the thread on the processor ends now. Does it go on, since it is not to be preempted?
    #[cold]
    pub(super) fn outlasts_slice(&mut self, cpu: CpuId) -> bool {
        let shielded = self.scene.is_shielded(cpu);
        if shielded {
            let there = &self.scene.processors[cpu];
            let (task, since) = (there.task, there.turn_start);
            self.scene.shields.outlasts(task, (cpu, since));
            self.scene.processors.set_end_of_slice(cpu, Time::NEVER);
        }
        shielded
    }
}
