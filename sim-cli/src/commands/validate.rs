//! `sim validate`: holds every scenario of a folder against the machine, class by class.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use sim_core::compare::compare_ensemble;
use sim_core::document::Source;
use sim_core::scenario::Profile;
use sim_core::scenario::words::did_you_mean;
use sim_real::Options;

use super::compare::{Both, How, both};
use super::gallery;
use super::input::{self, Input, told};
use super::prediction::{Oracle, profile_of};
use super::real_runs::feasible;
use super::{Failure, Verdict};
use crate::args::{ScenarioArgs, ValidateArgs};
use crate::memory::Memory;
use crate::output::{self, Terminal};
use crate::validation::{Compared, Fate, Tolerances, Trial, Validation, WRONG};
use crate::{interruption, report};

/// The file of a folder that says how far its classes may be off.
pub(super) const TOLERANCES: &str = "tolerances.toml";

pub(super) fn validate(args: &ValidateArgs) -> Result<Verdict, Failure> {
    let files = gallery::scenarios(&args.folder, true)?;
    let root = root_of(&args.folder);
    let tolerances = tolerances(&root)?;
    refuse_unknown(&tolerances, &root, &gallery::scenarios(&root, true)?)?;
    // What cannot be read is no scenario that could not be compared.
    let inputs = input::all(&files)?;
    input::each(&inputs, |parsed| parsed.scenario(&ScenarioArgs::default(), &[]).map(drop))?;
    let (profile, name) = match profile_of(args.profile.as_deref(), args.quiet) {
        Err(_) if interruption::asked() => return Ok(Verdict::Interrupted),
        profile => profile?,
    };
    let wrong = Profile::read(&Source { file: "a wrong profile", text: WRONG }).map_err(told)?;
    let (mut trials, mut warnings) = (Vec::new(), BTreeSet::new());
    for (index, (file, input)) in files.iter().zip(inputs.iter().flatten()).enumerate() {
        if !args.quiet && !args.json {
            output::talk(&format!("{} of {}: {}", index + 1, files.len(), file.display()));
        }
        let fate = one(args, input, [(&profile, &name), (&wrong, &String::new())], &mut warnings).unwrap_or_else(
            |Failure(why)| Fate::Refused(why.lines().next().unwrap_or_default().trim_start_matches("sim: ").to_owned()),
        );
        if interruption::asked() {
            break;
        }
        trials.push(Trial { class: class_of(file, &root), file: file.display().to_string(), fate });
    }
    let interrupted = trials.len() < files.len();
    let warnings: Vec<String> = warnings.into_iter().collect();
    let validation = Validation { interrupted, warnings, ..Validation::new(name, trials, &tolerances) };
    if args.json {
        output::json(&validation);
    } else if !args.quiet {
        output::data(&report::validation(&validation, &Terminal::present()));
    }
    if !args.quiet {
        validation.warnings.iter().for_each(|warning| output::talk(&format!("warning: {warning}")));
        validation.broken.iter().for_each(|sentence| output::talk(&format!("finding: {sentence}")));
    }
    Ok(match validation.broken.is_empty() {
        _ if interrupted => Verdict::Interrupted,
        true => Verdict::Done,
        false => Verdict::Finding,
    })
}

/// The folder with the tolerances: this one, or the nearest above it that has some.
fn root_of(folder: &Path) -> PathBuf {
    let has_some = |folder: &&Path| folder.join(TOLERANCES).is_file();
    folder.ancestors().take(4).find(has_some).unwrap_or(folder).to_owned()
}

/// Tolerances for a class of which there is no folder are not kept by anybody.
fn refuse_unknown(tolerances: &Tolerances, root: &Path, files: &[PathBuf]) -> Result<(), Failure> {
    let classes: BTreeSet<String> = files.iter().map(|file| class_of(file, root)).collect();
    let Some(unknown) = tolerances.classes().find(|name| !classes.contains(*name)) else { return Ok(()) };
    let hint =
        did_you_mean(unknown, classes.iter().map(String::as_str), || "a class is a folder of scenarios".to_owned());
    let file = root.join(TOLERANCES);
    Err(format!("{} has tolerances for `{unknown}`, and there is no such class\nhint: {hint}", file.display()).into())
}

/// The class of a scenario: the folder in which it is.
fn class_of(file: &Path, folder: &Path) -> String {
    let inside = file.parent().and_then(|parent| parent.strip_prefix(folder).ok());
    let class = inside.map_or_else(String::new, |inside| inside.display().to_string());
    if class.is_empty() { "(no folder)".to_owned() } else { class }
}

/// What each class must keep to; nothing where the folder has no such file.
fn tolerances(folder: &Path) -> Result<Tolerances, Failure> {
    let path: PathBuf = folder.join(TOLERANCES);
    if !path.exists() {
        return Ok(Tolerances::default());
    }
    let input = Input::read(&path)?;
    let file = input.named();
    Tolerances::read(&Source { file: &file, text: input.text() }).map_err(told)
}

/// Measures and predicts one scenario, by the profile and by one that is wrong. What should be known of the profile goes to
/// `warnings`: it is mostly the same for all.
fn one(
    args: &ValidateArgs,
    input: &Input,
    profiles: [(&Profile, &String); 2],
    warnings: &mut BTreeSet<String>,
) -> Result<Fate, Failure> {
    let parsed = input.parsed();
    let scenario_args = ScenarioArgs { seed: args.seed, ..ScenarioArgs::default() };
    let (scenario, _) = parsed.scenario(&scenario_args, &[])?;
    feasible(&scenario)?;
    let [right, wrong] = profiles.map(|(profile, name)| Oracle {
        parsed: &parsed,
        args: &scenario_args,
        profile: profile.clone(),
        name: name.clone(),
    });
    let how = How {
        runs: args.runs as usize,
        options: Options { python: args.python.python, interrupted: interruption::asked, ..Options::default() },
        memory: Memory::default(),
        quiet: true,
        anyway: false,
        oracle: Some(right),
    };
    let Some(both) = both(&scenario, how)? else { return Ok(Fate::Refused("interrupted".to_owned())) };
    warnings.extend(both.predicted.iter().flat_map(|prediction| prediction.warnings.iter().cloned()));
    if let Some(why) = &both.comparison.not_comparable {
        return Ok(Fate::Refused(why.clone()));
    }
    let control = control(&both, &wrong)?;
    Ok(Compared::of(&both.comparison, control)
        .map_or_else(|| Fate::Refused("nothing finished".to_owned()), Fate::Compared))
}

/// What a wrong profile makes of the same real runs: the error of the makespan.
fn control(both: &Both, wrong: &Oracle<'_>) -> Result<Option<f64>, Failure> {
    let prediction = wrong.predict(&both.measured[both.shown].recorded, Memory::default(), true)?;
    let (machines, _) = prediction.timelines_and_outcomes();
    let real: Vec<_> = both.measured.iter().map(|run| run.timeline.clone()).collect();
    Ok(compare_ensemble(&machines, &real).makespan_error)
}
