//! Letters in a terminal: how wide a text is, a text of a given width, and names without what terminals
//! obey and pictures cannot show.

use std::borrow::Cow;

use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

/// What stands for a character that cannot be shown.
const UNSHOWN: char = '\u{FFFD}';
/// Where something is left out.
const GAP: char = '…';

/// A name or a title from a file as it may be shown: control characters, which terminals would obey, are replaced.
#[must_use]
pub fn visible(text: &str) -> Cow<'_, str> {
    if text.chars().any(is_unshown) {
        Cow::Owned(text.chars().map(|letter| if is_unshown(letter) { UNSHOWN } else { letter }).collect())
    } else {
        Cow::Borrowed(text)
    }
}

/// The same for a text of several lines.
#[must_use]
pub fn visible_lines(text: &str) -> String {
    text.lines().map(visible).collect::<Vec<_>>().join("\n")
}

/// Controls, marks that turn the direction of all that follows, and what is no letter and forbidden in XML.
fn is_unshown(letter: char) -> bool {
    letter.is_control() || matches!(letter, '\u{2028}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{FFFE}' | '\u{FFFF}')
}

/// How many columns a text takes.
#[must_use]
pub fn width(text: &str) -> usize {
    text.width()
}

/// The text, or as much of its beginning as fits into so many columns.
#[must_use]
pub fn cut(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    match columns.checked_sub(1) {
        Some(room) => head(text, room) + &GAP.to_string(),
        None => String::new(),
    }
}

/// The text in exactly so many columns: filled with spaces, or with something left out of its middle, since it is the
/// end of a name that tells one instance from the other.
#[must_use]
pub fn fitted(text: &str, columns: usize) -> String {
    let tail_columns = (columns / 3).min(6);
    let shown = match columns.checked_sub(tail_columns + 1) {
        _ if width(text) <= columns => text.to_owned(),
        Some(room) => format!("{}{GAP}{}", head(text, room), tail(text, tail_columns)),
        None => String::new(),
    };
    left(&shown, columns)
}

/// The text at the left of so many columns.
#[must_use]
pub fn left(text: &str, columns: usize) -> String {
    format!("{text}{}", " ".repeat(columns.saturating_sub(width(text))))
}

/// The text at the right of so many columns.
#[must_use]
pub fn right(text: &str, columns: usize) -> String {
    format!("{}{text}", " ".repeat(columns.saturating_sub(width(text))))
}

/// With spaces that do not break between a number and its unit.
#[must_use]
pub fn glued(text: &str) -> String {
    let mut text = text.replace(" × ", "\u{a0}×\u{a0}");
    for unit in ["ns", "µs", "ms", "s", "%"] {
        for end in [" ", ")", ",", ".", ":", ";"] {
            text = text.replace(&format!(" {unit}{end}"), &format!("\u{a0}{unit}{end}"));
        }
    }
    text
}

/// Broken at spaces into lines of at most so many columns, where no word is wider; spaces that do not break become plain.
#[must_use]
pub fn wrapped(text: &str, columns: usize) -> String {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if width(line) + 1 + width(word) <= columns => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines.join("\n").replace('\u{a0}', " ")
}

fn head(text: &str, columns: usize) -> String {
    text.chars().take_while(fits(columns)).collect()
}

fn tail(text: &str, columns: usize) -> String {
    let letters: Vec<char> = text.chars().rev().take_while(fits(columns)).collect();
    letters.into_iter().rev().collect()
}

/// Does the next letter still fit?
fn fits(columns: usize) -> impl FnMut(&char) -> bool {
    let mut used = 0;
    move |letter| {
        used += letter.width().unwrap_or(0);
        used <= columns
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_a_terminal_obeys_is_left() {
        assert_eq!(
            visible("a\u{1b}[2Jb\r\n\u{7}\u{9b}\u{7f}\u{202e}c\u{ffff}"),
            "a\u{FFFD}[2Jb\u{FFFD}\u{FFFD}\u{FFFD}\u{FFFD}\u{FFFD}\u{FFFD}c\u{FFFD}"
        );
        assert!(matches!(visible("日本語 é 🦀"), Cow::Borrowed(_)));
        assert_eq!(visible_lines("a\u{1b}\nb"), "a\u{FFFD}\nb");
    }

    #[test]
    fn columns_are_counted_not_letters() {
        assert_eq!((width("日本語"), width("e\u{301}")), (6, 1));
        assert_eq!((left("日", 4).as_str(), right("日", 4).as_str()), ("日  ", "  日"));
        assert_eq!(
            (cut("日本語タスク", 6).as_str(), cut("abc", 3).as_str(), cut("abc", 0).as_str()),
            ("日本…", "abc", "")
        );
        for text in ["日本語タスク#12", "an-exceedingly-long-name", "e\u{301}e\u{301}e\u{301}e\u{301}", ""] {
            for columns in 0..30 {
                assert_eq!(width(&fitted(text, columns)), columns, "{text} in {columns}");
            }
        }
    }
}
