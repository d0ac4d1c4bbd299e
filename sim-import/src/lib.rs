//! Files of other tools as scenarios: what is in them becomes TOML that a person would like to read and change.
//!
//! The shelf [`KINDS`] has one file per kind. Each is told by its content, reads a text, and makes a `Page`: what the file says in
//! the words of a scenario, what was assumed where it says nothing, and what has no words and was left out. Nothing is printed
//! here.

mod json;
mod kinds;
mod lines;
mod names;
mod page;
mod recording;
mod refusal;
mod times;

use std::borrow::Cow;

pub use kinds::{KINDS, Kind};
use recording::Recording;
pub use refusal::Refusal;
use sim_core::outcome::Outcome;

/// So much of a file is looked at to tell its kind.
const HEAD: usize = 64 << 10;

/// A file as a scenario.
#[derive(Clone, Debug)]
pub struct Imported {
    /// What it was taken for.
    pub kind: &'static Kind,
    /// What is in it, in a few words: `3 threads, 1 lock`.
    pub summary: String,
    /// The scenario.
    pub text: String,
    /// What was assumed where the file says nothing, in sentences.
    pub assumed: Vec<String>,
    /// What of the file is not in the scenario, in sentences.
    pub left_out: Vec<String>,
    recording: Option<Recording>,
}

impl Imported {
    /// What the file recorded, if it is a trace, as the outcome of a measured run of the scenario.
    ///
    /// # Errors
    /// A sentence: the scenario has not all of what was recorded.
    #[must_use]
    pub fn recorded(&self) -> Option<Result<Outcome, String>> {
        self.recording.as_ref().map(|recording| recording.outcome(&self.text, self.kind.title))
    }
}

/// The kind of a file, told by its content; `None` if it is of none.
#[must_use]
pub fn recognised(bytes: &[u8]) -> Option<&'static Kind> {
    let head = head(bytes);
    KINDS.iter().find(|kind| (kind.recognises)(&head))
}

/// A file as a scenario: of this kind, or of that which its content tells. `name` is how people call it.
///
/// # Errors
/// It is of no kind that is known, or it is damaged.
pub fn import(bytes: &[u8], name: &str, kind: Option<&'static Kind>) -> Result<Imported, Refusal> {
    if let Some(refusal) = refusal::of_binary(bytes) {
        return Err(refusal);
    }
    let kind = kind.or_else(|| recognised(bytes)).ok_or_else(refusal::of_no_kind)?;
    let text = String::from_utf8_lossy(bytes);
    let page = (kind.page)(text.trim_start_matches('\u{feff}'))?;
    let (text, assumed, left_out) = page.written(name, kind);
    refusal::of_no_scenario(&text)?;
    Ok(Imported { kind, summary: page.summary, text, assumed, left_out, recording: page.recording })
}

fn head(bytes: &[u8]) -> Cow<'_, str> {
    let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
    String::from_utf8_lossy(&bytes[..bytes.len().min(HEAD)])
}
