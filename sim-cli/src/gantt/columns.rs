//! Columns: how long each state lasts within each column of a text diagram.

use sim_core::timeline::lanes::Stretch;

/// How the time from 0 to `extent` is cut into columns of almost the same length. Invariant: `count` is not above
/// `extent`, so that no column is empty.
#[derive(Clone, Copy, Debug)]
pub(super) struct Columns {
    pub(super) extent: u64,
    pub(super) count: usize,
}

impl Columns {
    /// When a column begins.
    #[expect(clippy::cast_possible_truncation, reason = "at most the extent")]
    pub(super) fn start(self, column: usize) -> u64 {
        (u128::from(self.extent) * column as u128 / self.count.max(1) as u128) as u64
    }

    /// In which column a time is.
    pub(super) fn of(self, at: u64) -> usize {
        let column =
            usize::try_from(u128::from(at) * self.count as u128 / u128::from(self.extent.max(1))).unwrap_or(usize::MAX);
        // A column begins at a whole nanosecond, so division alone may be one too early.
        if column < self.count && self.start(column + 1) <= at { column + 1 } else { column }
    }
}

/// What is in one column. Its parts are states, or `None` where nothing is said. Its size does not depend on how many
/// parts there are: a column may stand for millions.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Cell<S> {
    /// How long the column is.
    pub(super) length: u64,
    /// What it is mostly: more than half of it, and not in slices so short that half is a matter of chance.
    pub(super) majority: Option<Option<S>>,
    /// The parts that can be seen beside others, in order of time, and how long each is: those of at least
    /// [`SMALLEST`].
    pub(super) parts: Vec<(Option<S>, u64)>,
    /// The first part that is a mark: that is to be seen however short it is.
    pub(super) mark: Option<S>,
}

/// The smallest part of a column that is seen beside others: half an eighth.
const SMALLEST: u128 = 16;

/// What is in each column; every column is filled. Linear in the stretches: all pass by twice.
pub(super) fn cells<S: Copy + PartialEq>(
    lane: &[Stretch<S>],
    columns: Columns,
    is_mark: impl Fn(S) -> bool,
) -> Vec<Cell<S>> {
    let length = |column| columns.start(column + 1) - columns.start(column);
    let empty = |column| Cell { length: length(column), majority: None, parts: Vec::new(), mark: None };
    let mut cells: Vec<Cell<S>> = (0..columns.count).map(empty).collect();
    // Whoever has a majority is left over when each moment of it is set against a moment of something else (Boyer and
    // Moore's vote), and only who is left over can have one: it is counted then.
    let mut votes: Vec<(Option<S>, u64)> = vec![(None, 0); columns.count];
    each_part(lane, columns, |column, state, time| {
        let (candidate, weight) = &mut votes[column];
        match () {
            () if *candidate == state => *weight += time,
            () if *weight >= time => *weight -= time,
            () => (*candidate, *weight) = (state, time - *weight),
        }
        let cell = &mut cells[column];
        if u128::from(time) * SMALLEST >= u128::from(cell.length) {
            cell.parts.push((state, time));
        }
        cell.mark = cell.mark.or(state.filter(|state| is_mark(*state)));
    });
    let mut counted = vec![0_u64; columns.count];
    each_part(lane, columns, |column, state, time| {
        counted[column] += if votes[column].0 == state { time } else { 0 };
    });
    for ((cell, (candidate, _)), time) in cells.iter_mut().zip(votes).zip(counted) {
        cell.majority = is_mostly(cell.length, time, longest(&cell.parts, candidate)).then_some(candidate);
    }
    cells
}

/// Is a column mostly what takes so much of it, with a longest part of this length? Where many take turns in short slices,
/// the one that happens to have a little more than half is no more to be seen than the others.
fn is_mostly(length: u64, time: u64, longest: u64) -> bool {
    time > length / 2 && (time > length / 8 * 5 || longest >= length / 4)
}

/// The longest part that is this.
fn longest<S: PartialEq>(parts: &[(Option<S>, u64)], of: Option<S>) -> u64 {
    parts.iter().filter(|(state, _)| *state == of).map(|(_, time)| *time).max().unwrap_or(0)
}

