//! Worlds in which there is not room for all.

use sim_core::rng::Stream;

use super::{below, one_of, random, random_devices};
use crate::naive::case::{Case, Discipline, Executor, Room};

/// A random world whose devices serve like this, and at which few may wait.
pub(crate) fn random_rooms(chance: &mut Stream, discipline: Discipline) -> Case {
    let mut case = random_devices(chance, discipline);
    case.queue = Some(below(chance, 3));
    case
}

/// A random world of pools that grow, shrink and are full.
pub(crate) fn random_pools(chance: &mut Stream) -> Case {
    let mut case = random(chance);
    // Which worker takes a task, and so which thread it is to a processor that remembers one, is open until one looks.
    case.context_switch = 0;
    case.queue = one_of(chance, &[None, Some(0), Some(1)]);
    for process in &mut case.processes {
        let maximum = 1 + below(chance, 4);
        let queue = one_of(chance, &[None, Some(0), Some(0), Some(1), Some(2)]);
        process.executor = Executor::Pool(Room {
            core: below(chance, maximum + 1),
            maximum,
            queue,
            rejects: queue.is_some() && chance.below(2) == 0,
            keep_alive: one_of(chance, &[None, Some(1), Some(3), Some(6)]),
        });
        let spread = one_of(chance, &[4, 20, 40]);
        for task in &mut process.tasks {
            (task.priority, task.affinity) = (0, None);
            task.arrival = chance.below(spread);
        }
        process.tasks.extend(process.tasks.clone());
    }
    case
}
