//! The caches of processors: where a task is warm it runs faster.
//!
//! Rule: a task that runs on a processor on which it is not warm counts down the warm-up there; what is left is kept
//! when it leaves. Then it is warm: it enters the list of the processor's warm tasks at the front, and as long as the
//! working sets in the list exceed the size of the cache, the last of the list is evicted and must warm up again. That
//! may be the task itself, if it is too large alone. Without any warm-up (of zero) a task that is new is warm at once, and
//! one that was evicted after one tick. Only tasks that have a working set take part. Source: the simulator of
//! multiprocessor scheduling that comes with Arpaci-Dusseau, "Operating Systems: Three Easy Pieces".
//!
//! That model counts in ticks, and whatever is left of a tick when a burst ends is lost: so a burst that ends warm takes
//! whole ticks here (`tick` of the cache; if the file names none, the largest of 1 ms, 1 us and 1 ns of which the warm-up
//! and all bursts are multiples). Otherwise time is continuous: nothing happens while a task runs, since nobody else uses its
//! processor; what it did to the cache is accounted for when it stops.

use std::collections::{BTreeMap, VecDeque};

use crate::ids::{CpuId, IdVec, SpecId, TaskId};
use crate::scenario::{Cache, Scenario, Speed};
use crate::time::Span;

/// The caches of all processors.
pub(super) struct Caches<'a> {
    scenario: &'a Scenario,
    rules: &'a Cache,
    contents: IdVec<CpuId, Contents>,
}

/// The cache of one processor.
struct Contents {
    /// The speed of the processor for tasks that are not warm.
    cold: Speed,
    warm: Speed,
    /// The tasks that are warm, with their working sets; the last that entered is the first.
    list: VecDeque<(TaskId, u32)>,
    /// What their working sets take together.
    used: u64,
    /// Those who have begun to warm up, or are warm.
    states: BTreeMap<TaskId, State>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    Warm,
    /// This much of the warm-up is left.
    Warming(Span),
}

impl<'a> Caches<'a> {
    /// Empty caches, if the machine has any.
    pub(super) fn new(scenario: &'a Scenario) -> Option<Caches<'a>> {
        let rules = scenario.machine.cache.as_ref()?;
        let contents = |cold: Speed| Contents {
            cold,
            warm: cold.times(rules.warm_speed).unwrap_or(cold),
            list: VecDeque::new(),
            used: 0,
            states: BTreeMap::new(),
        };
        let contents = scenario.machine.processors.iter().map(|processor| contents(processor.speed)).collect();
        Some(Caches { scenario, rules, contents })
    }

    /// How much of its warm-up a task has left on a processor; `None` if it will not be warm there in this turn.
    fn left(&self, cpu: CpuId, task: TaskId, spec: SpecId) -> Option<Span> {
        let set = self.scenario.specs[spec].attributes.working_set?;
        match self.contents[cpu].states.get(&task) {
            Some(State::Warm) => Some(Span::ZERO),
            _ if u64::from(set) > self.rules.size => None,
            Some(State::Warming(left)) => Some(*left),
            None => Some(self.rules.warm_up),
        }
    }

    /// How long the task takes on the processor for this work, beginning now.
    pub(super) fn time_for(&self, cpu: CpuId, task: TaskId, spec: SpecId, work: Span) -> Span {
        let contents = &self.contents[cpu];
        let Some(left) = self.left(cpu, task, spec) else { return contents.cold.time_for(work) };
        let cold = contents.cold.work_in(left);
        if work <= cold {
            return contents.cold.time_for(work);
        }
        let time = left + contents.warm.time_for(work - cold);
        Span::from_ns(time.ns().checked_next_multiple_of(self.rules.tick.ns()).unwrap_or(u64::MAX))
    }

    /// How much work the task does on the processor in this length of time, beginning now.
    pub(super) fn work_in(&self, cpu: CpuId, task: TaskId, spec: SpecId, length: Span) -> Span {
        let contents = &self.contents[cpu];
        let cold = self.left(cpu, task, spec).map_or(length, |left| left.min(length));
        contents.cold.work_in(cold) + contents.warm.work_in(length - cold)
    }

    /// The task has run on the processor for this length of time. How much work has it done?
    pub(super) fn run(&mut self, cpu: CpuId, task: TaskId, spec: SpecId, length: Span) -> Span {
        let done = self.work_in(cpu, task, spec, length);
        if let Some(set) = self.scenario.specs[spec].attributes.working_set {
            self.contents[cpu].warm_up(task, set, length, self.rules);
        }
        done
    }
}

impl Contents {
    /// A task with this working set has run for this length.
    fn warm_up(&mut self, task: TaskId, set: u32, length: Span, rules: &Cache) {
        let left = match self.states.get(&task) {
            Some(State::Warm) => return,
            Some(State::Warming(left)) => *left,
            None => rules.warm_up,
        };
        if length < left {
            self.states.insert(task, State::Warming(left - length));
        } else if !self.enter(task, set, rules) {
            // It has been evicted at once, and began anew, perhaps several times.
            let again = (length - left).ns().checked_rem(rules.warm_up.ns()).unwrap_or(0);
            self.states.insert(task, State::Warming(rules.warm_up - Span::from_ns(again)));
        }
    }

    /// A task is warm. Does it stay so?
    fn enter(&mut self, task: TaskId, set: u32, rules: &Cache) -> bool {
        self.list.push_front((task, set));
        self.states.insert(task, State::Warm);
        self.used += u64::from(set);
        while self.used > rules.size
            && let Some((evicted, set)) = self.list.pop_back()
        {
            self.used -= u64::from(set);
            // With no warm-up at all, a new task is warm at once; but to notice that one was evicted takes a tick.
            let left = if rules.warm_up.is_zero() { rules.tick } else { rules.warm_up };
            self.states.insert(evicted, State::Warming(left));
        }
        self.states.get(&task) == Some(&State::Warm)
    }
}
