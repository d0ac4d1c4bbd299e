//! Pools that have not always as many threads, and have not room for all tasks: see `executor/limits.rs`.

use crate::engine::agenda::Event;
use crate::engine::runtimes::crew::Crew;
use crate::engine::task::State;
use crate::engine::world::World;
use crate::executor::Place;
use crate::ids::{ProcessId, TaskId, ThreadId};
use crate::policy::{Slice, Who, Why};
use crate::timeline::{Fate, Recorder};

impl<R: Recorder> World<'_, R> {
    fn crew(&mut self, process: ProcessId) -> Option<&mut Crew> {
        self.scene.runtimes[process].crew_mut()
    }

    fn count_waiting(&self, process: ProcessId) -> usize {
        self.scene.runtimes[process].workers().map_or(0, |workers| workers.waiting())
    }

    /// How many workers have nothing to do: those that are parked, and those whose task has ended, or that have put it down, and
    /// that look for another as soon as all has happened that follows from that.
    fn count_idle(&self, process: ProcessId) -> usize {
        let Some(workers) = self.scene.runtimes[process].workers() else { return 0 };
        let looks = |worker: &u32| {
            let task = self.scene.threads[workers.thread(*worker)].task;
            let has_none = || self.scene.tasks[task].state == State::Finished && self.guests.host(task).is_none();
            !workers.is_parked(*worker) && (task.is_none() || has_none())
        };
        let there = self.scene.runtimes[process].crew().into_iter().flat_map(|crew| crew.rules.there());
        workers.idle() + there.filter(looks).count()
    }

    /// The task has come to a pool that may not have room for it. Does it queue there? Else that is all for now.
    #[cold]
    pub(super) fn queues(&mut self, id: TaskId, process: ProcessId) -> bool {
        let idle = self.count_idle(process);
        let waiting = self.count_waiting(process);
        let has_caller = !self.family.parent_of(id).is_none();
        let place = |crew: &mut Crew| crew.rules.place(id, (waiting, idle), has_caller);
        let place = self.crew(process).map_or(Place::Queue, place);
        match place {
            Place::Queue => {}
            Place::New(worker) => self.gets_new_worker(id, process, worker),
            Place::Outside => {}
            Place::Nowhere => self.finish_task(id, Fate::Rejected),
            Place::Caller => self.is_given_back(id),
        }
        place == Place::Queue
    }

    fn gets_new_worker(&mut self, id: TaskId, process: ProcessId, worker: u32) {
        let Some(thread) = self.scene.runtimes[process].workers().map(|workers| workers.thread(worker)) else { return };
        let time = self.time_of(thread);
        self.scene.runtimes[process].takes(worker, id, Slice::Endless, time);
        let carrier = &mut self.scene.threads[thread];
        (carrier.task, carrier.polls) = (id, true);
        self.scene.tasks[id].thread = thread;
        self.is_made(thread);
        self.wants_to_run(thread, Why::Woken);
    }

    /// A worker looks into the queue of the pool, or (`has_taken`) has taken a task: some from outside come in.
    #[cold]
    pub(super) fn come_in(&mut self, process: ProcessId, has_taken: bool) {
        loop {
            let waiting = self.count_waiting(process);
            let Some(task) = self.crew(process).and_then(|crew| crew.rules.let_in(waiting, !has_taken)) else { return };
            self.ask_runtime(process, |queue, view| queue.ready(Who(task.0), Why::Arrived, view));
        }
    }

    /// The worker has taken a task, or (`parks`) found none.
    #[cold]
    pub(super) fn has_looked(&mut self, thread: ThreadId, parks: bool) {
        let (process, worker) = self.place_of(thread);
        if !parks {
            self.come_in(process, true);
            if let Some(number) = self.crew(process).and_then(|crew| crew.is_busy(worker)) {
                self.agenda.forget(number);
            }
        } else if let Some(stay) = self.crew(process).and_then(|crew| crew.rules.stays()) {
            let number = self.agenda.end(Event::Idle(thread), self.scene.now + stay);
            if let Some(crew) = self.crew(process) {
                crew.will_leave(worker, number);
            }
        }
    }

    /// A worker has been idle for as long as it stays.
    #[cold]
    pub(in crate::engine) fn has_been_idle(&mut self, thread: ThreadId) {
        let (process, worker) = self.place_of(thread);
        if self.crew(process).is_some_and(|crew| crew.leaves(worker)) {
            if let Some(workers) = self.scene.runtimes[process].workers_mut() {
                workers.unparks(worker);
            }
            // The next that gets this place is a new thread.
            self.scene.threads[thread].start_cost = self.scene.scenario.machine.thread_start;
        }
    }
}
