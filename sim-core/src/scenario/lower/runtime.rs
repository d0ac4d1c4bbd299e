//! `runtime`: which runtime a process runs in, and what only one of them has.

use std::collections::{BTreeMap, BTreeSet};

use super::super::{CPython, Op, Rule, Runtime, SyncOp, interpreter_of_version};
use super::syncs::Syncs;
use super::{ProcessDefinition, TaskDefinition};
use crate::document::{Item, Kind, Log, Note, Table, listing, quoted};
use crate::executor;
use crate::executor::rules::RULES;
use crate::ids::SyncId;
use crate::sync::kinds;

/// What tasks in CPython synchronise with is CPython's own, whatever the file says of objects of which it says nothing.
pub(super) fn give_objects(processes: &[ProcessDefinition], tasks: &[TaskDefinition], syncs: &mut Syncs, log: &Log) {
    // Who was the first to use them as its own; and what has been refused.
    let mut users: BTreeMap<SyncId, &ProcessDefinition> = BTreeMap::new();
    let mut refused = BTreeSet::new();
    for process in processes.iter().filter(|process| process.runtime.cpython().is_some()) {
        let own = kinds::of_cpython(&process.executor);
        let of = tasks[process.tasks.clone()].iter().chain(&tasks[process.branches.clone()]);
        let ops = of.flat_map(|task| &task.code.ops);
        let used = ops.filter_map(|op| if let Op::Sync(op) = op { Some(*op) } else { None }).flat_map(objects_of);
        for sync in used.collect::<BTreeSet<SyncId>>() {
            let object = &mut syncs.objects[sync];
            match (object.library, own.rule(object.kind)) {
                (Some(other), _) if other != own => {
                    if refused.insert(sync) {
                        log.add(not_its_own(syncs, sync, (process, own), users.get(&sync).copied()));
                    }
                    continue;
                }
                (None, Some(rule)) if object.rule == Rule::usual(object.kind) => {
                    (object.rule, object.library) = (rule, Some(own));
                }
                _ => {}
            }
            users.entry(sync).or_insert(process);
        }
    }
}

/// The object is of another kind than the process has: the file says so, or another process of Python made it so.
fn not_its_own(
    syncs: &Syncs,
    sync: SyncId,
    (process, own): (&ProcessDefinition, &kinds::Kind),
    user: Option<&ProcessDefinition>,
) -> Note {
    let (object, place) = (&syncs.objects[sync], &syncs.places[sync]);
    let (what, own) = (format!("the {} {}", object.kind.word(), quoted(&object.name)), quoted(own.name));
    let other = object.library.map_or_else(String::new, |kind| quoted(kind.name));
    let spot = place.kind.unwrap_or(place.spot);
    let Some(user) = user else {
        let note = Note::new(spot, format!("{what} is of the kind {other}, and Python has its own: {own}"));
        let note = note.also(process.spot, "runs in CPython");
        return note.hint("leave its `kind` out: what a process in CPython uses is always CPython's");
    };
    let note = Note::new(spot, format!("{what} cannot be both of the kind {other} and of the kind {own}"));
    let note = note.also(user.spot, "used here").also(process.spot, "and here");
    note.hint(if process.part.is_some() {
        "objects of an event loop are not for threads: let what is done `on` the pool have its own"
    } else {
        "what runs in different ways in Python shares no such objects: let each process have its own"
    })
}

/// What the operation is done to; a wait is with a lock, too.
fn objects_of(op: SyncOp) -> impl Iterator<Item = SyncId> {
    let with = if let SyncOp::Wait { lock, .. } = op { Some(lock) } else { None };
    std::iter::once(op.object()).chain(with)
}

/// All runtimes by their names, the default first.
static RUNTIMES: &[&(&str, Runtime)] =
    &[&("rust", Runtime::Rust), &("cpython", Runtime::CPython(CPython { python: None, rules: None }))];

/// What its table is called in messages.
const RUNTIME: &str = "`runtime`";

/// Reads `runtime`: a name, or a table of a name and what it takes.
pub(super) fn read(table: &mut Table<'_>) -> Runtime {
    let Some(item) = table.item("runtime") else { return Runtime::Rust };
    match item.kind() {
        Kind::Text(_) => by_name(&item).unwrap_or_default(),
        Kind::Table(_) => item.table(RUNTIME).and_then(|mut table| by_table(&mut table)).unwrap_or_default(),
        _ => {
            item.mismatch(
                "the name of a runtime or a table",
                "\"cpython\" or { kind = \"cpython\", python = \"python3.13\" }",
            );
            Runtime::Rust
        }
    }
}

fn by_name(item: &Item<'_>) -> Option<Runtime> {
    item.on_shelf("runtime", RUNTIMES, |(name, _)| name).map(|(_, runtime)| runtime.clone())
}

