//! The thread that dispatches: it reads what the threads tell, watches the clock, asks the desk, and passes on what that orders.
//!
//! On a processor of its own it stays awake while anybody runs, so that what happens is seen at once and a slice ends when it
//! ends: who sleeps, even if woken in good time, is slow at first. But who never sleeps in a real-time class is stopped by the
//! kernel for long; so it owes others their share of the processor, and pays when nothing is to be expected. Where it has to
//! share the measured processors it sleeps until something is due or somebody rings, and being the most urgent takes the
//! processor for a few microseconds then.

use std::collections::HashMap;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release, SeqCst};

use sim_core::ids::SpecId;
use sim_core::policy::Who;
use sim_core::time::{Span, Time};

use super::desk::{Desk, Order, Said};
use super::floor::{Burst, Facts};
use super::{Dispatch, GO, HALT, LETTERS, News};
use crate::play::world::World;
use crate::sys;

/// The dispatcher is awake at least so long before something is to be expected.
const EARLY: u64 = 1_000_000;

/// For so long awake it owes others one: more than the twentieth part that the kernel wants for ordinary threads.
const SHARE: u64 = 16;

/// It sleeps for so long at a time when it pays…
const NAP: u64 = 1_000_000;

/// … as soon as it owes half of that and nothing is to be expected meanwhile; and whatever may happen when it owes so much.
const MOST_OWED: u64 = 5 * NAP;

/// Where all processors are free, whoever is next is woken so long before its time, and waits for that awake: to wake on a
/// processor that has nothing to do takes some 40 us.
const LEAD: u64 = 80_000;

/// A thread that was given a processor and has not been seen there is looked for again after so long.
const LOOK_AGAIN: u64 = 20_000;

/// Dispatches until the run is over.
pub(crate) fn run(world: &World, dispatch: &Dispatch) {
    let Some(start) = world.await_start() else { return };
    let facts = Told { world, dispatch, start };
    let arrivals = (0..world.fixed()).map(|id| {
        let (spec, instance) = world.identity(id);
        (spec, instance, Time::from_ns(world.offset(id)))
    });
    let desk = Desk::new(&world.scenario, &facts, arrivals);
    let (undecided, awaits) = (Vec::new(), HashMap::new());
    let mut control =
        Control { world, dispatch, start, desk, undecided, awaits, read: 0, awake_since: sys::now(), owed: 0 };
    while !world.is_over() {
        let now = sys::now();
        if now + LEAD >= start {
            control.look(now);
        }
        control.rest(now);
    }
    let end = world.board().deadline.load(SeqCst).min(sys::now());
    dispatch.halls[0].short_slices.store(u32::from(control.desk.slices_are_short()), Release);
    let jobs = control.desk.finish(Time::from_ns(end.saturating_sub(start)));
    world.set_jobs(jobs);
}

struct Control<'a> {
    world: &'a World,
    dispatch: &'a Dispatch,
    /// The start of the run.
    start: u64,
    desk: Desk<'a>,
    /// Who has said something and has not been told what becomes of it.
    undecided: Vec<Who>,
    /// What each instance waits for that waited last for others.
    awaits: HashMap<Who, News>,
    /// How many letters were read.
    read: u64,
    /// When it slept last.
    awake_since: u64,
    /// How long it owed others the processor then.
    owed: u64,
}

