//! `pools`: what a process has beside its executor, and the operation `on`, which lets one of them do something.
//!
//! Each pool becomes a process of its own, a part of the one that has it, behind all those of the file. What is done `on` a
//! pool becomes a task of that process, which the operation spawns and joins.

use super::names;
use super::process::{Drafts, read_pool, size};
use super::runtime;
use super::{Code, ProcessDefinition, Target, TaskDefinition, Which};
use crate::document::{Item, Log, Note, Spot, Table, alternatives, quoted};
use crate::executor::rules::RULES;
use crate::executor::{self, EXECUTORS, Executor, Threads};
use crate::scenario::{Arrival, Runtime, Way};

/// What its table is called in messages.
const POOLS: &str = "`pools`";

/// The kinds that a pool can be of.
const KINDS: [&str; 2] = ["pool", "threads"];

/// A pool that a process has.
pub(super) struct Pool<'a> {
    pub(super) name: &'a str,
    pub(super) spot: Spot,
    pub(super) executor: Executor,
}

/// Which pool of which process a definition is.
#[derive(Clone)]
pub(super) struct PartDefinition {
    /// The number of the process that has it.
    pub(super) whole: usize,
    /// What it is called there.
    pub(super) pool: String,
}

/// What a program lets a pool do.
#[derive(Clone, Debug)]
pub(super) struct Call {
    /// The definition of the pool.
    pub(super) pool: usize,
    /// Where the operation stands in the program of who calls: there it spawns, and joins behind that.
    pub(super) at: usize,
    /// How often one run of that program comes here at most; endless loops count once.
    pub(super) times: u64,
    /// Where it stands in the file.
    pub(super) spot: Spot,
    pub(super) code: Code,
}

/// Reads the pools of a process that runs in this runtime, on a machine with so many processors. Its executor has the
/// interpreter lock of CPython if there are any.
pub(super) fn read<'a>(
    item: Item<'a>,
    executor: &mut Executor,
    runtime: &Runtime,
    processors: &super::machine::Processors,
) -> Vec<Pool<'a>> {
    if !item.is_table() {
        item.mismatch("a table of pools by their names", "{ threads = \"pool\" }");
        return Vec::new();
    }
    let Some(mut table) = item.table(POOLS) else { return Vec::new() };
    let may_have = may_have(executor, item);
    if may_have && executor.gil.is_none() && (runtime.cpython().is_some() || executor.is_of_cpython()) {
        has_lock_of_rules(executor, runtime);
    }
    let mut pools = Vec::new();
    for (name, spot, item) in table.all() {
        if let Err((sentence, hint)) = names::check(name) {
            item.log().add(Note::new(spot, sentence).hint(hint));
            continue;
        }
        // One that is there but wrong still is one: what is done on it is not wrong too.
        let mut own = Executor::new(executor::DEFAULT, 1);
        if may_have && let Some(read) = read_pool(item, executor, runtime, processors) {
            check(&read, item, (executor, runtime), &table);
            own = read;
            size(&mut own, runtime, processors);
        }
        (own.gil, own.waiters_ask, own.asker) = (executor.gil, executor.waiters_ask, executor.asker);
        if own.is_of_cpython() {
            // They are in one interpreter, which is of one version.
            own.rules = executor.rules.or(own.rules);
        }
        own.as_measured = None;
        pools.push(Pool { name, spot, executor: own });
    }
    pools
}

/// Can a process with this executor have pools?
fn may_have(executor: &Executor, item: Item<'_>) -> bool {
    let kind = quoted(executor.kind.name);
    let hint = if executor.kind.threads == Threads::ProcessPerTask || executor.of_processes {
        "each of its tasks is in a process of its own: there is no one process that could have them"
    } else if executor.hands_off {
        "Go goes on with another thread where a goroutine blocks one: write `blocking = true` there"
    } else {
        return true;
    };
    item.wrong(format!("the executor {kind} has no pools beside it"), hint);
    false
}

