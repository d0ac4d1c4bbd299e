//! The life of an instance: it arrives, waits for those before it, begins, spawns others, finishes.

use std::sync::PoisonError;
use std::sync::atomic::{AtomicU32, Ordering};

use sim_core::ids::SpecId;
use sim_core::rng::Stream;
use sim_core::timeline::Fate;

use super::World;
use crate::play::dispatch::News;
use crate::play::executor;
use crate::sys;

impl World {
    /// Waits for the tasks this one comes after; `false` if the run ended before.
    pub(crate) fn await_predecessors(&self, id: usize) -> bool {
        let (spec, _) = self.identity(id);
        let after = &self.scenario.specs[spec].after;
        let released = after.iter().all(|spec| self.await_zero(&self.crowds[spec.0 as usize].unfinished));
        if released {
            self.note_release(id);
        }
        released
    }

    /// Have the tasks this one comes after finished?
    pub(crate) fn may_start(&self, id: usize) -> bool {
        let (spec, _) = self.identity(id);
        self.may_begin(spec)
    }

    /// Have the tasks finished after which this one starts?
    pub(crate) fn may_begin(&self, spec: SpecId) -> bool {
        let mut after = self.scenario.specs[spec].after.iter();
        after.all(|spec| self.crowds[spec.0 as usize].unfinished.load(Ordering::SeqCst) == 0)
    }

    /// Notes since when it could have started.
    pub(super) fn note_release(&self, id: usize) {
        let (spec, _) = self.identity(id);
        let after = self.scenario.specs[spec].after.iter();
        let last = after.map(|spec| self.crowds[spec.0 as usize].done_at.load(Ordering::SeqCst)).max().unwrap_or(0);
        self.instances[id].released.store(last, Ordering::Relaxed);
    }

    /// An instance arrives at an executor that does not wait for arrivals itself: it is handed over, or kept until
    /// the tasks it comes after have finished.
    pub(crate) fn arrive(&self, id: usize) {
        if self.may_start(id) {
            self.hand_over(id);
        } else {
            self.pending.lock().unwrap_or_else(PoisonError::into_inner).push(id);
        }
    }

    /// Hands over the kept instances whose time has come.
    pub(crate) fn release_pending(&self) {
        let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        let (ready, kept) = pending.drain(..).partition::<Vec<_>, _>(|id| self.may_start(*id));
        *pending = kept;
        drop(pending);
        ready.into_iter().for_each(|id| self.hand_over(id));
    }

    fn hand_over(&self, id: usize) {
        self.note_release(id);
        self.start_instance(id);
    }

    fn start_instance(&self, id: usize) {
        let process = self.scenario.specs[self.identity(id).0].process;
        match self.starters.get().and_then(|starters| starters.get(process.0 as usize)) {
            Some(start) => start(id),
            None => self.refuse(),
        }
    }

    /// Its first operation begins.
    pub(crate) fn begin(&self, id: usize) {
        self.instances[id].begun.store(sys::now(), Ordering::SeqCst);
        self.board().progress.fetch_add(1, Ordering::SeqCst);
    }

    /// It is done, in this way.
    pub(crate) fn finish(&self, id: usize, fate: Fate) {
        let now = sys::now();
        let instance = &self.instances[id];
        instance.fate.store(fate as u32, Ordering::Relaxed);
        instance.finish.store(now, Ordering::SeqCst);
        let (spec, _) = self.identity(id);
        if let Some(parent) = self.parent_of(id).filter(|_| !self.is_disowned(id))
            && let Some(place) = self.place_of_children(parent, spec)
        {
            self.children_done[place].fetch_max(now, Ordering::SeqCst);
            if self.children[place].fetch_sub(1, Ordering::SeqCst) == 1 {
                self.wake(parent, &self.children[place]);
            }
        }
        let crowd = &self.crowds[spec.0 as usize];
        crowd.done_at.fetch_max(now, Ordering::SeqCst);
        if crowd.unfinished.fetch_sub(1, Ordering::SeqCst) == 1 && self.awaited[spec] {
            sys::futex_wake(&crowd.unfinished, i32::MAX);
            self.ring();
        }
        self.board().progress.fetch_add(1, Ordering::SeqCst);
        if self.board().unfinished.fetch_sub(1, Ordering::SeqCst) == 1 {
            self.ring();
        }
    }

