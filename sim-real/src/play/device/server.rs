//! A device that is told of requests in the order in which they are made, though perhaps late.

use std::collections::{BTreeMap, BTreeSet};

use sim_core::device::{State, Turn, Turns, Waiting};
use sim_core::ids::TaskId;
use sim_core::scenario::Device;
use sim_core::time::{Span, Time};

use super::INSTANT;

/// What happens to a request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Event {
    /// A channel takes it, and the head is on its way to it for so long.
    Began { task: TaskId, at: Time, seek: Span },
    /// It is served, and has received so much.
    Ended { task: TaskId, at: Time, received: Span },
    /// It goes without being served, be it that it had received so much; or is turned away.
    Left { task: TaskId, at: Time, received: Span, turned_away: bool },
}

/// When a request is given up; the latest time there is is never.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Limits {
    /// If it has not been served.
    pub(super) until: Time,
    /// If its service has not begun.
    pub(super) patience: Time,
}

impl Limits {
    fn due(&self) -> Time {
        self.until.min(self.patience)
    }
}

/// A device that is told of requests in the order in which they are made, though perhaps late.
pub(super) struct Server {
    state: State,
    /// Who is served in turn: until when, its number; and who it is, since when.
    served: BTreeMap<(Time, u64), (TaskId, Time)>,
    /// The number of the next.
    next: u64,
    /// Who waits for a channel: since when, and for how long a service.
    waiting: BTreeMap<TaskId, (Time, Span)>,
    /// When requests are given up that are there.
    limits: BTreeMap<TaskId, Limits>,
    /// The same, the next one first.
    leaving: BTreeSet<(Time, TaskId)>,
    /// How far it has come: while it has a choice to make, when that came up.
    now: Time,
    pub(super) events: Vec<Event>,
}

impl Server {
    pub(super) fn new(device: &Device) -> Server {
        let (served, waiting) = (BTreeMap::new(), BTreeMap::new());
        let (limits, leaving) = (BTreeMap::new(), BTreeSet::new());
        let (state, now) = (State::new(device), Time::ZERO);
        Server { state, served, next: 0, waiting, limits, leaving, now, events: Vec::new() }
    }

    /// A request was made at that time. Others of the same instant may follow: what begins then is decided by
    /// [`Server::advance`].
    pub(super) fn comes(&mut self, request: Waiting, asked: Time, limits: Limits, urgency: &dyn Fn(TaskId) -> i64) {
        if asked > self.now {
            self.advance(Time::from_ns(asked.ns() - 1), urgency);
            if self.choice().is_none() {
                self.now = asked;
            }
        }
        self.limit(request.task, Some(limits));
        match &mut self.state {
            State::InTurn(turns) => match turns.ask(request, self.now, urgency) {
                Some(turn) => self.begins(turn, asked),
                None => _ = self.waiting.insert(request.task, (asked, request.service)),
            },
            State::Shared(sharing) => {
                sharing.join(request.task, request.service, self.next, asked);
                self.next += 1;
                self.events.push(Event::Began { task: request.task, at: asked, seek: Span::ZERO });
                self.is_served(request.task);
            }
        }
        self.turn_away();
    }

    fn begins(&mut self, Turn { task, length }: Turn, at: Time) {
        self.served.insert((at + length, self.next), (task, at));
        self.next += 1;
        self.events.push(Event::Began { task, at, seek: self.turns().map_or(Span::ZERO, |turns| turns.seek(length)) });
        self.is_served(task);
    }

    /// The request is given up then; `None`: it is there no more.
    fn limit(&mut self, task: TaskId, limits: Option<Limits>) {
        let before = self.limits.remove(&task);
        before.into_iter().for_each(|before| _ = self.leaving.remove(&(before.due(), task)));
        if let Some(limits) = limits {
            self.limits.insert(task, limits);
            if !limits.due().is_never() {
                self.leaving.insert((limits.due(), task));
            }
        }
    }

    /// Its service has begun: it needs no patience any more.
    fn is_served(&mut self, task: TaskId) {
        let limits = self.limits.get(&task).map(|limits| Limits { patience: Time::NEVER, ..*limits });
        self.limit(task, limits);
    }

