//! Reading tables: each value is asked for by key and type; what is wrong is noted, and reading goes on.
//!
//! A [`Table`] remembers which keys it was asked for; when it is dropped, the others are reported as unknown. So a
//! reader is a list of questions, nothing can be ignored by accident, and the hint "did you mean" knows what exists.

use std::ops::RangeInclusive;

use super::{Entry, Item, Kind, Log, More, Note, Origin, Spot, Value, listing, quoted};
use crate::parameter::Parameter;
use crate::time::Span;

/// One table of the document while it is read.
///
/// Every method notes a mistake (with place and hint) when the value has the wrong type or is out of range, and
/// returns `None` as if it were absent. Keys nobody asked for are reported as unknown when the table is done.
#[derive(Debug)]
pub struct Table<'a> {
    entries: &'a [Entry<'a>],
    /// The [`sign`]s of all keys that are there.
    signs: u64,
    spot: Spot,
    /// What it is called in messages: `[machine]`. Empty for the top of the file.
    what: &'static str,
    /// As often as somebody asked.
    asked: Vec<&'static str>,
    log: &'a Log,
}

/// One of 64 bits, by the first letter of a key and its length: a key whose bit no other has is none of the others.
#[inline]
fn sign(key: &str) -> u64 {
    let letter = key.as_bytes().first().copied().unwrap_or_default();
    1 << ((usize::from(letter) + 5 * key.len()) & 63)
}

