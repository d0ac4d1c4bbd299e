//! The queue of Linux since 6.6 for ordinary threads: earliest eligible virtual deadline first.
//!
//! Rule: a thread's *virtual time* is its service divided by its weight, which its `nice` gives. The mean of all who want
//! to run, by weight, is the time of the queue; the *lag* of a thread is how far it is behind that, and who is not ahead
//! of it is *eligible*. A thread asks for a slice at a time, and its *deadline* is when it would have had that with its
//! share alone. Of those eligible the one with the earliest deadline runs, and is left alone until it has had its slice (or
//! the shortest in the queue, if that is shorter). This is looked at when the timer ticks and when somebody wakes: whoever
//! has had its slice by then gets a new deadline, and runs on if that is earlier than all others. A thread that wakes is
//! placed as far behind or ahead as it was when it blocked. If it would be picked next it takes the processor from one who
//! is ahead of its share, or asks for more at a time. Whoever blocks while it is ahead stays in the queue, though it does
//! not want to run, until it would be picked: then it has made up for it, and leaves. If it wakes before, it goes on as if
//! it had never blocked. A thread that yields gives away the rest of its slice.
//!
//! Source: Stoica & Abdel-Wahab 1995; kernel/sched/fair.c of Linux 6.18 with its default features (`PLACE_LAG`,
//! `RUN_TO_PARITY`, `PREEMPT_SHORT`, `DELAY_DEQUEUE`, `DELAY_ZERO`). Where we depart: sums are exact instead of rounded, and
//! there are no groups, so that all compete with all. Cost: logarithmic in the number of ready threads, but for those that are
//! not eligible and have an earlier deadline.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use super::book::{PerWho, Turns, signed};
use super::nice::UNIT;
use super::tick::Tick;
use super::{Slice, Slot, Turn, View, Who};
use crate::time::{Span, Time};

/// Virtual time: 2^16 to a nanosecond of service at nice 0. Wide enough for all weights of a million threads in 292 years.
type Virtual = i128;

/// A nanosecond of service, times the weight.
const NANOSECOND: i128 = (UNIT as i128) << 16;

fn virtual_time(service: Span, weight: i128) -> Virtual {
    i128::from(service.ns()) * NANOSECOND / weight
}

/// What a thread asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Request {
    /// Its weight.
    pub(super) weight: u32,
    /// How much it asks for at a time.
    pub(super) slice: Span,
    /// How it stands to the others.
    pub(super) manner: Manner,
}

impl Default for Request {
    fn default() -> Request {
        Request { weight: UNIT, slice: Span::ZERO, manner: Manner::Normal }
    }
}

/// How a thread stands to the others.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(super) enum Manner {
    #[default]
    Normal,
    /// It takes the processor from nobody when it wakes.
    Batch,
    /// Nor that, and all others take it from it.
    Idle,
}

/// Where a thread is.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
enum State {
    #[default]
    Away,
    /// It wants to run.
    Queued,
    /// It runs.
    Running,
    /// It has blocked while it was ahead, and has not made up for it.
    Delayed,
}

#[derive(Clone, Copy, Default, Debug)]
struct Entity {
    request: Request,
    state: State,
    runtime: Virtual,
    /// What the division by its weight left of the service in `runtime`: who has had its slice bit by bit has had all of it.
    rest: i128,
    deadline: Virtual,
    /// Until when it is left alone, once it runs.
    protected: Virtual,
    /// How far it was behind when it blocked.
    lag: Virtual,
    /// Among equal deadlines the first to be queued is first.
    stamp: u64,
    /// It has just come: only then it may take the processor from somebody.
    is_fresh: bool,
}

impl Entity {
    fn weight(&self) -> i128 {
        i128::from(self.request.weight)
    }

    fn slice(&self) -> Virtual {
        virtual_time(self.request.slice, self.weight())
    }

    fn key(&self, who: Who) -> (Virtual, u64, Who) {
        (self.deadline, self.stamp, who)
    }

