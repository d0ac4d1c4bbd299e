//! The keys that make a task periodic, and its server.

use crate::distribution::Distribution;
use crate::document::{Item, Kind, Log, Note, Spot, Table, quoted};
use crate::executor::{Executor, Threads};
use crate::policy::{OnMiss, Periodic, Server, ServerKind};
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
    match item.one_of(&["continue", "skip", "abort"]) {
        Some(1) => OnMiss::Skip,
        Some(2) => OnMiss::Abort,
        _ => OnMiss::Continue,
    }
}

/// Jobs of a process with this executor are to end at their deadlines: can they, wherever they stand?
pub(super) fn check_abort(item: Item<'_>, executor: &Executor) {
    let own_threads = matches!(executor.kind.threads, Threads::PerTask | Threads::ProcessPerTask);
    if !own_threads {
        let sentence = format!("under the executor {} no job can end at its deadline", quoted(executor.kind.name));
        item.wrong(
            sentence,
            "its tasks share threads, which nobody takes from them: `threads` and `processes` can end jobs",
        );
    } else if executor.waiters_ask {
        let sentence = "in CPython no job can end at its deadline: nobody ends a thread there from outside";
        item.wrong(sentence, "`threads` and `processes` without the rules of CPython can end jobs");
    }
}

/// A task whose jobs go on until the horizon, with its period there, needs one.
pub(super) fn check_end(endless: Option<Spot>, ends: bool, log: &Log) {
    if let (Some(spot), false) = (endless, ends) {
        let note = Note::new(spot, "this task is periodic without end, and the scenario has no horizon");
        log.add(note.hint("add `jobs = 10` here, or `until = \"1s\"` at the top of the file"));
    }
}

/// Reads a constant-bandwidth server of the task alone; or that it names another.
pub(super) fn server<'a>(table: &mut Table<'a>) -> (Option<Server>, Option<Item<'a>>) {
    let Some(item) = table.item("server") else { return (None, None) };
    if let Kind::Text(_) = item.kind() {
        return (None, Some(item));
    }
    let Some(mut table) = item.table("`server`") else { return (None, None) };
    let (budget, period) = budget_and_period(&mut table);
    let hard = table.boolean("hard").unwrap_or(false);
    (Some(Server { budget, period, kind: ServerKind::ConstantBandwidth, number: None, hard }), None)
}

/// The budget of a server, and its period.
pub(super) fn budget_and_period(table: &mut Table<'_>) -> (Span, Span) {
    let budget = table.required_span("budget", "the processor time in each period");
    let period_item = table.item("period");
    let period = table.required_span("period", "how often the budget is granted");
    if let Some(item) = period_item.filter(|_| budget > period) {
        item.wrong(
            format!("the `period` of a server cannot be shorter than its `budget`, {budget}"),
            "a server has the share budget / period of a processor, at most all of it",
        );
    }
    (budget.min(period), period)
}
