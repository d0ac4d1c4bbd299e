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

fn table<'a>(heading: &str, rows: impl Iterator<Item = (String, &'a GroupOutcome)>, unit: Unit) -> Table {
    let headings = ["quota", "period", "running", "of all", "throttled", "for"].map(str::to_owned);
    let mut table = Table::new(std::iter::once(format!("{heading} ({})", unit.name)).chain(headings));
    for (name, group) in rows {
        table.row([
            name,
            unit.show_or_dash(group.quota_ns),
            unit.show_or_dash(group.period_ns),
            unit.show(group.running_ns),
            group.share.map_or_else(|| "–".to_owned(), percent),
            format!("{}×", group.throttles),
            unit.show(group.throttled_ns),
        ]);
    }
    table
}
