//! The classes `fifo` and `round-robin`: a list for each priority.

use std::collections::{BTreeMap, VecDeque};

use super::Rank;
use crate::policy::Who;

/// Those who wait, by priority; no list is empty.
#[derive(Debug, Default)]
pub(super) struct RealTime {
    lists: BTreeMap<u8, VecDeque<Who>>,
}

impl RealTime {
    pub(super) fn is_empty(&self) -> bool {
        self.lists.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.lists.values().map(VecDeque::len).sum()
    }

    /// The first of the highest priority, of those that may.
    pub(super) fn first(&self, may: &impl Fn(Who) -> bool) -> Option<(Rank, Who)> {
        let first = |list: &VecDeque<Who>| list.iter().copied().find(|who| may(*who));
        self.lists.iter().rev().find_map(|(priority, list)| Some((Rank::RealTime(*priority), first(list)?)))
    }

    pub(super) fn insert(&mut self, who: Who, priority: u8, is_first: bool) {
        let list = self.lists.entry(priority).or_default();
        if is_first {
            list.push_front(who);
        } else {
            list.push_back(who);
        }
    }

    pub(super) fn remove(&mut self, who: Who, priority: u8) {
        if let Some(list) = self.lists.get_mut(&priority) {
            list.retain(|other| *other != who);
            if list.is_empty() {
                self.lists.remove(&priority);
            }
        }
    }
}
