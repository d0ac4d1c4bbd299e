//! What operations cost that take no time of their own: overhead on the processor before they have their effect, in which
//! nobody takes the processor.
//!
//! Between two operations of a task all others have their chance: whom the first has woken may displace the task before it
//! begins the second, as a real wake-up preempts between an unlock and the next lock.

use super::costs::of_parent;
use super::world::World;
use crate::distribution::Distribution;
use crate::ids::{CpuId, TaskId};
use crate::program::Step;
use crate::time::Time;
use crate::timeline::{Left, Recorder};

impl<'a, R: Recorder> World<'a, R> {
    /// The operation that the task has come to and has not done yet.
    #[cold]
    pub(super) fn is_about_to(&self, id: TaskId) -> Option<Step> {
        self.costs.as_ref()?.is_about_to(id)
    }

    /// The task on the processor has come to this. Does it have its effect now? If not, the task has not been asked what else
    /// it does, and its burst ends when it has paid.
    #[cold]
    pub(super) fn is_paid_for(&mut self, cpu: CpuId, step: Step) -> bool {
        if !step.is_instant() {
            return true;
        }
        let (id, thread) = (self.scene.processors[cpu].task, self.scene.processors[cpu].thread());
        let besides = self.cost_of_start(step);
        let left = self.costs.as_mut().and_then(|costs| costs.of_operation(id, thread, step, besides));
        match left {
            None => self.ready.ask_again(),
            Some(cost) if cost.is_zero() => {}
            Some(cost) => self.spends_overhead(cpu, self.scene.now + cost, besides.is_some()),
        }
        left.is_none()
    }

    /// What it takes to start a process, for who does so.
    fn cost_of_start(&self, step: Step) -> Option<&'a Distribution> {
        let (Step::Spawn(spec), Some(costs)) = (step, &self.scene.scenario.machine.costs) else { return None };
        of_parent(costs, &self.scene.scenario.processes[self.scene.scenario.specs[spec].process])
    }

    /// The task on the processor runs for itself again from then on. `starts`: it starts a process until then.
    fn spends_overhead(&mut self, cpu_id: CpuId, end: Time, starts: bool) {
        let now = self.scene.now;
        if self.scene.processors[cpu_id].run_start < now {
            self.tell_stretch(cpu_id, Left::Continues);
            self.scene.processors[cpu_id].switch_start = now;
        } else if starts {
            self.scene.processors[cpu_id].tell_switch(now, cpu_id, self.recorder);
            self.scene.processors[cpu_id].switch_start = now;
        }
        let cpu = &mut self.scene.processors[cpu_id];
        (cpu.run_start, cpu.worked_until, cpu.starts_process) = (end, end, starts);
        self.scene.processors.is_at_operation(cpu_id, end);
    }

    /// The task on the processor has started a process: it is told what that took, if it took anything.
    pub(super) fn has_started_one(&mut self, cpu_id: CpuId) {
        let now = self.scene.now;
        let cpu = &mut self.scene.processors[cpu_id];
        if cpu.starts_process {
            cpu.tell_switch(now, cpu_id, self.recorder);
            (cpu.switch_start, cpu.starts_process) = (now, false);
        }
    }

    /// Nobody takes the place of the thread on the processor now: it is at an operation, which is not over.
    pub(super) fn keeps_its_place(&self, cpu: CpuId) -> bool {
        self.scene.processors[cpu].at_operation > self.scene.now
    }
}
