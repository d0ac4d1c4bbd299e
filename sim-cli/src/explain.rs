//! Why was it slow? The causes of a run for people: in words, as tables with bars, and side by side with another run.
//!
//! What reads the same to a person is one [`Reason`]: the processors of a machine and the instances of a task are taken
//! together. The exact parts are in the JSON document.

mod difference;
mod hints;
mod text;
mod words;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use sim_core::causes::{Causes, Doing, Part, What};
use sim_core::ids::{CpuId, DeviceId, IdVec, SyncId, TaskId};
use sim_core::time::Span;
use sim_core::timeline::{self, Timeline};

pub use difference::difference;
pub use text::{headline, text, wrapped};

use crate::rows;

/// A run, its causes, and the names of everybody.
pub struct Explained<'a> {
    /// What happened.
    pub timeline: &'a Timeline,
    /// Where the time went.
    pub causes: Causes,
    names: IdVec<TaskId, String>,
}

/// The classes of causes: each has a colour in pictures and a sign in tables, in this order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[expect(missing_docs, reason = "CLASSES says what each is")]
pub enum Class {
    Running,
    Overhead,
    Processor,
    Runtime,
    Interpreter,
    Nobody,
    Queue,
    Service,
    Sync,
    Others,
    Sleep,
}

/// The classes with their signs and what they are.
pub const CLASSES: [(Class, char, &str); 11] = [
    (Class::Running, '█', "runs"),
    (Class::Overhead, '▞', "switching and other overhead"),
    (Class::Processor, '─', "waits for a processor"),
    (Class::Runtime, '═', "waits in its runtime"),
    (Class::Interpreter, '≡', "waits for the interpreter lock"),
    (Class::Nobody, '·', "waits beside a free processor"),
    (Class::Queue, '▒', "queues at a device, or shares it"),
    (Class::Service, '┈', "served by a device"),
    (Class::Sync, '×', "waits for a lock or the like"),
    (Class::Others, '»', "waits for tasks to end"),
    (Class::Sleep, '˙', "sleeps, or until its next job"),
];

impl Class {
    /// The class of a part.
    #[must_use]
    pub fn of(what: What) -> Class {
        match what {
            What::Running => Class::Running,
            What::Spin(_) => Class::Sync,
            What::Overhead => Class::Overhead,
            What::Processor(_) => Class::Processor,
            What::Runtime => Class::Runtime,
            What::Interpreter => Class::Interpreter,
            What::Nobody(_) => Class::Nobody,
            What::Queue(_) | What::Sharing(_) => Class::Queue,
            What::Seek(_) | What::Service(_) => Class::Service,
            What::Sync(_) => Class::Sync,
            What::Join | What::After => Class::Others,
            What::Timer | What::Release => Class::Sleep,
        }
    }
}

/// What of a reason tells it from others.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Key {
    class: Class,
    /// Which device or synchronisation object; what it waits for where the class does not say.
    detail: Detail,
    /// Behind which task of the file, if behind somebody.
    behind: Option<u32>,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Detail {
    None,
    Device(DeviceId),
    Sync(SyncId),
    Seek(DeviceId),
    Sharing(DeviceId),
    Spin(SyncId),
    /// A task that blocked the whole thread of a runtime.
    Blocking(timeline::Cause),
    Join,
    After,
    Timer,
    Release,
}

/// Parts that read the same to a person, of one task or of several.
#[derive(Clone, Debug)]
pub struct Reason {
    key: Key,
    /// How long, in all.
    pub length: Span,
    /// Whose time it is.
    tasks: BTreeSet<TaskId>,
    cpus: BTreeSet<CpuId>,
    /// Behind which instances.
    behind: BTreeSet<TaskId>,
    /// How long those were not running meanwhile, by what they were doing.
    doings: BTreeMap<Doing, Span>,
}

impl Reason {
    /// Its class.
    #[must_use]
    pub fn class(&self) -> Class {
        self.key.class
    }
}

