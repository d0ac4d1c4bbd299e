//! What is recorded of synchronisation objects: who held them, what was signalled, who spun.

use crate::ids::{SyncId, TaskId};
use crate::time::{Span, Time};

/// One acquisition of a lock (or a permit of a semaphore).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Hold {
    /// Which lock.
    pub sync: SyncId,
    /// Who.
    pub task: TaskId,
    /// When it asked for it.
    pub asked: Time,
    /// When it got it.
    pub start: Time,
    /// When it gave it back, or the end of the run; at once, if it is a permit that the task never gives back.
    pub end: Time,
    /// May others hold it meanwhile: is it that of a reader, or a permit?
    pub shared: bool,
    /// Is it a further permit of a request for several? A request is one acquisition; its first permit is held longest.
    pub further: bool,
}

/// Something done to a synchronisation object at once that is no [`Hold`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Signal {
    /// To which object.
    pub sync: SyncId,
    /// By whom.
    pub task: TaskId,
    /// When: when it was done, not when the task began to wait for it.
    pub at: Time,
    /// What was done.
    pub deed: Deed,
}

/// What a [`Signal`] says.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Deed {
    /// A message came into a channel, or went straight to a receiver.
    Sent,
    /// A message came out of a channel, or straight from a sender.
    Received,
    /// A permit was added to a semaphore by a task that had none.
    Added,
    /// So many of those who waited were notified; none: the notification is lost.
    Notified(u32),
    /// The task came to a barrier.
    Arrived,
    /// The task gave up waiting at a barrier for the others.
    Departed,
}

/// A task on a processor that waited for a lock to be given back instead of leaving.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Spin {
    /// For which lock.
    pub sync: SyncId,
    /// Who.
    pub task: TaskId,
    /// When it found the lock taken.
    pub start: Time,
    /// When it got the lock, or stopped spinning without it.
    pub end: Time,
    /// The processor work meanwhile, at speed 1. It is running time of the task, but nothing its program asked for.
    pub work: Span,
    /// Did it get the lock?
    pub got: bool,
}
