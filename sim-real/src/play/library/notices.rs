//! When who waited at the condition variable of a library was notified, which the library does not say.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

/// The notifications at a condition variable.
#[derive(Default)]
pub(crate) struct Notices(Mutex<Known>);

#[derive(Default)]
struct Known {
    /// How many wait, or do not know yet that they need not.
    waiting: usize,
    /// When those of them were notified who need not wait.
    given: VecDeque<u64>,
}

impl Notices {
    fn with<R>(&self, body: impl FnOnce(&mut Known) -> R) -> R {
        body(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Somebody will wait; it has the lock still.
    pub(crate) fn waits(&self) {
        self.with(|known| known.waiting += 1);
    }

    /// One of those who wait will be notified, or all of them. How many are that?
    pub(crate) fn give(&self, all: bool, at: u64) -> u32 {
        self.with(|known| {
            let left = known.waiting.saturating_sub(known.given.len());
            let notified = if all { left } else { left.min(1) };
            known.given.extend(std::iter::repeat_n(at, notified));
            u32::try_from(notified).unwrap_or(u32::MAX)
        })
    }

    /// Somebody who waited has done so for too long, and leaves; but if all who wait have been notified, so has it: when?
    pub(crate) fn leaves(&self) -> Option<u64> {
        self.with(|known| {
            let at = if known.given.len() >= known.waiting { known.given.pop_front() } else { None };
            known.waiting = known.waiting.saturating_sub(1);
            at
        })
    }

    /// Somebody goes on who waited. When was it notified? Nothing if nobody was.
    pub(crate) fn claim(&self) -> Option<u64> {
        self.with(|known| {
            let at = known.given.pop_front()?;
            known.waiting = known.waiting.saturating_sub(1);
            Some(at)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notification_is_for_one_who_waits_and_lost_if_nobody_does() {
        let notices = Notices::default();
        assert_eq!((notices.give(false, 1), notices.give(true, 2)), (0, 0));
        (0..3).for_each(|_| notices.waits());
        assert_eq!((notices.give(false, 3), notices.claim(), notices.claim()), (1, Some(3), None));
        assert_eq!((notices.give(false, 4), notices.give(true, 5), notices.give(true, 6)), (1, 1, 0));
        assert_eq!((notices.claim(), notices.claim(), notices.claim()), (Some(4), Some(5), None));
    }

    #[test]
    fn who_leaves_takes_no_notification_that_is_for_another() {
        let notices = Notices::default();
        (0..3).for_each(|_| notices.waits());
        // One of three is notified, and two leave: who is left has been notified.
        assert_eq!((notices.give(false, 1), notices.leaves(), notices.leaves()), (1, None, None));
        assert_eq!((notices.give(true, 2), notices.leaves(), notices.claim()), (0, Some(1), None));
    }
}
