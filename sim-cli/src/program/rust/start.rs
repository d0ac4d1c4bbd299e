//! Where a program starts: its processes, and in each the tasks that arrive by themselves.

use sim_core::ids::{ProcessId, SpecId};
use sim_core::scenario::{Arrival, Op};
use sim_core::time::{Span, Time};

use super::laws::{constant, duration};
use super::{Rust, is_async, layout, text};
use crate::program::lines::Lines;
use crate::program::plan::Flavour;

/// What is done with each instance of a task: its name as an expression, and when it arrives, if that is not the start.
type Each<'f> = &'f dyn Fn(&Instance, &mut Lines);

/// One of the instances of a task, or each, in a loop over `i`.
struct Instance {
    /// Its name: a text, or a `format!`.
    name: String,
    /// When it arrives, if that is not the start.
    at: Option<String>,
    /// Are they several?
    in_loop: bool,
}

impl Instance {
    /// Its name where a reference to it is enough.
    fn name(&self) -> String {
        format!("{}{}", if self.in_loop { "&" } else { "" }, self.name)
    }

    /// Its name where it must last.
    fn owned(&self) -> String {
        format!("{}{}", self.name, if self.in_loop { "" } else { ".to_string()" })
    }

    /// Does a closure take variables with it?
    fn taking(&self) -> &'static str {
        if self.in_loop { "move " } else { "" }
    }
}

