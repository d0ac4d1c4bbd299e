//! Experiments: one scenario in many variations, each as often as chance asks for, and what their figures say together.
//!
//! ```toml
//! scenario = "web-server.toml"
//! seed = 1
//! replications = 30
//! metrics = ["makespan", "turnaround.p99"]
//! baseline = { "machine.processors" = 1 }
//!
//! [vary]                                # every combination, the last one changes first
//! "machine.processors" = [1, 2, 4, 8]
//! "scheduler.quantum" = "1ms..100ms:log5"
//! ```

mod estimate;
mod read;
mod warm_up;

pub use self::estimate::{Estimate, Figures, Verdict};
pub use self::warm_up::{AfterWarmUp, settles_at};
use crate::document::told_apart;
pub use crate::outcome::{Better, Metric, Observed, Refusal, Unit};
use crate::rng::mix;
use crate::time::Span;
use serde_json::Value;

/// An experiment as its file has it.
#[derive(Clone, Debug)]
pub struct Experiment {
    /// What it is called in reports; empty if the file does not say.
    pub title: String,
    /// The path of the scenario, from where the experiment is.
    pub scenario: String,
    /// The seed of the first replication, if it is not the scenario's.
    pub seed: Option<u64>,
    /// How often each variation is run; with [`Experiment::stop_when`], at least so often.
    pub replications: u32,
    /// What is asked of every run.
    pub metrics: Vec<Metric>,
    /// What varies, in the order of the file.
    pub axes: Vec<Axis>,
    /// Of some axes the values of the variations with which the others are compared: pairs of an axis and the number of its
    /// value.
    pub baseline: Vec<(usize, usize)>,
    /// What of the beginning of each run is left out.
    pub warm_up: WarmUp,
    /// How sure intervals are, such as 0.95.
    pub level: f64,
    /// When a variation has been run often enough.
    pub stop_when: Option<StopWhen>,
}

/// Something that varies.
#[derive(Clone, PartialEq, Debug)]
pub struct Axis {
    /// The path in the scenario.
    pub path: String,
    /// Its values.
    pub values: Vec<Setting>,
}

/// A value of an axis.
#[derive(Clone, PartialEq, Debug)]
pub struct Setting {
    /// As it is written, which is TOML.
    pub toml: String,
    /// The same in results.
    pub json: Value,
}

impl Axis {
    /// The last word of the path.
    #[must_use]
    pub fn word(&self) -> &str {
        self.path.rsplit('.').next().unwrap_or(&self.path).trim_matches(['"', '\''])
    }

    /// A value for people: a text without its quotes; of a table its kind, where no other value has that.
    #[must_use]
    pub fn name(&self, index: usize) -> String {
        let setting = &self.values[index];
        match (&setting.json, kind_of(&setting.json)) {
            (Value::String(text), _) => text.clone(),
            (_, Some(kind)) if self.values.iter().filter(|other| kind_of(&other.json) == Some(kind)).count() == 1 => {
                kind.to_owned()
            }
            _ => setting.toml.clone(),
        }
    }
}

/// What a value is of that may be a text alone or a table with more.
fn kind_of(value: &Value) -> Option<&str> {
    value.as_str().or_else(|| value.get("kind").or_else(|| value.get("policy"))?.as_str())
}

/// What of the beginning of a run is left out of its figures.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum WarmUp {
    /// Nothing.
    Nothing,
    /// So much simulated time.
    For(Span),
    /// What MSER-5 says.
    Auto,
}

/// When a variation has been run often enough: when the interval of a metric is no wider than this.
#[derive(Clone, Debug)]
pub struct StopWhen {
    /// How far it may reach to either side of the mean.
    pub half_width: HalfWidth,
    /// Of which of [`Experiment::metrics`], by number.
    pub of: usize,
    /// No variation is run more often.
    pub at_most: u32,
}

/// How far an interval may reach to either side.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum HalfWidth {
    /// This share of the mean.
    Share(f64),
    /// So much, in the unit of the metric.
    Absolute(f64),
}

