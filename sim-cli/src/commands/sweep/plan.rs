//! What an experiment does, from its files: read once, looked at as a whole before the first run.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sha2::{Digest as _, Sha256};
use sim_core::document::{Document, Override, Source};
use sim_core::engine;
use sim_core::experiment::{Experiment, Refusal, WarmUp};
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
    /// The first variations, as many as there is room for.
    kept: Vec<Prepared>,
    pub(in super::super) seed: u64,
    pub(in super::super) title: String,
    files: Files,
    /// The profiles that variations name.
    read: BTreeMap<String, Profile>,
    /// The same in the order in which they come up, with their texts.
    profiles: Vec<(String, String)>,
}

/// So much is kept of variations that have been looked at, counted in tasks and operations: some hundred MB.
const KEPT: usize = 50_000;

/// What a scenario takes, roughly, of what can be kept.
fn size(scenario: &Scenario) -> usize {
    let operations: usize = scenario.specs.iter().map(|spec| spec.program.ops.len()).sum();
    10 + 4 * scenario.specs.len() + operations + scenario.machine.processors.len()
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
        Files::beside(Input::read(path)?)
    }

    /// An experiment that has been read, and what stands where it says.
    pub(in super::super) fn beside(experiment: Input) -> Result<Files, Failure> {
        let path = experiment.path().to_owned();
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
        let known = Known::default();
        let profile = |scenario: &Scenario| named_profile(&files, scenario, &known);
        let (mut kept, mut room) = (Vec::new(), KEPT);
        let mut judge = Judge::new(&experiment);
        let mut seed = experiment.seed;
        for variation in 0..experiment.variations() {
            let prepared = prepared(&experiment, parsed.document(), variation, profile)?;
            seed.get_or_insert(prepared.scenario.seed);
            judge.look(&prepared);
            let size = size(&prepared.scenario);
            if kept.len() == variation && size <= room {
                room -= size;
                kept.push(prepared);
            }
        }
        judge.verdict(&files.experiment.named())?;
        drop(parsed);
        let title = match &*experiment.title {
            "" => files.name.clone(),
            title => title.to_owned(),
        };
        let (read, profiles) = known.into_inner();
        Ok(Plan { experiment, kept, seed: seed.unwrap_or(0), title, files, read, profiles })
    }

    /// A variation, ready to be run. Of very many, those that are not kept are read again.
    pub(in super::super) fn variation(&self, number: usize) -> Result<Prepared, Failure> {
        if let Some(kept) = self.kept.get(number) {
            return Ok(kept.clone());
        }
        let parsed = self.files.scenario.parsed();
        let profile = |scenario: &Scenario| {
            Ok(scenario.machine.profile.as_deref().and_then(|named| self.read.get(named).cloned()))
        };
        prepared(&self.experiment, parsed.document(), number, profile)
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

/// A variation of a scenario.
fn prepared(
    experiment: &Experiment,
    document: &Document<'_>,
    variation: usize,
    profile: impl FnOnce(&Scenario) -> Result<Option<Profile>, Failure>,
) -> Result<Prepared, Failure> {
    let overrides =
        experiment.settings(variation).map(|(path, setting)| Override::in_experiment(path, &setting.toml)).collect();
    let (scenario, _) = input::lowered(document, overrides, profile).map_err(|Failure(mistakes)| {
        let of_file = variation == 0 && lower::document(document, &[]).is_err();
        let which = experiment.label(variation);
        Failure(if of_file || which.is_empty() { mistakes } else { format!("with {which}:\n{mistakes}") })
    })?;
    let cast = Arc::new(engine::cast(&scenario));
    Ok(Prepared { scenario: Arc::new(scenario), cast })
}

/// What is looked at in all variations together.
struct Judge<'e> {
    experiment: &'e Experiment,
    /// For each metric why the first variation has it not, unless some variation has it.
    unknown: Vec<Option<Refusal>>,
    /// The earliest end of a run.
    until: Option<Time>,
    looked: bool,
}

impl<'e> Judge<'e> {
    fn new(experiment: &'e Experiment) -> Judge<'e> {
        Judge { experiment, unknown: vec![None; experiment.metrics.len()], until: None, looked: false }
    }

    fn look(&mut self, variation: &Prepared) {
        for (metric, unknown) in self.experiment.metrics.iter().zip(&mut self.unknown) {
            if !self.looked || unknown.is_some() {
                let refusal =
                    metric.known_to(&variation.cast).and_then(|()| metric.single_in(&variation.scenario)).err();
                *unknown = refusal.map(|refusal| unknown.take().unwrap_or(refusal));
            }
        }
        self.looked = true;
        self.until = self.until.into_iter().chain(variation.scenario.until).min();
    }

    /// Every metric must be one of a variation at least, and be known without what cannot be had; and something must be left
    /// behind the warm-up.
    fn verdict(self, name: &str) -> Result<(), Failure> {
        let mut mistakes: Vec<String> =
            self.unknown.into_iter().flatten().map(|why| format!("{name}: {why}")).collect();
        let whole = self.experiment.metrics.iter().filter(|metric| metric.needs_timeline());
        for metric in whole.filter(|_| self.experiment.warm_up != WarmUp::Nothing) {
            let sentence = format!("{name}: `{}` counts whole runs, so no warm-up can be left out", metric.path());
            mistakes.push(format!("{sentence}\nhint: ask for one of the two in an experiment of its own"));
        }
        if let (WarmUp::For(warm_up), Some(until)) = (self.experiment.warm_up, self.until)
            && until <= Time::ZERO + warm_up
        {
            let sentence =
                format!("{name}: `warm-up` leaves out {warm_up}, and runs end after {}", until.since(Time::ZERO));
            mistakes.push(format!("{sentence}\nhint: leave out less, or let them run for longer (`until`)"));
        }
        if mistakes.is_empty() { Ok(()) } else { Err(Failure(mistakes.join("\n\n"))) }
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
