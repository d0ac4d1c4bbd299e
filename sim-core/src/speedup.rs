//! Virtual speed-ups: what could be faster, more or shorter in a scenario, and which edit of its file makes it so.
//!
//! [`candidates`] names every phase of every program, every device, the critical sections of every lock, pools, processors,
//! quotas, quanta and costs of switching. Each change is a list of values that are set in the file, as `--set` does: so a run with
//! it is the run of the edited file, exactly, and nothing is ever extrapolated. What is drawn is scaled in its law, so that
//! each draw takes the same numbers of its stream and only gives less ([`Distribution::faster`](crate::distribution::Distribution::faster)).

mod machine;
mod phases;
mod sections;

use std::collections::BTreeSet;

use crate::ids::{DeviceId, GroupId, IdVec, KindId, ProcessId, SpecId, SyncId};
use crate::kinds::Kinds;
use crate::scenario::Scenario;

/// A value that is set in a file: its path and its text.
pub type Set = (String, String);

/// Something that could be faster, more or shorter.
#[derive(Clone, PartialEq, Debug)]
pub struct Candidate {
    /// What it is. Several are the same if the same edits change them: a device that one phase alone uses.
    pub subjects: Vec<Subject>,
    /// How it could be changed.
    pub changes: Vec<Change>,
}

/// What could be changed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Subject {
    /// One operation of the program of all tasks of a kind.
    Phase {
        /// Of which kind.
        kind: KindId,
        /// One of the tasks of that kind, for its program.
        spec: SpecId,
        /// The place of the operation in [`crate::scenario::Program::ops`].
        op: u32,
    },
    /// All that is done on processors.
    Work,
    /// All service times of a device.
    Device(DeviceId),
    /// How many requests a device serves at once.
    Channels(DeviceId),
    /// All that is done while a lock, an rwlock or permits of a semaphore are held.
    Section(SyncId),
    /// How many processors there are.
    Processors,
    /// How many threads the pool of a process has; of several copies the first.
    Workers(ProcessId),
    /// A limit of the pool of a process, by its key: `core`, `maximum`, `queue-limit`; of several copies the first.
    Limit(ProcessId, &'static str),
    /// The processor time that a group may use in each period.
    Quota(GroupId),
    /// A length of slices: its path below `[scheduler]`.
    Quantum(String),
    /// The switch interval of an interpreter lock.
    SwitchInterval(ProcessId),
    /// A cost of the machine, by its key in `[machine]`.
    Cost(&'static str),
}

/// One way to change something.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Change {
    /// How much of it.
    pub degree: Degree,
    /// The edit of the file.
    pub sets: Vec<Set>,
}

/// How much is changed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Degree {
    /// It takes so many percent less time.
    Faster(u32),
    /// From one value to another.
    To {
        /// As it is.
        from: String,
        /// As it would be.
        to: String,
    },
}

/// All that could be changed in a scenario. Times become faster by each of these percentages, counts one more and twice as
/// many (of the threads of pools also half, and as many as a quota feeds or one fewer), quanta and quotas half and twice as long. `works` says whether an edit of the file is possible: not every way to write a
/// scenario has a place for every value.
#[must_use]
pub fn candidates(scenario: &Scenario, percents: &[u32], works: &dyn Fn(&[Set]) -> bool) -> Vec<Candidate> {
    let search = Search { scenario, kinds: Kinds::of(&crate::engine::cast(scenario)), percents, works };
    let all =
        [search.phases(), search.devices(), search.sections(), search.work().into_iter().collect(), search.machine()]
            .concat();
    let mut distinct: Vec<(BTreeSet<Set>, Candidate)> = Vec::new();
    for candidate in all {
        let sets = candidate.changes.iter().flat_map(|change| change.sets.clone()).collect();
        match distinct.iter_mut().find(|(known, _)| *known == sets) {
            Some((_, same)) => same.subjects.extend(candidate.subjects),
            None => distinct.push((sets, candidate)),
        }
    }
    distinct.into_iter().map(|(_, candidate)| candidate).collect()
}

/// The search for candidates.
struct Search<'a> {
    scenario: &'a Scenario,
    kinds: Kinds,
    percents: &'a [u32],
    works: &'a dyn Fn(&[Set]) -> bool,
}

impl Search<'_> {
    /// One task of each kind.
    fn one_of_each(&self) -> IdVec<KindId, SpecId> {
        let first = |kind| {
            let is_it = |spec: &SpecId| self.kinds.of_spec(spec.0) == kind;
            self.scenario.specs.ids().find(is_it).unwrap_or(SpecId(0))
        };
        self.kinds.names.ids().map(first).collect()
    }

    /// The first of these edits that is possible.
    fn first_possible(&self, edits: impl IntoIterator<Item = Vec<Set>>) -> Option<Vec<Set>> {
        edits.into_iter().find(|sets| (self.works)(sets))
    }
}

impl Candidate {
    fn new(subject: Subject, changes: Vec<Change>) -> Candidate {
        Candidate { subjects: vec![subject], changes }
    }
}

impl Subject {
    /// What it is called: `request 2. io disk 20ms`, `all work`, `device disk`, `while lock db is held`, `processors`.
    #[must_use]
    pub fn name(&self, scenario: &Scenario) -> String {
        let process = |id: &ProcessId| scenario.base_name(*id);
        match self {
            Subject::Phase { kind, spec, op } => {
                let kinds = Kinds::of(&crate::engine::cast(scenario));
                let number = scenario.number_of(*spec, *op);
                format!("{} {number}. {}", kinds.short_name(*kind), scenario.operation(*spec, *op))
            }
            Subject::Work => "all work on processors".to_owned(),
            Subject::Device(device) => format!("device {}", scenario.devices[*device].name),
            Subject::Channels(device) => format!("channels of {}", scenario.devices[*device].name),
            Subject::Section(sync) => {
                let object = &scenario.syncs[*sync];
                format!("while {} {} is held", object.kind.word(), object.name)
            }
            Subject::Processors => "processors".to_owned(),
            Subject::Workers(id) => format!("workers of {}", process(id)),
            Subject::Limit(id, key) => format!("{key} of {}", process(id)),
            Subject::Quota(group) => format!("quota of {}", scenario.groups[*group].name),
            Subject::Quantum(path) => path.clone(),
            Subject::SwitchInterval(id) => format!("switch interval of {}", process(id)),
            Subject::Cost(key) => (*key).to_owned(),
        }
    }
}
