//! The functions that programs have beside those of their tasks: to compute, to run a task and note its times, to spawn one.

use sim_core::ids::ProcessId;

use super::Python;
use super::laws::seconds;
use crate::program::lines::Lines;
use crate::program::plan::{Flavour, arrives_at_start};

const COMPUTE: &str = "\
def compute(seconds):
    \"\"\"Uses up so much processor time.

    It watches the clock in small steps. In a step of more than 60 us somebody else had the processor (or the
    interpreter): such a step does not count.
    \"\"\"
    last = time.perf_counter()
    while seconds > 0:
        clock = time.perf_counter()
        if clock - last < 60e-6:
            seconds -= clock - last
        last = clock
";

const BOUNDED_PARETO: &str = "\
def bounded_pareto(least, alpha, most):
    \"\"\"Draws from a Pareto law that is cut off at both ends.\"\"\"
    tail = (least / most) ** alpha
    return least * (1 - random.random() * (1 - tail)) ** (-1 / alpha)
";

const NOW: &str = "\
def now():
    \"\"\"Seconds since the start.\"\"\"
    return time.perf_counter() - START
";

/// The functions that this text calls.
pub(super) fn used_by(text: &str) -> Vec<String> {
    let calls = [("compute(", COMPUTE), ("bounded_pareto(", BOUNDED_PARETO), ("now()", NOW)];
    calls.into_iter().filter(|(call, _)| text.contains(call)).map(|(_, helper)| helper.to_owned()).collect()
}

/// The lines that import the modules of which this text uses something.
pub(super) fn imports(text: &str) -> String {
    let modules = ["asyncio", "itertools", "multiprocessing", "os", "queue", "random", "sys", "threading", "time"];
    let is_used = |module: &&str| {
        text.match_indices(&format!("{module}.")).any(|(at, found)| {
            let before = text[..at].chars().next_back();
            let after = text[at + found.len()..].chars().next();
            !before.is_some_and(|letter| letter.is_alphanumeric() || letter == '_')
                && after.is_some_and(|letter| letter.is_alphabetic() || letter == '_')
        })
    };
    let mut lines: Vec<String> =
        modules.into_iter().filter(is_used).map(|module| format!("import {module}\n")).collect();
    let from: Vec<&str> = ["ProcessPoolExecutor", "ThreadPoolExecutor", "wait"]
        .into_iter()
        .filter(|name| text.contains(&format!("{name}(")))
        .collect();
    let from: Vec<&str> = from.into_iter().filter(|name| *name != "wait" || text.contains(" wait(futures")).collect();
    if !from.is_empty() {
        lines.push(format!("from concurrent.futures import {}\n", from.join(", ")));
    }
    lines.concat()
}

/// Those whose tasks note their times in this process.
const NOTING: &[Flavour] = &[Flavour::Sequential, Flavour::Threads, Flavour::Pool, Flavour::Async];

/// Those whose tasks are plain functions that note their times in this process.
const PLAIN: &[Flavour] = &[Flavour::Sequential, Flavour::Threads, Flavour::Pool];

/// Those whose tasks run in another process.
const ELSEWHERE: &[Flavour] = &[Flavour::Processes, Flavour::ProcessPool];

