//! `[[process]]` and its executor; tasks at the top level make a process `main`.

use std::sync::Arc;

use super::groups::Groups;
use super::machine::Processors;
use super::names::{Register, name};
use super::pools::{self, PartDefinition, Pool};
use super::runtime;
use super::task::{self, Draft};
use super::{ProcessDefinition, TaskDefinition};
use crate::document::{Item, Kind, Log, Note, Spot, Table, Value, listing, quoted};
use crate::executor::rules::{RULES, Rules, Set};
use crate::executor::{self, EXECUTORS, Executor};
use crate::ids::GroupId;
use crate::scenario::Runtime;
use crate::scenario::words::{LANGUAGE, planned};

/// Copies of one process.
const COPIES: u32 = 100_000;

/// Processes and tasks, before references between tasks are looked up.
pub(super) struct Drafts<'a> {
    pub(super) processes: Vec<ProcessDefinition>,
    pub(super) tasks: Vec<Draft<'a>>,
}

/// A reader of processes and tasks.
struct Reader<'a, 'p> {
    drafts: Drafts<'a>,
    tasks: Vec<TaskDefinition>,
    /// The pools of those processes.
    parts: Vec<ProcessDefinition>,
    processors: &'p Processors,
}

/// Reads all processes and tasks, those of the top level first.
pub(super) fn read<'a>(
    file: &mut Table<'a>,
    processors: &Processors,
    groups: &Groups<'a>,
) -> (Drafts<'a>, Vec<TaskDefinition>) {
    let drafts = Drafts { processes: Vec::new(), tasks: Vec::new() };
    let mut reader = Reader { drafts, tasks: Vec::new(), parts: Vec::new(), processors };
    let mut register = Register::new("process");
    let executor = file.item("executor");
    let main_runtime = runtime::read(file);
    let pools = file.item("pools");
    let tasks = file.tables("task", "[[task]]");
    let processes = file.tables("process", "[[process]]");
    if let Some(first) = tasks.first() {
        let spot = first.spot();
        register.enter("main", spot, file.log());
        let mut executor = read_either(executor, &main_runtime, processors, first);
        let pools = read_pools(pools, &mut executor, &main_runtime, processors);
        // Where others are processes that can name their groups, those that cannot are in none.
        let group = if processes.is_empty() { groups.of_main(file.log()) } else { None };
        reader.add(Named { name: "main", count: 1, spot, group }, main_runtime, (executor, pools), tasks);
    } else if let Some(first) = processes.first() {
        for (key, spot) in ["executor", "runtime", "pools"].map(|key| (key, file.key_spot(key))) {
            let Some(spot) = spot.map(|spot| executor.filter(|_| key == "executor").map_or(spot, |item| item.spot()))
            else {
                continue;
            };
            let note = Note::new(spot, format!("this `{key}` is for tasks at the top level, and there are none"));
            file.log().add(note.also(first.spot(), "a process has its own").hint("move it below [[process]]"));
        }
    }
    for mut table in processes {
        let name = name(&mut table, &mut register);
        let runtime = runtime::read(&mut table);
        let executor = table.item("executor");
        let mut executor = read_either(executor, &runtime, processors, &table);
        let pools = read_pools(table.item("pools"), &mut executor, &runtime, processors);
        let group = table.item("group").and_then(|item| groups.find(item));
        let item = table.item("count");
        let spot = item.map_or(table.spot(), |item| item.spot());
        let count = item.and_then(|item| item.count(1..=COPIES)).unwrap_or(1);
        let has_tasks = table.key_spot("task").is_some();
        let tasks = table.tables("task", "[[process.task]]");
        if !has_tasks {
            let note = Note::new(table.spot(), format!("the process {} has no tasks", quoted(name)));
            file.log().add(note.hint("its tasks follow it as [[process.task]]; a [[task]] belongs to `main`"));
        }
        reader.add(Named { name, count, spot, group }, runtime, (executor, pools), tasks);
    }
    reader.add_parts(file.log());
    (reader.drafts, reader.tasks)
}

/// The pools that a process has beside its executor.
fn read_pools<'a>(
    item: Option<Item<'a>>,
    executor: &mut Executor,
    runtime: &Runtime,
    processors: &Processors,
) -> Vec<Pool<'a>> {
    item.map(|item| pools::read(item, executor, runtime, processors)).unwrap_or_default()
}

/// Which process it is, of how many, and where the file says so.
struct Named<'n> {
    name: &'n str,
    count: u32,
    spot: Spot,
    group: Option<GroupId>,
}

