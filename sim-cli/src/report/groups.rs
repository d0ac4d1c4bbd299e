//! What groups of processes had, and how long they stood still for want of more: of one run, or of several side by side.

use sim_core::outcome::GroupOutcome;

use crate::table::{Table, Unit, percent};

pub(super) fn of_one(groups: &[GroupOutcome], unit: Unit) -> Table {
    table("GROUP", groups.iter().map(|group| (group.name.clone(), group)), unit)
}

/// A row for each group of each run.
pub(super) fn of_several<'a>(runs: impl Iterator<Item = (&'a str, &'a [GroupOutcome])>, unit: Unit) -> Table {
    let row = |(label, groups): (&'a str, &'a [GroupOutcome])| {
        groups.iter().map(move |group| (format!("{label} {}", group.name), group))
    };
    table("GROUPS", runs.flat_map(row), unit)
}

/// What a group has in a column.
type Cell<'a> = &'a dyn Fn(&GroupOutcome) -> String;

/// Columns of weights and of quotas are there if a group has such.
fn table<'a>(heading: &str, rows: impl Iterator<Item = (String, &'a GroupOutcome)>, unit: Unit) -> Table {
    let rows: Vec<(String, &GroupOutcome)> = rows.collect();
    let any = |has: fn(&GroupOutcome) -> bool| rows.iter().any(|(_, group)| has(group));
    let (weights, quotas) = (any(|group| group.weight.is_some()), any(|group| group.quota_ns.is_some()));
    let share = |share: Option<f64>| share.map_or_else(|| "–".to_owned(), percent);
    let columns: [(bool, &str, Cell<'_>); 8] = [
        (weights, "weight", &|group| group.weight.map_or_else(|| "–".to_owned(), |weight| weight.to_string())),
        (weights, "due", &|group| share(group.due_share)),
        (true, "of all", &|group| share(group.share)),
        (true, "running", &|group| unit.show(group.running_ns)),
        (quotas, "quota", &|group| unit.show_or_dash(group.quota_ns)),
        (quotas, "period", &|group| unit.show_or_dash(group.period_ns)),
        (quotas, "throttled", &|group| format!("{}×", group.throttles)),
        (quotas, "for", &|group| unit.show(group.throttled_ns)),
    ];
    let shown = || columns.iter().filter(|(is_shown, ..)| *is_shown);
    let headings = shown().map(|(_, heading, _)| (*heading).to_owned());
    let mut table = Table::new(std::iter::once(format!("{heading} ({})", unit.name)).chain(headings));
    for (name, group) in &rows {
        table.row(std::iter::once(name.clone()).chain(shown().map(|(_, _, cell)| cell(group))));
    }
    table
}
