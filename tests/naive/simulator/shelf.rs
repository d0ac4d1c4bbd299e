//! The policies, as plain functions: who is better, how long a slice is, and what a policy remembers.
//!
//! Where the rules leave something open: who needs no processor at all in its next burst has an endless response ratio,
//! but before it has waited that of all newcomers, 1; whoever is put off by a real-time policy is ahead of its equals,
//! by `srtf` behind them; a yield at the end of a slice uses it up; a burst of no length teaches an estimate nothing.

use std::cmp::Ordering;

use super::World;
use super::fair::Fair;
use super::real_time::Server;
use crate::naive::case::{Average, Case, Policy, Task};

/// A number that all sums of tickets in these worlds divide, so that passes are exact.
const ONE_PASS: i64 = 27_720;

/// What the policies remember.
#[derive(Default)]
pub(super) struct Memory {
    /// `feedback`, `mlfq`: the level of each thread.
    pub(super) level: Vec<usize>,
    /// `mlfq`: what is left of each thread's slice, and how many slices it has left on its level.
    pub(super) slice: Vec<u64>,
    pub(super) allotment: Vec<u64>,
    /// `mlfq`: the threads of each level that are ready or run.
    pub(super) lines: Vec<Vec<usize>>,
    /// `stride`: each thread's pass; while it is blocked, how far it is ahead of the global one.
    pub(super) pass: Vec<i64>,
    pub(super) global_pass: Vec<i64>,
    /// `lottery`: how many draws have been made. Both for all who know of each other.
    pub(super) drawn: Vec<usize>,
    /// `priority` with aging: by how many levels each thread that runs has risen before.
    pub(super) risen: Vec<i64>,
    /// `sjf`, `srtf`: the estimate of each thread's burst in nanoseconds, and how many ticks of it have been run.
    pub(super) estimate: Vec<u64>,
    pub(super) burst: Vec<u64>,
    /// `cfs`.
    pub(super) fair: Fair,
    /// `edf`: the server of each thread that has one.
    pub(super) servers: Vec<Option<Server>>,
}

impl Memory {
    pub(super) fn new(case: &Case, threads: usize) -> Memory {
        let bags = case.groups.len() + 1;
        let mut memory = Memory {
            level: vec![0; threads],
            pass: vec![0; threads],
            risen: vec![0; threads],
            burst: vec![0; threads],
            global_pass: vec![0; bags],
            drawn: vec![0; bags],
            ..Memory::default()
        };
        match case.policy {
            Policy::Mlfq { levels, .. } => {
                memory.slice = vec![levels[0].0; threads];
                memory.allotment = vec![levels[0].1; threads];
                memory.lines = vec![Vec::new(); levels.len()];
            }
            Policy::Sjf { estimate: Some(average) } | Policy::Srtf { estimate: Some(average) } => {
                memory.estimate = vec![average.initial * case.tick().ns(); threads];
            }
            Policy::Cfs { .. } => memory.fair = Fair::new(threads, bags),
            Policy::Edf { .. } => memory.servers = case.tasks().map(|(_, task)| task.server.map(Server::new)).collect(),
            _ => {}
        }
        memory
    }
}