impl<'a> Reader<'a, '_> {
    fn add(
        &mut self,
        process: Named<'_>,
        runtime: Runtime,
        (executor, pools): (Executor, Vec<Pool<'a>>),
        tasks: Vec<Table<'a>>,
    ) {
        let Named { name, count, spot, group } = process;
        let mut register = Register::new("task in this process");
        let (process, first) = (self.drafts.processes.len(), self.tasks.len());
        self.tasks.reserve(tasks.len());
        self.drafts.tasks.reserve(tasks.len());
        for table in tasks {
            let (task, draft) = task::read(table, process, &mut register, self.processors);
            self.tasks.push(task);
            self.drafts.tasks.push(draft);
        }
        self.parts.extend(pools.into_iter().map(|pool| ProcessDefinition {
            name: format!("{name}.{}", pool.name),
            count,
            spot: pool.spot,
            runtime: runtime.clone(),
            executor: pool.executor,
            group,
            tasks: 0..0,
            branches: 0..0,
            part: Some(PartDefinition { whole: process, pool: pool.name.to_owned() }),
        }));
        let (name, tasks) = (name.to_owned(), first..self.tasks.len());
        self.drafts.processes.push(ProcessDefinition {
            name,
            count,
            spot,
            runtime,
            executor,
            group,
            tasks,
            branches: 0..0,
            part: None,
        });
    }

    /// Pools come behind all processes of the file, whose names they may not have.
    fn add_parts(&mut self, log: &Log) {
        for part in std::mem::take(&mut self.parts) {
            if let Some(other) = self.drafts.processes.iter().find(|other| other.name == part.name) {
                let sentence = format!("this pool is called {} where processes are named", quoted(&part.name));
                let note = Note::new(part.spot, sentence).also(other.spot, "and so is this one");
                log.add(note.hint("give one of them another name"));
            }
            self.drafts.processes.push(part);
        }
    }
}

/// The executor that a process in this runtime names, or the one of those that name none.
fn read_either(item: Option<Item<'_>>, runtime: &Runtime, processors: &Processors, place: &Table<'_>) -> Executor {
    let executor = item.and_then(|item| read_executor(item, runtime, processors));
    let mut executor = executor.unwrap_or_else(|| plain(executor::DEFAULT, runtime, processors, place.log()));
    size(&mut executor, runtime, processors);
    runtime::check(runtime, executor.kind, item, place);
    executor
}

/// The most threads that pools of Python have by themselves, and how many more than processors.
const OF_PYTHON: (u32, u32) = (32, 4);

/// Of threads Python's pools have more than processors, unless the file says how many.
pub(super) fn size(executor: &mut Executor, runtime: &Runtime, processors: &Processors) {
    if executor.default_workers && !executor.of_processes && runtime.cpython().is_some() {
        executor.workers = (processors.count + OF_PYTHON.1).min(OF_PYTHON.0);
    }
}

/// An executor without parameters.
fn plain(kind: &'static executor::Kind, runtime: &Runtime, processors: &Processors, log: &Log) -> Executor {
    let empty = Value { spot: Spot::WHOLE, kind: Kind::Table(Vec::new()) };
    let mut executor = Executor::new(kind, processors.count);
    if let Some((rules, set)) = default_rules(runtime, kind) {
        by_rules(&empty, (rules, set), runtime, &mut executor, log);
        return executor;
    }
    (kind.read)(&mut Table::new(&empty, EXECUTOR, log), &mut executor);
    if runtime.cpython().is_none() {
        as_measured(&empty, &mut executor);
    }
    executor
}

/// What its table is called in messages.
const EXECUTOR: &str = "`executor`";

/// An executor of this kind that has nothing but what the rules set of it.
pub(super) fn by_rules_alone(rules: &'static Rules, kind: &'static executor::Kind) -> Option<Executor> {
    let empty = Value { spot: Spot::WHOLE, kind: Kind::Table(Vec::new()) };
    let mut executor = Executor::new(kind, 1);
    by_rules(&empty, (rules, rules.of(kind)?), &Runtime::Rust, &mut executor, &Log::new(&LANGUAGE));
    Some(executor)
}

/// A pool beside an executor that goes by the rules of tokio is the one for what blocks that every runtime of tokio has, and goes by the
/// same rules, if it says nothing but how many threads and tasks it has room for.
pub(super) fn read_pool(
    item: Item<'_>,
    beside: &Executor,
    runtime: &Runtime,
    processors: &Processors,
) -> Option<Executor> {
    const MAY_SAY: [&str; 6] = ["kind", "core", "maximum", "keep-alive", "queue-limit", "when-full"];
    let named = beside.rules.filter(|rules| rules.starts_with("tokio-") && runtime.rules().is_none());
    let rules = RULES.iter().find(|rules| Some(rules.name) == named);
    let nothing = Value { spot: item.spot(), kind: Kind::Table(Vec::new()) };
    let (kind, written) = match item.kind() {
        Kind::Text(name) => (Some(&**name), &nothing),
        Kind::Table(entries) if entries.iter().all(|entry| MAY_SAY.contains(&&*entry.key)) => {
            let kind = item.value().get("kind").map(|kind| &kind.kind);
            (if let Some(Kind::Text(name)) = kind { Some(&**name) } else { None }, item.value())
        }
        _ => (None, &nothing),
    };
    let kind = EXECUTORS.iter().find(|known| Some(known.name) == kind);
    let (Some(rules), Some(kind)) = (rules, kind) else { return read_executor(item, runtime, processors) };
    let Some(set) = rules.of(kind) else { return read_executor(item, runtime, processors) };
    let mut executor = Executor::new(kind, processors.count);
    by_rules(written, (rules, set), runtime, &mut executor, item.log());
    Some(executor)
}

