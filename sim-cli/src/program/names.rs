//! Names of scenarios as identifiers of programs: no two alike, none that means something else.

use std::collections::BTreeSet;

/// The identifiers of a program.
#[derive(Clone, Debug)]
pub struct Names {
    taken: BTreeSet<String>,
}

impl Names {
    /// None yet, but for the words that a program cannot use: keywords, and what the program has names for already.
    #[must_use]
    pub fn new(reserved: &[&str]) -> Names {
        Names { taken: reserved.iter().map(|word| (*word).to_owned()).collect() }
    }

    /// An identifier like this name that nothing else has. `kind` says what it is of, where the name alone is taken.
    pub fn take(&mut self, name: &str, kind: &str) -> String {
        let plain = identifier(name, kind);
        let of_kind = if plain.ends_with(kind) { plain.clone() } else { format!("{plain}_{kind}") };
        let numbered = (2..).map(|number| format!("{of_kind}_{number}"));
        let mut candidates = [plain.clone(), of_kind.clone()].into_iter().chain(numbered);
        let free = candidates.find(|candidate| !self.taken.contains(candidate)).unwrap_or(plain);
        self.taken.insert(free.clone());
        free
    }
}

/// The name in small letters, with `_` in place of what no identifier has.
fn identifier(name: &str, kind: &str) -> String {
    let mut found = String::new();
    for letter in name.chars().flat_map(char::to_lowercase) {
        if is_letter(letter) || (letter.is_ascii_digit() && !found.is_empty()) {
            found.push(letter);
        } else if letter.is_ascii_digit() {
            found = format!("{kind}_{letter}");
        } else if !found.is_empty() && !found.ends_with('_') {
            found.push('_');
        }
    }
    let found = found.trim_end_matches('_');
    if found.is_empty() { kind.to_owned() } else { found.to_owned() }
}

/// Letters that compilers leave as they are: others are the same as a second letter to them, which could make two names one.
fn is_letter(letter: char) -> bool {
    let latin = matches!(letter, 'ß'..='ö' | 'ø'..='ÿ');
    let greek = matches!(letter, 'ά'..='ώ');
    let cyrillic = matches!(letter, 'а'..='џ');
    letter.is_ascii_alphabetic() || latin || greek || cyrillic || matches!(letter, '一'..='鿿')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_are_legal_and_no_two_are_alike() {
        let mut names = Names::new(&["import", "time"]);
        let mut take = |name, kind| names.take(name, kind);
        assert_eq!(take("left fork", "lock"), "left_fork");
        assert_eq!(take("left-fork", "lock"), "left_fork_lock");
        assert_eq!(take("Left/Fork", "lock"), "left_fork_lock_2");
        assert_eq!(take("import", "task"), "import_task");
        assert_eq!(take("time", "device"), "time_device");
        assert_eq!(take("2nd", "task"), "task_2nd");
        assert_eq!(take("***", "task"), "task");
        assert_eq!(take("", "task"), "task_2");
        assert_eq!(take("Größe", "task"), "größe");
        assert_eq!(take("ﬁle", "task"), "le");
        assert_eq!(take("__init__", "task"), "init");
        assert_eq!(take("a\u{308}b\n\"c", "task"), "a_b_c");
    }
}
