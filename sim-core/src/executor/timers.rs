//! The timers of event loops: when they ring, when a thread that waits for them learns of it, and what is made of them.
//!
//! - A timer rings at the first multiple of `timer` since its runtime was made, `epoch` before the start of the run, at which
//!   its time is up. Zero: exactly when it is up.
//! - A thread that has nothing to do waits for the timer that rings next. With `park = "exact"` it wakes when that rings. With
//!   `park = "whole-steps"` it waits for so many whole steps as lie between the step in which it begins to wait and the one at
//!   which the timer rings: so it is late by as much of its step as was over when it began. A timer that somebody else sets
//!   meanwhile lets it begin anew if it rings before the thread would wake. Who has tasks to run, and looks at its driver
//!   in between, learns of whatever has rung by then.
//! - With `park = "whole-ms"` it waits for whole milliseconds, whatever `timer` is: the time until the next timer rings, rounded up,
//!   from when it begins to wait. Then it runs whatever is due. It never waits for longer than a day at once.
//!   Of 9, 13, 18, 26, 36, 52, … milliseconds it waits for one more: see [`waits`].
//! - What rings far ahead is kept by blocks of 64 steps, of 64 such blocks, and so on: a waiting thread wakes at the beginning
//!   of the block, and waits anew. It does so in no time here; it tells when a timer is set "before the thread would wake".
//!
//! Sources: `runtime/time` of tokio 1.54 (`Driver::park_internal`, `wheel`). Whole milliseconds: CPython 3.11, 3.12 and 3.13,
//! `Lib/selectors.py` (`EpollSelector.select`: `math.ceil(timeout * 1e3) * 1e-3`), `Modules/selectmodule.c` (`epoll.poll` rounds
//! to nanoseconds, then to milliseconds, up both times), `Lib/asyncio/base_events.py` (`MAXIMUM_SELECT_TIMEOUT`).

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
    /// When an idle thread wakes for them.
    pub park: Park,
    /// What they have to do with devices.
    pub devices: TimedDevices,
}

/// When an idle thread wakes that waits for a timer.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum Park {
    /// When it rings.
    #[default]
    Exact,
    /// After whole steps of the timers, from whenever it begins to wait.
    WholeSteps,
    /// After whole milliseconds, from whenever it begins to wait.
    WholeMs,
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
        self.park != Park::Exact || self.devices == TimedDevices::News
    }

    /// What is waited for may end so much later than it should, if there is somebody to notice.
    #[must_use]
    pub fn latest(&self) -> Span {
        match self.park {
            Park::Exact => self.step,
            Park::WholeSteps => self.step * 2,
            // It begins to wait, rounds up, and waits for one more.
            Park::WholeMs => self.step + MILLISECOND * 2,
        }
    }

    /// How much of its step is over then.
    fn over(&self, at: Time) -> Span {
        Span::from_ns(at.ns().saturating_add(self.epoch.ns()) % self.step.ns().max(1))
    }

    fn steps(&self, at: Time) -> u64 {
        at.ns().saturating_add(self.epoch.ns()) / self.step.ns().max(1)
    }
}

const MILLISECOND: Span = Span::from_ms(1);

const WHOLE_STEPS: &str = "whole-steps";
const WHOLE_MS: &str = "whole-ms";

/// How idle threads can wait at a driver whose timers have steps.
pub(super) const BY_STEPS: &[&str] = &["exact", WHOLE_STEPS];

/// The same for loops that can wait for milliseconds.
pub(super) const BY_ANY: &[&str] = &["exact", WHOLE_STEPS, WHOLE_MS];

