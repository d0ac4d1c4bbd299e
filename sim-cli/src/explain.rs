//! Why was it slow? The causes of a run for people: in words, as tables with bars, and side by side with another run.
//!
//! What reads the same to a person is one [`Reason`]: the processors of a machine and the instances of a task are taken
//! together. The exact parts are in the JSON document.

mod bar;
mod difference;
mod document;
mod hints;
pub mod path;
mod reasons;
mod text;
mod words;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use sim_core::causes::{Behind, Causes, Doing, Part, What};
use sim_core::ids::{CpuId, DeviceId, GroupId, IdVec, KindId, SyncId, TaskId};
use sim_core::kinds::Kinds;
use sim_core::time::Span;
use sim_core::timeline::{self, Fate, Timeline};

pub use bar::{Bar, Left};
pub use difference::difference;
pub use document::document;
pub use reasons::Reasons;
pub use text::{headline, text};

use crate::letters::visible;
use crate::rows;

/// A run, its causes, and the names of everybody.
pub struct Explained<'a> {
    /// What happened.
    pub timeline: &'a Timeline,
    /// Where the time went.
    pub causes: Causes,
    names: IdVec<TaskId, String>,
    kinds: Kinds,
    /// The jobs of each task: their places in the record.
    jobs: IdVec<TaskId, Vec<usize>>,
}

/// Whose time is explained: a task from its arrival to its end, or a job of a periodic task from its release to its end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Subject {
    task: TaskId,
    /// Which of the jobs of the task.
    job: Option<usize>,
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
    Throttled,
    Nobody,
    Queue,
    Seek,
    Service,
    Sync,
    Others,
    Previous,
    Sleep,
}

/// The classes with their signs and what they are.
pub const CLASSES: [(Class, char, &str); 14] = [
    (Class::Running, '█', "runs"),
    (Class::Overhead, '▞', "switching and other overhead"),
    (Class::Processor, '─', "waits for a processor"),
    (Class::Runtime, '═', "waits in its runtime"),
    (Class::Interpreter, '≡', "waits for the interpreter lock"),
    (Class::Throttled, '░', "its quota or budget is used up"),
    (Class::Nobody, '·', "waits beside a free processor"),
    (Class::Queue, '▒', "queues at a device, or shares it"),
    (Class::Seek, '→', "the device on its way (seek)"),
    (Class::Service, '┈', "served by a device"),
    (Class::Sync, '×', "waits for a lock or the like"),
    (Class::Others, '»', "waits for tasks to end"),
    (Class::Previous, '«', "waits for its previous job"),
    (Class::Sleep, '˙', "sleeps, or until its next job"),
];

impl Class {
    /// The class of a part.
    #[must_use]
    pub fn of(what: What) -> Class {
        match what {
            What::Running => Class::Running,
            What::Spin(_) => Class::Sync,
            What::Overhead | What::Starting => Class::Overhead,
            What::Processor(_) => Class::Processor,
            What::Runtime => Class::Runtime,
            What::Interpreter => Class::Interpreter,
            What::Throttled(_) | What::Budget => Class::Throttled,
            What::Nobody(_) => Class::Nobody,
            What::Queue(_) | What::Sharing(_) => Class::Queue,
            What::Seek(_) => Class::Seek,
            What::Service(_) => Class::Service,
            What::Sync(_) => Class::Sync,
            What::Join | What::After => Class::Others,
            What::Previous => Class::Previous,
            What::Timer | What::Release => Class::Sleep,
        }
    }

    /// Is it others that the time was lost to? Running, being served, sleeping and joining are what a task wants to do.
    #[must_use]
    pub fn is_loss(self) -> bool {
        !matches!(self, Class::Running | Class::Seek | Class::Service | Class::Sleep | Class::Others)
    }
}

