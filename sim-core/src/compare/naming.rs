//! Which task of one timeline is which of the other.
//!
//! A task is known by process, name and instance. But of five identical downloads that arrive together, which is served
//! first is an accident: a real run may take them in any order, and a comparison that insisted on the numbers would see
//! a difference where there is none. So interchangeable tasks are named anew in every timeline, in the order in which
//! they first ran there ([`Track::cmp_by_first_run`]). Each timeline is renamed by itself, whatever it is compared with:
//! that is symmetric, the distances keep the triangle inequality, and a pair of real runs is treated as a real run and a
//! simulation are. Looking for the assignment that makes a pair most alike would have none of these virtues.
//!
//! Renaming must not hide real differences. Two tasks are interchangeable only if they are instances of one task (or
//! the only instance in copies of one process), arrive together and, in the simulation, both finished having asked for
//! the same: processor time, device service, sleep. (If neither finished, the demand is unknown and taken as the same.)
//! Tasks that were written down apart stay apart, even if they look alike: a timeline does not tell their priorities.

use std::collections::BTreeMap;

use crate::ids::{IdVec, TaskId};
use crate::time::{Span, Time};
use crate::timeline::{Cause, Fate, Timeline, What};

use super::track::{Track, Tracks};

/// The tasks of a comparison, numbered: those of the simulation in its order, then those it does not know.
pub(super) struct Names {
    labels: Vec<Label>,
    numbers: BTreeMap<Label, usize>,
    /// Groups of interchangeable tasks, two or more each, in order.
    groups: Vec<Vec<usize>>,
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Label {
    process: String,
    task: String,
    instance: u32,
}

impl Names {
    /// Gathers the tasks of all timelines; who is interchangeable is read from the first simulated one.
    pub(super) fn new(simulated: &[&Timeline], measured: &[Timeline]) -> Names {
        let mut names = Names { labels: Vec::new(), numbers: BTreeMap::new(), groups: Vec::new() };
        for timeline in simulated.iter().copied().chain(measured) {
            for label in timeline.tasks.ids().map(|task| label(timeline, task)) {
                if !names.numbers.contains_key(&label) {
                    names.numbers.insert(label.clone(), names.labels.len());
                    names.labels.push(label);
                }
            }
        }
        let mut groups: BTreeMap<Kin, Vec<usize>> = BTreeMap::new();
        for first in simulated.iter().take(1) {
            for (task, kin) in kinship(first).pairs() {
                groups.entry(kin.clone()).or_default().push(names.number(first, task));
            }
        }
        names.groups = groups.into_values().filter(|group| group.len() > 1).collect();
        names
    }

    /// How many tasks there are.
    pub(super) fn len(&self) -> usize {
        self.labels.len()
    }

    /// The full name of a task.
    pub(super) fn name(&self, number: usize) -> String {
        let Label { process, task, instance } = &self.labels[number];
        format!("{process}/{task}#{instance}")
    }

    /// The kind of a task, `process/task`, in whichever copy of its process it is.
    pub(super) fn kind(&self, number: usize) -> String {
        let Label { process, task, .. } = &self.labels[number];
        format!("{}/{task}", original(process))
    }

    /// The timeline with its interchangeable tasks named anew.
    pub(super) fn tracks(&self, timeline: &Timeline) -> Tracks {
        let mut intervals: IdVec<TaskId, Vec<(Time, Time)>> = timeline.tasks.iter().map(|_| Vec::new()).collect();
        for interval in timeline.intervals.iter().filter(|interval| interval.what == What::Run) {
            intervals[interval.task].push((interval.start, interval.end));
        }
        let responses = responses(timeline);
        let mut tracks = vec![None; self.len()];
        for (task, life) in timeline.tasks.pairs() {
            let track = Track::new(std::mem::take(&mut intervals[task]), life.arrival, life.finish);
            let track = track.ending(life.fate).responding(responses[task]);
            tracks[self.number(timeline, task)] = Some(track);
        }
        for group in &self.groups {
            let mut members: Vec<Track> = group.iter().filter_map(|number| tracks[*number].take()).collect();
            members.sort_by(Track::cmp_by_first_run);
            for (number, track) in group.iter().zip(members) {
                tracks[*number] = Some(track);
            }
        }
        Tracks::new(tracks, timeline.makespan())
    }

    fn number(&self, timeline: &Timeline, task: TaskId) -> usize {
        self.numbers[&label(timeline, task)]
    }
}

/// How long the jobs of each task took in the mean, of those that ended.
fn responses(timeline: &Timeline) -> IdVec<TaskId, Option<Span>> {
    let mut sums: IdVec<TaskId, (u64, u64)> = timeline.tasks.iter().map(|_| (0, 0)).collect();
    for job in &timeline.jobs {
        if let Some(response) = job.response() {
            let (sum, count) = &mut sums[job.task];
            (*sum, *count) = (*sum + response.ns(), *count + 1);
        }
    }
    sums.iter().map(|(sum, count)| sum.checked_div(*count).map(Span::from_ns)).collect()
}

fn label(timeline: &Timeline, task: TaskId) -> Label {
    let life = &timeline.tasks[task];
    let spec = &timeline.cast.specs[life.spec as usize];
    let process = timeline.cast.processes[spec.process as usize].clone();
    Label { process, task: spec.task.clone(), instance: life.instance }
}

/// The process of which this is a copy: copy k is called `name#k`, and no other name has a `#` in it.
fn original(process: &str) -> &str {
    process.split_once('#').map_or(process, |(name, _)| name)
}

/// What interchangeable tasks have in common.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Kin {
    process: String,
    task: String,
    arrival: Option<u64>,
    demand: Option<Demand>,
}

/// What a task that finished had asked for, in total: nanoseconds.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
struct Demand {
    running: u64,
    served: u64,
    sleeping: u64,
}

fn kinship(timeline: &Timeline) -> IdVec<TaskId, Kin> {
    let mut demands: IdVec<TaskId, Demand> = timeline.tasks.iter().map(|_| Demand::default()).collect();
    for interval in timeline.intervals.iter().filter(|interval| interval.what == What::Run) {
        demands[interval.task].running += interval.end.since(interval.start).ns();
    }
    for request in &timeline.requests {
        let served = request.start.map_or(Span::ZERO, |start| request.end.since(start));
        demands[request.task].served += served.ns();
    }
    for block in timeline.blocks.iter().filter(|block| block.cause == Cause::Timer) {
        demands[block.task].sleeping += block.end.since(block.start).ns();
    }
    let mut tasks_of_process = vec![0_u32; timeline.cast.processes.len()];
    for life in &timeline.tasks {
        tasks_of_process[timeline.cast.specs[life.spec as usize].process as usize] += 1;
    }
    let kin = |(task, demand): (TaskId, &Demand)| {
        let life = &timeline.tasks[task];
        let spec = &timeline.cast.specs[life.spec as usize];
        let process = &timeline.cast.processes[spec.process as usize];
        let alone = tasks_of_process[spec.process as usize] == 1;
        Kin {
            process: if alone { original(process) } else { process }.to_owned(),
            task: spec.task.clone(),
            arrival: life.arrival.map(Time::ns),
            demand: (life.ended_as() == Some(Fate::Finished)).then(|| demand.clone()),
        }
    };
    demands.pairs().map(kin).collect()
}
