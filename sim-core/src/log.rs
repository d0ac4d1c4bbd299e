//! A run as a log: every decision in words, in order of time.
//!
//! What happened is read off a [`Timeline`], simulated or measured; why the scheduling policy decided so is what it said
//! itself while it was listened to ([`crate::policy::told`]). Nothing of this is asked of a run whose log nobody wants.
//!
//! ```
//! # use sim_core::{document::Source, engine::simulate, log, policy::told, scenario::lower, timeline::Timeline};
//! # let text = "scheduler = { policy = \"mlfq\", levels = [{ quantum = \"2ms\" }, { quantum = \"4ms\" }] }\n\
//! #     task = [{ name = \"a\", program = [{ cpu = \"5ms\" }] }]";
//! # let scenario = lower::scenario(&Source { file: "a.toml", text }, &[]).unwrap();
//! let (heard, told) = told::listen(&scenario, 1_000);
//! let mut timeline = Timeline::default();
//! simulate(&heard, &mut timeline);
//! let lines = log::lines(&timeline, told.words().unwrap());
//! assert!(lines.iter().any(|line| line.event == "slice ends" && line.words == "level 1, 4 ms of its slice left"));
//! ```

mod objects;
mod processors;
mod said;

use std::collections::BTreeMap;

use crate::ids::{CpuId, Id as _, TaskId};
use crate::policy::told::Word;
use crate::time::Time;
use crate::timeline::Timeline;

use self::objects::Objects;
use self::said::Sayings;

/// One line of a log.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Line {
    /// When.
    pub at: Time,
    /// On which processor; [`CpuId::NONE`] if that does not matter.
    pub cpu: CpuId,
    /// Of whom it tells; [`TaskId::NONE`] if of nobody.
    pub task: TaskId,
    /// What happened, in a word or two: `runs`, `slice ends`, `waits`, …
    pub event: &'static str,
    /// More of it, often why.
    pub words: String,
}

/// All lines of a run, in order of time: with what its policy said, if that was listened to.
#[must_use]
pub fn lines(timeline: &Timeline, words: Vec<Word>) -> Vec<Line> {
    let mut log =
        Log { timeline, names: names(timeline), said: Sayings::of(words), turns: BTreeMap::new(), lines: Vec::new() };
    let mut objects = Objects::of(timeline);
    log.busy(&mut objects);
    log.waits(&mut objects);
    log.lives();
    log.held();
    log.rest();
    log.left_over();
    log.lines.sort_by_key(|(phase, line)| (line.at, *phase));
    log.lines.into_iter().map(|(_, line)| line).collect()
}

/// The names of all tasks, as people call them.
#[must_use]
pub fn names(timeline: &Timeline) -> Vec<String> {
    let mut counts = vec![0_u32; timeline.cast.specs.len()];
    timeline.tasks.iter().for_each(|life| counts[life.spec as usize] += 1);
    let name = |life: &crate::timeline::Life| {
        let spec = &timeline.cast.specs[life.spec as usize];
        let alone = counts[life.spec as usize] == 1 && life.instance == 0;
        let task = if alone { spec.task.clone() } else { format!("{}#{}", spec.task, life.instance) };
        let process = &timeline.cast.processes[spec.process as usize];
        if timeline.cast.is_one_process() { task } else { format!("{process}/{task}") }
    };
    timeline.tasks.iter().map(name).collect()
}

/// In which order things are told that happen at one instant: who leaves, what that leads to, and then who runs.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Phase {
    GivesBack,
    Leaves,
    Alarm,
    Wakes,
    Takes,
    Arrives,
    Ready,
    PutOff,
    /// A turn that begins then: of several on one processor the number, and a part of it.
    Turn(u32, Part),
}

/// What happens at the instant at which a turn begins.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Part {
    Runs,
    /// It does what takes no time.
    Does,
    /// It leaves at once.
    Leaves,
}

struct Log<'t> {
    timeline: &'t Timeline,
    names: Vec<String>,
    said: Sayings,
    /// The numbers of turns, by task and beginning; of several at an instant the last.
    turns: BTreeMap<(TaskId, Time), u32>,
    lines: Vec<(Phase, Line)>,
}

impl Log<'_> {
    fn add(&mut self, phase: Phase, (at, cpu, task): (Time, CpuId, TaskId), event: &'static str, words: String) {
        self.lines.push((phase, Line { at, cpu, task, event, words }));
    }

    /// Adds what a task does on its processor, in no time.
    fn does(&mut self, phase: Phase, (at, task): (Time, TaskId), event: &'static str, words: String) {
        let phase = self.turns.get(&(task, at)).map_or(phase, |number| Phase::Turn(*number, Part::Does));
        self.add(phase, (at, CpuId::NONE, task), event, words);
    }

    fn name(&self, task: TaskId) -> &str {
        self.names.get(task.index()).map_or("nobody", |name| name)
    }

    /// Is it so only since the run ended there?
    fn is_cut(&self, task: TaskId, at: Time) -> bool {
        at == self.timeline.end && self.timeline.tasks[task].finish.is_none()
    }

    /// What the policy said of those who stayed where they were, or of threads without a task.
    fn left_over(&mut self) {
        for word in self.said.left_over() {
            let (at, task) = (word.at, word.task);
            let is_known = task.index() < self.timeline.tasks.len();
            use crate::policy::told::Said;
            match word.what {
                Said::Alarm => self.add(Phase::Alarm, (at, CpuId::NONE, TaskId::NONE), "policy", word.words),
                Said::Changed if is_known && !word.words.is_empty() => {
                    self.add(Phase::Ready, (at, CpuId::NONE, task), "now has", word.words);
                }
                Said::Ready if is_known => self.add(Phase::Ready, (at, CpuId::NONE, task), "ready", word.words),
                Said::Expired if is_known => self.add(Phase::Leaves, (at, CpuId::NONE, task), "slice ends", word.words),
                Said::Picked(cpu) if is_known => {
                    let goes_on = join("it goes on", &word.words);
                    self.add(Phase::Turn(0, Part::Runs), (at, cpu, task), "picked", goes_on);
                }
                Said::Picked(cpu) => {
                    let words = join("a thread of a runtime looks for a task", &word.words);
                    self.add(Phase::Turn(0, Part::Runs), (at, cpu, TaskId::NONE), "picked", words);
                }
                Said::Ready | Said::Expired | Said::PutOff | Said::Yielded | Said::Changed => {}
            }
        }
    }
}

/// Two pieces of words, of which any may be empty.
fn join(first: &str, second: &str) -> String {
    match (first, second) {
        ("", only) | (only, "") => only.to_owned(),
        (first, second) => format!("{first}; {second}"),
    }
}
