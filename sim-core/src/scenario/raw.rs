//! The document as written: a tree of values that know where they stand.
//!
//! TOML is parsed by the `toml` crate; what comes out is copied into a tree of our own, so that values from overrides
//! can stand beside values from the file, each with its place. Nothing is interpreted here.

mod overrides;

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};
use toml_parser::lexer::TokenKind;

pub use overrides::Override;

use super::error::{Log, Note};

/// A longer file is refused, before anything is made of it.
const LONGEST: usize = 16 << 20;
/// Brackets within brackets, and dots of keys within them. Whatever walks the tree may therefore recurse.
const DEEPEST: usize = 64;
/// In longer files only the first error of syntax is reported.
const RECOVERABLE: usize = 1 << 20;

/// A document: its text, and the name to print in messages.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// What the file is called in messages.
    pub file: &'a str,
    /// What is in it.
    pub text: &'a str,
}

/// A place in the file or in an override.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Spot {
    /// In which text.
    pub origin: Origin,
    /// The first byte.
    pub start: u32,
    /// The byte after the last.
    pub end: u32,
}

/// Which text a spot is in. The order is the one in which mistakes are reported.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Origin {
    /// The file.
    File,
    /// The override of this number, counted from 0.
    Override(u32),
    /// The file, but no place in it.
    Whole,
}

impl Spot {
    /// The file, but no place in it.
    pub const WHOLE: Spot = Spot { origin: Origin::Whole, start: 0, end: 0 };

    fn new(origin: Origin, bytes: Range<usize>) -> Spot {
        let byte = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        Spot { origin, start: byte(bytes.start), end: byte(bytes.end) }
    }
}

/// A value and where it stands.
#[derive(Clone, Debug)]
pub struct Value {
    /// Where: of a table with a header, the header.
    pub spot: Spot,
    /// What.
    pub kind: Kind,
}

/// The types of TOML.
#[derive(Clone, Debug)]
pub enum Kind {
    /// A string.
    Text(String),
    /// A whole number; beyond 128 bits, the nearest end.
    Integer(i128),
    /// A floating-point number, with its digits: some numbers must be exact.
    Float(f64, String),
    /// `true` or `false`.
    Boolean(bool),
    /// A date or a time of day, which no scenario has use for.
    Date,
    /// An array.
    List(Vec<Value>),
    /// A table.
    Table(Vec<Entry>),
}

/// A key with its value.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The key.
    pub key: String,
    /// Where the key stands.
    pub key_spot: Spot,
    /// What it is set to.
    pub value: Value,
}

impl Value {
    /// The entry of a table, if this is one and has it.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Value> {
        match &self.kind {
            Kind::Table(entries) => entries.iter().find(|entry| entry.key == key).map(|entry| &entry.value),
            _ => None,
        }
    }

    /// What it is called in messages.
    #[must_use]
    pub fn describe(&self) -> String {
        match &self.kind {
            Kind::Text(text) if text.chars().count() <= 40 => format!("the text \"{text}\""),
            Kind::Text(_) => "a text".into(),
            Kind::Integer(number) => format!("the number {number}"),
            Kind::Float(_, digits) => format!("the number {digits}"),
            Kind::Boolean(truth) => format!("`{truth}`"),
            Kind::Date => "a date or time of day".into(),
            Kind::List(_) => "a list".into(),
            Kind::Table(_) => "a table".into(),
        }
    }
}

/// Parses the file and applies the overrides; mistakes are noted. Nothing if the file is not TOML.
pub(super) fn document(source: &Source<'_>, sets: &[Override], log: &Log) -> Option<Value> {
    match parse(source.text) {
        Ok(kind) => {
            let mut root = Value { spot: Spot::WHOLE, kind };
            overrides::apply(sets, &mut root, log);
            Some(root)
        }
        Err(notes) => {
            notes.into_iter().for_each(|note| log.add(note));
            None
        }
    }
}

