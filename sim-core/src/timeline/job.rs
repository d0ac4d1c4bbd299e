//! The jobs of periodic tasks, as they are recorded.

use crate::ids::TaskId;
use crate::time::{Span, Time};

/// One job of a periodic task. It is released when its time has come, even if the job before it has not ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Job {
    /// Whose.
    pub task: TaskId,
    /// When it was released.
    pub release: Time,
    /// When it should have ended.
    pub deadline: Time,
    /// When it ended; `None` if the run ended before, or it was aborted.
    pub finish: Option<Time>,
    /// Was it ended at its deadline, unfinished?
    pub aborted: bool,
    /// How many releases were dropped because it still ran.
    pub skips: u32,
}

impl Job {
    /// When it was over, be it that it was aborted.
    #[must_use]
    pub fn over(&self) -> Option<Time> {
        if self.aborted { Some(self.deadline) } else { self.finish }
    }

    /// Did it end after its deadline, or unfinished at that, or has it not ended although its deadline had come when the run ended?
    #[must_use]
    pub fn missed(&self, end_of_run: Time) -> bool {
        self.aborted || self.finish.map_or(self.deadline <= end_of_run, |finish| finish > self.deadline)
    }

    /// From its release to its end.
    #[must_use]
    pub fn response(&self) -> Option<Span> {
        self.finish.map(|finish| finish.since(self.release))
    }

    /// By how much it ended after its deadline; nothing if it was aborted then; if it has not ended, by how much it is late so far.
    #[must_use]
    pub fn tardiness(&self, end_of_run: Time) -> Span {
        self.over().unwrap_or(end_of_run).since(self.deadline)
    }
}
