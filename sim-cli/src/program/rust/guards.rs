//! Locks as guards: variables that hold a lock until they end.
//!
//! A scenario says at each point which locks are held, the same on all ways there. So a guard is a variable where a lock is
//! taken, `drop` where it is given back, and an assignment where it is taken again for those who gave it back inside.

use sim_core::ids::SyncId;
use sim_core::scenario::{Op, SyncOp};

use super::body::{Body, acquired};
use super::layout;
use crate::program::lines::Lines;
use crate::program::tree::{Node, Rounds, each_op};

/// The guards of a function, those in scope last.
#[derive(Default)]
pub(super) struct Guards {
    /// What each is of, what it is called, its number, and whether it holds its lock.
    scope: Vec<(SyncId, String, usize, bool)>,
    /// How many there were where blocks began.
    blocks: Vec<usize>,
    /// Which of all are assigned to.
    assigned: Vec<bool>,
    /// The same of all, where they have been written before.
    known: Vec<bool>,
}

impl Guards {
    /// None yet, of a function that has been written once: now it is known which are assigned to.
    pub(super) fn again(self) -> Guards {
        Guards { known: self.assigned, ..Guards::default() }
    }

    pub(super) fn open(&mut self) {
        self.blocks.push(self.scope.len());
    }

    pub(super) fn close(&mut self) {
        self.scope.truncate(self.blocks.pop().unwrap_or(0));
    }

    /// The names of those that hold a lock at the end.
    pub(super) fn left(&self) -> Vec<String> {
        self.scope.iter().filter(|guard| guard.3).map(|guard| guard.1.clone()).collect()
    }

    /// Declares a guard: what stands behind `let`.
    fn declare(&mut self, lock: SyncId, name: &str) -> String {
        let number = self.assigned.len();
        self.assigned.push(false);
        self.scope.push((lock, name.to_owned(), number, true));
        let is_assigned = self.known.get(number).is_some_and(|assigned| *assigned);
        format!("{}{name}", if is_assigned { "mut " } else { "" })
    }

    fn find(&mut self, lock: SyncId) -> Option<&mut (SyncId, String, usize, bool)> {
        self.scope.iter_mut().rev().find(|guard| guard.0 == lock)
    }

    /// Assigns to the guard of a lock: its name.
    fn assign(&mut self, lock: SyncId) -> Option<String> {
        let guard = self.find(lock)?;
        guard.3 = true;
        let (name, number) = (guard.1.clone(), guard.2);
        self.assigned[number] = true;
        Some(name)
    }
}

impl Body<'_> {
    /// The variable for the guard of an object: its name in small letters.
    fn guard_name(&self, object: SyncId) -> String {
        let name = self.name(object);
        let small = name.to_lowercase();
        // Scripts without small letters: a variable cannot be called like a static.
        if small == name { format!("held_{small}") } else { small }
    }

    /// The call that takes it.
    fn taking(&self, take: SyncOp) -> Vec<String> {
        let call = match take {
            SyncOp::Read(_) => "read()".to_owned(),
            SyncOp::Write(_) => "write()".to_owned(),
            SyncOp::Acquire(_, permits) => format!("{}.await", acquired(permits)),
            _ => "lock()".to_owned(),
        };
        let is_permit = matches!(take, SyncOp::Acquire(..));
        let unpacked = if self.is_async() && !is_permit { "await" } else { "unwrap()" };
        let mut chain = vec![self.name(take.object()).to_owned()];
        chain.extend(call.split('.').map(|link| format!(".{link}")));
        chain.push(format!(".{unpacked}"));
        chain
    }

    /// Takes something for the rest of the block.
    pub(super) fn unnamed(&self, take: SyncOp, lines: &mut Lines) {
        let chain = self.taking(take);
        let chain: Vec<&str> = chain.iter().map(String::as_str).collect();
        layout::chain(&format!("let _{} = ", self.guard_name(take.object())), &chain, lines);
    }

    /// Takes a lock, and has its guard by name.
    pub(super) fn take(&mut self, take: SyncOp, lines: &mut Lines) {
        let name = self.guard_name(take.object());
        let chain = self.taking(take);
        let declared = self.guards.declare(take.object(), &name);
        let chain: Vec<&str> = chain.iter().map(String::as_str).collect();
        layout::chain(&format!("let {declared} = "), &chain, lines);
    }

    /// Takes a lock that is given back in the rest of the list, or has been given back inside of this block.
    pub(super) fn take_before(&mut self, take: SyncOp, rest: &[Node], lines: &mut Lines) {
        let lock = take.object();
        let is_given_back = has(rest, self.ops, SyncOp::Unlock(lock));
        let taken_again = self.guards.find(lock).is_some_and(|guard| !guard.3);
        if taken_again
            && !is_given_back
            && let Some(name) = self.guards.assign(lock)
        {
            let chain = self.taking(take);
            let chain: Vec<&str> = chain.iter().map(String::as_str).collect();
            layout::chain(&format!("{name} = "), &chain, lines);
        } else {
            self.take(take, lines);
        }
    }

    pub(super) fn drop_guard(&mut self, lock: SyncId, lines: &mut Lines) {
        let fallback = self.guard_name(lock);
        let name = self.guards.find(lock).map_or(fallback, |guard| {
            guard.3 = false;
            guard.1.clone()
        });
        lines.line(format!("drop({name});"));
    }

    /// Waits for a notification; meanwhile others have the lock.
    pub(super) fn wait(&mut self, condvar: &str, lock: SyncId, lines: &mut Lines) {
        let fallback = self.guard_name(lock);
        let name = self.guards.assign(lock).unwrap_or(fallback);
        lines.line(format!("{name} = {};", self.guarded(&format!("{condvar}.wait({name})"))));
    }
}

