//! When the jobs of periodic tasks are released.
//!
//! A release is an arrival: it comes at its instant in the order of arrivals. A job that ends after the next one's
//! release goes on with that one as if it yielded; otherwise the instance is blocked until the release. Each instance has
//! at most one release to come: these are in a tournament tree, as processors are.

use super::task::State;
use super::world::World;
use crate::ids::TaskId;
use crate::policy::{OnMiss, Why};
use crate::time::Time;
use crate::timeline::{Cause, Fate, Recorder};

impl<R: Recorder> World<'_, R> {
    /// An instance arrives. Is its first job, if it has jobs, released only later?
    pub(super) fn awaits_first_release(&mut self, id: TaskId) -> bool {
        let now = self.scene.now;
        let Some((job, periodic, jitter)) = self.scene.job_of(id) else { return false };
        let Some(release) = job.advance(true, now, periodic, jitter) else { return false };
        if self.firm.is_some() {
            self.has_deadline(id);
        }
        if release > self.scene.now {
            self.schedule_release(id, release);
        }
        release > self.scene.now
    }

    /// An instance that had to wait for others can start: its jobs come from now on.
    pub(super) fn restart_jobs(&mut self, id: TaskId) {
        if self.firm.is_some() {
            self.has_no_deadline(id);
        }
        let now = self.scene.now;
        if let Some((job, periodic, _)) = self.scene.job_of(id) {
            job.restart(now, periodic);
        }
        if self.firm.is_some() {
            self.has_deadline(id);
        }
    }

    /// The program of an instance is over, in this way. If it has another job: when is, or was, that one released?
    pub(super) fn end_of_job(&mut self, id: TaskId, fate: Fate) -> Option<Time> {
        let release = self.leave_job(id, Some(fate))?;
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
                self.recorder.block(task.wait_until(self.scene.now, id, cause));
                self.task_ready(id, Why::Woken);
            }
            _ => self.arrive(id, Why::Arrived),
        }
    }

    /// The present job has ended, in this way, or the run has: reports it and goes on to the next, if there is one. When is that released?
    fn leave_job(&mut self, id: TaskId, fate: Option<Fate>) -> Option<Time> {
        if self.firm.is_some() {
            self.has_no_deadline(id);
        }
        let now = self.scene.now;
        let (job, periodic, jitter) = self.scene.job_of(id)?;
        let mut told = job.told(id, fate.filter(|fate| fate.is_own_end()).map(|_| now));
        told.aborted = fate == Some(Fate::Aborted);
        let (release, skips) = match periodic.on_miss {
            OnMiss::Skip => job.skip(now, periodic, jitter),
            OnMiss::Continue | OnMiss::Abort => (job.advance(false, now, periodic, jitter), 0),
        };
        told.skips = skips;
        self.recorder.job(told);
        if self.firm.is_some() && release.is_some() {
            self.has_deadline(id);
        }
        release
    }

    /// The run is over: reports the jobs that have been released and have not ended.
    pub(super) fn tell_open_jobs(&mut self) {
        for id in self.scene.tasks.ids() {
            let state = self.scene.tasks[id].state;
            if !matches!(state, State::Absent | State::Finished | State::Blocked(Cause::Release)) {
                while self.leave_job(id, None).is_some_and(|release| release < self.scene.now) {}
            }
        }
    }
}
