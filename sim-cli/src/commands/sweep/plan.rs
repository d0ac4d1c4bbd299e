//! What an experiment does, from its files: read once, looked at as a whole before the first run.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sha2::{Digest as _, Sha256};
use sim_core::document::{Override, Source};
use sim_core::engine;
use sim_core::experiment::{Experiment, WarmUp};
use sim_core::scenario::{Profile, Scenario, lower};
use sim_core::time::Time;
use sim_core::timeline::Cast;

use super::super::input::{self, Input};
use super::super::{Failure, profiles};
use crate::sweep::line::{FORMAT, Header};
use crate::sweep::shard::Shard;
use crate::sweep::store;

/// The files of an experiment: those that somebody wrote, or those that stand beside results.
pub(in super::super) struct Files {
    experiment: Input,
    scenario: Input,
    /// Where profiles are, by how the scenario names them.
    profiles: Profiles,
    /// What the experiment is called if it does not say: the name of its file.
    name: String,
}

enum Profiles {
    /// Beside the scenario, or here.
    Beside(PathBuf),
    /// Beside results, numbered in this order.
    Stored(PathBuf, Vec<String>),
}

/// An experiment that is right in every variation.
pub(in super::super) struct Plan {
    pub(in super::super) experiment: Experiment,
    /// By variation.
    pub(in super::super) variations: Vec<Prepared>,
    pub(in super::super) seed: u64,
    pub(in super::super) title: String,
    files: Files,
    /// The profiles that variations name, in the order in which they come up, with their texts.
    profiles: Vec<(String, String)>,
}

/// A variation, ready to be run.
#[derive(Clone)]
pub(in super::super) struct Prepared {
    pub(in super::super) scenario: Arc<Scenario>,
    pub(in super::super) cast: Arc<Cast>,
}

impl Files {
    /// Those that an experiment is named by: its file, or a folder of its results.
    pub(in super::super) fn of(path: &Path) -> Result<Files, Failure> {
        if !path.is_dir() {
            return Files::written(path);
        }
        let header = store::first(path).ok_or_else(|| {
            let sentence = format!("there are no results in {}", path.display());
            Failure::from(format!(
                "{sentence}\nhint: name an experiment's file, or a folder that `sim sweep` has begun"
            ))
        })?;
        Files::stored(path, &header)
    }

    /// Those of an experiment that somebody wrote.
    pub(in super::super) fn written(path: &Path) -> Result<Files, Failure> {
        let experiment = Input::read(path)?;
        let read = read_experiment(&experiment)?;
        let beside = path.parent().unwrap_or(Path::new("")).join(&read.scenario);
        let scenario = Input::read(&beside).map_err(|Failure(why)| {
            Failure(format!("{why}\nhint: it is the `scenario` of {}, whose path starts there", path.display()))
        })?;
        let folder = beside.parent().unwrap_or(Path::new("")).to_owned();
        let name = experiment.stem();
        Ok(Files { experiment, scenario, profiles: Profiles::Beside(folder), name })
    }

    /// Those beside results with this header.
    pub(in super::super) fn stored(folder: &Path, header: &Header) -> Result<Files, Failure> {
        let experiment = Input::read(&folder.join(store::EXPERIMENT))?;
        let scenario = Input::read(&folder.join(store::SCENARIO))?;
        let profiles = Profiles::Stored(folder.to_owned(), header.profiles.clone());
        Ok(Files { experiment, scenario, profiles, name: header.title.clone() })
    }

    fn profile(&self, named: &str) -> Result<Input, Failure> {
        let path = match &self.profiles {
            Profiles::Beside(folder) if folder.join(named).exists() => folder.join(named),
            Profiles::Beside(_) => PathBuf::from(named),
            Profiles::Stored(folder, names) => match names.iter().position(|name| name == named) {
                Some(index) => folder.join(store::profile(index + 1)),
                None => return Err(Failure::from(format!("the profile {named} is not among the results"))),
            },
        };
        Input::read(&path)
    }
}

fn read_experiment(input: &Input) -> Result<Experiment, Failure> {
    Experiment::read(&Source { file: &input.named(), text: input.text() }).map_err(input::told)
}

/// Profiles that have been read: by name, with their texts.
type Known = RefCell<(BTreeMap<String, Profile>, Vec<(String, String)>)>;

