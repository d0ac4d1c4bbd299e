//! Objects of libraries, measured as they are: who waits, how, and who is next is their business.
//!
//! One file per library. What it has is there for threads, which block ([`ForThreads`]), or for async tasks and, by way of
//! [`block_on`], for threads too ([`ForTasks`]).

mod crossbeam;
mod flume;
mod notices;
mod parking_lot;
mod std;
mod tokio;

use ::std::any::Any;
use ::std::pin::Pin;
use ::std::sync::Arc;
use ::std::task::{Context, Poll, Wake, Waker};
use ::std::thread::{self, Thread};
use ::std::time::Duration;

use sim_core::ids::SyncId;
use sim_core::scenario::{SyncKind, SyncObject, SyncOp};
use sim_core::time::Span;

use crate::sys;
pub(crate) use notices::Notices;

/// The libraries.
const LIBRARIES: &[Library] = &[std::LIBRARY, parking_lot::LIBRARY, tokio::LIBRARY, crossbeam::LIBRARY, flume::LIBRARY];

/// A channel for more messages than this is the library's unbounded one: others have room made for all at once.
const UNBOUNDED: u32 = 1 << 16;

/// So many messages or permits let others go at once when a run is over.
const FREED: u32 = 1000;

/// A library.
struct Library {
    /// What it is called in scenario files.
    name: &'static str,
    /// Makes an object; nothing if none like this can be measured.
    make: fn(SyncKind) -> Option<Object>,
}

/// An object of a library.
pub(crate) struct Object {
    /// What it really is, for people.
    pub(crate) name: &'static str,
    /// Is it a channel that only one task can receive from?
    pub(crate) has_one_receiver: bool,
    /// Of a condition variable: the notifications that its waiters have not written down.
    pub(crate) notices: Notices,
    way: Way,
}

/// Who can use it.
enum Way {
    Threads(Box<dyn ForThreads>),
    Tasks(Box<dyn ForTasks>),
}

/// That somebody has an object: it is given back when this is dropped.
pub(crate) trait Held {
    /// Gives a lock back, waits for a notification at a condition variable of the same library, for so long at most if that is said,
    /// and takes the lock again. Was that too long?
    fn wait(&mut self, _condvar: &(dyn ForThreads + 'static), _rest: Option<Duration>) -> bool {
        false
    }
}

/// What passes leaves nothing to be given back.
impl Held for () {}

/// What a thread has.
pub(crate) type Had<'w> = Box<dyn Held + 'w>;

/// What an async task has.
pub(crate) type TaskHad<'w> = Box<dyn Held + Send + 'w>;

/// An operation of an async task that is not over.
pub(crate) type Pending<'w> = Pin<Box<dyn Future<Output = TaskHad<'w>> + Send + 'w>>;

/// What threads can use.
pub(crate) trait ForThreads: Any + Send + Sync {
    /// Does what may have to wait for others, if it need not.
    fn at_once(&self, op: SyncOp) -> Option<Had<'_>>;

    /// Does it, if need be after a while.
    fn in_time(&self, op: SyncOp) -> Had<'_>;

    /// How long must who waits for it stay?
    fn patience(&self, _: SyncOp) -> Patience {
        Patience::Endless
    }

    /// Does it, if need be after a while that is not longer than so. Only asked of what can be waited for so.
    fn within(&self, _: SyncOp, _: Duration) -> Option<Had<'_>> {
        None
    }

    /// Does what only lets others go on, apart from giving back what is [`Held`].
    fn lets_go(&self, _: SyncOp) {}
}

/// What a library has for who does not want to wait for as long as it takes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Patience {
    /// It can be waited for a limited time.
    Limited,
    /// It can be tried.
    Tried,
    /// Neither.
    Endless,
}

/// What async tasks can use.
pub(crate) trait ForTasks: Send + Sync {
    /// Does what may have to wait for others.
    fn begin(&self, op: SyncOp) -> Pending<'_>;

    /// Does what only lets others go on, apart from giving back what is [`Held`].
    fn lets_go(&self, _: SyncOp) {}
}

/// The libraries of which objects of this kind can be measured.
pub(crate) fn with(kind: SyncKind) -> impl Iterator<Item = &'static str> {
    LIBRARIES.iter().filter(move |library| (library.make)(kind).is_some()).map(|library| library.name)
}

impl Object {
    /// The one that stands for an object of a scenario, if that can be measured.
    pub(crate) fn of(object: &SyncObject) -> Option<Object> {
        let name = object.library?.name;
        LIBRARIES.iter().find(|library| library.name == name).and_then(|library| (library.make)(object.kind))
    }

    fn for_threads(name: &'static str, object: impl ForThreads) -> Object {
        Object::new(name, Way::Threads(Box::new(object)))
    }

