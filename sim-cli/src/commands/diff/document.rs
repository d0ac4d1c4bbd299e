//! The documents that `--json` writes, and which of the outcomes in one is meant.

use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::Value;
use sim_core::outcome::reading::Reading;

/// One outcome of a document.
#[derive(Clone, Debug)]
pub(super) struct Arm {
    /// How it is called among the others; empty if it is alone.
    pub(super) name: String,
    pub(super) reading: Reading,
    /// The makespans of the runs of which it is the median.
    pub(super) makespans_ns: Vec<u64>,
    pub(super) notes: Vec<String>,
}

/// The outcomes of a document.
pub(super) enum Arms {
    One(Box<Arm>),
    /// What `sim compare` simulated, predicted and measured.
    Comparison(Vec<Arm>),
    Variations(Vec<Arm>),
}

/// What kind of document it is.
#[derive(Deserialize)]
struct Shape {
    format: Option<Value>,
    makespan_ns: Option<IgnoredAny>,
    simulated: Option<IgnoredAny>,
    variations: Option<IgnoredAny>,
    #[serde(rename = "traceEvents")]
    trace: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct Comparison {
    simulated: Reading,
    #[serde(default)]
    predicted: Vec<Reading>,
    measured: Vec<Reading>,
}

#[derive(Deserialize)]
struct Variations {
    variations: Vec<Variation>,
}

#[derive(Deserialize)]
struct Variation {
    #[serde(default)]
    label: String,
    #[serde(default)]
    file: Option<String>,
    outcome: Reading,
}

/// Is it JSON, by its name or by how it begins? No scenario begins like that.
pub(super) fn is_json(name: &str, text: &str) -> bool {
    let text = text.trim_start_matches('\u{feff}').trim_start();
    name.to_lowercase().ends_with(".json") || text.starts_with(['{', '"']) || text.starts_with("[{")
}

/// What makes an outcome.
const HINT: &str =
    "hint: `sim run FILE --json` and `sim measure FILE --json` write outcomes, with --timeline also what happened when";

impl Arms {
    /// Reads a document.
    pub(super) fn read(text: &str) -> Result<Arms, String> {
        let text = text.trim_start_matches('\u{feff}');
        let shape: Shape = parsed(text)?;
        let no_outcome = |what: &str| format!("it is {what}\n{HINT}");
        if shape.trace.is_some() {
            return Err(no_outcome("a trace, and not an outcome"));
        }
        if shape.makespan_ns.is_none() && shape.simulated.is_none() && shape.variations.is_none() {
            return Err(no_outcome("JSON, but not an outcome: it has no `makespan_ns`"));
        }
        let known = Value::from(sim_core::outcome::FORMAT);
        if let Some(format) = shape.format.filter(|format| *format != known) {
            let hint = "hint: make it again with this version, or use the version that wrote it";
            return Err(format!("it has format {format}, and this version reads format {known}\n{hint}"));
        }
        if shape.makespan_ns.is_some() {
            return Ok(Arms::One(Box::new(Arm::new("", parsed(text)?)?)));
        }
        if shape.simulated.is_some() {
            let comparison: Comparison = parsed(text)?;
            let mut arms = vec![Arm::new("simulated", comparison.simulated)?];
            arms.extend(Arm::median("predicted", comparison.predicted)?);
            arms.extend(Arm::median("measured", comparison.measured)?);
            return Ok(Arms::Comparison(arms));
        }
        let variations: Variations = parsed(text)?;
        let arms = variations.variations.into_iter().map(|variation| {
            let name = if variation.label.is_empty() { variation.file.unwrap_or_default() } else { variation.label };
            Arm::new(&name, variation.outcome)
        });
        Ok(Arms::Variations(arms.collect::<Result<_, _>>()?))
    }

    /// The outcome that is meant: the one that is picked, or that goes without saying. Of a document `alone`, A is what comes
    /// first and B what comes last.
    pub(super) fn choose(self, letter: &str, pick: Option<&str>, alone: bool) -> Result<Arm, String> {
        let option = format!("--pick-{}", letter.to_lowercase());
        let arms = match self {
            Arms::One(_) if alone => {
                return Err("there is one outcome, and nothing to hold it against\nhint: give another file".to_owned());
            }
            Arms::One(arm) => match pick {
                None => return Ok(*arm),
                Some(_) => return Err(format!("there is one outcome; leave {option} out")),
            },
            Arms::Comparison(arms) => {
                // Beside another file what was measured counts.
                let names = if alone && letter == "A" { ["predicted", "simulated"] } else { ["measured", "simulated"] };
                let default = names.iter().find(|name| arms.iter().any(|arm| arm.name == **name)).copied();
                return chosen(arms, pick.or(default), &option);
            }
            Arms::Variations(arms) => arms,
        };
        match (pick, arms.len(), alone) {
            (None, 1, false) => chosen(arms, Some("1"), &option),
            (None, 2, true) => chosen(arms, Some(if letter == "A" { "1" } else { "2" }), &option),
            _ => chosen(arms, pick, &option),
        }
    }
}

/// The arm of this name, or else of this number.
fn chosen(mut arms: Vec<Arm>, pick: Option<&str>, option: &str) -> Result<Arm, String> {
    let known = || {
        let names = arms.iter().take(8).map(|arm| format!("`{}`", arm.name)).collect::<Vec<_>>().join(", ");
        if arms.len() > 8 { format!("{names} and {} more", arms.len() - 8) } else { names }
    };
    let Some(pick) = pick else {
        let count = arms.len();
        return Err(format!(
            "there are {count} outcomes: {}\nhint: choose with {option} NAME, or its number from 1",
            known()
        ));
    };
    let named = arms.iter().position(|arm| arm.name == pick);
    let number = || pick.parse::<usize>().ok()?.checked_sub(1).filter(|index| *index < arms.len());
    match named.or_else(number) {
        Some(index) => Ok(arms.swap_remove(index)),
        None => Err(format!("there is no outcome `{pick}`: there are {}", known())),
    }
}

impl Arm {
    fn new(name: &str, reading: Reading) -> Result<Arm, String> {
        reading.check()?;
        Ok(Arm { name: name.to_owned(), reading, makespans_ns: Vec::new(), notes: Vec::new() })
    }

    /// Of several runs the one with the median makespan, the lower of two; `None` without runs.
    fn median(name: &str, mut runs: Vec<Reading>) -> Result<Option<Arm>, String> {
        let makespans_ns: Vec<u64> = runs.iter().map(|run| run.makespan_ns).collect();
        runs.sort_by_key(|run| run.makespan_ns);
        let Some(middle) = runs.len().checked_sub(1) else { return Ok(None) };
        Ok(Some(Arm { makespans_ns, ..Arm::new(name, runs.swap_remove(middle / 2))? }))
    }
}

fn parsed<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    serde_json::from_str(text).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        if error.is_eof() {
            let hint = "hint: was the command that wrote it cut off?";
            return format!("it ends in the middle of the document (line {line}, column {column})\n{hint}");
        }
        let sentence = error.to_string();
        let what = sentence.split(" at line ").next().unwrap_or_default();
        if what == "trailing characters" {
            let hint = "hint: --jsonl writes one for each run; take one line, such as `sed -n 1p FILE | sim diff - …`";
            return format!("there is more than one document in it\n{hint}");
        }
        if error.is_syntax() {
            return format!("it is no JSON: {what} (line {line}, column {column})");
        }
        format!("it is no outcome of this format: {what} (line {line}, column {column})\n{HINT}")
    })
}
