//! What threads do in a trace: bursts, pauses, and who ends whose.

use std::collections::HashMap;

use sim_core::timeline::Left;

use super::event::{Event, Switch, Thread};
use crate::recording::{Pause, Recording, Run};

/// More threads than these are not imported.
const MOST_THREADS: usize = 20_000;

/// Something that a thread does.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Deed {
    /// It computes for so long.
    Work(u64),
    /// It waits for so long; for whom, if a thread woke it.
    Pause { length: u64, by: Option<usize> },
    /// It wakes another.
    Wakes(usize),
}

/// Where a thread is.
#[derive(Clone, Copy, PartialEq, Debug)]
enum State {
    Running { since: u64, processor: u32 },
    Ready,
    Blocked { since: u64 },
    Over,
}

/// A thread of the trace.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) name: String,
    pub(super) priority: i32,
    pub(super) arrival: u64,
    pub(super) last: u64,
    pub(super) deeds: Vec<Deed>,
    pub(super) runs: u64,
    pub(super) processors: Vec<u32>,
    /// Work since the last pause, which a preemption does not end.
    burst: u64,
    /// How much of that is among the deeds already, since it woke others in between.
    told: u64,
    state: State,
}

/// All threads, and who runs where.
#[derive(Default, Debug)]
pub(super) struct Threads {
    pub(super) list: Vec<Seen>,
    pub(super) recording: Recording,
    /// How often somebody was gone without a word.
    pub(super) lost: u64,
    ids: HashMap<i32, usize>,
    /// By processor; none while it is idle.
    running: HashMap<u32, Option<usize>>,
}

impl Threads {
    pub(super) fn happens(&mut self, processor: u32, at: u64, event: &Event<'_>) -> Result<(), String> {
        match event {
            Event::Switch(switch) => self.switches(processor, at, switch),
            Event::Waking { thread, in_interrupt } => {
                let waker = self.running.get(&processor).copied().flatten().filter(|_| !in_interrupt);
                self.wakes(at, thread, waker)
            }
        }
    }

    /// The thread with this id, new if it was not seen yet; none of the idle task.
    fn seen(&mut self, thread: &Thread<'_>, state: State, at: u64) -> Result<Option<usize>, String> {
        if thread.id <= 0 {
            return Ok(None);
        }
        let known = self.ids.get(&thread.id).copied().filter(|index| self.list[*index].state != State::Over);
        if let Some(index) = known {
            // A thread that executes a program has another name from then on.
            if self.list[index].name != thread.name {
                thread.name.clone_into(&mut self.list[index].name);
            }
            self.list[index].priority = thread.priority;
            return Ok(Some(index));
        }
        if self.list.len() == MOST_THREADS {
            return Err(format!("there are more than {MOST_THREADS} threads"));
        }
        self.ids.insert(thread.id, self.list.len());
        self.list.push(Seen {
            name: thread.name.to_owned(),
            priority: thread.priority,
            arrival: at,
            last: at,
            deeds: Vec::new(),
            runs: 0,
            processors: Vec::new(),
            burst: 0,
            told: 0,
            state,
        });
        Ok(Some(self.list.len() - 1))
    }

    fn switches(&mut self, processor: u32, at: u64, switch: &Switch<'_>) -> Result<(), String> {
        self.is_gone(processor, at, switch.from.id);
        // Who runs when the trace begins did so from there on.
        let since = if self.running.contains_key(&processor) { at } else { 0 };
        if let Some(index) = self.seen(&switch.from, State::Running { since, processor }, since)? {
            if !matches!(self.list[index].state, State::Running { .. }) {
                // Events were lost: it came to the processor at some time before.
                self.is_woken(index, at, None);
                self.list[index].state = State::Running { since: at, processor };
            }
            self.leaves(index, at, switch);
        }
        let next = self.seen(&switch.to, State::Ready, at)?;
        self.running.insert(processor, next);
        if let Some(index) = next {
            // Some wake without a word: they were ready from now on.
            self.is_woken(index, at, None);
            self.list[index].state = State::Running { since: at, processor };
        }
        Ok(())
    }

    /// Events are lost: another was on the processor than who leaves it now, and nobody knows since when it has not been.
    fn is_gone(&mut self, processor: u32, at: u64, leaves: i32) {
        let Some(index) = self.running.get(&processor).copied().flatten() else { return };
        if self.ids.get(&leaves) == Some(&index) {
            return;
        }
        self.lost += 1;
        let thread = &mut self.list[index];
        if let State::Running { since, processor: own } = thread.state
            && own == processor
        {
            self.recording.runs.push(Run { thread: index, processor, start: since, end: at, left: Left::Blocked });
            thread.is_off(since, at, processor);
            thread.state = State::Blocked { since: at };
            thread.end_burst();
        }
    }

    /// The thread leaves its processor.
    fn leaves(&mut self, index: usize, at: u64, switch: &Switch<'_>) {
        let thread = &mut self.list[index];
        let State::Running { since, processor } = thread.state else { return };
        thread.is_off(since, at, processor);
        let left = match (switch.is_over, switch.is_ready) {
            (true, _) => Left::Finished,
            (_, true) => Left::Preempted,
            _ => Left::Blocked,
        };
        self.recording.runs.push(Run { thread: index, processor, start: since, end: at, left });
        thread.state = match left {
            Left::Preempted => State::Ready,
            Left::Finished => State::Over,
            _ => State::Blocked { since: at },
        };
        if left != Left::Preempted {
            thread.end_burst();
        }
    }

    fn wakes(&mut self, at: u64, thread: &Thread<'_>, waker: Option<usize>) -> Result<(), String> {
        if let Some(index) = self.seen(thread, State::Ready, at)? {
            self.is_woken(index, at, waker.filter(|waker| *waker != index));
        }
        Ok(())
    }

    fn is_woken(&mut self, index: usize, at: u64, by: Option<usize>) {
        let State::Blocked { since } = self.list[index].state else { return };
        self.list[index].state = State::Ready;
        self.list[index].deeds.push(Deed::Pause { length: at - since, by });
        self.recording.pauses.push(Pause { thread: index, start: since, end: at });
        if let Some(waker) = by {
            let thread = &mut self.list[waker];
            if let State::Running { since, .. } = thread.state {
                // What it has done up to here is a burst of its own; the run in the recording goes on.
                let done = thread.burst + (at - since);
                thread.deeds.push(Deed::Work(done.saturating_sub(thread.told)));
                thread.told = done;
                thread.deeds.push(Deed::Wakes(index));
            }
        }
    }

    /// The trace is over.
    pub(super) fn end(&mut self, at: u64) {
        for (index, thread) in self.list.iter_mut().enumerate() {
            if let State::Running { since, processor } = thread.state {
                thread.is_off(since, at, processor);
                self.recording.runs.push(Run { thread: index, processor, start: since, end: at, left: Left::Finished });
            }
            thread.end_burst();
        }
        self.recording.end = at;
    }
}

impl Seen {
    /// It was on a processor.
    fn is_off(&mut self, since: u64, at: u64, processor: u32) {
        self.burst += at - since;
        self.last = at;
        self.runs += 1;
        if !self.processors.contains(&processor) {
            self.processors.push(processor);
        }
    }

    fn end_burst(&mut self) {
        let rest = self.burst.saturating_sub(self.told);
        if rest > 0 {
            self.deeds.push(Deed::Work(rest));
        }
        (self.burst, self.told) = (0, 0);
    }
}
