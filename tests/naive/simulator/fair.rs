//! The completely fair scheduler, in whole numbers: virtual runtimes are counted in a unit that all weights divide.

use super::World;
use crate::naive::case::Policy;

/// Service of one tick for a weight of one.
const UNIT: i64 = 3121 * 1024 * 335;

/// What a nice value weighs: those that these worlds have.
pub(super) fn weight(nice: i64) -> i64 {
    match nice {
        -5 => 3121,
        0 => 1024,
        5 => 335,
        other => panic!("nobody is as nice as {other} here"),
    }
}

/// What `cfs` remembers.
#[derive(Default)]
pub(super) struct Fair {
    /// Of each thread.
    pub(super) runtime: Vec<i64>,
    /// The least of those who want to run and know of each other; it never goes back.
    least: Vec<i64>,
    /// Who has arrived or woken and may take a processor, until it comes back to the queue for another reason.
    fresh: Vec<bool>,
}

impl Fair {
    pub(super) fn new(threads: usize, bags: usize) -> Fair {
        Fair { runtime: vec![0; threads], least: vec![0; bags], fresh: vec![false; threads] }
    }

    pub(super) fn is_fresh(&self, thread: usize) -> bool {
        self.fresh.get(thread).is_some_and(|fresh| *fresh)
    }
}

impl World<'_> {
    fn weight_of(&self, thread: usize) -> i64 {
        weight(self.task_of(thread).nice)
    }

    /// All who are ready or on a processor.
    pub(super) fn wanting(&self) -> Vec<usize> {
        self.ready.iter().copied().chain(self.processors.iter().filter_map(|processor| processor.thread)).collect()
    }

    pub(super) fn fair_tick(&mut self, thread: usize) {
        self.memory.fair.runtime[thread] += UNIT / self.weight_of(thread);
    }

    /// Brings the least of all up to now; one who is leaving still counts.
    pub(super) fn fair_least(&mut self, leaving: Option<usize>) {
        for bag in 0..self.memory.fair.least.len() {
            let counted = self.wanting().into_iter().chain(leaving).filter(|thread| self.bag(*thread) == bag);
            let least = counted.map(|thread| self.memory.fair.runtime[thread]).min();
            self.memory.fair.least[bag] = self.memory.fair.least[bag].max(least.unwrap_or(0));
        }
    }

    /// A newcomer begins at the least of all; one that wakes is no further back than half a latency before that.
    pub(super) fn fair_comes(&mut self, thread: usize, was_blocked: bool, new: bool, latency: u64) {
        self.memory.fair.fresh[thread] = was_blocked;
        if !was_blocked {
            return;
        }
        self.fair_least(None);
        let half = i64::try_from(latency).expect("short") * (UNIT / weight(0)) / 2;
        let (bag, fair) = (self.bag(thread), &mut self.memory.fair);
        let least = fair.least[bag];
        fair.runtime[thread] = if new { least } else { fair.runtime[thread].max(least - half) };
    }

    /// Who yields is behind the first of the queue.
    pub(super) fn fair_yield(&mut self, thread: usize) {
        let ready = self.ready.iter().filter(|other| self.bag(**other) == self.bag(thread));
        let first = ready.map(|other| self.memory.fair.runtime[*other]).min();
        let runtime = &mut self.memory.fair.runtime[thread];
        *runtime = first.unwrap_or(*runtime).max(*runtime);
    }

    /// The share of a period, by weight, of all processors; with a tick it ends at the first one after that.
    pub(super) fn fair_slice(&self, cpu: usize, thread: usize) -> u64 {
        let Policy::Cfs { latency, base_slice, tick, .. } = self.case.policy else { unreachable!("asked of cfs only") };
        // The thread itself is on its processor already.
        let mut wanting = self.wanting();
        wanting.retain(|other| self.bag(*other) == self.bag(thread));
        let processors = self.processors.len() as u64;
        let period = latency.max(base_slice * (wanting.len() as u64).div_ceil(processors));
        let all: i64 = wanting.iter().map(|other| self.weight_of(*other)).sum();
        let part = |weight: i64| u64::try_from(weight).expect("positive");
        let (mine, all) = (period * part(self.weight_of(thread)) * processors, part(all));
        let Some(tick) = tick else {
            let share = (mine / all).min(period).max(base_slice);
            assert!(share != mine / all || mine.is_multiple_of(all), "a slice of {mine}/{all} is no whole tick");
            return share;
        };
        let begin = self.now + self.processors[cpu].switching;
        // The first tick that is not before begin + mine / all.
        let within = |share: u64| (begin + share).next_multiple_of(tick) - begin;
        within(mine.div_ceil(all).min(period).max(base_slice))
    }

    pub(super) fn fair_gives_way(&self, runs: usize, waits: usize, granularity: u64) -> bool {
        let fair = &self.memory.fair;
        let granularity = i64::try_from(granularity).expect("short") * (UNIT / self.weight_of(waits));
        fair.fresh[waits] && fair.runtime[runs] - fair.runtime[waits] > granularity
    }
}
