//! Errors of TOML itself, in our form: what the parser says, where that helps, and plainer words for what people
//! really get wrong: quotes, brackets, durations without quotes, keys given twice.

use std::collections::BTreeSet;
use std::ops::Range;

use toml::de::Error;
use toml_parser::lexer::{Token, TokenKind};

use super::{DEEPEST, KEPT, Note, Origin, Spot, quoted};

/// A text of an origin that begins there at this offset.
#[derive(Clone, Copy)]
pub(super) struct Text<'a> {
    pub(super) text: &'a str,
    pub(super) origin: Origin,
    pub(super) offset: usize,
}

impl Text<'_> {
    pub(super) fn spot(&self, bytes: Range<usize>) -> Spot {
        Spot::new(self.origin, bytes.start + self.offset..bytes.end + self.offset)
    }

    fn line_start(&self, at: usize) -> usize {
        self.before(at).rfind('\n').map_or(0, |newline| newline + 1)
    }

    fn before(&self, at: usize) -> &str {
        self.text.get(..at).unwrap_or(self.text)
    }
}

/// Where the nesting becomes too deep: this must be known before anything recurses, `toml` itself included.
pub(super) fn too_deep(text: Text<'_>) -> Option<Note> {
    let mut depth = 0;
    // The dots of the present key, in every open bracket and outside.
    let mut dots = vec![0];
    for token in toml_parser::Source::new(text.text).lex() {
        let here = dots.last_mut()?;
        match token.kind() {
            TokenKind::LeftSquareBracket | TokenKind::LeftCurlyBracket => {
                depth += 1;
                dots.push(0);
            }
            TokenKind::RightSquareBracket | TokenKind::RightCurlyBracket => {
                depth -= std::mem::take(here);
                if dots.len() > 1 {
                    dots.pop();
                    depth -= 1;
                }
            }
            TokenKind::Dot => {
                depth += 1;
                *here += 1;
            }
            TokenKind::Comma | TokenKind::Newline => depth -= std::mem::take(here),
            _ => {}
        }
        if depth > DEEPEST {
            return Some(nesting(text.spot(bytes(token))));
        }
    }
    None
}

pub(super) fn nesting(spot: Spot) -> Note {
    Note::new(spot, format!("this is nested more than {DEEPEST} levels deep"))
}

/// What to say of these errors.
pub(super) fn notes(errors: &[Error], text: Text<'_>) -> Vec<Note> {
    // Once a quote or a bracket is missing, whatever the parser says of the rest is confused.
    let unbalanced = unbalanced(text);
    let end = unbalanced.as_ref().map_or(text.text.len() + 1, |(at, _)| text.line_start(*at));
    let mut lines = BTreeSet::new();
    let mut notes = Vec::new();
    for error in errors {
        let span = error.span().unwrap_or(0..0);
        // What else is wrong with a line is often wrong only because of the first thing.
        if span.start < end && lines.insert(text.line_start(span.start)) {
            // What is not kept is only counted: to look for the first of two keys takes all that is before the second.
            let kept = notes.len() < KEPT;
            notes.push(if kept {
                note(error.message(), span, text)
            } else {
                Note::new(text.spot(span), error.message())
            });
        }
    }
    notes.extend(unbalanced.map(|(_, note)| note));
    notes
}

/// The first quote or bracket that has no partner, and where.
fn unbalanced(text: Text<'_>) -> Option<(usize, Note)> {
    let mut open: Vec<Token> = Vec::new();
    for token in toml_parser::Source::new(text.text).lex() {
        let found = text.text.get(bytes(token)).unwrap_or_default();
        let spot = text.spot(bytes(token));
        let wrong = |note: Note| Some((token.span().start(), note));
        match token.kind() {
            TokenKind::BasicString | TokenKind::LiteralString if found.len() < 2 || !ends_as_it_begins(found, 1) => {
                return wrong(Note::new(spot, "this text has no closing quote"));
            }
            TokenKind::MlBasicString | TokenKind::MlLiteralString
                if found.len() < 6 || !ends_as_it_begins(found, 3) =>
            {
                return wrong(Note::new(spot, format!("this text has no closing {}", &found[..3.min(found.len())])));
            }
            TokenKind::LeftSquareBracket | TokenKind::LeftCurlyBracket => open.push(token),
            TokenKind::RightSquareBracket | TokenKind::RightCurlyBracket => match open.pop() {
                None => return wrong(Note::new(spot, format!("this `{found}` closes nothing"))),
                Some(opening) if partner(opening.kind()) != found => {
                    let sentence = format!("here should be a `{}`, not a `{found}`", partner(opening.kind()));
                    return wrong(Note::new(spot, sentence).also(text.spot(bytes(opening)), "to close this"));
                }
                Some(_) => {}
            },
            _ => {}
        }
    }
    let opening = open.pop()?;
    let (at, partner) = (bytes(opening), partner(opening.kind()));
    let sentence = format!("this `{}` is never closed", text.text.get(at.clone()).unwrap_or_default());
    let note = Note::new(text.spot(at.clone()), sentence);
    Some((at.start, note.hint(format!("a `{partner}` is missing where it should end"))))
}