    /// When the next request is given up.
    fn next_leave(&self) -> Time {
        self.leaving.first().map_or(Time::NEVER, |(at, _)| *at)
    }

    /// All channels are taken that can be: those who came last are turned away, as far as there is no room for them.
    fn turn_away(&mut self) {
        if self.choice().is_some() {
            return;
        }
        let State::InTurn(turns) = &mut self.state else { return };
        for task in turns.turn_away() {
            let asked = self.waiting.remove(&task).map_or(self.now, |(asked, _)| asked);
            self.limit(task, None);
            let at = self.now.max(asked);
            self.events.push(Event::Left { task, at, received: Span::ZERO, turned_away: true });
        }
    }

    /// Somebody gives up now, waiting or being served.
    fn leaves(&mut self, task: TaskId) {
        self.limit(task, None);
        let at = self.now;
        let received = match &mut self.state {
            State::Shared(sharing) => sharing.take_back(task, at),
            State::InTurn(turns) if self.waiting.remove(&task).is_some() => {
                turns.take_back(task);
                Span::ZERO
            }
            State::InTurn(turns) => {
                let key = self.served.iter().find(|(_, (other, _))| *other == task).map(|(key, _)| *key);
                let Some((_, began)) = key.and_then(|key| self.served.remove(&key)) else { return };
                turns.served();
                at.since(began).saturating_sub(turns.seek(at.since(began)))
            }
        };
        self.events.push(Event::Left { task, at, received, turned_away: false });
    }

