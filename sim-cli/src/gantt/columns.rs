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

/// The parts of one column in order of time: a state, or `None` where nothing is said, and how long it lasts.
pub(super) type Cell<S> = Vec<(Option<S>, u64)>;

/// What is in each column; every column is filled.
pub(super) fn cells<S: Copy + PartialEq>(lane: &[Stretch<S>], columns: Columns) -> Vec<Cell<S>> {
    let mut cells = vec![Cell::new(); columns.count];
    let mut reached = 0;
    for stretch in lane {
        let (start, end) = (stretch.start.ns(), stretch.end.ns().min(columns.extent));
        fill(&mut cells, columns, (reached, start), None);
        fill(&mut cells, columns, (start, end), Some(stretch.state));
        reached = end;
    }
    fill(&mut cells, columns, (reached, columns.extent), None);
    cells
}

fn fill<S: Copy>(cells: &mut [Cell<S>], columns: Columns, (start, end): (u64, u64), state: Option<S>) {
    if start >= end {
        return;
    }
    let first = columns.of(start);
    for (column, cell) in (first..).zip(cells.iter_mut().skip(first)) {
        let (from, to) = (columns.start(column), columns.start(column + 1));
        if from >= end {
            break;
        }
        cell.push((state, end.min(to) - start.max(from)));
    }
}

/// What has more than half of the column to itself, if there is such a thing.
pub(super) fn majority<S: Copy + PartialEq>(cell: &Cell<S>) -> Option<Option<S>> {
    let length: u64 = cell.iter().map(|(_, time)| time).sum();
    let total = |state: Option<S>| cell.iter().filter(|(other, _)| *other == state).map(|(_, time)| time).sum::<u64>();
    cell.iter().map(|(state, _)| *state).find(|state| total(*state) > length / 2)
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
        let cells = cells(&lane, Columns { extent: 12, count: 3 });
        let (a, b) = (Some('a'), Some('b'));
        assert_eq!(cells, [vec![(a, 4)], vec![(a, 1), (b, 1), (a, 2)], vec![(a, 2), (None, 2)]]);
        assert_eq!(majority(&cells[1]), Some(a));
        assert_eq!(majority(&cells[2]), None);
    }
}