impl HalfWidth {
    /// How far it may reach around this mean.
    #[must_use]
    pub fn around(self, mean: f64) -> f64 {
        match self {
            HalfWidth::Share(share) => share * mean.abs(),
            HalfWidth::Absolute(width) => width,
        }
    }
}

impl Experiment {
    /// How many variations there are.
    #[must_use]
    pub fn variations(&self) -> usize {
        self.axes.iter().map(|axis| axis.values.len()).product()
    }

    /// Which value of each axis a variation has.
    #[must_use]
    pub fn choice(&self, variation: usize) -> Vec<usize> {
        let mut rest = variation;
        let mut choice: Vec<usize> = self.axes.iter().rev().map(|axis| pick(&mut rest, axis.values.len())).collect();
        choice.reverse();
        choice
    }

    /// What a variation is called: `policy=mlfq processors=2`.
    #[must_use]
    pub fn label(&self, variation: usize) -> String {
        let choice = self.choice(variation);
        let called = told_apart(&self.axes.iter().map(|axis| axis.path.as_str()).collect::<Vec<_>>());
        let name = |(index, called): (usize, String)| format!("{called}={}", self.axes[index].name(choice[index]));
        called.into_iter().enumerate().map(name).collect::<Vec<_>>().join(" ")
    }

    /// What a variation sets: paths and values.
    pub fn settings(&self, variation: usize) -> impl Iterator<Item = (&str, &Setting)> {
        let choice = self.choice(variation);
        self.axes.iter().zip(choice).map(|(axis, value)| (axis.path.as_str(), &axis.values[value]))
    }

    /// The variation with which this one is compared, which may be itself; `None` without a baseline.
    #[must_use]
    pub fn baseline_of(&self, variation: usize) -> Option<usize> {
        if self.baseline.is_empty() {
            return None;
        }
        let mut choice = self.choice(variation);
        self.baseline.iter().for_each(|(axis, value)| choice[*axis] = *value);
        Some(self.number(&choice))
    }

    /// The variation that has these values of the axes: the other way round than [`Experiment::choice`].
    #[must_use]
    pub fn number(&self, choice: &[usize]) -> usize {
        self.axes.iter().zip(choice).fold(0, |number, (axis, value)| number * axis.values.len() + value)
    }

    /// How many replications a variation may have at most.
    #[must_use]
    pub fn most_replications(&self) -> u32 {
        self.stop_when.as_ref().map_or(self.replications, |stop| stop.at_most)
    }

    /// After how many replications it is looked whether a variation has enough of them, in order: 10, 20, 40, …, from
    /// `replications` on, the most at last. Without [`Experiment::stop_when`], once.
    #[must_use]
    pub fn looks(&self) -> Vec<u32> {
        let most = self.most_replications();
        if self.stop_when.is_none() {
            return vec![most];
        }
        let doubled = std::iter::successors(Some(10_u32), |count| count.checked_mul(2));
        let least = self.replications;
        doubled.skip_while(|count| *count < least).take_while(|count| *count < most).chain([most]).collect()
    }
}

/// The last digit of a number in a base; the number loses it.
fn pick(number: &mut usize, base: usize) -> usize {
    let digit = *number % base;
    *number /= base;
    digit
}

/// The seed of a replication: that of the experiment itself for the first, and from it and the number for the others. All
/// variations of an experiment see the same chance in replications of one number (common random numbers), so that their
/// figures can be compared pair by pair.
///
/// Derived seeds have 53 bits, so that every reader of JSON has them exactly.
///
/// ```
/// use sim_core::experiment::seed;
/// assert_eq!(seed(7, 0), 7);
/// assert!(seed(7, 1) < 1 << 53 && seed(7, 1) != seed(7, 2) && seed(7, 1) != seed(8, 1));
/// ```
#[must_use]
pub fn seed(seed: u64, replication: u32) -> u64 {
    if replication == 0 {
        return seed;
    }
    // Mixed twice: seeds that follow each other must not share replications.
    mix(mix(seed).wrapping_add(u64::from(replication).wrapping_mul(0x9E37_79B9_7F4A_7C15))) >> 11
}
