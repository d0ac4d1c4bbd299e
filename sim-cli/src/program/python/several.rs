//! A program of several processes: a function for each, and one that starts them all. They wait for each other before anything
//! begins: the start is when the last of them is there.

use sim_core::ids::ProcessId;
use sim_core::scenario::{Arrival, StartMethod};

use super::{Python, text};
use crate::program::lines::Lines;
use crate::program::plan::Flavour;

const TOGETHER: &str = "\
def together(gate, begin, run, *args, **kwargs):
    \"\"\"Runs in a process of its own, and begins when all processes are there.\"\"\"
    if gate.wait() == 0:
        begin.value = time.perf_counter()
    gate.wait()
    run(begin.value, *args, **kwargs)
";

const IN_LOOP: &str = "\
def in_loop(begin, main):
    \"\"\"Runs an event loop in a process of its own.\"\"\"
    asyncio.run(main(begin))
";

impl Python<'_> {
    /// The functions of a program of several.
    pub(super) fn several(&self) -> Vec<String> {
        let mut functions = Vec::new();
        for (process, name) in &self.called.processes {
            let mut lines = Lines::new();
            let is_async = self.plan.flavours[*process] == Flavour::Async;
            let is_pool = self.plan.flavours[*process] == Flavour::ProcessPool;
            lines.line(format!("{}def {name}(begin):", if is_async { "async " } else { "" }));
            lines.deeper(|lines| {
                if !is_pool {
                    lines.line("global START\nSTART = begin");
                }
                self.prepare(*process, lines);
                self.group(*process, lines);
            });
            functions.push(lines.text());
        }
        if self.has(&[Flavour::Async]) {
            functions.push(IN_LOOP.to_owned());
        }
        functions.push(TOGETHER.to_owned());
        functions.push(self.main_of_several());
        functions
    }

    fn main_of_several(&self) -> String {
        let mut lines = Lines::new();
        lines.line("def main():");
        lines.deeper(|lines| {
            self.gate(lines);
            for (id, process) in self.plan.processes() {
                match self.called.processes.get(&id) {
                    Some(name) => {
                        let is_async = self.plan.flavours[id] == Flavour::Async;
                        let args = if is_async { format!("in_loop, {name}") } else { name.clone() };
                        let (module, called) = (self.started_in(id), text::quoted(&process.name));
                        lines.line(format!(
                            "processes.append({module}.Process(target=together, args=(gate, begin, {args}), name={called}))"
                        ));
                    }
                    None => {
                        self.objects(id).iter().for_each(|line| lines.line(line));
                        self.launch(&self.plan.stages(id).concat(), false, lines);
                    }
                }
            }
            self.wait_for_processes(lines);
        });
        lines.line("\n\nif __name__ == \"__main__\":\n    main()");
        lines.text()
    }

    /// The module, or the context, in which this one of several is started. Who is forked has the server of processes of its parent in
    /// its memory, waits for that as for a child, and starts none; who comes from the server makes one of its own.
    fn started_in(&self, process: ProcessId) -> String {
        let method = self.plan.scenario.processes[process].executor.start_method;
        let by_server = method.filter(|method| *method == StartMethod::Forkserver);
        by_server.map_or_else(|| "multiprocessing".to_owned(), context)
    }

    /// Where all processes meet before they begin.
    fn gate(&self, lines: &mut Lines) {
        let tasks = |id: ProcessId| {
            let own = self.plan.specs(id).filter(|(_, spec)| spec.arrival != Arrival::Spawned);
            own.map(|(_, spec)| spec.count).sum::<u32>()
        };
        let parties: u32 = self
            .plan
            .processes()
            .map(|(id, _)| if self.called.processes.contains_key(&id) { 1 } else { tasks(id) })
            .sum();
        // What is made for processes that are forked cannot be given to others; the other way round it can.
        let given = self.methods().into_iter().find(|method| *method != StartMethod::Fork);
        let module = given.map_or_else(|| "multiprocessing".to_owned(), context);
        lines.line(format!("gate = {module}.Barrier({parties})"));
        lines.line(format!("begin = {module}.Value(\"d\")  # the time at which all are there"));
        lines.line("processes = []");
    }

    /// The ways to start processes that are named, each once.
    fn methods(&self) -> Vec<StartMethod> {
        let mut methods = Vec::new();
        for method in self.plan.scenario.processes.iter().filter_map(|process| process.executor.start_method) {
            if !methods.contains(&method) {
                methods.push(method);
            }
        }
        methods
    }

    /// The lines that make the contexts of these ways, where a program has several processes: each is started in its own.
    pub(super) fn contexts(&self) -> Vec<String> {
        let methods = if self.has_several() { self.methods() } else { Vec::new() };
        let line =
            |method: StartMethod| format!("{} = multiprocessing.get_context(\"{}\")", context(method), method.name());
        methods.into_iter().map(line).collect()
    }

    /// What the context is called in which a process starts others, if it is one of several and names a way.
    pub(super) fn context(&self, process: ProcessId) -> Option<String> {
        let method = self.plan.scenario.processes[process].executor.start_method;
        method.filter(|_| self.has_several()).map(context)
    }

    /// The module, or the context, of the processes that a process starts, and of what they share.
    pub(super) fn processes_of(&self, process: ProcessId) -> String {
        self.context(process).unwrap_or_else(|| "multiprocessing".to_owned())
    }
}

/// What the context is called of processes that are started in this way.
fn context(method: StartMethod) -> String {
    format!("{}_context", method.name())
}