impl<'a> Explained<'a> {
    /// Finds the causes of a run.
    #[must_use]
    pub fn new(timeline: &'a Timeline) -> Explained<'a> {
        Explained { timeline, causes: Causes::of(timeline), names: rows::names(timeline) }
    }

    /// The reasons of these tasks together, the longest first.
    #[must_use]
    pub fn reasons(&self, tasks: impl Iterator<Item = TaskId>) -> Vec<Reason> {
        let mut reasons: BTreeMap<Key, Reason> = BTreeMap::new();
        for task in tasks {
            for part in &self.causes.tasks[task] {
                let key = self.key(part);
                reasons.entry(key).or_insert_with(|| Reason::empty(key)).add(task, part);
            }
        }
        let mut reasons: Vec<Reason> = reasons.into_values().collect();
        reasons.sort_by_key(|reason| Reverse(reason.length));
        reasons
    }

    fn key(&self, part: &Part) -> Key {
        let blocking = match part.behind {
            Some(behind) if part.what == What::Runtime => match behind.doing {
                Doing::Blocked(cause) => Some(cause),
                _ => None,
            },
            _ => None,
        };
        let detail = match part.what {
            What::Queue(device) | What::Service(device) => Detail::Device(device),
            What::Seek(device) => Detail::Seek(device),
            What::Sharing(device) => Detail::Sharing(device),
            What::Sync(sync) => Detail::Sync(sync),
            What::Spin(sync) => Detail::Spin(sync),
            What::Join => Detail::Join,
            What::After => Detail::After,
            What::Timer => Detail::Timer,
            What::Release => Detail::Release,
            _ => blocking.map_or(Detail::None, Detail::Blocking),
        };
        let behind = part.behind.map(|behind| self.timeline.tasks[behind.task].spec);
        Key { class: Class::of(part.what), detail, behind }
    }

    /// How long a task was there: its turnaround, or to the end of the run if it did not finish.
    #[must_use]
    pub fn life(&self, task: TaskId) -> Span {
        let life = &self.timeline.tasks[task];
        let end = life.finish.unwrap_or(self.timeline.end);
        life.arrival.map_or(Span::ZERO, |arrival| end.since(arrival))
    }

    /// The tasks that arrived, those that were there longest first.
    #[must_use]
    pub fn slowest(&self) -> Vec<TaskId> {
        let mut tasks: Vec<TaskId> = self.arrived().collect();
        tasks.sort_by_key(|task| Reverse(self.life(*task)));
        tasks
    }

    fn arrived(&self) -> impl Iterator<Item = TaskId> {
        self.timeline.tasks.pairs().filter(|(_, life)| life.arrival.is_some()).map(|(task, _)| task)
    }

    /// The tasks that arrived, by task of the file, in its order.
    #[must_use]
    pub fn kinds(&self) -> Vec<(String, Vec<TaskId>)> {
        let mut kinds: Vec<Vec<TaskId>> = vec![Vec::new(); self.timeline.cast.specs.len()];
        self.arrived().for_each(|task| kinds[self.timeline.tasks[task].spec as usize].push(task));
        let named = |(spec, tasks): (usize, Vec<TaskId>)| {
            let count = tasks.len();
            let kind = self.kind_name(u32::try_from(spec).unwrap_or(u32::MAX));
            (if count == 1 { kind } else { format!("{count} × {kind}") }, tasks)
        };
        kinds.into_iter().enumerate().filter(|(_, tasks)| !tasks.is_empty()).map(named).collect()
    }

    /// The name of a task.
    #[must_use]
    pub fn name(&self, task: TaskId) -> &str {
        &self.names[task]
    }

    /// The name of a task of the file.
    fn kind_name(&self, spec: u32) -> String {
        let cast = &self.timeline.cast;
        let spec = &cast.specs[spec as usize];
        match cast.processes.len() {
            1 => spec.task.clone(),
            _ => format!("{}/{}", cast.processes[spec.process as usize], spec.task),
        }
    }
}

impl Reason {
    fn empty(key: Key) -> Reason {
        Reason {
            key,
            length: Span::ZERO,
            tasks: BTreeSet::new(),
            cpus: BTreeSet::new(),
            behind: BTreeSet::new(),
            doings: BTreeMap::new(),
        }
    }

    fn add(&mut self, task: TaskId, part: &Part) {
        self.length += part.length;
        self.tasks.insert(task);
        if let What::Processor(cpu) | What::Nobody(cpu) = part.what {
            self.cpus.insert(cpu);
        }
        if let Some(behind) = part.behind {
            self.behind.insert(behind.task);
            if behind.doing != Doing::Running {
                *self.doings.entry(behind.doing).or_default() += part.length;
            }
        }
    }
}

/// A share as a whole percentage, which is never rounded to nothing or to everything.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "for people's eyes")]
pub fn share(part: Span, whole: Span) -> String {
    if part.is_zero() || whole.is_zero() {
        return "0 %".to_owned();
    }
    let percent = part.ns() as f64 * 100.0 / whole.ns() as f64;
    match percent {
        _ if part == whole => "100 %".to_owned(),
        ..1.0 => "<1 %".to_owned(),
        99.0.. => ">99 %".to_owned(),
        _ => format!("{percent:.0} %"),
    }
}
