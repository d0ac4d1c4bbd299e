//! What a program needs to know of a scenario, in whichever language: programs as trees, who uses what, who waits for whom,
//! and what no language has.

mod called;
mod notes;
mod orders;

use std::collections::{BTreeMap, BTreeSet};

use sim_core::device::{Device, Form};
use sim_core::distribution::Distribution;
use sim_core::executor::Threads;
use sim_core::ids::{DeviceId, IdVec, ProcessId, SpecId, SyncId, VariableId};
use sim_core::scenario::{Arrival, Group, Op, Process, Scenario, Spec, SyncOp};

pub use self::called::{Called, Naming};
pub use self::notes::listed;
use super::comments::Written;
use super::tree::{Node, each_op, leaves_behind, tree};
use super::{Refusal, comments};

/// Who runs the tasks of a process, as programs tell them apart.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Flavour {
    /// One after the other, by plain calls.
    Sequential,
    /// A thread for each.
    Threads,
    /// An event loop.
    Async,
    /// Some threads, each with one task at a time.
    Pool,
    /// Some threads, among which tasks move where they wait.
    Stealing,
    /// A process for each.
    Processes,
    /// Some processes, each with one task at a time.
    ProcessPool,
    /// Threads beside an event loop, which do something for its tasks.
    Beside,
}

/// Something that tasks share.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Shared {
    /// What they synchronise with.
    Sync(SyncId),
    /// A device that serves a limited number at once.
    Device(DeviceId),
}

/// A scenario on its way to a program.
#[derive(Debug)]
pub struct Plan<'s> {
    /// The scenario.
    pub scenario: &'s Scenario,
    /// What its file is called.
    pub file: &'s str,
    /// The comment at the head of the file.
    pub head: Vec<String>,
    /// The comments above tasks, by the names of these.
    pub comments: BTreeMap<String, Vec<String>>,
    /// The comments at operations.
    pub at_operations: comments::OfOperations,
    /// What each task does.
    pub bodies: IdVec<SpecId, Vec<Node>>,
    /// Who runs the tasks of each process.
    pub flavours: IdVec<ProcessId, Flavour>,
    /// What each task uses, and those that it spawns.
    uses: IdVec<SpecId, BTreeSet<Shared>>,
}

/// Pools beside executors whose tasks block their thread anyhow: there is nothing that would go on meanwhile.
fn pools(scenario: &Scenario) -> Vec<Refusal> {
    let beside = scenario.processes.iter().filter_map(|process| process.part.as_ref());
    let beside = beside.filter(|part| scenario.processes[part.whole].executor.kind.keeps_thread);
    // Copies have the same.
    let mut pools: Vec<(&str, &str)> = beside
        .map(|part| {
            let whole = scenario.processes[part.whole].name.as_str();
            (whole.split_once('#').map_or(whole, |(name, _)| name), part.pool.as_str())
        })
        .collect();
    pools.dedup();
    let refusal = |(whole, pool)| {
        let what = format!("the pool {pool} beside the executor of process {whole}, and what is done `on` it");
        Refusal::new(what, "let the task itself do that, or choose the executor `async`")
    };
    pools.into_iter().map(refusal).collect()
}

/// A group that has only so much processor time.
fn limited(group: &Group) -> Refusal {
    let what = format!("the quota of group {}, which is no matter of a program", group.name);
    Refusal::new(what, "leave the group out, and run the program in a container that is limited so")
}

/// What a task does at once, in one place.
fn branch(spec: &Spec) -> Refusal {
    let what = format!("{}, which goes on inside another task", spec.name);
    Refusal::new(what, "let tasks of their own do what stands in `all`, `any` and `each`: spawn them, and join them")
}

