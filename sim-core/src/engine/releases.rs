//! When the jobs of periodic tasks are released.
//!
//! A release is an arrival: it comes at its instant in the order of arrivals. A job that ends after the next one's
//! release goes on with that one as if it yielded; otherwise the instance is blocked until the release. Each instance has
//! at most one release to come: these are in a tournament tree, as processors are.

use super::task::State;
use super::world::World;
use crate::ids::TaskId;
use crate::policy::Why;
use crate::program::jitter_stream;
use crate::time::Time;
use crate::timeline::{Block, Cause, Recorder};

impl<R: Recorder> World<'_, R> {
    /// An instance arrives. Is its first job, if it has jobs, released only later?
    pub(super) fn awaits_first_release(&mut self, id: TaskId) -> bool {
        let Some(release) = self.set_job(id, true) else { return false };
        if release > self.scene.now {
            self.schedule_release(id, release);
        }
        release > self.scene.now
    }

    /// An instance that had to wait for others can start: its jobs come from now on.
    pub(super) fn restart_jobs(&mut self, id: TaskId) {
        let task = &self.scene.tasks[id];
        let scenario = self.scene.scenario;
        let Some(periodic) = &scenario.specs[task.spec].attributes.periodic else { return };
        if let Some(job) = self.scene.jobs.of_mut(task.spec, task.instance) {
            job.restart(self.scene.now, periodic);
        }
    }

    /// The program of an instance is over. If it has another job: when is, or was, that one released?
    pub(super) fn end_of_job(&mut self, id: TaskId) -> Option<Time> {
        self.tell_job(id, Some(self.scene.now));
        let release = self.next_job(id)?;
        self.scene.tasks[id].cursor.restart();
        Some(release)
    }

    /// Was the job released before now? What is released now arrives in its turn.
    pub(super) fn is_pending(&self, release: Time) -> bool {
        release < self.scene.now
    }

    /// From now on the instance waits for the release of its next job.
    pub(super) fn await_release(&mut self, id: TaskId, release: Time) {
        let task = &mut self.scene.tasks[id];
        (task.state, task.since) = (State::Blocked(Cause::Release), self.scene.now);
        self.schedule_release(id, release);
    }

    fn schedule_release(&mut self, id: TaskId, at: Time) {
        let task = &self.scene.tasks[id];
        if let Some(number) = self.scene.jobs.index(task.spec, task.instance) {
            self.agenda.release(number, (task.spec, id), at);
        }
    }

    /// The job for which the instance waits is released.
    pub(super) fn release(&mut self, id: TaskId) {
        let task = &self.scene.tasks[id];
        match task.state {
            State::Blocked(cause) => {
                self.recorder.block(Block { start: task.since, end: self.scene.now, task: id, cause });
                self.task_ready(id, Why::Woken);
            }
            _ => self.arrive(id, Why::Arrived),
        }
    }

    /// Goes on to the next job, if there is one: when is it released?
    fn next_job(&mut self, id: TaskId) -> Option<Time> {
        self.set_job(id, false)
    }

    fn set_job(&mut self, id: TaskId, first: bool) -> Option<Time> {
        let (spec, instance) = (self.scene.tasks[id].spec, self.scene.tasks[id].instance);
        let scenario = self.scene.scenario;
        let periodic = scenario.specs[spec].attributes.periodic.as_ref()?;
        let job = self.scene.jobs.of_mut(spec, instance)?;
        job.advance(first, self.scene.now, periodic, || jitter_stream(scenario, spec, instance).stream())
    }

    fn tell_job(&mut self, id: TaskId, finish: Option<Time>) {
        let task = &self.scene.tasks[id];
        if let Some(job) = self.scene.jobs.of(task.spec, task.instance) {
            self.recorder.job(job.told(id, finish));
        }
    }

    /// The run is over: reports the jobs that have been released and have not ended.
    pub(super) fn tell_open_jobs(&mut self) {
        for id in self.scene.tasks.ids() {
            let task = &self.scene.tasks[id];
            let (spec, instance) = (task.spec, task.instance);
            if self.scene.jobs.of(spec, instance).is_none() || matches!(task.state, State::Absent | State::Finished) {
                continue;
            }
            if task.state != State::Blocked(Cause::Release) {
                self.tell_job(id, None);
                while self.next_job(id).is_some_and(|release| release < self.scene.now) {
                    self.tell_job(id, None);
                }
            }
        }
    }
}
