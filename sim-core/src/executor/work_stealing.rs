//! Async tasks on several workers with a queue each; a worker that runs out of work steals from the others.
//!
//! Rules, those of tokio's multi-thread runtime:
//!
//! - *LIFO slot*: a task that the running task wakes or spawns goes to a slot of its worker, and whoever was in the slot
//!   goes to the tail of the worker's queue. The task in the slot is next, before the queue, but at most three times in
//!   a row: while the third of them runs, the slot is closed. Nobody steals from the slot, so a task that a busy task
//!   spawned waits until that one gives up control. `lifo-slot = false`: there is none.
//! - *Queue*: first in, first out, for 256 tasks; when it is full, its older half goes to the common queue.
//! - *Common queue* (injection queue): tasks that arrive. A worker looks into it first at every `global-interval`-th
//!   poll, and else when it has nothing of its own; then it takes one task and as many more as there are tasks for each
//!   worker. (tokio adjusts the interval to how long polls take unless it is set; here it is always what is set.)
//! - *Stealing*: a worker that finds nothing takes the older half of another's queue (`steal = "one"`: one task), and
//!   runs the last of it first. It looks at the others from the next one on (`victims = "ring"`), or from one drawn at
//!   random on, as tokio does (`victims = "random"`).
//! - *Driver*: timers and served requests are noticed by one worker (`driver = "one"`): the first that found nothing to
//!   do waits for them. While that one runs a task nobody looks, until some worker finds nothing to do, or is at a
//!   multiple of `event-interval` polls. Whoever looks wakes all tasks concerned on its own queue, the last of them in
//!   its slot. With `driver = "any"` everything is noticed at once, and goes to the common queue.
//! - *Yields* are deferred as in `async`: a task that yields is put back when its worker looks at the driver, or has
//!   found nothing, not even to steal; the last one first.
//! - *Waking workers*: whoever puts a task into a queue where it can be stolen wakes one parked worker, the one that
//!   parked last, unless one that was woken is still looking. A worker that found work, having looked for it, wakes the
//!   next.
//! - `budget`, `timer`, `epoch`, `park` and `timed-devices` are those of `async`: the worker at the driver waits as the loop does.
//!
//! `queue = "shared"` is the alternative to compare with: one queue for all workers, first in, first out, and none of
//! these rules but the last.
//!
//! Work is conserved, but for what is in a LIFO slot, has yielded, or is known to the driver alone: whenever a worker is
//! parked, and no worker that was woken is on its way, the queues are empty.
//!
//! Sources: "Making the Tokio scheduler 10x faster", the tokio blog, October 2019; the module documentation of
//! `tokio::runtime`; stealing itself: Blumofe & Leiserson, "Scheduling Multithreaded Computations by Work Stealing",
//! Journal of the ACM 46(5), 1999. Cost: constant per operation, linear in the number of workers when a thief looks for
//! a victim.

use std::collections::VecDeque;
use std::sync::Arc;

use super::single_thread::{BUDGET, EVENT_INTERVAL, budget, read_yield};
use super::stealing::{Local, Victims, read_victims};
use super::timers::{self, Timers, Watch};
use super::{Executor, Fifo, Kind, Queue, RunQueue, Setup, Threads, WokenBy, interval, parameters, workers};
use crate::document::Table;
use crate::parameter::Parameter;
use crate::policy::{Policy, Slice, Slot, Turn, View, Who, Why};
use crate::time::Time;

/// The entry on the shelf.
pub(super) static KIND: Kind = Kind {
    name: "work-stealing",
    summary: "async tasks on a fixed number of threads, a queue for each; idle workers steal",
    parameters: &[
        parameters::WORKERS,
        Parameter::new(
            "queue",
            "`\"own\"`, `\"shared\"`",
            "`\"own\"`",
            "a queue for each worker, or one for all and no other rules",
        ),
        Parameter::new(
            "lifo-slot",
            "`true`, `false`",
            "`true`",
            "is a task that the running one wakes next on its worker?",
        ),
        parameters::GLOBAL_INTERVAL,
        parameters::EVENT_INTERVAL,
        Parameter::new("steal", "`\"half\"`, `\"one\"`", "`\"half\"`", "how much a thief takes"),
        parameters::VICTIMS,
        Parameter::new(
            "driver",
            "`\"one\"`, `\"any\"`",
            "`\"one\"`",
            "do timers and served requests wait for the worker at the driver, or are they noticed at once?",
        ),
        parameters::YIELD,
        parameters::BUDGET,
        parameters::TIMER,
        parameters::EPOCH,
        Parameter {
            meaning: "does the worker at the driver wake when the next timer rings, or after whole steps of `timer` from when it \
                      began to wait? With `driver = \"one\"`",
            ..parameters::PARK
        },
        parameters::TIMED_DEVICES,
    ],
    threads: Threads::Workers,
    keeps_thread: false,
    elsewhere: None,
    in_python: false,
    read,
};

