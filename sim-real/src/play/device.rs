//! Devices whose discipline cannot say when a request will be served until later ones have come.
//!
//! Each has a thread that stands in for it, beside the measured ones, and runs the discipline of the simulator. Requests
//! come through shared memory, so that child processes can ask too, and with a stamp: [`Server`] goes by the stamps, not
//! by when its thread got to see them. So the device serves as if it were always awake, and only the news of the end of
//! a request comes late, by as long as a thread takes to wake.
//!
//! A simulated device chooses among all requests of an instant. For a real one an instant lasts a while ([`INSTANT`]): whose
//! request has ended, and who starts with others, cannot ask at that very nanosecond, but is meant to.

use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};
use std::sync::atomic::{AtomicU32, AtomicU64};

use sim_core::device::{State, Turn, Turns, Waiting};
use sim_core::ids::{DeviceId, Id as _, TaskId};
use sim_core::scenario::Device;
use sim_core::time::{Span, Time};

use crate::play::shared::{Table, row};
use crate::play::sync::Latched;
use crate::play::world::World;
use crate::record::event::{Service, instant};
use crate::sys;

/// So long after a choice has come up all requests count as made when it came up: about as long as it takes a thread to
/// learn that its request has ended and to ask again, or several to start. The choice is made no later than when half of
/// the shortest service is over that is waited for, so that it keeps nobody waiting.
pub(crate) const INSTANT: Span = Span::from_us(250);

/// Does the device need somebody to stand in for it?
pub(crate) fn needs_server(device: &Device) -> bool {
    !device.is_foreseen()
}

/// The request of an instance: it has one at a time.
pub(crate) struct Ticket {
    next: AtomicU32,
    track: AtomicU32,
    service: AtomicU64,
    asked: AtomicU64,
    /// When a channel took it; 0 is not yet.
    pub(crate) began: AtomicU64,
    /// How long the head is on its way to it.
    pub(crate) seek: AtomicU64,
    /// How much of a channel's time it received.
    pub(crate) received: AtomicU64,
    /// When it was served; 0 is not yet.
    pub(crate) ended: AtomicU64,
}

row!(Ticket {
    next: AtomicU32,
    track: AtomicU32,
    service: AtomicU64,
    asked: AtomicU64,
    began: AtomicU64,
    seek: AtomicU64,
    received: AtomicU64,
    ended: AtomicU64,
});

impl Ticket {
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
}

row!(Inbox { latch: Latched, stamp: AtomicU64, bell: AtomicU32, first: AtomicU32, last: AtomicU32 });

/// The ways to all devices of a run that have a thread.
pub(crate) struct Counters {
    inboxes: Table<Inbox>,
    tickets: Table<Ticket>,
}

impl Counters {
    pub(crate) fn new(devices: usize, capacity: usize) -> io::Result<Counters> {
        Ok(Counters { inboxes: Table::zeros(devices)?, tickets: Table::zeros(capacity)? })
    }

    /// The request of an instance.
    pub(crate) fn ticket(&self, id: usize) -> &Ticket {
        &self.tickets[id]
    }

    /// Instance `id` asks the device; returns when.
    pub(crate) fn ask(&self, device: DeviceId, id: usize, service: Span, track: u32) -> u64 {
        let (inbox, ticket) = (&self.inboxes[device.index()], &self.tickets[id]);
        ticket.track.store(track, Relaxed);
        ticket.service.store(service.ns(), Relaxed);
        for unknown in [&ticket.began, &ticket.seek, &ticket.received, &ticket.ended] {
            unknown.store(0, Relaxed);
        }
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
        // In this order: what is asked later has a later stamp.
        let now = sys::now();
        for id in counters.collect(device) {
            let ticket = counters.ticket(id);
            let task = TaskId(u32::try_from(id).unwrap_or(u32::MAX));
            let service = Span::from_ns(ticket.service.load(Relaxed));
            let request = Waiting { task, service, at: ticket.track.load(Relaxed) };
            server.comes(request, Time::from_ns(ticket.asked.load(Relaxed)), &urgency);
        }
        let deadline = world.board().deadline.load(SeqCst);
        server.advance(Time::from_ns(now.min(deadline)), &urgency);
        for event in server.events.drain(..) {
            tell(world, event);
        }
        if world.is_over() || now >= deadline {
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
    }
}

/// What happens to a request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Event {
    /// A channel takes it, and the head is on its way to it for so long.
    Began { task: TaskId, at: Time, seek: Span },
    /// It is served, and has received so much.
    Ended { task: TaskId, at: Time, received: Span },
}

/// A device that is told of requests in the order in which they are made, though perhaps late.
struct Server {
    state: State,
    /// Who is served in turn: until when, its number; and who it is, since when.
    served: BTreeMap<(Time, u64), (TaskId, Time)>,
    /// The number of the next.
    next: u64,
    /// Who waits for a channel: since when, and for how long a service.
    waiting: BTreeMap<TaskId, (Time, Span)>,
    /// How far it has come: while it has a choice to make, when that came up.
    now: Time,
    events: Vec<Event>,
}

