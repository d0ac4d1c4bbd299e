//! Threads whose slice ends do not move without need: when there is a free processor for everybody, each continues on
//! its own.
//!
//! Rule: when, at a dispatch, every thread that is ready can be given a free processor that it may use, with those whose
//! slice has just ended on theirs, then these continue there, without a switch, and the others go to the free ones, the
//! lowest number first. Otherwise a thread whose slice has ended queues like everybody else.

use super::world::World;
use crate::ids::{CpuId, ThreadId};
use crate::policy::room::have_room;
use crate::policy::{Floor as _, Slot, Who};
use crate::timeline::Recorder;

impl<R: Recorder> World<'_, R> {
    /// Puts threads whose slice has just ended back on their processors, if there is one for everybody else too.
    pub(super) fn continue_expired(&mut self) {
        let mut expired = std::mem::take(&mut self.expired);
        if self.count_able() <= self.scene.processors.count_idle() && self.others_have_room(&expired) {
            for (cpu, thread) in expired.drain(..) {
                self.scene.only = Some(thread);
                let turn = self.ready.pick(cpu, &mut self.scene);
                self.scene.only = None;
                if let Some(turn) = turn {
                    let _ = self.start(cpu, turn);
                }
            }
        }
        expired.clear();
        self.expired = expired;
    }

    /// Can every ready thread whose slice has not just ended be given a free processor of its own, beside those of the
    /// expired ones? (There are enough of them.)
    fn others_have_room(&self, expired: &[(CpuId, ThreadId)]) -> bool {
        let Some(ready) = self.ready.members() else { return true };
        let is_expired = |thread: &ThreadId| expired.iter().any(|(_, other)| other == thread);
        let is_able = |thread: &ThreadId| self.may_run_somewhere(*thread);
        let others = ready.iter().filter(|thread| !is_expired(thread) && is_able(thread));
        let others: Vec<Who> = others.map(|thread| Who(thread.0)).collect();
        let free = self.scene.processors.idle().filter(|cpu| expired.iter().all(|(other, _)| other != cpu));
        let free: Vec<Slot> = free.map(|cpu| Slot(cpu.0)).collect();
        have_room(&others, &free, |who, slot| self.scene.allowed(who, slot))
    }
}
