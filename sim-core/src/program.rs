//! Walking a program: the next step of an instance, with its durations drawn.
//!
//! The simulator and the real executors walk the same list of operations with the same [`Cursor`] and the same named
//! stream, so both do the same things for the same lengths of time.

mod ahead;

pub use ahead::Outlook;

use crate::distribution::{Distribution, weighted};
use crate::ids::{DeviceId, ProcessId, SpecId, VariableId};
use crate::place::Place;
use crate::rng::{Stream, StreamName};
use crate::scenario::{Condition, Missed, Op, Program, Scenario, SyncOp, Terms};
use crate::time::{Span, Time};
use crate::timeline::Fate;

/// No turn of a loop has come yet.
const NO_TURN: u64 = u64::MAX;

/// What an instance does next. Loops and branches are gone: the cursor has followed them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Step {
    /// Needs this much processor time at speed 1.
    Cpu(Span),
    /// One request to a device.
    Io {
        /// The device asked.
        device: DeviceId,
        /// How long a channel is busy with it.
        service: Span,
        /// On which track; 0 if that does not matter.
        at: u32,
        /// Does an async task block its whole thread meanwhile?
        blocking: bool,
    },
    /// Blocked for this long.
    Sleep(Span),
    /// Gives up the processor or the thread, stays ready.
    Yield,
    /// Synchronises with other tasks.
    Sync(SyncOp),
    /// Starts an instance of a task.
    Spawn(SpecId),
    /// Waits for the instances of that task which this one spawned.
    Join(SpecId),
    /// The variable is this from now on.
    Set(VariableId, i64),
    /// The variable is so much more from now on.
    Add(VariableId, i64),
    /// Looks at variables: whoever knows them says whether the [`Cursor::condition`] holds, with [`Cursor::decide`].
    Test,
    /// Waits for the next turn of a loop: whoever knows the time asks [`Cursor::turn`] for how long.
    Turn,
    /// What comes next may be given up.
    Attempt(Terms),
    /// Went round a loop; nothing else happened. Reported so that a walker can count: a loop may be empty and endless.
    Around,
    /// The program is over, or the task ends it here.
    End(Fate),
}

/// What somebody does who works for no time.
pub const NO_WORK: &str = "cpu work of no length";

impl Step {
    /// What somebody does who takes it, in the words of scenario files.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Step::Cpu(_) => NO_WORK,
            Step::Io { .. } => "io",
            Step::Sleep(_) => "sleep",
            Step::Yield => "yield",
            Step::Sync(op) => op.word(),
            Step::Spawn(_) => "spawn",
            Step::Join(_) => "join",
            Step::Set(..) => "set",
            Step::Add(..) => "add",
            Step::Test => "looking at variables",
            Step::Turn => "every",
            Step::Attempt(_) => "within",
            Step::Around => "an empty loop",
            Step::End(_) => "the end of a job",
        }
    }

    /// Does it begin something: work, a wait, another task, the use of something shared?
    #[must_use]
    pub fn starts_something(&self) -> bool {
        match self {
            Step::Cpu(work) => !work.is_zero(),
            Step::Io { .. } | Step::Sleep(_) | Step::Yield | Step::Spawn(_) | Step::Join(_) | Step::Turn => true,
            Step::Sync(op) => !op.lets_go(),
            Step::Attempt(_) | Step::Set(..) | Step::Add(..) | Step::Test | Step::Around | Step::End(_) => false,
        }
    }

    /// Does it have its effect at one instant, on a processor: can it cost something? A request to a device and a sleep take
    /// time in any case, and what the kernel does for them is paid by who is next.
    #[must_use]
    pub fn is_instant(&self) -> bool {
        matches!(self, Step::Sync(_) | Step::Spawn(_) | Step::Join(_) | Step::Yield)
    }

    /// Does it wait for other tasks, unless they have done already what it waits for?
    #[must_use]
    pub fn may_wait_for_others(&self) -> bool {
        match self {
            Step::Sync(op) => !op.lets_go(),
            step => matches!(step, Step::Join(_)),
        }
    }
}

/// Where an instance is in its program.
#[derive(Clone, Debug)]
pub struct Cursor {
    /// Most instances are in no loop and never draw: there are millions of them.
    memory: Option<Box<Memory>>,
    pos: u32,
}

