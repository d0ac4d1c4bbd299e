//! From spots to lines: looks up where a note is about and cuts out what can be shown of it.

use unicode_width::UnicodeWidthChar;

use super::super::path::path_of;
use super::super::{Origin, Override, Source, Spot, Value};
use super::{Excerpt, Mistake, Note, Place};
use crate::time::pointed;

/// Columns shown of a line.
const WIDE: usize = 110;
/// Columns shown before the mark if the line is longer than that.
const BEFORE: usize = 40;
/// Characters of a sentence: some quote the document.
const LONG: usize = 400;

/// Turns a note into a mistake.
pub(super) fn look_up(note: Note, root: Option<&Value<'_>>, source: &Source<'_>, overrides: &[Override]) -> Mistake {
    let mut excerpts: Vec<Excerpt> = excerpt(note.spot, "", source, overrides).into_iter().collect();
    excerpts.extend(note.also.iter().filter_map(|(spot, label)| excerpt(*spot, label, source, overrides)));
    Mistake {
        place: place(note.spot, source, overrides),
        end: (note.spot.origin == Origin::File).then(|| point(note.spot.end.max(note.spot.start) as usize, source)),
        path: path_of(note.spot, root, overrides),
        sentence: presentable(&note.sentence),
        excerpts,
        hint: several(note.spot, overrides).or(note.hint).map(|hint| presentable(&hint)),
        tolerated: note.tolerated,
    }
}

/// What is wrong with one value that is a list of them is that it is several.
fn several(spot: Spot, overrides: &[Override]) -> Option<String> {
    let Origin::Override(index) = spot.origin else { return None };
    let set = overrides.get(index as usize)?;
    let of_value = spot.start as usize > set.path.len();
    // A comma may also be meant as a point.
    set.several().filter(|_| of_value && pointed(&set.value).is_none())
}

fn place(spot: Spot, source: &Source<'_>, overrides: &[Override]) -> Place {
    let file = source.file.to_owned();
    match spot.origin {
        Origin::Whole => Place::Whole { file },
        Origin::File => {
            let (line, column) = point(spot.start as usize, source);
            Place::Point { file, line, column }
        }
        Origin::Override(index) => Place::Override(match overrides.get(index as usize) {
            Some(set) => presentable(&set.to_string()),
            None => file,
        }),
    }
}

/// The line and the column of a byte, both counted from 1, the column in characters.
fn point(at: usize, source: &Source<'_>) -> (usize, usize) {
    let (number, line) = line_of(source.text, at);
    let before = &source.text[line.start..boundary(source.text, at).min(line.end)];
    (number, before.chars().count() + 1)
}

fn excerpt(spot: Spot, label: &'static str, source: &Source<'_>, overrides: &[Override]) -> Option<Excerpt> {
    let (start, end) = (spot.start as usize, spot.end as usize);
    match spot.origin {
        Origin::Whole => None,
        Origin::File => {
            let (number, line) = line_of(source.text, start);
            let text = &source.text[line.clone()];
            Some(cut(Some(number), text, start - line.start, end.saturating_sub(line.start), label))
        }
        Origin::Override(index) => {
            let set = overrides.get(index as usize)?;
            let lead = set.option.len() + 1;
            Some(cut(None, &set.to_string(), start + lead, end + lead, label))
        }
    }
}

impl Excerpt {
    /// The same with at most so many columns of the line, the beginning of the mark among them.
    #[must_use]
    pub fn narrowed(self, most: usize) -> Excerpt {
        if columns(&self.text) <= most {
            return self;
        }
        // A third of the room is for what stands before the mark.
        let skipped = if self.start + self.width <= most { 0 } else { self.start.saturating_sub(most / 3) };
        let mut before = String::new();
        let mut letters = self.text.chars();
        while columns(&before) < skipped {
            before.extend(letters.next());
        }
        let skipped = columns(&before);
        let mut text: String = letters.collect();
        if skipped > 0 {
            let gone = text.remove(0);
            text.insert_str(0, &format!("{:width$}", "…", width = gone.width().unwrap_or(1)));
        }
        if columns(&text) > most {
            text = shown(&text, most.saturating_sub(1)) + "…";
        }
        let start = self.start - skipped;
        let width = self.width.min(most.saturating_sub(start).max(1));
        Excerpt { start, width, text, ..self }
    }
}

/// The number, from 1, and the extent of the line at `offset`, without its end.
fn line_of(text: &str, offset: usize) -> (usize, std::ops::Range<usize>) {
    let offset = boundary(text, offset);
    let start = text[..offset].rfind('\n').map_or(0, |newline| newline + 1);
    let end = text[offset..].find('\n').map_or(text.len(), |newline| offset + newline);
    let number = text[..start].bytes().filter(|byte| *byte == b'\n').count() + 1;
    (number, start..start + text[start..end].trim_end_matches('\r').len())
}

/// The start of the character at `offset`.
fn boundary(text: &str, offset: usize) -> usize {
    (0..=offset.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

/// Shows `line` with a mark from byte `start` to byte `end`, or a part of it around the mark.
fn cut(number: Option<usize>, line: &str, start: usize, end: usize, label: &'static str) -> Excerpt {
    let (start, end) = (boundary(line, start), boundary(line, end.max(start)));
    // Whatever is far from the mark is not even measured: a line may be as long as the file.
    let from = line[..start].char_indices().rev().take(WIDE).last().map_or(start, |(at, _)| at);
    let (mut before, mut after) = (shown(&line[from..start], WIDE), shown(&line[start..], WIDE));
    let marked = columns(&shown(&line[start..end], WIDE)).max(1);
    if from > 0 || columns(&before) + columns(&after) > WIDE {
        while columns(&before) > BEFORE {
            before.remove(0);
        }
        if from > 0 || before.len() < start {
            before.insert(0, '…');
        }
        let room = WIDE - columns(&before);
        after = shown(&line[start..], room);
        if columns(&shown(&line[start..], room + 4)) > columns(&after) {
            after.push('…');
        }
    }
    let width = marked.min(columns(&after).max(1));
    Excerpt { line: number, start: columns(&before), width, label, text: (before + &after).trim_end().to_owned() }
}

/// At most `columns` columns of a text, without anything that moves a terminal's cursor.
fn shown(text: &str, columns: usize) -> String {
    let mut left = columns;
    let mut shown = String::new();
    for letter in text.chars() {
        let width = if letter == '\t' { 4 } else { letter.width().unwrap_or(1) };
        if width > left {
            break;
        }
        left -= width;
        match letter {
            '\t' => shown.push_str("    "),
            _ if letter.is_control() => shown.push('\u{FFFD}'),
            _ => shown.push(letter),
        }
    }
    shown
}

fn columns(text: &str) -> usize {
    text.chars().map(|letter| letter.width().unwrap_or(1)).sum()
}

/// One line, not endless, without control characters.
fn presentable(text: &str) -> String {
    let mut letters = text.chars();
    let mut text: String =
        letters.by_ref().take(LONG).map(|letter| if letter.is_control() { '\u{FFFD}' } else { letter }).collect();
    if letters.next().is_some() {
        text.push('…');
    }
    text
}
