//! The pools of a small world.

use std::fmt::{Display, Formatter, Result};

/// For how many workers and tasks a pool has room.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct Room {
    pub(crate) core: usize,
    pub(crate) maximum: usize,
    /// How many tasks may queue; `None`: any number.
    pub(crate) queue: Option<usize>,
    /// Those for whom there is no room are rejected; else they wait outside.
    pub(crate) rejects: bool,
    /// How long a worker beyond the core stays when it has nothing to do; `None`: for ever.
    pub(crate) keep_alive: Option<u64>,
}

impl Room {
    /// So many workers, and any number of tasks.
    pub(crate) fn of(workers: usize) -> Room {
        Room { core: workers, maximum: workers, queue: None, rejects: false, keep_alive: None }
    }
}

impl Display for Room {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        if *self == Room::of(self.maximum) {
            return write!(f, "{{ kind = \"pool\", workers = {} }}", self.maximum);
        }
        write!(f, "{{ kind = \"pool\", core = {}, maximum = {}", self.core, self.maximum)?;
        if let Some(queue) = self.queue {
            let when_full = if self.rejects { "reject" } else { "block" };
            write!(f, ", queue-limit = {queue}, when-full = \"{when_full}\"")?;
        }
        if let Some(keep_alive) = self.keep_alive {
            write!(f, ", keep-alive = \"{keep_alive}ms\"")?;
        }
        write!(f, " }}")
    }
}
