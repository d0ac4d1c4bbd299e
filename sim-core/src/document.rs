//! Documents: what is written in a file, asked for value by value, with everything that is wrong told at its place.
//!
//! This knows TOML and overrides, and nothing of what a document is about: that is its reader's, who brings a [`Language`]
//! of words for hints. A reader asks a [`Table`] for keys, each [`Item`] for its type, and what is wrong is noted in a
//! [`Log`] and becomes [`Mistakes`].
//!
//! TOML becomes a tree of our own that borrows from the text, so that values from overrides can stand beside values from
//! the file, each with its place. What is plainly right is parsed here; the rest is left to the crate `toml`, whose tree
//! is copied, or whose errors are told. Nothing is interpreted.

mod item;
mod language;
mod mistakes;
mod overrides;
mod parse;
mod path;
mod syntax;
mod table;

use std::borrow::Cow;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

pub use item::Item;
pub use language::{Language, More};
pub use mistakes::{Excerpt, Log, Mistake, Mistakes, Note, Place, Synonym, did_you_mean};
pub(crate) use mistakes::{KEPT, add_one, all_alternatives, alternatives, likely_first, listing, quoted, there_is};
pub use overrides::{Override, told_apart};
pub(crate) use overrides::{key, keys};
use syntax::Text;
pub use table::Table;

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
pub struct Value<'a> {
    /// Where: of a table with a header, the header.
    pub spot: Spot,
    /// What.
    pub kind: Kind<'a>,
}

/// The types of TOML.
#[derive(Clone, Debug)]
pub enum Kind<'a> {
    /// A string.
    Text(Cow<'a, str>),
    /// A whole number; beyond 128 bits, the nearest end.
    Integer(i128),
    /// A floating-point number, with its digits: some numbers must be exact.
    Float(f64, Cow<'a, str>),
    /// `true` or `false`.
    Boolean(bool),
    /// A date or a time of day, which no scenario has use for.
    Date,
    /// An array.
    List(Vec<Value<'a>>),
    /// A table.
    Table(Vec<Entry<'a>>),
}

/// A key with its value.
#[derive(Clone, Debug)]
pub struct Entry<'a> {
    /// The key.
    pub key: Cow<'a, str>,
    /// Where the key stands.
    pub key_spot: Spot,
    /// What it is set to.
    pub value: Value<'a>,
}

impl Entry<'_> {
    /// Where it was given: in the file at its key, in an override at its value.
    #[must_use]
    pub fn given_at(&self) -> Spot {
        if self.value.spot.origin == Origin::File { self.key_spot } else { self.value.spot }
    }
}

impl<'a> Value<'a> {
    /// A table with nothing in it, where there is none.
    pub(crate) fn empty_table() -> Value<'a> {
        Value { spot: Spot::WHOLE, kind: Kind::Table(Vec::new()) }
    }

    /// The entry of a table, if this is one and has it.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Value<'a>> {
        match &self.kind {
            Kind::Table(entries) => entries.iter().find(|entry| entry.key == key).map(|entry| &entry.value),
            _ => None,
        }
    }

    /// A table with what it says, and besides what `defaults` say (a document that is right) of keys that it has not. Those
    /// stand nowhere: their places are [`Spot::WHOLE`].
    pub(crate) fn above<'b>(&self, defaults: &'b str) -> Value<'b>
    where
        'a: 'b,
    {
        let whole = Text { text: defaults, origin: Origin::Whole, offset: 0 };
        let (Some(Kind::Table(defaults)), Kind::Table(own)) = (parse::document(whole), &self.kind) else {
            return self.clone();
        };
        let missing = defaults.into_iter().filter(|entry| self.get(&entry.key).is_none());
        let nowhere = missing.map(|entry| Entry {
            key: entry.key,
            key_spot: Spot::WHOLE,
            value: Value { spot: Spot::WHOLE, kind: entry.value.kind },
        });
        Value { spot: self.spot, kind: Kind::Table(own.iter().cloned().chain(nowhere).collect()) }
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

/// A document that has been parsed, to be read as it is or with overrides, as often as one likes.
#[derive(Debug)]
pub struct Document<'a> {
    source: Source<'a>,
    language: &'static Language,
    /// What it says, or why it is not TOML.
    tree: Result<Value<'a>, Vec<Note>>,
}

