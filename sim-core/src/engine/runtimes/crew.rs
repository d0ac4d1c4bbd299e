//! The threads of a pool that has not always as many, and when idle ones go away.

use std::collections::BTreeMap;

use crate::executor::{self, Limits};

/// Which threads there are.
pub(in crate::engine) struct Crew {
    /// By which rules they come and go.
    pub(in crate::engine) rules: executor::Crew,
    /// Under which number on the agenda each idle worker goes away.
    leaving: BTreeMap<u32, u64>,
}

impl Crew {
    pub(super) fn new(limits: Limits, workers: usize) -> Crew {
        Crew { rules: executor::Crew::new(limits, workers), leaving: BTreeMap::new() }
    }

    /// The worker goes away then, if it has nothing to do before.
    pub(in crate::engine) fn will_leave(&mut self, worker: u32, number: u64) {
        self.leaving.insert(worker, number);
    }

    /// The worker has something to do: the number under which it would have gone away.
    pub(in crate::engine) fn is_busy(&mut self, worker: u32) -> Option<u64> {
        self.leaving.remove(&worker)
    }

    /// The worker has been idle for long enough. Does it go away?
    pub(in crate::engine) fn leaves(&mut self, worker: u32) -> bool {
        self.leaving.remove(&worker);
        self.rules.leaves(worker)
    }
}
