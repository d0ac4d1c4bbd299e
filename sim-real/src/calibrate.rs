//! What this machine costs, read off real runs of small scenarios.
//!
//! Nothing is fitted: each [`experiment`] is made so that one cost shows by itself, and [`estimate`] reads it off the timelines
//! by the rule by which the simulator spends it. Experiments take turns until the time is up, so that what disturbs the machine
//! for a while falls on all; runs that others disturbed do not count. What could not be measured is missing, with the reason.

mod estimate;
mod experiment;
mod kernel;
mod reading;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use sim_core::document::Source;
use sim_core::scenario::{Scenario, lower};
use sim_core::time::Span;

use crate::{NOTICEABLE, Options, measure};
use experiment::{EXPERIMENTS, Experiment};

pub use kernel::machine_description;

/// Costs that are told by how long something has lasted: what the samples of each are called in a [`Section`], the first as the
/// cost itself, and from which length of time on.
pub const STEPS: &[&[(&str, Span)]] = &[estimate::WAKES, estimate::REMOTE_WAKES, estimate::POLLS];

/// Linux lets real-time threads have 95 % of a second: run after run would use that up.
const BREATH: Duration = Duration::from_millis(30);

/// How much effort a calibration is worth.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Effort {
    /// It ends when this is over, and each experiment has had its turn once.
    pub time: Duration,
    /// Each experiment has at most so many turns.
    pub turns: usize,
    /// Of so many runs that count, after one that does not: the first after others is a cold one, as no run of a scenario is that
    /// is measured several times.
    pub runs: usize,
}

impl Effort {
    /// Some 5 s.
    pub const QUICK: Effort = Effort { time: Duration::from_millis(3_500), turns: 4, runs: 1 };
    /// Some 50 s: interpreters take a while to start.
    pub const FULL: Effort = Effort { time: Duration::from_millis(45_000), turns: 60, runs: 3 };
}

/// The costs of one kind of threads.
#[derive(Clone, Default, Debug)]
pub struct Section {
    /// What was measured, by the key of the cost; sorted.
    pub samples: BTreeMap<&'static str, Vec<Span>>,
}

/// What was measured.
#[derive(Clone, Default, Debug)]
pub struct Calibration {
    /// By the section of a profile: `machine`, `class.other`, `executor.pool`, …
    pub sections: BTreeMap<&'static str, Section>,
    /// How often the kernel's timer ticks, and when after the start of a run the first tick is.
    pub timer: Option<(Span, Option<Span>)>,
    /// What the kernel is set to: a parameter of the policy that plays it, its value as TOML, and how it is known.
    pub kernel: Vec<(&'static str, String, String)>,
    /// What could not be measured, and why.
    pub missing: Vec<(String, String)>,
    /// How many runs there were, and how many others disturbed.
    pub runs: (usize, usize),
}

/// Measures what this machine costs, and what `python` does there, by default `python3`. `watch` is told which share is done, and says whether to go on; `None` if it said no.
pub fn calibrate(
    effort: Effort,
    python: Option<&'static str>,
    mut watch: impl FnMut(f64, &str) -> bool,
) -> Option<Calibration> {
    let mut work: Vec<Work> = EXPERIMENTS.iter().map(Work::new).collect();
    let mut runs = (0, 0);
    let began = Instant::now();
    for turn in 0..effort.turns {
        for (index, one) in work.iter_mut().enumerate() {
            if turn > 0 && began.elapsed() > effort.time {
                break;
            }
            let by_turns = (turn * EXPERIMENTS.len() + index) as f64 / (effort.turns * EXPERIMENTS.len()) as f64;
            let share = by_turns.max(began.elapsed().as_secs_f64() / effort.time.as_secs_f64()).min(1.0);
            if !watch(share, one.experiment.what) {
                return None;
            }
            (0..=effort.runs).for_each(|run| one.run(python, run > 0, &mut runs));
        }
    }
    Some(summary(work, runs))
}

/// An experiment, and what came of it so far.
struct Work {
    experiment: &'static Experiment,
    /// Why it cannot be made, if it cannot.
    scenario: Result<Scenario, String>,
    findings: estimate::Findings,
}

impl Work {
    fn new(experiment: &'static Experiment) -> Work {
        let source = Source { file: experiment.what, text: &experiment.toml() };
        let scenario = lower::scenario(&source, &[]).map_err(|mistakes| mistakes.to_string());
        Work { experiment, scenario, findings: estimate::Findings::default() }
    }

    /// One run, which counts or not; an experiment that fails once is not tried again.
    fn run(&mut self, python: Option<&'static str>, counts: bool, runs: &mut (usize, usize)) {
        let Ok(scenario) = &self.scenario else { return };
        std::thread::sleep(BREATH);
        match measure(scenario, &Options { python, ..self.experiment.options() }) {
            Err(why) => self.scenario = Err(why.to_string()),
            Ok(run) if run.recorded.class != self.experiment.class() => {
                self.scenario = Err(format!("its threads would be under {}", run.recorded.policy));
            }
            Ok(_) if !counts => {}
            Ok(run) => {
                runs.0 += 1;
                if run.recorded.foreign_share > NOTICEABLE || !run.recorded.placed {
                    runs.1 += 1;
                } else {
                    self.findings.read(self.experiment, &run.timeline);
                    run.recorded.starting.into_iter().for_each(|took| self.findings.starting(self.experiment, took));
                }
            }
        }
    }
}

fn summary(work: Vec<Work>, runs: (usize, usize)) -> Calibration {
    let mut calibration = Calibration { runs, ..Calibration::default() };
    let mut all = estimate::Findings::default();
    for Work { experiment, scenario, findings } in work {
        if let Err(why) = scenario {
            calibration.missing.push((experiment.what.to_owned(), why));
        }
        let section = calibration.sections.entry(experiment.section).or_default();
        // What the kernel does between two threads is the same in Python; what lies between two bursts there is more than that.
        let of_kernel =
            |key: &str| experiment.section.starts_with("cpython.") && matches!(key, "block" | "context-switch");
        for (key, samples) in findings.samples.iter().filter(|(key, _)| !of_kernel(key)) {
            section.samples.entry(key).or_default().extend(samples);
        }
        all.join(findings);
    }
    estimate::settle(&mut calibration.sections);
    calibration.timer = kernel::tick().map(|tick| (tick, all.phase(tick)));
    let timer = calibration.timer.and_then(|(tick, phase)| Some((tick, phase?)));
    calibration.kernel = kernel::settings(&all, timer);
    calibration
}
