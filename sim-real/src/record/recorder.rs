//! From what the instances wrote down and who was on a processor to a [`Timeline`].
//!
//! A task runs while one of its bursts is under way *and* the thread of that burst is on a processor. With switch
//! records the kernel says when that is; without, the burst itself noticed when it was interrupted.
//!
//! Stamps of different clocks' readers do not fit together to the nanosecond. All repairs are made here: what lies
//! before the arrival, after the finish or after the end of the run is cut off; a block ends at the latest when the
//! task does something else; where two threads seem to be on one processor at once, the earlier leaves when the later
//! comes; and a task finishes when it leaves the processor for the last time.

mod leaving;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use sim_core::ids::{CpuId, IdVec, SyncId, TaskId, ThreadId};
use sim_core::scenario::Speed;
use sim_core::time::{Span, Time};
use sim_core::timeline::{
    Access, Block, Cast, Cause, Deed, Fate, Hold, Interval, Left, Life, Request, Signal, Spin, Timeline, What,
};

use crate::record::event::{self, Asked, Before, Burst, Event, Held, Instant, Passage, Passed, instant};
use crate::record::on_cpu::Stay;

/// Two bursts so close together, on one processor, were not interrupted in between (without switch records).
const GAP: u64 = 20_000;

/// None of the threads that tasks have.
const NOBODY: u32 = 0;

/// What one instance did, by the clock of the machine; 0 is "not yet".
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Story {
    /// The task.
    pub(crate) spec: u32,
    /// Which instance of it.
    pub(crate) instance: u32,
    /// When it arrived.
    pub(crate) arrival: u64,
    /// Does it come after other tasks?
    pub(crate) comes_after: bool,
    /// When those had finished.
    pub(crate) released: u64,
    /// When its first operation began.
    pub(crate) begun: u64,
    /// When it finished.
    pub(crate) finish: u64,
    /// In which way.
    pub(crate) fate: Fate,
    /// Did whoever had called for it run it?
    pub(crate) is_guest: bool,
    /// The process that had to be started before it could begin.
    pub(crate) process: Option<u32>,
    /// Who did that, and is none of the tasks.
    pub(crate) started: Option<Started>,
    /// Its operations.
    pub(crate) events: Vec<Event>,
}

/// A thread that started a process.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Started {
    pub(crate) thread: u32,
    pub(crate) from: u64,
    pub(crate) until: u64,
}

/// What a timeline is made from.
pub(crate) struct Material<'a> {
    /// The names.
    pub(crate) cast: Cast,
    /// The instances, in the order of their ids.
    pub(crate) stories: &'a [Story],
    /// When each thread was on which processor, in the order of time; `None` without switch records.
    pub(crate) stays: Option<&'a BTreeMap<u32, Vec<Stay>>>,
    /// The processors used, by the kernel's numbers, in the order of the scenario's.
    pub(crate) cpus: &'a [u32],
    /// The start of the run.
    pub(crate) start: u64,
    /// Its end.
    pub(crate) end: u64,
    /// How much work processors do in a time.
    pub(crate) speed: Speed,
}

