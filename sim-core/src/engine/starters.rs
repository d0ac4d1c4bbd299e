//! Who starts processes, and who gives tasks to a pool: the parent, a thread among the others, which takes time for each of them.
//!
//! Rule of processes: where it takes Python time to start a process (`parent` of `fork`, `spawn` and `forkserver`), a process with such an
//! executor has a thread of its own for that. It starts those that have arrived one after the other, in the order in which they
//! came, competes for processors while it does, as urgent as the most urgent of them, and sleeps when nobody is left. It is none of
//! the tasks: recorders are told of its time as overhead of the process that it starts ([`crate::timeline::What::Start`]). Where the file
//! gives priorities, its own is that of the most urgent task that it will ever start; periods and deadlines it is lent by those that
//! wait.
//!
//! Rule of pools of Python's threads: where it takes time to give a task to the pool (`submit`), tasks that arrive later than at the
//! start of the run come to the queue of the pool when such a thread has put them there. It must have the interpreter lock for
//! that like any other, so it waits for it while workers compute, and whoever it takes the lock from has lost it.
//!
//! Source: CPython 3.13, `ThreadPoolExecutor.submit` of Lib/concurrent/futures/thread.py, and `Process.start` of
//! Lib/multiprocessing/process.py: it forks, and returns when the child is there.

use std::cell::RefCell;
use std::cmp::Reverse;
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

use super::costs::{of_parent, of_submission};
use super::loans::Standing;
use crate::distribution::Distribution;
use crate::executor::{EXECUTORS, Executor, Threads};
use crate::ids::{ProcessId, SpecId, TaskId, ThreadId};
use crate::policy::Attributes;
use crate::scenario::{Arrival, Op, Part, Process, Program, Runtime, Scenario, Spec};
use crate::time::Time;

/// What these threads are called, behind the name of their process.
const NAME: &str = "parent";

/// The scenario with those who start its processes, or submit its tasks, if it has such: they come last, behind all others, one for
/// each process.
pub(super) fn with_parents(scenario: &Scenario) -> Option<Scenario> {
    let costs = scenario.machine.costs.as_deref()?;
    let kind = EXECUTORS.iter().find(|kind| kind.threads == Threads::Main && kind.keeps_thread)?;
    let mut all = scenario.clone();
    for (of, process) in scenario.processes.pairs() {
        let submission = of_submission(costs, process);
        if submission.is_none() && of_parent(costs, process).is_none() {
            continue;
        }
        let starts = |spec: &Spec| match submission {
            None => u64::from(spec.count),
            Some(_) => (0..spec.count).filter(|instance| is_submitted(spec, *instance)).count() as u64,
        };
        let own = || scenario.specs.pairs().filter(|(_, spec)| spec.process == of && starts(spec) > 0);
        let Some((starts_first, first)) = own().min_by_key(|(_, spec)| place(&spec.attributes)) else { continue };
        let count = own().map(|(_, spec)| starts(spec)).sum();
        let mut executor = Executor::new(kind, 1);
        if submission.is_some() {
            let Executor { gil, waiters_ask, asker, .. } = process.executor;
            (executor.gil, executor.waiters_ask, executor.asker) = (gil, waiters_ask, asker);
        }
        let part = submission.map(|_| Part { whole: of, pool: NAME.to_owned() });
        let (name, group) = (format!("{NAME} of {}", process.name), process.group);
        let id = all.processes.push(Process { name, runtime: Runtime::default(), executor, group, part });
        all.specs.push(parent(id, first, program(starts_first, count, submission)));
    }
    (all.specs.len() > scenario.specs.len()).then_some(all)
}

/// Is this instance of a task of a pool given to it later than at the start of the run?
pub(super) fn is_submitted(spec: &Spec, instance: u32) -> bool {
    spec.after.is_empty()
        && match &spec.arrival {
            Arrival::At(at) => *at > Time::ZERO,
            Arrival::List(times) => times.get(instance as usize).is_some_and(|at| *at > Time::ZERO),
            Arrival::Every(_) | Arrival::Gap(_) => instance > 0,
            Arrival::Spawned => false,
        }
}

