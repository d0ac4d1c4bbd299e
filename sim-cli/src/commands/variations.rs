//! The variations of a call: each file in every combination of the values of `--vary`.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use serde::Serialize;
use sim_core::document::{Mistake, told_apart};
use sim_core::outcome::{FORMAT, Outcome};
use sim_core::scenario::Scenario;

use super::input::{self, Input, Inputs, Parsed, Set};
use super::{Failure, known};
use crate::args::ScenarioArgs;
use crate::condition::Condition;
use crate::export::variant_of;
use crate::{output, parallel, sorted};

/// So many variations are kept when they have been looked at, counted in tasks and operations: some 20 MB. Of more, each is
/// read again when it is its turn.
const KEPT: usize = 200_000;

/// So many sets of variations with the same timeline are named, and so many of each.
const ALIKE: usize = 4;

/// So many variations are asked whether they have a figure.
const LOOKED_AT: usize = 100;

/// One scenario to run, and what distinguishes it from the others of this call.
pub(super) struct Variation {
    pub(super) label: String,
    /// The file, if there are several.
    pub(super) file: Option<String>,
    pub(super) sets: Vec<Set>,
    pub(super) scenario: Arc<Scenario>,
}

/// Files that have been read and are right in every variation, and the values that vary. Variations themselves are made
/// when they are asked for: there can be a million.
pub(super) struct Call<'a> {
    inputs: Vec<Parsed<'a>>,
    /// Of each file the first variations.
    kept: Vec<Vec<Arc<Scenario>>>,
    /// How each file is called in labels; empty if there is one only.
    names: Vec<String>,
    varied: &'a [(String, Vec<String>)],
    args: &'a ScenarioArgs,
}

impl<'a> Call<'a> {
    /// Reads the files, and looks at every variation of each; what is wrong with one is mostly wrong with all, so it is
    /// told of one. Unless asked to be quiet, remarks are said: of all variations once.
    pub(super) fn read(
        files: &'a Inputs,
        varied: &'a [(String, Vec<String>)],
        args: &'a ScenarioArgs,
        quiet: bool,
    ) -> Result<Call<'a>, Failure> {
        unambiguous(varied, args)?;
        let room = Cell::new(KEPT);
        let read = input::each(files, |parsed| {
            if varied.is_empty() {
                let scenario = parsed.scenario_aloud(args, quiet)?;
                return Ok((parsed, vec![Arc::new(scenario)]));
            }
            let (kept, remarks) = every_variation(&parsed, args, varied, &room)?;
            if !quiet {
                remarks.say(combinations(varied));
            }
            Ok((parsed, kept))
        })?;
        let (inputs, kept): (Vec<Parsed<'_>>, Vec<Vec<Arc<Scenario>>>) = read.into_iter().unzip();
        let names = if inputs.len() > 1 { names_of(&inputs) } else { Vec::new() };
        Ok(Call { inputs, kept, names, varied, args })
    }

    /// How many variations there are.
    pub(super) fn count(&self) -> usize {
        combinations(self.varied).saturating_mul(self.inputs.len())
    }

    /// The variation of this number: file by file, and the last of the values changes first.
    pub(super) fn variation(&self, number: usize) -> Result<Variation, Failure> {
        let combinations = combinations(self.varied);
        let (label, index, number) = (self.label(number), number / combinations, number % combinations);
        let sets = sets(self.varied, number);
        let scenario = match self.kept[index].get(number) {
            Some(scenario) => Arc::clone(scenario),
            None => Arc::new(self.inputs[index].scenario(self.args, &sets)?.0),
        };
        let file = (self.inputs.len() > 1).then(|| self.inputs[index].input().named());
        Ok(Variation { label, file, sets, scenario })
    }

    /// What distinguishes the variation of this number.
    fn label(&self, number: usize) -> String {
        let combinations = combinations(self.varied);
        let sets = sets(self.varied, number % combinations);
        let file = self.names.get(number / combinations).cloned();
        file.into_iter().chain((!sets.is_empty()).then(|| label(&sets))).collect::<Vec<_>>().join(" ")
    }

