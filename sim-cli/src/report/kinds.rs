//! How long the tasks of each kind took: percentiles, of one run or of several side by side.

use sim_core::kinds::are_of_one_process;
use sim_core::outcome::{KindOutcome, Statistics};

use crate::table::{Table, Unit};

/// A row for each kind that has several instances or jobs, up to so many.
pub(super) fn of_one(kinds: &[KindOutcome], unit: Unit, rows: usize) -> Table {
    let several = kinds.iter().filter(|kind| kind.jobs.unwrap_or(kind.instances) > 1);
    let name = short_names(kinds);
    table("KIND", several.map(|kind| (name(kind), kind)).collect(), unit, rows)
}

/// A row for each kind of each variation, if one of them has enough to say more than the mean and the worst.
pub(super) fn of_several<'a>(all: impl Iterator<Item = (&'a str, &'a [KindOutcome])>, unit: Unit) -> Table {
    let mut rows = Vec::new();
    for (label, kinds) in all {
        let short_name = short_names(kinds);
        for kind in kinds {
            let name = if kinds.len() == 1 { label.to_owned() } else { format!("{label} {}", short_name(kind)) };
            rows.push((name, kind));
        }
    }
    let enough = rows.iter().any(|(_, kind)| kind.latency().p95.is_some());
    table("KINDS", if enough { rows } else { Vec::new() }, unit, usize::MAX)
}

/// The names, without the process where that says nothing.
fn short_names(kinds: &[KindOutcome]) -> impl Fn(&KindOutcome) -> String + use<> {
    let alone = are_of_one_process(kinds.iter().map(|kind| (&*kind.process, &*kind.task)));
    move |kind| if alone { kind.task.clone() } else { kind.name.clone() }
}

/// Those of a kind that had all that they asked for, and those that went without something: mixed, their latencies say nothing of either.
fn apart(kind: &KindOutcome) -> impl Iterator<Item = (&'static str, u64, &Statistics)> {
    let served = kind.served.zip(kind.served_turnaround_ns.as_ref()).map(|(count, of)| ("served", count, of));
    let gone = kind.gone.zip(kind.gone_turnaround_ns.as_ref()).map(|(count, of)| ("went without", count, of));
    // Where all are of one sort their row says it.
    let both = served.zip(gone).filter(|((_, served, _), (_, gone, _))| *served > 0 && *gone > 0);
    both.into_iter().flat_map(|(served, gone)| [served, gone])
}

/// Columns in which nobody has anything to say are left out.
fn table(heading: &str, rows: Vec<(String, &KindOutcome)>, unit: Unit, most: usize) -> Table {
    let latencies = || rows.iter().map(|(_, kind)| kind.latency());
    let unit = unit.or_finer_for(latencies().map(|latency| latency.mean));
    let (periodic, others) = (|kind: &KindOutcome| kind.jobs.is_some(), |kind: &KindOutcome| kind.jobs.is_none());
    let what = match (rows.iter().any(|row| periodic(row.1)), rows.iter().any(|row| others(row.1))) {
        (true, true) => "turnaround, of jobs response",
        (true, false) => "response of jobs",
        _ => "turnaround",
    };
    let (p95, p99) =
        (latencies().any(|latency| latency.p95.is_some()), latencies().any(|latency| latency.p99.is_some()));
    let optional = [(p95, "p95"), (p99, "p99")].into_iter().filter_map(|(wanted, name)| wanted.then_some(name));
    let first = [format!("{heading}, {what} ({})", unit.name), "finished".into(), "mean".into(), "p50".into()];
    let last = ["worst", "slowdown", "worst slowdown"].map(str::to_owned);
    let mut table = Table::new(first.into_iter().chain(optional.map(str::to_owned)).chain(last));
    let ratio = |ratio: Option<f64>| ratio.map_or_else(|| "–".to_owned(), |ratio| format!("{ratio:.2}"));
    for (name, kind) in rows.iter().take(most) {
        let latency = kind.latency();
        let (all, noun) = kind.jobs.map_or((kind.instances, ""), |jobs| (jobs, " jobs"));
        let finished = match kind.jobs_finished.unwrap_or(kind.finished) {
            finished if finished == all => format!("{all}{noun}"),
            finished => format!("{finished} of {all}{noun}"),
        };
        let mut cells = vec![name.clone(), finished, unit.show_mean(latency.mean), unit.show_or_dash(latency.p50)];
        cells.extend(p95.then(|| unit.show_or_dash(latency.p95)));
        cells.extend(p99.then(|| unit.show_or_dash(latency.p99)));
        cells.extend([unit.show_or_dash(latency.max), ratio(kind.slowdown.mean), ratio(kind.slowdown.max)]);
        table.row(cells);
        for (what, count, latency) in apart(kind) {
            let mut cells = vec![format!("  {what}"), count.to_string()];
            cells.extend([unit.show_mean(latency.mean), unit.show_or_dash(latency.p50)]);
            cells.extend(p95.then(|| unit.show_or_dash(latency.p95)));
            cells.extend(p99.then(|| unit.show_or_dash(latency.p99)));
            cells.extend([unit.show_or_dash(latency.max), String::new(), String::new()]);
            table.row(cells);
        }
    }
    if rows.len() > most {
        table.row([format!("… and {} more", rows.len() - most)]);
    }
    table
}
