//! One value while it is read: asked for by type, it gives what it is or notes why it is not.

use std::ops::RangeInclusive;

use super::{Kind, Log, Note, Spot, Table, Value, alternatives, quoted, there_is};
use crate::time::Span;

/// A value, the key it stands under, and where mistakes are noted.
#[derive(Clone, Copy, Debug)]
pub struct Item<'a> {
    value: &'a Value<'a>,
    key: &'a str,
    /// Is it an element of a list under the key?
    element: bool,
    log: &'a Log,
}

impl<'a> Item<'a> {
    pub(super) fn new(value: &'a Value<'a>, key: &'a str, log: &'a Log) -> Item<'a> {
        Item { value, key, element: false, log }
    }

    /// Where it stands.
    #[must_use]
    pub fn spot(&self) -> Spot {
        self.value.spot
    }

    /// Where mistakes are noted.
    #[must_use]
    pub fn log(&self) -> &'a Log {
        self.log
    }

    /// Notes a mistake here.
    pub fn wrong(&self, sentence: impl Into<String>, hint: impl Into<String>) {
        self.log.add(Note::new(self.spot(), sentence).hint(hint));
    }

    /// Notes here that a name does not exist; see [`Log::add_unknown`].
    pub fn unknown<'n>(
        &self,
        sentence: impl Into<String>,
        found: &str,
        names: impl IntoIterator<Item = &'n str>,
        otherwise: impl FnOnce() -> String,
    ) {
        self.log.add_unknown(Note::new(self.spot(), sentence), found, names, otherwise);
    }

    /// The value as it was written.
    #[must_use]
    pub fn kind(&self) -> &'a Kind<'a> {
        &self.value.kind
    }

    /// The value, with its place.
    #[must_use]
    pub fn value(&self) -> &'a Value<'a> {
        self.value
    }

    /// Is it a table?
    #[must_use]
    pub fn is_table(&self) -> bool {
        matches!(self.value.kind, Kind::Table(_))
    }

    /// Is it a list?
    #[must_use]
    pub fn is_list(&self) -> bool {
        matches!(self.value.kind, Kind::List(_))
    }

    /// Is it this text?
    #[must_use]
    pub fn is_text(&self, text: &str) -> bool {
        matches!(&self.value.kind, Kind::Text(found) if found == text)
    }

    /// How it is called in messages.
    #[must_use]
    pub fn name(&self) -> String {
        if self.element { format!("an element of `{}`", self.key) } else { format!("`{}`", self.key) }
    }

    /// Notes that the value is of another type; `example` shows how it is written.
    pub fn mismatch(&self, expected: &str, example: &str) {
        let sentence = format!("{} must be {expected}, not {}", self.name(), self.value.describe());
        let note = Note::new(self.spot(), sentence);
        self.log.add(if example.is_empty() { note } else { note.hint(format!("write {example}")) });
    }

    /// A text.
    #[must_use]
    pub fn text(&self) -> Option<&'a str> {
        match &self.value.kind {
            Kind::Text(text) => Some(text),
            kind => {
                let example = match kind {
                    Kind::Integer(number) => format!("\"{number}\""),
                    Kind::Float(_, digits) => format!("\"{digits}\""),
                    _ => "it in quotes".into(),
                };
                self.mismatch("a text", &example);
                None
            }
        }
    }

    /// A duration.
    #[must_use]
    pub fn span(&self) -> Option<Span> {
        match &self.value.kind {
            Kind::Text(text) => Span::parse(text).map_err(|sentence| self.split(&sentence)).ok(),
            Kind::Integer(number) if *number >= 0 => {
                self.mismatch("a duration", &format!("\"{number}ms\" or another unit: ns, us, ms, s, m or h"));
                None
            }
            _ => {
                self.mismatch("a duration", "a number and a unit in quotes, such as \"5ms\"");
                None
            }
        }
    }

    /// A duration that is not zero.
    #[must_use]
    pub fn positive_span(&self) -> Option<Span> {
        let span = self.span()?;
        if span.is_zero() {
            self.log.add(Note::new(self.spot(), format!("{} must be longer than zero", self.name())));
            return None;
        }
        Some(span)
    }

    /// What comes after a semicolon in a sentence about a duration says what would be right.
    fn split(&self, sentence: &str) {
        match sentence.split_once("; ") {
            Some((sentence, hint)) => self.wrong(sentence, hint),
            None => self.log.add(Note::new(self.spot(), sentence)),
        }
    }

    /// `true` or `false`.
    #[must_use]
    pub fn boolean(&self) -> Option<bool> {
        match self.value.kind {
            Kind::Boolean(truth) => Some(truth),
            _ => {
                self.mismatch("true or false", "true or false, without quotes");
                None
            }
        }
    }

    /// A whole number within the bounds.
    #[must_use]
    pub fn integer(&self, bounds: RangeInclusive<i64>) -> Option<i64> {
        let bounds = i128::from(*bounds.start())..=i128::from(*bounds.end());
        self.whole(bounds).and_then(|number| i64::try_from(number).ok())
    }

    /// A whole number within the bounds, which is not negative and not beyond 32 bits.
    #[must_use]
    pub fn count(&self, bounds: RangeInclusive<u32>) -> Option<u32> {
        let bounds = i128::from(*bounds.start())..=i128::from(*bounds.end());
        self.whole(bounds).and_then(|number| u32::try_from(number).ok())
    }

    /// A whole number within the bounds.
    #[must_use]
    pub fn whole(&self, bounds: RangeInclusive<i128>) -> Option<i128> {
        match self.value.kind {
            Kind::Integer(number) if bounds.contains(&number) => return Some(number),
            Kind::Integer(number) => {
                let (least, most) = (bounds.start(), bounds.end());
                let bound = if number < *least { format!("at least {least}") } else { format!("at most {most}") };
                self.log.add(Note::new(self.spot(), format!("{} must be {bound}, not {number}", self.name())));
            }
            Kind::Text(ref text) if text.trim().parse::<i64>().is_ok() => {
                self.mismatch("a whole number", &format!("{} without quotes", text.trim()));
            }
            _ => self.mismatch("a whole number", ""),
        }
        None
    }

    /// A seed: a whole number, or its digits in quotes, as outcomes have those that readers of JSON would round.
    #[must_use]
    pub fn seed(&self) -> Option<u64> {
        match &self.value.kind {
            Kind::Text(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) && digits.parse::<u64>().is_ok() => {
                digits.parse().ok()
            }
            _ => self.whole(0..=i128::from(u64::MAX)).and_then(|seed| u64::try_from(seed).ok()),
        }
    }

    /// A finite number, with or without a fraction.
    #[must_use]
    pub fn number(&self) -> Option<f64> {
        match &self.value.kind {
            #[expect(clippy::cast_precision_loss, reason = "a number that may have a fraction is not exact anyway")]
            Kind::Integer(number) => Some(*number as f64),
            Kind::Float(number, _) if number.is_finite() => Some(*number),
            Kind::Text(text) if text.trim().parse::<f64>().is_ok() => {
                self.mismatch("a number", &format!("{} without quotes", text.trim()));
                None
            }
            _ => {
                self.mismatch("a number", "");
                None
            }
        }
    }

    /// A number from 0 to 1; of another, `hint` says what could stand there.
    #[must_use]
    pub fn probability(&self, hint: &str) -> Option<f64> {
        let number = self.number()?;
        let is_one = (0.0..=1.0).contains(&number);
        if !is_one {
            self.wrong("a probability is from 0 to 1", hint);
        }
        is_one.then_some(number)
    }

    /// The elements of a list.
    #[must_use]
    pub fn list(&self) -> Option<Vec<Item<'a>>> {
        self.elements().map(Iterator::collect)
    }

    /// The elements of a list, one after the other.
    #[must_use]
    pub fn elements(&self) -> Option<impl ExactSizeIterator<Item = Item<'a>> + use<'a>> {
        let whole = *self;
        match &self.value.kind {
            Kind::List(values) => Some(values.iter().map(move |value| Item { value, element: true, ..whole })),
            kind => {
                let example = match kind {
                    Kind::Text(text) if text.chars().count() <= 40 => format!("[\"{text}\"]"),
                    Kind::Integer(number) => format!("[{number}]"),
                    _ => "it in square brackets".into(),
                };
                self.mismatch("a list", &example);
                None
            }
        }
    }

    /// The two elements of a list of two.
    #[must_use]
    pub fn pair(&self, expected: &str, example: &str) -> Option<[Item<'a>; 2]> {
        match self.kind() {
            Kind::List(_) => match <[Item<'a>; 2]>::try_from(self.list()?) {
                Ok(pair) => return Some(pair),
                Err(list) => self.wrong(
                    format!("{} must be {expected}, not a list of {}", self.name(), list.len()),
                    format!("write {example}"),
                ),
            },
            _ => self.mismatch(expected, example),
        }
        None
    }

    /// A table, which is called `what` in messages.
    #[must_use]
    pub fn table(&self, what: &'static str) -> Option<Table<'a>> {
        match &self.value.kind {
            Kind::Table(_) => return Some(Table::new(self.value, what, self.log)),
            Kind::List(values)
                if values.iter().all(|value| matches!(value.kind, Kind::Table(_))) && what.starts_with('[') =>
            {
                self.wrong(
                    format!("there can be only one {what}"),
                    format!("write {what}, with single brackets, once"),
                );
            }
            _ if what.starts_with('[') && !self.element => {
                self.mismatch("a table", &format!("{what}, and its keys on the lines below"));
            }
            _ => self.mismatch("a table", ""),
        }
        None
    }

    /// Which of `names` this text is.
    #[must_use]
    pub fn one_of(&self, names: &[&'static str]) -> Option<usize> {
        let found = self.text()?;
        let index = names.iter().position(|name| *name == found);
        if index.is_none() {
            let names = names.iter().copied();
            let there = || format!("it can be {}", alternatives(names.clone()));
            let planned = (self.log.language().planned)(self.key);
            if planned.contains(&found) {
                self.wrong(format!("{} = {} is not supported yet", self.name(), quoted(found)), there());
                return None;
            }
            let all = names.clone().chain(planned.iter().copied());
            let sentence = format!("{} cannot be {}", self.name(), quoted(found));
            if let Some(way) = (self.log.language().written)(&self.name(), found) {
                self.wrong(sentence, way);
                return None;
            }
            self.unknown(sentence, found, all, there);
        }
        index
    }

    /// Which entry of a shelf this text names.
    #[must_use]
    pub fn on_shelf<T>(
        &self,
        thing: &str,
        shelf: &'static [&'static T],
        name: fn(&T) -> &'static str,
    ) -> Option<&'static T> {
        let found = self.text()?;
        let names = || shelf.iter().map(|kind| name(kind));
        if let Some(kind) = shelf.iter().find(|kind| name(kind) == found) {
            return Some(kind);
        }
        let known = || there_is(names());
        let planned = (self.log.language().planned)(thing);
        if planned.contains(&found) {
            self.wrong(format!("the {thing} {} is not supported yet", quoted(found)), known());
        } else if let Some(way) = (self.log.language().written)(thing, found) {
            self.wrong(format!("unknown {thing} {}", quoted(found)), way);
        } else {
            let names = names().chain(planned.iter().copied());
            self.unknown(format!("unknown {thing} {}", quoted(found)), found, names, known);
        }
        None
    }
}
