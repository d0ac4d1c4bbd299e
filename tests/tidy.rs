//! House rules that keep themselves: what a reviewer would say again and again is said here once.

use std::fs;
use std::path::{Path, PathBuf};

use sim_core::device::DISCIPLINES;
use sim_core::engine::{End, Ending};
use sim_core::executor::EXECUTORS;
use sim_core::parameter::Parameter;
use sim_core::policy::POLICIES;

use crate::support::{root, run, scenario};

/// A function ends on the screen on which it begins.
const FUNCTION: usize = 60;
/// A file is read in one sitting.
const FILE: usize = 500;

/// Longer functions, each with its reason. The list may shrink; it is wrong to keep one that has become short.
const LONG_FUNCTIONS: &[(&str, &str)] = &[];

/// Longer files, likewise.
const LONG_FILES: &[(&str, &str)] = &[(
    "tests/naive/runtimes/simulator.rs",
    "a whole simulator of runtimes in one piece, to be read against their rules",
)];

/// All files of the workspace with this extension, with their text.
fn files(extension: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for folder in ["sim-core", "sim-real", "sim-cli", "tests", "configs"] {
        collect(&root().join(folder), extension, &mut found);
    }
    found.sort();
    assert!(!found.is_empty());
    let name = |path: &Path| path.strip_prefix(root()).expect("inside").display().to_string();
    found.iter().map(|path| (name(path), fs::read_to_string(path).expect("text"))).collect()
}

fn collect(folder: &Path, extension: &str, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("readable").path();
        if path.is_dir() && path.file_name().is_some_and(|name| name != "target") {
            collect(&path, extension, found);
        } else if path.extension().is_some_and(|found| found == extension) {
            found.push(path);
        }
    }
}

#[test]
fn every_module_says_what_it_is_for() {
    for (name, text) in files("rs") {
        assert!(text.starts_with("//! "), "{name} begins with a `//!` that says what it is for");
    }
}

/// The parts of the reference between fences that say they are scenarios.
fn examples(text: &str) -> Vec<String> {
    let fenced = text.split("```toml\n").skip(1);
    fenced.map(|part| part.split("```").next().unwrap_or_default().to_owned()).collect()
}

#[test]
fn the_reference_is_complete_and_its_examples_run() {
    let text = fs::read_to_string(root().join("docs/scenarios.md")).expect("readable");
    let policies = POLICIES.iter().map(|kind| (kind.name, kind.parameters));
    let executors = EXECUTORS.iter().map(|kind| (kind.name, kind.parameters));
    let disciplines = DISCIPLINES.iter().map(|kind| (kind.name, kind.parameters));
    for (name, parameters) in policies.chain(executors).chain(disciplines) {
        assert!(text.contains(&format!("`{name}`")), "docs/scenarios.md does not know `{name}`");
        for Parameter { name: parameter, values, default, meaning } in parameters {
            let row = format!("| `{name}` | `{parameter}` | {values} | {default} | {meaning} |");
            assert!(text.contains(&row), "docs/scenarios.md lacks this row:\n{row}");
        }
    }
    let examples = examples(&text);
    assert!(examples.len() >= 4, "found {}", examples.len());
    for example in examples {
        let (_, Ending { end, .. }) = run(&scenario(&example));
        assert!(matches!(end, End::Completed | End::Horizon), "{end:?} of\n{example}");
    }
}

#[test]
fn nothing_is_left_for_later() {
    // Put together here, so that this file does not find itself.
    let words = ["TO", "FIX", "XX"].into_iter().zip(["DO", "ME", "X"]).map(|(one, other)| format!("{one}{other}"));
    let macros = ["dbg", "todo", "unimplemented"].map(|name| format!("{name}!("));
    let words: Vec<String> = words.chain(macros).collect();
    for (name, text) in files("rs").into_iter().chain(files("toml")) {
        for (number, line) in (1..).zip(text.lines()) {
            let left = words.iter().find(|word| line.contains(word.as_str()));
            assert!(left.is_none(), "{name}:{number}: {left:?} is left");
        }
    }
}

#[test]
fn functions_are_short() {
    let mut long = Vec::new();
    for (name, text) in files("rs") {
        for (function, length) in functions(&text) {
            if length > FUNCTION {
                long.push((format!("{name}::{function}"), length));
            }
        }
    }
    ratchet("functions", FUNCTION, &long, LONG_FUNCTIONS);
}

#[test]
fn files_are_short() {
    let lengths = files("rs").into_iter().map(|(name, text)| (name, text.lines().count()));
    let long: Vec<(String, usize)> = lengths.filter(|(_, length)| *length > FILE).collect();
    ratchet("files", FILE, &long, LONG_FILES);
}

/// What is too long must be listed, and what is listed must be too long.
fn ratchet(what: &str, most: usize, long: &[(String, usize)], listed: &[(&str, &str)]) {
    for (name, length) in long {
        let known = listed.iter().any(|(known, _)| known == name);
        assert!(known, "{name} has {length} lines; {what} have at most {most}, or a reason in the list");
    }
    for (name, reason) in listed {
        assert!(long.iter().any(|(long, _)| long == name), "{name} ({reason}) is short now: take it off the list");
    }
}