impl Rust<'_> {
    /// The functions that start everything.
    pub(super) fn starts(&self) -> Vec<String> {
        let mut functions = Vec::new();
        if self.has(&[Flavour::Pool]) {
            functions.push(WORKER.to_owned());
        }
        for (process, name) in &self.called.processes {
            let mut lines = Lines::new();
            lines.line(format!("fn {name}() {{"));
            lines.deeper(|lines| self.work(*process, lines));
            lines.line("}");
            functions.push(lines.text());
        }
        let mut lines = Lines::new();
        lines.line("fn main() {");
        lines.deeper(|lines| {
            if self.starts_itself() {
                self.as_another(lines);
            }
            lines.line("LazyLock::force(&START);");
            if self.has_several() { self.start_all(lines) } else { self.work(ProcessId(0), lines) }
        });
        lines.line("}");
        functions.push(lines.text());
        functions
    }

    /// What the program does when it has been started by itself.
    fn as_another(&self, lines: &mut Lines) {
        lines.line("if let Some(name) = env::args().nth(1) {");
        lines.deeper(|lines| {
            if self.plan.draws() {
                lines.line("vary(&name);");
            }
            let run = format!("{}(&name)", self.run(Flavour::Processes));
            if self.called.processes.is_empty() {
                return lines.line(format!("return {run};"));
            }
            lines.line("return match name.as_str() {");
            for (process, function) in &self.called.processes {
                let name = text::escaped(&self.plan.scenario.processes[*process].name);
                lines.line(format!("    \"{name}\" => {function}(),"));
            }
            let runs = self.has(&[Flavour::Processes]);
            lines.line(format!(
                "    _ => {},\n}};",
                if runs { run.as_str() } else { "eprintln!(\"there is no process {name}\")" }
            ));
        });
        lines.line("}");
    }

    /// Starts the processes of a program that has several, and waits for them.
    fn start_all(&self, lines: &mut Lines) {
        let mut own = Lines::new();
        own.line("let mut processes = Vec::new();");
        for (id, process) in self.plan.processes() {
            if self.called.processes.contains_key(&id) {
                let name = format!("\"{}\"", text::escaped(&process.name));
                layout::call("processes.push(start(", &[name], "));", &mut own);
            }
        }
        for (id, _) in self.plan.processes().filter(|(id, _)| !self.called.processes.contains_key(id)) {
            for (number, stage) in self.plan.stages(id).iter().enumerate() {
                if number > 0 {
                    own.line("for mut process in processes.drain(..) {\n    process.wait().unwrap();\n}");
                }
                self.start_processes(stage, "processes", &mut own);
            }
        }
        filled("processes", &own.text(), lines);
        lines.line("for mut process in processes {\n    process.wait().unwrap();\n}");
        lines.line(self.total());
    }

    /// Runs the tasks of a process, waits for them, and reports.
    fn work(&self, process: ProcessId, lines: &mut Lines) {
        let flavour = self.plan.flavours[process];
        if self.plan.scenario.until.is_some() && flavour != Flavour::Processes {
            lines.line("thread::spawn(|| {\n    thread::sleep(UNTIL.saturating_sub(now()));\n    report();\n});");
        }
        match flavour {
            Flavour::Sequential => self.sequential(process, lines),
            Flavour::Pool | Flavour::ProcessPool => self.pool(process, lines),
            Flavour::Threads | Flavour::Beside => self.threads(process, lines),
            Flavour::Async | Flavour::Stealing => self.tasks(process, lines),
            Flavour::Processes => {
                for stage in self.plan.stages(process) {
                    let mut own = Lines::new();
                    own.line("let mut processes = Vec::new();");
                    self.start_processes(&stage, "processes", &mut own);
                    filled("processes", &own.text(), lines);
                    lines.line("for mut process in processes {\n    process.wait().unwrap();\n}");
                }
                return lines.line(self.total());
            }
        }
        lines.line("report();");
    }

    /// The groups of tasks that start together: by stages, or all, where each waits for those before it by itself.
    fn groups(&self, process: ProcessId) -> Vec<Vec<SpecId>> {
        let stages = self.plan.stages(process);
        if self.plan.stages_say_all(process) { stages } else { vec![stages.concat()] }
    }

    fn sequential(&self, process: ProcessId, lines: &mut Lines) {
        for stage in self.plan.stages(process) {
            if self.all_at_once(&stage) {
                for spec in stage {
                    let run = |instance: &Instance, lines: &mut Lines| {
                        let arguments = [instance.name(), self.called.functions[spec].clone()];
                        layout::call("run(", &arguments, ");", lines);
                    };
                    self.each(spec, &run, lines);
                }
            } else {
                self.in_order_of_arrival(&stage, &|lines| lines.line("run(&name, task);"), lines);
            }
        }
    }

    fn pool(&self, process: ProcessId, lines: &mut Lines) {
        let workers = self.plan.scenario.processes[process].executor.workers;
        for stage in self.plan.stages(process) {
            lines.line(
                "let (queue, jobs) = mpsc::channel::<Job>();\nlet jobs = Mutex::new(jobs);\nthread::scope(|scope| {",
            );
            lines.deeper(|lines| {
                lines.line(match workers {
                    1 => "scope.spawn(|| worker(&jobs));".to_owned(),
                    _ => format!("for _ in 0..{workers} {{\n    scope.spawn(|| worker(&jobs));\n}}"),
                });
                if self.all_at_once(&stage) {
                    for spec in stage {
                        let send = |instance: &Instance, lines: &mut Lines| {
                            let job = format!("({}, {})", instance.owned(), self.called.functions[spec]);
                            layout::chain("", &["queue", &format!(".send({job})"), ".unwrap()"], lines);
                        };
                        self.each(spec, &send, lines);
                    }
                } else {
                    self.in_order_of_arrival(&stage, &|lines| lines.line("queue.send((name, task)).unwrap();"), lines);
                }
                lines.line("drop(queue); // no more jobs");
            });
            lines.line("});");
        }
    }

    fn threads(&self, process: ProcessId, lines: &mut Lines) {
        for group in self.groups(process) {
            lines.line("thread::scope(|scope| {");
            lines.deeper(|lines| {
                for spec in group {
                    self.each(spec, &|instance, lines| self.thread(spec, instance, lines), lines);
                }
            });
            lines.line("});");
        }
        if self.plan.leaves_behind(process) {
            lines.line("// While some run, there may be more of them.\nloop {");
            lines.line("    let child = SPAWNED.lock().unwrap().pop();\n    match child {");
            lines.line("        Some(child) => child.join().unwrap(),\n        None => break,\n    }\n}");
        }
    }

    fn thread(&self, spec: SpecId, instance: &Instance, lines: &mut Lines) {
        let run = [instance.name(), self.called.functions[spec].clone()];
        let line = format!("scope.spawn({}|| run({}));", instance.taking(), run.join(", "));
        let waits = self.waits(spec, instance, false);
        if waits.is_empty() && !self.called.waited_for.contains_key(&spec) && layout::fits(&line, lines.indentation()) {
            return lines.line(line);
        }
        lines.line(format!("scope.spawn({}|| {{", instance.taking()));
        lines.deeper(|lines| {
            waits.iter().for_each(|wait| lines.line(wait));
            layout::call("run(", &run, ");", lines);
            if let Some(ended) = self.called.waited_for.get(&spec) {
                lines.line(format!("{ended}.release(1);"));
            }
        });
        lines.line("});");
    }

    /// What a task waits for before it starts: the time of its arrival, and others.
    fn waits(&self, spec: SpecId, instance: &Instance, in_loop: bool) -> Vec<String> {
        let sleep = if in_loop { "sleep_until_async" } else { "sleep_until" };
        let awaited = if in_loop { ".await" } else { "" };
        let mut waits: Vec<String> = instance.at.iter().map(|at| format!("{sleep}({at}){awaited};")).collect();
        for before in &self.plan.scenario.specs[spec].after {
            let Some(ended) = self.called.waited_for.get(before) else { continue };
            let count = self.instances(*before);
            let name = text::comment(&self.plan.scenario.specs[*before].name);
            if in_loop {
                waits.push(format!("drop({ended}.acquire_many({count}).await); // all of {name} have ended"));
            } else {
                waits.push(format!("{ended}.acquire({count}); // all of {name} have ended\n{ended}.release({count});"));
            }
        }
        waits
    }

    fn tasks(&self, process: ProcessId, lines: &mut Lines) {
        let mut inside = Lines::new();
        inside.deeper(|lines| {
            for group in self.groups(process) {
                lines.line("let mut tasks = JoinSet::new();");
                for spec in group {
                    self.each(spec, &|instance, lines| self.task(spec, instance, lines), lines);
                }
                lines.line("tasks.join_all().await;");
            }
            if self.plan.leaves_behind(process) {
                lines.line("// While some run, there may be more of them.\nloop {");
                lines.line("    let child = SPAWNED.lock().unwrap().pop();\n    match child {");
                lines.line("        Some(child) => child.await.unwrap(),\n        None => break,\n    }\n}");
            }
        });
        let blocking = self.plan.beside(process).find_map(|(pool, _)| self.plan.threads_of(pool));
        let process = &self.plan.scenario.processes[process];
        let inside = inside.text();
        let workers = format!(".worker_threads({})", process.executor.workers);
        let mut chain = if process.executor.kind.threads == sim_core::executor::Threads::Main {
            vec!["Builder::new_current_thread()"]
        } else {
            vec!["Builder::new_multi_thread()", &workers]
        };
        let sleeps = inside.contains("sleep_until") || self.sleeps_in_loops();
        let blocking = blocking.map(|threads| format!(".max_blocking_threads({threads})"));
        chain.extend(blocking.as_deref());
        chain.extend(sleeps.then_some(".enable_time()"));
        chain.extend([".build()", ".unwrap()"]);
        layout::chain("let runtime = ", &chain, lines);
        lines.line(format!("runtime.block_on(async {{\n{inside}}});"));
    }

    /// Does a task of tokio sleep?
    fn sleeps_in_loops(&self) -> bool {
        let specs = self.plan.scenario.specs.pairs();
        let mut sleeping = specs.filter(|(id, _)| is_async(self.plan.flavour(*id)));
        sleeping.any(|(id, _)| {
            self.plan.ops(id).into_iter().any(|op| matches!(op, Op::Sleep(_) | Op::Io { blocking: false, .. }))
        })
    }

    fn task(&self, spec: SpecId, instance: &Instance, lines: &mut Lines) {
        let run = self.run(Flavour::Async);
        let arguments = [instance.name.clone(), format!("{}()", self.called.functions[spec])];
        let waits = self.waits(spec, instance, true);
        if waits.is_empty() && !self.called.waited_for.contains_key(&spec) {
            return layout::call(&format!("tasks.spawn({run}("), &arguments, "));", lines);
        }
        lines.line(format!("tasks.spawn(async {}{{", instance.taking()));
        lines.deeper(|lines| {
            waits.iter().for_each(|wait| lines.line(wait));
            layout::call(&format!("{run}("), &arguments, ").await;", lines);
            if let Some(ended) = self.called.waited_for.get(&spec) {
                lines.line(format!("{ended}.add_permits(1);"));
            }
        });
        lines.line("});");
    }

    /// Starts a process for each instance of these tasks, and puts it into a list.
    fn start_processes(&self, specs: &[SpecId], list: &str, lines: &mut Lines) {
        if self.all_at_once(specs) {
            for spec in specs {
                let start = |instance: &Instance, lines: &mut Lines| {
                    layout::call(&format!("{list}.push(start("), &[instance.name()], "));", lines);
                };
                self.each(*spec, &start, lines);
            }
            return;
        }
        let mut arrivals = Lines::new();
        arrivals.line("let mut arrivals: Vec<(Duration, String)> = Vec::new();");
        for spec in specs {
            self.each(*spec, &|instance, lines| arrival(instance, None, lines), &mut arrivals);
        }
        filled("arrivals", &arrivals.text(), lines);
        lines.line("arrivals.sort();\nfor (at, name) in arrivals {\n    sleep_until(at);");
        lines.line(format!("    {list}.push(start(&name));\n}}"));
    }

    /// Does something with each task when it arrives.
    fn in_order_of_arrival(&self, specs: &[SpecId], then: &dyn Fn(&mut Lines), lines: &mut Lines) {
        let mut arrivals = Lines::new();
        arrivals.line("let mut arrivals: Vec<(Duration, String, fn())> = Vec::new();");
        for spec in specs {
            let task = Some(self.called.functions[*spec].as_str());
            self.each(*spec, &|instance, lines| arrival(instance, task, lines), &mut arrivals);
        }
        filled("arrivals", &arrivals.text(), lines);
        lines.line(
            "arrivals.sort_by_key(|arrival| arrival.0);\nfor (at, name, task) in arrivals {\n    sleep_until(at);",
        );
        lines.deeper(then);
        lines.line("}");
    }

    /// Does something with each instance of a task.
    fn each(&self, spec: SpecId, with: Each<'_>, lines: &mut Lines) {
        let description = &self.plan.scenario.specs[spec];
        let count = description.count;
        let name = self.plan.task_name(spec);
        let one = |at: Time| Instance {
            name: format!("\"{}#0\"", text::escaped(&name)),
            at: (at != Time::ZERO).then(|| constant(Span::from_ns(at.ns()))),
            in_loop: false,
        };
        let each = |at: Option<String>| {
            let name = format!("format!(\"{}#{{i}}\")", text::in_format(&name));
            Instance { name, at, in_loop: true }
        };
        let mut repeated = |head: &str, at: Option<String>, tail: &dyn Fn(&mut Lines)| {
            lines.line(head);
            lines.deeper(|lines| {
                with(&each(at), lines);
                tail(lines);
            });
            lines.line("}");
        };
        let head = format!("for i in 0..{count} {{");
        match &description.arrival {
            Arrival::At(at) if count == 1 => with(&one(*at), lines),
            Arrival::Every(_) if count == 1 => with(&one(Time::ZERO), lines),
            Arrival::List(times) if times.len() == 1 => with(&one(times[0]), lines),
            Arrival::At(at) => repeated(&head, one(*at).at, &|_| ()),
            Arrival::Every(gap) if gap.is_zero() => repeated(&head, None, &|_| ()),
            Arrival::Every(gap) => repeated(&head, Some(format!("{} * i", constant(*gap))), &|_| ()),
            Arrival::List(times) => {
                let times: Vec<String> = times.iter().map(|at| constant(Span::from_ns(at.ns()))).collect();
                layout::call("let moments = [", &times, "];", lines);
                lines.line("for (i, at) in moments.iter().copied().enumerate() {");
                lines.deeper(|lines| with(&each(Some("at".to_owned())), lines));
                lines.line("}");
            }
            Arrival::Gap(gap) => {
                lines.line(format!("let mut at = Duration::ZERO;\n{head}"));
                lines.deeper(|lines| {
                    with(&each(Some("at".to_owned())), lines);
                    let gap = duration(gap);
                    layout::call(&format!("at += {}", gap.before), &gap.arguments, &format!("{};", gap.behind), lines);
                });
                lines.line("}");
            }
            Arrival::Spawned => {}
        }
    }
}

