//! Tasks that end themselves with permits of a semaphore that they alone would give back.
//!
//! Whoever likes may release a semaphore, so a permit that one task keeps may be given back by another, and one that is taken for
//! good is used up. But where a program gives permits back itself, and no other does, none should be left at an `"end"`: that is
//! remarked upon, and a finding of a run in which it happens.

use std::collections::BTreeSet;

use super::TaskDefinition;
use super::syncs::Syncs;
use crate::document::{Log, Note};
use crate::ids::SyncId;
use crate::scenario::{Op, SyncOp};

/// More is given back than taken, nobody knows how much: nothing is said of that.
const MANY: i64 = i64::MIN / 2;

/// Says where a task ends with permits that nobody would ever give back.
pub(super) fn judge(tasks: &[TaskDefinition], syncs: &Syncs, log: &Log) {
    let of: Vec<BTreeSet<SyncId>> = tasks.iter().map(|task| given_back(&task.code.ops)).collect();
    for (number, task) in tasks.iter().enumerate().filter(|(_, task)| !task.code.ends.is_empty()) {
        let others = |sync: &SyncId| of.iter().enumerate().any(|(other, its)| other != number && its.contains(sync));
        for sync in of[number].iter().filter(|sync| !others(sync)) {
            let had = least_had(&task.code.ops, *sync);
            for (at, told, spot) in &task.code.ends {
                if had[*at].is_some_and(|had| had > 0) && !told.contains(sync) {
                    let what = syncs.name(*sync);
                    let sentence = format!("the task ends here with {what}, which nobody would ever give back");
                    let name = &syncs.objects[*sync].name;
                    log.remark(
                        Note::new(*spot, sentence).hint(format!("give it back before: {{ release = {name:?} }}")),
                    );
                }
            }
        }
    }
}

/// The semaphores that a program gives permits of back.
fn given_back(ops: &[Op]) -> BTreeSet<SyncId> {
    let of = |op: &Op| if let Op::Sync(SyncOp::Release(sync, _)) = op { Some(*sync) } else { None };
    ops.iter().filter_map(of).collect()
}

/// How many permits a task has at least before each operation, whatever way led there: nothing where none does.
fn least_had(ops: &[Op], sync: SyncId) -> Vec<Option<i64>> {
    let mut had = vec![None; ops.len()];
    let mut next = vec![(0, 0)];
    while let Some((at, now)) = next.pop() {
        if at >= ops.len() || had[at].is_some_and(|least| least <= now) {
            continue;
        }
        had[at] = Some(now);
        let after = match &ops[at] {
            Op::Sync(SyncOp::Acquire(of, count)) if *of == sync => now + i64::from(*count),
            Op::Sync(SyncOp::Release(of, count)) if *of == sync => now - i64::from(*count),
            _ => now,
        };
        let after = if after < 0 { MANY } else { after };
        next.extend(followers(&ops[at], at).into_iter().map(|follower| (follower, after)));
    }
    had
}

/// Where a task goes on behind an operation, or may.
fn followers(op: &Op, at: usize) -> Vec<usize> {
    match op {
        Op::End => Vec::new(),
        Op::Jump(target) => vec![*target as usize],
        Op::Again { start, forever: true, .. } => vec![*start as usize],
        Op::Again { start, .. } => vec![at + 1, *start as usize],
        Op::Repeat { end, .. } => vec![at + 1, *end as usize],
        Op::Choose(branches) => branches.iter().map(|(_, target)| *target as usize).collect(),
        Op::Test { otherwise, .. } => vec![at + 1, *otherwise as usize],
        Op::Attempt(terms) => vec![at + 1, terms.otherwise as usize],
        _ => vec![at + 1],
    }
}
