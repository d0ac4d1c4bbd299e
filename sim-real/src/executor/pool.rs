//! A rayon thread pool whose tasks come from one queue outside it; each keeps its worker until it ends.

use std::sync::{Arc, Weak, mpsc};

use rayon::{ThreadPool, ThreadPoolBuilder};

use super::{Crew, Executor};
use crate::sys;
use crate::task::run_blocking;
use crate::world::World;

/// See the module.
pub(super) struct Pool;

impl Executor for Pool {
    fn name(&self) -> &'static str {
        "pool"
    }

    fn describe(&self, executor: &sim_core::scenario::Executor) -> String {
        let threads = if executor.workers == 1 { "thread" } else { "threads" };
        format!("rayon pool of {} {threads} with one shared queue", executor.workers)
    }

    fn run(&self, crew: &Crew) -> Result<(), String> {
        let world = &crew.world;
        let workers = crew.executor().workers.max(1) as usize;
        let (entered, have_entered) = mpsc::channel();
        let (left, have_left) = mpsc::channel();
        let seats = crew.seats(workers);
        let pool = ThreadPoolBuilder::new()
            .num_threads(workers)
            .start_handler(move |index| {
                seats.take(index);
                let _ = entered.send(());
            })
            .exit_handler(move |_| _ = left.send(()))
            .build()
            .map_err(|error| format!("cannot build the thread pool: {error}"))?;
        (0..workers).for_each(|_| _ = have_entered.recv());
        let pool = Arc::new(pool);
        // Weak: the pool ends with this function, not with the way to start tasks.
        let (weak_pool, weak_world) = (Arc::downgrade(&pool), Arc::downgrade(world));
        crew.ready(move |id| start(&weak_pool, &weak_world, id));
        if let Some(at) = world.await_start() {
            sys::sleep_until(at);
            crew.first().for_each(|id| start(&Arc::downgrade(&pool), &Arc::downgrade(world), id));
            world.await_end();
        }
        drop(pool);
        (0..workers).for_each(|_| _ = have_left.recv());
        Ok(())
    }
}

fn start(pool: &Weak<ThreadPool>, world: &Weak<World>, id: usize) {
    let (Some(pool), Some(world)) = (pool.upgrade(), world.upgrade()) else { return };
    pool.spawn_fifo(move || run_blocking(&world, id, None));
}
