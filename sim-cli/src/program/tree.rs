//! A program as a tree again: what the flat list of operations was made of, loops and branches, and sections under a lock.

use std::collections::BTreeMap;

use sim_core::ids::{SpecId, SyncId};
use sim_core::scenario::{Op, SyncOp};

/// A part of a program.
#[derive(Clone, PartialEq, Debug)]
pub enum Node {
    /// An operation that is neither a loop nor a branch, by its place in the flat list.
    Op(usize),
    /// A loop.
    Loop {
        /// The place of its head in the flat list.
        at: usize,
        /// How often.
        rounds: Rounds,
        /// What is repeated.
        body: Vec<Node>,
    },
    /// What is done if a condition holds, and if it does not.
    If {
        /// The place of the condition in the flat list.
        at: usize,
        /// What is done if it holds.
        then: Vec<Node>,
        /// What is done if it does not.
        otherwise: Vec<Node>,
    },
    /// One of several branches.
    Choice {
        /// Its place in the flat list.
        at: usize,
        /// Each with its weight.
        branches: Vec<(f64, Vec<Node>)>,
    },
    /// What is done between taking something and giving it back.
    Section {
        /// What takes it: an operation on a lock, an rwlock or a semaphore.
        take: SyncOp,
        /// The place of that operation in the flat list.
        at: usize,
        /// What is done meanwhile.
        body: Vec<Node>,
    },
}

/// How often a loop goes round.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Rounds {
    /// So often.
    Times(u64),
    /// Without end.
    Forever,
    /// For as long as the condition holds that is its head.
    While,
}

impl Node {
    /// The place in the flat list of the operation that it is or begins with.
    #[must_use]
    pub fn at(&self) -> usize {
        match self {
            Node::Op(at)
            | Node::Loop { at, .. }
            | Node::If { at, .. }
            | Node::Choice { at, .. }
            | Node::Section { at, .. } => *at,
        }
    }
}

/// The tree of a flat list of operations; `None` if the list was not made of loops and branches.
#[must_use]
pub fn tree(ops: &[Op]) -> Option<Vec<Node>> {
    Some(with_sections(nodes(ops, 0, ops.len())?, ops))
}

fn nodes(ops: &[Op], mut at: usize, end: usize) -> Option<Vec<Node>> {
    let mut found = Vec::new();
    while at < end {
        match ops.get(at)? {
            Op::Repeat { count, end: after, .. } => {
                let after = *after as usize;
                let is_whole = after <= end && after >= at + 2 && matches!(ops[after - 1], Op::Again { .. });
                let body = is_whole.then(|| nodes(ops, at + 1, after - 1))??;
                let rounds = count.map_or(Rounds::Forever, Rounds::Times);
                found.push(Node::Loop { at, rounds, body });
                at = after;
            }
            Op::Test { otherwise, .. } => {
                let (node, after) = tested(ops, at, *otherwise as usize, end)?;
                found.push(node);
                at = after;
            }
            Op::Choose(branches) => {
                let (branches, after) = choice(ops, branches, end)?;
                found.push(Node::Choice { at, branches });
                at = after;
            }
            Op::Again { .. } | Op::Jump(_) => return None,
            _ => {
                found.push(Node::Op(at));
                at += 1;
            }
        }
    }
    Some(found)
}

/// What goes by the condition there, of which `otherwise` says where the program goes on without it; and where it goes on after.
fn tested(ops: &[Op], at: usize, otherwise: usize, end: usize) -> Option<(Node, usize)> {
    let jump = otherwise.checked_sub(1).filter(|last| *last > at && otherwise <= end);
    match jump.and_then(|last| Some((last, ops.get(last)?))) {
        Some((last, Op::Jump(target))) if *target as usize == at => {
            Some((Node::Loop { at, rounds: Rounds::While, body: nodes(ops, at + 1, last)? }, otherwise))
        }
        // A jump to where it is anyhow is that of a branch in the list.
        Some((last, Op::Jump(target))) if *target as usize > otherwise && *target as usize <= end => {
            let after = *target as usize;
            let (then, otherwise) = (nodes(ops, at + 1, last)?, nodes(ops, otherwise, after)?);
            Some((Node::If { at, then, otherwise }, after))
        }
        _ => {
            // An empty list behind `else` has a jump before it that goes nowhere.
            let then = nodes(ops, at + 1, otherwise).or_else(|| nodes(ops, at + 1, jump?))?;
            Some((Node::If { at, then, otherwise: Vec::new() }, otherwise))
        }
    }
}

