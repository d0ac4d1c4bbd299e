//! Smaller worlds.

use crate::naive::case::{Case, Control, Executor, Op, Room, SyncOp};

/// A smaller world that still fails: tasks and operations are left out and times cut, one by one.
pub(crate) fn shrink(case: &Case, fails: impl Fn(&Case) -> bool) -> Case {
    let mut smallest = case.clone();
    while let Some(smaller) = smaller_worlds(&smallest).find(&fails) {
        smallest = smaller;
    }
    smallest
}

fn smaller_worlds(case: &Case) -> impl Iterator<Item = Case> + use<> {
    let change = |change: &dyn Fn(&mut Case)| {
        let mut changed = case.clone();
        change(&mut changed);
        changed
    };
    let mut worlds = Vec::new();
    worlds.push(change(&|case| case.queue = None));
    for (p, process) in case.processes.iter().enumerate() {
        if let Executor::Pool(room) = process.executor {
            let plain = Executor::Pool(Room::of(room.maximum));
            for simpler in [plain, Executor::Pool(Room { keep_alive: None, ..room })] {
                worlds.push(change(&|case| case.processes[p].executor = simpler));
            }
        }
        for (t, task) in process.tasks.iter().enumerate() {
            worlds.push(change(&|case| {
                case.processes[p].tasks.remove(t);
                case.processes.retain(|process| !process.tasks.is_empty());
            }));
            for op in 0..task.program.len() {
                worlds.push(change(&|case| {
                    case.processes[p].tasks[t].program.remove(op);
                }));
                for later in op + 1..task.program.len() {
                    worlds.push(change(&|case| {
                        case.processes[p].tasks[t].program.remove(later);
                        case.processes[p].tasks[t].program.remove(op);
                    }));
                }
                worlds.push(change(&|case| shorten(&mut case.processes[p].tasks[t].program[op])));
            }
            worlds.push(change(&|case| case.processes[p].tasks[t].affinity = None));
            worlds.push(change(&|case| case.processes[p].tasks[t].periodic = None));
            worlds.push(change(&|case| {
                if let Some(periodic) = &mut case.processes[p].tasks[t].periodic {
                    periodic.jobs = (periodic.jobs - 1).max(1);
                }
            }));
            worlds.push(change(&|case| {
                if let Some(periodic) = &mut case.processes[p].tasks[t].periodic {
                    periodic.jitter = &[];
                }
            }));
            worlds.push(change(&|case| case.processes[p].tasks[t].server = None));
            worlds.push(change(&|case| case.processes[p].tasks[t].served = None));
            worlds.push(change(&|case| case.processes[p].tasks[t].nice = 0));
            worlds.push(change(&|case| case.processes[p].tasks[t].priority = 0));
            worlds.push(change(&|case| case.processes[p].tasks[t].arrival = task.arrival.saturating_sub(1)));
        }
    }
    worlds.push(change(&|case| case.context_switch = 0));
    worlds.push(change(&|case| case.processors = (case.processors - 1).max(1)));
    let before = format!("{case:?}");
    worlds.into_iter().filter(move |world| format!("{world:?}") != before && is_valid(world))
}

fn shorten(op: &mut Op) {
    if let Op::Cpu(ticks) | Op::Io(_, ticks) | Op::IoAt(_, ticks, _) | Op::Sleep(ticks) = op {
        *ticks -= u64::from(*ticks > 1);
    }
}

/// Can it be written as a scenario file? Programs have something to do, and locks are taken and given back in turn.
fn is_valid(case: &Case) -> bool {
    case.tasks().count() > 0
        && case.tasks().all(|(_, task)| {
            let (mut held, mut entered) = (Vec::new(), Vec::new());
            let may = |at: usize| task.program.get(at + 1).is_some_and(Op::can_be_given_up);
            let limits = (0..).zip(&task.program).filter(|(_, op)| matches!(op, Op::Within(_)));
            let attached = limits.into_iter().all(|(at, _)| may(at));
            let in_turn = task.program.iter().all(|op| match op {
                Op::Lock(lock) if held.contains(lock) => false,
                Op::Lock(lock) => {
                    held.push(*lock);
                    true
                }
                Op::Unlock(lock) => held.iter().position(|other| other == lock).map(|at| held.remove(at)).is_some(),
                Op::Sync(SyncOp::Read(object) | SyncOp::Write(object)) if entered.contains(object) => false,
                Op::Sync(SyncOp::Read(object) | SyncOp::Write(object)) => {
                    entered.push(*object);
                    true
                }
                Op::Sync(SyncOp::Leave(object)) => {
                    entered.iter().position(|other| other == object).map(|at| entered.remove(at)).is_some()
                }
                Op::Sync(SyncOp::Wait(_, lock)) => held.contains(lock),
                _ => true,
            });
            let affinity = task.affinity.iter().flatten().all(|cpu| *cpu < case.processors)
                && (task.served.is_none() || task.affinity.is_some());
            in_turn
                && attached
                && is_closed(&task.program)
                && held.is_empty()
                && entered.is_empty()
                && affinity
                && !task.program.is_empty()
        })
}

/// Are lists closed in turn?
fn is_closed(program: &[Op]) -> bool {
    let mut open: Vec<Control> = Vec::new();
    let in_turn = program.iter().all(|op| match op {
        Op::Control(control) if control.opens() => {
            open.push(*control);
            true
        }
        Op::Control(Control::Else) => {
            matches!(open.pop(), Some(Control::If(_))) && {
                open.push(Control::Else);
                true
            }
        }
        Op::Control(Control::Close) => open.pop().is_some(),
        _ => true,
    });
    in_turn && open.is_empty()
}
