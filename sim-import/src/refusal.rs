//! Why a file cannot be imported.

use std::fmt;

use sim_core::document::Source;
use sim_core::scenario::lower;

use crate::KINDS;

/// Why a file cannot be imported, for people.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refusal {
    /// The line, from 1, if it is about one.
    pub line: Option<u64>,
    /// What is wrong.
    pub sentence: String,
    /// What can be done about it.
    pub hint: Option<String>,
}

impl Refusal {
    /// Something wrong in a line.
    pub(crate) fn at(line: u64, sentence: impl Into<String>) -> Refusal {
        Refusal { line: Some(line), sentence: sentence.into(), hint: None }
    }

    /// Something wrong with the whole file.
    pub(crate) fn whole(sentence: impl Into<String>) -> Refusal {
        Refusal { line: None, sentence: sentence.into(), hint: None }
    }

    /// The same with what can be done about it.
    pub(crate) fn hint(self, hint: impl Into<String>) -> Refusal {
        Refusal { hint: Some(hint.into()), ..self }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(line) = self.line {
            write!(f, "line {line}: ")?;
        }
        f.write_str(&self.sentence)?;
        self.hint.as_ref().map_or(Ok(()), |hint| write!(f, "\nhint: {hint}"))
    }
}

/// Files of bytes whose text somebody else can write, by what they begin with.
const BINARY: &[(&[u8], &str, &str)] = &[
    (b"PERFILE2", "a recording of perf", "`perf script -i FILE` writes it as text"),
    (b"\x17\x08\x44tracing", "a recording of trace-cmd", "`trace-cmd report -i FILE` writes it as text"),
    (b"\x1f\x8b", "compressed", "unpack it first: `zcat FILE | sim import -`"),
    (b"\x28\xb5\x2f\xfd", "compressed", "unpack it first: `zstdcat FILE | sim import -`"),
    (b"\xff\xfe", "text in UTF-16", "write it as UTF-8: `iconv -f UTF-16 -t UTF-8 FILE | sim import -`"),
    (b"\xfe\xff", "text in UTF-16", "write it as UTF-8: `iconv -f UTF-16 -t UTF-8 FILE | sim import -`"),
    (b"PK\x03\x04", "a ZIP archive (or a spreadsheet)", "unpack it, or save the sheet as CSV"),
];

/// Is it one of those, or no text at all?
pub(crate) fn of_binary(bytes: &[u8]) -> Option<Refusal> {
    let known = BINARY.iter().find(|(magic, ..)| bytes.starts_with(magic));
    if let Some((_, what, hint)) = known {
        return Some(Refusal::whole(format!("it is {what}, and no text")).hint(*hint));
    }
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Some(Refusal::whole("it is empty"));
    }
    let no_text = bytes[..bytes.len().min(crate::HEAD)].contains(&0);
    no_text.then(|| Refusal::whole("it is no text"))
}

pub(crate) fn of_no_kind() -> Refusal {
    let names: Vec<&str> = KINDS.iter().map(|kind| kind.name).collect();
    let hint = format!("say what it is: --kind {}", names.join(", "));
    Refusal::whole("its content tells no kind of file that can be imported").hint(hint)
}

/// What is imported is valid: what the file says may be more than the words of scenarios allow (a lock that is never given back).
pub(crate) fn of_no_scenario(text: &str) -> Result<(), Refusal> {
    let checked = lower::scenario(&Source { file: "the scenario", text }, &[]);
    checked.map(drop).map_err(|mistakes| {
        let said = mistakes.to_string();
        let first = said.lines().next().unwrap_or_default();
        let short: String = first.chars().take(200).collect();
        Refusal::whole(format!("what it says makes no valid scenario: {short}"))
    })
}
