//! The timers of event loops: when they ring, when a thread that waits for them learns of it, and what is made of them.
//!
//! - A timer rings at the first multiple of `timer` since its runtime was made, `epoch` before the start of the run, at which
//!   its time is up. Zero: exactly when it is up.
//! - A thread that has nothing to do waits for the timer that rings next. With `park = "exact"` it wakes when that rings. With
//!   `park = "whole-steps"` it waits for so many whole steps as lie between the step in which it begins to wait and the one at
//!   which the timer rings: so it is late by as much of its step as was over when it began. A timer that somebody else sets
//!   meanwhile lets it begin anew if it rings before the thread would wake. Who has tasks to run, and looks at its driver
//!   in between, learns of whatever has rung by then.
//! - What rings far ahead is kept by blocks of 64 steps, of 64 such blocks, and so on: a waiting thread wakes at the beginning
//!   of the block, and waits anew. It does so in no time here; it tells when a timer is set "before the thread would wake".
//!
//! Source: `runtime/time` of tokio 1.54 (`Driver::park_internal`, `wheel`).

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::Executor;
use crate::document::{Item, Kind, Spot, Table};
use crate::time::{Span, Time};

/// The timers of a runtime.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Timers {
    /// They ring at multiples of this; zero: exactly when their time is up.
    pub step: Span,
    /// So long before the start of the run they begin to count.
    pub epoch: Span,
    /// Does an idle thread wait for whole steps, from whenever it begins to wait?
    pub in_whole_steps: bool,
    /// What they have to do with devices.
    pub devices: TimedDevices,
}

/// What a runtime's timers have to do with devices whose requests end at a time that is known when they are made.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum TimedDevices {
    /// Nothing.
    #[default]
    Exact,
    /// Requests are made of timers: a channel is free when the timer rings.
    Rounded,
    /// A channel is free when the service is over, and the task learns of it by a timer.
    News,
}

impl Timers {
    /// When a timer rings whose time is up then.
    #[must_use]
    pub fn ring(&self, end: Time) -> Time {
        if self.step.is_zero() {
            return end;
        }
        let since_made = end.ns().checked_add(self.epoch.ns());
        let ring = since_made.and_then(|since_made| since_made.checked_next_multiple_of(self.step.ns()));
        ring.map_or(end, |ring| Time::from_ns(ring - self.epoch.ns()))
    }

    /// May a runtime learn later than it happens that a timer rings or a request is served?
    #[must_use]
    pub fn are_late(&self) -> bool {
        self.in_whole_steps || self.devices == TimedDevices::News
    }

    /// What is waited for may end so much later than it should, if there is somebody to notice.
    #[must_use]
    pub fn latest(&self) -> Span {
        if self.in_whole_steps { self.step * 2 } else { self.step }
    }

    /// How much of its step is over then.
    fn over(&self, at: Time) -> Span {
        Span::from_ns(at.ns().saturating_add(self.epoch.ns()) % self.step.ns().max(1))
    }

    fn steps(&self, at: Time) -> u64 {
        at.ns().saturating_add(self.epoch.ns()) / self.step.ns().max(1)
    }
}

/// Reads `timer`, `epoch`, `timed-devices` and, where idle threads wait at a driver, `park`.
pub(super) fn read(table: &mut Table<'_>, executor: &mut Executor, has_driver: bool) {
    let step = table.span("timer").unwrap_or_default();
    // What follows from `rules` means nothing to timers that are exact.
    let mut needs_steps = |key: &'static str| {
        let item = table.item(key)?;
        if step.is_zero() && item.spot() != Spot::WHOLE {
            item.wrong(format!("`{key}` goes by the steps of `timer`, and there is no `timer`"), "add timer = \"1ms\"");
        }
        Some(item).filter(|_| !step.is_zero())
    };
    let devices = needs_steps("timed-devices").map_or(TimedDevices::Exact, timed_devices);
    let epoch = needs_steps("epoch").and_then(|item| item.span()).unwrap_or_default();
    let park = if has_driver { needs_steps("park") } else { None };
    let in_whole_steps = park.and_then(|item| item.one_of(&["exact", "whole-steps"])) == Some(1);
    executor.timers = Timers { step, epoch, in_whole_steps, devices };
}

fn timed_devices(item: Item<'_>) -> TimedDevices {
    match item.kind() {
        Kind::Text(_) => match item.one_of(&["news"]) {
            Some(_) => TimedDevices::News,
            None => TimedDevices::Exact,
        },
        _ if item.boolean() == Some(true) => TimedDevices::Rounded,
        _ => TimedDevices::Exact,
    }
}

/// Somebody who waits for the timers of a runtime when there is nothing else to do.
#[derive(Debug)]
pub(super) struct Watch {
    timers: Timers,
    /// When those ring that nobody has noticed yet.
    set: BinaryHeap<Reverse<Time>>,
    /// Since when somebody waits for them.
    since: Option<Time>,
    /// How many timers have rung while nobody noticed.
    missed: usize,
}

