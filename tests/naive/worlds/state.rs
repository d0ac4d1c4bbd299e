//! Worlds of tasks that look at variables and change them, and do things in turns.
//!
//! The first variable counts what is there for those who wait until something is; loops count with the others, which are
//! only changed elsewhere outside of loops: so every loop ends.

use sim_core::rng::Stream;

use super::sync::{program, random_syncs};
use super::{below, one_of};
use crate::naive::case::{Case, Comparison, Condition, Control, Every, Object, Op, SyncOp, Value};

const VARIABLES: usize = 3;

/// A random world in which tasks synchronise, and go by variables.
pub(crate) fn random_states(chance: &mut Stream) -> Case {
    let mut case = random_syncs(chance);
    case.variables = VARIABLES;
    let longest = one_of(chance, &[1, 2, 4]);
    let programs: Vec<Vec<Op>> =
        case.tasks().map(|_| (0..=below(chance, longest)).flat_map(|_| step(chance, &case, 2)).collect()).collect();
    let tasks = case.processes.iter_mut().flat_map(|process| &mut process.tasks);
    for (task, more) in tasks.zip(programs) {
        task.program = if chance.below(3) == 0 { [more, std::mem::take(&mut task.program)].concat() } else { more };
    }
    case
}

/// Something that a task does, with lists in lists down to this depth.
fn step(chance: &mut Stream, case: &Case, depth: usize) -> Vec<Op> {
    let inside = |chance: &mut Stream| if depth == 0 { vec![] } else { step(chance, case, depth - 1) };
    let list =
        |opening, inside: Vec<Op>| [vec![Op::Control(opening)], inside, vec![Op::Control(Control::Close)]].concat();
    let is_top = depth == 2;
    match chance.below(10) {
        0 if is_top => vec![Op::Control(Control::Set(below(chance, VARIABLES), number(chance)))],
        0 | 1 => vec![Op::Control(Control::Add(0, number(chance)))],
        2 | 3 => {
            let otherwise = chance.below(2) == 0;
            let mut then = segment(chance, case);
            if otherwise {
                then.push(Op::Control(Control::Else));
                then.extend(inside(chance));
            }
            list(Control::If(condition(chance)), then)
        }
        4 if depth > 0 => {
            let counter = 1 + below(chance, VARIABLES - 1);
            let fewer = Comparison(counter, "<", Value::Number(1 + number(chance).abs()));
            let also = (chance.below(3) == 0).then(|| comparison(chance));
            let mut turn = vec![Op::Control(Control::Add(counter, 1))];
            turn.extend(inside(chance));
            list(Control::While(Condition(fewer, also)), turn)
        }
        5 if depth > 0 => {
            let missed = one_of(chance, &["burst", "delay", "skip"]);
            let every = Every { period: 1 + chance.below(6), times: 1 + chance.below(3), missed };
            let mut turn = vec![Op::Cpu(1 + chance.below(4))];
            turn.extend(inside(chance));
            list(Control::Every(every), turn)
        }
        6..=8 => meeting(chance, case).unwrap_or_else(|| segment(chance, case)),
        _ => segment(chance, case),
    }
}

/// Takes one of what is there, waiting until something is; or puts some there.
fn meeting(chance: &mut Stream, case: &Case) -> Option<Vec<Op>> {
    let condvar = case.syncs.objects.iter().position(|object| *object == Object::Condvar)?;
    let (lock, control) = (0, Op::Control);
    let inside = if chance.below(2) == 0 {
        let nothing = Condition(Comparison(0, "<=", Value::Number(0)), None);
        // The classic fault is among them: who is woken does not look again.
        let look = if chance.below(3) == 0 { Control::If(nothing) } else { Control::While(nothing) };
        vec![
            control(look),
            Op::Sync(SyncOp::Wait(condvar, lock)),
            control(Control::Close),
            control(Control::Add(0, -1)),
        ]
    } else {
        let told = if chance.below(3) == 0 { SyncOp::NotifyAll(condvar) } else { SyncOp::Notify(condvar) };
        vec![control(Control::Add(0, 1 + number(chance).abs())), Op::Sync(told)]
    };
    let cpu = (chance.below(2) == 0).then(|| Op::Cpu(1 + chance.below(3)));
    Some([vec![Op::Lock(lock)], inside, cpu.into_iter().collect(), vec![Op::Unlock(lock)]].concat())
}

/// Something without conditions.
fn segment(chance: &mut Stream, case: &Case) -> Vec<Op> {
    program(chance, case, 1)
}

fn condition(chance: &mut Stream) -> Condition {
    Condition(comparison(chance), (chance.below(4) == 0).then(|| comparison(chance)))
}

fn comparison(chance: &mut Stream) -> Comparison {
    let compare = one_of(chance, &["<", "<=", "==", "!=", ">=", ">"]);
    let value =
        if chance.below(3) == 0 { Value::Variable(below(chance, VARIABLES)) } else { Value::Number(number(chance)) };
    Comparison(below(chance, VARIABLES), compare, value)
}

fn number(chance: &mut Stream) -> i64 {
    one_of(chance, &[-2, -1, 0, 0, 1, 1, 2])
}