/// Notes an arrival, with its task if it is not known by its name.
fn arrival(instance: &Instance, task: Option<&str>, lines: &mut Lines) {
    let at = instance.at.clone().unwrap_or_else(|| constant(Span::ZERO));
    let mut parts = vec![at, instance.owned()];
    parts.extend(task.map(str::to_owned));
    layout::call("arrivals.push((", &parts, "));", lines);
}

/// Writes a list that is filled when it has been made: it is made with what is put into it first. The text begins with its `let`.
fn filled(list: &str, text: &str, lines: &mut Lines) {
    let push = format!("{list}.push(");
    let (declared, mut rest) = text.split_once(" = Vec::new();\n").unwrap_or((text, ""));
    let mut first = Vec::new();
    while let Some((item, after)) = rest.strip_prefix(&push).and_then(|rest| rest.split_once(");\n")) {
        if item.contains('\n') {
            break;
        }
        first.push(item.to_owned());
        rest = after;
    }
    if first.is_empty() {
        return lines.line(text.trim_end());
    }
    // What is not changed any more need not be `mut`.
    let changes = [push, format!("{list}.drain")];
    let is_changed = list == "arrivals" || changes.iter().any(|change| rest.contains(change));
    let declared = if is_changed { declared.to_owned() } else { declared.replacen("let mut ", "let ", 1) };
    let made = format!("vec![{}];", first.join(", "));
    if !layout::fits(&format!("{declared} = {made}"), lines.indentation()) && first.len() == 1 {
        lines.line(format!("{declared} =\n    {made}"));
    } else {
        layout::call(&format!("{declared} = vec!["), &first, "];", lines);
    }
    if !rest.is_empty() {
        lines.line(rest.trim_end());
    }
}

const WORKER: &str = "\
/// A task with its name.
type Job = (String, fn());

/// Runs what comes out of the queue, until nothing comes any more.
fn worker(jobs: &Mutex<Receiver<Job>>) {
    loop {
        let job = jobs.lock().unwrap().recv();
        match job {
            Ok((name, task)) => run(&name, task),
            Err(_) => break,
        }
    }
}
";
