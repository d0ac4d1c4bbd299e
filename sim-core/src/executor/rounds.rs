//! An event loop that goes by rounds, `event-interval = "round"`: asyncio's.
//!
//! Rules:
//!
//! - A round first looks at what has happened outside (served requests, arrivals, what other processes do), then at timers, and
//!   then runs as many as were ready by then, first come, first served. Whoever these wake, spawn or put back has its turn in the
//!   next round, also who yields (`await asyncio.sleep(0)`; `yield = "deferred"` reverses them as tokio does). There is no limit to
//!   how much a task does in its turn.
//! - What is noticed is a callback at the end of the round, which wakes the task: so the task comes behind all whom the tasks of
//!   this round have made ready, and has its turn in the next.
//! - Timers that are due are noticed in the order in which they are due. They are kept in a heap that compares nothing else, so of
//!   equal ones any may be first: here, the one that Python's `heapq` gives. Time goes on while tasks set timers: of two that are
//!   set at one instant and due at one instant, the one that was set later is due later.
//! - A timer that is cancelled, since what it was to end has come in time, stays in the heap until it is due.
//! - With `park = "whole-ms"` tasks arrive by timers that were set before the run: of equal ones they are first.
//! - A task that has nothing left to do but to end ends when it has its turn.
//! - With `park = "whole-ms"` an idle loop waits for whole milliseconds: see `timers.rs`.
//!
//! Source: `Lib/asyncio/base_events.py` (`BaseEventLoop._run_once`), `events.py` (`TimerHandle`), `futures.py` and `tasks.py`
//! (`__wakeup` is a callback of the future that a task waits for) of CPython 3.11.7, 3.12.1 and 3.13.0, which are alike in all
//! this; `Lib/heapq.py`. Cost: constant per operation, logarithmic per timer.
//!
//! ```text
//! A sleeps for 1 ms, B computes 1 ms and yields, over and over: the round at 1 ms is B's turn and A's callback, the next B and A
//! cpu 0 |BBBAB|
//! ```

use std::collections::{BTreeMap, VecDeque, btree_map};

use super::queue::{orders_by_ready, waits_by_watch};
use super::timers::Watch;
use super::{Looks, RunQueue, WokenBy};
use crate::policy::{Policy, Slot, Turn, View, Who, Why};
use crate::time::Time;

/// The queue of such a loop.
pub(super) struct Rounds {
    ready: Box<dyn RunQueue>,
    /// So many turns are left in this round.
    left: usize,
    /// Who could go on because of something outside, of which the loop does not know yet; with the reasons.
    events: VecDeque<(Who, Why)>,
    /// Whose callbacks run at the end of this round.
    noticed: Vec<(Who, Why)>,
    /// Who has yielded in this round, if they are put back when the loop looks.
    yielded: Vec<(Who, Why)>,
    defers: bool,
    timers: Heap,
    /// Whose timers have rung, so that the loop could see it.
    rung: BTreeMap<Who, Why>,
    /// How many have arrived by timers.
    arrived: i64,
    /// How the loop waits for timers.
    watch: Watch,
    /// What the loop has done since somebody asked.
    looks: Looks,
}

impl Rounds {
    pub(super) fn new(ready: Box<dyn RunQueue>, defers: bool, watch: Watch) -> Rounds {
        Rounds {
            ready,
            left: 0,
            events: VecDeque::new(),
            noticed: Vec::new(),
            yielded: Vec::new(),
            defers,
            timers: Heap::default(),
            rung: BTreeMap::new(),
            arrived: 0,
            watch,
            looks: Looks::default(),
        }
    }

    /// The callbacks of a round run, and the next begins.
    fn begins(&mut self, view: &View<'_>) {
        self.looks.looks += 1;
        self.watch.looks(view.now);
        let yielded = self.yielded.drain(..).rev();
        for (who, why) in self.noticed.drain(..).chain(yielded) {
            self.ready.ready(who, why, view);
        }
        self.noticed.extend(self.events.drain(..));
        self.notices_timers(view.now);
        self.looks.callbacks += u32::try_from(self.noticed.len()).unwrap_or(u32::MAX);
        self.left = self.ready.waiting();
    }

