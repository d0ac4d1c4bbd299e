//! Names: foreign ones become such as a scenario may have, each its own.

use std::collections::{HashMap, HashSet};

/// Longer names are cut.
const LONGEST: usize = 60;

/// Names that are taken.
#[derive(Default, Debug)]
pub(crate) struct Names {
    taken: HashSet<String>,
    /// How far the numbers behind a name have come.
    numbers: HashMap<String, usize>,
}

impl Names {
    /// A name that nobody has: this one, or with a number behind it.
    pub(crate) fn take(&mut self, wanted: &str) -> String {
        let name = clean(wanted);
        if self.taken.insert(name.clone()) {
            return name;
        }
        let number = self.numbers.entry(name.clone()).or_insert(1);
        loop {
            *number += 1;
            let numbered = format!("{name}-{number}");
            if self.taken.insert(numbered.clone()) {
                return numbered;
            }
        }
    }
}

/// A name without what names must not have.
pub(crate) fn clean(name: &str) -> String {
    let letters = name.trim().chars().take(LONGEST);
    let name: String = letters
        .map(|letter| match letter {
            '/' | '#' => '-',
            _ if letter.is_control() => '-',
            _ => letter,
        })
        .collect();
    if name.trim().is_empty() { "unnamed".to_owned() } else { name.trim().to_owned() }
}

/// A text of TOML in quotes.
pub(crate) fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for letter in text.chars() {
        match letter {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            _ if letter.is_control() => quoted.push_str(&format!("\\u{:04X}", u32::from(letter))),
            _ => quoted.push(letter),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_clean_and_each_its_own() {
        let mut names = Names::default();
        let taken = ["kworker/0:1", "kworker-0:1", "a", "a-2", "a", "a", "", "\u{7}"].map(|name| names.take(name));
        assert_eq!(taken, ["kworker-0:1", "kworker-0:1-2", "a", "a-2", "a-3", "a-4", "unnamed", "-"]);
        assert_eq!(quoted("a\"b\\c\u{1}"), "\"a\\\"b\\\\c\\u0001\"");
    }
}