/// An executor: its name, or a table of its name and parameters.
pub(super) fn read_executor(item: Item<'_>, runtime: &Runtime, processors: &Processors) -> Option<Executor> {
    let kind = |item: Item<'_>| item.on_shelf("executor", EXECUTORS, |kind| kind.name);
    match item.kind() {
        Kind::Table(_) => {}
        Kind::Text(_) => return Some(plain(kind(item)?, runtime, processors, item.log())),
        _ => {
            item.mismatch("the name of an executor or a table", "\"threads\" or { kind = \"pool\", workers = 4 }");
            return None;
        }
    }
    if rules_alone(item) {
        return None;
    }
    let mut table = item.table(EXECUTOR)?;
    let Some(kind) = table.required("kind", "which executor it is").and_then(kind) else {
        // What an unknown executor takes, nobody knows.
        table.tolerate_all();
        return None;
    };
    let named = table.item("rules").map(|item| rules_of(kind, item, runtime));
    refuse_foreign(kind, runtime, &mut table);
    let mut executor = Executor::new(kind, processors.count);
    if matches!(named, Some(None)) {
        // What belongs to rules that nobody knows, nobody knows.
        table.tolerate_all();
        return Some(executor);
    }
    let rules = named.unwrap_or_else(|| default_rules(runtime, kind));
    if let Some((rules, set)) = rules {
        table.tolerate_all();
        by_rules(item.value(), (rules, set), runtime, &mut executor, item.log());
        return Some(executor);
    }
    (kind.read)(&mut table, &mut executor);
    refuse_unused(kind, &mut table);
    if named.is_none() && runtime.cpython().is_none() {
        as_measured(item.value(), &mut executor);
    }
    Some(executor)
}

/// Says of a table that names rules and no executor for which they are.
fn rules_alone(item: Item<'_>) -> bool {
    let named = item.value().get("rules").filter(|_| item.value().get("kind").is_none());
    let Some(Kind::Text(found)) = named.map(|value| &value.kind) else { return false };
    let Some(rules) = RULES.iter().find(|rules| rules.name == &**found) else { return false };
    let (first, takers) = (rules.sets[0].executor.name, listing(rules.sets.iter().map(|set| set.executor.name)));
    let note = Note::new(item.spot(), format!("`kind` is missing in {EXECUTOR}: which executor it is"));
    item.log().add(
        note.hint(format!("the rules {} are for {takers}: write kind = {first:?} beside them", quoted(rules.name))),
    );
    true
}

/// Reads the parameters of an executor as they were written, and beneath them those of rules. Those of other executors have been
/// refused.
fn by_rules(
    written: &Value<'_>,
    (rules, set): (&'static Rules, &'static Set),
    runtime: &Runtime,
    executor: &mut Executor,
    log: &Log,
) {
    let value = written.above(set.parameters);
    let mut table = Table::new(&value, EXECUTOR, log);
    ["kind", "rules"].into_iter().for_each(|key| table.tolerate(key));
    foreign(executor.kind, &table).into_iter().for_each(|key| table.tolerate(key));
    executor.rules = Some(rules.name);
    (executor.kind.read)(&mut table, executor);
    refuse_unused(executor.kind, &mut table);
    if runtime.cpython().is_some() {
        // What only these rules say is what it has.
        executor.own_rules.retain(|key| written.get(key).is_some());
    }
}

/// The rules of executors in this runtime that name none.
fn default_rules(runtime: &Runtime, kind: &'static executor::Kind) -> Option<(&'static Rules, &'static Set)> {
    let name = runtime.rules()?;
    let rules = RULES.iter().find(|rules| rules.name == name)?;
    Some((rules, rules.of(kind)?))
}