impl<'s> Plan<'s> {
    /// Looks at a scenario of this file.
    ///
    /// # Errors
    /// What no language has.
    pub fn new(scenario: &'s Scenario, written: &Written<'s>) -> Result<Plan<'s>, Vec<Refusal>> {
        let mut refused = pools(scenario);
        refused.extend(scenario.specs.iter().filter(|spec| spec.is_branch()).map(branch));
        refused.extend(scenario.groups.iter().filter(|group| group.quota.is_some()).map(limited));
        if !refused.is_empty() {
            return Err(refused);
        }
        let mut bodies = IdVec::new();
        for (id, spec) in scenario.specs.pairs() {
            bodies.push(tree(&spec.program.ops).unwrap_or_default());
            if spec.program.ops.iter().any(|op| matches!(op, Op::Attempt(_))) {
                let what = format!("what {} may give up (`within`, `patience`, `else`)", scenario.task_name(id, 0));
                refused.push(Refusal::new(what, "leave that out: it is not exported yet"));
            } else if tree(&spec.program.ops).is_none() {
                let name = scenario.task_name(id, 0);
                refused.push(Refusal::new(
                    format!("the program of {name} is not made of loops and branches"),
                    "write it in TOML",
                ));
            }
            refused.extend(of_task(scenario, spec));
        }
        refused.extend(scenario.devices.iter().filter_map(of_device));
        for process in scenario.processes.iter().filter(|process| process.executor.limits.is_some()) {
            let what = format!("the pool {} that has not room for all, or not always as many threads", process.name);
            refused.push(Refusal::new(what, "give it `workers` alone: the rest is not exported yet"));
        }
        let mut flavours = IdVec::new();
        for process in scenario.processes.iter() {
            flavours.push(flavour(scenario, process).unwrap_or_else(|refusal| {
                refused.push(refusal);
                Flavour::Threads
            }));
        }
        let uses = uses(scenario, &bodies);
        let (head, comments) = (comments::head(written.text), comments::of_tasks(written.text));
        let at_operations = comments::of_operations(written);
        let plan = Plan { scenario, file: written.file, head, comments, at_operations, bodies, flavours, uses };
        refused.extend(plan.between_processes());
        refused.extend(plan.variables_between_processes());
        if refused.is_empty() { Ok(plan) } else { Err(refused) }
    }

    /// Who runs this task.
    #[must_use]
    pub fn flavour(&self, spec: SpecId) -> Flavour {
        self.flavours[self.scenario.specs[spec].process]
    }

    /// The processes, without what is a part of another.
    pub fn processes(&self) -> impl Iterator<Item = (ProcessId, &'s Process)> {
        self.scenario.processes.pairs().filter(|(_, process)| process.part.is_none())
    }

    /// The pools beside the executor of a process, each with what it is called there.
    pub fn beside(&self, whole: ProcessId) -> impl Iterator<Item = (ProcessId, &'s str)> {
        let parts = self.scenario.processes.pairs();
        parts.filter_map(move |(id, process)| {
            let part = process.part.as_ref().filter(|part| part.whole == whole)?;
            Some((id, part.pool.as_str()))
        })
    }

    /// How many threads a pool beside an executor has; `None` if it is as many as are needed.
    #[must_use]
    pub fn threads_of(&self, pool: ProcessId) -> Option<u32> {
        self.scenario.processes[pool].executor.own_threads()
    }

    /// Is the pool the one that its event loop has by itself: the only one, of as many threads as the runtime likes?
    #[must_use]
    pub fn is_default(&self, pool: ProcessId) -> bool {
        let whole = self.scenario.processes[pool].whole(pool);
        self.scenario.processes[pool].executor.default_workers && self.beside(whole).count() == 1
    }

    /// Is it what another task lets a pool do, and waits for?
    #[must_use]
    pub fn is_called(&self, spec: SpecId) -> bool {
        self.scenario.specs[spec].caller.is_some()
    }

    /// The tasks of a process.
    pub fn specs(&self, process: ProcessId) -> impl Iterator<Item = (SpecId, &'s Spec)> {
        self.scenario.specs.pairs().filter(move |(_, spec)| spec.process == process)
    }

    /// What a task uses of what is shared, and those that it spawns.
    pub fn uses(&self, spec: SpecId) -> impl Iterator<Item = Shared> {
        self.uses[spec].iter().copied()
    }

    /// All that is used of what is shared.
    #[must_use]
    pub fn all_shared(&self) -> BTreeSet<Shared> {
        self.uses.iter().flatten().copied().collect()
    }

    /// All operations of a task.
    #[must_use]
    pub fn ops(&self, spec: SpecId) -> Vec<&'s Op> {
        let mut found = Vec::new();
        each_op(&self.bodies[spec], &self.scenario.specs[spec].program.ops, &mut |op| found.push(op));
        found
    }

    /// The tasks that this one spawns, or, with `joined`, joins.
    #[must_use]
    pub fn children(&self, spec: SpecId, joined: bool) -> BTreeSet<SpecId> {
        let child = |op: &Op| match op {
            Op::Spawn(child) if !joined && !self.is_called(*child) => Some(*child),
            Op::Join(child) if joined && !self.is_called(*child) => Some(*child),
            _ => None,
        };
        self.ops(spec).into_iter().filter_map(child).collect()
    }

    /// Does any task of the process spawn others?
    #[must_use]
    pub fn spawns(&self, process: ProcessId) -> bool {
        self.specs(process).any(|(spec, _)| !self.children(spec, false).is_empty())
    }

    /// Can a task of the process end before one that it has spawned?
    #[must_use]
    pub fn leaves_behind(&self, process: ProcessId) -> bool {
        self.specs(process).any(|(id, spec)| {
            let children = self.children(id, false);
            children.into_iter().any(|child| leaves_behind(&self.bodies[id], &spec.program.ops, child, false))
        })
    }

    /// The tasks of a process that arrive by themselves, in stages: who waits for others is in a later one than they.
    #[must_use]
    pub fn stages(&self, process: ProcessId) -> Vec<Vec<SpecId>> {
        let mut stages: Vec<Vec<SpecId>> = Vec::new();
        for (id, _) in self.specs(process).filter(|(_, spec)| spec.arrival != Arrival::Spawned) {
            let stage = self.stage(id);
            stages.resize(stages.len().max(stage + 1), Vec::new());
            stages[stage].push(id);
        }
        stages
    }

    fn stage(&self, spec: SpecId) -> usize {
        self.scenario.specs[spec].after.iter().map(|before| self.stage(*before) + 1).max().unwrap_or(0)
    }

    /// Does each task of a stage wait for all of the stages before?
    #[must_use]
    pub fn stages_say_all(&self, process: ProcessId) -> bool {
        let stages = self.stages(process);
        let before = |stage: usize| stages[..stage].concat();
        let all = |spec: &SpecId, stage: usize| before(stage).iter().all(|other| self.waits_for(*spec, *other));
        stages.iter().enumerate().all(|(stage, specs)| specs.iter().all(|spec| all(spec, stage)))
    }

    fn waits_for(&self, spec: SpecId, other: SpecId) -> bool {
        let after = &self.scenario.specs[spec].after;
        after.iter().any(|before| *before == other || self.waits_for(*before, other))
    }

    /// Is anything drawn?
    #[must_use]
    pub fn draws(&self) -> bool {
        let gaps = self
            .scenario
            .specs
            .iter()
            .any(|spec| matches!(&spec.arrival, Arrival::Gap(gap) if gap.constant().is_none()));
        let random = |time: &Distribution| time.constant().is_none();
        let draws = |op: &&Op| match op {
            Op::Cpu(time) | Op::Sleep(time) | Op::Io { service: time, .. } => random(time),
            Op::Choose(_) => true,
            _ => false,
        };
        gaps || self.scenario.specs.iter().any(|spec| spec.program.ops.iter().any(|op| draws(&op)))
    }

    /// The locks that go with a condition variable: those with which somebody waits for it.
    #[must_use]
    pub fn locks_of(&self, condvar: SyncId) -> BTreeSet<SyncId> {
        let lock = |op: &Op| match op {
            Op::Sync(SyncOp::Wait { condvar: other, lock }) if *other == condvar => Some(*lock),
            _ => None,
        };
        self.scenario.specs.iter().flat_map(|spec| &spec.program.ops).filter_map(lock).collect()
    }

    /// What goes from one process to another, and cannot.
    fn between_processes(&self) -> Vec<Refusal> {
        let mut refused = Vec::new();
        let process = |spec: SpecId| self.scenario.specs[spec].process;
        for (id, spec) in self.scenario.specs.pairs() {
            let name = &spec.name;
            let others =
                spec.after.iter().chain(&self.children(id, false)).any(|other| process(*other) != spec.process);
            if others {
                refused.push(Refusal::new(
                    format!("the task `{name}` waits for a task of another process, or spawns one"),
                    "put both tasks into one process",
                ));
            }
            if spec.after.iter().any(|before| self.scenario.specs[*before].arrival == Arrival::Spawned) {
                refused.push(Refusal::new(
                    format!("`{name}` is `after` a task that others spawn"),
                    "let who spawns it `join` it",
                ));
            }
        }
        for shared in self.all_shared() {
            let users: BTreeSet<ProcessId> = (self.scenario.specs.pairs())
                .filter(|(id, _)| self.uses[*id].contains(&shared))
                .map(|(_, spec)| spec.process)
                .collect();
            let wholes: BTreeSet<ProcessId> =
                users.iter().map(|user| self.scenario.processes[*user].whole(*user)).collect();
            let what = self.called(shared);
            if users.len() > 1 && wholes.len() == 1 {
                let what = format!("{what} is used by an event loop and by a pool beside it, which wait in other ways");
                refused.push(Refusal::new(what, "let each have its own, or let only one of them use it"));
            } else if users.len() > 1 {
                let instead = "put the tasks that use it into one process, or let each process have its own";
                refused.push(Refusal::new(format!("{what} is used by several processes of the file"), instead));
            }
        }
        refused
    }

    /// The variables that a task looks at or changes.
    pub fn variables(&self, spec: SpecId) -> BTreeSet<VariableId> {
        let mut found = BTreeSet::new();
        for op in self.ops(spec) {
            match op {
                Op::Set(variable, _) | Op::Add(variable, _) => drop(found.insert(*variable)),
                Op::Test { condition, .. } => found.extend(condition.variables()),
                _ => {}
            }
        }
        found
    }

    /// Those of them that it changes.
    #[must_use]
    pub fn changed(&self, spec: SpecId) -> BTreeSet<VariableId> {
        let changed =
            |op: &Op| if let Op::Set(variable, _) | Op::Add(variable, _) = op { Some(*variable) } else { None };
        self.ops(spec).into_iter().filter_map(changed).collect()
    }

    /// Variables that tasks of several processes use, each of which has a memory of its own.
    fn variables_between_processes(&self) -> Vec<Refusal> {
        let mut users: BTreeMap<VariableId, BTreeSet<ProcessId>> = BTreeMap::new();
        for (id, spec) in self.scenario.specs.pairs() {
            for variable in self.variables(id) {
                users.entry(variable).or_default().insert(self.scenario.processes[spec.process].whole(spec.process));
            }
        }
        let own = |process: &ProcessId| matches!(self.flavours[*process], Flavour::Processes | Flavour::ProcessPool);
        let apart = users.into_iter().filter(|(_, users)| users.len() > 1 || users.iter().any(own));
        let refusal = |(variable, _): (VariableId, _)| {
            let what =
                format!("the variable `{}` is used by several processes", self.scenario.variables[variable].name);
            Refusal::new(what, "let the tasks that use it be threads or coroutines of one process")
        };
        apart.map(refusal).collect()
    }

    /// What it is and what it is called: `` the lock `table` ``.
    #[must_use]
    pub fn called(&self, shared: Shared) -> String {
        match shared {
            Shared::Sync(sync) => {
                let object = &self.scenario.syncs[sync];
                format!("the {} `{}`", object.kind.word(), object.name)
            }
            Shared::Device(device) => format!("the device `{}`", self.scenario.devices[device].name),
        }
    }
}

