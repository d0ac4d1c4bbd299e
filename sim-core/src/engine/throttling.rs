//! Groups whose quota is used up: their threads are put off at that instant, and get no processor before they have
//! something again.
//!
//! They stay in the queue of the policy, which has seen a preemption, and where each keeps its place; but none of them may
//! use a processor. What has begun by then is over: a burst that ends at that instant has ended, and an operation that costs
//! something is done before.

use super::quotas::Quotas;
use super::scene::Scene;
use super::world::World;
use crate::ids::{CpuId, GroupId, ThreadId};
use crate::policy::{Floor as _, Slot, Who, Why};
use crate::time::Time;
use crate::timeline::{Recorder, Throttle};

impl<R: Recorder> World<'_, R> {
    /// An instant begins: what has run is counted, and new periods begin.
    #[cold]
    pub(super) fn counts_quotas(&mut self) {
        let Scene { now, quotas, processors, threads, .. } = &mut self.scene;
        let Some(quotas) = quotas else { return };
        quotas.count(*now, processors, threads);
        let places = quotas.refill(*now);
        if !places.is_empty() {
            self.ready.may_run_again(threads, |thread| quotas.is_in(thread.process, &places));
        }
    }

    /// All else that happens has happened: those are put off whose group has nothing left.
    #[cold]
    pub(super) fn throttles(&mut self) {
        if let Scene { now, quotas: Some(quotas), processors, threads, .. } = &mut self.scene {
            quotas.divide(*now, processors, threads);
        }
        for cpu in self.scene.processors.ids() {
            if self.must_stop(cpu) && !self.keeps_its_place(cpu) {
                self.put_off(cpu, Why::Preempted(Slot(cpu.0)));
            }
        }
        let Scene { now, quotas, processors, threads, .. } = &mut self.scene;
        let Some(quotas) = quotas else { return };
        let recorder = &mut *self.recorder;
        quotas.note(*now, processors, threads, |group, cpu, start| {
            if start < *now {
                recorder.throttle(Throttle { group, cpu, start, end: *now });
            }
        });
    }

    /// The instant has settled: it is told how many processors stood still up to now, and noted how many do from now on.
    pub(super) fn quotas_note(&mut self) {
        let Scene { now, quotas, .. } = &mut self.scene;
        let Some(quotas) = quotas else { return };
        let recorder = &mut *self.recorder;
        quotas.note_still(*now, |still| recorder.still(still));
    }

    fn must_stop(&self, cpu: CpuId) -> bool {
        let there = &self.scene.processors[cpu];
        let stops = |quotas: &Quotas| quotas.stop(self.scene.threads[there.thread()].process, cpu, self.scene.now);
        !there.is_idle() && self.scene.quotas.as_deref().is_some_and(stops)
    }

    /// When a quota makes something happen next.
    #[cold]
    pub(super) fn next_of_quotas(&self) -> Time {
        let Scene { now, quotas, processors, threads, .. } = &self.scene;
        let waits = !self.ready.is_empty();
        quotas.as_ref().map_or(Time::NEVER, |quotas| quotas.next(*now, waits, processors, threads))
    }

    /// How many are ready and may run somewhere.
    pub(super) fn count_able(&self) -> usize {
        match self.ready.members() {
            Some(ready) if self.scene.has_budgets => {
                ready.iter().filter(|thread| self.may_run_somewhere(**thread)).count()
            }
            _ => self.ready.waiting(),
        }
    }

    /// Is there a processor on which no quota keeps the thread from running now, and has its server something left?
    pub(super) fn may_run_somewhere(&self, id: ThreadId) -> bool {
        !self.scene.stands_still(Who(id.0)) && self.scene.has_server_time(id)
    }

    /// The run is over: groups that stand still are told.
    pub(super) fn tell_standing(&mut self) {
        let Scene { now, quotas, .. } = &mut self.scene;
        let Some(quotas) = quotas else { return };
        let recorder = &mut *self.recorder;
        quotas.tell_still(*now, |still| recorder.still(still));
        quotas.tell_open(|group: GroupId, cpu, start| {
            if start < *now {
                recorder.throttle(Throttle { group, cpu, start, end: *now });
            }
        });
    }
}
