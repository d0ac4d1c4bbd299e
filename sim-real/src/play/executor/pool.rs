//! A rayon thread pool; each task keeps its worker until it ends.
//!
//! With one shared queue the tasks come from outside, in order, and who joins blocks its worker. With `queue = "stealing"`
//! all is as rayon has it: what a worker spawns goes to its own deque, and while its task joins others the worker runs what
//! [`rayon::yield_now`] finds, one upon the other. Where that finds nothing, the worker waits for news, as rayon's own do.

use std::cell::Cell;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Weak};
use std::task::{Wake, Waker};

use rayon::{ThreadPool, ThreadPoolBuilder, Yield};

use super::{Crew, Executor};
use crate::play::task::{run_blocking, run_helping};
use crate::play::world::World;
use crate::prepare::start;
use crate::prepare::unmeasurable::Unmeasurable;
use crate::sys;

/// Tasks that are run one upon the other need stack: so much for all workers together, and within these bounds for each.
const STACKS: usize = 8 << 30;
const STACK: (usize, usize) = (2 << 20, 256 << 20);

/// See the module.
pub(super) struct Pool;

impl Executor for Pool {
    fn name(&self) -> &'static str {
        "pool"
    }

    fn describe(&self, executor: &sim_core::scenario::Executor) -> String {
        let threads = if executor.workers == 1 { "thread" } else { "threads" };
        let queue = if executor.helps { "a queue for each" } else { "one shared queue" };
        format!("rayon pool of {} {threads} with {queue}", executor.workers)
    }

    fn run(&self, crew: &Crew) -> Result<(), Unmeasurable> {
        let world = &crew.world;
        let workers = crew.executor().workers.max(1) as usize;
        let (entered, have_entered) = flume::unbounded();
        let (left, have_left) = flume::unbounded();
        let seats = crew.seats(workers);
        let news = crew.executor().helps.then(|| Arc::new(News::default()));
        let pool = ThreadPoolBuilder::new()
            .num_threads(workers)
            .stack_size(if news.is_some() { (STACKS / workers).clamp(STACK.0, STACK.1) } else { STACK.0 })
            .start_handler(move |index| {
                seats.take(index);
                let _ = entered.send(());
            })
            .exit_handler(move |_| _ = left.send(()))
            .build()
            .map_err(|error| Unmeasurable::system("build the thread pool", &error))?;
        (0..workers).for_each(|_| _ = have_entered.recv());
        if let Some(news) = &news {
            world.wake_at_end(Waker::from(Arc::clone(news)));
        }
        let pool = Arc::new(pool);
        // Weak: the pool ends with this function, not with the way to start tasks.
        let (weak_pool, weak_world) = (Arc::downgrade(&pool), Arc::downgrade(world));
        let start = move |id| start(&weak_pool, &weak_world, news.as_ref(), id);
        crew.ready(start.clone());
        if let Some(at) = world.await_start() {
            sys::sleep_until(start::turn(world, crew.process, at));
            crew.first().for_each(start);
            world.await_end();
        }
        drop(pool);
        (0..workers).for_each(|_| _ = have_left.recv());
        Ok(())
    }
}

/// With `news` the workers help.
fn start(pool: &Weak<ThreadPool>, world: &Weak<World>, news: Option<&Arc<News>>, id: usize) {
    let (Some(pool), Some(world)) = (pool.upgrade(), world.upgrade()) else { return };
    let Some(news) = news.map(Arc::clone) else { return pool.spawn_fifo(move || run_blocking(&world, id, None)) };
    let told = Arc::clone(&news);
    pool.spawn(move || run_above(&world, id, &news));
    told.tell();
}

thread_local! {
    /// The task that a worker runs, above all others that it has begun.
    static TOP: Cell<Option<usize>> = const { Cell::new(None) };
}

/// Runs an instance above the one that joins others on this worker, if there is one.
fn run_above(world: &World, id: usize, news: &Arc<News>) {
    let below = TOP.replace(Some(id));
    if let Some(below) = below {
        world.takes_up(below, id);
    }
    run_helping(world, id, &|word| news.help(world, id, word));
    TOP.set(below);
}

/// Grows when there may be something to do for workers whose tasks join others.
#[derive(Default)]
struct News {
    count: AtomicU32,
}

impl News {
    fn tell(&self) {
        self.count.fetch_add(1, Ordering::SeqCst);
        sys::futex_wake(&self.count, i32::MAX);
    }

    /// Runs other tasks of the pool until `word`, for which the instance waits, is zero; `false` if the run ended before.
    fn help(self: &Arc<Self>, world: &World, id: usize, word: &AtomicU32) -> bool {
        world.set_async(id, true);
        let goes_on = loop {
            let heard = self.count.load(Ordering::SeqCst);
            world.set_waker(id, Waker::from(Arc::clone(self)));
            // First: who was above may have come back only because the run is over.
            let deadline = world.board().deadline.load(Ordering::SeqCst);
            if world.is_over() || sys::now() >= deadline {
                break false;
            }
            if word.load(Ordering::SeqCst) == 0 || world.objects.waiter(id).left().is_some() {
                break true;
            }
            if rayon::yield_now() != Some(Yield::Executed) {
                sys::futex_wait(&self.count, heard, deadline);
            }
        };
        world.set_async(id, false);
        goes_on
    }
}

impl Wake for News {
    fn wake(self: Arc<Self>) {
        self.tell();
    }
}