/// Does a task arrive at the start, with all its instances?
#[must_use]
pub fn arrives_at_start(arrival: &Arrival) -> bool {
    match arrival {
        Arrival::At(time) => time.ns() == 0,
        Arrival::Spawned => true,
        Arrival::Every(_) | Arrival::Gap(_) | Arrival::List(_) => false,
    }
}

fn flavour(scenario: &Scenario, process: &Process) -> Result<Flavour, Refusal> {
    let kind = process.executor.kind;
    if process.part.is_some() {
        return Ok(Flavour::Beside);
    }
    match (kind.threads, kind.keeps_thread) {
        (Threads::Main, true) => Ok(Flavour::Sequential),
        (Threads::Main, false) => Ok(Flavour::Async),
        (Threads::PerTask, _) => Ok(Flavour::Threads),
        (Threads::ProcessPerTask, _) => Ok(Flavour::Processes),
        (Threads::Workers, true) if process.executor.of_processes => Ok(Flavour::ProcessPool),
        (Threads::Workers, true) => Ok(Flavour::Pool),
        (Threads::Workers, false) if !process.executor.hands_off => Ok(Flavour::Stealing),
        _ => Err(no_counterpart(scenario, process)),
    }
}

/// That nothing like the executor of a process comes with a language.
#[must_use]
pub fn no_counterpart(scenario: &Scenario, process: &Process) -> Refusal {
    let (kind, name) = (process.executor.kind.name, &process.name);
    let declared = scenario.processes.len() > 1 || name != "main";
    let instead = if declared {
        format!("choose another: --set process.{name}.executor=async, or threads, or pool")
    } else {
        "choose another: executor = \"async\", \"threads\" or \"pool\"".to_owned()
    };
    Refusal::new(format!("the executor `{kind}` of process {name} has no counterpart in a standard library"), instead)
}

