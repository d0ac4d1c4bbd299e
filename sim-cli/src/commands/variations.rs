//! The variations of a call: each file in every combination of the values of `--vary`.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};
use sim_core::outcome::{FORMAT, Outcome};
use sim_core::scenario::Scenario;

use super::input::{self, Input, Set};
use super::{Failure, variant_of};
use crate::args::ScenarioArgs;
use crate::output;

/// One scenario to run, and what distinguishes it from the others of this call.
pub(super) struct Variation {
    pub(super) label: String,
    /// The file, if there are several.
    pub(super) file: Option<String>,
    pub(super) sets: Vec<Set>,
    pub(super) scenario: Scenario,
}

/// Files that have been read and are right in every variation, and the values that vary. Variations themselves are made
/// when they are asked for: there can be a million.
pub(super) struct Call<'a> {
    inputs: Vec<Input>,
    /// The scenario of each file, if no values vary.
    scenarios: Vec<Scenario>,
    /// How each file is called in labels; empty if there is one only.
    names: Vec<String>,
    varied: &'a [(String, Vec<String>)],
    args: &'a ScenarioArgs,
}

impl<'a> Call<'a> {
    /// Reads the files, and looks at every variation of each; what is wrong with one is mostly wrong with all, so it is
    /// told of one. Without values that vary and unless asked to be quiet, remarks are said.
    pub(super) fn read(
        files: &[PathBuf],
        varied: &'a [(String, Vec<String>)],
        args: &'a ScenarioArgs,
        quiet: bool,
    ) -> Result<Call<'a>, Failure> {
        let combinations = combinations(varied);
        let read = input::each(files, |input| {
            if varied.is_empty() {
                let scenario = input.scenario_aloud(args, quiet)?;
                return Ok((input, Some(scenario)));
            }
            (0..combinations).try_for_each(|number| input.scenario(args, &sets(varied, number)).map(drop))?;
            Ok((input, None))
        })?;
        let (inputs, scenarios): (Vec<Input>, Vec<Option<Scenario>>) = read.into_iter().unzip();
        let names = if inputs.len() > 1 { told_apart(&inputs) } else { Vec::new() };
        Ok(Call { inputs, scenarios: scenarios.into_iter().flatten().collect(), names, varied, args })
    }

    /// How many variations there are.
    pub(super) fn count(&self) -> usize {
        combinations(self.varied).saturating_mul(self.inputs.len())
    }

    /// The variation of this number: file by file, and the last of the values changes first.
    pub(super) fn variation(&self, number: usize) -> Result<Variation, Failure> {
        let combinations = combinations(self.varied);
        let (index, sets) = (number / combinations, sets(self.varied, number % combinations));
        let scenario = match self.scenarios.get(index) {
            Some(scenario) => scenario.clone(),
            None => self.inputs[index].scenario(self.args, &sets)?.0,
        };
        let value = |(path, value): &Set| format!("{}={value}", path.rsplit('.').next().unwrap_or(path));
        let label = self.names.get(index).cloned().into_iter().chain(sets.iter().map(value));
        let file = (self.inputs.len() > 1).then(|| self.inputs[index].named());
        Ok(Variation { label: label.collect::<Vec<_>>().join(" "), file, sets, scenario })
    }

    /// `trace.json` for the only one; `trace-1.json`, `trace-2.json`, … if there are several.
    pub(super) fn traces(&self, trace: Option<&Path>) -> Vec<PathBuf> {
        let Some(path) = trace else { return Vec::new() };
        match self.count() {
            1 => vec![path.to_owned()],
            count => (1..=count).map(|number| variant_of(path, &number)).collect(),
        }
    }
}

/// How many combinations of the values there are.
fn combinations(varied: &[(String, Vec<String>)]) -> usize {
    varied.iter().fold(1, |count: usize, (_, values)| count.saturating_mul(values.len()))
}

/// The combination of this number.
fn sets(varied: &[(String, Vec<String>)], mut number: usize) -> Vec<Set> {
    let mut sets: Vec<Set> = Vec::with_capacity(varied.len());
    for (path, values) in varied.iter().rev() {
        sets.push((path.clone(), values[number % values.len()].clone()));
        number /= values.len();
    }
    sets.reverse();
    sets
}

/// The names of files as short as tells them apart: without folders and extension, or as they were given.
fn told_apart(inputs: &[Input]) -> Vec<String> {
    let alike = |input: &Input| inputs.iter().filter(|other| other.stem() == input.stem()).count() > 1;
    inputs.iter().map(|input| if alike(input) { input.named() } else { input.stem() }).collect()
}

impl Variation {
    /// What was set, and what came of it.
    pub(super) fn entry(&self, outcome: &Outcome) -> Value {
        let set: Map<String, Value> =
            self.sets.iter().map(|(path, value)| (path.clone(), value.clone().into())).collect();
        let mut entry = json!({ "label": self.label, "set": set, "outcome": outcome });
        if let (Some(file), Value::Object(entry)) = (&self.file, &mut entry) {
            entry.insert("file".to_owned(), file.clone().into());
        }
        entry
    }
}

/// The document of several outcomes, written entry by entry: the same bytes as if it were written at once.
pub(super) struct Document {
    pretty: bool,
    entries: usize,
}

impl Document {
    /// Writes what stands before the entries.
    pub(super) fn begin() -> Document {
        let pretty = output::is_read_by_a_person();
        output::data(&if pretty {
            format!("{{\n  \"format\": {FORMAT},\n  \"variations\": [")
        } else {
            format!("{{\"format\":{FORMAT},\"variations\":[")
        });
        Document { pretty, entries: 0 }
    }

    /// Writes an entry.
    pub(super) fn entry(&mut self, entry: &Value) {
        let comma = if self.entries > 0 { "," } else { "" };
        self.entries += 1;
        output::data(&if self.pretty {
            // No text in JSON has a line break of its own.
            format!("{comma}\n    {}", format!("{entry:#}").replace('\n', "\n    "))
        } else {
            format!("{comma}{entry}")
        });
    }

    /// Writes what stands behind them.
    pub(super) fn end(self, interrupted: bool) {
        let (line, indent) = if self.pretty { ("\n", "  ") } else { ("", "") };
        let closed = if self.entries > 0 { format!("{line}{indent}]") } else { "]".to_owned() };
        let interrupted = match interrupted {
            true if self.pretty => ",\n  \"interrupted\": true",
            true => ",\"interrupted\":true",
            false => "",
        };
        output::data(&format!("{closed}{interrupted}{line}}}\n"));
    }
}
