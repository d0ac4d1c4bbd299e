//! Python: a program for 3.9 and later, with the standard library alone.
//!
//! A task is a function; who runs it is a thread, a task of asyncio, a process, a worker of a pool, or nobody but the program
//! itself. What tasks share are objects of the module of that executor: globals where tasks are threads, and arguments where
//! they belong to an event loop or must reach another process.

mod body;
mod helpers;
mod laws;
mod objects;
mod refused;
mod several;
mod start;
mod text;

use std::collections::BTreeMap;

use sim_core::ids::{ProcessId, SpecId};
use sim_core::scenario::{Op, SyncKind};

use super::lines::Lines;
use super::names::Names;
use super::plan::{Called, Flavour, Naming, Plan, Shared};
use super::{Language, Refusal};

/// The entry on the shelf.
pub(super) static LANGUAGE: Language = Language {
    name: "python",
    summary: "Python 3.9 or newer: threading, asyncio, multiprocessing, concurrent.futures",
    write,
};

/// Words that are no names, or have a meaning in the programs.
const RESERVED: &[&str] = &[
    "false",
    "none",
    "true",
    "and",
    "as",
    "assert",
    "async",
    "await",
    "break",
    "class",
    "continue",
    "def",
    "del",
    "elif",
    "else",
    "except",
    "finally",
    "for",
    "from",
    "global",
    "if",
    "import",
    "in",
    "is",
    "lambda",
    "nonlocal",
    "not",
    "or",
    "pass",
    "raise",
    "return",
    "try",
    "while",
    "with",
    "yield",
    "match",
    "case",
    "type",
    "_",
    // What Python has built in, as far as programs use it, and modules.
    "enumerate",
    "globals",
    "len",
    "list",
    "max",
    "next",
    "print",
    "range",
    "sorted",
    "dict",
    "asyncio",
    "itertools",
    "multiprocessing",
    "os",
    "queue",
    "random",
    "sys",
    "threading",
    "time",
    // What programs have names for.
    "arrivals",
    "at",
    "begin",
    "bounded_pareto",
    "branch",
    "child",
    "compute",
    "ended",
    "fork_context",
    "forkserver_context",
    "future",
    "futures",
    "gate",
    "i",
    "in_loop",
    "main",
    "name",
    "now",
    "pool",
    "process",
    "processes",
    "report",
    "run",
    "run_async",
    "run_process",
    "share",
    "spawn",
    "spawn_context",
    "spawned",
    "started",
    "task",
    "tasks",
    "thread",
    "threads",
    "together",
    "wait",
    "work",
];

/// What a program begins with that has barriers of asyncio.
const NEEDS_3_11: &str = "\
if sys.version_info < (3, 11):
    sys.exit(\"this program needs Python 3.11 or newer, which has asyncio.Barrier\")
";

/// A program on its way.
struct Python<'p> {
    plan: &'p Plan<'p>,
    called: Called,
    /// The counter that numbers those that are spawned.
    numbers: BTreeMap<SpecId, String>,
    /// The pools beside event loops which these do not have by themselves.
    pools: BTreeMap<ProcessId, String>,
}

fn write(plan: &Plan<'_>) -> Result<String, Vec<Refusal>> {
    let refused = refused::all(plan);
    if refused.is_empty() { Ok(Python::new(plan).program()) } else { Err(refused) }
}

/// Names are as they are.
struct Plain;

impl Naming for Plain {
    fn shared(&mut self, names: &mut Names, name: &str, kind: &str) -> String {
        names.take(name, kind)
    }

    fn plural(&self, flavour: Flavour) -> &'static str {
        collection(flavour)
    }

    fn keeps_those_before(&self, _: &Plan<'_>, _: SpecId) -> bool {
        true
    }

    /// The list of them.
    fn waited_for(&mut self, names: &mut Names, function: &str, flavour: Flavour) -> String {
        names.take(&format!("{function}_{}", collection(flavour)), "list")
    }
}

