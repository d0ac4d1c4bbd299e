//! Names and sentences of scenarios in a text of Python, where they must not mean anything.

/// A text between quotes.
pub(super) fn quoted(text: &str) -> String {
    format!("\"{}\"", escaped(text))
}

/// What stands between the quotes of an f-string.
pub(super) fn in_f_string(text: &str) -> String {
    escaped(text).replace('{', "{{").replace('}', "}}")
}

fn escaped(text: &str) -> String {
    let escape = |letter: char| match letter {
        '"' | '\\' => format!("\\{letter}"),
        '\n' => "\\n".to_owned(),
        letter if is_unseen(letter) => format!("\\u{:04x}", u32::from(letter)),
        letter => letter.to_string(),
    };
    text.chars().map(escape).collect()
}

/// Letters that end a line, or change how others are shown.
fn is_unseen(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// A text in a comment, on one line.
pub(super) fn comment(text: &str) -> String {
    text.chars().map(|letter| if is_unseen(letter) { ' ' } else { letter }).collect()
}

/// Lines as a docstring.
pub(super) fn docstring(lines: &[String]) -> String {
    let lines: Vec<String> = lines.iter().map(|line| inside_docstring(line)).collect();
    match lines.as_slice() {
        // A quote at the end would be one too many.
        [line] if !line.ends_with('"') => format!("\"\"\"{line}\"\"\""),
        _ => format!("\"\"\"{}\n\"\"\"", lines.join("\n")),
    }
}

fn inside_docstring(line: &str) -> String {
    comment(line).replace('\\', "\\\\").replace("\"\"\"", "\\\"\\\"\\\"").trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_ends_what_it_stands_in() {
        assert_eq!(quoted("a\"b\\c\nd\u{202e}"), "\"a\\\"b\\\\c\\nd\\u202e\"");
        assert_eq!(in_f_string("{x}"), "{{x}}");
        assert_eq!(comment("a\nb\r"), "a b ");
        assert_eq!(docstring(&["say \"no\"".to_owned()]), "\"\"\"say \"no\"\n\"\"\"");
        assert_eq!(docstring(&["\"\"\"".to_owned(), "\\".to_owned()]), "\"\"\"\\\"\\\"\\\"\n\\\\\n\"\"\"");
    }
}
