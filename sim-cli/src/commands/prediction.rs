//! Predictions: the scenario on the machine of a profile, as often as it takes to see what chance does there.

use std::path::Path;

use sim_core::executor::rules;
use sim_core::outcome::Outcome;
use sim_core::policy::on_linux::Class;
use sim_core::scenario::{Profile, Ran, Scenario, ensemble};
use sim_core::timeline::Timeline;
use sim_real::Recorded;

use super::input::Parsed;
use super::simulated::{Keep, Simulated, simulated};
use super::{Failure, calibrate, profiles};
use crate::args::{CompareArgs, ScenarioArgs};
use crate::memory::Memory;
use crate::output;
use crate::progress::Progress;

/// What predicts the real runs.
pub(super) struct Oracle<'a> {
    pub(super) parsed: &'a Parsed<'a>,
    pub(super) args: &'a ScenarioArgs,
    pub(super) profile: Profile,
    /// What the profile is called in messages.
    pub(super) name: String,
}

/// The predicted runs, one for each machine of the ensemble.
pub(super) struct Prediction {
    pub(super) scenario: Scenario,
    pub(super) runs: Vec<Simulated>,
    /// The index of the run with the median makespan: the one that is shown.
    pub(super) shown: usize,
    /// The class in which all threads are, where the file names no policy.
    class: Option<Class>,
    /// The processes that ran in Python, and the rules of what ran.
    interpreters: Vec<(String, String)>,
    /// What the profile is called in messages.
    pub(super) profile: String,
    /// What should be known of the profile before it is believed.
    pub(super) warnings: Vec<String>,
}

impl Oracle<'_> {
    /// Predicts what has run.
    pub(super) fn predict(&self, recorded: &Recorded, memory: Memory, quiet: bool) -> Result<Prediction, Failure> {
        let ran = Ran { class: recorded.class, interpreters: recorded.interpreters.clone() };
        let scenario = self.parsed.predicted(self.args, &self.profile, &ran)?;
        let machines: Vec<Scenario> = ensemble(&scenario).collect();
        let room = memory.for_shown(machines.len() + 1);
        let mut progress = Progress::new(quiet);
        let mut runs = Vec::with_capacity(machines.len());
        for machine in &machines {
            let mut run = simulated(machine, Keep::All, room, None)?;
            // The programs draw from the seed of the file in each.
            run.outcome.seed = machine.machine_seed;
            runs.push(run);
            progress.count(runs.len(), machines.len(), "predictions");
        }
        let mut order: Vec<usize> = (0..runs.len()).collect();
        order.sort_by_key(|index| runs[*index].outcome.makespan_ns);
        let shown = order[(order.len() - 1) / 2];
        let elsewhere = profiles::elsewhere(&self.profile, &self.name);
        let incomplete = profiles::incomplete(&self.profile, &self.name, &scenario, ran.class);
        let warnings = elsewhere.into_iter().chain(incomplete).collect();
        let class = ran.class.filter(|_| !scenario.scheduler.named);
        Ok(Prediction {
            scenario,
            runs,
            shown,
            class,
            interpreters: ran.interpreters,
            profile: self.name.clone(),
            warnings,
        })
    }
}

impl Prediction {
    /// The run that is shown.
    pub(super) fn one(&self) -> &Simulated {
        &self.runs[self.shown]
    }

    /// What it is made with, in a few words.
    pub(super) fn described(&self) -> String {
        let class = self.class.map_or_else(String::new, |class| format!(", {}", class.name()));
        let policy = format!("{}{class}", self.scenario.scheduler.label());
        let profile = &self.profile;
        let of_run = |run: &Simulated| run.outcome.makespan_ns;
        let differ = self.runs.iter().any(|run| of_run(run) != of_run(self.one()));
        match self.runs.len() {
            1 => format!("{policy} · costs of {profile}"),
            machines if !differ => format!("{policy} · costs of {profile} · one of {machines}"),
            machines => format!("{policy} · costs of {profile} · the one with the median makespan of {machines}"),
        }
    }

