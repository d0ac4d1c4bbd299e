//! Can anything still happen? Who waits for whom, as far as the control thread can see it; and child processes that
//! died or stand still.
//!
//! A run is at a standstill if every instance that is not done waits for another, and what it waits for has not been
//! given to it: nobody runs, sleeps, is served by a device, or has yet to arrive. Only instances change what instances
//! wait for, so then nothing ever changes: that is a deadlock however slow the machine is. What a library or an interpreter
//! has given to whom, it does not say: there, every thread must sleep besides.

use std::sync::atomic::{AtomicU32, Ordering};

use sim_core::executor::Threads;
use sim_core::ids::{IdVec, ProcessId, SpecId};

use super::World;
use crate::sys;

/// [`World::waits_for`]: its own word. Larger numbers are spawned tasks whose end it waits for.
const ITS_WORD: u32 = 1;

impl World {
    /// From now on an instance waits for others: for its word to become zero, or for `children`.
    pub(crate) fn waits_for(&self, id: usize, children: Option<SpecId>) {
        let awaits = children.map_or(ITS_WORD, |spec| ITS_WORD + 1 + spec.0);
        self.instances[id].awaits.store(awaits, Ordering::SeqCst);
        self.board().progress.fetch_add(1, Ordering::SeqCst);
    }

    /// Does an instance that runs elsewhere wait for others?
    pub(super) fn awaits_elsewhere(&self, id: usize, waits: bool) {
        self.instances[id].awaits.store(if waits { ITS_WORD } else { 0 }, Ordering::SeqCst);
    }

    /// It goes on.
    pub(crate) fn waits_no_longer(&self, id: usize) {
        self.instances[id].awaits.store(0, Ordering::SeqCst);
        self.board().progress.fetch_add(1, Ordering::SeqCst);
    }

    /// The worker of `below`, which joins others, takes up another instance meanwhile.
    pub(crate) fn takes_up(&self, below: usize, id: usize) {
        self.instances[below].above.store(u32::try_from(id + 1).unwrap_or(0), Ordering::SeqCst);
    }

    /// The instance that its worker has to bring to its end before this one can go on.
    pub(crate) fn above(&self, id: usize) -> Option<usize> {
        let above = (self.instances[id].above.load(Ordering::SeqCst) as usize).checked_sub(1);
        above.filter(|above| !self.is_done(*above))
    }

    /// Does its worker run others while it joins those it spawned?
    fn is_helped(&self, id: usize) -> bool {
        let joins = self.instances[id].awaits.load(Ordering::SeqCst) > ITS_WORD;
        joins && self.scenario.processes[self.process_of(id)].executor.helps
    }

    /// Can nothing ever happen again, as of `now`? The start of the run is `start`.
    pub(crate) fn stands_still(&self, start: u64, now: u64) -> bool {
        let progress = self.board().progress.load(Ordering::SeqCst);
        // If anybody moved meanwhile, some were seen before that and some after it.
        let stuck = self.all_seem_stuck(start, now) && self.all_stand_still_elsewhere();
        stuck && (!self.has_libraries() || self.all_sleep()) && progress == self.board().progress.load(Ordering::SeqCst)
    }

    /// May it be that nothing can ever happen again, and interpreters have only not been still for long enough?
    pub(crate) fn may_stand_still_elsewhere(&self, start: u64, now: u64) -> bool {
        self.plan.interpreters.iter().any(Option::is_some) && self.all_seem_stuck(start, now)
    }

    fn all_seem_stuck(&self, start: u64, now: u64) -> bool {
        let full = self.full_now();
        (0..self.instances().len()).all(|id| self.is_done(id) || self.is_stuck(id, start, now, &full))
    }

    /// Which processes have no worker left for whoever has not begun?
    pub(crate) fn full_now(&self) -> IdVec<ProcessId, bool> {
        self.full_processes(|id| !self.is_done(id))
    }

