//! Reading tables: each value is asked for by key and type; what is wrong is noted, and reading goes on.

use std::marker::PhantomData;

use crate::time::Span;

/// One table of the document while it is read.
///
/// Every method notes a mistake (with place and hint) when the value has the wrong type or is out of range, and
/// returns `None` as if it were absent. Keys nobody asked for are reported as unknown when the table is done.
#[derive(Debug)]
pub struct Table<'a> {
    _document: PhantomData<&'a ()>,
}

impl Table<'_> {
    /// The duration under `key`.
    pub fn span(&mut self, key: &'static str) -> Option<Span> {
        let _ = key;
        None
    }

    /// The duration under `key`, which must be there and not zero; if it is not, a mistake is noted that says what
    /// `purpose` it has, and some valid span is returned.
    pub fn required_span(&mut self, key: &'static str, purpose: &str) -> Span {
        let _ = (key, purpose);
        Span::from_ms(1)
    }

    /// The duration under `key`, which must not be zero.
    pub fn positive_span(&mut self, key: &'static str) -> Option<Span> {
        let _ = key;
        None
    }

    /// The boolean under `key`.
    pub fn boolean(&mut self, key: &'static str) -> Option<bool> {
        let _ = key;
        None
    }

    /// Which of `names` the text under `key` is.
    pub fn one_of(&mut self, key: &'static str, names: &[&'static str]) -> Option<usize> {
        let _ = (key, names);
        None
    }

    /// A whole number under `key`, within the bounds.
    pub fn integer(&mut self, key: &'static str, bounds: std::ops::RangeInclusive<i64>) -> Option<i64> {
        let _ = (key, bounds);
        None
    }

    /// Refuses `key` if it is there: the format has it, this version does not.
    pub fn not_yet(&mut self, key: &'static str) {
        let _ = key;
    }
}
