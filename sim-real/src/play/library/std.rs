//! `std::sync`.

use std::any::Any;
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::sync::{
    Barrier, Condvar, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard, TryLockError,
};
use std::time::Duration;

use sim_core::scenario::{SyncKind, SyncOp};

use super::{ForThreads, Had, Held, Library, Object, Patience, UNBOUNDED};

/// See the module.
pub(super) const LIBRARY: Library = Library { name: "std", make };

#[expect(clippy::disallowed_methods, reason = "whoever asks for std's channel is given it")]
fn make(kind: SyncKind) -> Option<Object> {
    Some(match kind {
        SyncKind::Mutex => Object::for_threads("std::sync::Mutex", Mutex::new(())),
        SyncKind::RwLock { .. } => Object::for_threads("std::sync::RwLock", RwLock::new(())),
        SyncKind::Condvar => Object::for_threads("std::sync::Condvar", Condvar::new()),
        SyncKind::Barrier { parties } => Object::for_threads("std::sync::Barrier", Barrier::new(parties as usize)),
        SyncKind::Channel { capacity: UNBOUNDED.. } => {
            let (sender, receiver) = channel();
            Object::for_threads("std::sync::mpsc::channel", Channel(sender, Mutex::new(receiver))).with_one_receiver()
        }
        SyncKind::Channel { capacity } => {
            let (sender, receiver) = sync_channel(capacity as usize);
            let channel = Channel(sender, Mutex::new(receiver));
            Object::for_threads("std::sync::mpsc::sync_channel", channel).with_one_receiver()
        }
        SyncKind::Semaphore { .. } => return None,
    })
}

/// What a try gave, be it that a thread panicked.
fn tried<G>(result: Result<G, TryLockError<G>>) -> Option<G> {
    match result {
        Ok(guard) => Some(guard),
        Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
        Err(TryLockError::WouldBlock) => None,
    }
}

fn sure<G>(result: Result<G, PoisonError<G>>) -> G {
    result.unwrap_or_else(PoisonError::into_inner)
}

/// A mutex; nothing while it waits.
struct Taken<'w>(Option<MutexGuard<'w, ()>>);

impl Held for Taken<'_> {
    fn wait(&mut self, condvar: &(dyn ForThreads + 'static), rest: Option<Duration>) -> bool {
        let condvar = (condvar as &dyn Any).downcast_ref::<Condvar>();
        let (Some(condvar), Some(guard)) = (condvar, self.0.take()) else { return false };
        let (guard, is_over) = match rest {
            None => (sure(condvar.wait(guard)), false),
            Some(rest) => {
                let (guard, result) = sure(condvar.wait_timeout(guard, rest));
                (guard, result.timed_out())
            }
        };
        self.0 = Some(guard);
        is_over
    }
}

impl Held for RwLockReadGuard<'_, ()> {}
impl Held for RwLockWriteGuard<'_, ()> {}

impl ForThreads for Mutex<()> {
    fn at_once(&self, _: SyncOp) -> Option<Had<'_>> {
        Some(Box::new(Taken(Some(tried(self.try_lock())?))))
    }

    fn patience(&self, _: SyncOp) -> Patience {
        Patience::Tried
    }

    fn in_time(&self, _: SyncOp) -> Had<'_> {
        Box::new(Taken(Some(sure(self.lock()))))
    }
}

impl ForThreads for RwLock<()> {
    fn at_once(&self, op: SyncOp) -> Option<Had<'_>> {
        if let SyncOp::Read(_) = op {
            Some(Box::new(tried(self.try_read())?))
        } else {
            Some(Box::new(tried(self.try_write())?))
        }
    }

    fn patience(&self, _: SyncOp) -> Patience {
        Patience::Tried
    }

    fn in_time(&self, op: SyncOp) -> Had<'_> {
        if let SyncOp::Read(_) = op { Box::new(sure(self.read())) } else { Box::new(sure(self.write())) }
    }
}

impl ForThreads for Condvar {
    /// Who waits here does so with a lock: see [`Taken`].
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
        if let SyncOp::NotifyAll(_) = op { self.notify_all() } else { self.notify_one() }
    }
}

impl ForThreads for Barrier {
    fn at_once(&self, _: SyncOp) -> Option<Had<'_>> {
        None
    }

    fn in_time(&self, _: SyncOp) -> Had<'_> {
        self.wait();
        Box::new(())
    }
}

/// Both ends of a channel. Only one task receives: nobody waits for the mutex.
struct Channel<S>(S, Mutex<Receiver<()>>);

/// How to send.
trait Sends: Send + Sync + 'static {
    /// How long must who sends stay?
    const PATIENCE: Patience;

    fn tries(&self) -> bool;
    fn sends(&self);
}

impl Sends for Sender<()> {
    /// It never has to wait.
    const PATIENCE: Patience = Patience::Limited;

    fn tries(&self) -> bool {
        self.send(()).is_ok()
    }

    fn sends(&self) {
        _ = self.send(());
    }
}

impl Sends for SyncSender<()> {
    const PATIENCE: Patience = Patience::Tried;

    fn tries(&self) -> bool {
        self.try_send(()).is_ok()
    }

    fn sends(&self) {
        _ = self.send(());
    }
}

impl<S: Sends> ForThreads for Channel<S> {
    fn patience(&self, op: SyncOp) -> Patience {
        if let SyncOp::Receive(_) = op { Patience::Limited } else { S::PATIENCE }
    }

    /// Of what may have to be waited for, this is for receivers alone.
    fn within(&self, _: SyncOp, rest: Duration) -> Option<Had<'_>> {
        sure(self.1.lock()).recv_timeout(rest).is_ok().then(|| Box::new(()) as Had<'_>)
    }

    fn at_once(&self, op: SyncOp) -> Option<Had<'_>> {
        let done = if let SyncOp::Receive(_) = op {
            tried(self.1.try_lock()).is_some_and(|receiver| receiver.try_recv().is_ok())
        } else {
            self.0.tries()
        };
        done.then(|| Box::new(()) as Had<'_>)
    }

    fn in_time(&self, op: SyncOp) -> Had<'_> {
        if let SyncOp::Receive(_) = op {
            _ = sure(self.1.lock()).recv();
        } else {
            self.0.sends();
        }
        Box::new(())
    }
}
