//! JSON with the keys of every object in the order of the alphabet, as the documents of several runs have them. It is written
//! straight from what is serialised, without a tree: each object is put in order when its end is written.

use std::cell::RefCell;
use std::io::{self, Write};
use std::ops::Range;

use serde::Serialize;
use serde_json::ser::{CharEscape, CompactFormatter, Formatter};

/// The value as JSON, on one line.
#[must_use]
pub fn json(value: &impl Serialize) -> String {
    let bytes = RefCell::default();
    let order = Order {
        bytes: &bytes,
        open: Vec::new(),
        before: Vec::new(),
        in_key: false,
        escaped: false,
        orders: Vec::new(),
        scratch: Vec::new(),
    };
    let written = value.serialize(&mut serde_json::Serializer::with_formatter(Shared(&bytes), order));
    debug_assert!(written.is_ok(), "writing to memory does not fail");
    String::from_utf8(bytes.into_inner()).unwrap_or_default()
}

/// The same JSON on many lines, for people.
#[must_use]
pub fn indented(json: &str) -> String {
    let mut text = String::with_capacity(2 * json.len());
    let mut depth = 0;
    let mut signs = json.chars().peekable();
    while let Some(sign) = signs.next() {
        if let '}' | ']' = sign {
            depth -= 1;
            end_line(&mut text, depth);
        }
        text.push(sign);
        match sign {
            '"' => finish_text(&mut signs, &mut text),
            '{' | '[' => match signs.next_if(|next| matches!(next, '}' | ']')) {
                Some(end) => text.push(end),
                None => {
                    depth += 1;
                    end_line(&mut text, depth);
                }
            },
            ',' => end_line(&mut text, depth),
            ':' => text.push(' '),
            _ => {}
        }
    }
    text
}

fn end_line(text: &mut String, depth: usize) {
    text.push('\n');
    text.extend(std::iter::repeat_n("  ", depth));
}

/// Copies a text up to its closing quote.
fn finish_text(signs: &mut impl Iterator<Item = char>, text: &mut String) {
    let mut escaped = false;
    for sign in signs {
        text.push(sign);
        if sign == '"' && !escaped {
            return;
        }
        escaped = sign == '\\' && !escaped;
    }
}

/// Writes to bytes that the formatter sees too.
struct Shared<'b>(&'b RefCell<Vec<u8>>);

impl Write for Shared<'_> {
    #[inline]
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    #[inline]
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.write(bytes).map(drop)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Puts objects in order.
struct Order<'b> {
    bytes: &'b RefCell<Vec<u8>>,
    /// Of the objects that are open, the innermost last: where each entry begins, and where its key ends.
    open: Vec<Range<usize>>,
    /// How many of these belong to the objects around, for each object that is open.
    before: Vec<usize>,
    /// Is a key being written?
    in_key: bool,
    /// Has a key been written otherwise than it is?
    escaped: bool,
    /// The last order of an object of so many entries: mostly that of the next one too.
    orders: Vec<Vec<usize>>,
    scratch: Vec<u8>,
}

impl Formatter for Order<'_> {
    fn begin_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.before.push(self.open.len());
        writer.write_all(b"{")
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        if !first {
            writer.write_all(b",")?;
        }
        let at = self.bytes.borrow().len();
        self.open.push(at..at);
        self.in_key = true;
        Ok(())
    }

    fn write_char_escape<W: ?Sized + Write>(&mut self, writer: &mut W, escape: CharEscape) -> io::Result<()> {
        self.escaped |= self.in_key;
        CompactFormatter.write_char_escape(writer, escape)
    }

    fn end_object_key<W: ?Sized + Write>(&mut self, _: &mut W) -> io::Result<()> {
        if let Some(key) = self.open.last_mut() {
            key.end = self.bytes.borrow().len();
        }
        self.in_key = false;
        Ok(())
    }

    fn end_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        let first = self.before.pop().unwrap_or_default();
        self.sort(first);
        self.open.truncate(first);
        writer.write_all(b"}")
    }
}

impl Order<'_> {
    /// Sorts the entries that are open from this one on, with commas between them, by their keys.
    fn sort(&mut self, first: usize) {
        let keys = &self.open[first..];
        let bytes = &mut *self.bytes.borrow_mut();
        if self.orders.len() <= keys.len() {
            self.orders.resize_with(keys.len() + 1, Vec::new);
        }
        let order = &mut self.orders[keys.len()];
        if order.is_empty() {
            order.extend(0..keys.len());
        }
        let quoted = |index: &usize| &bytes[keys[*index].clone()];
        let compare = |a: &usize, b: &usize| match self.escaped {
            // Quotes do not count: what is longer comes later.
            false => unquoted(quoted(a)).cmp(unquoted(quoted(b))),
            true => decoded(quoted(a)).cmp(&decoded(quoted(b))),
        };
        if !order.is_sorted_by(|a, b| compare(a, b).is_le()) {
            order.sort_by(compare);
        }
        if order.is_sorted() {
            return;
        }
        self.scratch.clear();
        for index in &*order {
            let end = keys.get(index + 1).map_or(bytes.len(), |next| next.start - 1);
            self.scratch.extend_from_slice(&bytes[keys[*index].start..end]);
            self.scratch.push(b',');
        }
        self.scratch.pop();
        bytes[keys[0].start..].copy_from_slice(&self.scratch);
    }
}

/// A key of which nothing is escaped.
fn unquoted(written: &[u8]) -> &[u8] {
    written.get(1..written.len().saturating_sub(1)).unwrap_or_default()
}

/// Any key.
fn decoded(written: &[u8]) -> String {
    serde_json::from_slice(written).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn a_tree_of_values_has_the_same_bytes() {
        #[derive(Serialize)]
        struct Inner {
            z: f64,
            y: Option<u64>,
            x: &'static str,
        }
        #[derive(Serialize)]
        struct Outer {
            #[serde(rename = "b\"c")]
            quoted: i64,
            #[serde(rename = "b!")]
            sooner: Vec<Inner>,
            a: Value,
            #[serde(rename = "b")]
            first: (),
            empty: [u8; 0],
            ab: bool,
        }
        let inner = |z| Inner { z, y: None, x: "a,\"b\":{}\u{1}ü" };
        let a = json!({ "q": { "p": [{ "o": 1, "n": {} }] } });
        let outer = Outer {
            quoted: -1,
            sooner: vec![inner(1.0), inner(f64::NAN), inner(0.1 + 0.2), inner(5e-324), inner(123_456.789_012_345_67)],
            a,
            first: (),
            empty: [],
            ab: true,
        };
        assert_eq!(json(&outer), serde_json::to_value(&outer).unwrap().to_string());
        assert_eq!(indented(&json(&outer)), format!("{:#}", serde_json::to_value(&outer).unwrap()));
        assert_eq!(json(&[1, 2]), "[1,2]");
        let mixed = json!([{ "a": 1, "b": 2 }, { "c": 1, "b": 2 }, { "b": 2, "a": 1 }]);
        assert_eq!(json(&mixed), mixed.to_string());
    }
}