impl Material<'_> {
    /// Makes the timeline.
    pub(crate) fn timeline(&self) -> Timeline {
        let mut timeline =
            Timeline { cast: Arc::new(self.cast.clone()), end: self.time(self.end), ..Timeline::default() };
        let mut pieces = Vec::new();
        for (index, story) in self.stories.iter().enumerate() {
            let task = TaskId(u32::try_from(index).unwrap_or(u32::MAX));
            timeline.tasks.push(self.life(story));
            if self.is_there(story) {
                timeline.guests.extend(Some(task).filter(|_| story.is_guest));
                let teller = Teller { material: self, story, task };
                teller.starts(&mut pieces);
                teller.runs(&mut pieces);
                teller.waits(&mut timeline);
            }
        }
        separate(&mut pieces);
        let mut intervals = name_threads(&pieces);
        for interval in &intervals {
            if interval.left == Left::Finished {
                timeline.tasks[interval.task].finish = Some(interval.end);
            }
        }
        intervals.sort_by_key(|interval| (interval.end, interval.start, interval.cpu));
        timeline.intervals = intervals.into();
        timeline.blocks.sort_by_key(|block| (block.end, block.start, block.task));
        timeline.requests.sort_by_key(|request| (request.end, request.asked, request.task));
        timeline.holds.sort_by_key(|hold| (hold.end, hold.start, hold.task));
        // Only where both sides of a channel meet is anything done to one object at once: then the sender is first.
        timeline.signals.sort_by_key(|signal| (signal.at, signal.deed));
        // Each has a stamp of its own.
        timeline.accesses.sort_by_key(|access| access.at);
        timeline.spins.sort_by_key(|spin| (spin.end, spin.start, spin.task));
        timeline.leaves.sort_by_key(|leave| (leave.at, leave.task));
        timeline
    }

    fn time(&self, at: u64) -> Time {
        Time::from_ns(at.saturating_sub(self.start))
    }

    fn is_there(&self, story: &Story) -> bool {
        story.arrival != 0 && story.arrival < self.end.max(self.start + 1)
    }

    fn has_finished(&self, story: &Story) -> bool {
        story.finish != 0 && story.finish <= self.end
    }

    fn life(&self, story: &Story) -> Life {
        Life {
            spec: story.spec,
            instance: story.instance,
            arrival: self.is_there(story).then(|| self.time(story.arrival)),
            finish: self.has_finished(story).then(|| self.time(story.finish)),
            fate: story.fate,
        }
    }
}

/// A task on a processor, before threads have names.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Piece {
    start: u64,
    end: u64,
    tid: u32,
    cpu: CpuId,
    task: TaskId,
    what: What,
    left: Left,
    /// The start of the run, for the way back to relative times.
    origin: u64,
}

/// Tells the story of one instance.
struct Teller<'a> {
    material: &'a Material<'a>,
    story: &'a Story,
    task: TaskId,
}