fn of_task(scenario: &Scenario, spec: &Spec) -> Option<Refusal> {
    let process = &scenario.processes[spec.process].name;
    let what = format!("the task {process}/{} is periodic, which", spec.name);
    let instead = "write the period as a loop: { repeat = 10, do = [{ cpu = \"1ms\" }, { sleep = \"9ms\" }] }";
    if spec.program.ops.contains(&Op::End) {
        let what = format!("the task {process}/{} ends itself (`\"end\"`), which is not exported yet", spec.name);
        return Some(Refusal::new(what, "let a `choose` have what is done otherwise, or write it by hand"));
    }
    let periodic = spec.attributes.periodic.is_some();
    periodic.then(|| Refusal::new(format!("{what} needs a scheduler that knows jobs and deadlines"), instead))
}

fn of_device(device: &Device) -> Option<Refusal> {
    let name = &device.name;
    if device.head.is_some() {
        let what = format!("the device `{name}` has a head that moves (discipline `{}`)", device.discipline.name);
        return Some(Refusal::new(what, "take out its `seek`, and let its discipline be fifo"));
    }
    if device.queue.is_some() || device.patience.is_some() {
        let what = format!("the device `{name}` turns requests away, or has patience that ends");
        return Some(Refusal::new(what, "take out its `queue` and `patience`: they are not exported yet"));
    }
    let shares = device.discipline.form == Form::Shared && device.channels.is_some();
    let instead = format!("--set device.{name}.discipline=fifo");
    shares.then(|| {
        Refusal::new(
            format!("the device `{name}` serves all at once, each the slower (`{}`)", device.discipline.name),
            instead,
        )
    })
}

