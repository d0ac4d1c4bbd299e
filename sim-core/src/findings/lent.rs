//! What urgency the holders of locks were lent, and when: the protocols of the file, applied to a record.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use super::urgency::Urgencies;
use crate::ids::{IdVec, SpecId, SyncId, TaskId};
use crate::scenario::{Protocol, Scenario};
use crate::time::Time;
use crate::timeline::{Cause, Timeline};

/// What each task was lent, from each change to the next.
pub(super) struct Lent {
    changes: BTreeMap<TaskId, Vec<(Time, i64)>>,
}

/// As urgent as nobody.
const NOTHING: i64 = i64::MIN;

#[derive(Clone, Copy)]
enum Event {
    Released(SyncId, TaskId),
    Waited(SyncId, TaskId),
    Waits(SyncId, TaskId),
    Holds(SyncId, TaskId),
}

impl Lent {
    pub(super) fn of(timeline: &Timeline, urgencies: &Urgencies<'_>) -> Lent {
        let protocols: IdVec<SyncId, Protocol> =
            urgencies.scenario.syncs.iter().map(|object| object.protocol).collect();
        if protocols.iter().all(|protocol| *protocol == Protocol::None) {
            return Lent { changes: BTreeMap::new() };
        }
        let lends = |sync: SyncId| protocols[sync] != Protocol::None;
        let mut events: Vec<(Time, Event)> = Vec::new();
        for hold in timeline.holds.iter().filter(|hold| lends(hold.sync) && hold.start < hold.end) {
            events.push((hold.start, Event::Holds(hold.sync, hold.task)));
            events.push((hold.end, Event::Released(hold.sync, hold.task)));
        }
        let blocked = timeline.blocks.iter().filter_map(|block| match block.cause {
            Cause::Sync(sync) => Some((sync, block.task, block.start, block.end)),
            _ => None,
        });
        let spun = timeline.spins.iter().map(|spin| (spin.sync, spin.task, spin.start, spin.end));
        for (sync, task, start, end) in blocked.chain(spun).filter(|(sync, _, start, end)| lends(*sync) && start < end)
        {
            events.push((start, Event::Waits(sync, task)));
            events.push((end, Event::Waited(sync, task)));
        }
        events.sort_by_key(|(at, event)| (*at, matches!(event, Event::Waits(..) | Event::Holds(..))));
        let mut ledger = Ledger::new(urgencies, protocols);
        for now in events.chunk_by(|one, other| one.0 == other.0) {
            now.iter().for_each(|(at, event)| ledger.enter(*at, *event));
            ledger.settle(now[0].0);
        }
        Lent { changes: ledger.changes }
    }

    /// What the task is lent between two instants, piece by piece.
    pub(super) fn pieces(&self, task: TaskId, from: Time, to: Time) -> Vec<(Time, Time, i64)> {
        let changes = self.changes.get(&task).map_or(&[][..], Vec::as_slice);
        let next = changes.partition_point(|(at, _)| *at <= from);
        let mut pieces = Vec::new();
        let mut before = (from, next.checked_sub(1).map_or(NOTHING, |last| changes[last].1));
        for (at, lent) in changes[next..].iter().take_while(|(at, _)| *at < to) {
            pieces.push((before.0, *at, before.1));
            before = (*at, *lent);
        }
        pieces.push((before.0, to, before.1));
        pieces
    }

    /// What the task is lent at an instant.
    pub(super) fn at(&self, task: TaskId, at: Time) -> i64 {
        let changes = self.changes.get(&task).map_or(&[][..], Vec::as_slice);
        changes.partition_point(|(change, _)| *change <= at).checked_sub(1).map_or(NOTHING, |last| changes[last].1)
    }
}

/// Who holds and who waits at the present instant.
struct Ledger<'a> {
    urgencies: &'a Urgencies<'a>,
    protocols: IdVec<SyncId, Protocol>,
    /// The tasks that ever use each lock with an immediate ceiling.
    users: IdVec<SyncId, Vec<SpecId>>,
    /// The locks with original ceilings, and these.
    ceilings: Vec<(SyncId, i64)>,
    holders: BTreeMap<SyncId, (TaskId, Time)>,
    held: BTreeMap<TaskId, BTreeSet<SyncId>>,
    waiters: BTreeMap<SyncId, BTreeSet<TaskId>>,
    waits: BTreeMap<TaskId, SyncId>,
    /// Those who may be lent something else now.
    touched: BTreeSet<TaskId>,
    changes: BTreeMap<TaskId, Vec<(Time, i64)>>,
}

