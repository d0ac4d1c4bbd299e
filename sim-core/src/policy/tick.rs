//! The timer of a kernel: when processors look at who runs there.

use crate::time::{Span, Time};

/// When processors look at who runs there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Tick {
    /// Zero: exactly when a slice ends.
    pub(super) period: Span,
    /// When the first one is.
    pub(super) phase: Span,
}

impl Tick {
    /// The first tick after `now`.
    pub(super) fn after(self, now: Time) -> Time {
        let (period, phase) = (self.period.ns(), self.phase.ns() % self.period.ns().max(1));
        if now.ns() < phase {
            return Time::from_ns(phase);
        }
        let count = (now.ns() - phase) / period.max(1) + 1;
        Time::from_ns(count.saturating_mul(period).saturating_add(phase))
    }

    /// The first tick that is not before then.
    pub(super) fn not_before(self, then: Time) -> Time {
        if then == Time::ZERO { self.after(then) } else { self.after(Time::from_ns(then.ns() - 1)) }
    }

    /// How many ticks come after `from`, up to `to`.
    pub(super) fn between(self, from: Time, to: Time) -> u64 {
        let (period, phase) = (self.period.ns().max(1), self.phase.ns() % self.period.ns().max(1));
        let until = |time: Time| if time.ns() < phase { 0 } else { (time.ns() - phase) / period + 1 };
        until(to) - until(from)
    }
}