impl Watch {
    pub(super) fn new(timers: Timers) -> Watch {
        Watch { timers, set: BinaryHeap::new(), since: None, missed: 0 }
    }

    /// A thread begins to wait.
    pub(super) fn begins(&mut self, now: Time) {
        if self.timers.in_whole_steps {
            self.since = Some(now);
        }
    }

    /// Somebody looks which timers have rung; nobody waits for them now.
    pub(super) fn looks(&mut self, now: Time) {
        if self.timers.in_whole_steps {
            (self.since, self.missed) = (None, 0);
            while self.set.pop_if_rung(now) {}
        }
    }

    /// A task has set a timer that rings then. `now`: just now, as far as the runtime can see.
    pub(super) fn is_set(&mut self, ring: Time, now: Option<Time>) {
        if !self.timers.in_whole_steps {
            return;
        }
        if let (Some(since), Some(now)) = (&mut self.since, now) {
            let wakes = self.set.peek().map(|next| block(self.timers.steps(now), self.timers.steps(next.0)));
            if wakes.is_none_or(|wakes| self.timers.steps(ring) < wakes) {
                *since = now;
            }
        }
        self.set.push(Reverse(ring));
    }

    /// A timer rings. If nobody notices, because who waits wakes only later: when is that?
    pub(super) fn misses(&mut self, now: Time) -> Option<Time> {
        let late = self.since.map(|since| self.timers.over(since)).filter(|late| !late.is_zero())?;
        self.missed += 1;
        Some(now + late)
    }

    /// How many timers have rung that nobody has noticed?
    pub(super) fn missed(&self) -> usize {
        self.missed
    }

    /// Who waits wakes: whatever has rung is noticed.
    pub(super) fn wakes(&mut self) {
        self.missed = 0;
    }
}

trait PopIfRung {
    fn pop_if_rung(&mut self, now: Time) -> bool;
}

impl PopIfRung for BinaryHeap<Reverse<Time>> {
    fn pop_if_rung(&mut self, now: Time) -> bool {
        self.peek().is_some_and(|next| next.0 <= now) && self.pop().is_some()
    }
}

/// The step at which a thread wakes that sees the step `now`, and waits for what rings at `ring`.
fn block(now: u64, ring: u64) -> u64 {
    /// Blocks are of 2 to the power of this of the blocks below.
    const BITS: u32 = 6;
    let level = (63 - ((now ^ ring) | ((1 << BITS) - 1)).leading_zeros()) / BITS;
    ring >> (level * BITS) << (level * BITS)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(us: u64) -> Time {
        Time::from_ns(us * 1000)
    }

    fn tokio() -> Timers {
        let (step, epoch) = (Span::from_ms(1), Span::from_us(50));
        Timers { step, epoch, in_whole_steps: true, devices: TimedDevices::News }
    }

    #[test]
    fn timers_ring_at_whole_steps_since_their_runtime_was_made() {
        assert_eq!([0, 1, 950, 951].map(|us| tokio().ring(at(us))), [950, 950, 950, 1950].map(at));
        assert_eq!(Timers::default().ring(at(951)), at(951));
        let never = Time::from_ns(u64::MAX);
        assert_eq!(tokio().ring(never), never);
    }

    #[test]
    fn who_waits_is_late_by_how_much_of_its_step_was_over() {
        let mut watch = Watch::new(tokio());
        watch.begins(at(1_250));
        watch.is_set(at(4_950), None);
        assert_eq!((watch.misses(at(4_950)), watch.missed()), (Some(at(5_250)), 1));
        watch.looks(at(5_250));
        assert_eq!((watch.misses(at(5_950)), watch.missed()), (None, 0), "nobody waits");
        watch.begins(at(5_950));
        assert_eq!(watch.misses(at(6_950)), None, "it began with a step");
    }

    #[test]
    fn who_waits_begins_anew_for_a_timer_that_rings_sooner() {
        let missed = |ring: u64| {
            let mut watch = Watch::new(tokio());
            watch.is_set(at(80_950), None);
            watch.begins(at(1_250));
            watch.is_set(at(ring), Some(at(2_450)));
            watch.misses(at(ring))
        };
        assert_eq!(missed(9_950), Some(at(10_450)));
        // It would have woken at the 64th step anyway.
        assert_eq!(missed(70_950), Some(at(71_250)));
    }

    #[test]
    fn blocks_are_of_64_steps_and_of_64_blocks() {
        let waits = [(0, 63, 63), (0, 64, 64), (0, 100, 64), (64, 100, 100), (0, 5000, 4096), (4096, 5000, 4992)];
        for (now, ring, wakes) in waits {
            assert_eq!(block(now, ring), wakes, "{now} {ring}");
        }
    }
}
