//! Pools that leave tasks to whoever called for them (`when-full = "caller-runs"`): somebody must have called, and be able to run them.

use std::collections::BTreeSet;

use super::{Definition, TaskDefinition};
use crate::document::{Log, Note, quoted};
use crate::executor::WhenFull;
use crate::policy::OnMiss;
use crate::scenario::Arrival;

/// Refuses tasks that nobody has called for, and callers that cannot run what they call for.
pub(super) fn check(definition: &Definition, log: &Log) {
    let gives_back = |task: &TaskDefinition| definition.processes[task.process].executor.gives_back();
    let comes = |task: &TaskDefinition| task.arrival != Arrival::Spawned;
    for (number, process) in definition.processes.iter().enumerate() {
        let mut tasks = definition.tasks.iter().filter(|task| task.process == number);
        let Some(first) = tasks.next().filter(|task| gives_back(task) && comes(task)) else { continue };
        if tasks.all(comes) {
            let (pool, name) = (quoted(&process.name), quoted(&first.name));
            let sentence =
                format!("nobody calls for the tasks of {pool}, so nobody could run {name} where the pool is full");
            let hint = "when-full = \"caller-runs\" is for tasks that others `spawn`, and for `on`: write \"block\" or \"reject\"";
            log.add(Note::new(first.spot, sentence).hint(hint));
        }
    }
    let mut refused = BTreeSet::new();
    for caller in &definition.tasks {
        let Some(called) = caller.code.spawns.keys().map(|task| &definition.tasks[*task]).find(|task| gives_back(task))
        else {
            continue;
        };
        let root = root(definition, caller);
        let what = match () {
            () if definition.processes[root.process].executor.hands_off => "is a goroutine",
            () if root.attributes.periodic.as_ref().is_some_and(|periodic| periodic.on_miss == OnMiss::Abort) => {
                "has jobs that end at their deadlines (`on-miss = \"abort\"`)"
            }
            () => continue,
        };
        if refused.insert((root.process, &root.name)) {
            let (name, called) = (quoted(&root.name), quoted(&called.name));
            let sentence = format!("{name} {what}: that it runs {called} itself (`caller-runs`) is not supported yet");
            log.add(Note::new(root.spot, sentence).hint("let that pool have when-full = \"reject\", or \"block\""));
        }
    }
}

/// Remarks on what is done `else` where no pool turns anybody away.
pub(super) fn look(definition: &Definition, log: &Log) {
    for task in &definition.tasks {
        for (op, spot) in &task.code.otherwise {
            let called =
                task.code.links.iter().find(|(link, _)| link == op).map(|(_, target)| &definition.tasks[target.task]);
            let turns_away = |task: &TaskDefinition| {
                let limits = definition.processes[task.process].executor.limits;
                limits.is_some_and(|limits| limits.when_full == WhenFull::Reject && limits.queue.is_some())
            };
            if let Some(called) = called.filter(|called| !turns_away(called)) {
                let runtime = quoted(&definition.processes[called.process].name);
                let sentence = format!("what is done `else` never happens: {runtime} turns nobody away");
                let hint = "it is for pools with a queue-limit and when-full = \"reject\"";
                log.remark(Note::new(*spot, sentence).hint(hint));
            }
        }
    }
}

/// The task of the file in whose program this one stands.
fn root<'d>(definition: &'d Definition, task: &'d TaskDefinition) -> &'d TaskDefinition {
    let mut root = task;
    while let Some((caller, ..)) = root.caller {
        root = &definition.tasks[caller];
    }
    root
}
