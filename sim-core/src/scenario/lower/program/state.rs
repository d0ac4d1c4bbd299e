//! Operations on variables, what is done if or while something holds of them, and what is done time and again.

use super::Compiler;
use crate::document::{Item, Kind, Note, Table};
use crate::ids::VariableId;
use crate::scenario::{Condition, Missed, Op};
use crate::time::Span;

impl Compiler<'_> {
    /// `set` and `add`: `key` says by how much.
    pub(super) fn changes(
        &mut self,
        item: Item<'_>,
        table: &mut Table<'_>,
        (key, purpose): (&'static str, &str),
        op: fn(VariableId, i64) -> Op,
    ) {
        let variable = self.context.things.variable(item);
        let number = table.required(key, purpose).and_then(|item| match item.kind() {
            Kind::Text(text) if text.trim().parse::<i64>().is_err() => {
                let hint =
                    "nothing is calculated: { add = \"items\", by = 1 } and by = -1 change a variable by a number";
                item.wrong(format!("{} must be a whole number, not the text {text:?}", item.name()), hint);
                None
            }
            _ => item.integer(i64::MIN..=i64::MAX),
        });
        if let (Some(variable), Some(number)) = (variable, number) {
            self.push(op(variable, number));
        }
    }

    /// `if`: one of two lists, or none.
    pub(super) fn branches(&mut self, item: Item<'_>, table: &mut Table<'_>, whole: Item<'_>) {
        let condition = self.condition(item);
        let (then, otherwise) = (table.required("do", "what is done if that holds"), table.item("else"));
        let head = self.push(Op::Test { condition: condition.clone(), otherwise: 0 });
        let within = self.here() - 1;
        let (before, spawns) = (self.held.clone(), std::mem::take(&mut self.code.spawns));
        // Without `else` nothing is done, and what is held stays so.
        let mut held = if otherwise.is_none() { before.clone() } else { None };
        if let Some(then) = then {
            self.block(then, within, 0);
            self.agree(&mut held, then, whole);
        }
        let mut most = std::mem::replace(&mut self.code.spawns, spawns);
        let mut start = self.here();
        if let Some(otherwise) = otherwise {
            let jump = self.push(Op::Jump(0));
            start = self.here();
            self.held = before;
            let spawns = std::mem::take(&mut self.code.spawns);
            self.block(otherwise, within, 1);
            self.agree(&mut held, otherwise, whole);
            for (task, count) in std::mem::replace(&mut self.code.spawns, spawns) {
                let most = most.entry(task).or_insert(0);
                *most = count.max(*most);
            }
            self.code.ops[jump] = Op::Jump(self.here());
        }
        self.code.ops[head] = Op::Test { condition, otherwise: start };
        self.held = held;
        self.also_spawns(most);
    }

    /// `while`: a list for as long as something holds.
    pub(super) fn repeats_while(&mut self, item: Item<'_>, table: &mut Table<'_>) {
        let condition = self.condition(item);
        let body = table.required("do", "what is done as long as that holds");
        let head = self.push(Op::Test { condition: condition.clone(), otherwise: 0 });
        let start = self.here() - 1;
        let before = self.held.clone();
        if let Some(body) = body {
            self.block(body, start, 0);
            self.same_locks(&before, item);
        }
        self.push(Op::Jump(start));
        self.code.ops[head] = Op::Test { condition, otherwise: self.here() };
        self.code.loops.push((head, item.spot()));
        self.held = before;
    }

    /// `every`: a list in turns, of which one comes a period after the other.
    pub(super) fn every(&mut self, item: Item<'_>, table: &mut Table<'_>) {
        let period = item.positive_span().unwrap_or(Span::from_ms(1));
        let times = table.item("times");
        let count = match times {
            Some(times) if !matches!(times.kind(), Kind::Text(_)) => Some(super::repetitions(times).unwrap_or(1)),
            Some(times) if !times.is_text("forever") => {
                times.mismatch("a number or \"forever\"", "times = 10, or leave it out");
                Some(1)
            }
            _ => None,
        };
        if count.is_none() && !self.context.ends {
            let note = Note::new(item.spot(), "this never ends, and the scenario has no horizon");
            item.log().add(note.hint("add times = 10 to it, or until = \"10s\" to the top of the file"));
        }
        let missed = match table.one_of("missed", &["burst", "delay", "skip"]) {
            Some(1) => Missed::Delay,
            Some(2) => Missed::Skip,
            _ => Missed::Burst,
        };
        let body = table.required("do", "what is done in each turn");
        self.repeated(count, body, item, Some((period, missed)));
    }

    fn condition(&self, item: Item<'_>) -> Condition {
        self.context.things.condition(item).unwrap_or(Condition(Box::new([])))
    }
}