impl Server {
    fn new(device: &Device) -> Server {
        let (served, waiting) = (BTreeMap::new(), BTreeMap::new());
        Server { state: State::new(device), served, next: 0, waiting, now: Time::ZERO, events: Vec::new() }
    }

    /// A request was made at that time. Others of the same instant may follow: what begins then is decided by
    /// [`Server::advance`].
    fn comes(&mut self, request: Waiting, asked: Time, urgency: &dyn Fn(TaskId) -> i64) {
        if asked > self.now {
            self.advance(Time::from_ns(asked.ns() - 1), urgency);
            if self.choice().is_none() {
                self.now = asked;
            }
        }
        match &mut self.state {
            State::InTurn(turns) => match turns.ask(request, self.now, urgency) {
                Some(turn) => self.begins(turn, asked),
                None => _ = self.waiting.insert(request.task, (asked, request.service)),
            },
            State::Shared(sharing) => {
                sharing.join(request.task, request.service, self.next, asked);
                self.next += 1;
                self.events.push(Event::Began { task: request.task, at: asked, seek: Span::ZERO });
            }
        }
    }

    fn begins(&mut self, Turn { task, length }: Turn, at: Time) {
        self.served.insert((at + length, self.next), (task, at));
        self.next += 1;
        self.events.push(Event::Began { task, at, seek: self.turns().map_or(Span::ZERO, |turns| turns.seek(length)) });
    }

    fn turns(&self) -> Option<&Turns> {
        if let State::InTurn(turns) = &self.state { Some(turns) } else { None }
    }

    /// When the next request ends that is being served, if none comes before.
    fn next_end(&self) -> Time {
        match &self.state {
            State::InTurn(_) => self.served.first_key_value().map_or(Time::NEVER, |((end, _), _)| *end),
            State::Shared(sharing) => sharing.due(self.now),
        }
    }

    /// Until when others can come to be chosen from, if there is a choice to make.
    fn choice(&self) -> Option<Time> {
        let shortest = self.waiting.values().map(|(_, service)| *service).min()?;
        let until = self.now + INSTANT.min(Span::from_ns(shortest.ns() / 2));
        self.turns().is_some_and(Turns::has_choice).then_some(until)
    }

    /// When it has something to do next, if no request comes before.
    fn due(&self) -> Time {
        self.choice().unwrap_or_else(|| self.next_end())
    }

    /// All that ends up to then has ended, and what can begin has begun: all requests made up to then are known.
    fn advance(&mut self, until: Time, urgency: &dyn Fn(TaskId) -> i64) {
        // Of the instant that it has reached, others may still come.
        if until < self.now {
            return;
        }
        loop {
            while self.next_end() <= self.now {
                self.ends();
            }
            let due = self.due();
            if due > until {
                break;
            }
            if self.choice().is_some() {
                self.chooses(urgency);
            } else {
                self.now = due;
            }
        }
        if self.choice().is_none() {
            self.now = self.now.max(until);
        }
    }

    /// What is due first ends.
    fn ends(&mut self) {
        match &mut self.state {
            State::Shared(sharing) => {
                let at = self.now;
                let ended = sharing.leave(at).into_iter();
                self.events.extend(ended.map(|one| Event::Ended { task: one.task, at, received: one.service }));
            }
            State::InTurn(turns) => {
                let Some(((end, _), (task, began))) = self.served.pop_first() else { return };
                let length = end.since(began);
                let received = length.saturating_sub(turns.seek(length));
                self.events.push(Event::Ended { task, at: end, received });
                turns.served();
            }
        }
    }

    /// All that happens at this instant is known: free channels take whom the discipline chooses, from when it asked.
    fn chooses(&mut self, urgency: &dyn Fn(TaskId) -> i64) {
        while let State::InTurn(turns) = &mut self.state
            && let Some(turn) = turns.choose(self.now, urgency)
        {
            let asked = self.waiting.remove(&turn.task).map_or(self.now, |(asked, _)| asked);
            self.begins(turn, self.now.max(asked));
        }
    }

