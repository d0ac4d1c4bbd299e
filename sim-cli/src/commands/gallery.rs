//! `sim gallery`: a picture of every scenario of a folder and the report of every experiment, so that those in the repository
//! never go stale.

use std::path::{Path, PathBuf};

use sim_core::document::Source;
use sim_core::experiment::Experiment;
use sim_core::scenario::Scenario;
use sim_real::Options;

use super::compare::{How, both, draw_both};
use super::input::Input;
use super::prediction::{Oracle, profile_of};
use super::real_runs::feasible;
use super::simulated::{Keep, simulated};
use super::validate::TOLERANCES;
use super::{Failure, Verdict, draw, panel, sweep};
use crate::args::{GalleryArgs, PythonArgs, ScenarioArgs};
use crate::memory::Memory;
use crate::{interruption, output};

/// How often a scenario is measured for its comparison picture.
const RUNS: usize = 10;

pub(super) fn gallery(args: &GalleryArgs) -> Result<Verdict, Failure> {
    let files = scenarios(&args.configs, false)?;
    create(&args.plots)?;
    let (experiments, mut files): (Vec<PathBuf>, Vec<PathBuf>) =
        files.into_iter().partition(|file| is_experiment(file));
    // What an experiment varies is drawn in its report.
    let varied: Vec<PathBuf> = experiments.iter().filter_map(|file| varied_by(file)).collect();
    files.retain(|file| !file.canonicalize().is_ok_and(|file| varied.contains(&file)));
    for file in &files {
        let scenario = scenario_of(file)?;
        let run = simulated(&scenario, Keep::All, Memory::default().for_shown(1), None)?;
        let picture = picture_of(file, &args.configs, &args.plots)?;
        draw(&scenario, "", vec![panel(&run, String::new(), String::new())], &picture)?;
        output::data(&format!("{}\n", picture.display()));
        if args.compare {
            compare(file, &picture_of(file, &args.configs, &args.plots.join("compare"))?, args.python)?;
        }
        if interruption::asked() {
            return Ok(Verdict::Interrupted);
        }
    }
    for file in &experiments {
        let folder = picture_of(file, &args.configs, &args.plots)?.with_extension("");
        create(&folder)?;
        if !sweep::draw(file, &folder)? {
            return Ok(Verdict::Interrupted);
        }
        output::data(&format!("{}\n", folder.join("report.md").display()));
    }
    Ok(Verdict::Done)
}

fn scenario_of(file: &Path) -> Result<Scenario, Failure> {
    let (scenario, _) = Input::read(file)?.parsed().scenario(&ScenarioArgs::default(), &[])?;
    Ok(scenario)
}

fn compare(file: &Path, picture: &Path, PythonArgs { python }: PythonArgs) -> Result<(), Failure> {
    let input = Input::read(file)?;
    let (parsed, args) = (input.parsed(), ScenarioArgs::default());
    let (scenario, _) = parsed.scenario(&args, &[])?;
    let (profile, name) = profile_of(None, false)?;
    let how = How {
        runs: RUNS,
        options: Options { python, interrupted: interruption::asked, ..Options::default() },
        memory: Memory::default(),
        quiet: false,
        anyway: false,
        oracle: Some(Oracle { parsed: &parsed, args: &args, profile, name }),
    };
    match feasible(&scenario).and_then(|()| both(&scenario, how)) {
        Ok(None) => {}
        Ok(Some(both)) => {
            draw_both(&scenario, &both, picture)?;
            output::data(&format!("{}\n", picture.display()));
        }
        // A scenario that cannot be run for real here is still worth its simulated picture.
        Err(Failure(why)) => output::talk(&format!("{}: no comparison: {why}", file.display())),
    }
    Ok(())
}

/// The TOML files of a folder and of the folders in it, in the order of their names; with those that are there to be validated,
/// which nobody wants to see, or without.
pub(super) fn scenarios(folder: &Path, validated: bool) -> Result<Vec<PathBuf>, Failure> {
    let mut files = Vec::new();
    collect(folder, validated, &mut files)?;
    files.retain(|file| file.file_name().is_none_or(|name| name != TOLERANCES));
    files.sort();
    if files.is_empty() {
        return Err(Failure(format!("sim: there is no scenario (*.toml) in {}", folder.display())));
    }
    Ok(files)
}

fn collect(folder: &Path, validated: bool, files: &mut Vec<PathBuf>) -> Result<(), Failure> {
    if !validated && folder.join(TOLERANCES).exists() {
        return Ok(());
    }
    let complain =
        |error: std::io::Error| Failure(format!("sim: cannot read the folder {}: {error}", folder.display()));
    for entry in std::fs::read_dir(folder).map_err(complain)? {
        let entry = entry.map_err(complain)?;
        let path = entry.path();
        // Links are not followed: one could lead round in circles.
        if entry.file_type().map_err(complain)?.is_dir() {
            collect(&path, validated, files)?;
        } else if path.extension().is_some_and(|extension| extension == "toml") {
            files.push(path);
        }
    }
    Ok(())
}

/// An experiment has reports of its own.
fn is_experiment(path: &Path) -> bool {
    std::fs::read_to_string(path).is_ok_and(|text| Experiment::is_one(&text))
}

/// The scenario that an experiment names.
fn varied_by(path: &Path) -> Option<PathBuf> {
    let text = std::fs::read_to_string(path).ok()?;
    let experiment = Experiment::read(&Source { file: "", text: &text }).ok()?;
    path.parent()?.join(experiment.scenario).canonicalize().ok()
}

/// Where the picture of a scenario goes: at the same place in the other folder.
fn picture_of(file: &Path, configs: &Path, plots: &Path) -> Result<PathBuf, Failure> {
    let picture = plots.join(file.strip_prefix(configs).unwrap_or(file)).with_extension("png");
    create(picture.parent().unwrap_or(plots))?;
    Ok(picture)
}

fn create(folder: &Path) -> Result<(), Failure> {
    std::fs::create_dir_all(folder)
        .map_err(|error| Failure(format!("sim: cannot make the folder {}: {error}", folder.display())))
}
