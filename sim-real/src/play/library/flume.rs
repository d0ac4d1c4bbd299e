//! The crate `flume`.

use std::time::Duration;

use flume::{Receiver, Sender, bounded, unbounded};
use sim_core::scenario::{SyncKind, SyncOp};

use super::{ForThreads, Had, Library, Object, Patience, UNBOUNDED};

/// See the module.
pub(super) const LIBRARY: Library = Library { name: "flume", make };

fn make(kind: SyncKind) -> Option<Object> {
    let SyncKind::Channel { capacity } = kind else { return None };
    let is_bounded = capacity < UNBOUNDED;
    let name = if is_bounded { "flume::bounded" } else { "flume::unbounded" };
    let (sender, receiver) = if is_bounded { bounded(capacity as usize) } else { unbounded() };
    Some(Object::for_threads(name, Channel(sender, receiver)))
}

/// Both ends of a channel.
struct Channel(Sender<()>, Receiver<()>);

impl ForThreads for Channel {
    fn at_once(&self, op: SyncOp) -> Option<Had<'_>> {
        let receives = matches!(op, SyncOp::Receive(_));
        let done = if receives { self.1.try_recv().is_ok() } else { self.0.try_send(()).is_ok() };
        done.then(|| Box::new(()) as Had<'_>)
    }

    fn in_time(&self, op: SyncOp) -> Had<'_> {
        _ = if let SyncOp::Receive(_) = op { self.1.recv().is_ok() } else { self.0.send(()).is_ok() };
        Box::new(())
    }

    fn patience(&self, _: SyncOp) -> Patience {
        Patience::Limited
    }

    fn within(&self, op: SyncOp, rest: Duration) -> Option<Had<'_>> {
        let receives = matches!(op, SyncOp::Receive(_));
        let done = if receives { self.1.recv_timeout(rest).is_ok() } else { self.0.send_timeout((), rest).is_ok() };
        done.then(|| Box::new(()) as Had<'_>)
    }
}
