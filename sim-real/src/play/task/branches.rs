//! What an async task does at once: the futures of its branches, polled in the one place that they share.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_util::stream::{FuturesUnordered, StreamExt as _};
use sim_core::ids::SpecId;
use sim_core::scenario::Way;

use super::{Walk, run_async};
use crate::play::world::World;

/// Branches that have been made, and not been polled yet: which instance, and of which kind.
#[derive(Default)]
pub(super) struct Branches(Vec<(usize, SpecId, Way)>);

impl Branches {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn add(&mut self, id: usize, spec: SpecId, way: Way) {
        self.0.push((id, spec, way));
    }

    /// Polls them until all are done. When was that?
    pub(super) async fn done(self, world: &Arc<World>, parent: usize) -> u64 {
        let Branches(branches) = self;
        let futures = branches.iter().map(|(id, ..)| branch(Arc::clone(world), *id));
        match branches.first() {
            Some((.., Way::All { rotates, .. })) => all(futures.map(Some).collect(), *rotates).await,
            Some((.., Way::Each { at_once })) => each(futures, *at_once as usize).await,
            // Where some are dropped nothing is measured.
            Some((.., Way::Any { .. } | Way::On)) | None => {}
        }
        branches.iter().map(|(_, spec, _)| world.children_done_at(parent, *spec)).max().unwrap_or(0)
    }
}

type Branch = Pin<Box<dyn Future<Output = ()> + Send>>;

fn branch(world: Arc<World>, id: usize) -> Branch {
    Box::pin(async move {
        world.branch_begins(id);
        run_async(world, id).await;
    })
}

/// As `tokio::join!` does it: those that are not done, in their order or each time from the next one on.
async fn all(mut branches: Vec<Option<Branch>>, rotates: bool) {
    let (mut polls, count) = (0, branches.len());
    let poll = |branches: &mut [Option<Branch>], place: usize, context: &mut Context<'_>| {
        let is_done = branches[place].as_mut().is_some_and(|branch| branch.as_mut().poll(context).is_ready());
        if is_done {
            branches[place] = None;
        }
    };
    poll_fn(|context| {
        let start = if rotates { polls } else { 0 };
        polls += 1;
        (0..count).for_each(|turn| poll(&mut branches, (start + turn) % count, context));
        if branches.iter().all(Option::is_none) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}

/// As `buffer_unordered` does it: some at once, and the next when one is done.
async fn each(mut branches: impl Iterator<Item = Branch>, at_once: usize) {
    let mut under_way: FuturesUnordered<Branch> = branches.by_ref().take(at_once).collect();
    while under_way.next().await.is_some() {
        under_way.extend(branches.next());
    }
}

impl Walk<'_> {
    /// Makes a branch, to be polled when the task waits for all of them.
    pub(super) fn makes_branch(&mut self, spec: SpecId, way: Way) {
        if let Some(id) = self.world.add_child(self.id, spec) {
            self.branches.add(id, spec, way);
        }
    }
}
