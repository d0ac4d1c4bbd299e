//! What an instance did: one [`Event`] per operation. What is not known when an operation begins is filled in later.

mod row;

use sim_core::ids::{DeviceId, SpecId, SyncId};
use sim_core::time::Span;
use sim_core::timeline::Use;

/// An instant by the clock of the machine, which may not have come.
pub(crate) type Instant = Option<u64>;

/// One operation of an instance.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Event {
    /// It used a processor.
    Burst(Burst),
    /// It asked a device for something.
    Request(Request),
    /// What the device says of the request before.
    Service(Service),
    /// It slept.
    Sleep { start: u64, end: u64 },
    /// It asked for something that it has until it gives it back.
    Hold(Hold),
    /// It asked for something that is over when it is had.
    Passage(Passage),
    /// It waited for a notification.
    Await(Await),
    /// It notified so many of those who waited at the object.
    Notify { sync: SyncId, at: u64, notified: u32 },
    /// It gave a permit that it did not have.
    Added { sync: SyncId, at: u64 },
    /// It did something with variables.
    Access { at: u64, how: Use },
    /// It spun for a lock, for which it had been queued.
    Spin(Spin),
    /// It waited for the instances of a task that it had spawned.
    Join(Join),
    /// It gave way.
    Yield { at: u64 },
    /// Its job had ended, and there was another.
    Rest(Rest),
    /// It went on without what it had asked for before.
    Leave(Leave),
}

/// A burst, or the piece of one between two interruptions.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Burst {
    /// What came before.
    pub(crate) after: Before,
    /// When it began.
    pub(crate) start: u64,
    /// When it ended.
    pub(crate) end: u64,
    /// The thread it was on, by the kernel's number.
    pub(crate) thread: u32,
    /// The processor, by the kernel's number.
    pub(crate) cpu: u32,
    /// Of the last piece: the processor time that all of them used.
    pub(crate) used: u64,
}

/// What comes before a piece of a burst.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Before {
    /// Nothing: with it the burst begins.
    Start,
    /// The kernel had put the thread off.
    Preemption,
    /// The task had lost its turn to another of the same process (interpreter lock).
    LostTurn,
}

/// A request to a device.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Request {
    /// Which device.
    pub(crate) device: DeviceId,
    /// When it was made.
    pub(crate) asked: u64,
    /// When its service began.
    pub(crate) began: Instant,
    /// When that was over.
    pub(crate) ended: Instant,
}

/// What a device did for a request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Service {
    /// When it was over; if it was not, the rest is of the time until the run ended.
    pub(crate) ended: Instant,
    /// So long the head was on its way.
    pub(crate) seek: Span,
    /// So much it received of the time of a channel.
    pub(crate) received: Span,
}

/// Something that was asked of a synchronisation object: who got it later than it asked has waited.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Asked {
    /// Which object.
    pub(crate) sync: SyncId,
    /// When it was asked for.
    pub(crate) at: u64,
    /// When it was had.
    pub(crate) had: Instant,
}

/// Something that is had and given back.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Hold {
    /// What.
    pub(crate) what: Held,
    /// Of which object, since when.
    pub(crate) asked: Asked,
    /// When it was given back.
    pub(crate) given_back: Instant,
}

/// What can be had of an object and given back.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Held {
    /// A lock, or a rwlock to write.
    Alone,
    /// A rwlock to read, together with others.
    Together,
    /// A permit of a semaphore.
    Permit,
}

/// Something that is not given back.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Passage {
    /// What.
    pub(crate) what: Passed,
    /// At which object, and when it was through.
    pub(crate) asked: Asked,
}

/// What can be waited for at an object and is over when it is had.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Passed {
    /// A permit of a semaphore that the task never gives back.
    SpentPermit,
    /// A message into a channel.
    Sent,
    /// A message out of a channel.
    Received,
    /// The others at a barrier.
    Met,
}

