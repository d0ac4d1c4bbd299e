//! Starvation: see [`super`].

use super::{Finding, OVERTAKEN, Record};
use crate::ids::TaskId;
use crate::metrics::{Metrics, TaskSums};
use crate::timeline::Hold;

/// Tasks that waited for a lock to the end of the run, and were overtaken all the time.
pub(super) fn of_locks(record: &Record<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    for sync in record.locks() {
        let (lock, holds) = (&record.timeline.cast.syncs[sync], &record.holds[sync]);
        for block in record.blocks[sync].iter().filter(|block| block.end == record.timeline.end) {
            let later = |hold: &&&Hold| hold.asked > block.start && hold.task != block.task;
            let first = holds.partition_point(|hold| hold.start < block.start);
            let overtaken: Vec<&Hold> = holds[first..].iter().filter(later).copied().collect();
            if overtaken.len() >= OVERTAKEN {
                let (length, times) = (block.end - block.start, overtaken.len());
                let who = record.timeline.short_name(block.task);
                let others = record.names(overtaken.iter().map(|hold| hold.task));
                let text = format!(
                    "starvation: {who} waited {length} for {lock}, to the end of the run, while {others} came later and \
                     had it {times} times"
                );
                found.push(Finding::new("starvation", text, length));
            }
        }
    }
    found
}

/// Tasks that never had a processor, while others came later and finished.
pub(super) fn of_processors(metrics: &Metrics) -> Vec<Finding> {
    let mut later: Vec<_> =
        metrics.tasks.iter().filter(|task| !task.finish.is_never()).map(|task| task.arrival).collect();
    later.sort_unstable();
    let starves = |task: &TaskSums| {
        let used = task.running + task.blocked + task.overhead;
        !task.arrival.is_never() && task.finish.is_never() && used.is_zero()
    };
    let mut found = Vec::new();
    let mut told: Option<u32> = None;
    for (id, task) in metrics.tasks.pairs().filter(|(_, task)| starves(task)) {
        let overtaken = later.len() - later.partition_point(|arrival| *arrival <= task.arrival);
        // Of the instances of a task the first has waited longest.
        if overtaken >= OVERTAKEN && told != Some(task.spec) {
            told = Some(task.spec);
            let (who, length) = (name(metrics, id), metrics.waiting(task));
            let text = format!(
                "starvation: {who} was ready for {length}, to the end of the run, and never ran, while {overtaken} tasks \
                 that came later finished"
            );
            found.push(Finding::new("starvation", text, length));
        }
    }
    found
}

fn name(metrics: &Metrics, id: TaskId) -> String {
    let task = &metrics.tasks[id];
    let spec = &metrics.cast.specs[task.spec as usize];
    format!("{}/{}#{}", metrics.cast.processes[spec.process as usize], spec.task, task.instance)
}
