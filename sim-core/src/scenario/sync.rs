//! What tasks synchronise with: locks, semaphores, channels, condition variables, barriers; and what programs do to
//! them.

use crate::ids::SyncId;
use crate::sync::kinds::Kind;
use crate::time::Span;

/// What tasks synchronise with: a lock, a semaphore, a channel, …
#[derive(Clone, PartialEq, Debug)]
pub struct SyncObject {
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: SyncKind,
    /// How urgently the holder of a [`SyncKind::Mutex`] runs. For the others it means nothing.
    pub protocol: Protocol,
    /// How long who finds a [`SyncKind::Mutex`] taken spins on its processor before it blocks; zero: not at all;
    /// [`SyncObject::FOREVER`]: it does not block.
    pub spin: Span,
    /// How what becomes free is handed on.
    pub rule: Rule,
    /// The library whose object it is.
    pub library: Option<&'static Kind>,
}

impl SyncObject {
    /// Longer than anybody waits: who spins so long never blocks. Some of these together are still a length of time.
    pub const FOREVER: Span = Span::from_ns(Span::MAX.ns() / 4);

    /// Does who finds it taken spin until it has it, however long that takes?
    #[must_use]
    pub fn spins_forever(&self) -> bool {
        self.spin >= SyncObject::FOREVER
    }
}

/// How what becomes free is handed on.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Rule {
    /// Who is next.
    pub order: Order,
    /// What that means.
    pub hand_over: HandOver,
    /// How often who finds a lock or an rwlock taken, and nobody waiting, lets others go first and asks again.
    pub yields: u32,
    /// Of a condition variable, does who notifies hand on the lock, and wait first in line to get it back (Hoare 1974)? Else who is
    /// notified asks for it, and others may come first (Lampson & Redell 1980).
    pub hoare: bool,
    /// Does who is woken to ask again do so before it has the interpreter lock of its process, where there is one that it must
    /// run to ask for?
    pub outside: bool,
}

/// Who is next of those who wait.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum Order {
    /// The most urgent, the first among equals.
    #[default]
    Urgent,
    /// The first.
    Fifo,
    /// The last.
    Lifo,
}

/// To whom belongs what becomes free.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum HandOver {
    /// To who is next, at that instant.
    #[default]
    Direct,
    /// To whoever asks first: who is next is woken, and asks again as soon as it runs. Of a barrier: who asks before all who were let
    /// go have left waits until they have.
    Barging,
    /// The same, but who has waited so long since it asked for the first time is handed it.
    Fair(Span),
    /// Of a channel: room is kept for who is next, and its message lies there as soon as it runs. Who waits for a message is
    /// woken, and asks again.
    Kept,
    /// Of a semaphore: permits are set aside for who is next, who is woken and has them when it runs. Until then whoever asks
    /// queues, however many are free.
    Reserved,
}

/// The kinds of synchronisation objects.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SyncKind {
    /// Mutual exclusion.
    Mutex,
    /// One writer or any number of readers.
    RwLock {
        /// Who goes first when both wait.
        prefer: Prefer,
    },
    /// A number of permits.
    Semaphore {
        /// How many there are at first.
        permits: u32,
    },
    /// A bounded queue of messages.
    Channel {
        /// How many messages it holds; 0: sender and receiver meet.
        capacity: u32,
    },
    /// A condition variable: tasks wait until another notifies them.
    Condvar,
    /// Nobody passes until all have come; then it is as before.
    Barrier {
        /// How many that are, at least 1.
        parties: u32,
    },
}

/// How urgently the holder of a lock runs.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum Protocol {
    /// As at any time.
    #[default]
    None,
    /// As the most urgent of everyone waiting for its locks, transitively (Sha, Rajkumar & Lehoczky 1990).
    Inherit,
    /// As the most urgent of all tasks that use the lock, from the moment it has it: the immediate priority ceiling. By
    /// deadlines, that is the shortest relative deadline of those tasks, counted from that moment (Burns, Gutiérrez,
    /// Aldea Rivas & González Harbour 2015).
    Ceiling,
    /// As under [`Protocol::Inherit`], and a lock is granted only to who is more urgent than the ceilings of all such locks
    /// that others hold: the original priority ceiling (Sha, Rajkumar & Lehoczky 1990).
    OriginalCeiling,
    /// As the most urgent of all tasks there are, and it keeps its processor: sections that nobody interrupts.
    NonPreemptive,
}