/// Who is more urgent comes first, as far as that does not change in a run and the larger priority is the more urgent.
fn place(attributes: &Attributes) -> impl Ord + use<> {
    let Attributes { class, rt_priority, priority, nice, .. } = *attributes;
    (class, Reverse((rt_priority, priority)), nice)
}

/// So much of a submission is over when the task is in the queue, in percent: 25 of 115 us in a kernel trace of 3.11.7.
const BEFORE: u32 = 25;

/// Starts so many; of a pool, the task is in the queue when a part of a submission is over, and the rest goes on with the lock
/// that whoever is woken for the task wants.
fn program(starts: SpecId, count: u64, submission: Option<&Distribution>) -> Program {
    let start = Op::Spawn(starts);
    let steps = match submission {
        Some(cost) => {
            let [before, after] = [100 - BEFORE, BEFORE].map(|percent| Op::Cpu(cost.faster(percent)));
            vec![before, start.clone(), after, start]
        }
        None => vec![start],
    };
    let end = steps.len() as u32 + 2;
    let repeat = Op::Repeat { count: Some(count), slot: 0, end };
    let again = Op::Again { start: 1, slot: 0, forever: false };
    Program::new([vec![repeat], steps, vec![again]].concat(), 1)
}

/// As urgent as the most urgent task that it starts, but without jobs.
fn parent(process: ProcessId, first: &Spec, program: Program) -> Spec {
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
        program,
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

/// Who starts the processes, or submits the tasks, of which process.
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
    /// Has it put a task into the queue of a pool, and is not through with that?
    is_about: bool,
}

/// One that waits to be started.
#[derive(Clone, Copy)]
pub(super) struct Waiting {
    /// Of a new process; none if a task is to come to the queue of its pool.
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

    /// Whose process it starts now. That it is busy with a pool is told to nobody.
    fn starts_now(&self) -> Option<TaskId> {
        self.waiting.front().filter(|first| !first.thread.is_none()).map(|first| first.task)
    }

    /// Has it nobody to start now, though others will come?
    pub(super) fn has_to_wait(&self) -> bool {
        self.waiting.is_empty() && self.left > 0 && !self.is_about
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
        self.of.insert(of, Starter { task, waiting, most_urgent, left, is_about: false });
    }

    /// Is the task one of them?
    pub(super) fn has(&self, task: TaskId) -> bool {
        self.of.values().any(|starter| starter.task == task)
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.of.len()
    }

    /// Who starts the processes, or submits the tasks, of this one.
    pub(super) fn of(&self, process: ProcessId) -> Option<&Starter> {
        self.of.get(&process)
    }

    /// One of this process is to be started: by whom?
    pub(super) fn asked(&mut self, process: ProcessId, who: Waiting) -> Option<TaskId> {
        let starter = self.of.get_mut(&process)?;
        while starter.most_urgent.pop_back_if(|last| last.urgency < who.urgency).is_some() {}
        starter.most_urgent.push_back(who);
        starter.waiting.push_back(who);
        self.starting.is_now(starter.task, starter.starts_now());
        Some(starter.task)
    }

    /// The first of those that wait is there, unless that was said before and it has gone on since.
    pub(super) fn has_started_one(&mut self, process: ProcessId) -> Option<Waiting> {
        let starter = self.of.get_mut(&process)?;
        if std::mem::take(&mut starter.is_about) {
            return None;
        }
        starter.left -= 1;
        let started = starter.waiting.pop_front()?;
        starter.most_urgent.pop_front_if(|most| most.task == started.task);
        starter.is_about = started.thread.is_none();
        self.starting.is_now(starter.task, starter.starts_now());
        Some(started)
    }
}
