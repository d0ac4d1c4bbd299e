//! Goroutines: many tasks on few workers, switched by the runtime, which also preempts them. What is called a worker
//! here is a processor (P) of Go's scheduler; the threads (M) that carry workers come and go.
//!
//! Rules:
//!
//! - There are `workers` of them (GOMAXPROCS; default: the processors of the machine), each with a queue for 256 tasks,
//!   first in, first out; when it is full, its older half goes to the global queue.
//! - A task that the running task spawns or wakes is *next* on its worker, and has what is left of the running task's
//!   slice; whoever was next goes to the tail of the queue.
//! - A task runs for `slice`, then it goes to the tail of the global queue, and so does one that yields. (Go calls its
//!   slice 10 ms. But it is a monitor that ends it, which looks at workers every 10 ms and takes one from whom it saw
//!   there when it looked before: 20 ms after the last one was put off. That is the default here.) A slice begins when the
//!   task first runs, behind the switches to it, and then passes even while the thread is off its processor.
//! - A timer belongs to the worker on which the task went to sleep. A worker that chooses looks at its own timers first:
//!   whose timer has rung is next on it, as if woken there. A thief, too, looks at the timers of another before it takes
//!   who is next there. While a worker is idle it sees all timers at once.
//! - A worker takes, in this order: from the global queue at every `global-interval`-th time; who is next; the head of
//!   its own queue; from the global queue one task and as many more as there are for each worker; what the *poller*
//!   has (served requests), which goes to the global queue; the older half of another worker's queue, of which it runs
//!   the last first; another's timers or next. Victims are looked at in a ring, or (`victims = "random"`, as in Go) from
//!   one drawn at random on.
//! - The poller is looked at by an idle worker at once; without one, whenever a worker has found nothing of its own and
//!   nothing in the global queue, and at the latest when a worker chooses `poll-interval` after the last look.
//! - Whoever puts a task into a queue wakes one idle worker, the one that became idle last, unless one that was woken is
//!   still looking. A worker that found work, having looked for it, wakes the next.
//! - A task that makes a blocking call (`blocking = true`) keeps its thread, and the worker goes on with another thread:
//!   a spare one, or a new one. (In Go that happens at once only if the call is known to be slow, else after 20 us.)
//!   When the call is over, the task goes to the tail of the global queue.
//!
//! A worker is idle only while there is no task in any queue, or a worker that was woken is on its way.
//!
//! Sources: Vyukov, "Scalable Go Scheduler Design Doc", 2012; the comments of `runtime/proc.go` of Go 1.14 and later (when
//! preemption became asynchronous). Cost: constant per operation, linear in the number of workers when a thief looks for
//! a victim.
//!
//! ```text
//! slice 2ms, one worker; A 3ms, B 1ms, C 3ms, all at 0
//! cpu 0 |AABCCAC|
//! ```

use std::collections::VecDeque;
use std::sync::Arc;

use super::stealing::{Local, Victims, read_victims};
use super::{Elsewhere, Executor, Kind, Queue, RunQueue, Setup, Threads, WokenBy, interval, parameters, workers};
use crate::document::Table;
use crate::parameter::Parameter;
use crate::policy::{Exit, PerWho, Policy, Slice, Slot, Turn, View, Who, Why};
use crate::time::{Span, Time};

/// The entry on the shelf.
pub(super) static KIND: Kind = Kind {
    name: "goroutines",
    summary: "tasks switched and preempted by a runtime on a fixed number of workers, after Go",
    parameters: &[
        parameters::WORKERS,
        Parameter::new(
            "slice",
            "a duration",
            "`\"20ms\"`",
            "how long a task runs before it is preempted: what Go calls 10 ms, noticed by its monitor",
        ),
        parameters::GLOBAL_INTERVAL,
        Parameter::new(
            "poll-interval",
            "a duration",
            "`\"10ms\"`",
            "after so long served requests are looked at although all workers are busy",
        ),
        parameters::VICTIMS,
    ],
    threads: Threads::Workers,
    keeps_thread: false,
    elsewhere: Some(Elsewhere {
        what: "the scheduler of Go programs",
        instead: "`work-stealing`, which does not preempt its tasks",
    }),
    in_python: false,
    read,
};

