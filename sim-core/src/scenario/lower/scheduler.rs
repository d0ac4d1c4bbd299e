//! `[scheduler]`: the policy, and what is common to all policies.

use std::sync::Arc;

use crate::document::{Log, Note, Spot, Table, Value, alternatives};
use crate::policy::per_processor::{PerProcessor, Rules};
use crate::policy::{self, POLICIES};
use crate::scenario::{Scheduler, Ties, Timer};

/// Reads `[scheduler]`; without it the policy is `fifo`. Where was the policy chosen, if it was?
pub(super) fn read(table: Option<Table<'_>>, log: &Log) -> (Scheduler, Option<Spot>) {
    let chosen = table.as_ref().and_then(|table| table.given_at("policy"));
    (scheduler(table, log), chosen)
}

fn scheduler(table: Option<Table<'_>>, log: &Log) -> Scheduler {
    let Some(mut table) = table else {
        let empty = Value::empty_table();
        let (kind, settings) = settings(policy::DEFAULT, &mut Table::new(&empty, "[scheduler]", log));
        return Scheduler { kind, settings, named: false, ties: Ties::default(), timer: Timer::default() };
    };
    let ties = match table.one_of("ties", &["arrivals-first", "preempted-first"]) {
        Some(1) => Ties::PreemptedFirst,
        _ => Ties::ArrivalsFirst,
    };
    let timer = match table.one_of("timer", &["per-slice", "global"]) {
        Some(1) => Timer::Global,
        _ => Timer::PerSlice,
    };
    let item = table.item("policy");
    let policy = item.map(|item| item.on_shelf("policy", POLICIES, |kind| kind.name));
    let queues = match policy.flatten().filter(|kind| has_own_queues(kind)) {
        Some(kind) => refuse_queues(kind, &mut table),
        None => Rules::read(&mut table),
    };
    // A file keeps the parameters of other policies, so that the policy alone can be varied.
    POLICIES.iter().flat_map(|kind| kind.parameters).for_each(|parameter| table.tolerate(parameter.name));
    if matches!(policy, Some(None)) {
        // Whose parameters the others are, nobody knows.
        table.tolerate_all();
        return Scheduler { ties, timer, ..scheduler(None, log) };
    }
    let (kind, mut settings) = settings(policy.flatten().unwrap_or(policy::DEFAULT), &mut table);
    // What is said of the queues here is not meant for policies that have queues of their own.
    let could_take = |kind: &&&policy::Kind| queues.is_none() || !has_own_queues(kind);
    let others: Vec<_> = POLICIES.iter().filter(could_take).map(|kind| (kind.name, kind.parameters)).collect();
    table.remark_useless(item, (kind.name, kind.parameters), &others);
    if timer == Timer::Global {
        needs_quantum(kind, &table);
    }
    if let Some(rules) = queues {
        settings = Arc::new(PerProcessor { policy: settings, rules });
    }
    Scheduler { kind, settings, named: item.is_some(), ties, timer }
}

fn settings(kind: &'static policy::Kind, table: &mut Table<'_>) -> (&'static policy::Kind, Arc<dyn policy::Settings>) {
    (kind, (kind.read)(table))
}

/// Does the policy itself say who waits for which processor?
fn has_own_queues(kind: &policy::Kind) -> bool {
    kind.parameters.iter().any(|own| own.name == "placement")
}

/// Whose policy has a queue for each processor already can have no other ones.
fn refuse_queues(kind: &policy::Kind, table: &mut Table<'_>) -> Option<Rules> {
    for key in ["queues", "balance"] {
        if let Some(item) = table.item(key) {
            let sentence = format!("`{key}` says nothing to `{}`, which has a queue for each processor", kind.name);
            item.wrong(sentence, format!("leave `{key}` out"));
        }
    }
    None
}

/// A global timer has multiples of the quantum to ring at.
fn needs_quantum(kind: &policy::Kind, table: &Table<'_>) {
    let Some(spot) = table.key_spot("timer") else { return };
    let has_one = |kind: &policy::Kind| kind.parameters.iter().any(|own| own.name == "quantum");
    if !has_one(kind) {
        let sentence =
            format!("`timer = \"global\"` ends slices at multiples of the quantum, and `{}` has none", kind.name);
        let others = alternatives(POLICIES.iter().filter(|kind| has_one(kind)).map(|kind| kind.name));
        table.log().add(Note::new(spot, sentence).hint(format!("use it with {others}")));
    } else if table.key_spot("quantum").is_none() && table.log().is_empty() {
        let sentence = "`timer = \"global\"` ends slices at multiples of the quantum, and there is no `quantum`";
        table.log().add(Note::new(spot, sentence).hint("add quantum = \"10ms\""));
    }
}
