//! What an async task does at once: the futures of its branches, polled in the one place that they share.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_util::stream::{FuturesUnordered, StreamExt as _};
use sim_core::ids::SpecId;
use sim_core::program::branches_stream;
use sim_core::rng::Stream;
use sim_core::scenario::Way;
use sim_core::timeline::Fate;

use super::{Walk, run_async};
use crate::play::world::World;

/// What an instance does at once.
#[derive(Default)]
pub(super) struct Branches {
    /// Branches that have been made, and not been polled yet: which instance, and of which kind.
    made: Vec<(usize, SpecId, Way)>,
    /// From where it is drawn with which branch of an `any` each poll begins.
    chance: Option<Stream>,
}

impl Branches {
    pub(super) fn is_empty(&self) -> bool {
        self.made.is_empty()
    }

    pub(super) fn add(&mut self, id: usize, spec: SpecId, way: Way) {
        self.made.push((id, spec, way));
    }

    /// Polls them until all are done, or the first of an `any`, which ends the others. When was that?
    pub(super) async fn done(&mut self, world: &Arc<World>, parent: usize) -> u64 {
        let branches = std::mem::take(&mut self.made);
        // Those that wait for their turn are dropped too, if this is.
        let stake = |(id, _, way): &(usize, SpecId, Way)| Stake {
            world: Arc::clone(world),
            id: *id,
            waits: matches!(way, Way::Each { .. }),
        };
        let stakes: Vec<Stake> = branches.iter().map(stake).collect();
        let futures = stakes.into_iter().map(branch);
        match branches.first() {
            Some((.., Way::All { rotates, .. })) => all(futures.map(Some).collect(), *rotates).await,
            Some((.., Way::Any { biased: true, .. })) => any(futures.collect(), || 0).await,
            Some((.., Way::Any { of, .. })) => {
                let (spec, number) = world.identity(parent);
                let name = || branches_stream(&world.scenario, spec, number).stream();
                let (chance, of) = (self.chance.get_or_insert_with(name), u64::from(*of));
                any(futures.collect(), || usize::try_from(chance.below(of)).unwrap_or(0)).await;
            }
            Some((.., Way::Each { at_once })) => each(futures, *at_once as usize).await,
            Some((.., Way::On)) | None => {}
        }
        branches.iter().map(|(_, spec, _)| world.children_done_at(parent, *spec)).max().unwrap_or(0)
    }
}

type Branch = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A branch that has been made: if it is dropped before it is done, it has ended.
struct Stake {
    world: Arc<World>,
    id: usize,
    /// Does it wait for its turn to begin?
    waits: bool,
}

impl Stake {
    /// Its turn has come: it arrives, though it may be polled later.
    fn begins(&mut self) {
        if std::mem::take(&mut self.waits) {
            self.world.branch_begins(self.id);
        }
    }
}

impl Drop for Stake {
    fn drop(&mut self) {
        // Who had begun has ended by itself.
        if self.world.is_dropped(self.id) {
            self.begins();
            self.world.finish(self.id, Fate::Aborted);
        }
    }
}

fn branch(mut stake: Stake) -> Branch {
    stake.begins();
    Box::pin(async move {
        run_async(Arc::clone(&stake.world), stake.id).await;
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

/// As `tokio::select!` does it: from the one on that is told, and the first that is done is the last that is polled. The others are
/// dropped in their order.
async fn any(mut branches: Vec<Branch>, mut start: impl FnMut() -> usize) {
    let count = branches.len();
    poll_fn(|context| {
        let start = start();
        let mut turns = (0..count).map(|turn| (start + turn) % count);
        let is_done = turns.any(|place| branches[place].as_mut().poll(context).is_ready());
        if is_done { Poll::Ready(()) } else { Poll::Pending }
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
