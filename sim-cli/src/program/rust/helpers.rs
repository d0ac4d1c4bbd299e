//! What programs have beside the functions of their tasks: to compute, to draw, to run a task and note its times.

mod texts;

use sim_core::ids::SpecId;
use sim_core::time::Span;

use self::texts::{ALWAYS, COUNTING_SEMAPHORE, SEMAPHORE};
use super::laws::{constant, digits};
use super::{Rust, is_async};
use crate::program::lines::Lines;
use crate::program::plan::{Flavour, arrives_at_start};

/// The parts that this text uses, and those that they use.
pub(super) fn used_by(text: &str, counts: bool, seed: u64) -> Vec<String> {
    let semaphore = if counts { COUNTING_SEMAPHORE } else { SEMAPHORE };
    let helpers: Vec<(&str, &str)> = ALWAYS.iter().copied().chain([("Semaphore::new(", semaphore)]).collect();
    let mut is_used = vec![false; helpers.len()];
    let mut all = text.to_owned();
    while let Some(at) = (0..helpers.len()).find(|at| !is_used[*at] && is_called(&all, helpers[*at].0)) {
        is_used[at] = true;
        all.push_str(helpers[at].1);
    }
    let used = helpers.iter().zip(is_used).filter(|(_, used)| *used);
    // The clock that all processes have can be set back, and says so.
    let common = if text.contains("SystemTime") { "START.elapsed().unwrap_or_default()" } else { "START.elapsed()" };
    used.map(|((_, helper), _)| {
        with_methods(helper, text).replace("SEED", &digits(seed)).replace("START.elapsed()", common)
    })
    .collect()
}

/// A part with those of its methods that the text calls.
fn with_methods(helper: &str, text: &str) -> String {
    let methods = ["acquire", "release", "wait", "notify_one", "notify_all"];
    let is_unused = |method: &str| !text.contains(&format!(".{method}("));
    let (kind, all) = helper.split_once("\nimpl ").unwrap_or((helper, ""));
    if all.is_empty() {
        return helper.to_owned();
    }
    let mut kept: Vec<&str> = all.trim_end().trim_end_matches('}').trim_end().split("\n\n").collect();
    kept.retain(|part| {
        !methods.iter().any(|method| {
            part.contains(&format!("fn {method}(")) && !part.contains("const fn new") && is_unused(method)
        })
    });
    format!("{kind}\nimpl {}\n}}\n", kept.join("\n\n"))
}

/// Is it called, and not only something whose name ends like it?
fn is_called(text: &str, call: &str) -> bool {
    text.match_indices(call).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        !call.starts_with(char::is_alphabetic)
            || !before.is_some_and(|letter| letter.is_alphanumeric() || letter == '_')
    })
}

/// Paths, and what of them programs use: its name, and what shows that a text has it.
const PATHS: &[(&str, &[(&str, &str)])] = &[
    ("std::collections", &[("BTreeMap", "BTreeMap::"), ("VecDeque", "VecDeque<")]),
    ("std", &[("env", "env::")]),
    ("std::future", &[("Future", "Future<")]),
    ("std", &[("mem", "mem::forget")]),
    ("std::process", &[("self", "process::exit"), ("Child", "Child "), ("Command", "Command::")]),
    ("std::sync::atomic", &[("AtomicI64", "AtomicI64"), ("Ordering", "Ordering::")]),
    ("std::sync::mpsc", &[("self", "mpsc::"), ("Receiver", "Receiver<"), ("SyncSender", "SyncSender<")]),
    (
        "std::sync",
        &[
            ("Barrier", "Barrier>"),
            ("Condvar", "Condvar::new()"),
            ("LazyLock", "LazyLock"),
            ("Mutex", "Mutex"),
            ("RwLock", "RwLock<"),
        ],
    ),
    ("std::thread", &[("self", "thread::"), ("JoinHandle", "JoinHandle<")]),
    (
        "std::time",
        &[("Duration", "Duration"), ("Instant", "Instant"), ("SystemTime", "SystemTime"), ("UNIX_EPOCH", "UNIX_EPOCH")],
    ),
    ("tokio::runtime", &[("Builder", "Builder::")]),
    ("tokio::task", &[("JoinSet", "JoinSet::")]),
];

