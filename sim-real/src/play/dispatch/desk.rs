//! Who has a processor, in a run whose threads are dispatched by the scenario's own policy.
//!
//! The desk is the kernel floor of the simulator without its clock: it is told what has happened and when, asks the same
//! [`Policy`] the same questions in the same order, and says who is to go on and who is to stand aside. What takes no time there
//! takes some here: a thread that is to give up its processor does so when it notices, and until it has said so, with what it did
//! last, nobody gets its place. A test runs the desk in a world in which that takes no time, beside the simulator.

mod continuing;
mod jobs;

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use sim_core::ids::SpecId;
use sim_core::jobs::JobState;
use sim_core::policy::{Exit, Policy, Setup, Slice, Slot, Traits, Who, Why};
use sim_core::scenario::{Scenario, Ties};
use sim_core::time::{Span, Time};
use sim_core::timeline::Job;

use super::FINEST;
use super::floor::{Facts, Ground, Row, State, Turn};

/// What an instance that has a processor says of itself. All but the first end its turn in any case.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Said {
    /// It has noticed that it is to stand aside.
    StandsAside,
    /// It gives way.
    Yields,
    /// It waits until then.
    Sleeps(Time),
    /// It waits for another.
    Waits,
    /// Its job has ended, and there is another.
    EndsJob,
    /// It is done.
    Finishes,
}

/// What is to be done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Order {
    /// The instance has that processor now.
    Go(Who, Slot),
    /// It is to stand aside, and to say so.
    Stop(Who),
}

/// How long a turn may last.
#[derive(Clone, Copy, Debug)]
struct Limit {
    slice: Slice,
    /// When its slice ends: counted from the beginning of the turn or, while that is not known, from when it was given.
    end: Time,
    /// Why it is to stand aside, if it has been told.
    stopping: Option<Why>,
}

/// What happens at some time. Arrivals of an instant are in the order of the file, then timers in the order of starting.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Due {
    Arrival(Who),
    Timer(u64, Who),
}

/// See the module.
pub(super) struct Desk<'a> {
    policy: Box<dyn Policy>,
    traits: Traits,
    ground: Ground<'a>,
    /// By processor.
    limits: Vec<Option<Limit>>,
    due: BinaryHeap<Reverse<(Time, Due)>>,
    /// How many timers were started.
    timers: u64,
    /// How many are ready.
    waiting: usize,
    /// Has anybody become ready since the last dispatch? Only then are processors asked that were free before.
    news: bool,
    /// Which processors have become free since then.
    vacated: Vec<Slot>,
    /// Who may displace somebody.
    fresh: VecDeque<Who>,
    /// Whose slice has ended since the last dispatch.
    expired: Vec<(Slot, Who)>,
    /// Arrived, but others have not finished after which they start.
    held_back: Vec<Who>,
    /// The jobs that have ended.
    jobs: Vec<Job>,
    /// How many slices were given, and how many of them were too short to be exact.
    slices: u64,
    short_slices: u64,
    orders: Vec<Order>,
}

