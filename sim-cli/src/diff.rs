//! Two runs side by side: what differs in numbers, from when on their timelines do, and what keeps within a tolerance.

mod causes;
mod figures;
mod json;
mod text;
mod words;

use std::collections::{BTreeMap, BTreeSet};

use sim_core::compare::{Distance, Parting, compare, parting};
use sim_core::outcome::reading::{Reading, TaskReading};
use sim_core::timeline::Timeline;

pub use causes::{Cause, of_reading, of_timeline};
pub use figures::{Figure, Scale, TaskFigure};
pub use json::document;
pub use text::text;
pub use words::headline;

use crate::args::Tolerance;

/// One of the two.
#[derive(Clone, Debug)]
pub struct Side {
    /// What it is: the file and what was set in it.
    pub name: String,
    /// Its numbers.
    pub reading: Reading,
    /// What happened, as far as that is known.
    pub timeline: Option<Timeline>,
    /// What would make a timeline known, if it is not.
    pub without_timeline: Option<String>,
    /// Where the time of all tasks went, if that is known.
    pub causes: Option<BTreeMap<Cause, u64>>,
    /// Was it simulated just now, so that all of it is known?
    pub is_whole: bool,
    /// The makespans of all runs of which it is one.
    pub makespans_ns: Vec<u64>,
    /// What is to be said of it.
    pub notes: Vec<String>,
}

/// Both, and what differs.
#[derive(Debug)]
pub struct Diff {
    /// A and B.
    pub sides: [Side; 2],
    /// Are they the same run, to the nanosecond?
    pub identical: bool,
    /// The figures of the whole runs.
    pub summary: Vec<Figure>,
    /// Mean, p95 and p99 of the latency of each kind of task that both have.
    pub kinds: Vec<(String, [Figure; 3])>,
    /// The tasks that both have, those that differ most first.
    pub tasks: Vec<TaskFigure>,
    /// The tasks that only A has, and only B.
    pub alone: [Vec<String>; 2],
    /// Where the time of all tasks went, what differs most first.
    pub causes: Vec<(Cause, [u64; 2])>,
    /// Are these no more than the four sums that every outcome has?
    pub only_sums: bool,
    /// Where the timelines part, if there are two and they do.
    pub parting: Option<Parting>,
    /// How far the timelines are apart.
    pub distance: Option<Distance>,
}

impl Diff {
    /// What differs.
    #[must_use]
    pub fn new(sides: [Side; 2]) -> Diff {
        let [a, b] = &sides;
        let names = |side: &Side| side.reading.tasks.iter().map(|task| task.name.clone()).collect::<BTreeSet<_>>();
        let (names_a, names_b) = (names(a), names(b));
        let only = |side: &Side, other: &BTreeSet<String>| {
            let names = side.reading.tasks.iter().map(|task| &task.name);
            names.filter(|name| !other.contains(*name)).cloned().collect::<Vec<_>>()
        };
        let alone = [only(a, &names_b), only(b, &names_a)];
        let same_end = |side: &Side| (side.reading.timeline_hash.clone(), side.reading.end.clone());
        let identical = alone.iter().all(Vec::is_empty) && same_end(a) == same_end(b);
        let timelines = a.timeline.as_ref().zip(b.timeline.as_ref()).filter(|_| !identical);
        let (causes, only_sums) = causes::both(&sides);
        Diff {
            identical,
            summary: figures::summary(&sides),
            kinds: figures::kinds(&sides),
            tasks: figures::tasks(&sides),
            alone,
            causes,
            only_sums,
            parting: timelines.and_then(|(a, b)| parting(a, b)),
            distance: timelines.map(|(a, b)| compare(a, std::slice::from_ref(b))),
            sides,
        }
    }

    /// Was one of the two measured? Then no instant is exactly that of the other.
    #[must_use]
    pub fn is_measured(&self) -> bool {
        self.sides.iter().any(|side| side.reading.source == "measured")
    }

    /// Does the horizon end both at the same time? Then the makespan says nothing.
    #[must_use]
    pub fn horizon_ends_both(&self) -> bool {
        let [a, b] = &self.sides;
        a.reading.end == "horizon" && b.reading.end == "horizon" && a.reading.makespan_ns == b.reading.makespan_ns
    }

    /// What is off by more than these tolerances allow, a sentence each. Broken is what exceeds all of them.
    #[must_use]
    pub fn beyond(&self, tolerances: &[Tolerance]) -> Vec<String> {
        if tolerances.is_empty() {
            return Vec::new();
        }
        let [a, b] = &self.sides;
        let mut broken = Vec::new();
        if a.reading.end != b.reading.end {
            broken.push(format!("A {}, and B {}", words::ended(&a.reading.end), words::ended(&b.reading.end)));
        }
        let makespan = self.summary.first().filter(|_| !self.horizon_ends_both());
        let latencies = self.kinds.iter().map(|(name, [mean, ..])| (format!("the mean latency of {name}"), mean));
        for (what, figure) in makespan.map(|figure| ("the makespan".to_owned(), figure)).into_iter().chain(latencies) {
            if figure.exceeds(tolerances) {
                broken.push(words::beyond(&what, figure, tolerances));
            }
        }
        let kinds = |side: &Side| side.reading.kinds.iter().map(|kind| kind.name.clone()).collect::<BTreeSet<_>>();
        for (here, there, [name, other]) in [(a, b, ["A", "B"]), (b, a, ["B", "A"])] {
            let there = kinds(there);
            let missing = kinds(here).into_iter().filter(|kind| !there.contains(kind));
            broken.extend(missing.map(|kind| format!("{kind} is in {name} only, and not in {other}")));
        }
        broken
    }

    /// The tasks of both by name, those of A first.
    fn pairs(sides: &[Side; 2]) -> Vec<(&TaskReading, &TaskReading)> {
        let of_b: BTreeMap<&str, &TaskReading> =
            sides[1].reading.tasks.iter().map(|task| (task.name.as_str(), task)).collect();
        sides[0].reading.tasks.iter().filter_map(|task| Some((task, *of_b.get(task.name.as_str())?))).collect()
    }
}
