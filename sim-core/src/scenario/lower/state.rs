//! Variables: declarations, and conditions on them.

use std::collections::BTreeSet;

use super::TaskDefinition;
use super::names::{Register, name};
use super::things::Things;
use crate::document::{Item, Kind, Log, Note, Spot, Table, add_one, likely_first, quoted, there_is};
use crate::ids::{IdVec, VariableId};
use crate::scenario::{Comparison, Condition, Op, Operand, Relation, Variable};

/// How conditions are written.
const EXAMPLE: &str = "a condition compares variables with numbers or each other: \"items < 5 and done == 0\"";

/// Words of conditions, which can be no names.
const WORDS: &[&str] = &["and", "or", "not"];

/// Signs and words of other languages, and how that is written here.
const ELSEWHERE: &[(&str, &str)] = &[
    ("&&", "several comparisons are joined by `and`"),
    ("&", "several comparisons are joined by `and`"),
    (",", "several comparisons are joined by `and`"),
    ("AND", "several comparisons are joined by `and`, in small letters"),
    ("||", OR),
    ("|", OR),
    ("or", OR),
    ("OR", OR),
    ("=<", "at most is written `<=`"),
    ("=>", "at least is written `>=`"),
    ("<>", "unequal is written `!=`"),
    ("≤", "at most is written `<=`"),
    ("≥", "at least is written `>=`"),
    ("≠", "unequal is written `!=`"),
    ("is", "equal is written `==`"),
    ("=", "equal is written `==`, with two signs"),
    ("not", "there is no `not`: write the opposite, such as `!=` for `==` or `>=` for `<`"),
    ("!", "there is no `not`: write the opposite, such as `!=` for `==` or `>=` for `<`"),
    ("(", "there are no brackets: comparisons are joined by `and`, and all of them must hold"),
    (")", "there are no brackets: comparisons are joined by `and`, and all of them must hold"),
    ("+", CALCULATES),
    ("-", CALCULATES),
    ("*", CALCULATES),
    ("/", CALCULATES),
    ("%", CALCULATES),
];

const OR: &str =
    "there is no `or`: write one `if` behind the other, or put what is done otherwise into the `else` of the opposite";

const CALCULATES: &str = "nothing is calculated in a condition: on each side stands a variable or a number";

/// Reads all declarations.
pub(super) fn read(file: &mut Table<'_>) -> (IdVec<VariableId, Variable>, Vec<Spot>) {
    let mut register = Register::new("variable");
    let (mut variables, mut spots) = (IdVec::new(), Vec::new());
    for mut table in file.tables("variable", "[[variable]]") {
        let name = name(&mut table, &mut register);
        if let Some(item) = table.item("name") {
            judge_name(item, name);
        }
        let value = table.item("value").and_then(|item| item.integer(i64::MIN..=i64::MAX));
        variables.push(Variable { name: name.to_owned(), value: value.unwrap_or(0) });
        spots.push(table.spot());
    }
    (variables, spots)
}

/// A variable that no task names is hardly meant.
pub(super) fn look(tasks: &[TaskDefinition], things: &Things, log: &Log) {
    let of = |op: &Op| match op {
        Op::Set(variable, _) | Op::Add(variable, _) => vec![*variable],
        Op::Test { condition, .. } => condition.variables().collect(),
        _ => Vec::new(),
    };
    let used: BTreeSet<VariableId> = tasks.iter().flat_map(|task| &task.code.ops).flat_map(of).collect();
    for ((id, variable), spot) in things.variables.pairs().zip(&things.variable_spots) {
        if !used.contains(&id) {
            let sentence = format!("no task names the variable {}", quoted(&variable.name));
            let example = format!("leave it out, or let a task change it: {{ add = \"{}\", by = 1 }}", variable.name);
            log.remark(Note::new(*spot, sentence).hint(example));
        }
    }
}

/// Conditions can name it.
fn judge_name(item: Item<'_>, name: &str) {
    if name.is_empty() || (word(name) == name && !name.starts_with('-')) && !WORDS.contains(&name) {
        return;
    }
    let sentence = format!("a variable cannot be called {}", quoted(name));
    item.wrong(sentence, "conditions name it: write letters, digits, `-` and `_`, and a letter first");
}

/// The name with which a text begins; empty if it begins with something else.
fn word(text: &str) -> &str {
    if !text.starts_with(|first: char| first.is_alphabetic() || first == '_') {
        return "";
    }
    let end = text.find(|sign: char| !(sign.is_alphanumeric() || matches!(sign, '-' | '_')));
    &text[..end.unwrap_or(text.len())]
}

/// The number with which a text begins; empty if it begins with something else.
fn number(text: &str) -> &str {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let count = digits.find(|sign: char| !(sign.is_ascii_digit() || sign == '_')).unwrap_or(digits.len());
    if digits.starts_with(|first: char| first.is_ascii_digit()) {
        &text[..text.len() - digits.len() + count]
    } else {
        ""
    }
}

impl Things {
    /// The variable that an operation names.
    pub(super) fn variable(&self, item: Item<'_>) -> Option<VariableId> {
        self.variable_called(item, item.text()?)
    }

    /// The variable of this name, which stands in the value.
    fn variable_called(&self, item: Item<'_>, found: &str) -> Option<VariableId> {
        if let Some((id, _)) = self.variables.pairs().find(|(_, variable)| variable.name == found) {
            return Some(id);
        }
        let declared = || self.variables.iter().map(|variable| variable.name.as_str()).filter(|name| !name.is_empty());
        let sentence = format!("the variable {} is not declared", quoted(found));
        item.unknown(sentence, found, declared(), || match declared().next() {
            None => add_one("variable", found),
            Some(_) => there_is(likely_first(found, declared())),
        });
        None
    }

