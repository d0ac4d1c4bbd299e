//! Threads whose slice ends do not move without need: the rule of the engine's module of this name.

use sim_core::policy::room::have_room;
use sim_core::policy::{Slot, Who};
use sim_core::scenario::Timer;

use super::Desk;
use crate::play::dispatch::floor::State;

impl Desk<'_> {
    /// Can a thread whose slice ends stay where it is?
    pub(super) fn may_continue(&self) -> bool {
        let scheduler = &self.ground.scenario.scheduler;
        self.limits.len() > 1 && scheduler.timer == Timer::PerSlice && !self.traits.confined
    }

    /// Those whose slice has just ended stay on their processors, if there is one for everybody else too.
    pub(super) fn continue_expired(&mut self) {
        let expired = std::mem::take(&mut self.expired);
        let idle = self.ground.slots().filter(|slot| self.ground.turn(*slot).is_none());
        let free: Vec<Slot> = idle.filter(|slot| expired.iter().all(|(other, _)| other != slot)).collect();
        let others = (0..).zip(&self.ground.rows).filter(|(_, row)| row.state == State::Ready).map(|(who, _)| Who(who));
        let others: Vec<Who> = others.filter(|who| expired.iter().all(|(_, other)| other != who)).collect();
        if others.len() <= free.len() && have_room(&others, &free, |who, slot| self.ground.may_use(who, slot)) {
            for (slot, who) in expired {
                self.ground.only = Some(who);
                self.fill(slot);
                self.ground.only = None;
            }
        }
    }
}
