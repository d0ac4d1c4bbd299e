//! A bar, in the terminal or in a picture: who, for how long, and for which reasons.

use sim_core::time::Span;
use sim_core::timeline::Fate;

use super::{Explained, Reason, Subject};

/// A task or a job, or the mean of several.
pub struct Bar {
    /// Who.
    pub name: String,
    /// How long it took, so far if it did not finish.
    pub length: Span,
    /// What became of it, if it did not finish by itself; `None` of one that only the horizon ends.
    pub left: Option<Left>,
    /// Where the time went; sums up to the length.
    pub reasons: Vec<Reason>,
}

/// What became of who did not finish by itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Left {
    /// The run ended before.
    Unfinished,
    /// A job ended at its deadline.
    Aborted,
    /// A branch that was dropped, as another was first.
    Dropped,
    /// Nobody took it.
    Rejected,
}

impl Left {
    /// All of them.
    pub const ALL: [Left; 4] = [Left::Unfinished, Left::Aborted, Left::Dropped, Left::Rejected];

    /// Nothing of who finished, or never ends.
    #[must_use]
    pub fn of(explained: &Explained<'_>, subject: Subject) -> Option<Left> {
        match explained.fate(subject) {
            Some(Fate::Finished | Fate::Ended) => None,
            // Jobs end at their deadlines; of tasks only branches end where they stand.
            Some(Fate::Aborted) if explained.job(subject).is_none() => Some(Left::Dropped),
            Some(Fate::Aborted) => Some(Left::Aborted),
            Some(Fate::Rejected) => Some(Left::Rejected),
            None => Some(Left::Unfinished).filter(|_| !explained.is_endless(subject)),
        }
    }

    /// Its sign behind a time.
    #[must_use]
    pub fn sign(self) -> char {
        match self {
            Left::Unfinished => '+',
            Left::Aborted => '!',
            Left::Dropped => '*',
            Left::Rejected => '-',
        }
    }

    /// In words, behind who.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Left::Unfinished => "has not finished",
            Left::Aborted => "was ended at its deadline",
            Left::Dropped => "was dropped: another branch was first",
            Left::Rejected => "was rejected",
        }
    }
}

impl Bar {
    /// The bar of one.
    #[must_use]
    pub fn of(explained: &Explained<'_>, subject: Subject) -> Bar {
        Bar {
            name: explained.title(subject),
            length: explained.life(subject),
            left: Left::of(explained, subject),
            reasons: explained.reasons(std::iter::once(subject)),
        }
    }

    /// The means of each kind over its instances or jobs that finished, as percentiles of kinds are: what was cut off says
    /// nothing of how long it takes. If none did, over all. Those that lost most to others come first, among equals the
    /// longest.
    #[must_use]
    pub fn means(explained: &Explained<'_>) -> Vec<Bar> {
        let mean = |subjects: Vec<Subject>| {
            let left = |subject: &Subject| Left::of(explained, *subject);
            let all = subjects.iter().map(left).reduce(|one, other| one.and(other)).flatten();
            let counted: Vec<Subject> =
                subjects.into_iter().filter(|subject| all.is_some() || left(subject).is_none()).collect();
            let count = counted.len().max(1) as u64;
            let mut reasons = explained.reasons(counted.iter().copied());
            reasons.iter_mut().for_each(|reason| reason.length = Span::from_ns(reason.length.ns() / count));
            // The sum of what is drawn: rounded down part by part it may be a few nanoseconds less than the mean.
            let length = reasons.iter().map(|reason| reason.length).sum();
            Bar { name: explained.plural(&counted), length, left: all, reasons }
        };
        let mut bars: Vec<Bar> = explained.by_kind().into_iter().map(mean).collect();
        bars.sort_by_key(|bar| std::cmp::Reverse((bar.lost(), bar.length)));
        bars
    }

    /// What of it was lost to others.
    #[must_use]
    pub fn lost(&self) -> Span {
        self.reasons.iter().filter(|reason| reason.class().is_loss()).map(|reason| reason.length).sum()
    }
}
