//! What a reader brings along: words of the language of its documents, for hints and for overrides.

use super::{Synonym, Value};

/// What is known of the language of documents beside what is asked for when they are read.
#[derive(Debug)]
pub struct Language {
    /// What such a document is called.
    pub what: &'static str,
    /// What other tools call things, and what they are called here.
    pub synonyms: &'static [Synonym],
    /// What there is to say of a key that nobody asked for, in a table that messages call so, besides that.
    pub unknown: fn(table: &str, key: &str) -> Option<More>,
    /// The values that are to come under a key.
    pub planned: fn(key: &str) -> &'static [&'static str],
    /// How a value is written of what messages call so, if it has another name elsewhere and is no mere name here.
    pub written: fn(thing: &str, found: &str) -> Option<String>,
    /// Keys that are lists of tables wherever they stand.
    pub lists: &'static [&'static str],
    /// Keys of tables for which a text may stand, which is their `kind`.
    pub kinds: &'static [&'static str],
    /// Tables in which the names are the user's, for whose values a text may stand likewise.
    pub kinds_in: &'static [&'static str],
    /// A list and a name in it: what belongs to that may stand at the top, without the list.
    pub implied: (&'static str, &'static str),
    /// The path that is meant by this one, if that begins with what nothing begins with.
    pub meant: fn(path: &[&str], root: &Value<'_>) -> Option<String>,
}

impl Language {
    /// That of documents which have their keys and nothing else to say.
    #[must_use]
    pub const fn plain(what: &'static str) -> Language {
        Language {
            what,
            synonyms: &[],
            unknown: |_, _| None,
            planned: |_| &[],
            written: |_, _| None,
            lists: &[],
            kinds: &[],
            kinds_in: &[],
            implied: ("", ""),
            meant: |_, _| None,
        }
    }
}

/// More about an unknown key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum More {
    /// It is to come.
    NotYet,
    /// What would be right.
    Hint(String),
}