    fn for_tasks(name: &'static str, object: impl ForTasks + 'static) -> Object {
        Object::new(name, Way::Tasks(Box::new(object)))
    }

    fn new(name: &'static str, way: Way) -> Object {
        Object { name, has_one_receiver: false, notices: Notices::default(), way }
    }

    fn with_one_receiver(self) -> Object {
        Object { has_one_receiver: true, ..self }
    }

    /// Can async tasks use it?
    pub(crate) fn is_for_tasks(&self) -> bool {
        matches!(self.way, Way::Tasks(_))
    }

    /// As an async task does what may have to wait for others; `None` if no task can.
    pub(crate) fn begin(&self, op: SyncOp) -> Option<Pending<'_>> {
        if let Way::Tasks(object) = &self.way { Some(object.begin(op)) } else { None }
    }

    /// As a condition variable for threads.
    pub(crate) fn condvar(&self) -> Option<&(dyn ForThreads + 'static)> {
        if let Way::Threads(object) = &self.way { Some(&**object) } else { None }
    }

    /// The calling thread does what may have to wait for others, if it has not taken until then; before it waits it says so.
    pub(crate) fn perform(&self, op: SyncOp, until: u64, waits: impl FnOnce()) -> Option<Had<'_>> {
        match &self.way {
            Way::Threads(object) => object.at_once(op).or_else(|| {
                let rest = until.saturating_sub(sys::now());
                if rest > 0 {
                    waits();
                }
                match (until, rest) {
                    (u64::MAX, _) => Some(object.in_time(op)),
                    (_, 0) => None,
                    (_, rest) => object.within(op, Duration::from_nanos(rest)),
                }
            }),
            Way::Tasks(object) => block_on(object.begin(op), until, waits),
        }
    }

    /// Why who waits for it cannot give it up after such a time, if that is so. A task leaves when what it awaits is dropped.
    pub(crate) fn keeps(&self, op: SyncOp, within: Span) -> Option<&'static str> {
        match &self.way {
            Way::Tasks(_) if matches!(op, SyncOp::Arrive(_)) => {
                Some("who has come to it has come, be it that it gives up")
            }
            Way::Tasks(_) => None,
            Way::Threads(object) => match object.patience(op) {
                Patience::Limited => None,
                Patience::Tried if within.is_zero() => None,
                Patience::Tried => Some("it can be tried (`within = \"0ms\"`), but not be waited for a limited time"),
                Patience::Endless => Some("it has to be waited for as long as it takes"),
            },
        }
    }

    /// Does what only lets others go on, apart from giving back what is [`Held`].
    pub(crate) fn lets_go(&self, op: SyncOp) {
        match &self.way {
            Way::Threads(object) => object.lets_go(op),
            Way::Tasks(object) => object.lets_go(op),
        }
    }

    /// Lets those go on who wait, as far as others than tasks can: the run is over.
    pub(crate) fn free(&self, sync: SyncId, kind: SyncKind) {
        match kind {
            SyncKind::Condvar => self.lets_go(SyncOp::NotifyAll(sync)),
            SyncKind::Semaphore { .. } => self.lets_go(SyncOp::Release(sync, FREED)),
            SyncKind::Channel { .. } => {
                // Either receivers wait or senders do. A receiver that waits must not be asked by another in its place.
                let helps = |op: SyncOp| (0..FREED).take_while(|_| self.is_done_at_once(op)).count() > 0;
                _ = helps(SyncOp::Send(sync)) || helps(SyncOp::Receive(sync));
            }
            SyncKind::Mutex | SyncKind::RwLock { .. } | SyncKind::Barrier { .. } => {}
        }
    }

    /// Does something if nobody has to be waited for.
    fn is_done_at_once(&self, op: SyncOp) -> bool {
        match &self.way {
            Way::Threads(object) => object.at_once(op).is_some(),
            Way::Tasks(object) => object.begin(op).as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready(),
        }
    }
}

/// Wakes a thread that waits as an async task does.
struct Parked(Thread);

impl Wake for Parked {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// The calling thread does what async tasks do, if it has not taken until then; before it waits it says so.
fn block_on<'w>(mut pending: Pending<'w>, until: u64, waits: impl FnOnce()) -> Option<Had<'w>> {
    let waker = Waker::from(Arc::new(Parked(thread::current())));
    let mut context = Context::from_waker(&waker);
    let mut waits = Some(waits);
    loop {
        if let Poll::Ready(had) = pending.as_mut().poll(&mut context) {
            return Some(had);
        }
        let left = until.saturating_sub(sys::now());
        if left == 0 {
            return None;
        }
        waits.take().into_iter().for_each(|waits| waits());
        thread::park_timeout(Duration::from_nanos(left));
    }
}