impl<'a> Ledger<'a> {
    fn new(urgencies: &'a Urgencies<'a>, protocols: IdVec<SyncId, Protocol>) -> Ledger<'a> {
        let scenario = urgencies.scenario;
        let users = |(sync, protocol): (SyncId, &Protocol)| match protocol {
            Protocol::Ceiling => users(scenario, sync).collect(),
            _ => Vec::new(),
        };
        let original = |sync: &SyncId| protocols[*sync] == Protocol::OriginalCeiling;
        let ceiling = |sync: SyncId| {
            let all = self::users(scenario, sync).map(|user| urgencies.of_a_job(user, Time::ZERO));
            (sync, all.max().unwrap_or(NOTHING))
        };
        Ledger {
            urgencies,
            users: protocols.pairs().map(users).collect(),
            ceilings: protocols.ids().filter(original).map(ceiling).collect(),
            protocols,
            holders: BTreeMap::new(),
            held: BTreeMap::new(),
            waiters: BTreeMap::new(),
            waits: BTreeMap::new(),
            touched: BTreeSet::new(),
            changes: BTreeMap::new(),
        }
    }

    fn enter(&mut self, at: Time, event: Event) {
        if !self.ceilings.is_empty() {
            // Whoever waits may wait for another now.
            self.touched.extend(self.ceilings.iter().filter_map(|(sync, _)| Some(self.holders.get(sync)?.0)));
        }
        match event {
            Event::Holds(sync, task) => {
                self.holders.insert(sync, (task, at));
                self.held.entry(task).or_default().insert(sync);
                self.touched.insert(task);
            }
            Event::Released(sync, task) => {
                self.holders.remove(&sync);
                self.held.entry(task).or_default().remove(&sync);
                self.touched.insert(task);
            }
            Event::Waits(sync, task) => {
                self.waiters.entry(sync).or_default().insert(task);
                self.waits.insert(task, sync);
                self.touched.extend(self.holders.get(&sync).map(|(holder, _)| *holder));
            }
            Event::Waited(sync, task) => {
                self.waiters.entry(sync).or_default().remove(&task);
                self.waits.remove(&task);
                self.touched.extend(self.holders.get(&sync).map(|(holder, _)| *holder));
            }
        }
    }

    /// Computes anew what those are lent about whom something has changed, and whom they wait for, and so on.
    fn settle(&mut self, now: Time) {
        while let Some(task) = self.touched.pop_first() {
            let lent = self.lent(task, now);
            if self.present(task) == lent {
                continue;
            }
            let changes = self.changes.entry(task).or_default();
            match changes.last_mut() {
                Some(last) if last.0 == now => last.1 = lent,
                _ => changes.push((now, lent)),
            }
            if let Some(sync) = self.waits.get(&task).copied() {
                self.touched.extend(self.in_the_way(task, sync));
            }
        }
    }

    fn present(&self, task: TaskId) -> i64 {
        self.changes.get(&task).and_then(|changes| changes.last()).map_or(NOTHING, |last| last.1)
    }

    fn lent(&self, task: TaskId, now: Time) -> i64 {
        let held = self.held.get(&task).into_iter().flatten();
        let lent = held.map(|sync| self.through(*sync, now)).max().unwrap_or(NOTHING);
        let free = self.ceilings.iter().filter(|(sync, _)| !self.holders.contains_key(sync));
        let waiters = free.flat_map(|(sync, _)| self.waiters.get(sync).into_iter().flatten().map(|who| (*sync, *who)));
        let held_back = waiters.filter(|(sync, waiter)| self.in_the_way(*waiter, *sync) == Some(task));
        held_back.map(|(_, waiter)| self.urgency(waiter, now)).fold(lent, i64::max)
    }

    /// With what it is lent.
    fn urgency(&self, task: TaskId, now: Time) -> i64 {
        self.urgencies.of(task, now).max(self.present(task))
    }

    /// Who keeps a task from a lock: who has it, or who has the one with the highest ceiling of all that others have.
    fn in_the_way(&self, task: TaskId, sync: SyncId) -> Option<TaskId> {
        if let Some((holder, _)) = self.holders.get(&sync) {
            return Some(*holder);
        }
        if self.protocols[sync] != Protocol::OriginalCeiling {
            return None;
        }
        let held =
            self.ceilings.iter().filter_map(|(sync, ceiling)| Some((self.holders.get(sync)?.0, *ceiling, *sync)));
        let others = held.filter(|(holder, ..)| *holder != task);
        others.max_by_key(|(_, ceiling, sync)| (*ceiling, Reverse(*sync))).map(|(holder, ..)| holder)
    }

    /// What the holder of a lock is lent because of it.
    fn through(&self, sync: SyncId, now: Time) -> i64 {
        let urgencies = self.urgencies;
        let lent = match self.protocols[sync] {
            Protocol::Inherit | Protocol::OriginalCeiling => {
                let waiters = self.waiters.get(&sync).into_iter().flatten();
                waiters.map(|waiter| self.urgency(*waiter, now)).max()
            }
            // Nobody is more urgent.
            Protocol::NonPreemptive => Some(i64::MAX),
            Protocol::Ceiling => {
                let since = self.holders.get(&sync).map_or(now, |(_, since)| *since);
                self.users[sync].iter().map(|user| urgencies.of_a_job(*user, since)).max()
            }
            Protocol::None => None,
        };
        lent.unwrap_or(NOTHING)
    }
}

/// The tasks whose programs take a lock.
fn users(scenario: &Scenario, sync: SyncId) -> impl Iterator<Item = SpecId> {
    scenario.specs.pairs().filter(move |(_, spec)| spec.program.locks(sync)).map(|(id, _)| id)
}