/// How many polls are made between looks into the common queue.
const GLOBAL_INTERVAL: u32 = 61;

/// How many times in a row the task in the slot is next.
const LIFO_IN_A_ROW: u8 = 3;

fn read(table: &mut Table<'_>, executor: &mut Executor) {
    workers(table, executor);
    budget(table, executor, BUDGET);
    let shared = table.one_of("queue", &["own", "shared"]) == Some(1);
    timers::read(table, executor, if shared { &[] } else { timers::BY_STEPS });
    if shared {
        executor.queue = Arc::new(Fifo);
        executor.own_rules.push("queue");
        return;
    }
    let rules = Rules {
        lifo_slot: table.boolean("lifo-slot").unwrap_or(true),
        global_interval: interval(table, "global-interval", GLOBAL_INTERVAL),
        event_interval: interval(table, "event-interval", EVENT_INTERVAL),
        steals_one: table.one_of("steal", &["half", "one"]) == Some(1),
        random_victims: read_victims(table),
        one_driver: table.one_of("driver", &["one", "any"]) != Some(1),
        defers: read_yield(table, executor, true),
        timers: executor.timers,
    };
    let own_rules = [("lifo-slot", !rules.lifo_slot), ("steal", rules.steals_one), ("driver", !rules.one_driver)];
    executor.own_rules.extend(own_rules.iter().filter(|(_, own)| *own).map(|(parameter, _)| *parameter));
    executor.event_interval = Some(rules.event_interval);
    executor.global_interval = Some(rules.global_interval);
    executor.queue = Arc::new(rules);
}

#[derive(Clone, Copy, Debug)]
struct Rules {
    lifo_slot: bool,
    global_interval: u32,
    event_interval: u32,
    steals_one: bool,
    random_victims: bool,
    one_driver: bool,
    defers: bool,
    timers: Timers,
}

impl Queue for Rules {
    fn build(&self, setup: &Setup) -> Box<dyn RunQueue> {
        let mut watch = Watch::new(self.timers);
        if self.one_driver {
            watch.begins(Time::ZERO);
        }
        Box::new(Queues {
            rules: *self,
            common: VecDeque::new(),
            workers: (0..setup.workers).map(|_| Worker::default()).collect(),
            victims: Victims::new(self.random_victims, setup),
            events: VecDeque::new(),
            // At the start all are parked, as if the first had come last.
            sleepers: (0..setup.workers).rev().collect(),
            at_driver: Some(0),
            watch,
            searching: 0,
            to_wake: None,
            waiting: 0,
        })
    }
}

struct Queues {
    rules: Rules,
    common: VecDeque<Who>,
    workers: Vec<Worker>,
    victims: Victims,
    /// Tasks that could go on, of which no worker knows yet.
    events: VecDeque<Who>,
    /// The parked workers, in the order in which they parked.
    sleepers: Vec<usize>,
    /// The parked worker that waits at the driver; it keeps it until it takes a task.
    at_driver: Option<usize>,
    /// How it waits there for timers.
    watch: Watch,
    /// How many workers look for work.
    searching: usize,
    /// Who is to be woken.
    to_wake: Option<usize>,
    waiting: usize,
}

#[derive(Default)]
struct Worker {
    queue: Local,
    slot: Option<Who>,
    /// Whom the running task has handed its turn, which nobody can steal.
    handed: Option<Who>,
    yielded: Vec<Who>,
    /// How many polls it has made; those of tasks from the slot, right after the task before, are part of that one.
    polls: u32,
    /// How many times in a row it has run the task in the slot.
    from_slot: u8,
    /// Has it run a task since it was parked?
    runs: bool,
    searches: bool,
}

