//! The variations of a call: each file in every combination of the values of `--vary`.

use std::path::{Path, PathBuf};

use sim_core::outcome::Outcome;
use sim_core::scenario::Scenario;

use super::input::{self, Input, Set};
use super::{Failure, variant_of};
use crate::args::ScenarioArgs;

/// One scenario to run, and what distinguishes it from the others of this call.
pub(super) struct Variation {
    pub(super) label: String,
    pub(super) sets: Vec<Set>,
    pub(super) scenario: Scenario,
}

/// Every file in every combination of the varied values, in the order given.
pub(super) fn variations(
    files: &[PathBuf],
    varied: &[(String, Vec<String>)],
    args: &ScenarioArgs,
    quiet: bool,
) -> Result<Vec<Variation>, Failure> {
    let mut combinations: Vec<Vec<Set>> = vec![Vec::new()];
    for (path, values) in varied {
        let extended = combinations.iter().flat_map(|sets| {
            values.iter().map(|value| {
                let mut sets = sets.clone();
                sets.push((path.clone(), value.clone()));
                sets
            })
        });
        combinations = extended.collect();
    }
    let one_of = |input: &Input, sets: &[Set]| {
        let scenario =
            if varied.is_empty() { input.scenario_aloud(args, quiet)? } else { input.scenario(args, sets)?.0 };
        let label = label(input, files.len() > 1, sets);
        Ok(Variation { label, sets: sets.to_vec(), scenario })
    };
    // What is wrong with one variation of a file is mostly wrong with all.
    let all_of = |input: &Input| combinations.iter().map(|sets| one_of(input, sets)).collect::<Result<Vec<_>, _>>();
    Ok(input::each(files, all_of)?.into_iter().flatten().collect())
}

/// What distinguishes a variation: the file if there are several, and the values that vary.
fn label(input: &Input, name_file: bool, sets: &[Set]) -> String {
    let value = |(path, value): &Set| format!("{}={value}", path.rsplit('.').next().unwrap_or(path));
    name_file.then(|| input.stem()).into_iter().chain(sets.iter().map(value)).collect::<Vec<_>>().join(" ")
}

/// Several outcomes in one document: what was set, and what came of it.
pub(super) fn document<'a>(outcomes: impl Iterator<Item = (&'a Variation, Outcome)>) -> serde_json::Value {
    let entries = outcomes.map(|(variation, outcome)| {
        let set: serde_json::Map<String, serde_json::Value> =
            variation.sets.iter().map(|(path, value)| (path.clone(), value.clone().into())).collect();
        serde_json::json!({ "label": variation.label, "set": set, "outcome": outcome })
    });
    serde_json::json!({ "format": sim_core::outcome::FORMAT, "variations": entries.collect::<Vec<_>>() })
}

/// `trace.json` for the only one; `trace-1.json`, `trace-2.json`, … if there are several.
pub(super) fn traces(trace: Option<&Path>, count: usize) -> Vec<PathBuf> {
    let Some(path) = trace else { return Vec::new() };
    if count == 1 { vec![path.to_owned()] } else { (1..=count).map(|number| variant_of(path, &number)).collect() }
}
