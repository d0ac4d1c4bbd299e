//! Who arrives, and when: by itself, or when all have finished after which it starts.

use super::task::State;
use super::world::World;
use crate::distribution::Distribution;
use crate::ids::{SpecId, TaskId};
use crate::policy::Why;
use crate::program::arrival_stream;
use crate::scenario::Arrival;
use crate::time::Time;
use crate::timeline::{Cause, Recorder};

impl<R: Recorder> World<'_, R> {
    /// Puts the next arrival of a task on the list of events.
    pub(super) fn schedule_arrival(&mut self, id: SpecId) {
        if let Some(at) = self.next_arrival(id) {
            self.agenda.arrive(id, at);
        }
    }

    fn next_arrival(&mut self, id: SpecId) -> Option<Time> {
        let spec = &self.scene.scenario.specs[id];
        let state = &mut self.specs[id];
        if state.next >= spec.count {
            return None;
        }
        match &spec.arrival {
            Arrival::At(at) => Some(*at),
            Arrival::List(times) => Some(times[state.next_instance() as usize]),
            Arrival::Every(gap) => Some(Time::ZERO + *gap * u64::from(state.next)),
            Arrival::Gap(_) if state.next == 0 => Some(Time::ZERO),
            Arrival::Gap(Distribution::Constant(gap)) => Some(self.scene.now + *gap),
            Arrival::Gap(Distribution::Random(law)) => {
                let scenario = self.scene.scenario;
                let stream = state.gaps.get_or_insert_with(|| Box::new(arrival_stream(scenario, id).stream()));
                Some(self.scene.now + law.draw(stream))
            }
            Arrival::Spawned => None,
        }
    }

    /// All instances of a task that arrive now.
    pub(super) fn arrivals(&mut self, id: SpecId) {
        let arriving = self.scene.now;
        loop {
            let state = &mut self.specs[id];
            let task = TaskId(state.first.0 + state.next_instance());
            state.next += 1;
            if !self.awaits_first_release(task) {
                self.arrive(task, Why::Arrived);
            }
            self.schedule_arrival(id);
            // Instances that arrive together are taken together: the next one's event need not go through the heap.
            if !self.agenda.take_another(id, arriving) {
                return;
            }
        }
    }

    /// An instance arrives or is spawned.
    pub(super) fn arrive(&mut self, id: TaskId, why: Why) {
        self.recorder.arrival(id, self.scene.now);
        if self.specs[self.scene.tasks[id].spec].unmet > 0 {
            self.blocks(id, Cause::After);
        } else {
            self.task_ready(id, why);
        }
    }

    /// All instances of a task have finished: those that start after it may be able to.
    pub(super) fn release_dependents(&mut self, spec: SpecId) {
        for dependent in std::mem::take(&mut self.specs[spec].dependents) {
            let state = &mut self.specs[dependent];
            state.unmet -= 1;
            if state.unmet > 0 {
                continue;
            }
            let first = state.first.0;
            for task in (first..first + self.scene.scenario.specs[dependent].count).map(TaskId) {
                if self.scene.tasks[task].state == State::Blocked(Cause::After) {
                    self.wake(task);
                }
            }
        }
    }
}
