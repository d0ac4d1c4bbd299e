//! The processors: who is on each and until when, and which are idle.
//!
//! What always holds: a processor without a thread is among the idle ones, and one with a thread has the earliest of
//! its ends as its deadline. One that has lost its thread keeps its old deadline until the dispatch is over (see
//! [`Processors::next_left_idle`]): mostly it gets another thread, and with it another deadline, at once.

use std::ops::{Index, IndexMut};

use super::cache::Caches;
use super::task::Task;
use super::tournament::Tournament;
use crate::ids::{CpuId, Id as _, IdVec, TaskId, ThreadId};
use crate::scenario::{Machine, Speed};
use crate::time::{Span, Time};
use crate::timeline::{Interval, Left, Recorder, What};

/// All processors.
pub(super) struct Processors {
    all: IdVec<CpuId, Cpu>,
    idle: IdleSet,
    /// When the present stretch of each ends at the latest.
    deadlines: Tournament,
    /// Those that lost their thread since the last dispatch.
    vacated: Vec<CpuId>,
}

/// A processor and its present stretch of work.
pub(super) struct Cpu {
    thread: ThreadId,
    /// The task whose stretch it is; means nothing while the processor is idle.
    pub(super) task: TaskId,
    /// Whose registers it holds: going back to the same thread is free.
    pub(super) last: ThreadId,
    pub(super) last_space: u32,
    pub(super) speed: Speed,
    /// What the task has done beyond whole nanoseconds of work, in parts as its speed has them: a burst that is only
    /// interrupted takes as long as one that is not.
    pub(super) carry: u32,
    /// When the switch to the present task began; equal to `run_start` if it was free.
    pub(super) switch_start: Time,
    /// When the present task's interval in the timeline began.
    pub(super) run_start: Time,
    /// Up to when the task's work has been accounted for; may lie ahead, at the end of a switch.
    pub(super) worked_until: Time,
    /// When the thread's turn began, to tell the policy how long it ran.
    pub(super) turn_start: Time,
    ends: Ends,
    /// Until when its thread is at an operation that costs something, in which nobody takes its place.
    pub(super) at_operation: Time,
    /// Is that the start of a process?
    pub(super) starts_process: bool,
    /// Its thread has put the task down at this very instant, in this way, and takes another when the instant has settled.
    pub(super) put_down: Option<Left>,
    /// The interval of `task` on thread `last` that ended at this very instant, in this way, and may go on at once: it
    /// has not been told yet.
    pub(super) lingering: Option<Left>,
}

/// What ends a stretch of work, whichever comes first.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ends {
    /// The burst of the task.
    pub(super) burst: Time,
    /// The slice that the policy gave the thread.
    pub(super) slice: Time,
    /// When the runtime wants the thread, or the task, back: the interpreter lock's switch interval, or a slice of its own.
    pub(super) runtime: Time,
}

impl Ends {
    const NEVER: Ends = Ends { burst: Time::NEVER, slice: Time::NEVER, runtime: Time::NEVER };

    #[inline]
    fn first(self) -> Time {
        self.burst.min(self.slice).min(self.runtime)
    }
}

impl Index<CpuId> for Processors {
    type Output = Cpu;

    #[inline]
    fn index(&self, id: CpuId) -> &Cpu {
        &self.all[id]
    }
}

impl IndexMut<CpuId> for Processors {
    #[inline]
    fn index_mut(&mut self, id: CpuId) -> &mut Cpu {
        &mut self.all[id]
    }
}

