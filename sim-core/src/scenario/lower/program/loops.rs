//! What is done several times, and one of several lists by chance.

use std::collections::BTreeMap;

use super::Compiler;
use super::sync::Held;
use crate::document::{Item, Kind, Note, Table};
use crate::scenario::{Missed, Op};
use crate::time::Span;

impl Compiler<'_> {
    pub(super) fn repeat(&mut self, item: Item<'_>, table: &mut Table<'_>) {
        let forever = matches!(item.kind(), Kind::Text(_));
        let count = if forever { self.forever(item) } else { repetitions(item) };
        let body = table.required("do", "what is repeated");
        self.repeated(count, body, item, None);
    }

    /// A list so many times, or for ever; in turns, if there is a period.
    pub(super) fn repeated(
        &mut self,
        count: Option<u64>,
        body: Option<Item<'_>>,
        item: Item<'_>,
        turns: Option<(Span, Missed)>,
    ) {
        let slot = self.depth;
        let head = self.push(Op::Repeat { count, slot, end: 0 });
        let within = self.here() - 1;
        if turns.is_some() {
            self.push(Op::Begin { slot: slot + 1 });
        }
        let start = self.here();
        if let Some((period, missed)) = turns {
            self.push(Op::Turn { slot: slot + 1, period, missed });
        }
        let (before, times) = (self.held.clone(), self.times);
        self.depth += 1 + u32::from(turns.is_some());
        self.times = times.saturating_mul(count.unwrap_or(1));
        self.code.loop_depth = self.code.loop_depth.max(self.depth);
        if let Some(body) = body {
            self.block(body, within, 0);
            self.same_locks(&before, item);
        }
        self.depth = slot;
        self.times = times;
        let forever = count.is_none();
        self.push(Op::Again { start, slot, forever });
        let end = self.here();
        self.code.ops[head] = Op::Repeat { count, slot, end };
        let leaves = count == Some(0) || (self.held.is_some() && !forever);
        self.held = if leaves { before } else { None };
    }

    fn forever(&self, item: Item<'_>) -> Option<u64> {
        if item.is_text("forever") {
            if !self.context.ends {
                let note = Note::new(item.spot(), "this never ends, and the scenario has no horizon");
                item.log().add(note.hint("add until = \"10s\" to the top of the file"));
            }
        } else {
            item.mismatch("a number or \"forever\"", "repeat = 10 or repeat = \"forever\"");
        }
        None
    }

    pub(super) fn choose(&mut self, item: Item<'_>, whole: Item<'_>) {
        let head = self.push(Op::Choose(Vec::new()));
        let before = self.held.clone();
        let spawned_before = std::mem::take(&mut self.code.spawns);
        let mut most: BTreeMap<usize, u64> = BTreeMap::new();
        let mut held: Held = None;
        let mut jumps = Vec::new();
        let (within, mut number) = (self.here() - 1, 0..);
        let targets = item.weighted("[[0.5, [{ cpu = \"1ms\" }]], [0.5, []]]", |branch| {
            let start = self.here();
            self.held = before.clone();
            self.block(branch, within, number.next().unwrap_or(0));
            for (task, count) in std::mem::take(&mut self.code.spawns) {
                let most = most.entry(task).or_insert(0);
                *most = count.max(*most);
            }
            self.agree(&mut held, branch, whole);
            jumps.push(self.push(Op::Jump(0)));
            Some((start, ()))
        });
        // The last branch falls through to what follows.
        if jumps.pop().is_some() {
            self.code.ops.pop();
            self.code.positions.pop();
        }
        let end = self.here();
        jumps.into_iter().for_each(|jump| self.code.ops[jump] = Op::Jump(end));
        let targets = targets.unwrap_or_default().into_iter().map(|(weight, (start, ()))| (weight, start)).collect();
        self.code.ops[head] = Op::Choose(targets);
        self.held = held;
        self.code.spawns = spawned_before;
        self.also_spawns(most);
    }

    /// It spawns so many instances of those tasks besides.
    pub(super) fn also_spawns(&mut self, most: BTreeMap<usize, u64>) {
        for (task, count) in most {
            let spawns = self.code.spawns.entry(task).or_insert(0);
            *spawns = spawns.saturating_add(count);
        }
    }
}

/// How often, by a number.
pub(super) fn repetitions(item: Item<'_>) -> Option<u64> {
    let count = match item.kind() {
        Kind::Integer(_) => item.whole(0..=1 << 63).and_then(|count| u64::try_from(count).ok()),
        _ => {
            item.mismatch("a number or \"forever\"", "repeat = 10 or repeat = \"forever\"");
            None
        }
    };
    Some(count.unwrap_or(1))
}
