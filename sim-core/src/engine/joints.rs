//! Tasks that do several things at once: each has one place in the queue of its runtime, which its branches share.
//!
//! A *poll* of the task is one turn of it on a worker. It goes through those that can go on, branches before what waits for them: the
//! branches of an `all` in the order of the list, or each time from another one on, those of an `any` from one that is drawn for each
//! poll (or `biased`, in the order of the list), those of an `each` in the order in which they were woken. Whoever is woken by one that comes before it in the same poll has its turn in that poll; whoever has had it
//! lets the task be queued again when the poll is over, behind all others. So does whoever is woken from outside while the runtime cannot
//! notice, because it polls the task and has no other worker that looks. What begins in a poll, and what goes on because its branches
//! are done, is where the poll is: it was not woken.
//!
//! Sources: `poll` of `futures_util::future::JoinAll` and of `FuturesUnordered` (0.3.31), `tokio::join!` (tokio 1.54.1, its rotator),
//! `tokio::select!` (the same: `let start = thread_rng_n(BRANCHES)` in each poll);
//! `tokio::runtime::task` for a task that is woken while it is polled.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::ids::{ProcessId, TaskId};
use crate::rng::Stream;
use crate::scenario::Way;

/// Where a poll comes to somebody: through its forebears, the last of which is the task; the largest is what waits for the others.
type Key = Vec<u64>;

/// A worker of a process.
pub(super) type Seat = (ProcessId, u32);

/// All tasks that have branches now.
#[derive(Default)]
pub(super) struct Joints {
    joints: BTreeMap<TaskId, Joint>,
    branches: BTreeMap<TaskId, Branch>,
    /// Whom each worker polls.
    polled: BTreeMap<Seat, TaskId>,
    /// What those draw from that have, or had, branches of which the first is drawn.
    chances: BTreeMap<TaskId, Stream>,
}

/// A task with its branches.
struct Joint {
    /// Who can go on.
    able: BTreeMap<Key, TaskId>,
    /// Who has yielded, and goes on in another poll; so does who was woken and not noticed.
    yielded: Vec<TaskId>,
    unnoticed: Vec<TaskId>,
    /// Does it wait in the queue of its runtime?
    queued: bool,
    /// Branches that are being dropped.
    dropped: BTreeSet<TaskId>,
    /// Where the poll is that is under way, and at whom.
    poll: Option<(Seat, Key, TaskId)>,
    /// How many have been woken: their order.
    woken: u64,
    /// For each one that has branches: those that have not ended, those of them that have not begun, and its polls.
    groups: BTreeMap<TaskId, Group>,
}

#[derive(Default)]
struct Group {
    unfinished: BTreeSet<TaskId>,
    /// In the order in which they begin.
    waiting: VecDeque<TaskId>,
    polls: u64,
    /// Which one the present poll began with, among how many, if that is drawn.
    start: u64,
    drawn_of: Option<u32>,
}

#[derive(Clone, Copy)]
struct Branch {
    /// The task.
    host: TaskId,
    /// Who has this branch: the task, or another branch of it.
    parent: TaskId,
    way: Way,
    /// Among those that were woken.
    woken: u64,
}

/// What comes of the end of a branch.
pub(super) struct Ended {
    /// Which one begins now that could not before.
    pub(super) begins: Option<TaskId>,
    /// Those that are dropped.
    pub(super) losers: Vec<TaskId>,
}

/// What a poll that is over leaves.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum After {
    /// Nobody can go on.
    Blocked,
    /// Somebody can, and the task is queued again.
    Able,
    /// The same, because somebody has yielded.
    Yielded,
    /// Only those can that were woken meanwhile from outside.
    Woken,
}

/// How somebody comes to be able to go on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Comes {
    /// It is woken.
    Woken,
    /// From outside, and nobody looks before a poll that is under way is over.
    Unnoticed,
    /// It is a branch that begins.
    Begins,
}