impl Plan {
    /// Reads everything and looks at every variation.
    pub(in super::super) fn of(files: Files) -> Result<Plan, Failure> {
        let experiment = read_experiment(&files.experiment)?;
        let parsed = files.scenario.parsed();
        let document = parsed.document();
        let known = Known::default();
        let mut variations = Vec::with_capacity(experiment.variations());
        for variation in 0..experiment.variations() {
            let overrides = experiment
                .settings(variation)
                .map(|(path, setting)| Override::in_experiment(path, &setting.toml))
                .collect();
            let profile = |scenario: &Scenario| named_profile(&files, scenario, &known);
            let (scenario, _) = input::lowered(document, overrides, profile).map_err(|Failure(mistakes)| {
                let of_file = variation == 0 && lower::document(document, &[]).is_err();
                let which = experiment.label(variation);
                Failure(if of_file || which.is_empty() { mistakes } else { format!("with {which}:\n{mistakes}") })
            })?;
            let cast = Arc::new(engine::cast(&scenario));
            variations.push(Prepared { scenario: Arc::new(scenario), cast });
        }
        drop(parsed);
        let seed = experiment.seed.unwrap_or_else(|| variations.first().map_or(0, |first| first.scenario.seed));
        let title = match &*experiment.title {
            "" => files.name.clone(),
            title => title.to_owned(),
        };
        let (_, profiles) = known.into_inner();
        let plan = Plan { experiment, variations, seed, title, files, profiles };
        plan.judge()?;
        Ok(plan)
    }

    /// Every metric must be one of a variation at least, and be known without what cannot be had; and something must be left
    /// behind the warm-up.
    fn judge(&self) -> Result<(), Failure> {
        let name = self.files.experiment.named();
        let mut mistakes = Vec::new();
        for metric in &self.experiment.metrics {
            let mut refusals = self.variations.iter().map(|variation| metric.known_to(&variation.cast));
            let first = refusals.next().unwrap_or(Ok(()));
            if let Err(refusal) = first
                && !refusals.any(|known| known.is_ok())
            {
                mistakes.push(format!("{name}: {refusal}"));
            }
            if metric.needs_timeline() && self.experiment.warm_up != WarmUp::Nothing {
                let sentence = format!("{name}: `{}` counts whole runs, so no warm-up can be left out", metric.path());
                mistakes.push(format!("{sentence}\nhint: ask for one of the two in an experiment of its own"));
            }
        }
        if let WarmUp::For(warm_up) = self.experiment.warm_up {
            let ends = self.variations.iter().filter_map(|variation| variation.scenario.until);
            if let Some(until) = ends.min().filter(|until| *until <= Time::ZERO + warm_up) {
                let until = until.since(Time::ZERO);
                let sentence = format!("{name}: `warm-up` leaves out {warm_up}, and the runs end after {until}");
                mistakes.push(format!("{sentence}\nhint: leave out less, or let them run for longer (`until`)"));
            }
        }
        if mistakes.is_empty() { Ok(()) } else { Err(Failure(mistakes.join("\n\n"))) }
    }

    /// The first line of the results of a shard, or of all.
    pub(in super::super) fn header(&self, shard: Option<Shard>, warm_up_ns: u64) -> Header {
        Header {
            format: FORMAT,
            fingerprint: self.fingerprint(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            title: self.title.clone(),
            scenario: self.experiment.scenario.clone(),
            profiles: self.profiles.iter().map(|(name, _)| name.clone()).collect(),
            variations: self.experiment.variations(),
            replications: self.experiment.most_replications(),
            shard: shard.map(|shard| shard.to_string()),
            warm_up_ns,
        }
    }

    /// A hash of all that decides what comes out.
    fn fingerprint(&self) -> String {
        let mut hash = Sha256::new();
        let mut add = |text: &str| {
            hash.update((text.len() as u64).to_le_bytes());
            hash.update(text);
        };
        add(env!("CARGO_PKG_VERSION"));
        add(self.files.experiment.text());
        add(self.files.scenario.text());
        for (name, text) in &self.profiles {
            add(name);
            add(text);
        }
        hash.finalize().iter().fold(String::new(), |mut hex, byte| {
            let _ = write!(hex, "{byte:02x}");
            hex
        })
    }

    /// The files that stand beside results: their names and what is in them.
    pub(in super::super) fn copies(&self) -> Vec<(String, &str)> {
        let own = [(store::EXPERIMENT, self.files.experiment.text()), (store::SCENARIO, self.files.scenario.text())];
        let own = own.into_iter().map(|(name, text)| (name.to_owned(), text));
        let profiles = (1..).zip(&self.profiles).map(|(number, (_, text))| (store::profile(number), text.as_str()));
        own.chain(profiles).collect()
    }
}

/// The profile that a scenario names, read once.
fn named_profile(files: &Files, scenario: &Scenario, known: &Known) -> Result<Option<Profile>, Failure> {
    let Some(named) = scenario.machine.profile.as_deref() else { return Ok(None) };
    if let Some(profile) = known.borrow().0.get(named) {
        return Ok(Some(profile.clone()));
    }
    let input = files.profile(named)?;
    let profile = profiles::of(&input)?;
    let mut known = known.borrow_mut();
    known.0.insert(named.to_owned(), profile.clone());
    known.1.push((named.to_owned(), input.text().to_owned()));
    Ok(Some(profile))
}
