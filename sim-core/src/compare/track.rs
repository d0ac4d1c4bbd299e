//! A timeline as a comparison sees it: for each task the stretches of time in which it ran, wherever that was.

use std::cmp::Ordering;

use crate::time::{Span, Time};
use crate::timeline::Fate;

/// What one task received.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Track {
    /// When it ran: in order, disjoint and not touching, except that stretches of no length are kept.
    runs: Vec<(Time, Time)>,
    /// When it arrived.
    arrival: Option<Time>,
    /// When it was over.
    finish: Option<Time>,
    /// Did others end it, so that when that was is no figure of its own?
    cut_short: bool,
    /// How long its jobs took from their releases, in the mean over those that ended; `None` if it has none.
    response: Option<Span>,
}

impl Track {
    /// The track of a task with these running intervals, in any order.
    ///
    /// They may overlap by what a recorder cannot resolve; a task that is seen running twice at once runs.
    pub(super) fn new(mut intervals: Vec<(Time, Time)>, arrival: Option<Time>, finish: Option<Time>) -> Track {
        intervals.sort_unstable();
        let mut runs: Vec<(Time, Time)> = Vec::with_capacity(intervals.len());
        for (start, end) in intervals {
            match runs.last_mut() {
                Some(last) if start <= last.1 => last.1 = last.1.max(end),
                _ => runs.push((start, end)),
            }
        }
        Track { runs, arrival, finish, cut_short: false, response: None }
    }

    /// The same of a periodic task, whose jobs took so long in the mean.
    pub(super) fn responding(self, response: Option<Span>) -> Track {
        Track { response, ..self }
    }

    /// The same of a task that was over in this way.
    pub(super) fn ending(self, fate: Fate) -> Track {
        Track { cut_short: !fate.is_own_end(), ..self }
    }

    /// When it finished.
    fn finished(&self) -> Option<Time> {
        self.finish.filter(|_| !self.cut_short)
    }

    /// When it ran, in order; never empty stretches.
    pub(super) fn runs(&self) -> impl Iterator<Item = (Time, Time)> + '_ {
        self.runs.iter().copied().filter(|(start, end)| start < end)
    }

    /// Who comes first: who ran first; if both began at the same instant, who then ran on when the other did not.
    ///
    /// Equal only if the two received the same at all times, so the order never depends on how tasks are numbered.
    pub(super) fn cmp_by_first_run(&self, other: &Track) -> Ordering {
        for (mine, theirs) in self.runs.iter().zip(&other.runs) {
            let order = mine.0.cmp(&theirs.0).then(theirs.1.cmp(&mine.1));
            if order.is_ne() {
                return order;
            }
        }
        other.runs.len().cmp(&self.runs.len()).then_with(|| {
            let last = |track: &Track| track.finish.unwrap_or(Time::NEVER);
            last(self).cmp(&last(other))
        })
    }
}

/// A task begins or stops to run.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Edge {
    /// When.
    pub(super) at: Time,
    /// Which task.
    pub(super) task: usize,
    /// Does it begin?
    pub(super) begins: bool,
}

/// All tasks of one timeline under the names they have in the comparison.
#[derive(Debug)]
pub(super) struct Tracks {
    tracks: Vec<Option<Track>>,
    /// Every begin and stop, in order of time.
    pub(super) edges: Vec<Edge>,
    /// The last finish; the end of the run if something did not finish.
    pub(super) makespan: Span,
    /// Did something not finish?
    pub(super) unfinished: bool,
}

impl Tracks {
    /// The tracks by name; `None` is a task that this timeline does not have.
    pub(super) fn new(tracks: Vec<Option<Track>>, makespan: Span) -> Tracks {
        let unfinished = tracks.iter().flatten().any(|track| track.finish.is_none());
        let mut edges = Vec::new();
        for (task, track) in tracks.iter().enumerate() {
            for (start, end) in track.iter().flat_map(Track::runs) {
                edges.push(Edge { at: start, task, begins: true });
                edges.push(Edge { at: end, task, begins: false });
            }
        }
        edges.sort_unstable();
        Tracks { tracks, edges, makespan, unfinished }
    }

    /// How many names there are.
    pub(super) fn len(&self) -> usize {
        self.tracks.len()
    }

    /// The track of a task, if this timeline has that task.
    pub(super) fn get(&self, task: usize) -> Option<&Track> {
        self.tracks[task].as_ref()
    }

    /// When a task finished, counted from the start of the run.
    pub(super) fn completion(&self, task: usize) -> Option<Span> {
        self.get(task)?.finished().map(|finish| finish.since(Time::ZERO))
    }

    /// How long a task took from its arrival to its finish.
    pub(super) fn turnaround(&self, task: usize) -> Option<Span> {
        let track = self.get(task)?;
        Some(track.finished()?.since(track.arrival?))
    }

    /// How long the jobs of a task took from their releases, in the mean.
    pub(super) fn response(&self, task: usize) -> Option<Span> {
        self.get(task)?.response
    }
}