/// Reads `timer`, `epoch`, `timed-devices` and `park`, which can be these.
pub(super) fn read(table: &mut Table<'_>, executor: &mut Executor, parks: &[&'static str]) {
    // Steps that are there but wrong still are some: what goes by them is not wrong too.
    let step = table.item("timer").map_or(Span::ZERO, |item| item.span().unwrap_or(MILLISECOND));
    let epoch = table.item("epoch").filter(|item| has_steps(item, step));
    let epoch = epoch.and_then(|item| item.span()).unwrap_or_default();
    let park = if parks.is_empty() { None } else { table.item("park") };
    let park = park.map_or(Park::Exact, |item| read_park(item, parks, step));
    if park == Park::WholeMs {
        executor.own_rules.push("park");
    }
    // Who waits for whole milliseconds may learn of requests by timers that have no steps.
    let is_news =
        |item: &Item<'_>| park == Park::WholeMs && matches!(item.kind(), Kind::Text(_) | Kind::Boolean(false));
    let devices = table.item("timed-devices").filter(|item| is_news(item) || has_steps(item, step));
    let devices = devices.map_or(TimedDevices::Exact, timed_devices);
    executor.timers = Timers { step, epoch, park, devices };
}

/// Has the parameter a meaning, since timers have steps? What follows from `rules` means nothing to timers that are exact.
fn has_steps(item: &Item<'_>, step: Span) -> bool {
    if step.is_zero() && item.spot() != Spot::WHOLE {
        let sentence = format!("{} goes by the steps of `timer`, and there is no `timer`", item.name());
        item.wrong(sentence, "add timer = \"1ms\"");
    }
    !step.is_zero()
}

fn read_park(item: Item<'_>, parks: &[&'static str], step: Span) -> Park {
    let is_whole_ms = matches!(item.kind(), Kind::Text(text) if text == WHOLE_MS);
    if !is_whole_ms && !has_steps(&item, step) {
        return Park::Exact;
    }
    match item.one_of(parks).map(|index| parks[index]) {
        Some(WHOLE_MS) => Park::WholeMs,
        Some(WHOLE_STEPS) => Park::WholeSteps,
        _ => Park::Exact,
    }
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
    /// When those ring that nobody has noticed yet, those that were cancelled among them.
    set: BinaryHeap<Reverse<Time>>,
    cancelled: BinaryHeap<Reverse<Time>>,
    /// Since when somebody waits for them.
    since: Option<Time>,
    /// How many timers have rung while nobody noticed.
    missed: usize,
    /// When who waits for whole milliseconds wakes, since the first timer has rung that it waits for.
    wakes: Option<Time>,
}

impl Watch {
    pub(super) fn new(timers: Timers) -> Watch {
        // A loop that waits for whole milliseconds does so from the start, for whoever arrives.
        let since = Some(Time::ZERO).filter(|_| timers.park == Park::WholeMs);
        Watch { timers, set: BinaryHeap::new(), cancelled: BinaryHeap::new(), since, missed: 0, wakes: None }
    }

    /// A thread begins to wait.
    pub(super) fn begins(&mut self, now: Time) {
        if self.timers.park != Park::Exact {
            self.since = Some(now);
        }
    }

    /// Do tasks arrive by timers of their loop?
    pub(super) fn has_arrivals(&self) -> bool {
        self.timers.park == Park::WholeMs
    }

    /// Somebody looks which timers have rung; nobody waits for them now.
    pub(super) fn looks(&mut self, now: Time) {
        if self.timers.park != Park::Exact {
            (self.since, self.missed, self.wakes) = (None, 0, None);
            while self.set.pop_if_rung(now) {}
            while self.cancelled.pop_if_rung(now) {}
        }
    }

    /// A task has set a timer that rings then. `now`: just now, as far as the runtime can see.
    pub(super) fn is_set(&mut self, ring: Time, now: Option<Time>) {
        match self.timers.park {
            Park::Exact => return,
            // It learns of it at once, and begins to wait anew.
            Park::WholeMs => {
                self.since = self.since.map(|since| now.unwrap_or(since));
                return;
            }
            Park::WholeSteps => {}
        }
        while self.cancelled.peek().is_some_and(|next| self.set.peek() == Some(next)) {
            self.set.pop();
            self.cancelled.pop();
        }
        if let (Some(since), Some(now)) = (&mut self.since, now) {
            let wakes = self.set.peek().map(|next| block(self.timers.steps(now), self.timers.steps(next.0)));
            if wakes.is_none_or(|wakes| self.timers.steps(ring) < wakes) {
                *since = now;
            }
        }
        self.set.push(Reverse(ring));
    }

