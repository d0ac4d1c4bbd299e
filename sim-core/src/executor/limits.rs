//! How many threads and tasks a pool has room for: `core`, `maximum`, `keep-alive`, `queue-limit`, `when-full`.
//!
//! A task that comes finds fewer than `core` threads, and gets a new one; else it queues, if there is room; else it gets a new
//! thread, up to `maximum`; else the pool is full. A thread beyond `core` that has had nothing to do for `keep-alive` goes away.
//! These are the rules of the thread pools of the JVM. Source: `java.util.concurrent.ThreadPoolExecutor`, `execute`.

use super::Executor;
use crate::document::{Kind, Note, Spot, Table};
use crate::parameter::Parameter;
use crate::time::Span;

/// What becomes of a task that comes to a full pool.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum WhenFull {
    /// It waits outside, in the order of arrival.
    #[default]
    Block,
    /// Nobody takes it.
    Reject,
    /// Whoever has called for it runs it itself, and goes on behind that.
    CallerRuns,
}

/// How many threads and tasks a pool has room for. The most threads are the workers of the executor.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// A task that finds fewer threads gets a new one, whatever the others do.
    pub core: u32,
    /// A thread beyond those goes away when it has been idle for so long; `None`: it stays.
    pub keep_alive: Option<Span>,
    /// How many tasks may queue; `None`: any number.
    pub queue: Option<u32>,
    /// And else?
    pub when_full: WhenFull,
    /// What of it stands in the file.
    pub written: Written,
}

/// What of the limits of a pool somebody has written; the rest follows from it, or from rules.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Written {
    /// The key that says how many threads there are at most.
    pub most: &'static str,
    /// Is there a `core`?
    pub core: bool,
    /// Is there a `queue-limit`?
    pub queue: bool,
}

pub(super) const CORE: Parameter = Parameter::new(
    "core",
    "a whole number",
    "`maximum`",
    "a task that comes while there are fewer threads, or none at all, gets a new one; with `queue = \"shared\"`",
);

pub(super) const MAXIMUM: Parameter = Parameter::new(
    "maximum",
    "a whole number",
    "`workers`, or `core`",
    "a task for which there is no room in the queue gets a new thread as long as there are fewer; with `queue = \"shared\"`",
);

pub(super) const KEEP_ALIVE: Parameter = Parameter::new(
    "keep-alive",
    "a duration",
    "for ever",
    "a thread beyond `core` goes away when it has been idle for so long",
);

pub(super) const QUEUE_LIMIT: Parameter = Parameter::new(
    "queue-limit",
    "a whole number",
    "any number",
    "so many tasks may wait for a thread; with `queue = \"shared\"`",
);

pub(super) const WHEN_FULL: Parameter = Parameter::new(
    "when-full",
    "`\"block\"`, `\"reject\"`, `\"caller-runs\"`",
    "`\"block\"`",
    "does who finds neither room nor a thread wait outside in the order of arrival, is it rejected, or does its caller (`spawn`, `on`) run it?",
);

/// Reads them; the rest of the executor is known.
pub(super) fn read(table: &mut Table<'_>, executor: &mut Executor, is_shared: bool) {
    const KEYS: [&str; 5] = ["core", "maximum", "keep-alive", "queue-limit", "when-full"];
    let Some(key) = table.present(&KEYS).first().copied() else {
        if is_shared {
            // Whoever misspells one is told of them.
            KEYS.iter().for_each(|key| table.tolerate(key));
        }
        return;
    };
    if let (false, Some(item)) = (is_shared, table.item(key)) {
        KEYS.iter().for_each(|key| table.tolerate(key));
        let hint = "it is for pools of threads whose workers take one task at a time from one queue";
        return item.wrong(format!("`{key}` means nothing to this pool"), hint);
    }
    let named = Some(executor.workers).filter(|_| !executor.default_workers);
    let count = |table: &mut Table<'_>, key, least| {
        // What rules say of that is nothing beside a number of workers.
        let item = table.item(key).filter(|item| named.is_none() || item.spot() != Spot::WHOLE);
        item.and_then(|item| item.count(least..=super::WORKERS))
    };
    let (core, maximum) = (count(table, "core", 0), count(table, "maximum", 1));
    let most = maximum.or(named).or(core).unwrap_or(executor.workers).max(1);
    if let (Some(item), true) = (table.item("core"), core.is_some_and(|core| core > most)) {
        item.wrong("`core` is more than the pool has at most", format!("`maximum` is {most} here"));
    }
    (executor.workers, executor.default_workers) = (most, false);
    let queue = table.item("queue-limit").and_then(|item| match item.kind() {
        Kind::Text(text) => {
            let sentence = format!("`queue-limit` must be a whole number, not the text {text:?}");
            item.wrong(sentence, "leave it out where any number of tasks may wait");
            None
        }
        _ => item.count(0..=u32::MAX - 1),
    });
    let when_full = match table.one_of("when-full", &["block", "reject", "caller-runs"]) {
        Some(1) => WhenFull::Reject,
        Some(2) => WhenFull::CallerRuns,
        _ => WhenFull::Block,
    };
    let keep_alive = table.span("keep-alive");
    let is_written = |key: &str| table.given_at(key).is_some_and(|spot| spot != Spot::WHOLE);
    let most_by = match (maximum, named, core) {
        (None, Some(_), _) => "workers",
        (None, None, Some(_)) => "core",
        _ => "maximum",
    };
    let written = Written { most: most_by, core: is_written("core"), queue: is_written("queue-limit") };
    let limits = Limits { core: core.unwrap_or(most).min(most), keep_alive, queue, when_full, written };
    executor.limits = Some(limits);
    remark(table, limits, most);
}

/// Remarks on limits that are never reached, and on numbers of threads that contradict each other.
fn remark(table: &Table<'_>, limits: Limits, most: u32) {
    // What rules say is not hoped for.
    let written = |key: &str| table.given_at(key).filter(|spot| *spot != Spot::WHOLE);
    let say = |spot: Spot, sentence: String, hint: &str| table.log().remark(Note::new(spot, sentence).hint(hint));
    let threads = match limits.core.max(1) {
        1 => "one thread".to_owned(),
        core => format!("{core} threads"),
    };
    if limits.queue.is_none()
        && limits.core < most
        && let Some(spot) = written("maximum").or(written("workers"))
    {
        let sentence = format!("the pool never has more than {threads}: a new one comes only when the queue is full");
        say(spot, sentence, "add queue-limit = 0, or how many tasks may wait before it grows");
    }
    if limits.queue.is_none()
        && let Some(spot) = written("when-full")
    {
        let sentence = "the pool is never full: any number of tasks may wait in its queue".to_owned();
        say(spot, sentence, "add queue-limit, the number of tasks that may wait");
    }
    if limits.core == most
        && limits.when_full == WhenFull::Block
        && let Some(spot) = written("queue-limit")
    {
        let sentence =
            "who finds the queue full waits outside, in the same order: the limit changes only where tasks wait";
        say(spot, sentence.to_owned(), "add when-full = \"reject\" or \"caller-runs\", or a `maximum` above `core`");
    }
    if limits.core == most
        && let Some(spot) = written("keep-alive")
    {
        let sentence = "no thread ever goes away: the pool has no more than its core".to_owned();
        say(spot, sentence, "add core, the number of threads that stay");
    }
    if let (Some(spot), Some(_)) = (written("workers"), written("maximum")) {
        let sentence = "`workers` means nothing beside `maximum`".to_owned();
        say(spot, sentence, "leave it out: workers = n is short for core = n and maximum = n");
    }
}