impl<'p> Python<'p> {
    fn new(plan: &'p Plan<'p>) -> Python<'p> {
        let scenario = plan.scenario;
        let mut names = Names::new(RESERVED);
        let called = plan.calls(&mut names, &mut Plain);
        let number = |child: &SpecId| (*child, names.take(&format!("{}_number", called.functions[*child]), "list"));
        let numbers = called.children.keys().map(number).collect();
        let beside = scenario.processes.pairs().filter(|(id, _)| !plan.is_default(*id));
        let beside = beside.filter_map(|(id, process)| Some((id, process.part.as_ref()?)));
        let pools = beside.map(|(id, part)| (id, names.take(&part.pool, "pool"))).collect();
        Python { plan, called, numbers, pools }
    }

    /// What the function of a task is given.
    fn parameters(&self, spec: SpecId) -> Vec<String> {
        if self.gives_objects(spec) {
            self.plan.uses(spec).map(|thing| self.called.shared[&thing].clone()).collect()
        } else {
            Vec::new()
        }
    }

    /// Is what is shared given to the functions?
    fn gives_objects(&self, spec: SpecId) -> bool {
        matches!(self.plan.flavour(spec), Flavour::Async | Flavour::Processes)
    }

    /// Is there a process with such an executor?
    fn has(&self, flavours: &[Flavour]) -> bool {
        self.plan.flavours.iter().any(|flavour| flavours.contains(flavour))
    }

    /// Are there processes with functions of their own?
    fn has_several(&self) -> bool {
        self.plan.processes().count() > 1
    }

    fn program(&self) -> String {
        let mut code = Lines::new();
        let globals = self.globals();
        if !globals.is_empty() {
            code.line(format!("{}\n", globals.trim_end()));
        }
        // What the tasks do comes first: it is what people look for.
        let mut functions: Vec<String> = Vec::new();
        for spec in self.called.functions.ids().filter(|spec| !self.called.copies.contains(spec)) {
            functions.push(body::function(self, spec));
        }
        let (helpers, starts) = (self.helpers(), self.starts());
        let calling = [functions.concat(), helpers.concat(), starts.concat()].concat();
        functions.extend(helpers::used_by(&calling));
        functions.extend(helpers);
        functions.extend(starts);
        code.line(format!("\n{}", functions.join("\n\n").trim_end()));
        let code = code.text();
        // A program that is too new for an interpreter says so before it needs anything.
        let code = if self.needs_3_11() { format!("{NEEDS_3_11}\n{code}") } else { code };
        format!("{}\n\n{}\n{}", self.head(), helpers::imports(&code), code).trim_end().to_owned() + "\n"
    }

    /// The docstring of the program.
    fn head(&self) -> String {
        let mut lines = vec![self.plan.scenario.title.clone()];
        if !self.plan.head.is_empty() {
            lines.push(String::new());
            lines.extend(self.plan.head.iter().cloned());
        }
        lines.push(String::new());
        if self.needs_3_11() {
            lines.push("It needs Python 3.11 or newer, which has asyncio.Barrier.".to_owned());
            lines.push(String::new());
        }
        lines.push(format!(
            "Exported by `sim export {} --to python`. What the file says and this program does not:",
            self.plan.file
        ));
        let of_python = refused::notes(self);
        lines.extend(self.plan.notes().into_iter().chain(of_python).map(|note| format!("- {note}")));
        lines.retain({
            let mut first = true;
            move |line| !std::mem::take(&mut first) || !line.is_empty()
        });
        format!("#!/usr/bin/env python3\n{}", text::docstring(&lines))
    }

    /// Does an event loop have barriers, which asyncio has since Python 3.11?
    fn needs_3_11(&self) -> bool {
        let is_barrier = |shared: &Shared| matches!(shared, Shared::Sync(sync) if matches!(self.plan.scenario.syncs[*sync].kind, SyncKind::Barrier { .. }));
        let in_loop = |id: ProcessId| self.plan.flavours[id] == Flavour::Async;
        self.plan.processes().any(|(id, _)| in_loop(id) && self.plan.shared_in(id).iter().any(is_barrier))
    }

    /// Has any task such an operation?
    fn any_op(&self, is: impl Fn(&Op) -> bool) -> bool {
        self.plan.scenario.specs.iter().any(|spec| spec.program.ops.iter().any(&is))
    }
}

/// What those are called that run tasks.
fn collection(flavour: Flavour) -> &'static str {
    match flavour {
        Flavour::Async | Flavour::Stealing => "tasks",
        Flavour::Pool | Flavour::ProcessPool => "futures",
        Flavour::Processes => "processes",
        Flavour::Sequential | Flavour::Threads | Flavour::Beside => "threads",
    }
}
