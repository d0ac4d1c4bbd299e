//! A pool of std threads that are made when they are needed and go away when they are not, with a queue that may be full: it goes
//! by the same rules as the simulated one.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use sim_core::executor::{self, Place};
use sim_core::ids::TaskId;
use sim_core::timeline::Fate;

use super::{Crew, Executor, Seats, threads};
use crate::play::task::run_blocking;
use crate::play::world::World;
use crate::prepare::start;
use crate::prepare::unmeasurable::Unmeasurable;
use crate::sys;

/// See the module.
pub(super) struct Crowd;

impl Executor for Crowd {
    fn name(&self) -> &'static str {
        "pool"
    }

    fn describe(&self, executor: &sim_core::scenario::Executor) -> String {
        let threads = if executor.workers == 1 { "thread" } else { "threads" };
        format!("a pool of up to {} std {threads}", executor.workers)
    }

    fn run(&self, crew: &Crew) -> Result<(), Unmeasurable> {
        let Some(limits) = crew.executor().limits else { return Err(Unmeasurable::unknown_executor("pool")) };
        let workers = crew.executor().workers.max(1) as usize;
        let (world, seats) = (Arc::clone(&crew.world), crew.seats(workers));
        let state = State {
            rules: executor::Crew::new(limits, workers),
            queue: VecDeque::new(),
            idle: 0,
            doing: vec![None; workers],
            threads: Vec::new(),
        };
        let pool = Arc::new(Pool { seats, state: Mutex::new(state), news: Condvar::new() });
        // Weak: the pool ends with this function, not with the way to start tasks.
        let (weak_world, weak_pool) = (Arc::downgrade(&world), Arc::downgrade(&pool));
        crew.ready(move |id| {
            if let (Some(world), Some(pool)) = (weak_world.upgrade(), weak_pool.upgrade()) {
                drop(pool.comes(&world, id));
            }
        });
        if let Some(at) = world.await_start() {
            sys::sleep_until(start::turn(&world, crew.process, at));
            // One thread after the other, so that they are there in the order of their tasks.
            crew.first().filter_map(|id| pool.comes(&world, id)).for_each(|is_there| _ = is_there.recv());
            world.await_end();
        }
        pool.ends()
    }
}

/// What its threads, and all who give it something to do, share.
struct Pool {
    seats: Seats,
    state: Mutex<State>,
    news: Condvar,
}

struct State {
    rules: executor::Crew,
    /// Who waits for a thread.
    queue: VecDeque<usize>,
    /// How many threads wait for something to do.
    idle: usize,
    /// What each thread does, or did last.
    doing: Vec<Option<usize>>,
    threads: Vec<JoinHandle<()>>,
}

impl State {
    /// Those who wait outside come in as far as there is room, for which a thread takes one, or has taken it.
    fn come_in(&mut self, takes: bool) {
        while let Some(TaskId(id)) = self.rules.let_in(self.queue.len(), takes) {
            self.queue.push_back(id as usize);
        }
    }

    /// The next task for a thread.
    fn take(&mut self) -> Option<usize> {
        self.come_in(true);
        let id = self.queue.pop_front();
        if id.is_some() {
            self.come_in(false);
        }
        id
    }
}

impl Pool {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A task comes. If it gets a new thread: who is told when that is there.
    fn comes(self: &Arc<Self>, world: &Arc<World>, id: usize) -> Option<flume::Receiver<()>> {
        let mut state = self.state();
        // Whose task has ended looks for another in a moment: perhaps for this one, which comes after that.
        let look = state.doing.iter().flatten().filter(|id| world.is_done(**id)).count();
        let (waiting, task) = ((state.queue.len(), state.idle + look), TaskId(u32::try_from(id).unwrap_or(u32::MAX)));
        match state.rules.place(task, waiting, world.parent_of(id).is_some()) {
            Place::Queue => {
                state.queue.push_back(id);
                self.news.notify_one();
            }
            Place::New(worker) => {
                state.doing[worker as usize] = Some(id);
                let (pool, world) = (Arc::clone(self), Arc::clone(world));
                let (entered, is_there) = flume::unbounded();
                let refused = Arc::clone(&world);
                match threads::spawn(move || pool.works(&world, (worker, entered), id)) {
                    Ok(thread) => state.threads.push(thread),
                    Err(_) => refused.refuse(),
                }
                return Some(is_there);
            }
            Place::Outside => {}
            Place::Nowhere => {
                drop(state);
                world.finish(id, Fate::Rejected);
            }
            Place::Caller => world.gives_back(id),
        }
        None
    }

    /// The life of a thread, which begins with a task.
    fn works(&self, world: &Arc<World>, (worker, entered): (u32, flume::Sender<()>), first: usize) {
        self.seats.take(worker as usize);
        let _ = entered.send(());
        let mut next = Some(first);
        while let Some(id) = next {
            run_blocking(world, id, None);
            next = self.next(world, worker);
        }
    }

    /// Waits for something to do; `None` when the thread goes away, or the run is over.
    fn next(&self, world: &World, worker: u32) -> Option<usize> {
        /// The end of the run wakes nobody here.
        const LOOK: u64 = 20_000_000;
        let mut state = self.state();
        state.doing[worker as usize] = None;
        let mut idle_since = None;
        loop {
            if world.is_over() {
                return None;
            }
            if let Some(id) = state.take() {
                state.doing[worker as usize] = Some(id);
                return Some(id);
            }
            let now = sys::now();
            let since = *idle_since.get_or_insert(now);
            let stays = state.rules.stays().map_or(u64::MAX, |stays| stays.ns());
            let left = stays.saturating_sub(now.saturating_sub(since));
            if left == 0 && state.rules.leaves(worker) {
                return None;
            }
            state.idle += 1;
            let wait = Duration::from_nanos(left.clamp(1, LOOK));
            state = self.news.wait_timeout(state, wait).unwrap_or_else(PoisonError::into_inner).0;
            state.idle -= 1;
        }
    }

    /// The run is over: waits for the threads.
    fn ends(&self) -> Result<(), Unmeasurable> {
        self.news.notify_all();
        let threads = std::mem::take(&mut self.state().threads);
        threads.into_iter().try_for_each(|thread| thread.join().map_err(|_| Unmeasurable::failed("a task panicked")))
    }
}
