//! A row of seats: who had a processor, a thread, a channel or a lock, one after the other.

use crate::time::Time;

/// Somebody had it from `start` to `end`; the two may be the same.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seat<T> {
    pub(super) start: Time,
    pub(super) end: Time,
    pub(super) who: T,
}

/// Seats one after the other, without overlap.
#[derive(Debug)]
pub(super) struct Row<T> {
    seats: Vec<Seat<T>>,
}

/// What a moment of a row is.
#[derive(Debug)]
pub(super) enum Spot<'a, T> {
    /// Somebody has it.
    Taken(&'a T),
    /// Nobody has it.
    Free {
        /// Who had it last, and until when.
        before: Option<&'a Seat<T>>,
        /// Who has it next.
        after: Option<&'a Seat<T>>,
    },
}

impl<T> Default for Row<T> {
    fn default() -> Row<T> {
        Row { seats: Vec::new() }
    }
}

impl<T> Row<T> {
    /// Adds a seat; they must come in the order of their starts. Of two at once, which an imprecise record may claim,
    /// the later one begins when the earlier one is over.
    pub(super) fn push(&mut self, start: Time, end: Time, who: T) {
        let start = self.seats.last().map_or(start, |last| last.end.max(start));
        self.seats.push(Seat { start, end: end.max(start), who });
    }

    /// The last seat that began before `at`.
    pub(super) fn last_before(&self, at: Time) -> Option<&Seat<T>> {
        self.seats[..self.seats.partition_point(|seat| seat.start < at)].last()
    }

    /// Visits all there is between two instants, in order.
    pub(super) fn walk(&self, from: Time, to: Time, mut visit: impl FnMut(Time, Time, Spot<'_, T>)) {
        let mut index = self.seats.partition_point(|seat| seat.end <= from);
        let mut at = from;
        while at < to {
            let seat = self.seats.get(index);
            let next = seat.map_or(to, |seat| seat.start.max(at).min(to));
            if at < next {
                let before = index.checked_sub(1).map(|index| &self.seats[index]);
                visit(at, next, Spot::Free { before, after: seat });
                at = next;
            }
            let Some(seat) = seat.filter(|_| at < to) else { return };
            let end = seat.end.min(to);
            if at < end {
                visit(at, end, Spot::Taken(&seat.who));
                at = end;
            }
            index += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn walk(row: &Row<char>, from: u64, to: u64) -> String {
        let mut text = String::new();
        row.walk(Time::from_ns(from), Time::from_ns(to), |from, to, spot| {
            let who = match spot {
                Spot::Taken(who) => who.to_string(),
                Spot::Free { before, after } => {
                    let name = |seat: Option<&Seat<char>>| seat.map_or('-', |seat| seat.who);
                    format!("{}>{}", name(before), name(after))
                }
            };
            text += &format!("{}-{} {who}, ", from.ns(), to.ns());
        });
        text
    }

    #[test]
    fn a_walk_sees_every_moment_once() {
        let mut row = Row::default();
        for (start, end, who) in [(2, 4, 'a'), (4, 4, 'b'), (6, 8, 'c'), (7, 9, 'd')] {
            row.push(Time::from_ns(start), Time::from_ns(end), who);
        }
        assert_eq!(walk(&row, 0, 12), "0-2 ->a, 2-4 a, 4-6 b>c, 6-8 c, 8-9 d, 9-12 d>-, ");
        assert_eq!(walk(&row, 3, 5), "3-4 a, 4-5 b>c, ");
        assert_eq!(walk(&row, 5, 6), "5-6 b>c, ");
        assert_eq!(walk(&row, 8, 8), "");
        assert_eq!(walk(&Row::default(), 1, 2), "1-2 ->-, ");
        assert_eq!(row.last_before(Time::from_ns(4)).map(|seat| seat.who), Some('a'));
        assert_eq!(row.last_before(Time::from_ns(2)).map(|seat| seat.who), None);
    }
}
