//! Where a program starts: its processes, and in each the tasks that arrive by themselves.

use sim_core::ids::{ProcessId, SpecId};
use sim_core::scenario::Arrival;
use sim_core::time::{Span, Time};

use super::laws::{duration, seconds};
use super::{Python, collection, text};
use crate::program::lines::Lines;
use crate::program::plan::{Flavour, arrives_at_start};

/// The interval that CPython itself begins with.
pub(super) const SWITCH_INTERVAL: Span = Span::from_ms(5);
/// Lists on one line are not longer.
const COLUMNS: usize = 100;

impl Python<'_> {
    /// The functions that start everything, and the call of the last.
    pub(super) fn starts(&self) -> Vec<String> {
        if self.has_several() { self.several() } else { vec![self.only(ProcessId(0))] }
    }

    /// A program of one process.
    fn only(&self, process: ProcessId) -> String {
        let mut lines = Lines::new();
        let is_async = self.plan.flavours[process] == Flavour::Async;
        lines.line(if is_async { "async def main():" } else { "def main():" });
        lines.deeper(|lines| {
            self.prepare(process, lines);
            self.group(process, lines);
        });
        lines.line(format!(
            "\n\nif __name__ == \"__main__\":\n    {}",
            if is_async { "asyncio.run(main())" } else { "main()" }
        ));
        lines.text()
    }

    /// What a process needs before its tasks start.
    pub(super) fn prepare(&self, process: ProcessId, lines: &mut Lines) {
        let flavour = self.plan.flavours[process];
        let gil = self.plan.scenario.processes[process].executor.gil;
        if let Some(gil) = gil.filter(|gil| *gil != SWITCH_INTERVAL) {
            lines.line(format!(
                "sys.setswitchinterval({})  # who waits for the interpreter asks for it after so long",
                seconds(gil)
            ));
        }
        if matches!(flavour, Flavour::Processes | Flavour::ProcessPool) && !self.has_several() {
            if let Some(method) = self.plan.scenario.processes[process].executor.start_method {
                lines.line(format!("multiprocessing.set_start_method(\"{}\")", method.name()));
            }
            lines.line("begin = time.perf_counter()");
        }
        if matches!(flavour, Flavour::Async | Flavour::Processes | Flavour::ProcessPool) {
            self.objects(process).iter().for_each(|line| lines.line(line));
        }
    }

    /// Starts the tasks of a process, waits for them, and reports.
    pub(super) fn group(&self, process: ProcessId, lines: &mut Lines) {
        match self.plan.flavours[process] {
            Flavour::Sequential => self.sequential(process, lines),
            Flavour::Pool | Flavour::ProcessPool => self.pool(process, lines),
            Flavour::Processes => {
                let stages = self.plan.stages(process);
                for stage in &stages {
                    self.launch(stage, true, lines);
                    self.wait_for(process, lines);
                }
                lines.line(format!(
                    "print(f\"{{'total':{}}} {{1000 * (time.perf_counter() - begin):8.1f}} ms\")",
                    self.plan.width()
                ));
            }
            Flavour::Threads | Flavour::Async | Flavour::Stealing | Flavour::Beside => {
                self.launch(&self.plan.stages(process).concat(), true, lines);
                self.wait_for(process, lines);
                lines.line("report()");
            }
        }
    }

    fn sequential(&self, process: ProcessId, lines: &mut Lines) {
        let inner = |lines: &mut Lines| {
            for stage in self.plan.stages(process) {
                if self.all_at_once(&stage) {
                    stage.into_iter().for_each(|spec| self.call(spec, lines));
                } else {
                    self.in_order_of_arrival(process, stage, "run(name, task)", lines);
                }
            }
        };
        if self.plan.scenario.until.is_none() {
            inner(lines);
        } else {
            lines.line("def work():");
            lines.deeper(inner);
            lines.line("thread = threading.Thread(target=work, daemon=True)\nthread.start()\nthread.join(UNTIL)");
        }
        lines.line("report()");
    }

    fn call(&self, spec: SpecId, lines: &mut Lines) {
        let call = format!("run({}, {})", self.instance(spec), self.called.functions[spec]);
        let count = self.plan.scenario.specs[spec].count;
        if count == 1 {
            lines.line(call);
        } else {
            lines.line(format!("for i in range({count}):"));
            lines.deeper(|lines| lines.line(call));
        }
    }

    fn pool(&self, process: ProcessId, lines: &mut Lines) {
        let of_processes = self.plan.flavours[process] == Flavour::ProcessPool;
        let until = self.plan.scenario.until.is_some();
        let workers = self.plan.scenario.processes[process].executor.workers;
        let objects = self.object_names(process);
        let global = !of_processes && self.plan.spawns(process);
        let pool = if of_processes {
            self.process_pool(process, workers, &objects)
        } else {
            format!("ThreadPoolExecutor(max_workers={workers})")
        };
        let inner = |lines: &mut Lines| {
            for stage in self.plan.stages(process) {
                self.submit(process, stage, lines);
                if !until {
                    lines.line("for future in futures:\n    future.result()");
                }
            }
            if until {
                lines.line("wait(futures, timeout=max(0, UNTIL - now()))");
            } else if self.plan.leaves_behind(process) {
                lines.line("for future in spawned:  # while some run, it may grow\n    future.result()");
            }
        };
        if until {
            if !global {
                lines.line(format!("pool = {pool}"));
            }
            inner(lines);
        } else {
            lines.line(if global { "with pool:".to_owned() } else { format!("with {pool} as pool:") });
            lines.deeper(inner);
        }
        match (of_processes, self.has_several()) {
            (false, _) => lines.line("report()"),
            (true, false) => lines.line(format!(
                "print(f\"{{'total':{}}} {{1000 * (time.perf_counter() - begin):8.1f}} ms\")",
                self.plan.width()
            )),
            (true, true) => {}
        }
        if until {
            lines.line("sys.stdout.flush()\nos._exit(0)  # a pool would wait for its threads, however long");
        }
    }

    /// A pool of processes, with what these share.
    fn process_pool(&self, process: ProcessId, workers: u32, objects: &[String]) -> String {
        let context = self.context(process).map_or_else(String::new, |context| format!(", mp_context={context}"));
        let objects: Vec<String> = objects.iter().map(|name| format!("{name}={name}")).collect();
        let share = match objects.as_slice() {
            [] => String::new(),
            _ => format!(", initializer=share, initargs=(dict({}),)", objects.join(", ")),
        };
        format!("ProcessPoolExecutor(max_workers={workers}{context}{share})")
    }

    /// Do they all arrive at the start?
    fn all_at_once(&self, specs: &[SpecId]) -> bool {
        specs.iter().all(|spec| arrives_at_start(&self.plan.scenario.specs[*spec].arrival))
    }

    /// Gives the tasks of a stage to the pool.
    fn submit(&self, process: ProcessId, stage: Vec<SpecId>, lines: &mut Lines) {
        if self.all_at_once(&stage) {
            self.launch(&stage, true, lines);
            return;
        }
        let of_processes = self.plan.flavours[process] == Flavour::ProcessPool;
        let run = self.run(self.plan.flavours[process]);
        let begin = if of_processes { "begin, " } else { "" };
        lines.line("futures = []");
        self.in_order_of_arrival(
            process,
            stage,
            &format!("futures.append(pool.submit({run}, {begin}name, task))"),
            lines,
        );
    }

    /// Does something with each task when it arrives.
    fn in_order_of_arrival(&self, process: ProcessId, specs: Vec<SpecId>, then: &str, lines: &mut Lines) {
        let several = specs.len() > 1
            || specs.iter().any(|spec| matches!(self.plan.scenario.specs[*spec].arrival, Arrival::List(_)));
        for (place, spec) in specs.into_iter().enumerate() {
            self.each(
                spec,
                "arrivals",
                place == 0,
                &|at| format!("({at}, {}, {})", self.instance(spec), self.called.functions[spec]),
                lines,
            );
        }
        let sorted = if several { "sorted(arrivals, key=lambda arrival: arrival[0])" } else { "arrivals" };
        lines.line(format!("for at, name, task in {sorted}:"));
        let now =
            if self.plan.flavours[process] == Flavour::ProcessPool { "(time.perf_counter() - begin)" } else { "now()" };
        lines.deeper(|lines| {
            if self.plan.scenario.until.is_some() {
                lines.line("if at >= UNTIL:\n    break");
            }
            lines.line(format!("time.sleep(max(0, at - {now}))"));
            lines.line(then);
        });
    }

    /// Makes a thread, a task or a process of each instance of these; they are the first in their list, or more.
    pub(super) fn launch(&self, specs: &[SpecId], first: bool, lines: &mut Lines) {
        let mut first = first;
        let mut rest = specs;
        while let Some(spec) = rest.first() {
            let list = collection(self.plan.flavour(*spec));
            // Single ones in a row make one list.
            let single = |spec: &&SpecId| self.single(**spec).is_some() && !self.called.waited_for.contains_key(spec);
            let singles = rest.iter().take_while(single).count();
            if singles > 1 {
                lines.line(format!("{list} {} [", if first { "=" } else { "+=" }));
                let made = rest[..singles].iter().filter_map(|spec| Some(self.launched(*spec, &self.single(*spec)?)));
                lines.deeper(|lines| made.for_each(|made| lines.line(format!("{made},"))));
                lines.line("]");
            } else {
                self.launch_one(*spec, list, first, lines);
            }
            rest = &rest[singles.max(1)..];
            first = false;
        }
    }

    fn launch_one(&self, spec: SpecId, list: &str, first: bool, lines: &mut Lines) {
        let call = |at: &str| self.launched(spec, at);
        let waits = matches!(self.plan.flavour(spec), Flavour::Threads | Flavour::Async);
        match self.called.waited_for.get(&spec).filter(|_| waits) {
            None => self.each(spec, list, first, &call, lines),
            Some(own) => {
                self.each(spec, own, true, &call, lines);
                lines.line(if first { format!("{list} = list({own})") } else { format!("{list} += {own}") });
            }
        }
    }

    /// When the only instance of a task arrives, if there is one.
    fn single(&self, spec: SpecId) -> Option<String> {
        let description = &self.plan.scenario.specs[spec];
        match &description.arrival {
            _ if description.count != 1 => None,
            Arrival::At(at) => Some(seconds(span(*at))),
            Arrival::Every(_) => Some("0".to_owned()),
            Arrival::List(times) => times.first().map(|at| seconds(span(*at))),
            Arrival::Gap(_) | Arrival::Spawned => None,
        }
    }

    /// The thread, task or process of an instance that arrives then; `0` is the start.
    fn launched(&self, spec: SpecId, at: &str) -> String {
        let flavour = self.plan.flavour(spec);
        let until = self.plan.scenario.until.is_some();
        let after: Vec<&str> =
            self.plan.scenario.specs[spec].after.iter().map(|before| self.called.waited_for[before].as_str()).collect();
        let (name, task, run, after) =
            (self.instance(spec), &self.called.functions[spec], self.run(flavour), after.join(" + "));
        let mut arguments = vec![name.clone(), task.clone()];
        arguments.extend(self.parameters(spec));
        match flavour {
            Flavour::Async | Flavour::Stealing => {
                arguments.extend((at != "0").then(|| format!("at={at}")));
                arguments.extend((!after.is_empty()).then(|| format!("after={after}")));
                format!("asyncio.create_task({run}({}))", arguments.join(", "))
            }
            Flavour::Processes | Flavour::ProcessPool => {
                let arguments = arguments.join(", ");
                if flavour == Flavour::ProcessPool {
                    return format!("pool.submit({run}, begin, {arguments})");
                }
                let at = if at == "0" { String::new() } else { format!(", kwargs={{\"at\": {at}}}") };
                let name = if until { format!(", name={name}") } else { String::new() };
                let module = self.processes_of(self.plan.scenario.specs[spec].process);
                let target = if self.has_several() {
                    format!("target=together, args=(gate, begin, {run}, {arguments})")
                } else {
                    format!("target={run}, args=(begin, {arguments})")
                };
                format!("{module}.Process({target}{at}{name})")
            }
            Flavour::Pool => format!("pool.submit({run}, {})", arguments.join(", ")),
            Flavour::Threads | Flavour::Sequential | Flavour::Beside => {
                if at != "0" || (!after.is_empty() && self.is_late(&[Flavour::Threads])) {
                    arguments.push(at.to_owned());
                }
                if !after.is_empty() {
                    arguments.push(after);
                }
                let daemon = if until { ", daemon=True" } else { "" };
                format!("threading.Thread(target={run}, args=({}){daemon})", arguments.join(", "))
            }
        }
    }

    /// Puts something for each instance of a task into a list, with its arrival.
    fn each(&self, spec: SpecId, list: &str, first: bool, make: &dyn Fn(&str) -> String, lines: &mut Lines) {
        let description = &self.plan.scenario.specs[spec];
        let assign = if first { "=" } else { "+=" };
        let count = description.count;
        let loops = |clause: String, at: &str| comprehension(list, assign, &make(at), &clause);
        let range = format!("for i in range({count})");
        if let Some(at) = self.single(spec) {
            lines.line(format!("{list} {assign} [{}]", make(&at)));
            return;
        }
        match &description.arrival {
            Arrival::At(at) => lines.line(loops(range, &seconds(span(*at)))),
            Arrival::Every(gap) => lines.line(loops(range, &format!("i * {}", seconds(*gap)))),
            Arrival::List(times) => {
                let times: Vec<String> = times.iter().map(|at| seconds(span(*at))).collect();
                lines.line(loops(format!("for i, at in enumerate([{}])", times.join(", ")), "at"));
            }
            Arrival::Gap(gap) => {
                if first {
                    lines.line(format!("{list} = []"));
                }
                lines.line(format!("at = 0\nfor i in range({count}):"));
                lines.deeper(|lines| lines.line(format!("{list}.append({})\nat += {}", make("at"), duration(gap))));
            }
            Arrival::Spawned => {}
        }
    }

    /// The name of an instance, whose number is `i` if there are several.
    fn instance(&self, spec: SpecId) -> String {
        let name = self.plan.task_name(spec);
        let description = &self.plan.scenario.specs[spec];
        let drawn = matches!(description.arrival, Arrival::Gap(_));
        if description.count == 1 && !drawn {
            text::quoted(&format!("{name}#0"))
        } else {
            format!("f\"{}#{{i}}\"", text::in_f_string(&name))
        }
    }

    /// Waits for those that have been made, and for those that they spawn.
    fn wait_for(&self, process: ProcessId, lines: &mut Lines) {
        let until = self.plan.scenario.until.is_some();
        let spawned = self.plan.leaves_behind(process);
        match self.plan.flavours[process] {
            Flavour::Async if until => {
                lines.line("await asyncio.wait(tasks, timeout=max(0, UNTIL - now()))");
                if spawned {
                    lines.line("if spawned:\n    await asyncio.wait(spawned, timeout=max(0, UNTIL - now()))");
                }
            }
            Flavour::Async => {
                lines.line("await asyncio.gather(*tasks)");
                if spawned {
                    lines.line("for task in spawned:  # while some run, it may grow\n    await task");
                }
            }
            Flavour::Processes => self.wait_for_processes(lines),
            _ => {
                let join = if until { "thread.join(max(0, UNTIL - now()))" } else { "thread.join()" };
                lines.line(format!("for thread in threads:\n    thread.start()\nfor thread in threads:\n    {join}"));
                if spawned {
                    lines.line(format!("for thread in spawned:  # while some run, it may grow\n    {join}"));
                }
            }
        }
    }

    pub(super) fn wait_for_processes(&self, lines: &mut Lines) {
        lines.line("for process in processes:\n    process.start()");
        if self.plan.scenario.until.is_none() || self.has_several() {
            lines.line("for process in processes:\n    process.join()");
        } else {
            lines.line("for process in processes:\n    process.join(max(0, begin + UNTIL - time.perf_counter()))");
            lines.line("for process in processes:\n    if process.is_alive():");
            lines.line(format!(
                "        print(f\"{{process.name:{}}} not ended\")\n        process.kill()",
                self.plan.width()
            ));
        }
        if self.has_several() {
            lines.line(format!(
                "print(f\"{{'total':{}}} {{1000 * (time.perf_counter() - begin.value):8.1f}} ms\")",
                self.plan.width()
            ));
        }
    }
}

fn span(time: Time) -> Span {
    Span::from_ns(time.ns())
}

/// A list of what is made in a loop, on one line if that is not too long.
fn comprehension(list: &str, assign: &str, made: &str, clause: &str) -> String {
    let line = format!("{list} {assign} [{made} {clause}]");
    if line.chars().count() <= COLUMNS { line } else { format!("{list} {assign} [\n    {made}\n    {clause}\n]") }
}
