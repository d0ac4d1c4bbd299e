//! Devices whose discipline cannot say when a request will be served until later ones have come.
//!
//! Each has a thread that stands in for it, beside the measured ones, and runs the discipline of the simulator. Requests
//! come through shared memory, so that child processes can ask too, and with a stamp: [`Server`] goes by the stamps, not
//! by when its thread got to see them. So the device serves as if it were always awake, and only the news of the end of
//! a request comes late, by as long as a thread takes to wake.
//!
//! A simulated device chooses among all requests of an instant. For a real one an instant lasts a while ([`INSTANT`]): whose
//! request has ended, and who starts with others, cannot ask at that very nanosecond, but is meant to.

mod server;

use std::io;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};
use std::sync::atomic::{AtomicU32, AtomicU64};

use sim_core::device::Waiting;
use sim_core::ids::{DeviceId, Id as _, IdVec, TaskId};
use sim_core::scenario::Scenario;
use sim_core::time::{Span, Time};

use crate::play::shared::{Table, row};
use crate::play::sync::Latched;
use crate::play::world::World;
use crate::record::event::{Left, Service, instant};
use crate::sys;
use server::{Event, Limits, Server};

/// So long after a choice has come up all requests count as made when it came up: about as long as it takes a thread to
/// learn that its request has ended and to ask again, or several to start. The choice is made no later than when half of
/// the shortest service is over that is waited for, so that it keeps nobody waiting.
pub(crate) const INSTANT: Span = Span::from_us(250);

/// Does the device need somebody to stand in for it?
pub(crate) fn needs_server(scenario: &Scenario, device: DeviceId) -> bool {
    !scenario.devices[device].is_foreseen()
}

/// What an instance asks of a device.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wish {
    /// How long a service.
    pub(crate) service: Span,
    /// On which track.
    pub(crate) track: u32,
    /// When it gives up by itself: if it is not served by then; the largest number is never.
    pub(crate) until: u64,
    /// And if its service has not begun so long after it asked; [`Span::MAX`] is for ever.
    pub(crate) patience: Span,
}

/// The request of an instance: it has one at a time.
pub(crate) struct Ticket {
    next: AtomicU32,
    track: AtomicU32,
    service: AtomicU64,
    pub(crate) asked: AtomicU64,
    /// When it gives up.
    until: AtomicU64,
    patience: AtomicU64,
    /// When its loop has noticed that its time is up; 0 is not yet.
    withdrawn: AtomicU64,
    /// 1 if it has gone without being served, 2 if it was turned away; else 0.
    left: AtomicU32,
    /// When a channel took it; 0 is not yet.
    pub(crate) began: AtomicU64,
    /// How long the head is on its way to it.
    pub(crate) seek: AtomicU64,
    /// How much of a channel's time it received.
    pub(crate) received: AtomicU64,
    /// When it was served, or had gone; 0 is not yet.
    pub(crate) ended: AtomicU64,
}

row!(Ticket {
    next: AtomicU32,
    track: AtomicU32,
    service: AtomicU64,
    asked: AtomicU64,
    until: AtomicU64,
    patience: AtomicU64,
    withdrawn: AtomicU64,
    left: AtomicU32,
    began: AtomicU64,
    seek: AtomicU64,
    received: AtomicU64,
    ended: AtomicU64,
});

impl Ticket {
    /// Has it gone without being served? What it went without.
    pub(crate) fn left(&self, device: DeviceId) -> Option<Left> {
        match self.left.load(SeqCst) {
            0 => None,
            1 => Some(Left::Service(device)),
            _ => Some(Left::Room(device)),
        }
    }

