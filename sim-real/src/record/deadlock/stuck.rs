//! Who can never go on, though others live on: the same search as in the simulator.
//!
//! A greatest fixed point. At first everybody who waits for others is taken for stuck. Then whoever could still be helped
//! by somebody who is not stuck is not stuck either, until nothing changes. Who lives could do anything that is in its
//! program, and so could one that has yet to arrive or to be spawned: nobody is called stuck who could go on.

use std::collections::{BTreeMap, BTreeSet};

use sim_core::ids::{IdVec, ProcessId, SpecId, SyncId};
use sim_core::scenario::{Op, SyncKind};

use super::{Awaits, Standstill, Wish};

/// More than any barrier has parties: tasks that can be spawned any number of times.
const ANY: usize = 1 << 40;

/// What those who are taken for stuck keep from the others, and what the others can do for them.
struct Prospects {
    /// Objects that somebody has who will not give them back.
    lost: BTreeSet<SyncId>,
    /// How many live of each task.
    alive: IdVec<SpecId, usize>,
    /// Tasks with stuck instances, and who spawned these.
    specs: BTreeSet<SpecId>,
    children: BTreeSet<(usize, SpecId)>,
    /// Processes all of whose workers are kept by stuck instances.
    full: IdVec<ProcessId, bool>,
    /// What would let those go on who wait at objects.
    opens: BTreeMap<(SyncId, Wish), bool>,
}

impl Standstill<'_> {
    /// Forgets those who wait, but could go on.
    pub(super) fn keep_stuck(&mut self) {
        let mut before = usize::MAX;
        while self.awaits.len() < before && !self.awaits.is_empty() {
            before = self.awaits.len();
            let prospects = self.prospects();
            let stuck = |id: usize, awaits: Awaits| !self.goes_on(id, awaits, &prospects);
            let kept = self.awaits.iter().filter(|(id, (awaits, _))| stuck(**id, *awaits));
            self.awaits = kept.map(|(id, awaits)| (*id, *awaits)).collect();
        }
    }

    fn prospects(&self) -> Prospects {
        let world = self.world;
        let is_stuck = |id: usize| self.awaits.contains_key(&id);
        let lost = |(holder, ..): &(usize, u64, bool)| is_stuck(*holder) || self.stories[*holder].finish != 0;
        let mut alive: IdVec<SpecId, usize> = world.scenario.specs.iter().map(|_| 0).collect();
        for id in (0..self.stories.len()).filter(|id| !is_stuck(*id) && self.stories[*id].finish == 0) {
            alive[world.identity(id).0] += 1;
        }
        self.add_spawnable(&mut alive);
        let stuck = || self.awaits.keys().copied();
        let mut prospects = Prospects {
            lost: self.holders.iter().filter(|(_, holders)| holders.iter().any(lost)).map(|(sync, _)| *sync).collect(),
            alive,
            specs: stuck().map(|id| world.identity(id).0).collect(),
            children: stuck().filter_map(|id| Some((world.parent_of(id)?, world.identity(id).0))).collect(),
            full: world.full_processes(|id| is_stuck(id) && self.stories[id].begun != 0),
            opens: BTreeMap::new(),
        };
        for (awaits, _) in self.awaits.values() {
            if let Awaits::Object(sync, wish) = *awaits
                && !prospects.opens.contains_key(&(sync, wish))
            {
                let opens = self.opens(sync, wish, &prospects);
                prospects.opens.insert((sync, wish), opens);
            }
        }
        prospects
    }

    /// Adds any number of those whom the living, and those they spawn, can spawn.
    fn add_spawnable(&self, alive: &mut IdVec<SpecId, usize>) {
        let specs = &self.world.scenario.specs;
        let mut living: Vec<SpecId> = alive.pairs().filter(|(_, count)| **count > 0).map(|(spec, _)| spec).collect();
        while let Some(spec) = living.pop() {
            for op in &specs[spec].program.ops {
                if let Op::Spawn(child) = op
                    && alive[*child] < ANY
                {
                    alive[*child] = ANY;
                    living.push(*child);
                }
            }
        }
    }

    /// Can those who wait like that at an object go on?
    fn opens(&self, sync: SyncId, wish: Wish, prospects: &Prospects) -> bool {
        let alive = prospects.alive.pairs().filter(|(_, count)| **count > 0);
        let mut helpers = alive.filter(|(spec, _)| self.helps(*spec, sync, wish)).map(|(_, count)| *count);
        match self.world.scenario.syncs[sync].kind {
            SyncKind::Mutex | SyncKind::RwLock { .. } => !prospects.lost.contains(&sync),
            SyncKind::Barrier { parties } => {
                let waits = |awaits: &&(Awaits, u64)| awaits.0 == Awaits::Object(sync, wish);
                helpers.sum::<usize>() + self.awaits.values().filter(waits).count() >= parties as usize
            }
            SyncKind::Semaphore { .. } | SyncKind::Channel { .. } | SyncKind::Condvar => helpers.next().is_some(),
        }
    }

    fn goes_on(&self, id: usize, awaits: Awaits, prospects: &Prospects) -> bool {
        match awaits {
            Awaits::Object(sync, wish) => prospects.opens[&(sync, wish)],
            Awaits::Children(spec) => {
                let above = self.world.above(id);
                !prospects.children.contains(&(id, spec)) && above.is_none_or(|above| !self.awaits.contains_key(&above))
            }
            Awaits::EndOfOthers(spec) => {
                !self.world.scenario.specs[spec].after.iter().any(|before| prospects.specs.contains(before))
            }
            Awaits::Worker(process) => !prospects.full[process],
        }
    }
}
