//! How long the next burst of a task is, as far as it is known.
//!
//! The reading: a burst is what a task computes until it comes to something at which it may have to wait, or gives way. What is
//! certain not to make it wait is no end of it: giving back, notifying, variables, a turn that is late already, and what is only
//! tried. Of what it asks for before it computes anything, it is thought that it is there: locks, permits, room and messages.
//! Variables are as they were when it became ready, but for what the task itself does to them.

use super::state::holds;
use super::{Progress, World};
use crate::naive::case::{Control, Op, SyncOp};

impl World<'_> {
    /// The thread has become ready: so long is its burst.
    pub(super) fn expects(&mut self, thread: usize) {
        self.threads[thread].expected = self.threads[thread].task.map_or(0, |task| self.next_burst(task));
    }

    /// Of one who waits, what was known when it began to; of one who runs, what is known now.
    pub(super) fn burst_of(&self, thread: usize) -> i64 {
        match self.threads[thread].task {
            Some(task) if !self.ready.contains(&thread) => self.next_burst(task),
            _ => self.threads[thread].expected,
        }
    }

    fn next_burst(&self, task: usize) -> i64 {
        let Progress { next_op: mut at, cpu_left: mut work } = self.progress[task];
        let (mut variables, mut turns) = (self.variables.clone(), self.turns[task].clone());
        let mut only_tried = false;
        while !self.spins[task]
            && let Some(op) = self.program(task).get(at)
        {
            let opening = at;
            at += 1;
            match *op {
                Op::Cpu(ticks) => work += ticks,
                Op::Within(ticks) => only_tried = ticks == 0,
                op if is_asked_for(op) && (work == 0 || only_tried) => only_tried = false,
                Op::Unlock(_) => {}
                Op::Sync(SyncOp::Leave(_) | SyncOp::Release(..) | SyncOp::Notify(_) | SyncOp::NotifyAll(_)) => {}
                Op::Control(Control::Set(variable, to)) => variables[variable] = to,
                Op::Control(Control::Add(variable, by)) => variables[variable] += by,
                Op::Control(Control::If(condition) | Control::While(condition)) => {
                    if !holds(condition, &variables) {
                        at = self.end_of_list(task, opening) + 1;
                    }
                }
                Op::Control(Control::Else) => at = self.end_of_list(task, opening) + 1,
                Op::Control(Control::Every(every)) => turns.push(super::state::Turns::first(every, self.now)),
                Op::Control(Control::Close) => match self.opening(task, opening) {
                    (first, Control::While(_)) => at = first,
                    (_, Control::Every(_)) if turns.last().is_some_and(|turns| turns.left == 0) => _ = turns.pop(),
                    (first, Control::Every(every)) => {
                        if turns.last_mut().expect("it is in one").next(every, self.now) > self.now {
                            break;
                        }
                        at = first + 1;
                    }
                    _ => {}
                },
                _ if std::mem::take(&mut only_tried) => {}
                _ => break,
            }
        }
        i64::try_from(work).expect("short")
    }
}

fn is_asked_for(op: Op) -> bool {
    match op {
        Op::Lock(_) => true,
        Op::Sync(op) => matches!(
            op,
            SyncOp::Read(_) | SyncOp::Write(_) | SyncOp::Acquire(..) | SyncOp::Send(_) | SyncOp::Receive(_)
        ),
        _ => false,
    }
}
