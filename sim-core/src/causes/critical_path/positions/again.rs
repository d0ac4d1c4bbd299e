//! A program is walked again, beside the record of what its instance did.

use std::iter::Peekable;
use std::slice::Iter;

use super::Course;
use crate::causes::index::Index;
use crate::ids::{DeviceId, SpecId, TaskId};
use crate::program::{Cursor, Step, program_stream};
use crate::rng::StreamName;
use crate::scenario::{Op, Program, Scenario, Speed, Terms};
use crate::time::{Span, Time};
use crate::timeline::{Block, Cause, Fate, Leave, Request};

/// Programs are walked no further than this.
const MOST_STEPS: usize = 1 << 20;

/// So far is looked ahead for another operation that may be given up.
const FARTHEST: usize = 1000;

/// How a walk goes on.
enum Next {
    /// Further.
    Step,
    /// The instance came no further.
    Over,
    /// The record does not say how.
    Lost,
}

/// A walk under way.
pub(super) struct Again<'a> {
    index: &'a Index<'a>,
    scenario: &'a Scenario,
    task: TaskId,
    program: &'a Program,
    cursor: Cursor,
    /// What is to come of the record.
    requests: Peekable<Iter<'a, (&'a Request, u32)>>,
    sleeps: Peekable<Box<dyn Iterator<Item = &'a Block> + 'a>>,
    tests: Iter<'a, (u32, bool)>,
    leaves: Peekable<Iter<'a, &'a Leave>>,
    /// On what terms it does the request that comes next.
    terms: Option<Terms>,
    /// When it was over what it waited for last.
    since: Time,
    segment: Segment,
    course: Course,
}