    /// Do all measured threads sleep, as far as the system says so?
    fn all_sleep(&self) -> bool {
        self.measured_threads().into_iter().all(sys::is_still)
    }

    pub(crate) fn is_done(&self, id: usize) -> bool {
        self.instances[id].finish.load(Ordering::SeqCst) != 0
    }

    pub(crate) fn has_begun(&self, id: usize) -> bool {
        self.instances[id].begun.load(Ordering::SeqCst) != 0
    }

    /// Does it wait for what only other instances can give it?
    fn is_stuck(&self, id: usize, start: u64, now: u64, full: &IdVec<ProcessId, bool>) -> bool {
        if self.has_begun(id) {
            let waits = self.awaited_word(id).is_some_and(|word| word.load(Ordering::SeqCst) != 0)
                && !self.objects.waiter(id).may_leave();
            // Whether the one above it is stuck is asked of that one.
            return waits || self.above(id).is_some();
        }
        let has_arrived = id >= self.fixed() || start + self.offset(id) <= now;
        has_arrived && (!self.may_start(id) || full[self.process_of(id)])
    }

    pub(super) fn awaited_word(&self, id: usize) -> Option<&AtomicU32> {
        match self.instances[id].awaits.load(Ordering::SeqCst) {
            0 => None,
            ITS_WORD => Some(&self.objects.waiter(id).word),
            spec => self.children_of(id, SpecId(spec - ITS_WORD - 1)),
        }
    }

    /// Which processes run tasks to their end and have all their workers taken by such instances?
    pub(crate) fn full_processes(&self, counts: impl Fn(usize) -> bool) -> IdVec<ProcessId, bool> {
        let mut kept: IdVec<ProcessId, u32> =
            self.elsewhere.iter().map(|elsewhere| elsewhere.taken.load(Ordering::SeqCst)).collect();
        for id in (0..self.instances().len()).filter(|id| self.has_begun(*id) && !self.is_helped(*id) && counts(*id)) {
            kept[self.process_of(id)] += 1;
        }
        let is_full = |(process, kept): (ProcessId, &u32)| {
            let executor = &self.scenario.processes[process].executor;
            executor.kind.keeps_thread && executor.own_threads().is_some_and(|threads| *kept >= threads)
        };
        kept.pairs().map(is_full).collect()
    }

    fn process_of(&self, id: usize) -> ProcessId {
        self.scenario.specs[self.identity(id).0].process
    }

    /// An instance has a process of its own.
    pub(crate) fn has_process(&self, id: usize, process: u32) {
        self.instances[id].process.store(process, Ordering::SeqCst);
    }

    /// The process of its own that was started for an instance when it arrived, and not before the run.
    pub(crate) fn process_started_for(&self, id: usize) -> Option<u32> {
        let of = &self.scenario.processes[self.process_of(id)];
        let in_run = of.runtime.cpython().is_some() || self.parent_of(id).is_some();
        let is_own = in_run && of.executor.kind.threads == Threads::ProcessPerTask;
        let process = self.instances[id].process.load(Ordering::SeqCst);
        (is_own && process != 0).then_some(process)
    }

    /// The first of these instances whose process has ended though its task has not.
    pub(crate) fn lost_process(&self, mut ids: impl Iterator<Item = usize>) -> Option<usize> {
        ids.find(|id| self.living_process(*id).is_some_and(sys::is_gone) && !self.is_done(*id))
    }

    /// The first instance whose process a signal has stopped.
    pub(crate) fn stopped_process(&self) -> Option<usize> {
        let stopped = |process| matches!(sys::state_of(process), Some('T' | 't'));
        (0..self.instances().len()).find(|id| self.living_process(*id).is_some_and(stopped))
    }

    /// The process of an instance that is not done.
    fn living_process(&self, id: usize) -> Option<u32> {
        let process = self.instances[id].process.load(Ordering::SeqCst);
        (process != 0 && !self.is_done(id)).then_some(process)
    }
}