/// What of a reason tells it from others.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Key {
    class: Class,
    /// Which device or synchronisation object; what it waits for where the class does not say.
    detail: Detail,
    /// Behind which kind of task, if behind somebody.
    behind: Option<KindId>,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Detail {
    None,
    Group(GroupId),
    Budget,
    Device(DeviceId),
    Sync(SyncId),
    Seek(DeviceId),
    Sharing(DeviceId),
    Spin(SyncId),
    /// A task that blocked the whole thread of a runtime.
    Blocking(timeline::Cause),
    /// The start of a process.
    Start,
    Join,
    After,
    Timer,
    Release,
    Previous,
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
        let mut jobs: IdVec<TaskId, Vec<usize>> = timeline.tasks.iter().map(|_| Vec::new()).collect();
        timeline.jobs.iter().enumerate().for_each(|(place, job)| jobs[job.task].push(place));
        let kinds = Kinds::of(&timeline.cast);
        Explained { timeline, causes: Causes::of(timeline), names: rows::names(timeline), kinds, jobs }
    }

    /// Only to tell single moments in words: the causes are nobody's.
    #[must_use]
    pub fn words(timeline: &'a Timeline, names: IdVec<TaskId, String>) -> Explained<'a> {
        let kinds = Kinds::of(&timeline.cast);
        Explained { timeline, causes: Causes::default(), names, kinds, jobs: IdVec::new() }
    }

    /// What a moment of a task goes to, as a few nouns, and what the one in the way does meanwhile, unless it simply runs or the
    /// nouns say so: `lock db, held by low`, `was blocked on disk`.
    #[must_use]
    pub fn moment(&self, task: TaskId, what: What, behind: Option<Behind>) -> (String, Option<String>) {
        // Which moments of it were whose nobody knows.
        if let What::Sharing(device) = what {
            return (format!("{}, shared", self.moment(task, What::Service(device), behind).0), None);
        }
        let part = Part { what, behind, length: Span::ZERO };
        let mut reason = Reason::empty(self.key(&part));
        reason.add(task, &part);
        let says = matches!(reason.key.detail, Detail::Blocking(_) | Detail::Start);
        let doing = behind.map(|behind| behind.doing).filter(|_| !says);
        (self.noun(&reason), doing.and_then(|doing| self.seen(doing)))
    }

    /// What somebody in the way does, if it does not simply run.
    #[must_use]
    pub fn seen(&self, doing: Doing) -> Option<String> {
        (doing != Doing::Running).then(|| self.does(&doing))
    }

    /// The reasons of these together, the longest first.
    #[must_use]
    pub fn reasons(&self, subjects: impl Iterator<Item = Subject>) -> Vec<Reason> {
        let mut reasons: BTreeMap<Key, Reason> = BTreeMap::new();
        for subject in subjects {
            for part in self.parts(subject) {
                let key = self.key(part);
                reasons.entry(key).or_insert_with(|| Reason::empty(key)).add(subject.task, part);
            }
        }
        let mut reasons: Vec<Reason> = reasons.into_values().collect();
        reasons.sort_by_key(|reason| Reverse(reason.length));
        reasons
    }

    fn parts(&self, subject: Subject) -> &[Part] {
        match self.job(subject) {
            Some(place) => &self.causes.jobs[place],
            None => &self.causes.tasks[subject.task],
        }
    }

    /// The place of a job in the record.
    fn job(&self, subject: Subject) -> Option<usize> {
        subject.job.map(|number| self.jobs[subject.task][number])
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
            What::Previous => Detail::Previous,
            What::Throttled(group) => Detail::Group(group),
            What::Budget => Detail::Budget,
            What::Starting => Detail::Start,
            What::Processor(_) if part.behind.is_some_and(|behind| behind.doing == Doing::Starting) => Detail::Start,
            _ => blocking.map_or(Detail::None, Detail::Blocking),
        };
        let behind = part.behind.map(|behind| self.kind(behind.task));
        Key { class: Class::of(part.what), detail, behind }
    }

    /// How long it took, so far if it did not finish.
    #[must_use]
    pub fn life(&self, subject: Subject) -> Span {
        let (from, to) = match self.job(subject).map(|place| &self.timeline.jobs[place]) {
            Some(job) => (Some(job.release), job.over()),
            None => (self.timeline.tasks[subject.task].arrival, self.timeline.tasks[subject.task].finish),
        };
        from.map_or(Span::ZERO, |from| to.unwrap_or(self.timeline.end).since(from))
    }

    /// What became of it; `None` as long as it is not over.
    #[must_use]
    pub fn fate(&self, subject: Subject) -> Option<Fate> {
        let Some(job) = self.job(subject).map(|place| &self.timeline.jobs[place]) else {
            return self.timeline.tasks[subject.task].ended_as();
        };
        if job.aborted { Some(Fate::Aborted) } else { job.finish.map(|_| Fate::Finished) }
    }

    /// Did it finish, or end itself?
    #[must_use]
    pub fn finished(&self, subject: Subject) -> bool {
        matches!(self.fate(subject), Some(Fate::Finished | Fate::Ended))
    }

    /// Is it a task that only the horizon ends?
    fn is_endless(&self, subject: Subject) -> bool {
        let spec = self.timeline.tasks[subject.task].spec;
        self.job(subject).is_none() && self.timeline.cast.endless.contains(&spec)
    }

    /// By how much a job missed its deadline, so far if it did not finish.
    #[must_use]
    pub fn lateness(&self, subject: Subject) -> Option<Span> {
        let job = &self.timeline.jobs[self.job(subject)?];
        job.missed(self.timeline.end).then(|| job.tardiness(self.timeline.end))
    }

    /// What it lost to others: the time in which it could have gone on, had it been alone.
    #[must_use]
    pub fn lost(&self, subject: Subject) -> Span {
        self.parts(subject).iter().filter(|part| Class::of(part.what).is_loss()).map(|part| part.length).sum()
    }

    /// Each task that arrived; of a periodic one its worst job. The worst of each kind come first, then the others. The
    /// order is: who missed a deadline, then who lost most time to others, among equals who took longest.
    #[must_use]
    pub fn victims(&self) -> Vec<Subject> {
        let badness = |subject: &Subject| (self.lateness(*subject).is_some(), self.lost(*subject), self.life(*subject));
        // The first of those that are equally bad.
        let worst = |task| self.subjects(task).into_iter().rev().max_by_key(badness);
        let mut victims: Vec<Subject> = self.arrived().filter_map(|task| worst(task.task)).collect();
        victims.sort_by_cached_key(|subject| Reverse(badness(subject)));
        let mut seen = BTreeSet::new();
        let (mut ranked, others): (Vec<Subject>, Vec<Subject>) =
            victims.into_iter().partition(|subject| seen.insert(self.kind(subject.task)));
        ranked.extend(others);
        ranked
    }

    /// Of which kind a task is.
    fn kind(&self, task: TaskId) -> KindId {
        self.kinds.of_spec(self.timeline.tasks[task].spec)
    }

    /// The jobs of a task, or the task itself if it has none.
    fn subjects(&self, task: TaskId) -> Vec<Subject> {
        match self.jobs[task].len() {
            0 => vec![Subject { task, job: None }],
            jobs => (0..jobs).map(|job| Subject { task, job: Some(job) }).collect(),
        }
    }

    /// The tasks that arrived, periodic ones as a whole.
    fn arrived(&self) -> impl Iterator<Item = Subject> {
        let arrived = self.timeline.tasks.pairs().filter(|(_, life)| life.arrival.is_some());
        arrived.map(|(task, _)| Subject { task, job: None })
    }

    /// The tasks that arrived, or their jobs, by kind, in the order of the file.
    #[must_use]
    pub fn by_kind(&self) -> Vec<Vec<Subject>> {
        let mut kinds: IdVec<KindId, Vec<Subject>> = self.kinds.names.iter().map(|_| Vec::new()).collect();
        for task in self.arrived().map(|task| task.task) {
            kinds[self.kind(task)].extend(self.subjects(task));
        }
        kinds.iter().filter(|subjects| !subjects.is_empty()).cloned().collect()
    }

    /// How several of a kind are called: `59 jobs of fast`, `3 × web`.
    fn plural(&self, subjects: &[Subject]) -> String {
        let Some(first) = subjects.first() else { return String::new() };
        let kind = visible(&self.kinds.short_name(self.kind(first.task))).into_owned();
        match (subjects.len(), first.job) {
            (1, None) => kind,
            (1, Some(_)) => format!("1 job of {kind}"),
            (count, Some(_)) => format!("{count} jobs of {kind}"),
            (count, None) => format!("{count} × {kind}"),
        }
    }

    /// The name of a task.
    #[must_use]
    pub fn name(&self, task: TaskId) -> &str {
        &self.names[task]
    }

    /// The name of a task, or the name and number of its job.
    #[must_use]
    pub fn title(&self, subject: Subject) -> String {
        let name = self.name(subject.task);
        subject.job.map_or_else(|| name.to_owned(), |number| format!("{name} job {number}"))
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