impl Processors {
    /// Those of a machine, all idle.
    pub(super) fn new(machine: &Machine) -> Processors {
        let count = machine.processors.len();
        Processors {
            all: machine.processors.iter().map(|processor| Cpu::new(processor.speed)).collect(),
            idle: IdleSet::all(count),
            deadlines: Tournament::new(count),
            vacated: Vec::new(),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.all.len()
    }

    pub(super) fn ids(&self) -> impl Iterator<Item = CpuId> + use<> {
        self.all.ids()
    }

    pub(super) fn get(&self, id: CpuId) -> Option<&Cpu> {
        self.all.get(id)
    }

    // Who has a thread.

    /// The processor, which was idle, has taken a thread on, until then.
    #[inline]
    pub(super) fn is_occupied(&mut self, id: CpuId, end: Time) {
        self.idle.remove(id);
        self.deadlines.set(id.index(), end);
    }

    /// The processor has been given up by its thread, and nobody has taken its place.
    #[inline]
    pub(super) fn is_vacated(&mut self, id: CpuId) {
        self.idle.insert(id);
        self.vacated.push(id);
    }

    /// The processor has been given up by its thread, and another has taken its place at once, until then. When that holds
    /// for all of which it is to hold, [`Processors::all_replaced`] must follow.
    #[inline]
    pub(super) fn is_replaced(&mut self, id: CpuId, end: Time) {
        self.deadlines.put(id.index(), end);
    }

    /// The threads of these processors, in order, have been replaced.
    #[inline]
    pub(super) fn all_replaced(&mut self, those: &[u32]) {
        self.deadlines.play(those);
    }

    // When their stretches end.

    /// The earliest end of all.
    #[inline]
    pub(super) fn earliest_end(&self) -> Time {
        self.deadlines.earliest()
    }

    /// Appends those to `due` of which something ends by now, in order.
    #[expect(clippy::inline_always, reason = "every instant asks, and mostly nothing is due")]
    #[inline(always)]
    pub(super) fn list_due(&self, now: Time, due: &mut Vec<u32>) {
        self.deadlines.list_due(now, due);
    }

    /// The burst on the processor ends then.
    #[inline]
    pub(super) fn set_end_of_burst(&mut self, id: CpuId, end: Time) {
        self.set_ends(id, Ends { burst: end, ..self.all[id].ends });
    }

    /// The slice of the thread on the processor ends then, or when the operation is over at which the thread is.
    pub(super) fn set_end_of_slice(&mut self, id: CpuId, end: Time) {
        let cpu = &self.all[id];
        self.set_ends(id, Ends { slice: end.max(cpu.at_operation), ..cpu.ends });
    }

    /// The runtime of the thread on the processor wants it back then, or when the operation is over at which the thread is.
    pub(super) fn set_end_of_turn(&mut self, id: CpuId, end: Time) {
        let cpu = &self.all[id];
        self.set_ends(id, Ends { runtime: end.max(cpu.at_operation), ..cpu.ends });
    }

    /// The thread on the processor is at an operation until then, and nobody takes its place before.
    pub(super) fn is_at_operation(&mut self, id: CpuId, end: Time) {
        let cpu = &mut self.all[id];
        cpu.at_operation = end;
        let Ends { burst, slice, runtime } = cpu.ends;
        self.set_ends(id, Ends { burst, slice: slice.max(end), runtime: runtime.max(end) });
    }

    #[inline]
    fn set_ends(&mut self, id: CpuId, ends: Ends) {
        self.all[id].ends = ends;
        self.deadlines.set(id.index(), ends.first());
    }

    // Which are idle.

    /// The first idle processor whose number is at least `from`.
    #[inline]
    pub(super) fn next_idle(&self, from: u32) -> Option<CpuId> {
        self.idle.next_from(from)
    }

    /// Those that are idle, in order.
    pub(super) fn idle(&self) -> impl Iterator<Item = CpuId> {
        self.idle.iter()
    }

    /// How many are idle.
    pub(super) fn count_idle(&self) -> usize {
        self.idle.count()
    }

    /// Those that lost their thread since the last dispatch, by number in the order in which they lost it; some may
    /// have another by now.
    #[inline]
    pub(super) fn vacated(&self, number: usize) -> Option<CpuId> {
        self.vacated.get(number).copied()
    }

    /// From now on those that lost their thread are in the order of their numbers.
    pub(super) fn sort_vacated(&mut self) {
        self.vacated.sort_unstable();
    }

    /// The dispatch is over: another of those that lost their thread and got no other; nothing ends there any more.
    #[inline]
    pub(super) fn next_left_idle(&mut self) -> Option<CpuId> {
        while let Some(id) = self.vacated.pop() {
            if self.all[id].is_idle() {
                self.set_ends(id, Ends::NEVER);
                return Some(id);
            }
        }
        None
    }
}

impl Cpu {
    fn new(speed: Speed) -> Cpu {
        Cpu {
            thread: ThreadId::NONE,
            task: TaskId::NONE,
            last: ThreadId::NONE,
            last_space: u32::MAX,
            speed,
            carry: 0,
            switch_start: Time::ZERO,
            run_start: Time::ZERO,
            worked_until: Time::ZERO,
            turn_start: Time::ZERO,
            ends: Ends::NEVER,
            at_operation: Time::ZERO,
            starts_process: false,
            put_down: None,
            lingering: None,
        }
    }

    /// Who is on it; [`ThreadId::NONE`] if it is idle.
    #[inline]
    pub(super) fn thread(&self) -> ThreadId {
        self.thread
    }

