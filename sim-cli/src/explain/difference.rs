//! Where the difference between two runs of one scenario comes from, cause by cause.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use sim_core::time::Span;

use super::{Explained, Key};
use crate::output::Terminal;
use crate::table::{Table, Unit};

/// So many causes have a row of their own.
const ROWS: usize = 12;

/// A table of the causes of both runs, those that differ most first. Both must have the same cast; `ours` says what is held against
/// the measurement, a simulation or a prediction.
#[must_use]
pub fn difference((ours, simulated): (&str, &Explained<'_>), measured: &Explained<'_>, terminal: &Terminal) -> String {
    let mut rows: BTreeMap<Key, (String, [Span; 2])> = BTreeMap::new();
    for (side, explained) in [simulated, measured].into_iter().enumerate() {
        for reason in explained.reasons(explained.arrived()) {
            let words = || explained.noun(&reason);
            let row = rows.entry(reason.key).or_insert_with(|| (words(), [Span::ZERO; 2]));
            row.1[side] = reason.length;
        }
    }
    let mut rows: Vec<(String, [Span; 2])> = rows.into_values().collect();
    rows.sort_by_key(|(_, [a, b])| Reverse(a.ns().abs_diff(b.ns())));
    let rest = rows.split_off(rows.len().min(ROWS));
    if !rest.is_empty() {
        let sum = |side: usize| rest.iter().map(|(_, sides)| sides[side]).sum();
        rows.push((format!("{} others", rest.len()), [sum(0), sum(1)]));
    }
    let unit = Unit::for_all(rows.iter().flat_map(|(_, sides)| sides.map(Span::ns)).collect::<Vec<_>>().into_iter());
    let heading = format!("ALL TASKS TOGETHER ({})", unit.name);
    let mut table = Table::new([heading.as_str(), ours, "measured", "difference"]);
    let line = |(words, [a, b]): &(String, [Span; 2])| {
        let sign = if a > b { "+" } else { "-" };
        let off = unit.show(a.ns().abs_diff(b.ns()));
        // What rounds to nothing has no sign.
        let is_nothing = off.bytes().all(|digit| matches!(digit, b'0' | b'.'));
        let off = if is_nothing { "0".to_owned() } else { format!("{sign}{off}") };
        [words.clone(), unit.show(a.ns()), unit.show(b.ns()), off]
    };
    let whole = |side: usize| rows.iter().map(|(_, sides)| sides[side]).sum();
    let sum = ("turnaround".to_owned(), [whole(0), whole(1)]);
    rows.iter().chain([&sum]).for_each(|row| table.row(line(row)));
    table.render(terminal)
}
