//! The critical path: what, one after the other, determined when something was done.
//!
//! [`CriticalPath::of`] reads a finished [`Timeline`], simulated or measured, and walks it backwards from the end that is
//! asked about. While a task runs, is served or sleeps, that is part of the path. Where it waits, the path goes on with what
//! kept it waiting, as [`Causes`](super::Causes) attribute it:
//!
//! - *For a processor, a thread of its runtime, the interpreter lock, a channel of a device*: with whoever had that, one after
//!   the other, back to where the wait began. Was it taken already then, the path goes on with who had it, for the wait would
//!   have been as long had the task come a little sooner or later; if not, with what the task did before.
//! - *For a lock and the like*: with its holder at the end of the wait, or with who sent, received, notified or came last.
//! - *For the end of others* (`join`, `after`): with the one that ended last.
//! - *For nobody*: the wait itself is part of the path.
//!
//! An instance that is spawned comes from its parent, and a branch from its task, or where an `each` has as many `at-once` as it
//! may, from the branch that ended. Before the arrival of any other there was nothing but the clock. The time to the release of a
//! job is the clock's too: since the task arrived.
//!
//! The links have no holes between them, do not overlap, and add up exactly to the time from where the path begins to where it
//! ends. It is *a* chain of what held the run up, and its shares say where to look; how much is gained by a change only a
//! run with the change says, since another chain may be nearly as long: see [`crate::speedup`].

mod positions;
mod walk;

use self::walk::Walk;
use super::What;
use super::index::Index;
use crate::ids::TaskId;
use crate::scenario::Scenario;
use crate::time::{Span, Time};
use crate::timeline::{Interval, Job, Timeline};

/// The chain of what determined an end.
#[derive(Clone, PartialEq, Debug)]
pub struct CriticalPath {
    /// What it explains.
    pub goal: Goal,
    /// The links, in the order of time: each begins where the one before ends.
    pub links: Vec<Link>,
}

/// What a path explains: why it was over only then.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Goal {
    /// At whose end the walk begins.
    pub task: TaskId,
    /// Where the path begins: the start of the run, the arrival of the task, the release of its job.
    pub from: Time,
    /// Where it ends.
    pub to: Time,
}

/// A part of the path.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Link {
    /// Who.
    pub task: TaskId,
    /// Does what.
    pub does: Does,
    /// When it begins.
    pub from: Time,
    /// When it is over.
    pub to: Time,
    /// Whom that kept waiting, if the path came here from somebody else who waited all the while.
    pub holds_up: Option<HoldsUp>,
}

/// What somebody on the path does.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Does {
    /// It runs this operation of its program, by its place in [`crate::scenario::Program::ops`], if that is known.
    Runs(Option<u32>),
    /// It is in service, seeking, asleep, being switched to, or waits in a way for which nobody else can be named.
    Is(What, Option<u32>),
    /// It has not arrived: the clock alone.
    ToCome,
}

/// Somebody who waits while another does something.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct HoldsUp {
    /// Who waits.
    pub task: TaskId,
    /// For what.
    pub what: What,
}

impl Link {
    /// How long it takes.
    #[must_use]
    pub fn length(&self) -> Span {
        self.to - self.from
    }

    /// Where in its program the task is, if that is known.
    #[must_use]
    pub fn position(&self) -> Option<u32> {
        match self.does {
            Does::Runs(position) | Does::Is(_, position) => position,
            Does::ToCome => None,
        }
    }
}

impl Goal {
    /// Of the makespan: the last that finished; `None` if nothing did.
    #[must_use]
    pub fn last_finish(timeline: &Timeline) -> Option<Goal> {
        let finishes = timeline.tasks.pairs().filter_map(|(task, life)| Some((life.finish?, task)));
        // The first of those that finish last.
        let (to, task) = finishes.max_by(|(a, first), (b, second)| a.cmp(b).then(second.cmp(first)))?;
        Some(Goal { task, from: Time::ZERO, to })
    }

    /// Of the time that a task took, from its arrival to its finish, or to the end of the run; `None` if it never arrived.
    #[must_use]
    pub fn life_of(timeline: &Timeline, task: TaskId) -> Option<Goal> {
        let life = timeline.tasks.get(task)?;
        Some(Goal { task, from: life.arrival?, to: life.finish.unwrap_or(timeline.end) })
    }

    /// Of the time that a job took, from its release to its end, or to the end of the run.
    #[must_use]
    pub fn job(timeline: &Timeline, job: &Job) -> Goal {
        Goal { task: job.task, from: job.release, to: job.over().unwrap_or(timeline.end) }
    }

    /// How long that is.
    #[must_use]
    pub fn length(&self) -> Span {
        self.to - self.from
    }
}

impl CriticalPath {
    /// The path to an end. With the scenario of the timeline, bursts and services are told apart by their places in the
    /// programs.
    #[must_use]
    pub fn of(timeline: &Timeline, scenario: Option<&Scenario>, goal: Goal) -> CriticalPath {
        let intervals: Vec<Interval> = timeline.intervals.iter().collect();
        let index = Index::new(timeline, &intervals);
        let mut links = Walk::to(&index, goal).links();
        if let Some(scenario) = scenario {
            links = positions::found(&index, scenario, &links);
        }
        CriticalPath { goal, links: merged(links) }
    }
}

/// Links that are the same are one.
fn merged(links: Vec<Link>) -> Vec<Link> {
    let mut merged: Vec<Link> = Vec::with_capacity(links.len());
    for link in links {
        match merged.last_mut() {
            Some(last) if (last.task, last.does, last.holds_up) == (link.task, link.does, link.holds_up) => {
                last.to = link.to;
            }
            _ => merged.push(link),
        }
    }
    merged
}
