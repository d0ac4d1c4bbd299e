//! What a device is busy with: the same for the simulator and for a real stand-in of a device.
//!
//! Told of requests and of their ends, with the time, it says who is served next and for how long; it wakes nobody.

use super::line::Line;
use super::{Device, Discipline, Head, Service, Setup, Sharing, View, Waiting};
use crate::ids::TaskId;
use crate::time::{Span, Time};

/// The state of a device.
#[derive(Debug)]
pub enum State {
    /// Its requests take turns.
    InTurn(Turns),
    /// It serves all at once.
    Shared(Sharing),
}

impl State {
    /// A device at the beginning of a run: idle, the head where it starts.
    #[must_use]
    pub fn new(device: &Device) -> State {
        let setup = Setup { channels: device.channels, tracks: device.head.map_or(1, |head| head.tracks) };
        let head = device.head.map(|costs| MovingHead { costs, track: costs.start, seek: Span::ZERO });
        match device.settings.build(&setup) {
            Service::InTurn(queue) => {
                let order = device.queue.map(|_| Line::default());
                let (free, room) = (device.channels, device.queue.unwrap_or(u32::MAX));
                State::InTurn(Turns { free, waiting: 0, room, order, queue, head })
            }
            Service::Shared(sharing) => State::Shared(sharing),
        }
    }
}

/// A device that serves one request after the other on each channel.
///
/// It is told of all that happens at an instant ([`Turns::ask`], [`Turns::served`]) and then asked what it begins with
/// ([`Turns::choose`]): so it chooses among all requests of the instant, in whichever order they were made.
#[derive(Debug)]
pub struct Turns {
    /// Channels that are free; `None` is unlimited.
    free: Option<u32>,
    /// How many requests are in the queue.
    waiting: u32,
    /// How many may be.
    room: u32,
    /// Whose they are, in the order in which they were made, where there is not room for all.
    order: Option<Line>,
    queue: Box<dyn Discipline>,
    head: Option<MovingHead>,
}

/// The head of a device that has one, and so one channel.
#[derive(Debug)]
struct MovingHead {
    costs: Head,
    /// The track on which it is, or to which it is on its way.
    track: u32,
    /// How long it is or was on its way to the present request.
    seek: Span,
}

/// A request that a channel takes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Turn {
    /// Whose request.
    pub task: TaskId,
    /// How long it has the channel, with the way of the head to it.
    pub length: Span,
}

impl Turns {
    /// A request comes. It begins at once where nobody ever waits: where channels are unlimited.
    pub fn ask(&mut self, request: Waiting, now: Time, urgency: &dyn Fn(TaskId) -> i64) -> Option<Turn> {
        if self.free.is_none() {
            return Some(Turn { task: request.task, length: request.service });
        }
        self.queue.push(request, &View { now, head: track(self.head.as_ref()), urgency });
        self.waiting += 1;
        if let Some(order) = &mut self.order {
            order.push(request);
        }
        None
    }

    /// The request of the task, which waits for a channel, is given up.
    pub fn take_back(&mut self, task: TaskId) {
        self.queue.take_back(task);
        self.leaves_queue(task);
    }

    #[inline]
    fn leaves_queue(&mut self, task: TaskId) {
        self.waiting -= 1;
        if let Some(order) = &mut self.order {
            order.take(task);
        }
    }

    /// Do more requests wait than may, unless channels take some of them?
    #[must_use]
    pub fn is_too_full(&self) -> bool {
        self.waiting > self.room
    }

    /// All free channels are taken: of the requests that wait beyond what may, the last to be made are turned away. Whose are they, in
    /// the order in which they were made?
    pub fn turn_away(&mut self) -> Vec<TaskId> {
        let mut last = Vec::new();
        while self.is_too_full()
            && let Some(request) = self.order.as_mut().and_then(Line::pop_last)
        {
            self.take_back(request.task);
            last.push(request.task);
        }
        last.reverse();
        last
    }

    /// A request has been served: its channel is free.
    pub fn served(&mut self) {
        self.free = self.free.map(|free| free + 1);
    }

    /// Is there a channel for a request that waits? Then [`Turns::choose`] is asked when the instant has settled.
    #[must_use]
    pub fn has_choice(&self) -> bool {
        self.waiting > 0 && self.free.is_some_and(|free| free > 0)
    }

    /// All that happens at this instant has happened: who gets a free channel? To be asked until nobody does.
    pub fn choose(&mut self, now: Time, urgency: &dyn Fn(TaskId) -> i64) -> Option<Turn> {
        if !self.has_choice() {
            return None;
        }
        let chosen = self.queue.pop(&View { now, head: track(self.head.as_ref()), urgency })?;
        self.leaves_queue(chosen.request.task);
        self.free = self.free.map(|free| free - 1);
        let (task, mut length) = (chosen.request.task, chosen.request.service);
        if let Some(head) = &mut self.head {
            head.track = chosen.request.at;
            head.seek = head.costs.seek(chosen.travel);
            length = (head.seek + length).min(Span::MAX);
        }
        Some(Turn { task, length })
    }

    /// How long of the time `served`, since a channel took the present request, the head was on its way to it.
    #[must_use]
    pub fn seek(&self, served: Span) -> Span {
        self.head.as_ref().map_or(Span::ZERO, |head| head.seek.min(served))
    }
}

fn track(head: Option<&MovingHead>) -> u32 {
    head.map_or(0, |head| head.track)
}
