//! The crate `tokio`, for its own tasks and for threads.

use std::future::poll_fn;
use std::sync::{Mutex as Latch, PoisonError};

use sim_core::scenario::{SyncKind, SyncOp};
use tokio::sync::mpsc::{Receiver, Sender, UnboundedReceiver, UnboundedSender, channel, unbounded_channel};
use tokio::sync::{Barrier, Mutex, MutexGuard, RwLock, RwLockReadGuard, RwLockWriteGuard, Semaphore};

use super::{ForTasks, Held, Library, Object, Pending, TaskHad, UNBOUNDED};

/// See the module.
pub(super) const LIBRARY: Library = Library { name: "tokio", make };

fn make(kind: SyncKind) -> Option<Object> {
    Some(match kind {
        SyncKind::Mutex => Object::for_tasks("tokio::sync::Mutex", Mutex::new(())),
        SyncKind::RwLock { .. } => Object::for_tasks("tokio::sync::RwLock", RwLock::new(())),
        SyncKind::Semaphore { permits } => {
            Object::for_tasks("tokio::sync::Semaphore", Semaphore::new(permits as usize))
        }
        SyncKind::Barrier { parties } => Object::for_tasks("tokio::sync::Barrier", Barrier::new(parties as usize)),
        SyncKind::Channel { capacity: UNBOUNDED.. } => {
            let (sender, receiver) = unbounded_channel();
            let channel = Unbounded(sender, Latch::new(receiver));
            Object::for_tasks("tokio::sync::mpsc::unbounded_channel", channel).with_one_receiver()
        }
        SyncKind::Channel { capacity: 0 } | SyncKind::Condvar => return None,
        SyncKind::Channel { capacity } => {
            let (sender, receiver) = channel(capacity as usize);
            Object::for_tasks("tokio::sync::mpsc::channel", Bounded(sender, Latch::new(receiver))).with_one_receiver()
        }
    })
}

impl Held for MutexGuard<'_, ()> {}
impl Held for RwLockReadGuard<'_, ()> {}
impl Held for RwLockWriteGuard<'_, ()> {}

/// Nothing is to be given back.
fn passed<'w>() -> TaskHad<'w> {
    Box::new(())
}

impl ForTasks for Mutex<()> {
    fn begin(&self, _: SyncOp) -> Pending<'_> {
        Box::pin(async { Box::new(self.lock().await) as TaskHad<'_> })
    }
}

impl ForTasks for RwLock<()> {
    fn begin(&self, op: SyncOp) -> Pending<'_> {
        if let SyncOp::Read(_) = op {
            Box::pin(async { Box::new(self.read().await) as TaskHad<'_> })
        } else {
            Box::pin(async { Box::new(self.write().await) as TaskHad<'_> })
        }
    }
}

/// Permits are given back by whoever releases them, had or not.
impl ForTasks for Semaphore {
    fn begin(&self, op: SyncOp) -> Pending<'_> {
        let permits = if let SyncOp::Acquire(_, permits) = op { permits } else { 1 };
        Box::pin(async move {
            if let Ok(had) = self.acquire_many(permits).await {
                had.forget();
            }
            passed()
        })
    }

    fn lets_go(&self, op: SyncOp) {
        if let SyncOp::Release(_, permits) = op {
            self.add_permits(permits as usize);
        }
    }
}

impl ForTasks for Barrier {
    fn begin(&self, _: SyncOp) -> Pending<'_> {
        Box::pin(async {
            self.wait().await;
            passed()
        })
    }
}

/// Both ends of a channel. Only one task receives: nobody waits for the latch.
struct Bounded(Sender<()>, Latch<Receiver<()>>);
struct Unbounded(UnboundedSender<()>, Latch<UnboundedReceiver<()>>);

impl ForTasks for Bounded {
    fn begin(&self, op: SyncOp) -> Pending<'_> {
        Box::pin(async move {
            if let SyncOp::Receive(_) = op {
                let receiver = || self.1.lock().unwrap_or_else(PoisonError::into_inner);
                poll_fn(|context| receiver().poll_recv(context)).await;
            } else {
                _ = self.0.send(()).await;
            }
            passed()
        })
    }
}

impl ForTasks for Unbounded {
    fn begin(&self, op: SyncOp) -> Pending<'_> {
        Box::pin(async move {
            if let SyncOp::Receive(_) = op {
                let receiver = || self.1.lock().unwrap_or_else(PoisonError::into_inner);
                poll_fn(|context| receiver().poll_recv(context)).await;
            } else {
                _ = self.0.send(());
            }
            passed()
        })
    }
}
