//! Scenario files on their way in: each is read once, and all of a command are looked at before the first runs.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use sim_core::document::{Document, LONGEST, Mistake, Mistakes, Override, Source};
use sim_core::scenario::{Profile, Ran, Scenario, lower, predicted};
use sim_import::Kind;

use super::{Failure, profiles};
use crate::args::ScenarioArgs;
use crate::{export, output, picture};

/// The name that stands for standard input.
const STANDARD_INPUT: &str = "-";

/// A scenario file that has been read.
#[derive(Clone)]
pub(super) struct Input {
    file: PathBuf,
    /// How it is called in messages.
    name: String,
    text: String,
}

/// The same parsed, to be read as often as there are variations of it.
pub(super) struct Parsed<'i> {
    input: &'i Input,
    document: Document<'i>,
}

/// A value that is set, as the command line has it: its path and its text.
pub(super) type Set = (String, String);

impl Input {
    /// Reads a file; `-` is standard input.
    pub(super) fn read(file: &Path) -> Result<Input, Failure> {
        Input::read_up_to(file, LONGEST)
    }

    /// Reads a file that may be so long, and one byte more.
    pub(super) fn read_up_to(file: &Path, longest: usize) -> Result<Input, Failure> {
        let bytes = Input::bytes_up_to(file, longest)?;
        if longest == LONGEST
            && let Some(kind) = sim_import::recognised(&bytes)
        {
            return Err(foreign(file, kind));
        }
        let text = match String::from_utf8(bytes) {
            Ok(text) => text,
            // It is refused for its length, wherever it was cut.
            Err(error) if error.as_bytes().len() > longest => String::from_utf8_lossy(error.as_bytes()).into_owned(),
            Err(error) => {
                let at = error.utf8_error().valid_up_to();
                return Err(unreadable(file, longest, &format_args!("it is not UTF-8 text (byte {at} is not)")));
            }
        };
        Ok(Input { file: file.to_owned(), name: named(file), text })
    }

    /// What is in a file that may be so long, and one byte more.
    pub(super) fn bytes_up_to(file: &Path, longest: usize) -> Result<Vec<u8>, Failure> {
        let bytes = if is_standard_input(file) {
            all_of(io::stdin().lock(), longest)
        } else {
            File::open(file).and_then(|file| all_of(file, longest))
        };
        bytes.map_err(|error| match error.kind() {
            io::ErrorKind::IsADirectory => {
                let hint =
                    format_args!("it is a folder\nhint: name the files in it, such as {}/*.toml", file.display());
                unreadable(file, longest, &hint)
            }
            _ => unreadable(file, longest, &error),
        })
    }

    /// How it is called in messages.
    pub(super) fn named(&self) -> String {
        self.name.clone()
    }

    /// Its path, as it was given.
    pub(super) fn path(&self) -> &Path {
        &self.file
    }

    /// What is in it.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// The name without folder and extension.
    pub(super) fn stem(&self) -> String {
        if is_standard_input(&self.file) {
            return "standard-input".to_owned();
        }
        self.file.file_stem().unwrap_or_default().to_string_lossy().into_owned()
    }

    /// Parses it; what is wrong with it is told by whoever asks for the scenario.
    pub(super) fn parsed(&self) -> Parsed<'_> {
        Parsed { input: self, document: lower::parsed(&Source { file: &self.name, text: &self.text }) }
    }
}

impl Parsed<'_> {
    /// The document.
    pub(super) fn document(&self) -> &Document<'_> {
        &self.document
    }

    /// The file.
    pub(super) fn input(&self) -> &Input {
        self.input
    }

    /// The scenario, with overrides and the values that vary, and remarks on what in it is hardly meant.
    pub(super) fn scenario(&self, args: &ScenarioArgs, varied: &[Set]) -> Result<(Scenario, Vec<Mistake>), Failure> {
        let (scenario, remarks) =
            lowered(&self.document, overrides(args, varied), |scenario| self.own_profile(scenario))?;
        Ok((self.titled(scenario), remarks))
    }

    /// The scenario as a prediction of what ran, on the machine of a profile.
    pub(super) fn predicted(&self, args: &ScenarioArgs, profile: &Profile, ran: &Ran) -> Result<Scenario, Failure> {
        let scenario = predicted(&self.document, &overrides(args, &[]), profile, ran).map_err(told)?;
        Ok(self.titled(scenario))
    }

    /// The profile that the scenario itself names: its path starts where the scenario is, or else here.
    pub(super) fn own_profile(&self, scenario: &Scenario) -> Result<Option<Profile>, Failure> {
        let Some(named) = scenario.machine.profile.as_deref() else { return Ok(None) };
        let beside = self.input.file.parent().unwrap_or(Path::new("")).join(named);
        let path = if beside.exists() { beside } else { PathBuf::from(named) };
        let read = profiles::read(&path);
        read.map(Some).map_err(|Failure(why)| {
            Failure(format!("{why}\nhint: it is the `profile` of [machine] in {}", self.input.name))
        })
    }

    fn titled(&self, mut scenario: Scenario) -> Scenario {
        if scenario.title.is_empty() {
            scenario.title = self.input.stem();
        }
        scenario
    }

    /// The scenario; unless asked to be quiet, remarks are said.
    pub(super) fn scenario_aloud(&self, args: &ScenarioArgs, quiet: bool) -> Result<Scenario, Failure> {
        let (scenario, remarks) = self.scenario(args, &[])?;
        remarks.iter().filter(|remark| !quiet && !remark.tolerated).for_each(say);
        Ok(scenario)
    }
}

