//! Rust: a program with the standard library alone; with tokio where tasks share a thread.
//!
//! A task is a function; who runs it is a thread, a task of tokio, a process, a worker of a pool, or nobody but the program
//! itself. What tasks share are statics: they need no arguments, and no counting of references.

mod body;
mod decisions;
mod guards;
mod helpers;
mod laws;
mod layout;
mod objects;
mod refused;
mod start;
mod text;

use std::collections::BTreeSet;

use sim_core::ids::SpecId;
use sim_core::scenario::{Op, SyncOp};

use super::lines::Lines;
use super::names::Names;
use super::plan::{Called, Flavour, Naming, Plan};
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
    called: Called,
}

fn write(plan: &Plan<'_>) -> Result<String, Vec<Refusal>> {
    let refused = refused::all(plan);
    if refused.is_empty() { Ok(Rust::new(plan).program()) } else { Err(refused) }
}

/// Are the tasks of such an executor those of tokio?
fn is_async(flavour: Flavour) -> bool {
    matches!(flavour, Flavour::Async | Flavour::Stealing)
}

/// Names in capital letters that are there already: two names can be one in these.
#[derive(Default)]
struct Constants(BTreeSet<String>);

impl Constants {
    fn take(&mut self, names: &mut Names, name: &str, kind: &str) -> String {
        loop {
            let taken = names.take(name, kind).to_uppercase();
            if self.0.insert(taken.clone()) {
                return taken;
            }
        }
    }
}

impl Naming for Constants {
    fn shared(&mut self, names: &mut Names, name: &str, kind: &str) -> String {
        self.take(names, name, kind)
    }

    fn plural(&self, flavour: Flavour) -> &'static str {
        if is_async(flavour) { "tasks" } else { "threads" }
    }

    /// A semaphore counts them where some wait and others do not.
    fn keeps_those_before(&self, plan: &Plan<'_>, waits: SpecId) -> bool {
        let by_itself = matches!(plan.flavour(waits), Flavour::Threads | Flavour::Async | Flavour::Stealing);
        by_itself && !plan.stages_say_all(plan.scenario.specs[waits].process)
    }

    fn waited_for(&mut self, names: &mut Names, function: &str, _: Flavour) -> String {
        self.take(names, &format!("{function}_ended"), "semaphore")
    }
}

impl<'p> Rust<'p> {
    fn new(plan: &'p Plan<'p>) -> Rust<'p> {
        let called = plan.calls(&mut Names::new(RESERVED), &mut Constants::default());
        Rust { plan, called }
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
        counted || self.called.waited_for.keys().any(|spec| in_threads(*spec))
    }

    fn program(&self) -> String {
        let mut code = Lines::new();
        let globals = self.globals();
        if !globals.is_empty() {
            code.line(&globals);
        }
        // What the tasks do comes first: it is what people look for.
        let mut functions: Vec<String> = Vec::new();
        for spec in self.called.functions.ids().filter(|spec| !self.called.copies.contains(spec)) {
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
