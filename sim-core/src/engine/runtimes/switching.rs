//! Workers that go on to another task whenever one blocks: the turns of tasks, and threads that come and go.

use std::collections::BTreeMap;

use super::Workers;
use crate::executor::{Executor, Park, TimedDevices, Timers};
use crate::ids::{TaskId, ThreadId};
use crate::policy::Slice;
use crate::time::Time;

/// Workers, and the turns of the tasks that they carry.
#[repr(C)]
pub(in crate::engine) struct Switching {
    pub(super) workers: Workers,
    /// By worker.
    turns: Vec<OnTurn>,
    /// Do turns have slices?
    preempts: bool,
    /// How many points a task may pass in one turn at which it might have had to wait.
    budget: Option<u32>,
    /// Does a task that blocks its thread give its worker to another?
    hands_off: bool,
    /// Threads that carry no worker, for those whose thread is blocked.
    spare: Vec<ThreadId>,
    /// When timers ring, and what is made of them.
    timers: Timers,
    /// Does its loop go by rounds?
    rounds: bool,
    /// For each task that learns by a timer of the end of its request, the number under which it was set.
    news: BTreeMap<TaskId, u64>,
    /// Tasks whose timers have rung, which nobody has noticed.
    missed: Vec<TaskId>,
}

/// The turn of a task on a worker; means nothing while the worker has none.
#[derive(Clone, Copy)]
struct OnTurn {
    /// How long the task may have the worker.
    slice: Slice,
    /// When it runs first in this turn, or would have, had its thread not been put off in the middle of the switch to it.
    first_run: Time,
    /// When its turn ends; never while it has not begun.
    end: Time,
    /// How many points the task has passed in this turn at which it might have had to wait.
    passed: u32,
}

impl Switching {
    pub(super) fn new(workers: Workers, executor: &Executor) -> Switching {
        let turn = OnTurn { slice: Slice::Endless, first_run: Time::NEVER, end: Time::NEVER, passed: 0 };
        Switching {
            turns: vec![turn; workers.count()],
            workers,
            preempts: executor.queue.preempts(),
            budget: executor.budget,
            hands_off: executor.hands_off,
            spare: Vec::new(),
            timers: executor.timers,
            rounds: executor.rounds,
            news: BTreeMap::new(),
            missed: Vec::new(),
        }
    }

    // Turns.

    pub(super) fn preempts(&self) -> bool {
        self.preempts
    }

    /// The worker takes a task for so long.
    pub(super) fn begins_turn(&mut self, worker: u32, slice: Slice) {
        let turn = &mut self.turns[worker as usize];
        (turn.slice, turn.end, turn.passed) = (slice, Time::NEVER, 0);
    }

    /// The turn of its task goes on, or begins, then. When does it end?
    pub(super) fn end_of_turn(&mut self, worker: u32, begin: Time) -> Time {
        let turn = &mut self.turns[worker as usize];
        if turn.end.is_never() {
            (turn.first_run, turn.end) = (begin, turn.slice.end(begin));
        }
        turn.end.max(begin)
    }

    /// The thread of the worker is put off, with this task: was that before the task ran?
    pub(super) fn is_put_off_early(&mut self, worker: u32, task: TaskId, now: Time) {
        let turn = &mut self.turns[worker as usize];
        if self.preempts && self.workers.carried_by(worker) == task && turn.first_run >= now {
            turn.end = Time::NEVER;
        }
    }

    pub(super) fn is_over_budget(&mut self, worker: u32) -> bool {
        let Some(budget) = self.budget else { return false };
        let turn = &mut self.turns[worker as usize];
        turn.passed += 1;
        turn.passed > budget
    }

    // Threads that are blocked by a task.

    /// Does a task that blocks its thread give its worker to another?
    pub(in crate::engine) fn hands_off(&self) -> bool {
        self.hands_off
    }

    /// A thread that carries no worker.
    pub(in crate::engine) fn take_spare(&mut self) -> Option<ThreadId> {
        self.spare.pop()
    }

    /// The thread carries no worker any more.
    pub(in crate::engine) fn is_spare(&mut self, thread: ThreadId) {
        self.spare.push(thread);
    }

    /// The worker goes on with another thread.
    pub(in crate::engine) fn goes_on_with(&mut self, worker: u32, thread: ThreadId) {
        self.workers.goes_on_with(worker, thread);
    }

    /// Does the worker go on with another thread than this one, by now?
    pub(in crate::engine) fn has_left(&self, worker: u32, thread: ThreadId) -> bool {
        self.workers.thread(worker) != thread
    }

    /// Does its loop go by rounds?
    pub(super) fn goes_by_rounds(&self) -> bool {
        self.rounds
    }

    // Timers.

    /// When a timer of the runtime rings whose time is up then.
    pub(in crate::engine) fn ring(&self, end: Time) -> Time {
        self.timers.ring(end)
    }

    /// What its timers have to do with devices.
    pub(in crate::engine) fn timed_devices(&self) -> TimedDevices {
        self.timers.devices
    }

    /// The task sets a timer under this number to learn of the end of its request.
    pub(in crate::engine) fn awaits_news(&mut self, task: TaskId, number: u64) {
        self.news.insert(task, number);
    }

    /// Has the task set such a timer?
    pub(in crate::engine) fn has_set(&self, task: TaskId) -> bool {
        self.news.contains_key(&task)
    }

    /// The number of the timer by which the task learns that its request is served, if it does.
    pub(in crate::engine) fn has_news(&mut self, task: TaskId) -> Option<u64> {
        self.news.remove(&task)
    }

    /// Can a timer ring without anybody noticing at once?
    pub(in crate::engine) fn may_miss_timers(&self) -> bool {
        self.timers.park != Park::Exact
    }

    /// The timer of the task has rung, and nobody has noticed.
    pub(in crate::engine) fn misses(&mut self, task: TaskId) {
        self.missed.push(task);
    }

    /// Nobody need notice that the timer of the task has rung. Had it, and nobody had noticed?
    pub(in crate::engine) fn forgets_missed(&mut self, task: TaskId) -> bool {
        let place = self.missed.iter().position(|missed| *missed == task);
        place.map(|place| self.missed.remove(place)).is_some()
    }

    pub(in crate::engine) fn has_missed(&self) -> bool {
        !self.missed.is_empty()
    }

    /// All that was missed is noticed.
    pub(in crate::engine) fn take_missed(&mut self) -> Vec<TaskId> {
        std::mem::take(&mut self.missed)
    }
}
