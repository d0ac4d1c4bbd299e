//! How long a program, or a part of it that runs with locks, can keep a processor busy at most.
//!
//! Programs are flat: one pass from the end to the beginning, in which a loop is what its body takes, so many times.
//!
//! A part that runs with a lock ends where the lock is given back and something is computed, or the job ends: what takes no time
//! happens at that very instant, before anybody else runs. So a task that takes the next lock at once has not let anybody in who
//! may not run while it has that one; nor has one that has taken it before.

use std::collections::BTreeMap;

use crate::ids::SyncId;
use crate::scenario::{Op, Program, SyncOp};
use crate::time::Span;

/// What operations count.
#[derive(Clone, Copy)]
pub(super) struct Price<'a> {
    /// Does work?
    pub(super) works: bool,
    /// What asking for the lock counts, apart from how long it makes the task wait.
    pub(super) asking: &'a dyn Fn(SyncId) -> Span,
}

impl Price<'_> {
    /// Only the work counts.
    pub(super) const WORK: Price<'static> = Price { works: true, asking: &|_| Span::ZERO };
}

/// Part of a program that runs with a lock.
pub(super) struct Held {
    pub(super) lock: SyncId,
    /// How long it takes at most, with what follows at once; `None` if there is no longest, or it does more than compute.
    pub(super) longest: Option<Span>,
    /// The locks that it takes meanwhile.
    pub(super) inside: Vec<SyncId>,
}

/// The most that one run counts, if it only computes and takes locks, and there is a most.
pub(super) fn run(program: &Program, price: Price<'_>) -> Option<Span> {
    let most = to_the_end(&program.ops, price);
    most.first().copied().unwrap_or(Some(0)).map(Span::from_ns)
}

/// All parts that run with locks, for somebody whom only the holders of some keep from running, besides the lock of the part.
pub(super) fn sections(program: &Program, price: Price<'_>, keeps: &dyn Fn(SyncId) -> bool) -> Vec<Held> {
    let ops = &program.ops;
    let takes = (0..).zip(ops).filter_map(|(at, op)| Some((at, taken(op)?)));
    if takes.clone().next().is_none() {
        return Vec::new();
    }
    let lengths = Lengths::of(ops, price, keeps);
    let held = |(at, lock): (usize, SyncId)| {
        let mut inside: Vec<SyncId> = reached(ops, at + 1, lock).filter_map(|at| taken(&ops[at])).collect();
        inside.sort_unstable();
        inside.dedup();
        Held { lock, longest: lengths.until[&lock][at + 1].map(Span::from_ns), inside }
    };
    takes.map(held).collect()
}

/// The lock that the operation takes.
fn taken(op: &Op) -> Option<SyncId> {
    match op {
        Op::Sync(SyncOp::Lock(lock)) => Some(*lock),
        _ => None,
    }
}

fn is_given_back(op: &Op, lock: SyncId) -> bool {
    matches!(op, Op::Sync(SyncOp::Unlock(object)) if *object == lock)
}

/// From each operation to the end of the loop that it is in, or of the program.
fn to_the_end(ops: &[Op], price: Price<'_>) -> Vec<Option<u64>> {
    let mut most = vec![Some(0); ops.len() + 1];
    for at in (0..ops.len()).rev() {
        most[at] = match &ops[at] {
            Op::Again { .. } | Op::End => Some(0),
            op => step(at, op, &most, &most, price),
        };
    }
    most
}

/// Where a lock is given back while another is held that was taken meanwhile.
fn handed_on(ops: &[Op]) -> BTreeMap<usize, Vec<SyncId>> {
    let mut all: BTreeMap<usize, Vec<SyncId>> = BTreeMap::new();
    for (at, lock) in (0..).zip(ops).filter_map(|(at, op)| Some((at, taken(op)?))) {
        let inside = reached(ops, at + 1, lock).filter_map(|at| Some((at, taken(&ops[at])?)));
        for (taken_at, inner) in inside.filter(|(_, inner)| *inner != lock) {
            for back in reached(ops, taken_at + 1, inner).filter(|at| is_given_back(&ops[*at], lock)) {
                all.entry(back).or_default().push(inner);
            }
        }
    }
    all
}

/// How long is it from each operation to where somebody else can run?
struct Lengths<'a> {
    /// With that lock, given back on the way.
    until: BTreeMap<SyncId, Vec<Option<u64>>>,
    /// Without: until something is computed, if locks are taken before.
    from: Vec<Option<u64>>,
    /// The locks whose holders keep others from running.
    keeps: &'a dyn Fn(SyncId) -> bool,
    handed_on: BTreeMap<usize, Vec<SyncId>>,
}

