//! Where in its program a task was: from its requests, its sleeps and how long it ran, as its program is walked again.
//!
//! A request and a sleep are found again one by one. The bursts between two of them share the time that the task ran between
//! them in proportion to their work, which is exact unless something besides took time there.

use std::collections::BTreeMap;

use super::{Does, Link};
use crate::causes::What;
use crate::causes::index::Index;
use crate::ids::{SpecId, TaskId};
use crate::program::{Cursor, Step, program_stream};
use crate::scenario::Scenario;
use crate::time::{Span, Time};
use crate::timeline::lanes::State;
use crate::timeline::{Block, Cause};

/// Programs are walked no further than this.
const MOST_STEPS: usize = 1 << 20;

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
    /// The operations that need a processor: from how much running time on.
    bursts: Vec<(Span, u32)>,
    /// Requests and sleeps: from when to when.
    waits: Vec<(Time, Time, u32)>,
}

impl Course {
    fn of(index: &Index<'_>, scenario: &Scenario, task: TaskId) -> Course {
        let mut course = Course { running: running(index, task), ..Course::default() };
        let life = &index.timeline.tasks[task];
        let spec = SpecId(life.spec);
        if scenario.specs.get(spec).is_some() {
            course.walk(index, scenario, task);
        }
        course
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

    fn walk(&mut self, index: &Index<'_>, scenario: &Scenario, task: TaskId) {
        let life = &index.timeline.tasks[task];
        let spec = SpecId(life.spec);
        let program = &scenario.specs[spec].program;
        let periodic = scenario.specs[spec].attributes.periodic.is_some();
        let mut cursor = Cursor::new(program);
        let mut requests = index.requests[task].iter().map(|(request, _)| *request);
        let mut sleeps = index.blocks[task].iter().filter(|block| block.cause == Cause::Timer);
        let (mut tests, mut segment) = (index.tests[task].iter(), Segment::default());
        for _ in 0..MOST_STEPS {
            let step = cursor.step(program, || program_stream(scenario, spec, life.instance));
            let position = cursor.position();
            match step {
                Step::Cpu(work) => {
                    segment.add(work, position);
                    // Without an end of its own it goes on to where the task ran last.
                    if segment.work > self.total().saturating_sub(segment.start) * 64 {
                        break;
                    }
                }
                Step::Io { device, .. } => {
                    let Some(request) = requests.next().filter(|request| request.device == device) else { break };
                    segment = self.close(segment, request.asked);
                    self.waits.push((request.asked, request.end, position));
                }
                Step::Sleep(length) if !length.is_zero() => {
                    let Some(block) = sleeps.next() else { break };
                    segment = self.waits_for(block, segment, position);
                }
                Step::Test => {
                    let Some((_, holds)) = tests.next().filter(|(op, _)| *op == position) else { break };
                    cursor.decide(program, *holds);
                }
                Step::Turn => {
                    // When it came there is known exactly if it waited for the turn; and if it did not, it would not have then.
                    let waited = |block: &&&Block| !cursor.clone().turn(program, block.start).is_zero();
                    let Some(block) = sleeps.clone().next().filter(waited) else {
                        cursor.turn(program, self.when(segment.start + segment.work));
                        continue;
                    };
                    sleeps.next();
                    cursor.turn(program, block.start);
                    segment = self.waits_for(block, segment, position);
                }
                Step::Attempt(_) => break,
                Step::End(_) if periodic && segment.start < self.total() => cursor.restart(),
                Step::End(_) => {
                    if let Some(finish) = life.finish {
                        segment = self.close(segment, finish);
                    }
                    break;
                }
                _ => {}
            }
        }
        // Cut off: what it did it did at full speed.
        segment.work = segment.work.min(self.total().saturating_sub(segment.start));
        let rest = segment.work;
        self.share(&segment, rest);
    }

    /// A segment ends where the task sleeps: the next one.
    fn waits_for(&mut self, block: &Block, segment: Segment, position: u32) -> Segment {
        self.waits.push((block.start, block.end, position));
        self.close(segment, block.start)
    }

    /// A segment ends at this time: the next one.
    fn close(&mut self, segment: Segment, at: Time) -> Segment {
        let end = self.ran(at);
        self.share(&segment, end.saturating_sub(segment.start));
        Segment { start: end.max(segment.start), ..Segment::default() }
    }

    /// Gives each operation of a segment its share of the time for which the task ran.
    fn share(&mut self, segment: &Segment, ran: Span) {
        for (before, position) in &segment.bursts {
            if *before >= segment.work {
                continue;
            }
            let part = u128::from(before.ns()) * u128::from(ran.ns()) / u128::from(segment.work.ns());
            let part = Span::from_ns(u64::try_from(part).unwrap_or(u64::MAX));
            self.bursts.push((segment.start + part, *position));
        }
    }

    /// Cuts a link at the places where one operation follows another.
    fn bursts_in(&self, link: &Link, found: &mut Vec<Link>) {
        let mut from = link.from;
        while from < link.to {
            let ran = self.ran(from);
            let next = self.bursts.partition_point(|(start, _)| *start <= ran);
            let position = next.checked_sub(1).map(|last| self.bursts[last].1);
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

/// The bursts between two waits.
#[derive(Default)]
struct Segment {
    /// How long the task had run before.
    start: Span,
    /// The work of each before it, and its place.
    bursts: Vec<(Span, u32)>,
    /// The work of all.
    work: Span,
}

impl Segment {
    fn add(&mut self, work: Span, position: u32) {
        if !work.is_zero() {
            self.bursts.push((self.work, position));
            self.work += work;
        }
    }
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
