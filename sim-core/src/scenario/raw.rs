//! The document as written: a tree of values that know where they stand.
//!
//! TOML is parsed by the `toml` crate; what comes out is copied into a tree of our own, so that values from overrides
//! can stand beside values from the file, each with its place. Nothing is interpreted here.

mod overrides;
mod syntax;

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

pub use overrides::Override;
use syntax::Text;

use super::error::{Log, Note};

/// A longer file, in bytes, is refused before anything is made of it.
pub const LONGEST: usize = 16 << 20;
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

impl Entry {
    /// Where it was given: in the file at its key, in an override at its value.
    #[must_use]
    pub fn given_at(&self) -> Spot {
        if self.value.spot.origin == Origin::File { self.key_spot } else { self.value.spot }
    }
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
        let sentence = format!("the file is longer than {LONGEST} bytes, the most that a scenario can have");
        return Err(vec![Note::new(Spot::WHOLE, sentence)]);
    }
    let whole = Text { text, origin: Origin::File, offset: 0 };
    if let Some(note) = syntax::too_deep(whole) {
        return Err(vec![note]);
    }
    match DeTable::parse(text) {
        Ok(table) => Ok(copy(DeValue::Table(table.into_inner()), whole)),
        Err(first) if text.len() > RECOVERABLE => Err(syntax::notes(&[first], whole)),
        Err(_) => Err(syntax::notes(&DeTable::parse_recoverable(text).1, whole)),
    }
}

/// Copies what `toml` has parsed.
fn copy(value: DeValue<'_>, text: Text<'_>) -> Kind {
    match value {
        DeValue::String(string) => Kind::Text(string.into_owned()),
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
        DeValue::Array(list) => Kind::List(list.into_iter().map(|value| spanned(value, text)).collect()),
        DeValue::Table(table) => Kind::Table(
            table
                .into_iter()
                .map(|(key, value)| Entry {
                    key_spot: text.spot(key.span()),
                    key: key.into_inner().into_owned(),
                    value: spanned(value, text),
                })
                .collect(),
        ),
    }
}

fn spanned(value: Spanned<DeValue<'_>>, text: Text<'_>) -> Value {
    Value { spot: text.spot(value.span()), kind: copy(value.into_inner(), text) }
}