fn by_table(table: &mut Table<'_>) -> Option<Runtime> {
    let runtime = table.required("kind", "which runtime it is").and_then(|item| by_name(&item));
    let [python, rules] = ["python", "rules"].map(|key| table.item(key));
    if let Some(Runtime::CPython(_)) = runtime {
        let python = python.and_then(|item| interpreter(&item));
        return Some(Runtime::CPython(CPython { python, rules: rules.and_then(|item| rules_of_python(&item)) }));
    }
    for (key, item) in [("python", python), ("rules", rules)] {
        if let Some(item) = item.filter(|_| runtime.is_some()) {
            let hint = format!("write kind = \"cpython\", or leave `{key}` out");
            item.wrong(format!("`{key}` is of the runtime \"cpython\""), hint);
        }
    }
    runtime
}

/// The rules of a version of CPython.
fn rules_of_python(item: &Item<'_>) -> Option<&'static str> {
    if refuses_version(item) {
        return None;
    }
    let all: Vec<&'static str> = RULES.iter().filter(|rules| rules.is_of_cpython()).map(|rules| rules.name).collect();
    item.one_of(&all).map(|place| all[place])
}

/// Refuses a version of CPython in place of rules, and one of which there are none: then it is noted, with those that there are.
pub(super) fn refuses_version(item: &Item<'_>) -> bool {
    let found = match item.kind() {
        Kind::Integer(version) => version.to_string(),
        Kind::Float(_, version) => version.to_string(),
        Kind::Text(name) => name.to_string(),
        _ => return false,
    };
    let version = found.strip_prefix("cpython-").unwrap_or(&found);
    let is_version = version.strip_suffix('t').unwrap_or(version).split('.').all(|part| part.parse::<u32>().is_ok());
    if !is_version || !(version.starts_with('3') || found.starts_with("cpython-")) {
        return false;
    }
    let all = || RULES.iter().filter(|rules| rules.is_of_cpython()).map(|rules| rules.name);
    let named = format!("cpython-{version}");
    let hint = match all().find(|name| *name == named) {
        Some(name) if name == found => return false,
        Some(name) => format!("write rules = {name:?}"),
        None => format!("there are {}; 3.9 and 3.10 go by those of 3.11", listing(all())),
    };
    item.wrong(format!("unknown rules {}", quoted(&found)), hint);
    true
}

/// The interpreter that is named here, a name of a program or a path.
fn interpreter(item: &Item<'_>) -> Option<String> {
    let name = match item.kind() {
        Kind::Integer(version) => &version.to_string(),
        Kind::Float(_, version) => version.as_ref(),
        _ => item.text()?,
    };
    if let Some(program) = interpreter_of_version(name) {
        let sentence = format!("`python` must be a program, and {} is a version", quoted(name));
        item.wrong(sentence, format!("write python = {program:?}, or a path"));
        return None;
    }
    if name.trim().is_empty() {
        item.wrong(
            "`python` names no interpreter",
            "write \"python3.13\" or a path, or leave it out: that is `python3`",
        );
        return None;
    }
    Some(name.to_owned())
}

/// What the executor says that its runtime has not is refused by name.
pub(super) fn check(runtime: &Runtime, executor: &'static executor::Kind, item: Option<Item<'_>>, table: &Table<'_>) {
    match runtime {
        Runtime::Rust => {
            let Some(item) = item.filter(Item::is_table) else { return };
            let has = |key| item.value().get(key).filter(|_| executor.takes(key));
            for (key, at) in [("start", has("start")), ("of", has("of"))] {
                // Where workers are threads, that nothing starts is said.
                let is_said = key == "start" && executor.takes("of") && has("of").is_none();
                let Some(value) = at.filter(|_| !is_said) else { continue };
                let note = Note::new(value.spot, format!("`{key}` is of processes of Python"));
                item.log().add(note.hint(format!("say runtime = \"cpython\" beside `executor`, or leave `{key}` out")));
            }
        }
        Runtime::CPython(_) if executor.in_python => one_queue(item),
        Runtime::CPython(_) => {
            let (spot, log) = item.map_or((table.spot(), table.log()), |item| (item.spot(), item.log()));
            let has = executor::EXECUTORS.iter().filter(|kind| kind.in_python).map(|kind| kind.name);
            let note = Note::new(spot, format!("CPython has no executor {}", quoted(executor.name)));
            log.add(note.hint(format!("it has {}", listing(has))));
        }
    }
}

/// The pools of Python have one queue, and idle workers nobody to steal from.
fn one_queue(executor: Option<Item<'_>>) {
    let queue = executor.filter(Item::is_table).and_then(|item| Some((item, item.value().get("queue")?)));
    if let Some((item, value)) =
        queue.filter(|(_, value)| matches!(&value.kind, Kind::Text(text) if text == "stealing"))
    {
        let note = Note::new(value.spot, "pools of Python have one queue");
        item.log().add(note.hint("leave one of both out: `queue` or `runtime`"));
    }
}
