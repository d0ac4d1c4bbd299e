//! JSON as foreign tools write it: keys keep their order, and may come twice; comments and commas before closing brackets are
//! skipped, as the library of `rt-app` does.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

use crate::Refusal;
use crate::times::shortened;

/// A value.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Json {
    Null,
    Bool(bool),
    Number(f64),
    Text(String),
    List(Vec<Json>),
    /// Keys in the order of the file.
    Object(Vec<(String, Json)>),
}

impl Json {
    pub(crate) fn read(text: &str) -> Result<Json, Refusal> {
        let text = strict(text);
        serde_json::from_str(&text).map_err(|error| {
            let said = error.to_string();
            let what = said.rsplit_once(" at line ").map_or(said.as_str(), |(what, _)| what);
            Refusal::at(error.line() as u64, format!("it is no JSON: {}", shortened(what)))
        })
    }

    /// The last value of this key.
    pub(crate) fn get(&self, key: &str) -> Option<&Json> {
        self.entries().iter().rev().find(|(name, _)| name == key).map(|(_, value)| value)
    }

    /// The keys and values of an object, or none.
    pub(crate) fn entries(&self) -> &[(String, Json)] {
        if let Json::Object(entries) = self { entries } else { &[] }
    }

    pub(crate) fn text(&self) -> Option<&str> {
        if let Json::Text(text) = self { Some(text) } else { None }
    }

    pub(crate) fn number(&self) -> Option<f64> {
        if let Json::Number(number) = self { Some(*number) } else { None }
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Json, D::Error> {
        deserializer.deserialize_any(Values)
    }
}

struct Values;

#[expect(clippy::cast_precision_loss, reason = "JSON has no integers of its own")]
impl<'de> Visitor<'de> for Values {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Bool(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Json, E> {
        Ok(Json::Number(value as f64))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Json, E> {
        Ok(Json::Number(value as f64))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Json, E> {
        Ok(Json::Number(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Json, E> {
        Ok(Json::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Json, A::Error> {
        let mut list = Vec::new();
        while let Some(value) = seq.next_element()? {
            list.push(value);
        }
        Ok(Json::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Json, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(Json::Object(entries))
    }
}

/// The text with spaces for comments and for commas before closing brackets, so that lines stay where they are, and an empty text
/// for keys that have no value (`"suspend",`), as `workgen` has them.
fn strict(text: &str) -> Cow<'_, str> {
    let mut bytes = text.as_bytes().to_vec();
    let (mut at, mut comma) = (0, None);
    let (mut open, mut expects_key, mut bare) = (Vec::new(), false, Vec::new());
    while at < bytes.len() {
        match bytes[at] {
            b'"' => {
                at = end_of_text(&bytes, at);
                let next = bytes[at..].iter().find(|byte| !byte.is_ascii_whitespace());
                if std::mem::take(&mut expects_key) && matches!(next, Some(b',' | b'}')) {
                    bare.push(at);
                }
                comma = None;
                continue;
            }
            b'/' if matches!(bytes.get(at + 1), Some(b'*' | b'/')) => {
                let end = end_of_comment(&bytes, at);
                bytes[at..end].iter_mut().filter(|byte| **byte != b'\n').for_each(|byte| *byte = b' ');
                at = end;
                continue;
            }
            b',' => {
                comma = Some(at);
                expects_key = open.last() == Some(&b'{');
            }
            bracket @ (b'{' | b'[') => {
                open.push(bracket);
                (comma, expects_key) = (None, bracket == b'{');
            }
            b'}' | b']' => {
                open.pop();
                expects_key = false;
                if let Some(comma) = comma.take() {
                    bytes[comma] = b' ';
                }
            }
            byte if byte.is_ascii_whitespace() => {}
            _ => (comma, expects_key) = (None, false),
        }
        at += 1;
    }
    String::from_utf8(with_values(&bytes, &bare)).map_or(Cow::Borrowed(text), Cow::Owned)
}

/// The text with an empty text behind each of these places.
fn with_values(bytes: &[u8], bare: &[usize]) -> Vec<u8> {
    let mut complete = Vec::with_capacity(bytes.len() + 4 * bare.len());
    let mut from = 0;
    for at in bare {
        complete.extend_from_slice(&bytes[from..*at]);
        complete.extend_from_slice(b": \"\"");
        from = *at;
    }
    complete.extend_from_slice(&bytes[from..]);
    complete
}

/// Behind the quote that closes the text that begins here.
fn end_of_text(bytes: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while at < bytes.len() && bytes[at] != b'"' {
        at += if bytes[at] == b'\\' { 2 } else { 1 };
    }
    (at + 1).min(bytes.len())
}

fn end_of_comment(bytes: &[u8], start: usize) -> usize {
    let rest = &bytes[start + 2..];
    let length = match bytes[start + 1] {
        b'*' => rest.windows(2).position(|pair| pair == b"*/").map(|at| at + 2),
        _ => rest.iter().position(|byte| *byte == b'\n'),
    };
    start + 2 + length.unwrap_or(rest.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_keep_their_order_and_may_come_twice() {
        let json = Json::read("{ /* , */ \"run\": 1, // \"x\n \"lock\": \"a,]/*\", \"run\": 2, }").unwrap();
        let keys: Vec<&str> = json.entries().iter().map(|(key, _)| key.as_str()).collect();
        assert_eq!(keys, ["run", "lock", "run"]);
        assert_eq!(json.get("run").and_then(Json::number), Some(2.0));
        assert_eq!(json.get("lock").and_then(Json::text), Some("a,]/*"));
    }

    #[test]
    fn keys_may_have_no_value() {
        let json = Json::read("{ \"suspend\", \"a\": [\"b\", \"c\"], \"d\": \"e\", \"yield\" }").unwrap();
        assert_eq!(json.get("suspend").and_then(Json::text), Some(""));
        assert_eq!(json.get("d").and_then(Json::text), Some("e"));
        assert_eq!(json.get("yield").and_then(Json::text), Some(""));
        assert_eq!(json.entries().len(), 4);
    }

    #[test]
    fn damage_is_refused_with_its_line_and_deep_nesting_too() {
        assert_eq!(Json::read("{\n\"a\": 1\n\"b\": 2 }").unwrap_err().line, Some(3));
        for text in ["/*", "\"", "\"\\", "[".repeat(100_000).as_str(), "{\"a\": /"] {
            assert!(Json::read(text).is_err());
        }
    }
}
