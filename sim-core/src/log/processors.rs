//! Who runs where, and why no more.

use std::collections::BTreeMap;

use super::objects::Objects;
use super::{Log, Part, Phase, join};
use crate::ids::{CpuId, TaskId, ThreadId};
use crate::policy::told::Said;
use crate::time::Time;
use crate::timeline::{Interval, Left, Runtime, What};

/// A stretch of intervals of one task on one processor, without a break.
struct Turn {
    first: Interval,
    last: Interval,
    /// Of those on this processor that begin at this instant, the number.
    number: u32,
    /// Who follows at once.
    next: TaskId,
}

impl Log<'_> {
    /// Turns on processors.
    pub(super) fn busy(&mut self, objects: &mut Objects) {
        let mut turns: Vec<Turn> = self.timeline.by_processor().into_iter().flat_map(turns).collect();
        turns.sort_by_key(|turn| (turn.first.start, turn.number));
        let mut threads: BTreeMap<TaskId, ThreadId> = BTreeMap::new();
        let names = self.timeline.thread_names();
        for turn in turns {
            let thread = turn.first.thread;
            let before = threads.insert(turn.first.task, thread).filter(|before| *before != thread);
            let of = |thread: &ThreadId| names.get(thread).cloned().unwrap_or_default();
            let moved = before.map(|before| format!("on thread {}, before on {}", of(&thread), of(&before)));
            self.turns.insert((turn.first.task, turn.first.start), turn.number);
            self.runs(&turn, moved);
            self.leaves(&turn, objects);
        }
    }

    fn runs(&mut self, turn: &Turn, moved: Option<String>) {
        let Interval { start, cpu, task, thread, what, end, .. } = turn.first;
        let (event, first) = match what {
            What::Run => ("runs", String::new()),
            What::Switch => ("runs", format!("after a switch of {}", (end - start).readable())),
            What::Start => ("starts", "a process is started for it".to_owned()),
        };
        let said = self.said.picked(start, cpu, thread).unwrap_or_default();
        let said = if said.is_empty() || self.has_own_thread(task) { said } else { format!("its thread: {said}") };
        let words = join(&join(&first, &moved.unwrap_or_default()), &said);
        self.add(Phase::Turn(turn.number, Part::Runs), (start, cpu, task), event, words);
    }

    /// Or does it share one with others, of which the policy speaks?
    fn has_own_thread(&self, task: TaskId) -> bool {
        let cast = &self.timeline.cast;
        let process = cast.specs[self.timeline.tasks[task].spec as usize].process as usize;
        matches!(cast.runtimes.get(process), None | Some(Runtime::OwnThread | Runtime::Interpreter))
    }

    fn leaves(&mut self, turn: &Turn, objects: &mut Objects) {
        let Interval { end, cpu, task, thread, left, .. } = turn.last;
        let at_once = turn.first.start == end;
        let phase = |phase| if at_once { Phase::Turn(turn.number, Part::Leaves) } else { phase };
        let (put_off, phase) = (phase(Phase::PutOff), phase(Phase::Leaves));
        let place = (end, cpu, task);
        match left {
            Left::Continues => {}
            Left::Finished => self.add(phase, place, "ends", String::new()),
            Left::Blocked => {
                let words = objects.waits_for(self.timeline, &self.names, task, end);
                self.add(phase, place, "waits", words);
            }
            Left::Yielded => {
                let words = self.said.put_off(end, thread).map_or_else(String::new, |(_, words)| words);
                self.add(phase, place, "yields", words);
            }
            Left::Preempted => match self.said.put_off(end, thread) {
                Some((Said::Expired, words)) => self.add(phase, place, "slice ends", words),
                Some((_, words)) => self.is_put_off(put_off, place, turn.next, &words),
                None => self.is_put_off(put_off, place, turn.next, ""),
            },
        }
    }

    fn is_put_off(&mut self, phase: Phase, place: (Time, CpuId, TaskId), next: TaskId, words: &str) {
        let by = if next.is_none() { String::new() } else { format!("{} takes its place", self.name(next)) };
        self.add(phase, place, "put off", join(&by, words));
    }
}

/// The turns of a processor.
fn turns(row: Vec<Interval>) -> Vec<Turn> {
    let mut turns: Vec<Turn> = Vec::new();
    for interval in row {
        let Some(before) = turns.last_mut() else {
            turns.push(Turn { first: interval, last: interval, number: 0, next: TaskId::NONE });
            continue;
        };
        let last = before.last;
        let follows = last.end == interval.start;
        if follows && last.left == Left::Continues && last.task == interval.task {
            before.last = interval;
            continue;
        }
        before.next = if follows { interval.task } else { TaskId::NONE };
        let number = if before.first.start == interval.start { before.number + 1 } else { 0 };
        turns.push(Turn { first: interval, last: interval, number, next: TaskId::NONE });
    }
    turns
}
