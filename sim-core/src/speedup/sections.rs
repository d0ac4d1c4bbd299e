//! What is done while a lock is held.

use std::collections::{BTreeMap, BTreeSet};

use super::{Candidate, Search, Subject};
use crate::ids::{SpecId, SyncId};
use crate::scenario::{Op, Program, Scenario, SyncOp};

impl Search<'_> {
    /// The critical sections of each lock, rwlock and semaphore.
    pub(super) fn sections(&self) -> Vec<Candidate> {
        let inside = |sync: SyncId| {
            let within = |spec: &SpecId| within(&self.scenario.specs[*spec].program, sync);
            let specs = self.one_of_each();
            let sections: BTreeMap<SpecId, BTreeSet<u32>> = specs.iter().map(|spec| (*spec, within(spec))).collect();
            let all = self.all_that(|_| true);
            all.into_iter().filter(|(spec, op)| sections[spec].contains(op)).collect::<Vec<_>>()
        };
        let found = self.scenario.syncs.ids().filter_map(|sync| {
            let changes = self.faster(&inside(sync))?;
            Some(Candidate::new(Subject::Section(sync), changes))
        });
        found.collect()
    }
}

impl Scenario {
    /// The operations of a task that are done while it holds this lock, or permits of this semaphore.
    #[must_use]
    pub fn within(&self, spec: SpecId, sync: SyncId) -> BTreeSet<u32> {
        within(&self.specs[spec].program, sync)
    }
}

/// Forward once through the program: what is jumped to comes later, and a loop leaves what is held as it was.
fn within(program: &Program, sync: SyncId) -> BTreeSet<u32> {
    let mut found = BTreeSet::new();
    let mut coming: BTreeMap<u32, i64> = BTreeMap::new();
    // So many are held here; nobody comes here but by a jump.
    let mut held: Option<i64> = Some(0);
    for (place, op) in (0..).zip(&program.ops) {
        held = coming.remove(&place).or(held);
        let Some(now) = held else { continue };
        if now > 0 {
            found.insert(place);
        }
        match op {
            Op::Sync(op) if op.object() == sync => held = Some((now + change(*op)).max(0)),
            Op::Choose(targets) => {
                coming.extend(targets.iter().map(|(_, target)| (*target, now)));
                held = None;
            }
            Op::Jump(target) => {
                coming.insert(*target, now);
                held = None;
            }
            Op::Repeat { end, .. } => {
                coming.insert(*end, now);
            }
            Op::Attempt(terms) => {
                coming.insert(terms.otherwise, now);
            }
            Op::End => held = None,
            _ => {}
        }
    }
    found
}

/// By how many more are held after an operation.
fn change(op: SyncOp) -> i64 {
    match op {
        SyncOp::Lock(_) | SyncOp::Read(_) | SyncOp::Write(_) => 1,
        SyncOp::Unlock(_) => -1,
        SyncOp::Acquire(_, count) => i64::from(count),
        SyncOp::Release(_, count) => -i64::from(count),
        _ => 0,
    }
}
