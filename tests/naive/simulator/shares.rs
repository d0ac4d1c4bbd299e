//! Groups by weight: under policies of shares, groups come before threads.
//!
//! The rules: in a group, and outside of all, its own threads together stand beside the groups in it. Of those, the one comes next
//! that has had least for its weight, where what its threads on processors have left of their slices counts as had; of equals the one
//! that was given a processor longest ago, or came first since then. Who comes back, or comes again where it stood still, has had what
//! the least of the others has. In a group, its own threads are ordered as if there were no others. A newcomer asks its own group
//! first, and then takes the processor from the one of another group that is ahead of its own by most, if that is more than a
//! millisecond for the weight of 100.

use super::World;
use super::fair::weight as weight_of_nice;
use crate::naive::case::Policy;

/// What the weight of 100 has had in a nanosecond; all sums of weights in these worlds divide it in a tick.
const UNIT: i128 = 3 << 32;

/// The least that somebody of another group must be ahead.
const GRANULARITY: i128 = 1_000_000 * UNIT;

#[derive(Clone, Copy, PartialEq, Debug)]
enum Who {
    /// All threads of a group itself, or of none.
    ThreadsOf(Option<usize>),
    Group(usize),
}

struct Share {
    who: Who,
    /// In which group it stands.
    inside: Option<usize>,
    had: i128,
    /// When it was given a processor, or came after nobody of it was ready.
    stamp: u64,
    /// It stood still when others were chosen.
    is_away: bool,
}

/// What all have had.
pub(super) struct Shares {
    shares: Vec<Share>,
    /// Outside of all, and in each group: the most that the least of those there has had.
    least: Vec<i128>,
}

impl Shares {
    pub(super) fn new(case: &crate::naive::case::Case) -> Shares {
        let share = |who, inside| Share { who, inside, had: 0, stamp: 0, is_away: false };
        let mut shares = vec![share(Who::ThreadsOf(None), None)];
        for (number, group) in case.groups.iter().enumerate() {
            shares.push(share(Who::ThreadsOf(Some(number)), Some(number)));
            shares.push(share(Who::Group(number), group.parent));
        }
        Shares { shares, least: vec![0; case.groups.len() + 1] }
    }
}

