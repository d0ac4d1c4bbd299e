//! `all`, `any` and `each`: what a task does at once becomes tasks of its process, its branches, which the operation spawns and joins.

use super::process::Drafts;
use super::{Code, Target, TaskDefinition, Way, Which};
use crate::document::Spot;
use crate::scenario::Arrival;

/// What a program does in a branch.
#[derive(Clone, Debug)]
pub(super) struct Branch {
    /// How it has to do with the task.
    pub(super) way: Way,
    /// Where it is spawned in the program of the task, and where it is joined: of those of an `any`, one for all.
    pub(super) at: usize,
    pub(super) join: Option<usize>,
    /// How often one run of that program spawns it at most; endless loops count once.
    pub(super) times: u64,
    /// Where it stands in the file.
    pub(super) spot: Spot,
    pub(super) code: Code,
}

/// What programs do in branches becomes tasks of their processes, behind all those of the file.
pub(super) fn seat(tasks: &mut Vec<TaskDefinition>, drafts: &mut Drafts<'_>) {
    for process in &mut drafts.processes {
        let first = tasks.len();
        for caller in process.tasks.clone() {
            add(tasks, caller);
        }
        let mut next = first;
        // Branches may have branches.
        while next < tasks.len() {
            add(tasks, next);
            next += 1;
        }
        process.branches = first..tasks.len();
    }
}

/// Adds the branches of a task.
fn add(tasks: &mut Vec<TaskDefinition>, caller: usize) {
    let (mut alls, mut anys, mut eaches) = (0, 0, 0);
    for Branch { way, at, join, times, spot, code } in std::mem::take(&mut tasks[caller].code.branches) {
        let task = tasks.len();
        let calls = &mut tasks[caller];
        let name = match way {
            Way::All { number, .. } => {
                alls += usize::from(number == 0);
                format!("{}.{}.{}", calls.name, counted("all", alls), number + 1)
            }
            Way::Any { number, .. } => {
                anys += usize::from(number == 0);
                format!("{}.{}.{}", calls.name, counted("any", anys), number + 1)
            }
            Way::Each { .. } | Way::On => {
                eaches += 1;
                format!("{}.{}", calls.name, counted("each", eaches))
            }
        };
        let mut attributes = calls.attributes.clone();
        attributes.periodic = None;
        let target = Target { task, which: Which::Own };
        calls.code.links.extend(std::iter::once(at).chain(join).map(|op| (op, target)));
        calls.code.spawns.insert(task, times);
        let process = calls.process;
        let caller = Some((caller, u32::try_from(at).unwrap_or(u32::MAX), way));
        let (count, arrival, after) = (0, Arrival::Spawned, Vec::new());
        tasks.push(TaskDefinition { process, name, count, spot, arrival, after, attributes, code, caller });
    }
}

/// The first operation of a program that is called so needs no number.
fn counted(word: &str, number: usize) -> String {
    if number == 1 { word.to_owned() } else { format!("{word}{number}") }
}
