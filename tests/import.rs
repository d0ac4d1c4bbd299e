//! `sim import`: samples of each kind become the scenarios beside them, whose runs have known answers; what is damaged is refused with
//! its place, and nothing makes it panic.

use std::fs;
use std::path::{Path, PathBuf};

use sim_core::document::Source;
use sim_core::outcome::Outcome;
use sim_core::scenario::lower;
use sim_import::{Imported, KINDS, Refusal, import, recognised};

use crate::support::{outcome_of, root, scenario, scenario_with, sim, temporary_folder};

mod fuzz;
mod known;
mod refused;
mod traces;

/// The folder of the samples.
fn folder() -> PathBuf {
    root().join("tests/import/samples")
}

/// All samples, with their names.
fn samples() -> Vec<(String, Vec<u8>)> {
    let entries = fs::read_dir(folder()).expect("the folder is there");
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("readable").path()).collect();
    paths.sort();
    let name = |path: &Path| path.file_name().expect("a file").to_string_lossy().into_owned();
    paths.iter().map(|path| (name(path), fs::read(path).expect("readable"))).collect()
}

/// The scenario of a sample.
fn sample(name: &str) -> Imported {
    imported(&fs::read(folder().join(name)).expect("a sample"), name)
}

fn imported(bytes: &[u8], name: &str) -> Imported {
    match import(bytes, name, None) {
        Ok(imported) => imported,
        Err(refusal) => panic!("{name}: {refusal}"),
    }
}

/// What it was taken for, and the scenario.
fn golden(name: &str, imported: &Imported) {
    let expected = root().join("tests/import/expected").join(format!("{name}.toml"));
    expect_test::expect_file![expected].assert_eq(&imported.text);
}

#[test]
fn samples_become_the_scenarios_beside_them() {
    let samples = samples();
    for kind in KINDS {
        let is_there = samples.iter().any(|(_, bytes)| recognised(bytes).is_some_and(|found| found.name == kind.name));
        assert!(is_there, "there is no sample of {}", kind.name);
    }
    for (name, bytes) in samples {
        let imported = imported(&bytes, &name);
        golden(&name, &imported);
        // It is valid, and it runs.
        let outcome = outcome_of(&scenario(&imported.text));
        assert!(matches!(outcome.end, "completed" | "horizon"), "{name}: {}", outcome.end);
    }
}

#[test]
fn a_scenario_goes_to_standard_output_or_into_a_file_and_is_valid() {
    let out = temporary_folder("import").join("scenario.toml");
    let out = out.display().to_string();
    let file = "tests/import/samples/textbook.csv";
    let written = sim(&["import", file, "-o", &out]);
    assert!(written.status.success() && written.stdout.is_empty());
    let said = String::from_utf8_lossy(&written.stderr).replace(&out, "OUT");
    expect_test::expect![[r"
        tests/import/samples/textbook.csv: a table of processes: 4 processes
        assumed: numbers without a unit are milliseconds
        assumed: one processor, and the policy fifo
        left out: the column `Completion Time`
        scenario: OUT
    "]]
    .assert_eq(&said);
    assert!(sim(&["check", &out]).status.success());
    let printed = sim(&["import", file, "--quiet", "--kind", "processes"]);
    assert!(printed.status.success() && printed.stderr.is_empty());
    assert_eq!(printed.stdout, fs::read(&out).expect("written"));
}

#[test]
fn commands_that_read_scenarios_say_what_a_foreign_file_is() {
    for (command, file) in [("run", "cluster.swf"), ("check", "edf.xml"), ("explain", "textbook.csv")] {
        let file = format!("tests/import/samples/{file}");
        let output = sim(&[command, &file]);
        assert_eq!(output.status.code(), Some(2));
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(
            said.contains(" is no scenario, it is a") && said.contains(&format!("hint: sim import {file} -o")),
            "{said}"
        );
    }
}

#[test]
fn scenarios_are_of_no_foreign_kind() {
    for path in crate::support::files_below(&root().join("configs"), "toml") {
        let kind = recognised(&fs::read(&path).expect("readable"));
        assert!(kind.is_none(), "{} is taken for {}", path.display(), kind.map_or("", |kind| kind.title));
    }
}