/// Branches, each with its weight.
type Branches = Vec<(f64, Vec<Node>)>;

/// The branches, and where the program goes on after them.
fn choice(ops: &[Op], branches: &[(f64, u32)], end: usize) -> Option<(Branches, usize)> {
    // Each branch but the last ends with a jump behind all of them; a single one is followed by what comes next.
    let starts: Vec<usize> = branches.iter().map(|(_, start)| *start as usize).collect();
    let after = match starts.get(1) {
        None => *starts.first()?,
        Some(second) => match ops.get(second.checked_sub(1)?)? {
            Op::Jump(after) => *after as usize,
            _ => return None,
        },
    };
    if after > end {
        return None;
    }
    let ends = starts.iter().skip(1).map(|next| next.checked_sub(1)).chain([Some(after)]);
    let branch =
        |((weight, start), end): (&(f64, u32), Option<usize>)| Some((*weight, nodes(ops, *start as usize, end?)?));
    let branches = branches.iter().zip(ends).map(branch).collect::<Option<Vec<_>>>()?;
    Some((branches, after))
}

/// The same with sections, where something is taken and given back in one list and all that is taken in between is given back
/// in between.
fn with_sections(nodes: Vec<Node>, ops: &[Op]) -> Vec<Node> {
    let inner = |node| match node {
        Node::Loop { at, rounds, body } => Node::Loop { at, rounds, body: with_sections(body, ops) },
        Node::If { at, then, otherwise } => {
            Node::If { at, then: with_sections(then, ops), otherwise: with_sections(otherwise, ops) }
        }
        Node::Choice { at, branches } => {
            let branch = |(weight, body)| (weight, with_sections(body, ops));
            Node::Choice { at, branches: branches.into_iter().map(branch).collect() }
        }
        node => node,
    };
    let mut rest: Vec<Node> = nodes.into_iter().map(inner).collect();
    let mut found = Vec::new();
    while !rest.is_empty() {
        let node = rest.remove(0);
        match section_end(&node, &rest, ops) {
            Some((take, at, length)) => {
                let body: Vec<Node> = rest.drain(..length).collect();
                rest.remove(0);
                found.push(Node::Section { take, at, body: with_sections(body, ops) });
            }
            None => found.push(node),
        }
    }
    found
}

/// If this node takes something: how, where, and after how many of the following nodes it is given back.
fn section_end(node: &Node, rest: &[Node], ops: &[Op]) -> Option<(SyncOp, usize, usize)> {
    let Node::Op(at) = node else { return None };
    let Op::Sync(take) = &ops[*at] else { return None };
    let back = match take {
        SyncOp::Lock(lock) | SyncOp::Read(lock) | SyncOp::Write(lock) => SyncOp::Unlock(*lock),
        SyncOp::Acquire(semaphore, permits) => SyncOp::Release(*semaphore, *permits),
        _ => return None,
    };
    let gives = |node: &Node| matches!(node, Node::Op(at) if ops[*at] == Op::Sync(back));
    let length = rest.iter().position(gives)?;
    is_balanced(&rest[..length], ops).then_some((*take, *at, length))
}

/// Is everything given back that is taken, and nothing before it is taken?
fn is_balanced(nodes: &[Node], ops: &[Op]) -> bool {
    let mut taken: BTreeMap<SyncId, i64> = BTreeMap::new();
    nodes.iter().all(|node| match node {
        Node::Op(at) => match &ops[*at] {
            Op::Sync(op) => {
                let change = match op {
                    SyncOp::Lock(_) | SyncOp::Read(_) | SyncOp::Write(_) => 1,
                    SyncOp::Unlock(_) => -1,
                    SyncOp::Acquire(_, permits) => i64::from(*permits),
                    SyncOp::Release(_, permits) => -i64::from(*permits),
                    _ => 0,
                };
                let now = taken.entry(op.object()).or_insert(0);
                *now += change;
                *now >= 0
            }
            _ => true,
        },
        Node::Loop { body, .. } | Node::Section { body, .. } => is_balanced(body, ops),
        Node::If { then, otherwise, .. } => is_balanced(then, ops) && is_balanced(otherwise, ops),
        Node::Choice { branches, .. } => branches.iter().all(|(_, body)| is_balanced(body, ops)),
    }) && taken.values().all(|left| *left == 0)
}

