//! A thread pool: a task keeps its worker until it ends, so I/O blocks the worker.
//!
//! With `queue = "shared"` all tasks wait in one queue, first in, first out (or in the order of `policy`, one of the
//! kernel floor), and a worker that joins waits. The next task of a worker starts as a thread of its own would, at the
//! tail of the kernel's queue; with `next = "at-once"` the worker goes on with it without leaving its processor, as real
//! ones do. With `gil` the threads share an [interpreter lock](super::interpreter_lock), without which none of them runs or
//! takes a task: a worker that is woken gets the lock first and looks into the queue then, and one that goes on `at-once`
//! keeps it. So does Python's `ThreadPoolExecutor`. Which idle worker is woken, and when, is said by `wakes`: see `idle.rs`. Where the workers are processes (`of`), each has an interpreter of its own.
//! How many threads and tasks it has room for is said by `limits.rs`. With `chunk` a worker takes several tasks at once: see `chunks.rs`. With `queue = "stealing"` the rules are those of rayon:
//!
//! - A task that is spawned goes to the queue of the worker that spawns it, others to a common queue, the injector. A
//!   worker takes the task that came to its own queue *last*; else it steals the one that came *first* to the queue of
//!   another, looking at the workers after itself in their order, or (`victims = "random"`) from one drawn at random on;
//!   else it takes the first of the injector.
//! - A worker whose task joins those it spawned does not wait: it runs other tasks meanwhile, on the same thread, one
//!   upon the other. The task goes on when those it waits for are done *and* the tasks above it on that worker are. So
//!   fork-join programs of any depth need no more than one worker.
//!
//! Sources: Blumofe & Leiserson, "Scheduling Multithreaded Computations by Work Stealing", Journal of the ACM 46(5),
//! 1999; `Lib/concurrent/futures/thread.py` of CPython; the documentation of `rayon::join`. Cost: constant per operation, linear in the number of workers when a thief
//! looks for a victim.

use std::collections::VecDeque;
use std::sync::Arc;

use super::stealing::{Victims, read_victims};
use super::{
    Executor, Kind, Queue, RunQueue, Setup, Threads, WokenBy, chosen, chunks, idle, interpreter_lock, limits,
    parameters, workers,
};
use crate::document::{Item, Kind as Value, Spot, Table};
use crate::parameter::Parameter;
use crate::policy::{Policy, Slice, Slot, Turn, View, Who, Why};

/// The entry on the shelf.
pub(super) static KIND: Kind = Kind {
    name: "pool",
    summary: "a number of threads, which may grow when its queue is full; a task keeps its worker until it ends",
    parameters: &[
        parameters::WORKERS_OF_POOL,
        Parameter::new(
            "queue",
            "`\"shared\"`, `\"stealing\"`",
            "`\"shared\"`",
            "one queue, or one for each worker with rayon's rules",
        ),
        Parameter::new(
            "victims",
            "`\"ring\"`, `\"random\"`",
            "`\"ring\"`",
            "from whom an idle worker steals first: from its neighbour, or from one drawn at random; with `queue = \"stealing\"`",
        ),
        Parameter::new(
            "next",
            "`\"queued\"`, `\"at-once\"`",
            "`\"queued\"`",
            "does a worker that has ended a task queue for a processor before it goes on with the next; with `queue = \"shared\"`",
        ),
        Parameter::new(
            "policy",
            "a policy, with its parameters beside it",
            "first come, first served",
            "in which order ready tasks get a thread; with `queue = \"shared\"`",
        ),
        Parameter::new(
            "chunk",
            "a whole number, `\"map\"`",
            "one task at a time",
            "so many of the tasks that come together a worker takes at once, `\"map\"`: a quarter of its share; with `queue = \"shared\"`",
        ),
        Parameter::new(
            "wakes",
            "`\"each\"`, `\"in-turn\"`, `\"handed\"`",
            "`\"each\"`",
            "does a task that comes wake an idle worker, or is one let in after the other, or is it handed the task; with `queue = \"shared\"`",
        ),
        Parameter::new(
            "of",
            "`\"threads\"`, `\"processes\"`",
            "`\"threads\"`",
            "are the workers processes of Python? With runtime = \"cpython\"",
        ),
        limits::CORE,
        limits::MAXIMUM,
        limits::KEEP_ALIVE,
        limits::QUEUE_LIMIT,
        limits::WHEN_FULL,
        parameters::START,
        interpreter_lock::INTERVAL,
        interpreter_lock::REQUEST,
        interpreter_lock::ASKER,
    ],
    threads: Threads::Workers,
    keeps_thread: true,
    elsewhere: None,
    in_python: true,
    read,
};

