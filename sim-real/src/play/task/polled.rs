//! An instance as an async task, which is polled.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::time::Duration;

use sim_core::scenario::SyncOp;

use super::borrowing::Borrowed;
use super::{Act, Walk};
use crate::play::library::TaskHad;
use crate::play::world::World;
use crate::record::event::Before;
use crate::sys;

/// An async task on its way, with what it has of objects of libraries.
pub(super) struct Polled<'w> {
    pub(super) walk: Walk<'w>,
    pub(super) borrowed: Borrowed<TaskHad<'w>>,
}

impl<'w> Polled<'w> {
    fn begin(world: &'w World, id: usize) -> Polled<'w> {
        let mut walk = Walk::begin(world, id);
        walk.is_polled = true;
        Polled { walk, borrowed: Borrowed::default() }
    }

    /// It does something with the object of a library.
    async fn borrows(&mut self, op: SyncOp) {
        self.borrowed.does(&mut self.walk, op).await;
    }
}

impl<'w> Deref for Polled<'w> {
    type Target = Walk<'w>;

    fn deref(&self) -> &Walk<'w> {
        &self.walk
    }
}

impl<'w> DerefMut for Polled<'w> {
    fn deref_mut(&mut self) -> &mut Walk<'w> {
        &mut self.walk
    }
}

/// Runs an instance as an async task, which gives up its thread whenever the instance waits.
pub(crate) async fn run_async(world: Arc<World>, id: usize) {
    if world.is_late(sys::now()) {
        return;
    }
    world.set_async(id, true);
    let mut walk = Polled::begin(&world, id);
    loop {
        match walk.next() {
            Act::Borrow(op) => walk.borrows(op).await,
            Act::Burn(work) => _ = walk.burn(work, Before::Start, || false),
            Act::Until { at, blocking: true } => {
                world.sleep_until(at);
            }
            Act::Until { at, blocking: false } => {
                tokio::time::sleep(Duration::from_nanos(at.saturating_sub(sys::now()))).await;
            }
            Act::Wait { blocking: true } => {
                if walk.word().is_some_and(|word| !world.await_zero(word)) {
                    return;
                }
                world.set_async(id, true);
                walk.granted();
            }
            Act::Wait { blocking: false } if !walk.branches.is_empty() => {
                let done_at = walk.branches.done(&world, id).await;
                walk.has_joined_branches(done_at);
            }
            Act::Wait { blocking: false } => {
                walk.is_let_go().await;
                walk.granted();
            }
            Act::Yield => tokio::task::yield_now().await,
            // Periodic tasks have threads of their own.
            Act::Done | Act::NextJob(_) => return,
        }
    }
}
