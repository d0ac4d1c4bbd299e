//! Who waits for whom and who spawns whom: neither may go in a circle.

use super::task::Draft;
use super::{Definition, Target};
use crate::document::{Log, Note, quoted};

/// As many tasks of a cycle are named.
const NAMED: usize = 8;

/// Checks `after` and `spawn` of all tasks.
pub(super) fn check(definition: &Definition, drafts: &[Draft<'_>], log: &Log) {
    let tasks = &definition.tasks;
    let after: Vec<Vec<usize>> =
        tasks.iter().map(|task| task.after.iter().map(|target: &Target| target.task).collect()).collect();
    if let Some(cycle) = cycle(&after) {
        let spot = drafts[cycle[0]].after.map_or(drafts[cycle[0]].spot, |item| item.spot());
        let sentence = format!("these tasks would wait for each other forever: {}", path(definition, &cycle, "after"));
        log.add(Note::new(spot, sentence).hint("leave out one of these `after`"));
    }
    let spawns: Vec<Vec<usize>> = tasks.iter().map(|task| task.code.spawns.keys().copied().collect()).collect();
    if let Some(cycle) = cycle(&spawns) {
        let sentence = format!("spawning in a circle is not supported yet: {}", path(definition, &cycle, "spawns"));
        log.add(Note::new(drafts[cycle[0]].spot, sentence).hint("let one task spawn as many as needed in a loop"));
    }
    let mut spawned = vec![false; tasks.len()];
    spawns.iter().flatten().for_each(|task| spawned[*task] = true);
    for (draft, spawned) in drafts.iter().zip(spawned) {
        if draft.is_spawned && !spawned && log.is_empty() {
            let sentence = format!("the task {} waits to be spawned, but no program spawns it", quoted(draft.name));
            let hint = format!("add {{ spawn = {:?} }} to a program, or leave out arrival = \"spawned\"", draft.name);
            log.add(Note::new(draft.spot, sentence).hint(hint));
        }
    }
}

/// `` `a` after `b` after `a` ``.
fn path(definition: &Definition, cycle: &[usize], word: &str) -> String {
    let name = |task: &usize| {
        let task = &definition.tasks[*task];
        match definition.processes.len() {
            1 => quoted(&task.name),
            _ => quoted(&format!("{}/{}", definition.processes[task.process].name, task.name)),
        }
    };
    let mut names: Vec<String> = cycle.iter().take(NAMED).map(name).collect();
    if cycle.len() > NAMED {
        names.push("…".into());
    }
    names.push(name(&cycle[0]));
    names.join(&format!(" {word} "))
}

/// A cycle of a graph, beginning with its smallest node, if there is one. A chain of tasks may be as long as the
/// file: this does not recurse.
fn cycle(edges: &[Vec<usize>]) -> Option<Vec<usize>> {
    #[derive(Clone, Copy, PartialEq)]
    enum Visit {
        New,
        Open,
        Done,
    }
    let mut visits = vec![Visit::New; edges.len()];
    // The way from a root to here, and which edge of each node comes next.
    let mut way = Vec::new();
    for root in 0..edges.len() {
        if visits[root] != Visit::New || edges[root].is_empty() {
            continue;
        }
        visits[root] = Visit::Open;
        way.push((root, 0));
        while let Some((node, next)) = way.last_mut() {
            let Some(to) = edges[*node].get(*next).copied() else {
                visits[*node] = Visit::Done;
                way.pop();
                continue;
            };
            *next += 1;
            match visits[to] {
                Visit::New => {
                    visits[to] = Visit::Open;
                    way.push((to, 0));
                }
                Visit::Open => {
                    let mut cycle: Vec<usize> =
                        way.iter().map(|(node, _)| *node).skip_while(|node| *node != to).collect();
                    let first = (0..cycle.len()).min_by_key(|index| cycle[*index])?;
                    cycle.rotate_left(first);
                    return Some(cycle);
                }
                Visit::Done => {}
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cycles_are_found_and_only_cycles() {
        assert_eq!(cycle(&[]), None);
        assert_eq!(cycle(&[vec![1, 2], vec![2], vec![]]), None);
        assert_eq!(cycle(&[vec![0]]), Some(vec![0]));
        assert_eq!(cycle(&[vec![2], vec![0], vec![1]]), Some(vec![0, 2, 1]));
        assert_eq!(cycle(&[vec![1], vec![2, 3], vec![], vec![1]]), Some(vec![1, 3]));
        let chain: Vec<Vec<usize>> = (0..1_000_000).map(|node| vec![(node + 1) % 1_000_000]).collect();
        assert_eq!(cycle(&chain).map(|cycle| cycle.len()), Some(1_000_000));
    }
}