/// The lines that import what this text uses.
pub(super) fn imports(text: &str) -> String {
    let mut lines = Lines::new();
    let code: Vec<&str> = text.lines().map(|line| line.split("//").next().unwrap_or_default()).collect();
    let code = code.join("\n");
    for (path, items) in PATHS {
        let is_used = |what: &str| {
            code.match_indices(what).any(|(at, _)| {
                let before = code[..at].chars().next_back();
                !before.is_some_and(|letter| letter.is_alphanumeric() || matches!(letter, '_' | ':'))
            })
        };
        let used: Vec<&str> = items.iter().filter(|(_, what)| is_used(what)).map(|(name, _)| *name).collect();
        match used.as_slice() {
            [] => {}
            ["self"] => lines.line(format!("use {path};")),
            [only] => lines.line(format!("use {path}::{only};")),
            several => lines.line(format!("use {path}::{{{}}};", several.join(", "))),
        }
    }
    lines.text()
}

/// The features of tokio that this text needs, if it needs any.
pub(super) fn features(text: &str) -> Option<String> {
    let of = [
        ("new_multi_thread", "rt-multi-thread"),
        ("Builder::", "rt"),
        ("tokio::sync::", "sync"),
        ("enable_time", "time"),
    ];
    let used: Vec<&str> = of.into_iter().filter(|(what, _)| text.contains(what)).map(|(_, feature)| feature).collect();
    let used: Vec<&str> =
        if used.contains(&"rt-multi-thread") { used.into_iter().filter(|name| *name != "rt").collect() } else { used };
    (!used.is_empty()).then(|| used.join(","))
}

/// Those whose tasks note their times in this process.
const NOTING: &[Flavour] = &[Flavour::Sequential, Flavour::Threads, Flavour::Pool, Flavour::Async, Flavour::Stealing];

/// Those whose tasks are plain functions that note their times in this process.
const PLAIN: &[Flavour] = &[Flavour::Sequential, Flavour::Threads, Flavour::Pool];

const START: &str = "/// When the program started.\nstatic START: LazyLock<Instant> = LazyLock::new(Instant::now);";

/// Several processes must agree on when the program started.
const COMMON_START: &str = "\
/// When the program started: the processes that it starts are told, in nanoseconds since 1970.
static START: LazyLock<SystemTime> = LazyLock::new(|| match env::args().nth(2) {
    Some(nanos) => UNIX_EPOCH + Duration::from_nanos(nanos.parse().unwrap()),
    None => SystemTime::now(),
});";

