//! What several policies keep book of: something about everybody, the service given to those who run, and shares of it.

use super::{Slot, View, Who};
use crate::time::Span;

/// Something about everybody, by number. Who has not been heard of yet has the default.
#[derive(Debug, Default)]
pub(crate) struct PerWho<T> {
    /// The least number that has been heard of. Where there are many groups, each has few, which are near each other.
    first: u32,
    rows: Vec<T>,
}

impl<T: Default> PerWho<T> {
    #[inline]
    pub(crate) fn of(&mut self, who: Who) -> &mut T {
        if who.0.wrapping_sub(self.first) as usize >= self.rows.len() {
            self.hears_of(who);
        }
        &mut self.rows[(who.0 - self.first) as usize]
    }

    #[cold]
    fn hears_of(&mut self, who: Who) {
        if self.rows.is_empty() {
            self.first = who.0;
        }
        if who.0 < self.first {
            let before = (self.first - who.0) as usize;
            self.rows.splice(0..0, std::iter::repeat_with(T::default).take(before));
            self.first = who.0;
        } else {
            self.rows.resize_with((who.0 - self.first) as usize + 1, T::default);
        }
    }

    /// Has nobody been heard of?
    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Everybody who has been heard of, in order, and who has a number between these.
    pub(crate) fn all(&self) -> impl Iterator<Item = (Who, &T)> {
        (self.first..).map(Who).zip(&self.rows)
    }
}

/// A length of time, or one before zero, for people.
pub(super) fn signed(ns: i128) -> String {
    let length = Span::from_ns(u64::try_from(ns.unsigned_abs()).unwrap_or(u64::MAX)).readable();
    if ns < 0 { format!("-{length}") } else { length }
}

/// Who is on each slot, and how much of their turns has been accounted for already.
#[derive(Debug)]
pub(super) struct Turns {
    slots: Vec<Option<(Who, Span)>>,
    /// How many slots are taken.
    running: usize,
}

impl Turns {
    pub(super) fn new(slots: usize) -> Turns {
        Turns { slots: vec![None; slots], running: 0 }
    }

    /// A turn begins.
    pub(super) fn begin(&mut self, slot: Slot, who: Who) {
        self.slots[slot.0 as usize] = Some((who, Span::ZERO));
        self.running += 1;
    }

    /// A turn ends after `ran`: how much of it has not been accounted for?
    pub(super) fn end(&mut self, slot: Slot, ran: Span) -> Span {
        let turn = self.slots[slot.0 as usize].take();
        self.running -= usize::from(turn.is_some());
        turn.map_or(ran, |(_, accounted)| ran.saturating_sub(accounted))
    }

    /// Accounts for all turns up to now: tells who has run for how long since the last time.
    pub(super) fn account(&mut self, view: &View<'_>, mut served: impl FnMut(Who, Span)) {
        for (who, accounted) in self.slots.iter_mut().flatten() {
            let ran = view.floor.ran(*who);
            served(*who, ran.saturating_sub(*accounted));
            *accounted = ran;
        }
    }

    /// Everybody who has a turn, by slot.
    pub(super) fn running(&self) -> impl Iterator<Item = (Slot, Who)> {
        (0..).map(Slot).zip(&self.slots).filter_map(|(slot, turn)| turn.map(|(who, _)| (slot, who)))
    }

    /// How many run.
    pub(super) fn count(&self) -> usize {
        self.running
    }
}

/// A sum of quotients: exact while the divisor stays the same, since what could not be divided is kept for the next time.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Quotients {
    whole: i128,
    /// Less than the divisor.
    rest: i128,
    divisor: u64,
}

impl Quotients {
    /// The sum so far, rounded down.
    pub(super) fn whole(&self) -> i128 {
        self.whole
    }

    /// With so much more, divided by that.
    #[must_use]
    pub(super) fn plus(&self, dividend: i128, divisor: u64) -> Quotients {
        let rest = if self.divisor == divisor { self.rest } else { 0 };
        let (all, by) = (dividend + rest, i128::from(divisor.max(1)));
        Quotients { whole: self.whole + all / by, rest: all % by, divisor }
    }

    /// That much, if it is less.
    #[must_use]
    pub(super) fn at_least(self, least: i128) -> Quotients {
        if self.whole < least { Quotients { whole: least, ..Quotients::default() } } else { self }
    }
}

#[cfg(test)]
mod tests {
    use super::Quotients;

    #[test]
    fn many_small_quotients_are_one_large() {
        let thirds = |times: i128| (0..times).fold(Quotients::default(), |sum, _| sum.plus(1, 3));
        assert_eq!([3, 4, 300].map(|times| thirds(times).whole()), [1, 1, 100]);
        assert_eq!(thirds(5).plus(1, 2).plus(1, 2).whole(), 2);
        assert_eq!(thirds(5).at_least(1).plus(1, 3).whole(), 2);
        assert_eq!(thirds(5).at_least(2).plus(1, 3).whole(), 2);
    }
}