    /// Gives it a new deadline if it has had its slice.
    fn renew(&mut self) {
        if self.runtime >= self.deadline {
            self.deadline = self.runtime + self.slice();
        }
    }

    fn is_protected(&self) -> bool {
        self.runtime < self.protected
    }
}

/// Those who want to run on some slots, and those who run there.
#[derive(Debug)]
pub(super) struct FairQueue {
    tick: Tick,
    /// The number of the first of its slots.
    first: u32,
    entities: PerWho<Entity>,
    /// All but those who run, by deadline.
    queue: BTreeSet<(Virtual, u64, Who)>,
    turns: Turns,
    /// How many in the queue only make up for what they had.
    delayed: usize,
    /// Of all who are in the queue or run.
    weight: i128,
    /// Their virtual times by weight.
    sum: Virtual,
    /// The time of the queue when somebody was there last.
    past: Virtual,
    /// How many ask for each length of a slice.
    slices: BTreeMap<Span, usize>,
    stamp: u64,
    /// Who was on a slot last until when, if it still wants to run: not to be protected anew if it goes on.
    last: Vec<Option<(Who, Time)>>,
}

impl FairQueue {
    /// A queue for so many slots, from this one on.
    pub(super) fn new(first: Slot, slots: usize, tick: Tick) -> FairQueue {
        FairQueue {
            tick,
            first: first.0,
            entities: PerWho::default(),
            queue: BTreeSet::new(),
            turns: Turns::new(slots),
            delayed: 0,
            weight: 0,
            sum: 0,
            past: 0,
            slices: BTreeMap::new(),
            stamp: 0,
            last: vec![None; slots],
        }
    }

    /// What is known of somebody, in words.
    pub(super) fn tells(&mut self, who: Who) -> String {
        let (mean, Entity { runtime: own, deadline, .. }) = (self.mean(), *self.entities.of(who));
        let [runtime, deadline, lag] = [own, deadline, mean - own].map(|time| signed(time >> 16));
        format!("virtual runtime {runtime}, virtual deadline {deadline}, lag {lag}")
    }

    /// How many want to run and do not.
    pub(super) fn waiting(&self) -> usize {
        self.queue.len() - self.delayed
    }

    /// Has it blocked while it was ahead, and not made up for it?
    pub(super) fn is_delayed(&mut self, who: Who) -> bool {
        self.entities.of(who).state == State::Delayed
    }

    /// Somebody new wants to run, or one who has waited for something. Who comes from another queue is as far behind as it
    /// was there; who was just made is eased in with half a slice.
    pub(super) fn comes(&mut self, who: Who, request: Request, from: Option<Lag>, is_made: bool, view: &View<'_>) {
        self.account(view);
        if let Some(from) = from {
            self.entities.of(who).lag = from.behind;
        }
        if self.turns.count() == 0 && self.waiting() == 0 {
            self.forget_delayed();
        }
        if self.entities.of(who).state == State::Delayed {
            self.delayed -= 1;
            let entity = self.remove(who);
            if entity.lag < 0 {
                // It has not made up for what it had.
                self.entities.of(who).is_fresh = true;
                return self.insert(who, State::Queued);
            }
            self.entities.of(who).lag = 0;
        }
        let (mean, others) = (self.mean(), self.weight);
        let entity = self.entities.of(who);
        (entity.request, entity.is_fresh, entity.rest) = (request, true, 0);
        // It moves the mean by coming, and shall be so far behind afterwards as it was.
        let lag = if others == 0 { 0 } else { entity.lag * (others + entity.weight()) / others };
        entity.runtime = mean - lag;
        let ahead = from.and_then(|from| from.to_deadline);
        entity.deadline = entity.runtime + ahead.unwrap_or(entity.slice() / if is_made { 2 } else { 1 });
        self.insert(who, State::Queued);
    }

