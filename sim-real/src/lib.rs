//! The companion of `sim-core`: the same scenario on real executors of this machine, recorded as the same timeline.
//!
//! [`measure`] makes one run. Tasks are walked by the same [`Cursor`](sim_core::program::Cursor) as in the simulator,
//! with the same draws; what differs is that a burst uses up real processor time, a sleep is a real timer, a lock
//! really makes threads wait, and Linux decides who runs. Devices are timers with a queue in front, or threads
//! that stand in for them: what is compared is the scheduling around them, not a disk.
//!
//! Three rooms, in the order of a run. `prepare` refuses what cannot be run (`feasible`), chooses processors and scheduling
//! class (`machine`; `slices` sets the kernel's, `realised` judges what came of the policy), and lets runs begin alike
//! (`start`). In `play` real executors (`executor`, with `task`, `burn`, `gil`) run the tasks; `world` is the state that all
//! threads and processes share (with `shared`, `sync`, `device`); `dispatch` runs them by the scenario's own policy where Linux
//! has none like it. `record` is what is written down (`log`, `perf`, `on_cpu`), the timeline that `recorder` makes of it, why
//! there is no more of it (`deadlock`), and how far to trust it (`evaluate`, `foreign`, `holes`). `run` starts and ends it all.

mod calibrate;
mod play;
mod prepare;
mod record;
mod run;
mod sys;
#[cfg(test)]
mod tests;

use std::fmt;

use serde::Serialize;
use sim_core::engine;
use sim_core::policy::on_linux::{Class, Realised};
use sim_core::scenario::Scenario;
use sim_core::time::Span;
use sim_core::timeline::Timeline;

pub use calibrate::{Calibration, Effort, STEPS, Section, calibrate, machine_description};
pub use prepare::unmeasurable::Unmeasurable;
pub use record::foreign::NOTICEABLE;
pub use record::holes::Hole;
pub use record::throttled::Throttling;

/// Runs `scenario` on real executors, once.
///
/// The processors it uses should have nothing else to do; [`Recorded::warnings`] says if they had. All measurements of
/// a process wait for each other.
///
/// # Errors
/// Says in words what cannot be run for real here, and why.
pub fn measure(scenario: &Scenario, options: &Options) -> Result<Measurement, Unmeasurable> {
    run::measure(scenario, options)
}

/// Can `scenario` be run for real, in reasonable time and without harm to the machine? [`measure`] asks it too, but who has
/// long work to do before knows it sooner.
///
/// # Errors
/// Says in words what cannot be run for real, and why.
pub fn feasible(scenario: &Scenario, options: &Options) -> Result<(), Unmeasurable> {
    prepare::feasible::check(scenario, options.time_limit)
}

/// What of `scenario` no CPython can be measured with, whatever the machine: nothing if no process runs in one.
#[must_use]
pub fn not_in_python(scenario: &Scenario) -> Vec<Unmeasurable> {
    prepare::python::obstacles(scenario)
}

/// How to measure.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// The best recorder that may be used; the next one below is taken where it is not permitted.
    pub best_recorder: Rung,
    /// Is the start left to chance? Otherwise runs start at the same distance from a tick of the kernel, threads have settled
    /// on the processors on which they start, and the timers of runtimes have the same phase each time.
    pub naive_start: bool,
    /// Shall a thread of ours dispatch, by the scenario's own policy?
    pub dispatcher: Dispatcher,
    /// The CPython in which processes run that run in one, a name or a path; `None`: the one that they name, or `python3`.
    pub python: Option<&'static str>,
    /// The longest a run may take.
    pub time_limit: Span,
    /// Asked every now and then while a run is on: shall it end at once, without a result?
    pub interrupted: fn() -> bool,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            best_recorder: Rung::CpuWide,
            naive_start: false,
            dispatcher: Dispatcher::WhereNeeded,
            python: None,
            time_limit: Span::from_ms(60_000),
            interrupted: || false,
        }
    }
}

/// When a thread of ours dispatches, by the very policy that decides in the simulator, instead of Linux.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Dispatcher {
    /// Where Linux has nothing like the policy and real-time rights are there; and where tasks are periodic.
    WhereNeeded,
    /// In any case.
    Always,
    /// In no case.
    Never,
}

impl Dispatcher {
    /// All, the default first.
    pub const ALL: [Dispatcher; 3] = [Dispatcher::WhereNeeded, Dispatcher::Always, Dispatcher::Never];

    /// Its name on command lines.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Dispatcher::WhereNeeded => "auto",
            Dispatcher::Always => "always",
            Dispatcher::Never => "never",
        }
    }
}

