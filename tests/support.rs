//! What the tests share: scenarios from text, the program as a user runs it, files with expectations.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicU32, Ordering};

use sim_core::document::{Override, Source};
use sim_core::engine::{Ending, simulate};
use sim_core::metrics::Metrics;
use sim_core::outcome::Outcome;
use sim_core::policy::checked::watch;
use sim_core::scenario::{Scenario, lower};
use sim_core::timeline::{Timeline, TimelineHash};

/// The root of the repository.
pub(crate) fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// The scenario of a text that must be valid.
pub(crate) fn scenario(toml: &str) -> Scenario {
    scenario_with(toml, &[])
}

/// The same with overrides.
pub(crate) fn scenario_with(toml: &str, sets: &[(&str, &str)]) -> Scenario {
    let overrides: Vec<Override> = sets.iter().map(|(path, value)| Override::new(*path, *value)).collect();
    match lower::scenario(&Source { file: "test.toml", text: toml }, &overrides) {
        Ok(scenario) => scenario,
        Err(mistakes) => panic!("the scenario of a test is invalid:\n{mistakes}\n{toml}"),
    }
}

/// Simulates, and checks the contract of the policy and the laws of the timeline on the way.
pub(crate) fn run(scenario: &Scenario) -> (Timeline, Ending) {
    let (scenario, guard) = watch(scenario);
    let mut timeline = Timeline::default();
    let ending = simulate(&scenario, &mut timeline);
    if let Err(breach) = guard.verdict() {
        panic!("the policy breaks its contract: {breach}");
    }
    if let Err(violations) = timeline.check() {
        panic!("the timeline breaks a law: {violations}");
    }
    (timeline, ending)
}

/// The outcome of a simulation, with all that is found in its record.
pub(crate) fn outcome_of(scenario: &Scenario) -> Outcome {
    let mut both = ((Metrics::with_jobs(), TimelineHash::default()), Timeline::default());
    let ending = simulate(scenario, &mut both);
    Outcome::simulated(scenario, &ending, &both.0.0, both.0.1).with_findings(scenario, &both.1)
}

/// All scenario files of `configs/` and the folders in it.
pub(crate) fn configs() -> Vec<PathBuf> {
    let mut files = files_below(&root().join("configs"), "toml");
    // What is there to be validated is generated, and no lecture.
    files.retain(|file| !file.starts_with(root().join("configs/validate")));
    // Experiments and what they vary are looked at with the experiments.
    files.retain(|file| !file.starts_with(root().join("configs/experiments")));
    assert!(!files.is_empty(), "configs/ has scenarios");
    files
}

/// The files with this extension in a folder and the folders in it, sorted.
pub(crate) fn files_below(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).expect("the folder is there") {
        let path = entry.expect("readable").path();
        if path.is_dir() {
            files.extend(files_below(&path, extension));
        } else if path.extension().is_some_and(|found| found == extension) {
            files.push(path);
        }
    }
    files.sort();
    files
}

/// Runs `sim` as a user would, in the root of the repository.
pub(crate) fn sim(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_sim")).args(arguments).current_dir(root()).output().expect("sim starts")
}

/// Did it succeed, apart from what other programs (other tests, mostly) did to its real runs?
pub(crate) fn succeeded(output: &Output) -> bool {
    let busy = String::from_utf8_lossy(&output.stderr).contains("the machine is too busy: ");
    output.status.success() || (output.status.code() == Some(1) && busy)
}

/// Says why a test is not made here.
#[expect(clippy::print_stderr, reason = "who reads the tests' output should know")]
pub(crate) fn skipped(reason: &str) {
    eprintln!("skipped: {reason}");
}

/// A fresh folder, whoever else asks for one of this name: tests run side by side.
pub(crate) fn temporary_folder(name: &str) -> PathBuf {
    static FOLDERS: AtomicU32 = AtomicU32::new(0);
    let number = FOLDERS.fetch_add(1, Ordering::Relaxed);
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{}-{number}-{name}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).expect("a folder for temporary files");
    folder
}

/// A scenario in a file of its own, for commands that want a path.
pub(crate) fn temporary(name: &str, toml: &str) -> PathBuf {
    let path = temporary_folder(name).join("scenario.toml");
    std::fs::write(&path, toml).expect("a temporary file");
    path
}