    /// What instance `id`, whose it is, asks for; when it did; and until when.
    fn request(&self, id: usize) -> (Waiting, Time, Limits) {
        let task = TaskId(u32::try_from(id).unwrap_or(u32::MAX));
        let [service, asked, until, patience] =
            [&self.service, &self.asked, &self.until, &self.patience].map(|number| number.load(Relaxed));
        let request = Waiting { task, service: Span::from_ns(service), at: self.track.load(Relaxed) };
        let patience = asked.checked_add(patience).filter(|_| patience < Span::MAX.ns()).unwrap_or(u64::MAX);
        let limits = Limits { until: Time::from_ns(until), patience: Time::from_ns(patience) };
        (request, Time::from_ns(asked), limits)
    }

    /// What the log says of it beyond its times.
    pub(crate) fn served(&self) -> Service {
        let [seek, received] = [&self.seek, &self.received].map(|length| Span::from_ns(length.load(Relaxed)));
        Service { ended: instant(self.ended.load(Relaxed)), seek, received }
    }
}

/// Requests that the thread of a device has not seen yet, in the order of asking.
struct Inbox {
    latch: Latched,
    /// The last stamp.
    stamp: AtomicU64,
    /// Grows with every request.
    bell: AtomicU32,
    /// The first and the last, plus one.
    first: AtomicU32,
    last: AtomicU32,
    /// 1 if some have been withdrawn.
    withdrawn: AtomicU32,
}

row!(Inbox {
    latch: Latched,
    stamp: AtomicU64,
    bell: AtomicU32,
    first: AtomicU32,
    last: AtomicU32,
    withdrawn: AtomicU32
});

/// The ways to all devices of a run that have a thread.
pub(crate) struct Counters {
    inboxes: Table<Inbox>,
    tickets: Table<Ticket>,
    /// Which devices have one.
    have_thread: IdVec<DeviceId, bool>,
}

impl Counters {
    pub(crate) fn new(scenario: &Scenario, capacity: usize) -> io::Result<Counters> {
        let have_thread: IdVec<DeviceId, bool> =
            scenario.devices.ids().map(|device| needs_server(scenario, device)).collect();
        Ok(Counters { inboxes: Table::zeros(have_thread.len())?, tickets: Table::zeros(capacity)?, have_thread })
    }

    /// Does a thread stand in for the device?
    #[inline]
    pub(crate) fn stand_for(&self, device: DeviceId) -> bool {
        self.have_thread[device]
    }

    /// The request of an instance.
    pub(crate) fn ticket(&self, id: usize) -> &Ticket {
        &self.tickets[id]
    }

    /// Instance `id` asks the device; returns when.
    pub(crate) fn ask(&self, device: DeviceId, id: usize, wish: Wish) -> u64 {
        let (inbox, ticket) = (&self.inboxes[device.index()], &self.tickets[id]);
        ticket.track.store(wish.track, Relaxed);
        ticket.service.store(wish.service.ns(), Relaxed);
        ticket.until.store(wish.until, Relaxed);
        ticket.patience.store(wish.patience.ns(), Relaxed);
        for unknown in [&ticket.began, &ticket.seek, &ticket.received, &ticket.ended, &ticket.withdrawn] {
            unknown.store(0, Relaxed);
        }
        ticket.left.store(0, Relaxed);
        ticket.next.store(0, Relaxed);
        let name = u32::try_from(id + 1).unwrap_or(u32::MAX);
        let asked = inbox.latch.with(|| {
            let asked = sys::now().max(inbox.stamp.load(Relaxed) + 1);
            inbox.stamp.store(asked, Relaxed);
            ticket.asked.store(asked, Relaxed);
            let last = (inbox.last.swap(name, Relaxed) as usize).checked_sub(1);
            last.map_or(&inbox.first, |last| &self.tickets[last].next).store(name, Relaxed);
            asked
        });
        inbox.bell.fetch_add(1, SeqCst);
        sys::futex_wake(&inbox.bell, 1);
        asked
    }