    /// What must hold for an `if` or a `while`.
    pub(super) fn condition(&self, item: Item<'_>) -> Option<Condition> {
        if let Kind::Boolean(truth) = item.kind() {
            let hint = match truth {
                true if item.name() == "`if`" => "leave the `if` out: what it does is always done",
                true => {
                    "for ever is { repeat = \"forever\", do = [ … ] }, with a horizon such as until = \"1s\" at the top of the file"
                }
                false => "write a comparison, such as \"items == 0\"",
            };
            item.wrong(
                format!("{} compares a variable with something, and {truth} is no comparison", item.name()),
                hint,
            );
            return None;
        }
        let mut rest = item.text()?.trim();
        let mut comparisons = Vec::new();
        loop {
            comparisons.push(self.comparison(item, &mut rest)?);
            if rest.is_empty() {
                return Some(Condition(comparisons.into()));
            }
            match rest.strip_prefix("and").filter(|next| !next.starts_with(|next: char| next.is_alphanumeric())) {
                Some(next) => rest = next.trim_start(),
                None => return not_understood(item, rest, "more"),
            }
        }
    }

    /// The comparison with which the text begins, which goes on behind it.
    fn comparison(&self, item: Item<'_>, rest: &mut &str) -> Option<Comparison> {
        let found = word(rest);
        if found.is_empty() && !number(rest).is_empty() {
            let sentence = format!("this condition begins a comparison with the number {}", quoted(number(rest)));
            item.wrong(sentence, "the variable stands before the sign: \"items > 0\" instead of \"0 < items\"");
            return None;
        }
        if found.is_empty() || WORDS.contains(&found) {
            return not_understood(item, rest, "a variable");
        }
        let variable = self.variable_called(item, found)?;
        *rest = rest[found.len()..].trim_start();
        let elsewhere = ["=<", "=>", "<>"].iter().any(|sign| rest.starts_with(sign));
        let relation = Relation::ALL.into_iter().find(|relation| rest.starts_with(relation.sign()) && !elsewhere);
        let Some(relation) = relation else { return not_understood(item, rest, "`<`, `<=`, `==`, `!=`, `>=` or `>`") };
        *rest = rest[relation.sign().len()..].trim_start();
        let digits = number(rest);
        let with = if digits.is_empty() {
            let other = word(rest);
            if other.is_empty() || WORDS.contains(&other) {
                return not_understood(item, rest, "a number or a variable");
            }
            *rest = rest[other.len()..].trim_start();
            Operand::Variable(self.variable_called(item, other)?)
        } else {
            let Ok(number) = digits.replace('_', "").parse() else {
                let sentence = format!("the number {} is too large", quoted(digits));
                item.wrong(sentence, format!("it can be from {} to {}", i64::MIN, i64::MAX));
                return None;
            };
            *rest = &rest[digits.len()..];
            if rest.starts_with('.') {
                item.wrong("variables are whole numbers, and so is what they are compared with", EXAMPLE);
                return None;
            }
            *rest = rest.trim_start();
            Operand::Number(number)
        };
        Some(Comparison { variable, relation, with })
    }
}

/// A `while` that is entered whenever a task comes to it, that nobody ends, and in which time passes: only a horizon does.
pub(super) fn judge_loops(tasks: &[TaskDefinition], variables: &IdVec<VariableId, Variable>, log: &Log) {
    let mut changed = BTreeSet::new();
    for op in tasks.iter().flat_map(|task| &task.code.ops) {
        if let Op::Set(variable, _) | Op::Add(variable, _) = op {
            changed.insert(*variable);
        }
    }
    for code in tasks.iter().map(|task| &task.code) {
        for (head, spot) in &code.loops {
            let Op::Test { condition, otherwise } = &code.ops[*head] else { continue };
            let is_fixed =
                !condition.0.is_empty() && condition.variables().all(|variable| !changed.contains(&variable));
            let waits = |op: &Op| matches!(op, Op::Join(_)) || matches!(op, Op::Sync(op) if !op.lets_go());
            let passes = |op: &Op| matches!(op, Op::Cpu(_) | Op::Io { .. } | Op::Sleep(_) | Op::Turn { .. });
            let body = &code.ops[*head..*otherwise as usize];
            if is_fixed
                && condition.holds(|variable| variables[variable].value)
                && body.iter().any(passes)
                && !body.iter().any(waits)
            {
                let text = condition.text(|variable| &variables[variable].name);
                let sentence = format!("`{text}` holds from the beginning, and nobody changes that: this never ends");
                let hint = "let a task change it, or add until = \"10s\" to the top of the file";
                log.add(Note::new(*spot, sentence).hint(hint));
            }
        }
    }
}

/// Notes that something else is expected where the rest of a condition begins.
fn not_understood<T>(item: Item<'_>, rest: &str, expected: &str) -> Option<T> {
    let begins = |sign: &str| rest.starts_with(sign) && (word(rest) == sign || !sign.starts_with(char::is_alphabetic));
    let hint = ELSEWHERE.iter().find(|(sign, _)| begins(sign)).map_or(EXAMPLE, |(_, hint)| *hint);
    let sentence = match (rest.is_empty(), expected) {
        (true, _) => format!("this condition ends where {expected} is missing"),
        (false, "more") => format!("this condition goes on with {} behind a comparison", quoted(rest)),
        (false, _) => format!("this condition has {} where {expected} is expected", quoted(rest)),
    };
    item.wrong(sentence, hint);
    None
}