    /// Which of these runs (their hashes, in their order) had the same timeline, a sentence for each set of such.
    pub(super) fn alike(&self, hashes: &[String]) -> Vec<String> {
        let mut by_hash: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        hashes.iter().enumerate().for_each(|(number, hash)| by_hash.entry(hash).or_default().push(number));
        let mut alike: Vec<Vec<usize>> = by_hash.into_values().filter(|numbers| numbers.len() > 1).collect();
        if alike.iter().any(|numbers| numbers.len() == hashes.len()) {
            return vec![format!("all {} variations had the same timeline: what varies changes nothing", hashes.len())];
        }
        alike.sort_unstable();
        let sentence = |numbers: &Vec<usize>| {
            let labels: Vec<String> = numbers.iter().take(ALIKE).map(|number| self.label(*number)).collect();
            let more = numbers.len() - labels.len();
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            format!("the same timeline had {}{more}", labels.join(", "))
        };
        alike.iter().take(ALIKE).map(sentence).collect()
    }

    /// Fails if one of the conditions asks for what none of the variations has; of very many it is enough to look at some.
    pub(super) fn knows(&self, conditions: &[Condition]) -> Result<(), Failure> {
        if conditions.is_empty() {
            return Ok(());
        }
        let step = self.count().div_ceil(LOOKED_AT).max(1);
        let some = (0..self.count()).step_by(step).map(|number| self.variation(number).map(|of| of.scenario));
        let some: Vec<Arc<Scenario>> = some.collect::<Result<_, _>>()?;
        known(conditions, some.iter().map(|scenario| &**scenario))
    }

    /// Does the seed vary?
    pub(super) fn varies_seed(&self) -> bool {
        self.varied.iter().any(|(path, _)| path == "seed")
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

    /// The traces of a variation: `trace.json` for the only one; `trace-1.json`, `trace-2.json`, … if there are several.
    pub(super) fn traces_of(&self, variation: usize, traces: &[PathBuf]) -> Vec<PathBuf> {
        match self.count() {
            1 => traces.to_vec(),
            _ => traces.iter().map(|path| variant_of(path, &(variation + 1))).collect(),
        }
    }

    /// Those of all variations.
    pub(super) fn traces(&self, traces: &[PathBuf]) -> Vec<PathBuf> {
        (0..self.count()).flat_map(|variation| self.traces_of(variation, traces)).collect()
    }
}

/// Remarks on variations, each once, with what it is first said of and of how many.
#[derive(Default)]
struct Remarks(Vec<(Mistake, String, usize)>);

impl Remarks {
    /// So many different ones are kept.
    const MOST: usize = 20;

    fn add(&mut self, remark: Mistake, sets: &[Set]) {
        // The place has the value that varies.
        let is_same = |other: &Mistake| (&other.sentence, &other.hint) == (&remark.sentence, &remark.hint);
        if let Some((.., count)) = self.0.iter_mut().find(|(other, ..)| is_same(other)) {
            *count += 1;
        } else if self.0.len() < Self::MOST {
            self.0.push((remark, label(sets), 1));
        }
    }

