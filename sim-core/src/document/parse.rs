//! The parser of what is right: one pass over the bytes, no tokens, and the tree borrows from the text.
//!
//! It is strict. What it is not sure of, be it wrong or only rare, it leaves to the crate `toml`, which is slower: that one
//! makes the same tree of it, or else says what is wrong. So this one has no errors to tell, and may never take what
//! `toml` refuses or reads otherwise; a test holds it to that.

use std::borrow::Cow;

use toml_parser::decoder::{Encoding, ScalarKind};
use toml_parser::{ParseError, Raw, Span};

use super::syntax::Text;
use super::{Entry, Kind, Spot, Value, float, integer};

/// Brackets within brackets. Far below what is refused, with room for dots, which count too.
const DEEPEST: usize = 32;
/// Keys of a header.
const PARTS: usize = 8;
/// Entries of a table to which headers still add: each moves those behind it.
const WIDEST: usize = 512;
/// So many digits fit 64 bits, whatever they are.
const DIGITS: usize = 18;

/// Classes of bytes: of keys without quotes; of numbers, dates and booleans; within lines, between values; what a line can
/// show, as comments do; and that without quotes and escapes, as texts do.
const KEY: u8 = 1;
const WORD: u8 = 2;
const SPACE: u8 = 4;
const BLANK: u8 = 8;
const SHOWN: u8 = 16;
const PLAIN: u8 = 32;

/// The classes of each byte.
const CLASSES: [u8; 256] = {
    let mut classes = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        #[expect(clippy::cast_possible_truncation, reason = "it is below 256")]
        let letter = byte as u8;
        classes[byte] = match letter {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' => KEY | WORD | SHOWN | PLAIN,
            b'+' | b'.' | b':' => WORD | SHOWN | PLAIN,
            b' ' | b'\t' => SPACE | BLANK | SHOWN | PLAIN,
            b'\n' => BLANK,
            b'"' | b'\'' | b'\\' => SHOWN,
            0..=0x1f | 0x7f => 0,
            _ => SHOWN | PLAIN,
        };
        byte += 1;
    }
    classes
};

/// The document, if all of it is plainly right.
pub(super) fn document(text: Text<'_>) -> Option<Kind<'_>> {
    Parser::new(text).document().map(Kind::Table)
}

struct Parser<'a> {
    text: Text<'a>,
    bytes: &'a [u8],
    /// The next byte.
    at: usize,
    /// Brackets that are open.
    depth: usize,
    /// What is read of open tables and lists, the innermost last: they are made when it is known how long they are.
    entries: Vec<Entry<'a>>,
    values: Vec<Value<'a>>,
}

/// A key and where it stands.
type Key<'a> = (Cow<'a, str>, Spot);

/// Of all of these, `None` is that this parser gives up.
impl<'a> Parser<'a> {
    fn new(text: Text<'a>) -> Parser<'a> {
        Parser { text, bytes: text.text.as_bytes(), at: 0, depth: 0, entries: Vec::new(), values: Vec::new() }
    }

    fn document(mut self) -> Option<Vec<Entry<'a>>> {
        let mut root = self.section()?;
        let mut path = Vec::new();
        while self.peek().is_some() {
            let start = self.at;
            self.take(b'[')?;
            let is_element = self.take(b'[').is_some();
            path.clear();
            self.path(&mut path)?;
            self.take(b']')?;
            if is_element {
                self.take(b']')?;
            }
            let spot = self.spot(start);
            self.end_of_line()?;
            let table = Value { spot, kind: Kind::Table(self.section()?) };
            self.place(&mut root, &mut path, table, is_element)?;
        }
        Some(root)
    }

    /// The keys of a header.
    fn path(&mut self, path: &mut Vec<Key<'a>>) -> Option<()> {
        loop {
            self.spaces();
            path.push(self.key()?);
            self.spaces();
            if self.take(b'.').is_none() {
                return Some(());
            }
            if path.len() == PARTS {
                return None;
            }
        }
    }

