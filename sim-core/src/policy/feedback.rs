//! Multi-level feedback without preemption: who uses up its slice sinks, who does not is served before it.
//!
//! Rule: new threads start at the top; the head of the highest level that has anybody runs for that level's quantum
//! (`quanta` has one for each level). A thread whose slice expires goes to the tail of the next level, on the last level
//! of the same; with `demote-alone = false` it keeps its level if nobody else is ready at that moment.
//! A blocked thread keeps its level, every dispatch starts a fresh slice, and an arrival does not cut a slice. Source:
//! Stallings, "Operating Systems"; its q = 2^i is `quanta = ["1ms", "2ms", "4ms", …]`. Cost: linear in the number of
//! levels, which the file fixes, and constant in the number of threads while no affinity is set.
//!
//! ```toml
//! scheduler = { policy = "feedback", quanta = ["1ms", "2ms"] }
//! task = [
//!     { name = "A", program = [{ cpu = "4ms" }] },
//!     { name = "B", arrival = "1ms", program = [{ cpu = "2ms" }] },
//! ]
//! ```
//! ```text
//! cpu 0 |ABAABA|
//! ```

use std::collections::VecDeque;
use std::sync::Arc;

use super::book::PerWho;
use super::fifo::{take_first_allowed, to_head};
use super::{Kind, Policy, Settings, Setup, Slice, Slot, Theory, Turn, View, Who, Why};
use crate::document::Table;
use crate::parameter::Parameter;
use crate::time::Span;

/// The entry on the shelf.
pub(super) static KIND: Kind = Kind {
    name: "feedback",
    summary: "new threads at the top, an expired slice goes one level down; an arrival does not cut a slice",
    parameters: &[
        Parameter::new("quanta", "a list of durations", "required", "the slice of each level, the highest first"),
        Parameter::new(
            "demote-alone",
            "`true`, `false`",
            "`true`",
            "does a thread sink although nobody else is ready?",
        ),
    ],
    attributes: &[],
    theory: Theory::None,
    on_linux: None,
    read: |table| Arc::new(Feedback::read(table)),
};

#[derive(Clone, Debug)]
struct Feedback {
    /// One for each level; at least one.
    quanta: Vec<Span>,
    demote_alone: bool,
}

impl Feedback {
    fn read(table: &mut Table<'_>) -> Feedback {
        let mut quanta = Vec::new();
        if let Some(item) = table.required("quanta", "the slice of each level, the highest first") {
            let list = item.list();
            if list.as_ref().is_some_and(Vec::is_empty) {
                item.wrong("`quanta` is empty", "write one slice for each level, such as [\"1ms\", \"2ms\", \"4ms\"]");
            }
            quanta = list.unwrap_or_default().iter().filter_map(|item| item.positive_span()).collect();
        }
        if quanta.is_empty() {
            quanta.push(Span::from_ms(1));
        }
        Feedback { quanta, demote_alone: table.boolean("demote-alone").unwrap_or(true) }
    }
}

impl Settings for Feedback {
    fn quanta(&self) -> Vec<(String, Span)> {
        self.quanta.iter().enumerate().map(|(level, quantum)| (format!("quanta.{level}"), *quantum)).collect()
    }

    fn label(&self) -> String {
        let quanta: Vec<String> = self.quanta.iter().map(Span::to_string).collect();
        format!("quanta {}", quanta.join(" "))
    }

    fn build(&self, _: &Setup) -> Box<dyn Policy> {
        Box::new(Levels {
            ready: vec![VecDeque::new(); self.quanta.len()],
            settings: self.clone(),
            level: PerWho::default(),
            waiting: 0,
        })
    }
}

struct Levels {
    settings: Feedback,
    ready: Vec<VecDeque<Who>>,
    level: PerWho<usize>,
    waiting: usize,
}

impl Policy for Levels {
    fn ready(&mut self, who: Who, why: Why, _: &View<'_>) {
        let last = self.ready.len() - 1;
        let level = self.level.of(who);
        match why {
            Why::Arrived | Why::Spawned(_) => *level = 0,
            Why::Expired(_) if self.settings.demote_alone || self.waiting > 0 => *level = (*level + 1).min(last),
            Why::Expired(_) | Why::Woken | Why::Preempted(_) | Why::Yielded(_) => {}
        }
        self.ready[*level].push_back(who);
        self.waiting += 1;
    }

    fn pick(&mut self, slot: Slot, view: &View<'_>) -> Option<Turn> {
        let levels = self.ready.iter_mut().zip(&self.settings.quanta);
        let mut candidates =
            levels.filter_map(|(level, quantum)| Some((take_first_allowed(level, slot, view)?, *quantum)));
        let (who, quantum) = candidates.next()?;
        self.waiting -= 1;
        Some(Turn { who, slice: Slice::For(quantum) })
    }

    fn withdraw(&mut self, who: Who, _: &View<'_>) -> bool {
        self.ready.iter_mut().for_each(|level| level.retain(|other| *other != who));
        self.waiting -= 1;
        true
    }

    fn is_next(&mut self, who: Who, _: Slot, _: &View<'_>) {
        let level = *self.level.of(who);
        to_head(&mut self.ready[level], who);
    }

    fn tells(&mut self, who: Who, _: &View<'_>) -> String {
        format!("level {}", self.level.of(who))
    }

    fn waiting(&self) -> usize {
        self.waiting
    }
}
