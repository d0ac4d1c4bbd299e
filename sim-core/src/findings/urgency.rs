//! How urgent tasks are, as whoever chooses among them sees it.

use crate::ids::{Id as _, IdVec, SpecId, TaskId};
use crate::policy::{Policy, Setup};
use crate::scenario::{Attributes, Scenario};
use crate::time::Time;
use crate::timeline::{Job, Timeline};

/// How urgent tasks are, as the policy of the scenario sees it.
pub(super) struct Urgencies<'a> {
    pub(super) scenario: &'a Scenario,
    pub(super) policy: Box<dyn Policy>,
    specs: Vec<SpecId>,
    /// The jobs of each task, by their release.
    jobs: IdVec<TaskId, Vec<&'a Job>>,
}

impl<'a> Urgencies<'a> {
    pub(super) fn new(scenario: &'a Scenario, timeline: &'a Timeline) -> Urgencies<'a> {
        let setup = Setup::of(&scenario.machine, 0);
        let policy = scenario.scheduler.settings.build(&setup);
        let tasks = &timeline.tasks;
        let mut jobs: IdVec<TaskId, Vec<&Job>> = tasks.iter().map(|_| Vec::new()).collect();
        timeline.jobs.iter().for_each(|job| jobs[job.task].push(job));
        jobs.iter_mut().for_each(|jobs| jobs.sort_by_key(|job| job.release));
        Urgencies { scenario, policy, specs: tasks.iter().map(|life| SpecId(life.spec)).collect(), jobs }
    }

    /// Does urgency decide who gets a processor?
    pub(super) fn decide(&self) -> bool {
        self.policy.traits().by_urgency
    }

    /// In the eyes of the policy of the scenario. Locks and devices go by it too.
    pub(super) fn of(&self, task: TaskId, at: Time) -> i64 {
        self.by(&*self.policy, task, at)
    }

    /// In the eyes of another policy, that of a runtime.
    pub(super) fn by(&self, policy: &dyn Policy, task: TaskId, at: Time) -> i64 {
        policy.urgency(self.attributes(task), self.deadline(task, at))
    }

    /// Of the present job of a task; never if it has none.
    pub(super) fn deadline(&self, task: TaskId, at: Time) -> Time {
        // The present job is the first that has not ended: jobs of a task end in the order of their release.
        let jobs = &self.jobs[task];
        let ended = jobs.partition_point(|job| job.over().is_some_and(|over| over <= at));
        jobs.get(ended).map_or(Time::NEVER, |job| job.deadline)
    }

    /// Of a job of a task that is released at this time.
    pub(super) fn of_a_job(&self, spec: SpecId, released: Time) -> i64 {
        let attributes = &self.scenario.specs[spec].attributes;
        let deadline = attributes.periodic.as_ref().map_or(Time::NEVER, |periodic| released + periodic.deadline);
        self.policy.urgency(attributes, deadline)
    }

    pub(super) fn attributes(&self, task: TaskId) -> &'a Attributes {
        &self.scenario.specs[self.specs[task.index()]].attributes
    }
}
