//! Taking and giving back the locks of libraries, by threads and by async tasks.
//!
//! What stands in the log has happened by then: a lock is had after it was taken, and given back before it is.

use std::sync::atomic::Ordering;

use sim_core::ids::SyncId;
use sim_core::scenario::SyncOp;

use super::{Awaited, Walk};
use crate::play::library::{Guard, Lock};
use crate::record::event::{Asked, Held, Hold};
use crate::sys;

/// The locks that a thread has.
#[derive(Default)]
pub(super) struct Guards<'w>(Vec<(SyncId, Guard<'w>)>);

/// Those that an async task has, which goes from thread to thread.
#[derive(Default)]
pub(super) struct TaskGuards<'w>(Vec<(SyncId, tokio::sync::MutexGuard<'w, ()>)>);

impl<'w> Guards<'w> {
    /// Takes a lock, if need be after a while.
    pub(super) fn take(&mut self, walk: &mut Walk<'w>, lock: SyncId) {
        let Some(library) = walk.library(lock) else { return };
        let guard = library.try_take();
        walk.asks_library(lock, guard.is_some());
        let guard = guard.unwrap_or_else(|| {
            let guard = library.take();
            walk.has_it_from_library();
            guard
        });
        self.0.push((lock, guard));
    }

    pub(super) fn give(&mut self, walk: &mut Walk<'w>, lock: SyncId) {
        if let Some(place) = self.0.iter().rposition(|(held, _)| *held == lock) {
            walk.has_given_back(lock, sys::now());
            self.0.remove(place).1.give();
        }
    }
}

impl<'w> TaskGuards<'w> {
    pub(super) async fn take(&mut self, walk: &mut Walk<'w>, lock: SyncId) {
        let Some(library) = walk.library(lock).and_then(Lock::for_tasks) else { return };
        let guard = library.try_lock().ok();
        walk.asks_library(lock, guard.is_some());
        let guard = match guard {
            Some(guard) => guard,
            None => {
                let guard = library.lock().await;
                walk.has_it_from_library();
                guard
            }
        };
        self.0.push((lock, guard));
    }

    pub(super) fn give(&mut self, walk: &mut Walk<'w>, lock: SyncId) {
        if let Some(place) = self.0.iter().rposition(|(held, _)| *held == lock) {
            walk.has_given_back(lock, sys::now());
            drop(self.0.remove(place));
        }
    }
}

impl<'w> Walk<'w> {
    fn library(&self, lock: SyncId) -> Option<&'w Lock> {
        self.world.libraries[lock].as_ref()
    }

    /// A lock was asked for; if it was not had at once, the instance waits for it from now on.
    fn asks_library(&mut self, lock: SyncId, had: bool) {
        let now = sys::now();
        let asked = Asked { sync: lock, at: now, had: had.then_some(now) };
        let place = self.write(Hold { what: Held::Alone, asked, given_back: None });
        self.held.push((lock, place));
        if !had {
            self.open.push(place.asked());
            self.world.objects.waiter(self.id).word.store(1, Ordering::SeqCst);
            self.waits(Awaited::Turn(SyncOp::Lock(lock)));
        }
    }

    /// The lock that it waited for is its.
    fn has_it_from_library(&mut self) {
        self.world.objects.waiter(self.id).word.store(0, Ordering::SeqCst);
        self.world.waits_no_longer(self.id);
        self.has_what_it_asked_for(sys::now());
    }
}