    /// A timer that was to ring then is none any more.
    pub(super) fn is_cancelled(&mut self, ring: Time) {
        if self.timers.park == Park::WholeSteps {
            self.cancelled.push(Reverse(ring));
        }
    }

    /// A timer rings. If nobody notices, because who waits wakes only later: when is that?
    pub(super) fn misses(&mut self, now: Time) -> Option<Time> {
        let wakes = self.learns(now)?;
        self.missed += 1;
        Some(wakes)
    }

    /// When does who waits learn of a timer that rings now, if that is later?
    pub(super) fn learns(&mut self, now: Time) -> Option<Time> {
        let since = self.since?;
        let wakes = match self.timers.park {
            Park::WholeMs => *self.wakes.get_or_insert_with(|| since + waits(now.since(since))),
            _ => now + self.timers.over(since),
        };
        (wakes > now).then_some(wakes)
    }

    /// How many timers have rung that nobody has noticed?
    pub(super) fn missed(&self) -> usize {
        self.missed
    }

    /// Who waits wakes, unless it has done so and waits again: whatever has rung is noticed.
    pub(super) fn wakes(&mut self, now: Time) {
        if self.timers.park == Park::WholeSteps || self.wakes.is_some_and(|wakes| wakes <= now) {
            self.missed = 0;
        }
    }
}

/// How long a loop waits that has nothing to do for that long: whole milliseconds, rounded up.
///
/// Python makes seconds of them, and these make nanoseconds, rounded up, and those milliseconds, rounded up: where a thousandth
/// of a number is above what it should be by the last digit, as it is for 9, one more.
fn waits(length: Span) -> Span {
    /// It does not wait for longer at once.
    const MOST: u64 = 24 * 3600 * 1000;
    let whole = length.ns().div_ceil(MILLISECOND.ns());
    let (days, rest) = (whole.saturating_sub(1) / MOST, whole - whole.saturating_sub(1) / MOST * MOST);
    MILLISECOND * (days * MOST + rest + u64::from(is_one_more(rest)))
}

#[expect(clippy::cast_precision_loss, reason = "up to a day, in milliseconds or nanoseconds, is exact")]
fn is_one_more(milliseconds: u64) -> bool {
    let seconds = milliseconds as f64 * 1e-3;
    seconds * 1e9 > (milliseconds * 1_000_000) as f64
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
        Timers { step, epoch, park: Park::WholeSteps, devices: TimedDevices::News }
    }

    #[test]
    fn whole_milliseconds_are_rounded_up_and_some_are_one_more() {
        let ms = |us: u64| waits(Span::from_us(us)).ns() / 1_000_000;
        assert_eq!([0, 1, 999, 1000, 1001, 1800, 9800].map(ms), [0, 1, 1, 1, 2, 2, 10]);
        let more: Vec<u64> = (1..120).filter(|whole| ms(whole * 1000) > *whole).collect();
        // `ceil(n * 1e-3 * 1e9) > n * 10 ** 6` in Python.
        assert_eq!(more, [9, 13, 18, 26, 36, 52, 59, 67, 71, 72, 87, 103, 104, 118, 119]);
        let day = 24 * 3600 * 1000;
        assert_eq!(ms((day + 2) * 1000), day + 2);
    }

    #[test]
    fn who_waits_for_whole_milliseconds_wakes_for_all_that_has_rung() {
        let mut watch = Watch::new(Timers { park: Park::WholeMs, ..Timers::default() });
        watch.begins(at(700));
        assert_eq!(watch.misses(at(2_500)), Some(at(2_700)));
        assert_eq!((watch.misses(at(2_600)), watch.misses(at(2_700)), watch.missed()), (Some(at(2_700)), None, 2));
        watch.wakes(at(2_650));
        assert_eq!(watch.missed(), 2, "not yet");
        watch.wakes(at(2_700));
        assert_eq!(watch.missed(), 0);
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