/// The same without what does nothing: loops and branches in which nothing stands. One that may not end stays.
#[must_use]
pub fn pruned(nodes: &[Node]) -> Vec<Node> {
    let prune = |node: &Node| match node {
        Node::Op(at) => Some(Node::Op(*at)),
        Node::Section { take, at, body } => Some(Node::Section { take: *take, at: *at, body: pruned(body) }),
        Node::Loop { at, rounds, body } => {
            let body = pruned(body);
            let ends = matches!(rounds, Rounds::Times(_));
            (!ends || !body.is_empty()).then_some(Node::Loop { at: *at, rounds: *rounds, body })
        }
        Node::If { at, then, otherwise } => {
            let (then, otherwise) = (pruned(then), pruned(otherwise));
            let is_empty = then.is_empty() && otherwise.is_empty();
            (!is_empty).then_some(Node::If { at: *at, then, otherwise })
        }
        Node::Choice { at, branches } => {
            let branches: Vec<(f64, Vec<Node>)> =
                branches.iter().map(|(weight, body)| (*weight, pruned(body))).collect();
            let is_empty = branches.iter().all(|(_, body)| body.is_empty());
            (!is_empty).then_some(Node::Choice { at: *at, branches })
        }
    };
    nodes.iter().filter_map(prune).collect()
}

/// All operations of a tree, with their places in the flat list; the ends of sections are not among them.
pub fn each_op<'o>(nodes: &[Node], ops: &'o [Op], see: &mut impl FnMut(&'o Op)) {
    for node in nodes {
        match node {
            Node::Op(at) => see(&ops[*at]),
            Node::Loop { at, rounds, body } => {
                if *rounds == Rounds::While {
                    see(&ops[*at]);
                }
                each_op(body, ops, see);
            }
            Node::If { at, then, otherwise } => {
                see(&ops[*at]);
                each_op(then, ops, see);
                each_op(otherwise, ops, see);
            }
            Node::Section { at, body, .. } => {
                see(&ops[*at]);
                each_op(body, ops, see);
            }
            Node::Choice { branches, .. } => branches.iter().for_each(|(_, body)| each_op(body, ops, see)),
        }
    }
}

/// Can a program end while instances that it spawned of this task have not been joined?
#[must_use]
pub fn leaves_behind(nodes: &[Node], ops: &[Op], of: SpecId, before: bool) -> bool {
    nodes.iter().fold(before, |pending, node| match node {
        Node::Op(at) => match &ops[*at] {
            Op::Spawn(spec) if *spec == of => true,
            Op::Join(spec) if *spec == of => false,
            _ => pending,
        },
        Node::Loop { rounds: Rounds::Times(0), .. } => pending,
        Node::Loop { rounds: Rounds::While, body, .. } => pending || leaves_behind(body, ops, of, pending),
        Node::Loop { body, .. } | Node::Section { body, .. } => leaves_behind(body, ops, of, pending),
        Node::If { then, otherwise, .. } => {
            leaves_behind(then, ops, of, pending) || leaves_behind(otherwise, ops, of, pending)
        }
        Node::Choice { branches, .. } => branches.iter().any(|(_, body)| leaves_behind(body, ops, of, pending)),
    })
}

#[cfg(test)]
mod tests {
    use sim_core::document::Source;
    use sim_core::scenario::lower;

    use super::*;

    /// The tree in a line, with the numbers of operations.
    fn shown(nodes: &[Node]) -> String {
        let node = |node: &Node| match node {
            Node::Op(at) => at.to_string(),
            Node::Loop { at, rounds, body } => match rounds {
                Rounds::Times(count) => format!("{count}×({})", shown(body)),
                Rounds::Forever => format!("∞×({})", shown(body)),
                Rounds::While => format!("while {at} ({})", shown(body)),
            },
            Node::If { at, then, otherwise } => format!("if {at} ({}) else ({})", shown(then), shown(otherwise)),
            Node::Section { body, at, .. } => format!("with {at} ({})", shown(body)),
            Node::Choice { branches, .. } => {
                let branches: Vec<String> = branches.iter().map(|(_, body)| format!("({})", shown(body))).collect();
                branches.join("|")
            }
        };
        nodes.iter().map(node).collect::<Vec<_>>().join(" ")
    }

