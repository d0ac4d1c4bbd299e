//! The commands, one file each, and what they share: loading scenarios, simulating, writing pictures and traces.

mod calibrate;
mod check;
mod compare;
mod diff;
mod endings;
mod explain;
mod export;
mod gallery;
mod generate;
mod import;
mod input;
mod list;
mod measure;
mod new;
mod prediction;
mod profiles;
mod real_runs;
mod run;
mod shell;
mod simulated;
mod sweep;
mod validate;
mod variations;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use sim_core::causes::Causes;
use sim_core::outcome::Outcome;
use sim_core::scenario::Scenario;
use sim_core::scenario::planned::{COMMANDS, OPTIONS};
use sim_core::time::Time;
use sim_core::timeline::Timeline;

use self::simulated::Simulated;
use crate::args::{Command, OutputArgs};
use crate::condition::{self, Condition, Tally};
use crate::explain::{Explained, headline};
use crate::picture::{self, Panel, Picture, View};
use crate::{export as exporters, files, interruption, output, report};

/// What a command that worked has to say to the shell.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Verdict {
    /// All is well.
    Done,
    /// A deadlock, a livelock, a difference above the tolerance, what `--fail-on` or `--fail-if` names, or what is not as
    /// `--expect` says.
    Finding,
    /// Ctrl-C was pressed, and what there was by then is printed.
    Interrupted,
}

/// Why a command could not do its work: misuse, invalid input, something this machine cannot do. For people.
#[derive(Clone, Debug)]
pub struct Failure(pub String);

impl From<String> for Failure {
    fn from(sentence: String) -> Failure {
        Failure(format!("sim: {sentence}"))
    }
}

/// Executes a command.
#[must_use]
pub fn execute(command: &Command) -> ExitCode {
    let result = match command {
        Command::Run(args) => run::run(args),
        Command::Measure(args) => measure::measure(args),
        Command::Compare(args) => compare::compare(args),
        Command::Diff(args) => diff::diff(args),
        Command::Explain(args) => explain::explain(args),
        Command::Export(args) => export::export(args),
        Command::Import(args) => import::import(args),
        Command::New(args) => new::new(args),
        Command::Check(args) => check::check(args),
        Command::List(args) => list::list(args),
        Command::Gallery(args) => gallery::gallery(args),
        Command::Generate(args) => generate::generate(args),
        Command::Calibrate(args) => calibrate::calibrate(args),
        Command::Validate(args) => validate::validate(args),
        Command::Completions(args) => shell::completions(args),
        Command::Man(args) => shell::man(args),
        Command::Sweep(args) => sweep::sweep(args),
        Command::Merge(args) => sweep::merge(args),
        Command::Reproduce(args) => sweep::reproduce(args),
    };
    match result {
        Ok(Verdict::Done) => ExitCode::SUCCESS,
        Ok(Verdict::Finding) => ExitCode::from(1),
        Ok(Verdict::Interrupted) => ExitCode::from(interruption::EXIT_CODE),
        Err(Failure(text)) => {
            output::talk(&text);
            ExitCode::from(2)
        }
    }
}

/// What the kinds of findings of one or several runs say to the shell; those that were asked for are told.
fn verdict(found: &[&'static str], asked: &[String]) -> Verdict {
    let distinct: BTreeSet<&str> = found.iter().copied().collect();
    let told = distinct.iter().filter(|kind| asked.iter().any(|name| name == *kind));
    told.for_each(|kind| output::talk(&format!("finding: {kind} (--fail-on)")));
    if distinct.is_empty() { Verdict::Done } else { Verdict::Finding }
}

/// Tells which conditions of `--fail-if` held, and what that says to the shell.
fn failing(tally: &Tally<'_>) -> Verdict {
    let mut verdict = Verdict::Done;
    tally.in_vain().for_each(|sentence| output::talk(&format!("remark: {sentence}")));
    for sentence in tally.sentences() {
        output::talk(&format!("finding: {sentence}"));
        verdict = Verdict::Finding;
    }
    verdict
}

/// Fails if one of the conditions asks for what none of the scenarios has.
fn known<'s>(conditions: &[Condition], scenarios: impl Iterator<Item = &'s Scenario> + Clone) -> Result<(), Failure> {
    condition::known_in_any(conditions, scenarios).map_err(Failure::from)
}

/// Refuses a command or an option that is to come, by its name.
#[must_use]
pub fn refuse_planned(arguments: &[String]) -> Option<ExitCode> {
    let command = arguments.first()?;
    let (name, hint) = match COMMANDS.iter().find(|(name, _)| name == command) {
        Some((name, hint)) => (*name, hint),
        None => option_to_come(command, &arguments[1..])?,
    };
    output::talk(&format!("sim: `{name}` is not supported yet\nhint: {hint}"));
    Some(ExitCode::from(2))
}

/// The first option of a command that it is to have one day, and what can be done today.
fn option_to_come(command: &str, arguments: &[String]) -> Option<(&'static str, &'static &'static str)> {
    let of_command = || OPTIONS.iter().filter(|(_, commands, _)| commands.contains(&command));
    arguments.iter().take_while(|argument| *argument != "--").find_map(|argument| {
        let written = argument.split('=').next().unwrap_or_default();
        of_command().find_map(|(names, _, hint)| Some((*names.iter().find(|name| **name == written)?, hint)))
    })
}

