//! `[scheduler]`: the policy, and what is common to all policies.

use std::sync::Arc;

use crate::policy::{self, POLICIES};
use crate::scenario::error::{Log, quoted};
use crate::scenario::raw::{Kind, Spot, Value};
use crate::scenario::read::Table;
use crate::scenario::{Scheduler, Ties};

/// Policies that the format has and the shelf has not: refused by name.
const PLANNED: &[&str] = &["eevdf", "linux"];

/// Their parameters: refused by name too, unless a policy on the shelf has them.
const PARAMETERS: &[&str] = &["base-slice", "tick"];

/// Reads `[scheduler]`; without it the policy is `fifo`.
pub(super) fn read(table: Option<Table<'_>>, log: &Log) -> Scheduler {
    let Some(mut table) = table else {
        let empty = Value { spot: Spot::WHOLE, kind: Kind::Table(Vec::new()) };
        let (kind, settings) = settings(default(), &mut Table::new(&empty, "[scheduler]", log));
        return Scheduler { kind, settings, ties: Ties::default() };
    };
    let ties = match table.one_of("ties", &["arrivals-first", "preempted-first"]) {
        Some(1) => Ties::PreemptedFirst,
        _ => Ties::ArrivalsFirst,
    };
    only(&mut table, "queues", "shared", "per-processor");
    only(&mut table, "timer", "per-slice", "global");
    table.not_yet("placement");
    table.not_yet("balance");
    let policy = table.item("policy").map(|item| item.on_shelf("policy", POLICIES, |kind| kind.name, PLANNED));
    // A file keeps the parameters of other policies, so that the policy alone can be varied.
    let known = || POLICIES.iter().flat_map(|kind| kind.parameters);
    known().for_each(|parameter| table.tolerate(parameter));
    if matches!(policy, Some(None)) {
        // Whose parameters the others are, nobody knows.
        table.tolerate_all();
        return Scheduler { ties, ..read(None, log) };
    }
    let planned = PARAMETERS.iter().filter(|parameter| !known().any(|known| known == *parameter));
    planned.for_each(|parameter| table.not_yet(parameter));
    let (kind, settings) = settings(policy.flatten().unwrap_or(default()), &mut table);
    Scheduler { kind, settings, ties }
}

fn default() -> &'static policy::Kind {
    POLICIES.iter().find(|kind| kind.name == "fifo").unwrap_or(&POLICIES[0])
}

fn settings(kind: &'static policy::Kind, table: &mut Table<'_>) -> (&'static policy::Kind, Arc<dyn policy::Settings>) {
    (kind, (kind.read)(table))
}

/// A key with two values of which only the first is supported.
fn only(table: &mut Table<'_>, key: &'static str, supported: &'static str, planned: &'static str) {
    if let Some(item) = table.item(key)
        && item.one_of(&[supported, planned]) == Some(1)
    {
        let sentence = format!("`{key} = \"{planned}\"` is not supported yet");
        item.wrong(sentence, format!("it can be {}", quoted(supported)));
    }
}
