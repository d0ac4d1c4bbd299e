//! What a task does, as a function of Rust.

use sim_core::distribution::Distribution;
use sim_core::ids::{DeviceId, SpecId, SyncId, VariableId};
use sim_core::scenario::{Op, SyncOp};

use super::guards::{Guards, after_endless, waits_for};
use super::laws::{Expression, digits, duration};
use super::{Rust, is_async, layout, text};
use crate::program::lines::Lines;
use crate::program::plan::{Flavour, Shared};
use crate::program::tree::{Node, Rounds, leaves_behind, pruned};

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
    pub(super) fn block(&mut self, nodes: &[Node], lines: &mut Lines) {
        self.guards.open();
        lines.deeper(|lines| self.list(nodes, true, lines));
        self.guards.close();
    }

    /// The statements of a list. At the end of a block what is held there is given back without a word.
    pub(super) fn list(&mut self, nodes: &[Node], ends_block: bool, lines: &mut Lines) {
        // Behind what never ends comes nothing.
        let length = nodes.iter().position(after_endless).map_or(nodes.len(), |endless| endless + 1);
        for (number, node) in nodes[..length].iter().enumerate() {
            let is_last = ends_block && number + 1 == length;
            let mut own = lines.beside();
            match node {
                Node::Op(at) => self.op(&self.ops[*at].clone(), &nodes[number + 1..], &mut own),
                Node::Loop { at, rounds, body } => self.repeat(*at, *rounds, body, &mut own),
                Node::Section { take, body, .. } => self.section(*take, body, is_last, &mut own),
                Node::If { .. } | Node::Choice { .. } => self.decision(node, &mut own),
            }
            let said: Vec<String> =
                self.rust.plan.comments_at(self.spec, node.at()).iter().map(|said| text::comment(said)).collect();
            lines.noted(&own, &said, " // ");
        }
    }

    fn repeat(&mut self, at: usize, rounds: Rounds, body: &[Node], lines: &mut Lines) {
        match rounds {
            // A loop in which nothing is done is one that computes.
            Rounds::Forever if body.is_empty() => return lines.line("loop {\n    std::hint::spin_loop();\n}"),
            Rounds::Forever => lines.line("loop {"),
            Rounds::Times(count) => {
                let suffix = if count > i32::MAX as u64 { "_u64" } else { "" };
                lines.line(format!("for _ in 0..{}{suffix} {{", digits(count)));
            }
            Rounds::While => layout::condition("while ", &self.holds(at), lines),
        }
        if body.is_empty() {
            lines.line("    std::hint::spin_loop();");
        }
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
            Op::Set(variable, to) => self.changes(*variable, &format!("store({to}, Ordering::SeqCst)"), lines),
            Op::Add(variable, by) => self.changes(*variable, &format!("fetch_add({by}, Ordering::SeqCst)"), lines),
            // A condition is that of its node; the others have been refused.
            Op::Test { .. } | Op::Begin { .. } | Op::Turn { .. } => {}
        }
    }

    fn changes(&self, variable: VariableId, call: &str, lines: &mut Lines) {
        lines.line(format!("{}.{call};", self.rust.called.variables[variable]));
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
