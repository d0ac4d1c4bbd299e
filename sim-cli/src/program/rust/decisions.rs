//! Decisions: what is done by chance, and what is done where a condition holds.

use sim_core::scenario::{Comparison, Condition, Op, Operand};

use super::body::Body;
use super::laws::float;
use super::layout;
use crate::program::lines::Lines;
use crate::program::tree::{Node, each_op};

/// What is done if all of some conditions hold, and what is done otherwise.
struct If<'n> {
    conditions: Vec<String>,
    then: &'n [Node],
    otherwise: &'n [Node],
}

impl Body<'_> {
    /// Takes one of several ways.
    pub(super) fn decision(&mut self, node: &Node, lines: &mut Lines) {
        match (self.as_if(node), node) {
            (Some(decision), _) => self.write_if(decision, "", lines),
            (None, Node::Choice { branches, .. }) if branches.len() > 2 => self.several(branches, "", lines),
            // There is one way only.
            (None, Node::Choice { branches, .. }) => {
                branches.iter().take(1).for_each(|(_, only)| self.list(only, false, lines))
            }
            (None, Node::If { then, .. }) => self.list(then, false, lines),
            (None, _) => {}
        }
    }

    /// As one of two ways, if it is that.
    fn as_if<'n>(&self, node: &'n Node) -> Option<If<'n>> {
        match node {
            Node::If { at, then, otherwise } => {
                let Op::Test { condition, .. } = &self.ops[*at] else { return None };
                let decision = match condition.negated().filter(|_| then.is_empty()) {
                    Some(negated) => If { conditions: self.comparisons(&negated), then: otherwise, otherwise: then },
                    None => If { conditions: self.comparisons(condition), then, otherwise },
                };
                (!self.are_alike(then, otherwise)).then_some(decision)
            }
            Node::Choice { branches, .. } => {
                let [(one, first), (other, second)] = branches.as_slice() else { return None };
                let sides = [(one, first, second), (other, second, first)];
                let (weight, then, otherwise) = sides[usize::from(first.is_empty())];
                let conditions = vec![format!("random() < {}", share(*weight, one + other))];
                (!self.are_alike(first, second)).then_some(If { conditions, then, otherwise })
            }
            Node::Op(_) | Node::Loop { .. } | Node::Section { .. } => None,
        }
    }

    /// What must hold for what is done there.
    pub(super) fn holds(&self, at: usize) -> Vec<String> {
        if let Op::Test { condition, .. } = &self.ops[at] { self.comparisons(condition) } else { Vec::new() }
    }

    fn comparisons(&self, condition: &Condition) -> Vec<String> {
        let load = |variable| format!("{}.load(Ordering::SeqCst)", self.rust.called.variables[variable]);
        let comparison = |Comparison { variable, relation, with }: &Comparison| {
            let with = match with {
                Operand::Number(number) => number.to_string(),
                Operand::Variable(other) => load(*other),
            };
            format!("{} {} {with}", load(*variable), relation.sign())
        };
        condition.0.iter().map(comparison).collect()
    }

    /// `before` is what stands before, behind another `if`.
    fn write_if(&mut self, decision: If<'_>, before: &str, lines: &mut Lines) {
        let If { mut conditions, mut then, otherwise } = decision;
        if otherwise.is_empty() {
            (conditions, then) = self.merged(conditions, then);
        }
        layout::condition(&format!("{before}if "), &conditions, lines);
        self.block(then, lines);
        match otherwise {
            [] => lines.line("}"),
            [node] if self.is_plain_if(node) => {
                if let Some(decision) = self.as_if(node) {
                    self.write_if(decision, "} else ", lines);
                }
            }
            _ => {
                lines.line("} else {");
                self.block(otherwise, lines);
                lines.line("}");
            }
        }
    }

    /// What has a comment stays by itself.
    fn is_plain_if(&self, node: &Node) -> bool {
        self.as_if(node).is_some() && self.rust.plan.comments_at(self.spec, node.at()).is_empty()
    }

    /// Do two lists do the same?
    fn are_alike(&self, one: &[Node], other: &[Node]) -> bool {
        let mut found = [Vec::new(), Vec::new()];
        for (nodes, found) in [one, other].into_iter().zip(&mut found) {
            each_op(nodes, self.ops, &mut |op| found.push(op));
        }
        let is_flat = |nodes: &[Node]| nodes.iter().all(|node| matches!(node, Node::Op(_)));
        is_flat(one) && is_flat(other) && found[0] == found[1]
    }

    /// Conditions, and what is done if they hold; if that is all under further ones, these are added.
    fn merged<'n>(&self, mut conditions: Vec<String>, nodes: &'n [Node]) -> (Vec<String>, &'n [Node]) {
        match self.alone(nodes) {
            Some((more, inner)) => {
                conditions.extend(more);
                self.merged(conditions, inner)
            }
            None => (conditions, nodes),
        }
    }

    /// If all that is done is done in one case, and nothing in the other: when, and what it is.
    fn alone<'n>(&self, nodes: &'n [Node]) -> Option<(Vec<String>, &'n [Node])> {
        let [node] = nodes else { return None };
        let If { conditions, then, otherwise } = self.as_if(node).filter(|_| self.is_plain_if(node))?;
        otherwise.is_empty().then_some((conditions, then))
    }

    fn several(&mut self, branches: &[(f64, Vec<Node>)], before: &str, lines: &mut Lines) {
        let weighted = branches.iter().enumerate();
        let weighted: Vec<String> =
            weighted.map(|(number, (weight, _))| format!("({}, {number})", float(*weight))).collect();
        layout::call(&format!("{before}match pick(&["), &weighted, "]) {", lines);
        let ends_empty = branches.last().is_some_and(|(_, branch)| branch.is_empty());
        lines.deeper(|lines| {
            for (number, (_, branch)) in branches.iter().enumerate() {
                let pattern = if number + 1 == branches.len() { "_".to_owned() } else { number.to_string() };
                self.arm(&pattern, branch, ends_empty, lines);
            }
        });
        lines.line(if before.is_empty() { "}" } else { "}," });
    }

    /// An arm of several, of which the last is empty or not.
    fn arm(&mut self, pattern: &str, branch: &[Node], ends_empty: bool, lines: &mut Lines) {
        match (branch, self.alone(branch)) {
            ([], _) => lines.line(format!("{pattern} => {{}}")),
            ([Node::Choice { at, branches }], _)
                if branches.len() > 2 && self.rust.plan.comments_at(self.spec, *at).is_empty() =>
            {
                self.guards.open();
                self.several(branches, &format!("{pattern} => "), lines);
                self.guards.close();
            }
            // Otherwise nothing is done: that is what the last arm does.
            (_, Some((conditions, inner))) if ends_empty => {
                let (conditions, inner) = self.merged(conditions, inner);
                lines.line(format!("{pattern} if {} => {{", conditions.join(" && ")));
                self.block(inner, lines);
                lines.line("}");
            }
            _ => {
                lines.line(format!("{pattern} => {{"));
                self.block(branch, lines);
                lines.line("}");
            }
        }
    }
}

/// A weight as a share of all, without more digits than it needs.
fn share(weight: f64, total: f64) -> String {
    if (total - 1.0).abs() < 1e-9 || (weight - total).abs() < 1e-12 {
        float(weight / total.max(weight))
    } else {
        format!("{} / {}", float(weight), float(total))
    }
}
