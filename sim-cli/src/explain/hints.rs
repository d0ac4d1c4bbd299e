//! What follows for certain from the causes: sentences that a person can act upon.

use std::cmp::Reverse;

use sim_core::causes::{Doing, What};
use sim_core::ids::TaskId;
use sim_core::time::Span;
use sim_core::timeline::{self, Runtime};

use super::{Explained, share};

/// Less than this share of all time (in percent) is not worth a hint.
const WORTH_A_HINT: u64 = 10;

/// The hints of a run.
pub(super) fn hints(explained: &Explained<'_>) -> Vec<String> {
    let all: Span = explained.arrived().map(|task| explained.life(task)).sum();
    let worth = |span: Span| u128::from(span.ns()) * 100 >= u128::from(all.ns()) * u128::from(WORTH_A_HINT);
    let mut hints = Vec::new();
    for process in 0..explained.timeline.cast.processes.len() {
        let waits = Waits::of(explained, process);
        let name = &explained.timeline.cast.processes[process];
        let switches = matches!(
            explained.timeline.cast.runtimes.get(process),
            Some(Runtime::Switching | Runtime::SwitchingLocked)
        );
        let said = |span: Span| format!("{} ({} of all time)", span.readable(), share(span, all));
        if worth(waits.blocked) {
            let remedy = if switches {
                "without `blocking = true` those requests would not have held them"
            } else {
                "more threads, or an executor that goes on to another task meanwhile, would have been there for them"
            };
            let span = said(waits.blocked);
            hints.push(format!("In `{name}`, tasks waited {span} for threads that were themselves blocked: {remedy}."));
        }
        if worth(waits.running)
            && switches
            && let Some((task, length)) = waits.longest_turn
        {
            let (span, length) = (said(waits.running), length.readable());
            let who = explained.name(task);
            hints.push(format!(
                "In `{name}`, tasks waited {span} while another had the thread; the longest that one of those kept it \
                 without giving up control was {who}, {length}."
            ));
        }
        if worth(waits.interpreter) && explained.timeline.cast.processors.len() > 1 {
            let span = said(waits.interpreter);
            hints.push(format!(
                "In `{name}`, tasks waited {span} for the interpreter lock: its threads run one at a time, so more \
                 processors do not help them."
            ));
        }
    }
    hints
}

/// What the tasks of a process waited for on its runtime's floor.
#[derive(Default)]
struct Waits {
    /// For a thread that was blocked with another task.
    blocked: Span,
    /// For a thread that another task ran on.
    running: Span,
    interpreter: Span,
    /// The longest interval of those who were in the way.
    longest_turn: Option<(TaskId, Span)>,
}

impl Waits {
    fn of(explained: &Explained<'_>, process: usize) -> Waits {
        let timeline = explained.timeline;
        let ours = |task: TaskId| timeline.cast.specs[timeline.tasks[task].spec as usize].process as usize == process;
        let mut waits = Waits::default();
        let mut in_the_way = vec![false; timeline.tasks.len()];
        for task in explained.arrived().map(|subject| subject.task).filter(|task| ours(*task)) {
            for part in &explained.causes.tasks[task] {
                match (part.what, part.behind) {
                    (What::Interpreter, _) => waits.interpreter += part.length,
                    (What::Runtime, Some(behind)) if matches!(behind.doing, Doing::Blocked(_)) => {
                        waits.blocked += part.length;
                    }
                    (What::Runtime, Some(behind)) => {
                        waits.running += part.length;
                        in_the_way[behind.task.0 as usize] = true;
                    }
                    _ => {}
                }
            }
        }
        let turns = timeline.intervals.iter().filter(|turn| turn.what == timeline::What::Run);
        let turns = turns.filter(|turn| in_the_way.get(turn.task.0 as usize) == Some(&true));
        // The first of those that are equally long.
        let longest =
            turns.map(|turn| (turn.task, turn.end.since(turn.start))).min_by_key(|(_, length)| Reverse(*length));
        Waits { longest_turn: longest, ..waits }
    }
}