/// How many choices a worker makes between looks into the global queue first.
const GLOBAL_INTERVAL: u32 = 61;

/// How long a task has a worker before it is put off: until the monitor has seen it twice.
const SLICE: Span = Span::from_ms(20);

/// After which time the poller is looked at although all workers are busy: every time the monitor looks.
const POLL_INTERVAL: Span = Span::from_ms(10);

fn read(table: &mut Table<'_>, executor: &mut Executor) {
    workers(table, executor);
    executor.hands_off = true;
    let slice = table.positive_span("slice").unwrap_or(SLICE);
    let poll_interval = table.span("poll-interval").unwrap_or(POLL_INTERVAL);
    let global_interval = interval(table, "global-interval", GLOBAL_INTERVAL);
    executor.queue = Arc::new(Rules { slice, global_interval, poll_interval, random_victims: read_victims(table) });
}

#[derive(Clone, Copy, Debug)]
struct Rules {
    slice: Span,
    global_interval: u32,
    poll_interval: Span,
    random_victims: bool,
}

impl Queue for Rules {
    fn build(&self, setup: &Setup) -> Box<dyn RunQueue> {
        Box::new(Queues {
            rules: *self,
            global: VecDeque::new(),
            workers: (0..setup.workers).map(|_| Worker::default()).collect(),
            victims: Victims::new(self.random_victims, setup),
            slept: PerWho::default(),
            poller: VecDeque::new(),
            polled: Time::ZERO,
            idle: (0..setup.workers).rev().collect(),
            searching: 0,
            to_wake: None,
            waiting: 0,
        })
    }

    fn preempts(&self) -> bool {
        true
    }
}

struct Queues {
    rules: Rules,
    global: VecDeque<Who>,
    workers: Vec<Worker>,
    victims: Victims,
    /// On which worker each task was blocked last.
    slept: PerWho<usize>,
    /// Tasks whose requests are served, of which no worker knows yet.
    poller: VecDeque<Who>,
    /// When somebody looked there last.
    polled: Time,
    /// The idle workers, in the order in which they became so.
    idle: Vec<usize>,
    /// How many workers were woken and have not found work yet.
    searching: usize,
    to_wake: Option<usize>,
    waiting: usize,
}

#[derive(Default)]
struct Worker {
    queue: Local,
    next: Option<Who>,
    /// Whom the running task has handed its turn, before whom nobody comes and whom nobody can steal.
    handed: Option<Who>,
    /// Tasks whose timers have rung, of which the worker does not know yet.
    rang: VecDeque<Who>,
    /// How many times it has chosen a task for a slice of its own.
    choices: u32,
    /// When the present slice ends.
    slice_end: Time,
    searches: bool,
}

impl Queues {
    /// The task is next on the worker.
    fn make_next(&mut self, worker: usize, who: Who) {
        let worker = &mut self.workers[worker];
        if let Some(former) = worker.next.replace(who) {
            worker.queue.push(former, &mut self.global);
        }
        self.wake();
    }

    fn join_global(&mut self, who: Who) {
        self.global.push_back(who);
        self.wake();
    }

    /// Wakes an idle worker, unless somebody is looking for work already.
    fn wake(&mut self) {
        if self.searching == 0
            && let Some(worker) = self.idle.pop()
        {
            self.workers[worker].searches = true;
            self.searching = 1;
            self.to_wake = Some(worker);
        }
    }

    fn poll(&mut self, now: Time) {
        self.polled = now;
        self.global.append(&mut self.poller);
    }

    /// Whose timers have rung on a worker is next on this one, one after the other.
    fn run_timers(&mut self, of: usize, worker: usize) {
        for who in std::mem::take(&mut self.workers[of].rang) {
            self.make_next(worker, who);
        }
    }