    /// Keys and values up to the next header or the end.
    fn section(&mut self) -> Option<Vec<Entry<'a>>> {
        loop {
            self.blank()?;
            if matches!(self.peek(), None | Some(b'[')) {
                return self.table_since(0);
            }
            let entry = self.entry()?;
            self.entries.push(entry);
            self.end_of_line()?;
        }
    }

    /// Puts the table of a header where its path leads.
    fn place(
        &self,
        root: &mut Vec<Entry<'a>>,
        path: &mut Vec<Key<'a>>,
        table: Value<'a>,
        is_element: bool,
    ) -> Option<()> {
        let (key, key_spot) = path.pop()?;
        let mut parent = root;
        for (key, _) in &*path {
            let found = find(parent, key).ok()?;
            parent = self.open(&mut parent[found].value)?;
        }
        match (find(parent, &key), is_element) {
            (Err(_), _) if parent.len() >= WIDEST => return None,
            (Ok(found), true) => {
                self.open(&mut parent[found].value)?;
                let Kind::List(elements) = &mut parent[found].value.kind else { return None };
                elements.push(table);
            }
            (Err(place), true) => {
                let value = Value { spot: table.spot, kind: Kind::List(vec![table]) };
                parent.insert(place, Entry { key, key_spot, value });
            }
            (Err(place), false) => parent.insert(place, Entry { key, key_spot, value: table }),
            (Ok(_), false) => return None,
        }
        Some(())
    }

    /// What headers can still add to: a table that has a header itself, or the last one of a list of such.
    fn open<'t>(&self, value: &'t mut Value<'a>) -> Option<&'t mut Vec<Entry<'a>>> {
        let table = match value {
            Value { kind: Kind::List(elements), .. } => elements.last_mut()?,
            table => table,
        };
        match &mut table.kind {
            Kind::Table(entries) if self.bytes.get(table.spot.start as usize) == Some(&b'[') => Some(entries),
            _ => None,
        }
    }

    fn entry(&mut self) -> Option<Entry<'a>> {
        let (key, key_spot) = self.key()?;
        self.spaces();
        self.take(b'=')?;
        self.spaces();
        Some(Entry { key, key_spot, value: self.value()? })
    }

    fn key(&mut self) -> Option<Key<'a>> {
        let start = self.at;
        if matches!(self.peek()?, b'"' | b'\'') {
            let key = self.string()?;
            return Some((key, self.spot(start)));
        }
        self.skip(KEY);
        let key = self.since(start)?;
        (!key.is_empty()).then(|| (Cow::Borrowed(key), self.spot(start)))
    }

    fn value(&mut self) -> Option<Value<'a>> {
        let start = self.at;
        let kind = match self.peek()? {
            b'"' | b'\'' => Kind::Text(self.string()?),
            b'[' => self.within(Parser::list)?,
            b'{' => self.within(Parser::table)?,
            _ => self.scalar()?,
        };
        Some(Value { spot: self.spot(start), kind })
    }

    /// What is in brackets, from the opening one to the closing one.
    fn within(&mut self, inside: fn(&mut Parser<'a>) -> Option<Kind<'a>>) -> Option<Kind<'a>> {
        self.at += 1;
        self.depth += 1;
        let kind = if self.depth <= DEEPEST { inside(self)? } else { return None };
        self.depth -= 1;
        Some(kind)
    }

    fn list(&mut self) -> Option<Kind<'a>> {
        let first = self.values.len();
        loop {
            self.blank()?;
            if self.take(b']').is_some() {
                break;
            }
            let value = self.value()?;
            self.values.push(value);
            self.blank()?;
            if self.take(b',').is_none() {
                self.take(b']')?;
                break;
            }
        }
        Some(Kind::List(self.values.drain(first..).collect()))
    }

    fn table(&mut self) -> Option<Kind<'a>> {
        let first = self.entries.len();
        loop {
            self.blank()?;
            if self.take(b'}').is_some() {
                break;
            }
            let entry = self.entry()?;
            self.entries.push(entry);
            self.blank()?;
            if self.take(b',').is_none() {
                self.take(b'}')?;
                break;
            }
        }
        self.table_since(first).map(Kind::Table)
    }

    /// The entries read since then, in the order of their keys, which must differ.
    fn table_since(&mut self, first: usize) -> Option<Vec<Entry<'a>>> {
        let mut entries: Vec<Entry<'a>> = self.entries.drain(first..).collect();
        entries.sort_unstable_by(|a, b| a.key.cmp(&b.key));
        entries.windows(2).all(|pair| pair[0].key != pair[1].key).then_some(entries)
    }

    /// A text of one line in quotes.
    fn string(&mut self) -> Option<Cow<'a, str>> {
        let (start, quote) = (self.at, self.peek()?);
        self.at += 1;
        let mut escaped = false;
        loop {
            self.skip(PLAIN);
            match self.peek()? {
                b'\\' if quote == b'\'' => self.at += 1,
                other @ (b'"' | b'\'') if other != quote => self.at += 1,
                b'\\' => {
                    escaped = true;
                    // Whatever is escaped, even a quote; that of a letter of several bytes is wrong anyway.
                    self.at += 2;
                }
                byte if byte == quote => break,
                _ => return None,
            }
        }
        self.at += 1;
        if self.at == start + 2 && self.peek() == Some(quote) {
            // Three quotes begin a text of several lines.
            return None;
        }
        if escaped {
            return match self.decoded(start, Some(Encoding::BasicString))? {
                (ScalarKind::String, text) => Some(text),
                _ => None,
            };
        }
        self.text.text.get(start + 1..self.at - 1).map(Cow::Borrowed)
    }

    /// A number or a boolean.
    fn scalar(&mut self) -> Option<Kind<'a>> {
        let start = self.at;
        self.skip(WORD);
        let word = self.since(start)?;
        let plain = word.len() <= DIGITS && !(word.starts_with('0') && word.len() > 1);
        if plain && !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit()) {
            return Some(Kind::Integer(
                word.bytes().fold(0, |sum: u64, digit| 10 * sum + u64::from(digit - b'0')).into(),
            ));
        }
        match self.decoded(start, None)? {
            (ScalarKind::Boolean(truth), _) => Some(Kind::Boolean(truth)),
            (ScalarKind::Integer(radix), digits) => Some(integer(&digits, radix.value())),
            (ScalarKind::Float, digits) => Some(float(digits)),
            (ScalarKind::DateTime | ScalarKind::String, _) => None,
        }
    }

    /// What `toml` makes of the scalar since then, if it finds nothing wrong with it.
    fn decoded(&self, start: usize, encoding: Option<Encoding>) -> Option<(ScalarKind, Cow<'a, str>)> {
        let mut text = Cow::Borrowed("");
        let mut error: Option<ParseError> = None;
        let raw = Raw::new_unchecked(self.since(start)?, encoding, Span::new_unchecked(start, self.at));
        let kind = raw.decode_scalar(&mut text, &mut error);
        error.is_none().then_some((kind, text))
    }

    /// Spaces, ends of lines and comments.
    fn blank(&mut self) -> Option<()> {
        loop {
            self.skip(BLANK);
            match self.peek() {
                Some(b'\r') if self.bytes.get(self.at + 1) == Some(&b'\n') => self.at += 2,
                Some(b'#') => self.comment()?,
                _ => return Some(()),
            }
        }
    }

    /// What may stand behind a value or a header.
    fn end_of_line(&mut self) -> Option<()> {
        self.spaces();
        if self.peek() == Some(b'#') {
            self.comment()?;
        }
        matches!(self.peek(), None | Some(b'\n' | b'\r')).then_some(())
    }

    fn comment(&mut self) -> Option<()> {
        self.skip(SHOWN);
        matches!(self.peek(), None | Some(b'\n' | b'\r')).then_some(())
    }

    fn spaces(&mut self) {
        self.skip(SPACE);
    }

    /// Goes on as long as bytes are of this class.
    #[inline]
    fn skip(&mut self, class: u8) {
        while self.peek().is_some_and(|byte| CLASSES[usize::from(byte)] & class != 0) {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    /// Goes on if this is the next byte.
    fn take(&mut self, byte: u8) -> Option<()> {
        (self.peek() == Some(byte)).then(|| self.at += 1)
    }

    fn since(&self, start: usize) -> Option<&'a str> {
        self.text.text.get(start..self.at)
    }

    fn spot(&self, start: usize) -> Spot {
        self.text.spot(start..self.at)
    }
}

/// Where a key is in a table, or else where it belongs.
fn find(entries: &[Entry<'_>], key: &str) -> Result<usize, usize> {
    entries.binary_search_by(|entry| entry.key.as_ref().cmp(key))
}

#[cfg(test)]
mod tests;
