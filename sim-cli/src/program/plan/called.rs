//! What programs call their parts: the functions of tasks, and tasks themselves in what is printed.

use std::collections::BTreeSet;

use sim_core::ids::{IdVec, ProcessId, SpecId};
use sim_core::scenario::{Arrival, Spec, SyncKind};

use super::{Plan, Shared};
use crate::program::names::Names;

/// The functions of tasks.
#[derive(Clone, Debug)]
pub struct Functions {
    /// What the function of each task is called.
    pub names: IdVec<SpecId, String>,
    /// The tasks whose function is that of another: of copies of a process.
    pub copies: BTreeSet<SpecId>,
}

impl Plan<'_> {
    /// The functions of all tasks.
    #[must_use]
    pub fn functions(&self, names: &mut Names) -> Functions {
        let mut functions = Functions { names: IdVec::new(), copies: BTreeSet::new() };
        for (id, spec) in self.scenario.specs.pairs() {
            let first = functions.names.ids().find(|other| self.is_copy(*other, id));
            functions.copies.extend(first.map(|_| id));
            let name = first.map_or_else(|| names.take(&spec.name, "task"), |first| functions.names[first].clone());
            functions.names.push(name);
        }
        functions
    }

    /// Is one task a copy of the other, in a copy of its process, so that one function does for both?
    fn is_copy(&self, first: SpecId, second: SpecId) -> bool {
        let (one, other): (&Spec, &Spec) = (&self.scenario.specs[first], &self.scenario.specs[second]);
        let is_alone = self.children(second, false).is_empty();
        let are_alike = one.name == other.name && one.program.ops == other.program.ops;
        is_alone && are_alike && one.process != other.process && self.flavour(first) == self.flavour(second)
    }

    /// The name of a task without the number of the instance: `crawler/download`.
    #[must_use]
    pub fn task_name(&self, spec: SpecId) -> String {
        self.scenario.task_name(spec, 0).trim_end_matches("#0").to_owned()
    }

    /// How wide the longest name of a task is, with its number, in letters.
    #[must_use]
    pub fn width(&self) -> usize {
        let name = |(id, spec): (SpecId, &Spec)| {
            let spawned = spec.arrival == Arrival::Spawned;
            let last = if spawned { 99 } else { spec.count.saturating_sub(1) };
            crate::letters::width(&self.scenario.task_name(id, last))
        };
        let own = self.scenario.specs.pairs().filter(|(id, _)| !self.is_called(*id));
        own.map(name).max().unwrap_or(0).max("total".len())
    }

    /// What the tasks of a process share. The locks of condition variables come before these.
    #[must_use]
    pub fn shared_in(&self, process: ProcessId) -> Vec<Shared> {
        let used = |thing: &Shared| self.specs(process).any(|(spec, _)| self.uses(spec).any(|other| other == *thing));
        let mut used: Vec<Shared> = self.all_shared().into_iter().filter(used).collect();
        used.sort_by_key(
            |thing| matches!(thing, Shared::Sync(sync) if self.scenario.syncs[*sync].kind == SyncKind::Condvar),
        );
        used
    }
}
