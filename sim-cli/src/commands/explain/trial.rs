//! Speed-ups tried out: each change of the file is run, with the same chance.

use sim_core::causes::Causes;
use sim_core::engine::{End, simulate};
use sim_core::experiment::seed;
use sim_core::metrics::Metrics;
use sim_core::outcome::{Metric, Observed};
use sim_core::scenario::Scenario;
use sim_core::speedup::{Candidate, Change, Set, candidates};
use sim_core::time::{Span, Time};
use sim_core::timeline::{Bounded, Recorder, Timeline, TimelineHash};

use super::super::Failure;
use super::super::input::Parsed;
use crate::args::ExplainArgs;
use crate::memory::Room;
use crate::progress::Progress;
use crate::report::gains::{Figures, Trials, Tried};
use crate::{interruption, parallel};

/// So many replications say whether chance is drawn at all.
const PROBES: u32 = 3;

/// What is tried out, and how.
pub(super) struct Laboratory<'a> {
    pub(super) args: &'a ExplainArgs,
    pub(super) parsed: &'a Parsed<'a>,
    pub(super) scenario: &'a Scenario,
    pub(super) metric: Metric,
}

impl Laboratory<'_> {
    /// Tries all that could be faster. Ctrl-C ends it with what has been run by then.
    pub(super) fn trials(&self, progress: &mut Progress) -> Result<Trials, Failure> {
        let works = |sets: &[Set]| self.with(sets).is_ok();
        let candidates = candidates(self.scenario, &self.args.by, &works);
        let replications = self.replications()?;
        let baseline = self.figures(self.scenario, replications)?;
        let changes: Vec<(usize, &Change)> = candidates
            .iter()
            .enumerate()
            .flat_map(|(number, candidate)| candidate.changes.iter().map(move |change| (number, change)))
            .collect();
        let mut tried: Vec<Tried> = Vec::with_capacity(changes.len());
        let mut failure = None;
        let work = |number: usize| {
            let (candidate, change) = changes[number];
            let scenario = self.with(&change.sets)?;
            Ok(Tried { candidate, change: change.clone(), figures: self.figures(&scenario, replications)? })
        };
        parallel::in_order(changes.len(), parallel::cores(), work, |result: Result<Tried, Failure>| {
            match result {
                Ok(done) => tried.push(done),
                Err(why) => failure = Some(why),
            }
            progress.count(tried.len() * replications as usize, changes.len() * replications as usize, "runs");
            failure.is_none() && !interruption::asked()
        });
        let all = changes.len();
        drop(changes);
        match failure {
            Some(why) if !interruption::asked() => Err(why),
            _ => Ok(self.told(candidates, baseline, tried, (all, replications))),
        }
    }

    fn told(
        &self,
        candidates: Vec<Candidate>,
        baseline: Figures,
        mut tried: Vec<Tried>,
        (all, replications): (usize, u32),
    ) -> Trials {
        // What was cut off on the way says nothing.
        tried.retain(|tried| tried.figures.values.len() == replications as usize);
        Trials { metric: self.metric.clone(), replications, baseline, candidates, tried, all }
    }

    /// The scenario with an edit of its file.
    fn with(&self, sets: &[Set]) -> Result<Scenario, Failure> {
        self.parsed.scenario(&self.args.scenario, sets).map(|(scenario, _)| scenario)
    }

    /// One run is enough where nothing is drawn.
    fn replications(&self) -> Result<u32, Failure> {
        let mut hashes = Vec::new();
        for replication in 0..PROBES.min(self.args.replications) {
            let mut recorder = (TimelineHash::default(), Stop::default());
            simulate(&seeded(self.scenario, replication), &mut recorder);
            hashes.push(recorder.0.hex());
        }
        let alike = hashes.windows(2).all(|two| two[0] == two[1]);
        Ok(if alike { 1 } else { self.args.replications })
    }

    /// The figure of each replication.
    fn figures(&self, scenario: &Scenario, replications: u32) -> Result<Figures, Failure> {
        let room = self.args.memory.for_shown(parallel::cores());
        room.check(scenario)?;
        let mut figures = Figures::default();
        for replication in 0..replications {
            let scenario = seeded(scenario, replication);
            let (end, value) = self.figure(&scenario, room)?;
            if end == End::Interrupted {
                break;
            }
            figures.values.push(value);
            figures.note(end);
        }
        Ok(figures)
    }

    fn figure(&self, scenario: &Scenario, room: Room) -> Result<(End, Option<f64>), Failure> {
        let numbers = (Metrics::with_jobs(), Stop { most: room.tasks, ..Stop::default() });
        let (end, metrics, kept) = if self.metric.needs_timeline() {
            let mut recorder = (numbers, Bounded::new(Timeline::default(), room.records).or_end());
            let end = simulate(scenario, &mut recorder).end;
            let ((metrics, _), kept) = recorder;
            let kept = kept.into_inner();
            if kept.is_none() {
                return Err(Failure::from(room.no_timeline()));
            }
            (end, metrics, kept)
        } else {
            let mut recorder = numbers;
            let end = simulate(scenario, &mut recorder).end;
            (end, recorder.0, None)
        };
        let causes = kept.as_ref().map(Causes::of);
        let causes = kept.as_ref().zip(causes.as_ref());
        let observed = Observed { scenario, metrics: &metrics, causes, since: Span::ZERO };
        // What cannot go on has no end, however soon it stopped.
        let ended = !matches!(end, End::Deadlock | End::Livelock);
        Ok((end, self.metric.of(&observed).as_f64().filter(|_| ended)))
    }
}

/// The scenario with the chance of a replication.
fn seeded(scenario: &Scenario, replication: u32) -> Scenario {
    let seed = seed(scenario.seed, replication);
    Scenario { seed, machine_seed: seed, ..scenario.clone() }
}

/// Ends a run when Ctrl-C was pressed, or when there are more tasks than there is room for.
struct Stop {
    instants: u64,
    tasks: u64,
    most: u64,
}

impl Default for Stop {
    fn default() -> Stop {
        Stop { instants: 0, tasks: 0, most: u64::MAX }
    }
}

/// So many instants pass between two looks.
const LOOK: u64 = 256;

impl Recorder for Stop {
    fn task(&mut self, _: u32, _: u32) {
        self.tasks += 1;
    }
    #[inline]
    fn wants_more(&mut self, _: Time) -> bool {
        self.instants += 1;
        !self.instants.is_multiple_of(LOOK) || (!interruption::asked() && self.tasks <= self.most)
    }
}