    /// Those give up who have withdrawn what they asked for, if they are there.
    pub(super) fn withdraw(&mut self, at: &dyn Fn(TaskId) -> Option<Time>, urgency: &dyn Fn(TaskId) -> i64) {
        let mut withdrawn: Vec<(Time, TaskId)> =
            self.limits.keys().filter_map(|task| Some((at(*task)?, *task))).collect();
        withdrawn.sort_unstable();
        for (at, task) in withdrawn {
            self.advance(at, urgency);
            if self.limits.contains_key(&task) {
                self.leaves(task);
            }
        }
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
    pub(super) fn due(&self) -> Time {
        self.choice().unwrap_or_else(|| self.next_end().min(self.next_leave()))
    }

    /// All that ends up to then has ended, and what can begin has begun: all requests made up to then are known.
    pub(super) fn advance(&mut self, until: Time, urgency: &dyn Fn(TaskId) -> i64) {
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
                self.turn_away();
                continue;
            }
            // Who is served at the very time at which it would give up is served.
            self.now = self.now.max(due);
            if let Some((at, task)) = self.leaving.first().copied()
                && at <= self.now
                && self.next_end() > self.now
            {
                self.leaves(task);
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
                for one in sharing.leave(at) {
                    self.events.push(Event::Ended { task: one.task, at, received: one.service });
                    self.limit(one.task, None);
                }
            }
            State::InTurn(turns) => {
                let Some(((end, _), (task, began))) = self.served.pop_first() else { return };
                let length = end.since(began);
                let received = length.saturating_sub(turns.seek(length));
                self.events.push(Event::Ended { task, at: end, received });
                turns.served();
                self.limit(task, None);
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
    pub(super) fn received(&self, now: Time) -> Vec<(TaskId, Span)> {
        match &self.state {
            State::InTurn(_) => Vec::new(),
            State::Shared(sharing) => sharing.received(now).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use sim_core::document::Source;
    use sim_core::ids::DeviceId;
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
        let limits = Limits { until: Time::NEVER, patience: Time::NEVER };
        let limited: Vec<_> = requests.iter().map(|request| (*request, limits)).collect();
        let end = |event: &Event| match event {
            Event::Ended { task, at, .. } => Some((task.0, at.ns())),
            Event::Began { .. } | Event::Left { .. } => None,
        };
        served(device, &limited, late).iter().filter_map(end).collect()
    }

    /// All that happens to requests, in nanoseconds.
    fn served(device: &str, requests: &[((u64, u64, u32), Limits)], late: bool) -> Vec<Event> {
        let text = format!("[[device]]\nname = 'd'\n{device}\n[[task]]\nname = 'a'\nprogram = []");
        let scenario = match lower::scenario(&Source { file: "test.toml", text: &text }, &[]) {
            Ok(scenario) => scenario,
            Err(mistakes) => panic!("{mistakes}"),
        };
        let mut server = Server::new(&scenario.devices[DeviceId(0)]);
        let urgency = |task: TaskId| i64::from(task.0);
        for (task, ((asked, service, at), limits)) in (0..).map(TaskId).zip(requests) {
            let asked = Time::from_ns(*asked);
            if !late {
                (0..asked.ns()).step_by(50_000).for_each(|now| server.advance(Time::from_ns(now), &urgency));
            }
            let request = Waiting { task, service: Span::from_ns(*service), at: *at };
            server.comes(request, asked, *limits, &urgency);
        }
        server.advance(Time::from_ns(1_000_000_000), &urgency);
        server.events
    }

    /// How requests end, in milliseconds: each comes, takes so long, and is given up if it is not served, or its service has not
    /// begun, so long after that.
    fn told(device: &str, requests: &[(u64, u64, Option<u64>, Option<u64>)], late: bool) -> Vec<String> {
        const MS: u64 = 1_000_000;
        let requests: Vec<_> = (requests.iter())
            .map(|(asked, service, within, patience)| {
                let [until, patience] = [within, patience]
                    .map(|limit| limit.map_or(Time::NEVER, |limit| Time::from_ns((asked + limit) * MS)));
                ((asked * MS, service * MS, 0), Limits { until, patience })
            })
            .collect();
        let tell = |event: &Event| match event {
            Event::Began { .. } => None,
            Event::Ended { task, at, .. } => Some(format!("{} served {}", task.0, at.ns() / MS)),
            Event::Left { task, at, turned_away: true, .. } => Some(format!("{} rejected {}", task.0, at.ns() / MS)),
            Event::Left { task, at, received, .. } => {
                Some(format!("{} leaves {} with {}", task.0, at.ns() / MS, received.ns() / MS))
            }
        };
        served(device, &requests, late).iter().filter_map(tell).collect()
    }

    #[test]
    fn who_has_waited_for_long_enough_leaves_the_queue_or_the_channel() {
        let waiting = [(0, 10, None, None), (1, 10, Some(5), None), (2, 10, None, Some(8)), (3, 10, Some(12), None)];
        let served = [(30, 10, Some(4), None), (31, 3, None, None)];
        let requests = [&waiting[..], &served[..]].concat();
        for late in [false, true] {
            // The patience of the third ends when its service begins.
            assert_eq!(
                told("", &requests, late),
                [
                    "1 leaves 6 with 0",
                    "0 served 10",
                    "3 leaves 15 with 0",
                    "2 served 20",
                    "4 leaves 34 with 4",
                    "5 served 37"
                ],
                "late: {late}"
            );
            let shared = told("discipline = 'fair-share'", &[(0, 10, Some(6), None), (0, 10, None, None)], late);
            assert_eq!(shared, ["0 leaves 6 with 3", "1 served 13"], "late: {late}");
        }
    }

    #[test]
    fn who_finds_no_room_is_turned_away() {
        let requests = [(0, 10, None, None), (1, 10, None, None), (2, 10, None, None), (12, 5, None, None)];
        for late in [false, true] {
            assert_eq!(
                told("queue = 1", &requests, late),
                ["2 rejected 2", "0 served 10", "1 served 20", "3 served 25"],
                "late: {late}"
            );
            assert_eq!(
                told("queue = 0", &requests, late),
                ["1 rejected 1", "2 rejected 2", "0 served 10", "3 served 17"],
                "late: {late}"
            );
            // A choice among those of an instant comes first.
            let at_once = [(0, 10, None, None), (0, 3, None, None), (0, 5, None, Some(0))];
            assert_eq!(
                told("discipline = 'shortest'\nqueue = 1", &at_once, late),
                ["2 rejected 0", "1 served 3", "0 served 13"],
                "late: {late}"
            );
        }
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
