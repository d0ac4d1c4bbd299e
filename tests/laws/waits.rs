//! Whoever waits for a lock waits for somebody who has it.

use sim_core::timeline::{Cause, Hold};

use super::{Run, Verdict, ensure};

impl Run {
    /// Who waits for a lock that is handed over waits while somebody else (or itself) holds it; or, under the original ceiling
    /// protocol, another lock with a ceiling.
    pub(super) fn locks_are_held_while_tasks_wait(&self) -> Verdict {
        for block in &self.timeline.blocks {
            let Cause::Sync(lock) = block.cause else { continue };
            let lock_name = &self.timeline.cast.syncs[lock];
            if !lock_name.kind.is_lock() || !lock_name.direct {
                continue;
            }
            let mut held_until = block.start;
            let in_the_way = |hold: &&Hold| {
                let both = [hold.sync, lock].map(|sync| self.timeline.cast.syncs[sync].ceiling.is_some());
                hold.sync == lock || both == [true, true] && hold.task != block.task
            };
            let mut holds: Vec<_> = self.timeline.holds.iter().filter(in_the_way).collect();
            holds.sort_by_key(|hold| (hold.start, hold.end));
            for hold in holds {
                if hold.start <= held_until {
                    held_until = held_until.max(hold.end);
                }
            }
            ensure(held_until >= block.end, || format!("the lock is free at {held_until} while {block:?}"))?;
        }
        Ok(())
    }
}