/// What each task uses, and those that it spawns, to the last.
fn uses(scenario: &Scenario, bodies: &IdVec<SpecId, Vec<Node>>) -> IdVec<SpecId, BTreeSet<Shared>> {
    let mut found: IdVec<SpecId, BTreeSet<Shared>> = IdVec::new();
    let mut children: Vec<(SpecId, SpecId)> = Vec::new();
    for (id, spec) in scenario.specs.pairs() {
        let mut own = BTreeSet::new();
        each_op(&bodies[id], &spec.program.ops, &mut |op| match op {
            Op::Sync(SyncOp::Wait { condvar, lock }) => own.extend([Shared::Sync(*condvar), Shared::Sync(*lock)]),
            Op::Sync(op) => drop(own.insert(Shared::Sync(op.object()))),
            Op::Io { device, .. } if scenario.devices[*device].channels.is_some() => {
                own.insert(Shared::Device(*device));
            }
            Op::Spawn(child) if scenario.specs[*child].caller.is_none() => children.push((id, *child)),
            _ => {}
        });
        found.push(own);
    }
    loop {
        let before: usize = found.iter().map(BTreeSet::len).sum();
        for (parent, child) in &children {
            let of_child = found[*child].clone();
            found[*parent].extend(of_child);
        }
        if found.iter().map(BTreeSet::len).sum::<usize>() == before {
            return found;
        }
    }
}