    /// The loop of an instance, which waits for the device, has noticed that its time is up. The device has the last word.
    pub(crate) fn withdraw(&self, device: DeviceId, id: usize) {
        let inbox = &self.inboxes[device.index()];
        inbox.latch.with(|| {
            let at = sys::now().max(inbox.stamp.load(Relaxed) + 1);
            inbox.stamp.store(at, Relaxed);
            self.tickets[id].withdrawn.store(at, Relaxed);
            inbox.withdrawn.store(1, Relaxed);
        });
        inbox.bell.fetch_add(1, SeqCst);
        sys::futex_wake(&inbox.bell, 1);
    }

    /// Have some withdrawn what they asked for since this was asked last?
    fn were_withdrawn(&self, device: DeviceId) -> bool {
        self.inboxes[device.index()].withdrawn.swap(0, SeqCst) == 1
    }

    /// Takes what has come, in the order of asking: all requests with stamps up to now.
    fn collect(&self, device: DeviceId) -> Vec<usize> {
        let inbox = &self.inboxes[device.index()];
        inbox.latch.with(|| {
            inbox.last.store(0, Relaxed);
            let first = (inbox.first.swap(0, Relaxed) as usize).checked_sub(1);
            std::iter::successors(first, |id| (self.tickets[*id].next.load(Relaxed) as usize).checked_sub(1)).collect()
        })
    }

    /// Lets all threads of devices look whether the run is over.
    pub(crate) fn wake_all(&self) {
        self.inboxes.iter().for_each(|inbox| sys::futex_wake(&inbox.bell, i32::MAX));
    }
}

/// Stands in for a device until the run is over.
pub(crate) fn serve(world: &World, device: DeviceId) {
    let (counters, bell) = (&world.counters, &world.counters.inboxes[device.index()].bell);
    let urgency = |task: TaskId| world.plan.urgency[world.identity(task.index()).0];
    let mut server = Server::new(&world.scenario.devices[device]);
    loop {
        let heard = bell.load(SeqCst);
        // In this order: what was done before the end is seen, what is asked later has a later stamp, and nobody withdraws what it has
        // not asked for.
        let (over, now, withdrawn) = (world.is_over(), sys::now(), counters.were_withdrawn(device));
        for id in counters.collect(device) {
            let (request, asked, limits) = counters.ticket(id).request(id);
            server.comes(request, asked, limits, &urgency);
        }
        if withdrawn {
            let at = |task: TaskId| instant(counters.ticket(task.index()).withdrawn.load(Relaxed)).map(Time::from_ns);
            server.withdraw(&at, &urgency);
        }
        let deadline = world.board().deadline.load(SeqCst);
        server.advance(Time::from_ns(now.min(deadline)), &urgency);
        for event in server.events.drain(..) {
            tell(world, event);
        }
        if over || now >= deadline {
            break;
        }
        let due = server.due();
        sys::futex_wait(bell, heard, if due.is_never() { deadline } else { due.ns().min(deadline) });
    }
    let end = Time::from_ns(world.board().deadline.load(SeqCst));
    for (task, received) in server.received(end) {
        counters.ticket(task.index()).received.store(received.ns(), Relaxed);
    }
}

fn tell(world: &World, event: Event) {
    match event {
        Event::Began { task, at, seek } => {
            let ticket = world.counters.ticket(task.index());
            ticket.seek.store(seek.ns(), Relaxed);
            ticket.began.store(at.ns(), Relaxed);
        }
        Event::Ended { task, at, received } => {
            let ticket = world.counters.ticket(task.index());
            ticket.received.store(received.ns(), Relaxed);
            ticket.ended.store(at.ns(), Relaxed);
            world.release(task.index());
        }
        Event::Left { task, at, received, turned_away } => {
            let ticket = world.counters.ticket(task.index());
            ticket.received.store(received.ns(), Relaxed);
            ticket.ended.store(at.ns(), Relaxed);
            ticket.left.store(1 + u32::from(turned_away), SeqCst);
            world.release(task.index());
        }
    }
}
