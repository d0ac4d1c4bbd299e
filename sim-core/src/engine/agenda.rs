//! What will happen, apart from what is due to who is on a processor: arrivals, releases of jobs, timers, services, and ends
//! of shares of devices.
//!
//! Nothing is ever cancelled but services and timers that are given up. The order within one instant is that in the module documentation of [`super`]: arrivals in the
//! order of the file, a task before its jobs; then timers and services in the order in which they were started.

use std::cmp::{Ordering, Reverse};
use std::collections::{BTreeSet, BinaryHeap};

use super::tournament::Tournament;
use crate::ids::{DeviceId, Id as _, ProcessId, SpecId, TaskId, ThreadId};
use crate::time::Time;

/// All that will happen.
pub(super) struct Agenda {
    /// What happens once.
    events: BinaryHeap<Reverse<Pending>>,
    /// When the job is released for which each periodic instance waits: no more than one for each.
    releases: Tournament,
    /// Which instance that is, and of which task.
    released: Vec<(SpecId, TaskId)>,
    /// When the next request ends at each device whose requests share it.
    shares: Tournament,
    /// The numbers of those among the events that mean nothing any more. The first event of all does.
    vain: BTreeSet<u64>,
    /// Numbers the timers and services in the order in which they were started.
    started: u64,
    /// The earliest of all, or, while the events of an instant are being taken, that instant.
    next: Time,
}

/// An event: when, its rank within that instant, and what.
///
/// The rank of an arrival is its place in the file, that of a timer or service the order in which it was started, after
/// all arrivals.
#[derive(Clone, Copy, Debug)]
struct Pending {
    at: Time,
    rank: u64,
    event: Event,
}

impl Pending {
    /// When, and in which order then, as one number. Events of one instant that have the same rank are the same.
    #[inline]
    fn place(&self) -> u128 {
        u128::from(self.at.ns()) << 64 | u128::from(self.rank)
    }
}

impl Ord for Pending {
    #[inline]
    fn cmp(&self, other: &Pending) -> Ordering {
        self.place().cmp(&other.place())
    }
}

impl PartialOrd for Pending {
    #[inline]
    fn partial_cmp(&self, other: &Pending) -> Option<Ordering> {
        Some(self.cmp(other))
    }
    #[inline]
    fn le(&self, other: &Pending) -> bool {
        self.place() <= other.place()
    }
}

impl PartialEq for Pending {
    #[inline]
    fn eq(&self, other: &Pending) -> bool {
        self.place() == other.place()
    }
}

impl Eq for Pending {}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Event {
    /// The next instances of a task arrive.
    Arrival(SpecId),
    /// The next job of a periodic instance is released; in the order of arrivals.
    Release(TaskId),
    /// A sleeping task's timer rings.
    Timer(TaskId),
    /// A thread has been started.
    Started(ThreadId),
    /// Somebody has waited for the interpreter lock as long as it meant to.
    Deadline(ThreadId),
    /// A worker of a pool has been idle for as long as it stays.
    Idle(ThreadId),
    /// A worker that waits for timers wakes.
    Look(ProcessId),
    /// A device has served a task's request.
    Served(TaskId),
}

/// Ranks from here on are those of timers and services.
const AFTER_ALL_ARRIVALS: u64 = 1 << 32;

impl Agenda {
    /// Nothing yet, for so many devices and periodic instances.
    pub(super) fn new(devices: usize, periodic: usize) -> Agenda {
        Agenda {
            events: BinaryHeap::new(),
            releases: Tournament::new(periodic),
            released: vec![(SpecId::NONE, TaskId::NONE); periodic],
            shares: Tournament::new(devices),
            vain: BTreeSet::new(),
            started: AFTER_ALL_ARRIVALS,
            next: Time::NEVER,
        }
    }

    /// When something happens next.
    #[inline]
    pub(super) fn next(&self) -> Time {
        self.next
    }

    // What is put on it.

    /// Instances of the task arrive then.
    pub(super) fn arrive(&mut self, spec: SpecId, at: Time) {
        self.push(at, u64::from(spec.0), Event::Arrival(spec));
    }

    /// A timer or a service that starts now ends then. Its number is told.
    #[inline]
    pub(super) fn end(&mut self, event: Event, at: Time) -> u64 {
        let rank = self.next_number();
        self.push(at, rank, event);
        rank
    }