    /// Says them; what is not said of all of so many, with the first of whom it is.
    fn say(self, all: usize) {
        for (mut remark, label, count) in self.0 {
            if count < all {
                remark.sentence += &format!(" (with {label}{})", if count > 1 { ", and others" } else { "" });
            }
            input::say(&remark);
        }
    }
}

/// Looks at every variation of a file. Those first ones are kept for which there is room.
fn every_variation(
    parsed: &Parsed<'_>,
    args: &ScenarioArgs,
    varied: &[(String, Vec<String>)],
    room: &Cell<usize>,
) -> Result<(Vec<Arc<Scenario>>, Remarks), Failure> {
    let (mut kept, mut full, mut failure, mut remarks) = (Vec::new(), false, None, Remarks::default());
    let work = |number| {
        let sets = sets(varied, number);
        possible(parsed, args, &sets).map(|read| (read, sets))
    };
    parallel::in_order(combinations(varied), parallel::cores(), work, |read| {
        match read {
            Ok(((scenario, said), sets)) => {
                said.into_iter().filter(|remark| !remark.tolerated).for_each(|remark| remarks.add(remark, &sets));
                let left = room.get().checked_sub(size(&scenario)).filter(|_| !full);
                full = left.is_none();
                room.set(left.unwrap_or(0));
                kept.extend(left.map(|_| Arc::new(scenario)));
            }
            Err(why) => failure = Some(why),
        }
        failure.is_none()
    });
    failure.map_or(Ok((kept, remarks)), Err)
}

/// What a scenario takes, roughly, of what can be kept.
fn size(scenario: &Scenario) -> usize {
    let operations: usize = scenario.specs.iter().map(|spec| spec.program.ops.len()).sum();
    10 + 4 * scenario.specs.len() + operations + scenario.machine.processors.len()
}

/// One variation, if it is right; what is wrong with it alone is told with its name.
fn possible(parsed: &Parsed<'_>, args: &ScenarioArgs, sets: &[Set]) -> Result<(Scenario, Vec<Mistake>), Failure> {
    parsed.scenario(args, sets).map_err(|Failure(mistakes)| {
        let plain = parsed.scenario(args, &[]).err();
        let of_file = plain.is_some_and(|Failure(plain)| plain == mistakes);
        // The place of a mistake in what varies is its name.
        Failure(if of_file || mistakes.starts_with("--vary ") {
            mistakes
        } else {
            format!("with {}:\n{mistakes}", label(sets))
        })
    })
}

/// What was set, by as many of the last words of the paths as tell them apart: `policy=mlfq processors=2`.
fn label(sets: &[Set]) -> String {
    let paths: Vec<&str> = sets.iter().map(|(path, _)| path.as_str()).collect();
    let value = |(called, (_, value)): (String, &Set)| format!("{called}={value}");
    told_apart(&paths).into_iter().zip(sets).map(value).collect::<Vec<_>>().join(" ")
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
fn names_of(parsed: &[Parsed<'_>]) -> Vec<String> {
    let inputs = || parsed.iter().map(Parsed::input);
    let alike = |input: &Input| inputs().filter(|other| other.stem() == input.stem()).count() > 1;
    inputs().map(|input| if alike(input) { input.named() } else { input.stem() }).collect()
}

/// What was set, and what came of it.
#[derive(Serialize)]
struct Entry<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<&'a str>,
    label: &'a str,
    outcome: &'a Outcome,
    #[serde(skip_serializing_if = "Option::is_none")]
    replication: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    replications: Option<&'a serde_json::Value>,
    set: BTreeMap<&'a str, &'a str>,
}

impl Variation {
    /// The entry of the document: as text, for a line of its own or between others.
    pub(super) fn entry(&self, outcome: &Outcome) -> String {
        sorted::json(&self.plain_entry(outcome))
    }

    /// The entry of one of its replications: the outcome and the number of that.
    pub(super) fn entry_of_replication(&self, outcome: &Outcome, replication: usize) -> String {
        sorted::json(&Entry { replication: Some(replication), ..self.plain_entry(outcome) })
    }

    /// The entry of all its replications: the outcome of the first, and what all say together.
    pub(super) fn entry_of_replications(&self, outcome: &Outcome, together: &serde_json::Value) -> String {
        sorted::json(&Entry { replications: Some(together), ..self.plain_entry(outcome) })
    }

    fn plain_entry<'a>(&'a self, outcome: &'a Outcome) -> Entry<'a> {
        let set = self.sets.iter().map(|(path, value)| (path.as_str(), value.as_str())).collect();
        let file = self.file.as_deref();
        Entry { file, label: &self.label, outcome, replication: None, replications: None, set }
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
    pub(super) fn entry(&mut self, entry: &str) {
        let comma = if self.entries > 0 { "," } else { "" };
        self.entries += 1;
        output::data(&if self.pretty {
            // No text in JSON has a line break of its own.
            format!("{comma}\n    {}", sorted::indented(entry).replace('\n', "\n    "))
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