    /// Whoever waited for the end of this one waits for it no more, be it that it has come or that `parent` has given up.
    fn is_disowned(&self, id: usize) -> bool {
        self.instances[id].disowned.swap(1, Ordering::SeqCst) == 1
    }

    /// Nobody waits any more for the end of `child`, which `parent` has made.
    pub(crate) fn disowns(&self, parent: usize, spec: SpecId, child: usize) {
        if let Some(place) = self.place_of_children(parent, spec).filter(|_| !self.is_disowned(child)) {
            self.children[place].fetch_sub(1, Ordering::SeqCst);
        }
    }

    /// `parent` has another instance of `spec`, which arrives now. There may be no room for it.
    pub(crate) fn add_child(&self, parent: usize, spec: SpecId) -> Option<usize> {
        let now = sys::now();
        let Some(id) = self.add(spec, u32::try_from(parent + 1).unwrap_or(0)) else {
            self.ring();
            return None;
        };
        self.instances[id].arrival.store(now, Ordering::Relaxed);
        if let Some(counter) = self.children_of(parent, spec) {
            counter.fetch_add(1, Ordering::SeqCst);
        }
        Some(id)
    }

    /// A branch of a task that had to wait for its turn arrives when that comes.
    pub(crate) fn branch_begins(&self, id: usize) {
        self.instances[id].arrival.store(sys::now(), Ordering::Relaxed);
    }

    /// Nobody polls the branch any more. Has it ended with that? Not if it had before, nor if the run has.
    pub(crate) fn is_dropped(&self, id: usize) -> bool {
        let may_be = !self.is_done(id) && self.scenario.may_be_dropped(self.identity(id).0);
        may_be && !self.is_over() && !self.is_late(sys::now())
    }

    /// Of those that `parent` has made, the one of `spec` that has not ended.
    pub(crate) fn unfinished_child(&self, parent: usize, spec: SpecId) -> Option<usize> {
        let is_its = |id: &usize| self.identity(*id).0 == spec && self.parent_of(*id) == Some(parent);
        (self.fixed()..self.instances().len()).filter(is_its).find(|id| !self.is_done(*id))
    }

    /// Has nobody taken the instance?
    pub(crate) fn is_rejected(&self, id: usize) -> bool {
        let instance = &self.instances[id];
        instance.finish.load(Ordering::SeqCst) != 0
            && Fate::numbered(instance.fate.load(Ordering::Relaxed)) == Fate::Rejected
    }

    /// There is no room for the instance: whoever has just called for it runs it.
    pub(crate) fn gives_back(&self, id: usize) {
        self.instances[id].given_back.store(1, Ordering::SeqCst);
    }

    /// Is whoever has just called for the instance to run it?
    pub(crate) fn is_given_back(&self, id: usize) -> bool {
        self.instances[id].given_back.load(Ordering::SeqCst) == 1
    }

    /// The instance, which `parent` has made, starts.
    pub(crate) fn starts_child(&self, parent: usize, id: usize) {
        let (spec, _) = self.identity(id);
        if let Some(dispatch) = &self.dispatch {
            dispatch.tell(id, News::Spawned(parent));
        }
        let process = self.scenario.specs[spec].process;
        if executor::of(&self.scenario.processes[process]).is_some_and(|executor| executor.has_thread_per_task()) {
            self.start_instance(id);
        } else {
            self.arrive(id);
        }
    }

    /// The instance draws from this stream from now on, which was another's.
    pub(crate) fn hands_stream(&self, id: usize, stream: Stream) {
        self.streams.lock().unwrap_or_else(PoisonError::into_inner).insert(id, stream);
    }

    /// The stream that another has handed to the instance.
    pub(crate) fn handed_stream(&self, id: usize) -> Option<Stream> {
        self.streams.lock().unwrap_or_else(PoisonError::into_inner).remove(&id)
    }

    /// How many instances of `spec` that `parent` spawned are unfinished.
    pub(crate) fn children_of(&self, parent: usize, spec: SpecId) -> Option<&AtomicU32> {
        self.place_of_children(parent, spec).map(|place| &self.children[place])
    }

    /// When the last of them finished, if none is left.
    pub(crate) fn children_done_at(&self, parent: usize, spec: SpecId) -> u64 {
        let place = self.place_of_children(parent, spec);
        place.map_or(0, |place| self.children_done[place].load(Ordering::SeqCst))
    }

    fn place_of_children(&self, parent: usize, spec: SpecId) -> Option<usize> {
        Some(parent * self.columns + self.column_of[spec]?)
    }
}