impl Python<'_> {
    /// The variables of the module.
    pub(super) fn globals(&self) -> String {
        let plan = self.plan;
        let mut lines = Lines::new();
        self.contexts().iter().for_each(|line| lines.line(line));
        if self.has(NOTING) || self.spawns_processes() {
            lines.line("START = time.perf_counter()");
        }
        if let Some(until) = plan.scenario.until {
            lines.line(format!(
                "UNTIL = {}  # seconds: what is not done then is given up",
                seconds(sim_core::time::Span::from_ns(until.ns()))
            ));
        }
        if self.has(NOTING) {
            lines.line("started, ended = {}, {}  # when, by the name of the task");
        }
        if plan.draws() && !plan.flavours.iter().all(|flavour| ELSEWHERE.contains(flavour)) {
            lines.line(format!("random.seed({})", plan.scenario.seed));
        }
        for number in self.numbers.values() {
            lines.line(format!("{number} = itertools.count()"));
        }
        for (id, variable) in plan.scenario.variables.pairs() {
            lines.line(format!("{} = {}", self.called.variables[id], variable.value));
        }
        for (id, process) in plan.scenario.processes.pairs() {
            let is_pool = plan.flavours[id] == Flavour::Pool && plan.spawns(id);
            if is_pool {
                lines.line(format!("pool = ThreadPoolExecutor(max_workers={})", process.executor.workers));
            }
            if plan.leaves_behind(id)
                && plan.flavours[id] != Flavour::Processes
                && !lines.clone().text().contains("spawned")
            {
                lines.line("spawned = []  # tasks for which those who spawned them may not wait");
            }
            if let Some(pool) = self.pools.get(&id) {
                let workers = plan.threads_of(id).unwrap_or_else(|| self.callers(id));
                lines.line(format!("{pool} = ThreadPoolExecutor(max_workers={workers})"));
            }
            if PLAIN.contains(&plan.flavours[id]) || plan.flavours[id] == Flavour::Beside {
                self.objects(id).iter().for_each(|line| lines.line(line));
            }
        }
        lines.text()
    }

    /// How many can let a pool do something at once: the tasks of the process that has it.
    fn callers(&self, pool: ProcessId) -> u32 {
        let whole = self.plan.scenario.processes[pool].whole(pool);
        self.plan.specs(whole).map(|(_, spec)| spec.count).sum::<u32>().max(1)
    }

    /// Are there processes that start others?
    fn spawns_processes(&self) -> bool {
        self.plan
            .scenario
            .processes
            .pairs()
            .any(|(id, _)| self.plan.flavours[id] == Flavour::Processes && self.plan.spawns(id))
    }

    /// What the function is called that runs a task.
    pub(super) fn run(&self, flavour: Flavour) -> &'static str {
        let kinds = [PLAIN, &[Flavour::Async], ELSEWHERE];
        let mixed = kinds.iter().filter(|kind| self.has(kind)).count() > 1;
        match flavour {
            _ if !mixed || PLAIN.contains(&flavour) => "run",
            Flavour::Async => "run_async",
            _ => "run_process",
        }
    }

    /// What the function is called that spawns a task: there is one executor with such tasks.
    pub(super) fn helpers(&self) -> Vec<String> {
        let mut found = Vec::new();
        if self.has(PLAIN) {
            found.push(self.run_plain());
        }
        if self.has(&[Flavour::Async]) {
            found.push(self.run_async());
        }
        if self.has(ELSEWHERE) {
            found.push(self.run_elsewhere());
        }
        if self.has(NOTING) {
            found.push(self.report());
        }
        let spawning = self.plan.scenario.processes.pairs().find(|(id, _)| self.plan.spawns(*id));
        if let Some((id, _)) = spawning {
            found.push(self.spawn(id));
        }
        if self.has(&[Flavour::ProcessPool]) && !self.pool_objects().is_empty() {
            let mut lines = Lines::new();
            lines.line("def share(objects):");
            lines.deeper(|lines| {
                lines.line("\"\"\"Makes them global in a process of the pool: locks are handed over only when it starts.\"\"\"");
                lines.line("globals().update(objects)");
            });
            found.push(lines.text());
        }
        found
    }

    /// The objects of pools of processes.
    pub(super) fn pool_objects(&self) -> Vec<String> {
        let pools =
            self.plan.scenario.processes.pairs().filter(|(id, _)| self.plan.flavours[*id] == Flavour::ProcessPool);
        pools.flat_map(|(id, _)| self.object_names(id)).collect()
    }

    /// Does a task of these executors arrive later than at the start?
    pub(super) fn is_late(&self, flavours: &[Flavour]) -> bool {
        let specs = self.plan.scenario.specs.pairs();
        specs
            .into_iter()
            .any(|(id, spec)| flavours.contains(&self.plan.flavour(id)) && !arrives_at_start(&spec.arrival))
    }

    /// Does a task of these executors wait for others to end?
    fn is_after(&self, flavour: Flavour) -> bool {
        self.plan.scenario.specs.pairs().any(|(id, spec)| self.plan.flavour(id) == flavour && !spec.after.is_empty())
    }

    fn run_plain(&self) -> String {
        let (late, after) = (self.is_late(&[Flavour::Threads]), self.is_after(Flavour::Threads));
        let mut lines = Lines::new();
        let more = format!("{}{}", if late { ", at=0" } else { "" }, if after { ", after=()" } else { "" });
        lines.line(format!("def run(name, task{more}):"));
        lines.deeper(|lines| {
            lines.line("\"\"\"Runs a task, and notes when it started and ended.\"\"\"");
            if late {
                lines.line("time.sleep(max(0, at - now()))");
            }
            if after {
                lines.line("for other in after:\n    other.join()");
            }
            lines.line("started[name] = now()\ntask()\nended[name] = now()");
        });
        lines.text()
    }

    fn run_async(&self) -> String {
        let (late, after) = (self.is_late(&[Flavour::Async]), self.is_after(Flavour::Async));
        let objects = if self.gives(Flavour::Async) { "*objects" } else { "" };
        let mut lines = Lines::new();
        let star = match (objects, late || after) {
            ("", true) => ", *",
            ("", false) => "",
            _ => ", *objects",
        };
        let more = format!("{star}{}{}", if late { ", at=0" } else { "" }, if after { ", after=()" } else { "" });
        lines.line(format!("async def {}(name, task{more}):", self.run(Flavour::Async)));
        lines.deeper(|lines| {
            lines.line("\"\"\"Runs a task, and notes when it started and ended.\"\"\"");
            if late {
                lines.line("await asyncio.sleep(max(0, at - now()))");
            }
            if after {
                lines.line("for other in after:\n    await other");
            }
            lines.line(format!("started[name] = now()\nawait task({objects})\nended[name] = now()"));
        });
        lines.text()
    }

    /// Are the tasks of an executor given any objects?
    pub(super) fn gives(&self, flavour: Flavour) -> bool {
        self.called.functions.ids().any(|spec| self.plan.flavour(spec) == flavour && !self.parameters(spec).is_empty())
    }

    fn run_elsewhere(&self) -> String {
        let late = self.is_late(&[Flavour::Processes]);
        let objects = if self.gives(Flavour::Processes) { "*objects" } else { "" };
        let mut lines = Lines::new();
        let star = match (objects, late) {
            ("", true) => ", *",
            ("", false) => "",
            _ => ", *objects",
        };
        lines.line(format!(
            "def {}(begin, name, task{star}{}):",
            self.run(Flavour::Processes),
            if late { ", at=0" } else { "" }
        ));
        lines.deeper(|lines| {
            lines.line("\"\"\"Runs a task in another process, and prints when it started and ended.\"\"\"");
            if self.spawns_processes() {
                lines.line("global START\nSTART = begin");
            }
            if self.plan.draws() {
                lines.line(format!(
                    "random.seed(f\"{} {{name}}\")  # other numbers in each process",
                    self.plan.scenario.seed
                ));
            }
            if late {
                lines.line("time.sleep(max(0, begin + at - time.perf_counter()))");
            }
            lines.line(format!(
                "start = time.perf_counter() - begin\ntask({objects})\nend = time.perf_counter() - begin"
            ));
            let width = self.plan.width();
            lines.line(format!(
                "print(f\"{{name:{width}}} {{1000 * start:8.1f}} ms … {{1000 * end:8.1f}} ms\\n\", end=\"\", flush=True)"
            ));
        });
        lines.text()
    }

    fn report(&self) -> String {
        let width = self.plan.width();
        let mut lines = Lines::new();
        lines.line("def report():");
        lines.deeper(|lines| {
            lines.line("\"\"\"Prints when each task started and ended.\"\"\"");
            if self.plan.scenario.until.is_some() {
                lines.line("for name, start in list(started.items()):");
                lines.deeper(|lines| {
                    lines.line("end = f\"{1000 * ended[name]:8.1f} ms\" if name in ended else \"not ended\"");
                    lines.line(format!("print(f\"{{name:{width}}} {{1000 * start:8.1f}} ms … {{end}}\")"));
                });
            } else {
                lines.line("for name, start in started.items():");
                lines.deeper(|lines| {
                    lines.line(format!(
                        "print(f\"{{name:{width}}} {{1000 * start:8.1f}} ms … {{1000 * ended[name]:8.1f}} ms\")"
                    ));
                });
            }
            if !self.has_several() {
                lines.line(format!("print(f\"{{'total':{width}}} {{1000 * now():8.1f}} ms\")"));
            }
        });
        lines.text()
    }

    fn spawn(&self, process: ProcessId) -> String {
        let (flavour, leaves_behind) = (self.plan.flavours[process], self.plan.leaves_behind(process));
        let mut lines = Lines::new();
        let given = self.gives(flavour);
        let (parameter, pass) = if given { (", *objects", ", *objects") } else { ("", "") };
        lines.line(format!("def spawn(name, task{parameter}):"));
        lines.deeper(|lines| {
            lines.line("\"\"\"Starts a task that goes on by itself.\"\"\"");
            let daemon = if self.plan.scenario.until.is_some() { ", daemon=True" } else { "" };
            let run = self.run(flavour);
            match flavour {
                Flavour::Async => lines.line(format!("child = asyncio.create_task({run}(name, task{pass}))")),
                Flavour::Pool => lines.line(format!("child = pool.submit({run}, name, task)")),
                Flavour::Processes | Flavour::ProcessPool => lines.line(format!(
                    "child = {}.Process(target={run}, args=(START, name, task{pass}))\nchild.start()",
                    self.processes_of(process)
                )),
                _ => lines
                    .line(format!("child = threading.Thread(target={run}, args=(name, task){daemon})\nchild.start()")),
            }
            if leaves_behind && flavour != Flavour::Processes {
                lines.line("spawned.append(child)");
            }
            lines.line("return child");
        });
        lines.text()
    }
}
