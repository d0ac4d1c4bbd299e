//! How far a run had come when its horizon ended it: what only a horizon ends is not work that was left undone.

use sim_core::outcome::Outcome;
use sim_core::timeline::{Life, Timeline};

use crate::rows::plural;

/// What was done and what was not.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Reached {
    /// All tasks.
    pub tasks: usize,
    /// Tasks that have an end and did not come to it. How those fared that have none is told by their jobs.
    pub unfinished: usize,
    /// Jobs that had ended, or should have.
    pub due: usize,
    /// Jobs of those that missed their deadlines.
    pub missed: usize,
    /// Jobs that had been released, had not ended, and still had time.
    pub in_progress: usize,
}

impl Reached {
    /// What the document of a run says.
    #[must_use]
    pub fn of_outcome(outcome: &Outcome) -> Reached {
        let mut reached = Reached { tasks: outcome.tasks.len(), ..Reached::default() };
        for task in &outcome.tasks {
            reached.unfinished += usize::from(task.fate.is_none() && !task.endless);
            task.jobs.iter().flatten().for_each(|job| reached.enter(job.finish_ns.is_some(), job.missed));
        }
        reached
    }

    /// What the record of a run says.
    #[must_use]
    pub fn of_timeline(timeline: &Timeline) -> Reached {
        let mut reached = Reached { tasks: timeline.tasks.len(), ..Reached::default() };
        for job in &timeline.jobs {
            reached.enter(job.finish.is_some(), job.missed(timeline.end));
        }
        let is_open = |life: &&Life| life.finish.is_none() && !timeline.cast.endless.contains(&life.spec);
        reached.unfinished = timeline.tasks.iter().filter(is_open).count();
        reached
    }

    fn enter(&mut self, ended: bool, missed: bool) {
        let due = ended || missed;
        self.due += usize::from(due);
        self.missed += usize::from(missed);
        self.in_progress += usize::from(!due);
    }

    /// What stands behind the end of the run, in text and pictures: `, 2 of 4 tasks unfinished` if some with an end did not
    /// come to it, and how the jobs fared.
    #[must_use]
    pub fn words(&self) -> String {
        let left = match (self.unfinished, self.tasks) {
            (0, _) => String::new(),
            (_, 1) => ", the one task unfinished".to_owned(),
            (left, all) => format!(", {left} of {all} tasks unfinished"),
        };
        left + &self.jobs()
    }

    /// `, all 250 jobs due were met, 2 in progress`; empty without jobs.
    fn jobs(&self) -> String {
        let Reached { due, missed, in_progress, .. } = *self;
        let progress = if in_progress > 0 { format!(", {in_progress} in progress") } else { String::new() };
        match (due, missed) {
            (0, _) => progress,
            (1, 0) => format!(", the one job due was met{progress}"),
            (_, 0) => format!(", all {due} jobs due were met{progress}"),
            (_, _) => format!(", {missed} of {due} job{} due missed{progress}", plural(due)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Story;

    #[test]
    fn what_only_the_horizon_ends_is_no_work_left() {
        let words =
            |unfinished, due, missed, in_progress| Reached { tasks: 4, unfinished, due, missed, in_progress }.words();
        assert_eq!(words(0, 250, 0, 2), ", all 250 jobs due were met, 2 in progress");
        assert_eq!(words(0, 250, 3, 0), ", 3 of 250 jobs due missed");
        assert_eq!(words(0, 0, 0, 0), "");
        assert_eq!(words(1, 250, 0, 2), ", 1 of 4 tasks unfinished, all 250 jobs due were met, 2 in progress");
        assert_eq!(words(2, 0, 0, 0), ", 2 of 4 tasks unfinished");
    }

    #[test]
    fn a_periodic_task_without_an_end_is_never_unfinished() {
        let story = || Story::new(1).tasks("main", "gyro", 1).tasks("main", "other", 1).life(1, Some(0), Some(5));
        let reached = |timeline: Timeline| {
            let Reached { unfinished, due, missed, in_progress, .. } = Reached::of_timeline(&timeline);
            (unfinished, due, missed, in_progress)
        };
        assert_eq!(reached(story().end(20)), (1, 0, 0, 0));
        let endless = || story().job(0, 0, 4, Some(6));
        assert_eq!(reached(endless().job(0, 10, 14, Some(12)).job(0, 18, 24, None).end(20)), (0, 2, 1, 1));
        // One that is late is told by what its jobs missed.
        assert_eq!(reached(endless().job(0, 10, 14, None).end(20)), (0, 2, 2, 0));
    }
}
