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
        unambiguous(varied, args)?;
        let combinations = combinations(varied);
        let read = input::each(files, |input| {
            if varied.is_empty() {
                let scenario = input.scenario_aloud(args, quiet)?;
                return Ok((input, Some(scenario)));
            }
            (0..combinations).try_for_each(|number| possible(&input, args, &sets(varied, number)))?;
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
        let label = self.names.get(index).cloned().into_iter().chain((!sets.is_empty()).then(|| label(&sets)));
        let file = (self.inputs.len() > 1).then(|| self.inputs[index].named());
        Ok(Variation { label: label.collect::<Vec<_>>().join(" "), file, sets, scenario })
    }

    /// If only the seed told runs apart they would be alike in vain: does it vary, and had these runs (their hashes, in their
    /// order) the same timeline whatever it was?
    pub(super) fn varies_seed_in_vain(&self, hashes: &[String]) -> bool {
        let Some(at) = self.varied.iter().position(|(path, _)| path == "seed") else { return false };
        let seeds = self.varied[at].1.len();
        let within = combinations(&self.varied[at + 1..]);
        let alike = |block: &[String]| block.iter().enumerate().all(|(index, hash)| *hash == block[index % within]);
        seeds > 1 && hashes.len() == self.count() && hashes.chunks(seeds * within).all(alike)
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

/// Looks at one variation; what is wrong with it alone is told with its name.
fn possible(input: &Input, args: &ScenarioArgs, sets: &[Set]) -> Result<(), Failure> {
    input.scenario(args, sets).map(drop).map_err(|Failure(mistakes)| {
        let plain = input.scenario(args, &[]).err();
        let of_file = plain.is_some_and(|Failure(plain)| plain == mistakes);
        // The place of a mistake in what varies is its name.
        Failure(if of_file || mistakes.starts_with("--vary ") {
            mistakes
        } else {
            format!("with {}:\n{mistakes}", label(sets))
        })
    })
}

/// What was set, by the last words of the paths: `policy=mlfq processors=2`.
fn label(sets: &[Set]) -> String {
    let value = |(path, value): &Set| format!("{}={value}", path.rsplit('.').next().unwrap_or(path));
    sets.iter().map(value).collect::<Vec<_>>().join(" ")
}

/// Fails if a value that varies is given a second time: one of the two would be ignored.
fn unambiguous(varied: &[(String, Vec<String>)], args: &ScenarioArgs) -> Result<(), Failure> {
    let refuse = |path: &str, other: &str| {
        Err(Failure(format!("sim: `{path}` is given by --vary and by {other}\nhint: leave one of them out")))
    };
    for (index, (path, _)) in varied.iter().enumerate() {
        if varied[..index].iter().any(|(other, _)| other == path) {
            return refuse(path, "another --vary");
        }
        if args.sets.iter().any(|(other, _)| other == path) {
            return refuse(path, "--set");
        }
        if path == "seed" && args.seed.is_some() {
            return refuse(path, "--seed");
        }
    }
    Ok(())
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
