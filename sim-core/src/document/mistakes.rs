//! Mistakes: what is wrong, where, and what would be right. Remarks: what is right, but hardly meant.
//!
//! While a document is read, mistakes are noted in a [`Log`] and reading goes on. At the end the log becomes
//! [`Mistakes`]: owned, in the order of the file, each with its place, the lines it is about, and a hint. `Display`
//! renders them for people; the parts are public for whoever wants to colour or count them.

mod excerpt;
mod names;

use std::cell::RefCell;
use std::fmt;

pub use names::{Synonym, did_you_mean};
pub(crate) use names::{add_one, all_alternatives, alternatives, likely_first, listing, quoted, there_is};

use super::{Language, Override, Source, Spot, Value};

/// As many mistakes are kept; further ones are only counted.
pub(crate) const KEPT: usize = 100;
/// As many are rendered.
const RENDERED: usize = 20;

/// Everything that is wrong with a document, in the order of the file.
#[derive(Clone, PartialEq, Debug)]
pub struct Mistakes {
    mistakes: Vec<Mistake>,
    more: usize,
}

impl Mistakes {
    /// The mistakes, in the order of the file, those in overrides last.
    pub fn iter(&self) -> std::slice::Iter<'_, Mistake> {
        self.mistakes.iter()
    }

    /// The same with lines of the document that fit into so many columns.
    #[must_use]
    pub fn narrowed(self, columns: usize) -> Mistakes {
        let narrowed = |mistake: Mistake| {
            let room = columns.saturating_sub(mistake.gutter() + " | ".len());
            Mistake {
                excerpts: mistake.excerpts.into_iter().map(|excerpt| excerpt.narrowed(room)).collect(),
                ..mistake
            }
        };
        Mistakes { mistakes: self.mistakes.into_iter().map(narrowed).collect(), ..self }
    }

    /// How many there are, including those too many to be kept.
    #[must_use]
    pub fn count(&self) -> usize {
        self.mistakes.len() + self.more
    }
}

impl<'a> IntoIterator for &'a Mistakes {
    type Item = &'a Mistake;
    type IntoIter = std::slice::Iter<'a, Mistake>;
    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl std::error::Error for Mistakes {}

impl fmt::Display for Mistakes {
    /// One after the other with an empty line between; after the first twenty, how many more there are.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, mistake) in self.iter().take(RENDERED).enumerate() {
            if index > 0 {
                writeln!(f)?;
            }
            write!(f, "{mistake}")?;
        }
        match self.count().saturating_sub(RENDERED) {
            0 => Ok(()),
            1 => write!(f, "\n… and one more mistake\n"),
            more => write!(f, "\n… and {more} more mistakes\n"),
        }
    }
}

/// One thing that is wrong, or, as a remark, one that is hardly meant.
#[derive(Clone, PartialEq, Debug)]
pub struct Mistake {
    /// Where.
    pub place: Place,
    /// The line and the column behind the last character of it, counted as in [`Place::Point`]; `None` elsewhere.
    pub end: Option<(usize, usize)>,
    /// The path of the key that it is about, as an override would write it; `None` of what is no TOML, and of the whole file.
    pub path: Option<String>,
    /// What is wrong, without a full stop.
    pub sentence: String,
    /// The lines it is about, the one of `place` first.
    pub excerpts: Vec<Excerpt>,
    /// What would be right, as far as that can be guessed.
    pub hint: Option<String>,
    /// A remark on what the file may well contain on purpose: worth saying only to who wants to know everything.
    pub tolerated: bool,
}

/// Where a mistake is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Place {
    /// In the file as a whole.
    Whole {
        /// The file's name.
        file: String,
    },
    /// At a point of the file.
    Point {
        /// The file's name.
        file: String,
        /// Counted from 1.
        line: usize,
        /// Counted from 1, in characters.
        column: usize,
    },
    /// In an override, which is given as it would be written on the command line.
    Override(String),
}

/// A line of the document with a mark under some of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Excerpt {
    /// The number of the line, counted from 1; `None` in an override.
    pub line: Option<usize>,
    /// The line, or what of it can be shown: tabs are spaces, control characters and far ends are cut off.
    pub text: String,
    /// Where the mark begins, in columns of a terminal.
    pub start: usize,
    /// How wide the mark is, at least 1.
    pub width: usize,
    /// What stands there; empty if the sentence says it.
    pub label: &'static str,
}

impl Mistake {
    /// How many columns the numbers of its lines take.
    fn gutter(&self) -> usize {
        self.excerpts.iter().map(|excerpt| excerpt.number().len()).max().unwrap_or(0).max(1)
    }
}

