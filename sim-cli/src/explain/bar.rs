//! A bar, in the terminal or in a picture: who, for how long, and for which reasons.

use sim_core::time::Span;

use super::{Explained, Reason, Subject};

/// A task or a job, or the mean of several.
pub struct Bar {
    /// Who.
    pub name: String,
    /// How long it took, so far if it did not finish.
    pub length: Span,
    /// It did not finish.
    pub unfinished: bool,
    /// Where the time went; sums up to the length.
    pub reasons: Vec<Reason>,
}

impl Bar {
    /// The bar of one.
    #[must_use]
    pub fn of(explained: &Explained<'_>, subject: Subject) -> Bar {
        Bar {
            name: explained.title(subject),
            length: explained.life(subject),
            unfinished: !explained.finished(subject) && !explained.is_endless(subject),
            reasons: explained.reasons(std::iter::once(subject)),
        }
    }

    /// The means of each kind over its instances or jobs that finished, as percentiles of kinds are: what was cut off says
    /// nothing of how long it takes. If none did, over all. Those that lost most to others come first, among equals the
    /// longest.
    #[must_use]
    pub fn means(explained: &Explained<'_>) -> Vec<Bar> {
        let mean = |subjects: Vec<Subject>| {
            let cut_off = |subject: &Subject| !explained.finished(*subject) && !explained.is_endless(*subject);
            let unfinished = subjects.iter().all(cut_off);
            let counted: Vec<Subject> =
                subjects.into_iter().filter(|subject| unfinished || !cut_off(subject)).collect();
            let count = counted.len().max(1) as u64;
            let mut reasons = explained.reasons(counted.iter().copied());
            reasons.iter_mut().for_each(|reason| reason.length = Span::from_ns(reason.length.ns() / count));
            // The sum of what is drawn: rounded down part by part it may be a few nanoseconds less than the mean.
            let length = reasons.iter().map(|reason| reason.length).sum();
            Bar { name: explained.plural(&counted), length, unfinished, reasons }
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
