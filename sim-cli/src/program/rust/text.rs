//! Names and sentences of scenarios in a text of Rust, where they must not mean anything.

use crate::program::lines::Lines;

/// What stands between the quotes of a text.
pub(super) fn escaped(text: &str) -> String {
    let escape = |letter: char| match letter {
        '"' | '\\' => format!("\\{letter}"),
        letter if is_unseen(letter) => format!("\\u{{{:x}}}", u32::from(letter)),
        letter => letter.to_string(),
    };
    text.chars().map(escape).collect()
}

/// What stands between the quotes of a text in which `{…}` stands for something else.
pub(super) fn in_format(text: &str) -> String {
    // What is escaped can have braces of its own, which `format!` does not see.
    text.chars()
        .map(
            |letter| {
                if matches!(letter, '{' | '}') { format!("{letter}{letter}") } else { escaped(&letter.to_string()) }
            },
        )
        .collect()
}

/// Letters that end a line, or change how others are shown: rustc refuses some of them.
fn is_unseen(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// A text in a comment, on one line.
pub(super) fn comment(text: &str) -> String {
    text.chars().map(|letter| if is_unseen(letter) { ' ' } else { letter }).collect::<String>().trim_end().to_owned()
}

/// Lines as a comment. It is none that documents: what people write in scenarios is not Markdown.
pub(super) fn comments(text: &[String], lines: &mut Lines) {
    text.iter().for_each(|line| lines.line(format!("// {}", comment(line)).trim_end()));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_ends_what_it_stands_in() {
        assert_eq!(escaped("a\"b\\c\nd\u{202e}"), "a\\\"b\\\\c\\u{a}d\\u{202e}");
        assert_eq!(in_format("{x}\n"), "{{x}}\\u{a}");
        assert_eq!(comment("a\nb\r"), "a b");
        let mut lines = Lines::new();
        comments(&["a".to_owned(), String::new()], &mut lines);
        assert_eq!(lines.text(), "// a\n//\n");
    }
}
