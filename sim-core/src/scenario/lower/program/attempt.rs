//! Operations that can be given up: `within`, `patience`, `else`.

use super::Compiler;
use super::sync::Held;
use crate::document::{Item, Note, Table};
use crate::scenario::{Op, SyncOp, Terms};

/// The operations that may have to wait, and so can be given up.
const WAITING: &[&str] =
    &["io", "lock", "with", "read", "write", "acquire", "send", "recv", "wait", "barrier", "join", "on"];

/// An operation that can be given up, before it is read.
pub(super) struct Attempt<'a> {
    /// Where its terms stand.
    at: usize,
    /// What is done without it.
    instead: Option<Item<'a>>,
    /// How long it may take.
    within: Option<Item<'a>>,
    /// The locks held before.
    before: Held,
    /// Is it up to others alone, since it may take as long as it takes?
    is_patient: bool,
}

impl Compiler<'_> {
    /// On what terms the operation is done, if it says so.
    pub(super) fn attempt<'a>(&mut self, word: &str, table: &mut Table<'a>) -> Option<Attempt<'a>> {
        let waits = WAITING.contains(&word);
        if !waits && word != "spawn" {
            return None;
        }
        let within = if waits { table.item("within") } else { None };
        let instead = table.item("else");
        let patience = if word == "io" { table.item("patience") } else { None };
        if within.is_none() && patience.is_none() && instead.is_none() {
            return None;
        }
        let span = |item: Option<Item<'_>>| item.map_or(Some(Terms::FOR_EVER), |item| item.span());
        let spans = [within, patience].map(span).map(|span| span.unwrap_or(Terms::FOR_EVER));
        if let (Some(item), true) = (within, word == "io" && spans[0].is_zero()) {
            let hint = "write patience = \"0ms\": it is given up unless the device begins with it at once";
            item.wrong("a request is not complete at once", hint);
        }
        if let (Some(item), true) = (patience.filter(|_| within.is_some()), spans[1] >= spans[0]) {
            let sentence = "`patience` never comes to an end here: the request is given up `within` less";
            item.log().remark(
                Note::new(item.spot(), sentence).hint("leave one of them out, or let `patience` be the shorter one"),
            );
        }
        let before = self.held.clone();
        let at = self.push(Op::Attempt(Terms { within: spans[0], patience: spans[1], otherwise: 0 }));
        let is_patient = within.is_none() && patience.is_none();
        Some(Attempt { at, instead, within, before, is_patient })
    }

    /// What is done where it has been given up: the operation itself has just been read.
    pub(super) fn otherwise(&mut self, attempt: Attempt<'_>) {
        let Attempt { at, instead, within, before, is_patient } = attempt;
        if let Some(item) = instead.filter(|_| is_patient) {
            self.is_in_vain(at + 1, item);
        }
        let scope = self.code.ops.len();
        let with = std::mem::replace(&mut self.held, before);
        let list = instead.filter(|list| list.elements().is_some_and(|operations| operations.len() > 0));
        let otherwise = match list {
            None => self.here(),
            Some(list) => {
                let jump = self.push(Op::Jump(0));
                let start = self.here();
                self.block(list, u32::try_from(at).unwrap_or(u32::MAX), 1);
                self.code.ops[jump] = Op::Jump(self.here());
                start
            }
        };
        if let Op::Attempt(terms) = &mut self.code.ops[at] {
            terms.otherwise = otherwise;
        }
        self.has_no_permit((at + 1, scope), instead.or(within));
        self.meet(with, instead.or(within));
    }

    /// Nobody gives the operation up, so `else` is for those who are turned away: is anybody ever?
    fn is_in_vain(&mut self, op: usize, item: Item<'_>) {
        let hint = match self.code.ops.get(op) {
            None => return,
            // Which pool turns anybody away is known later.
            Some(Op::Spawn(_)) => return self.code.otherwise.push((op, item.spot())),
            Some(Op::Io { device, .. }) => {
                let device = &self.context.things.devices[*device];
                if device.queue.is_some() || device.patience.is_some() {
                    return;
                }
                "add `within` or `patience`, or let the device turn requests away (`queue`)"
            }
            Some(_) => "add within = \"5ms\", the time after which it is given up",
        };
        let sentence = "what is done `else` never happens: nobody gives this up, nor is turned away";
        item.log().remark(Note::new(item.spot(), sentence).hint(hint));
    }

    /// Who gives up here has no permit, and may go on as if it had one: that shows when it gives one back.
    fn has_no_permit(&mut self, (op, scope): (usize, usize), said: Option<Item<'_>>) {
        let Some(Op::Sync(SyncOp::Acquire(semaphore, _))) = self.code.ops.get(op) else { return };
        let gives_back = |op: &Op| matches!(op, Op::Sync(SyncOp::Release(other, _)) if other == semaphore);
        let gets_another = |op: &Op| matches!(op, Op::Sync(SyncOp::Acquire(other, _)) if other == semaphore);
        let is_scoped = self.code.ops[op..scope].last().is_some_and(gives_back);
        let goes_on = self.held.is_some() && !self.code.ops[scope..].iter().any(gets_another);
        if let Some(item) = said.filter(|_| goes_on && !is_scoped) {
            self.without.insert(*semaphore, item.spot());
        }
    }

    /// Behind the operation it does not matter whether it has been given up: what is held only with it counts as held.
    fn meet(&mut self, with: Held, said: Option<Item<'_>>) {
        let (Some(with), Some(without)) = (&with, &self.held) else {
            self.held = self.held.take().or(with);
            return;
        };
        if let (Some(lock), Some(item)) = (with.keys().find(|lock| !without.contains_key(lock)), said) {
            let sentence = format!("who gives up goes on behind this without {}", self.name(*lock));
            let hint = "take it with `with` and `do`, which are skipped then, or let `else` end with \"end\"";
            item.log().remark(Note::new(item.spot(), sentence).hint(hint));
        }
        let both = without.iter().chain(with.iter()).map(|(lock, hold)| (*lock, *hold)).collect();
        self.held = Some(both);
    }
}
