//! Objects of libraries, by name: how each hands on what becomes free. One file per library; its rules stand at the head
//! of the file, with version and source.

mod async_lock;
mod asyncio;
mod cpython;
mod crossbeam;
mod flume;
mod futures;
mod multiprocessing;
mod parking_lot;
mod std;
mod tokio;

use crate::executor::rules::CPYTHON_3_14;
use crate::executor::{Executor, Threads};
use crate::scenario::{HandOver, Order, Prefer, Rule, SyncKind};

/// A library with objects to synchronise with.
#[derive(PartialEq, Eq, Debug)]
pub struct Kind {
    /// What it is called in scenario files.
    pub name: &'static str,
    /// Whom its rwlock lets in first.
    pub prefer: Prefer,
    /// How its objects are handed on, by their words in scenario files.
    rules: &'static [(&'static str, Rule)],
    /// What else it has, by the same words, that cannot be said yet.
    others: &'static [&'static str],
    /// Can both sides meet at its channels, which hold nothing then?
    meets: bool,
}

/// All of them.
pub const KINDS: &[&Kind] = &[
    std::KIND,
    parking_lot::KIND,
    tokio::KIND,
    crossbeam::KIND,
    flume::KIND,
    futures::KIND,
    async_lock::KIND,
    cpython::KIND,
    cpython::KIND_3_14,
    asyncio::KIND,
    multiprocessing::KIND,
];

/// The objects of a process of CPython with this executor: those of `threading` and `queue` by its rules, of `asyncio`, or of
/// `multiprocessing`.
#[must_use]
pub fn of_cpython(executor: &Executor) -> &'static Kind {
    match executor.kind.threads {
        Threads::ProcessPerTask => multiprocessing::KIND,
        _ if executor.of_processes => multiprocessing::KIND,
        Threads::Main if !executor.kind.keeps_thread => asyncio::KIND,
        _ if executor.rules == Some(CPYTHON_3_14.name) => cpython::KIND_3_14,
        _ => cpython::KIND,
    }
}

const URGENT: Rule =
    Rule { order: Order::Urgent, hand_over: HandOver::Direct, yields: 0, hoare: false, outside: false };
const FIFO: Rule = Rule { order: Order::Fifo, ..URGENT };

impl Kind {
    /// How it hands on an object of this kind; `None` if it has none.
    #[must_use]
    pub fn rule(&self, object: SyncKind) -> Option<Rule> {
        let rule = self.rules.iter().find(|(word, _)| *word == object.word()).map(|(_, rule)| *rule)?;
        if object != (SyncKind::Channel { capacity: 0 }) {
            return Some(rule);
        }
        // Where nothing lies, nothing can be taken: both sides meet.
        self.meets.then_some(Rule { hand_over: HandOver::Direct, ..rule })
    }

    /// Does the library have such objects, be it that they cannot be said yet?
    #[must_use]
    pub fn has(&self, object: SyncKind) -> bool {
        self.rule(object).is_some() || self.others.contains(&object.word())
    }

    /// The libraries that have such objects.
    pub fn with(object: SyncKind) -> impl Iterator<Item = &'static Kind> {
        KINDS.iter().copied().filter(move |kind| kind.rule(object).is_some())
    }
}

impl Rule {
    /// How an object is handed on of which the file says nothing.
    #[must_use]
    pub fn usual(object: SyncKind) -> Rule {
        // Those who wait at a barrier go on together, as they came.
        if let SyncKind::Barrier { .. } = object { FIFO } else { URGENT }
    }
}