/// What cannot be a pool, and what is written of it that it cannot have, is refused.
fn check(pool: &Executor, item: Item<'_>, (executor, runtime): (&Executor, &Runtime), table: &Table<'_>) {
    if !KINDS.contains(&pool.kind.name) {
        let others = alternatives(KINDS);
        let sentence = format!("a pool cannot be of the kind {}", quoted(pool.kind.name));
        return item.wrong(sentence, format!("it can be {others}"));
    }
    if pool.of_processes {
        let hint = "leave `of` out: its workers are threads of this process";
        return item.wrong("a pool of processes beside an executor is not supported yet", hint);
    }
    for key in ["gil", "gil-request", "gil-asker"] {
        if let Some(value) = item.value().get(key) {
            let sentence = format!("`{key}` is of all threads of the process, not of one of its pools");
            return item
                .log()
                .add(Note::new(value.spot, sentence).hint("write it in `executor`: pools share that lock"));
        }
    }
    let rules = item.value().get("rules").filter(|_| pool.is_of_cpython() && executor.is_of_cpython());
    if let Some(value) = rules.filter(|_| pool.rules != executor.rules) {
        let of_process = executor.rules.unwrap_or_default();
        let sentence = format!("this pool is in the interpreter of its process, which goes by {}", quoted(of_process));
        let hint = "leave `rules` out, or name the same in `executor`";
        return item.log().add(Note::new(value.spot, sentence).hint(hint));
    }
    runtime::check(runtime, pool.kind, Some(item), table);
}

/// The interpreter lock as threads have it by the rules that the executor goes by, or else by those of its runtime.
fn has_lock_of_rules(executor: &mut Executor, runtime: &Runtime) {
    let name = executor.rules.filter(|_| executor.is_of_cpython()).or(runtime.rules());
    let rules = RULES.iter().find(|rules| Some(rules.name) == name);
    let threads = EXECUTORS.iter().find(|kind| kind.threads == Threads::PerTask);
    let (Some(rules), Some(threads)) = (rules, threads) else { return };
    if let Some(lock) = super::process::by_rules_alone(rules, threads) {
        (executor.gil, executor.waiters_ask, executor.asker) = (lock.gil, lock.waiters_ask, lock.asker);
    }
}

/// What programs let pools do becomes tasks of these; a pool that nobody uses is no part of the scenario.
pub(super) fn seat(tasks: &mut Vec<TaskDefinition>, drafts: &mut Drafts<'_>, log: &Log) {
    let mut calls: Vec<(usize, Call)> = Vec::new();
    for (caller, task) in tasks.iter_mut().enumerate() {
        calls.extend(std::mem::take(&mut task.code.calls).into_iter().map(|call| (caller, call)));
    }
    calls.sort_by_key(|(_, call)| call.pool);
    let mut calls = calls.into_iter().peekable();
    let mut kept: Vec<ProcessDefinition> = Vec::with_capacity(drafts.processes.len());
    for (number, mut process) in std::mem::take(&mut drafts.processes).into_iter().enumerate() {
        if let Some(part) = process.part.clone() {
            let first = tasks.len();
            while let Some((caller, call)) = calls.next_if(|(_, call)| call.pool == number) {
                add(tasks, kept.len(), &part.pool, caller, call, first);
            }
            process.tasks = first..tasks.len();
            if process.tasks.is_empty() {
                let note = Note::new(process.spot, format!("nothing is done on the pool {}", quoted(&part.pool)));
                let hint = format!("add {{ on = {:?}, do = [ … ] }} to a program, or leave the pool out", part.pool);
                log.remark(note.hint(hint));
                continue;
            }
        }
        kept.push(process);
    }
    drafts.processes = kept;
}

/// Adds what a task does `on` a pool, of whose tasks the first is `first`.
fn add(tasks: &mut Vec<TaskDefinition>, process: usize, pool: &str, caller: usize, call: Call, first: usize) {
    let Call { at, times, spot, code, .. } = call;
    let task = tasks.len();
    let of_caller = tasks[first..].iter().filter(|task| task.caller.is_some_and(|(other, ..)| other == caller)).count();
    let calls = &mut tasks[caller];
    let name = match of_caller {
        0 => format!("{}.{pool}", calls.name),
        before => format!("{}.{pool}.{}", calls.name, before + 1),
    };
    let mut attributes = calls.attributes.clone();
    attributes.periodic = None;
    let target = Target { task, which: Which::Own };
    calls.code.links.extend([(at, target), (at + 1, target)]);
    calls.code.spawns.insert(task, times);
    calls.code.uses_pools = true;
    tasks.push(TaskDefinition {
        process,
        name,
        count: 0,
        spot,
        arrival: Arrival::Spawned,
        after: Vec::new(),
        attributes,
        code,
        caller: Some((caller, u32::try_from(at).unwrap_or(u32::MAX), Way::On)),
    });
}