    fn of(program: &str) -> String {
        let objects = "[[lock]]\nname = \"a\"\n[[lock]]\nname = \"b\"\n[[semaphore]]\nname = \"s\"\npermits = 2\n";
        let objects = format!("{objects}[[variable]]\nname = \"x\"\n");
        let text = format!("until = \"1s\"\n{objects}[[task]]\nname = \"t\"\nprogram = [{program}]\n");
        let scenario = lower::scenario(&Source { file: "", text: &text }, &[]).unwrap();
        let program = &scenario.specs.iter().next().unwrap().program;
        tree(&program.ops).map_or("none".to_owned(), |nodes| shown(&nodes))
    }

    #[test]
    fn loops_and_branches_are_found_again() {
        assert_eq!(
            of("{ cpu = \"1ms\" }, { repeat = 2, do = [{ repeat = 3, do = [{ cpu = \"1ms\" }] }, \"yield\"] }"),
            "0 2×(3×(3) 5)"
        );
        assert_eq!(of("{ repeat = \"forever\", do = [] }"), "∞×()");
        let inner = "{ choose = [[1, [\"yield\"]], [1, [{ repeat = 2, do = [\"yield\"] }]]] }";
        assert_eq!(
            of(&format!("{{ choose = [[1, []], [2, [{{ cpu = \"1ms\" }}, {inner}]]] }}, \"yield\"")),
            "()|(2 (4)|(2×(7))) 9"
        );
        assert_eq!(of("{ choose = [[1, [{ cpu = \"1ms\" }]]] }, \"yield\""), "() 1 2");
    }

    #[test]
    fn conditions_are_found_again() {
        assert_eq!(of("{ if = \"x < 1\", do = [\"yield\"] }, \"yield\""), "if 0 (1) else () 2");
        assert_eq!(of("{ if = \"x < 1\", do = [\"yield\"], else = [\"yield\"] }, \"yield\""), "if 0 (1) else (3) 4");
        assert_eq!(of("{ if = \"x < 1\", do = [], else = [\"yield\"] }"), "if 0 () else (2)");
        let chosen = "{ choose = [[1, [\"yield\"]], [1, []]] }";
        assert_eq!(of(&format!("{{ if = \"x < 1\", do = [{chosen}] }}, \"yield\"")), "if 0 ((2)|()) else () 4");
        let loops = "{ while = \"x < 1\", do = [{ while = \"x < 2\", do = [\"yield\"] }] }";
        assert_eq!(of(loops), "while 0 (while 1 (2))");
        let nested = format!("{{ if = \"x < 1\", do = [{loops}], else = [{loops}, {chosen}] }}");
        assert_eq!(of(&nested), "if 0 (while 1 (while 2 (3))) else (while 7 (while 8 (9)) (13)|())");
        assert_eq!(of("{ while = \"x < 1\", do = [] }"), "while 0 ()");
        assert_eq!(of("{ if = \"x < 1\", do = [\"yield\"], else = [] }, \"yield\""), "if 0 (1) else () 3");
    }

    #[test]
    fn sections_are_what_is_nested_rightly() {
        assert_eq!(
            of("{ lock = \"a\" }, { with = \"b\", do = [\"yield\"] }, { unlock = \"a\" }"),
            "with 0 (with 1 (2))"
        );
        assert_eq!(of("{ lock = \"a\" }, { lock = \"b\" }, { unlock = \"a\" }, { unlock = \"b\" }"), "0 1 2 3");
        assert_eq!(
            of("{ lock = \"a\" }, { choose = [[1, [{ unlock = \"a\" }]], [1, [{ unlock = \"a\" }]]] }"),
            "0 (2)|(4)"
        );
        assert_eq!(of("{ acquire = \"s\", do = [\"yield\"] }, { release = \"s\" }"), "with 0 (1) 3");
        assert_eq!(of("{ acquire = \"s\" }, { release = \"s\", count = 2 }"), "0 1");
    }
}
