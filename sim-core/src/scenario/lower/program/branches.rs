//! `all`, `any` and `each`: several things that one task does at once, each a program of its own.

use std::collections::BTreeMap;

use super::super::Code;
use super::super::branches::Branch;
use super::{Compiler, Outer};
use crate::document::{Item, Kind, Spot, Table, quoted};
use crate::executor::Threads;
use crate::ids::SpecId;
use crate::scenario::{Op, Position, Way};

/// Branches of one operation.
const MOST: usize = 1000;

impl Compiler<'_> {
    /// The operation `all`: it is done when every branch is.
    pub(super) fn all(&mut self, item: Item<'_>, table: &mut Table<'_>) {
        let rotates = table.item("rotate").map(|item| item.boolean().unwrap_or(false));
        let Some(codes) = self.branch_list(item, "all") else { return };
        let rotates = rotates.unwrap_or_else(|| self.context.names.executor(self.context.process).rotates_branches());
        let of = u32::try_from(codes.len()).unwrap_or(u32::MAX);
        let first = self.code.ops.len();
        codes.iter().for_each(|_| _ = self.push(Op::Spawn(SpecId::NONE)));
        for (number, (code, spot)) in (0..).zip(codes) {
            let join = Some(self.push(Op::Join(SpecId::NONE)));
            let (at, way) = (first + number as usize, Way::All { number, of, rotates });
            self.code.branches.push(Branch { way, at, join, times: self.times, spot, code });
        }
    }

    /// The operation `any`: it is done when the first branch is, and the others are dropped.
    pub(super) fn any(&mut self, item: Item<'_>, table: &mut Table<'_>) {
        let biased = table.item("biased").is_some_and(|item| item.boolean().unwrap_or(false));
        let Some(codes) = self.branch_list(item, "any") else { return };
        let of = u32::try_from(codes.len()).unwrap_or(u32::MAX);
        let first = self.code.ops.len();
        codes.iter().for_each(|_| _ = self.push(Op::Spawn(SpecId::NONE)));
        let mut join = Some(self.push(Op::Join(SpecId::NONE)));
        for (number, (code, spot)) in (0..).zip(codes) {
            let (at, way) = (first + number as usize, Way::Any { number, of, biased });
            self.code.branches.push(Branch { way, at, join: join.take(), times: self.times, spot, code });
        }
    }

    /// The branches of an operation, a list each; none if that is no place for it.
    fn branch_list<'a>(&mut self, item: Item<'a>, word: &str) -> Option<Vec<(Code, Spot)>> {
        let may = self.may_have_branches(item, word);
        let Kind::List(_) = item.kind() else {
            item.mismatch("a list of lists of operations", EXAMPLE);
            return None;
        };
        let lists: Vec<Item<'a>> = item.list().unwrap_or_default();
        if lists.is_empty() || lists.len() > MOST {
            let sentence = format!("`{word}` has {} branches", lists.len());
            item.wrong(sentence, format!("it can have 1 to {MOST}: {word} = {EXAMPLE}"));
            return None;
        }
        let mut codes = Vec::new();
        for list in &lists {
            if list.is_list() {
                codes.push((self.compile_branch(*list), list.spot()));
            } else {
                list.mismatch("a list of operations, which is one branch", EXAMPLE);
            }
        }
        may.then_some(codes)
    }

    /// The operation `each`: the same so many times, of which some at once.
    pub(super) fn each(&mut self, item: Item<'_>, table: &mut Table<'_>) {
        let count = item.whole(0..=1_000_000).and_then(|count| u64::try_from(count).ok());
        let at_once = table.item("at-once").map(|item| item.count(1..=u32::MAX));
        let body = table.required("do", "what is done each time");
        let may = self.may_have_branches(item, "each");
        let Some(body) = body else { return };
        if !body.is_list() {
            return body.mismatch("a list of operations", "[{ io = \"net\", for = \"5ms\" }]");
        }
        let code = self.compile_branch(body);
        let (true, Some(count)) = (may, count) else { return };
        let way = Way::Each { at_once: at_once.flatten().unwrap_or(u32::MAX) };
        let slot = self.depth;
        self.code.loop_depth = self.code.loop_depth.max(slot + 1);
        let head = self.push(Op::Repeat { count: Some(count), slot, end: 0 });
        let at = self.push(Op::Spawn(SpecId::NONE));
        self.push(Op::Again { start: self.here() - 1, slot, forever: false });
        self.code.ops[head] = Op::Repeat { count: Some(count), slot, end: self.here() };
        let join = Some(self.push(Op::Join(SpecId::NONE)));
        let times = self.times.saturating_mul(count);
        self.code.branches.push(Branch { way, at, join, times, spot: item.spot(), code });
    }

    fn compile_branch(&mut self, body: Item<'_>) -> Code {
        let mut held = self.outer.as_ref().map(|outer| outer.held.clone()).unwrap_or_default();
        held.extend(self.held.clone().unwrap_or_default());
        let mut inner = Compiler::new(self.context);
        inner.outer = Some(Outer { held, on_pool: false });
        inner.block(body, Position::TOP, 0);
        inner.joins_without_spawn(body);
        inner.gives_all_back("a branch", body);
        inner.code
    }

    /// Whoever is waited for must not end with a lock.
    pub(super) fn gives_all_back(&self, what: &str, item: Item<'_>) {
        let none = BTreeMap::new();
        for lock in self.held.as_ref().unwrap_or(&none).keys() {
            let sentence = format!("{what} ends with {}, and its task with it", self.name(*lock));
            let name = &self.context.things.syncs.objects[*lock].name;
            item.wrong(sentence, format!("give it back there: {{ unlock = {name:?} }}"));
        }
    }

    /// Can the task do several things at once?
    fn may_have_branches(&self, item: Item<'_>, word: &str) -> bool {
        let names = self.context.names;
        let executor = names.executor(self.context.process);
        let on_pool = self.outer.as_ref().is_some_and(|outer| outer.on_pool);
        let polls = matches!(executor.kind.threads, Threads::Main | Threads::Workers)
            && !executor.kind.keeps_thread
            && !executor.hands_off;
        let hint = if on_pool {
            "a thread of a pool does one thing after the other: let the task itself do several at once"
        } else if !polls {
            "`async` and `work-stealing` poll several things in one task; a thread does one after the other: let tasks of their \
             own do it"
        } else if names.is_python(self.context.process) {
            "asyncio makes a task of each coroutine that it gathers: write { spawn = … } and { join = … }"
        } else {
            return true;
        };
        let place = if on_pool {
            "what is done `on` a pool".to_owned()
        } else if polls {
            "a program that runs in CPython".to_owned()
        } else {
            format!("a program under the executor {}", quoted(executor.kind.name))
        };
        item.wrong(format!("`{word}` cannot stand in {place}"), hint);
        false
    }
}

/// How branches are written.
const EXAMPLE: &str = "[[{ io = \"a\", for = \"5ms\" }], [{ io = \"b\", for = \"5ms\" }]]";