impl World<'_> {
    /// Who gets the processor? Of equals the one that is ahead in the queue.
    pub(super) fn choose(&mut self, cpu: usize) -> Option<usize> {
        let allowed: Vec<usize> = self.ready.iter().copied().filter(|thread| self.allowed(*thread, cpu)).collect();
        let allowed = self.of_next_share(allowed);
        if let Policy::Lottery { chance, .. } = self.case.policy {
            return self.draw(allowed, chance);
        }
        allowed.into_iter().min_by(|a, b| self.order(*a, *b))
    }

    fn order(&self, a: usize, b: usize) -> Ordering {
        if self.case.policy != Policy::Hrrn {
            return self.rank(a).cmp(&self.rank(b));
        }
        let of = |thread: usize| {
            let burst = self.threads[thread].expected;
            // A nanosecond is next to nothing.
            let burst = if self.case.nanoseconds { burst.max(1) } else { burst };
            let wait = i64::try_from(self.now - self.threads[thread].since).expect("short");
            if (wait, burst) == (0, 0) { (1, 1) } else { (wait + burst, burst) }
        };
        let ((up_a, down_a), (up_b, down_b)) = (of(a), of(b));
        match (down_a, down_b) {
            (0, 0) => Ordering::Equal,
            (0, _) => Ordering::Less,
            (_, 0) => Ordering::Greater,
            _ => (up_b * down_a).cmp(&(up_a * down_b)),
        }
    }

    /// Counts through the tickets of those who are ready, in the order in which they came to be.
    pub(super) fn draw(&mut self, mut ready: Vec<usize>, chance: u64) -> Option<usize> {
        let came = |thread: usize| self.releases[self.threads[thread].task.expect("a thread of its own")][0];
        ready.sort_by_key(|thread| (came(*thread), *thread));
        let all: u64 = ready.iter().map(|thread| self.task_of(*thread).tickets).sum();
        let bag = self.bag(*ready.first()?);
        let mut ticket = Policy::draws(chance)[self.memory.drawn[bag]] % all;
        self.memory.drawn[bag] += 1;
        ready.into_iter().find(|thread| {
            let tickets = self.task_of(*thread).tickets;
            let wins = ticket < tickets;
            ticket = ticket.saturating_sub(tickets);
            wins
        })
    }

    /// How late a thread's turn is: smaller is better.
    pub(super) fn rank(&self, thread: usize) -> (i64, usize) {
        let Some(task) = self.threads[thread].task else { return (0, 0) };
        let by = |ticks: Option<u64>| ticks.map_or((i64::MAX, 0), |ticks| (i64::try_from(ticks).expect("short"), 0));
        match self.case.policy {
            Policy::Fifo | Policy::RoundRobin { .. } | Policy::Hrrn | Policy::Lottery { .. } => (0, 0),
            Policy::Sjf { estimate: None } | Policy::Srtf { estimate: None } => (self.burst_of(thread), 0),
            // One that is longer than was guessed may end any time.
            Policy::Sjf { .. } | Policy::Srtf { .. } => {
                by(Some(self.memory.estimate[thread].saturating_sub(self.memory.burst[thread] * self.case.tick().ns())))
            }
            Policy::Priority { aging, .. } => {
                let (urgency, place) = self.urgency(task);
                (urgency - self.risen(thread, aging), place)
            }
            Policy::Edf { heavy, .. } => self.edf_rank(task, heavy),
            Policy::RateMonotonic { .. } | Policy::DeadlineMonotonic { .. } => self.urgency(task),
            Policy::Feedback { .. } => by(Some(self.memory.level[thread] as u64)),
            Policy::Mlfq { .. } => {
                let level = self.memory.level[thread];
                let place = self.memory.lines[level].iter().position(|other| *other == thread);
                (i64::try_from(level).expect("few"), place.expect("who is ready or runs has a place"))
            }
            Policy::Stride { .. } => (self.memory.pass[thread], 0),
            Policy::Cfs { .. } => (self.memory.fair.runtime[thread], 0),
            Policy::Llf { .. } => (self.latest_start(task), 0),
        }
    }

    /// By how many levels has a thread risen since it became ready? While it runs it rises no further.
    fn risen(&self, thread: usize, aging: Option<u64>) -> i64 {
        let Some(aging) = aging else { return 0 };
        if !self.ready.contains(&thread) {
            return self.memory.risen[thread];
        }
        i64::try_from((self.now - self.threads[thread].since) / aging).expect("short")
    }

    pub(super) fn rises_no_further(&mut self, thread: usize) {
        if let Policy::Priority { aging, .. } = self.case.policy {
            self.memory.risen[thread] = self.risen(thread, aging);
        }
    }

    /// A thread that is put on a processor may stay this long.
    pub(super) fn fresh_slice(&self, cpu: usize, thread: usize) -> Option<u64> {
        match self.case.policy {
            Policy::RoundRobin { quantum } | Policy::Lottery { quantum, .. } | Policy::Stride { quantum } => {
                Some(quantum)
            }
            Policy::Priority { quantum, .. } => quantum,
            Policy::Feedback { quanta, .. } => Some(quanta[self.memory.level[thread]]),
            // Not fresh: what is left.
            Policy::Mlfq { .. } => Some(self.memory.slice[thread]),
            Policy::Cfs { .. } => Some(self.fair_slice(cpu, thread)),
            Policy::Edf { .. } => self.memory.servers[thread].as_ref().map(|server| server.budget),
            _ => None,
        }
    }

    /// Does somebody ready take the place of somebody strictly worse? And is who was put off ahead of its equals?
    pub(super) fn preempts(&self) -> Option<bool> {
        match self.case.policy {
            Policy::Priority { preemptive, preempted_to_head, .. } => preemptive.then_some(preempted_to_head),
            Policy::Srtf { .. } | Policy::Cfs { .. } => Some(false),
            Policy::Mlfq { .. } => Some(true),
            Policy::Edf { preemptive, .. }
            | Policy::RateMonotonic { preemptive }
            | Policy::DeadlineMonotonic { preemptive }
            | Policy::Llf { preemptive, .. } => preemptive.then_some(true),
            _ => None,
        }
    }

    /// Does one who runs give way to one who waits?
    pub(super) fn gives_way(&self, runs: usize, waits: usize) -> bool {
        match self.case.policy {
            Policy::Cfs { wakeup_granularity, .. } => self.fair_gives_way(runs, waits, wakeup_granularity),
            _ => self.rank(waits) < self.rank(runs),
        }
    }

    /// Do ranks change while nobody comes: as time passes, or because of what somebody has ahead of it?
    pub(super) fn ranks_change_alone(&self) -> bool {
        let changes = |policy: &Policy| {
            matches!(policy, Policy::Cfs { .. } | Policy::Llf { .. } | Policy::Srtf { .. })
                || matches!(policy, Policy::Priority { aging: Some(_), .. })
        };
        changes(&self.case.policy)
    }

    /// Is this an instant at which those who wait are compared with those who run, whether or not somebody comes?
    pub(super) fn looks_now(&self) -> bool {
        match self.case.policy {
            // Everybody rises at times of its own: it does no harm to look always.
            Policy::Priority { preemptive: true, aging: Some(_), .. } => true,
            Policy::Llf { preemptive: true, quantum } => self.laxities_are_compared(quantum),
            _ => false,
        }
    }

    /// Somebody has a processor for another tick.
    pub(super) fn serve_tick(&mut self, thread: usize) {
        match self.case.policy {
            Policy::Mlfq { .. } => self.memory.slice[thread] = self.memory.slice[thread].saturating_sub(1),
            Policy::Sjf { .. } | Policy::Srtf { .. } => self.memory.burst[thread] += 1,
            Policy::Cfs { .. } => self.fair_tick(thread),
            Policy::Edf { .. } => {
                if let Some(server) = &mut self.memory.servers[thread] {
                    server.tick();
                }
            }
            Policy::Stride { .. } => {
                let on_processors = self.processors.iter().filter_map(|processor| processor.thread);
                let wanting = self.ready.iter().copied().chain(on_processors);
                let bag = self.bag(thread);
                let wanting = wanting.filter(|other| self.bag(*other) == bag);
                let all: u64 = wanting.map(|other| self.task_of(other).tickets).sum();
                let part = |tickets: u64| {
                    let tickets = i64::try_from(tickets).expect("few");
                    assert_eq!(ONE_PASS % tickets, 0, "{tickets} tickets");
                    ONE_PASS / tickets
                };
                self.memory.pass[thread] += part(self.task_of(thread).tickets);
                self.memory.global_pass[bag] += part(all);
            }
            _ => {}
        }
    }

    /// The slice of a thread has ended; it goes to the tail next.
    pub(super) fn slice_used(&mut self, thread: usize) {
        match self.case.policy {
            Policy::Feedback { quanta, demote_alone } if demote_alone || !self.ready.is_empty() => {
                self.memory.level[thread] = (self.memory.level[thread] + 1).min(quanta.len() - 1);
            }
            Policy::Mlfq { levels, .. } => {
                let memory = &mut self.memory;
                memory.lines[memory.level[thread]].retain(|other| *other != thread);
                memory.allotment[thread] -= 1;
                if memory.allotment[thread] == 0 {
                    memory.level[thread] = (memory.level[thread] + 1).min(levels.len() - 1);
                    memory.allotment[thread] = levels[memory.level[thread]].1;
                }
                memory.slice[thread] = levels[memory.level[thread]].0;
            }
            _ => {}
        }
    }

    /// A thread does not want a processor any more: it waits for something, or is done.
    pub(super) fn leaves(&mut self, thread: usize) {
        self.shares_least(Some(thread));
        match self.case.policy {
            Policy::Mlfq { levels, reset_on_io, .. } => {
                let used_up = self.memory.slice[thread] == 0;
                let level = self.memory.level[thread];
                self.memory.lines[level].retain(|other| *other != thread);
                if reset_on_io {
                    self.memory.slice[thread] = levels[level].0;
                    self.memory.allotment[thread] = levels[level].1;
                }
                if used_up {
                    self.slice_used(thread);
                }
            }
            Policy::Stride { .. } => self.memory.pass[thread] -= self.memory.global_pass[self.bag(thread)],
            Policy::Cfs { .. } => self.fair_least(Some(thread)),
            Policy::Sjf { estimate: Some(average) } | Policy::Srtf { estimate: Some(average) } => {
                self.burst_ends(thread, average);
            }
            _ => {}
        }
    }

    /// A thread gives up its processor and stays ready.
    pub(super) fn yielded(&mut self, thread: usize) {
        match self.case.policy {
            Policy::Sjf { estimate: Some(average) } | Policy::Srtf { estimate: Some(average) } => {
                self.burst_ends(thread, average);
            }
            Policy::Cfs { .. } => self.fair_yield(thread),
            _ => {}
        }
    }

    /// Another burst is ahead, and its estimate is the weighted mean of the last one and the last estimate.
    fn burst_ends(&mut self, thread: usize, average: Average) {
        let burst = std::mem::take(&mut self.memory.burst[thread]) * self.case.tick().ns();
        if burst > 0 {
            let estimate = &mut self.memory.estimate[thread];
            *estimate = (average.percent * burst + (100 - average.percent) * *estimate + 50) / 100;
        }
    }

    /// A thread wants a processor, after being blocked or not; `new`: for the first time.
    pub(super) fn comes(&mut self, thread: usize, was_blocked: bool, new: bool) {
        self.comes_to_shares(thread, was_blocked);
        match self.case.policy {
            Policy::Mlfq { io_to_head, .. } => {
                if !was_blocked && self.memory.slice[thread] == 0 {
                    self.slice_used(thread);
                }
                let line = &mut self.memory.lines[self.memory.level[thread]];
                line.retain(|other| *other != thread);
                let place = if was_blocked && !new && io_to_head { 0 } else { line.len() };
                line.insert(place, thread);
            }
            Policy::Stride { .. } if was_blocked => {
                self.memory.pass[thread] *= i64::from(!new);
                self.memory.pass[thread] += self.memory.global_pass[self.bag(thread)];
            }
            Policy::Cfs { latency, .. } => self.fair_comes(thread, was_blocked, new, latency),
            Policy::Edf { .. } if was_blocked => {
                let now = self.now;
                if let Some(server) = &mut self.memory.servers[thread] {
                    server.wake(now);
                }
            }
            _ => {}
        }
    }

    /// At every multiple of `boost` all get the highest level, behind those who are there; the lowest level first.
    pub(super) fn boost(&mut self) {
        let Policy::Mlfq { levels, boost, .. } = self.case.policy else { return };
        let Some(boost) = boost else { return };
        if self.now == 0 || !self.now.is_multiple_of(boost) {
            return;
        }
        for level in (1..levels.len()).rev() {
            let line = std::mem::take(&mut self.memory.lines[level]);
            self.memory.lines[0].extend(line);
        }
        self.memory.level.fill(0);
        self.memory.slice.fill(levels[0].0);
        self.memory.allotment.fill(levels[0].1);
        for processor in &mut self.processors {
            processor.slice = processor.slice.map(|_| levels[0].0);
        }
    }

    /// All processors have been served for this tick.
    pub(super) fn tick_is_over(&mut self) {
        self.shares_least(None);
        if let Policy::Cfs { .. } = self.case.policy {
            self.fair_least(None);
        }
    }

    pub(super) fn task_of(&self, thread: usize) -> &Task {
        self.task(self.threads[thread].task.expect("a thread of its own"))
    }
}