impl<'a> Desk<'a> {
    /// Before the start, with those who arrive by themselves: their tasks, numbers and times of arrival.
    pub(super) fn new(
        scenario: &'a Scenario,
        facts: &'a dyn Facts,
        arrivals: impl Iterator<Item = (SpecId, u32, Time)>,
    ) -> Desk<'a> {
        let slots = scenario.machine.processors.len();
        let policy = scenario.scheduler.settings.build(&Setup::of(&scenario.machine, scenario.seed));
        let ground = Ground {
            scenario,
            facts,
            now: Time::ZERO,
            rows: Vec::new(),
            names: Vec::new(),
            named: Vec::new(),
            turns: vec![None; slots],
            only: None,
            no_affinity: scenario.specs.iter().all(|spec| spec.attributes.affinity.is_none()),
        };
        let mut desk = Desk {
            traits: policy.traits(),
            policy,
            ground,
            limits: vec![None; slots],
            due: BinaryHeap::new(),
            timers: 0,
            waiting: 0,
            news: false,
            vacated: Vec::new(),
            fresh: VecDeque::new(),
            expired: Vec::new(),
            held_back: Vec::new(),
            jobs: Vec::new(),
            slices: 0,
            short_slices: 0,
            orders: Vec::new(),
        };
        for (who, (spec, instance, at)) in (0..).map(Who).zip(arrivals) {
            desk.admit(who, spec, instance);
            let first = desk.next_release(who, Some(at)).unwrap_or(at);
            desk.due.push(Reverse((first, Due::Arrival(who))));
        }
        desk
    }

    /// An instance is known from now on. Those that several threads spawn at once need not be told of in their order.
    fn admit(&mut self, who: Who, spec: SpecId, instance: u32) {
        let Ground { scenario, rows, names, .. } = &mut self.ground;
        let job = scenario.specs[spec].attributes.periodic.as_ref().map(|_| JobState::new());
        let len = rows.len().max(who.0 as usize + 1);
        rows.resize_with(len, || Row::new(spec, instance, None));
        names.resize(len, None);
        rows[who.0 as usize] = Row::new(spec, instance, job);
    }

    /// What is to be done since this was asked last.
    pub(super) fn orders(&mut self) -> Vec<Order> {
        std::mem::take(&mut self.orders)
    }

    /// Does the instance wait for another?
    pub(super) fn is_waiting(&self, who: Who) -> bool {
        self.ground.rows.get(who.0 as usize).is_some_and(|row| row.state == State::Waiting)
    }

    /// When the present or next job of an instance is or was released.
    pub(super) fn release_of(&self, who: Who) -> Time {
        self.ground.row(who).job.as_ref().map_or(Time::NEVER, JobState::release)
    }

    /// Who was given a processor and has not been seen to run.
    pub(super) fn on_their_way(&self) -> impl Iterator<Item = Who> {
        self.ground.turns.iter().flatten().filter(|turn| turn.began.is_none()).map(|turn| turn.who)
    }

    /// Has nobody a processor, and does nobody want one?
    pub(super) fn is_idle(&self) -> bool {
        self.waiting == 0 && self.ground.turns.iter().all(Option::is_none)
    }

    /// Were many slices too short to be exact? A rest of one now and then may be.
    pub(super) fn slices_are_short(&self) -> bool {
        self.short_slices * 10 > self.slices
    }

    /// When something happens next by itself.
    pub(super) fn next_due(&self) -> Time {
        let ends = self.limits.iter().flatten().filter(|limit| limit.stopping.is_none()).map(|limit| limit.end);
        let due = self.due.peek().map_or(Time::NEVER, |Reverse((at, _))| *at);
        let next = ends.fold(due, Time::min);
        if next.is_never() && self.waiting == 0 { next } else { next.min(self.alarm()) }
    }

    /// When something happens next, by itself or because a burst ends.
    pub(super) fn next_event(&self) -> Time {
        let turns = self.ground.turns.iter().flatten();
        let end = |turn: &Turn| {
            let length = self.ground.facts.burst(turn.who).length;
            self.ground.now + length.saturating_sub(self.ground.worked(turn.who))
        };
        turns.map(end).fold(self.next_due(), Time::min)
    }

    fn alarm(&self) -> Time {
        if self.traits.has_alarms { self.policy.alarm() } else { Time::NEVER }
    }

    /// The clock of the desk never goes back.
    fn at(&mut self, now: Time) {
        self.ground.now = self.ground.now.max(now);
    }

    // What has happened.

    /// All that is due by now happens.
    pub(super) fn advance(&mut self, now: Time) {
        self.at(now);
        let ties = self.ground.scenario.scheduler.ties;
        if ties == Ties::PreemptedFirst {
            self.expire();
        }
        if self.alarm() <= self.ground.now {
            self.ring();
        }
        while let Some(Reverse((at, due))) = self.due.peek().copied()
            && at <= self.ground.now
        {
            self.due.pop();
            match due {
                Due::Arrival(who) if self.ground.row(who).state == State::Away => self.arrive(who, Why::Arrived),
                Due::Arrival(who) | Due::Timer(_, who) => self.ready(who, Why::Woken),
            }
        }
        if ties == Ties::ArrivalsFirst {
            self.expire();
        }
    }

    /// Turns whose slice has ended end as soon as that is noticed. One that is only on its way has had none of it.
    fn expire(&mut self) {
        for slot in self.ground.slots() {
            let begun = self.ground.turn(slot).is_some_and(|turn| turn.began.is_some());
            let over = self.limits[slot.0 as usize].is_some_and(|limit| limit.end <= self.ground.now);
            if begun && over {
                self.stop(slot, Why::Expired(slot));
            }
        }
    }

    fn ring(&mut self) {
        let mut again = Vec::new();
        self.policy.ring(&mut again, &self.ground.view());
        self.fresh.extend(again.into_iter().map(|name| self.ground.instance(name)));
        self.news = true;
        for slot in self.ground.slots() {
            let Some(limit) = &mut self.limits[slot.0 as usize] else { continue };
            if let Some(slice) = self.policy.anew(slot, &self.ground.view()) {
                let began = self.ground.turn(slot).and_then(|turn| turn.began);
                limit.slice = slice;
                let from = began.unwrap_or(self.ground.now).max(self.ground.now);
                limit.end = self.ground.scenario.scheduler.timer.end(slice, from);
            }
        }
    }

    /// Another instance has made this one, which arrives now.
    pub(super) fn spawned(&mut self, who: Who, (spec, instance): (SpecId, u32), by: Who, now: Time) {
        self.at(now);
        self.admit(who, spec, instance);
        let slot = if let State::Running(slot) = self.ground.row(by).state { slot } else { Slot(0) };
        match self.next_release(who, Some(now)) {
            Some(release) if release > self.ground.now => self.due.push(Reverse((release, Due::Arrival(who)))),
            _ => self.arrive(who, Why::Spawned(slot)),
        }
    }

    fn arrive(&mut self, who: Who, why: Why) {
        if self.ground.facts.may_start(self.ground.row(who).spec) {
            self.ready(who, why);
        } else {
            self.held_back.push(who);
        }
    }

    /// What an instance waits for of another has happened.
    pub(super) fn woken(&mut self, who: Who, now: Time) {
        self.at(now);
        if self.is_waiting(who) {
            self.ready(who, Why::Woken);
        }
    }

    /// An instance is lent another urgency than before.
    pub(super) fn changed(&mut self, who: Who, now: Time) {
        self.at(now);
        let state = self.ground.row(who).state;
        if matches!(state, State::Ready | State::Running(_)) {
            let name = self.ground.name(who);
            self.policy.changed(name, &self.ground.view());
            // Whoever is ready may be more urgent now than who runs.
            let ready = (0..).zip(&self.ground.rows).filter(|(_, row)| row.state == State::Ready);
            let ready: Vec<Who> = ready.map(|(who, _)| Who(who)).collect();
            if self.traits.preemptive {
                self.fresh.extend(ready);
            }
        }
    }

    /// An instance that was given a processor has begun to run.
    pub(super) fn began(&mut self, who: Who, at: Time) {
        let State::Running(slot) = self.ground.row(who).state else { return };
        let (Some(turn), Some(limit)) = (&mut self.ground.turns[slot.0 as usize], &mut self.limits[slot.0 as usize])
        else {
            return;
        };
        turn.began = Some(at);
        limit.end = self.ground.scenario.scheduler.timer.end(limit.slice, at);
    }

    /// What an instance that runs says of itself. Of who does not run nothing is believed.
    pub(super) fn said(&mut self, who: Who, said: Said, at: Time) {
        self.at(at);
        let State::Running(slot) = self.ground.row(who).state else { return };
        let why = match (said, self.limits[slot.0 as usize].and_then(|limit| limit.stopping)) {
            (Said::StandsAside, Some(why)) => return self.put_off(who, slot, why),
            // It was told in an earlier turn: it goes on.
            (Said::StandsAside, None) => return self.orders.push(Order::Go(who, slot)),
            (said, _) => said,
        };
        let release = if why == Said::EndsJob { self.job_ended(who) } else { None };
        if why == Said::EndsJob && release.is_none() {
            return self.has_no_job(who, slot);
        }
        if why == Said::Finishes {
            self.job_ended(who);
            self.release_dependents();
        }
        let ran = self.vacate(slot);
        self.ground.row_mut(who).spent = Span::ZERO;
        let exit = match why {
            Said::Yields => Exit::Ready,
            Said::EndsJob if release.is_some_and(|release| release < self.ground.now) => Exit::Ready,
            Said::Finishes => Exit::Finished,
            _ => Exit::Blocked,
        };
        let name = self.ground.name(who);
        self.policy.left(name, slot, ran, exit, &self.ground.view());
        match (why, release) {
            _ if exit == Exit::Ready => self.ready(who, Why::Yielded(slot)),
            (Said::Sleeps(until), _) => self.sleep(who, until),
            (Said::EndsJob, Some(release)) => {
                self.ground.row_mut(who).state = State::Sleeping;
                self.due.push(Reverse((release, Due::Arrival(who))));
            }
            (Said::Waits, _) => self.ground.row_mut(who).state = State::Waiting,
            _ => self.ground.row_mut(who).state = State::Away,
        }
    }

    fn sleep(&mut self, who: Who, until: Time) {
        self.ground.row_mut(who).state = State::Sleeping;
        self.timers += 1;
        self.due.push(Reverse((until, Due::Timer(self.timers, who))));
    }

    /// An instance is done: others may start after it.
    fn release_dependents(&mut self) {
        let facts = self.ground.facts;
        // In the order of the file, not in that of arrival.
        self.held_back.sort_unstable();
        let (start, held): (Vec<Who>, Vec<Who>) =
            self.held_back.drain(..).partition(|who| facts.may_start(self.ground.rows[who.0 as usize].spec));
        self.held_back = held;
        for who in start {
            let (now, spec) = (self.ground.now, self.ground.row(who).spec);
            let periodic = self.ground.scenario.specs[spec].attributes.periodic.as_ref();
            if let (Some(job), Some(periodic)) = (&mut self.ground.row_mut(who).job, periodic) {
                job.restart(now, periodic);
            }
            self.ready(who, Why::Arrived);
        }
    }

    // Who is ready, and who gets a processor.

    /// An instance wants a processor.
    fn ready(&mut self, who: Who, why: Why) {
        let row = self.ground.row_mut(who);
        // What an instance waited for before it ever ran does not make it less new.
        let why = if why == Why::Woken && !row.has_run { Why::Arrived } else { why };
        self.is_ready(who);
        let name = self.ground.name(who);
        self.policy.ready(name, why, &self.ground.view());
    }

    fn is_ready(&mut self, who: Who) {
        self.ground.row_mut(who).state = State::Ready;
        self.waiting += 1;
        self.news = true;
        if self.traits.preemptive {
            self.fresh.push_back(who);
        }
    }

    /// Takes the processor from an instance that stays ready.
    fn put_off(&mut self, who: Who, slot: Slot, why: Why) {
        let spent = self.ground.worked(who);
        self.ground.row_mut(who).spent = spent;
        let ran = self.vacate(slot);
        self.is_ready(who);
        let name = self.ground.name(who);
        self.policy.put_off(name, slot, ran, why, &self.ground.view());
        match why {
            Why::Preempted(_) => self.fill(slot),
            _ if self.may_continue() => self.expired.push((slot, who)),
            _ => {}
        }
    }

    /// The processor is free. How long was the turn?
    fn vacate(&mut self, slot: Slot) -> Span {
        self.limits[slot.0 as usize] = None;
        self.vacated.push(slot);
        let turn = self.ground.turns[slot.0 as usize].take();
        turn.and_then(|turn| turn.began).map_or(Span::ZERO, |began| self.ground.now.since(began))
    }

    /// All that has happened is known: free processors, lowest number first, ask the policy; then newcomers may displace.
    pub(super) fn dispatch(&mut self) {
        if !self.expired.is_empty() {
            self.continue_expired();
        }
        let mut vacated = std::mem::take(&mut self.vacated);
        if !self.news {
            vacated.sort_unstable();
            vacated.into_iter().for_each(|slot| self.fill_if_free(slot));
        }
        while std::mem::take(&mut self.news) {
            self.ground.slots().for_each(|slot| self.fill_if_free(slot));
        }
        // One after the other: who stands aside is known only when it has said so.
        while !self.is_stopping()
            && let Some(who) = self.fresh.front().copied()
        {
            let is_ready = self.ground.row(who).state == State::Ready;
            let name = self.ground.name(who);
            match is_ready.then(|| self.policy.displaces(name, &self.ground.view())).flatten() {
                Some(slot) => self.stop(slot, Why::Preempted(slot)),
                None => _ = self.fresh.pop_front(),
            }
        }
    }

    /// Has somebody been told to stand aside, and not said so?
    pub(super) fn is_stopping(&self) -> bool {
        self.limits.iter().flatten().any(|limit| limit.stopping.is_some())
    }

    fn fill_if_free(&mut self, slot: Slot) {
        if self.waiting > 0 && self.ground.turn(slot).is_none() {
            self.fill(slot);
        }
    }

    /// Asks the policy for somebody for a free processor.
    fn fill(&mut self, slot: Slot) {
        let Some(picked) = self.policy.pick(slot, &self.ground.view()) else { return };
        self.waiting -= 1;
        let end = self.ground.scenario.scheduler.timer.end(picked.slice, self.ground.now);
        if let Slice::For(length) | Slice::Ticks { length, .. } = picked.slice {
            self.slices += 1;
            self.short_slices += u64::from(length < FINEST);
        }
        let who = self.ground.instance(picked.who);
        let row = self.ground.row_mut(who);
        (row.state, row.has_run) = (State::Running(slot), true);
        self.ground.turns[slot.0 as usize] = Some(Turn { who, began: None });
        self.limits[slot.0 as usize] = Some(Limit { slice: picked.slice, end, stopping: None });
        self.orders.push(Order::Go(who, slot));
    }

    /// Whoever has the processor is to stand aside.
    fn stop(&mut self, slot: Slot, why: Why) {
        if let (Some(limit), Some(turn)) = (&mut self.limits[slot.0 as usize], self.ground.turn(slot))
            && limit.stopping.is_none()
        {
            limit.stopping = Some(why);
            self.orders.push(Order::Stop(turn.who));
        }
    }
}
