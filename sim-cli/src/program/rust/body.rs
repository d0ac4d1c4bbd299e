//! What a task does, as a function of Rust.

use sim_core::distribution::Distribution;
use sim_core::ids::{DeviceId, SpecId, SyncId};
use sim_core::scenario::{Op, SyncOp};

use super::guards::{Guards, after_endless, waits_for};
use super::laws::{Expression, digits, duration, float};
use super::{Rust, is_async, layout, text};
use crate::program::lines::Lines;
use crate::program::plan::{Flavour, Shared};
use crate::program::tree::{Node, leaves_behind, pruned};

/// A function on its way.
pub(super) struct Body<'p> {
    pub(super) rust: &'p Rust<'p>,
    pub(super) spec: SpecId,
    pub(super) ops: &'p [Op],
    pub(super) guards: Guards,
}

/// The function of a task.
pub(super) fn function(rust: &Rust<'_>, spec: SpecId) -> String {
    let plan = rust.plan;
    let mut lines = Lines::new();
    text::comments(plan.comment(spec).unwrap_or_default(), &mut lines);
    let head =
        format!("{}fn {}()", if is_async(plan.flavour(spec)) { "async " } else { "" }, rust.called.functions[spec]);
    // Written once, it shows which guards change.
    let mut body = Body { rust, spec, ops: &plan.scenario.specs[spec].program.ops, guards: Guards::default() };
    body.whole(&mut Lines::new());
    body.guards = body.guards.again();
    let mut inside = Lines::new();
    inside.deeper(|lines| body.whole(lines));
    if inside.is_empty() {
        lines.line(format!("{head} {{}}"));
    } else {
        lines.line(format!("{head} {{\n{}}}", inside.text()));
    }
    with_first_child(&lines.text())
}

/// A list that is made and filled at once is made with what is in it.
fn with_first_child(text: &str) -> String {
    let Some((before, after)) = text.split_once(" = Vec::new();\n") else { return text.to_owned() };
    let list = before.rsplit(' ').next().unwrap_or_default();
    let pushed = after.trim_start().strip_prefix(list).and_then(|rest| rest.strip_prefix(".push("));
    match pushed.and_then(|rest| rest.split_once(");\n")) {
        Some((child, rest)) if !child.contains('\n') => format!("{before} = vec![{child}];\n{rest}"),
        _ => format!("{before} = Vec::new();\n{}", with_first_child(after)),
    }
}

