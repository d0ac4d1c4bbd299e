//! Who is who in a timeline.

use std::collections::BTreeSet;
use std::fmt;

use crate::ids::{CpuId, DeviceId, GroupId, IdVec, SyncId, VariableId};
use crate::kinds::are_of_one_process;
use crate::scenario::{SyncKind, Variable};
use crate::time::Span;

/// Who is who in a timeline: the names behind the ids.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Cast {
    /// Names of the processors.
    pub processors: IdVec<CpuId, String>,
    /// Names of the processes.
    pub processes: Vec<String>,
    /// The tasks (without instances): process and name.
    pub specs: Vec<SpecName>,
    /// Devices.
    pub devices: IdVec<DeviceId, DeviceName>,
    /// Synchronisation objects.
    pub syncs: IdVec<SyncId, SyncName>,
    /// Variables, and what they are at first.
    pub variables: IdVec<VariableId, Variable>,
    /// How the tasks of each process come to threads; a process that is not listed has a thread for each task.
    pub runtimes: Vec<Runtime>,
    /// Of each process the one that it is a part of: pools share the interpreter lock of the process that has them. A process
    /// that is not listed is a whole.
    pub wholes: Vec<u32>,
    /// For each of [`Cast::specs`], whom its instances may wait for; empty if nothing is known.
    pub awaited: Vec<Awaited>,
    /// Those of [`Cast::specs`] whose instances never end of their own: periodic tasks without a number of jobs, and
    /// loops forever. The horizon ends them by design.
    pub endless: BTreeSet<u32>,
    /// Groups of processes.
    pub groups: IdVec<GroupId, GroupName>,
    /// The group of each process; a process that is not listed is in none.
    pub members: Vec<Option<GroupId>>,
}

/// The name of a group, and how much processor time it may use.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct GroupName {
    /// The group's name.
    pub name: String,
    /// The group it is in.
    pub parent: Option<GroupId>,
    /// Its quota, if it has one.
    pub quota: Option<Allowance>,
}

/// How much processor time a group may use in each period.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Allowance {
    /// So much.
    pub amount: Span,
    /// In each of these.
    pub period: Span,
    /// How much may be kept for later.
    pub burst: Span,
    /// When the first whole period begins.
    pub phase: Span,
    /// Does it end at the very instant at which it is used up, and not only at a tick?
    pub exact: bool,
}

/// How the tasks of a process come to threads: says for what a ready task of it can have waited.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Runtime {
    /// Every task has a thread of its own: the kernel decides alone.
    #[default]
    OwnThread,
    /// The same, but only the thread that holds the interpreter lock runs.
    Interpreter,
    /// Workers that keep a task until it ends.
    Keeping,
    /// The same, but only the one that holds the interpreter lock runs, or takes up a task.
    KeepingLocked,
    /// Workers that keep a task until it ends, but run others while it joins those it spawned.
    Helping,
    /// Workers that go on to another task whenever one blocks; one that blocks its whole thread stops the worker.
    Switching,
    /// The same, but only while the thread holds the interpreter lock: an event loop beside pools.
    SwitchingLocked,
    /// As [`Runtime::Switching`], but where a task blocks its thread, its worker goes on with another thread.
    HandingOff,
}

impl Cast {
    /// The process that this one is a part of; itself, if it is no part.
    #[must_use]
    pub fn whole(&self, process: u32) -> u32 {
        self.wholes.get(process as usize).copied().unwrap_or(process)
    }

    /// The group of a process, the one that is in, and so on to the outermost.
    pub fn groups_of(&self, process: u32) -> impl Iterator<Item = GroupId> {
        let first = self.members.get(process as usize).copied().flatten();
        std::iter::successors(first, |group| self.groups[*group].parent)
    }

    /// Do names of tasks need no process?
    #[must_use]
    pub fn is_one_process(&self) -> bool {
        let names = || self.specs.iter().map(|spec| (&*self.processes[spec.process as usize], &*spec.task));
        self.processes.len() == 1 || are_of_one_process(names())
    }

    /// How the tasks of a process come to threads.
    #[must_use]
    pub fn runtime(&self, process: u32) -> Runtime {
        self.runtimes.get(process as usize).copied().unwrap_or_default()
    }
}

impl Runtime {
    /// Has it an interpreter lock?
    #[must_use]
    pub fn has_interpreter(self) -> bool {
        matches!(self, Runtime::Interpreter | Runtime::KeepingLocked | Runtime::SwitchingLocked)
    }
}

/// What is known beforehand of the waits of a task.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Awaited {
    /// The tasks it starts after; indices into [`Cast::specs`].
    pub after: Vec<u32>,
    /// The tasks whose instances it joins.
    pub joins: Vec<u32>,
    /// The devices for which it blocks its whole thread, though its runtime could switch.
    pub blocking: Vec<DeviceId>,
    /// The tasks of which it spawns instances.
    pub spawns: Vec<u32>,
    /// Those of them that share its place, as branches of it.
    pub branches: Vec<u32>,
}

/// The name of a task without its instance.
#[derive(Clone, PartialEq, Debug)]
pub struct SpecName {
    /// Index into [`Cast::processes`].
    pub process: u32,
    /// The task's name as written in the file.
    pub task: String,
}

/// The name of a synchronisation object and what it is.
#[derive(Clone, PartialEq, Debug)]
pub struct SyncName {
    /// The object's name.
    pub name: String,
    /// What it is.
    pub kind: SyncKind,
    /// Does what becomes free belong to who is next at that instant, and does who asks queue at once?
    pub direct: bool,
    /// How urgent those are at most who use it, if it is a lock under the original ceiling protocol: then others may have to
    /// wait for it though it is free.
    pub ceiling: Option<i64>,
}

/// `lock db`.
impl fmt::Display for SyncName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind.word(), self.name)
    }
}

/// The name of a device and how many requests it serves at once.
#[derive(Clone, PartialEq, Debug)]
pub struct DeviceName {
    /// The device's name.
    pub name: String,
    /// `None` is unlimited.
    pub channels: Option<u32>,
    /// Do requests share what the channels can do, instead of taking them in turn?
    pub shared: bool,
}