    /// One who runs on the slot has to leave it, but wants to run on: it will return.
    pub(super) fn steps_back(&mut self, who: Who, slot: Slot, ran: Span, now: Time) {
        self.ends_turn(who, slot, ran);
        self.entities.of(who).renew();
        let index = self.index(slot);
        self.last[index] = Some((who, now));
    }

    /// One who has stepped back is in the queue again. If it `yields` it gives away the rest of its slice, unless it is
    /// ahead of its share anyway, or nobody else is there.
    pub(super) fn returns(&mut self, who: Who, yields: bool) {
        let stamp = self.next_stamp();
        let entity = *self.entities.of(who);
        let gives_away = yields && !self.queue.is_empty() && self.is_eligible(entity.runtime);
        let entity = self.entities.of(who);
        if gives_away {
            self.sum += entity.weight() * (entity.deadline - entity.runtime);
            (entity.runtime, entity.deadline) = (entity.deadline, entity.deadline + entity.slice());
        }
        (entity.state, entity.stamp, entity.is_fresh) = (State::Queued, stamp, false);
        let key = entity.key(who);
        self.queue.insert(key);
    }

    /// One who runs on the slot blocks, or is done.
    pub(super) fn leaves(&mut self, who: Who, slot: Slot, ran: Span, is_done: bool) {
        self.ends_turn(who, slot, ran);
        self.entities.of(who).renew();
        let index = self.index(slot);
        self.last[index] = None;
        self.goes(who, is_done);
    }

    /// One who waits in the queue does not want to run any more.
    pub(super) fn withdraws(&mut self, who: Who, view: &View<'_>) {
        self.account(view);
        self.last.iter_mut().for_each(|last| *last = last.filter(|(other, _)| *other != who));
        self.goes(who, false);
    }

    fn goes(&mut self, who: Who, is_done: bool) {
        let runtime = self.entities.of(who).runtime;
        let is_ahead = !self.is_eligible(runtime);
        self.remove(who);
        if is_done {
            *self.entities.of(who) = Entity::default();
        } else if is_ahead {
            self.insert(who, State::Delayed);
            self.delayed += 1;
        }
    }

    /// Takes out whoever is next on the slot: for how long?
    pub(super) fn pick(&mut self, slot: Slot, view: &View<'_>) -> Option<Turn> {
        self.account(view);
        let index = self.index(slot);
        let last = self.last[index].take().filter(|(_, until)| *until == view.now).map(|(who, _)| who);
        // Another slot may have taken it meanwhile.
        let last = last.filter(|who| self.entities.of(*who).state == State::Queued);
        let who = self.best(last, &|who| may_run(view, who, slot))?;
        let entity = self.entities.of(who);
        let key = entity.key(who);
        entity.state = State::Running;
        self.queue.remove(&key);
        self.turns.begin(self.turn(slot), who);
        if last != Some(who) {
            let shortest = self.slices.first_key_value().map_or(Span::ZERO, |(slice, _)| *slice);
            let entity = self.entities.of(who);
            let length = virtual_time(shortest.min(entity.request.slice), entity.weight());
            entity.protected = entity.deadline.min(entity.runtime + length);
        }
        Some(Turn { who, slice: self.slice(who, view.now) })
    }

    /// The slot on which `who`, who has just come, shall run instead of who is there: of those that it may use.
    pub(super) fn displaces(&mut self, who: Who, view: &View<'_>) -> Option<Slot> {
        if !std::mem::take(&mut self.entities.of(who).is_fresh) {
            return None;
        }
        self.account(view);
        let running = self.turns.running().map(|(turn, other)| (Slot(turn.0 + self.first), other));
        let running: Vec<_> = running.filter(|(slot, _)| may_run(view, who, *slot)).collect();
        let worst = |(slot, other): (Slot, Who)| {
            let gives_in = self.gives_in(other, who, |who| may_run(view, who, slot));
            let entity = *self.entities.of(other);
            gives_in.then(|| (!self.is_eligible(entity.runtime), entity.deadline, slot, other))
        };
        let (.., slot, other) = running.into_iter().filter_map(worst).max()?;
        let entity = self.entities.of(other);
        entity.protected = entity.protected.min(entity.runtime);
        Some(slot)
    }

