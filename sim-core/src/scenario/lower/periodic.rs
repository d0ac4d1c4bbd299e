//! The keys that make a task periodic, and its server.

use crate::distribution::Distribution;
use crate::document::{Item, Kind, Log, Note, Spot, Table, quoted};
use crate::policy::{OnMiss, Periodic, Server};
use crate::time::Span;

/// The most jobs of an instance that can be asked for.
const JOBS: u32 = 1_000_000_000;

/// Reads a task's period and what goes with it, and where its period stands. What a job needs is filled in later.
pub(super) fn read(table: &mut Table<'_>, spawned: bool) -> Option<(Periodic, Spot)> {
    let period = table.item("period");
    let (deadline, jobs, jitter) = (table.item("deadline"), table.item("jobs"), table.item("jitter"));
    let on_miss_item = table.item("on-miss");
    let Some(item) = period else {
        for (key, item) in [("deadline", deadline), ("jobs", jobs), ("jitter", jitter), ("on-miss", on_miss_item)] {
            if let Some(item) = item {
                let sentence = format!("`{key}` is for periodic tasks, and this one has no `period`");
                item.wrong(sentence, "add a `period`; a task with a single job has `jobs = 1` as well");
            }
        }
        return None;
    };
    if spawned {
        let note = Note::new(item.spot(), "a task that is spawned cannot be periodic");
        item.log().add(note.hint("let it arrive by itself, or let the one that spawns it do so in a loop"));
    }
    // A period that is there but wrong still is one: what depends on it is not wrong too.
    let period = item.positive_span().unwrap_or(Span::MAX);
    let periodic = Periodic {
        period,
        deadline: deadline.and_then(|item| item.positive_span()).unwrap_or(period),
        jobs: jobs.map(|item| u64::from(item.count(1..=JOBS).unwrap_or(1))),
        jitter: jitter.and_then(|item| item.distribution()).unwrap_or(Distribution::Constant(Span::ZERO)),
        demand: None,
        on_miss: on_miss_item.map(on_miss).unwrap_or_default(),
    };
    Some((periodic, item.spot()))
}

fn on_miss(item: Item<'_>) -> OnMiss {
    match item.one_of(&["continue", "skip"]) {
        Some(1) => OnMiss::Skip,
        _ => OnMiss::Continue,
    }
}

/// A task whose jobs go on until the horizon, with its period there, needs one.
pub(super) fn check_end(endless: Option<Spot>, ends: bool, log: &Log) {
    if let (Some(spot), false) = (endless, ends) {
        let note = Note::new(spot, "this task is periodic without end, and the scenario has no horizon");
        log.add(note.hint("add `jobs = 10` here, or `until = \"1s\"` at the top of the file"));
    }
}

/// Reads a constant-bandwidth server.
pub(super) fn server(table: &mut Table<'_>) -> Option<Server> {
    let item = table.item("server")?;
    if let Kind::Text(name) = item.kind() {
        let hint = "give the task a server of its own, server = { budget = \"2ms\", period = \"10ms\" }";
        item.wrong(format!("a server with a name, such as {}, is not supported yet", quoted(name)), hint);
        return None;
    }
    let mut table = item.table("`server`")?;
    let budget = table.required_span("budget", "the processor time in each period");
    let period_item = table.item("period");
    let period = table.required_span("period", "how often the budget is granted");
    if let Some(item) = period_item.filter(|_| budget > period) {
        item.wrong(
            format!("the `period` of a server cannot be shorter than its `budget`, {budget}"),
            "a server has the share budget / period of a processor, at most all of it",
        );
    }
    Some(Server { budget: budget.min(period), period })
}
