//! In which orders tasks take locks.

use std::collections::BTreeSet;

use sim_core::ids::{ProcessId, SyncId};
use sim_core::scenario::{Op, Spec, SyncOp};

use super::Plan;

impl Plan<'_> {
    /// The locks of a process that its tasks take in a circle, one while they hold another: in opposite orders, if they are two.
    #[must_use]
    pub fn circle(&self, process: ProcessId) -> BTreeSet<SyncId> {
        let mut after: BTreeSet<(SyncId, SyncId)> = self.specs(process).flat_map(|(_, spec)| orders(spec)).collect();
        loop {
            let further = |(one, two): &(SyncId, SyncId)| {
                after.iter().filter(|(from, _)| from == two).map(|(_, to)| (*one, *to)).collect::<Vec<_>>()
            };
            let found: Vec<(SyncId, SyncId)> =
                after.iter().flat_map(further).filter(|pair| !after.contains(pair)).collect();
            if found.is_empty() {
                break;
            }
            after.extend(found);
        }
        after.iter().filter(|(one, two)| one != two && after.contains(&(*two, *one))).map(|(one, _)| *one).collect()
    }
}

/// Which locks a task takes while it holds which: what is held comes first.
fn orders(spec: &Spec) -> BTreeSet<(SyncId, SyncId)> {
    let mut held: BTreeSet<SyncId> = BTreeSet::new();
    let mut found = BTreeSet::new();
    for op in &spec.program.ops {
        match op {
            Op::Sync(SyncOp::Lock(lock)) => {
                found.extend(held.iter().map(|before| (*before, *lock)));
                held.insert(*lock);
            }
            Op::Sync(SyncOp::Unlock(lock)) => drop(held.remove(lock)),
            _ => {}
        }
    }
    found
}