impl Queues {
    /// A task goes to a worker's slot, or into its queue. Can others steal something they could not before?
    fn schedule(&mut self, worker: usize, who: Who) -> bool {
        let Queues { workers, common, rules, .. } = self;
        let worker = &mut workers[worker];
        if !rules.lifo_slot || worker.from_slot >= LIFO_IN_A_ROW {
            worker.queue.push(who, common);
            return true;
        }
        let former = worker.slot.replace(who);
        if let Some(former) = former {
            worker.queue.push(former, common);
        }
        former.is_some()
    }

    /// Wakes one parked worker, unless somebody is looking for work already.
    fn notify(&mut self) {
        if self.searching == 0
            && let Some(worker) = self.sleepers.pop()
        {
            self.search(worker);
            self.to_wake = Some(worker);
        }
    }

    /// Wakes the worker that waits at the driver.
    fn wake_at_driver(&mut self) {
        if let Some(worker) = self.at_driver
            && let Some(place) = self.sleepers.iter().position(|sleeper| *sleeper == worker)
        {
            self.sleepers.remove(place);
            self.to_wake = Some(worker);
        }
    }

    fn search(&mut self, worker: usize) {
        if !self.workers[worker].searches {
            self.workers[worker].searches = true;
            self.searching += 1;
        }
    }

    /// The worker does not look for work any more. Was it the last that did?
    fn stop_searching(&mut self, worker: usize) -> bool {
        let searched = std::mem::take(&mut self.workers[worker].searches);
        self.searching -= usize::from(searched);
        searched && self.searching == 0
    }

    /// The worker looks at the driver, unless somebody else waits there, and puts back who has yielded.
    fn look_at_driver(&mut self, worker: usize, now: Time) {
        let free = self.at_driver.is_none_or(|other| other == worker);
        if free {
            self.watch.looks(now);
        }
        while free && let Some(who) = self.events.pop_front() {
            self.schedule(worker, who);
        }
        while let Some(who) = self.workers[worker].yielded.pop() {
            self.schedule(worker, who);
        }
        let there = &self.workers[worker];
        if !there.searches && there.queue.len() + usize::from(there.slot.is_some()) > 1 {
            self.notify();
        }
    }

    /// The task in the slot, right after the one that put it there.
    fn continue_with_slot(&mut self, worker: usize) -> Option<Who> {
        let worker = &mut self.workers[worker];
        let who = worker.slot.take_if(|_| worker.runs);
        worker.from_slot = if who.is_some() { worker.from_slot + 1 } else { 0 };
        who
    }

    fn next_task(&mut self, worker: usize) -> Option<Who> {
        let count = self.workers.len();
        let Queues { workers, common, rules, .. } = self;
        let worker = &mut workers[worker];
        if worker.polls.is_multiple_of(rules.global_interval)
            && let Some(who) = common.pop_front()
        {
            return Some(who);
        }
        let own = worker.slot.take().or_else(|| worker.queue.pop());
        own.or_else(|| worker.queue.take_batch(common, count))
    }

    fn steal(&mut self, thief: usize) -> Option<Who> {
        self.search(thief);
        let victim = self.victims.of(thief, |worker| self.workers[worker].queue.len() > 0)?;
        let mut loot = std::mem::take(&mut self.workers[thief].queue);
        let who = self.workers[victim].queue.give_to(&mut loot, self.rules.steals_one);
        self.workers[thief].queue = loot;
        who
    }

    /// What the worker runs next. Without anything it parks.
    fn take(&mut self, worker: usize, now: Time) -> Option<Who> {
        if let Some(who) = self.workers[worker].handed.take().or_else(|| self.continue_with_slot(worker)) {
            return Some(who);
        }
        if self.at_driver == Some(worker) {
            self.look_at_driver(worker, now);
            self.at_driver = None;
        }
        loop {
            self.workers[worker].polls = self.workers[worker].polls.wrapping_add(1);
            if self.workers[worker].polls.is_multiple_of(self.rules.event_interval) {
                self.look_at_driver(worker, now);
            }
            if let Some(who) = self.next_task(worker).or_else(|| self.steal(worker)) {
                return Some(who);
            }
            let notices = self.at_driver.is_none() && !self.events.is_empty();
            if !notices && self.workers[worker].yielded.is_empty() {
                return None;
            }
            self.stop_searching(worker);
            self.look_at_driver(worker, now);
        }
    }
}

