//! The life of a task, and how it ends.

use crate::time::Time;

/// What became of an instance in the end. Whatever it was, the instance is done: for the end of a run and the makespan, for
/// those that come after it, and for whoever joins it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
#[repr(u8)]
pub enum Fate {
    /// It came to the end of its program.
    #[default]
    Finished,
    /// Nobody took it: its pool was full.
    Rejected,
    /// It was given up from outside, where it stood.
    Aborted,
    /// It ended itself, before the end of its program.
    Ended,
}

impl Fate {
    /// All of them.
    pub const ALL: [Fate; 4] = [Fate::Finished, Fate::Rejected, Fate::Aborted, Fate::Ended];

    /// Its name in the outcome.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Fate::Finished => "finished",
            Fate::Rejected => "rejected",
            Fate::Aborted => "aborted",
            Fate::Ended => "ended",
        }
    }

    /// The one of this number, as which it is kept in memory that processes share.
    #[must_use]
    pub fn numbered(number: u32) -> Fate {
        Fate::ALL.into_iter().find(|fate| *fate as u32 == number).unwrap_or_default()
    }

    /// The one of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Fate> {
        Fate::ALL.into_iter().find(|fate| fate.name() == name)
    }

    /// Did the task do what it meant to do, so that when it was done is a figure of its own?
    #[must_use]
    pub fn is_own_end(self) -> bool {
        matches!(self, Fate::Finished | Fate::Ended)
    }
}

/// One instance of a task and its life.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Life {
    /// Index into [`Cast::specs`](super::Cast::specs).
    pub spec: u32,
    /// Which instance of it.
    pub instance: u32,
    /// When it arrived; `None` if the run ended before.
    pub arrival: Option<Time>,
    /// When it was over; `None` if it was not.
    pub finish: Option<Time>,
    /// In which way, if it was.
    pub fate: Fate,
}

impl Life {
    /// What became of it; `None` as long as it is not over.
    #[must_use]
    pub fn ended_as(&self) -> Option<Fate> {
        self.finish.map(|_| self.fate)
    }
}