/// A wait for a notification. The lock is asked for after that.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Await {
    /// At which condition variable.
    pub(crate) condvar: SyncId,
    /// Since when.
    pub(crate) start: u64,
    /// When the notification came.
    pub(crate) noticed: Instant,
}

/// A lock that was not had at once, waited for on the processor. The event that asks for it comes after that.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Spin {
    /// Which lock.
    pub(crate) lock: SyncId,
    /// When it was asked for.
    pub(crate) asked: u64,
    /// When the task had the lock, or blocked.
    pub(crate) stopped: Instant,
    /// The processor time used for it.
    pub(crate) used: u64,
}

/// A wait for those whom the instance spawned.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Join {
    /// The task whose instances they are.
    pub(crate) spec: SpecId,
    /// Since when.
    pub(crate) start: u64,
    /// When the last of them had ended.
    pub(crate) ended: Instant,
}

/// What is between two jobs of a periodic instance.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Rest {
    /// When the one had ended.
    pub(crate) start: u64,
    /// When the other was, or had been, released.
    pub(crate) released: Instant,
}

/// That an instance went on without what it had asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Leave {
    /// What.
    pub(crate) what: Left,
    /// When it had asked for that; 0 is when the event before says.
    pub(crate) asked: u64,
    /// When it went.
    pub(crate) at: u64,
}

/// What somebody goes on without.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Left {
    /// Its turn at a synchronisation object.
    Turn(SyncId),
    /// A device.
    Service(DeviceId),
    /// A device that turned it away.
    Room(DeviceId),
    /// The end of those whom it had spawned; of this one, if a pool does something for it.
    Children(Option<u32>),
    /// A pool, which did not take this one of it.
    Pool(u32),
}

impl Rest {
    /// Had the other been released before?
    pub(crate) fn is_none(&self) -> bool {
        self.released.is_some_and(|released| released < self.start)
    }
}

impl Event {
    /// When it began.
    pub(crate) fn start(&self) -> u64 {
        match *self {
            Event::Burst(Burst { start, .. })
            | Event::Sleep { start, .. }
            | Event::Await(Await { start, .. })
            | Event::Rest(Rest { start, .. })
            | Event::Join(Join { start, .. }) => start,
            Event::Request(Request { asked, .. }) | Event::Spin(Spin { asked, .. }) => asked,
            Event::Hold(Hold { asked, .. }) | Event::Passage(Passage { asked, .. }) => asked.at,
            Event::Leave(Leave { at, .. })
            | Event::Notify { at, .. }
            | Event::Added { at, .. }
            | Event::Access { at, .. }
            | Event::Yield { at } => at,
            Event::Service(Service { ended, .. }) => ended.unwrap_or_default(),
        }
    }

    /// The burst that it is.
    pub(crate) fn burst(&self) -> Option<&Burst> {
        if let Event::Burst(burst) = self { Some(burst) } else { None }
    }

    /// What it asked of a synchronisation object and had, or will have.
    pub(crate) fn asked(&self) -> Option<&Asked> {
        match self {
            Event::Hold(Hold { asked, .. }) | Event::Passage(Passage { asked, .. }) => Some(asked),
            _ => None,
        }
    }

    /// The same, to be completed.
    pub(crate) fn asked_mut(&mut self) -> Option<&mut Asked> {
        match self {
            Event::Hold(Hold { asked, .. }) | Event::Passage(Passage { asked, .. }) => Some(asked),
            _ => None,
        }
    }
}

macro_rules! events {
    ($($name:ident),*) => {
        $(impl From<$name> for Event {
            #[inline]
            fn from(event: $name) -> Event {
                Event::$name(event)
            }
        })*
    };
}

events!(Burst, Request, Service, Hold, Passage, Await, Spin, Join, Rest, Leave);

/// A stamp in shared memory, where 0 is what has not come.
pub(crate) fn instant(stamp: u64) -> Instant {
    (stamp != 0).then_some(stamp)
}