/// Tells all parts of all columns in order of time.
fn each_part<S: Copy>(lane: &[Stretch<S>], columns: Columns, mut tell: impl FnMut(usize, Option<S>, u64)) {
    let mut column = 0;
    let mut fill = |start: u64, end: u64, state: Option<S>| {
        let mut at = start;
        while at < end && column < columns.count {
            let to = columns.start(column + 1);
            if at < to {
                tell(column, state, end.min(to) - at);
                at = end.min(to);
            }
            column += usize::from(at == to);
        }
    };
    let mut reached = 0;
    for stretch in lane {
        let (start, end) = (stretch.start.ns(), stretch.end.ns().min(columns.extent));
        fill(reached, start, None);
        fill(start, end, Some(stretch.state));
        reached = end;
    }
    fill(reached, columns.extent, None);
}

#[cfg(test)]
mod tests {
    use super::*;
    use sim_core::time::Time;

    #[test]
    fn every_nanosecond_is_in_one_column() {
        for (extent, count) in [(10, 3), (7, 7), (1_000, 7), (u64::MAX, 90)] {
            let columns = Columns { extent, count };
            assert_eq!((columns.start(0), columns.start(count)), (0, extent));
            for at in (0..extent.min(1_000)).chain([extent - 1]) {
                let column = columns.of(at);
                assert!(
                    columns.start(column) <= at && at < columns.start(column + 1),
                    "{at} in {column} of {columns:?}"
                );
            }
        }
    }

    #[test]
    fn cells_add_up() {
        let stretch = |start, end, state| Stretch { start: Time::from_ns(start), end: Time::from_ns(end), state };
        let lane = [stretch(0, 5, 'a'), stretch(5, 6, 'b'), stretch(6, 10, 'a')];
        let cells = cells(&lane, Columns { extent: 12, count: 3 }, |state| state == 'b');
        let (a, b) = (Some('a'), Some('b'));
        let cell = |majority, parts: &[_], mark| Cell { length: 4, majority, parts: parts.to_vec(), mark };
        assert_eq!(
            cells,
            [
                cell(Some(a), &[(a, 4)], None),
                cell(Some(a), &[(a, 1), (b, 1), (a, 2)], b),
                cell(None, &[(a, 2), (None, 2)], None)
            ]
        );
    }

    #[test]
    fn who_has_a_little_more_than_half_by_chance_has_no_column() {
        // Two take turns, a nanosecond each: of a column of 101 one has 51.
        let turn = |at| Stretch { start: Time::from_ns(at), end: Time::from_ns(at + 1), state: u8::from(at % 2 == 0) };
        let lane: Vec<_> = (0..1010).map(turn).collect();
        let found = cells(&lane, Columns { extent: 1010, count: 10 }, |_| false);
        assert!(found.iter().all(|cell| cell.majority.is_none()));
    }

    /// The definition of a majority, counted the slow way.
    fn slowly(lane: &[Stretch<u8>], columns: Columns) -> Vec<Option<Option<u8>>> {
        let mut parts: Vec<Vec<(Option<u8>, u64)>> = vec![Vec::new(); columns.count];
        each_part(lane, columns, |column, state, time| parts[column].push((state, time)));
        let total = |parts: &[(Option<u8>, u64)], of| -> u64 {
            parts.iter().filter(|(state, _)| *state == of).map(|(_, time)| time).sum()
        };
        let majority = |(column, parts): (usize, &Vec<(Option<u8>, u64)>)| {
            let length = columns.start(column + 1) - columns.start(column);
            assert_eq!(parts.iter().map(|(_, time)| time).sum::<u64>(), length, "{column} is filled");
            let is_most = |state: &Option<u8>| is_mostly(length, total(parts, *state), longest(parts, *state));
            parts.iter().map(|(state, _)| *state).find(is_most)
        };
        parts.iter().enumerate().map(majority).collect()
    }

    #[test]
    fn a_majority_is_found_among_any_parts() {
        // A small generator of its own: lanes of up to 60 stretches, with gaps, of three states.
        let mut seed = 7_u64;
        let mut draw = |below: u64| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (seed >> 33) % below
        };
        for _ in 0..2_000 {
            let mut at = 0;
            let mut lane = Vec::new();
            for _ in 0..draw(60) {
                let start = at + draw(3) * draw(4);
                at = start + 1 + draw(9);
                let state = u8::try_from(draw(3)).unwrap();
                lane.push(Stretch { start: Time::from_ns(start), end: Time::from_ns(at), state });
            }
            let extent = at + 1 + draw(5);
            let columns = Columns { extent, count: usize::try_from(1 + draw(extent.min(12))).unwrap() };
            let found: Vec<_> = cells(&lane, columns, |_| false).iter().map(|cell| cell.majority).collect();
            assert_eq!(found, slowly(&lane, columns), "{lane:?} in {columns:?}");
        }
    }
}