impl Protocol {
    /// All of them: what each is called in scenario files, first the name that it goes by, and what it does, in a few words.
    pub const ALL: &[(Protocol, &str, &str)] = &[
        (Protocol::None, "none", "a holder is as urgent as at any time"),
        (
            Protocol::Inherit,
            "inherit",
            "a holder is as urgent as the most urgent of those who wait for its locks, transitively",
        ),
        (
            Protocol::Ceiling,
            "ceiling",
            "the immediate ceiling protocol: from when it has the lock, a holder is as urgent as the most urgent task that uses it",
        ),
        (Protocol::Ceiling, "immediate-ceiling", "the same as `ceiling`, which books call so"),
        (
            Protocol::OriginalCeiling,
            "original-ceiling",
            "the original ceiling protocol: a holder inherits, and a lock is granted only to who is more urgent than the ceilings of \
             all locks that others hold",
        ),
        (Protocol::NonPreemptive, "non-preemptive", "a holder is not preempted"),
    ];
}

/// Whom an rwlock lets in first.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum Prefer {
    /// Whoever came first: readers that arrive behind a waiting writer wait.
    #[default]
    Fifo,
    /// Readers join as long as readers hold it.
    Readers,
    /// Waiting writers go before waiting readers.
    Writers,
}

impl SyncKind {
    /// What people call it; in scenario files it is declared by this name.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            SyncKind::Mutex => "lock",
            SyncKind::RwLock { .. } => "rwlock",
            SyncKind::Semaphore { .. } => "semaphore",
            SyncKind::Channel { .. } => "channel",
            SyncKind::Condvar => "condvar",
            SyncKind::Barrier { .. } => "barrier",
        }
    }

    /// Is it held, by one or by several?
    #[must_use]
    pub fn is_lock(self) -> bool {
        matches!(self, SyncKind::Mutex | SyncKind::RwLock { .. })
    }
}

/// What a program does to a synchronisation object. It takes no time, but perhaps the task must wait.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SyncOp {
    /// Takes the lock, waiting for it if it is held.
    Lock(SyncId),
    /// Gives the lock or the rwlock back. Invariant: the task holds it.
    Unlock(SyncId),
    /// Takes an rwlock together with other readers.
    Read(SyncId),
    /// Takes an rwlock alone.
    Write(SyncId),
    /// Takes so many permits, waiting until there are enough.
    Acquire(SyncId, u32),
    /// Gives so many permits to a semaphore, be it that the task had them or not.
    Release(SyncId, u32),
    /// Puts a message into a channel, waiting while it is full.
    Send(SyncId),
    /// Takes a message out of a channel, waiting while it is empty.
    Receive(SyncId),
    /// Gives the lock back, waits for a notification, and takes the lock again.
    Wait {
        /// Who notifies does so here.
        condvar: SyncId,
        /// A mutex. Invariant: the task holds it.
        lock: SyncId,
    },
    /// Notifies one of those who wait; nobody, if nobody does.
    Notify(SyncId),
    /// Notifies everyone who waits.
    NotifyAll(SyncId),
    /// Comes to a barrier and waits for the others.
    Arrive(SyncId),
}

impl SyncOp {
    /// What it is called in scenario files.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            SyncOp::Lock(_) => "lock",
            SyncOp::Unlock(_) => "unlock",
            SyncOp::Read(_) => "read",
            SyncOp::Write(_) => "write",
            SyncOp::Acquire(..) => "acquire",
            SyncOp::Release(..) => "release",
            SyncOp::Send(_) => "send",
            SyncOp::Receive(_) => "recv",
            SyncOp::Wait { .. } => "wait",
            SyncOp::Notify(_) => "notify",
            SyncOp::NotifyAll(_) => "notify-all",
            SyncOp::Arrive(_) => "barrier",
        }
    }

    /// What it is done to.
    #[must_use]
    pub fn object(self) -> SyncId {
        match self {
            SyncOp::Lock(sync)
            | SyncOp::Unlock(sync)
            | SyncOp::Read(sync)
            | SyncOp::Write(sync)
            | SyncOp::Acquire(sync, _)
            | SyncOp::Release(sync, _)
            | SyncOp::Send(sync)
            | SyncOp::Receive(sync)
            | SyncOp::Wait { condvar: sync, .. }
            | SyncOp::Notify(sync)
            | SyncOp::NotifyAll(sync)
            | SyncOp::Arrive(sync) => sync,
        }
    }

    /// Does it only let others go on, and never wait itself?
    #[must_use]
    pub fn lets_go(self) -> bool {
        matches!(self, SyncOp::Unlock(_) | SyncOp::Release(..) | SyncOp::Notify(_) | SyncOp::NotifyAll(_))
    }
}
