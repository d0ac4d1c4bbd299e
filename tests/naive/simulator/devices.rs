//! The devices: a list of who waits and a list of who shares, looked through from the start each time.
//!
//! Where the rules leave something open: a head moves only to serve, and remembers which way it was going; among equally
//! near or equally urgent requests the one made first is served first. Devices that have a channel for who waits choose
//! when the instant is settled; where there is no limit nobody waits.

use super::{Pending, World};
use crate::naive::case::Discipline;

/// A request that waits.
#[derive(Clone, Copy)]
struct Waiting {
    task: usize,
    ticks: u64,
    at: u32,
    asked: u64,
    /// Its number in the order of asking.
    number: u64,
}

/// A request that shares the device, and how much of it is left, exactly.
struct Sharing {
    task: usize,
    left: Fraction,
}

pub(super) struct Device {
    busy: usize,
    waiting: Vec<Waiting>,
    sharing: Vec<Sharing>,
    head: u32,
    up: bool,
    /// Requests left of the batch.
    batch: u32,
}

impl Device {
    pub(super) fn asks(&self, task: usize) -> bool {
        self.waiting.iter().any(|waiting| waiting.task == task)
    }
}

impl World<'_> {
    /// The task leaves the queue, or the channel that serves it, which is free.
    pub(super) fn leaves_devices(&mut self, task: usize) {
        for device in &mut self.devices {
            device.waiting.retain(|waiting| waiting.task != task);
            device.sharing.retain(|sharing| sharing.task != task);
        }
        if let Some(place) = self.pending.iter().position(|pending| pending.task == task)
            && let Some(device) = self.pending.remove(place).device
        {
            self.channel_is_free(device);
        }
    }

    pub(super) fn new_devices(case: &crate::naive::case::Case) -> Vec<Device> {
        let up = !matches!(case.discipline, Discipline::Scan { up: false } | Discipline::Look { up: false });
        let device = |_| Device {
            busy: 0,
            waiting: Vec::new(),
            sharing: Vec::new(),
            head: case.disk.map_or(0, |disk| disk.start),
            up,
            batch: 0,
        };
        case.devices.iter().map(device).collect()
    }

    pub(super) fn ask(&mut self, device: usize, task: usize, ticks: u64, at: u32) {
        let number = self.stamp();
        if self.case.discipline == Discipline::FairShare {
            self.devices[device].sharing.push(Sharing { task, left: Fraction::whole(ticks) });
            // When it will be over nobody knows yet.
            self.pending.push(Pending { due: u64::MAX, started: number, task, device: None });
            return;
        }
        self.devices[device].waiting.push(Waiting { task, ticks, at, asked: self.now, number });
        if self.case.devices[device].is_none() {
            self.serve_waiting(device);
        }
    }

    pub(super) fn channel_is_free(&mut self, device: usize) {
        self.devices[device].busy -= 1;
    }

    /// The instant is settled: devices choose.
    pub(super) fn devices_choose(&mut self) {
        (0..self.devices.len()).for_each(|device| self.serve_waiting(device));
    }

    /// Of those who wait beyond what may, the last to ask go without, in the order in which they asked. Are there any?
    pub(super) fn turn_away(&mut self) -> bool {
        let Some(room) = self.case.queue else { return false };
        let mut rejected = Vec::new();
        for (device, _) in self.case.devices.iter().enumerate().filter(|(_, channels)| channels.is_some()) {
            let waiting = &mut self.devices[device].waiting;
            waiting.sort_by_key(|waiting| waiting.number);
            rejected.extend(waiting.drain(room.min(waiting.len())..).map(|waiting| waiting.task));
        }
        rejected.iter().for_each(|task| self.served(*task));
        !rejected.is_empty()
    }

    fn serve_waiting(&mut self, device: usize) {
        while self.case.devices[device].is_none_or(|channels| self.devices[device].busy < channels)
            && !self.devices[device].waiting.is_empty()
        {
            let (next, travel) = self.next_request(device);
            let state = &mut self.devices[device];
            state.waiting.retain(|other| other.number != next.number);
            state.busy += 1;
            state.head = next.at;
            let seek = match self.case.disk {
                Some(disk) if travel > 0 => disk.settle + disk.per_track * u64::from(travel),
                _ => 0,
            };
            let started = self.stamp();
            let due = self.now + seek + next.ticks;
            self.pending.push(Pending { due, started, task: next.task, device: Some(device) });
        }
    }

    /// Who is next, and across how many tracks.
    fn next_request(&mut self, device: usize) -> (Waiting, u32) {
        let Device { head, up, batch, ref waiting, .. } = self.devices[device];
        let last = self.case.disk.map_or(0, |disk| disk.tracks - 1);
        let first_by =
            |key: &dyn Fn(&Waiting) -> i64| *waiting.iter().min_by_key(|w| (key(w), w.number)).expect("some");
        let straight = |next: Waiting| (next, next.at.abs_diff(head));
        let ahead = |up: bool| {
            let ahead = waiting.iter().filter(|w| if up { w.at >= head } else { w.at <= head });
            ahead.min_by_key(|w| (w.at.abs_diff(head), w.number)).copied()
        };
        match self.case.discipline {
            Discipline::Fifo | Discipline::FairShare => straight(first_by(&|_| 0)),
            Discipline::Lifo => straight(*waiting.last().expect("some")),
            Discipline::Priority => straight(first_by(&|w| self.rank_of_task(w.task))),
            Discipline::Shortest => straight(first_by(&|w| i64::try_from(w.ticks).expect("short"))),
            Discipline::Sstf => straight(first_by(&|w| i64::from(w.at.abs_diff(head)))),
            Discipline::Scan { .. } | Discipline::Look { .. } => {
                if let Some(next) = ahead(up) {
                    return straight(next);
                }
                let next = ahead(!up).expect("some");
                self.devices[device].up = !up;
                let end = if up { last } else { 0 };
                let by_the_end = head.abs_diff(end) + end.abs_diff(next.at);
                let goes_to_the_end = matches!(self.case.discipline, Discipline::Scan { .. });
                if goes_to_the_end { (next, by_the_end) } else { straight(next) }
            }
            Discipline::CircularLook => straight(ahead(true).unwrap_or_else(|| first_by(&|w| i64::from(w.at)))),
            Discipline::CircularScan => match ahead(true) {
                Some(next) => straight(next),
                None => {
                    let next = first_by(&|w| i64::from(w.at));
                    (next, (last - head) + last + next.at)
                }
            },
            Discipline::Deadline { expire, batch: length } => {
                let oldest = first_by(&|_| 0);
                let next = match ahead(true).unwrap_or_else(|| first_by(&|w| i64::from(w.at))) {
                    _ if batch == 0 && self.now - oldest.asked >= expire => oldest,
                    next => next,
                };
                self.devices[device].batch = if batch == 0 { length - 1 } else { batch - 1 };
                straight(next)
            }
        }
    }

    /// One tick passes for those who share: whoever has all it asked for leaves, be it between ticks.
    pub(super) fn share(&mut self) {
        for device in 0..self.devices.len() {
            let sharing = &mut self.devices[device].sharing;
            let mut rest = Fraction::whole(1);
            while let Some(least) = sharing.iter().map(|share| share.left).min() {
                let all = sharing.len() as u64;
                let served = self.case.devices[device].map_or(all, |channels| all.min(channels as u64));
                // At this rate the first leaves after:
                let time = least.times(all, served);
                let leaves = time <= rest;
                let given = if leaves { least } else { rest.times(served, all) };
                rest = if leaves { rest.minus(time) } else { Fraction::whole(0) };
                for share in sharing.iter_mut() {
                    share.left = share.left.minus(given);
                }
                for gone in sharing.extract_if(.., |share| share.left == Fraction::whole(0)) {
                    let of_it = |p: &&mut Pending| p.task == gone.task && p.due == u64::MAX;
                    self.pending.iter_mut().find(of_it).expect("it is pending").due = self.now + 1;
                }
                if !leaves {
                    break;
                }
            }
        }
    }
}

