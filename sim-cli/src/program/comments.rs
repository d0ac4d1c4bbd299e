//! What a scenario's file says to its readers: the comment at its head, and those above its tasks.

use std::collections::BTreeMap;

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
}
