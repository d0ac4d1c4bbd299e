//! The effort of an instant: whatever is done without any time passing is counted here, and too much is a livelock.
//!
//! Every loop within an instant that could go on for ever spends from it and gives up when it is used up:
//! the instant is not settled then. What the last of it was spent on is remembered, for the explanation.

use std::collections::{BTreeMap, BTreeSet};

use crate::ids::TaskId;
use crate::program::Step;

/// An instant may take so much: zero-time operations, turns round a loop, displacements, rounds.
const MOST: u32 = 1_000_000;
/// What the last so much of it is spent on takes part in the livelock.
const LATE: u32 = 10_000;

/// What has been done since time last passed.
#[derive(Default)]
pub(super) struct Effort {
    spent: u32,
    /// Who did what, when the instant did nearly not settle any more.
    late: BTreeMap<TaskId, BTreeSet<&'static str>>,
}

impl Effort {
    /// Time has passed.
    #[inline]
    pub(super) fn begins_anew(&mut self) {
        self.spent = 0;
    }

    /// The task does something of this name.
    #[inline]
    pub(super) fn spend(&mut self, task: TaskId, does: impl Fn() -> &'static str) {
        self.spend_much(task, does, 1);
    }

    /// The task does something of this name so many times.
    #[inline]
    pub(super) fn spend_much(&mut self, task: TaskId, does: impl Fn() -> &'static str, times: u32) {
        self.spent = self.spent.saturating_add(times);
        if self.spent > MOST - LATE && times > 0 {
            self.remember(task, does());
        }
    }

    #[cold]
    fn remember(&mut self, task: TaskId, does: &'static str) {
        self.late.entry(task).or_default().insert(does);
    }

    /// The world goes on to another round of the instant.
    pub(super) fn next_round(&mut self) {
        self.spent = self.spent.saturating_add(1);
    }

    /// Is it too much?
    #[inline]
    pub(super) fn is_used_up(&self) -> bool {
        self.spent > MOST
    }

    /// How much more it may be until it is too much.
    pub(super) fn left(&self) -> u32 {
        (MOST + 1).saturating_sub(self.spent)
    }

    /// Who takes part in a livelock, and what each of them does.
    pub(super) fn restless(&self) -> impl ExactSizeIterator<Item = (TaskId, String)> {
        self.late.iter().map(|(task, deeds)| {
            let around = Step::Around.word();
            let deeds: Vec<&str> = deeds.iter().copied().filter(|does| *does != around || deeds.len() == 1).collect();
            (*task, deeds.join(", "))
        })
    }
}