    /// Does one who runs give way now that `newcomer` has come?
    fn gives_in(&mut self, runs: Who, newcomer: Who, may: impl Fn(Who) -> bool) -> bool {
        let Request { slice, manner, .. } = self.entities.of(newcomer).request;
        let entity = self.entities.of(runs);
        let is_longer = manner == Manner::Normal && slice < entity.request.slice;
        let had_its_slice = !entity.is_protected();
        entity.renew();
        let entity = *entity;
        if entity.request.manner == Manner::Idle && manner != Manner::Idle {
            return true;
        }
        let Some(best) = self.best_of_queue(may) else { return false };
        let is_eligible = self.is_eligible(entity.runtime);
        let is_first = is_eligible && entity.deadline < self.entities.of(best).deadline;
        let wakes_to_run = manner == Manner::Normal && best == newcomer && (is_longer || !is_eligible);
        if !is_first && (had_its_slice || wakes_to_run) {
            return true;
        }
        if is_longer {
            // It is looked at again as soon as the newcomer could have had its slice.
            let soon = entity.runtime + virtual_time(slice, entity.weight());
            self.entities.of(runs).protected = entity.protected.min(soon);
        }
        false
    }

    /// Takes one who waits out of the queue, who goes elsewhere: how far behind was it?
    pub(super) fn give_away(&mut self, who: Who) -> Lag {
        let entity = self.remove(who);
        *self.entities.of(who) = Entity::default();
        Lag { behind: entity.lag, to_deadline: Some(entity.deadline - entity.runtime) }
    }

    /// One who sleeps wakes elsewhere: how far behind was it?
    pub(super) fn forget_sleeper(&mut self, who: Who) -> Option<Lag> {
        let entity = self.entities.of(who);
        let lag = (entity.state == State::Away && entity.lag != 0).then_some(entity.lag);
        if lag.is_some() {
            *entity = Entity::default();
        }
        lag.map(|behind| Lag { behind, to_deadline: None })
    }

    /// Of those who wait and may leave, the one that ran longest ago. Whoever has run until now and wants to run on is not
    /// one of them: it has not been looked at yet whether it stays.
    pub(super) fn coldest(&mut self, now: Time, may: impl Fn(Who) -> bool) -> Option<Who> {
        let FairQueue { queue, entities, last, .. } = self;
        let may = |who| may(who) && !last.contains(&Some((who, now)));
        let waiting = queue.iter().map(|(_, stamp, who)| (*stamp, *who));
        let waiting = waiting.filter(|(_, who)| entities.of(*who).state == State::Queued && may(*who));
        waiting.min().map(|(_, who)| who)
    }

    /// Brings the virtual times of those who run up to now.
    fn account(&mut self, view: &View<'_>) {
        let (entities, sum) = (&mut self.entities, &mut self.sum);
        self.turns.account(view, |who, ran| serve(entities.of(who), ran, sum));
    }

    /// Where turns of the slot are noted.
    fn turn(&self, slot: Slot) -> Slot {
        Slot(slot.0 - self.first)
    }

    fn index(&self, slot: Slot) -> usize {
        self.turn(slot).0 as usize
    }

    fn ends_turn(&mut self, who: Who, slot: Slot, ran: Span) {
        let ran = self.turns.end(self.turn(slot), ran);
        serve(self.entities.of(who), ran, &mut self.sum);
    }

    /// The time of the queue.
    fn mean(&self) -> Virtual {
        if self.weight == 0 { self.past } else { self.sum.div_euclid(self.weight) }
    }

    /// Is whoever has had so much not ahead of the others?
    fn is_eligible(&self, runtime: Virtual) -> bool {
        runtime * self.weight <= self.sum
    }