fn parse(text: &str) -> Result<Kind, Vec<Note>> {
    if text.len() > LONGEST {
        let sentence = format!("the file has {} bytes; the longest that can be read has {LONGEST}", text.len());
        return Err(vec![Note::new(Spot::WHOLE, sentence)]);
    }
    if let Some(bytes) = too_deep(text) {
        return Err(vec![nesting(Spot::new(Origin::File, bytes))]);
    }
    let origin = (Origin::File, 0);
    match DeTable::parse(text) {
        Ok(table) => Ok(copy(DeValue::Table(table.into_inner()), origin)),
        Err(first) if text.len() > RECOVERABLE => Err(vec![syntax(&first, text, origin)]),
        Err(_) => {
            let (_, errors) = DeTable::parse_recoverable(text);
            let mut last_line = None;
            let mut notes = Vec::new();
            for error in &errors {
                // What else is wrong with a line often is wrong only because of the first thing.
                let line = error.span().map(|span| text[..span.start.min(text.len())].matches('\n').count());
                if line.is_none() || line != last_line {
                    notes.push(syntax(error, text, origin));
                }
                last_line = line;
            }
            Err(notes)
        }
    }
}

/// Where the nesting becomes too deep: this must be known before anything recurses, `toml` itself included.
fn too_deep(text: &str) -> Option<Range<usize>> {
    let mut depth = 0;
    // The dots of the present key, in every open bracket and outside.
    let mut dots = vec![0];
    for token in toml_parser::Source::new(text).lex() {
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
            return Some(token.span().start()..token.span().end());
        }
    }
    None
}

fn nesting(spot: Spot) -> Note {
    Note::new(spot, format!("this is nested more than {DEEPEST} levels deep"))
}

/// An error of TOML itself in our form.
fn syntax(error: &toml::de::Error, text: &str, (origin, offset): (Origin, usize)) -> Note {
    let span = error.span().unwrap_or(0..0);
    let found = text.get(span.clone()).unwrap_or_default().trim();
    let spot = Spot::new(origin, span.start + offset..span.end + offset);
    let message = error.message();
    match message {
        "duplicate key" => Note::new(spot, format!("{} is given twice", super::error::quoted(found))),
        _ if message.starts_with("string values must be quoted") => {
            Note::new(spot, "texts are written in quotes").hint(format!("write \"{found}\""))
        }
        _ => Note::new(spot, message),
    }
}

/// Copies what `toml` has parsed; the offset is that of its text in the text of the origin.
fn copy(value: DeValue<'_>, at: (Origin, usize)) -> Kind {
    match value {
        DeValue::String(text) => Kind::Text(text.into_owned()),
        DeValue::Integer(digits) => {
            let end = if digits.as_str().starts_with('-') { i128::MIN } else { i128::MAX };
            Kind::Integer(i128::from_str_radix(digits.as_str(), digits.radix()).unwrap_or(end))
        }
        DeValue::Float(digits) => {
            let digits = digits.as_str();
            Kind::Float(digits.parse().unwrap_or(f64::NAN), digits.to_owned())
        }
        DeValue::Boolean(truth) => Kind::Boolean(truth),
        DeValue::Datetime(_) => Kind::Date,
        DeValue::Array(list) => Kind::List(list.into_iter().map(|value| spanned(value, at)).collect()),
        DeValue::Table(table) => Kind::Table(
            table
                .into_iter()
                .map(|(key, value)| Entry {
                    key_spot: spot(key.span(), at),
                    key: key.into_inner().into_owned(),
                    value: spanned(value, at),
                })
                .collect(),
        ),
    }
}

fn spanned(value: Spanned<DeValue<'_>>, at: (Origin, usize)) -> Value {
    Value { spot: spot(value.span(), at), kind: copy(value.into_inner(), at) }
}

fn spot(bytes: Range<usize>, (origin, offset): (Origin, usize)) -> Spot {
    Spot::new(origin, bytes.start + offset..bytes.end + offset)
}