/// How it is known who was on a processor when; the best first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rung {
    /// The kernel's switch records of whole processors: exact, and others are seen too. Needs root or `CAP_PERFMON`.
    CpuWide,
    /// The kernel's switch records of our own threads and processes: exact.
    OwnTree,
    /// Bursts notice when they were switched, by a page the kernel writes: preemptions are known to some 40 us.
    PageClock,
    /// Bursts notice jumps of the clock: preemptions are known to some 40 us, bursts to a part in a thousand.
    Gaps,
}

impl Rung {
    /// All, the best first.
    pub const ALL: [Rung; 4] = [Rung::CpuWide, Rung::OwnTree, Rung::PageClock, Rung::Gaps];

    /// Its name, as in outcomes.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Rung::CpuWide => "cpu-wide",
            Rung::OwnTree => "own-tree",
            Rung::PageClock => "page-clock",
            Rung::Gaps => "gaps",
        }
    }
}

impl Rung {
    /// What it sees and how exactly, in a few words.
    #[must_use]
    pub fn summary(self) -> &'static str {
        match self {
            Rung::CpuWide => "the kernel's records of every switch, ours and others': exact",
            Rung::OwnTree => "the kernel's records of our own switches: exact",
            Rung::PageClock => "a page that the kernel writes at each of our switches: to some 40 us",
            Rung::Gaps => "gaps in the clock that our bursts look at: to some 40 us",
        }
    }
}

impl fmt::Display for Rung {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// One run: what happened, and how it was recorded.
#[derive(Clone, Debug)]
pub struct Measurement {
    /// What happened; times count from the start of the run.
    pub timeline: Timeline,
    /// Why it ended as it did, in words, if it did not simply complete or reach its horizon.
    pub explanation: Option<String>,
    /// Who could never have gone on, if time was up while others lived.
    pub stuck: Option<engine::Stuck>,
    /// How it was recorded.
    pub recorded: Recorded,
}

impl Measurement {
    /// How the run ended, in the words of a simulation.
    #[must_use]
    pub fn ending(&self) -> engine::Ending {
        engine::Ending {
            end: self.recorded.end.into(),
            at: self.timeline.end,
            explanation: self.explanation.clone(),
            stuck: self.stuck.clone(),
        }
    }
}

/// What was really used to measure, which may be less than what the scenario asked for.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Recorded {
    /// How the run ended.
    pub end: End,
    /// How it is known who was on a processor.
    pub recorder: Rung,
    /// The real executors.
    pub executor: String,
    /// The kernel's scheduling class.
    pub policy: String,
    /// The same for who wants to simulate what ran; `None` if a thread of ours dispatched, by the policy of the scenario.
    #[serde(skip)]
    pub class: Option<Class>,
    /// By which rules the interpreters behave that ran, by the names of their processes: see [`sim_core::scenario::Ran`].
    #[serde(skip)]
    pub interpreters: Vec<(String, String)>,
    /// How near it is to the policy that the scenario names.
    pub policy_realised: Realised,
    /// Why that is so, in a sentence.
    pub policy_reason: String,
    /// The share of the busiest processor that anybody but the measured threads took.
    pub foreign_share: f64,
    /// Records that found no room.
    pub lost: u64,
    /// The release of the kernel.
    pub kernel: String,
    /// The processors used, by the kernel's numbers.
    pub processors: Vec<u32>,
    /// Could every thread be kept on the processors it should use? If not, the run tells nothing of the scenario.
    pub placed: bool,
    /// Where Linux put tasks of a real-time class off for ordinary threads, as far as the recorder sees switches.
    pub holes: Vec<Hole>,
    /// What the kernel counted of groups with quotas; empty if the scenario has none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<Throttling>,
    /// Processor time recorded beyond what the bursts counted, as a share of it; `None` if there was no burst.
    pub burst_error: Option<f64>,
    /// What an interpreter took to start a process in the run, in its processor time, on average; `None` if none was started so.
    #[serde(skip)]
    pub starting: Option<Span>,
    /// How things were realised that the scenario leaves open, or that could not be had.
    pub notes: Vec<String>,
    /// What makes the run doubtful: other programs on its processors.
    pub warnings: Vec<String>,
}

/// How a run ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum End {
    /// Everything is done.
    Completed,
    /// The scenario's horizon.
    Horizon,
    /// Nothing moved any more.
    Deadlock,
    /// Nothing moved any more but those who spin for ever.
    Livelock,
    /// The time limit of the measurement.
    TimeLimit,
}

impl From<End> for engine::End {
    fn from(end: End) -> engine::End {
        match end {
            End::Completed => engine::End::Completed,
            // Either way time was up.
            End::Horizon | End::TimeLimit => engine::End::Horizon,
            End::Deadlock => engine::End::Deadlock,
            End::Livelock => engine::End::Livelock,
        }
    }
}
