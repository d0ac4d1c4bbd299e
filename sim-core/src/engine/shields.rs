//! Those who are not preempted: who holds a lock whose `protocol` is `"non-preemptive"` keeps its processor, whatever the policy
//! says, until it gives the lock back or blocks. A slice that ends meanwhile ends then.

use std::collections::BTreeMap;

use super::scene::Scene;
use super::world::World;
use crate::ids::{CpuId, TaskId};
use crate::time::Time;
use crate::timeline::Recorder;

/// Who holds such locks.
#[derive(Default)]
pub(super) struct Shields {
    holders: BTreeMap<TaskId, Shield>,
    /// Is the policy being asked whom somebody displaces? Then it sees that those cannot be.
    pub(super) are_up: bool,
}

#[derive(Default)]
struct Shield {
    /// How many such locks it has.
    locks: u32,
    /// Where, and in the turn that began when, its slice has ended.
    overdue: Option<(CpuId, Time)>,
}

impl Shields {
    /// Does nobody hold such a lock?
    #[inline]
    pub(super) fn are_none(&self) -> bool {
        self.holders.is_empty()
    }

    /// The task has one more.
    pub(super) fn gets(&mut self, task: TaskId) {
        self.holders.entry(task).or_default().locks += 1;
    }
}

impl Scene<'_> {
    /// Does the task on the processor hold such a lock?
    pub(super) fn is_shielded(&self, id: CpuId) -> bool {
        let cpu = &self.processors[id];
        !cpu.is_idle() && self.shields.holders.contains_key(&cpu.task)
    }
}

impl<R: Recorder> World<'_, R> {
    /// The task has given such a lock back: if it was the last, whoever waited for that may take its processor.
    #[cold]
    pub(super) fn may_be_preempted(&mut self, id: TaskId) {
        let Some(shield) = self.scene.shields.holders.get_mut(&id) else { return };
        shield.locks -= 1;
        if shield.locks > 0 {
            return;
        }
        let overdue = shield.overdue;
        self.scene.shields.holders.remove(&id);
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
            if let Some(shield) = self.scene.shields.holders.get_mut(&task) {
                shield.overdue = Some((cpu, since));
            }
            self.scene.processors.set_end_of_slice(cpu, Time::NEVER);
        }
        shielded
    }
}