impl RunQueue for Queues {
    fn woken(&mut self, who: Who, by: WokenBy, view: &View<'_>) {
        self.ready(who, by.as_spawned(), view);
    }

    fn timer_is_set(&mut self, _: Who, ring: Time, just_now: bool, view: &View<'_>) {
        self.watch.is_set(ring, just_now.then_some(view.now));
    }

    fn misses(&mut self, who: Who, now: Time) -> Option<Time> {
        let noticed = self.watch.misses(now)?;
        self.waiting += 1;
        self.events.push_back(who);
        Some(noticed)
    }

    fn timer_is_cancelled(&mut self, _: Who, ring: Time) {
        self.watch.is_cancelled(ring);
    }

    fn learns(&mut self, now: Time) -> Option<Time> {
        self.watch.learns(now)
    }

    fn is_about_to_look(&self, slot: Slot) -> bool {
        let (worker, there) = (slot.0 as usize, &self.workers[slot.0 as usize]);
        if there.handed.is_some()
            || there.runs && there.slot.is_some()
            || self.at_driver.is_some_and(|other| other != worker)
        {
            return false;
        }
        let may_take = |worker: &Worker| worker.queue.len() > 0;
        let finds = there.slot.is_some() || !self.common.is_empty() || self.workers.iter().any(may_take);
        self.at_driver == Some(worker)
            || !finds
            || (there.polls.wrapping_add(1)).is_multiple_of(self.rules.event_interval)
    }

    fn wakes_for_timer(&mut self, parked: &[u32]) -> Option<Slot> {
        if self.rules.one_driver {
            self.wake_at_driver();
        } else {
            self.notify();
        }
        self.rouse(false, parked)
    }

    fn has_missed(&self) -> bool {
        self.watch.missed() > 0
    }

    fn notices(&mut self, now: Time) {
        self.watch.wakes(now);
        if !self.events.is_empty() {
            self.wake_at_driver();
        }
    }

    fn rouse(&mut self, _: bool, _: &[u32]) -> Option<Slot> {
        self.to_wake.take().and_then(|worker| u32::try_from(worker).ok()).map(Slot)
    }
}

impl Policy for Queues {
    fn ready(&mut self, who: Who, why: Why, _: &View<'_>) {
        self.waiting += 1;
        match why {
            Why::Spawned(slot) => {
                if self.schedule(slot.0 as usize, who) {
                    self.notify();
                }
            }
            Why::Yielded(slot) if self.rules.defers => self.workers[slot.0 as usize].yielded.push(who),
            Why::Yielded(slot) | Why::Expired(slot) | Why::Preempted(slot) => {
                self.workers[slot.0 as usize].queue.push(who, &mut self.common);
                self.notify();
            }
            Why::Woken if self.rules.one_driver => {
                self.events.push_back(who);
                self.wake_at_driver();
            }
            Why::Arrived | Why::Woken => {
                self.common.push_back(who);
                self.notify();
            }
        }
    }

    fn pick(&mut self, slot: Slot, view: &View<'_>) -> Option<Turn> {
        let worker = slot.0 as usize;
        let who = self.take(worker, view.now);
        let last_to_search = self.stop_searching(worker);
        self.workers[worker].runs = who.is_some();
        let Some(who) = who else {
            self.workers[worker].from_slot = 0;
            if *self.at_driver.get_or_insert(worker) == worker && self.rules.one_driver {
                self.watch.begins(view.now);
            }
            self.sleepers.push(worker);
            return None;
        };
        if last_to_search {
            self.notify();
        }
        self.waiting -= 1;
        Some(Turn { who, slice: Slice::Endless })
    }

    fn is_next(&mut self, who: Who, slot: Slot, _: &View<'_>) {
        let worker = &mut self.workers[slot.0 as usize];
        worker.handed = worker.slot.take_if(|next| *next == who).or_else(|| worker.queue.take_last(who));
    }

    fn waiting(&self) -> usize {
        self.waiting
    }
}
