//! The jobs of periodic instances: released and told by the desk, by the rules of [`JobState`](sim_core::jobs::JobState).

use std::cmp::Reverse;

use sim_core::ids::TaskId;
use sim_core::policy::{OnMiss, Slot, Who};
use sim_core::program::jitter_stream;
use sim_core::time::Time;
use sim_core::timeline::Job;

use super::{Desk, Due, Order};
use crate::play::dispatch::floor::{Ground, State};

impl Desk<'_> {
    /// The present job of an instance has ended. When is the next one released, if there is one?
    pub(super) fn job_ended(&mut self, who: Who) -> Option<Time> {
        let now = self.ground.now;
        let mut told = self.ground.row(who).job.as_ref()?.told(TaskId(who.0), Some(now));
        let (release, skips) = self.after_job(who);
        told.skips = skips;
        self.jobs.push(told);
        release
    }

    /// Goes on to the next job, or to the first one of who arrives then: when is that released?
    pub(super) fn next_release(&mut self, who: Who, arrives: Option<Time>) -> Option<Time> {
        let Ground { scenario, rows, now, .. } = &mut self.ground;
        let row = &mut rows[who.0 as usize];
        let (spec, instance) = (row.spec, row.instance);
        let periodic = scenario.specs[spec].attributes.periodic.as_ref()?;
        let stream = || jitter_stream(scenario, spec, instance).stream();
        row.job.as_mut()?.advance(arrives.is_some(), arrives.unwrap_or(*now), periodic, stream)
    }

    /// The present job is over, or the run is: goes on to the next one. When is that released, and how many are dropped before it?
    fn after_job(&mut self, who: Who) -> (Option<Time>, u32) {
        let Ground { scenario, rows, now, .. } = &mut self.ground;
        let row = &mut rows[who.0 as usize];
        let (spec, instance) = (row.spec, row.instance);
        let stream = || jitter_stream(scenario, spec, instance).stream();
        match (&scenario.specs[spec].attributes.periodic, &mut row.job) {
            (Some(periodic), Some(job)) if periodic.on_miss == OnMiss::Skip => job.skip(*now, periodic, stream),
            _ => (self.next_release(who, None), 0),
        }
    }

    /// An instance has ended a job, and all that would follow were dropped: it goes on where it is, to its end.
    pub(super) fn has_no_job(&mut self, who: Who, slot: Slot) {
        self.ground.row_mut(who).job = None;
        self.orders.push(Order::Go(who, slot));
    }

    /// All jobs that were released by now, ended or not: the run is over.
    pub(in super::super) fn finish(mut self, now: Time) -> Vec<Job> {
        self.at(now);
        for who in (0..self.ground.rows.len()).map(|id| Who(u32::try_from(id).unwrap_or(u32::MAX))) {
            let row = self.ground.row(who);
            let awaits_release = self.due.iter().any(|Reverse((_, due))| *due == Due::Arrival(who));
            let has_open_job = (row.state != State::Away || self.held_back.contains(&who)) && !awaits_release;
            let mut next = has_open_job.then_some(Time::ZERO);
            while next.is_some_and(|release| release < self.ground.now) {
                let Some(job) = &self.ground.row(who).job else { break };
                let mut told = job.told(TaskId(who.0), None);
                (next, told.skips) = self.after_job(who);
                self.jobs.push(told);
            }
        }
        self.jobs
    }
}