    /// Whoever of those queued would run next.
    fn best_of_queue(&mut self, may: impl Fn(Who) -> bool) -> Option<Who> {
        let FairQueue { queue, entities, weight, sum, .. } = self;
        let mut allowed = queue.iter().map(|(.., who)| *who).filter(|who| may(*who));
        allowed.find(|who| entities.of(*who).runtime * *weight <= *sum)
    }

    /// Whoever shall run next, if `last` ran until now. Those who have made up for what they had go.
    fn best(&mut self, last: Option<Who>, may: &dyn Fn(Who) -> bool) -> Option<Who> {
        if let Some(last) = last.filter(|last| self.entities.of(*last).is_protected() && may(*last)) {
            return Some(last);
        }
        loop {
            // Where nobody who is eligible may run here, somebody who is not does.
            let first = self.queue.iter().map(|(.., who)| *who).find(|who| may(*who));
            let best = self.best_of_queue(may).or(first)?;
            if self.entities.of(best).state != State::Delayed {
                return Some(best);
            }
            self.forget(best);
        }
    }

    /// One who has blocked has made up for what it had.
    fn forget(&mut self, who: Who) {
        self.delayed -= 1;
        self.remove(who);
        let entity = self.entities.of(who);
        entity.lag = entity.lag.min(0);
    }

    /// Nobody wants to run any more: all who had blocked are let go.
    fn forget_delayed(&mut self) {
        while let Some(who) = self.best_of_queue(|_| true) {
            self.forget(who);
        }
    }

    /// When is one who runs from now on looked at?
    fn slice(&mut self, who: Who, now: Time) -> Slice {
        if !self.tick.period.is_zero() {
            return Slice::Until(self.tick.after(now));
        }
        let entity = self.entities.of(who);
        let until = if entity.is_protected() { entity.protected } else { entity.deadline };
        let left = (until - entity.runtime) * entity.weight() - entity.rest + NANOSECOND - 1;
        Slice::For(Span::from_ns(u64::try_from((left / NANOSECOND).max(1)).unwrap_or(u64::MAX)))
    }

    fn next_stamp(&mut self) -> u64 {
        self.stamp += 1;
        self.stamp
    }

    fn insert(&mut self, who: Who, state: State) {
        let stamp = self.next_stamp();
        let entity = self.entities.of(who);
        (entity.state, entity.stamp) = (state, stamp);
        let (key, weight, runtime, slice) = (entity.key(who), entity.weight(), entity.runtime, entity.request.slice);
        self.queue.insert(key);
        self.weight += weight;
        self.sum += weight * runtime;
        *self.slices.entry(slice).or_default() += 1;
    }

    /// Takes somebody out, running or not, and notes how far it is behind.
    fn remove(&mut self, who: Who) -> Entity {
        let mean = self.mean();
        let longest = self.tick.period;
        let entity = self.entities.of(who);
        let most = virtual_time(longest.max(entity.request.slice * 2), entity.weight());
        entity.lag = (mean - entity.runtime).clamp(-most, most);
        entity.state = State::Away;
        let entity = *entity;
        self.queue.remove(&entity.key(who));
        self.past = mean;
        self.weight -= entity.weight();
        self.sum -= entity.weight() * entity.runtime;
        if let Some(count) = self.slices.get_mut(&entity.request.slice) {
            *count -= 1;
            if *count == 0 {
                self.slices.remove(&entity.request.slice);
            }
        }
        entity
    }
}

/// What a thread takes along from one queue to another.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lag {
    behind: Virtual,
    /// How much of its slice it has still to have, if it has begun one.
    to_deadline: Option<Virtual>,
}

/// May it run on the slot?
fn may_run(view: &View<'_>, who: Who, slot: Slot) -> bool {
    view.free() || view.floor.allowed(who, slot)
}

/// Somebody has run for so long.
fn serve(entity: &mut Entity, ran: Span, sum: &mut Virtual) {
    let service = i128::from(ran.ns()) * NANOSECOND + entity.rest;
    let served = service / entity.weight();
    entity.rest = service - served * entity.weight();
    entity.runtime += served;
    *sum += served * entity.weight();
}
