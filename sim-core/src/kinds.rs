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
        kinds.one_process = are_of_one_process(known.into_keys());
        kinds
    }

    /// Of which kind a task is; `spec` is an index into [`Cast::specs`].
    #[must_use]
    pub fn of_spec(&self, spec: u32) -> KindId {
        self.of_spec[spec as usize]
    }

    /// The name for people: without the process where that says nothing, see [`are_of_one_process`].
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

/// Do names of tasks, each the process and the task, need no process? There is only one, or one and its pools, after which their tasks
/// are called (`handler.threads` in `main.threads`), and no two tasks of different processes are called alike.
#[must_use]
pub fn are_of_one_process<'n>(names: impl IntoIterator<Item = (&'n str, &'n str)>) -> bool {
    let mut names = names.into_iter().peekable();
    let Some((whole, _)) = names.peek().copied() else { return true };
    let mut processes: BTreeMap<&str, &str> = BTreeMap::new();
    names.all(|(process, task)| {
        let pool = process.strip_prefix(whole).filter(|pool| pool.is_empty() || pool.starts_with('.'));
        let is_called_so = |pool: &str| task.ends_with(pool) || task.contains(&format!("{pool}."));
        pool.is_some_and(is_called_so) && *processes.entry(task).or_insert(process) == process
    })
}

#[cfg(test)]
mod tests {
    use super::are_of_one_process;

    #[test]
    fn pools_are_of_their_process() {
        let main = [("main", "a"), ("main", "b")];
        assert!(are_of_one_process(main));
        assert!(are_of_one_process([main[0], main[1], ("main.io", "a.io"), ("main.io", "a.io.2")]));
        assert!(!are_of_one_process([main[0], main[1], ("main.io", "a")]), "a process of its own");
        assert!(!are_of_one_process([main[0], ("main", "a.io"), ("main.io", "a.io")]), "two of one name");
        assert!(!are_of_one_process([main[0], ("mainframe", "c")]));
        assert!(!are_of_one_process([main[0], ("other", "c")]));
    }
}
