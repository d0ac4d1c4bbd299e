//! How the weight of a group is divided where each processor has a queue of its own: see [`super`].
//!
//! Source: group entities of Linux (`calc_group_shares`). Cost: that of the queues, once for each group around whose thread comes or goes.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::Weights;
use crate::policy::nice::UNIT;

/// What stands beside each other in each group in each of several queues: the weight of the group is divided by that.
#[derive(Debug)]
pub(in crate::policy) struct Division {
    groups: Weights,
    sums: Mutex<Sums>,
}

/// By node, which is all together or a group, then by queue.
#[derive(Debug)]
struct Sums {
    /// What its own threads weigh, and the parts of the groups in it.
    loads: Vec<Vec<u64>>,
    /// The same in all queues.
    all: Vec<u64>,
}

impl Division {
    /// Among so many queues.
    pub(in crate::policy) fn new(groups: &Weights, queues: usize) -> Division {
        let nodes = groups.len() + 1;
        let sums = Sums { loads: vec![vec![0; queues]; nodes], all: vec![0; nodes] };
        Division { groups: groups.clone(), sums: Mutex::new(sums) }
    }

    fn sums(&self) -> MutexGuard<'_, Sums> {
        self.sums.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The threads of a node weigh something else in a queue: in all of them the groups around it have other parts.
    pub(super) fn change(&self, mut node: usize, queue: usize, by: impl FnOnce(u64) -> u64) {
        let mut sums = self.sums();
        let before = sums.loads[node][queue];
        let mut changes = vec![(queue, before, by(before))];
        while node > 0 {
            let parts: Vec<u64> = (0..sums.loads[node].len()).map(|queue| self.part_of(&sums, node, queue)).collect();
            sums.set(node, &changes);
            let parent = self.groups[node - 1].0.map_or(0, |parent| parent + 1);
            let now = (0..).zip(parts).map(|(queue, part)| (queue, part, self.part_of(&sums, node, queue)));
            let moved = now.filter(|(_, before, now)| before != now).map(|(queue, before, now)| {
                let load = sums.loads[parent][queue];
                (queue, load, load - before + now)
            });
            changes = moved.collect();
            node = parent;
        }
        sums.set(0, &changes);
    }

    /// The part of a group's weight that it has in a queue.
    pub(super) fn part(&self, node: usize, queue: usize) -> u64 {
        self.part_of(&self.sums(), node, queue).max(1)
    }

    fn part_of(&self, sums: &Sums, node: usize, queue: usize) -> u64 {
        let own = u64::from(self.groups[node - 1].1) * u64::from(UNIT);
        let (there, all) = (sums.loads[node][queue], sums.all[node]);
        if all == 0 { 0 } else { u64::try_from(u128::from(own) * u128::from(there) / u128::from(all)).unwrap_or(own) }
    }
}

impl Sums {
    /// In these queues a node has that where it had this.
    fn set(&mut self, node: usize, changes: &[(usize, u64, u64)]) {
        for (queue, before, now) in changes {
            self.loads[node][*queue] = *now;
            self.all[node] = self.all[node] - before + now;
        }
    }
}
