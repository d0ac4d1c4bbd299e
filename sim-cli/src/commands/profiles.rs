//! Profiles of machines on their way in: those that somebody names, and this machine's own in the user's cache.

use std::fs;
use std::path::{Path, PathBuf};

use sim_core::document::Source;
use sim_core::policy::on_linux::Class;
use sim_core::scenario::{Profile, Scenario};

use super::Failure;
use super::input::{Input, told};
use crate::args::ScenarioArgs;

/// What to do about a file that is none.
const WHAT: &str =
    "hint: a profile is a file of what a machine costs; `sim calibrate -o host.toml` measures this one and writes it";

/// Reads a profile.
pub(super) fn read(path: &Path) -> Result<Profile, Failure> {
    let hinted = |why: &str| Failure(format!("{why}\n{WHAT}"));
    if path.is_dir() {
        return Err(hinted(&format!("sim: cannot read {}: it is a folder, and a profile is one file", path.display())));
    }
    of(&Input::read(path).map_err(|Failure(why)| hinted(why.lines().next().unwrap_or_default()))?)
}

/// The profile in a file.
pub(super) fn of(input: &Input) -> Result<Profile, Failure> {
    let hinted = |why: &str| Failure(format!("{why}\n{WHAT}"));
    let (file, text) = (input.named(), input.text());
    Profile::read(&Source { file: &file, text }).map_err(|mistakes| match what_else(input) {
        // What is wrong with it as a profile tells nothing of what is none.
        Some(what) => hinted(&format!("sim: {file} is no profile{what}")),
        None => hinted(&told(mistakes).0),
    })
}

/// How it can be told that a file is no profile, if it can be.
fn what_else(input: &Input) -> Option<&'static str> {
    if input.parsed().scenario(&ScenarioArgs::default(), &[]).is_ok() {
        return Some(", but a scenario");
    }
    let said = |line: &&str| !line.is_empty() && !line.starts_with('#');
    let first = input.text().lines().map(str::trim).find(said)?.trim_start_matches(['[', ' ']);
    let is_section = SECTIONS.iter().any(|name| first.starts_with(name));
    (!is_section).then_some(": one begins with a section such as [about] or [machine]")
}

/// The sections of a profile: nothing stands before the first of them.
const SECTIONS: [&str; 5] = ["about", "machine", "class", "executor", "scheduler"];

/// What of a profile tells one machine from another, and what it is called.
const TELLS: [(&str, &str); 3] =
    [("kernel", "kernel"), ("processor", "processor"), ("processors", "number of processors")];

/// That a profile is of another machine than this one, where it says of which it is.
pub(super) fn elsewhere(profile: &Profile, name: &str) -> Option<String> {
    let here = sim_real::machine_description();
    let differs = |(key, words): &(&str, &str)| {
        let (_, there) = profile.about.iter().find(|(known, _)| known == key)?;
        let (_, here) = here.iter().find(|(known, _)| known == key)?;
        (here != there).then(|| format!("{words} {there}, here {here}"))
    };
    let differences: Vec<String> = TELLS.iter().filter_map(differs).collect();
    (!differences.is_empty()).then(|| {
        format!(
            "{} is of another machine ({}), so the prediction is of what would run there; `sim calibrate` measures this machine, \
             and --profile auto uses that",
            called(name),
            differences.join("; ")
        )
    })
}

/// That a profile does not say what everything costs that a prediction needs of the threads that ran in this class.
pub(super) fn incomplete(profile: &Profile, name: &str, predicted: &Scenario, ran: Option<Class>) -> Option<String> {
    let lacks = profile.lacks(predicted, ran);
    let threads =
        ran.map_or_else(|| "threads that are dispatched".to_owned(), |class| format!("threads under {}", class.name()));
    (!lacks.is_empty()).then(|| {
        let keys: Vec<String> = lacks.iter().map(|key| format!("`{key}`")).collect();
        format!("{} has no {} for {threads}: in the prediction that costs nothing", called(name), keys.join(", "))
    })
}

/// A profile in a sentence.
fn called(name: &str) -> String {
    if name == THIS_MACHINE { "the profile of this machine".to_owned() } else { format!("the profile {name}") }
}

/// What this machine's own profile is called.
pub(super) const THIS_MACHINE: &str = "this machine";

/// Where this machine's own profile is kept: in the user's cache, by kernel, processor and version.
pub(super) fn own_path() -> Option<PathBuf> {
    let from = |variable: &str| std::env::var_os(variable).filter(|path| !path.is_empty()).map(PathBuf::from);
    let cache = from("XDG_CACHE_HOME").filter(|path| path.is_absolute());
    let cache = cache.or_else(|| Some(from("HOME")?.join(".cache")))?;
    Some(cache.join("sim").join("profiles").join(format!("{}.toml", machine_key())))
}

/// What profiles of this machine are kept under.
fn machine_key() -> String {
    let words = sim_real::machine_description();
    let told = ["kernel", "processor", "processors", "rights"]
        .map(|key| words.iter().find(|(name, _)| *name == key).map_or_else(String::new, |(_, value)| value.clone()));
    let key = format!("{}-{}", told.join("-"), env!("CARGO_PKG_VERSION"));
    key.chars()
        .map(|letter| if letter.is_ascii_alphanumeric() || ".-".contains(letter) { letter } else { '_' })
        .collect()
}

/// Does this machine have a profile in the user's cache?
pub(super) fn own() -> Option<PathBuf> {
    own_path().filter(|path| fs::exists(path).unwrap_or(false))
}