/// An exact number that is not negative.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Fraction {
    up: u128,
    down: u128,
}

impl Fraction {
    fn whole(number: u64) -> Fraction {
        Fraction { up: u128::from(number), down: 1 }
    }

    fn new(up: u128, down: u128) -> Fraction {
        let divisor = common_divisor(up, down);
        Fraction { up: up / divisor, down: down / divisor }
    }

    fn times(self, part: u64, whole: u64) -> Fraction {
        let part = Fraction::new(u128::from(part), u128::from(whole));
        let (up, down) = (self.up.checked_mul(part.up), self.down.checked_mul(part.down));
        Fraction::new(up.expect("small"), down.expect("small"))
    }

    fn minus(self, other: Fraction) -> Fraction {
        let down = self.down / common_divisor(self.down, other.down);
        let down = down.checked_mul(other.down).expect("small");
        Fraction::new(self.up * (down / self.down) - other.up * (down / other.down), down)
    }
}

impl PartialOrd for Fraction {
    fn partial_cmp(&self, other: &Fraction) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Fraction {
    fn cmp(&self, other: &Fraction) -> std::cmp::Ordering {
        let product = |one: u128, other: u128| one.checked_mul(other).expect("small");
        product(self.up, other.down).cmp(&product(other.up, self.down))
    }
}

fn common_divisor(a: u128, b: u128) -> u128 {
    if b == 0 { a } else { common_divisor(b, a % b) }
}