impl<'a> Again<'a> {
    /// From the start of the program of a task, which ran as this course says.
    pub(super) fn new(index: &'a Index<'a>, scenario: &'a Scenario, task: TaskId, course: Course) -> Again<'a> {
        let program = &scenario.specs[SpecId(index.timeline.tasks[task].spec)].program;
        let sleeps = index.blocks[task].iter().copied().filter(|block| block.cause == Cause::Timer);
        let sleeps: Box<dyn Iterator<Item = &'a Block> + 'a> = Box::new(sleeps);
        Again {
            index,
            scenario,
            task,
            program,
            cursor: Cursor::new(program),
            requests: index.requests[task].iter().peekable(),
            sleeps: sleeps.peekable(),
            tests: index.tests[task].iter(),
            leaves: index.leaves[task].iter().peekable(),
            terms: None,
            since: Time::ZERO,
            segment: Segment::default(),
            course,
        }
    }

    /// To its end, or as far as that can be known: where it was when.
    pub(super) fn walk(mut self) -> Course {
        let mut steps = (0..MOST_STEPS).map(|_| self.step()).skip_while(|next| matches!(next, Next::Step));
        let is_lost = !matches!(steps.next(), Some(Next::Over));
        // Cut off: what it did it did at full speed.
        self.segment.work = self.segment.work.min(self.course.total().saturating_sub(self.segment.start));
        self.course.share(&self.segment, self.segment.work);
        if is_lost {
            self.course.is_lost(self.segment.start + self.segment.work);
        }
        self.course
    }

    fn spec(&self) -> SpecId {
        SpecId(self.index.timeline.tasks[self.task].spec)
    }

    /// One step of the program.
    fn step(&mut self) -> Next {
        let name = name(self.index, self.scenario, self.task);
        let step = self.cursor.step(self.program, name);
        let position = self.cursor.position();
        match step {
            Step::Cpu(work) => {
                self.segment.add(work, position);
                // Without an end of its own it goes on to where the task ran last.
                if self.segment.work > self.course.total().saturating_sub(self.segment.start) * 64 {
                    return Next::Over;
                }
            }
            Step::Io { device, .. } => return self.asks(device, position),
            Step::Sleep(length) if !length.is_zero() => {
                let Some(block) = self.sleeps.next() else { return Next::Over };
                self.waits_for(block, position);
            }
            Step::Test => {
                let Some((op, holds)) = self.tests.next() else { return Next::Over };
                if *op != position {
                    return Next::Lost;
                }
                self.cursor.decide(self.program, *holds);
            }
            Step::Turn => self.turn(position),
            Step::Attempt(terms) => return self.attempt(terms),
            Step::End(_) => return self.end(),
            _ => {}
        }
        Next::Step
    }

    fn asks(&mut self, device: DeviceId, position: u32) -> Next {
        let terms = self.terms.take();
        let Some((request, _)) = self.requests.next() else { return Next::Over };
        if request.device != device {
            return Next::Lost;
        }
        self.close(request.asked);
        self.waits(request.asked, request.end, position);
        // Given up, or turned away.
        let is_of = |leave: &&Leave| {
            leave.cause == Cause::Device(device) && leave.asked <= request.asked && request.asked <= leave.at
        };
        if self.leaves.next_if(|leave| is_of(leave)).is_some()
            && let Some(terms) = terms
        {
            self.cursor.go_to(terms.otherwise);
        }
        Next::Step
    }

    /// When it came to a turn is known exactly if it waited for it; and if it did not, it would not have then.
    fn turn(&mut self, position: u32) {
        let (cursor, program) = (&self.cursor, self.program);
        let waited = |block: &&Block| !cursor.clone().turn(program, block.start).is_zero();
        let Some(block) = self.sleeps.next_if(waited) else {
            self.cursor.turn(program, self.course.when(self.segment.start + self.segment.work));
            return;
        };
        self.cursor.turn(program, block.start);
        self.waits_for(block, position);
    }

    fn end(&mut self) -> Next {
        let periodic = self.scenario.specs[self.spec()].attributes.periodic.is_some();
        if periodic && self.segment.start < self.course.total() {
            self.cursor.restart();
            return Next::Step;
        }
        if let Some(finish) = self.index.timeline.tasks[self.task].finish {
            self.close(finish);
        }
        Next::Over
    }

    /// What comes next may be given up, or be turned away. Of a request its record tells.
    fn attempt(&mut self, terms: Terms) -> Next {
        let Some(cause) = self.may_leave(&self.cursor) else {
            return match self.program.ops.get(self.cursor.next() as usize) {
                // Whose instance it was that nobody took is not in the record.
                Some(Op::Spawn(spec)) if terms.otherwise != self.cursor.next() + 1 && self.are_rejected(*spec) => {
                    Next::Lost
                }
                _ => {
                    self.terms = Some(terms);
                    Next::Step
                }
            };
        };
        match self.goes_without(cause) {
            None => return Next::Lost,
            Some(false) => {}
            Some(true) => {
                if let Some(leave) = self.leaves.next() {
                    self.close(leave.asked);
                    self.since = leave.at;
                }
                self.cursor.go_to(terms.otherwise);
            }
        }
        Next::Step
    }

    fn are_rejected(&self, spec: SpecId) -> bool {
        let mut lives = self.index.timeline.tasks.iter();
        lives.any(|life| life.spec == spec.0 && life.ended_as() == Some(Fate::Rejected))
    }

    /// What is waited for at the operation that comes next, if it is another's to end: none of a device.
    fn may_leave(&self, cursor: &Cursor) -> Option<Cause> {
        match self.program.ops.get(cursor.next() as usize)? {
            Op::Sync(op) => Some(Cause::Sync(op.object())),
            Op::Join(_) => Some(Cause::Join),
            Op::Spawn(spec) if self.scenario.specs[*spec].is_call() => Some(Cause::Join),
            _ => None,
        }
    }

    /// Is it the operation that comes next of which the next leave tells? `None` if that cannot be known.
    fn goes_without(&mut self, cause: Cause) -> Option<bool> {
        let Some(leave) = self.leaves.peek().copied().filter(|leave| leave.cause == cause) else { return Some(false) };
        let request = self.requests.peek().is_some_and(|(request, _)| request.asked < leave.asked);
        if request || self.sleeps.peek().is_some_and(|block| block.start < leave.asked) {
            // It waits for something else before that.
            return Some(false);
        }
        // Of several up to there the one that is nearest, as long as it has run.
        let Some(work) = self.work_to_another(cause) else { return Some(true) };
        if work.is_zero() {
            let mut blocks = self.index.blocks[self.task].iter().filter(|block| block.cause == cause);
            let had = blocks.find(|block| block.start >= self.since && block.start < leave.asked);
            self.since = had.map_or(self.since, |block| block.end);
            return Some(had.is_none());
        }
        if self.scenario.machine.processors.iter().any(|processor| processor.speed != Speed::ONE) {
            return None;
        }
        let more = self.course.ran(leave.asked).saturating_sub(self.segment.start + self.segment.work);
        Some(more * 2 < work)
    }

    /// How much it works between the operation that comes next and another that may be given up in the same way, if it does not
    /// wait for time or for a device before that.
    fn work_to_another(&self, cause: Cause) -> Option<Span> {
        let (mut cursor, mut work) = (self.cursor.clone(), Span::ZERO);
        for _ in 0..FARTHEST {
            match cursor.step(self.program, name(self.index, self.scenario, self.task)) {
                Step::Cpu(more) => work += more,
                Step::Attempt(_) if self.may_leave(&cursor) == Some(cause) => return Some(work),
                Step::Io { .. } => return None,
                Step::Sleep(length) if !length.is_zero() => return None,
                Step::End(_) if self.scenario.specs[self.spec()].attributes.periodic.is_none() => return None,
                // Where that leads is not known.
                Step::Test | Step::Turn | Step::End(_) => break,
                _ => {}
            }
        }
        Some(work)
    }

    /// A segment ends where the task sleeps.
    fn waits_for(&mut self, block: &Block, position: u32) {
        self.waits(block.start, block.end, position);
        self.close(block.start);
    }

    fn waits(&mut self, start: Time, end: Time, position: u32) {
        self.course.waits.push((start, end, position));
        self.since = end;
    }

    /// A segment ends at this time.
    fn close(&mut self, at: Time) {
        let end = self.course.ran(at);
        self.course.share(&self.segment, end.saturating_sub(self.segment.start));
        self.segment = Segment { start: end.max(self.segment.start), ..Segment::default() };
    }
}

/// The stream from which a task draws.
fn name<'a>(index: &'a Index<'_>, scenario: &'a Scenario, task: TaskId) -> impl Fn() -> StreamName + 'a {
    let life = &index.timeline.tasks[task];
    move || program_stream(scenario, SpecId(life.spec), life.instance)
}

/// The bursts between two waits.
#[derive(Default)]
pub(super) struct Segment {
    /// How long the task had run before.
    pub(super) start: Span,
    /// The work of each before it, and its place.
    pub(super) bursts: Vec<(Span, u32)>,
    /// The work of all.
    pub(super) work: Span,
}

impl Segment {
    fn add(&mut self, work: Span, position: u32) {
        if !work.is_zero() {
            self.bursts.push((self.work, position));
            self.work += work;
        }
    }
}
