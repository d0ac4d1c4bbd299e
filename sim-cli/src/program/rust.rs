//! Rust: a program with the standard library alone; with tokio where tasks share a thread.
//!
//! A task is a function; who runs it is a thread, a task of tokio, a process, a worker of a pool, or nobody but the program
//! itself. What tasks share are statics: they need no arguments, and no counting of references.

mod body;
mod guards;
mod helpers;
mod laws;
mod layout;
mod objects;
mod refused;
mod start;
mod text;

use std::collections::{BTreeMap, BTreeSet};

use sim_core::ids::{IdVec, ProcessId, SpecId};
use sim_core::scenario::{Op, SyncOp};

use super::lines::Lines;
use super::names::Names;
use super::plan::{Flavour, Functions, Plan, Shared};
use super::{Language, Refusal};

/// The entry on the shelf.
pub(super) static LANGUAGE: Language = Language {
    name: "rust",
    summary: "Rust 1.80 or newer: std::thread, std::process, std::sync; tokio for tasks of async",
    write,
};

/// Words that are no names, or have a meaning in the programs.
const RESERVED: &[&str] = &[
    "as",
    "async",
    "await",
    "break",
    "const",
    "continue",
    "crate",
    "dyn",
    "else",
    "enum",
    "extern",
    "false",
    "fn",
    "for",
    "if",
    "impl",
    "in",
    "let",
    "loop",
    "match",
    "mod",
    "move",
    "mut",
    "pub",
    "ref",
    "return",
    "self",
    "static",
    "struct",
    "super",
    "trait",
    "true",
    "type",
    "unsafe",
    "use",
    "where",
    "while",
    "abstract",
    "become",
    "box",
    "do",
    "final",
    "gen",
    "macro",
    "override",
    "priv",
    "try",
    "typeof",
    "unsized",
    "virtual",
    "yield",
    "union",
    "raw",
    "_",
    // What every program has, and modules.
    "drop",
    "some",
    "none",
    "ok",
    "err",
    "bool",
    "char",
    "str",
    "u8",
    "u32",
    "u64",
    "usize",
    "f64",
    "std",
    "core",
    "alloc",
    "tokio",
    "env",
    "mem",
    "mpsc",
    "process",
    "thread",
    // What programs have names for.
    "arrival",
    "arrivals",
    "at",
    "bounded_pareto",
    "channel",
    "child",
    "compute",
    "end",
    "erlang",
    "exponential",
    "i",
    "jobs",
    "join_spawned",
    "lognormal",
    "main",
    "ms",
    "name",
    "normal",
    "now",
    "numbers",
    "pareto",
    "pick",
    "processes",
    "queue",
    "random",
    "report",
    "run",
    "run_async",
    "run_process",
    "runtime",
    "scope",
    "sleep_until",
    "sleep_until_async",
    "spawn",
    "spawn_async",
    "spawned",
    "standard_normal",
    "start",
    "state",
    "task",
    "tasks",
    "times",
    "uniform",
    "until",
    "vary",
    "work",
    "worker",
];

/// A program on its way.
struct Rust<'p> {
    plan: &'p Plan<'p>,
    /// The function of each task.
    functions: IdVec<SpecId, String>,
    /// The tasks whose function is that of another: of copies of a process.
    copies: BTreeSet<SpecId>,
    /// The function of each process, if there are several.
    processes: BTreeMap<ProcessId, String>,
    /// What each shared thing is called.
    shared: BTreeMap<Shared, String>,
    /// The list of those that a task has spawned and will join, by who is spawned.
    children: BTreeMap<SpecId, String>,
    /// The semaphore that counts the ends of those for which some wait and others do not.
    waited_for: BTreeMap<SpecId, String>,
}

fn write(plan: &Plan<'_>) -> Result<String, Vec<Refusal>> {
    let refused = refused::all(plan);
    if refused.is_empty() { Ok(Rust::new(plan).program()) } else { Err(refused) }
}

/// Are the tasks of such an executor those of tokio?
fn is_async(flavour: Flavour) -> bool {
    matches!(flavour, Flavour::Async | Flavour::Stealing)
}