    /// What was to end under this number does not: it has been given up.
    #[cold]
    pub(super) fn forget(&mut self, number: u64) {
        self.vain.insert(number);
        self.look_ahead();
    }

    #[cold]
    fn drop_vain(&mut self) {
        while let Some(first) = self.events.peek()
            && self.vain.remove(&first.0.rank)
        {
            self.events.pop();
        }
    }

    /// Something that was given this number when it started ends then.
    pub(super) fn end_at(&mut self, number: u64, event: Event, at: Time) {
        debug_assert!(number >= AFTER_ALL_ARRIVALS);
        self.push(at, number, event);
    }

    /// The number of a service that starts now.
    #[inline]
    pub(super) fn next_number(&mut self) -> u64 {
        self.started += 1;
        self.started - 1
    }

    #[inline]
    fn push(&mut self, at: Time, rank: u64, event: Event) {
        self.events.push(Reverse(Pending { at, rank, event }));
        self.next = self.next.min(at);
    }

    /// The job for which a periodic instance, the `number`th of all, waits is released then.
    pub(super) fn release(&mut self, number: usize, (spec, task): (SpecId, TaskId), at: Time) {
        self.released[number] = (spec, task);
        self.releases.set(number, at);
        self.next = self.next.min(at);
    }

    /// The next of the requests that share the device ends then.
    pub(super) fn end_share(&mut self, device: DeviceId, at: Time) {
        self.shares.set(device.index(), at);
        self.look_ahead();
    }

    // What is due.

    /// When the next of the requests ends that share a device.
    #[inline]
    pub(super) fn next_share(&self) -> Time {
        self.shares.earliest()
    }

    /// The devices whose requests end now that share them.
    pub(super) fn shares_due(&self, now: Time) -> Vec<u32> {
        let mut due = Vec::new();
        self.shares.list_due(now, &mut due);
        due
    }

    /// The next event of this instant. When there is none any more, what is next of all is looked for.
    #[expect(clippy::inline_always, reason = "it is asked once more than there are events, and that is mostly twice")]
    #[inline(always)]
    pub(super) fn take(&mut self, now: Time) -> Option<Event> {
        if !self.vain.is_empty() {
            self.drop_vain();
        }
        if self.releases.earliest() <= now
            && let Some(task) = self.take_release(now)
        {
            return Some(Event::Release(task));
        }
        if self.events.peek().is_some_and(|pending| pending.0.at <= now) {
            return self.events.pop().map(|pending| pending.0.event);
        }
        self.look_ahead();
        None
    }

    /// Forgets the next event if it means nothing any more. Did it?
    #[cold]
    pub(super) fn forgets(&mut self, mut means_nothing: impl FnMut(Event, Time) -> bool) -> bool {
        let next = self.next;
        let mut is_first = |pending: &Pending| pending.at == next && means_nothing(pending.event, pending.at);
        let forgets = self.events.peek().is_some_and(|pending| is_first(&pending.0));
        if forgets {
            self.events.pop();
            self.look_ahead();
        }
        forgets
    }

    /// The next job that is released, if that comes before all other events.
    fn take_release(&mut self, now: Time) -> Option<TaskId> {
        let number = self.releases.first_due(now)?;
        let (spec, task) = self.released[number];
        let next = self.events.peek();
        let first = next.is_none_or(|next| next.0.at > now || u64::from(spec.0) < next.0.rank);
        first.then(|| {
            self.releases.set(number, Time::NEVER);
            task
        })
    }

    /// Takes the next arrival of the same task, if nothing comes before it: instances that arrive together are taken
    /// together.
    pub(super) fn take_another(&mut self, arrival: SpecId, now: Time) -> bool {
        let event = Event::Arrival(arrival);
        let is_next = self.events.peek().is_some_and(|next| next.0.event == event && next.0.at == now);
        if is_next {
            self.events.pop();
        }
        is_next
    }

    #[inline]
    fn look_ahead(&mut self) {
        if !self.vain.is_empty() {
            self.drop_vain();
        }
        let event = self.events.peek().map_or(Time::NEVER, |pending| pending.0.at);
        self.next = event.min(self.releases.earliest()).min(self.shares.earliest());
    }
}