impl Teller<'_> {
    /// Cuts a stamp to the life of the instance.
    fn cut(&self, at: u64) -> u64 {
        let (material, story) = (self.material, self.story);
        let last = if material.has_finished(story) { story.finish } else { material.end };
        at.min(last).max(story.arrival)
    }

    /// What it took of processors to start its process, an interpreter perhaps, from when it could begin until it did.
    fn starts(&self, pieces: &mut Vec<Piece>) {
        let Story { process, begun, arrival, released, .. } = *self.story;
        let Some((process, stays)) = process.zip(self.material.stays) else { return };
        if self.waits_for_predecessors() {
            return;
        }
        let (from, until) = (arrival.max(released), if begun == 0 { self.material.end } else { begun });
        let own = pieces.len();
        self.start(stays.get(&process), (process, from, until), pieces);
        // As soon as the process runs, it is on its way by itself.
        let begins = pieces.get(own).map_or(until, |piece| piece.start);
        if let Some(Started { thread, from: since, until: there }) = self.story.started {
            self.start(stays.get(&thread), (NOBODY, from.max(since), there.min(begins)), pieces);
        }
    }

    /// What a thread did for the start of the process while it was on a processor.
    fn start(&self, stays: Option<&Vec<Stay>>, (tid, from, until): (u32, u64, u64), pieces: &mut Vec<Piece>) {
        for stay in stays.into_iter().flatten() {
            let (from, to) = (from.max(stay.start), until.min(stay.end));
            if from < to {
                let piece = self.piece(from, to, tid, stay.cpu);
                pieces.extend(piece.map(|piece| Piece { what: What::Start, ..piece }));
            }
        }
    }

    /// The bursts, as far as the task was on a processor.
    fn runs(&self, pieces: &mut Vec<Piece>) {
        let events = &self.story.events;
        let mut from = 0;
        while let Some(first) = events.get(from) {
            from += 1;
            let Event::Burst(first) = first else { continue };
            if first.start >= self.material.end && !self.material.has_finished(self.story) {
                // Who was about to go on when the run was over: that is no part of it.
                break;
            }
            // A stretch: bursts with nothing in between for which the task would have left the processor.
            let mut stretch = vec![*first];
            while let Some(event) = events.get(from) {
                match event {
                    Event::Burst(burst) if burst.after != Before::LostTurn => stretch.push(*burst),
                    _ if self.stays_on_processor(from) => {}
                    _ => break,
                }
                from += 1;
            }
            self.stretch(&stretch, self.left(events.get(from)), pieces);
        }
    }

    /// How the task left the processor, by what it did next.
    fn left(&self, next: Option<&Event>) -> Left {
        match next {
            None if self.material.has_finished(self.story) => Left::Finished,
            None => Left::Continues,
            Some(Event::Burst(_)) => Left::Preempted,
            Some(Event::Yield { .. }) => Left::Yielded,
            Some(Event::Rest(rest)) if rest.is_none() => Left::Yielded,
            Some(_) => Left::Blocked,
        }
    }

    /// Is it an operation for which the task does not leave the processor?
    fn stays_on_processor(&self, index: usize) -> bool {
        match &self.story.events[index] {
            Event::Leave(_) => true,
            Event::Service(_) | Event::Notify { .. } | Event::Added { .. } | Event::Spin(_) | Event::Access { .. } => {
                true
            }
            event => event.asked().and_then(|asked| asked.had).is_some_and(|had| had <= self.waits_from(index)),
        }
    }

    /// From when on who asked for something waited for it, if at all: from then, or when it stopped spinning.
    fn waits_from(&self, index: usize) -> u64 {
        let (events, asked) = (&self.story.events, self.story.events[index].start());
        match events[..index].iter().rev().find(|event| event.burst().is_none()) {
            Some(Event::Spin(spin)) if spin.asked == asked => spin.stopped.unwrap_or_default(),
            _ => asked,
        }
    }

    fn stretch(&self, stretch: &[Burst], left: Left, pieces: &mut Vec<Piece>) {
        let from = pieces.len();
        self.by_stays(stretch, pieces);
        if pieces.len() == from {
            self.by_stamps(stretch, pieces);
        }
        if let Some(last) = pieces[from..].last_mut() {
            // Who was put off before the run ended does not go on at its end.
            last.left = if left == Left::Continues && last.end < self.material.end { Left::Preempted } else { left };
        }
    }

    fn piece(&self, start: u64, end: u64, tid: u32, cpu: u32) -> Option<Piece> {
        let cpu = self.material.cpus.iter().position(|ours| *ours == cpu)?;
        let cpu = CpuId(u32::try_from(cpu).unwrap_or(u32::MAX));
        let (start, end) = (self.cut(start), self.cut(end));
        let origin = self.material.start;
        Some(Piece { start, end, tid, cpu, task: self.task, what: What::Run, left: Left::Preempted, origin })
    }

    /// The stretch as far as the kernel had its thread on a processor.
    fn by_stays(&self, stretch: &[Burst], pieces: &mut Vec<Piece>) {
        let (Some(first), Some(last)) = (stretch.first(), stretch.last()) else { return };
        let Some(stays) = self.material.stays.and_then(|stays| stays.get(&first.thread)) else { return };
        let (start, end) = (first.start, last.end.max(first.start));
        let skip = stays.partition_point(|stay| stay.end < start);
        for stay in stays[skip..].iter().take_while(|stay| stay.start <= end) {
            let (from, to) = (start.max(stay.start), end.min(stay.end));
            if from < to || start == end {
                pieces.extend(self.piece(from, to, first.thread, stay.cpu));
                if start == end {
                    return;
                }
            }
        }
    }

    /// The stretch as its bursts noticed it.
    fn by_stamps(&self, stretch: &[Burst], pieces: &mut Vec<Piece>) {
        let from = pieces.len();
        for burst in stretch {
            let Some(next) = self.piece(burst.start, burst.end, burst.thread, burst.cpu) else { continue };
            match pieces[from..].last_mut() {
                Some(last) if continues(burst, last, &next) => {
                    last.end = next.end;
                }
                _ => pieces.push(next),
            }
        }
    }

    /// Requests, holds, and all that the task waited for other than a processor.
    fn waits(&self, timeline: &mut Timeline) {
        let story = self.story;
        if story.arrival < story.released {
            self.block(Cause::After, story.arrival, instant(story.released), instant(story.begun), timeline);
        } else if self.waits_for_predecessors() {
            self.block(Cause::After, story.arrival, None, None, timeline);
        }
        for (index, event) in story.events.iter().enumerate() {
            let next = story.events.get(index + 1).and_then(|next| instant(next.start()));
            match event {
                Event::Burst(_) | Event::Service(_) | Event::Yield { .. } => {}
                Event::Sleep { start, end } => self.block(Cause::Timer, *start, Some(*end), next, timeline),
                Event::Join(join) => self.block(Cause::Join, join.start, join.ended, next, timeline),
                Event::Request(request) => {
                    self.block(Cause::Device(request.device), request.asked, request.ended, next, timeline);
                    self.request(request, story.events.get(index + 1), timeline);
                }
                Event::Rest(rest) => self.block(Cause::Release, rest.start, rest.released, next, timeline),
                Event::Await(waits) => {
                    self.block(Cause::Sync(waits.condvar), waits.start, waits.noticed, next, timeline);
                }
                Event::Notify { sync, at, notified } => self.signal(*sync, *at, Deed::Notified(*notified), timeline),
                Event::Added { sync, at } => self.signal(*sync, *at, Deed::Added, timeline),
                Event::Access { at, how } if *at <= self.material.end => {
                    let at = self.material.time(self.cut(*at));
                    timeline.accesses.push(Access { task: self.task, at, how: *how });
                }
                Event::Access { .. } => {}
                Event::Spin(spin) => self.spin(spin, index, timeline),
                Event::Hold(hold) => {
                    let further = self.asked_for(index, &hold.asked, timeline) && hold.what == Held::Permit;
                    self.hold(hold, further, timeline);
                }
                Event::Passage(passage) => self.passage(index, passage, timeline),
                Event::Leave(leave) => self.leave(index, leave, timeline),
            }
        }
    }

    /// The wait for what was asked of a synchronisation object. Is it one more of what was asked for before, at once?
    fn asked_for(&self, index: usize, asked: &Asked, timeline: &mut Timeline) -> bool {
        let before = index.checked_sub(1).and_then(|before| self.story.events[before].asked());
        // Several permits are one wait.
        let again = before.is_some_and(|before| before.at == asked.at);
        let from = self.waits_from(index);
        if !again && asked.had.is_none_or(|had| had > from) {
            let left = asked.had.is_none().then(|| leaving::left_after(&self.story.events, index)).flatten();
            self.block(Cause::Sync(asked.sync), from, asked.had.or(left), None, timeline);
        }
        again
    }

    /// What came of it for those who give nothing back.
    fn passage(&self, index: usize, passage: &Passage, timeline: &mut Timeline) {
        let Passage { what, asked } = *passage;
        let again = self.asked_for(index, &asked, timeline);
        match (what, asked.had) {
            (Passed::Met, had) => {
                self.signal(asked.sync, asked.at, Deed::Arrived, timeline);
                let left = had.is_none().then(|| leaving::left_after(&self.story.events, index)).flatten();
                left.into_iter().for_each(|at| self.signal(asked.sync, at, Deed::Departed, timeline));
            }
            (_, None) => {}
            (Passed::Sent, Some(had)) => self.signal(asked.sync, had, Deed::Sent, timeline),
            (Passed::Received, Some(had)) => self.signal(asked.sync, had, Deed::Received, timeline),
            (Passed::SpentPermit, given_back) => {
                self.hold(&event::Hold { what: Held::Permit, asked, given_back }, again, timeline);
            }
        }
    }

    /// Is it still waiting for the tasks it comes after when the run ends?
    fn waits_for_predecessors(&self) -> bool {
        let story = self.story;
        story.comes_after && story.released == 0
    }

    /// `next` is when the task did something else.
    fn block(&self, cause: Cause, start: u64, end: Instant, next: Instant, timeline: &mut Timeline) {
        let (start, end) = (self.cut(start), self.cut(or_never(end).min(or_never(next))));
        if start < end {
            let (start, end) = (self.material.time(start), self.material.time(end));
            timeline.blocks.push(Block { start, end, task: self.task, cause, again: false });
        }
    }

    /// A request, and what the device did for it.
    fn request(&self, request: &event::Request, next: Option<&Event>, timeline: &mut Timeline) {
        let (material, device) = (self.material, request.device);
        if request.asked >= material.end {
            return;
        }
        let end = material.time(self.cut(or_never(request.ended)));
        let start = request.began.filter(|began| *began < material.end).map(|began| material.time(self.cut(began)));
        let length = start.map_or(Span::ZERO, |start| end.since(start));
        let served = if let Some(Event::Service(served)) = next { Some(served) } else { None };
        let [seek, received] = served.map_or([Span::ZERO; 2], |served| [served.seek, served.received]);
        let seek = seek.min(length);
        let shared = material.cast.devices[device].shared && served.is_some();
        let service = if shared { received.min(length) } else { length.saturating_sub(seek) };
        let asked = material.time(self.cut(request.asked));
        timeline.requests.push(Request { device, task: self.task, asked, start, end, seek, service });
    }

    fn hold(&self, hold: &event::Hold, further: bool, timeline: &mut Timeline) {
        let (material, sync) = (self.material, hold.asked.sync);
        let Some(had) = hold.asked.had.filter(|had| *had <= material.end) else { return };
        let [asked, start, end] = [hold.asked.at, had, or_never(hold.given_back)].map(|at| material.time(self.cut(at)));
        let shared = hold.what != Held::Alone;
        timeline.holds.push(Hold { sync, task: self.task, asked, start, end, shared, further });
    }

    fn signal(&self, sync: SyncId, at: u64, deed: Deed, timeline: &mut Timeline) {
        if at <= self.material.end {
            let at = self.material.time(self.cut(at));
            timeline.signals.push(Signal { sync, task: self.task, at, deed });
        }
    }

    fn spin(&self, spin: &event::Spin, index: usize, timeline: &mut Timeline) {
        let material = self.material;
        if spin.asked >= material.end {
            return;
        }
        let [start, end] = [spin.asked, or_never(spin.stopped)].map(|at| material.time(self.cut(at)));
        let lock = self.story.events[index + 1..].iter().find(|event| event.burst().is_none());
        let had = lock.and_then(Event::asked).and_then(|asked| asked.had);
        let got = spin.stopped.is_some_and(|stopped| had.is_some_and(|had| had <= stopped));
        let work = material.speed.work_in(Span::from_ns(spin.used));
        timeline.spins.push(Spin { sync: spin.lock, task: self.task, start, end, work, got });
    }
}

