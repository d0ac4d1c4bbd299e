//! Where in its program a task was: from its requests, its sleeps and how long it ran, as its program is walked again.
//!
//! A request and a sleep are found again one by one. The bursts between two of them share the time that the task ran between
//! them in proportion to their work, which is exact unless something besides took time there. From where the record does not say
//! how the program went on, no place is known.

mod again;

use std::collections::BTreeMap;

use self::again::{Again, Segment};
use super::{Does, Link};
use crate::causes::What;
use crate::causes::index::Index;
use crate::ids::{SpecId, TaskId};
use crate::scenario::{Op, Scenario, Spec};
use crate::time::{Span, Time};
use crate::timeline::Job;
use crate::timeline::lanes::State;

/// The links, with places in programs where they can be told.
pub(super) fn found(index: &Index<'_>, scenario: &Scenario, links: &[Link]) -> Vec<Link> {
    let mut known: BTreeMap<TaskId, Course> = BTreeMap::new();
    let mut found = Vec::with_capacity(links.len());
    for link in links {
        let course = known.entry(link.task).or_insert_with(|| Course::of(index, scenario, link.task));
        match link.does {
            Does::Runs(_) => course.bursts_in(link, &mut found),
            Does::Is(what @ (What::Service(_) | What::Seek(_) | What::Timer | What::Queue(_)), _) => {
                found.push(Link { does: Does::Is(what, course.wait_at(link.from)), ..*link });
            }
            _ => found.push(*link),
        }
    }
    found
}

/// What one task did when.
#[derive(Default)]
struct Course {
    /// When it ran and not in circles, and for how long before that.
    running: Vec<(Time, Time, Span)>,
    /// The operations that need a processor: from how much running time on. `None`: what comes then is not known.
    bursts: Vec<(Span, Option<u32>)>,
    /// Requests and sleeps: from when to when.
    waits: Vec<(Time, Time, u32)>,
}

impl Course {
    fn of(index: &Index<'_>, scenario: &Scenario, task: TaskId) -> Course {
        let course = Course { running: running(index, task), ..Course::default() };
        let spec = SpecId(index.timeline.tasks[task].spec);
        match scenario.specs.get(spec) {
            Some(described) if !borrows_chance(scenario, described) => {
                let mut course = Again::new(index, scenario, task, course).walk();
                course.ends_with(index.timeline.jobs.iter().find(|job| job.task == task && job.aborted));
                course
            }
            _ => course,
        }
    }

    /// Where in its program a job was ended is not known, nor what comes behind it.
    fn ends_with(&mut self, aborted: Option<&Job>) {
        if let Some(end) = aborted.and_then(Job::over) {
            self.is_lost(self.ran(end));
            self.waits.retain(|(start, ..)| *start < end);
        }
    }

    /// What it does after it has run for so long is not known.
    fn is_lost(&mut self, ran: Span) {
        self.bursts.retain(|(start, _)| *start < ran);
        self.bursts.push((ran, None));
    }

    /// How long it ran before a moment.
    fn ran(&self, before: Time) -> Span {
        let next = self.running.partition_point(|(start, ..)| *start < before);
        next.checked_sub(1).map_or(Span::ZERO, |last| {
            let (start, end, ran) = self.running[last];
            ran + (end.min(before) - start)
        })
    }

    fn total(&self) -> Span {
        self.ran(Time::NEVER)
    }

    /// When it had run for so long: the first such moment.
    fn when(&self, ran: Span) -> Time {
        let next = self.running.partition_point(|(.., before)| *before < ran);
        next.checked_sub(1).map_or(Time::ZERO, |last| {
            let (start, end, before) = self.running[last];
            (start + (ran - before)).min(end)
        })
    }

    /// Gives each operation of a segment its share of the time for which the task ran.
    fn share(&mut self, segment: &Segment, ran: Span) {
        for (before, position) in &segment.bursts {
            if *before >= segment.work {
                continue;
            }
            let part = u128::from(before.ns()) * u128::from(ran.ns()) / u128::from(segment.work.ns());
            let part = Span::from_ns(u64::try_from(part).unwrap_or(u64::MAX));
            self.bursts.push((segment.start + part, Some(*position)));
        }
    }

    /// Cuts a link at the places where one operation follows another.
    fn bursts_in(&self, link: &Link, found: &mut Vec<Link>) {
        let mut from = link.from;
        while from < link.to {
            let ran = self.ran(from);
            let next = self.bursts.partition_point(|(start, _)| *start <= ran);
            let position = next.checked_sub(1).and_then(|last| self.bursts[last].1);
            let until = self.bursts.get(next).map_or(link.to, |(start, _)| self.when(*start));
            let to = if from < until { until.min(link.to) } else { link.to };
            found.push(Link { does: Does::Runs(position), from, to, ..*link });
            from = to;
        }
    }

    /// The request or the sleep of a moment.
    fn wait_at(&self, at: Time) -> Option<u32> {
        let next = self.waits.partition_point(|(start, ..)| *start <= at);
        next.checked_sub(1).map(|last| self.waits[last]).filter(|(_, end, _)| at < *end).map(|(.., position)| position)
    }
}

/// Does the way through the program hang on chance that the task has from another, or lends to one?
fn borrows_chance(scenario: &Scenario, described: &Spec) -> bool {
    let ops = &described.program.ops;
    let lends = |op: &Op| matches!(op, Op::Spawn(spec) if scenario.specs[*spec].is_call());
    ops.iter().any(|op| matches!(op, Op::Choose(_))) && (described.is_call() || ops.iter().any(lends))
}

/// When a task ran its program, spinning left out.
fn running(index: &Index<'_>, task: TaskId) -> Vec<(Time, Time, Span)> {
    let mut spins = index.spins[task].iter().peekable();
    let (mut running, mut ran) = (Vec::new(), Span::ZERO);
    let mut add = |start: Time, end: Time| {
        if start < end {
            running.push((start, end, ran));
            ran += end - start;
        }
    };
    for stretch in index.lanes[task].iter().filter(|stretch| stretch.state == State::Running) {
        let mut at = stretch.start;
        while let Some(spin) = spins.peek().filter(|spin| spin.start < stretch.end) {
            add(at, spin.start.max(at));
            at = spin.end.clamp(at, stretch.end);
            if spin.end > stretch.end {
                break;
            }
            spins.next();
        }
        add(at, stretch.end);
    }
    running
}