impl World<'_> {
    pub(super) fn divides_by_groups(&self) -> bool {
        let divides = matches!(self.case.policy, Policy::Lottery { .. } | Policy::Stride { .. } | Policy::Cfs { .. });
        divides && !self.case.groups.is_empty()
    }

    /// Which threads know only of each other?
    pub(super) fn bag(&self, thread: usize) -> usize {
        if self.divides_by_groups() { self.own_group(thread).map_or(0, |group| group + 1) } else { 0 }
    }

    fn own_group(&self, thread: usize) -> Option<usize> {
        self.groups_of(thread).first().copied()
    }

    fn is_of(&self, thread: usize, share: usize) -> bool {
        match self.shares.shares[share].who {
            Who::ThreadsOf(group) => self.own_group(thread) == group,
            Who::Group(group) => self.groups_of(thread).contains(&group),
        }
    }

    /// The shares that a thread is part of.
    fn shares_of(&self, thread: usize) -> Vec<usize> {
        (0..self.shares.shares.len()).filter(|share| self.is_of(thread, *share)).collect()
    }

    fn weight_of_share(&self, share: usize) -> i128 {
        match self.shares.shares[share].who {
            Who::Group(group) => i128::from(self.case.groups[group].weight) * 1024,
            Who::ThreadsOf(_) => {
                let own = self.wanting().into_iter().filter(|thread| self.is_of(*thread, share));
                own.map(|thread| i128::from(weight_of_nice(self.task_of(thread).nice)) * 100).sum()
            }
        }
    }

    /// So many ticks for its weight.
    fn for_its_weight(&self, ticks: u64, share: usize) -> i128 {
        let all = i128::from(ticks * self.case.tick().ns()) * UNIT * 102_400;
        let weight = self.weight_of_share(share);
        let is_alone =
            self.shares.shares.iter().filter(|other| other.inside == self.shares.shares[share].inside).count();
        assert!(is_alone == 1 || all % weight == 0, "{all} for {weight}");
        all / weight
    }

    /// All who run are served for a tick.
    pub(super) fn shares_tick(&mut self) {
        if !self.divides_by_groups() {
            return;
        }
        let running: Vec<usize> = self.processors.iter().filter_map(|processor| processor.thread).collect();
        for share in 0..self.shares.shares.len() {
            let ticks = running.iter().filter(|thread| self.is_of(**thread, share)).count() as u64;
            if ticks > 0 {
                self.shares.shares[share].had += self.for_its_weight(ticks, share);
            }
        }
    }

    /// Brings the least of all up to now; one who is leaving still counts.
    pub(super) fn shares_least(&mut self, leaving: Option<usize>) {
        if !self.divides_by_groups() {
            return;
        }
        let wanting: Vec<usize> = self.wanting().into_iter().chain(leaving).collect();
        for place in 0..self.shares.least.len() {
            let here = (0..self.shares.shares.len()).filter(|share| {
                let Share { inside, is_away, .. } = self.shares.shares[*share];
                let wanted = || wanting.iter().any(|thread| self.is_of(*thread, *share));
                inside.map_or(0, |group| group + 1) == place && !is_away && wanted()
            });
            let least = here.map(|share| self.shares.shares[share].had).min();
            self.shares.least[place] = self.shares.least[place].max(least.unwrap_or(0));
        }
    }

    fn catches_up(&mut self, share: usize) {
        let Share { inside, had, is_away, .. } = &mut self.shares.shares[share];
        *had = (*had).max(self.shares.least[inside.map_or(0, |group| group + 1)]);
        *is_away = false;
    }

    /// A thread is to be ready.
    pub(super) fn comes_to_shares(&mut self, thread: usize, was_blocked: bool) {
        if !self.divides_by_groups() {
            return;
        }
        let stamp = self.stamp();
        for share in self.shares_of(thread) {
            if was_blocked && !self.wanting().iter().any(|other| self.is_of(*other, share)) {
                self.shares_least(None);
                self.catches_up(share);
            }
            if !self.ready.iter().any(|other| self.is_of(*other, share)) {
                self.shares.shares[share].stamp = stamp;
            }
        }
    }

    /// A thread is given a processor.
    pub(super) fn has_its_turn(&mut self, thread: usize) {
        if self.divides_by_groups() {
            let stamp = self.stamp();
            for share in self.shares_of(thread) {
                self.shares.shares[share].stamp = stamp;
            }
        }
    }

    /// Of these threads, those of whom one comes next: all of one group, or of none.
    pub(super) fn of_next_share(&mut self, able: Vec<usize>) -> Vec<usize> {
        if !self.divides_by_groups() {
            return able;
        }
        self.shares_least(None);
        for share in 0..self.shares.shares.len() {
            let of_it: Vec<usize> = self.ready.iter().copied().filter(|thread| self.is_of(*thread, share)).collect();
            if !of_it.is_empty() && of_it.iter().all(|thread| !self.has_quota(*thread)) {
                self.shares.shares[share].is_away = true;
            } else if !of_it.is_empty() && self.shares.shares[share].is_away {
                self.catches_up(share);
            }
        }
        let mut inside = None;
        loop {
            let here = (0..self.shares.shares.len()).filter(|share| {
                let is_here = self.shares.shares[*share].inside == inside;
                is_here && able.iter().any(|thread| self.is_of(*thread, *share))
            });
            let next = here.min_by_key(|share| (self.standing(*share, None), self.shares.shares[*share].stamp));
            let Some(next) = next else { return Vec::new() };
            match self.shares.shares[next].who {
                Who::Group(group) => inside = Some(group),
                Who::ThreadsOf(_) => return able.into_iter().filter(|thread| self.is_of(*thread, next)).collect(),
            }
        }
    }

    /// What it has had, with what is left of slices, but of the one on that processor.
    fn standing(&self, share: usize, but: Option<usize>) -> i128 {
        let ahead = self.processors.iter().enumerate().filter_map(|(cpu, processor)| {
            let counts = Some(cpu) != but && processor.thread.is_some_and(|thread| self.is_of(thread, share));
            processor.slice.filter(|_| counts)
        });
        let ahead = ahead.sum();
        self.shares.shares[share].had + if ahead > 0 { self.for_its_weight(ahead, share) } else { 0 }
    }

    /// From whom of another group does a newcomer take the processor?
    pub(super) fn victim_of_another_group(&self, thread: usize) -> Option<usize> {
        if !self.divides_by_groups() || !self.memory.fair.is_fresh(thread) {
            return None;
        }
        let mut worst: Option<(i128, usize)> = None;
        for cpu in (0..self.processors.len()).filter(|cpu| self.allowed(thread, *cpu)) {
            let Some(other) = self.processors[cpu].thread else { continue };
            let (own, others) = (self.shares_of(thread), self.shares_of(other));
            let beside =
                |one: usize, two: usize| one != two && self.shares.shares[one].inside == self.shares.shares[two].inside;
            let meeting = own.iter().find_map(|one| Some((*one, *others.iter().find(|two| beside(*one, **two))?)));
            let Some((own, of_other)) = meeting else { continue };
            let ahead = self.standing(of_other, Some(cpu)) - self.standing(own, None);
            if ahead > GRANULARITY && worst.is_none_or(|(most, _)| ahead > most) {
                worst = Some((ahead, cpu));
            }
        }
        worst.map(|(_, cpu)| cpu)
    }
}
