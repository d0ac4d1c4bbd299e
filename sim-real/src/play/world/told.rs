//! Instances that run where this world is out of reach, in an interpreter: it is told what they do.

use std::sync::PoisonError;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use sim_core::ids::{ProcessId, SpecId};

use super::World;
use crate::record::recorder::Started;

/// What is known of an instance that runs elsewhere; times are 0 as long as they have not come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Told {
    /// When its first operation began.
    pub(crate) begun: u64,
    /// When it finished.
    pub(crate) finish: u64,
    /// Does it wait for others?
    pub(crate) waits: bool,
    /// When those had finished that it comes after.
    pub(crate) released: u64,
}

/// What is known of a process that runs elsewhere.
#[derive(Default)]
pub(super) struct Elsewhere {
    /// For how long nobody there has moved.
    still: AtomicU64,
    /// So many of its workers are taken by instances that are not in the table yet.
    pub(super) taken: AtomicU32,
}

impl World {
    /// How an instance is that runs elsewhere.
    pub(crate) fn is_told(&self, id: usize, told: Told) {
        let instance = &self.instances[id];
        if told.finish != 0 && instance.finish.load(Ordering::SeqCst) == 0 {
            let crowd = &self.crowds[self.identity(id).0.0 as usize];
            crowd.unfinished.fetch_sub(1, Ordering::SeqCst);
        }
        instance.begun.store(told.begun, Ordering::SeqCst);
        instance.finish.store(told.finish, Ordering::SeqCst);
        instance.released.store(told.released, Ordering::SeqCst);
        self.objects.waiter(id).word.store(u32::from(told.waits), Ordering::SeqCst);
        self.awaits_elsewhere(id, told.waits);
    }

    /// For so long nobody in that process has moved, and all waited for each other, asleep.
    pub(crate) fn stands_still_elsewhere(&self, process: ProcessId, time: u64) {
        self.elsewhere[process].still.store(time, Ordering::SeqCst);
    }

    /// So many instances that are not in the table yet have begun in that process and not ended.
    pub(crate) fn are_taken_elsewhere(&self, process: ProcessId, workers: u32) {
        self.elsewhere[process].taken.store(workers, Ordering::SeqCst);
    }

    /// Have all those who run elsewhere stood still for so long that nobody will ever move?
    pub(super) fn all_stand_still_elsewhere(&self) -> bool {
        /// Who has been told to go on is on a processor before that, or wants one.
        const LONG: u64 = 100_000_000;
        // A pool is in the interpreter of its process.
        let is_one = |process: ProcessId| {
            self.plan.interpreters[process].is_some() && self.scenario.processes[process].part.is_none()
        };
        let stillness = self.elsewhere.pairs().filter(|(process, _)| is_one(*process));
        stillness.map(|(_, elsewhere)| &elsewhere.still).all(|time| time.load(Ordering::SeqCst) >= LONG)
    }

    /// So many processes have been started elsewhere in the run, which took so much processor time of who did it.
    pub(crate) fn has_started_processes(&self, time: u64, started: u64) {
        self.board().starting.fetch_add(time, Ordering::SeqCst);
        self.board().started.fetch_add(started, Ordering::SeqCst);
    }

    /// Who started the process of an instance, and when.
    pub(crate) fn was_started(&self, id: usize, started: Started) {
        self.started.lock().unwrap_or_else(PoisonError::into_inner).insert(id, started);
    }

    /// Who started the process of an instance in the run, if that is known.
    pub(crate) fn started(&self, id: usize) -> Option<Started> {
        self.started.lock().unwrap_or_else(PoisonError::into_inner).get(&id).copied()
    }

    /// Something has happened elsewhere.
    pub(crate) fn has_moved(&self) {
        self.board().progress.fetch_add(1, Ordering::SeqCst);
    }

    /// An instance that `parent` has spawned elsewhere.
    pub(crate) fn adopt(&self, parent: usize, spec: SpecId, arrival: u64) -> Option<usize> {
        let id = self.add(spec, u32::try_from(parent + 1).unwrap_or(0))?;
        self.instances[id].arrival.store(arrival, Ordering::Relaxed);
        Some(id)
    }

    /// So many instances have come to their end elsewhere, as was told: nothing is expected of them any more.
    pub(crate) fn all_have_finished(&self, instances: u32) {
        self.board().unfinished.fetch_sub(instances, Ordering::SeqCst);
        self.ring();
    }
}