impl<'p> Rust<'p> {
    fn new(plan: &'p Plan<'p>) -> Rust<'p> {
        let scenario = plan.scenario;
        let mut names = Names::new(RESERVED);
        let mut statics = BTreeSet::new();
        let Functions { names: functions, copies } = plan.functions(&mut names);
        let several = plan.processes().count() > 1;
        let in_process = plan.processes().filter(|(id, _)| several && plan.flavours[*id] != Flavour::Processes);
        let processes = in_process.map(|(id, process)| (id, names.take(&process.name, "process"))).collect();
        // Two names can be one in capital letters.
        let mut constant = |names: &mut Names, name: &str, kind: &str| loop {
            let taken = names.take(name, kind).to_uppercase();
            if statics.insert(taken.clone()) {
                return taken;
            }
        };
        let mut shared = BTreeMap::new();
        for thing in plan.all_shared() {
            let (name, kind) = match thing {
                Shared::Sync(sync) => (&scenario.syncs[sync].name, scenario.syncs[sync].kind.word()),
                Shared::Device(device) => (&scenario.devices[device].name, "device"),
            };
            shared.insert(thing, constant(&mut names, name, kind));
        }
        let (mut children, mut waited_for) = (BTreeMap::new(), BTreeMap::new());
        for (id, spec) in scenario.specs.pairs() {
            for child in plan.children(id, false) {
                let kind = if is_async(plan.flavour(child)) { "tasks" } else { "threads" };
                let name = format!("{}_{kind}", functions[child]);
                children.entry(child).or_insert_with(|| names.take(&name, "list"));
            }
            let by_itself =
                matches!(plan.flavours[spec.process], Flavour::Threads | Flavour::Async | Flavour::Stealing);
            let staged = !by_itself || plan.stages_say_all(spec.process);
            for before in spec.after.iter().filter(|_| !staged) {
                let name = format!("{}_ended", functions[*before]);
                waited_for.entry(*before).or_insert_with(|| constant(&mut names, &name, "semaphore"));
            }
        }
        Rust { plan, functions, copies, processes, shared, children, waited_for }
    }

    /// Is there a process with such an executor?
    fn has(&self, flavours: &[Flavour]) -> bool {
        self.plan.flavours.iter().any(|flavour| flavours.contains(flavour))
    }

    /// Are there processes with functions of their own?
    fn has_several(&self) -> bool {
        self.plan.processes().count() > 1
    }

    /// Does a task of threads ask for several permits at once, or wait for several others? Then all say how many.
    fn counts(&self) -> bool {
        let several = |op: &Op| matches!(op, Op::Sync(SyncOp::Acquire(_, 2..) | SyncOp::Release(_, 2..)));
        let in_threads = |spec: SpecId| !is_async(self.plan.flavour(spec));
        let mut specs = self.plan.scenario.specs.pairs();
        let counted = specs.any(|(id, spec)| in_threads(id) && spec.program.ops.iter().any(several));
        counted || self.waited_for.keys().any(|spec| in_threads(*spec))
    }

    fn program(&self) -> String {
        let mut code = Lines::new();
        let globals = self.globals();
        if !globals.is_empty() {
            code.line(&globals);
        }
        // What the tasks do comes first: it is what people look for.
        let mut functions: Vec<String> = Vec::new();
        for spec in self.functions.ids().filter(|spec| !self.copies.contains(spec)) {
            functions.push(body::function(self, spec));
        }
        let (running, starts) = (self.running(), self.starts());
        let calling = [globals.as_str(), &functions.concat(), &running.concat(), &starts.concat()].concat();
        functions.extend(helpers::used_by(&calling, self.counts(), self.plan.scenario.seed));
        functions.extend(running);
        functions.extend(starts);
        code.line(functions.join("\n").trim_end());
        let code = code.text();
        format!("{}\n{}\n{}", self.head(&code), helpers::imports(&code), code).trim_end().to_owned() + "\n"
    }

    /// The comment at the head of the program.
    fn head(&self, code: &str) -> String {
        let mut said = vec![self.plan.scenario.title.clone()];
        if !self.plan.head.is_empty() {
            said.push(String::new());
            said.extend(self.plan.head.iter().cloned());
        }
        said.push(String::new());
        said.push(format!(
            "Exported by `sim export {} --to rust`. What the file says and this program does not:",
            self.plan.file
        ));
        let notes = self.plan.notes().into_iter().chain(refused::notes(self));
        said.extend(notes.map(|note| format!("- {note}")));
        said.push(String::new());
        match helpers::features(code) {
            None => said.push("Run it: rustc -O program.rs && ./program".to_owned()),
            Some(features) => {
                said.push("It needs tokio. In a new package, with this as src/main.rs:".to_owned());
                said.push(format!("cargo add tokio --features {features} && cargo run --release"));
            }
        }
        let said: Vec<String> = said.into_iter().skip_while(String::is_empty).collect();
        let mut lines = Lines::new();
        text::comments(&said, &mut lines);
        lines.text()
    }
}
