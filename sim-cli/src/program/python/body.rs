//! What a task does, as a function of Python.

use sim_core::ids::SpecId;
use sim_core::ids::SyncId;
use sim_core::scenario::{Condition, Op, SyncOp};

use super::laws::duration;
use super::{Python, text};
use crate::program::lines::Lines;
use crate::program::plan::{Flavour, Shared};
use crate::program::tree::{Node, Rounds, leaves_behind, pruned};

/// A function on its way.
struct Body<'p> {
    python: &'p Python<'p>,
    spec: SpecId,
    ops: &'p [Op],
    /// The locks that are held here.
    held: Vec<SyncId>,
}

/// The function of a task.
pub(super) fn function(python: &Python<'_>, spec: SpecId) -> String {
    let plan = python.plan;
    let mut body = Body { python, spec, ops: &plan.scenario.specs[spec].program.ops, held: Vec::new() };
    let mut lines = Lines::new();
    let parameters = python.parameters(spec).join(", ");
    lines.line(format!("{}def {}({parameters}):", body.asynchronous(""), python.called.functions[spec]));
    lines.deeper(|lines| {
        if let Some(comment) = plan.comment(spec) {
            lines.line(text::docstring(comment));
        }
        let changed: Vec<&str> =
            plan.changed(spec).into_iter().map(|id| python.called.variables[id].as_str()).collect();
        if !changed.is_empty() {
            lines.line(format!("global {}", changed.join(", ")));
        }
        for child in plan.children(spec, true) {
            lines.line(format!("{} = []", python.called.children[&child]));
        }
        let nodes = pruned(&plan.bodies[spec]);
        body.nodes(&nodes, lines);
        if nodes.is_empty() && plan.comment(spec).is_none() {
            lines.line("pass");
        }
    });
    lines.text()
}

