//! What programs call their parts: functions, shared things and lists, and tasks themselves in what is printed.

use std::collections::{BTreeMap, BTreeSet};

use sim_core::ids::{IdVec, ProcessId, SpecId, VariableId};
use sim_core::scenario::{Arrival, Spec, SyncKind};

use super::{Flavour, Plan, Shared};
use crate::program::names::Names;

/// What a program calls its parts.
#[derive(Clone, Debug)]
pub struct Called {
    /// The function of each task.
    pub functions: IdVec<SpecId, String>,
    /// The tasks whose function is that of another: of copies of a process.
    pub copies: BTreeSet<SpecId>,
    /// The function of each process, if there are several.
    pub processes: BTreeMap<ProcessId, String>,
    /// What each shared thing is called.
    pub shared: BTreeMap<Shared, String>,
    /// What each variable is called.
    pub variables: IdVec<VariableId, String>,
    /// The list of those that a task has spawned and will join, by who is spawned.
    pub children: BTreeMap<SpecId, String>,
    /// What keeps or counts those for whom others wait, where the program needs that.
    pub waited_for: BTreeMap<SpecId, String>,
}

/// What each language names in its own way.
pub trait Naming {
    /// Something of this name that tasks share.
    fn shared(&mut self, names: &mut Names, name: &str, kind: &str) -> String;

    /// What tasks are that run like this: a list of those that were spawned is called so, behind their function.
    fn plural(&self, flavour: Flavour) -> &'static str;

    /// Does the program keep or count those for whom this task waits?
    fn keeps_those_before(&self, plan: &Plan<'_>, waits: SpecId) -> bool;

    /// What keeps or counts those of this function, for whom others wait.
    fn waited_for(&mut self, names: &mut Names, function: &str, flavour: Flavour) -> String;
}

impl Plan<'_> {
    /// What the program calls its parts, in a language with such names.
    #[must_use]
    pub fn calls(&self, names: &mut Names, naming: &mut impl Naming) -> Called {
        let (functions, copies) = self.functions(names);
        let several = self.processes().count() > 1;
        let in_process = self.processes().filter(|(id, _)| several && self.flavours[*id] != Flavour::Processes);
        let processes = in_process.map(|(id, process)| (id, names.take(&process.name, "process"))).collect();
        let mut shared = BTreeMap::new();
        for thing in self.all_shared() {
            let (name, kind) = match thing {
                Shared::Sync(sync) => (&self.scenario.syncs[sync].name, self.scenario.syncs[sync].kind.word()),
                Shared::Device(device) => (&self.scenario.devices[device].name, "device"),
            };
            shared.insert(thing, naming.shared(names, name, kind));
        }
        let variables = self.scenario.variables.iter();
        let variables = variables.map(|variable| naming.shared(names, &variable.name, "variable")).collect();
        let (mut children, mut waited_for) = (BTreeMap::new(), BTreeMap::new());
        for (id, spec) in self.scenario.specs.pairs() {
            for child in self.children(id, false) {
                let name = format!("{}_{}", functions[child], naming.plural(self.flavour(child)));
                children.entry(child).or_insert_with(|| names.take(&name, "list"));
            }
            let keeps = naming.keeps_those_before(self, id);
            for before in spec.after.iter().filter(|_| keeps) {
                let name = || naming.waited_for(names, &functions[*before], self.flavour(*before));
                waited_for.entry(*before).or_insert_with(name);
            }
        }
        Called { functions, copies, processes, shared, variables, children, waited_for }
    }

    /// The functions of all tasks, and which of them are those of others.
    fn functions(&self, names: &mut Names) -> (IdVec<SpecId, String>, BTreeSet<SpecId>) {
        let (mut functions, mut copies) = (IdVec::<SpecId, String>::new(), BTreeSet::new());
        for (id, spec) in self.scenario.specs.pairs() {
            let first = functions.ids().find(|other| self.is_copy(*other, id));
            copies.extend(first.map(|_| id));
            let name = match first {
                Some(first) => functions[first].clone(),
                None => names.take(&spec.name, "task"),
            };
            functions.push(name);
        }
        (functions, copies)
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
