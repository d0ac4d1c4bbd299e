//! `runtime`: which runtime a process runs in, and what only one of them has.

use std::collections::BTreeSet;

use super::super::{CPython, Op, Rule, Runtime, SyncObject, SyncOp};
use super::{ProcessDefinition, TaskDefinition};
use crate::document::{Item, Kind, Log, Note, Table, listing, quoted};
use crate::executor;
use crate::ids::{IdVec, SyncId};
use crate::sync::kinds;

/// What tasks in CPython synchronise with is CPython's own, whatever the file says of objects of which it says nothing.
pub(super) fn give_objects(
    processes: &[ProcessDefinition],
    tasks: &[TaskDefinition],
    objects: &mut IdVec<SyncId, SyncObject>,
    log: &Log,
) {
    for process in processes.iter().filter(|process| process.runtime.cpython().is_some()) {
        let own = kinds::of_cpython(&process.executor);
        let ops = tasks[process.tasks.clone()].iter().flat_map(|task| &task.code.ops);
        let syncs = ops.filter_map(|op| if let Op::Sync(op) = op { Some(*op) } else { None }).flat_map(objects_of);
        for sync in syncs.collect::<BTreeSet<SyncId>>() {
            let object = &mut objects[sync];
            match (object.library, own.rule(object.kind)) {
                (Some(other), _) if other != own && process.part.is_some() => {
                    let (word, name) = (object.kind.word(), quoted(&object.name));
                    let sentence =
                        format!("the {word} {name} is used on a pool, and it is of the kind {}", quoted(other.name));
                    let note = Note::new(process.spot, sentence);
                    log.add(note.hint(
                        "objects of an event loop are not for threads: let what is done `on` the pool have its own",
                    ));
                }
                (Some(other), _) if other != own => {
                    let (word, name) = (object.kind.word(), quoted(&object.name));
                    let sentence =
                        format!("the {word} {name} is of the kind {}, and Python has its own", quoted(other.name));
                    let note = Note::new(process.spot, sentence);
                    log.add(note.hint("leave its `kind` out: what a process in CPython uses is always CPython's"));
                }
                (None, Some(rule)) if object.rule == Rule::usual(object.kind) => {
                    (object.rule, object.library) = (rule, Some(own));
                }
                _ => {}
            }
        }
    }
}

/// What the operation is done to; a wait is with a lock, too.
fn objects_of(op: SyncOp) -> impl Iterator<Item = SyncId> {
    let with = if let SyncOp::Wait { lock, .. } = op { Some(lock) } else { None };
    std::iter::once(op.object()).chain(with)
}

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
    let runtimes = [Runtime::Rust, Runtime::CPython(CPython::default())];
    item.one_of(&Runtime::NAMES).map(|index| runtimes[index].clone())
}

fn by_table(table: &mut Table<'_>) -> Option<Runtime> {
    let runtime = table.required("kind", "which runtime it is").and_then(|item| by_name(&item));
    let python = table.item("python");
    match runtime {
        Some(Runtime::CPython(_)) => {
            let python = python.and_then(|item| item.text()).map(str::to_owned);
            Some(Runtime::CPython(CPython { python }))
        }
        other => {
            if let (Some(python), Some(_)) = (python, &other) {
                python
                    .wrong("`python` is of the runtime \"cpython\"", "write kind = \"cpython\", or leave `python` out");
            }
            other
        }
    }
}

/// What the executor says that its runtime has not is refused by name.
pub(super) fn check(runtime: &Runtime, executor: &'static executor::Kind, item: Option<Item<'_>>, table: &Table<'_>) {
    match runtime {
        Runtime::Rust => {
            let Some(item) = item.filter(Item::is_table) else { return };
            for key in ["start", "of"] {
                let Some(value) = item.value().get(key) else { continue };
                let note = Note::new(value.spot, format!("`{key}` is of processes of Python"));
                item.log().add(note.hint(format!("say runtime = \"cpython\" beside `executor`, or leave `{key}` out")));
            }
        }
        Runtime::CPython(_) if executor.in_python => {}
        Runtime::CPython(_) => {
            let (spot, log) = item.map_or((table.spot(), table.log()), |item| (item.spot(), item.log()));
            let has = executor::EXECUTORS.iter().filter(|kind| kind.in_python).map(|kind| kind.name);
            let note = Note::new(spot, format!("CPython has no executor {}", quoted(executor.name)));
            log.add(note.hint(format!("it has {}", listing(has))));
        }
    }
}
