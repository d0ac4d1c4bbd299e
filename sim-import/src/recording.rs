//! What a trace recorded, as the outcome of a measured run: to be held against a simulation of the scenario that was made of it.

use std::sync::Arc;

use sim_core::document::Source;
use sim_core::engine::{End, Ending, cast};
use sim_core::ids::{CpuId, TaskId, ThreadId};
use sim_core::outcome::Outcome;
use sim_core::scenario::lower;
use sim_core::time::Time;
use sim_core::timeline::{Block, Cause, Fate, Interval, Left, Life, Timeline, What};

/// What happened, in nanoseconds since the start of the trace.
#[derive(Clone, Default, Debug)]
pub(crate) struct Recording {
    /// When threads came, and when they were seen last, in the order of the tasks.
    pub(crate) lives: Vec<(u64, u64)>,
    pub(crate) runs: Vec<Run>,
    pub(crate) pauses: Vec<Pause>,
    pub(crate) end: u64,
}

/// A processor ran a thread.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Run {
    pub(crate) thread: usize,
    pub(crate) processor: u32,
    pub(crate) start: u64,
    pub(crate) end: u64,
    pub(crate) left: Left,
}

/// A thread waited for something else than a processor.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pause {
    pub(crate) thread: usize,
    pub(crate) start: u64,
    pub(crate) end: u64,
}

impl Recording {
    /// The recording as the outcome of a measured run of this scenario, whose tasks are its threads.
    ///
    /// # Errors
    /// A sentence: the scenario has not all of its threads.
    pub(crate) fn outcome(&self, scenario: &str, kind: &str) -> Result<Outcome, String> {
        let scenario = lower::scenario(&Source { file: "the scenario", text: scenario }, &[]);
        let scenario = scenario.map_err(|mistakes| mistakes.to_string())?;
        let cast = cast(&scenario);
        if cast.specs.len() != self.lives.len() {
            return Err("the scenario has not all threads of the trace, which are too many".to_owned());
        }
        let mut timeline = Timeline { cast: Arc::new(cast), end: Time::from_ns(self.end), ..Timeline::default() };
        for (spec, (arrival, finish)) in (0..).zip(&self.lives) {
            let [arrival, finish] = [arrival, finish].map(|at| Some(Time::from_ns(*at)));
            timeline.tasks.push(Life { spec, instance: 0, arrival, finish, fate: Fate::Finished });
        }
        let ids: Vec<TaskId> = timeline.tasks.ids().collect();
        for run in &self.runs {
            let [start, end] = [run.start, run.end].map(Time::from_ns);
            let thread = ThreadId(u32::try_from(run.thread).unwrap_or(u32::MAX));
            let cpu = CpuId(run.processor);
            timeline.intervals.push(Interval {
                start,
                end,
                task: ids[run.thread],
                thread,
                cpu,
                what: What::Run,
                left: run.left,
            });
        }
        for pause in &self.pauses {
            let [start, end] = [pause.start, pause.end].map(Time::from_ns);
            timeline.blocks.push(Block { start, end, task: ids[pause.thread], cause: Cause::Timer, again: false });
        }
        let ending = Ending { end: End::Completed, at: timeline.end, explanation: None, stuck: None };
        let recorded = serde_json::json!({ "recorder": kind });
        Ok(Outcome::measured(&scenario, &timeline, &ending, recorded).with_timeline(&timeline))
    }
}