impl Body<'_> {
    pub(super) fn is_async(&self) -> bool {
        is_async(self.rust.plan.flavour(self.spec))
    }

    /// What is called and can wait: `await` in a loop, and what else a guard is unpacked by.
    pub(super) fn guarded(&self, call: &str) -> String {
        if self.is_async() { format!("{call}.await") } else { format!("{call}.unwrap()") }
    }

    fn awaited(&self, call: &str) -> String {
        if self.is_async() { format!("{call}.await;") } else { format!("{call};") }
    }

    pub(super) fn name(&self, shared: SyncId) -> &str {
        &self.rust.called.shared[&Shared::Sync(shared)]
    }

    /// All statements of the function.
    fn whole(&mut self, lines: &mut Lines) {
        let plan = self.rust.plan;
        for child in plan.children(self.spec, true) {
            lines.line(format!("let mut {} = Vec::new();", self.rust.called.children[&child]));
        }
        self.list(&pruned(&plan.bodies[self.spec]), true, lines);
        if !plan.bodies[self.spec].iter().any(after_endless) {
            self.end(lines);
        }
    }

    /// What is done at the end of the function.
    fn end(&mut self, lines: &mut Lines) {
        for guard in self.guards.left() {
            lines.line(format!("mem::forget({guard}); // it is never given back"));
        }
        let plan = self.rust.plan;
        for child in plan.children(self.spec, true) {
            if leaves_behind(&plan.bodies[self.spec], self.ops, child, false) {
                let list = &self.rust.called.children[&child];
                lines.line(format!("SPAWNED.lock().unwrap().extend({list}); // main waits for them"));
            }
        }
    }

    /// A block of its own.
    fn block(&mut self, nodes: &[Node], lines: &mut Lines) {
        self.guards.open();
        lines.deeper(|lines| self.list(nodes, true, lines));
        self.guards.close();
    }

    /// The statements of a list. At the end of a block what is held there is given back without a word.
    fn list(&mut self, nodes: &[Node], ends_block: bool, lines: &mut Lines) {
        // Behind what never ends comes nothing.
        let length = nodes.iter().position(after_endless).map_or(nodes.len(), |endless| endless + 1);
        for (number, node) in nodes[..length].iter().enumerate() {
            let is_last = ends_block && number + 1 == length;
            let mut own = lines.beside();
            match node {
                Node::Op(at) => self.op(&self.ops[*at].clone(), &nodes[number + 1..], &mut own),
                Node::Loop { count, body, .. } => self.repeat(*count, body, &mut own),
                Node::Section { take, body, .. } => self.section(*take, body, is_last, &mut own),
                Node::Choice { branches, .. } => self.choice(branches, "", &mut own),
            }
            let said: Vec<String> =
                self.rust.plan.comments_at(self.spec, node.at()).iter().map(|said| text::comment(said)).collect();
            lines.noted(&own, &said, " // ");
        }
    }

    fn repeat(&mut self, count: Option<u64>, body: &[Node], lines: &mut Lines) {
        let bound = |count: u64| {
            let suffix = if count > i32::MAX as u64 { "_u64" } else { "" };
            format!("for _ in 0..{}{suffix} {{", digits(count))
        };
        if body.is_empty() {
            // A loop in which nothing is done is one that computes.
            return lines.line("loop {\n    std::hint::spin_loop();\n}");
        }
        lines.line(count.map_or("loop {".to_owned(), bound));
        self.block(body, lines);
        lines.line("}");
    }

    fn section(&mut self, take: SyncOp, body: &[Node], is_last: bool, lines: &mut Lines) {
        let object = take.object();
        let semaphore = matches!(take, SyncOp::Acquire(..));
        if semaphore && !self.is_async() {
            self.sync(take, &[], lines);
            self.list(body, false, lines);
            self.release(take, lines);
        } else if !semaphore && waits_for(body, self.ops, object) {
            // Who waits needs the guard by its name.
            self.take(take, lines);
            self.list(body, false, lines);
            self.drop_guard(object, lines);
        } else if is_last {
            self.unnamed(take, lines);
            self.list(body, true, lines);
        } else {
            lines.line("{");
            self.guards.open();
            lines.deeper(|lines| {
                self.unnamed(take, lines);
                self.list(body, true, lines);
            });
            self.guards.close();
            lines.line("}");
        }
    }

    /// Releases what a semaphore has given.
    fn release(&mut self, take: SyncOp, lines: &mut Lines) {
        if let SyncOp::Acquire(semaphore, permits) = take {
            self.sync(SyncOp::Release(semaphore, permits), &[], lines);
        }
    }

    /// Takes one of the branches; `otherwise` is what stands before, behind another `if`.
    fn choice(&mut self, branches: &[(f64, Vec<Node>)], otherwise: &str, lines: &mut Lines) {
        let total: f64 = branches.iter().map(|(weight, _)| weight).sum();
        match branches {
            [(_, only)] => self.list(only, false, lines),
            [(_, first), (_, second)] if self.are_alike(first, second) => self.list(first, false, lines),
            [(_, first), (weight, second)] if first.is_empty() => {
                self.only_if(share(*weight, total), second, otherwise, lines);
            }
            [(weight, first), (_, second)] if second.is_empty() => {
                self.only_if(share(*weight, total), first, otherwise, lines);
            }
            [(weight, first), (_, second)] => {
                lines.line(format!("{otherwise}if random() < {} {{", share(*weight, total)));
                self.block(first, lines);
                match second.as_slice() {
                    [Node::Choice { branches: inner, .. }] if self.is_if(inner) => self.choice(inner, "} else ", lines),
                    _ => {
                        lines.line("} else {");
                        self.block(second, lines);
                        lines.line("}");
                    }
                }
            }
            _ => self.several(branches, "", lines),
        }
    }

    /// Do two lists do the same?
    fn are_alike(&self, one: &[Node], other: &[Node]) -> bool {
        let mut found = [Vec::new(), Vec::new()];
        for (nodes, found) in [one, other].into_iter().zip(&mut found) {
            crate::program::tree::each_op(nodes, self.ops, &mut |op| found.push(op));
        }
        let is_flat = |nodes: &[Node]| nodes.iter().all(|node| matches!(node, Node::Op(_)));
        is_flat(one) && is_flat(other) && found[0] == found[1]
    }

    /// Does a choice become an `if`, and nothing else?
    fn is_if(&self, branches: &[(f64, Vec<Node>)]) -> bool {
        matches!(branches, [(_, first), (_, second)] if !self.are_alike(first, second))
    }

    /// What is done in one case and not in the other.
    fn only_if(&mut self, share: String, nodes: &[Node], otherwise: &str, lines: &mut Lines) {
        let (conditions, nodes) = self.conditions(vec![share], nodes);
        lines.line(format!("{otherwise}if {conditions} {{"));
        self.block(nodes, lines);
        lines.line("}");
    }

    /// Shares as a condition; a choice that is all that is done then, and does nothing otherwise, becomes one more.
    fn conditions<'n>(&self, mut shares: Vec<String>, nodes: &'n [Node]) -> (String, &'n [Node]) {
        if let Some((share, inner)) = self.alone(nodes) {
            shares.push(share);
            return self.conditions(shares, inner);
        }
        let conditions: Vec<String> = shares.iter().map(|share| format!("random() < {share}")).collect();
        (conditions.join(" && "), nodes)
    }

    /// If all that is done is done in one case, and nothing in the other: how likely that is, and what it is.
    fn alone<'n>(&self, nodes: &'n [Node]) -> Option<(String, &'n [Node])> {
        let [Node::Choice { at, branches }] = nodes else { return None };
        let [(one, first), (other, second)] = branches.as_slice() else { return None };
        // What has a comment stays by itself.
        if first.is_empty() == second.is_empty() || !self.rust.plan.comments_at(self.spec, *at).is_empty() {
            return None;
        }
        let (weight, nodes) = if first.is_empty() { (other, second) } else { (one, first) };
        Some((share(*weight, one + other), nodes))
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
            (_, Some((share, inner))) if ends_empty => {
                let (conditions, inner) = self.conditions(vec![share], inner);
                lines.line(format!("{pattern} if {conditions} => {{"));
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

    /// An operation, in front of the rest of its list.
    fn op(&mut self, op: &Op, rest: &[Node], lines: &mut Lines) {
        match op {
            Op::Cpu(work) => statement("compute(", &duration(work), ");", lines),
            Op::Sleep(time) => self.sleep(time, "", lines),
            Op::Yield if self.is_async() => lines.line("tokio::task::yield_now().await;"),
            Op::Yield => lines.line("thread::yield_now();"),
            Op::Io { device, service, blocking, .. } => self.io(*device, service, *blocking, lines),
            Op::Sync(op) => self.sync(*op, rest, lines),
            Op::Spawn(called) if self.rust.plan.is_called(*called) => {
                let function = &self.rust.called.functions[*called];
                let call = format!("tokio::task::spawn_blocking({function})");
                layout::chain("", &[&call, ".await", ".unwrap()"], lines);
            }
            Op::Join(called) if self.rust.plan.is_called(*called) => {}
            Op::Spawn(child) => self.spawn(*child, lines),
            Op::Join(child) => self.join(*child, lines),
            Op::Attempt(_) | Op::End | Op::Repeat { .. } | Op::Again { .. } | Op::Choose(_) | Op::Jump(_) => {}
            // Refused before.
            Op::Set(..) | Op::Add(..) | Op::Test { .. } | Op::Begin { .. } | Op::Turn { .. } => {}
        }
    }

    fn sleep(&self, time: &Distribution, comment: &str, lines: &mut Lines) {
        let (call, behind) =
            if self.is_async() { ("tokio::time::sleep(", ").await;") } else { ("thread::sleep(", ");") };
        statement(call, &duration(time), &format!("{behind}{comment}"), lines);
    }

    fn io(&mut self, device: DeviceId, service: &Distribution, blocking: bool, lines: &mut Lines) {
        let rust = self.rust;
        let comment = format!(" // io: {}", text::comment(&rust.plan.scenario.devices[device].name));
        let channels = rust.called.shared.get(&Shared::Device(device));
        if let Some(channels) = channels {
            if self.is_async() {
                layout::chain("let channel = ", &[channels, ".acquire()", ".await", ".unwrap()"], lines);
            } else {
                lines.line(format!("{channels}.acquire({});", if rust.counts() { "1" } else { "" }));
            }
        }
        match rust.plan.flavour(self.spec) {
            Flavour::Async if blocking => {
                lines.line("// This call blocks: the event loop stands still, and every other task with it.");
            }
            Flavour::Stealing if blocking => {
                lines.line("// This call blocks: a worker stands still, and the tasks that it has.");
            }
            _ => {}
        }
        if blocking {
            statement("thread::sleep(", &duration(service), &format!(");{comment}"), lines);
        } else {
            self.sleep(service, &comment, lines);
        }
        if let Some(channels) = channels {
            lines.line(if self.is_async() {
                "drop(channel);".to_owned()
            } else {
                format!("{channels}.release({});", if rust.counts() { "1" } else { "" })
            });
        }
    }

    fn sync(&mut self, op: SyncOp, rest: &[Node], lines: &mut Lines) {
        let name = self.name(op.object()).to_owned();
        let count = |permits: u32| if self.rust.counts() { permits.to_string() } else { String::new() };
        match op {
            SyncOp::Lock(_) | SyncOp::Read(_) | SyncOp::Write(_) => self.take_before(op, rest, lines),
            SyncOp::Unlock(lock) => self.drop_guard(lock, lines),
            SyncOp::Acquire(_, permits) if self.is_async() => {
                let acquire = format!(".{}", acquired(permits));
                layout::chain("", &[&name, &acquire, ".await", ".unwrap()", ".forget()"], lines);
            }
            SyncOp::Acquire(_, permits) => lines.line(format!("{name}.acquire({});", count(permits))),
            SyncOp::Release(_, permits) if self.is_async() => lines.line(format!("{name}.add_permits({permits});")),
            SyncOp::Release(_, permits) => lines.line(format!("{name}.release({});", count(permits))),
            SyncOp::Send(_) => lines.line(self.awaited(&format!("{name}.send()"))),
            SyncOp::Receive(_) => lines.line(self.awaited(&format!("{name}.recv()"))),
            SyncOp::Wait { lock, .. } => self.wait(&name, lock, lines),
            SyncOp::Notify(_) => lines.line(format!("{name}.notify_one();")),
            SyncOp::NotifyAll(_) => lines.line(format!("{name}.notify_all();")),
            SyncOp::Arrive(_) => lines.line(self.awaited(&format!("{name}.wait()"))),
        }
    }

    fn spawn(&self, child: SpecId, lines: &mut Lines) {
        let (rust, plan) = (self.rust, self.rust.plan);
        let is_kept = plan.children(self.spec, true).contains(&child);
        let list = if is_kept { &rust.called.children[&child] } else { "SPAWNED.lock().unwrap()" };
        let spawn = rust.spawn_function(plan.flavour(child));
        let name = format!("\"{}\"", text::escaped(&plan.task_name(child)));
        let task = format!("{}{}", rust.called.functions[child], if self.is_async() { "()" } else { "" });
        layout::call(&format!("{list}.push({spawn}("), &[name, task], "));", lines);
    }

    fn join(&self, child: SpecId, lines: &mut Lines) {
        let join = if self.is_async() { "await" } else { "join()" };
        // A list that is filled again afterwards is only emptied.
        let plan = self.rust.plan;
        let body = &plan.bodies[self.spec];
        let is_join = |op: &&Op| **op == Op::Join(child);
        let once = plan.ops(self.spec).into_iter().filter(is_join).count() == 1
            && body.iter().any(|node| matches!(node, Node::Op(at) if is_join(&&self.ops[*at])));
        let is_last = once && !leaves_behind(body, self.ops, child, false);
        let emptied = if is_last { "" } else { ".drain(..)" };
        lines.line(format!("for child in {}{emptied} {{", self.rust.called.children[&child]));
        lines.line(format!("    child.{join}.unwrap();\n}}"));
    }
}

/// How so many permits are asked for.
pub(super) fn acquired(permits: u32) -> String {
    if permits == 1 { "acquire()".to_owned() } else { format!("acquire_many({permits})") }
}

/// A call with a duration.
fn statement(before: &str, duration: &Expression, behind: &str, lines: &mut Lines) {
    let before = format!("{before}{}", duration.before);
    layout::call(&before, &duration.arguments, &format!("{}{behind}", duration.behind), lines);
}

/// A weight as a share of all, without more digits than it needs.
fn share(weight: f64, total: f64) -> String {
    if (total - 1.0).abs() < 1e-9 || (weight - total).abs() < 1e-12 {
        float(weight / total.max(weight))
    } else {
        format!("{} / {}", float(weight), float(total))
    }
}
