//! What a scenario's file says to its readers: the comment at its head, those above its tasks, and those at its operations.

use std::collections::BTreeMap;

use sim_core::document::{Item, Kind, Origin, Override, Source, Spot, Value};
use sim_core::scenario::lower;

/// A file as it was written, and what was changed in it.
#[derive(Clone, Copy, Debug)]
pub struct Written<'s> {
    /// What it is called.
    pub file: &'s str,
    /// What is in it.
    pub text: &'s str,
    /// What stands there instead.
    pub sets: &'s [Override],
}

/// The comments at operations, by the process (nothing, where the file names none) and the task, and by the way to each operation
/// as [`sim_core::scenario::Program::path_of`] says it.
pub type OfOperations = BTreeMap<(String, String), BTreeMap<String, Vec<String>>>;

/// The comment at the head of a file, without `#`, up to the first line that is none.
#[must_use]
pub fn head(text: &str) -> Vec<String> {
    let lines = text.lines().skip_while(|line| line.trim().is_empty() || line.starts_with("#!"));
    lines.map_while(comment).collect()
}

/// The comment directly above the table of each task, by the name of the task; of several with one name, the first.
#[must_use]
pub fn of_tasks(text: &str) -> BTreeMap<String, Vec<String>> {
    let mut found = BTreeMap::new();
    let mut above: Vec<String> = Vec::new();
    let mut of_task: Option<Vec<String>> = None;
    // What stands at the head is said of the whole file.
    for line in text.lines().skip(head(text).len()) {
        let line = line.trim();
        if let Some(said) = comment(line) {
            above.push(said);
        } else if line.starts_with("[[") || line.starts_with('[') && line.ends_with(']') {
            let is_task = matches!(line.split('#').next().unwrap_or_default().trim(), "[[task]]" | "[[process.task]]");
            of_task = is_task.then(|| std::mem::take(&mut above));
            above.clear();
        } else {
            above.clear();
            if let (Some(name), true) = (name_in(line), of_task.is_some()) {
                let said = of_task.take().unwrap_or_default();
                if !said.is_empty() {
                    found.entry(name).or_insert(said);
                }
            }
        }
    }
    found
}

/// The comments that stand above operations, or behind them on their line.
#[must_use]
pub fn of_operations(written: &Written<'_>) -> OfOperations {
    let mut found = OfOperations::new();
    let document = lower::parsed(&Source { file: written.file, text: written.text });
    // What is wrong with it has been said by whoever made the scenario of it.
    let _ = document.read(written.sets, |root| {
        root.item("task").into_iter().for_each(|tasks| of_list(tasks, "", written.text, &mut found));
        for process in root.item("process").iter().flat_map(elements) {
            let name = name_of(process).unwrap_or_default();
            let tasks = process.get("task").into_iter();
            tasks.for_each(|tasks| of_tasks_in(tasks, &name, written.text, &mut found));
        }
    });
    found
}

fn of_list(tasks: Item<'_>, process: &str, text: &str, found: &mut OfOperations) {
    of_tasks_in(tasks.value(), process, text, found);
}

fn elements<'i>(item: &Item<'i>) -> &'i [Value<'i>] {
    list(item.value())
}

fn list<'v, 'a>(value: &'v Value<'a>) -> &'v [Value<'a>] {
    if let Kind::List(values) = &value.kind { values } else { &[] }
}

fn name_of(table: &Value<'_>) -> Option<String> {
    if let Kind::Text(name) = &table.get("name")?.kind { Some(name.to_string()) } else { None }
}

fn of_tasks_in(tasks: &Value<'_>, process: &str, text: &str, found: &mut OfOperations) {
    for task in list(tasks) {
        let (Some(name), Some(program)) = (name_of(task), task.get("program")) else { continue };
        let mut own = BTreeMap::new();
        of_program(program, "", text, &mut own);
        if !own.is_empty() {
            found.entry((process.to_owned(), name)).or_insert(own);
        }
    }
}

/// The comments in a list of operations, to which `way` leads.
fn of_program(program: &Value<'_>, way: &str, text: &str, found: &mut BTreeMap<String, Vec<String>>) {
    for (number, op) in list(program).iter().enumerate() {
        let way = format!("{way}{number}");
        let said = at(op.spot, text);
        if !said.is_empty() {
            found.insert(way.clone(), said);
        }
        if let Some(inner) = op.get("do") {
            of_program(inner, &format!("{way}.do."), text, found);
        }
        for (branch, weighted) in op.get("choose").map_or(&[][..], list).iter().enumerate() {
            if let [_, inner] = list(weighted) {
                of_program(inner, &format!("{way}.choose.{branch}.1."), text, found);
            }
        }
    }
}

/// The comments above what stands there, and behind it on its line.
fn at(spot: Spot, text: &str) -> Vec<String> {
    let (start, end) = (spot.start as usize, spot.end as usize);
    let (Origin::File, Some(before), Some(behind)) = (spot.origin, text.get(..start), text.get(end..)) else {
        return Vec::new();
    };
    let mut said = Vec::new();
    let (above, indentation) = before.rsplit_once('\n').unwrap_or(("", before));
    if indentation.trim().is_empty() {
        said.extend(above.lines().rev().map_while(comment));
        said.reverse();
    }
    let rest = behind.lines().next().unwrap_or_default().trim_start();
    said.extend(comment(rest.strip_prefix(',').unwrap_or(rest)));
    said
}

fn comment(line: &str) -> Option<String> {
    let said = line.trim().strip_prefix('#')?;
    Some(said.strip_prefix(' ').unwrap_or(said).trim_end().to_owned())
}

/// The name in `name = "download"`.
fn name_in(line: &str) -> Option<String> {
    let value = line.strip_prefix("name")?.trim_start().strip_prefix('=')?.trim_start();
    let quote = value.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
    value[1..].split(quote).next().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_are_found_where_they_belong() {
        let text = "# Of all.\n# More.\n\ntitle = \"x\"\n\n# no task's\n[[lock]]\nname = \"l\"\n\n# It thinks,\n#   and eats.\n\
            [[task]]\nname = \"a\"  # inside\ncount = 2\n[[process.task]]\nname = 'b'\n";
        assert_eq!(head(text), ["Of all.", "More."]);
        let of_tasks = of_tasks(text);
        assert_eq!(of_tasks.get("a").unwrap(), &["It thinks,", "  and eats."]);
        assert_eq!(of_tasks.len(), 1);
    }

    #[test]
    fn operations_have_the_comments_at_them() {
        let text = "[[task]]\nname = \"t\"\nprogram = [\n  { cpu = \"1ms\" },  # first\n  # before\n  { repeat = 2, do = [ # no op's\n\
            \"yield\", # inner\n { choose = [[1, [\"yield\" # chosen\n]]] } ] }, # behind\n  { cpu = \"2ms\" }\n]\n";
        let said = |sets: &[Override]| {
            let found = of_operations(&Written { file: "", text, sets });
            let own = found.get(&(String::new(), "t".to_owned())).cloned().unwrap_or_default();
            own.into_iter().map(|(way, said)| format!("{way}: {}", said.join(" "))).collect::<Vec<_>>()
        };
        let all = ["0: first", "1: before behind", "1.do.0: inner", "1.do.1.choose.0.1.0: chosen"];
        assert_eq!(said(&[]), all);
        assert_eq!(said(&[Override::new("task.t.program", "[{ cpu = \"9ms\" }]")]), Vec::<String>::new());
    }
}
