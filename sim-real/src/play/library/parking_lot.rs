//! The crate `parking_lot`.

use std::any::Any;
use std::time::Duration;

use parking_lot::{Condvar, Mutex, MutexGuard, RwLock, RwLockReadGuard, RwLockWriteGuard};
use sim_core::scenario::{SyncKind, SyncOp};

use super::{ForThreads, Had, Held, Library, Object, Patience};

/// See the module.
pub(super) const LIBRARY: Library = Library { name: "parking-lot", make };

fn make(kind: SyncKind) -> Option<Object> {
    Some(match kind {
        SyncKind::Mutex => Object::for_threads("parking_lot::Mutex", Mutex::new(())),
        SyncKind::RwLock { .. } => Object::for_threads("parking_lot::RwLock", RwLock::new(())),
        SyncKind::Condvar => Object::for_threads("parking_lot::Condvar", Condvar::new()),
        SyncKind::Semaphore { .. } | SyncKind::Channel { .. } | SyncKind::Barrier { .. } => return None,
    })
}

impl Held for MutexGuard<'_, ()> {
    fn wait(&mut self, condvar: &(dyn ForThreads + 'static), rest: Option<Duration>) -> bool {
        let Some(condvar) = (condvar as &dyn Any).downcast_ref::<Condvar>() else { return false };
        match rest {
            None => {
                condvar.wait(self);
                false
            }
            Some(rest) => condvar.wait_for(self, rest).timed_out(),
        }
    }
}

impl Held for RwLockReadGuard<'_, ()> {}
impl Held for RwLockWriteGuard<'_, ()> {}

impl ForThreads for Mutex<()> {
    fn at_once(&self, _: SyncOp) -> Option<Had<'_>> {
        Some(Box::new(self.try_lock()?))
    }

    fn in_time(&self, _: SyncOp) -> Had<'_> {
        Box::new(self.lock())
    }

    fn patience(&self, _: SyncOp) -> Patience {
        Patience::Limited
    }

    fn within(&self, _: SyncOp, rest: Duration) -> Option<Had<'_>> {
        Some(Box::new(self.try_lock_for(rest)?))
    }
}

impl ForThreads for RwLock<()> {
    fn at_once(&self, op: SyncOp) -> Option<Had<'_>> {
        if let SyncOp::Read(_) = op { Some(Box::new(self.try_read()?)) } else { Some(Box::new(self.try_write()?)) }
    }

    fn in_time(&self, op: SyncOp) -> Had<'_> {
        if let SyncOp::Read(_) = op { Box::new(self.read()) } else { Box::new(self.write()) }
    }

    fn patience(&self, _: SyncOp) -> Patience {
        Patience::Limited
    }

    fn within(&self, op: SyncOp, rest: Duration) -> Option<Had<'_>> {
        if let SyncOp::Read(_) = op {
            Some(Box::new(self.try_read_for(rest)?))
        } else {
            Some(Box::new(self.try_write_for(rest)?))
        }
    }
}

impl ForThreads for Condvar {
    /// Who waits here does so with a lock.
    fn at_once(&self, _: SyncOp) -> Option<Had<'_>> {
        None
    }

    fn in_time(&self, _: SyncOp) -> Had<'_> {
        Box::new(())
    }

    fn patience(&self, _: SyncOp) -> Patience {
        Patience::Limited
    }

    fn lets_go(&self, op: SyncOp) {
        _ = if let SyncOp::NotifyAll(_) = op { self.notify_all() > 0 } else { self.notify_one() };
    }
}
