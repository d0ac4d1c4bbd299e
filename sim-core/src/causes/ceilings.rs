//! Who is in whose way under the original ceiling protocol, as a record shows it: who has the lock, or, while it is free, who
//! has the one with the highest ceiling of all that others have.

use std::cmp::Reverse;

use super::row::Row;
use crate::ids::{SyncId, TaskId};
use crate::time::Time;
use crate::timeline::{Hold, Timeline};

/// Who had which of the locks with original ceilings.
#[derive(Default)]
pub(crate) struct Ceilings {
    /// The highest ceiling first, then in the order of the file.
    locks: Vec<(i64, SyncId, Row<TaskId>)>,
}

impl Ceilings {
    pub(crate) fn of(timeline: &Timeline) -> Ceilings {
        let governed = timeline.cast.syncs.pairs().filter_map(|(id, sync)| Some((sync.ceiling?, id)));
        let of_lock = |(ceiling, id): (i64, SyncId)| {
            let mut holds: Vec<&Hold> = timeline.holds.iter().filter(|hold| hold.sync == id).collect();
            holds.sort_by_key(|hold| (hold.start, hold.end));
            let mut row = Row::default();
            holds.into_iter().for_each(|hold| row.push(hold.start, hold.end, hold.task));
            (ceiling, id, row)
        };
        let mut locks: Vec<_> = governed.map(of_lock).collect();
        locks.sort_by_key(|(ceiling, id, _)| (Reverse(*ceiling), *id));
        Ceilings { locks }
    }

    /// Is it one of them?
    pub(crate) fn govern(&self, lock: SyncId) -> bool {
        self.locks.iter().any(|(_, id, _)| *id == lock)
    }

    /// Who keeps a task at a moment from a lock for which it waits; `until` becomes when that may change.
    pub(crate) fn in_the_way(&self, (task, lock): (TaskId, SyncId), from: Time, until: &mut Time) -> Option<TaskId> {
        let itself = self.locks.iter().filter(|(_, id, _)| *id == lock);
        let others = self.locks.iter().filter(|(_, id, _)| *id != lock);
        for (_, id, row) in itself.chain(others) {
            let Some(seat) = row.first_after(from) else { continue };
            let has = seat.start <= from;
            *until = if has { seat.end } else { seat.start }.min(*until);
            // Who wants what it has itself waits for itself.
            if has && (seat.who != task || *id == lock) {
                return Some(seat.who);
            }
        }
        None
    }
}