/// A stamp, or later than everything.
fn or_never(at: Instant) -> u64 {
    at.unwrap_or(u64::MAX)
}

/// No two pieces on one processor at once.
fn separate(pieces: &mut [Piece]) {
    pieces.sort_by_key(|piece| (piece.cpu, piece.start, piece.end));
    for index in 1..pieces.len() {
        let next = pieces[index];
        let before = &mut pieces[index - 1];
        if before.cpu == next.cpu && before.end > next.start {
            before.end = next.start;
        }
    }
}

/// Threads are numbered in the order in which they were first on a processor.
fn name_threads(pieces: &[Piece]) -> Vec<Interval> {
    let mut by_time: Vec<&Piece> = pieces.iter().collect();
    by_time.sort_by_key(|piece| (piece.start, piece.cpu));
    let mut names: IdVec<ThreadId, u32> = IdVec::new();
    let mut known: BTreeMap<u32, ThreadId> = BTreeMap::new();
    let interval = |piece: &Piece| {
        let mut name = |tid| *known.entry(tid).or_insert_with(|| names.push(tid));
        let thread = if piece.tid == NOBODY { ThreadId::NONE } else { name(piece.tid) };
        let [start, end] = [piece.start, piece.end].map(|at| Time::from_ns(at.saturating_sub(piece.origin)));
        let Piece { task, cpu, what, left, .. } = *piece;
        Interval { start, end, task, thread, cpu, what, left }
    };
    by_time.into_iter().map(interval).collect()
}

/// Is a further burst, of which only stamps are known, on the same processor without interruption?
fn continues(burst: &Burst, last: &Piece, next: &Piece) -> bool {
    burst.after == Before::Start && last.cpu == next.cpu && next.start.saturating_sub(last.end) < GAP
}