impl<'a> Table<'a> {
    /// Reads `value` as a table; one that is not has no keys.
    pub(crate) fn new(value: &'a Value<'a>, what: &'static str, log: &'a Log) -> Table<'a> {
        let entries = match &value.kind {
            Kind::Table(entries) => entries.as_slice(),
            _ => &[],
        };
        let signs = entries.iter().fold(0, |signs, entry| signs | sign(&entry.key));
        Table { entries, signs, spot: value.spot, what, asked: Vec::new(), log }
    }

    /// Gives it another name in messages, now that more is known about it.
    pub(crate) fn called(&mut self, what: &'static str) {
        self.what = what;
    }

    /// Where it stands.
    #[must_use]
    pub fn spot(&self) -> Spot {
        self.spot
    }

    /// Where mistakes are noted.
    #[must_use]
    pub fn log(&self) -> &'a Log {
        self.log
    }

    /// Which of `keys` are there, in the order of the document.
    pub fn present(&self, keys: &[&'static str]) -> Vec<&'static str> {
        let mut present: Vec<_> = self.entries.iter().map(|entry| (entry.key_spot, &*entry.key)).collect();
        present.sort_unstable();
        present.iter().filter_map(|(_, key)| keys.iter().find(|known| *known == key).copied()).collect()
    }

    /// Has anybody asked for `key`?
    #[must_use]
    pub fn has_asked(&self, key: &str) -> bool {
        self.asked.contains(&key)
    }

    /// Where the key itself stands, if it is there; this does not count as asking for it.
    #[must_use]
    pub fn key_spot(&self, key: &str) -> Option<Spot> {
        self.entry(key).map(|entry| entry.key_spot)
    }

    /// Where somebody gave `key`, if it is there: in the file at the key itself, on the command line at the value.
    #[must_use]
    pub fn given_at(&self, key: &str) -> Option<Spot> {
        self.entry(key).map(Entry::given_at)
    }

    /// Which of the keys are there, and where each was given.
    pub fn given_among<'k>(
        &self,
        keys: &'k [&'static str],
    ) -> impl Iterator<Item = (&'static str, Spot)> + use<'a, 'k> {
        let known = |entry: &&'a Entry<'a>| {
            let is_it = |key: &&&str| key.as_bytes().first() == entry.key.as_bytes().first() && **key == entry.key;
            Some((*keys.iter().find(is_it)?, entry.given_at()))
        };
        self.entries.iter().filter_map(move |entry| known(&entry))
    }

    #[inline]
    fn entry(&self, key: &str) -> Option<&'a Entry<'a>> {
        // Most keys that are asked for are not there, …
        if self.signs & sign(key) == 0 {
            return None;
        }
        // … and most of those that are differ in their first letter.
        let is_it = |found: &str| found.as_bytes().first() == key.as_bytes().first() && found == key;
        self.entries.iter().find(|entry| is_it(&entry.key))
    }

    /// The value under `key`, whatever it is.
    pub fn item(&mut self, key: &'static str) -> Option<Item<'a>> {
        self.tolerate(key);
        let entry = self.entry(key)?;
        Some(Item::new(&entry.value, key, self.log))
    }

    /// The value under `key`, which must be there; if it is not, a mistake is noted that says what `purpose` it has.
    pub fn required(&mut self, key: &'static str, purpose: &str) -> Option<Item<'a>> {
        let item = self.item(key);
        if item.is_none() {
            self.log.add(self.absence(key, purpose));
        }
        item
    }

    /// All keys with their values, when the keys are names that the user has chosen.
    pub fn all(&mut self) -> impl Iterator<Item = (&'a str, Spot, Item<'a>)> + use<'a> {
        let log = self.log;
        let entries = std::mem::take(&mut self.entries);
        entries.iter().map(move |entry| (&*entry.key, entry.key_spot, Item::new(&entry.value, &entry.key, log)))
    }

    /// The text under `key`.
    pub fn text(&mut self, key: &'static str) -> Option<&'a str> {
        self.item(key)?.text()
    }

    /// The duration under `key`.
    pub fn span(&mut self, key: &'static str) -> Option<Span> {
        self.item(key)?.span()
    }

    /// The duration under `key`, which must be there and not zero; if it is not, a mistake is noted that says what
    /// `purpose` it has, and some valid span is returned.
    pub fn required_span(&mut self, key: &'static str, purpose: &str) -> Span {
        let valid = Span::from_ms(1);
        let Some(item) = self.item(key) else {
            let example = format!("add {key} = \"10ms\"");
            let at_the_top = self.what.strip_prefix('[').and_then(|what| what.strip_suffix(']'));
            let hint = match at_the_top.filter(|what| !what.starts_with('[')) {
                Some(table) => format!("{example}, or give --set {table}.{key}=10ms"),
                None => example,
            };
            self.log.add(self.absence(key, purpose).hint(hint));
            return valid;
        };
        item.positive_span().unwrap_or(valid)
    }

    /// The duration under `key`, which must not be zero.
    pub fn positive_span(&mut self, key: &'static str) -> Option<Span> {
        self.item(key)?.positive_span()
    }

    /// The boolean under `key`.
    pub fn boolean(&mut self, key: &'static str) -> Option<bool> {
        self.item(key)?.boolean()
    }

    /// Which of `names` the text under `key` is.
    pub fn one_of(&mut self, key: &'static str, names: &[&'static str]) -> Option<usize> {
        self.item(key)?.one_of(names)
    }

    /// A whole number under `key`, within the bounds.
    pub fn integer(&mut self, key: &'static str, bounds: RangeInclusive<i64>) -> Option<i64> {
        self.item(key)?.integer(bounds)
    }

    /// The elements of the list under `key`.
    pub fn list(&mut self, key: &'static str) -> Option<Vec<Item<'a>>> {
        self.item(key)?.list()
    }

    /// The table under `key`, which is called `what` in messages.
    pub fn table(&mut self, key: &'static str, what: &'static str) -> Option<Table<'a>> {
        self.item(key)?.table(what)
    }

    /// The tables of the list under `key`, each called `what` in messages, such as `[[device]]`; none if absent.
    pub fn tables(&mut self, key: &'static str, what: &'static str) -> Vec<Table<'a>> {
        let Some(item) = self.item(key) else { return Vec::new() };
        if item.is_table() {
            let note = Note::new(item.spot(), format!("`{key}` must be a list of tables, not one table"));
            self.log.add(note.hint(format!("write {what}, with two brackets, once for each")));
            return Vec::new();
        }
        if !item.is_list() {
            item.mismatch("a list of tables", &format!("{what}, and its keys on the lines below"));
            return Vec::new();
        }
        let Some(elements) = item.elements() else { return Vec::new() };
        let mut tables = Vec::with_capacity(elements.len());
        tables.extend(elements.filter_map(|element| element.table(what)));
        tables
    }

    /// Lets `key` be there without reading it.
    pub fn tolerate(&mut self, key: &'static str) {
        if self.asked.capacity() == 0 {
            self.asked = self.log.spare();
        }
        self.asked.push(key);
    }

    /// Lets everything be there that was not asked for.
    pub fn tolerate_all(&mut self) {
        self.entries = &[];
    }

    /// Remarks on parameters that mean nothing to what was chosen at `choice`, or by default: they are among those of
    /// `others`, not among its own.
    ///
    /// A file may keep them, so that the choice alone can be varied: nothing is said of them if an override has chosen.
    pub fn remark_useless(
        &self,
        choice: Option<Item<'_>>,
        (name, own): (&str, &[Parameter]),
        others: &[(&'static str, &'static [Parameter])],
    ) {
        let chosen = choice.map_or(Origin::File, |choice| choice.spot().origin);
        let is_in = |key: &str, parameters: &[Parameter]| parameters.iter().any(|parameter| parameter.name == key);
        for entry in self.entries.iter().filter(|entry| !is_in(&entry.key, own)) {
            let key = &*entry.key;
            let takers: Vec<&str> =
                others.iter().filter(|(_, parameters)| is_in(key, parameters)).map(|(taker, _)| *taker).collect();
            let spot = entry.given_at();
            let in_file = spot.origin == Origin::File;
            if !takers.is_empty() && (chosen == Origin::File || !in_file) {
                let note = Note::new(spot, format!("`{key}` means nothing to `{name}`"));
                let note = note.hint(format!("it is for {}", listing(takers)));
                self.log.remark(if in_file { note.tolerated() } else { note });
            }
        }
    }

    fn absence(&self, key: &str, purpose: &str) -> Note {
        let place = if self.what.is_empty() { String::new() } else { format!(" in {}", self.what) };
        Note::new(self.spot, format!("`{key}` is missing{place}: {purpose}"))
    }

    fn unknown(&self, entry: &Entry<'_>) {
        let place = if self.what.is_empty() { String::new() } else { format!(" in {}", self.what) };
        let note = Note::new(entry.key_spot, format!("unknown key {}{place}", quoted(&entry.key)));
        let key = &*entry.key;
        match (self.log.language().unknown)(self.what, key) {
            Some(More::NotYet) => self.log.add(Note::new(entry.key_spot, format!("`{key}` is not supported yet"))),
            Some(More::Hint(hint)) => self.log.add(note.hint(hint)),
            None => {
                let again = |index: usize, key: &&str| self.asked[..index].contains(key);
                let asked =
                    (self.asked.iter().enumerate()).filter(|(index, key)| !again(*index, key)).map(|(_, key)| *key);
                self.log.add_unknown(note, key, asked.clone(), || format!("the keys here are {}", listing(asked)));
            }
        }
    }
}

impl Drop for Table<'_> {
    fn drop(&mut self) {
        for entry in self.entries {
            if !self.asked.contains(&&*entry.key) {
                self.unknown(entry);
            }
        }
        self.log.take_back(std::mem::take(&mut self.asked));
    }
}