impl Body<'_> {
    fn is_async(&self) -> bool {
        self.python.plan.flavour(self.spec) == Flavour::Async
    }

    /// The same with `async` before it, in an event loop.
    fn asynchronous(&self, code: &str) -> String {
        if self.is_async() { format!("async {code}") } else { code.to_owned() }
    }

    /// What may wait, with `await` before it in an event loop.
    fn awaited(&self, code: &str) -> String {
        if self.is_async() { format!("await {code}") } else { code.to_owned() }
    }

    fn sleep(&self, seconds: &str) -> String {
        if self.is_async() { format!("await asyncio.sleep({seconds})") } else { format!("time.sleep({seconds})") }
    }

    fn name(&self, shared: SyncId) -> &str {
        &self.python.called.shared[&Shared::Sync(shared)]
    }

    fn block(&mut self, nodes: &[Node], lines: &mut Lines) {
        lines.deeper(|lines| {
            if nodes.is_empty() {
                lines.line("pass");
            }
            self.nodes(nodes, lines);
        });
    }

    fn nodes(&mut self, nodes: &[Node], lines: &mut Lines) {
        for node in nodes {
            let mut own = lines.beside();
            self.node(node, &mut own);
            let said = self.python.plan.comments_at(self.spec, node.at());
            let said: Vec<String> = said.iter().map(|said| text::comment(said)).collect();
            lines.noted(&own, &said, "  # ");
        }
    }

    fn node(&mut self, node: &Node, lines: &mut Lines) {
        match node {
            Node::Op(at) => self.op(&self.ops[*at].clone(), lines),
            Node::Loop { at, rounds, body } => {
                lines.line(match rounds {
                    Rounds::Times(count) => format!("for _ in range({count}):"),
                    Rounds::Forever => "while True:".to_owned(),
                    Rounds::While => format!("while {}:", self.condition(*at)),
                });
                self.block(body, lines);
            }
            Node::Section { take, body, .. } => {
                let lock = take.object();
                let with = self.asynchronous(&format!("with {}:", self.name(lock)));
                lines.line(with);
                self.held.push(lock);
                self.block(body, lines);
                self.held.pop();
            }
            Node::If { at, then, otherwise } => self.decision("if", *at, [then, otherwise], lines),
            Node::Choice { branches, .. } => self.choice(branches, lines),
        }
    }

    /// What is done if a condition holds, and what is done otherwise, behind this word.
    fn decision(&mut self, word: &str, at: usize, [then, otherwise]: [&[Node]; 2], lines: &mut Lines) {
        if then.is_empty() {
            let negated = if let Op::Test { condition, .. } = &self.ops[at] { condition.negated() } else { None };
            lines.line(match negated {
                Some(negated) => format!("{word} {}:", self.text(&negated)),
                None => format!("{word} not ({}):", self.condition(at)),
            });
            return self.block(otherwise, lines);
        }
        lines.line(format!("{word} {}:", self.condition(at)));
        self.block(then, lines);
        match otherwise {
            [] => {}
            // What has a comment stays by itself.
            [Node::If { at, then, otherwise }] if self.python.plan.comments_at(self.spec, *at).is_empty() => {
                self.decision("elif", *at, [then, otherwise], lines);
            }
            _ => {
                lines.line("else:");
                self.block(otherwise, lines);
            }
        }
    }

    /// What must hold there.
    fn condition(&self, at: usize) -> String {
        if let Op::Test { condition, .. } = &self.ops[at] { self.text(condition) } else { String::new() }
    }

    fn text(&self, condition: &Condition) -> String {
        condition.text(|variable| &self.python.called.variables[variable])
    }

    fn choice(&mut self, branches: &[(f64, Vec<Node>)], lines: &mut Lines) {
        let total: f64 = branches.iter().map(|(weight, _)| weight).sum();
        match branches {
            [(_, only)] => self.nodes(only, lines),
            [(_, first), (second_weight, second)] if first.is_empty() => {
                lines.line(format!("if random.random() < {}:", share(*second_weight, total)));
                self.block(second, lines);
            }
            [(first_weight, first), (_, second)] => {
                lines.line(format!("if random.random() < {}:", share(*first_weight, total)));
                self.block(first, lines);
                if !second.is_empty() {
                    lines.line("else:");
                    self.block(second, lines);
                }
            }
            _ => {
                let weights: Vec<String> = branches.iter().map(|(weight, _)| weight.to_string()).collect();
                let count = branches.len();
                lines.line(format!("branch = random.choices(range({count}), weights=[{}])[0]", weights.join(", ")));
                for (number, (_, branch)) in branches.iter().enumerate() {
                    lines.line(format!("{} branch == {number}:", if number == 0 { "if" } else { "elif" }));
                    self.block(branch, lines);
                }
            }
        }
    }

    fn op(&mut self, op: &Op, lines: &mut Lines) {
        match op {
            Op::Cpu(work) => lines.line(format!("compute({})", duration(work))),
            Op::Sleep(time) => lines.line(self.sleep(&duration(time))),
            Op::Yield => lines.line(format!("{}  # yields: others go first", self.sleep("0"))),
            Op::Io { device, service, blocking, .. } => {
                let name = text::comment(&self.python.plan.scenario.devices[*device].name);
                let duration = duration(service);
                let serve = |lines: &mut Lines| {
                    if *blocking && self.is_async() {
                        lines.line("# This call blocks: the event loop stands still, and every other task with it.");
                        lines.line(format!("time.sleep({duration})  # io: {name}"));
                    } else {
                        lines.line(format!("{}  # io: {name}", self.sleep(&duration)));
                    }
                };
                match self.python.called.shared.get(&Shared::Device(*device)) {
                    None => serve(lines),
                    Some(channels) => {
                        lines.line(self.asynchronous(&format!("with {channels}:")));
                        lines.deeper(serve);
                    }
                }
            }
            Op::Sync(op) => self.sync(*op, lines),
            Op::Spawn(called) if self.python.plan.is_called(*called) => {
                let python = self.python;
                let function = &python.called.functions[*called];
                lines.line(match python.pools.get(&python.plan.scenario.specs[*called].process) {
                    Some(pool) => format!("await asyncio.get_running_loop().run_in_executor({pool}, {function})"),
                    None => format!("await asyncio.to_thread({function})"),
                });
            }
            Op::Join(called) if self.python.plan.is_called(*called) => {}
            Op::Spawn(child) => self.spawn(*child, lines),
            Op::Join(child) => self.join(*child, lines),
            Op::Attempt(_) | Op::End | Op::Repeat { .. } | Op::Again { .. } | Op::Choose(_) | Op::Jump(_) => {}
            Op::Set(variable, to) => lines.line(format!("{} = {to}", self.python.called.variables[*variable])),
            Op::Add(variable, by) => {
                let (sign, by) = if *by < 0 { ("-=", by.unsigned_abs()) } else { ("+=", by.unsigned_abs()) };
                lines.line(format!("{} {sign} {by}", self.python.called.variables[*variable]));
            }
            // A condition is that of its node; the others have been refused.
            Op::Test { .. } | Op::Begin { .. } | Op::Turn { .. } => {}
        }
    }

    fn sync(&mut self, op: SyncOp, lines: &mut Lines) {
        let name = self.name(op.object()).to_owned();
        match op {
            SyncOp::Lock(lock) => {
                self.held.push(lock);
                lines.line(self.awaited(&format!("{name}.acquire()")));
            }
            // Rwlocks have been refused.
            SyncOp::Read(_) | SyncOp::Write(_) => {}
            SyncOp::Unlock(lock) => {
                self.held.retain(|held| *held != lock);
                lines.line(format!("{name}.release()"));
            }
            SyncOp::Acquire(..) => lines.line(self.awaited(&format!("{name}.acquire()"))),
            SyncOp::Release(_, 1) => lines.line(format!("{name}.release()")),
            SyncOp::Release(_, permits) => {
                lines.line(format!("for _ in range({permits}):"));
                lines.deeper(|lines| lines.line(format!("{name}.release()")));
            }
            SyncOp::Send(_) => lines.line(self.awaited(&format!("{name}.put(\"message\")"))),
            SyncOp::Receive(_) => lines.line(self.awaited(&format!("{name}.get()"))),
            SyncOp::Wait { .. } => lines.line(self.awaited(&format!("{name}.wait()"))),
            SyncOp::Notify(condvar) => self.notify(condvar, "notify()", lines),
            SyncOp::NotifyAll(condvar) => self.notify(condvar, "notify_all()", lines),
            SyncOp::Arrive(_) => lines.line(self.awaited(&format!("{name}.wait()"))),
        }
    }

    /// Python's condition variables notify only while their lock is held.
    fn notify(&self, condvar: SyncId, call: &str, lines: &mut Lines) {
        let name = self.name(condvar);
        let is_held = self.python.plan.locks_of(condvar).iter().any(|lock| self.held.contains(lock));
        if is_held {
            lines.line(format!("{name}.{call}"));
        } else {
            lines.line(self.asynchronous(&format!("with {name}:")));
            lines.deeper(|lines| lines.line(format!("{name}.{call}")));
        }
    }

    fn spawn(&self, child: SpecId, lines: &mut Lines) {
        let python = self.python;
        let name =
            format!("f\"{}#{{next({})}}\"", text::in_f_string(&python.plan.task_name(child)), python.numbers[&child]);
        let mut arguments = vec![name, python.called.functions[child].clone()];
        arguments.extend(python.parameters(child));
        let spawned = format!("spawn({})", arguments.join(", "));
        let is_kept = python.plan.children(self.spec, true).contains(&child);
        lines.line(if is_kept { format!("{}.append({spawned})", python.called.children[&child]) } else { spawned });
    }

    fn join(&self, child: SpecId, lines: &mut Lines) {
        let list = &self.python.called.children[&child];
        lines.line(format!("for child in {list}:"));
        let wait = match self.python.plan.flavour(self.spec) {
            Flavour::Async => "await child",
            Flavour::Pool => "child.result()",
            _ => "child.join()",
        };
        lines.deeper(|lines| lines.line(wait));
        // What is joined once need not be joined again.
        let plan = self.python.plan;
        if leaves_behind(&plan.bodies[self.spec], self.ops, child, false) {
            lines.line(format!("{list}.clear()"));
        }
    }
}

/// A weight as a share of all, without more digits than it needs.
fn share(weight: f64, total: f64) -> String {
    if (total - 1.0).abs() < 1e-9 { weight.to_string() } else { format!("{weight} / {total}") }
}