impl<'a> Document<'a> {
    /// Parses a document. What is wrong with it is told by whoever reads it.
    #[must_use]
    pub fn parse(source: &Source<'a>, language: &'static Language) -> Document<'a> {
        let tree = parse(source.text, language).map(|kind| Value { spot: Spot::WHOLE, kind });
        Document { source: *source, language, tree }
    }

    /// Does it say anything of this key, at the top?
    #[must_use]
    pub fn says(&self, key: &str) -> bool {
        self.tree.as_ref().is_ok_and(|root| root.get(key).is_some())
    }

    /// Applies the overrides, hands the root to `read`, and gathers all mistakes and remarks.
    ///
    /// # Errors
    /// If anything was noted; what `read` returned is dropped then.
    pub fn read<T>(
        &self,
        overrides: &[Override],
        read: impl FnOnce(&mut Table<'_>) -> T,
    ) -> Result<(T, Vec<Mistake>), Mistakes> {
        let log = Log::new(self.language);
        let root = self.with(overrides, &log);
        let result = root.as_deref().map(|root| read(&mut Table::new(root, "", &log)));
        log.finish(result, root.as_deref(), &self.source, overrides)
    }

    /// What it says with the overrides; mistakes are noted. Nothing if it is not TOML.
    fn with<'t>(&'t self, sets: &'t [Override], log: &Log) -> Option<Cow<'t, Value<'t>>> {
        match &self.tree {
            Ok(root) if sets.is_empty() => Some(Cow::Borrowed(root)),
            Ok(root) => {
                let mut root: Value<'t> = root.clone();
                overrides::apply(sets, &mut root, log);
                Some(Cow::Owned(root))
            }
            Err(notes) => {
                notes.iter().for_each(|note| log.add(note.clone()));
                None
            }
        }
    }
}

fn parse<'a>(text: &'a str, language: &Language) -> Result<Kind<'a>, Vec<Note>> {
    if text.len() > LONGEST {
        let sentence = format!("the file is longer than {LONGEST} bytes, the most that a {} can have", language.what);
        return Err(vec![Note::new(Spot::WHOLE, sentence)]);
    }
    let whole = Text { text, origin: Origin::File, offset: 0 };
    match parse::document(whole) {
        Some(table) => Ok(table),
        None => judged(whole),
    }
}

/// What `toml` says of a text: its tree or its errors.
fn judged(whole: Text<'_>) -> Result<Kind<'_>, Vec<Note>> {
    let text = whole.text;
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
fn copy<'a>(value: DeValue<'a>, text: Text<'a>) -> Kind<'a> {
    match value {
        DeValue::String(string) => Kind::Text(string),
        DeValue::Integer(digits) => integer(digits.as_str(), digits.radix()),
        DeValue::Float(digits) => float(Cow::Owned(digits.as_str().to_owned())),
        DeValue::Boolean(truth) => Kind::Boolean(truth),
        DeValue::Datetime(_) => Kind::Date,
        DeValue::Array(list) => Kind::List(list.into_iter().map(|value| spanned(value, text)).collect()),
        DeValue::Table(table) => Kind::Table(
            table
                .into_iter()
                .map(|(key, value)| Entry {
                    key_spot: text.spot(key.span()),
                    key: key.into_inner(),
                    value: spanned(value, text),
                })
                .collect(),
        ),
    }
}

fn integer(digits: &str, radix: u32) -> Kind<'static> {
    let end = if digits.starts_with('-') { i128::MIN } else { i128::MAX };
    Kind::Integer(i128::from_str_radix(digits, radix).unwrap_or(end))
}

fn float(digits: Cow<'_, str>) -> Kind<'_> {
    Kind::Float(digits.parse().unwrap_or(f64::NAN), digits)
}

fn spanned<'a>(value: Spanned<DeValue<'a>>, text: Text<'a>) -> Value<'a> {
    Value { spot: text.spot(value.span()), kind: copy(value.into_inner(), text) }
}