    fn notices_timers(&mut self, now: Time) {
        let mut not_yet = Vec::new();
        while let Some(timer) = self.timers.pop_if_due(now) {
            if self.timers.forgets(&timer) {
                continue;
            }
            if let Some(why) = self.rung.remove(&timer.who) {
                self.noticed.push((timer.who, why));
            } else if timer.when.0 == now {
                // It rings in a moment.
                not_yet.push(timer);
            }
        }
        not_yet.into_iter().for_each(|timer| self.timers.push(timer));
        // Of whom nobody said that they had set a timer.
        self.noticed.extend(std::mem::take(&mut self.rung));
    }
}

impl RunQueue for Rounds {
    fn woken(&mut self, who: Who, by: WokenBy, view: &View<'_>) {
        match by {
            WokenBy::Worker(_) => self.ready.woken(who, by, view),
            WokenBy::Timer => {
                self.rung.insert(who, Why::Woken);
            }
            WokenBy::Outside => self.events.push_back((who, Why::Woken)),
        }
    }

    fn timer_is_set(&mut self, who: Who, ring: Time, just_now: bool, view: &View<'_>) {
        self.timers.set(who, ring, view.now);
        self.watch.is_set(ring, just_now.then_some(view.now));
    }

    fn misses(&mut self, who: Who, now: Time) -> Option<Time> {
        let noticed = self.watch.misses(now)?;
        self.rung.insert(who, Why::Woken);
        Some(noticed)
    }

    fn timer_is_cancelled(&mut self, who: Who, ring: Time) {
        *self.timers.cancelled.entry((who, ring)).or_default() += 1;
        self.watch.is_cancelled(ring);
    }

    fn is_about_to_look(&self, _: Slot) -> bool {
        self.left == 0
    }

    fn misses_arrival(&mut self, now: Time) -> Option<Time> {
        if self.watch.has_arrivals() { self.watch.misses(now) } else { None }
    }

    waits_by_watch!();
}

impl Policy for Rounds {
    fn ready(&mut self, who: Who, why: Why, view: &View<'_>) {
        match why {
            Why::Arrived if self.watch.has_arrivals() => {
                self.timers.push(Timer { when: (view.now, i64::MIN + self.arrived), who });
                self.rung.insert(who, why);
                self.arrived += 1;
            }
            Why::Arrived => self.events.push_back((who, why)),
            Why::Yielded(_) if self.defers => self.yielded.push((who, why)),
            _ => self.ready.ready(who, why, view),
        }
    }

    fn pick(&mut self, slot: Slot, view: &View<'_>) -> Option<Turn> {
        loop {
            if self.left == 0 {
                self.begins(view);
            }
            if self.left > 0 {
                self.left -= 1;
                return self.ready.pick(slot, view);
            }
            if self.noticed.is_empty() {
                self.looks = Looks::default();
                self.watch.begins(view.now);
                return None;
            }
        }
    }

    /// It has its turn in this round, before all others of that.
    fn is_next(&mut self, who: Who, slot: Slot, view: &View<'_>) {
        self.ready.is_next(who, slot, view);
        self.left = self.ready.waiting().min(self.left + 1);
    }

    fn waiting(&self) -> usize {
        self.ready.waiting() + self.events.len() + self.noticed.len() + self.yielded.len() + self.rung.len()
    }

    orders_by_ready!();
}

/// A timer, and when it is due: at that time, and as the so many-th of those that were set at one instant.
#[derive(Clone, Copy, Debug)]
struct Timer {
    when: (Time, i64),
    who: Who,
}