fn read(table: &mut Table<'_>, executor: &mut Executor) {
    workers(table, executor);
    let of = table.item("of").map(|item| item.one_of(&["threads", "processes"]));
    let queue = table.item("queue").map(read_queue);
    executor.of_processes = of == Some(Some(1));
    if executor.of_processes {
        parameters::read_start(table, executor);
    } else if let Some(item) = table.item("start").filter(|_| of != Some(None)) {
        item.wrong("`start` is of processes, and the workers of this pool are threads", "add of = \"processes\"");
    }
    if queue == Some(Some(1)) {
        executor.helps = true;
        executor.queue = Arc::new(Stealing { random: read_victims(table) });
    } else {
        if executor.of_processes {
            interpreter_lock::refuse(table, "each process of Python has an interpreter of its own");
        } else {
            interpreter_lock::read(table, executor);
        }
        executor.goes_on = table.one_of("next", &["queued", "at-once"]) == Some(1);
        executor.queue = read_shared(table, executor);
    }
    let is_shared = queue.is_none_or(|queue| queue == Some(0));
    let one_by_one = !executor.of_processes && table.present(&["chunk", "wakes"]).is_empty();
    limits::read(table, executor, is_shared && one_by_one);
    if queue == Some(None) {
        // What belongs to one that nobody knows, nobody knows.
        table.tolerate_all();
    }
}

/// Have all workers one queue, or each its own? Elsewhere a number under this key says how long a queue may be.
fn read_queue(item: Item<'_>) -> Option<usize> {
    if let Value::Integer(number) = item.kind() {
        let sentence = "`queue` says whether all workers have one queue, or each its own";
        item.wrong(sentence, format!("how many tasks may wait in it is queue-limit = {number}"));
        return None;
    }
    item.one_of(&["shared", "stealing"])
}

/// The queue that all workers share: who is next in it, and who of them is woken for that.
fn read_shared(table: &mut Table<'_>, executor: &mut Executor) -> Arc<dyn Queue> {
    let wakes = table.item("wakes").map(|item| (item, item.one_of(&idle::WAKES)));
    let chunk = table.item("chunk").map(|item| (item, chunks::read(item)));
    let has_policy = table.key_spot("policy").is_some();
    for (name, _) in [("chunk", chunk.is_some()), ("policy", has_policy)].into_iter().filter(|(_, says)| *says) {
        // Rules may say it in vain.
        if let Some((item, Some(1..))) = wakes.filter(|(item, _)| item.spot() != Spot::WHOLE) {
            item.wrong(
                format!(
                    "workers are woken like this for tasks that are taken as they come, and `{name}` says otherwise"
                ),
                "leave one of both out",
            );
        }
        executor.own_rules.push(name);
    }
    match chunk {
        Some((item, chunk)) => {
            if has_policy {
                item.wrong("chunks are handed out as they come, and `policy` says otherwise", "leave one of both out");
                table.tolerate_all();
            }
            chunk.map_or(Arc::new(chunks::Chunk::Map), |chunk| Arc::new(chunk))
        }
        None if has_policy => chosen::read(table),
        None => match wakes.and_then(|(_, place)| idle::Wakes::of(place?)) {
            Some(wakes) => Arc::new(wakes),
            None => chosen::read(table),
        },
    }
}

#[derive(Debug)]
struct Stealing {
    random: bool,
}

impl Queue for Stealing {
    fn build(&self, setup: &Setup) -> Box<dyn RunQueue> {
        Box::new(Deques {
            own: (0..setup.workers).map(|_| VecDeque::new()).collect(),
            injector: VecDeque::new(),
            victims: Victims::new(self.random, setup),
            waiting: 0,
        })
    }
}

struct Deques {
    own: Vec<VecDeque<Who>>,
    injector: VecDeque<Who>,
    victims: Victims,
    waiting: usize,
}

impl Deques {
    fn steal(&mut self, thief: usize) -> Option<Who> {
        let victim = self.victims.of(thief, |worker| !self.own[worker].is_empty())?;
        self.own[victim].pop_front()
    }
}

impl RunQueue for Deques {
    fn woken(&mut self, who: Who, by: WokenBy, view: &View<'_>) {
        self.ready(who, by.as_spawned(), view);
    }
}

impl Policy for Deques {
    fn ready(&mut self, who: Who, why: Why, _: &View<'_>) {
        self.waiting += 1;
        match why {
            Why::Spawned(slot) => self.own[slot.0 as usize].push_back(who),
            _ => self.injector.push_back(who),
        }
    }

    fn pick(&mut self, slot: Slot, _: &View<'_>) -> Option<Turn> {
        if self.waiting == 0 {
            return None;
        }
        let worker = slot.0 as usize;
        let who = self.own[worker].pop_back().or_else(|| self.steal(worker)).or_else(|| self.injector.pop_front())?;
        self.waiting -= 1;
        Some(Turn { who, slice: Slice::Endless })
    }

    fn waiting(&self) -> usize {
        self.waiting
    }
}