/// The functions of a formatted source text and their lengths in lines.
fn functions(text: &str) -> Vec<(String, usize)> {
    let lines: Vec<&str> = text.lines().collect();
    let indent = |line: &str| line.len() - line.trim_start().len();
    let mut found = Vec::new();
    for (start, line) in lines.iter().enumerate() {
        let Some((before, after)) = line.split_once("fn ") else { continue };
        let qualifiers = ["pub", "pub(crate)", "pub(super)", "const", "unsafe", "extern", "\"C\""];
        let is_function = before.split_whitespace().all(|word| qualifiers.contains(&word));
        let one_line = line.ends_with('}') || line.ends_with(';');
        let end = lines[start..].iter().position(|end| end.trim() == "}" && indent(end) == indent(line));
        if let (true, false, Some(end)) = (is_function, one_line, end) {
            found.push((after.split(['(', '<']).next().unwrap_or_default().to_owned(), end + 1));
        }
    }
    found
}

#[test]
fn functions_are_measured_rightly() {
    let text = "fn one() {\n    two();\n}\nimpl A {\n    pub(super) fn two<T>(\n        a: T,\n    ) {\n    }\n    fn three() {}\n}\n// fn no\n";
    assert_eq!(functions(text), [("one".to_owned(), 3), ("two".to_owned(), 4)]);
}

#[test]
fn the_readme_knows_what_is_on_the_shelves() {
    let readme = fs::read_to_string(root().join("README.md")).expect("README.md is there");
    let names = POLICIES.iter().map(|kind| kind.name).chain(EXECUTORS.iter().map(|kind| kind.name));
    for name in names.chain(DISCIPLINES.iter().map(|kind| kind.name)) {
        assert!(readme.contains(&format!("`{name}`")), "README.md does not mention `{name}`");
    }
}

#[test]
fn every_scenario_in_the_readme_is_there() {
    let readme = fs::read_to_string(root().join("README.md")).expect("README.md is there");
    for folder in ["configs/", "plots/"] {
        for (at, _) in readme.match_indices(folder) {
            let end = readme[at..].find(|c: char| !(c.is_alphanumeric() || "/-_.".contains(c))).unwrap_or(0);
            let path = readme[at..at + end].trim_end_matches('.');
            // Measured pictures are made on a quiet machine, not with every change.
            let is_file = Path::new(path).extension().is_some() && !path.starts_with("plots/compare/");
            assert!(!is_file || root().join(path).exists(), "README.md speaks of {path}, which is not there");
        }
    }
}

/// What is true of a policy, executor or discipline alone is a fact of its entry on the shelf: elsewhere nobody asks for one
/// by its name.
#[test]
fn what_is_on_the_shelves_is_not_known_by_name_elsewhere() {
    let policies = POLICIES.iter().map(|kind| kind.name);
    let executors = EXECUTORS.iter().map(|kind| kind.name);
    let names: Vec<&str> = policies.chain(executors).chain(DISCIPLINES.iter().map(|kind| kind.name)).collect();
    let asks = |line: &str, name: &str| ["==", "!="].iter().any(|sign| line.contains(&format!("{sign} \"{name}\"")));
    for (file, text) in files("rs").iter().filter(|(file, _)| file.contains("/src/")) {
        for line in text.lines() {
            let name = names.iter().find(|name| asks(line, name));
            assert!(name.is_none(), "{file} knows `{}` by name: {line}", name.unwrap_or(&""));
        }
    }
}

/// The modules of the engine that this one uses.
fn used(text: &str) -> Vec<String> {
    let paths = text.lines().filter_map(|line| {
        let path = line.strip_prefix("use ")?;
        path.strip_prefix("super::").or_else(|| path.strip_prefix("crate::engine::"))
    });
    paths.map(|path| path.split([':', ';']).next().unwrap_or_default().to_owned()).collect()
}

/// Data below, rules above: the parts of the state know no rules, and nothing is defined in a circle.
#[test]
fn the_modules_of_the_engine_are_in_layers() {
    let modules: Vec<(String, Vec<String>)> = (files("rs").iter())
        .filter_map(|(file, text)| {
            // What is inside a folder is part of the module of that name.
            let path = file.strip_prefix("sim-core/src/engine/")?.trim_end_matches(".rs");
            let module = path.split('/').next().unwrap_or_default().to_owned();
            Some((module.clone(), used(text).into_iter().filter(|used| *used != module).collect()))
        })
        .collect();
    let is_module = |name: &str| modules.iter().any(|(module, _)| module == name);
    let mut above: Vec<(String, Vec<String>)> = (modules.iter())
        .map(|(module, used)| (module.clone(), used.iter().filter(|used| is_module(used)).cloned().collect()))
        .collect();
    assert!(above.iter().any(|(_, used)| used.contains(&"world".to_owned())), "uses are found");
    loop {
        let left: Vec<String> = above.iter().map(|(module, _)| module.clone()).collect();
        above.retain(|(_, used)| used.iter().any(|used| left.contains(used)));
        if above.len() == left.len() {
            break;
        }
    }
    assert!(above.is_empty(), "these use each other in a circle, or what does: {above:?}");
}