/// What an instance remembers of its way through the program, beside the place where it is.
#[derive(Clone, Debug)]
struct Memory {
    loops: Loops,
    /// Made at the first draw.
    stream: Option<Stream>,
}

const _: () = assert!(size_of::<Memory>() <= 56, "with what an allocator adds, a cache line");

/// Rounds left of each loop the instance is in; unused counters hold anything.
#[derive(Clone, Debug)]
enum Loops {
    One(u64),
    Many(Box<[u64]>),
}

impl Memory {
    fn new(program: &Program) -> Box<Memory> {
        let loops = match program.loop_depth {
            0 | 1 => Loops::One(0),
            depth => Loops::Many(vec![0; depth as usize].into()),
        };
        Box::new(Memory { loops, stream: None })
    }

    fn left(&mut self, slot: u32) -> &mut u64 {
        match &mut self.loops {
            Loops::One(left) => left,
            Loops::Many(left) => &mut left[slot as usize],
        }
    }
}

/// The stream the program of an instance draws from; of who does something on behalf of another, that one's is used.
#[must_use]
pub fn program_stream(scenario: &Scenario, spec: SpecId, instance: u32) -> StreamName {
    task_streams(scenario, spec).number(u64::from(instance)).word("program")
}

/// The stream from which it is drawn with which of its branches each poll of a task begins.
#[must_use]
pub fn branches_stream(scenario: &Scenario, spec: SpecId, instance: u32) -> StreamName {
    task_streams(scenario, spec).number(u64::from(instance)).word("any")
}

/// The stream the gaps between the arrivals of a task are drawn from.
#[must_use]
pub fn arrival_stream(scenario: &Scenario, spec: SpecId) -> StreamName {
    task_streams(scenario, spec).word("arrival")
}

/// The stream the jitter of the releases of a periodic instance is drawn from.
#[must_use]
pub fn jitter_stream(scenario: &Scenario, spec: SpecId, instance: u32) -> StreamName {
    task_streams(scenario, spec).number(u64::from(instance)).word("jitter")
}

/// The stream what it costs to switch to the thread of an instance is drawn from.
pub(crate) fn task_costs_stream(scenario: &Scenario, spec: SpecId, instance: u32) -> StreamName {
    streams_of(scenario, spec, scenario.machine_seed).number(u64::from(instance)).word("costs")
}

/// The stream what it costs to switch to a worker of a runtime is drawn from.
pub(crate) fn worker_costs_stream(scenario: &Scenario, process: ProcessId, worker: u32) -> StreamName {
    let name = StreamName::new(scenario.machine_seed).word("worker").word(&scenario.processes[process].name);
    name.number(u64::from(worker)).word("costs")
}

fn task_streams(scenario: &Scenario, spec: SpecId) -> StreamName {
    streams_of(scenario, spec, scenario.seed)
}

fn streams_of(scenario: &Scenario, spec: SpecId, seed: u64) -> StreamName {
    let task = &scenario.specs[spec];
    StreamName::new(seed).word("task").word(&scenario.processes[task.process].name).word(&task.name)
}

impl Cursor {
    /// At the start of a program.
    #[must_use]
    pub fn new(program: &Program) -> Cursor {
        Cursor { pos: 0, memory: (program.loop_depth > 0).then(|| Memory::new(program)) }
    }

    /// The next step. `name` is asked for the name of the instance's stream when the first draw is due.
    #[inline]
    pub fn step(&mut self, program: &Program, name: impl Fn() -> StreamName) -> Step {
        loop {
            let Some(op) = program.ops.get(self.pos as usize) else { return Step::End(Fate::Finished) };
            self.pos += 1;
            return match op {
                Op::Cpu(work) => Step::Cpu(self.draw(work, program, &name)),
                Op::Io { device, service, at, blocking } => {
                    let at = self.track(at, program, &name);
                    Step::Io { device: *device, service: self.draw(service, program, &name), at, blocking: *blocking }
                }
                Op::Sleep(length) => Step::Sleep(self.draw(length, program, &name)),
                Op::Yield => Step::Yield,
                Op::Sync(op) => Step::Sync(*op),
                Op::Spawn(spec) => Step::Spawn(*spec),
                Op::Join(spec) => Step::Join(*spec),
                Op::Set(variable, value) => Step::Set(*variable, *value),
                Op::Add(variable, more) => Step::Add(*variable, *more),
                Op::Test { .. } => Step::Test,
                Op::Turn { .. } => Step::Turn,
                Op::Attempt(terms) => Step::Attempt(*terms),
                Op::End => Step::End(Fate::Ended),
                Op::Again { start, .. } => {
                    self.follow(op, program, &name);
                    if self.pos != *start {
                        continue;
                    }
                    Step::Around
                }
                Op::Repeat { .. } | Op::Choose(_) | Op::Jump(_) | Op::Begin { .. } => {
                    self.follow(op, program, &name);
                    continue;
                }
            };
        }
    }

