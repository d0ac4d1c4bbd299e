//! Who starts processes: the parent, a thread among the others, which takes time for each of them.
//!
//! Rule: where it takes Python time to start a process (`parent` of `fork`, `spawn` and `forkserver`), a process with such an
//! executor has a thread of its own for that. It starts those that have arrived one after the other, in the order in which they
//! came, competes for processors while it does, as urgent as the most urgent of them, and sleeps when nobody is left. It is none of
//! the tasks: recorders are told of its time as overhead of the process that it starts ([`crate::timeline::What::Start`]). Where the file
//! gives priorities, its own is that of the most urgent task that it will ever start; periods and deadlines it is lent by those that
//! wait.
//!
//! Source: `Process.start` of Lib/multiprocessing/process.py, CPython 3.13: it forks, and returns when the child is there.

use std::cell::RefCell;
use std::cmp::Reverse;
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

use super::costs::of_parent;
use super::loans::Standing;
use crate::executor::{EXECUTORS, Executor, Threads};
use crate::ids::{ProcessId, SpecId, TaskId, ThreadId};
use crate::policy::Attributes;
use crate::scenario::{Arrival, Op, Process, Program, Runtime, Scenario, Spec};

/// What these threads are called, behind the name of their process.
const NAME: &str = "parent";

/// The scenario with those who start its processes, if it has such: they come last, behind all others, one for each process.
pub(super) fn with_parents(scenario: &Scenario) -> Option<Scenario> {
    let costs = scenario.machine.costs.as_deref()?;
    let executor = EXECUTORS.iter().find(|kind| kind.threads == Threads::Main && kind.keeps_thread)?;
    let mut all = scenario.clone();
    for (of, process) in scenario.processes.pairs().filter(|(_, process)| of_parent(costs, process).is_some()) {
        let own = || scenario.specs.pairs().filter(|(_, spec)| spec.process == of && spec.count > 0);
        let Some(first) = own().min_by_key(|(_, spec)| place(&spec.attributes)) else { continue };
        let count = own().map(|(_, spec)| u64::from(spec.count)).sum();
        let (name, executor) = (format!("{NAME} of {}", process.name), Executor::new(executor, 1));
        let id = all.processes.push(Process { name, runtime: Runtime::default(), executor, part: None });
        all.specs.push(parent(id, first, count));
    }
    (all.specs.len() > scenario.specs.len()).then_some(all)
}

/// Who is more urgent comes first, as far as that does not change in a run and the larger priority is the more urgent.
fn place(attributes: &Attributes) -> impl Ord + use<> {
    let Attributes { class, rt_priority, priority, nice, .. } = *attributes;
    (class, Reverse((rt_priority, priority)), nice)
}

/// As urgent as the most urgent task that it starts, but without jobs.
fn parent(process: ProcessId, (starts, first): (SpecId, &Spec), count: u64) -> Spec {
    let ops = vec![
        Op::Repeat { count: Some(count), slot: 0, end: 3 },
        Op::Spawn(starts),
        Op::Again { start: 1, slot: 0, forever: false },
    ];
    let attributes =
        Attributes { affinity: None, working_set: None, periodic: None, server: None, ..first.attributes.clone() };
    Spec {
        process,
        name: NAME.to_owned(),
        count: 1,
        // It comes with the first that it starts.
        arrival: Arrival::Spawned,
        after: Vec::new(),
        attributes,
        program: Program::new(ops, 1),
        caller: None,
    }
}

/// Which task each of those who start processes is busy with: who is told of their time looks here.
#[derive(Clone, Default)]
pub(super) struct Starting(Rc<RefCell<BTreeMap<TaskId, TaskId>>>);

impl Starting {
    /// Whom this one starts.
    pub(super) fn by(&self, starter: TaskId) -> Option<TaskId> {
        self.0.borrow().get(&starter).copied()
    }

    fn is_now(&self, starter: TaskId, child: Option<TaskId>) {
        let mut all = self.0.borrow_mut();
        match child {
            Some(child) => all.insert(starter, child),
            None => all.remove(&starter),
        };
    }
}

/// Who starts the processes of which process.
#[derive(Default)]
pub(super) struct Starters {
    of: BTreeMap<ProcessId, Starter>,
    starting: Starting,
}

/// One who starts processes.
pub(super) struct Starter {
    /// The task that does.
    pub(super) task: TaskId,
    /// Those that wait to be started, in the order in which they came.
    waiting: VecDeque<Waiting>,
    /// Of these, each that is more urgent than all behind it: the first is the most urgent.
    most_urgent: VecDeque<Waiting>,
    /// How many it has still to start, these among them.
    left: u64,
}

/// One that waits to be started.
#[derive(Clone, Copy)]
pub(super) struct Waiting {
    pub(super) thread: ThreadId,
    pub(super) task: TaskId,
    pub(super) standing: Standing,
    /// How the policy values that.
    pub(super) urgency: (i64, Reverse<u32>),
}

impl Starter {
    /// How urgent the most urgent of those that wait is.
    pub(super) fn most_urgent(&self) -> Option<Standing> {
        self.most_urgent.front().map(|most| most.standing)
    }

    /// Has it nobody to start now, though others will come?
    pub(super) fn has_to_wait(&self) -> bool {
        self.waiting.is_empty() && self.left > 0
    }
}

impl Starters {
    /// None yet; those that come tell there whom they start.
    pub(super) fn telling(starting: Starting) -> Starters {
        Starters { of: BTreeMap::new(), starting }
    }

    /// This task starts so many processes of that one.
    pub(super) fn add(&mut self, of: ProcessId, task: TaskId, left: u64) {
        let (waiting, most_urgent) = (VecDeque::new(), VecDeque::new());
        self.of.insert(of, Starter { task, waiting, most_urgent, left });
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.of.len()
    }

    /// Who starts the processes of this one.
    pub(super) fn of(&self, process: ProcessId) -> Option<&Starter> {
        self.of.get(&process)
    }

    /// One of this process is to be started: by whom?
    pub(super) fn asked(&mut self, process: ProcessId, who: Waiting) -> Option<TaskId> {
        let starter = self.of.get_mut(&process)?;
        while starter.most_urgent.pop_back_if(|last| last.urgency < who.urgency).is_some() {}
        starter.most_urgent.push_back(who);
        starter.waiting.push_back(who);
        self.starting.is_now(starter.task, starter.waiting.front().map(|first| first.task));
        Some(starter.task)
    }

    /// The first of those that wait is there.
    pub(super) fn has_started_one(&mut self, process: ProcessId) -> Option<ThreadId> {
        let starter = self.of.get_mut(&process)?;
        starter.left -= 1;
        let started = starter.waiting.pop_front()?;
        starter.most_urgent.pop_front_if(|most| most.thread == started.thread);
        self.starting.is_now(starter.task, starter.waiting.front().map(|first| first.task));
        Some(started.thread)
    }
}