impl Control<'_> {
    /// Reads all there is to read, and lets the desk decide.
    fn look(&mut self, now: u64) {
        let was_told = self.sees_who_began() | self.reads();
        let (mut time, due) = (self.time(now), self.desk.next_due());
        if due > time && due.since(time).ns() <= self.lead() {
            time = due;
        }
        if was_told || due <= time {
            self.desk.advance(time);
            self.desk.dispatch();
            self.pass_on(self.start + time.ns());
        }
    }

    /// How long before its time whoever comes next is woken.
    fn lead(&self) -> u64 {
        if self.desk.is_idle() { LEAD } else { 0 }
    }

    fn time(&self, at: u64) -> Time {
        Time::from_ns(at.saturating_sub(self.start))
    }

    /// Those who were given a processor may have begun to run.
    fn sees_who_began(&mut self) -> bool {
        let seats = &self.dispatch.seats;
        let began = |who: &Who| seats[who.0 as usize].began.load(Acquire);
        let who: Vec<(Who, u64)> =
            self.desk.on_their_way().map(|who| (who, began(&who))).filter(|(_, at)| *at != 0).collect();
        for (who, at) in &who {
            let at = self.time(*at);
            self.desk.began(*who, at);
        }
        !who.is_empty()
    }

    /// Reads the letters that are there.
    fn reads(&mut self) -> bool {
        let before = self.read;
        loop {
            let letter = &self.dispatch.letters[usize::try_from(self.read % LETTERS).unwrap_or(0)];
            if letter.written.load(SeqCst) != self.read + 1 {
                return self.read != before;
            }
            let who = Who(letter.who.load(Relaxed));
            let news = News::decode(letter.kind.load(Relaxed), letter.more.load(Relaxed));
            let at = self.time(letter.at.load(Relaxed));
            self.read += 1;
            self.dispatch.halls[0].read.store(self.read, Release);
            self.hears(who, news, at);
        }
    }

    fn hears(&mut self, who: Who, news: News, at: Time) {
        if matches!(news, News::AwaitsWord | News::AwaitsChildren(_)) {
            self.awaits.insert(who, news);
        }
        let said = match news {
            News::StandsAside => Said::StandsAside,
            News::Yields => Said::Yields,
            News::Sleeps(until) => Said::Sleeps(self.time(until)),
            News::AwaitsWord | News::AwaitsChildren(_) => Said::Waits,
            News::EndsJob => Said::EndsJob,
            News::Finishes => Said::Finishes,
            News::Woken => {
                if !self.waits_on(who) {
                    self.desk.woken(who, at);
                }
                return;
            }
            News::Spawned(by) => {
                let by = Who(u32::try_from(by).unwrap_or(u32::MAX));
                return self.desk.spawned(who, self.world.identity(who.0 as usize), by, at);
            }
            News::Changed => return self.desk.changed(who, at),
        };
        self.undecided.push(who);
        self.desk.said(who, said, at);
        if said == Said::EndsJob {
            let release = self.start.saturating_add(self.desk.release_of(who).ns());
            self.dispatch.seats[who.0 as usize].release.store(release, Release);
        }
        // Who was to wake it may have looked before it said that it waits.
        if said == Said::Waits && !self.waits_on(who) {
            self.desk.woken(who, at);
        }
    }

    /// Has the instance to wait for others still?
    fn waits_on(&self, who: Who) -> bool {
        let id = who.0 as usize;
        let word = match self.awaits.get(&who) {
            Some(News::AwaitsChildren(_)) if self.world.objects.waiter(id).left().is_some() => None,
            Some(News::AwaitsChildren(spec)) => self.world.children_of(id, *spec),
            Some(_) => Some(&self.world.objects.waiter(id).word),
            None => None,
        };
        word.is_some_and(|word| word.load(SeqCst) != 0)
    }

    /// Who has a processor is let go, and who has none any more waits: in this order, so that the one runs at once; but
    /// nobody before `from`.
    fn pass_on(&mut self, from: u64) {
        for order in self.desk.orders() {
            match order {
                Order::Stop(who) => self.dispatch.seats[who.0 as usize].stop.store(1, SeqCst),
                Order::Go(who, slot) => {
                    let seat = &self.dispatch.seats[who.0 as usize];
                    seat.stop.store(0, SeqCst);
                    seat.began.store(0, SeqCst);
                    seat.from.store(from, SeqCst);
                    let (cpu, tid) = (self.world.plan.cpus[slot.0 as usize], seat.tid.load(Acquire));
                    if seat.cpu.swap(cpu, SeqCst) != cpu && tid != 0 {
                        let _ = sys::set_affinity_of(tid, &[cpu]);
                    }
                    seat.word.store(GO, SeqCst);
                    sys::futex_wake(&seat.word, 1);
                }
            }
        }
        for who in std::mem::take(&mut self.undecided) {
            let word = &self.dispatch.seats[who.0 as usize].word;
            let _ = word.compare_exchange(super::UNDECIDED, HALT, SeqCst, SeqCst);
        }
    }

    /// Until when has it nothing to do, as far as it knows?
    fn rests_until(&self, now: u64) -> u64 {
        let at = |time: Time| self.start.saturating_add(time.ns());
        if self.world.plan.spare.is_empty() {
            let due = at(self.desk.next_due()).saturating_sub(self.lead());
            let is_awaited = self.desk.on_their_way().next().is_some();
            return if is_awaited { due.min(now + LOOK_AGAIN) } else { due };
        }
        if self.desk.is_idle() {
            return at(self.desk.next_due()).saturating_sub(EARLY);
        }
        let quiet_until = at(self.desk.next_event()).saturating_sub(EARLY);
        match self.owes(now) {
            MOST_OWED.. => now + NAP,
            owed if owed > NAP / 2 && !self.desk.is_stopping() => quiet_until.min(now + NAP),
            _ => now,
        }
    }

    /// How long it owes others the processor.
    fn owes(&self, now: u64) -> u64 {
        self.owed + now.saturating_sub(self.awake_since) / SHARE
    }

    /// Until something is due, or somebody tells something.
    fn rest(&mut self, now: u64) {
        let until = self.rests_until(now);
        if until <= now {
            std::hint::spin_loop();
            return;
        }
        let hall = &self.dispatch.halls[0];
        let bell = hall.bell.load(SeqCst);
        hall.asleep.store(1, SeqCst);
        let letter = &self.dispatch.letters[usize::try_from(self.read % LETTERS).unwrap_or(0)];
        if letter.written.load(SeqCst) != self.read + 1 && !self.world.is_over() {
            sys::futex_wait(&hall.bell, bell, until.min(self.world.board().deadline.load(Relaxed)));
        }
        hall.asleep.store(0, SeqCst);
        let woken = sys::now();
        (self.owed, self.awake_since) = (self.owes(now).saturating_sub(woken - now), woken);
    }
}

/// What the threads have written down.
struct Told<'a> {
    world: &'a World,
    dispatch: &'a Dispatch,
    start: u64,
}

impl Facts for Told<'_> {
    fn burst(&self, who: Who) -> Burst {
        let seat = &self.dispatch.seats[who.0 as usize];
        let begun = seat.burst_at.load(Relaxed);
        let begun = (begun != 0).then(|| Time::from_ns(begun.saturating_sub(self.start)));
        let span = |what: &AtomicU64| Span::from_ns(what.load(Relaxed));
        Burst { length: span(&seat.burst), ahead: span(&seat.ahead), begun }
    }

    fn taken(&self, who: Who) -> Span {
        Span::from_ns(self.dispatch.seats[who.0 as usize].taken.load(Relaxed))
    }

    fn lender(&self, who: Who) -> Option<SpecId> {
        let (id, plan) = (who.0 as usize, &self.world.plan);
        let urgency = self.world.objects.waiter(id).urgency();
        let (own, _) = self.world.identity(id);
        (urgency != plan.urgency[own])
            .then(|| plan.urgency.pairs().find(|(_, of)| **of == urgency).map(|(spec, _)| spec))?
    }

    fn may_start(&self, spec: SpecId) -> bool {
        self.world.may_begin(spec)
    }
}
