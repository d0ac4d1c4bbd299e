//! `on`: what a task lets a pool do is a program of its own.

use super::super::Code;
use super::super::pools::Call;
use super::{Compiler, Outer};
use crate::document::{Item, Table, listing, quoted};
use crate::ids::SpecId;
use crate::scenario::{Op, Position};

impl Compiler<'_> {
    /// The operation `on`: what it does is a program of its own.
    pub(super) fn on(&mut self, item: Item<'_>, table: &mut Table<'_>) {
        let body = table.required("do", "what is done there");
        let pool = self.pool(item);
        if self.is_on_pool() {
            let hint = "let the task itself do the one after the other";
            return item.wrong("`on` cannot stand in what is done `on` a pool", hint);
        }
        let Some(body) = body else { return };
        let code = self.compile_on(item, body);
        let Some(pool) = pool else { return };
        let at = self.push(Op::Spawn(SpecId::NONE));
        self.push(Op::Join(SpecId::NONE));
        self.code.calls.push(Call { pool, at, times: self.times, spot: item.spot(), code });
    }

    fn compile_on(&mut self, item: Item<'_>, body: Item<'_>) -> Code {
        let mut inner = Compiler::new(self.context);
        inner.outer = Some(Outer { held: self.held.clone().unwrap_or_default(), on_pool: true });
        if body.is_list() {
            inner.block(body, Position::TOP, 0);
        } else {
            body.mismatch("a list of operations", "[{ cpu = \"5ms\" }]");
        }
        inner.gives_all_back("what is done here", item);
        inner.code
    }

    /// The pool of this name that the process of the task has.
    fn pool(&self, item: Item<'_>) -> Option<usize> {
        let name = item.text()?;
        let names = self.context.names;
        let found = names.pool(self.context.process, name);
        if found.is_none() {
            let pools: Vec<&str> = names.pools(self.context.process).collect();
            let process = quoted(names.process(self.context.process));
            let sentence = format!("the process {process} has no pool {}", quoted(name));
            let hint = || match pools.as_slice() {
                [] => format!("add pools = {{ {name} = {{ kind = \"pool\", workers = 4 }} }} to it, beside `executor`"),
                pools => format!("it has {}", listing(pools.iter().copied())),
            };
            item.unknown(sentence, name, pools.iter().copied(), hint);
        }
        found
    }

    /// Does a pool do this?
    fn is_on_pool(&self) -> bool {
        self.outer.as_ref().is_some_and(|outer| outer.on_pool)
    }

    /// What a pool does starts no tasks, and waits for none.
    pub(super) fn stays_alone(&self, item: Item<'_>, word: &str) -> bool {
        if self.is_on_pool() {
            let hint = "let the task itself do that, before or behind it";
            item.wrong(format!("`{word}` cannot stand in what is done `on` a pool"), hint);
        }
        !self.is_on_pool()
    }
}
