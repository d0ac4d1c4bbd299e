//! What is kept in sums is what there is, whatever happens.

use super::*;
use crate::policy::{Attributes, Floor};
use crate::rng::StreamName;

/// A floor on which nobody has attributes, and everybody has run for as long as is said.
struct Fake {
    ran: Vec<Span>,
}

impl Floor for Fake {
    fn slots(&self) -> usize {
        2
    }
    fn running(&self, _: Slot) -> Option<Who> {
        None
    }
    fn attributes(&self, _: Who) -> &Attributes {
        unreachable!("the queue is told what a thread asks for")
    }
    fn allowed(&self, _: Who, _: Slot) -> bool {
        true
    }
    fn burst(&self, _: Who) -> Span {
        Span::ZERO
    }
    fn ran(&self, who: Who) -> Span {
        self.ran[who.0 as usize]
    }
}

impl FairQueue {
    /// Are the sums those of the entities, and is one of them eligible?
    fn check(&mut self) {
        let there = |state| matches!(state, State::Queued | State::Running | State::Delayed);
        let all: Vec<(Who, Entity)> = self.entities.all().map(|(who, entity)| (who, *entity)).collect();
        let present = || all.iter().filter(|(_, entity)| there(entity.state));
        assert_eq!(self.weight, present().map(|(_, entity)| entity.weight()).sum::<i128>());
        assert_eq!(self.sum, present().map(|(_, entity)| entity.weight() * entity.runtime).sum::<i128>());
        let queued = present().filter(|(_, entity)| entity.state != State::Running);
        assert_eq!(self.queue, queued.map(|(who, entity)| entity.key(*who)).collect());
        assert_eq!(self.delayed, present().filter(|(_, entity)| entity.state == State::Delayed).count());
        assert_eq!(self.slices.values().sum::<usize>(), present().count());
        let eligible = present().any(|(_, entity)| self.is_eligible(entity.runtime));
        assert!(eligible || present().count() == 0, "somebody is never ahead of the mean");
    }
}

#[test]
fn sums_are_those_of_all_who_are_there() {
    for seed in 0..200 {
        let mut chance = StreamName::new(seed).word("queue").stream();
        let tick = Tick { period: Span::from_us(chance.below(3) * 500), phase: Span::ZERO };
        let mut queue = FairQueue::new(Slot(0), 2, tick);
        let (mut floor, mut now) = (Fake { ran: vec![Span::ZERO; 6] }, Time::ZERO);
        // Where each thread is: away, ready, or on a slot.
        let (mut ready, mut on) = ([false; 6], [None; 2]);
        for _ in 0..300 {
            let passed = Span::from_us(chance.below(900));
            now += passed;
            for who in on.iter().flatten() {
                floor.ran[*who as usize] += passed;
            }
            let view = View { now, floor: &floor, no_affinity: true };
            let slot = Slot(u32::try_from(chance.below(2)).unwrap_or(0));
            let number = u32::try_from(chance.below(6)).unwrap_or(0);
            let (who, is_on) = (Who(number), on.contains(&Some(number)));
            match (chance.below(4), on[slot.0 as usize]) {
                (0, _) if !is_on && !ready[number as usize] => {
                    let slice = Span::from_us(500 + chance.below(3) * 1000);
                    let weight = [15, 335, 1024, 88761][usize::try_from(chance.below(4)).unwrap_or(0)];
                    queue.comes(
                        who,
                        Request { weight, slice, manner: Manner::Normal },
                        None,
                        chance.below(2) == 0,
                        &view,
                    );
                    ready[number as usize] = true;
                    let _ = queue.displaces(who, &view);
                }
                (1, None) => {
                    if let Some(turn) = queue.pick(slot, &view) {
                        on[slot.0 as usize] = Some(turn.who.0);
                        ready[turn.who.0 as usize] = false;
                        floor.ran[turn.who.0 as usize] = Span::ZERO;
                    }
                }
                (2, Some(runs)) => {
                    queue.leaves(Who(runs), slot, floor.ran[runs as usize], chance.below(4) == 0);
                    on[slot.0 as usize] = None;
                }
                (3, Some(runs)) => {
                    queue.steps_back(Who(runs), slot, floor.ran[runs as usize], now);
                    queue.returns(Who(runs), chance.below(3) == 0);
                    on[slot.0 as usize] = None;
                    ready[runs as usize] = true;
                }
                _ => {}
            }
            queue.check();
            assert_eq!(queue.waiting(), ready.iter().filter(|ready| **ready).count(), "seed {seed}");
        }
    }
}

#[test]
fn ticks_are_multiples_after_a_phase() {
    let tick = Tick { period: Span::from_ms(4), phase: Span::from_ms(3) };
    let at = |ms: u64| Time::from_ns(ms * 1_000_000);
    let after: Vec<Time> = [0, 2, 3, 6, 7].map(|ms| tick.after(at(ms))).to_vec();
    assert_eq!(after, [3, 3, 7, 7, 11].map(at));
    assert_eq!([0, 3, 4, 7].map(|ms| tick.not_before(at(ms))), [3, 3, 7, 7].map(at));
    assert_eq!([(0, 2), (0, 3), (3, 7), (2, 12)].map(|(from, to)| tick.between(at(from), at(to))), [0, 1, 1, 3]);
}
