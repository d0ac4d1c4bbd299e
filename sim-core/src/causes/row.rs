//! A row of seats: who had a processor, a thread, a channel or a lock, one after the other.

use std::collections::BTreeSet;

use crate::time::Time;

/// Somebody had it from `start` to `end`; the two may be the same.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seat<T> {
    pub(crate) start: Time,
    pub(crate) end: Time,
    pub(crate) who: T,
}

/// Seats one after the other, without overlap.
#[derive(Debug)]
pub(crate) struct Row<T> {
    seats: Vec<Seat<T>>,
}

/// What a moment of a row is.
#[derive(Debug)]
pub(crate) enum Spot<'a, T> {
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
    pub(crate) fn push(&mut self, start: Time, end: Time, who: T) {
        let start = self.seats.last().map_or(start, |last| last.end.max(start));
        self.seats.push(Seat { start, end: end.max(start), who });
    }

    /// The last seat that began before `at`.
    pub(crate) fn last_before(&self, at: Time) -> Option<&Seat<T>> {
        self.seats[..self.seats.partition_point(|seat| seat.start < at)].last()
    }

    /// The seat at that moment, or else the next one.
    pub(crate) fn first_after(&self, at: Time) -> Option<&Seat<T>> {
        self.seats.get(self.seats.partition_point(|seat| seat.end <= at))
    }

    /// Visits all there is between two instants, in order.
    pub(crate) fn walk(&self, from: Time, to: Time, mut visit: impl FnMut(Time, Time, Spot<'_, T>)) {
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

impl<T: Copy> Row<T> {
    /// Of those who have something from a start to a later end, several at a time, the one at each moment that is
    /// chosen among those present, who are in the order of their starts: the first or the last.
    pub(crate) fn of_overlapping(
        spans: impl Iterator<Item = (Time, Time, T)>,
        choose: impl Fn(&BTreeSet<(Time, usize)>) -> Option<&(Time, usize)>,
    ) -> Row<T> {
        let spans: Vec<(Time, Time, T)> = spans.collect();
        let mut edges: Vec<(Time, bool, usize)> = Vec::with_capacity(2 * spans.len());
        for (number, (start, end, _)) in spans.iter().enumerate() {
            edges.extend([(*start, true, number), (*end, false, number)]);
        }
        edges.sort_unstable();
        let mut row = Row::default();
        let mut present: BTreeSet<(Time, usize)> = BTreeSet::new();
        let mut at = Time::ZERO;
        for (time, begins, number) in edges {
            if let Some((_, chosen)) = choose(&present).filter(|_| at < time) {
                row.push(at, time, spans[*chosen].2);
            }
            at = time;
            if begins {
                present.insert((spans[number].0, number));
            } else {
                present.remove(&(spans[number].0, number));
            }
        }
        row
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
    fn of_many_at_once_there_is_one_at_each_moment() {
        let at = Time::from_ns;
        let spans = [(0, 9, 'a'), (2, 4, 'b'), (3, 5, 'c'), (12, 13, 'd')];
        let spans = || spans.into_iter().map(|(start, end, who)| (at(start), at(end), who));
        let eldest = Row::of_overlapping(spans(), BTreeSet::first);
        assert_eq!(walk(&eldest, 1, 14), "1-2 a, 2-3 a, 3-4 a, 4-5 a, 5-9 a, 9-12 a>d, 12-13 d, 13-14 d>-, ");
        let latest = Row::of_overlapping(spans(), BTreeSet::last);
        assert_eq!(walk(&latest, 1, 14), "1-2 a, 2-3 b, 3-4 c, 4-5 c, 5-9 a, 9-12 a>d, 12-13 d, 13-14 d>-, ");
        let first = |from| latest.first_after(at(from)).map(|seat| (seat.start.ns(), seat.who));
        assert_eq!(
            [first(0), first(3), first(5), first(9), first(13)],
            [Some((0, 'a')), Some((3, 'c')), Some((5, 'a')), Some((12, 'd')), None]
        );
    }

    #[test]
    fn a_row_of_many_at_once_is_no_longer_than_their_starts_and_ends() {
        // All at once, each within the one before: who looks for one of them has at most so many to look among.
        let count = 5000;
        let spans = (0..count).map(|number| (Time::from_ns(number), Time::from_ns(3 * count - number), number));
        let row = Row::of_overlapping(spans, BTreeSet::last);
        assert_eq!(row.seats.len() as u64, 2 * count - 1);
        assert!(row.seats.is_sorted_by(|one, next| one.end <= next.start), "so that halving finds it");
        assert_eq!(row.first_after(Time::from_ns(count)).map(|seat| seat.who), Some(count - 1));
        assert_eq!(row.first_after(Time::from_ns(3 * count - 1)).map(|seat| seat.who), Some(0));
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
