//! Whoever waits for a lock waits for somebody who has it.

use sim_core::executor::Threads;
use sim_core::ids::TaskId;
use sim_core::scenario::Scenario;
use sim_core::time::{Span, Time};
use sim_core::timeline::{Cause, Depletions, Hold};

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

/// Is it for the budget of its server that a task does not go on, or for the thread or the interpreter lock of one who waits for
/// that?
pub(super) fn for_budget(run: &Run, scenario: &Scenario, depletions: &Depletions, task: TaskId, at: Time) -> bool {
    let process = |task: TaskId| scenario.specs[run.spec(task)].process;
    let executor = &scenario.processes[process(task)].executor;
    let apart = matches!(executor.kind.threads, Threads::PerTask | Threads::ProcessPerTask) && executor.gil.is_none();
    let in_its_way = |other: &TaskId| *other == task || !apart && process(*other) == process(task);
    let mut those = run.timeline.tasks.ids().filter(in_its_way);
    those.any(|other| depletions.first(other, at, at + Span::from_ns(1)).is_some())
}
