//! Names of things, and what a reference to a task means.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use super::process::Drafts;
use super::{Executor, Target, Which};
use crate::document::{Item, Log, Note, Spot, Table, alternatives, likely_first, listing, quoted, there_is};

/// The names given so far to things of one kind.
pub(super) struct Register<'a> {
    kind: &'static str,
    names: BTreeMap<&'a str, Spot>,
}

impl<'a> Register<'a> {
    pub(super) fn new(kind: &'static str) -> Register<'a> {
        Register { kind, names: BTreeMap::new() }
    }

    /// Enters a name, which must be new.
    pub(super) fn enter(&mut self, name: &'a str, spot: Spot, log: &Log) {
        match self.names.entry(name) {
            Entry::Vacant(new) => drop(new.insert(spot)),
            Entry::Occupied(first) => {
                let note = Note::new(spot, format!("there already is a {} called {}", self.kind, quoted(name)));
                log.add(note.also(*first.get(), "the first"));
            }
        }
    }
}

/// The `name` of a table; empty if it has none that is valid, which is noted.
pub(super) fn name<'a>(table: &mut Table<'a>, register: &mut Register<'a>) -> &'a str {
    let item = table.required("name", "others refer to it by its name");
    let Some((name, spot)) = item.and_then(|item| Some((valid(item)?, item.spot()))) else { return "" };
    register.enter(name, spot, table.log());
    name
}

/// A name: any text but the empty one, without the signs that separate the parts of full names.
pub(super) fn valid<'a>(item: Item<'a>) -> Option<&'a str> {
    let name = item.text()?;
    match check(name) {
        Ok(()) => Some(name),
        Err((sentence, hint)) => {
            item.wrong(sentence, hint);
            None
        }
    }
}

/// Can this be a name? Else a sentence, and a hint.
pub(super) fn check(name: &str) -> Result<(), (String, &'static str)> {
    if name.is_empty() {
        return Err(("a name cannot be empty".to_owned(), "write any text without `/` and `#`"));
    }
    match name.chars().find(|letter| matches!(letter, '/' | '#')) {
        None => Ok(()),
        Some(sign) => {
            let hint = "full names are written process/task#instance, so these two signs are taken";
            Err((format!("a name cannot contain `{sign}`"), hint))
        }
    }
}

/// What tasks can be called from where.
pub(super) struct Names<'d, 'a> {
    drafts: &'d Drafts<'a>,
    processes: BTreeMap<&'d str, usize>,
    /// The tasks in the order of their names, those of one name in file order; made for the first who refers to one.
    tasks: OnceCell<Vec<usize>>,
}

impl<'d, 'a> Names<'d, 'a> {
    /// Gathers the names of all processes and tasks.
    pub(super) fn of(drafts: &'d Drafts<'a>) -> Names<'d, 'a> {
        let mut names = Names { drafts, processes: BTreeMap::new(), tasks: OnceCell::new() };
        for (index, process) in drafts.processes.iter().enumerate() {
            names.processes.entry(&process.name).or_insert(index);
        }
        names
    }

    fn sorted(&self) -> &[usize] {
        self.tasks.get_or_init(|| {
            let mut tasks: Vec<usize> = (0..self.drafts.tasks.len()).collect();
            tasks.sort_by_key(|task| self.drafts.tasks[*task].name);
            tasks
        })
    }

    /// The tasks of a name, in file order.
    fn tasks(&self, name: &str) -> &[usize] {
        let sorted = self.sorted();
        let first = sorted.partition_point(|task| self.drafts.tasks[*task].name < name);
        let end = sorted.partition_point(|task| self.drafts.tasks[*task].name <= name);
        &sorted[first..end]
    }