/// The scenario of a document with overrides, above the profile that it names, and remarks.
pub(super) fn lowered(
    document: &Document<'_>,
    mut overrides: Vec<Override>,
    profile: impl FnOnce(&Scenario) -> Result<Option<Profile>, Failure>,
) -> Result<(Scenario, Vec<Mistake>), Failure> {
    let (scenario, remarks) = lower::document(document, &overrides).map_err(told)?;
    match profile(&scenario)? {
        None => Ok((scenario, remarks)),
        Some(profile) => {
            overrides.extend(profile.beneath(&scenario));
            lower::document(document, &overrides).map_err(told)
        }
    }
}

/// What the command line puts into a document.
pub(super) fn overrides(args: &ScenarioArgs, varied: &[Set]) -> Vec<Override> {
    let mut overrides: Vec<Override> = args.sets.iter().map(|(path, value)| Override::new(path, value)).collect();
    overrides.extend(varied.iter().map(|(path, value)| Override::varied(path, value)));
    overrides.extend(args.seed.map(|seed| Override::new("seed", seed.to_string())));
    overrides
}

/// What is wrong with a document, for the width of the terminal.
pub(super) fn told(mistakes: Mistakes) -> Failure {
    let columns = output::most_columns_of_talk();
    Failure(mistakes.narrowed(columns.unwrap_or(usize::MAX)).to_string())
}

/// Says a remark.
pub(super) fn say(remark: &Mistake) {
    let hint = remark.hint.as_ref().map_or_else(String::new, |hint| format!("; {hint}"));
    output::talk(&format!("remark: {}: {}{hint}", remark.place, remark.sentence));
}

/// What is to be said of a scenario in Python that names no policy by which its threads are simulated: interpreters run by
/// another.
pub(super) fn remark_of_policy(scenario: &Scenario) -> Option<&'static str> {
    let in_python = scenario.processes.iter().any(|process| process.runtime.cpython().is_some());
    let mut threads = scenario.processes.iter().map(|process| process.executor.own_threads());
    let is_one_thread = threads.next() == Some(Some(1)) && threads.next().is_none();
    (in_python && !is_one_thread && !scenario.scheduler.named).then_some(
        "no policy is named, so threads run first come, first served; interpreters run under the scheduler of Linux: write policy = \
         \"linux\" in [scheduler]",
    )
}

/// Says it.
pub(super) fn remark_on_policy(named: &str, scenario: &Scenario) {
    if let Some(remark) = remark_of_policy(scenario) {
        output::talk(&format!("remark: {named}: {remark}"));
    }
}

/// The files of a command, or why one of them cannot be read.
pub(super) type Inputs = Vec<Result<Input, Failure>>;

/// Reads several files.
pub(super) fn all(files: &[PathBuf]) -> Result<Inputs, Failure> {
    if files.iter().filter(|file| is_standard_input(file)).count() > 1 {
        return Err(Failure("sim: standard input (`-`) can be read once only".to_owned()));
    }
    Ok(files.iter().map(|file| Input::read(file)).collect())
}

/// Makes something of each of several files, or fails with all that is wrong with any of them.
pub(super) fn each<'i, T>(
    inputs: &'i Inputs,
    make: impl Fn(Parsed<'i>) -> Result<T, Failure>,
) -> Result<Vec<T>, Failure> {
    let (mut made, mut failures) = (Vec::new(), Vec::new());
    for input in inputs {
        match input.as_ref().map(Input::parsed).map_err(Failure::clone).and_then(&make) {
            Ok(value) => made.push(value),
            Err(Failure(text)) => failures.push(text),
        }
    }
    if failures.is_empty() { Ok(made) } else { Err(Failure(failures.join("\n\n"))) }
}

/// The option before a name that is hardly one of a scenario.
fn output_option(file: &Path) -> Option<&'static str> {
    let is_picture = picture::kind_of(file).is_ok();
    is_picture.then_some("--plot").or_else(|| export::exporter_for(file).is_ok().then_some("--trace"))
}

/// Why a file cannot be read.
fn unreadable(file: &Path, longest: usize, what: &dyn std::fmt::Display) -> Failure {
    // Where other files than scenarios are read too, the name says nothing.
    let option = output_option(file).filter(|_| longest == LONGEST);
    let hint = option.map_or_else(String::new, |option| {
        format!("\nhint: this name is one of an output; write {option} {} to have it made", file.display())
    });
    Failure(format!("sim: cannot read {}: {what}{hint}", named(file)))
}

/// Says of a file that scenarios can be made of it.
fn foreign(file: &Path, kind: &Kind) -> Failure {
    let name = named(file);
    let written = file.display();
    Failure(format!("sim: {name} is no scenario, it is {}\nhint: sim import {written} -o scenario.toml", kind.title))
}

pub(super) fn named(file: &Path) -> String {
    if is_standard_input(file) { "standard input".to_owned() } else { file.display().to_string() }
}

pub(super) fn is_standard_input(file: &Path) -> bool {
    file.as_os_str() == STANDARD_INPUT
}

/// All that comes, up to one byte more than it may have: some inputs have no end.
fn all_of(input: impl Read, longest: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    input.take(longest as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}