/// Python's `heapq`, step by step: which of equal timers comes first is a matter of its steps.
#[derive(Default)]
struct Heap {
    timers: Vec<Timer>,
    /// How many of them were cancelled, which stay where they are: whose they were, and when they would have rung.
    cancelled: BTreeMap<(Who, Time), u32>,
    /// When the last one was set, and the how many-th at that instant it was.
    last_set: Option<(Time, i64)>,
}

impl Heap {
    /// The task sets a timer now.
    fn set(&mut self, who: Who, ring: Time, now: Time) {
        let before = self.last_set.filter(|(at, _)| *at == now);
        let number = before.map_or(0, |(_, number)| number + 1);
        self.last_set = Some((now, number));
        self.push(Timer { when: (ring, number), who });
    }

    /// `heapq.heappush`.
    fn push(&mut self, timer: Timer) {
        self.timers.push(timer);
        self.sift_down(0, self.timers.len() - 1);
    }

    /// Was the timer, which has been taken out, cancelled? Nobody asks for it again.
    fn forgets(&mut self, timer: &Timer) -> bool {
        let btree_map::Entry::Occupied(mut entry) = self.cancelled.entry((timer.who, timer.when.0)) else {
            return false;
        };
        *entry.get_mut() -= 1;
        if *entry.get() == 0 {
            entry.remove();
        }
        true
    }

    /// `heapq.heappop`, if the first is due.
    fn pop_if_due(&mut self, now: Time) -> Option<Timer> {
        if self.timers.first().is_none_or(|timer| timer.when.0 > now) {
            return None;
        }
        let last = self.timers.pop()?;
        let Some(first) = self.timers.first_mut() else { return Some(last) };
        let first = std::mem::replace(first, last);
        self.sift_up();
        Some(first)
    }

    /// `heapq._siftdown`: moves the one at `place` towards the root until its parent is not greater.
    fn sift_down(&mut self, root: usize, mut place: usize) {
        let new = self.timers[place];
        while place > root {
            let parent = (place - 1) / 2;
            if new.when >= self.timers[parent].when {
                break;
            }
            self.timers[place] = self.timers[parent];
            place = parent;
        }
        self.timers[place] = new;
    }

    /// `heapq._siftup` of the root: the smaller child moves up until a leaf is reached, and the root goes from there to its place.
    fn sift_up(&mut self) {
        let (end, new) = (self.timers.len(), self.timers[0]);
        let (mut place, mut child) = (0, 1);
        while child < end {
            let right = child + 1;
            if right < end && self.timers[child].when >= self.timers[right].when {
                child = right;
            }
            self.timers[place] = self.timers[child];
            place = child;
            child = 2 * place + 1;
        }
        self.timers[place] = new;
        self.sift_down(0, place);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Timers that ring at these times, each set at an instant of its own, and the order in which they come.
    fn order(rings: &[u64]) -> Vec<u32> {
        let mut heap = Heap::default();
        for (number, ring) in (0_u32..).zip(rings) {
            heap.set(Who(number), Time::from_ns(100 + ring), Time::from_ns(number.into()));
        }
        std::iter::from_fn(|| heap.pop_if_due(Time::from_ns(u64::MAX))).map(|timer| timer.who.0).collect()
    }

    #[test]
    fn equal_timers_come_as_heapq_has_them() {
        // As `heapq` of CPython 3.13 gives objects that compare by these numbers alone.
        assert_eq!(order(&[5, 5, 5, 5]), [0, 2, 1, 3]);
        assert_eq!(order(&[7, 3, 3, 7, 3, 3, 7, 7]), [1, 2, 5, 4, 7, 6, 0, 3]);
    }

    #[test]
    fn of_timers_that_are_set_at_one_instant_the_later_one_is_due_later() {
        let mut heap = Heap::default();
        (0..6).for_each(|number| heap.set(Who(number), Time::from_ns(9), Time::ZERO));
        let order = std::iter::from_fn(|| heap.pop_if_due(Time::from_ns(9))).map(|timer| timer.who.0);
        assert_eq!(order.collect::<Vec<_>>(), [0, 1, 2, 3, 4, 5]);
    }
}