    /// If the next thing is processor work, takes it: all of it that stands in a row.
    ///
    /// Loops and branches on the way are followed, but no further than once round a loop, unless there is work in it
    /// that takes no time: then up to so many `turns` round loops, of which those are left that it did not take.
    #[inline]
    pub fn take_burst(&mut self, program: &Program, turns: &mut u32, name: impl Fn() -> StreamName) -> Span {
        let mut work = Span::ZERO;
        let mut went_around = false;
        while let Some(op) = program.ops.get(self.pos as usize) {
            match op {
                Op::Cpu(more) => {
                    self.pos += 1;
                    work += self.draw(more, program, &name);
                    went_around = false;
                }
                _ if went_around || !work.is_zero() => break,
                Op::Again { .. } if *turns == 0 => break,
                Op::Repeat { .. } | Op::Again { .. } | Op::Choose(_) | Op::Jump(_) | Op::Begin { .. } => {
                    went_around = matches!(op, Op::Again { .. });
                    *turns -= u32::from(went_around);
                    self.pos += 1;
                    self.follow(op, program, &name);
                }
                _ => break,
            }
        }
        work
    }

    /// Gives its stream to who does something on its behalf, and draws what it would have drawn; who `may_leave`, going on before
    /// that is done, gives another.
    pub fn lends_stream(&mut self, program: &Program, may_leave: bool, name: impl Fn() -> StreamName) -> Stream {
        let own = &mut self.memory(program).stream;
        let mut stream = own.take().unwrap_or_else(|| name().stream());
        if !may_leave {
            return stream;
        }
        let other = StreamName::new(stream.next_u64()).stream();
        *own = Some(stream);
        other
    }

    /// From now on it draws from this stream.
    pub fn has_stream(&mut self, program: &Program, stream: Stream) {
        self.memory(program).stream = Some(stream);
    }

    /// The stream that it had, if it has one, for whose it is.
    pub fn returns_stream(&mut self) -> Option<Stream> {
        self.memory.as_mut()?.stream.take()
    }