/// Learns before any work is done that a picture or traces could not be written after it: of a mistyped extension, a
/// missing folder, the name of an input.
fn check_outputs(plot: Option<&Path>, traces: &[PathBuf], inputs: &[PathBuf]) -> Result<(), Failure> {
    if let Some(path) = plot {
        picture::kind_of(path)?;
    }
    for path in traces {
        exporters::exporter_for(path)?;
    }
    plot.into_iter().chain(traces.iter().map(PathBuf::as_path)).try_for_each(|path| files::check(path, inputs))?;
    Ok(())
}

/// Tells which files were written, however many.
fn tell_written(args: &OutputArgs, what: &str, paths: &[PathBuf]) {
    match paths {
        _ if args.quiet => {}
        [] => {}
        [path] => output::talk(&format!("{what}: {}", path.display())),
        [first, .., last] => {
            output::talk(&format!("{what}s: {} … {} ({} files)", first.display(), last.display(), paths.len()));
        }
    }
}

/// The outcome with what is asked for beyond the numbers.
fn with_details(args: &OutputArgs, outcome: Outcome, timeline: &Timeline) -> Outcome {
    let outcome = if args.explain {
        let words = Some(headline(&Explained::new(timeline)).replace('\u{a0}', " "));
        Outcome { words, ..outcome.with_causes(timeline, &Causes::of(timeline)) }
    } else {
        outcome
    };
    if args.timeline { outcome.with_timeline(timeline) } else { outcome }
}

/// More findings than this would hide the picture.
const MOST_FINDINGS: usize = 2;

/// What the pictures of a run say of it in words: why it is a deadlock, and what was found in it.
fn findings(outcome: &Outcome) -> Vec<String> {
    let findings = outcome.findings.iter().take(MOST_FINDINGS).map(|finding| &finding.text);
    outcome.explanation.iter().chain(findings).cloned().collect()
}

/// A picture of these panels.
fn draw(scenario: &Scenario, note: &str, panels: Vec<Panel<'_>>, path: &Path) -> Result<(), Failure> {
    Ok(picture::draw(&picture_for(&[scenario], note, panels), path)?)
}

/// A picture of scenarios, a panel for each, or of only one, however many panels it has. The subtitle says what they have in
/// common, and each panel what is its own.
fn picture_for<'a>(scenarios: &[&Scenario], note: &str, mut panels: Vec<Panel<'a>>) -> Picture<'a> {
    let mut titles: Vec<&str> = scenarios.iter().map(|scenario| scenario.title.as_str()).collect();
    titles.dedup();
    let title = titles.join(" · ");
    let all: Vec<[String; 5]> = scenarios.iter().map(|scenario| report::settings(scenario)).collect();
    let common = |index: usize| all.iter().all(|settings| settings[index] == all[0][index]);
    let subtitle = all.first().map_or_else(String::new, |settings| report::listed(settings, common));
    if all.len() > 1 {
        for (panel, settings) in panels.iter_mut().zip(&all) {
            let own = report::listed(settings, |index| !common(index) && !is_said(&settings[index], &panel.heading));
            panel.subtitle = [own, std::mem::take(&mut panel.subtitle)]
                .into_iter()
                .filter(|words| !words.is_empty())
                .collect::<Vec<_>>()
                .join(" · ");
        }
    }
    Picture {
        title: if title.is_empty() { "Scenario".to_owned() } else { title },
        subtitle,
        note: note.to_owned(),
        panels,
        ..Picture::default()
    }
}

/// Learns before long work whether there is such a part of the time, and something that shows it.
fn check_view(args: &OutputArgs, shows: bool) -> Result<(), Failure> {
    let view = view(args)?;
    if view != View::default() && !shows {
        let sentence = "--from and --to choose a part of a picture or of the log, and there is neither";
        return Err(Failure::from(format!("{sentence}\nhint: --plot FILE, or --log of `sim run`")));
    }
    Ok(())
}

/// Which part of the time a picture shows.
fn view(args: &OutputArgs) -> Result<View, Failure> {
    let View { from, to } = View::default();
    let view = View {
        from: args.from.map_or(from, |after| Time::ZERO + after),
        to: args.to.map_or(to, |after| Time::ZERO + after),
    };
    if view.from >= view.to {
        return Err(Failure::from(format!("--from {} is not before --to {}", view.from, view.to)));
    }
    if args.explain && args.plot.as_deref().is_some_and(|path| !picture::is_page(path)) && view != View::default() {
        let sentence = "--from and --to show a part of the time, and the bars of --explain are of whole lives";
        return Err(Failure::from(format!("{sentence}\nhint: without --explain, or as a page: --plot FILE.html")));
    }
    Ok(view)
}

/// Does the heading of a panel say it already, as `policy=edf` says `edf` and `processors=2` says `2 processors`?
fn is_said(setting: &str, heading: &str) -> bool {
    let words = |text: &'_ str| -> BTreeSet<String> {
        let words = text.split(|letter: char| !(letter.is_alphanumeric() || letter == '-'));
        words.filter(|word| !word.is_empty()).map(|word| word.trim_end_matches('s').to_owned()).collect()
    };
    // Of `disk: sstf` the discipline.
    let setting = setting.split_once(": ").map_or(setting, |(_, discipline)| discipline);
    words(setting).is_subset(&words(heading))
}

/// A simulated run in a picture.
fn panel(run: &Simulated, heading: String, subtitle: String) -> Panel<'_> {
    Panel { heading, subtitle, findings: findings(&run.outcome), timeline: &run.timeline }
}

fn trace(timeline: &Timeline, scenario: &Scenario, path: &Path) -> Result<(), Failure> {
    Ok(exporters::write(timeline, &scenario.title, path)?)
}