    /// How much each request has received by now that shares the device with others.
    fn received(&self, now: Time) -> Vec<(TaskId, Span)> {
        match &self.state {
            State::InTurn(_) => Vec::new(),
            State::Shared(sharing) => sharing.received(now).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use sim_core::document::Source;
    use sim_core::scenario::lower;

    use super::*;

    /// In which order, and when, requests end, in milliseconds: each when it comes, how long it takes and where it wants
    /// to.
    fn ends(device: &str, requests: &[(u64, u64, u32)], late: bool) -> Vec<(u32, u64)> {
        const MS: u64 = 1_000_000;
        let requests: Vec<_> = requests.iter().map(|(asked, service, at)| (asked * MS, service * MS, *at)).collect();
        ends_exactly(device, &requests, late).iter().map(|(task, end)| (*task, end / MS)).collect()
    }

    /// The same in nanoseconds.
    fn ends_exactly(device: &str, requests: &[(u64, u64, u32)], late: bool) -> Vec<(u32, u64)> {
        let text = format!("[[device]]\nname = 'd'\n{device}\n[[task]]\nname = 'a'\nprogram = []");
        let scenario = match lower::scenario(&Source { file: "test.toml", text: &text }, &[]) {
            Ok(scenario) => scenario,
            Err(mistakes) => panic!("{mistakes}"),
        };
        let mut server = Server::new(&scenario.devices[DeviceId(0)]);
        let urgency = |task: TaskId| i64::from(task.0);
        for (task, (asked, service, at)) in (0..).map(TaskId).zip(requests) {
            let asked = Time::from_ns(*asked);
            if !late {
                (0..asked.ns()).step_by(50_000).for_each(|now| server.advance(Time::from_ns(now), &urgency));
            }
            server.comes(Waiting { task, service: Span::from_ns(*service), at: *at }, asked, &urgency);
        }
        server.advance(Time::from_ns(1_000_000_000), &urgency);
        let end = |event: &Event| match event {
            Event::Ended { task, at, .. } => Some((task.0, at.ns())),
            Event::Began { .. } => None,
        };
        server.events.iter().filter_map(end).collect()
    }

    #[test]
    fn requests_that_are_seen_late_are_served_as_if_they_were_not() {
        let requests = [(0, 10, 0), (1, 9, 0), (2, 3, 0), (3, 5, 0), (40, 5, 0), (40, 5, 0)];
        let cases = [
            ("discipline = 'shortest'", [(0, 10), (2, 13), (3, 18), (1, 27), (4, 45), (5, 50)]),
            ("discipline = 'lifo'", [(0, 10), (3, 15), (2, 18), (1, 27), (5, 45), (4, 50)]),
            ("discipline = 'priority'", [(0, 10), (3, 15), (2, 18), (1, 27), (5, 45), (4, 50)]),
            ("channels = 2\ndiscipline = 'lifo'", [(0, 10), (1, 10), (2, 13), (3, 15), (4, 45), (5, 45)]),
        ];
        for (device, expected) in cases {
            for late in [false, true] {
                let mut ends = ends(device, &requests, late);
                ends.sort_by_key(|(task, at)| (*at, *task));
                assert_eq!(ends, expected, "{device}, late: {late}");
            }
        }
    }

    #[test]
    fn a_device_chooses_among_all_requests_of_an_instant() {
        let requests = [(0, 10, 0), (0, 9, 0), (0, 3, 0), (12, 5, 0), (12, 1, 0)];
        for late in [false, true] {
            // At 12 the second request ends and two come: the shorter one is first.
            assert_eq!(
                ends("discipline = 'shortest'", &requests, late),
                [(2, 3), (1, 12), (4, 13), (3, 18), (0, 28)],
                "late: {late}"
            );
        }
    }

    #[test]
    fn requests_that_share_a_device_are_slower() {
        for late in [false, true] {
            assert_eq!(ends("discipline = 'fair-share'", &[(0, 10, 0), (4, 2, 0)], late), [(1, 8), (0, 12)]);
        }
    }

    #[test]
    fn a_head_takes_time_to_move() {
        let disk = "discipline = 'sstf'\nseek = { per-track = '1ms', tracks = 100 }";
        for late in [false, true] {
            // From track 0 to 10, then to 30 (nearer than 90), then to 90.
            let ends = ends(disk, &[(0, 5, 10), (1, 5, 90), (2, 5, 30)], late);
            assert_eq!(ends, [(0, 15), (2, 40), (1, 105)]);
        }
    }

    #[test]
    fn who_asks_again_once_it_is_awake_is_chosen_from() {
        let us = |requests: &[(u64, u64, u32)]| -> Vec<_> {
            requests.iter().map(|(asked, service, at)| (asked * 1000, service * 1000, *at)).collect()
        };
        let disk = "discipline = 'sstf'\nseek = { per-track = '1us', tracks = 100 }";
        for late in [false, true] {
            let told = |device: &str, requests: &[(u64, u64, u32)]| -> Vec<_> {
                ends_exactly(device, &us(requests), late).iter().map(|(task, end)| (*task, end / 1000)).collect()
            };
            // Threads that start one after the other: the third wants to where the head is. The fourth is too late.
            let starting = [(0, 2000, 40), (90, 2000, 20), (180, 2000, 0), (400, 2000, 1)];
            assert_eq!(told(disk, &starting)[0], (2, 2180), "late: {late}");
            // Whose request ended at 2 ms asks again for the next track, after 0.1 ms; another is after 0.3 ms nearer.
            let again = [(0, 2000, 0), (10, 2000, 50), (2100, 2000, 1), (2300, 2000, 0)];
            assert_eq!(told(disk, &again)[..2], [(0, 2000), (2, 4101)], "late: {late}");
            // What is short is not kept waiting for as long: it has begun, and ends when it would have.
            let short = [(0, 100, 0), (60, 10, 0), (400, 10, 0)];
            assert_eq!(told("discipline = 'shortest'", &short), [(0, 100), (1, 110), (2, 410)], "late: {late}");
        }
    }
}