    /// What must hold at the [`Step::Test`] that was taken last.
    #[must_use]
    pub fn condition<'p>(&self, program: &'p Program) -> Option<&'p Condition> {
        let op = program.ops.get(self.position() as usize)?;
        if let Op::Test { condition, .. } = op { Some(condition) } else { None }
    }

    /// That it does, or does not: the program goes on accordingly.
    pub fn decide(&mut self, program: &Program, holds: bool) {
        if let Some(Op::Test { otherwise, .. }) = program.ops.get(self.position() as usize)
            && !holds
        {
            self.pos = *otherwise;
        }
    }

    /// How long after `now`, at which the [`Step::Turn`] was taken last, the turn comes: zero if it is late.
    pub fn turn(&mut self, program: &Program, now: Time) -> Span {
        let Some(Op::Turn { slot, period, missed }) = program.ops.get(self.position() as usize) else {
            return Span::ZERO;
        };
        let next = self.memory(program).left(*slot);
        let due = if *next == NO_TURN { now } else { Time::from_ns(*next) };
        let late = now.since(due).ns();
        let rounds = match missed {
            Missed::Skip => late / period.ns() + 1,
            Missed::Burst | Missed::Delay => 1,
        };
        let from = if *missed == Missed::Delay { due.max(now) } else { due };
        *next = period.ns().saturating_mul(rounds).saturating_add(from.ns()).min(NO_TURN - 1);
        due.since(now)
    }

    /// Has nothing been done yet?
    #[must_use]
    pub fn is_new(&self) -> bool {
        self.pos == 0
    }

    /// The place of the operation that was taken last.
    #[must_use]
    pub fn position(&self) -> u32 {
        self.pos.saturating_sub(1)
    }

    /// The place of the operation that comes next.
    #[must_use]
    pub fn next(&self) -> u32 {
        self.pos
    }

    /// The instance is done: gives back what the cursor holds.
    pub fn release(&mut self) {
        self.memory = None;
    }

    /// Back to the start, for the next job of a periodic task; its stream goes on.
    pub fn restart(&mut self) {
        self.pos = 0;
    }

    /// The step that was taken last comes again: one that draws nothing, and is neither a loop nor a branch.
    pub fn step_back(&mut self) {
        self.pos -= 1;
    }

    /// Goes on at this operation.
    pub fn go_to(&mut self, op: u32) {
        self.pos = op;
    }

    /// Is nothing left to do but leave loops, and to end?
    #[must_use]
    pub fn is_done(&self, program: &Program) -> bool {
        self.ends_as(program).is_some()
    }

    /// In which way a task ends that has nothing left to do.
    #[inline]
    #[must_use]
    pub fn ends_as(&self, program: &Program) -> Option<Fate> {
        match program.ops.get(self.pos as usize) {
            None => Some(Fate::Finished),
            Some(Op::End | Op::Again { .. } | Op::Jump(_) | Op::Repeat { .. }) => self.ends_around(program),
            Some(_) => None,
        }
    }

    /// The same, where loops, branches or the end are ahead.
    fn ends_around(&self, program: &Program) -> Option<Fate> {
        let mut pos = self.pos;
        loop {
            match program.ops.get(pos as usize) {
                None => return Some(Fate::Finished),
                Some(Op::End) => return Some(Fate::Ended),
                Some(Op::Again { slot, forever: false, .. }) if self.left(*slot) == 1 => pos += 1,
                Some(Op::Jump(target)) => pos = *target,
                Some(Op::Repeat { count: Some(0), end, .. }) => pos = *end,
                Some(_) => return None,
            }
        }
    }

    /// Executes the one loop or branch operation that the cursor has just passed.
    #[expect(clippy::inline_always, reason = "no round of a loop does without")]
    #[inline(always)]
    fn follow(&mut self, op: &Op, program: &Program, name: &impl Fn() -> StreamName) {
        match op {
            Op::Repeat { count: Some(0), end, .. } => self.pos = *end,
            Op::Repeat { count, slot, .. } => *self.memory(program).left(*slot) = count.unwrap_or(0),
            Op::Again { start, forever: true, .. } => self.pos = *start,
            Op::Again { start, slot, forever: false } => {
                let left = self.memory(program).left(*slot);
                *left = left.wrapping_sub(1);
                if *left > 0 {
                    self.pos = *start;
                }
            }
            Op::Choose(branches) => self.pos = weighted(branches, self.stream(program, name)),
            Op::Jump(target) => self.pos = *target,
            Op::Begin { slot } => *self.memory(program).left(*slot) = NO_TURN,
            _ => {}
        }
    }

    #[inline]
    fn draw(&mut self, duration: &Distribution, program: &Program, name: &impl Fn() -> StreamName) -> Span {
        match duration {
            Distribution::Constant(span) => *span,
            Distribution::Random(law) => {
                let span = law.draw(self.stream(program, name));
                // A stream takes some 300 bytes, and most tasks that draw do so once.
                if self.pos >= program.draws_until {
                    self.forget_stream(program);
                }
                span
            }
        }
    }

    /// The stream stays until the next draw of a duration: a request that draws its track usually draws its service too.
    #[inline]
    fn track(&mut self, place: &Place, program: &Program, name: &impl Fn() -> StreamName) -> u32 {
        match place {
            Place::At(track) => *track,
            Place::Drawn(tracks) => tracks.draw(self.stream(program, name)),
        }
    }

    #[inline]
    fn memory(&mut self, program: &Program) -> &mut Memory {
        self.memory.get_or_insert_with(|| Memory::new(program))
    }

    /// How often it still goes round the loop.
    fn left(&self, slot: u32) -> u64 {
        match self.memory.as_ref().map(|memory| &memory.loops) {
            None => 0,
            Some(Loops::One(left)) => *left,
            Some(Loops::Many(left)) => left[slot as usize],
        }
    }

    #[inline]
    fn stream(&mut self, program: &Program, name: &impl Fn() -> StreamName) -> &mut Stream {
        self.memory(program).stream.get_or_insert_with(|| name().stream())
    }

    #[cold]
    fn forget_stream(&mut self, program: &Program) {
        if program.loop_depth == 0 {
            self.memory = None;
        } else if let Some(memory) = &mut self.memory {
            memory.stream = None;
        }
    }
}
