//! From a case that fails to a small one that fails: leave things out as long as it still fails.

use super::draft::{Arrival, Draft, Executor, Length, Op};

/// The smallest failing draft that leaving out finds. `fails` must say false for drafts that are no valid scenario.
pub(super) fn shrink(mut draft: Draft, fails: impl Fn(&Draft) -> bool) -> Draft {
    while let Some(smaller) = candidates(&draft).into_iter().find(|candidate| fails(candidate)) {
        draft = smaller;
    }
    draft
}

/// Everything that is one step smaller, the largest steps first.
fn candidates(draft: &Draft) -> Vec<Draft> {
    let mut found = Vec::new();
    let mut with = |change: &dyn Fn(&mut Draft)| {
        let mut candidate = draft.clone();
        change(&mut candidate);
        if candidate.toml("us") != draft.toml("us") {
            found.push(candidate);
        }
    };
    for index in 0..draft.processes.len() {
        with(&|draft| {
            draft.processes.remove(index);
        });
        for task in 0..draft.processes[index].tasks.len() {
            with(&|draft| {
                draft.processes[index].tasks.remove(task);
            });
        }
    }
    with(&|draft| draft.costs.clear());
    with(&|draft| {
        draft.devices.pop();
    });
    with(&|draft| draft.locks = draft.locks.saturating_sub(1));
    with(&|draft| draft.lock_keys.clear());
    with(&|draft| draft.order = "");
    with(&|draft| draft.fair_after = None);
    with(&|draft| {
        draft.objects.pop();
    });
    with(&|draft| draft.processors.truncate(draft.processors.len().max(2) - 1));
    with(&|draft| draft.processors.iter_mut().for_each(|speed| *speed = "1.0"));
    with(&|draft| {
        draft.groups.pop();
    });
    with(&|draft| draft.until = None);
    with(&|draft| draft.preempted_first = false);
    with(&|draft| draft.free_first_switch = false);
    (0..draft.costs.len()).for_each(|index| {
        with(&|draft| {
            draft.costs.remove(index);
        })
    });
    (0..draft.parameters.len()).for_each(|index| {
        with(&|draft| {
            draft.parameters.remove(index);
        })
    });
    for process in 0..draft.processes.len() {
        with(&|draft| draft.processes[process].count = 1);
        with(&|draft| {
            draft.processes[process].executor = Executor { kind: "threads", workers: None, gil: None, more: "" };
        });
        with(&|draft| draft.processes[process].executor.more = "");
        for task in 0..draft.processes[process].tasks.len() {
            of_task(draft, process, task, &mut with);
        }
    }
    found
}

/// A way of making a draft smaller.
type Change<'a> = &'a dyn Fn(&mut Draft);

fn of_task(draft: &Draft, process: usize, task: usize, with: &mut dyn FnMut(Change<'_>)) {
    macro_rules! change {
        (|$task:ident| $change:expr) => {
            with(&|draft| {
                let $task = &mut draft.processes[process].tasks[task];
                $change;
            })
        };
    }
    change!(|task| task.count = 1);
    change!(|task| task.after.clear());
    change!(|task| task.affinity.clear());
    change!(|task| task.priority = 0);
    change!(|task| task.nice = 0);
    change!(|task| task.more = "");
    let original = &draft.processes[process].tasks[task];
    if !matches!(original.arrival, Arrival::Spawned) {
        change!(|task| task.arrival = Arrival::At(0));
    }
    for place in 0..count(&mut original.program.clone()) {
        for step in [Step::Remove, Step::Unwrap, Step::Fix] {
            change!(|task| {
                edit(&mut task.program, &mut place.clone(), step);
            });
        }
    }
}

#[derive(Clone, Copy)]
enum Step {
    /// Leave the operation out.
    Remove,
    /// Put its body in its place.
    Unwrap,
    /// Let its length be one.
    Fix,
}

fn count(program: &mut [Op]) -> usize {
    program.iter_mut().map(|op| 1 + op.bodies().into_iter().map(|body| count(body)).sum::<usize>()).sum()
}

/// Applies the step to the operation at this place, counted in the order of the text.
fn edit(program: &mut Vec<Op>, place: &mut usize, step: Step) -> bool {
    for index in 0..program.len() {
        if *place == 0 {
            match step {
                Step::Remove => drop(program.remove(index)),
                Step::Unwrap => {
                    let body = program[index].bodies().into_iter().next().map(|body| body.clone());
                    if let Some(body) = body {
                        program.splice(index..=index, body);
                    }
                }
                Step::Fix => {
                    if let Op::Cpu(length) | Op::Sleep(length) | Op::Io { length, .. } = &mut program[index] {
                        *length = Length::Fixed(1);
                    }
                }
            }
            return true;
        }
        *place -= 1;
        for body in program[index].bodies() {
            if edit(body, place, step) {
                return true;
            }
        }
    }
    false
}