impl Joints {
    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.joints.is_empty()
    }

    /// The task with branches in whose place this one goes on, be it that one itself.
    pub(super) fn host(&self, id: TaskId) -> Option<TaskId> {
        self.branches.get(&id).map(|branch| branch.host).or(Some(id)).filter(|host| self.joints.contains_key(host))
    }

    /// The task on this worker has another branch, which has not begun. May it? If the order is drawn: from that.
    pub(super) fn has_branch(
        &mut self,
        seat: Seat,
        [parent, child]: [TaskId; 2],
        way: Way,
        chance: impl FnOnce() -> Stream,
    ) -> bool {
        let host = self.host(parent).unwrap_or(parent);
        self.branches.insert(child, Branch { host, parent, way, woken: 0 });
        let path = self.path(parent);
        let joint = self.joints.entry(host).or_insert_with(Joint::new);
        // It is polled now, and so are those that it has from now on.
        joint.poll = Some((seat, path, parent));
        self.polled.insert(seat, host);
        let group = joint.groups.entry(parent).or_default();
        if let (Way::Any { of, biased: false, .. }, true) = (way, group.unfinished.is_empty()) {
            group.drawn_of = Some(of);
            group.start = self.chances.entry(parent).or_insert_with(chance).below(u64::from(of));
        }
        group.unfinished.insert(child);
        let most = if let Way::Each { at_once } = way { at_once as usize } else { usize::MAX };
        let may = group.unfinished.len() <= most;
        if !may {
            group.waiting.push_back(child);
        }
        may
    }

    /// A branch has ended.
    pub(super) fn ends(&mut self, child: TaskId) -> Option<Ended> {
        let Branch { host, parent, way, .. } = self.branches.remove(&child)?;
        self.chances.remove(&child);
        let joint = self.joints.get_mut(&host)?;
        if let Some((.., at)) = joint.poll.as_mut().filter(|(.., at)| *at == child) {
            *at = parent;
        }
        let group = joint.groups.get_mut(&parent)?;
        group.unfinished.remove(&child);
        let begins = group.waiting.pop_front();
        let is_dropped = joint.dropped.remove(&child);
        let losers = match way {
            Way::Any { .. } if !is_dropped => group.unfinished.iter().copied().collect(),
            _ => Vec::new(),
        };
        if group.unfinished.is_empty() {
            joint.groups.remove(&parent);
        }
        Some(Ended { begins, losers })
    }

    /// A branch is dropped, and has its turn no more: the branches that it has itself.
    pub(super) fn drops(&mut self, child: TaskId) -> Vec<TaskId> {
        let Some(Branch { host, .. }) = self.branches.get(&child) else { return Vec::new() };
        let Some(joint) = self.joints.get_mut(host) else { return Vec::new() };
        joint.dropped.insert(child);
        joint.able.retain(|_, id| *id != child);
        joint.yielded.retain(|id| *id != child);
        joint.unnoticed.retain(|id| *id != child);
        let Some(group) = joint.groups.get_mut(&child) else { return Vec::new() };
        group.waiting.clear();
        group.unfinished.iter().copied().collect()
    }

    /// Has a task, or a branch, branches that have not ended?
    pub(super) fn has_branches(&self, parent: TaskId) -> bool {
        self.host(parent).is_some_and(|host| self.joints[&host].groups.contains_key(&parent))
    }

    /// Somebody can go on in the place of this task. Must the task be queued for that?
    pub(super) fn is_able(&mut self, host: TaskId, id: TaskId, comes: Comes) -> bool {
        if comes == Comes::Unnoticed
            && let Some(joint) = self.joints.get_mut(&host).filter(|joint| joint.poll.is_some())
        {
            joint.unnoticed.push(id);
            return false;
        }
        let key = match comes {
            Comes::Begins => self.key_of_begun(host, id),
            _ if self.is_polled_in(host, id) => self.key(id),
            _ => self.key_of_woken(host, id),
        };
        let Some(joint) = self.joints.get_mut(&host) else { return true };
        joint.able.insert(key, id);
        let queues = joint.poll.is_none() && !joint.queued;
        joint.queued |= queues;
        queues
    }

    /// Is the task being polled?
    pub(super) fn is_polled(&self, host: TaskId) -> bool {
        self.joints.get(&host).is_some_and(|joint| joint.poll.is_some())
    }

    /// Does the task wait in the queue of its runtime?
    pub(super) fn is_queued(&self, host: TaskId) -> bool {
        self.joints.get(&host).is_some_and(|joint| joint.queued)
    }

    /// Somebody has yielded, and goes on in another poll.
    pub(super) fn yields(&mut self, host: TaskId, id: TaskId) {
        if let Some(joint) = self.joints.get_mut(&host) {
            joint.yielded.push(id);
        }
    }

    /// A worker takes the task up: who is first?
    pub(super) fn begins(&mut self, host: TaskId, seat: Seat) -> Option<TaskId> {
        let joint = self.joints.get_mut(&host)?;
        joint.queued = false;
        for (parent, group) in &mut joint.groups {
            group.polls += 1;
            if let (Some(of), Some(chance)) = (group.drawn_of, self.chances.get_mut(parent)) {
                group.start = chance.below(u64::from(of));
            }
        }
        let able: Vec<TaskId> = std::mem::take(&mut joint.able).into_values().collect();
        let able: BTreeMap<Key, TaskId> = able.into_iter().map(|id| (self.key(id), id)).collect();
        let joint = self.joints.get_mut(&host)?;
        joint.able = able;
        joint.poll = Some((seat, Key::new(), host));
        self.polled.insert(seat, host);
        self.next(seat)
    }

    /// Who comes next in the poll on this worker?
    pub(super) fn next(&mut self, seat: Seat) -> Option<TaskId> {
        let joint = self.joints.get_mut(self.polled.get(&seat)?)?;
        let key = joint.next_key()?;
        let next = joint.able.remove(&key)?;
        joint.poll = Some((seat, key, next));
        Some(next)
    }

    /// Does somebody come next in the poll on this worker?
    pub(super) fn has_next(&self, seat: Seat) -> bool {
        self.polled.get(&seat).and_then(|host| self.joints.get(host)).is_some_and(|joint| joint.next_key().is_some())
    }

    /// The poll on this worker is over: of which task, and what comes of it?
    pub(super) fn is_over(&mut self, seat: Seat) -> Option<(TaskId, After)> {
        let host = self.polled.remove(&seat)?;
        let joint = self.joints.get_mut(&host)?;
        let (yielded, unnoticed) = (std::mem::take(&mut joint.yielded), std::mem::take(&mut joint.unnoticed));
        let after = match () {
            () if !yielded.is_empty() => After::Yielded,
            () if !joint.able.is_empty() => After::Able,
            () if !unnoticed.is_empty() => After::Woken,
            () => After::Blocked,
        };
        joint.poll = None;
        for id in yielded.into_iter().chain(unnoticed) {
            let key = self.key_of_woken(host, id);
            self.joints.get_mut(&host)?.able.insert(key, id);
        }
        let joint = self.joints.get_mut(&host)?;
        joint.queued = after != After::Blocked;
        if !joint.queued && joint.groups.is_empty() {
            self.joints.remove(&host);
        }
        Some((host, after))
    }

    /// The task has ended, on this worker.
    pub(super) fn forgets(&mut self, host: TaskId, seat: Seat) {
        self.joints.remove(&host);
        self.polled.remove(&seat);
        self.chances.remove(&host);
    }

    /// The way of a poll to somebody.
    fn path(&self, id: TaskId) -> Key {
        let mut path = Key::new();
        let mut at = id;
        while let Some(branch) = self.branches.get(&at) {
            path.push(self.number(branch));
            at = branch.parent;
        }
        path.reverse();
        path
    }

    fn key(&self, id: TaskId) -> Key {
        let mut key = self.path(id);
        key.push(u64::MAX);
        key
    }

    /// When a poll comes to it, among the branches of its parent.
    fn number(&self, branch: &Branch) -> u64 {
        match branch.way {
            Way::All { number, of, rotates } => {
                let group = self.joints.get(&branch.host).and_then(|joint| joint.groups.get(&branch.parent));
                let polls = if rotates { group.map_or(0, |group| group.polls) } else { 0 };
                let of = u64::from(of);
                (u64::from(number) + of - polls % of) % of
            }
            Way::Any { number, biased: true, .. } => u64::from(number),
            Way::Any { number, of, biased: false } => {
                let group = self.joints.get(&branch.host).and_then(|joint| joint.groups.get(&branch.parent));
                let (start, of) = (group.map_or(0, |group| group.start), u64::from(of));
                (u64::from(number) + of - start) % of
            }
            Way::Each { .. } | Way::On => branch.woken,
        }
    }

    /// Is somebody polled that is part of it, or it itself?
    fn is_polled_in(&self, host: TaskId, id: TaskId) -> bool {
        let polled = self.joints.get(&host).and_then(|joint| joint.poll.as_ref()).map(|(.., polled)| *polled);
        let parents = std::iter::successors(polled, |at| self.branches.get(at).map(|branch| branch.parent));
        parents.into_iter().any(|at| at == id)
    }

    /// The same of a branch that begins: behind all others that have been woken.
    fn key_of_begun(&mut self, host: TaskId, id: TaskId) -> Key {
        if let (Some(joint), Some(branch)) = (self.joints.get_mut(&host), self.branches.get_mut(&id)) {
            joint.woken += 1;
            branch.woken = joint.woken;
        }
        self.key(id)
    }

    /// The same of somebody who is woken, behind all who have been and have not had their turn.
    fn key_of_woken(&mut self, host: TaskId, id: TaskId) -> Key {
        let mut at = id;
        while let Some(branch) = self.branches.get(&at).copied() {
            let path = self.path(at);
            let Some(joint) = self.joints.get_mut(&host) else { break };
            let is_awake = joint.able.range(path.clone()..).next().is_some_and(|(key, _)| key.starts_with(&path));
            if !is_awake {
                joint.woken += 1;
                let woken = joint.woken;
                self.branches.entry(at).and_modify(|branch| branch.woken = woken);
            }
            at = branch.parent;
        }
        self.key(id)
    }
}

impl Joint {
    fn new() -> Joint {
        let (able, dropped, groups) = (BTreeMap::new(), BTreeSet::new(), BTreeMap::new());
        Joint { able, yielded: Vec::new(), unnoticed: Vec::new(), queued: false, dropped, poll: None, woken: 0, groups }
    }

    /// Where its poll comes next.
    fn next_key(&self) -> Option<Key> {
        let (_, at, _) = self.poll.as_ref()?;
        let after = (std::ops::Bound::Excluded(at.clone()), std::ops::Bound::Unbounded);
        self.able.range(after).next().map(|(key, _)| key.clone())
    }
}
