//! Who watches an interpreter from outside: how its instances are, and whether any of them will ever move again.
//!
//! Those that arrive by themselves are in the table of the world, which judges them. Those that are spawned, or do something on a
//! pool, come into it only when the run is over, in the order in which they came: here they are judged by the same rules.

use std::collections::BTreeSet;

use sim_core::ids::ProcessId;

use super::memory::{Head, Memory};
use super::plan::{Place, Plan};
use super::told;
use crate::play::executor::Crew;
use crate::sys;

/// What was seen of the instances of an interpreter when we last looked.
pub(super) struct Watch {
    /// Grows with whatever happens.
    happened: u64,
    /// Since when nothing has, and all waited for each other and slept.
    still: u64,
}

impl Watch {
    /// Nothing yet.
    pub(super) fn new(start: u64) -> Watch {
        Watch { happened: 0, still: start }
    }

    /// Shows whoever watches the run how its instances are.
    pub(super) fn look(&mut self, crew: &Crew, plan: &Plan, memory: &Memory) {
        let (now, world) = (sys::now(), &crew.world);
        let heads: Vec<Head> = plan.places.iter().map(|place| memory.head(place.head)).collect();
        for (id, head) in plan.fixed.iter().zip(&heads) {
            world.is_told(*id, told(head));
        }
        let (fixed, others) = heads.split_at(plan.fixed.len());
        let others: Vec<(&Place, &Head)> = plan.places[fixed.len()..].iter().zip(others).collect();
        for process in processes(crew, plan) {
            let has_worker =
                |(place, head): &&(&Place, &Head)| is_under_way(head) && process_of(crew, place) == process;
            let taken = others.iter().filter(has_worker).count();
            world.are_taken_elsewhere(process, u32::try_from(taken).unwrap_or(u32::MAX));
        }
        let full = world.full_now();
        let is_stuck = |(place, head): &(&Place, &Head)| match head {
            Head { arrival: 0, .. } => true,
            head if head.finish > 0 => true,
            head if head.begun > 0 => head.waits,
            // Whatever starts it may be about to: unless it is to wait for others, or for a worker that does not come free.
            _ => !world.may_begin(place.spec) || full[process_of(crew, place)],
        };
        let happened = heads.iter().map(growth).fold(0, u64::wrapping_add);
        let is_still = happened == self.happened
            && fixed.iter().all(|head| head.waits || !is_under_way(head))
            && others.iter().all(is_stuck)
            && memory.threads().into_iter().all(sys::is_still);
        if !is_still {
            self.still = now;
            world.has_moved();
        }
        self.happened = happened;
        world.stands_still_elsewhere(crew.process, now - self.still);
    }
}

/// From now on all instances are in the table of the world.
pub(super) fn nobody_is_left_out(crew: &Crew, plan: &Plan) {
    processes(crew, plan).into_iter().for_each(|process| crew.world.are_taken_elsewhere(process, 0));
}

/// Those of the interpreter: the process and its pools.
fn processes(crew: &Crew, plan: &Plan) -> BTreeSet<ProcessId> {
    plan.places.iter().map(|place| process_of(crew, place)).collect()
}

fn process_of(crew: &Crew, place: &Place) -> ProcessId {
    crew.world.scenario.specs[place.spec].process
}

fn is_under_way(head: &Head) -> bool {
    head.begun > 0 && head.finish == 0
}

/// Grows with whatever an instance does.
fn growth(head: &Head) -> u64 {
    head.rows + head.begun + head.finish + u64::from(head.waits)
}