    /// By which rules the processes in Python are predicted, where these are not the ones by which the `simulated` scenario goes.
    pub(super) fn other_rules(&self, simulated: &Scenario) -> Vec<String> {
        let own = |name: &str| simulated.processes.iter().find(|process| process.name == name)?.executor.rules;
        let mut told: Vec<(&str, &str, Vec<String>)> = Vec::new();
        for (name, ran) in &self.interpreters {
            let Some(known) = rules::nearest(ran).map(|rules| rules.name) else { continue };
            if own(name).is_none_or(|own| own == known) {
                continue;
            }
            match told.iter_mut().find(|(_, other, _)| *other == ran) {
                Some((.., names)) => names.push(format!("`{name}`")),
                None => told.push((known, ran, vec![format!("`{name}`")])),
            }
        }
        let note = |(known, ran, names): (&str, &str, Vec<String>)| {
            let why = match known == ran {
                true => "those of the Python that ran".to_owned(),
                false => format!("the nearest to the Python that ran ({ran})"),
            };
            let are = if names.len() == 1 { "is" } else { "are" };
            format!("{} {are} predicted by the rules {known}, {why}", names.join(", "))
        };
        told.into_iter().map(note).collect()
    }

    /// What was predicted, run by run.
    pub(super) fn timelines_and_outcomes(&self) -> (Vec<&Timeline>, Vec<&Outcome>) {
        self.runs.iter().map(|run| (&run.timeline, &run.outcome)).unzip()
    }
}

/// Whom the command line or the file asks for a prediction, if anybody. `auto` calibrates if it has to; on a terminal it is the
/// default, unless the file has a profile of its own.
pub(super) fn oracle<'a>(
    args: &'a CompareArgs,
    parsed: &'a Parsed<'a>,
    scenario: &Scenario,
) -> Result<Option<Oracle<'a>>, Failure> {
    let with = |profile, name: String| Some(Oracle { parsed, args: &args.scenario, profile, name });
    match &args.profile {
        Some(word) if word == Path::new("none") => return Ok(None),
        Some(word) if word == Path::new("auto") => {}
        Some(file) => return Ok(with(profiles::read(file)?, file.display().to_string())),
        None => {
            if let Some(profile) = parsed.own_profile(scenario)? {
                return Ok(with(profile, scenario.machine.profile.as_deref().unwrap_or_default().to_owned()));
            }
            if args.output.json || args.output.quiet || !output::is_read_by_a_person() {
                return Ok(None);
            }
        }
    }
    let is_asked = args.profile.is_some();
    match own_profile(args.output.quiet) {
        Ok((profile, name)) => Ok(with(profile, name)),
        Err(failure) if is_asked => Err(failure),
        Err(Failure(why)) => {
            output::talk(&format!("warning: no prediction, since this machine could not be calibrated: {why}"));
            Ok(None)
        }
    }
}

/// A profile by its file, or this machine's own, and what it is called.
pub(super) fn profile_of(named: Option<&Path>, quiet: bool) -> Result<(Profile, String), Failure> {
    match named.filter(|path| *path != Path::new("auto")) {
        Some(file) => Ok((profiles::read(file)?, file.display().to_string())),
        None => own_profile(quiet),
    }
}

/// This machine's own profile; calibrates quickly and keeps it if there is none.
fn own_profile(quiet: bool) -> Result<(Profile, String), Failure> {
    let kept = profiles::own().and_then(|path| profiles::read(&path).ok()).filter(Profile::has_costs);
    let profile = match kept {
        Some(profile) => profile,
        None => {
            if !quiet {
                output::talk("note: measuring what this machine costs, once; `sim calibrate` does it more exactly");
            }
            profiles::read(&calibrate::into_cache(quiet)?)?
        }
    };
    Ok((profile, profiles::THIS_MACHINE.to_owned()))
}