/// Is there such an operation in these lists?
fn has(nodes: &[Node], ops: &[Op], sync: SyncOp) -> bool {
    let mut found = false;
    each_op(nodes, ops, &mut |op| found |= *op == Op::Sync(sync));
    found
}

/// Does somebody wait with this lock in these lists?
pub(super) fn waits_for(nodes: &[Node], ops: &[Op], with: SyncId) -> bool {
    let mut found = false;
    each_op(nodes, ops, &mut |op| found |= matches!(op, Op::Sync(SyncOp::Wait { lock, .. }) if *lock == with));
    found
}

/// Does nothing come after this node: is it, or does it end with, a loop for ever?
pub(super) fn after_endless(node: &Node) -> bool {
    match node {
        Node::Op(_) | Node::Loop { rounds: Rounds::Times(0) | Rounds::While, .. } => false,
        Node::Loop { rounds: Rounds::Forever, .. } => true,
        Node::If { then, otherwise, .. } => [then, otherwise].iter().all(|list| list.iter().any(after_endless)),
        Node::Loop { body, .. } | Node::Section { body, .. } => body.iter().any(after_endless),
        Node::Choice { branches, .. } => branches.iter().all(|(_, body)| body.iter().any(after_endless)),
    }
}

/// A lock that a branch takes and does not give back: behind the choice nobody has its guard.
pub(super) fn escapes(nodes: &[Node], ops: &[Op], outer: &[SyncId]) -> Option<SyncId> {
    let mut held: Vec<SyncId> = outer.to_vec();
    for node in nodes {
        let found = match node {
            Node::Op(at) => {
                if let Op::Sync(SyncOp::Lock(lock) | SyncOp::Read(lock) | SyncOp::Write(lock)) = ops[*at] {
                    held.push(lock);
                }
                None
            }
            Node::Loop { body, .. } => escapes(body, ops, &held),
            Node::Section { body, take, .. } => escapes(body, ops, &[held.as_slice(), &[take.object()]].concat()),
            Node::If { then, otherwise, .. } => {
                [then, otherwise].into_iter().find_map(|body| escapes_one(body, ops, &held))
            }
            Node::Choice { branches, .. } => branches.iter().find_map(|(_, body)| escapes_one(body, ops, &held)),
        };
        if found.is_some() {
            return found;
        }
    }
    None
}

/// The same of one of several lists, before which these are held.
fn escapes_one(body: &[Node], ops: &[Op], held: &[SyncId]) -> Option<SyncId> {
    let new = |lock: &SyncId| !held.contains(lock) && is_held_at_end(body, ops, *lock);
    let mut taken = Vec::new();
    each_op(body, ops, &mut |op| {
        if let Op::Sync(SyncOp::Lock(lock) | SyncOp::Read(lock) | SyncOp::Write(lock)) = op {
            taken.push(*lock);
        }
    });
    taken.into_iter().find(new).or_else(|| escapes(body, ops, held))
}

/// Does a list, in which a lock is taken, end with it? Sections give it back.
fn is_held_at_end(nodes: &[Node], ops: &[Op], of: SyncId) -> bool {
    let after = |held: bool, body: &[Node]| {
        if has(body, ops, SyncOp::Unlock(of)) { false } else { held || is_held_at_end(body, ops, of) }
    };
    nodes.iter().fold(false, |held, node| match node {
        Node::Op(at) => match ops[*at] {
            Op::Sync(SyncOp::Lock(lock) | SyncOp::Read(lock) | SyncOp::Write(lock)) if lock == of => true,
            Op::Sync(SyncOp::Unlock(lock)) if lock == of => false,
            _ => held,
        },
        Node::Loop { .. } | Node::Section { .. } => held,
        Node::If { then, otherwise, .. } => [then, otherwise].into_iter().fold(held, |held, body| after(held, body)),
        Node::Choice { branches, .. } => branches.iter().fold(held, |held, (_, body)| after(held, body)),
    })
}