impl<'a> Lengths<'a> {
    fn of(ops: &[Op], price: Price<'_>, keeps: &'a dyn Fn(SyncId) -> bool) -> Lengths<'a> {
        let to_end = to_the_end(ops, price);
        let none = || vec![None; ops.len() + 1];
        let until = ops.iter().filter_map(taken).map(|lock| (lock, none())).collect();
        let mut from = none();
        from[ops.len()] = Some(0);
        let mut lengths = Lengths { until, from, keeps, handed_on: handed_on(ops) };
        // A loop that begins with a lock goes on with it: what its foot leads to is known after one pass, and is no bound if it is
        // longer after another.
        let mut feet = vec![Some(0); ops.len()];
        for pass in 0..3 {
            for at in (0..ops.len()).rev() {
                lengths.step(at, ops, &feet, &to_end, price);
            }
            for (at, op) in ops.iter().enumerate() {
                let Op::Again { start, .. } = op else { continue };
                let leads_to = lengths.from[*start as usize];
                feet[at] = if pass > 0 && leads_to != feet[at] { None } else { leads_to };
            }
        }
        lengths
    }

    fn step(&mut self, at: usize, ops: &[Op], feet: &[Option<u64>], to_end: &[Option<u64>], price: Price<'_>) {
        let given_back = self.given_back(at);
        let Lengths { until, from, keeps, .. } = self;
        for (lock, most) in until.iter_mut() {
            most[at] = match &ops[at] {
                op if is_given_back(op, *lock) => given_back,
                Op::Repeat { end, .. } if ops[at..*end as usize].iter().any(|op| is_given_back(op, *lock)) => None,
                // It goes on in the next turn of the loop, or has not been given back.
                Op::Again { .. } | Op::End => None,
                op => step(at, op, most, to_end, price),
            };
        }
        let onward = |target: u32| from.get(target as usize).copied().flatten();
        from[at] = match &ops[at] {
            Op::Cpu(work) if work.least().is_zero() => from[at + 1],
            Op::Set(..) | Op::Add(..) | Op::Sync(SyncOp::Unlock(_)) => from[at + 1],
            Op::Sync(SyncOp::Lock(lock)) if !keeps(*lock) && from[at + 1] == Some(0) => Some(0),
            Op::Sync(SyncOp::Lock(lock)) => {
                let length = if keeps(*lock) { until[lock][at + 1] } else { from[at + 1] };
                length.and_then(|length| length.checked_add((price.asking)(*lock).ns()))
            }
            Op::Repeat { end, .. } => the_more(from[at + 1], onward(*end)),
            Op::Again { .. } => the_more(feet[at], from[at + 1]),
            Op::Jump(target) => onward(*target),
            Op::Choose(branches) => branches.iter().map(|(_, target)| onward(*target)).reduce(the_more).flatten(),
            Op::Test { otherwise, .. } => the_more(from[at + 1], onward(*otherwise)),
            // Whoever does anything else has let others in.
            _ => Some(0),
        };
    }

    /// How long nobody else can run behind an operation that gives a lock back.
    fn given_back(&self, at: usize) -> Option<u64> {
        let still = self.handed_on.get(&at).into_iter().flatten().filter(|lock| (self.keeps)(**lock));
        still.map(|lock| self.until[lock][at + 1]).fold(self.from[at + 1], the_more)
    }
}

/// What an operation counts, and what comes after it.
fn step(at: usize, op: &Op, after: &[Option<u64>], to_end: &[Option<u64>], price: Price<'_>) -> Option<u64> {
    let onward = |target: u32| if target as usize > at { after[target as usize] } else { None };
    let and_then = |takes: u64| after[at + 1]?.checked_add(takes);
    match op {
        Op::Cpu(_) if !price.works => and_then(0),
        Op::Cpu(work) => and_then(work.most()?.ns()),
        Op::Sync(SyncOp::Lock(lock)) => and_then((price.asking)(*lock).ns()),
        Op::Sync(SyncOp::Unlock(_)) | Op::Set(..) | Op::Add(..) => and_then(0),
        Op::Repeat { count, end, .. } => {
            let all = if *count == Some(0) { 0 } else { to_end[at + 1]?.checked_mul((*count)?)? };
            after[*end as usize]?.checked_add(all)
        }
        Op::Jump(target) => onward(*target),
        Op::Choose(branches) => {
            let likely = branches.iter().filter(|(weight, _)| *weight > 0.0);
            likely.map(|(_, target)| onward(*target)).reduce(the_more)?
        }
        Op::Test { otherwise, .. } => the_more(after[at + 1], onward(*otherwise)),
        _ => None,
    }
}

fn the_more(one: Option<u64>, other: Option<u64>) -> Option<u64> {
    Some(one?.max(other?))
}

/// The operations that can be reached from one on before the lock is given back.
fn reached(ops: &[Op], from: usize, lock: SyncId) -> impl Iterator<Item = usize> {
    let mut seen = vec![false; ops.len()];
    let mut next = vec![from];
    while let Some(at) = next.pop() {
        if at >= ops.len() || is_given_back(&ops[at], lock) || std::mem::replace(&mut seen[at], true) {
            continue;
        }
        match &ops[at] {
            Op::End => {}
            Op::Again { start, .. } => next.extend([at + 1, *start as usize]),
            Op::Repeat { end, .. } => next.extend([at + 1, *end as usize]),
            Op::Jump(target) => next.push(*target as usize),
            Op::Choose(branches) => next.extend(branches.iter().map(|(_, target)| *target as usize)),
            Op::Test { otherwise, .. } => next.extend([at + 1, *otherwise as usize]),
            _ => next.push(at + 1),
        }
    }
    (0..ops.len()).filter(move |at| seen[*at])
}
