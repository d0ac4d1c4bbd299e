//! Kinds: the tasks as the file has them. All instances of a `[[task]]` are of one kind, in whichever copy of its process.
//!
//! What is said of many tasks at once (percentiles, the worst, sums) is said of each kind for itself: a number over
//! several kinds mixed describes none of them.

use std::collections::BTreeMap;

use crate::ids::{IdVec, KindId};
use crate::timeline::Cast;

/// The kinds of a cast, in the order of the file.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Kinds {
    /// The kinds.
    pub names: IdVec<KindId, KindName>,
    /// Of which kind each of [`Cast::specs`] is.
    of_spec: Vec<KindId>,
    one_process: bool,
}

/// The name of a kind.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KindName {
    /// The process as the file has it, without the number of a copy.
    pub process: String,
    /// The task.
    pub task: String,
}

impl Kinds {
    /// The kinds of a cast.
    #[must_use]
    pub fn of(cast: &Cast) -> Kinds {
        let mut kinds = Kinds::default();
        let mut known: BTreeMap<(&str, &str), KindId> = BTreeMap::new();
        for spec in &cast.specs {
            // No name that a file gives has a `#` in it.
            let copy = &cast.processes[spec.process as usize];
            let process = copy.split_once('#').map_or(copy.as_str(), |(process, _)| process);
            let new = || kinds.names.push(KindName { process: process.to_owned(), task: spec.task.clone() });
            kinds.of_spec.push(*known.entry((process, &spec.task)).or_insert_with(new));
        }
        kinds.one_process = known.keys().map(|(process, _)| process).is_sorted_by(|a, b| a == b);
        kinds
    }

    /// Of which kind a task is; `spec` is an index into [`Cast::specs`].
    #[must_use]
    pub fn of_spec(&self, spec: u32) -> KindId {
        self.of_spec[spec as usize]
    }

    /// The name for people: without the process if there is only one.
    #[must_use]
    pub fn short_name(&self, kind: KindId) -> String {
        let KindName { process, task } = &self.names[kind];
        if self.one_process { task.clone() } else { format!("{process}/{task}") }
    }
}

impl KindName {
    /// `process/task`.
    #[must_use]
    pub fn full(&self) -> String {
        format!("{}/{}", self.process, self.task)
    }
}