    /// What a process is called.
    pub(super) fn process(&self, process: usize) -> &'d str {
        &self.drafts.processes[process].name
    }

    /// The executor of a process.
    pub(super) fn executor(&self, process: usize) -> &'d Executor {
        &self.drafts.processes[process].executor
    }

    /// Does a process run in CPython, or by its rules?
    pub(super) fn is_python(&self, process: usize) -> bool {
        self.drafts.processes[process].runtime.cpython().is_some() || self.executor(process).is_of_cpython()
    }

    /// The pools of a process.
    pub(super) fn pools(&self, process: usize) -> impl Iterator<Item = &'d str> {
        self.parts(process).map(|(_, name)| name)
    }

    /// The definition of the pool of this name that a process has.
    pub(super) fn pool(&self, process: usize, name: &str) -> Option<usize> {
        self.parts(process).find(|(_, pool)| *pool == name).map(|(number, _)| number)
    }

    fn parts(&self, process: usize) -> impl Iterator<Item = (usize, &'d str)> {
        let parts = self.drafts.processes.iter().enumerate();
        let parts = parts.filter_map(|(number, other)| Some((number, other.part.as_ref()?)));
        parts.filter(move |(_, part)| part.whole == process).map(|(number, part)| (number, part.pool.as_str()))
    }

    /// Is the task started by others only?
    pub(super) fn is_spawned(&self, task: usize) -> bool {
        self.drafts.tasks[task].is_spawned
    }

    /// How a task is called from a process.
    pub(super) fn call(&self, task: usize, from: usize) -> String {
        let task = &self.drafts.tasks[task];
        if task.process == from {
            return task.name.to_owned();
        }
        format!("{}/{}", self.drafts.processes[task.process].name, task.name)
    }

    /// The task that is meant by a text in a process: one of the same process, a unique one of any process, or
    /// `process/task`.
    pub(super) fn resolve(&self, item: Item<'_>, from: usize) -> Option<Target> {
        let text = item.text()?;
        match text.split_once('/') {
            Some((process, task)) => self.qualified(item, process, task, from),
            None => self.bare(item, text, from),
        }
    }

    fn bare(&self, item: Item<'_>, name: &str, from: usize) -> Option<Target> {
        let found = self.tasks(name);
        let own = found.iter().find(|task| self.drafts.tasks[**task].process == from);
        match (own, found) {
            (Some(task), _) => Some(Target { task: *task, which: Which::Own }),
            (None, [task]) => Some(self.target(*task, from)),
            (None, []) => {
                self.unknown(item, format!("there is no task {}", quoted(name)), name, from);
                None
            }
            (None, several) => {
                let calls: Vec<String> = several.iter().map(|task| self.call(*task, from)).collect();
                let hint = format!("write {}", alternatives(calls.iter().map(String::as_str)));
                item.wrong(format!("several processes have a task {}", quoted(name)), hint);
                None
            }
        }
    }

    fn target(&self, task: usize, from: usize) -> Target {
        let process = self.drafts.tasks[task].process;
        let which = match self.drafts.processes[process].count {
            _ if process == from => Which::Own,
            1 => Which::Copy(0),
            _ => Which::All,
        };
        Target { task, which }
    }

    fn qualified(&self, item: Item<'_>, process: &str, name: &str, from: usize) -> Option<Target> {
        let (plain, copy) = match process.split_once('#') {
            Some((plain, copy)) => (plain, copy.parse::<u32>().ok()),
            None => (process, None),
        };
        let index = self.processes.get(plain).copied();
        let exists = |index: &usize| {
            let count = self.drafts.processes[*index].count;
            plain == process || (count > 1 && copy.is_some_and(|copy| copy < count))
        };
        let Some(index) = index.filter(exists) else {
            let names = || self.processes.keys().copied().filter(|name| !name.is_empty());
            let sentence = format!("there is no process {}", quoted(process));
            match index.map(|index| self.drafts.processes[index].count) {
                Some(1) => item.wrong(sentence, format!("there is only one {}", quoted(plain))),
                Some(count) => item.wrong(sentence, format!("its copies are {plain}#0 to {plain}#{}", count - 1)),
                None => item.unknown(sentence, plain, names(), || there_is(likely_first(plain, names()))),
            }
            return None;
        };
        let found = self.tasks(name);
        let Some(task) = found.iter().find(|task| self.drafts.tasks[**task].process == index) else {
            let sentence = format!("the process {} has no task {}", quoted(process), quoted(name));
            self.unknown(item, sentence, name, index);
            return None;
        };
        let target = self.target(*task, from);
        Some(copy.map_or(target, |copy| Target { task: *task, which: Which::Copy(copy) }))
    }

    /// Notes that a process has no such task; the hint looks there first and then everywhere.
    fn unknown(&self, item: Item<'_>, sentence: String, name: &str, process: usize) {
        let own = self.drafts.tasks.iter().filter(|task| task.process == process).map(|task| task.name);
        let own = || own.clone().filter(|name| !name.is_empty());
        let name_of = |task: usize| self.drafts.tasks[task].name;
        let all = self.sorted().chunk_by(|a, b| name_of(*a) == name_of(*b)).map(|same| name_of(same[0]));
        let names = own().chain(all);
        item.unknown(sentence, name, names, || match listing(likely_first(name, own())) {
            tasks if tasks.is_empty() => "its process has no tasks".into(),
            tasks => format!("the process has {tasks}"),
        });
    }
}
