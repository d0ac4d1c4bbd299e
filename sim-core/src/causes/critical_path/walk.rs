//! Backwards through a timeline, from an end to what it was waiting for.

use std::collections::BTreeSet;

use super::{Does, Goal, HoldsUp, Link};
use crate::causes::index::Index;
use crate::causes::{Behind, Doing, Ledger, Passage, What};
use crate::ids::{DeviceId, SyncId, TaskId};
use crate::time::Time;
use crate::timeline::lanes::{State, Stretch};
use crate::timeline::{Cause, Request};

/// A walk under way.
pub(super) struct Walk<'a> {
    index: &'a Index<'a>,
    goal: Goal,
    /// With whom the path goes on, back from when.
    task: TaskId,
    at: Time,
    /// With whom it was at this very instant: to come back to one of them would be to go in circles.
    met: BTreeSet<TaskId>,
    /// Who waits, since when, for what the path has gone on with.
    waiting: Option<(HoldsUp, Time)>,
    /// The links so far, the last first.
    links: Vec<Link>,
}

impl<'a> Walk<'a> {
    /// A walk to this end.
    pub(super) fn to(index: &'a Index<'a>, goal: Goal) -> Walk<'a> {
        Walk { index, goal, task: goal.task, at: goal.to, met: BTreeSet::new(), waiting: None, links: Vec::new() }
    }

    /// All links, in the order of time.
    pub(super) fn links(mut self) -> Vec<Link> {
        while self.at > self.goal.from {
            self.met.insert(self.task);
            match self.stretch(self.task, self.at) {
                Some(stretch) => self.through(stretch),
                None => self.before_arrival(),
            }
        }
        self.links.reverse();
        self.links
    }

    /// What a task does just before a moment.
    fn stretch(&self, task: TaskId, at: Time) -> Option<Stretch> {
        let lane = self.index.lanes.get(task)?;
        let last = lane.partition_point(|stretch| stretch.start < at).checked_sub(1)?;
        Some(lane[last]).filter(|stretch| at <= stretch.end)
    }

    /// Adds what somebody did up to now.
    fn link(&mut self, task: TaskId, does: Does, from: Time, holds_up: Option<HoldsUp>) {
        let from = from.max(self.goal.from);
        let since = self.waiting.filter(|(held, _)| holds_up.is_none() && held.task != task);
        if let Some((held, since)) = since {
            self.push(task, does, from.max(since), Some(held));
        }
        self.push(task, does, from, holds_up);
        self.waiting = self.waiting.filter(|(_, since)| *since < self.at);
    }

    fn push(&mut self, task: TaskId, does: Does, from: Time, holds_up: Option<HoldsUp>) {
        if from < self.at {
            self.links.push(Link { task, does, from, to: self.at, holds_up });
            self.at = from;
            self.met.clear();
        }
    }

    /// Adds what the task did from a moment up to now.
    fn own(&mut self, does: Does, from: Time) {
        self.link(self.task, does, from, None);
    }

    /// Goes on with another task, for which this one waits since then.
    fn hand_for(&mut self, what: What, since: Time, to: TaskId) -> bool {
        let held = HoldsUp { task: self.task, what };
        let handed = self.hand(to);
        if handed && since < self.at {
            self.waiting = Some((held, since));
        }
        handed
    }

    /// Goes on with another task, if that was there just before now or came at this instant (one with nothing to do is gone at
    /// once), and the path was not with it at this instant.
    fn hand(&mut self, to: TaskId) -> bool {
        let comes = self.index.timeline.tasks[to].arrival == Some(self.at);
        let possible = !self.met.contains(&to) && (comes || self.stretch(to, self.at).is_some());
        if possible {
            self.task = to;
        }
        possible
    }

    fn through(&mut self, stretch: Stretch) {
        match stretch.state {
            State::Running => self.running(stretch.start),
            State::Overhead => self.own(Does::Is(What::Overhead, None), stretch.start),
            State::Starting => self.own(Does::Is(What::Starting, None), stretch.start),
            State::Ready => self.ready(stretch.start),
            State::Blocked(cause) => self.blocked(cause, stretch.start),
        }
    }

    /// What `enter` finds between a moment and now, in the order of time.
    fn parts(&self, enter: impl FnOnce(&mut Ledger)) -> Vec<Passage> {
        let mut ledger = Ledger::in_order();
        enter(&mut ledger);
        ledger.close_in_order()
    }

    /// Its program, or in circles for a lock: then its holder is what counts.
    fn running(&mut self, from: Time) {
        let Some((lock, since)) = self.spins(self.task, from) else {
            let spins = &self.index.spins[self.task];
            let last = spins[..spins.partition_point(|spin| spin.start < self.at)].last();
            let since = last.map_or(from, |spin| spin.end.clamp(from, self.at));
            return self.own(Does::Runs(None), since);
        };
        self.for_holder(What::Spin(lock), lock, since);
    }

    /// Does it spin just before now, for what, and since when, but not before `from`?
    fn spins(&self, task: TaskId, from: Time) -> Option<(SyncId, Time)> {
        let spins = &self.index.spins[task];
        let last = spins[..spins.partition_point(|spin| spin.start < self.at)].last()?;
        (last.end >= self.at).then_some((last.sync, last.start.max(from)))
    }

    /// Ready: with whoever had the processor or the thread, one after the other, back to where the wait began.
    fn ready(&mut self, from: Time) {
        let (index, task, at) = (self.index, self.task, self.at);
        let parts = self.parts(|ledger| index.waiting(task, from, at, ledger));
        for part in parts.iter().rev() {
            let holds_up = HoldsUp { task, what: part.what };
            match part.behind {
                Some(Behind { task, doing: Doing::Switching }) => {
                    self.link(task, Does::Is(What::Overhead, None), part.from, Some(holds_up));
                }
                Some(Behind { task, doing: Doing::Starting }) => {
                    self.link(task, Does::Is(What::Starting, None), part.from, Some(holds_up));
                }
                Some(behind) if behind.doing == Doing::Running && self.spins(behind.task, part.from).is_none() => {
                    let spun = self.spun_until(behind.task, part.from);
                    self.link(behind.task, Does::Runs(None), spun, Some(holds_up));
                    if spun > part.from && self.hand_for(part.what, part.from, behind.task) {
                        return;
                    }
                }
                Some(behind) if self.hand_for(part.what, part.from, behind.task) => return,
                _ => {}
            }
            // Behind nobody, or behind one with whom the path cannot go on.
            self.own(Does::Is(part.what, None), part.from);
        }
        self.own(Does::Is(What::Runtime, None), from);
        self.where_it_began(task, parts.first().and_then(|part| part.behind));
    }

    /// When a task that runs just before now spun last, but not before `from`.
    fn spun_until(&self, task: TaskId, from: Time) -> Time {
        let spins = &self.index.spins[task];
        let last = spins[..spins.partition_point(|spin| spin.start < self.at)].last();
        last.map_or(from, |spin| spin.end.clamp(from, self.at))
    }

    /// At the beginning of a wait for a processor or the like: was it taken already, the path goes on with who had it, unless
    /// the task was on a processor itself until then.
    fn where_it_began(&mut self, task: TaskId, behind: Option<Behind>) {
        let state = |task| self.stretch(task, self.at).map(|stretch| stretch.state);
        let was_on = matches!(state(task), Some(State::Running | State::Overhead | State::Starting));
        let other = behind.map(|behind| behind.task).filter(|_| !was_on);
        let there = |other: &TaskId| state(*other).is_some_and(|state| !matches!(state, State::Blocked(_)));
        if let Some(other) = other.filter(there) {
            self.hand(other);
        }
    }

    fn blocked(&mut self, cause: Cause, from: Time) {
        let (index, task, at) = (self.index, self.task, self.at);
        let blocks = &index.blocks[task];
        let block = blocks[..blocks.partition_point(|block| block.start < at)].last();
        let block = block.filter(|block| block.cause == cause && block.end >= at);
        let from = block.map_or(from, |block| block.start.max(from));
        match cause {
            Cause::Timer => self.own(Does::Is(What::Timer, None), from),
            // It is the period that counts, not when the job before it ended.
            Cause::Release => {
                let arrival = index.timeline.tasks[task].arrival.unwrap_or(from);
                self.own(Does::Is(What::Release, None), arrival.min(from));
            }
            Cause::Device(device) => self.on_device(device, from),
            Cause::Sync(sync) => self.for_holder(What::Sync(sync), sync, from),
            Cause::Join | Cause::After => {
                let what = if cause == Cause::Join { What::Join } else { What::After };
                let last = index.last_awaited(task, cause, block.map_or(at, |block| block.end));
                if !last.is_some_and(|last| self.hand_for(what, from, last)) {
                    self.own(Does::Is(what, None), from);
                }
            }
        }
    }

    /// Waiting for what others hold or bring: with the one at the end of the wait. Who had it before is asked only if the path
    /// cannot go on there: a wait may be behind thousands.
    fn for_holder(&mut self, what: What, sync: SyncId, from: Time) {
        let (index, waiting, at) = (self.index, (self.task, sync), self.at);
        let just_before = Time::from_ns(at.ns() - 1).max(from);
        let last = self.parts(|ledger| index.on_sync(what, waiting, just_before, at, ledger));
        let behind = last.last().and_then(|part| part.behind);
        if !behind.is_some_and(|behind| self.hand_for(what, from, behind.task)) {
            let all = self.parts(|ledger| index.on_sync(what, waiting, from, at, ledger));
            self.own(Does::Is(what, None), all.last().map_or(from, |part| part.from));
        }
    }

    fn on_device(&mut self, device: DeviceId, from: Time) {
        let (index, task, at) = (self.index, self.task, self.at);
        let Some(request) = self.request(task, device) else {
            return self.own(Does::Is(What::Service(device), None), from);
        };
        let served = request.start.unwrap_or(Time::NEVER).max(from);
        if served < at {
            return self.served(task, request, served, None);
        }
        let parts = self.parts(|ledger| index.on_device(task, device, from, at, ledger));
        for part in parts.iter().rev() {
            let before = part.behind.and_then(|behind| Some((behind.task, self.request(behind.task, device)?)));
            let Some((other, request)) = before else {
                self.own(Does::Is(What::Queue(device), None), part.from);
                continue;
            };
            self.served(other, request, part.from, Some(HoldsUp { task, what: What::Queue(device) }));
        }
        self.own(Does::Is(What::Queue(device), None), from);
        let other = parts.first().and_then(|part| part.behind).map(|behind| behind.task);
        let there = |other: &TaskId| {
            self.stretch(*other, self.at).is_some_and(|stretch| stretch.state == State::Blocked(Cause::Device(device)))
        };
        if let Some(other) = other.filter(there) {
            self.hand(other);
        }
    }

    /// The request of a task that the device has just before now.
    fn request(&self, task: TaskId, device: DeviceId) -> Option<&'a Request> {
        let requests = &self.index.requests[task];
        let asked = &requests[..requests.partition_point(|(request, _)| request.asked < self.at)];
        asked.iter().rev().map(|(request, _)| *request).find(|request| request.device == device)
    }

    /// In service from a moment to now, the way of the head apart.
    fn served(&mut self, task: TaskId, request: &Request, from: Time, holds_up: Option<HoldsUp>) {
        let there = request.start.unwrap_or(from) + request.seek;
        self.link(task, Does::Is(What::Service(request.device), None), there.clamp(from, self.at), holds_up);
        self.link(task, Does::Is(What::Seek(request.device), None), from, holds_up);
    }

    /// It came just now: from its parent, if it was spawned; or, of branches that take turns, from the one before.
    fn before_arrival(&mut self) {
        let came = self.index.timeline.tasks[self.task].arrival;
        let parent = self.index.origin(self.task, self.at).filter(|_| came == Some(self.at));
        if !parent.is_some_and(|parent| self.hand(parent)) {
            self.own(Does::ToCome, Time::ZERO);
        }
    }
}