    #[inline]
    pub(super) fn is_idle(&self) -> bool {
        self.thread.is_none()
    }

    /// The thread gives it up: [`Processors::is_vacated`] or [`Processors::is_replaced`] must follow.
    #[inline]
    pub(super) fn give_up(&mut self) -> ThreadId {
        std::mem::replace(&mut self.thread, ThreadId::NONE)
    }

    /// A thread takes it: [`Processors::is_occupied`] or [`Processors::is_replaced`] must follow, for the earliest of its
    /// ends, which is returned.
    #[inline]
    pub(super) fn take_on(&mut self, thread: ThreadId, ends: Ends) -> Time {
        (self.thread, self.ends) = (thread, ends);
        ends.first()
    }

    /// What ends its present stretch; means nothing while it is idle.
    #[inline]
    pub(super) fn ends(&self) -> Ends {
        self.ends
    }

    /// How long the task, which is or will be on it, takes for the work it has left.
    #[inline]
    pub(super) fn time_for(&self, id: CpuId, task: &Task, caches: &Option<Box<Caches<'_>>>) -> Span {
        match caches {
            None => self.speed.time_for_rest(task.work, self.carry),
            Some(caches) => caches.time_for(id, self.task, task.spec, task.work),
        }
    }

    /// Accounts for the work done up to now.
    #[inline]
    pub(super) fn settle(
        &mut self,
        now: Time,
        id: CpuId,
        tasks: &mut IdVec<TaskId, Task>,
        caches: &mut Option<Box<Caches<'_>>>,
    ) {
        if now <= self.worked_until {
            return;
        }
        let task = &mut tasks[self.task];
        let length = now - self.worked_until;
        self.worked_until = now;
        if now >= self.ends.burst {
            if let Some(caches) = caches {
                caches.run(id, self.task, task.spec, length);
            }
            (task.work, self.carry) = (Span::ZERO, 0);
            return;
        }
        let (done, carry) = match caches {
            None => self.speed.progress(length, self.carry),
            Some(caches) => (caches.run(id, self.task, task.spec, length), 0),
        };
        (task.work, self.carry) = (task.work.saturating_sub(done), carry);
    }

    /// Reports the switch that the present stretch began with, or the start of a process, if it cost time; it may have been cut
    /// short.
    #[inline]
    pub(super) fn tell_switch<R: Recorder>(&self, now: Time, cpu: CpuId, recorder: &mut R) {
        let end = self.run_start.min(now);
        if end > self.switch_start {
            let left = if now < self.run_start { Left::Preempted } else { Left::Continues };
            let run = self.run_interval(now, cpu, left);
            let what = if self.starts_process { What::Start } else { What::Switch };
            recorder.interval(Interval { start: self.switch_start, end, what, ..run });
        }
    }

    #[inline]
    pub(super) fn run_interval(&self, now: Time, cpu: CpuId, left: Left) -> Interval {
        Interval { start: self.run_start, end: now, task: self.task, thread: self.last, cpu, what: What::Run, left }
    }
}

/// Which processors are idle.
#[derive(Debug)]
struct IdleSet {
    words: Vec<u64>,
}

impl IdleSet {
    fn all(count: usize) -> IdleSet {
        let mut set = IdleSet { words: vec![0; count.div_ceil(64)] };
        (0..count).for_each(|index| set.insert(CpuId::from_index(index)));
        set
    }
    #[inline]
    fn insert(&mut self, cpu: CpuId) {
        self.words[cpu.0 as usize / 64] |= 1 << (cpu.0 % 64);
    }
    #[inline]
    fn remove(&mut self, cpu: CpuId) {
        self.words[cpu.0 as usize / 64] &= !(1 << (cpu.0 % 64));
    }
    fn count(&self) -> usize {
        self.words.iter().map(|word| word.count_ones() as usize).sum()
    }
    fn iter(&self) -> impl Iterator<Item = CpuId> {
        std::iter::successors(self.next_from(0), |cpu| self.next_from(cpu.0 + 1))
    }
    #[inline]
    fn next_from(&self, from: u32) -> Option<CpuId> {
        let mut index = from as usize / 64;
        let mut word = self.words.get(index)? & (u64::MAX << (from % 64));
        while word == 0 {
            index += 1;
            word = *self.words.get(index)?;
        }
        #[expect(clippy::cast_possible_truncation, reason = "processors are numbered with 32 bits")]
        Some(CpuId(index as u32 * 64 + word.trailing_zeros()))
    }
}
