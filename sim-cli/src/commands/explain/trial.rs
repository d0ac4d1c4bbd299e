//! Speed-ups tried out: each change of the file is run, with the same chance.

use std::borrow::Cow;

use sim_core::causes::Causes;
use sim_core::engine::{End, simulate};
use sim_core::experiment::seed;
use sim_core::metrics::{Gone, Metrics};
use sim_core::outcome::{Metric, Observed};
use sim_core::scenario::Scenario;
use sim_core::speedup::{Candidate, Change, Set, candidates};
use sim_core::time::Time;
use sim_core::timeline::{Bounded, Recorder, Timeline, TimelineHash};

use super::super::Failure;
use super::super::input::Parsed;
use crate::args::ExplainArgs;
use crate::progress::Progress;
use crate::report::gains::{Figures, Trials, Tried};
use crate::{interruption, parallel};

/// So many replications say whether chance is drawn at all.
const PROBES: u32 = 3;

/// Of a livelock: when so many changes have not ended it, others hardly will, and each takes as long as what goes round and round.
const LIVELOCKS: usize = 8;

/// So many changed scenarios are kept between rounds, counted in tasks and operations: some 20 MB.
const KEPT: usize = 200_000;

/// What is tried out, and how.
pub(super) struct Laboratory<'a> {
    pub(super) args: &'a ExplainArgs,
    pub(super) parsed: &'a Parsed<'a>,
    pub(super) scenario: &'a Scenario,
    pub(super) metric: Metric,
    /// Does the scenario as it is end in a livelock?
    pub(super) livelock: bool,
}

/// What came of one run: how it ended, its figure, and how much was given up and rejected.
type Ran = (End, Option<f64>, Gone);

/// The same, if it could be run.
type OneRun = Result<Ran, Failure>;

impl Laboratory<'_> {
    /// Tries all that could be faster, round by round: each change once, and the scenario as it is, then all again with the
    /// next seed. Ctrl-C ends it with the rounds that are done by then, or with those changes of the first one that are; and so do
    /// changes that end in a livelock, as the scenario does: there the greatest of each candidate come first.
    pub(super) fn trials(&self, progress: &mut Progress) -> Result<Trials, Failure> {
        let works = |sets: &[Set]| self.with(sets).is_ok();
        let candidates = candidates(self.scenario, &self.args.by, &works);
        let mut changes: Vec<(usize, Change)> = (0..)
            .zip(&candidates)
            .flat_map(|(number, candidate)| candidate.changes.iter().map(move |change| (number, change.clone())))
            .collect();
        if self.livelock {
            let of = |number: usize| candidates[number].changes.len();
            let mut nth = vec![0; candidates.len()];
            changes.sort_by_cached_key(|(number, _)| {
                nth[*number] += 1;
                of(*number) - nth[*number]
            });
        }
        let rounds = self.replications() as usize;
        let kept = self.kept(&changes)?;
        let each = changes.len() + 1;
        let work = |number: usize| -> OneRun {
            let replication = u32::try_from(number / each).unwrap_or(u32::MAX);
            let scenario = match number % each {
                0 => Cow::Borrowed(self.scenario),
                change => match kept.get(change - 1) {
                    Some(kept) => Cow::Borrowed(kept),
                    None => Cow::Owned(self.with(&changes[change - 1].1.sets)?),
                },
            };
            self.figure(&seeded(&scenario, replication))
        };
        let (mut runs, mut failure) = (Vec::with_capacity(rounds * each), None);
        let mut livelocks = 0;
        parallel::in_order(rounds * each, parallel::cores(), work, |result| {
            match result {
                Ok((End::Interrupted, ..)) => {}
                Ok(run) => {
                    livelocks += usize::from(self.livelock && run.0 == End::Livelock);
                    runs.push(run);
                }
                Err(why) => failure = Some(why),
            }
            progress.count(runs.len(), rounds * each, "runs");
            failure.is_none() && !interruption::asked() && livelocks <= LIVELOCKS
        });
        match failure {
            Some(why) if !interruption::asked() => Err(why),
            _ => Ok(self.told(candidates, &changes, (&runs, rounds * each))),
        }
    }

    /// Has the scenario as it is such a figure, or would it have one if it came to an end?
    pub(super) fn has_figure(&self) -> Result<bool, Failure> {
        let (end, value, _) = self.figure(&seeded(self.scenario, 0))?;
        Ok(value.is_some() || matches!(end, End::Deadlock | End::Livelock | End::Interrupted))
    }

    /// What the runs say together, as far as they came.
    fn told(&self, candidates: Vec<Candidate>, changes: &[(usize, Change)], (runs, wanted): (&[Ran], usize)) -> Trials {
        let done = (runs.len(), wanted);
        let each = changes.len() + 1;
        let rounds = runs.len() / each;
        let whole = &runs[..if rounds > 0 { rounds * each } else { runs.len() }];
        let mut figures = vec![Figures::default(); each];
        for (number, (end, value, gone)) in whole.iter().enumerate() {
            figures[number % each].values.push(*value);
            figures[number % each].note(*end, *gone);
        }
        let mut figures = figures.into_iter();
        let baseline = figures.next().unwrap_or_default();
        let tried = changes.iter().zip(figures).filter(|(_, figures)| !figures.values.is_empty());
        let tried = tried.map(|((candidate, change), figures)| Tried {
            candidate: *candidate,
            change: change.clone(),
            figures,
        });
        let mut tried: Vec<Tried> = tried.collect();
        let place = |of: &Tried| candidates[of.candidate].changes.iter().position(|change| *change == of.change);
        tried.sort_by_cached_key(|of| (of.candidate, place(of)));
        Trials {
            metric: self.metric.clone(),
            replications: baseline.values.len(),
            baseline,
            tried,
            candidates,
            runs: done,
        }
    }

    /// The scenario with an edit of its file.
    fn with(&self, sets: &[Set]) -> Result<Scenario, Failure> {
        self.parsed.scenario(&self.args.scenario, sets).map(|(scenario, _)| scenario)
    }

    /// The first changed scenarios, as many as are worth keeping; others are read again for each run.
    fn kept(&self, changes: &[(usize, Change)]) -> Result<Vec<Scenario>, Failure> {
        let size = 10 + 4 * self.scenario.specs.len() + self.scenario.machine.processors.len();
        let ops: usize = self.scenario.specs.iter().map(|spec| spec.program.ops.len()).sum();
        changes.iter().take(KEPT / (size + ops)).map(|(_, change)| self.with(&change.sets)).collect()
    }

    /// One run is enough where nothing is drawn.
    fn replications(&self) -> u32 {
        let hash = |replication| {
            let mut recorder = (TimelineHash::default(), Stop::default());
            simulate(&seeded(self.scenario, replication), &mut recorder);
            recorder.0.hex()
        };
        let hashes: Vec<String> = (0..PROBES.min(self.args.replications)).map(hash).collect();
        if hashes.windows(2).all(|two| two[0] == two[1]) { 1 } else { self.args.replications }
    }

    fn figure(&self, scenario: &Scenario) -> OneRun {
        let room = self.args.memory.for_shown(parallel::cores());
        room.check(scenario)?;
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
        let observed = Observed::new(scenario, &metrics).with_causes(causes);
        // What cannot go on has no end, however soon it stopped.
        let ended = !matches!(end, End::Deadlock | End::Livelock);
        Ok((end, self.metric.of(&observed).as_f64().filter(|_| ended), metrics.tasks.all_gone()))
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