/// The rules that the executor names, and what they set of it.
fn rules_of(
    kind: &'static executor::Kind,
    item: Item<'_>,
    runtime: &Runtime,
) -> Option<(&'static Rules, &'static Set)> {
    if runtime::refuses_version(&item) {
        return None;
    }
    let (found, name) = (item.text()?, quoted(kind.name));
    // An executor that CPython has not is refused itself.
    let in_python = runtime.cpython().is_some() && kind.in_python;
    let is_there = |rules: &&&Rules| !in_python || rules.is_of_cpython();
    let own: Vec<&Rules> = executor::rules::for_executor(kind).filter(|rules| is_there(&rules)).collect();
    let names = || own.iter().map(|rules| rules.name);
    let hint = match own.as_slice() {
        [] => format!("there are no rules for {name}"),
        _ if in_python => format!("those of CPython for {name} are {}", listing(names())),
        _ => format!("those for {name} are {}", listing(names())),
    };
    let Some(rules) = RULES.iter().find(|rules| rules.name == found) else {
        let sentence = format!("unknown rules {}", quoted(found));
        // Of several versions of a runtime none is nearer than the others.
        let versions: Vec<&&Rules> = own.iter().filter(|rules| found.starts_with(rules.runtime())).collect();
        match versions.as_slice() {
            [one, _, ..] => {
                let names = listing(versions.iter().map(|rules| rules.name));
                item.wrong(sentence, format!("of {} there are {names}", quoted(one.runtime())));
            }
            _ => item.unknown(sentence, found, RULES.iter().filter(is_there).map(|rules| rules.name), || hint),
        }
        return None;
    };
    if !is_there(&rules) {
        let sentence =
            format!("the rules `{}` are of {}, and this process runs in CPython", rules.name, quoted(rules.runtime()));
        item.wrong(sentence, hint);
        return None;
    }
    if let Some(set) = rules.of(kind) {
        return Some((rules, set));
    }
    let takers = listing(rules.sets.iter().map(|set| set.executor.name));
    item.wrong(format!("the rules `{}` are for {takers}, not for the executor {name}", rules.name), hint);
    None
}

/// How the executor behaves when it is measured, if that is not as `written`.
fn as_measured(written: &Value<'_>, executor: &mut Executor) {
    let Some(set) = executor::rules::when_measured(executor) else { return };
    // What is wrong with what was written has been said.
    let log = Log::new(&LANGUAGE);
    let value = written.above(set.parameters);
    let mut table = Table::new(&value, EXECUTOR, &log);
    let mut measured = Executor::new(executor.kind, executor.workers);
    (executor.kind.read)(&mut table, &mut measured);
    table.tolerate_all();
    executor.as_measured = Some(Arc::new(measured));
}

/// What the executor takes, but not with the `queue` that was chosen, is refused with what would be right.
fn refuse_unused(kind: &executor::Kind, table: &mut Table<'_>) {
    for name in kind.parameters.iter().map(|parameter| parameter.name) {
        let Some(spot) = table.key_spot(name).filter(|_| !table.has_asked(name)) else { continue };
        table.tolerate(name);
        // What follows from rules, and means nothing beside what is written, is left out.
        if spot == Spot::WHOLE {
            continue;
        }
        let note = Note::new(spot, format!("the executor {} takes no `{name}` with this `queue`", quoted(kind.name)));
        table.log().add(note.hint(format!("leave `{name}` out, or choose another `queue`")));
    }
}

/// The parameters of other executors that stand in the table of this one.
fn foreign(kind: &executor::Kind, table: &Table<'_>) -> Vec<&'static str> {
    let known: Vec<&'static str> =
        EXECUTORS.iter().flat_map(|kind| kind.parameters).map(|parameter| parameter.name).collect();
    table.present(&known).into_iter().filter(|parameter| !kind.takes(parameter)).collect()
}

/// Parameters of other executors are refused by name.
fn refuse_foreign(kind: &executor::Kind, runtime: &Runtime, table: &mut Table<'_>) {
    for parameter in foreign(kind, table) {
        let Some(spot) = table.key_spot(parameter) else { continue };
        table.tolerate(parameter);
        let is_there = |kind: &executor::Kind| kind.in_python || runtime.cpython().is_none();
        let takers: Vec<&executor::Kind> = EXECUTORS.iter().copied().filter(|kind| kind.takes(parameter)).collect();
        let (here, elsewhere): (Vec<_>, Vec<_>) = takers.into_iter().partition(|kind| is_there(kind));
        let name = quoted(kind.name);
        let sentence = if planned::has_parameter(kind.name, parameter) {
            format!("`{parameter}` for the executor {name} is not supported yet")
        } else {
            format!("the executor {name} takes no `{parameter}`")
        };
        let names = |takers: &[&executor::Kind]| listing(takers.iter().map(|kind| kind.name));
        let hint = match here.as_slice() {
            [] => format!("`{parameter}` is for {}, which CPython does not have", names(&elsewhere)),
            [only] => format!("`{parameter}` is for {{ kind = {:?}, {parameter} = … }}", only.name),
            takers => format!("`{parameter}` is for {}", names(takers)),
        };
        table.log().add(Note::new(spot, sentence).hint(hint));
    }
}