impl Rust<'_> {
    /// The constants and statics.
    pub(super) fn globals(&self) -> String {
        let plan = self.plan;
        let mut lines = Lines::new();
        if let Some(until) = plan.scenario.until {
            let until = constant(Span::from_ns(until.ns()));
            lines.line(format!("const UNTIL: Duration = {until}; // what is not done then is given up"));
        }
        lines.line(if self.starts_itself() { COMMON_START } else { START });
        if self.has(NOTING) {
            let end = if plan.scenario.until.is_some() { "Option<Duration>" } else { "Duration" };
            lines.line("/// When each task started and ended.");
            lines.line(format!("static TIMES: Mutex<Vec<(String, Duration, {end})>> = Mutex::new(Vec::new());"));
        }
        let spawning = plan.scenario.processes.pairs().filter(|(id, _)| plan.spawns(*id));
        let mut spawning = spawning.map(|(id, _)| id).peekable();
        if spawning.peek().is_some() {
            lines.line("/// How many of each task have been spawned.");
            lines.line("static NUMBERS: Mutex<BTreeMap<&str, u32>> = Mutex::new(BTreeMap::new());");
        }
        if let Some(process) = spawning.find(|id| plan.leaves_behind(*id)) {
            let handle = handle(plan.flavours[process]);
            lines.line("/// Tasks for which those who spawned them do not wait.");
            lines.line(format!("static SPAWNED: Mutex<Vec<{handle}>> = Mutex::new(Vec::new());"));
        }
        for (id, variable) in plan.scenario.variables.pairs() {
            let (name, value) = (&self.called.variables[id], variable.value);
            lines.line(format!("static {name}: AtomicI64 = AtomicI64::new({value});"));
        }
        for id in plan.scenario.processes.ids() {
            self.objects(id).iter().for_each(|line| lines.line(line));
        }
        lines.text()
    }

    /// Does the program start itself again, as another process?
    pub(super) fn starts_itself(&self) -> bool {
        self.has_several() || self.has(&[Flavour::Processes])
    }

    /// What the function is called that runs a task.
    pub(super) fn run(&self, flavour: Flavour) -> &'static str {
        let asynchronous: &[Flavour] = &[Flavour::Async, Flavour::Stealing];
        let kinds = [PLAIN, asynchronous, &[Flavour::Processes]];
        let mixed = kinds.iter().filter(|kind| self.has(kind)).count() > 1;
        match flavour {
            _ if !mixed || PLAIN.contains(&flavour) => "run",
            Flavour::Async | Flavour::Stealing => "run_async",
            _ => "run_process",
        }
    }

    /// What the function is called that spawns a task.
    pub(super) fn spawn_function(&self, flavour: Flavour) -> &'static str {
        if is_async(flavour) && self.has(PLAIN) { "spawn_async" } else { "spawn" }
    }

    /// The functions that run tasks, spawn them, and report.
    pub(super) fn running(&self) -> Vec<String> {
        let mut found = Vec::new();
        if self.has(PLAIN) {
            found.push(self.run_noting(false));
        }
        if self.has(&[Flavour::Async, Flavour::Stealing]) {
            found.push(self.run_noting(true));
        }
        if self.has(&[Flavour::Processes]) {
            found.push(self.run_process());
        }
        for in_loop in [false, true] {
            let spawns = |(id, _)| self.plan.spawns(id) && is_async(self.plan.flavours[id]) == in_loop;
            if self.plan.scenario.processes.pairs().any(spawns) {
                found.push(self.spawn(in_loop));
            }
        }
        if self.has(NOTING) {
            found.push(self.report());
        }
        found
    }

    /// Do they all arrive at the start?
    pub(super) fn all_at_once(&self, specs: &[SpecId]) -> bool {
        specs.iter().all(|spec| arrives_at_start(&self.plan.scenario.specs[*spec].arrival))
    }

    fn run_noting(&self, in_loop: bool) -> String {
        let mut lines = Lines::new();
        lines.line("/// Runs a task, and notes when it started and ended.");
        let (task, owned) = if in_loop { ("task.await;", "name.into()") } else { ("task();", "name.to_string()") };
        lines.line(if in_loop {
            let run = self.run(Flavour::Async);
            format!("async fn {run}(name: impl Into<String>, task: impl Future<Output = ()>) {{")
        } else {
            "fn run(name: &str, task: fn()) {".to_owned()
        });
        lines.deeper(|lines| {
            if self.plan.scenario.until.is_some() {
                lines.line("let number = {\n    let mut times = TIMES.lock().unwrap();");
                lines.line(format!("    times.push(({owned}, now(), None));\n    times.len() - 1\n}};"));
                lines.line(format!("{task}\nTIMES.lock().unwrap()[number].2 = Some(now());"));
            } else {
                lines.line(format!("let start = now();\n{task}\nlet times = ({owned}, start, now());\nTIMES.lock().unwrap().push(times);"));
            }
        });
        lines.line("}");
        lines.text()
    }

    fn run_process(&self) -> String {
        let (plan, width) = (self.plan, self.plan.width());
        let mut lines = Lines::new();
        lines.line("/// Runs a task in a process of its own, and prints when it started and ended.");
        lines.line(format!("fn {}(name: &str) {{", self.run(Flavour::Processes)));
        lines.deeper(|lines| {
            lines.line("let start = now();");
            if plan.scenario.until.is_some() {
                lines.line("let own = name.to_string();\nthread::spawn(move || {");
                lines.line("    thread::sleep(UNTIL.saturating_sub(now()));");
                lines.line(format!(
                    "    println!(\"{{own:{width}}} {{}} … not ended\", ms(start));\n    process::exit(0);\n}});"
                ));
            }
            lines.line("match name.rsplit_once('#').unwrap_or_default().0 {");
            for (spec, _) in plan.scenario.specs.pairs().filter(|(spec, _)| plan.flavour(*spec) == Flavour::Processes) {
                let name = super::text::escaped(&plan.task_name(spec));
                lines.line(format!("    \"{name}\" => {}(),", self.called.functions[spec]));
            }
            lines.line("    _ => eprintln!(\"there is no task {name}\"),\n}");
            lines.line(format!("println!(\"{{name:{width}}} {{}} … {{}}\", ms(start), ms(now()));"));
        });
        lines.line("}");
        lines.text()
    }

    fn spawn(&self, in_loop: bool) -> String {
        let mut lines = Lines::new();
        lines.line("/// Starts a task that goes on by itself.");
        let flavour = if in_loop { Flavour::Async } else { Flavour::Threads };
        let (spawn, handle) = (self.spawn_function(flavour), handle(flavour));
        if in_loop {
            lines.line(format!("fn {spawn}(\n    name: &'static str,\n    task: impl Future<Output = ()> + Send + 'static,\n) -> {handle} {{"));
        } else {
            lines.line(format!("fn {spawn}(name: &'static str, task: fn()) -> {handle} {{"));
        }
        lines.deeper(|lines| {
            lines.line("let mut numbers = NUMBERS.lock().unwrap();\nlet number = numbers.entry(name).or_insert(0);");
            lines.line("let name = format!(\"{name}#{number}\");\n*number += 1;");
            lines.line(if in_loop {
                format!("tokio::spawn({}(name, task))", self.run(flavour))
            } else {
                "thread::spawn(move || run(&name, task))".to_owned()
            });
        });
        lines.line("}");
        lines.text()
    }

    fn report(&self) -> String {
        let width = self.plan.width();
        let mut lines = Lines::new();
        let until = self.plan.scenario.until.is_some();
        let more = if until { ", and ends the process" } else { "" };
        lines.line(format!("/// Prints when each task started and ended{more}."));
        lines.line("fn report() {");
        lines.deeper(|lines| {
            if until {
                lines.line("let times = TIMES.lock().unwrap();\nfor (name, start, end) in times.iter() {");
                lines.line("    let end = end.map_or(\"not ended\".to_string(), ms);");
                lines.line(format!("    println!(\"{{name:{width}}} {{}} … {{end}}\", ms(*start));\n}}"));
            } else {
                lines.line("let mut times = TIMES.lock().unwrap();\ntimes.sort_by_key(|(_, start, _)| *start);");
                lines.line("for (name, start, end) in times.iter() {");
                lines.line(format!("    println!(\"{{name:{width}}} {{}} … {{}}\", ms(*start), ms(*end));\n}}"));
            }
            if !self.has_several() {
                lines.line(self.total());
            }
            if until {
                lines.line("process::exit(0);");
            }
        });
        lines.line("}");
        lines.text()
    }

    /// The line that prints how long all took.
    pub(super) fn total(&self) -> String {
        let text = format!("\"{:width$} {{}}\"", "total", width = self.plan.width());
        let line = format!("println!({text}, ms(now()));");
        if super::layout::fits(&line, 4) { line } else { format!("println!(\n    {text},\n    ms(now())\n);") }
    }
}

/// What a spawned task is known by.
fn handle(flavour: Flavour) -> &'static str {
    if is_async(flavour) { "tokio::task::JoinHandle<()>" } else { "JoinHandle<()>" }
}
