//! Variables, conditions and turns.
//!
//! The reading: to look at variables and to change them takes no time, and happens when the program gets there. A turn that
//! is late begins at once.

use super::{Pending, World};
use crate::naive::case::{Comparison, Condition, Control, Every, Op, Value};

/// A loop in turns in which a task is.
#[derive(Clone, Copy)]
pub(super) struct Turns {
    /// When the turn should have begun that it is at, and when it did as far as that is the matter of the loop.
    due: u64,
    began: u64,
    /// How many come after it.
    pub(super) left: u64,
}

impl Turns {
    /// In a loop that begins now.
    pub(super) fn first(every: Every, now: u64) -> Turns {
        Turns { due: now, began: now, left: every.times - 1 }
    }

    /// When the next turn comes that there is; at which it is from now on.
    pub(super) fn next(&mut self, every: Every, now: u64) -> u64 {
        self.left -= 1;
        self.due = match every.missed {
            "burst" => self.due + every.period,
            "delay" => self.began + every.period,
            _ => (1..).map(|rounds| self.due + rounds * every.period).find(|next| *next > self.began).expect("some"),
        };
        self.began = self.due.max(now);
        self.due
    }
}

impl World<'_> {
    /// Executes the operation that ends before `next_op`.
    pub(super) fn control(&mut self, cpu: usize, thread: usize, task: usize, control: Control) {
        let at = self.progress[task].next_op - 1;
        match control {
            Control::Set(variable, to) => self.variables[variable] = to,
            Control::Add(variable, by) => self.variables[variable] += by,
            Control::If(condition) | Control::While(condition) if !self.holds(condition) => {
                self.progress[task].next_op = self.end_of_list(task, at) + 1;
            }
            Control::If(_) | Control::While(_) => {}
            Control::Else => self.progress[task].next_op = self.end_of_list(task, at) + 1,
            Control::Every(every) => {
                self.turns[task].push(Turns::first(every, self.now));
            }
            Control::Close => match self.opening(task, at) {
                (opening, Control::While(_)) => self.progress[task].next_op = opening,
                (opening, Control::Every(every)) => self.turn_ends(cpu, thread, task, (opening, every)),
                _ => {}
            },
        }
    }

    fn turn_ends(&mut self, cpu: usize, thread: usize, task: usize, (opening, every): (usize, Every)) {
        let turns = self.turns[task].last_mut().expect("it is in one");
        if turns.left == 0 {
            self.turns[task].pop();
            return;
        }
        let next = turns.next(every, self.now);
        self.progress[task].next_op = opening + 1;
        if next > self.now {
            self.block(cpu, thread);
            let started = self.stamp();
            self.pending.push(Pending { due: next, started, task, device: None });
        }
    }

    fn holds(&self, condition: Condition) -> bool {
        holds(condition, &self.variables)
    }
    /// Where the list ends that is opened there.
    pub(super) fn end_of_list(&self, task: usize, opening: usize) -> usize {
        let mut depth = 0;
        for (at, op) in self.program(task).iter().enumerate().skip(opening + 1) {
            match op {
                Op::Control(control) if control.opens() => depth += 1,
                Op::Control(Control::Else) if depth == 0 => return at,
                Op::Control(Control::Close) if depth == 0 => return at,
                Op::Control(Control::Close) => depth -= 1,
                _ => {}
            }
        }
        unreachable!("what is opened is closed")
    }

    /// What is closed there, and where that is.
    pub(super) fn opening(&self, task: usize, close: usize) -> (usize, Control) {
        let mut depth = 0;
        for (at, op) in self.program(task).iter().enumerate().take(close).rev() {
            match op {
                Op::Control(Control::Close) => depth += 1,
                Op::Control(control) if control.opens() && depth == 0 => return (at, *control),
                Op::Control(control) if control.opens() => depth -= 1,
                _ => {}
            }
        }
        unreachable!("what is closed was opened")
    }

    /// Where the program goes on from there, when it has come out of the lists that end there.
    pub(super) fn out_of_lists(&self, task: usize, from: usize) -> usize {
        self.out_of(task, from, &self.turns[task])
    }

    fn out_of(&self, task: usize, from: usize, turns: &[Turns]) -> usize {
        let mut turns = turns;
        let outside = match self.program(task).get(from) {
            Some(Op::Control(Control::Else)) => self.end_of_list(task, from) + 1,
            Some(Op::Control(Control::Close)) => match self.opening(task, from) {
                (_, Control::If(_) | Control::Else) => from + 1,
                (_, Control::Every(_)) => match turns.split_last() {
                    Some((Turns { left: 0, .. }, rest)) => {
                        turns = rest;
                        from + 1
                    }
                    _ => return from,
                },
                _ => return from,
            },
            _ => return from,
        };
        self.out_of(task, outside, turns)
    }

    /// Has the task nothing left to do but to come out of lists?
    pub(super) fn has_nothing_left(&self, task: usize) -> bool {
        self.out_of_lists(task, self.progress[task].next_op) == self.program(task).len()
    }
}

/// Does that hold, if the variables are these?
pub(super) fn holds(Condition(first, second): Condition, variables: &[i64]) -> bool {
    let holds = |Comparison(variable, compare, value): Comparison| {
        let left = variables[variable];
        let right = match value {
            Value::Number(number) => number,
            Value::Variable(other) => variables[other],
        };
        match compare {
            "<" => left < right,
            "<=" => left <= right,
            "==" => left == right,
            "!=" => left != right,
            ">=" => left >= right,
            _ => left > right,
        }
    };
    holds(first) && second.is_none_or(holds)
}
