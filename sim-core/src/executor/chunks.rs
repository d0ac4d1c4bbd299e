//! Tasks that come together and are handed out several at a time: `chunk` of a pool, as `map` of Python's pools has them.
//!
//! Rules:
//!
//! - All that become ready at one instant are one call. They are cut into chunks, in their order, when a worker first looks: of so
//!   many tasks each, or with `"map"` of as many as make four chunks for each worker, rounded up. The last may be shorter.
//! - A worker that has nothing takes the first chunk that nobody has, and does its tasks one after the other. Nobody takes from
//!   another what that has taken.
//!
//! Source: `Lib/multiprocessing/pool.py` (`Pool._map_async`, `_guarded_task_generation`, `mapstar`) of CPython 3.11.7, 3.12.1 and
//! 3.13.0. `map(f, items, 1)`, `imap` and `concurrent.futures` have chunks of one, which is what pools do without `chunk`. Cost:
//! constant per operation.
//!
//! ```text
//! ten tasks for two workers, "map": chunks of two
//! cpu 0 |abefij|
//! cpu 1 |cdgh  |
//! ```

use std::collections::VecDeque;

use super::{Looks, Queue, RunQueue, Setup};
use crate::document::{Item, Kind};
use crate::policy::{Policy, Slice, Slot, Turn, View, Who, Why};

/// How many tasks a chunk has.
#[derive(Clone, Copy, Debug)]
pub(super) enum Chunk {
    /// So many.
    Of(u32),
    /// As many as make four chunks for each worker.
    Map,
}

/// Reads `chunk`.
pub(super) fn read(item: Item<'_>) -> Option<Chunk> {
    if let Kind::Text(_) = item.kind() {
        return item.one_of(&["map"]).map(|_| Chunk::Map);
    }
    item.count(1..=u32::MAX).map(Chunk::Of)
}

impl Queue for Chunk {
    fn build(&self, setup: &Setup) -> Box<dyn RunQueue> {
        let own = (0..setup.workers).map(|_| VecDeque::new()).collect();
        Box::new(Chunks { chunk: *self, come: VecDeque::new(), chunks: VecDeque::new(), own, waiting: 0, begun: false })
    }

    fn compares(&self) -> bool {
        true
    }
}

struct Chunks {
    chunk: Chunk,
    /// Who has come, and is in no chunk yet.
    come: VecDeque<Who>,
    /// The chunks that nobody has taken.
    chunks: VecDeque<VecDeque<Who>>,
    /// What is left of the chunk that each worker has taken.
    own: Vec<VecDeque<Who>>,
    waiting: usize,
    /// Was a chunk begun with the last task?
    begun: bool,
}

impl Chunks {
    fn cut(&mut self) {
        let length = match self.chunk {
            Chunk::Of(tasks) => tasks as usize,
            Chunk::Map => self.come.len().div_ceil(4 * self.own.len()),
        };
        while !self.come.is_empty() {
            let rest = self.come.split_off(length.min(self.come.len()));
            self.chunks.push_back(std::mem::replace(&mut self.come, rest));
        }
    }
}

impl RunQueue for Chunks {
    fn take_looks(&mut self) -> Looks {
        Looks { takes: u32::from(self.begun), ..Looks::default() }
    }
}

impl Policy for Chunks {
    fn ready(&mut self, who: Who, _: Why, _: &View<'_>) {
        self.come.push_back(who);
        self.waiting += 1;
    }

    fn pick(&mut self, slot: Slot, _: &View<'_>) -> Option<Turn> {
        self.cut();
        let own = &mut self.own[slot.0 as usize];
        self.begun = own.is_empty();
        if self.begun {
            *own = self.chunks.pop_front()?;
        }
        let who = own.pop_front()?;
        self.waiting -= 1;
        Some(Turn { who, slice: Slice::Endless })
    }

    fn waiting(&self) -> usize {
        self.waiting
    }
}
