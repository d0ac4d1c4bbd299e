//! Workers that run other tasks while theirs waits for those it spawned.

use super::Workers;
use crate::ids::TaskId;

/// Workers, and what they have set aside.
#[repr(C)]
pub(in crate::engine) struct Helping {
    pub(super) workers: Workers,
    /// By worker: tasks that wait for those they spawned, below the one that the worker runs meanwhile.
    aside: Vec<Vec<TaskId>>,
}

impl Helping {
    pub(super) fn new(workers: Workers) -> Helping {
        Helping { aside: vec![Vec::new(); workers.count()], workers }
    }

    /// The worker has put down this task, and will go on with it.
    pub(in crate::engine) fn sets_aside(&mut self, worker: u32, task: TaskId) {
        self.aside[worker as usize].push(task);
    }

    /// The task that the worker set aside last, if it is able to go on: it is there no more.
    pub(in crate::engine) fn resumes(&mut self, worker: u32, able: impl Fn(TaskId) -> bool) -> Option<TaskId> {
        self.aside[worker as usize].pop_if(|task| able(*task))
    }

    /// If a task that the worker set aside has finished, it is there no more. Was there one?
    pub(in crate::engine) fn forgets(&mut self, worker: u32, finished: impl Fn(TaskId) -> bool) -> bool {
        let aside = &mut self.aside[worker as usize];
        let place = aside.iter().position(|task| finished(*task));
        place.map(|place| aside.remove(place)).is_some()
    }

    /// Each task that is set aside, with the one that lies above it: it cannot go on before that one has ended.
    pub(in crate::engine) fn above(&self) -> impl Iterator<Item = (TaskId, TaskId)> {
        let pairs = (0..).zip(&self.aside).flat_map(|(worker, aside)| {
            let above = aside.iter().skip(1).copied().chain([self.workers.carried_by(worker)]);
            aside.iter().copied().zip(above)
        });
        pairs.filter(|(_, above)| !above.is_none())
    }
}