fn ends_as_it_begins(text: &str, quotes: usize) -> bool {
    text.get(..quotes).is_some_and(|quote| text.ends_with(quote))
}

fn partner(opening: TokenKind) -> &'static str {
    if opening == TokenKind::LeftSquareBracket { "]" } else { "}" }
}

fn bytes(token: Token) -> Range<usize> {
    token.span().start()..token.span().end()
}

/// One error of the parser.
fn note(message: &str, span: Range<usize>, text: Text<'_>) -> Note {
    let spot = text.spot(span.clone());
    let line = &text.text[text.line_start(span.start)..];
    let line = line.lines().next().unwrap_or_default();
    match message {
        "duplicate key" => twice(span, text),
        _ if line.trim_start().starts_with("//") => {
            Note::new(spot, "this is neither a key nor a header").hint("comments begin with `#`")
        }
        _ if message.starts_with("key with no value") => {
            let colon = text.before(span.start).trim_end().ends_with(':');
            let note = Note::new(spot, "there is no `=` after this key");
            note.hint(if colon { "write `=` instead of `:`" } else { "write key = value" })
        }
        _ if message.starts_with("unexpected key or value") => {
            let next = text.text.get(span.start..).and_then(|rest| rest.chars().next());
            let next = next.filter(|letter| matches!(letter, ',' | ';'));
            let what = next.map_or("this".into(), |sign| format!("`{sign}`"));
            Note::new(spot, format!("{what} is too much here")).hint("each key with its value has a line of its own")
        }
        _ if ["string values must", "invalid boolean", "invalid float"].iter().any(|of| message.starts_with(of)) => {
            not_quoted(span, text)
        }
        _ => Note::new(spot, message),
    }
}

/// A value that is none of TOML's: usually a text without quotes.
fn not_quoted(span: Range<usize>, text: Text<'_>) -> Note {
    // Of `1.5ms` only the end is said to be wrong.
    let inside = |letter: char| letter.is_alphanumeric() || matches!(letter, '.' | '+' | '-' | '_');
    let start = text.before(span.start).trim_end_matches(inside).len();
    let word = text.text.get(start..span.end).unwrap_or_default();
    let spot = text.spot(start..span.end.max(start));
    match word.trim() {
        "" => Note::new(spot, "the value is missing"),
        "yes" | "on" | "True" | "TRUE" => Note::new(spot, format!("`{word}` is no value")).hint("write true"),
        "no" | "off" | "False" | "FALSE" => Note::new(spot, format!("`{word}` is no value")).hint("write false"),
        word if word.contains(['“', '”', '„', '‘', '’']) => {
            Note::new(spot, "these quotes are for books").hint("write straight ones: \" or '")
        }
        word if word.contains(char::is_whitespace) => Note::new(spot, format!("{} is no value", quoted(word)))
            .hint("texts are written in quotes, and commas separate the elements of a list"),
        word => Note::new(spot, "texts and durations are written in quotes").hint(format!("write \"{word}\"")),
    }
}

/// A key or a header that has been there before, and where, as far as it can be found again.
fn twice(span: Range<usize>, text: Text<'_>) -> Note {
    let key = text.text.get(span.clone()).unwrap_or_default();
    let note = Note::new(text.spot(span.clone()), format!("{} is given twice", quoted(key)));
    let start = text.line_start(span.start);
    let before = &text.text[..start];
    let own = text.text[start..].lines().next().unwrap_or_default();
    let header = own.trim_start().starts_with('[');
    let mut first = None;
    let mut at = 0;
    for line in before.split_inclusive('\n') {
        let (lead, rest) = (line.len() - line.trim_start().len(), line.trim_start());
        if header && rest.trim_start_matches('[').strip_prefix(key).is_some_and(|rest| rest.starts_with([']', '.'])) {
            first = first.or(Some(at + lead..at + line.trim_end().len()));
        } else if !header && rest.starts_with('[') {
            // Keys before this header belong to another table.
            first = None;
        } else if !header && rest.strip_prefix(key).is_some_and(|rest| rest.trim_start().starts_with('=')) {
            first = first.or(Some(at + lead..at + lead + key.len()));
        }
        at += line.len();
    }
    match first {
        Some(first) if header && own.contains("[[") && text.text[first.clone()].contains('.') => {
            let note = note.also(text.spot(first), "what belongs to it comes after it");
            note.hint(format!("write [[{key}]] before the first of its parts"))
        }
        Some(first) => note.also(text.spot(first), "the first"),
        None => note,
    }
}