    /// What the worker runs next, and when the slice that goes with it ends, if it is not a slice of its own.
    fn take(&mut self, worker: usize, now: Time) -> Option<(Who, Option<Time>)> {
        let here = &mut self.workers[worker];
        if let Some(who) = here.handed.take() {
            return Some((who, Some(here.slice_end).filter(|end| *end > now)));
        }
        if now.since(self.polled) >= self.rules.poll_interval {
            self.poll(now);
        }
        self.run_timers(worker, worker);
        let count = self.workers.len();
        let Queues { workers, global, rules, .. } = self;
        let here = &mut workers[worker];
        if here.choices.is_multiple_of(rules.global_interval)
            && let Some(who) = global.pop_front()
        {
            return Some((who, None));
        }
        if let Some(who) = here.next.take() {
            return Some((who, Some(here.slice_end).filter(|end| *end > now)));
        }
        let own = here.queue.pop().or_else(|| here.queue.take_batch(global, count));
        let found = own.or_else(|| {
            self.poll(now);
            self.workers[worker].queue.take_batch(&mut self.global, count)
        });
        found.or_else(|| self.steal(worker)).map(|who| (who, None))
    }

    fn steal(&mut self, thief: usize) -> Option<Who> {
        if let Some(victim) = self.victims.of(thief, |worker| self.workers[worker].queue.len() > 0) {
            let mut loot = std::mem::take(&mut self.workers[thief].queue);
            let who = self.workers[victim].queue.give_to(&mut loot, false);
            self.workers[thief].queue = loot;
            return who;
        }
        let has = |worker: &Worker| worker.next.is_some() || !worker.rang.is_empty();
        let victim = self.victims.of(thief, |worker| has(&self.workers[worker]))?;
        let from = if self.workers[victim].rang.is_empty() { victim } else { thief };
        self.run_timers(victim, thief);
        self.workers[from].next.take()
    }
}

impl RunQueue for Queues {
    fn woken(&mut self, who: Who, by: WokenBy, view: &View<'_>) {
        if by == WokenBy::Timer && self.idle.is_empty() {
            let worker = *self.slept.of(who);
            self.workers[worker].rang.push_back(who);
            self.waiting += 1;
        } else {
            self.ready(who, by.as_spawned(), view);
        }
    }

    fn wakes_for_timer(&mut self, parked: &[u32]) -> Option<Slot> {
        self.wake();
        self.rouse(false, parked)
    }

    fn rouse(&mut self, _: bool, _: &[u32]) -> Option<Slot> {
        self.to_wake.take().and_then(|worker| u32::try_from(worker).ok()).map(Slot)
    }
}

impl Policy for Queues {
    fn ready(&mut self, who: Who, why: Why, _: &View<'_>) {
        self.waiting += 1;
        match why {
            Why::Spawned(slot) => self.make_next(slot.0 as usize, who),
            Why::Woken if self.idle.is_empty() => self.poller.push_back(who),
            Why::Woken | Why::Arrived | Why::Expired(_) | Why::Preempted(_) | Why::Yielded(_) => self.join_global(who),
        }
    }

    fn pick(&mut self, slot: Slot, view: &View<'_>) -> Option<Turn> {
        let worker = slot.0 as usize;
        let found = self.take(worker, view.now);
        let searched = std::mem::take(&mut self.workers[worker].searches);
        self.searching -= usize::from(searched);
        let Some((who, inherited)) = found else {
            self.idle.push(worker);
            self.workers[worker].slice_end = Time::ZERO;
            return None;
        };
        if searched {
            self.wake();
        }
        self.waiting -= 1;
        if let Some(end) = inherited {
            return Some(Turn { who, slice: Slice::Until(end) });
        }
        let worker = &mut self.workers[worker];
        worker.choices = worker.choices.wrapping_add(1);
        worker.slice_end = view.now + self.rules.slice;
        Some(Turn { who, slice: Slice::For(self.rules.slice) })
    }

    fn left(&mut self, who: Who, slot: Slot, _: Span, exit: Exit, _: &View<'_>) {
        if exit == Exit::Blocked {
            *self.slept.of(who) = slot.0 as usize;
        }
    }

    fn is_next(&mut self, who: Who, slot: Slot, _: &View<'_>) {
        let worker = &mut self.workers[slot.0 as usize];
        worker.handed = worker.next.take_if(|next| *next == who).or_else(|| worker.queue.take_last(who));
    }

    fn waiting(&self) -> usize {
        self.waiting
    }
}