impl Excerpt {
    fn number(&self) -> String {
        self.line.map_or(String::new(), |line| line.to_string())
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Whole { file } => f.write_str(file),
            Place::Point { file, line, column } => write!(f, "{file}:{line}:{column}"),
            Place::Override(text) => f.write_str(text),
        }
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}: {}", self.place, self.sentence)?;
        let gutter = self.gutter();
        for (index, excerpt) in self.excerpts.iter().enumerate() {
            let mark = if index == 0 { "^" } else { "-" };
            let above = index.checked_sub(1).map(|above| &self.excerpts[above]);
            // Two marks under one line need the line only once.
            if above.is_none_or(|above| (above.line, &above.text) != (excerpt.line, &excerpt.text)) {
                writeln!(f, "{:gutter$} |", "")?;
                writeln!(f, "{:>gutter$} | {}", excerpt.number(), excerpt.text)?;
            }
            let marks = format!("{:start$}{} {}", "", mark.repeat(excerpt.width), excerpt.label, start = excerpt.start);
            writeln!(f, "{:gutter$} | {}", "", marks.trim_end())?;
        }
        match &self.hint {
            Some(hint) => writeln!(f, "hint: {hint}"),
            None => Ok(()),
        }
    }
}

/// A mistake as it is noted: its spots are not yet looked up.
#[derive(Clone, Debug)]
pub struct Note {
    spot: Spot,
    sentence: String,
    also: Vec<(Spot, &'static str)>,
    hint: Option<String>,
    tolerated: bool,
}

impl Note {
    /// A mistake at `spot`; the sentence begins in lower case and has no full stop.
    pub fn new(spot: Spot, sentence: impl Into<String>) -> Note {
        Note { spot, sentence: sentence.into(), also: Vec::new(), hint: None, tolerated: false }
    }

    /// Adds what would be right.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Note {
        self.hint = Some(hint.into());
        self
    }

    /// It is a remark on what a file may well contain on purpose.
    #[must_use]
    pub fn tolerated(mut self) -> Note {
        self.tolerated = true;
        self
    }

    /// Shows another place too and says what is there.
    #[must_use]
    pub fn also(mut self, spot: Spot, label: &'static str) -> Note {
        self.also.push((spot, label));
        self
    }
}

/// Where mistakes are noted while a document is read.
#[derive(Debug)]
pub struct Log {
    language: &'static Language,
    notes: RefCell<Vec<Note>>,
    more: std::cell::Cell<usize>,
    remarks: RefCell<Vec<Note>>,
    /// Empty lists of keys, so that not every table makes one.
    spare: RefCell<Vec<Vec<&'static str>>>,
}

impl Log {
    /// Nothing is noted of a document in this language.
    pub(crate) fn new(language: &'static Language) -> Log {
        Log {
            language,
            notes: RefCell::default(),
            more: 0.into(),
            remarks: RefCell::default(),
            spare: RefCell::default(),
        }
    }

    /// The language of the document.
    pub(super) fn language(&self) -> &'static Language {
        self.language
    }

    /// ``did you mean `fifo`?``, or what there is.
    pub fn did_you_mean<'n>(
        &self,
        found: &str,
        names: impl IntoIterator<Item = &'n str>,
        otherwise: impl FnOnce() -> String,
    ) -> String {
        did_you_mean(found, names, self.language.synonyms, otherwise)
    }

    /// An empty list, for the keys that a table is asked for.
    pub(super) fn spare(&self) -> Vec<&'static str> {
        self.spare.borrow_mut().pop().unwrap_or_default()
    }

    /// Takes such a list back when the table is done.
    pub(super) fn take_back(&self, mut keys: Vec<&'static str>) {
        keys.clear();
        if keys.capacity() > 0 {
            self.spare.borrow_mut().push(keys);
        }
    }

    /// Notes what is no mistake, but hardly meant.
    pub fn remark(&self, note: Note) {
        let mut remarks = self.remarks.borrow_mut();
        if remarks.len() < RENDERED {
            remarks.push(note);
        }
    }

    /// Notes a mistake.
    pub fn add(&self, note: Note) {
        let mut notes = self.notes.borrow_mut();
        if notes.len() < KEPT {
            notes.push(note);
        } else {
            self.more.set(self.more.get() + 1);
        }
    }

    /// Notes a name that does not exist: the hint is the nearest of those that do, or else what `otherwise` says.
    ///
    /// Names can be as many as a file has lines, and so can mistakes: what is not kept is not compared either.
    pub fn add_unknown<'n>(
        &self,
        note: Note,
        found: &str,
        names: impl IntoIterator<Item = &'n str>,
        otherwise: impl FnOnce() -> String,
    ) {
        if self.notes.borrow().len() < KEPT {
            self.add(note.hint(self.did_you_mean(found, names, otherwise)));
        } else {
            self.add(note);
        }
    }

    /// Has nothing been noted?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.notes.borrow().is_empty()
    }

    /// Looks up all places, and the paths in `root`. Gives `result` back with the remarks if there are no mistakes.
    ///
    /// # Errors
    /// If there are mistakes.
    pub fn finish<T>(
        self,
        result: Option<T>,
        root: Option<&Value<'_>>,
        source: &Source<'_>,
        overrides: &[Override],
    ) -> Result<(T, Vec<Mistake>), Mistakes> {
        let look_up = |mut notes: Vec<Note>| -> Vec<Mistake> {
            notes.sort_by_key(|note| note.spot);
            notes.into_iter().map(|note| excerpt::look_up(note, root, source, overrides)).collect()
        };
        let notes = self.notes.into_inner();
        if let (true, Some(result)) = (notes.is_empty(), result) {
            return Ok((result, look_up(self.remarks.into_inner())));
        }
        Err(Mistakes { mistakes: look_up(notes), more: self.more.get() })
    }
}
